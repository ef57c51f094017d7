"""What the networks hear and tell apart: spectrograms of one size, classes, artists."""

from dataclasses import dataclass

import numpy as np

from common.errors import InputError
from common.features.relative_mel import RelativeMel
from common.features.store import FeatureStore
from common.features.truncated import Truncated
from common.protocol import k_folds
from data_prep.dataset import ClassDataset, Track

FRAMES, BANDS = 640, 128
MOODS = {"happy": "romantic", "sad": "sad", "relaxed": "devotional"}  # quadrants in the place of the paper's classes
PER_CLASS, FEWEST = 46, 8  # of each class: in the paper; so that every part of a split has some
TEST_SHARE, VALIDATION_SHARE = 0.33, 0.2  # of 138 songs 46, of the other 92 19


@dataclass(frozen=True)
class Songs:
    """Recordings, the number of each one's class, and its artist (itself, where the artist is not known)."""

    tracks: list[Track]
    classes: tuple[str, ...]
    y: np.ndarray  # (n_songs,)
    artists: list[str]

    def features(self, extractor, seconds: float | None, jobs: int) -> list[np.ndarray]:
        """What an extractor finds in each recording, or in its first seconds."""
        heard = Truncated(extractor, seconds) if seconds else extractor
        return FeatureStore().get_all([track.path for track in self.tracks], heard, jobs=jobs)

    def spectrograms(self, hop: int, seconds: float | None, jobs: int) -> tuple[np.ndarray, int]:
        """(n_songs, 640, 128), float32; and how many recordings are shorter, and begin again until 640 are full."""
        found = self.features(RelativeMel(hop), seconds, jobs)
        return np.stack([filled(one) for one in found]), sum(len(one) < FRAMES for one in found)

    def split(self, seed: int, grouped: bool, size: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Indices of songs to train on, to validate and to test; every class has its share of each part.

        A third is tested, and a fifth of the others validated. grouped: no artist is in two parts. size: how many of
        those that are not tested are learnt from, the validated ones among them.
        """
        from sklearn.model_selection import train_test_split

        rest, test = self.two_parts(np.arange(len(self.y)), TEST_SHARE, seed, grouped)
        if size is not None and size < len(rest):
            rest, _ = train_test_split(rest, train_size=size, stratify=self.y[rest], random_state=seed)
        parts = (*self.two_parts(rest, VALIDATION_SHARE, seed, grouped), test)
        if any(len(set(self.y[part])) < len(self.classes) for part in parts):
            raise InputError(f"split {seed} by artist has no song of some class in a part; name more artists a class")
        return parts

    def two_parts(self, songs: np.ndarray, share: float, seed: int, grouped: bool) -> tuple[np.ndarray, np.ndarray]:
        """Indices of songs in two parts, the second with that share of them; classes and artists as in `split`."""
        from sklearn.model_selection import train_test_split

        if grouped:
            folds, artists = round(1 / share), [self.artists[i] for i in songs]
            fold_of = k_folds(len(songs), folds, seed, artists, self.y[songs])
            chosen = np.random.default_rng(seed).integers(folds)  # large artists are always in the same fold
            return songs[fold_of != chosen], songs[fold_of == chosen]
        return train_test_split(songs, test_size=share, stratify=self.y[songs], random_state=seed)


def filled(spectrogram: np.ndarray) -> np.ndarray:
    """The first 640 frames, (640, 128); a shorter one begins again until they are full."""
    return np.resize(spectrogram, (FRAMES, BANDS))


def select(data: ClassDataset, songs: str) -> Songs:
    """Of a data set in quadrants all songs ("quadrants") or the paper's three moods, 46 songs each ("moods").

    Which of them is drawn once, with seed 0. Of other data sets all songs. Raises InputError if there are too few.
    """
    classes, label = data.classes, data.labels["class"]
    chosen = data.tracks
    if songs == "moods" and set(MOODS) < set(classes):
        classes, chosen, label = tuple(MOODS.values()), [], label.map(MOODS)
        for name in classes:
            of_class = [track for track in data.tracks if label[track.id] == name]
            if len(of_class) < PER_CLASS:
                raise InputError(f"{data.root}: has {len(of_class)} songs that are {name}; {PER_CLASS} are needed")
            order = np.random.default_rng(0).permutation(len(of_class))[:PER_CLASS]
            chosen += [of_class[i] for i in sorted(order)]
    y = np.array([classes.index(label[track.id]) for track in chosen])
    rarest = np.bincount(y, minlength=len(classes)).min()
    if rarest < FEWEST:
        name = classes[int(np.bincount(y, minlength=len(classes)).argmin())]
        raise InputError(f"{data.root}: has {rarest} songs of class {name}, too few to split; {FEWEST} are needed")
    return Songs(chosen, classes, y, [track.artist or track.id for track in chosen])
