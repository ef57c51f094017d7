"""Valence and arousal of recordings every half second, by LSTM_AT_128 of Chaki et al. 2020.

A network each, on 248 openSMILE features of windows of one second: another input than the paper's 6,373.
"""

import sys

import numpy as np

from common import predict

PAPER = "chaki2020"


class Model(predict.ContinuousPredictor):
    """A network a target; the LSTM begins anew after as many steps as it was trained over (of the suite's own 61)."""

    uses = "whole recordings, in overlapping windows of 30.5 s (the suite's weights)"

    @property
    def length(self) -> int:
        """Steps that the networks were trained over."""
        return self.models[0].input_shape[1]

    def register_layers(self):
        """The layers of its `model`."""
        from reproductions.chaki2020 import model  # noqa: F401

    def network(self, features, length):
        """The variant's LSTM, for a target."""
        from reproductions.chaki2020 import model

        units, attention = tuple(self.settings["units"]), self.settings["attention"]
        previous = "own" if self.settings.get("previous") else None
        return model.lstm(features, length, units, attention, self.settings.get("activation", "tanh"), previous)

    def members(self, outputs):
        """One member: the network of valence and that of arousal."""
        return np.concatenate(outputs, axis=1)[None]


if __name__ == "__main__":
    sys.exit(predict.main("reproductions.chaki2020.predict", __doc__, PAPER))
