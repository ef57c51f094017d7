"""Probabilities of the four quadrants of emotion, by the CRNN of Velankar et al. 2022, from the first 30 s.

Trained on 4Q here, not on the paper's songs: happy, angry, sad and relaxed in the place of the paper's three moods.
"""

import sys

import numpy as np

from common import audio, backend, predict, weights
from common.errors import InputError
from common.features.relative_mel import RelativeMel
from reproductions.velankar2022.train import HOP, loop_to_length

PAPER = "velankar2022"
USED_S, SHORTEST_S = 31.0, 1.0  # 640 frames are 29.7 s; the longest excerpts of 4Q, used whole in training, 30.1


class Model(predict.Predictor):
    """One network; a recording shorter than its 640 frames begins again."""

    scale = "Probability of each class, which add up to 1."
    uses = "the first 30 seconds only"

    def __init__(self, networks, facts):
        backend.start(0)
        self.model, self.classes = weights.read(*networks), len(facts["columns"])

    @staticmethod
    def read(path):
        """The spectrogram (640, 128) of the first 30 s, the length, the seconds used, and their sound."""
        meter = predict.Meter()
        samples, rate = next(meter.through(audio.blocks(path, USED_S)))
        length, used = audio.duration(path), len(samples) / rate
        if used < SHORTEST_S:
            raise InputError(f"{path}: lasts {used:.2f} s, and a prediction needs {SHORTEST_S:g} s or more")
        if not samples.any():
            raise InputError(f"{path}: its first {used:g} s, all that the model uses, are silent")
        return loop_to_length(RelativeMel(HOP)(samples, rate)), length, used, meter.sound()

    def values(self, x, length, used, sound):
        """Probabilities of the classes."""
        probabilities = self.model.predict_on_batch(x[None])[0, : self.classes]
        return predict.Prediction(probabilities, length, min(used, 30.0), features=np.median(x, axis=0), sound=sound)


if __name__ == "__main__":
    sys.exit(predict.main("reproductions.velankar2022.predict", __doc__, PAPER))
