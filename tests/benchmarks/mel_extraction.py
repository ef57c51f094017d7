"""Where the time goes when velankar2022's spectrograms are made, one core; and two processes against one.

python -m tests.benchmarks.mel_extraction --data-root DATA [--excerpts 300] [--pairs 3] [--out results]
"""

import sys
import tempfile
import time

import numpy as np
import soxr
from threadpoolctl import threadpool_limits

from common import audio, cli
from common.features.relative_mel import RelativeMel
from common.features.store import FeatureStore
from data_prep.fourq import FourQ
from tests import benchmarks


def seconds(function, *arguments):
    """Processor seconds of a call, and what it returns."""
    started = time.process_time()
    found = function(*arguments)
    return time.process_time() - started, found


def main() -> None:
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--data-root", required=True)
    parser.add_argument("--excerpts", type=int, default=300)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    if options.out:
        benchmarks.wait_until_idle()
    threadpool_limits(1)  # waiting threads of a matrix product would be counted as work
    paths = [track.path for track in FourQ(options.data_root).tracks][:: 900 // options.excerpts][: options.excerpts]
    extractor, parts = RelativeMel(), []
    extractor(np.random.default_rng(0).standard_normal(22050).astype("float32"), 22050)  # librosa is imported
    for path in paths:
        decoding, (samples, rate) = seconds(audio.load, path)
        resampling, resampled = seconds(soxr.resample, samples, rate, extractor.rate)
        spectrogram, _ = seconds(extractor, resampled, extractor.rate)
        parts.append((decoding, resampling, spectrogram))
    means, names = np.mean(parts, axis=0), ("decoding", "resampling", "spectrogram")
    for name, mean in zip(names, means, strict=True):
        print(f"{name}: {1000 * mean:.0f} ms an excerpt, {100 * mean / means.sum():.0f} %")
    pairs = []
    for _ in range(options.pairs):
        pair = []
        for jobs in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                FeatureStore(folder).get_all(paths, extractor, n_jobs=jobs, quiet=True)
                pair.append(time.perf_counter() - started)
                print(f"{jobs} processes: {pair[-1]:.1f} s for {len(paths)} excerpts, stored")
        pairs.append(pair)
    if options.out:
        of_one = {
            name: benchmarks.measured("ms", 1000 * ms) for name, ms in zip(names, np.transpose(parts), strict=True)
        }
        one, two = np.transpose(pairs)
        of_all = {"one process": benchmarks.measured("s", one), "two": benchmarks.measured("s", two)}
        of_all |= {"ratio": benchmarks.measured("", one / two)}
        found = {"a spectrogram, processor time": of_one}
        found |= {f"{len(paths)} excerpts, start of the processes included": of_all}
        benchmarks.record(options.out, "mel_extraction", "spectrograms from audio", found)


if __name__ == "__main__":
    sys.exit(cli.run(main))
