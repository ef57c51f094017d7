"""A paper's model with weights, and how it is opened."""

import importlib
from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path

from common import weights
from common.errors import collect_warnings, warn
from common.places import RESULTS
from common.predict.calibration import Calibration, read
from common.prediction import Prediction


class Predictor(ABC):
    """A paper's model with weights. A recording is read without it, so that other processes can read recordings.

    Attributes
    ----------
    scale : what the numbers mean, a sentence
    limits : the lowest and the highest value of the scale
    uses : which part of a recording the model uses
    calibration : how far predictions are from labels, and what is unlike the training songs; None: not known
    """

    scale: str
    limits: tuple[float, float] = (0.0, 1.0)
    uses: str = "whole recordings"
    calibration: Calibration | None = None

    @abstractmethod
    def __init__(self, networks: list[Path], facts: dict): ...

    @staticmethod
    @abstractmethod
    def read(path: Path) -> tuple:
        """The features of a recording.

        Parameters
        ----------
        path : Path

        Returns
        -------
        tuple
            The arguments of `values`.

        Raises
        ------
        InputError
            If it is unreadable or too short.
        """

    @abstractmethod
    def values(self, *features) -> Prediction:
        """Values alone, from what `read` returned."""

    def values_of(self, recordings: list[tuple]) -> list[Prediction]:
        """Values alone of several recordings; a model overrides it where it is faster on all of them at once.

        Parameters
        ----------
        recordings : list of tuple
            What `read` returned for each.

        Returns
        -------
        list of Prediction
        """
        return [self.values(*features) for features in recordings]

    def __call__(self, path: Path) -> Prediction:
        """Values alone. Raises as `read`."""
        return self.values(*self.read(path))

    def predict(self, path: Path) -> Prediction:
        """Values with their error model; warns of a recording that is unlike the training songs.

        Parameters
        ----------
        path : Path

        Returns
        -------
        Prediction

        Raises
        ------
        InputError
            As `read`.
        """
        with collect_warnings() as texts:
            values = self(path)
        for text in self.without_fixed(texts):
            warn(text)
        return self.with_errors(path, values)

    def with_errors(self, path: Path, prediction: Prediction) -> Prediction:
        """A prediction with its error model; warns of what is unlike the training songs.

        Parameters
        ----------
        path : Path
        prediction : Prediction

        Returns
        -------
        Prediction
        """
        if self.calibration is None:
            return prediction
        for text in self.calibration.unlike(prediction):
            warn(f"{path}: {text}")
        return replace(prediction, error_model=self.calibration.error_model)

    def without_fixed(self, texts: list[str]) -> list[str]:
        """Warnings of reading a recording, but those by fixed limits where there are limits from the training songs.

        Parameters
        ----------
        texts : list of str

        Returns
        -------
        list of str
        """
        return [text for text in texts if self.calibration is None or not self.calibration.replaces(text)]


def load(module: str, folder: Path | None = None) -> Predictor:
    """The model of a paper's module `predict`.

    Parameters
    ----------
    module : str
        Its name, as "reproductions.malik2017.predict"; it holds `PAPER`, and `Model`, a Predictor.
    folder : Path, optional
        Of weights; by default the suite's own.

    Returns
    -------
    Predictor
        With the calibration of the weights, if the folder has one.

    Raises
    ------
    InputError
        If the folder holds no weights of that paper, they or their calibration are damaged, or the calibration is of
        other weights.
    """
    paper = importlib.import_module(module)
    folder = folder or RESULTS / paper.PAPER / "weights"
    networks, facts = weights.load(folder, paper.PAPER)
    model = paper.Model(networks, facts)
    model.calibration = read(folder, facts)
    return model
