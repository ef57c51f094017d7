"""Any collection of recordings with valence and arousal over time.

Layout: `<name>/labels.csv` under the data root (UTF-8, commas) with the columns file, time_s, valence and arousal, and
the recordings in the same folder. A line is a label: `time_s` counts from the start of the recording, a multiple of 0.5
and ascending without gaps within a recording; valence and arousal are on one scale, [-1, 1] unless another is named.
Each label uses the preceding second of audio, so the first label can be at 1.0 s, and the last one must be at least
0.04 s before the end. A recording has one name: under two it could be trained on and tested.
Labels: valence and arousal in [-1, 1], index (song id, time); a song's id is its file.
"""

import csv
import unicodedata
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from common import audio
from common.errors import InputError, warn
from common.features.opensmile import LOOKAHEAD_S
from common.folders import contents, identity
from common.recordings import HIDDEN, OTHER, SUFFIXES, left_out_line
from data_prep.base import Problem, Track, check_duplicates, check_duration
from data_prep.dynamic import STEP_S, Annotation, DynamicDataset, Recording, annotation_table
from data_prep.own import OwnCollection

LABELS = "labels.csv"
FIRST_S = 1.0
COLUMNS = ("file", "time_s", "valence", "arousal")
SCALE = (-1.0, 1.0)
NEARLY_0 = -0.05  # a column that never goes below it is perhaps of a scale without negative values
OTHER_SCALES = ((0.0, 1.0), (1.0, 5.0), (1.0, 7.0), (1.0, 9.0), (0.0, 10.0), (0.0, 100.0))  # that raters use


class LabelledAudio(OwnCollection, DynamicDataset):
    """The collection `<data root>/<name>`; all its songs are development songs.

    scale : the ends of the scale of valence and arousal in labels.csv; None: [-1, 1]
    """

    citation = "none: a collection of your own"
    source = "where your recordings are"
    includes_features = False

    def __init__(self, root: Path, name: str, scale: tuple[float, float] | None = None):
        self.name = self.folder = name
        self.scale = scale
        super().__init__(root)

    @cached_property
    def _read(self) -> tuple[dict[str, Annotation], dict[str, int]]:
        return read_labels(self.root / LABELS, self.scale)

    @property
    def _annotations(self) -> dict[str, Annotation]:
        return self._read[0]

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
        paths = {song: locate(self.root, song) for song in self._annotations}
        return [Track(song, path) for song, path in paths.items() if path.is_file()]

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
        checks = {track.id: self._check_length(track) for track in self.tracks}
        problems += [problem for problem in checks.values() if problem]
        return problems + check_duplicates([track for track in self.tracks if not checks[track.id]])

    def _check_length(self, track: Track) -> Problem | None:
        """A problem if a recording cannot be read, or ends before the window of its last label is complete."""
        if problem := check_duration(track.path, 0):
            return problem
        time, seconds = self._annotations[track.id].times[-1], audio.duration(track.path)
        if seconds >= time + LOOKAHEAD_S - 1e-6:
            return None
        line = f"line {self._read[1][track.id]}: the label at {time:g} s"
        fault = f"needs {time + LOOKAHEAD_S:g} s of {track.id}, which lasts {seconds:.2f} s"
        return Problem(f"{self.root / LABELS}: {line} {fault}; remove the line, or get the recording again (cut off?)")

    def left_out(self) -> str:
        """A line that counts recordings without labels, hidden and other files; empty if there is none."""
        listed, used = contents(self.root), {identity(track.path) for track in self.tracks}
        others = [path for path in listed.files if identity(path) not in used and path != self.root / LABELS]
        without = [path for path in others if path.suffix.lower() in SUFFIXES]
        reasons = {"recordings without labels": without, HIDDEN: listed.hidden}
        reasons[OTHER] = [path for path in others if path not in without]
        return left_out_line(reasons)

    def extractors(self) -> tuple:
        """openSMILE's, whose windows end at the labels."""
        from common.features.opensmile import OpenSmile

        return (OpenSmile(),)


