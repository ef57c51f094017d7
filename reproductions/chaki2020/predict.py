"""Valence and arousal of recordings every half second, by LSTM_AT_128 of Chaki et al. 2020.

A network each, on 260 openSMILE features of windows of one second: another input than the paper's 6,373.
"""

import sys
from functools import lru_cache
from pathlib import Path

import numpy as np

from common import predict, weights
from common.features import opensmile
from common.protocol import Sequences
from reproductions.chaki2020.clips import STEPS

PAPER = "chaki2020"


class Model(predict.Predictor):
    """A network a target; the LSTM begins anew every 61 steps, as long as it was trained over."""

    scale = "Valence from -1 (negative) to 1 (positive), arousal from -1 (calm) to 1 (excited), every 0.5 s."

    def __init__(self, networks, facts):
        from common import keras2017

        keras2017.start(0)
        self.networks, self.settings = networks, facts["settings"]["network"]
        self.of_length = lru_cache(4)(self.of_length)

    def of_length(self, length: int):
        """The network, its weights aside."""
        from reproductions.chaki2020 import model

        activation = self.settings.get("activation", "tanh")
        units, attention = tuple(self.settings["units"]), self.settings["attention"]
        return model.lstm(len(opensmile.NAMES), length, units, attention, activation)

    def __call__(self, path: Path) -> predict.Prediction:
        times, features, seconds = opensmile.of_recording(path)
        return predict.Prediction(self.of_features(features), seconds, seconds, times)

    def of_features(self, features: np.ndarray) -> np.ndarray:
        """Features (n, 260) -> valence and arousal (n, 2)."""
        from keras import ops

        length, found = min(STEPS, len(features)), []
        net = self.of_length(length)
        for network in self.networks:
            weights.put(net, network)
            song = Sequences.of([opensmile.scaled(features, network["mean"], network["std"])])
            stretches, starts = song.cut(length)
            found.append(song.joined(ops.convert_to_numpy(net(stretches)), starts))
        return np.concatenate(found, axis=1)


if __name__ == "__main__":
    sys.exit(predict.main("reproductions.chaki2020.predict", __doc__, PAPER))
