"""Valence and arousal of recordings every half second, by LSTM_AT_128 of Chaki et al. 2020.

A network each, on 248 openSMILE features of windows of one second: another input than the paper's 6,373.
"""

import sys

import numpy as np

from common import predict
from reproductions.chaki2020.clips import STEPS

PAPER = "chaki2020"


class Model(predict.OverTime):
    """A network a target; the LSTM begins anew every 61 steps, as long as it was trained over."""

    heard = "whole recordings, 30.5 s at a time; steps where those meet are the model's, not the music's"
    length = STEPS

    def register_layers(self):
        from reproductions.chaki2020 import model  # noqa: F401  (its attention)

    def network(self, features, length):
        from reproductions.chaki2020 import model

        units, attention = tuple(self.settings["units"]), self.settings["attention"]
        return model.lstm(features, length, units, attention, self.settings.get("activation", "tanh"))

    def joined(self, predictions):
        return np.concatenate(predictions, axis=1)


if __name__ == "__main__":
    sys.exit(predict.main("reproductions.chaki2020.predict", __doc__, PAPER))
