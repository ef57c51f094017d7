"""Published models of music emotion recognition, a folder each, and the board of all their numbers."""

import sys
from pathlib import Path

# `python -m` puts the working folder first, and a file common.py there would be taken for the package
sys.path.insert(0, str(Path(__file__).parents[1]))
