"""Nine emotions of GEMS for each recording, by the semantic embedding GRU + SVR of Jakubik & Kwaśnicka 2017."""

import sys

import numpy as np

from common import audio, predict, weights
from common.errors import InputError
from common.features.mel import MelSpectrogram, paired_with_deltas
from common.protocol import Sequences
from reproductions.jakubik2017.learning import CROP, embedded

PAPER = "jakubik2017"
BLOCK_S, SHORTEST_S = 61.0, 5.0  # no excerpt of training is longer; of a longer song f is the mean over its pieces
TAIL_S = 0.1  # a last piece shorter than this has no vector, and is left out


class Model(predict.Predictor):
    """The embedding f of a song, then a support vector regression an emotion."""

    scale = "The share of listeners, 0 to 1, who would tick an emotion; a regression can leave that range a little."

    def __init__(self, networks, facts):
        from common import backend

        backend.start(0)
        from reproductions.jakubik2017 import model

        (path,) = networks
        self.model = weights.read(path)
        self.regression = self.model.get_layer("svr")
        self.encoder = model.all_outputs(self.model.get_layer("embedding"))
        scaling = self.model.get_layer(weights.SCALING)
        self.mean, self.std = np.ravel(scaling.mean), np.sqrt(np.ravel(scaling.variance))

    @staticmethod
    def read(path):
        """Vectors of the pieces of a recording, each (n, 160), its length in seconds, and the sound."""
        pieces, length, meter = [], 0.0, predict.Meter()
        for samples, rate in meter.through(audio.blocks(path, BLOCK_S)):
            length += len(samples) / rate
            if len(samples) >= TAIL_S * rate:
                pieces.append(paired_with_deltas(MelSpectrogram()(samples, rate)))
        if not pieces or len(pieces[0]) < CROP:
            raise InputError(f"{path}: lasts {length:.2f} s, and a prediction needs {SHORTEST_S:g} s or more")
        return pieces, length, meter.sound()

    def values(self, pieces, length, sound):
        """Nine emotions (9,)."""
        features = np.median(np.concatenate(pieces), axis=0)
        return predict.Prediction(self.of_pieces(pieces), length, length, features=features, sound=sound)

    def of_pieces(self, pieces: list[np.ndarray]) -> np.ndarray:
        """The nine emotions of a song.

        Parameters
        ----------
        pieces : list of ndarray
            Vectors (length, 160) of each piece.

        Returns
        -------
        float32, (9,)
        """
        f = embedded(self.encoder, Sequences.of(pieces), self.mean, self.std)
        mean = np.average(f, axis=0, weights=[len(piece) for piece in pieces])
        return np.asarray(self.regression(mean[None]))[0]


if __name__ == "__main__":
    sys.exit(predict.main("reproductions.jakubik2017.predict", __doc__, PAPER))
