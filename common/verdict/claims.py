"""What a paper claims beyond its numbers: comparisons of variants, each with an interval, a p value and a verdict.

A claim of `expected.json` is about one quantity: the metric of arm `a`, less that of arm `b` or a `published` number.
It says where the quantity lies: above 0, or below where its direction is -1 (kind `difference`); within ± `within` of 0
(`equivalence`); between the two bounds `within` (`bounds`; `benchmark`, of a recorded exponent). The estimate of the
quantity is that of `common.verdict.crossed`. A claim holds if the estimate is clearly where the claim says, and is
contradicted if it is clearly elsewhere, at 5 % after Holm's correction over all tested claims of a paper of any kind.
"""

import json
from pathlib import Path

import numpy as np
import scipy

from common.errors import InputError
from common.verdict import schemas
from common.verdict.cells import ALPHA
from common.verdict.crossed import Estimate, estimate
from common.verdict.recorded import Records, coverage_of, uncompared
from common.verdict.resampling import METRICS, leaving_out

KEYS = ["paper", "claim", "statement", "on", "verdict", "difference", "low", "high", "p", "record"]
TOO_FEW = ("no run is of all variants", "one run decides no claim", "two runs decide no claim")


def judge_claims(expected: dict, records: Records) -> list[dict]:
    """All claims of a paper, each with its verdict.

    p is adjusted over the paper's claims, and apart from them over the suite's own questions (`own`).

    Parameters
    ----------
    expected : dict
        The paper's `expected.json`.
    records : Records

    Returns
    -------
    list of dict
        With `KEYS`; difference, low, high and p are None where nothing could be tested.

    Raises
    ------
    InputError
        If a claim's metric cannot be computed with songs left out, or a record is damaged.
    """
    judged, families, arms = [], {False: [], True: []}, Arms(records)
    for stated in expected["claims"]:
        claim = stated
        if "stand_ins" in stated:  # tested on the first data set that has all variants, or on none
            datasets = [stated["dataset"], *stated["stand_ins"]]
            complete = (name for name in datasets if all(records.get(name, one) for one in _variants(stated)))
            claim = stated | {"dataset": next(complete, stated["stand_ins"][0])}
        first = claim["dataset"], _variants(claim)[0]
        path = records.path(*first)
        benchmark = claim["kind"] == "benchmark"
        outcome, difference, margin = _benchmark(path) if benchmark else _measured(claim, expected, arms)
        fields = dict.fromkeys(KEYS) | {"paper": expected["paper"], "claim": claim["id"]}
        fields |= {
            "statement": claim["statement"],
            "record": records.name(*first) if path.is_file() else None,
            **outcome,
        }
        if difference is not None:
            mean, half = float(difference.mean), float(difference.half_width(1 - ALPHA)) + margin
            fields |= {"difference": mean, "low": mean - half, "high": mean + half}
            families[claim.get("own", False)].append((fields, *p_and_side(difference, stated_range(claim), margin)))
        judged.append(fields)
    for family in families.values():
        adjusted = holm([p for _, p, _ in family])
        for (fields, _, side), p in zip(family, adjusted, strict=True):
            fields |= {"p": p, "verdict": side if p < ALPHA else "undecided"}
    return judged


def stated_range(claim: dict) -> tuple[float, float]:
    """Between which two values the quantity lies if the claim is true.

    Parameters
    ----------
    claim : dict
        Of `expected.json`.

    Returns
    -------
    low, high : float
        In the metric's unit, perhaps infinite.
    """
    if claim["kind"] == "difference":
        return (0.0, np.inf) if claim["direction"] > 0 else (-np.inf, 0.0)
    return (-claim["within"], claim["within"]) if claim["kind"] == "equivalence" else tuple(claim["within"])


def p_and_side(difference: Estimate, within: tuple[float, float], margin: float = 0.0) -> tuple[float, str]:
    """Two-sided p, and which verdict it is for.

    For `holds`, two one-sided tests must both reject (Schuirmann 1987): that the quantity is below the range, and that
    it is above. For `contradicted`, one must that it is within. The smaller of both is doubled, as a claim can come out
    either way; so p < .05 where the 95 % interval lies wholly within the range or wholly outside.

    Parameters
    ----------
    difference : Estimate
    within : (float, float)
        The range, as from `stated_range`.
    margin : float
        By how much the quantity may be off by rounding.

    Returns
    -------
    p : float, in [0, 1]
    side : str
        `holds` or `contradicted`.
    """
    low, high = within
    inside = max(difference.p_above(low + margin), difference.p_below(high - margin))
    outside = min(difference.p_below(low - margin), difference.p_above(high + margin))
    return min(1.0, 2 * float(min(inside, outside))), "holds" if inside < outside else "contradicted"


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down adjustment.

    Parameters
    ----------
    p_values : list of float, in [0, 1]

    Returns
    -------
    list of float
        In the order given.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    adjusted, highest = np.empty(len(p_values)), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted.tolist()


