"""DEAM's annotations: the split of MediaEval 2015, dynamic labels, song-level ratings.

Labels are valence and arousal, in this order, each in [-1, 1], every 0.5 s from 15.0 s on.
"""

import csv
import io
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd

from common.errors import InputError
from data_prep.archive import Archive
from data_prep.dynamic import STEP_S, Annotation

FIRST_LABEL_S, EXCERPT_LABELS = 15.0, 60  # of an excerpt of 45 s
LAST_OF_2013, LAST_EXCERPT = 1000, 2000  # song ids: of the 2013 task; of the excerpts (later songs are complete)
LABEL_SOURCES = {
    "task": "the development labels that the task handed out in 2015",
    "deam": "the averages of the DEAM release",
    "repaired": "the task's labels, with the song means of valence and arousal exchanged for the songs above 1000",
}
DYNAMIC = "annotations averaged per song/dynamic (per second annotations)"  # folder in the annotations
RATINGS = ["song_id", "valence_mean", "arousal_mean"]


def read_split() -> dict[str, list[str]]:
    """The split of MediaEval 2015, "Emotion in Music": song ids, ascending, by "development" and "evaluation"."""
    split = {}
    with Path(__file__).with_name("mediaeval2015_split.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            split.setdefault(row["split"], []).append(row["song_id"])
    return split


MEDIAEVAL2015 = read_split()


def read_annotations(
    valence: tuple[str, bytes], arousal: tuple[str, bytes], *, excerpt_labels: int = EXCERPT_LABELS
) -> dict[str, Annotation]:
    """Dynamic labels from one file each for valence and arousal.

    Parameters
    ----------
    valence, arousal : name of the file, for messages, and its content
    excerpt_labels : number of labels of each excerpt

    Returns
    -------
    annotations by song id, ascending, as long as the shorter of both dimensions

    Raises
    ------
    InputError : if an excerpt has another number of labels, if a song is in one file only, or if a file is malformed
    """
    tables = [_read_labels(*valence), _read_labels(*arousal)]
    alone = tables[0].index.symmetric_difference(tables[1].index)
    if len(alone):
        raise InputError(f"{arousal[0]}: song {alone[0]} is only in one of this and {valence[0]}; get both again")
    lengths = [table.notna().sum(axis=1) for table in tables]
    for (where, _), counts in zip((valence, arousal), lengths, strict=True):
        wrong = counts[(counts == 0) | (counts.index <= LAST_EXCERPT) & (counts != excerpt_labels)]
        for song, n in wrong.items():
            expected = f" instead of {excerpt_labels}" * (song <= LAST_EXCERPT)
            raise InputError(f"{where}: song {song} has {n} labels{expected}; get it again")
    annotations, dimensions = {}, [table.to_numpy() for table in tables]
    for song, n, *trajectories in zip(tables[0].index, np.minimum(*lengths), *dimensions, strict=True):
        values = np.stack([trajectory[:n] for trajectory in trajectories], axis=1).astype("float32")
        annotations[str(song)] = Annotation(FIRST_LABEL_S + STEP_S * np.arange(n), values)
    return annotations


def _read_labels(where: str, content: bytes) -> pd.DataFrame:
    """One file of labels, in [-1, 1]: songs (by number) x times (s), NaN after a song's last label."""
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=defaultdict(lambda: "float64", song_id="int64"))
    except ValueError as error:
        raise InputError(f"{where}: cannot be read as a table of numbers ({error}); get it again") from error
    times = FIRST_LABEL_S + STEP_S * np.arange(table.shape[1] - 1)
    if list(table.columns) != ["song_id", *(f"sample_{time * 1000:.0f}ms" for time in times)]:
        raise InputError(f"{where}: its columns are not song_id and a sample every 0.5 s from 15.0 s; get it again")
    if table.empty:
        raise InputError(f"{where}: holds no songs; get it again")
    table = table.set_index("song_id").set_axis(times, axis=1).sort_index()
    if table.index.has_duplicates:
        raise InputError(f"{where}: song {table.index[table.index.duplicated()][0]} has two rows; get it again")
    values = table.to_numpy()
    ended = np.isnan(values).cumsum(axis=1) > 0
    for bad, fault in ((np.abs(values) > 1, "is outside [-1, 1]"), (ended & ~np.isnan(values), "follows a gap")):
        if bad.any():
            row, column = np.argwhere(bad)[0]
            label = f"song {table.index[row]} at {times[column]} s: {values[row, column]:g}"
            raise InputError(f"{where}: {label} {fault}; get it again")
    return table


def repair(annotations: dict[str, Annotation]) -> dict[str, Annotation]:
    """Labels of the task with the song means of valence and arousal exchanged for the songs above 1000.

    The trajectory around each mean is kept (`python -m reproductions.malik2017.labels` shows the evidence).

    Parameters
    ----------
    annotations : dict of str to Annotation
        By song id.

    Returns
    -------
    dict of str to Annotation
    """
    return {song: _exchange_means(a) if int(song) > LAST_OF_2013 else a for song, a in annotations.items()}


def _exchange_means(annotation: Annotation) -> Annotation:
    means = annotation.values.mean(axis=0)
    return Annotation(annotation.times, annotation.values - means + means[::-1])


def read_ratings(archive: Archive) -> dict[str, np.ndarray]:
    """Mean song-level ratings, valence and arousal as the headers name them.

    The header is wrong for songs up to 1000 (`python -m reproductions.malik2017.labels` shows it).

    Parameters
    ----------
    archive : Archive
        Of annotations.

    Returns
    -------
    dict of str to ndarray
        By song id, (2,), from 1 to 9.

    Raises
    ------
    InputError
        If a file lacks a column.
    """
    ratings = {}
    for songs in ("1_2000", "2000_2058"):
        name = f"static_annotations_averaged_songs_{songs}.csv"
        if name not in archive.members:
            continue
        table = pd.read_csv(io.BytesIO(archive.read(name)), skipinitialspace=True)
        if not set(RATINGS) <= set(table):
            raise InputError(
                f"{archive.where(name)}: has no columns {', '.join(RATINGS)}; get it from {archive.source}"
            )
        table = table[RATINGS].set_index("song_id")
        ratings |= dict(zip(table.index.astype(str), table.to_numpy("float64"), strict=True))
    return ratings
