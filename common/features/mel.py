"""Log-mel spectrograms as in MIRtoolbox, and pairs of frames with their deltas.

Source: MIRtoolbox, `mirspectrum(..., 'Frame', 'Mel', 'dB')` (olivierlar/mirtoolbox, @mirspectrum/mirspectrum.m):
symmetric Hamming window, FFT padded to a power of two, Slaney's filter bank on the magnitude spectrum,
20 log10. The filter bank is the Auditory Toolbox's: centres from 200 Hz, 13 linear ones 66.67 Hz apart, then a
geometric series; triangles of unit area.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy

LOWEST_HZ, LINEAR_HZ, LINEAR_BANDS, LOG_STEP = 133.3333, 66.66666666, 13, 1.0711703
FLOOR = 1e-16


@lru_cache
def slaney_bank(rate: int, n_fft: int, bands: int = 40) -> np.ndarray:
    """Triangular filters, each of unit area over frequency in Hz.

    Parameters
    ----------
    rate : int
        In Hz.
    n_fft, bands : int

    Returns
    -------
    float64 (bands, n_fft // 2 + 1)
    """
    linear = LOWEST_HZ + LINEAR_HZ * np.arange(min(LINEAR_BANDS, bands))
    edges = np.concatenate([linear, linear[-1] * LOG_STEP ** np.arange(1, bands + 3 - len(linear))])
    lower, centre, upper = (edges[i : i + bands, None] for i in range(3))
    hz = np.arange(n_fft // 2 + 1) * rate / n_fft
    rising, falling = (hz - lower) / (centre - lower), (upper - hz) / (upper - centre)
    return np.clip(np.minimum(rising, falling), 0, None) * 2 / (upper - lower)


@dataclass(frozen=True)
class MelSpectrogram:
    """Log-mel frames in dB.

    Called with samples (n_samples,) and their rate in Hz, returns float32 (n_frames, bands). Frame k starts at sample
    round(k * hop * rate); zeros are appended, so that a recording of a whole number of hops has as many frames as hops
    (30 s: 1,200). A frame of zeros is at -320 dB.
    """

    frame_s: float = 0.05
    hop_s: float = 0.025
    bands: int = 40
    name: str = "mirtoolbox-mel"
    version: int = 1
    libraries = ("numpy", "scipy")

    def __call__(self, samples: np.ndarray, rate: int) -> np.ndarray:
        frame = round(self.frame_s * rate)
        starts = np.round(np.arange(int(len(samples) / (self.hop_s * rate) + 1e-9)) * self.hop_s * rate).astype(int)
        if not len(starts):
            return np.zeros((0, self.bands), "float32")
        padded = np.concatenate([samples, np.zeros(frame, samples.dtype)])
        frames = np.lib.stride_tricks.sliding_window_view(padded, frame)[starts]
        n_fft = 1 << (frame - 1).bit_length()
        spectrum = np.abs(scipy.fft.rfft(frames * np.hamming(frame).astype("float32"), n_fft, axis=1))
        bank = slaney_bank(rate, n_fft, self.bands).astype("float32")
        return (20 * np.log10(spectrum @ bank.T + FLOOR)).astype("float32")


def paired_with_deltas(frames: np.ndarray) -> np.ndarray:
    """Two frames and their two deltas in one vector.

    Parameters
    ----------
    frames : (n_frames, bands)

    Returns
    -------
    (n_frames // 2, 4 * bands): [x(2t), x(2t+1), x(2t) - x(2t-1), x(2t+1) - x(2t)], with 0 as delta of the first frame;
    an odd last frame is left out
    """
    deltas = np.diff(frames, axis=0, prepend=frames[:1])
    n = len(frames) // 2
    return np.concatenate([a[: 2 * n].reshape(n, -1) for a in (frames, deltas)], axis=1)
