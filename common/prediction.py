"""What a model predicts of a recording."""

import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

STEP_S = 0.5  # between the values of a model of valence and arousal over time
SONG = float("inf")  # an interval as long as any recording: one value a song


@dataclass(frozen=True)
class ErrorModel:
    """How far predictions are from the labels of songs that were held out in training.

    The half-width of an interval that holds the labels of a given share of these songs is factor * sqrt(error² +
    spread²), where spread is the standard deviation over the networks that are averaged.

    Attributes
    ----------
    error : (n_targets,), root mean squared error of held-out songs, in the unit of the labels
    factor : (n_targets,), without unit
    """

    error: np.ndarray
    factor: np.ndarray

    def half_width(self, spread: np.ndarray | float) -> np.ndarray:
        """Half of the width of the intervals.

        Parameters
        ----------
        spread : float (..., n_targets)
            Standard deviation of the networks, in the unit of the labels.

        Returns
        -------
        float (..., n_targets), in the unit of the labels
        """
        return self.factor * np.hypot(self.error, spread)


class Sound(NamedTuple):
    """Level, bandwidth and rate of a recording.

    Attributes
    ----------
    level : root mean square, in dB of full scale
    bandwidth : the frequency in Hz above which there is no sound
    rate : samples a second
    """

    level: float
    bandwidth: float
    rate: int


@dataclass(frozen=True)
class Prediction:
    """What a model predicts of one recording.

    Attributes
    ----------
    values : (n_targets,), or (n, n_targets) of a continuous model, at `times`
    length : of the recording, in seconds
    used : how many seconds of it, from its beginning, the model was given
    times : (n,), in seconds, the ends of the intervals that values are for; None: one value a recording
    warnings : what is doubtful about the recording, a line each
    networks : (n_networks, ...), what each of the networks that are averaged predicts; None: one network
    features : (n_features,), the medians of the model's input over the recording; None: not known
    sound : of what the model was given; None: not known
    error_model : None: not known
    """

    values: np.ndarray
    length: float
    used: float
    times: np.ndarray | None = None
    warnings: tuple[str, ...] = ()
    networks: np.ndarray | None = None
    features: np.ndarray | None = None
    sound: Sound | None = None
    error_model: ErrorModel | None = None

    @property
    def mean(self) -> np.ndarray:
        """(n_targets,): over the song."""
        return self.values if self.times is None else self.values.mean(0)

    @property
    def half_width(self) -> np.ndarray | None:
        """Of the interval around each of `values`, in the same shape; None without an error model."""
        if self.error_model is None:
            return None
        spread = np.zeros_like(self.values) if self.networks is None else self.networks.std(0, ddof=1)
        return self.error_model.half_width(spread)

    def averaged(self, interval: float) -> "Prediction":
        """Means over intervals from the recording's start on; the last interval ends with the recording.

        Parameters
        ----------
        interval : float
            In seconds; SONG: the whole recording.

        Returns
        -------
        Prediction
            Itself if it has one value a recording.
        """
        if self.times is None or interval == STEP_S:
            return self
        number = np.ceil(self.times / interval - 1e-6)
        starts = np.flatnonzero(np.diff(number, prepend=-1))
        counts = np.diff(starts, append=len(number))[:, None]

        def means(values):
            return np.add.reduceat(values, starts, axis=-2, dtype="float64") / counts

        values, networks = means(self.values), None if self.networks is None else means(self.networks)
        if interval == SONG:
            values, networks = values[0], None if networks is None else networks[:, 0]
            return replace(self, values=values, networks=networks, times=None)
        return replace(self, values=values, networks=networks, times=self.times[starts + counts[:, 0] - 1])


def names(paths: list[Path]) -> dict[Path, str]:
    """Short names of recordings to show.

    Parameters
    ----------
    paths : list of Path

    Returns
    -------
    dict
        Of each path its file name, or the path where file names are not distinct.
    """
    n_files = Counter(path.name for path in paths)
    return {path: printable(path.name if n_files[path.name] == 1 else str(path)) for path in paths}


def printable(text: str) -> str:
    """A text in one line, accents composed.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        What has no character (as a byte that is no UTF-8) is an escape.
    """
    text = unicodedata.normalize("NFC", text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
