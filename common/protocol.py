"""Folds and random splits, scaling on training parts only, songs in sequences."""

from dataclasses import dataclass

import numpy as np

from common.errors import InputError
from common.experiment.base import Split


def k_folds(n_songs: int, folds: int, seed: int, groups: list[str] | None = None, classes=None) -> np.ndarray:
    """The fold that tests each song: scikit-learn's KFold, shuffled.

    Parameters
    ----------
    n_songs, folds, seed : int
    groups : list of str, (n_songs,), optional
        As artists; songs of one group are in one fold (GroupKFold).
    classes : (n_songs,), optional
        Every fold has about the same share of each (StratifiedKFold, StratifiedGroupKFold).

    Returns
    -------
    int (n_songs,), in [0, folds)

    Raises
    ------
    InputError
        If there are fewer songs, groups, or songs of a class (with groups: groups that have one) than folds, or folds
        are fewer than 2.
    """
    from sklearn import model_selection

    most, what, needed = len(set(groups or range(n_songs))), f"{n_songs} songs", "2 artists" if groups else "2 songs"
    if groups:
        what += f" by {most} artists"
    if classes is not None:
        of_class = [np.flatnonzero(np.asarray(classes) == name) for name in np.unique(classes)]
        most = min(most, *(len({groups[i] for i in songs} if groups else songs) for songs in of_class))
        what, needed = f"{what}, each with songs of every class,", f"{needed} of every class"
    if not 2 <= folds <= most:
        takes = f"--folds takes 2 to {most}".removesuffix(" to 2") if most >= 2 else f"at least {needed} are needed"
        raise InputError(f"{folds} folds of {what} cannot be made; {takes}")
    assignment = np.empty(n_songs, int)
    kind = f"{'Stratified' if classes is not None else ''}{'Group' if groups else ''}KFold"
    splitter = getattr(model_selection, kind)(folds, shuffle=True, random_state=seed)
    for k, (_, test) in enumerate(splitter.split(assignment, classes, groups=groups)):
        assignment[test] = k
    return assignment


def cross_validation(name: str, n_songs: int, folds: int, seed: int, **stratified) -> list[Split]:
    """A split for each fold of `k_folds`.

    Parameters
    ----------
    name : str
        Under which all are reported.
    n_songs, folds, seed : int
    **stratified
        `groups` and `classes` of `k_folds`.

    Returns
    -------
    list of Split
        Their networks have the seed 1000 * seed + fold.

    Raises
    ------
    InputError
        As `k_folds`.
    """
    fold_of = k_folds(n_songs, folds, seed, **stratified)
    parts = [(np.flatnonzero(fold_of != k), {name: np.flatnonzero(fold_of == k)}) for k in range(folds)]
    return [Split(*part, fold=k, seed=1000 * seed + k) for k, part in enumerate(parts)]


def random_split(
    names: tuple[str, ...],
    y: np.ndarray,
    seed: int,
    *,
    test: float,
    validation: float,
    groups: list[str] | None = None,
    size: int | None = None,
) -> Split:
    """Songs at random to train on, to validate and to test; each class has its share of each part.

    Parameters
    ----------
    names : tuple of str
        Under each of which the tested songs are reported.
    y : ndarray, (n_songs,)
        Classes of the songs.
    seed : int
        Of the split and of the networks.
    test, validation : float, in [0, 1)
        Fractions, of all songs and of those that are not tested; 0: the part is empty.
    groups : list of str, (n_songs,), optional
        As artists; no group is in two parts. By default songs are split one by one.
    size : int, optional
        At most so many songs to train on and to validate, together.

    Returns
    -------
    Split

    Raises
    ------
    InputError
        If a part has no song of some class, or groups are too few.
    ValueError
        Of scikit-learn, if songs are split one by one and a class has too few.
    """
    from sklearn.model_selection import train_test_split

    rest, tested = _two_parts(np.arange(len(y)), y, test, seed, groups)
    if size is not None and size < len(rest):
        rest, _ = train_test_split(rest, train_size=size, stratify=y[rest], random_state=seed)
    train, validates = _two_parts(rest, y, validation, seed, groups)
    if any(len(set(y[part])) < len(set(y)) for part in (train, validates, tested) if len(part)):
        raise InputError(f"split {seed} has no song of some class in a part; more songs or artists a class are needed")
    return Split(train, dict.fromkeys(names, tested), validates, seed=seed)


def _two_parts(songs: np.ndarray, y: np.ndarray, fraction: float, seed: int, groups) -> tuple[np.ndarray, np.ndarray]:
    """Some songs in two parts, the second with that fraction of them; y and groups, of all songs, as `random_split`."""
    from sklearn.model_selection import train_test_split

    if fraction == 0:
        return songs, songs[:0]
    if groups is None:
        return tuple(train_test_split(songs, test_size=fraction, stratify=y[songs], random_state=seed))
    folds = round(1 / fraction)
    fold_of = k_folds(len(songs), folds, seed, [groups[i] for i in songs], y[songs])
    second = fold_of == np.random.default_rng(seed).integers(folds)  # large groups are always in the same fold
    return songs[~second], songs[second]


