"""Recordings of unequal length with labels of one's own (`LabelledAudio`), padding, and their baselines."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from common import baselines
from common.errors import InputError
from common.experiment import Samples, Split, Trained
from common.experiment.identity import digest
from common.features import opensmile
from common.protocol import Sequences
from data_prep.dynamic import DynamicDataset, align_to_labels, windows
from reproductions.chaki2020 import baselines as of_clips
from reproductions.chaki2020.clips import Clips, extractor


@dataclass(frozen=True)
class Recordings(Samples):
    """Recordings with x and y as Sequences: features, and valence and arousal, of each labelled step."""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that it holds."""
        parts = [part.tobytes().hex() for part in (self.x.bounds, self.x.values, self.y.values)]
        return digest([self.ids, self.groups, *parts])


def load(data: DynamicDataset, source: str, n_jobs: int) -> Recordings:
    """All labelled recordings with one kind of input.

    Parameters
    ----------
    data : DynamicDataset
    source : str
        A name in `clips.INPUTS`.
    n_jobs : int
        Processes for the extraction of features.

    Returns
    -------
    Recordings

    Raises
    ------
    InputError
        If a label has no complete window, or a recording cannot be read.
    """
    annotations, x, y = data.annotations("development"), {}, {}
    longer_by_s = 0.5 if source == "compare" else 0.0
    features = windows(data, list(annotations), extractor(data, source), longer_by_s=longer_by_s, n_jobs=n_jobs)
    for song, (starts, rows) in features.items():
        labels = annotations[song]
        available, rows = align_to_labels(labels.times, starts, rows)
        if len(available) < len(labels.times):
            time = np.delete(labels.times, available)[0]
            raise InputError(f"{data.root}: the label at {time:g} s of {song} has no complete window; remove it")
        x[song] = rows[:, opensmile.TIME_INVARIANT] if source == "timeless" else rows
        y[song] = labels.values
    ids = list(x)
    return Recordings(ids, Sequences.of(list(x.values())), Sequences.of(list(y.values())), ids)


def padded(songs: Sequences, steps: int) -> np.ndarray:
    """Songs with zeros at their ends.

    Parameters
    ----------
    songs : Sequences
    steps : int
        As many as the longest song has, or more.

    Returns
    -------
    ndarray, (n_songs, steps, dimension)
    """
    values = np.zeros((len(songs), steps, songs.values.shape[1]), songs.values.dtype)
    for i, n in enumerate(songs.lengths):
        values[i, :n] = songs[i]
    return values


def fit_ridge(settings: dict, songs: Recordings, split: Split) -> Trained:
    """Ridge regression of all frames, each as a clip of one step.

    Parameters
    ----------
    settings : dict
        Not read.
    songs : Recordings
    split : Split
        With one test split.

    Returns
    -------
    Trained
        Outputs: `predicted`, float32 (n_test_frames, 1, 2), and `penalty`.
    """
    frames = Clips([], songs.x.values[:, None], songs.y.values[:, None], [], np.zeros(1))
    (test,), bounds = split.tests.values(), songs.x.bounds

    def steps(of):
        return np.concatenate([np.arange(bounds[i], bounds[i + 1]) for i in of])

    return of_clips.fit_ridge(
        settings, frames, Split(steps(split.train), {"test": steps(test)}, steps(split.validation))
    )


def baseline(name: str, songs: Recordings, split: Split, trained: list[Trained]) -> list[np.ndarray]:
    """Predictions without a network, for each test song.

    Parameters
    ----------
    name : str
        A key of `variants.BASELINES`.
    songs : Recordings
    split : Split
        With one test split.
    trained : list of Trained
        What `fit_ridge` returns; needed for the names in `baselines.FRAME_RIDGES`.

    Returns
    -------
    list of ndarray
        (n_steps, 2) a test song.
    """
    (test,), train = split.tests.values(), np.union1d(split.train, split.validation)
    lengths = songs.y.lengths[test]

    def means(sequences):
        return np.stack([sequences[i].mean(0) for i in range(len(sequences))])

    if name in of_clips.FRAME_RIDGES:
        frames = np.split(trained[0].outputs["predicted"][:, 0], np.cumsum(lengths)[:-1])
        predicted = [of_clips.FRAME_RIDGES[name](of_song[None])[0] for of_song in frames]
    elif name == "training_mean":
        predicted = [songs.y.subset(train).values.mean(0)] * len(test)
    elif name == "own_song_mean":
        predicted = means(songs.y.subset(test))
    else:
        predicted = baselines.ridge(means(songs.y), train, test, means(songs.x))
    return [np.broadcast_to(values, (n, songs.y.values.shape[1])) for values, n in zip(predicted, lengths, strict=True)]
