"""Valence and arousal of recordings every half second, by the CRNN of Malik et al. 2017.

The mean of five networks, each trained from other initial weights, on openSMILE features of windows of one second.
"""

import sys

import numpy as np

from common import predict

PAPER = "malik2017"


class Model(predict.ContinuousPredictor):
    """The mean of some networks."""

    uses = "whole recordings, in overlapping windows of 10 s (the suite's weights)"

    @property
    def length(self) -> int:
        """Frames of the sequences that the networks were trained on."""
        return self.settings["length"]

    def network(self, features, length):
        """The variant's CRNN."""
        from reproductions.malik2017 import model
        from reproductions.malik2017.train import OF_TRAINING

        return model.crnn(features, length, **{k: v for k, v in self.settings.items() if k not in OF_TRAINING})

    def members(self, outputs):
        """Each network is a member."""
        return np.stack(outputs)


if __name__ == "__main__":
    sys.exit(predict.main("reproductions.malik2017.predict", __doc__, PAPER))
