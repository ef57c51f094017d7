"""The rule of verdicts on cases where the right verdict is known, and by simulation."""

import numpy as np
import pytest
from scipy import stats

from common.errors import InputError
from common.verdict.cells import ALPHA, compare, compare_count, delta, half_width

SEVERAL = [0.5 + step for step in (-0.01, 0, 0.01)]


def around(mean, s, n=3):
    """n values with exactly this mean and standard deviation."""
    values = np.linspace(-1, 1, n)
    return mean + values * s / values.std(ddof=1)


def width(s, n, half_unit=0.005):
    return stats.t.ppf(0.975, n - 1) * s * np.sqrt(1 / n + 1) + half_unit


@pytest.mark.parametrize(
    ("d", "s", "matters", "verdict"),
    [
        (0.0, 0.001, 0.05, "reproduced"),
        (0.04, 0.001, 0.05, "reproduced"),
        (0.06, 0.001, 0.05, "better"),
        (-0.06, 0.001, 0.05, "worse"),
        (0.0, 0.1, 0.05, "undecided"),  # noise earns no `reproduced`
        (0.045, 0.001, 0.045, "better"),
        (0.049, 0.01, 0.05, "undecided"),
        (0.002, 0.0, 0.05, "reproduced"),  # less than the rounding of the printed value
        (0.004, 0.0, 0.001, "undecided"),
    ],
)
def test_known_verdicts(d, s, matters, verdict):
    assert compare(around(0.5 + d, s), 0.5, matters=matters).verdict == verdict


def test_boundaries():
    s, n = 0.004, 5
    w = width(s, n)
    for d, matters, verdict in [
        (0.03, 0.03 + w, "reproduced"),  # |d| + w = delta is inside
        (0.03, 0.03 + w - 1e-6, "better"),
        (w, w / 2, "undecided"),  # |d| = w does not differ
        (w + 1e-6, w / 2, "better"),
        (-w - 1e-6, w / 2, "worse"),
    ]:
        comparison = compare(around(0.5 + d, s, n), 0.5, matters=matters)
        assert (comparison.verdict, pytest.approx(comparison.w)) == (verdict, w)


def test_for_errors_smaller_is_better():
    assert compare(around(0.2, 0.001), 0.3, matters=0.02, metric="rmse_pooled").verdict == "better"
    assert compare(around(0.4, 0.001), 0.3, matters=0.02, metric="mae").verdict == "worse"


@pytest.mark.parametrize(
    ("counted", "published", "digits", "verdict"),
    [(10.088, 10, 0, "reproduced"), (17.712, 17, 0, "differs"), (16.3, 17, 0, "differs"), (17.5, 17, 0, "reproduced"),
     (1.97581, 2, 0, "reproduced"), (1.97581, 2, 1, "reproduced"), (1.97581, 2, 2, "differs")],
)  # fmt: skip
def test_numbers_that_are_counted(counted, published, digits, verdict):
    """Reproduced if they round to what is printed; neither more nor fewer are better, and nothing varies."""
    comparison = compare_count(counted, published, digits)
    assert (comparison.verdict, comparison.d, comparison.w) == (verdict, pytest.approx(counted - published), None)


def test_one_run_decides_nothing():
    comparison = compare([0.5], 0.25, matters=0.05)
    assert (comparison.verdict, comparison.w, comparison.d) == ("undecided", None, 0.25)
    assert compare([0.5, 0.5001], 0.5, matters=0.05).verdict == "reproduced"  # two do


def test_single_precision_is_compared_in_double():
    values = np.float32([0.1, 0.3, 0.7])
    assert compare(values, 0.1, matters=0.05) == compare([float(value) for value in values], 0.1, matters=0.05)


def test_half_width_against_formulas():
    assert half_width(0.02, 10, None, 1, 0.005, 0.95) == pytest.approx(width(0.02, 10))
    se2 = 0.02**2 / 10 + 0.03**2 / 5
    df = se2**2 / ((0.02**2 / 10) ** 2 / 9 + (0.03**2 / 5) ** 2 / 4)
    assert half_width(0.02, 10, 0.03, 5, 0, 0.95) == pytest.approx(stats.t.ppf(0.975, df) * np.sqrt(se2))
    se2 = 0.02**2 / 10 + 0.03**2 / 2
    df = se2**2 / ((0.02**2 / 10) ** 2 / 9 + (0.03**2 / 2) ** 2)
    assert half_width(0.02, 10, 0.03, 2, 0, 0.95) == pytest.approx(stats.t.ppf(0.975, df) * np.sqrt(se2))
    assert half_width(0, 10, None, 1, 0.005, 0.95) == 0.005
    assert half_width(0, 10, 0.0, 5, 0.005, 0.95) == 0.005
    assert half_width(0, 10, 0.03, 5, 0, 0.95) == pytest.approx(stats.t.ppf(0.975, 4) * 0.03 / np.sqrt(5))


