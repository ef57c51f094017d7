"""Extracting the features of Emotify's excerpts into an empty store: one process against two, in turn.

python -m tests.benchmarks.extraction --data-root DATA [--pairs 3] [--files 400] [--out results]
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from common import cli
from common.features.mel import MelSpectrogram
from common.features.store import FeatureStore
from data_prep.emotify import Emotify
from tests import benchmarks


def main():
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--data-root", required=True, type=Path)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--files", type=int, default=400)
    options = parser.parse_args()
    if options.out:
        benchmarks.wait_until_idle()
    paths = [track.path for track in Emotify(options.data_root).tracks][: options.files]
    pairs = []
    for _ in range(options.pairs):
        seconds = []
        for jobs in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                FeatureStore(Path(folder)).get_all(paths, MelSpectrogram(), n_jobs=jobs)
                seconds.append(time.perf_counter() - started)
        pairs.append(seconds)
        print(f"1 process {seconds[0]:.1f} s, 2 processes {seconds[1]:.1f} s, ratio {seconds[0] / seconds[1]:.2f}")
    one, two = np.transpose(pairs)
    ratios = one / two
    print(f"{len(paths)} files; ratio: median {np.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")
    if options.out:
        row = {"one process": benchmarks.measured("s", one), "two": benchmarks.measured("s", two)}
        row |= {"ratio": benchmarks.measured("", ratios)}
        found = {f"{len(paths)} excerpts": row}
        benchmarks.record(options.out, "extraction", "log-mel features from audio", found)


if __name__ == "__main__":
    sys.exit(cli.run(main))
