"""Published numbers beside measured ones: intervals, verdicts, claims. The only place where a verdict is made.

`expected.json` of a paper holds its published cells, the variants that are its baselines, its claims, and the
differences that are declared (known, with their cause). Records of runs come from `common.runs`.

The verdict (README, "How a verdict is made"). d = mean measured - published. SE = sqrt(s²/n + s_p²/m): s over the n
measured runs, s_p printed beside the published value with m runs behind it (not printed: s_p = s, m = 1).
w = t SE + half a unit of the last printed digit. Δ is the difference that would matter.
`reproduced`: |d| + w <= Δ; else `better` or `worse`: |d| > w; else `undecided`.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import stdtrit

from common import metrics
from common.errors import InputError
from common.runs import data_sets, read_record, record_path

# The difference that would matter, by the stem of the metric; fixed before any run.
DELTAS = {
    "pearson_r": 0.10, "r2": 0.05, "kendall_tau": 0.05, "rmse": 0.02, "mae": 0.02,
    "accuracy": 0.07, "precision": 0.10, "recall": 0.10, "f1": 0.10,
}  # fmt: skip
DELTA_MEAN_R = 0.05  # r averaged over emotions
DELTA_MEAN_OF_CLASSES = 0.07  # as of accuracy
LOWER_IS_BETTER = ("rmse", "mae")
ALPHA = 0.05
REPLICATES = 2000
MANY_RUNS = 1_000

BOARD_KEYS = [
    "paper", "cell", "source", "system", "quoted", "dataset", "variant", "split", "target", "metric", "published",
    "published_std", "measured", "low", "high", "runs", "n_train", "of_train", "n_test", "of_test", "frames", "input",
    "audio", "baseline", "verdict", "record",
]  # fmt: skip
CLAIM_KEYS = ["paper", "claim", "statement", "on", "verdict", "difference", "low", "high", "p", "record"]
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

    With a printed s_p, degrees of freedom by Welch and Satterthwaite.
    """
    if s_p is None:
        variance, df = s * s * (1 / n + 1), n - 1
    else:
        ours, theirs = s * s / n, s_p * s_p / m
        variance = ours + theirs
        parts = ours**2 / (n - 1) + (theirs**2 / (m - 1) if m > 1 else 0)
        df = variance**2 / parts if s or s_p else n - 1
    return stdtrit(df, (1 + level) / 2) * np.sqrt(variance) + half_unit


def standard_error(values, overlap: float) -> float:
    """Of a mean over runs. overlap: tested to trained songs of random splits, which share songs (0: they do not).

    Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.
    """
    return float(np.std(values, ddof=1) * np.sqrt(1 / len(values) + overlap))


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
    """A paper's `expected.json`. Raises InputError if it cannot be read or two cells share an id."""
    try:
        expected = json.loads(Path(path).read_text())
        ids = [cell["id"] for cell in expected["cells"]]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: is not a table of published cells ({error!r})") from error
    if len(set(ids)) < len(ids):
        raise InputError(f"{path}: two cells share an id")
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
        return Row(fields, cell["digits"], cell["primary"])
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
    fields["verdict"] = uncompared(facts) or found.verdict
    if found.w is not None and fields["verdict"] != "stand-in":  # whose interval would ask to be compared
        fields |= {"low": measured - found.w, "high": measured + found.w}
    if cell["quoted"] and fields["verdict"] != "stand-in":
        fields["verdict"] = "approximation"
    return Row(fields, cell["digits"], cell["primary"], found)


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


# Claims: comparisons of two arms, runs and songs resampled.


def resampled_r(record: dict, split: str, weights: np.ndarray) -> np.ndarray:
    """`pearson_r_mean_over_folds` on resampled songs: (runs, replicates, targets).

    weights (replicates, n_songs): how often each song is drawn. Moments are sums of products, so that all
    replicates are one matrix product a fold.
    """
    reference = np.asarray(record["facts"]["reference_z"])
    found = []
    for run in record["runs"]:
        estimate, fold = np.asarray(run["predictions"]), np.asarray(run["fold"])
        estimate = estimate - estimate.mean(0)
        products = (reference, estimate, reference**2, estimate**2, reference * estimate)
        in_folds = []
        for k in np.unique(fold):
            drawn = weights[:, fold == k]
            n = np.maximum(drawn.sum(1, keepdims=True), 1)
            x, y, xx, yy, xy = (drawn @ product[fold == k] / n for product in products)
            spread = (xx - x * x) * (yy - y * y)
            in_folds.append(np.where(spread > 1e-18, (xy - x * y) / np.sqrt(np.maximum(spread, 1e-18)), 0))
        found.append(np.mean(in_folds, axis=0))
    return np.array(found)


