"""The board: each published cell of a paper next to what was measured, and the verdict on it.

`expected.json` of a paper holds its published cells, the variants that are its baselines, its claims, and the
differences that are declared (known, with their cause); `common/verdict/schemas/expected.json` is its schema. Cells are
judged by `common.verdict.cells`, claims by `common.verdict.claims`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.errors import InputError
from common.experiment.records import mixture
from common.verdict import schemas
from common.verdict.cells import ALPHA, Comparison, compare, compare_count, delta, lower_is_better
from common.verdict.recorded import Records, contributor, coverage_of, uncompared

BOARD_KEYS = [
    "paper", "cell", "source", "system", "quoted", "dataset", "variant", "split", "target", "metric", "published",
    "published_std", "measured", "low", "high", "runs", "n_train", "of_train", "n_test", "of_test", "frames", "input",
    "audio", "baseline", "verdict", "record", "identities", "verified", "contributed",
]  # fmt: skip
DIFFERENT = ("better", "worse", "differs")  # which expected.json must declare
COMPARED = ("reproduced", *DIFFERENT, "undecided")


@dataclass(frozen=True)
class Row:
    """A cell with its measurement.

    Attributes
    ----------
    fields : those of the board, by `BOARD_KEYS`
    digits : printed after the point
    primary : whether it is the one cell of its system and table that is judged at 95 %
    level : of its interval
    comparison : how the verdict came about; None without a record
    """

    fields: dict
    digits: int
    primary: bool
    level: float
    comparison: Comparison | None = None

    @property
    def note(self) -> str:
        """What a reader of an `undecided` wants to know."""
        if self.fields["verdict"] != "undecided":
            return ""
        if self.comparison.w is None:
            return "one run has no spread"
        needed = self.comparison.runs_needed
        return f"{needed} runs would decide" if needed else f"more runs cannot decide: {self.comparison.never}"


def load_expected(path: Path) -> dict:
    """A paper's `expected.json`.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict

    Raises
    ------
    InputError
        If it cannot be read, does not follow its schema, or two cells share an id.
    """
    try:
        expected = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from error
    schemas.validate(expected, "expected", path)
    ids = [cell["id"] for cell in expected["cells"]]
    for number, name in enumerate(ids):
        if name in ids[:number]:
            raise InputError(f"{path}: cells[{number}].id: '{name}' is the id of another cell too")
    return expected


def datasets(expected: dict) -> set[str]:
    """The data sets that a paper's cells are of, and those that stand in for them.

    Parameters
    ----------
    expected : dict
        The paper's `expected.json`.

    Returns
    -------
    set of str
    """
    cells = expected["cells"]
    return {cell["dataset"] for cell in cells} | {name for cell in cells for name, _ in cell.get("stand_ins", [])}


def join(expected: dict, records: Records, *, alternatives: bool = False) -> list[Row]:
    """Each published cell with what its variant measured.

    The primary cell of a system and table is judged at 95 %; the others share 5 %.

    Parameters
    ----------
    expected : dict
        The paper's `expected.json`.
    records : Records
        Of the paper.
    alternatives : bool
        True: each of a cell's alternatives in the place of its variant.

    Returns
    -------
    list of Row

    Raises
    ------
    InputError
        If a record is damaged, or lacks what a cell asks for.
    """
    n_sharing = {}
    for cell in expected["cells"]:
        if not cell["primary"]:
            system = cell["table"], cell["system"]
            n_sharing[system] = n_sharing.get(system, 0) + 1
    rows = []
    for cell in expected["cells"]:
        level = 1 - ALPHA / (1 if cell["primary"] else n_sharing[cell["table"], cell["system"]])
        dataset, variant = cell["dataset"], cell["variant"]
        if "stand_ins" in cell and not records.get(dataset, variant):  # other data or input: the first recorded one
            recorded = (place for place in cell["stand_ins"] if records.get(*place))
            dataset, variant = next(recorded, cell["stand_ins"][0])
        for name in cell["alternatives"] if alternatives else [variant]:
            rows.append(_row(expected, cell | {"dataset": dataset}, name, records, level))
    return rows


def _row(expected: dict, cell: dict, variant: str | None, records: Records, level: float) -> Row:
    """A cell with what a variant measured."""
    where = cell["dataset"], cell["split"], cell["metric"], cell["target"]
    record = records.get(cell["dataset"], variant)
    baseline = trivial_baseline(expected, records, record, *where)
    fields = dict.fromkeys(BOARD_KEYS) | {
        "paper": expected["paper"], "cell": cell["id"], "source": cell["source"], "system": cell["system"],
        "quoted": cell["quoted"], "dataset": cell["dataset"], "variant": variant, "split": cell["split"],
        "target": cell["target"], "metric": cell["metric"], "published": cell["value"], "published_std": cell["std"],
        "runs": 0, "baseline": baseline, "verdict": "not run" if cell["data"] else "no data",
    }  # fmt: skip
    if "counted" in cell:
        comparison = compare_count(cell["counted"], cell["value"], cell["digits"])
        fields |= _outcome(cell, cell["counted"], comparison, comparison.verdict)
        return Row(fields, cell["digits"], cell["primary"], level, comparison)
    if record is None:
        return Row(fields, cell["digits"], cell["primary"], level)
    values = records.values(cell["dataset"], variant, *where[1:])
    comparison = compare(
        values,
        cell["value"],
        std=cell["std"],
        runs=cell["runs"],
        digits=cell["digits"],
        level=level,
        matters=delta(cell["metric"], cell["target"], cell["value"], baseline),
        metric=cell["metric"],
    )
    fields |= _measured(cell, record, values, comparison)
    fields |= {
        "record": records.name(where[0], variant),
        "verified": records.verified(where[0], variant),
        "contributed": contributor(record),
    }
    return Row(fields, cell["digits"], cell["primary"], level, comparison)


def _measured(cell: dict, record: dict, values: list[float], comparison: Comparison) -> dict:
    """The fields of a row that follow from a record: its coverage, mean and interval, and the verdict."""
    facts = coverage_of(record["facts"], cell["split"])
    fields = {key: facts.get(key) for key in ("n_train", "of_train", "n_test", "of_test", "frames", "input", "audio")}
    fields |= {"runs": len(values), "identities": len(mixture(record)) or 1}
    return fields | _outcome(cell, float(np.mean(values)), comparison, uncompared(facts) or comparison.verdict)


def _outcome(cell: dict, measured: float, comparison: Comparison, verdict: str) -> dict:
    """The measured value, its interval and the verdict; of a quoted system no comparison."""
    fields = {"measured": measured}
    if verdict != "stand-in":  # whose interval would ask to be compared
        if comparison.w is not None:
            fields |= {"low": measured - comparison.w, "high": measured + comparison.w}
        verdict = "approximation" if cell["quoted"] else verdict
    return fields | {"verdict": verdict}


def trivial_baseline(
    expected: dict, records: Records, record: dict | None, dataset: str, split: str, metric: str, target: str
) -> float | None:
    """The strongest predictor that uses no audio, on the record's data.

    Parameters
    ----------
    expected : dict
        The paper's `expected.json`, which names the baselines.
    records : Records
    record : dict or None
        That the baseline is for; only baselines with its fingerprint count.
    dataset, split, metric, target : str

    Returns
    -------
    float or None
        In the metric's unit; None if no baseline was run on these data.
    """
    names = [] if record is None else expected["trivial_baselines"]
    baselines = {name: baseline for name in names if (baseline := records.get(dataset, name))}
    means = [
        float(np.mean(records.values(dataset, name, split, metric, target)))
        for name, baseline in baselines.items()
        if baseline["facts"]["fingerprint"] == record["facts"]["fingerprint"]
    ]
    if not means:
        return None
    if metric.startswith("pearson_r"):
        means.append(0.0)  # of a constant; means of training songs that differ from fold to fold are none
    return min(means) if lower_is_better(metric) else max(means)


def check_declared(expected: dict, rows: list[Row]) -> list[str]:
    """What a strict test fails on: differences that are not declared, and declared ones that are not there.

    Parameters
    ----------
    expected : dict
        The paper's `expected.json`.
    rows : list of Row
        Of the paper, as from `join`.

    Returns
    -------
    list of str
        A line for each failure.
    """
    verdicts = {row.fields["cell"]: row.fields["verdict"] for row in rows}
    declared = {cell: group["verdict"] for group in expected["declared"] for cell in group["cells"]}
    failures = []
    for cell, verdict in verdicts.items():
        known = declared.get(cell)
        if verdict in DIFFERENT and verdict != known:
            than = "from" if verdict == "differs" else "than"
            failures.append(f"{cell}: {verdict} {than} published, and expected.json does not declare it")
        elif known and verdict in COMPARED and verdict != known:
            failures.append(f"{cell}: declared {known}, but it is {verdict}; remove the declaration")
    return failures + [f"{cell}: declared, but there is no such cell" for cell in declared if cell not in verdicts]
