"""The ComParE set: 6,373 functionals of openSMILE's low-level descriptors over windows of 0.5 s.

The configuration is ComParE_2016 of the package opensmile, whose list of features is that of the INTERSPEECH 2013
challenge (the later one corrects numerical faults); compare.conf in this folder adds the windows.
Source: Schuller et al., "The INTERSPEECH 2013 Computational Paralinguistics Challenge", INTERSPEECH 2013.

A recording is processed in one pass, so that smoothing and deltas cross the borders of windows. Deltas of voiced
descriptors depend on the time since the start of the file (`common.features.opensmile`): do not mix segments and
complete files.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from common import audio
from common.features.opensmile import engine, package, round_to_16_bits

WINDOW_S = 0.5  # as in compare.conf; window k starts at second k * WINDOW_S
N_FEATURES = 6373
CONFIGURATION = Path(__file__).with_suffix(".conf")


@lru_cache
def smile():
    """The opensmile.Smile that computes the windows; one per process."""
    opensmile, _ = package()
    windows = {"frameModeFunctionalsConf": str(CONFIGURATION)}
    return opensmile.Smile(opensmile.FeatureSet.ComParE_2016, opensmile.FeatureLevel.Functionals, options=windows)


@dataclass(frozen=True)
class ComParE:
    """The functionals of every complete window of 0.5 s.

    Called with samples (n_samples,) and their rate in Hz, returns float32 (n_windows, 6373): 90 windows in 45 s, 20 in
    10 s. The frames of the last window reach up to 60 ms beyond it: `beyond_s` of silence is appended to a recording,
    so that a window which ends with the recording is included. Samples outside [-1, 1] are clipped.
    """

    rate: int = 44100
    beyond_s: float = 0.06
    name: str = "opensmile-compare-2016"
    version: int = 1
    engine: str = field(default_factory=engine)
    libraries = ("numpy", "opensmile", "soxr")
    files = (CONFIGURATION,)

    def __call__(self, samples: np.ndarray, rate: int) -> np.ndarray:
        samples = audio.resample(samples, rate, self.rate)
        n_windows = int(round(len(samples) / self.rate, 3) // WINDOW_S)  # resampling may lose a few samples
        if n_windows < 1:
            return np.zeros((0, N_FEATURES), "float32")
        samples = np.append(samples, np.zeros(round(self.beyond_s * self.rate)))
        return smile()(round_to_16_bits(samples), self.rate)[0].T.astype("float32")[:n_windows]
