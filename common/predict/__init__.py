"""Predictions of recordings by the papers' models with weights.

A paper's module `predict` holds PAPER and `Model`, a `Predictor`; `main` is its command line, and `load` opens the
model for other programs: `load("reproductions.malik2017.predict").predict(path)` is a `Prediction`.
"""

from common.predict.base import Predictor, load
from common.predict.command import main
from common.predict.continuous import ContinuousPredictor
from common.predict.sound import Meter
from common.prediction import Prediction

__all__ = ["ContinuousPredictor", "Meter", "Prediction", "Predictor", "load", "main"]
