"""Valence and arousal of recordings every half second, by the CRNN of Malik et al. 2017.

The mean of five networks, each trained from other initial weights, on 260 openSMILE features of windows of one second.
"""

import sys
from functools import lru_cache
from pathlib import Path

import numpy as np

from common import predict, weights
from common.features import opensmile
from common.protocol import Sequences

PAPER = "malik2017"


class Model(predict.Predictor):
    """The mean of some networks, on sequences as long as in training; a shorter recording is one sequence."""

    scale = "Valence from -1 (negative) to 1 (positive), arousal from -1 (calm) to 1 (excited), every 0.5 s."

    def __init__(self, networks, facts):
        from common import keras2017

        keras2017.start(0)
        self.networks, network = networks, facts["settings"]["network"]
        self.length = network["length"]
        self.readings = {k: v for k, v in network.items() if k not in ("length", "epochs", "until", "validation")}
        self.of_length = lru_cache(4)(self.of_length)

    def of_length(self, length: int):
        """The network, its weights aside."""
        from reproductions.malik2017 import model

        return model.crnn(len(opensmile.NAMES), length, **self.readings)

    def __call__(self, path: Path) -> predict.Prediction:
        times, features, seconds = opensmile.of_recording(path)
        return predict.Prediction(self.of_features(features), seconds, seconds, times)

    def of_features(self, features: np.ndarray) -> np.ndarray:
        """Features (n, 260) -> valence and arousal (n, 2)."""
        from keras import ops

        length, found = min(self.length, len(features)), []
        net = self.of_length(length)
        for network in self.networks:
            weights.put(net, network)
            song = Sequences.of([opensmile.scaled(features, network["mean"], network["std"])])
            stretches, starts = song.cut(length)
            found.append(song.joined(ops.convert_to_numpy(net(stretches)), starts))
        return np.mean(found, axis=0)


if __name__ == "__main__":
    sys.exit(predict.main("reproductions.malik2017.predict", __doc__, PAPER))
