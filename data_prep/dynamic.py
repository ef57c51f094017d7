"""Data sets with valence and arousal over time, and features aligned with these labels."""

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

    Attributes
    ----------
    times : (n,), in seconds on the song's clock, ascending, every 0.5 s
    values : float32 (n, 2), valence and arousal, each in [-1, 1]
    """

    times: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Recording:
    """Audio of one song, or of a segment that starts `start_s` seconds later on the clock of the labels."""

    path: Path
    start_s: float


class DynamicDataset(Dataset):
    """A data set of songs with valence and arousal every 0.5 s."""

    includes_features: bool = False  # True: the distribution contains features
    artists: dict[str, str] = {}  # by song id, if the distribution names them also for songs without audio  # noqa: RUF012

    @abstractmethod
    def annotations(self, split: str, source: str = "task") -> dict[str, Annotation]:
        """Labels of the songs of a split, by song id.

        Parameters
        ----------
        split : a name in `splits`
        source : for distributions with several versions of the labels

        Raises
        ------
        InputError : if labels are missing or malformed
        """

    @abstractmethod
    def recordings(self, ids: list[str]) -> dict[str, Recording]:
        """Recordings of those of the songs that have an audio file.

        Parameters
        ----------
        ids : list of str

        Returns
        -------
        dict of str to Recording
            By song id.
        """

    def features(self, ids: list[str] | None = None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Features of the distribution, of those of the songs that have some.

        Parameters
        ----------
        ids : list of str, optional
            By default all songs.

        Returns
        -------
        dict of str to tuple
            By song id: when each window of 1 s starts (n,), in seconds on the labels' clock; float32 (n, features).
        """
        return {}

    def are_segments(self, ids: list[str]) -> bool:
        """Whether `recordings` gives segments of these songs.

        Parameters
        ----------
        ids : list of str

        Returns
        -------
        bool
        """
        return False


def annotation_table(annotations: dict[str, Annotation]) -> "pd.DataFrame":
    """Dynamic labels as a table.

    Parameters
    ----------
    annotations : dict of str to Annotation
        By song id.

    Returns
    -------
    pandas.DataFrame
        Columns valence and arousal, index song id and time (s).
    """
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
    times : of labels (n,), in seconds, ascending
    window_start_s : of windows (m,), in seconds on the same clock, ascending
    values : rows of features (m, features)
    align : the window of a label: "ends_at_label" or "starts_at_label"

    Returns
    -------
    indices of the k labels that have a window (k,), and their rows (k, features)
    """
    start_s = np.asarray(times) + ALIGNMENTS[align]
    row = np.searchsorted(window_start_s, start_s - 0.001)
    available = row < len(window_start_s)
    available[available] = np.abs(window_start_s[row[available]] - start_s[available]) < 0.001
    return np.flatnonzero(available), values[row[available]]


def windows(
    data: DynamicDataset, ids: list[str], extractor, *, longer_by_s: float = 0.0, n_jobs: int = 1
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Rows of features every 0.5 s.

    Parameters
    ----------
    data : the data set
    ids : of songs
    extractor : of features from audio, see `common.features`; None: the features of the distribution
    longer_by_s : how much longer than 1 s the extractor's windows are, in seconds (negative: shorter)
    n_jobs : processes for the extraction

    Returns
    -------
    by song id, for the songs that have features: the start (n,) of the window of 1 s that ends with each row, in
    seconds on the labels' clock, and the rows (n, features)
    """
    from common.features.store import FeatureStore

    if extractor is None:
        return data.features(ids)
    recordings = data.recordings(ids)
    features = FeatureStore().get_all([recording.path for recording in recordings.values()], extractor, n_jobs=n_jobs)
    return {
        song: (recording.start_s - longer_by_s + STEP_S * np.arange(len(rows)), rows)
        for (song, recording), rows in zip(recordings.items(), features, strict=True)
    }


def labelled_windows(
    data: DynamicDataset,
    split: str,
    extractor,
    *,
    labels: str = "task",
    align: str = "ends_at_label",
    columns=None,
    longer_by_s: float = 0.0,
    n_jobs: int = 1,
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The labels of a split that have features.

    Parameters
    ----------
    data, extractor, longer_by_s, n_jobs : see `windows`
    split : a name in `data.splits`
    labels : their source, see `DynamicDataset.annotations`
    align : see `align_to_labels`
    columns : indices of the features to keep; None: all

    Returns
    -------
    by song id: times (n,) in seconds, features (n, features) and labels (n, 2)

    Raises
    ------
    InputError : if a song has features and none of them has a label
    """
    annotations, labelled = data.annotations(split, labels), {}
    for song, (starts, rows) in windows(
        data, list(annotations), extractor, longer_by_s=longer_by_s, n_jobs=n_jobs
    ).items():
        kept, rows = align_to_labels(annotations[song].times, starts, rows, align)
        if len(kept) == 0:
            hint = "starts must be multiples of 0.5 s, and windows end where labels are"
            raise InputError(f"{data.root}: no window of song {song} from {starts[0]:g} s on has a label; {hint}")
        rows = rows if columns is None else rows[:, columns]
        labelled[song] = annotations[song].times[kept], rows, annotations[song].values[kept]
    return labelled
