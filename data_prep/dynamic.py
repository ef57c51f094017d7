"""Data sets whose songs have valence and arousal over time, and features aligned with these labels."""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from common.errors import InputError
from data_prep.base import Dataset

if TYPE_CHECKING:  # pandas takes longer to import than --help may take
    import pandas as pd

# The start of the window of 1 s that belongs to a label, in seconds from the label.
ALIGNMENTS = {"ends_at_label": -1.0, "starts_at_label": 0.0}
STEP_S = 0.5  # between labels, and between windows of features


@dataclass(frozen=True)
class Annotation:
    """Dynamic labels of one song.

    times: (n,), seconds on the song's clock, ascending, every 0.5 s; values: (n, 2), float32, valence and arousal, each
    in [-1, 1].
    """

    times: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Recording:
    """Audio of one song, complete or in part; `start_s`: where its first sample lies on the clock of the labels."""

    path: Path
    start_s: float


class DynamicDataset(Dataset):
    """A data set of songs with valence and arousal every half second."""

    given_features: bool = False  # True: features come with it
    artists: dict[str, str] = {}  # by song, where the distribution names them for more songs than it has audio for  # noqa: RUF012

    @abstractmethod
    def annotations(self, split: str, source: str = "task") -> dict[str, Annotation]:
        """Labels of the songs of a split, by song id; `source` where a distribution has labels of several origins."""

    @abstractmethod
    def recordings(self, ids: list[str]) -> dict[str, Recording]:
        """Audio of the songs that have a file, by song id."""

    def features(self, ids: list[str] | None = None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """The features that come with the data, by song id: where each window starts (n,), and rows (n, features)."""
        return {}

    def are_segments(self, ids: list[str]) -> bool:
        """Whether `recordings` gives segments of these songs."""
        return False


def annotation_table(annotations: dict[str, Annotation]) -> "pd.DataFrame":
    """Dynamic labels as a table: columns valence and arousal, index (song id, time)."""
    import pandas as pd

    songs = np.repeat(list(annotations), [len(a.times) for a in annotations.values()])
    times = np.concatenate([a.times for a in annotations.values()])
    values = np.concatenate([a.values for a in annotations.values()])
    index = pd.MultiIndex.from_arrays([songs, times], names=["song id", "time"])
    return pd.DataFrame(values, index=index, columns=["valence", "arousal"])


def align_to_labels(
    times: np.ndarray, window_start_s: np.ndarray, values: np.ndarray, align: str = "ends_at_label"
) -> tuple[np.ndarray, np.ndarray]:
    """The feature row of each label.

    Parameters
    ----------
    times, window_start_s : labels (n,) and starts of windows (m,) in seconds on one clock, ascending
    values : rows (m, features)
    align : which window is a label's, the one that ends there or the one that starts there (`ALIGNMENTS`)

    Returns
    -------
    indices of the labels that have a row, and their rows
    """
    wanted = np.asarray(times) + ALIGNMENTS[align]
    place = np.searchsorted(window_start_s, wanted - 0.001)
    there = place < len(window_start_s)
    there[there] = np.abs(window_start_s[place[there]] - wanted[there]) < 0.001
    return np.flatnonzero(there), values[place[there]]


def windows(
    data: DynamicDataset, ids: list[str], extractor, *, early_s: float = 0.0, n_jobs: int = 1
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Rows of features every half second, of the songs that have them.

    Parameters
    ----------
    extractor : of features from audio; None: the features that come with the data
    early_s : how much later than a window of 1 s the extractor's first window starts, if both end at the same time

    Returns
    -------
    by song id: where a window of 1 s that ends with each row would start (n,), in seconds, and rows (n, features)
    """
    from common.features.store import FeatureStore

    if extractor is None:
        return data.features(ids)
    recordings = data.recordings(ids)
    rows = FeatureStore().get_all([recording.path for recording in recordings.values()], extractor, n_jobs=n_jobs)
    return {song: (recording.start_s - early_s + STEP_S * np.arange(len(of_song)), of_song)
            for (song, recording), of_song in zip(recordings.items(), rows, strict=True)}  # fmt: skip


def labelled_windows(
    data: DynamicDataset, split: str, extractor, *, labels: str = "task", align: str = "ends_at_label", columns=None,
    early_s: float = 0.0, n_jobs: int = 1,
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:  # fmt: skip
    """The labels of a split that have features: by song id times (n,), features (n, features) and labels (n, 2).

    labels: their source (`DynamicDataset.annotations`); align: see `align_to_labels`; columns: of the features (all);
    extractor, early_s: see `windows`. Raises InputError if a song has features and none of them has a label.
    """
    annotations, found = data.annotations(split, labels), {}
    for song, (starts, rows) in windows(data, list(annotations), extractor, early_s=early_s, n_jobs=n_jobs).items():
        there, rows = align_to_labels(annotations[song].times, starts, rows, align)
        if len(there) == 0:
            grid = "starts must be multiples of 0.5 s, and windows end where labels are"
            raise InputError(f"{data.root}: no window of song {song} from {starts[0]:g} s on has a label; {grid}")
        rows = rows if columns is None else rows[:, columns]
        found[song] = annotations[song].times[there], rows, annotations[song].values[there]
    return found
