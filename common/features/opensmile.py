"""Means and standard deviations of openSMILE's low-level descriptors over windows of one second.

The descriptors are the 65 of INTERSPEECH 2013's ComParE set and their deltas: the baseline features of MediaEval's
"Emotion in Music" task of 2015, in the order of the files that the task handed out. They come from the configuration
that the package opensmile brings along; opensmile.conf beside this file adds the windows.
Source: Eyben, Weninger, Groß, Schuller, "Recent developments in openSMILE", ACM Multimedia, 2013.
openSMILE is free for research only; any commercial use needs a licence from audEERING.

Twelve of the 260 depend on what came before a window, however long ago: the deltas of the six descriptors of voiced
frames are divided by a sum that grows from the first frame on (openSMILE, deltaRegression.cpp, `norm`), so they
shrink as one over the time since the start of the file. The RASTA bands forget within about a second.
"""

import ctypes
import importlib.metadata
import importlib.util
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from common import audio
from common.errors import InputError

WINDOW_S, STEP_S = 1.0, 0.5  # as in opensmile.conf; window k starts at second k * STEP_S
PIECE_S, OVERLAP_S = 600.0, 10.0  # longer recordings are heard in pieces, each with the end of the one before it
BEYOND_S = 0.04  # what openSMILE needs of a recording after the end of a window
CONFIGURATION = Path(__file__).with_suffix(".conf")
VOICED = ["F0final", "voicingFinalUnclipped", "jitterLocal", "jitterDDP", "shimmerLocal", "logHNR"]
SPECTRAL = [
    "fband250-650", "fband1000-4000", "spectralRollOff25.0", "spectralRollOff50.0", "spectralRollOff75.0",
    "spectralRollOff90.0", "spectralFlux", "spectralCentroid", "spectralEntropy", "spectralVariance",
    "spectralSkewness", "spectralKurtosis", "spectralSlope", "psySharpness", "spectralHarmonicity",
]  # fmt: skip
DESCRIPTORS = [  # (name, index)
    *((name, "") for name in VOICED),
    *((name, "") for name in ("audspec_lengthL1norm", "audspecRasta_lengthL1norm", "pcm_RMSenergy", "pcm_zcr")),
    *(("audSpec_Rfilt", f"[{band}]") for band in range(26)),
    *((f"pcm_fftMag_{name}", "") for name in SPECTRAL),
    *(("pcm_fftMag_mfcc", f"[{number}]") for number in range(1, 15)),
]
NAMES = [
    f"{name}_sma{delta}{index}_{moment}"
    for delta in ("", "_de")
    for name, index in DESCRIPTORS
    for moment in ("stddev", "amean")
]

SINCE_START = [i for i, name in enumerate(NAMES) if "_de_" in name and name.split("_")[0] in VOICED]  # the twelve
TIMELESS = [i for i in range(len(NAMES)) if i not in SINCE_START]  # the other 248
MEANS = [i for i, name in enumerate(NAMES) if name.endswith("_amean") and "_sma_de" not in name]  # the 65 alone


@lru_cache
def package():
    """The module opensmile and the folder of its library and configurations; safe beside TensorFlow."""
    core = Path(importlib.util.find_spec("opensmile").origin).parent / "core"
    if hasattr(os, "RTLD_DEEPBIND"):  # else openSMILE calls the C++ library inside TensorFlow and the process dies
        for library in core.glob("bin/*/libSMILEapi.so"):
            ctypes.CDLL(str(library), mode=os.RTLD_DEEPBIND)
    import opensmile

    return opensmile, core


@lru_cache
def smile():
    """The opensmile.Smile that computes the windows; one a process, since building it reads all configurations."""
    opensmile, core = package()
    descriptors = core / "config/is09-13/IS13_ComParE_core.lld.conf.inc"
    return opensmile.Smile(str(CONFIGURATION), "windows", options={"lld": str(descriptors)})


def engine() -> str:
    """The package and its version, part of what addresses a feature in the store."""
    return f"opensmile {importlib.metadata.version('opensmile')}"


def at_rate(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Samples at another rate, if they are not at it already."""
    if rate == wanted:
        return samples
    import soxr

    return soxr.resample(samples, rate, wanted)


def in_16_bits(samples: np.ndarray) -> np.ndarray:
    """Samples rounded to steps of 16 bits and clipped; opensmile would cut off fractions and let overshoots wrap."""
    return np.clip(np.round(samples * 32768), -32768, 32767) / 32768


@dataclass(frozen=True)
class OpenSmile:
    """The descriptors named in NAMES, float32 of shape (n_windows, 260).

    A window is there if the recording goes on for BEYOND_S after it: 88 windows in 45 s, 18 in 10 s, none in 1 s.
    Samples outside [-1, 1] are clipped.
    """

    rate: int = 44100
    name: str = "opensmile-is13-compare"
    version: int = 1
    engine: str = field(default_factory=engine)
    libraries = ("numpy", "opensmile", "soxr")
    files = (CONFIGURATION,)

    def __call__(self, samples: np.ndarray, rate: int) -> np.ndarray:
        samples = at_rate(samples, rate, self.rate)
        if len(samples) < (WINDOW_S + BEYOND_S) * self.rate:
            return np.zeros((0, len(NAMES)), "float32")
        return smile()(in_16_bits(samples), self.rate)[0].T.astype("float32")


def of_recording(path: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Where each window of a recording ends (n,), the features (n, 260), and the recording's length, in seconds.

    Up to PIECE_S exactly what `OpenSmile` computes; longer ones are heard in pieces, in bounded memory. Raises
    InputError as `audio.load` does, and if there is no whole window.
    """
    extractor, ends, rows, length = OpenSmile(), [], [], 0.0
    for samples, rate in audio.pieces(path, PIECE_S, overlap=OVERLAP_S):
        begins = max(0.0, length - OVERLAP_S)
        length = begins + len(samples) / rate
        found = extractor(samples, rate)
        of_piece = begins + STEP_S * np.arange(len(found)) + WINDOW_S
        new = of_piece > (ends[-1][-1] if ends else 0)
        ends.append(of_piece[new])
        rows.append(found[new])
    ends = np.concatenate(ends)
    if not len(ends):
        raise InputError(f"{path}: lasts {length:.2f} s, and a prediction needs {WINDOW_S + BEYOND_S:g} s or more")
    return ends, np.concatenate(rows), length
