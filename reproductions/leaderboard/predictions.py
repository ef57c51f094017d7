"""Predictions in a CSV file: read with a message for each thing that may be wrong, by line and column."""

import csv
import math
from pathlib import Path

import numpy as np

from common.errors import InputError, warn
from reproductions.leaderboard.boards import STEP_S, OpenBoard

BEYOND = 1.5  # valence and arousal are in [-1, 1]; predictions may leave it a little
OPTIONAL = ("seed", "fold")


def columns(board: OpenBoard) -> list[str]:
    """The columns of the values: a class, or one a target.

    Parameters
    ----------
    board : OpenBoard

    Returns
    -------
    list of str
    """
    return ["class"] if "reference" in board.facts else list(board.targets)


def template(board: OpenBoard) -> list[list]:
    """A header, and a line for each prediction that is asked for in the first repetition: fill in the values.

    Parameters
    ----------
    board : OpenBoard

    Returns
    -------
    list of list
        Columns seed, fold, song, time_s (in seconds, if the labels are over time), and those of `columns`, which are
        empty.
    """
    seed, names = min(board.folds), columns(board)
    empty = [""] * len(names)
    lines = [["seed", "fold", "song", *(["time_s"] if board.times else []), *names]]
    for i, (song, fold) in enumerate(zip(board.songs, board.folds[seed].tolist(), strict=True)):
        times = [[f"{time:g}"] for time in board.times[i]] if board.times else [[]]
        lines += [[seed, fold, song, *time, *empty] for time in times]
    return lines


def read(path: Path, board: OpenBoard) -> dict[int, list]:
    """Read predictions.

    Parameters
    ----------
    path : CSV in UTF-8 with the columns song, the values (`columns`), and if there are several times a song time_s;
        seed names the repetition (0 without it), fold is compared with the board's
    board : for which they were made

    Returns
    -------
    by seed, one entry a song in the board's order: (n, n_targets), (n_targets,), or the number of a class

    Raises
    ------
    InputError : with line and column, or with what is missing
    """
    header, rows = _rows(path, board)
    table, skipped = _Table(path, board, header), 0
    for line, row in rows:
        skipped += not table.add(line, row)
    if skipped:
        warn(f"{path}: lines at times that this board does not test, left out: {skipped}")
    if not table.cells:
        raise InputError(f"{path}: holds no predictions; --template writes the lines to fill in")
    values = [value for cells in table.cells.values() for _, value in cells.values()]
    if board.times and np.min(values) >= 0:
        warn(f"{path}: no value is negative; are they on the scale [-1, 1], where 0 is neutral?")
    return {seed: table.complete(seed) for seed in sorted(table.cells)}


def _rows(path: Path, board: OpenBoard) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and the rows that are not empty with their line numbers."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, [field.strip() for field in row]) for row in reader if row]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table in UTF-8 ({error}); save it as CSV in UTF-8") from error
    header = rows[0][1] if rows else []
    needed = ["song", *columns(board)]
    known = [*needed, *OPTIONAL, *(["time_s"] if board.times else [])]
    for name in needed:
        if name not in header:
            raise InputError(f"{path}: has no column '{name}' (but {', '.join(header) or 'nothing'}); see --help")
    for name in header:
        if name not in known or header.count(name) > 1:
            fault = "is there twice" if name in known else "means nothing here"
            raise InputError(f"{path}: line 1: column '{name}' {fault}; columns are {', '.join(known)}")
    return header, rows[1:]