def read_labels(path: Path, scale: tuple[float, float] | None = None) -> tuple[dict[str, Annotation], dict[str, int]]:
    """The labels of each recording that the table names.

    Parameters
    ----------
    path : the table, as the module describes it
    scale : the ends of its scale; None: [-1, 1]

    Returns
    -------
    annotations by file name, in [-1, 1]; and the line of the last label of each

    Raises
    ------
    InputError : if the table is not as described, with line and column; if its values look like those of another scale
    """
    header, rows = _read_rows(path)
    places, labels, first = [header.index(column) for column in COLUMNS], {}, {}
    for number, row in rows:
        if len(row) != len(header):
            raise InputError(f"{path}: line {number}: has {len(row)} fields, not {len(header)}; correct the line")
        song, *cells = (row[place].strip() for place in places)
        time, *values = (_number(path, number, *pair) for pair in zip(COLUMNS[1:], cells, strict=True))
        if not song:
            raise InputError(f"{path}: line {number}, column file: is empty; name the recording")
        if song not in labels:
            _require_new(path, number, song, first)
        times, trajectory, lines = labels.setdefault(song, ([], [], []))
        _require_next(path, number, time, times)
        times.append(time)
        trajectory.append(values)
        lines.append(number)
    _require_scale(path, labels, scale)
    low, high = scale or SCALE
    annotations = {}
    for song, (times, trajectory, _) in labels.items():
        values = np.array(trajectory)
        values = values if (low, high) == SCALE else 2 * (values - low) / (high - low) - 1
        annotations[song] = Annotation(np.array(times), values.astype("float32"))
    return annotations, {song: lines[-1] for song, (_, _, lines) in labels.items()}


def locate(folder: Path, name: str) -> Path:
    """The file that a table names, whichever way its accents are written there and in the folder.

    Parameters
    ----------
    folder : Path
    name : str

    Returns
    -------
    Path
        As named, if there is none.
    """
    spelled = [folder / unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    return next((path for path in (folder / name, *spelled) if path.exists()), folder / name)


def _require_new(path: Path, line: int, song: str, first: dict) -> None:
    """Raises InputError if a recording is in the table already, under another name."""
    other, its_line = first.setdefault(identity(locate(path.parent, song)), (song, line))
    if other != song:
        fault = f"{song} is the same recording as {other} of line {its_line}"
        raise InputError(f"{path}: line {line}, column file: {fault}; use one name for it")


def _require_scale(path: Path, labels: dict[str, tuple], scale: tuple[float, float] | None) -> None:
    """Raises InputError if a value is outside of the scale; without one, if all values look like those of another.

    labels: times, values and lines by recording
    """
    cells = [
        (value, line, column)
        for _, trajectory, lines in labels.values()
        for values, line in zip(trajectory, lines, strict=True)
        for value, column in zip(values, COLUMNS[2:], strict=True)
    ]
    lowest, highest = (end((value for value, *_ in cells), default=0) for end in (min, max))
    if scale is None and cells and lowest >= 0:
        usual = [(low, high) for low, high in OTHER_SCALES if low <= lowest and highest <= high]
        ends = " ".join(f"{end:g}" for end in usual[0]) if usual else "LOW HIGH"
        fault = f"no value is negative, they go from {lowest:g} to {highest:g}"
        raise InputError(f"{path}: {fault}; name the ends of the scale, as --scale {ends} (--scale -1 1 if it is that)")
    for column in COLUMNS[2:]:
        values = [value for value, _, its_column in cells if its_column == column]
        if scale is None and cells and lowest < 0 and min(values) > NEARLY_0:
            ends = f"from {min(values):g} to {max(values):g}"
            warn(f"{path}: {column} goes {ends}, next to never below 0; if its scale is another, name it by --scale")
    low, high = scale or SCALE
    for value, line, column in cells:
        if not low <= value <= high:
            fault = f"{value:g} is not in [{low:g}, {high:g}]; correct it, or name another scale by --scale LOW HIGH"
            raise InputError(f"{path}: line {line}, column {column}: {fault}")


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
