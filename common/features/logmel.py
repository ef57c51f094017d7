"""Log energies of mel bands over segments of 0.5 s.

Source of the filter bank: librosa's default, Slaney's mel scale and triangles of unit area over frequency in Hz, from
0 Hz to half the rate.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy

from common import audio

FLOOR = 1e-10  # below what rounding to 16 bits leaves in a band


@lru_cache
def bank(rate: int, n_fft: int, bands: int) -> np.ndarray:
    """librosa's triangular filters.

    Parameters
    ----------
    rate : int
        In Hz.
    n_fft, bands : int

    Returns
    -------
    float32 (bands, n_fft // 2 + 1)
    """
    import librosa.filters

    return librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=bands)


@dataclass(frozen=True)
class LogMel:
    """Natural logarithms of mel power.

    Called with samples (n_samples,) and their rate in Hz, returns float32 (n_segments, bands). Segment k is
    [k, k + 1) * segment_s; an incomplete last one is left out. Its power is the mean over the frames (periodic Hann
    window) that lie completely inside, so that a segment is independent of its neighbours. With `mean_of_logs` the
    logarithm is taken of each frame and then averaged. Digital silence is ln 1e-10 = -23.0.
    """

    segment_s: float = 0.5
    frame_s: float = 0.06
    hop_s: float = 0.01
    bands: int = 64
    rate: int = 44100
    mean_of_logs: bool = False
    name: str = "log-mel"
    version: int = 1
    libraries = ("numpy", "scipy", "librosa", "soxr")

    def __call__(self, samples: np.ndarray, rate: int) -> np.ndarray:
        samples = audio.resample(samples, rate, self.rate)
        segment, frame, hop = (round(seconds * self.rate) for seconds in (self.segment_s, self.frame_s, self.hop_s))
        window = scipy.signal.get_window("hann", frame).astype("float32")
        filters = bank(self.rate, frame, self.bands).T
        log_mel = np.zeros((len(samples) // segment, self.bands), "float32")
        for k in range(len(log_mel)):
            part = samples[k * segment : (k + 1) * segment]
            frames = np.lib.stride_tricks.sliding_window_view(part, frame)[::hop]
            mel = np.abs(scipy.fft.rfft(frames * window, axis=1)) ** 2 @ filters
            if self.mean_of_logs:
                log_mel[k] = np.log(mel + FLOOR).mean(axis=0)
            else:
                log_mel[k] = np.log(mel.mean(axis=0) + FLOOR)
        return log_mel