class _Table:
    """What is read so far: by seed, song (its number on the board) and label the line, and the values."""

    def __init__(self, path: Path, board: OpenBoard, header: list[str]):
        self.path, self.board, self.header = path, board, header
        self.names, self.numbers = columns(board), {song: i for i, song in enumerate(board.songs)}
        self.cells: dict[int, dict] = {}

    def _error(self, line: int, column: str, fault: str):
        return InputError(f"{self.path}: line {line}, column {column}: {fault}")

    def add(self, line: int, row: list[str]) -> bool:
        """Take in a row; False if the board does not test its time."""
        if len(row) != len(self.header):
            fault = f"has {len(row)} fields, not {len(self.header)}; correct the line"
            raise InputError(f"{self.path}: line {line}: {fault}")
        fields = dict(zip(self.header, row, strict=True))
        seed = self._whole(line, "seed", fields.get("seed", "0"))
        if seed not in self.board.folds:
            known = ", ".join(map(str, sorted(self.board.folds)))
            raise self._error(line, "seed", f"no folds of {seed} are recorded, but of {known}")
        song = self.numbers.get(fields["song"])
        if song is None:
            hint = "--template writes their ids"
            raise self._error(line, "song", f"{fields['song']!r} is none of the {len(self.numbers)} songs; {hint}")
        self._require_fold(line, fields, seed, song)
        label = self._label(line, fields, song)
        if label is None:
            return False
        of_seed = self.cells.setdefault(seed, {})
        first, _ = of_seed.setdefault((song, label), (line, self._values(line, fields)))
        if first != line:
            where = f" at {fields['time_s']} s" if "time_s" in fields else ""
            raise self._error(line, "song", f"song {fields['song']}{where}, seed {seed} stands in line {first} too")
        return True

    def _whole(self, line: int, column: str, text: str) -> int:
        if not text.isdecimal():
            raise self._error(line, column, f"{text!r} is not a whole number")
        return int(text)

    def _require_fold(self, line: int, fields: dict, seed: int, song: int) -> None:
        """Raises InputError if the song was predicted in another fold than the board's."""
        own = int(self.board.folds[seed][song])
        if "fold" in fields and self._whole(line, "fold", fields["fold"]) != own:
            fault = f"song {fields['song']} is tested in fold {own} of seed {seed}, not in {fields['fold']}"
            raise self._error(line, "fold", f"{fault}; train on the board's folds (--template)")

    def _label(self, line: int, fields: dict, song: int) -> int | None:
        """The number of the label that a row is for; 0 if the row is for the complete song, None if not tested."""
        if "time_s" not in self.header:
            return 0
        time, times = self._number(line, "time_s", fields["time_s"]), self.board.times[song]
        place = (time - times[0]) / STEP_S
        if abs(place - round(place)) > 0.01:
            between = f"every {STEP_S:g} s from {times[0]:g} to {times[-1]:g} s"
            raise self._error(line, "time_s", f"{time:g} is not the time of a label; labels are {between}")
        return round(place) if 0 <= round(place) < len(times) else None

    def _number(self, line: int, column: str, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self._error(line, column, f"{text!r} is not a finite number")
        return number

    def _values(self, line: int, fields: dict):
        if self.names == ["class"]:
            if fields["class"] not in self.board.targets:
                raise self._error(line, "class", f"{fields['class']!r} is none of {', '.join(self.board.targets)}")
            return self.board.targets.index(fields["class"])
        values = [self._number(line, name, fields[name]) for name in self.names]
        for name, value in zip(self.names, values, strict=True):
            if self.board.times and abs(value) > BEYOND:
                hint = "from a scale of LOW to HIGH it comes by 2 (x - LOW) / (HIGH - LOW) - 1"
                raise self._error(line, name, f"{value:g} is far outside of the scale [-1, 1]; {hint}")
        return values

    def complete(self, seed: int) -> list:
        """The predictions of a repetition in the board's order. Raises InputError if one is missing."""
        cells, board, predicted = self.cells[seed], self.board, []
        absent = [song for i, song in enumerate(board.songs) if not any((i, k) in cells for k in self._labels(i))]
        if absent:
            more = f" and {len(absent) - 1} more" * (len(absent) > 1)
            raise InputError(f"{self.path}: seed {seed}: song {absent[0]}{more} of {len(board.songs)} missing; add it")
        for i, song in enumerate(board.songs):
            for label in self._labels(i):
                if (i, label) not in cells:
                    time = board.times[i][label]
                    raise InputError(f"{self.path}: seed {seed}, song {song}: has no prediction at {time:g} s; add it")
            values = np.array([cells[i, label][1] for label in self._labels(i)])
            constant = board.times and "time_s" not in self.header
            predicted.append(
                np.repeat(values, len(board.times[i]), axis=0) if constant else values if board.times else values[0]
            )
        return predicted

    def _labels(self, song: int) -> range:
        return range(len(self.board.times[song]) if "time_s" in self.header else 1)
