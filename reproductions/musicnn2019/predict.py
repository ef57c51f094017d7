"""Valence and arousal of recordings every half second, by MusiCNN's embedding and ridge regression.

Each value is of the 3 s before it. The embedding is Pons & Serra's of 2019; the regression is the suite's.
"""

import sys

import numpy as np

from common import audio, backend, predict, weights
from common.errors import InputError
from common.prediction import STEP_S
from reproductions.musicnn2019.over_time import PATCH_S, PENULTIMATE, OverlappingPatches

PAPER = "musicnn2019"
BLOCK_S, SHORTEST_S = 600.0, 1.0  # longer recordings are processed in blocks


class Model(predict.Predictor):
    """A linear regression on each patch; a recording shorter than a patch is repeated until it fills one."""

    scale = predict.ContinuousPredictor.scale
    limits = predict.ContinuousPredictor.limits
    uses = "whole recordings, the 3 s before each value"

    def __init__(self, networks, facts):
        backend.start(0)
        self.model = weights.read(*networks)  # its input scaling inside

    @staticmethod
    def read(path):
        """The embedding of each patch (n_patches, 1706), the length in seconds, and the sound."""
        embed, blocks, length, meter = OverlappingPatches(), [], 0.0, predict.Meter()
        for samples, rate in meter.through(audio.blocks(path, BLOCK_S, overlap=PATCH_S)):  # whole samples at any rate
            length += len(samples) / rate - (PATCH_S if blocks else 0)
            patches = embed(samples, rate)
            blocks.append(patches[1:] if blocks else patches)  # the first is the last of the block before
        if length < SHORTEST_S:
            raise InputError(f"{path}: lasts {length:.2f} s, and a prediction needs {SHORTEST_S:g} s or more")
        return np.concatenate(blocks), length, meter.sound()

    def values(self, patches, length, sound):
        """Valence and arousal at the end of each patch."""
        first = min(PATCH_S, STEP_S * int(length / STEP_S))
        times, features = first + STEP_S * np.arange(len(patches)), np.median(patches[:, PENULTIMATE], axis=0)
        values = np.asarray(self.model(patches))
        return predict.Prediction(values, length, length, times, features=features, sound=sound)


if __name__ == "__main__":
    sys.exit(predict.main("reproductions.musicnn2019.predict", __doc__, PAPER))
