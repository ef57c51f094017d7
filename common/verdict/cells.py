"""The rule that decides whether a measured value reproduces a published one (docs/verdicts.md).

d = mean measured - published. SE = sqrt(s²/n + s_p²/m): s over the n measured runs, s_p printed with the published
value, with m runs behind it (not printed: s_p = s, m = 1). w = t SE + half a unit of the last printed digit. Δ is the
difference that would matter. `reproduced`: |d| + w <= Δ; else `better` or `worse`: |d| > w; else `undecided`.
"""

from dataclasses import dataclass

import numpy as np
import scipy

from common.errors import InputError
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


@dataclass(frozen=True)
class Comparison:
    """The verdict on a cell.

    Attributes
    ----------
    d : mean measured less published, in the metric's unit
    w : half width of its interval; None with one run, and of a number that is counted
    verdict : reproduced, better, worse, differs or undecided
    runs_needed : how many runs would decide an undecided one; None if no number would
    never : why no number of runs would decide
    """

    d: float
    w: float | None
    verdict: str
    runs_needed: int | None = None
    never: str = ""


def lower_is_better(metric: str) -> bool:
    """Whether a smaller value of the metric is the better one.

    Parameters
    ----------
    metric : str

    Returns
    -------
    bool
    """
    return metric.startswith(LOWER_IS_BETTER)


def delta(metric: str, target: str, published: float, baseline: float | None) -> float:
    """Δ: the table's value, at most half the distance from the published value to the strongest trivial baseline.

    Parameters
    ----------
    metric, target : str
    published : float
    baseline : float or None

    Returns
    -------
    float
        In the metric's unit.

    Raises
    ------
    InputError
        For a metric without an entry in the table.
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
    """w, in the metric's unit.

    Parameters
    ----------
    s : float
        Standard deviation over the measured runs.
    n : int or ndarray of int, 2 or more
        Number of measured runs.
    s_p : float or None
        Standard deviation over the published runs; None where none is printed.
    m : int
        Number of published runs.
    half_unit : float
        Half a unit of the last printed digit.
    level : float
        Of the interval, as .95. With a printed s_p the degrees of freedom are those of Welch and Satterthwaite, else
        n - 1.

    Returns
    -------
    float, or ndarray of the shape of n

    Raises
    ------
    InputError
        For an s_p of one run: what is printed there is a spread over folds or songs, and says nothing about runs.
    """
    if s_p is None:
        variance, df = s * s * (1 / n + 1), n - 1
    elif m < 2:
        raise InputError(f"a standard deviation over runs needs 2 published runs or more, not {m}: leave it empty")
    else:
        parts = s * s / n, s_p * s_p / m
        variance, df = sum(parts), satterthwaite(parts, (n - 1, m - 1))
    return scipy.special.stdtrit(df, (1 + level) / 2) * np.sqrt(variance) + half_unit


def _decide(d: float, w: float, matters: float, sign: int) -> str:
    tolerance = 1e-9  # boundaries count as inside, whatever the last bit says
    if abs(d) + w <= matters + tolerance:
        return "reproduced"
    if abs(d) > w + tolerance:
        return "better" if sign * d > 0 else "worse"
    return "undecided"


def compare_count(counted: float, published: float, digits: int) -> Comparison:
    """The verdict on a number that follows from a network and not from runs, such as that of its parameters.

    Nothing varies, so it is reproduced if rounding to the printed digits gives the published number. Otherwise it
    differs, and neither is the better one.

    Parameters
    ----------
    counted, published : float
    digits : int
        Printed behind the point.

    Returns
    -------
    Comparison
    """
    d, half_unit = counted - published, 0.5 * 10.0**-digits
    rounds_to_it = abs(d) <= half_unit + 1e-9  # boundaries count as inside, whatever the last bit says
    return Comparison(d, None, "reproduced" if rounds_to_it else "differs")


def compare(values, published, *, std=None, runs=1, digits=2, matters, level=1 - ALPHA, metric="") -> Comparison:
    """The verdict on one cell.

    Parameters
    ----------
    values : array_like, (n,)
        One value a measured run.
    published : float
    std : float, optional
        Standard deviation over the published runs; None where none is printed.
    runs : int
        Number of published runs.
    digits : int
        Of the published value, after the point.
    matters : float
        Δ, in the metric's unit.
    level : float
        Of the interval, as .95.
    metric : str
        Its name, which says whether lower values are better.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If `std` is of fewer than 2 published runs, see `half_width`; not with a single value, which decides nothing.
    """
    values = np.asarray(values, "float64")
    n, d = len(values), float(values.mean() - published)
    if n < 2:
        return Comparison(d, None, "undecided")
    s, half_unit, sign = float(values.std(ddof=1)), 0.5 * 10.0**-digits, -1 if lower_is_better(metric) else 1

    w = float(half_width(s, n, std, runs, half_unit, level))
    verdict = _decide(d, w, matters, sign)
    if verdict != "undecided":
        return Comparison(d, w, verdict)
    more = np.arange(n + 1, MANY_RUNS)
    enough = [
        int(k)
        for k, w_k in zip(more, half_width(s, more, std, runs, half_unit, level), strict=True)
        if _decide(d, w_k, matters, sign) != "undecided"
    ][:1]
    if enough:
        return Comparison(d, w, verdict, enough[0])
    if half_unit > matters:
        never = "the printed digits are too few"
    else:
        never = "one published run" if runs == 1 else f"{runs} published runs"
    return Comparison(d, w, verdict, never=never)
