"""Extracting the features of all Emotify excerpts into an empty store: one process against two, in turn.

python -m tests.benchmarks.extraction --data-root DATA [--pairs 3]
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from common.features.mel import MelSpectrogram
from common.features.store import FeatureStore
from data_prep.emotify import Emotify


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", required=True, type=Path)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    paths = [track.path for track in Emotify(options.data_root).tracks]
    ratios = []
    for _ in range(options.pairs):
        seconds = []
        for jobs in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                FeatureStore(Path(folder)).get_all(paths, MelSpectrogram(), jobs=jobs)
                seconds.append(time.perf_counter() - started)
        ratios.append(seconds[0] / seconds[1])
        print(f"1 process {seconds[0]:.1f} s, 2 processes {seconds[1]:.1f} s, ratio {ratios[-1]:.2f}")
    print(f"{len(paths)} files; ratio: median {np.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