def test_a_deviation_of_one_published_run_is_refused():
    """It is over folds or songs, which says nothing about runs."""
    with pytest.raises(InputError, match="2 published runs"):
        half_width(0.02, 10, 0.03, 1, 0.005, 0.95)


@pytest.mark.parametrize("printed", [{}, {"std": 0.02, "runs": 50}])
@pytest.mark.parametrize("n", [3, 4])
def test_runs_needed_are_the_fewest(printed, n):
    """With a spread with which the next number of runs is just enough, and where it is not."""
    std, m = printed.get("std"), printed.get("runs", 1)
    for more in (1, 2, 40):
        enough = half_width(0.02, n + more, std, m, 0.005, 0.95)
        with np.errstate(divide="raise"):
            comparison = compare(around(0.5, 0.02, n), 0.5, matters=enough + 1e-7, **printed)
        assert (comparison.verdict, comparison.runs_needed, comparison.never) == ("undecided", n + more, "")


def test_runs_needed():
    values = around(0.5, 0.02, 3)
    comparison = compare(values, 0.5, matters=0.05)
    assert comparison.verdict == "undecided" and comparison.runs_needed > 3
    n = comparison.runs_needed
    assert half_width(0.02, n, None, 1, 0.005, 0.95) <= 0.05 < half_width(0.02, n - 1, None, 1, 0.005, 0.95)
    for options, why in [({}, "one published run"), ({"std": 0.2, "runs": 5}, "5 published runs")]:
        never = compare(around(0.5, 0.2, 10), 0.5, matters=0.05, **options)
        assert (never.verdict, never.runs_needed, never.never) == ("undecided", None, why)
    coarse = compare(around(0.5, 0.001, 10), 0.5, digits=1, matters=0.02)
    assert coarse.never == "the printed digits are too few"


def test_delta_is_capped_by_the_baseline():
    assert delta("pearson_r_mean_over_folds", "average", 0.5, None) == 0.05
    assert delta("pearson_r_mean_over_folds", "power", 0.5, 0.1) == 0.10
    assert delta("pearson_r_mean_over_folds", "power", 0.5, 0.4) == pytest.approx(0.05)
    assert delta("rmse_pooled", "valence", 0.30, 0.28) == pytest.approx(0.01)
    for target, matters in [("macro avg", 0.07), ("weighted avg", 0.07), ("sad", 0.10), ("average", 0.10)]:
        assert delta("f1", target, 0.5, None) == matters
    with pytest.raises(InputError, match="no entry"):
        delta("loudness", "x", 1, None)


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("m", [1, 5])
def test_verdicts_by_simulation(n, m):
    """Runs spread by s = Δ/8 around a truth that is off by a multiple of Δ from the published system's."""
    rng, matters, trials = np.random.default_rng(n * m), 0.08, 600
    s = matters / 8
    comparison = {}
    for off in (0, 0.5, 1, 2):
        verdicts = []
        for _ in range(trials):
            theirs = rng.normal(0.5, s, m)
            printed_std = None if m == 1 else float(theirs.std(ddof=1))
            ours = rng.normal(0.5 + off * matters, s, n)
            verdicts.append(compare(ours, round(theirs.mean(), 2), std=printed_std, runs=m, matters=matters).verdict)
        comparison[off] = {v: verdicts.count(v) / trials for v in ("reproduced", "better", "worse", "undecided")}
    assert comparison[0]["better"] + comparison[0]["worse"] <= ALPHA + 0.02  # equal truths seldom differ
    assert (
        comparison[0.5]["worse"] == 0
        and comparison[0.5]["better"] + comparison[0.5]["reproduced"] > comparison[0]["better"]
    )
    assert comparison[0.5]["reproduced"] <= comparison[0]["reproduced"]  # the farther off, the less it passes
    assert comparison[1]["reproduced"] <= ALPHA / 2 + 0.02  # a difference that matters seldom passes
    assert comparison[2]["reproduced"] == 0 and comparison[2]["worse"] == 0
    if n >= 5:
        assert comparison[0]["reproduced"] > 0.75
        assert comparison[2]["better"] > 0.95


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("m", [1, 5])
def test_overlapping_splits_do_not_break_the_interval(n, m):
    """Every run tests another random part of the same songs, the published ones too: still 95 % of intervals hold."""
    rng, held, trials = np.random.default_rng(0), 0, 600
    for _ in range(trials):
        songs = rng.normal(0.5, 0.15, 200)  # what each song of the one data set contributes
        results = [songs[rng.permutation(200)[:40]].mean() + rng.normal(0, 0.01) for _ in range(n + m)]
        theirs, std = np.mean(results[n:]), float(np.std(results[n:], ddof=1)) if m > 1 else None
        comparison = compare(results[:n], theirs, std=std, runs=m, digits=6, matters=0.05)
        held += abs(comparison.d) <= comparison.w
    assert 0.92 <= held / trials <= 0.98
