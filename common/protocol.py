"""Folds, scaling on training parts only, cutting songs into sequences."""

from dataclasses import dataclass

import numpy as np

from common.errors import InputError


def k_folds(n_songs: int, folds: int, seed: int) -> np.ndarray:
    """The fold that tests each song, integers of shape (n_songs,): scikit-learn's shuffled KFold."""
    from sklearn.model_selection import KFold

    if not 2 <= folds <= n_songs:
        raise InputError(f"{folds} folds of {n_songs} songs cannot be made; --folds takes 2 to {n_songs}")
    assignment = np.empty(n_songs, int)
    for k, (_, test) in enumerate(KFold(folds, shuffle=True, random_state=seed).split(assignment)):
        assignment[test] = k
    return assignment


@dataclass(frozen=True)
class Sequences:
    """Songs of unequal length in one array: values (n_vectors, dimension), song i at bounds[i]:bounds[i + 1]."""

    values: np.ndarray
    bounds: np.ndarray

    @classmethod
    def of(cls, songs: list[np.ndarray]) -> "Sequences":
        """From one array (length, dimension) a song."""
        return cls(np.concatenate(songs), np.cumsum([0, *(len(song) for song in songs)]))

    def __len__(self):
        return len(self.bounds) - 1

    def __getitem__(self, song: int) -> np.ndarray:
        return self.values[self.bounds[song] : self.bounds[song + 1]]

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.bounds)

    def moments(self, songs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each dimension over all vectors of some songs (float32)."""
        n = self.lengths[songs].sum()
        mean = sum(self[i].sum(0, dtype="float64") for i in songs) / n
        variance = sum(np.square(self[i] - mean).sum(0, dtype="float64") for i in songs) / n
        return mean.astype("float32"), np.sqrt(np.maximum(variance, 1e-12)).astype("float32")

    def crops(self, songs: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
        """One random stretch of each song, (n_songs, length, dimension)."""
        starts = self.bounds[songs] + rng.integers(0, self.lengths[songs] - length + 1)
        return self.values[starts[:, None] + np.arange(length)]
