"""The ComParE set: 6,373 functionals of openSMILE's low-level descriptors over windows of half a second.

The configuration is ComParE_2016 as the package opensmile brings it along, whose list of features is that of the
INTERSPEECH 2013 challenge (the later one mends numerical faults); compare.conf beside this file adds the windows.
Source: Schuller et al., "The INTERSPEECH 2013 Computational Paralinguistics Challenge", INTERSPEECH 2013.

A recording is read in one pass, so that smoothing and deltas see across the borders of windows. Deltas of voiced
descriptors depend on the time since the file's start (`common.features.opensmile`): do not mix cuts and whole files.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from common.features.opensmile import at_rate, engine, in_16_bits, package

WINDOW_S = 0.5  # as in compare.conf; window k starts at second k * WINDOW_S
N_FEATURES = 6373
CONFIGURATION = Path(__file__).with_suffix(".conf")


@lru_cache
def smile():
    """The opensmile.Smile that computes the windows; one a process."""
    opensmile, _ = package()
    windows = {"frameModeFunctionalsConf": str(CONFIGURATION)}
    return opensmile.Smile(opensmile.FeatureSet.ComParE_2016, opensmile.FeatureLevel.Functionals, options=windows)


@dataclass(frozen=True)
class ComParE:
    """The functionals of every whole window, float32 of shape (n_windows, 6373): 90 windows in 45 s, 20 in 10 s.

    The frames of the last window reach up to 60 ms beyond it: `beyond_s` of silence is put behind a recording, so
    that a window which ends with the recording is there. Samples outside [-1, 1] are clipped.
    """

    rate: int = 44100
    beyond_s: float = 0.06
    name: str = "opensmile-compare-2016"
    version: int = 1
    engine: str = field(default_factory=engine)
    libraries = ("numpy", "opensmile", "soxr")
    files = (CONFIGURATION,)

    def __call__(self, samples: np.ndarray, rate: int) -> np.ndarray:
        samples = at_rate(samples, rate, self.rate)
        whole = round(len(samples) / self.rate, 3) // WINDOW_S  # a few samples may be lost where the rate changes
        if whole < 1:
            return np.zeros((0, N_FEATURES), "float32")
        samples = np.append(samples, np.zeros(round(self.beyond_s * self.rate)))
        return smile()(in_16_bits(samples), self.rate)[0].T.astype("float32")[: int(whole)]
