"""The entries of a user's own: scored, kept in a folder of theirs, and compared with the recorded systems.

An entry is a record of its own kind, <folder>/<board>/<name>.json, with a name and a source. It is never among the
suite's records. References are records of the suite that are shown as entries are: of systems that are not a paper's.
"""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from common.errors import InputError
from common.experiment.records import read_record, write_record
from common.experiment.tasks import Classes, Dynamic, Static
from common.places import RESULTS
from common.report import interval, number, text_table
from common.verdict import schemas
from common.verdict.cells import ALPHA, lower_is_better
from common.verdict.claims import Arms
from common.verdict.crossed import estimate, over_songs
from common.verdict.recorded import Records
from reproductions.leaderboard.boards import OpenBoard
from reproductions.leaderboard.predictions import read

KEPT = {Dynamic: "songs", Static: "predictions", Classes: "predicted"}  # by task, what metrics follow from
LONGEST_NAME = 200  # bytes, so that files can have it
REFERENCES = {"musicnn2019": "ridge"}  # by the folder that records it, the variant that a board shows
AGAIN = "remove the file, and add its predictions again with --add"


def score(board: OpenBoard, predictions: Path, name: str, source: str = "") -> dict:
    """The entry of some predictions.

    Parameters
    ----------
    board : for which they were made
    predictions : the CSV file, see `predictions.read`
    name : of the system
    source : who made it, or where it is described

    Returns
    -------
    as JSON: `name`, `source`, and runs with metrics as a record of the suite has them

    Raises
    ------
    InputError : the file is not as described, or the labels are not at hand
    """
    of_seeds = read(predictions, board)
    labels, split, runs = board.labels, board.board.split, []
    for seed, values in of_seeds.items():
        scored = board.task.score(labels, {split: dict(enumerate(values))}, board.folds[seed])
        runs.append({"seed": seed, **scored})
    facts = {key: value for key, value in board.facts.items() if key != "splits"}
    facts |= {"input": f"predictions of {Path(predictions).name}", "audio": "not known"}
    of_file = {"sha256": hashlib.sha256(Path(predictions).read_bytes()).hexdigest()}
    added = datetime.now(UTC).date().isoformat()
    about = {"board": board.name, "name": name, "source": source, "added": added, "title": name}
    return {**about, **of_file, "settings": {}, "facts": facts, "runs": runs}


def entry_path(folder: Path, board: str, name: str) -> Path:
    """The file of an entry.

    Parameters
    ----------
    folder : Path
        Of all entries.
    board : str
        Its name.
    name : str
        Of the entry.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        For a name without letters or digits, or a longer one than `LONGEST_NAME`.
    """
    stem = re.sub(r"[^\w.+-]+", "_", name.strip().lower()).strip("._")
    if not any(map(str.isalnum, stem)):
        raise InputError(f"--name {name!r}: needs letters or digits")
    if len(stem.encode()) > LONGEST_NAME:
        raise InputError(f"--name {name[:20]!r}...: is too long for the name of a file; choose a shorter one")
    return Path(folder) / board / f"{stem}.json"


def add(folder: Path, entry: dict) -> Path:
    """Keep an entry; returns its file.

    Parameters
    ----------
    folder : Path
        Of all entries.
    entry : dict
        As from `score`.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If there is one of this name, or as `entry_path`.
    """
    path = entry_path(folder, entry["board"], entry["name"])
    if earlier := read_record(path):
        hint = f"choose another --name, or --remove '{earlier.get('name', path.stem)}' first"
        raise InputError(f"{path}: is there already; {hint}")
    write_record(path, entry)
    return path