@dataclass(frozen=True)
class Sequences:
    """Songs of unequal length in one array: values (n_vectors, dimension), song i at bounds[i]:bounds[i + 1]."""

    values: np.ndarray
    bounds: np.ndarray

    @classmethod
    def of(cls, songs: list[np.ndarray]) -> "Sequences":
        """From one array a song.

        Parameters
        ----------
        songs : list of ndarray, (length, dimension)

        Returns
        -------
        Sequences
        """
        return cls(np.concatenate(songs), np.cumsum([0, *(len(song) for song in songs)]))

    def __len__(self):
        return len(self.bounds) - 1

    def __getitem__(self, song: int) -> np.ndarray:
        return self.values[self.bounds[song] : self.bounds[song + 1]]

    def subset(self, songs) -> "Sequences":
        """Those of some songs.

        Parameters
        ----------
        songs : iterable of int
            Their indices.

        Returns
        -------
        Sequences
        """
        return Sequences.of([self[i] for i in songs])

    def scaled(self, mean: np.ndarray, std: np.ndarray) -> "Sequences":
        """With another scale of each dimension: (values - mean) / std.

        Parameters
        ----------
        mean, std : float (dimension,)

        Returns
        -------
        Sequences
        """
        return Sequences((self.values - mean) / std, self.bounds)

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.bounds)

    def moments(self, songs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation by which to scale each dimension, over all vectors of some songs.

        Parameters
        ----------
        songs : int (n,)
            Their indices.

        Returns
        -------
        mean, std : float32 (dimension,)
            std is 1 for a dimension that does not vary, as in scikit-learn, and at least 1e-6 for any other.
        """
        n = self.lengths[songs].sum()
        mean = sum(self[i].sum(0, dtype="float64") for i in songs) / n
        variance = sum(np.square(self[i] - mean).sum(0, dtype="float64") for i in songs) / n
        varies = np.any([(self[i] != self[songs[0]][0]).any(0) for i in songs], axis=0)
        std = np.where(varies, np.sqrt(np.maximum(variance, 1e-12)), 1)
        return mean.astype("float32"), std.astype("float32")

    def split_into(self, length: int, hop: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Every song in windows of one length, the last one aligned with the song's end.

        Parameters
        ----------
        length : int
            Of a window, in vectors.
        hop : int, optional
            From one window to the next; by default `length`, so that only the last can overlap with another.

        Returns
        -------
        windows : (n, length, dimension)
        starts : int (n,)
            The index in `values` at which each begins.

        Raises
        ------
        InputError
            If a song is shorter than `length`.
        """
        if (self.lengths < length).any():
            raise InputError(f"a song of {self.lengths.min()} frames cannot be cut into sequences of {length}")
        starts = np.concatenate(
            [
                first + np.append(np.arange(0, n - length, hop or length), n - length)
                for first, n in zip(self.bounds, self.lengths, strict=False)
            ]
        )
        return self.values[starts[:, None] + np.arange(length)], starts

    def overlap_merge(self, windows: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Back from windows to one value a vector; where two windows overlap, that of the first.

        Parameters
        ----------
        windows : (n, length, m)
        starts : int (n,)
            As of `split_into`.

        Returns
        -------
        (n_vectors, m)
        """
        values = np.empty((len(self.values), windows.shape[-1]), windows.dtype)
        for window, start in zip(windows[::-1], starts[::-1], strict=True):
            values[start : start + len(window)] = window
        return values

    def overlap_mean(self, windows: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Back from windows to one value a vector; where windows overlap, their mean.

        Parameters
        ----------
        windows : (n, length, m)
        starts : int (n,)
            As of `split_into`.

        Returns
        -------
        (n_vectors, m)
        """
        total, counts = np.zeros((len(self.values), windows.shape[-1])), np.zeros(len(self.values))
        for window, start in zip(windows, starts, strict=True):
            total[start : start + len(window)] += window
            counts[start : start + len(window)] += 1
        return (total / counts[:, None]).astype(windows.dtype)

    def crops(self, songs: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
        """One random window of each song.

        Parameters
        ----------
        songs : int (n,)
            Their indices.
        length : int
            Of a window, in vectors.
        rng : numpy.random.Generator

        Returns
        -------
        (n, length, dimension)
        """
        starts = self.bounds[songs] + rng.integers(0, self.lengths[songs] - length + 1)
        return self.values[starts[:, None] + np.arange(length)]
