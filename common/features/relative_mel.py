"""librosa's mel spectrogram, relative to its loudest element.

Source: `melspectrogram` and `power_to_db(ref=max)` of librosa 0.6, whose `stft` pads by reflection.
"""

from dataclasses import dataclass

import numpy as np

from common import audio

LOWEST_DB = -80.0  # power_to_db's top_db


@dataclass(frozen=True)
class RelativeMel:
    """Natural logarithm of mel power over its maximum, in [-18.42, 0].

    Called with samples (n_samples,) and their rate in Hz, returns float32 (n_frames, bands). Frames are centred, a
    periodic Hann window of `n_fft` samples every `hop`. Elements 80 dB or more below the maximum are set to -80 dB
    (-18.42). Silence is 0 everywhere, as in librosa: every element is the maximum.
    """

    hop: int = 1024
    n_fft: int = 2048
    bands: int = 128
    rate: int = 22050
    name: str = "relative-mel"
    version: int = 1
    libraries = ("numpy", "librosa", "soxr")

    def __call__(self, samples: np.ndarray, rate: int) -> np.ndarray:
        import librosa

        samples = audio.resample(samples, rate, self.rate)
        power = librosa.feature.melspectrogram(
            y=samples, sr=self.rate, n_fft=self.n_fft, hop_length=self.hop, n_mels=self.bands, pad_mode="reflect"
        )
        highest = power.max()
        if highest == 0:
            return np.zeros(power.T.shape, "float32")
        return np.log(np.maximum(power, highest * 10 ** (LOWEST_DB / 10)) / highest).T.astype("float32")