def remove(folder: Path, board: str, name: str) -> None:
    """Remove an entry.

    Parameters
    ----------
    folder : Path
        Of all entries.
    board : str
        Its name.
    name : str
        Of the entry.

    Raises
    ------
    InputError
        If there is none of this name, as where one with another name has the same file; or as `entry_path`.
    """
    path = entry_path(folder, board, name)
    entry = read_record(path)
    if entry is None:
        raise InputError(f"{path}: no such entry of {board}; nothing is removed")
    if (own := entry.get("name", name)) != name:
        raise InputError(f"{path}: is the entry '{own}', not '{name}'; nothing is removed, --remove '{own}' does it")
    path.unlink()


def entries(folder: Path, board: OpenBoard) -> list[dict]:
    """The entries of a board, by name.

    Parameters
    ----------
    folder : Path
        Of all entries.
    board : OpenBoard

    Returns
    -------
    list of dict
        As from `score`, in the order of their files' names.

    Raises
    ------
    InputError
        For a damaged entry, or one of other songs or folds.
    """
    found = []
    for path in sorted((Path(folder) / board.name).glob("*.json")):
        entry = read_record(path)
        try:
            schemas.validate(entry, "record", path)
            schemas.validate(entry, "entry", path)
        except InputError as error:
            raise InputError(f"{error}; {AGAIN}") from error
        if fault := _fault(entry, board):
            raise InputError(f"{path}: {fault}; {AGAIN}")
        found.append(entry)
    return found


def references(board: OpenBoard, results: Path = RESULTS) -> list[dict]:
    """The references that were recorded on the songs and folds of a board.

    Parameters
    ----------
    board : OpenBoard
    results : Path
        Folder of the records.

    Returns
    -------
    list of dict
        In the form of entries; their source is the folder of the record.

    Raises
    ------
    InputError
        If a record is damaged.
    """
    recorded = {name: Records(results, name).get(board.board.dataset, variant) for name, variant in REFERENCES.items()}
    return [
        record | {"name": record["title"], "source": name, "added": ""}
        for name, record in recorded.items()
        if record and not _fault(record, board)
    ]


def _fault(entry: dict, board: OpenBoard) -> str | None:
    """Why an entry cannot be compared with the systems of a board; None if it can."""
    of_seeds, kept = {run["seed"]: run for run in entry["runs"]}, KEPT[type(board.task)]
    if len(of_seeds) < len(entry["runs"]):
        return "two of its runs have the same seed"
    same = entry["facts"].get("tracks") == board.songs and of_seeds.keys() <= board.folds.keys()
    if not same or any(run.get("fold") != board.folds[seed].tolist() for seed, run in of_seeds.items()):
        return "is of other songs or folds than the board, or does not name them"
    for seed, run in of_seeds.items():
        measured = run["metrics"].get(board.board.split, {})
        for metric, target in board.board.numbers:
            if target not in measured.get(metric, {}):
                return f"the run of seed {seed} has no {metric} of {target}"
        if kept not in run:
            return f"the run of seed {seed} has no '{kept}', from which differences would be computed"
    return None


def means(board: OpenBoard, record: dict) -> list[float]:
    """The board's numbers of a record, means over its runs.

    Parameters
    ----------
    board : OpenBoard
    record : dict
        Of a system, or an entry.

    Returns
    -------
    list of float
        One a metric and target of the board, in its order.
    """
    measured = [run["metrics"][board.board.split] for run in record["runs"]]
    return [float(np.mean([of[metric][target] for of in measured])) for metric, target in board.board.numbers]


def ranking(board: OpenBoard, own: list[dict]) -> list[dict]:
    """All systems, the best by the first number first.

    Parameters
    ----------
    board : OpenBoard
    own : list of dict
        The entries, as from `entries` and `references`.

    Returns
    -------
    list of dict
        With system, source, runs, and the board's numbers, whose keys are as "r2_pooled arousal".
    """
    systems = [(record, board.board.paper) for record in board.records.values()]
    systems += [(entry, ", ".join(filter(None, (entry["source"], entry["added"])))) for entry in own]
    names = [" ".join(pair) for pair in board.board.numbers]
    rows = [
        {"system": record["title"], "source": source, "runs": len(record["runs"])}
        | dict(zip(names, means(board, record), strict=True))
        for record, source in systems
    ]
    sign = 1 if lower_is_better(board.board.numbers[0][0]) else -1
    return sorted(rows, key=lambda row: sign * row[names[0]])


