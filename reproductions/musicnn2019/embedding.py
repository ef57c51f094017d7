"""MusiCNN's embedding of a recording: log-mel, patches of 3 s, and three layers of the network with published weights.

As the package musicnn 0.1.0 does it on the NumPy of its time: on NumPy 2 its log-mel overflows in loud music. It also
returns, for all patches but the first, the penultimate layer of the first, which is not repeated here.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from common import audio, backend
from common.places import RESULTS

WEIGHTS = RESULTS / "musicnn2019" / "weights" / "MSD_musicnn.keras"
RATE, N_FFT, HOP, BANDS, PATCH = 16000, 512, 256, 96, 187  # frames of a patch, 3 s


@lru_cache
def network():
    """The network with its weights, loaded once in a process."""
    backend.start(0)
    from reproductions.musicnn2019 import model

    net = model.musicnn()
    net.load_weights(WEIGHTS)
    return net


def log_mel(samples: np.ndarray) -> np.ndarray:
    """log10(10000 power + 1) of mel bands, one frame every 16 ms.

    The power is rounded to half precision, as in the package. The product is not: it would be infinite above 6.5.

    Parameters
    ----------
    samples : ndarray, (n_samples,)
        At 16 kHz.

    Returns
    -------
    float32, (n_frames, 96)
    """
    import librosa

    power = librosa.feature.melspectrogram(y=samples, sr=RATE, n_fft=N_FFT, hop_length=HOP, n_mels=BANDS).T
    return np.log10(10000 * power.astype("float16").astype("float32") + 1)


@dataclass(frozen=True)
class Embedding:
    """Mean and maximum over time (753 each) and penultimate layer (200) of each patch of 3 s.

    Called with samples (n_samples,) and their rate in Hz, returns float32 (n_patches, 1706). Patches do not overlap,
    and an incomplete last one is left out; a recording shorter than a patch is repeated until it fills one.
    """

    backend: str = field(default_factory=backend.name)
    name: str = "musicnn"
    version: int = 1
    libraries = ("numpy", "librosa", "soxr", "keras", "tensorflow", "tensorflow-cpu", "jax")
    files = (WEIGHTS,)

    def __call__(self, samples: np.ndarray, rate: int) -> np.ndarray:
        frames = log_mel(audio.resample(samples, rate, RATE))
        patches = np.resize(frames, (max(len(frames) // PATCH, 1), 1, PATCH, BANDS))
        layers = [network().predict_on_batch(patch)[:3] for patch in patches]
        return np.concatenate([np.concatenate(of_patch, axis=1) for of_patch in layers])
