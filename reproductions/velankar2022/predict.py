"""Probabilities of the four quadrants of emotion, by the CRNN of Velankar et al. 2022, from the first 30 s.

Trained on 4Q here, not on the paper's songs: happy, angry, sad and relaxed in the place of the paper's three moods.
"""

import sys
from pathlib import Path

import numpy as np

from common import audio, predict, weights
from common.errors import InputError
from common.features.relative_mel import RelativeMel
from reproductions.velankar2022.songs import loop_to_length
from reproductions.velankar2022.variants import HOP

PAPER = "velankar2022"
HEARD_S, SHORTEST_S = 31.0, 1.0  # 640 frames are 29.7 s; the longest excerpts of 4Q, heard whole in training, 30.1


class Model(predict.Predictor):
    """One network; a recording shorter than its 640 frames begins again."""

    scale = "Probability of each class, which add up to 1."
    heard = "the first 30 seconds only"

    def __init__(self, networks, facts):
        from common import backend

        backend.start(0)
        (path,), self.classes = networks, len(facts["columns"])
        self.model = weights.read(path)

    def __call__(self, path: Path) -> predict.Prediction:
        samples, rate = next(audio.blocks(path, HEARD_S))
        length, heard = audio.duration(path), len(samples) / rate
        if heard < SHORTEST_S:
            raise InputError(f"{path}: lasts {heard:.2f} s, and a prediction needs {SHORTEST_S:g} s or more")
        if not samples.any():
            raise InputError(f"{path}: its first {heard:g} s, all that the model hears, are silent")
        return predict.Prediction(self.of_spectrogram(RelativeMel(HOP)(samples, rate)), length, min(heard, 30.0))

    def of_spectrogram(self, spectrogram: np.ndarray) -> np.ndarray:
        """Frames (n, 128) -> probabilities (n_classes,)."""
        return self.model.predict_on_batch(loop_to_length(spectrogram)[None])[0, : self.classes]


if __name__ == "__main__":
    sys.exit(predict.main("reproductions.velankar2022.predict", __doc__, PAPER))
