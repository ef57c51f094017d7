"""Any collection of recordings with valence and arousal over time.

Layout: `<name>/labels.csv` under the data root (UTF-8, commas) with the columns file, time_s, valence and arousal, and
the recordings that it names beside it. A line is a label: `time_s` counts from the start of the recording, a multiple
of 0.5 and ascending without gaps within a recording; valence and arousal are in [-1, 1]. What is heard for a label is
the second before it, so that the first one can lie at 1.0 and the last one must lie .04 s before the end.
Labels: valence and arousal, index (song id, time); a song's id is its file.
"""

import csv
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from common.errors import InputError
from data_prep.base import Problem, Track, check_distinct, check_duration
from data_prep.dynamic import Annotation, DynamicDataset, Recording, annotation_table

LABELS = "labels.csv"
FIRST_S = 1.0
COLUMNS = ("file", "time_s", "valence", "arousal")


class LabelledAudio(DynamicDataset):
    """The collection `<data root>/<name>`; all its songs are development songs."""

    citation = "none: a collection of your own"
    source = "where your recordings are"
    given_features = False

    def __init__(self, root: Path, name: str):
        self.name = self.folder = name
        super().__init__(root)

    @cached_property
    def _courses(self) -> dict[str, Annotation]:
        """Raises InputError, which names line and column, for a table that is not as the module says."""
        path, courses = self.root / LABELS, {}
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                header, *lines = list(csv.reader(file, strict=True)) or [[]]
        except (OSError, ValueError, csv.Error) as error:
            raise InputError(f"{path}: cannot be read as a table in UTF-8 ({error})") from error
        header = [column.strip() for column in header]
        absent = [column for column in COLUMNS if column not in header]
        if absent:
            told = ", ".join(map(repr, header)) or "nothing"
            raise InputError(f"{path}: has no column '{absent[0]}' (but {told}); cells are divided by commas")
        twice = [column for column in COLUMNS if header.count(column) > 1]
        if twice:
            raise InputError(f"{path}: has two columns '{twice[0]}'")
        places = [header.index(column) for column in COLUMNS]
        for number, line in enumerate(lines, 2):
            if not line:
                continue
            if len(line) != len(header):
                raise InputError(f"{path}: line {number}: has {len(line)} fields, not {len(header)}")
            song, *cells = (line[place].strip() for place in places)
            time, *values = (_number(path, number, *pair) for pair in zip(COLUMNS[1:], cells, strict=True))
            for column, value in zip(COLUMNS[2:], values, strict=True):
                if abs(value) > 1:
                    raise InputError(f"{path}: line {number}, column {column}: {value:g} is not in [-1, 1]")
            if not song:
                raise InputError(f"{path}: line {number}, column file: names no recording")
            if time < FIRST_S:
                raise InputError(f"{path}: line {number}, column time_s: {time:g} is before {FIRST_S}, the end of the "
                                 "first second, which is what is heard for a label")  # fmt: skip
            times, of_song = courses.setdefault(song, ([], []))
            step = time - times[-1] if times else 0.5
            if abs(time * 2 - round(time * 2)) > 1e-6 or abs(step - 0.5) > 1e-6:
                after = f"; the one before is {times[-1]:g}" if times else ""
                told = f"{time:g} is not the next multiple of 0.5{after}"
                raise InputError(f"{path}: line {number}, column time_s: {told}")
            times.append(time)
            of_song.append(values)
        return {song: Annotation(np.array(t), np.array(v, "float32")) for song, (t, v) in courses.items()}

    @property
    def n_tracks(self) -> int:
        """The songs that are labelled."""
        return len(self._courses)

    @property
    def splits(self) -> dict[str, list[str]]:
        """All songs, and no evaluation songs: for cross-validation."""
        return {"development": list(self._courses), "evaluation": []}

    @cached_property
    def tracks(self) -> list[Track]:
        """The labelled recordings that are there."""
        return [Track(song, self.root / song) for song in self._courses if song and (self.root / song).is_file()]

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Valence and arousal, each in [-1, 1], by song id and time."""
        return annotation_table(self._courses)

    def annotations(self, split: str, source: str = "task") -> dict[str, Annotation]:
        """Labels of a split; there is one source."""
        return {song: self._courses[song] for song in self.splits[split]}

    def recordings(self, ids: list[str]) -> dict[str, Recording]:
        """Audio of the songs, whole."""
        paths = {track.id: track.path for track in self.tracks}
        return {song: Recording(paths[song], 0.0) for song in ids if song in paths}

    @cached_property
    def audio_kind(self) -> str:
        """The formats; which of them were transcoded is not known."""
        formats = {track.path.suffix.lstrip(".").lower() for track in self.tracks}
        return f"as collected ({', '.join(sorted(formats))})" if formats else "none"

    def validate(self) -> list[Problem]:
        """Recordings that are missing, broken, shorter than their labels or there twice; no labels at all."""
        if not self._courses:
            return [Problem(f"{self.root / LABELS}: holds no label")]
        there = {track.id for track in self.tracks}
        absent = [song for song in self._courses if song not in there]
        problems = [Problem(f"{self.root / song}: is labelled, but not there", missing=True) for song in absent]
        checks = {t.id: check_duration(t.path, self._courses[t.id].times[-1]) for t in self.tracks}
        problems += [problem for problem in checks.values() if problem]
        return problems + check_distinct([track for track in self.tracks if not checks[track.id]])

    def extractors(self) -> tuple:
        from common.features.opensmile import OpenSmile

        return (OpenSmile(),)


def _number(path: Path, line: int, column: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise InputError(f"{path}: line {line}, column {column}: '{cell}' is not a number")
    return value
