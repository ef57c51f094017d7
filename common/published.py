"""Published numbers beside measured ones: intervals and verdicts of cells, and the one rule for them.

`expected.json` of a paper holds its published cells, the variants that are its baselines, its claims, and the
differences that are declared (known, with their cause). Records of runs come from `common.experiment`. Claims are
judged in `common.verdict.claims`.

The verdict (docs/verdicts.md). d = mean measured - published. SE = sqrt(s²/n + s_p²/m): s over the n
measured runs, s_p printed beside the published value with m runs behind it (not printed: s_p = s, m = 1).
w = t SE + half a unit of the last printed digit. Δ is the difference that would matter.
`reproduced`: |d| + w <= Δ; else `better` or `worse`: |d| > w; else `undecided`.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.special import stdtrit

from common.errors import InputError
from common.experiment.records import data_sets, mixture, read_record, record_path
from common.verdict.crossed import satterthwaite

# The difference that would matter, by the stem of the metric; fixed before any run.
DELTAS = {
    "pearson_r": 0.10, "r2": 0.05, "kendall_tau": 0.05, "rmse": 0.02, "mae": 0.02,
    "accuracy": 0.07, "precision": 0.10, "recall": 0.10, "f1": 0.10,
}  # fmt: skip
DELTA_MEAN_R = 0.05  # r averaged over emotions
DELTA_MEAN_OF_CLASSES = 0.07  # as of accuracy
LOWER_IS_BETTER = ("rmse", "mae")
ALPHA = 0.05
MANY_RUNS = 1_000

VERIFIED = "verified.json"  # in the results folder: what `python -m reproductions verify` found, and when

BOARD_KEYS = [
    "paper", "cell", "source", "system", "quoted", "dataset", "variant", "split", "target", "metric", "published",
    "published_std", "measured", "low", "high", "runs", "n_train", "of_train", "n_test", "of_test", "frames", "input",
    "audio", "baseline", "verdict", "record", "identities", "verified",
]  # fmt: skip
COMPARED = ("reproduced", "better", "worse", "undecided")


@dataclass(frozen=True)
class Comparison:
    """d, w and the verdict on a cell; `runs_needed` of an undecided one (None: no number of runs would decide)."""

    d: float
    w: float | None
    verdict: str
    runs_needed: int | None = None
    never: str = ""  # why no number of runs would decide


def lower_is_better(metric: str) -> bool:
    """Whether a smaller value of the metric is the better one."""
    return metric.startswith(LOWER_IS_BETTER)


def delta(metric: str, target: str, published: float, baseline: float | None) -> float:
    """Δ: the table's value, at most half the distance from the published value to the strongest trivial baseline.

    Raises InputError for a metric without an entry in the table.
    """
    stem = next((stem for stem in DELTAS if metric.startswith(stem)), None)
    if stem is None:
        raise InputError(f"metric '{metric}' has no entry in the table of differences that matter")
    matters = DELTAS[stem]
    if (stem, target) == ("pearson_r", "average"):
        matters = DELTA_MEAN_R
    elif target in ("macro avg", "weighted avg"):
        matters = DELTA_MEAN_OF_CLASSES
    return matters if baseline is None else min(matters, abs(published - baseline) / 2)


def half_width(s: float, n, s_p: float | None, m: int, half_unit: float, level: float):
    """w, in the metric's unit, for n runs or an array of numbers of runs.

    With a printed s_p, degrees of freedom by Welch and Satterthwaite. Raises InputError for an s_p of one run: what is
    printed there is a spread over folds or songs, and says nothing about runs.
    """
    if s_p is None:
        variance, df = s * s * (1 / n + 1), n - 1
    elif m < 2:
        raise InputError(f"a standard deviation over runs needs 2 published runs or more, not {m}: leave it empty")
    else:
        parts = s * s / n, s_p * s_p / m
        variance, df = sum(parts), satterthwaite(parts, (n - 1, m - 1))
    return stdtrit(df, (1 + level) / 2) * np.sqrt(variance) + half_unit


def _decide(d: float, w: float, matters: float, sign: int) -> str:
    tolerance = 1e-9  # boundaries count as inside, whatever the last bit says
    if abs(d) + w <= matters + tolerance:
        return "reproduced"
    if abs(d) > w + tolerance:
        return "better" if sign * d > 0 else "worse"
    return "undecided"


def compare(values, published, *, std=None, runs=1, digits=2, matters, level=1 - ALPHA, metric="") -> Comparison:
    """The verdict on one cell from the values of the measured runs (one value a run)."""
    values = np.asarray(values, "float64")
    n, d = len(values), float(values.mean() - published)
    if n < 2:
        return Comparison(d, None, "undecided")
    s, half_unit, sign = float(values.std(ddof=1)), 0.5 * 10.0**-digits, -1 if lower_is_better(metric) else 1

    w = float(half_width(s, n, std, runs, half_unit, level))
    found = _decide(d, w, matters, sign)
    if found != "undecided":
        return Comparison(d, w, found)
    more = np.arange(n + 1, MANY_RUNS)
    enough = [int(k) for k, w_k in zip(more, half_width(s, more, std, runs, half_unit, level), strict=True)
              if _decide(d, w_k, matters, sign) != "undecided"][:1]  # fmt: skip
    if enough:
        return Comparison(d, w, found, enough[0])
    if half_unit > matters:
        never = "the printed digits are too few"
    else:
        never = "one published run" if runs == 1 else f"{runs} published runs"
    return Comparison(d, w, found, never=never)


@dataclass(frozen=True)
class Row:
    """A cell beside its measurement: the fields of the board, and how the verdict came about."""

    fields: dict
    digits: int  # printed behind the point
    primary: bool  # the one cell a system and table that is judged at 95 %
    level: float  # of its interval
    comparison: Comparison | None = None

    @property
    def note(self) -> str:
        """What a reader of an `undecided` wants to know."""
        if self.fields["verdict"] != "undecided":
            return ""
        if self.comparison.w is None:
            return "one run has no spread"
        needed = self.comparison.runs_needed
        return f"{needed} runs would decide" if needed else f"never: {self.comparison.never}"


def load_expected(path: Path) -> dict:
    """A paper's `expected.json`.

    Raises InputError if it cannot be read, two cells share an id, or a cell has a standard deviation of one run.
    """
    try:
        expected = json.loads(Path(path).read_text())
        ids = [cell["id"] for cell in expected["cells"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is not a table of published cells ({error!r})") from error
    if len(set(ids)) < len(ids):
        raise InputError(f"{path}: two cells share an id")
    for cell in expected["cells"]:
        if cell["std"] is not None and cell["runs"] < 2:
            raise InputError(f"{path}: {cell['id']} has a standard deviation over {cell['runs']} run; leave it empty")
    return expected


class Records:
    """The records of one paper under a results folder, read once each."""

    def __init__(self, results: Path, paper: str):
        self.results, self.paper, self._read = Path(results), paper, {}

    def path(self, dataset: str, variant: str) -> Path:
        return record_path(self.results, self.paper, dataset, variant)

    def datasets(self) -> list[str]:
        """The data sets that something is recorded of."""
        return data_sets(self.results, self.paper)

    def name(self, dataset: str, variant: str) -> str:
        """The record's file as reports name it, from the results folder on."""
        return record_path(Path(self.results.name), self.paper, dataset, variant).as_posix()

    def get(self, dataset: str, variant: str | None) -> dict | None:
        """The record, or None if there is none (or it holds no run yet)."""
        if variant is None:
            return None
        if (dataset, variant) not in self._read:
            record = read_record(self.path(dataset, variant))
            self._read[dataset, variant] = record if record and record["runs"] else None
        return self._read[dataset, variant]

    def values(self, dataset: str, variant: str | None, split: str, metric: str, target: str) -> list[float] | None:
        """One value a run, or None without a record."""
        record = self.get(dataset, variant)
        try:
            return record and [run["metrics"][split][metric][target] for run in record["runs"]]
        except (KeyError, TypeError) as error:
            raise InputError(f"{self.path(dataset, variant)}: a run has no {metric} of {target}, {split}") from error

    def verified(self, dataset: str, variant: str) -> str | None:
        """Outcome and date of the last verification of a record; None if there was none."""
        for one in self._verified:
            if (one["paper"], one["dataset"], one["variant"]) == (self.paper, dataset, variant):
                return f"{one['word']}, {one['date']}"
        return None

    @cached_property
    def _verified(self) -> list[dict]:
        return read_verified(self.results)


