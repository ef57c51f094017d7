"""The songs of the data set, their classes, and how they are split."""

import numpy as np

from common.errors import InputError
from common.protocol import k_folds
from data_prep.base import ClassDataset, Track

FRAMES, BANDS = 640, 128  # of a spectrogram
MOODS = {"happy": "romantic", "sad": "sad", "relaxed": "devotional"}  # quadrants in the place of the paper's classes
PER_CLASS, FEWEST = 46, 8  # songs a class: in the paper; so that each part of a split has some
TEST, VALIDATION = 0.33, 0.2  # of 138 songs 46; of the other 92 songs 19


def select(data: ClassDataset, songs: str) -> tuple[list[Track], tuple[str, ...], np.ndarray]:
    """All songs ("quadrants"), or the paper's three moods with 46 songs each ("moods") of a data set in quadrants.

    The 46 songs are drawn once, with seed 0. Of other data sets all songs are taken.

    Returns
    -------
    tracks, names of the classes, and the number of each track's class (n_songs,)

    Raises
    ------
    InputError : a class has too few songs
    """
    classes, label, tracks = data.classes, data.labels["class"], data.tracks
    if songs == "moods" and set(MOODS) < set(classes):
        classes, label, tracks = tuple(MOODS.values()), label.map(MOODS), []
        for name in classes:
            of_class = [track for track in data.tracks if label[track.id] == name]
            if len(of_class) < PER_CLASS:
                raise InputError(f"{data.root}: has {len(of_class)} songs that are {name}; {PER_CLASS} are needed")
            drawn = np.random.default_rng(0).permutation(len(of_class))[:PER_CLASS]
            tracks += [of_class[i] for i in sorted(drawn)]
    y = np.array([classes.index(label[track.id]) for track in tracks])
    counts = np.bincount(y, minlength=len(classes))
    if counts.min() < FEWEST:
        few = f"has {counts.min()} songs of class {classes[int(counts.argmin())]}, too few to split"
        raise InputError(f"{data.root}: {few}; {FEWEST} are needed")
    return tracks, classes, y


def three_parts(y: np.ndarray, artists: list[str] | None, size: int | None, seed: int) -> tuple[np.ndarray, ...]:
    """Indices of songs to train on, to validate and to test: a third is tested, a fifth of the others validates.

    Parameters
    ----------
    y : classes (n_songs,); each has its share of each part
    artists : (n_songs,), none of whom is in two parts; None: songs are split one by one
    size : at most so many songs to train on and to validate
    """
    from sklearn.model_selection import train_test_split

    rest, test = two_parts(np.arange(len(y)), y, artists, TEST, seed)
    if size is not None and size < len(rest):
        rest, _ = train_test_split(rest, train_size=size, stratify=y[rest], random_state=seed)
    parts = *two_parts(rest, y, artists, VALIDATION, seed), test
    if any(len(set(y[part])) < len(set(y)) for part in parts):
        raise InputError(f"split {seed} by artist has no song of some class in a part; name more artists a class")
    return parts


def two_parts(songs: np.ndarray, y: np.ndarray, artists: list[str] | None, fraction: float, seed: int) -> tuple:
    """Some songs in two parts, the second with that fraction of them; classes and artists as in `three_parts`."""
    from sklearn.model_selection import train_test_split

    if artists is None:
        return tuple(train_test_split(songs, test_size=fraction, stratify=y[songs], random_state=seed))
    folds = round(1 / fraction)
    fold_of = k_folds(len(songs), folds, seed, [artists[i] for i in songs], y[songs])
    second = fold_of == np.random.default_rng(seed).integers(folds)  # large artists are always in the same fold
    return songs[~second], songs[second]


def loop_to_length(spectrogram: np.ndarray) -> np.ndarray:
    """The first 640 frames (640, 128); a shorter spectrogram is repeated until they are full."""
    return np.resize(spectrogram, (FRAMES, BANDS))
