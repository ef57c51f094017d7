"""The reproduction log of a paper: who trained, verified or contributed what, and when. Made from records."""

from pathlib import Path

from common.experiment.records import data_sets
from common.report import markdown_table
from common.verdict.board import Row, join
from common.verdict.recorded import CONTRIBUTED, Records, read, read_verified

HEADER = ["date", "what", "data set", "by", "outcome"]
HOW = "Holders of other data can [contribute records](../../CONTRIBUTING.md#contribute-records)."


def table(results: Path, paper: str) -> str:
    """The log as a table in Markdown, the latest entry last.

    Parameters
    ----------
    results : folder of the records
    paper : its name

    Returns
    -------
    str
    """
    lines = [*_trained(results, paper), *_verified(results, paper), *_contributed(results, paper)]
    return markdown_table(HEADER, sorted(lines, key=lambda line: line[0].split(" … ")[-1])) + f"\n\n{HOW}"


def contributed_rows(results: Path, expected: dict) -> list[Row]:
    """The cells of a paper that contributed records answer for, also where the suite has records of its own.

    Parameters
    ----------
    results : Path
        Folder of the suite's records.
    expected : dict
        The paper's `expected.json`.

    Returns
    -------
    list of Row

    Raises
    ------
    InputError
        If a contributed record is damaged, or lacks what a cell asks for.
    """
    rows = join(expected, Records(Path(results) / CONTRIBUTED, expected["paper"]))
    return [row for row in rows if row.fields["record"]]


def _records(results: Path, paper: str) -> list[dict]:
    folder = Path(results) / paper
    paths = (path for dataset in data_sets(results, paper) for path in sorted((folder / dataset).glob("*.json")))
    return [record for path in paths if (record := read(path)) and record["runs"]]


def _days(dates) -> str:
    first, last = min(dates)[:10], max(dates)[:10]
    return first if first == last else f"{first} … {last}"


def _numbers(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"


def _trained(results: Path, paper: str) -> list[list[str]]:
    """A line a data set: the suite's own runs."""
    of_dataset: dict[str, list[dict]] = {}
    for record in _records(results, paper):
        of_dataset.setdefault(record["dataset"], []).append(record)
    lines = []
    for dataset, records in of_dataset.items():
        made = [run["provenance"] for record in records for run in record["runs"] if "provenance" in run]
        devices = sorted({device for one in made for device in str(one["device"]).split(" | ")})
        what = f"trained: {_numbers(len(records), 'variant')}, {_numbers(len(made), 'run')}"
        if made:
            lines.append([_days([one["finished"] for one in made]), what, dataset, f"the suite ({', '.join(devices)})",
                          "recorded"])  # fmt: skip
    return lines


def _verified(results: Path, paper: str) -> list[list[str]]:
    """A line a data set, day and type of processor: what was trained again, and how often it agreed."""
    grouped: dict[tuple, list[str]] = {}
    for one in read_verified(results):
        if one["paper"] == paper:
            key = one["date"], one["dataset"], one.get("processor", "").split(",")[0]
            grouped.setdefault(key, []).append(one["word"])
    lines = []
    for (date, dataset, processor), words in grouped.items():
        counted = ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words)))
        what = f"trained again and compared: {_numbers(len(words), 'variant')}"
        lines.append([date, what, dataset, f"the suite ({processor})", counted])
    return lines


def _contributed(results: Path, paper: str) -> list[list[str]]:
    """A line a contributor, day and data set."""
    grouped: dict[tuple, list[dict]] = {}
    for record in _records(Path(results) / CONTRIBUTED, paper):
        of = record[CONTRIBUTED]
        grouped.setdefault((of["date"], of["from"], record["dataset"]), []).append(record)
    return [
        [date, f"contributed: {', '.join(record['variant'] for record in records)}", dataset, source,
         _numbers(sum(len(record["runs"]) for record in records), "run")]
        for (date, source, dataset), records in grouped.items()
    ]  # fmt: skip
