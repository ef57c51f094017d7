"""Means and standard deviations of openSMILE's low-level descriptors over windows of one second.

The descriptors are the 65 of INTERSPEECH 2013's ComParE set and their deltas: the baseline features of MediaEval's
"Emotion in Music" task of 2015, in the order of the files that the task handed out. They come from the configuration
that the package opensmile contains; opensmile.conf in this folder adds the windows.
Source: Eyben, Weninger, Groß, Schuller, "Recent developments in openSMILE", ACM Multimedia, 2013.
openSMILE is free for research only; any commercial use needs a licence from audEERING.

Twelve of the 260 depend on the time since the start of the file: the deltas of the six descriptors of voiced frames
are divided by a sum that grows from the first frame on (openSMILE, deltaRegression.cpp, `norm`), so they shrink as one
over that time. The RASTA bands depend on about one second before a window.
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
BLOCK_S, OVERLAP_S = 600.0, 10.0  # longer recordings are processed in blocks that overlap
LOOKAHEAD_S = 0.04  # how much of a recording openSMILE needs after the end of a window
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

# Columns: the twelve that depend on the time since the start of the file, the other 248, the 65 means alone.
TIME_DEPENDENT = [i for i, name in enumerate(NAMES) if "_de_" in name and name.split("_")[0] in VOICED]
TIME_INVARIANT = [i for i in range(len(NAMES)) if i not in TIME_DEPENDENT]
MEANS = [i for i, name in enumerate(NAMES) if name.endswith("_amean") and "_sma_de" not in name]


@lru_cache
def package():
    """The module opensmile, and the folder of its library and configurations; can be loaded after TensorFlow."""
    core = Path(importlib.util.find_spec("opensmile").origin).parent / "core"
    if hasattr(os, "RTLD_DEEPBIND"):  # else openSMILE calls the C++ library inside TensorFlow and the process dies
        for library in core.glob("bin/*/libSMILEapi.so"):
            ctypes.CDLL(str(library), mode=os.RTLD_DEEPBIND)
    import opensmile

    return opensmile, core


@lru_cache
def smile():
    """The opensmile.Smile that computes the windows; one per process, since building it reads all configurations."""
    opensmile, core = package()
    descriptors = core / "config/is09-13/IS13_ComParE_core.lld.conf.inc"
    return opensmile.Smile(str(CONFIGURATION), "windows", options={"lld": str(descriptors)})


def engine() -> str:
    """The package and its version, part of a feature's cache key."""
    return f"opensmile {importlib.metadata.version('opensmile')}"


def round_to_16_bits(samples: np.ndarray) -> np.ndarray:
    """Samples in steps of 1/32768, clipped; openSMILE itself would truncate, and overshoots would wrap around.

    Parameters
    ----------
    samples : float (n_samples,)

    Returns
    -------
    float (n_samples,), in [-1, 1)
    """
    return np.clip(np.round(samples * 32768), -32768, 32767) / 32768


@dataclass(frozen=True)
class OpenSmile:
    """Means and standard deviations of the descriptors, in the order of NAMES.

    Called with samples (n_samples,) and their rate in Hz, returns float32 (n_windows, 260). A window is computed if the
    recording goes on for LOOKAHEAD_S after it: 88 windows in 45 s, 18 in 10 s, none in 1 s. Samples outside [-1, 1] are
    clipped.
    """

    rate: int = 44100
    name: str = "opensmile-is13-compare"
    version: int = 1
    engine: str = field(default_factory=engine)
    libraries = ("numpy", "opensmile", "soxr")
    files = (CONFIGURATION,)

    def __call__(self, samples: np.ndarray, rate: int) -> np.ndarray:
        samples = audio.resample(samples, rate, self.rate)
        if len(samples) < (WINDOW_S + LOOKAHEAD_S) * self.rate:
            return np.zeros((0, len(NAMES)), "float32")
        return smile()(round_to_16_bits(samples), self.rate)[0].T.astype("float32")


def extract_windows(path: Path, through=iter) -> tuple[np.ndarray, np.ndarray, float]:
    """The windows of an audio file of any length, in bounded memory.

    Up to BLOCK_S exactly the features of `OpenSmile`; longer recordings are processed in blocks.

    Parameters
    ----------
    path : Path
        Of the recording.
    through : callable
        Yields the blocks of `common.audio.blocks` that it is given, for those who measure them on the way.

    Returns
    -------
    ends : float (n,)
        Of the windows, in seconds.
    features : float32 (n, 260)
    length : float
        Of the recording, in seconds.

    Raises
    ------
    InputError
        As `common.audio.load`, and if the recording is shorter than WINDOW_S + LOOKAHEAD_S.
    """
    extractor, ends, rows, length = OpenSmile(), [], [], 0.0
    for samples, rate in through(audio.blocks(path, BLOCK_S, overlap=OVERLAP_S)):
        block_start = max(0.0, length - OVERLAP_S)
        length = block_start + len(samples) / rate
        features = extractor(samples, rate)
        block_ends = block_start + STEP_S * np.arange(len(features)) + WINDOW_S
        new = block_ends > (ends[-1][-1] if ends else 0)
        ends.append(block_ends[new])
        rows.append(features[new])
    ends = np.concatenate(ends)
    if not len(ends):
        raise InputError(f"{path}: lasts {length:.2f} s, and a prediction needs {WINDOW_S + LOOKAHEAD_S:g} s or more")
    return ends, np.concatenate(rows), length
