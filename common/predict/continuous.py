"""Valence and arousal over time: overlapping windows of openSMILE features, blended."""

from abc import abstractmethod
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from common import backend, weights
from common.features import opensmile
from common.predict.base import Predictor
from common.predict.sound import Meter
from common.prediction import Prediction
from common.protocol import Sequences

WINDOWS_AT_ONCE = 500  # windows that a network sees in one call


def blend(windows: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Overlapping windows as one sequence: where they overlap, their mean, weighted by triangles.

    Parameters
    ----------
    windows : float (n_windows, length, m)
    starts : int (n_windows,), ascending
        The frame at which each begins; the first is 0, and no frame is left out.

    Returns
    -------
    float (n_frames, m)
        Of the same type; what one window alone covers is as it was.
    """
    length = windows.shape[1]
    triangle = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1))[:, None]  # above 0 at the ends too
    total, weight = np.zeros((starts[-1] + length, windows.shape[2])), np.zeros((starts[-1] + length, 1))
    for window, start in zip(windows, starts, strict=True):
        total[start : start + length] += triangle * window
        weight[start : start + length] += triangle
    return (total / weight).astype(windows.dtype)


def _in_parts(network: Callable, windows: np.ndarray) -> np.ndarray:
    """The outputs of a network, in parts that fit into memory."""
    return np.concatenate([network(windows[i : i + WINDOWS_AT_ONCE]) for i in range(0, len(windows), WINDOWS_AT_ONCE)])


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
        backend.start(0)
        self.register_layers()
        self.models = [weights.read(path) for path in networks]  # their input scaling inside
        self.networks = lru_cache(4)(self._networks)

    def register_layers(self) -> None:
        """Import the paper's own layers, if it has some, so that Keras can load files that have them."""

    def _networks(self, length: int) -> list[Callable]:
        """The networks as functions of windows of a length, built anew if they were trained on another one.

        Not as graphs: to trace one takes as long as ten recordings.
        """
        from common.layers.fused import fuse

        functions = []
        for model in self.models:
            scaling, network = model.get_layer(weights.SCALING), model.layers[-1]
            if length != self.length:
                network = self.network(model.input_shape[-1], length)
                network.set_weights(model.layers[-1].get_weights())
            fast = fuse(network)
            functions.append(lambda x, scaling=scaling, fast=fast: np.asarray(fast(scaling(x))))
        return functions

    @abstractmethod
    def network(self, features: int, length: int):
        """The network for sequences of a length, its weights aside.

        Parameters
        ----------
        features, length : int

        Returns
        -------
        keras.Model
        """

    @abstractmethod
    def members(self, outputs: list[np.ndarray]) -> np.ndarray:
        """What is averaged, from the outputs of all networks.

        Parameters
        ----------
        outputs : list of ndarray, (n, n_outputs)

        Returns
        -------
        float (n_members, n, 2)
            Valence and arousal.
        """

    @staticmethod
    def read(path):
        """Times (n,), 260 features (n, 260) of windows of a second, the length in seconds, and the sound."""
        meter = Meter()
        return *opensmile.extract_windows(path, meter.through), meter.sound()

    def values(self, times, features, seconds, sound):
        """Valence and arousal at these times, with the networks that they are the mean of."""
        return self.values_of([(times, features, seconds, sound)])[0]

    def values_of(self, recordings):
        """As `values`, of several recordings."""
        members = self.members_of([features for _, features, *_ in recordings])
        return [
            Prediction(
                of_song.mean(0),
                seconds,
                seconds,
                times,
                networks=of_song if len(of_song) > 1 else None,
                features=np.median(features[:, self.columns], axis=0),
                sound=sound,
            )
            for of_song, (times, features, seconds, sound) in zip(members, recordings, strict=True)
        ]

    def members_of(self, songs: list[np.ndarray]) -> list[np.ndarray]:
        """What is averaged, from features.

        Parameters
        ----------
        songs : list of float (n, 260)

        Returns
        -------
        list of float (n_members, n, 2)
            Valence and arousal of each song.
        """
        lengths = [min(self.length, len(song)) for song in songs]
        members = {}
        for length in set(lengths):  # a call of a network takes as long for one window as for a hundred
            of_length = [i for i, n in enumerate(lengths) if n == length]
            cut = [self._windows(songs[i], length) for i in of_length]
            bounds = np.cumsum([len(windows) for windows, _ in cut])[:-1]
            windows = np.concatenate([windows for windows, _ in cut])
            outputs = [np.split(_in_parts(network, windows), bounds) for network in self.networks(length)]
            for k, (i, (_, starts)) in enumerate(zip(of_length, cut, strict=True)):
                members[i] = self.members([blend(of_network[k], starts) for of_network in outputs])
        return [members[i] for i in range(len(songs))]

    def _windows(self, features: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Windows (n_windows, length, n_features) that overlap by half, and the frames at which they begin."""
        song = Sequences.of([features[:, self.columns].astype("float32")])
        return song.split_into(length, max(1, length // 2))

    def of_features(self, features: np.ndarray) -> np.ndarray:
        """Predictions from features.

        Parameters
        ----------
        features : float (n, 260)

        Returns
        -------
        float (n, 2)
            Valence and arousal.
        """
        return self.members_of([features])[0].mean(0)