class _Both:
    """Systems by their variant, and entries by their number, as `Arms` reads records."""

    def __init__(self, board: OpenBoard, own: list[dict]):
        self._records = board.records | dict(enumerate(own))

    def get(self, _, key: str | int) -> dict:
        return self._records[key]


def differences(board: OpenBoard, own: list[dict]) -> list[dict]:
    """The difference of each entry and each of the systems `against`, on the runs that both have, paired by song.

    Parameters
    ----------
    board : OpenBoard
    own : list of dict
        The entries, as from `entries` and `references`.

    Returns
    -------
    list of dict
        system, compared_with : str, the entry and the other system
        metric, target : str
        runs : int, those in common
        difference, low, high : float, with the 95 % interval from low to high; None without a run in common
        outcome : str, better, worse, or undecided where 0 is in the interval; `no run in common` without one

    Raises
    ------
    InputError
        If songs cannot be left out of a metric.
    """
    arms, rows = Arms(_Both(board, own)), []
    for index, entry in enumerate(own):
        for against in board.board.against:
            other = board.records[against]
            seeds = sorted({run["seed"] for run in entry["runs"]} & {run["seed"] for run in other["runs"]})
            for metric, target in board.board.numbers:
                claim = {"dataset": board.board.dataset, "metric": metric, "id": board.name}
                arm, its = (arms.values(claim, ([one], board.board.split, [target]), seeds) for one in (index, against))
                row = {
                    "system": entry["name"],
                    "compared_with": other["title"].removeprefix("baseline: "),
                    "metric": metric,
                    "target": target,
                }
                rows.append(row | {"runs": len(seeds)} | _judged(arm - its, lower_is_better(metric)))
    return rows


def _judged(values: np.ndarray, lower: bool) -> dict:
    """Difference, interval and outcome of values (runs, 1 + groups), see `Arms.values`."""
    if not len(values):
        return {"difference": None, "low": None, "high": None, "outcome": "no run in common"}
    of = over_songs(values[0, 0], values[0, 1:]) if len(values) == 1 else estimate(values[:, 0], values[:, 1:])
    mean, half = float(of.mean), float(of.half_width(1 - ALPHA))
    outcome = "undecided" if abs(mean) <= half else "better" if (mean < 0) == lower else "worse"
    return {"difference": mean, "low": mean - half, "high": mean + half, "outcome": outcome}


def table(board: OpenBoard, own: list[dict], render=text_table) -> str:
    """A board as text: all systems, then the differences of entries and references.

    Parameters
    ----------
    board : OpenBoard
    own : list of dict
        The entries, as from `entries` and `references`.
    render : callable
        `text_table` or `markdown_table` of `common.report`.

    Returns
    -------
    str
    """
    rows = ranking(board, own)
    names = list(rows[0])[3:]
    header = ["system", *(name.replace("_", " ") for name in names), "runs", "source"]
    lines = [[row["system"], *(number(row[name]) for name in names), row["runs"], row["source"]] for row in rows]
    blocks = [f"{board.name}: {board.board.title}; {board.board.split}", render(header, lines)]
    if judged := differences(board, own):
        header = ["system", "compared with", "metric", "runs", "difference", "95 % interval", "outcome"]
        lines = [
            [
                row["system"],
                row["compared_with"],
                f"{row['metric']} {row['target']}".replace("_", " "),
                row["runs"],
                number(row["difference"]),
                interval(row),
                row["outcome"],
            ]
            for row in judged
        ]
        blocks.append(render(header, lines))
        if any(row["runs"] == 1 for row in judged):
            blocks.append(
                "The interval of a single run is for other songs; what another training would change is not in it."
            )
    return "\n\n".join(blocks)
