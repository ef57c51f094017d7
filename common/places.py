"""Where the suite's own records, weights and pages are: next to the packages in a checkout, else in `reproductions`."""

from pathlib import Path

ROOT = Path(__file__).parents[1]  # of the checkout, or the folder of installed packages
_INSTALLED = ROOT / "reproductions"
_HOLDER = _INSTALLED if (_INSTALLED / "results").is_dir() else ROOT
RESULTS, DOCS = _HOLDER / "results", _HOLDER / "docs"