def _weighted_means(weights: np.ndarray, importance: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Means over songs, (replicates, targets), of values (n_songs, targets)."""
    importance = np.broadcast_to(importance, values.shape)
    return weights @ (importance * values) / np.maximum(weights @ importance, 1e-12)


def _resampled(of_songs):
    """A metric of each song's entry in a run on resampled songs: (runs, replicates, targets)."""
    return lambda record, split, weights: np.array([of_songs(run["songs"][split], weights) for run in record["runs"]])


def resampled_mse(songs: dict, weights: np.ndarray) -> np.ndarray:
    """The mean squared error over all frames of resampled songs, (replicates, targets)."""
    frames, errors = metrics.squared_errors(songs)
    return _weighted_means(weights, frames[:, None], errors)


def resampled_r2(songs: dict, weights: np.ndarray) -> np.ndarray:
    """`r2_pooled` of resampled songs, (replicates, targets)."""
    frames, moments = np.asarray(songs["frames"], "float64")[:, None], np.asarray(songs["moments"])
    mean, variance = moments[..., 0], moments[..., 2]
    variance = _weighted_means(weights, frames, variance + mean**2) - _weighted_means(weights, frames, mean) ** 2
    return metrics.r2(resampled_mse(songs, weights), variance)


def resampled_mae(songs: dict, weights: np.ndarray) -> np.ndarray:
    """`mae_pooled` of resampled songs, (replicates, targets)."""
    return _weighted_means(weights, np.asarray(songs["frames"])[:, None], np.asarray(songs["absolute_error"]))


def resampled_tau(songs: dict, weights: np.ndarray) -> np.ndarray:
    """`kendall_tau_per_song` of resampled songs, (replicates, targets)."""
    tau = np.array(songs["kendall_tau"], "float64")
    return _weighted_means(weights, np.isfinite(tau), np.nan_to_num(tau))


def resampled_share(songs: dict, weights: np.ndarray, above: float, to: float) -> np.ndarray:
    """The share of resampled songs whose mean absolute error lies between two limits, (replicates, targets)."""
    error = np.asarray(songs["absolute_error"])
    return _weighted_means(weights, 1.0, (error > above) & (error <= to))


def resampled_classification(metric: str):
    """A metric of classes on resampled songs; a record has `reference` and `predicted`, class numbers, -1 for none."""

    def resampled(record, split, weights):
        reference, n, found = np.asarray(record["facts"]["reference"]), len(record["facts"]["targets"]), []
        for run in record["runs"]:
            predicted = np.asarray(run["predicted"][split])
            cell = np.where(predicted < 0, n * n, reference * n + predicted)  # of the confusion matrix, or beside it
            counts = weights @ np.eye(n * n + 1)[cell]
            found.append(metrics.of_confusion(counts[:, :-1].reshape(-1, n, n))[metric])
        return np.array(found)

    return resampled


RESAMPLED = {
    **{metric: resampled_classification(metric) for metric in ("accuracy", "precision", "recall", "f1")},
    "pearson_r_mean_over_folds": resampled_r,
    "rmse_pooled": _resampled(lambda songs, weights: np.sqrt(resampled_mse(songs, weights))),
    "r2_pooled": _resampled(resampled_r2),
    "mae_pooled": _resampled(resampled_mae),
    "kendall_tau_per_song": _resampled(resampled_tau),
    "share_within_.05": _resampled(lambda songs, weights: resampled_share(songs, weights, 0, 0.05)),
    "share_beyond_.2": _resampled(lambda songs, weights: resampled_share(songs, weights, 0.2, np.inf)),
}


class Resampled:
    """Arms of comparisons on resampled songs: the same draws for every variant of a split, each computed once.

    Songs of one artist are drawn together, where the record tells the artists.
    """

    def __init__(self, records: Records):
        self.records, self._found = records, {}

    def arm(self, claim: dict, variant: str, split: str, targets: list[str]) -> tuple[dict, np.ndarray]:
        """The mean over targets of a claim's metric: observed, by seed, and (runs, replicates) of it."""
        record, metric = self.records.get(claim["dataset"], variant), claim["metric"]
        if metric not in RESAMPLED:
            raise InputError(f"claim '{claim['id']}': {metric} cannot be resampled; {', '.join(RESAMPLED)} can")
        key = claim["dataset"], variant, split, metric
        if key not in self._found:
            facts = covered(record["facts"], split)
            artists = facts.get("artists", facts["tracks"])
            number = {artist: i for i, artist in enumerate(dict.fromkeys(artists))}
            artist, n = [number[name] for name in artists], len(number)
            drawn = np.random.default_rng(1).multinomial(n, np.full(n, 1 / n), REPLICATES).astype("float64")
            self._found[key] = RESAMPLED[metric](record, split, drawn[:, artist])
        every = [target for target in record["runs"][0]["metrics"][split][metric] if target != "average"]
        targets = every if targets == ["average"] else targets
        values = self._found[key][:, :, [every.index(target) for target in targets]].mean(2)
        observed = {run["seed"]: run["metrics"][split][metric] for run in record["runs"]}
        return {seed: float(np.mean([m[t] for t in targets])) for seed, m in observed.items()}, values


def _recorded(claim: dict, records: Records) -> bool:
    """Whether all arms of a claim are recorded on its own data set, so that no other has to stand in."""
    variants = [variant for variants, *_ in _arms(claim) for variant in variants] if "stand_in" in claim else []
    return all(records.get(claim["dataset"], variant) for variant in variants)


def _arms(claim: dict) -> list[tuple[list[str], str, list[str]]]:
    """Of each arm the variants, whose mean it is, the split and the targets; b has those of a if it names none."""
    arms = [(claim["a"], claim["split"], claim["targets"])]
    if "b" in claim:
        arms.append((claim["b"], claim.get("split_b", claim["split"]), claim.get("targets_b", claim["targets"])))
    return [([variants] if isinstance(variants, str) else variants, *more) for variants, *more in arms]


def _difference(claim: dict, expected: dict, resampled: Resampled) -> dict:
    """Verdict of a claim; with observed difference, 95 % interval and two-sided p where it can be tested."""
    arms = _arms(claim)
    pairs = [(variant, split) for variants, split, _ in arms for variant in variants]
    records = [resampled.records.get(claim["dataset"], variant) for variant, _ in pairs]
    if None in records or any(
        split not in record["facts"].get("splits", [split]) for record, (_, split) in zip(records, pairs, strict=True)
    ):
        unheard = {cell["variant"] for cell in expected["cells"] if not cell["data"]}
        lacking = unheard & {variant for variant, _ in pairs} and "stand_in" not in claim
        return {"verdict": "no data" if lacking else "not run"}
    known = [covered(record["facts"], split) for record, (_, split) in zip(records, pairs, strict=True)]
    for facts in known:
        if facts.get("partial") or ("published" in claim and uncompared(facts)):
            return {"verdict": uncompared(facts)}
    frames = f" ({known[0]['frames']})" if known[0].get("frames") else ""
    trained, tested = (tuple(known[0][f"{which}_{part}"] for which in ("n", "of")) for part in ("train", "test"))
    trained = "" if trained[0] == trained[1] or trained == tested else f", {trained[0]} of {trained[1]} trained on"
    stand_in = ", a stand-in" if known[0].get("stand_in") else ""
    songs = {"on": f"{known[0]['n_test']} of {known[0]['of_test']} songs{frames}{trained}{stand_in}"}
    folds = [{run["seed"]: run.get("fold") for run in record["runs"]} for record in records]
    seeds = sorted(set.intersection(*(set(by_seed) for by_seed in folds)))
    if len(seeds) < 2:
        return songs | {"on": f"{songs['on']}; one run has no spread", "verdict": "undecided"}
    same = all(by_seed[seed] == folds[0][seed] for by_seed in folds for seed in seeds)
    if not same or any(facts["tracks"] != known[0]["tracks"] for facts in known):
        told = " and ".join(variant for variant, _ in pairs)
        raise InputError(f"claim '{claim['id']}': {told} were not run on the same data and folds")

    def matched(variants, split, targets):
        """The observed metric of an arm by seed, and (runs, replicates) of it."""
        found = [resampled.arm(claim, variant, split, targets) for variant in variants]
        values = [values[[list(observed).index(s) for s in seeds]] for observed, values in found]
        return np.mean([[observed[s] for s in seeds] for observed, _ in found], axis=0), np.mean(values, axis=0)

    rng = np.random.default_rng(2)
    (observed, draws), margin = matched(*arms[0]), 0.0
    drawn_runs = rng.integers(0, len(seeds), (REPLICATES, len(seeds)))
    if "b" in claim:
        other, other_draws = matched(*arms[1])
        observed, draws = observed - other, draws - other_draws
    draws = _means_of_runs(draws, drawn_runs)
    one_song = len(set(known[0].get("artists", known[0]["tracks"]))) == 1
    overlap = max(facts.get("overlap", 0) for facts in known)
    if one_song or overlap:  # no songs to resample, or random splits that share songs: Student's t over the runs
        evenly = stdtrit(len(seeds) - 1, (np.arange(REPLICATES) + 0.5) / REPLICATES)
        draws = observed.mean() + standard_error(observed, overlap) * evenly
    if "published" in claim:  # its arm is one run, whose spread is taken to be ours, and printed to so many digits
        cells = {cell["id"]: cell for cell in expected["cells"]}
        against = [cells[i] for i in claim["published"]]
        margin = float(np.mean([0.5 * 10.0 ** -cell["digits"] for cell in against]))
        value, spread = np.mean([cell["value"] for cell in against]), observed.std(ddof=1)
        observed, draws = observed - value, draws - rng.normal(value, spread, REPLICATES)
    low, high = np.quantile(draws, [ALPHA / 2, 1 - ALPHA / 2])
    found = {"difference": float(observed.mean()), "low": float(low - margin), "high": float(high + margin)}
    if claim["kind"] == "difference":
        tail = min((draws <= margin).sum(), (draws >= -margin).sum())
        found["p"] = min(1.0, 2 * (tail + 1) / (REPLICATES + 1))
    return songs | {"verdict": "undecided", **found}


def _means_of_runs(draws: np.ndarray, drawn_runs: np.ndarray) -> np.ndarray:
    """(replicates,) from (runs, replicates): the mean over resampled runs, (replicates, runs).

    Resampled means of n runs spread less than means of n runs do, by (n - 1) / n in variance: that is made up for.
    """
    mean, n = draws.mean(0), len(draws)
    drawn = np.take_along_axis(draws.T, drawn_runs, axis=1).mean(1)
    return mean + np.sqrt(n / (n - 1)) * (drawn - mean)


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down adjustment, in the order given."""
    order = np.argsort(p_values)
    adjusted, highest = np.empty(len(p_values)), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted.tolist()


def judge_claims(expected: dict, records: Records) -> list[dict]:
    """Every claim of a paper with its verdict; p adjusted by Holm over the tested claims of a family."""
    found, resampled = [], Resampled(records)
    for stated in expected["claims"]:
        claim = stated
        if not _recorded(stated, records):
            claim = stated | {"dataset": stated.get("stand_in", stated["dataset"])}
        fields = dict.fromkeys(CLAIM_KEYS) | {"paper": expected["paper"], "claim": claim["id"]}
        variant = claim["a"] if isinstance(claim["a"], str) else claim["a"][0]
        path = records.path(claim["dataset"], variant)
        tested = _benchmark(claim, path) if claim["kind"] == "benchmark" else _difference(claim, expected, resampled)
        fields |= {"statement": claim["statement"]} | tested
        if path.is_file():
            fields["record"] = records.name(claim["dataset"], variant)
        found.append(fields)
    for family in (False, True):  # the paper's claims, and the suite's own questions
        tested = [(claim, fields) for claim, fields in zip(expected["claims"], found, strict=True)
                  if fields["p"] is not None and claim.get("own", False) == family]  # fmt: skip
        for (claim, fields), p in zip(tested, holm([fields["p"] for _, fields in tested]), strict=True):
            decided = p < ALPHA and (fields["low"] > 0 or fields["high"] < 0)
            verdict = "holds" if claim["direction"] * fields["difference"] > 0 else "contradicted"
            fields |= {"p": p, "verdict": verdict if decided else "undecided"}
    for claim, fields in zip(expected["claims"], found, strict=True):
        if claim["kind"] in ("equivalence", "bounds") and fields["difference"] is not None:
            bounds = claim["within"] if claim["kind"] == "bounds" else [-claim["within"], claim["within"]]
            fields["verdict"] = _within(fields, bounds)
    return found


def _within(fields: dict, bounds: list[float]) -> str:
    """`holds` if the interval lies within the bounds, `contradicted` if it lies outside."""
    lowest, highest = bounds
    if lowest <= fields["low"] and fields["high"] <= highest:
        return "holds"
    return "contradicted" if fields["high"] < lowest or fields["low"] > highest else "undecided"


def _benchmark(claim: dict, path: Path) -> dict:
    """A claim about an exponent: holds if its interval lies within the claim's bounds, contradicted if outside."""
    if not path.is_file():
        return {"verdict": "not run"}
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"{path}: is not a record of a benchmark ({error}); move it away") from error
    fields = {"difference": found["estimate"], "low": found["low"], "high": found["high"]}
    return fields | {"verdict": _within(fields, claim["within"])}
