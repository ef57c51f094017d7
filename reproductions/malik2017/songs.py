"""The songs of the task with their features and labels, at the same frames."""

from dataclasses import dataclass

import numpy as np

from common import protocol
from common.errors import InputError
from common.experiment import Samples
from common.features import logmel, opensmile
from data_prep.dynamic import DynamicDataset, labelled_windows

INPUTS = {
    "official": "the task's 260 openSMILE features",
    "means": "the means of the 65 descriptors alone, of the task's features",
    "timeless": "the 248 of the task's features that do not tell how long a file has gone on",
    "opensmile": "the 260 features from audio, by this suite's openSMILE",
    "log_mel": "64 log-mel energies from audio",
}
COLUMNS = {"means": opensmile.MEANS, "timeless": opensmile.TIME_INVARIANT}  # of the task's features


@dataclass(frozen=True)
class Songs:
    """The songs of all splits that have one kind of input: samples, and the indices of those of each split."""

    samples: Samples
    of_split: dict[str, np.ndarray]


def extractor(data: DynamicDataset, source: str):
    """The extractor of an input, or None if it comes with the data.

    Parameters
    ----------
    data : DynamicDataset
    source : str
        A name in `INPUTS`.

    Returns
    -------
    LogMel, OpenSmile or None
    """
    if source == "log_mel":
        return logmel.LogMel()
    return None if data.includes_features and source != "opensmile" else opensmile.OpenSmile()


def load(data: DynamicDataset, source: str, labels: str, align: str, n_jobs: int, *, evaluation: bool) -> Songs:
    """Development songs with an input aligned with a source of labels; also those of evaluation.

    Where features come with the data and the recordings of evaluation songs are cuts, these songs are there twice:
    `evaluation_cuts` has features from the cuts, without what a cut cannot tell (the time since the song's start).

    Parameters
    ----------
    data : DynamicDataset
    source : str
        A name in `INPUTS`.
    labels : str
        See `DynamicDataset.annotations`.
    align : str
        A name in `data_prep.dynamic.ALIGNMENTS`.
    n_jobs : int
        Processes for the extraction of features.
    evaluation : bool
        Whether also evaluation songs.

    Returns
    -------
    Songs
        x and y of the samples are `Sequences`: features float32 (n_frames, n) and labels float32 (n_frames, 2).

    Raises
    ------
    InputError
        If no song of a split has labels and the input, or a recording cannot be read.
    """
    options = {"labels": labels, "align": align, "n_jobs": n_jobs}
    parts = {"development": _songs(data, "development", source, **options)}
    if evaluation:
        parts["evaluation"] = _songs(data, "evaluation", source, **options)
        if source == "official" and data.includes_features and data.are_segments(data.splits["evaluation"]):
            x, y = _songs(data, "evaluation", "opensmile", **options)
            means = np.concatenate(list(parts["development"][0].values()))[:, opensmile.TIME_DEPENDENT].mean(0)
            for rows in x.values():
                rows[:, opensmile.TIME_DEPENDENT] = means
            parts["evaluation_cuts"] = x, y
    ids = [song for x, _ in parts.values() for song in x]
    x, y = (protocol.Sequences.of([rows for part in parts.values() for rows in part[k].values()]) for k in (0, 1))
    artists = {track.id: track.artist for track in data.tracks}
    ends = np.cumsum([len(x) for x, _ in parts.values()])
    of_split = {name: np.arange(end - len(part[0]), end) for (name, part), end in zip(parts.items(), ends, strict=True)}
    return Songs(Samples(ids, x, y, [artists.get(song) or song for song in ids]), of_split)


def _songs(data: DynamicDataset, split: str, source: str, *, labels: str, align: str, n_jobs: int) -> tuple[dict, dict]:
    """By song of a split: features (n, features) and labels (n, 2) at the same frames."""
    longer_by_s = 0.5 if source == "log_mel" else 0.0  # a segment of 0.5 s ends where a window of 1 s would
    windows = labelled_windows(
        data,
        split,
        extractor(data, source),
        labels=labels,
        align=align,
        columns=COLUMNS.get(source),
        longer_by_s=longer_by_s,
        n_jobs=n_jobs,
    )
    if not windows:
        raise InputError(f"{data.root}: no {split} song has labels and {INPUTS[source]}; get them from {data.source}")
    return {song: x for song, (_, x, _) in windows.items()}, {song: y for song, (_, _, y) in windows.items()}


def coverage(data: DynamicDataset, split: str, labels: str, samples: Samples, songs: np.ndarray) -> dict:
    """What a record states of the songs of a split.

    Parameters
    ----------
    data : DynamicDataset
    split : str
        A name in `data.splits`, or `evaluation_cuts`.
    labels : str
        See `DynamicDataset.annotations`.
    samples : Samples
    songs : int, (n_songs,)
        Those of the split, as indices of samples.

    Returns
    -------
    dict
        As JSON: `n_test`, `of_test`, `tracks`, `artists`; `frames`, as text, if labels have no features.
    """
    split = split.removesuffix("_cuts")
    annotations, ids = data.annotations(split, labels), [samples.ids[i] for i in songs]
    labelled, used = sum(len(annotations[song].times) for song in ids), int(samples.x.lengths[songs].sum())
    facts = {"n_test": len(songs), "of_test": len(data.splits[split]), "tracks": ids}
    facts["artists"] = [samples.groups[i] for i in songs]
    if used < labelled:
        facts["frames"] = f"{used:,} of {labelled:,} labels"
    return facts
