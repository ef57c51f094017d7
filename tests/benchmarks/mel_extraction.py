"""Where the time goes when velankar2022's spectrograms are made, one core; and two processes against one.

python -m tests.benchmarks.mel_extraction --data-root DATA [--excerpts 300]
"""

import argparse
import tempfile
import time

import numpy as np
import soxr
from threadpoolctl import threadpool_limits

from common import audio
from common.features.relative_mel import RelativeMel
from common.features.store import FeatureStore
from data_prep.fourq import FourQ


def seconds(function, *arguments):
    """Processor seconds of a call, and what it returns."""
    started = time.process_time()
    found = function(*arguments)
    return time.process_time() - started, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", required=True)
    parser.add_argument("--excerpts", type=int, default=300)
    options = parser.parse_args()
    threadpool_limits(1)  # waiting threads of a matrix product would be counted as work
    paths = [track.path for track in FourQ(options.data_root).tracks][:: 900 // options.excerpts][: options.excerpts]
    extractor, parts = RelativeMel(), []
    extractor(np.random.default_rng(0).standard_normal(22050).astype("float32"), 22050)  # librosa is imported
    for path in paths:
        decoding, (samples, rate) = seconds(audio.load, path)
        resampling, resampled = seconds(soxr.resample, samples, rate, extractor.rate)
        spectrogram, _ = seconds(extractor, resampled, extractor.rate)
        parts.append((decoding, resampling, spectrogram))
    means = np.mean(parts, axis=0)
    for name, mean in zip(("decoding", "resampling", "spectrogram"), means, strict=True):
        print(f"{name}: {1000 * mean:.0f} ms an excerpt, {100 * mean / means.sum():.0f} %")
    for jobs in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            FeatureStore(folder).get_all(paths, extractor, jobs=jobs, quiet=True)
            print(f"{jobs} processes: {time.perf_counter() - started:.1f} s for {len(paths)} excerpts, stored")


if __name__ == "__main__":
    main()