class Arms:
    """Arms of comparisons by run, on all songs and with songs left out; each variant's metric is computed once.

    Songs of one artist are left out together, where the record has the artists.
    """

    def __init__(self, records: Records):
        self.records, self._computed = records, {}

    def values(self, claim: dict, arm: tuple[list[str], str, list[str]], seeds: list[int]) -> np.ndarray:
        """The metric of an arm as mean over its variants and targets.

        Parameters
        ----------
        claim : dict
            Of `expected.json`.
        arm : (variants, split, targets)
        seeds : list of int
            The runs.

        Returns
        -------
        ndarray, (runs, 1 + groups)
            First on all songs, then without each group of songs.

        Raises
        ------
        InputError
            If songs cannot be left out of the metric.
        """
        variants, split, targets = arm
        return np.mean([self._variant(claim, variant, split, targets, seeds) for variant in variants], axis=0)

    def _variant(self, claim, variant, split, targets, seeds):
        record, metric = self.records.get(claim["dataset"], variant), claim["metric"]
        if metric not in METRICS:
            raise InputError(
                f"claim '{claim['id']}': songs cannot be left out of {metric}; use one of {', '.join(METRICS)}"
            )
        key = claim["dataset"], variant, split, metric
        if key not in self._computed:
            facts = coverage_of(record["facts"], split)
            self._computed[key] = METRICS[metric](record, split, leaving_out(facts.get("artists", facts["tracks"])))
        names = [target for target in record["runs"][0]["metrics"][split][metric] if target != "average"]
        targets = names if targets == ["average"] else targets
        runs = [[run["seed"] for run in record["runs"]].index(seed) for seed in seeds]
        values = self._computed[key][runs][:, :, [names.index(target) for target in targets]].mean(2)
        values[:, 0] = [np.mean([record["runs"][i]["metrics"][split][metric][t] for t in targets]) for i in runs]
        return values


def arms_of(claim: dict) -> list[tuple[list[str], str, list[str]]]:
    """What a claim compares.

    Parameters
    ----------
    claim : dict
        Of `expected.json`.

    Returns
    -------
    list of (variants, split, targets)
        One or two arms; an arm is the mean of its variants and targets. b has split and targets of a if it names none.
    """
    arms = [(claim["a"], claim["split"], claim["targets"])]
    if "b" in claim:
        arms.append((claim["b"], claim.get("split_b", claim["split"]), claim.get("targets_b", claim["targets"])))
    return [([variants] if isinstance(variants, str) else variants, *more) for variants, *more in arms]


def _variants(claim: dict) -> list[str]:
    """All variants that a claim is about, those of arm a first."""
    named = [claim["a"], claim.get("b", [])]
    return [variant for variants in named for variant in ([variants] if isinstance(variants, str) else variants)]


def _measured(claim: dict, expected: dict, arms: Arms) -> tuple[dict, Estimate | None, float]:
    """(fields, estimate, rounding) of a claim; without an estimate, its verdict is among the fields."""
    pairs = [(variant, split) for variants, split, _ in arms_of(claim) for variant in variants]
    records = [arms.records.get(claim["dataset"], variant) for variant, _ in pairs]
    if None in records or any(
        split not in record["facts"].get("splits", [split]) for record, (_, split) in zip(records, pairs, strict=True)
    ):
        unavailable = {cell["variant"] for cell in expected["cells"] if not cell["data"]}
        lacking = unavailable & {variant for variant, _ in pairs} and "stand_ins" not in claim
        return {"verdict": "no data" if lacking else "not run"}, None, 0.0
    known = [coverage_of(record["facts"], split) for record, (_, split) in zip(records, pairs, strict=True)]
    for facts in known:
        if facts.get("partial") or ("published" in claim and uncompared(facts)):
            return {"verdict": uncompared(facts)}, None, 0.0
    folds = [{run["seed"]: run.get("fold") for run in record["runs"]} for record in records]
    seeds = sorted(set.intersection(*(set(by_seed) for by_seed in folds)))
    same = all(by_seed[seed] == folds[0][seed] for by_seed in folds for seed in seeds)
    if not same or any(facts["tracks"] != known[0]["tracks"] for facts in known):
        raise InputError(
            f"claim '{claim['id']}': {' and '.join(v for v, _ in pairs)} were not run on the same data and folds"
        )
    on = "; against ".join(dict.fromkeys(map(_coverage, known)))
    values = arms.values(claim, arms_of(claim)[0], seeds)
    if "b" in claim:
        values = values - arms.values(claim, arms_of(claim)[1], seeds)
    margin = 0.0
    if "published" in claim:  # one run, whose spread is taken to be that of ours, printed to so many digits
        cells = {cell["id"]: cell for cell in expected["cells"]}
        against = [cells[i] for i in claim["published"]]
        margin = float(np.mean([0.5 * 10.0 ** -cell["digits"] for cell in against]))
        values = values - np.mean([cell["value"] for cell in against])
    if len(seeds) < len(TOO_FEW):
        difference = float(values[:, 0].mean()) if seeds else None
        return {"on": f"{on}; {TOO_FEW[len(seeds)]}", "verdict": "undecided", "difference": difference}, None, margin
    overlap = max(facts.get("overlap", 0) for facts in known)
    difference = estimate(values[:, 0], values[:, 1:], overlap=overlap, against_one_run="published" in claim)
    return {"on": on}, difference, margin


def _coverage(facts: dict) -> str:
    """On what an arm was tested, and on what it was trained where that is only a part."""
    trained, tested = (tuple(facts[f"{which}_{part}"] for which in ("n", "of")) for part in ("train", "test"))
    frames = f" ({facts['frames']})" if facts.get("frames") else ""
    less = "" if trained[0] == trained[1] or trained == tested else f", {trained[0]} of {trained[1]} trained on"
    return f"{tested[0]} of {tested[1]} songs{frames}{less}{', a stand-in' if facts.get('stand_in') else ''}"


def _benchmark(path: Path) -> tuple[dict, Estimate | None, float]:
    """As `_measured`, of an exponent from a straight line through the logarithms of the record's `seconds`."""
    if not path.is_file():
        return {"verdict": "not run"}, None, 0.0
    try:
        benchmark = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); move it away") from error
    schemas.validate(benchmark, "benchmark", path)
    df, half = len(benchmark["seconds"]) - 2, (benchmark["high"] - benchmark["low"]) / 2
    return {}, Estimate(benchmark["estimate"], (half / scipy.special.stdtrit(df, 1 - ALPHA / 2)) ** 2, df), 0.0
