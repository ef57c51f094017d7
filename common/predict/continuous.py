"""Valence and arousal over time: overlapping windows of openSMILE features, blended."""

from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from pathlib import Path

import numpy as np

from common import backend, weights
from common.features import opensmile
from common.predict.base import Predictor
from common.prediction import Prediction
from common.protocol import Sequences


def blend(windows: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Overlapping windows as one sequence: where they overlap, their mean, weighted by triangles.

    Parameters
    ----------
    windows : (n_windows, length, m)
    starts : (n_windows,), the frame at which each begins; the first is 0, and no frame is left out

    Returns
    -------
    (n_frames, m), of the same type; what one window alone covers is as it was
    """
    length = windows.shape[1]
    triangle = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1))[:, None]  # above 0 at the ends too
    total, weight = np.zeros((starts[-1] + length, windows.shape[2])), np.zeros((starts[-1] + length, 1))
    for window, start in zip(windows, starts, strict=True):
        total[start : start + length] += triangle * window
        weight[start : start + length] += triangle
    return (total / weight).astype(windows.dtype)


class ContinuousPredictor(Predictor):
    """Valence and arousal every half second, by networks on openSMILE features (`common.features.opensmile`).

    As in training, the networks use all 260 features, or only those that do not depend on the time since the start of
    the file, and windows of `length` frames. Windows overlap by half and are blended, since the networks' values at
    the ends of a window depend on where it was cut. A shorter recording is one window.
    """

    scale = "Valence from -1 (negative) to 1 (positive), arousal from -1 (calm) to 1 (excited), every 0.5 s."
    limits = (-1.0, 1.0)
    length: int

    def __init__(self, networks, facts):
        self.settings = facts["settings"]["network"]
        self.columns = opensmile.TIME_INVARIANT if facts["settings"]["input"] == "timeless" else slice(None)
        # Keras takes as long to load as the features of a song: both at once.
        self._models = ThreadPoolExecutor(1).submit(self._load, networks)
        self._of_length = lru_cache(4)(self._rebuilt)

    def _load(self, paths: list[Path]) -> list:

        backend.start(0)
        self.register_layers()
        return [weights.read(path) for path in paths]

    def register_layers(self) -> None:
        """Import the paper's own layers, if it has some, so that Keras can load files that have them."""

    @property
    def models(self) -> list:
        """The networks, their input scaling inside."""
        return self._models.result()

    def _rebuilt(self, length: int) -> list:
        """The networks for sequences of another length than they were trained on."""
        rebuilt = []
        for model in self.models:
            rebuilt.append(weights.with_scaling(self.network(model.input_shape[-1], length), 0, 1))
            weights.copy(model, rebuilt[-1])
        return rebuilt

    @abstractmethod
    def network(self, features: int, length: int):
        """The network for sequences of a length, its weights aside."""

    @abstractmethod
    def members(self, outputs: list[np.ndarray]) -> np.ndarray:
        """What is averaged, valence and arousal (n_members, n, 2), from the outputs of all networks."""

    def __call__(self, path: Path) -> Prediction:
        try:
            times, features, seconds = opensmile.extract_windows(path)
        finally:
            wait([self._models])  # it mutes standard error, where an error would be printed
        members = self.members_of(features)
        return Prediction(
            members.mean(0), seconds, seconds, times,
            networks=members if len(members) > 1 else None, features=np.median(features[:, self.columns], axis=0),
        )  # fmt: skip

    def members_of(self, features: np.ndarray) -> np.ndarray:
        """Features (n, 260) -> what is averaged, valence and arousal (n_members, n, 2)."""
        length, song = min(self.length, len(features)), Sequences.of([features[:, self.columns].astype("float32")])
        models = self.models if length == self.length else self._of_length(length)
        windows, starts = song.split_into(length, max(1, length // 2))
        return self.members([blend(np.asarray(model(windows)), starts) for model in models])

    def of_features(self, features: np.ndarray) -> np.ndarray:
        """Features (n, 260) -> valence and arousal (n, 2)."""
        return self.members_of(features).mean(0)
