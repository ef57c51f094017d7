"""Any collection of recordings with valence and arousal over time.

Layout: `<name>/labels.csv` under the data root (UTF-8, commas) with the columns file, time_s, valence and arousal, and
the recordings in the same folder. A line is a label: `time_s` counts from the start of the recording, a multiple of 0.5
and ascending without gaps within a recording; valence and arousal are in [-1, 1]. Each label uses the preceding second
of audio, so the first label can be at 1.0 s, and the last one must be at least 0.04 s before the end.
Labels: valence and arousal, index (song id, time); a song's id is its file.
"""

import csv
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from common.errors import InputError
from data_prep.base import Problem, Track, check_duplicates, check_duration
from data_prep.dynamic import STEP_S, Annotation, DynamicDataset, Recording, annotation_table

LABELS = "labels.csv"
FIRST_S = 1.0
COLUMNS = ("file", "time_s", "valence", "arousal")


class LabelledAudio(DynamicDataset):
    """The collection `<data root>/<name>`; all its songs are development songs."""

    citation = "none: a collection of your own"
    source = "where your recordings are"
    includes_features = False

    def __init__(self, root: Path, name: str):
        self.name = self.folder = name
        super().__init__(root)

    @cached_property
    def _annotations(self) -> dict[str, Annotation]:
        return read_labels(self.root / LABELS)

    @property
    def n_tracks(self) -> int:
        """The number of labelled recordings."""
        return len(self._annotations)

    @property
    def splits(self) -> dict[str, list[str]]:
        """All songs, and no evaluation songs: for cross-validation."""
        return {"development": list(self._annotations), "evaluation": []}

    @cached_property
    def tracks(self) -> list[Track]:
        """The available labelled recordings."""
        return [Track(song, self.root / song) for song in self._annotations if song and (self.root / song).is_file()]

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Valence and arousal, each in [-1, 1], by song id and time."""
        return annotation_table(self._annotations)

    def annotations(self, split: str, source: str = "task") -> dict[str, Annotation]:
        """Labels of a split; there is one source."""
        return {song: self._annotations[song] for song in self.splits[split]}

    def recordings(self, ids: list[str]) -> dict[str, Recording]:
        """The complete audio of the songs that have a file."""
        paths = {track.id: track.path for track in self.tracks}
        return {song: Recording(paths[song], 0.0) for song in ids if song in paths}

    @cached_property
    def audio_kind(self) -> str:
        """The formats; it is not known which files were transcoded."""
        formats = {track.path.suffix.lstrip(".").lower() for track in self.tracks}
        return f"as collected ({', '.join(sorted(formats))})" if formats else "none"

    def validate(self) -> list[Problem]:
        """No labels; missing or broken recordings, recordings shorter than their labels, and duplicates."""
        if not self._annotations:
            return [Problem(f"{self.root / LABELS}: holds no label; add a line for each label")]
        available = {track.id for track in self.tracks}
        absent = [self.root / song for song in self._annotations if song not in available]
        fault = f"no such file, but it has labels; add it, or remove its lines from {LABELS}"
        problems = [Problem(f"{path}: {fault}", missing=True) for path in absent]
        checks = {t.id: check_duration(t.path, self._annotations[t.id].times[-1]) for t in self.tracks}
        problems += [problem for problem in checks.values() if problem]
        return problems + check_duplicates([track for track in self.tracks if not checks[track.id]])

    def extractors(self) -> tuple:
        from common.features.opensmile import OpenSmile

        return (OpenSmile(),)


def read_labels(path: Path) -> dict[str, Annotation]:
    """The labels of each recording that the table names.

    Parameters
    ----------
    path : the table, as the module describes it

    Returns
    -------
    annotations by file name

    Raises
    ------
    InputError : if the table is not as described, with line and column
    """
    header, rows = _read_rows(path)
    places, labels = [header.index(column) for column in COLUMNS], {}
    for number, row in rows:
        if len(row) != len(header):
            raise InputError(f"{path}: line {number}: has {len(row)} fields, not {len(header)}; correct the line")
        song, *cells = (row[place].strip() for place in places)
        time, *values = (_number(path, number, *pair) for pair in zip(COLUMNS[1:], cells, strict=True))
        for column, value in zip(COLUMNS[2:], values, strict=True):
            if abs(value) > 1:
                raise InputError(f"{path}: line {number}, column {column}: {value:g} is not in [-1, 1]; rescale it")
        if not song:
            raise InputError(f"{path}: line {number}, column file: is empty; name the recording")
        times, trajectory = labels.setdefault(song, ([], []))
        _require_next(path, number, time, times)
        times.append(time)
        trajectory.append(values)
    return {song: Annotation(np.array(times), np.array(v, "float32")) for song, (times, v) in labels.items()}


def _read_rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and the rows that are not empty with their line numbers."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = list(csv.reader(file, strict=True)) or [[]]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table in UTF-8 ({error}); save it as CSV in UTF-8") from error
    header = [column.strip() for column in header]
    absent = [column for column in COLUMNS if column not in header]
    if absent:
        columns = ", ".join(map(repr, header)) or "nothing"
        raise InputError(f"{path}: has no column '{absent[0]}' (but {columns}); separate columns by commas")
    twice = [column for column in COLUMNS if header.count(column) > 1]
    if twice:
        raise InputError(f"{path}: has two columns '{twice[0]}'; keep one")
    return header, [(number, row) for number, row in enumerate(rows, 2) if row]


def _require_next(path: Path, line: int, time: float, times: list[float]) -> None:
    """Raises InputError unless a time (s) continues those of a recording on the grid of 0.5 s."""
    where = f"{path}: line {line}, column time_s"
    if time < FIRST_S:
        reason = f"before {FIRST_S}, and a label needs the second of audio before it"
        raise InputError(f"{where}: {time:g} is {reason}; remove the line")
    step = time - times[-1] if times else STEP_S
    if abs(time / STEP_S - round(time / STEP_S)) > 1e-6 or abs(step - STEP_S) > 1e-6:
        previous = f"; the previous one is {times[-1]:g}" if times else ""
        raise InputError(f"{where}: {time:g} is not the next multiple of {STEP_S}{previous}")


def _number(path: Path, line: int, column: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise InputError(f"{path}: line {line}, column {column}: '{cell}' is not a number; correct it")
    return value
