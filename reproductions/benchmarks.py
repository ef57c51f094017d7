"""Tables, in READMEs and docs/, of what the scripts in tests/benchmarks recorded: results/benchmarks/NAME.json."""

import json
from pathlib import Path

from common.errors import InputError
from common.places import DOCS
from common.report import markdown_table, number

PAPERS = Path(__file__).parent
FAQ = DOCS / "faq.md"
PERFORMANCE = DOCS / "performance.md"
TIMINGS = {  # by section of the page: the records that make its tables
    "training": ["malik2017_training", "chaki2020_training", "cross_validation", "training_speed"],
    "features": ["official_features_reading", "opensmile_extraction", "extraction", "mel_extraction"],
    "prediction": ["prediction"],
    "start": ["startup"],
    "pages": ["pages"],
    "networks": ["networks", "joint_networks"],
    "cluster": ["cluster"],
    "growth": ["growth"],
}


def read(results: Path, name: str) -> dict | None:
    """The record of a script.

    Parameters
    ----------
    results : Path
        Folder that holds `benchmarks/`.
    name : str
        Of the script.

    Returns
    -------
    dict or None
        With the keys benchmark, title, found, machine and provenance; None if there is no record.

    Raises
    ------
    InputError
        If the file is no such record.
    """
    path = Path(results) / "benchmarks" / f"{name}.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {key: record[key] for key in ("benchmark", "title", "found", "machine", "provenance")}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is not a record of a benchmark ({error!r}); run its script again") from error


def generated(results: Path) -> dict[Path, dict[str, str]]:
    """The tables of what is recorded.

    Parameters
    ----------
    results : Path
        Folder that holds `benchmarks/`.

    Returns
    -------
    dict of Path to dict
        By page, its tables in Markdown by mark; the tables of a section only if all its records are there.

    Raises
    ------
    InputError
        As `read`.
    """
    parts = {}
    for section, names in TIMINGS.items():
        records = [read(results, name) for name in names]
        if all(records):
            parts.setdefault(PERFORMANCE, {})[section] = "\n\n".join(map(timings, records))
    if record := read(results, "blended_windows"):
        parts.setdefault(FAQ, {})["blended windows"] = blended_windows(record)
    if record := read(results, "official_features"):
        for paper in record["found"]:
            parts.setdefault(PAPERS / paper / "README.md", {})["official features"] = official_features(record, paper)
    return parts


def timings(record: dict) -> str:
    """A table of medians, with the range where there is more than one value; below it where and when.

    Parameters
    ----------
    record : dict
        As from `read`; found[row][column] is as `quantity` takes it.

    Returns
    -------
    str, Markdown
    """
    rows = record["found"]
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = [[row, *(quantity(cells.get(column)) for column in columns)] for row, cells in rows.items()]
    table = markdown_table([record["title"], *columns], lines)
    n = sorted({cell["n"] for row in rows.values() for cell in row.values()})
    return f"{table}\n\nMedians (lowest to highest) of n = {' or '.join(map(str, n))}. {where(record)}"


def quantity(measured: dict | None) -> str:
    """A quantity that was measured one or several times, three significant digits of each number.

    Parameters
    ----------
    measured : dict or None
        With median, lowest, highest, unit, and n, the number of values.

    Returns
    -------
    str
        As "0.64 s (0.62 to 0.66)"; without a range of one value; a dash for None.
    """
    if measured is None:
        return "–"
    median, *ends = (f"{float(f'{measured[key]:.3g}'):,g}" for key in ("median", "lowest", "highest"))
    text = f"{median} {measured['unit']}".rstrip()
    return text + (f" ({' to '.join(ends)})" if measured["n"] > 1 else "")


def where(record: dict) -> str:
    """Script, processor, versions and date of a record.

    Parameters
    ----------
    record : dict
        As from `read`.

    Returns
    -------
    str
    """
    machine, of = record["machine"], record["provenance"]
    versions = [
        f"{name} {version}"
        for name, version in of["versions"].items()
        if name in ("python", "keras") or name.startswith(of["backend"])
    ]
    computer = f"{of.get('processor', of['device'])}, {machine['cores']} cores, {', '.join(versions)}"
    return f"`tests/benchmarks/{record['benchmark']}.py`, {computer}, {of['finished'][:10]}."


def official_features(record: dict, paper: str) -> str:
    """Differences of a paper's predictions from audio from those on official features: valence, arousal.

    Parameters
    ----------
    record : dict
        The one of this name, as from `read`.
    paper : str

    Returns
    -------
    str, Markdown
        A line for each way to compare; below the table the numbers of excerpts and predictions.
    """
    lines = []
    for title, of_targets in record["found"][paper].items():
        keys = ("largest", "largest_of_a_songs_mean", "median")
        lines.append([title, *(", ".join(number(of_target[key]) for of_target in of_targets.values()) for key in keys)])
    one = next(iter(of_targets.values()))
    header = ["on", "largest difference, valence and arousal", "of a song's mean", "median"]
    return f"{markdown_table(header, lines)}\n\n{one['songs']} excerpts, {one['frames']} predictions. {where(record)}"


def blended_windows(record: dict) -> str:
    """Errors with windows side by side and blended, and the difference with its interval.

    Parameters
    ----------
    record : dict
        The one of this name, as from `read`.

    Returns
    -------
    str, Markdown
        A line for each model and target.
    """
    lines = []
    for title, of_targets in record["found"].items():
        for target, of_target in of_targets.items():
            errors = [number(of_target[name], 4) for name in ("side_by_side", "blended", "difference")]
            bounds = " … ".join(number(of_target[name], 4) for name in ("low", "high"))
            lines.append([title, target, str(of_target["songs"]), *errors, bounds])
    header = ["model", "target", "held-out songs", "side by side", "blended", "difference", "95 % interval"]
    return f"{markdown_table(header, lines)}\n\n{record['title']}. {where(record)}"