def read_verified(results: Path) -> list[dict]:
    """What verifications of the records in a results folder found. Raises InputError if the file is damaged."""
    path = Path(results) / VERIFIED
    try:
        outcomes = json.loads(path.read_text())
        return [outcome for outcome in outcomes if outcome["word"] and outcome["date"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: does not hold verifications ({error!r}); move it away") from error


def headline(record: dict) -> tuple[str, str, list[str]]:
    """The split, metric and targets that a record is told by where there is room for one: the first of each."""
    split, measured = next(iter(record["runs"][0]["metrics"].items()))
    metric, values = next(iter(measured.items()))
    return split, metric, list(values)


def covered(facts: dict, split: str) -> dict:
    """What a record states of the data, of one of its splits."""
    return facts | facts.get("splits", {}).get(split, {})


def join(expected: dict, records: Records, *, readings: bool = False) -> list[Row]:
    """Every published cell beside what its variant measured; with `readings`, beside its alternatives instead."""
    shares = {}
    for cell in expected["cells"]:
        if not cell["primary"]:
            key = cell["table"], cell["system"]
            shares[key] = shares.get(key, 0) + 1
    rows = []
    for cell in expected["cells"]:
        level = 1 - ALPHA / (1 if cell["primary"] else shares[cell["table"], cell["system"]])
        shown = [cell["dataset"], cell["variant"]]
        if "stand_in" in cell and not records.get(*shown):
            shown = cell["stand_in"]  # other data or another input, as long as the paper's are not run
        for variant in cell["alternatives"] if readings else shown[1:]:
            rows.append(_row(expected, cell | {"dataset": shown[0]}, variant, records, level))
    return rows


def _row(expected: dict, cell: dict, variant: str | None, records: Records, level: float) -> Row:
    where = cell["dataset"], cell["split"], cell["metric"], cell["target"]
    record = records.get(cell["dataset"], variant)
    facts = covered(record["facts"], cell["split"]) if record else {}
    baseline = trivial_baseline(expected, records, record, *where)
    fields = dict.fromkeys(BOARD_KEYS) | {
        "paper": expected["paper"], "cell": cell["id"], "source": cell["source"], "system": cell["system"],
        "quoted": cell["quoted"], "dataset": cell["dataset"], "variant": variant, "split": cell["split"],
        "target": cell["target"], "metric": cell["metric"], "published": cell["value"], "published_std": cell["std"],
        "runs": 0, "baseline": baseline, "verdict": "not run" if cell["data"] else "no data",
    }  # fmt: skip
    if record is None:
        return Row(fields, cell["digits"], cell["primary"], level)
    values = records.values(cell["dataset"], variant, *where[1:])
    matters = delta(cell["metric"], cell["target"], cell["value"], baseline)
    found = compare(
        values, cell["value"], std=cell["std"], runs=cell["runs"], digits=cell["digits"], matters=matters, level=level,
        metric=cell["metric"],
    )  # fmt: skip
    measured = float(np.mean(values))
    coverage = ("n_train", "of_train", "n_test", "of_test", "frames", "input", "audio")
    fields |= {key: facts.get(key) for key in coverage}
    fields |= {"measured": measured, "runs": len(values), "record": records.name(where[0], variant)}
    fields |= {"identities": len(mixture(record)) or 1, "verified": records.verified(where[0], variant)}
    fields["verdict"] = uncompared(facts) or found.verdict
    if found.w is not None and fields["verdict"] != "stand-in":  # whose interval would ask to be compared
        fields |= {"low": measured - found.w, "high": measured + found.w}
    if cell["quoted"] and fields["verdict"] != "stand-in":
        fields["verdict"] = "approximation"
    return Row(fields, cell["digits"], cell["primary"], level, found)


def uncompared(facts: dict) -> str | None:
    """The verdict on a record that no published number is compared with; None if it is the published protocol."""
    if facts.get("partial"):  # shortened, or songs are missing: of a stand-in too
        return "partial"
    if facts.get("stand_in"):
        return "stand-in"
    whole = facts["n_train"] == facts["of_train"] and facts["n_test"] == facts["of_test"]
    return None if whole and not facts.get("frames") else "partial"


def trivial_baseline(
    expected: dict, records: Records, record: dict | None, dataset: str, split: str, metric: str, target: str
) -> float | None:
    """The strongest predictor that hears nothing, on the record's data; None if none was run on them."""
    names = [] if record is None else expected["trivial_baselines"]
    beside = {name: found for name in names if (found := records.get(dataset, name))}
    means = [
        float(np.mean(records.values(dataset, name, split, metric, target)))
        for name, found in beside.items()
        if found["facts"]["fingerprint"] == record["facts"]["fingerprint"]
    ]
    if not means:
        return None
    if metric.startswith("pearson_r"):
        means.append(0.0)  # of a constant; means of training songs that differ from fold to fold are none
    return min(means) if lower_is_better(metric) else max(means)


def check_declared(expected: dict, rows: list[Row]) -> list[str]:
    """What a strict test fails on: differences that are not declared, and declared ones that are not there."""
    verdicts = {row.fields["cell"]: row.fields["verdict"] for row in rows}
    declared = {cell: group["verdict"] for group in expected["declared"] for cell in group["cells"]}
    failures = []
    for cell, verdict in verdicts.items():
        said = declared.get(cell)
        if verdict in ("better", "worse") and verdict != said:
            failures.append(f"{cell}: {verdict} than published, and expected.json does not declare it")
        elif said and verdict in COMPARED and verdict != said:
            failures.append(f"{cell}: declared {said}, but it is {verdict}; take the declaration away")
    failures += [f"{cell}: declared, but there is no such cell" for cell in declared if cell not in verdicts]
    for group in expected["declared"]:
        if not (group["cause"] and group["evidence"]):
            failures.append(f"{group['cells'][0]}: declared without cause or evidence")
    return failures
