"""The openSMILE windows of DEAM files: the project's one pass in two processes against two passes in one.

    python -m tests.benchmarks.opensmile_extraction --data-root DATA [--files 80] [--pairs 3] [--out results]

The two passes are opensmile.Smile's own levels, descriptors and deltas of its IS13 ComParE set (FeatureSet.ComParE_2016
has the same 65 but other jitter and shimmer, and takes as long), with means and standard deviations by numpy. Decoding
and resampling are in both times; the numbers must agree.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import opensmile

from common import audio, cli
from common.features.opensmile import LOOKAHEAD_S, NAMES, STEP_S, WINDOW_S, OpenSmile, round_to_16_bits
from common.features.store import FeatureStore
from data_prep.deam import Deam
from tests import benchmarks

CONFIG = Path(opensmile.__file__).parent / "core/config/is09-13/IS13_ComParE.conf"


def two_passes(path: Path, passes: list[opensmile.Smile], rate: int) -> np.ndarray:
    """Descriptors, then deltas; windows of 100 frames every 50."""
    samples, halves = round_to_16_bits(audio.load(path, rate=rate)[0]), []
    n = int((len(samples) / rate - WINDOW_S - LOOKAHEAD_S) / STEP_S + 1e-9) + 1
    for smile in passes:
        frames = smile.process_signal(samples, rate).to_numpy("float64")
        cut = np.stack([frames[50 * k : 50 * k + 100] for k in range(n)])
        halves.append(np.stack([cut.std(axis=1), cut.mean(axis=1)], axis=-1).reshape(n, -1))
    return np.concatenate(halves, axis=1)


def main():
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--data-root", required=True, type=Path)
    parser.add_argument("--files", type=int, default=80)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    if options.out:
        benchmarks.wait_until_idle()
    paths = [track.path for track in Deam(options.data_root).tracks[: options.files]]
    extractor, pairs = OpenSmile(), []
    passes = [opensmile.Smile(str(CONFIG), level) for level in ("lld", "lld_de")]
    for _ in range(options.pairs):
        started = time.perf_counter()
        plain = [two_passes(path, passes, extractor.rate) for path in paths]
        slow = time.perf_counter() - started
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            ours = FeatureStore(Path(folder)).get_all(paths, extractor, n_jobs=2)
            fast = time.perf_counter() - started
        pairs.append((slow, fast))
        print(f"two passes, one process {slow:.1f} s; one pass, two processes {fast:.1f} s; ratio {slow / fast:.2f}")
    slow, fast = np.transpose(pairs)
    ratios = slow / fast
    a, b = np.concatenate(plain), np.concatenate(ours)
    off = np.abs(a - b).max(axis=0) / np.maximum(np.abs(a).max(axis=0), 1e-12)
    print(f"largest difference, as a part of its column's largest value: {off.max():.1e} ({NAMES[off.argmax()]})")
    print(f"{len(paths)} files; ratio: median {np.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")
    if options.out:
        row = {"two passes, one process": benchmarks.measured("s", slow)}
        row |= {"one pass, two processes": benchmarks.measured("s", fast), "ratio": benchmarks.measured("", ratios)}
        benchmarks.record(options.out, "opensmile_extraction", "openSMILE windows", {f"{len(paths)} files": row})


if __name__ == "__main__":
    sys.exit(cli.run(main))
