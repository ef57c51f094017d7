"""The verdict rule on cases where the right verdict is known, by simulation, and on what is recorded."""

import json

import numpy as np
import pytest
from scipy import stats

from common import metrics, published, report
from common.errors import InputError
from common.published import ALPHA, compare, delta, half_width, holm
from common.runs import mixture, read_record
from reproductions.board import claims, generated, papers, rows
from tests.conftest import ROOT

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
        found = compare(around(0.5 + d, s, n), 0.5, matters=matters)
        assert (found.verdict, pytest.approx(found.w)) == (verdict, w)


def test_for_errors_smaller_is_better():
    assert compare(around(0.2, 0.001), 0.3, matters=0.02, metric="rmse_pooled").verdict == "better"
    assert compare(around(0.4, 0.001), 0.3, matters=0.02, metric="mae").verdict == "worse"


def test_one_run_decides_nothing():
    found = compare([0.5], 0.5, matters=0.05)
    assert (found.verdict, found.w) == ("undecided", None)


def test_half_width_against_formulas():
    assert half_width(0.02, 10, None, 1, 0.005, 0.95) == pytest.approx(width(0.02, 10))
    welch = stats.ttest_ind_from_stats(0, 0.02, 10, 0, 0.03, 5, equal_var=False)
    assert welch is not None
    se2 = 0.02**2 / 10 + 0.03**2 / 5
    df = se2**2 / ((0.02**2 / 10) ** 2 / 9 + (0.03**2 / 5) ** 2 / 4)
    assert half_width(0.02, 10, 0.03, 5, 0, 0.95) == pytest.approx(stats.t.ppf(0.975, df) * np.sqrt(se2))
    assert half_width(0, 10, None, 1, 0.005, 0.95) == 0.005


def test_runs_needed():
    values = around(0.5, 0.02, 3)
    found = compare(values, 0.5, matters=0.05)
    assert found.verdict == "undecided" and found.runs_needed > 3
    n = found.runs_needed
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
    with pytest.raises(InputError, match="no entry"):
        delta("loudness", "x", 1, None)


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("m", [1, 5])
def test_verdicts_by_simulation(n, m):
    """Runs spread by s = Δ/8 around a truth that is off by a multiple of Δ from the published system's."""
    rng, matters, trials = np.random.default_rng(n * m), 0.08, 600
    s = matters / 8
    found = {}
    for off in (0, 0.5, 1, 2):
        verdicts = []
        for _ in range(trials):
            theirs = rng.normal(0.5, s, m)
            printed_std = None if m == 1 else float(theirs.std(ddof=1))
            ours = rng.normal(0.5 + off * matters, s, n)
            verdicts.append(
                compare(ours, round(theirs.mean(), 2), std=printed_std, runs=m, matters=matters).verdict
            )  # fmt: skip
        found[off] = {v: verdicts.count(v) / trials for v in ("reproduced", "better", "worse", "undecided")}
    assert found[0]["better"] + found[0]["worse"] <= ALPHA + 0.02  # equal truths seldom differ
    assert found[0.5]["worse"] == 0 and found[0.5]["better"] + found[0.5]["reproduced"] > found[0]["better"]
    assert found[0.5]["reproduced"] <= found[0]["reproduced"]  # the farther off, the less it passes
    assert found[1]["reproduced"] <= ALPHA / 2 + 0.02  # a difference that matters seldom passes
    assert found[2]["reproduced"] == 0 and found[2]["worse"] == 0
    if n >= 5:
        assert found[0]["reproduced"] > 0.75
        assert found[2]["better"] > 0.95


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("m", [1, 5])
def test_overlapping_splits_do_not_break_the_interval(n, m):
    """Every run tests another random part of the same songs, the published ones too: still 95 % of intervals hold."""
    rng, held, trials = np.random.default_rng(0), 0, 600
    for _ in range(trials):
        songs = rng.normal(0.5, 0.15, 200)  # what each song of the one data set contributes
        results = [songs[rng.permutation(200)[:40]].mean() + rng.normal(0, 0.01) for _ in range(n + m)]
        theirs, std = np.mean(results[n:]), float(np.std(results[n:], ddof=1)) if m > 1 else None
        found = compare(results[:n], theirs, std=std, runs=m, digits=6, matters=0.05)
        held += abs(found.d) <= found.w
    assert 0.92 <= held / trials <= 0.98


def test_holm():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])


# A paper made up here: two systems, one cell each.


def cell(identity, variant, value, **more):
    fields = {"id": identity, "variant": variant, "value": value, "system": variant or "other"}
    fields |= {"table": "1", "source": "Table I", "dataset": "songs", "split": "cv", "target": "average", "digits": 2}
    fields |= {"metric": "pearson_r_mean_over_folds", "std": None, "runs": 1, "quoted": False, "primary": True}
    return fields | {"data": True, "alternatives": []} | more


def record(strength, seeds=range(6), songs=120, **facts):
    """Runs of a model whose predictions share `strength` with the reference."""
    reference = np.random.default_rng(5).standard_normal((songs, 2))
    reference = (reference - reference.mean(0)) / reference.std(0)
    known = {
        "n_train": songs,
        "of_train": songs,
        "n_test": songs,
        "of_test": songs,
        "input": "audio",
        "audio": "original",
    }
    known |= {
        "fingerprint": "abc",
        "targets": ["a", "b"],
        "tracks": [str(i) for i in range(songs)],
        "reference_z": reference.tolist(),
    }
    from common.metrics import correlations

    runs = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        estimate = strength * reference + np.random.default_rng(7).standard_normal((songs, 2)) * 0.9
        estimate = estimate + 0.03 * rng.standard_normal((songs, 2))
        fold = np.arange(songs) % 4
        metrics = {"cv": correlations(reference, estimate, fold, ["a", "b"])}
        runs.append({"seed": seed, "metrics": metrics, "fold": fold.tolist(), "predictions": estimate.tolist()})
    return {"settings": {}, "facts": known | facts, "runs": runs}


@pytest.fixture
def paper(tmp_path):
    """Writes records and returns (expected, records)."""

    def make(cells, claims=(), **variants):
        folder = tmp_path / "paper" / "songs"
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in variants.items():
            (folder / f"{name}.json").write_text(json.dumps(content))
        expected = {
            "paper": "paper",
            "trivial_baselines": [],
            "cells": cells,
            "claims": list(claims),
        }
        return expected | {"declared": []}, published.Records(tmp_path, "paper")

    return make


def mean_r(content):
    return float(np.mean([run["metrics"]["cv"]["pearson_r_mean_over_folds"]["average"] for run in content["runs"]]))


def test_join_and_the_strict_check(paper):
    good = record(1.0)
    r = mean_r(good)
    cells = [cell("same", "model", round(r, 2)), cell("far", "model", 0.2), cell("empty", "absent", 0.5)]
    cells += [cell("closed", None, 0.5, data=False)]
    expected, records = paper(cells, model=good)
    joined = published.join(expected, records)
    assert [row.fields["verdict"] for row in joined] == ["reproduced", "better", "not run", "no data"]
    assert list(joined[0].fields) == published.BOARD_KEYS
    assert joined[0].fields["measured"] == pytest.approx(r) and joined[0].fields["record"].endswith(
        "/paper/songs/model.json"
    )
    assert published.check_declared(expected, joined) == [
        "far: better than published, and expected.json does not declare it"
    ]
    said = {"verdict": "better", "cells": ["far"], "cause": "unknown", "evidence": "tried this"}
    assert published.check_declared(expected | {"declared": [said]}, joined) == []
    for wrong, told in [
        (said | {"cells": ["far", "same"]}, "same: declared better, but it is reproduced"),
        (said | {"verdict": "worse"}, "far: better than published"),
        (said | {"evidence": ""}, "far: declared without cause or evidence"),
        (said | {"cells": ["far", "gone"]}, "gone: declared, but there is no such cell"),
    ]:
        failures = published.check_declared(expected | {"declared": [wrong]}, joined)
        assert len(failures) == 1 and failures[0].startswith(told)


def test_what_cannot_be_compared_is_not(paper):
    half = record(1.0, n_train=60, n_test=60)
    expected, records = paper([cell("x", "half", 0.2)], half=half)
    assert published.join(expected, records)[0].fields["verdict"] == "partial"
    for partial, verdict in (
        (False, "stand-in"),
        (True, "partial"),
    ):  # a shortened stand-in does not pass for a whole one
        expected, records = paper([cell("x", "other", 0.2)], other=record(1.0, stand_in=True, partial=partial))
        assert published.join(expected, records)[0].fields["verdict"] == verdict
    expected, records = paper([cell("x", "built", 0.2, quoted=True)], built=record(1.0))
    assert published.join(expected, records)[0].fields["verdict"] == "approximation"


def test_claims(paper):
    def claim(name, **more):
        return {"id": name, "kind": "difference", "statement": name, "dataset": "songs", "split": "cv", "a": "strong",
                "metric": "pearson_r_mean_over_folds", "targets": ["average"], "direction": 1, **more}  # fmt: skip

    strong, weak = record(1.0), record(0.5)
    r = mean_r(strong)
    cells = [cell("equal", None, round(r, 2)), cell("low", None, 0.1)]
    stated = [claim("better", b="weak"), claim("worse", b="weak", direction=-1), claim("equal", b="strong")]
    stated += [
        claim("beats equal", published=["equal"]),
        claim("beats low", published=["low"]),
        claim("not run", b="none"),
    ]
    expected, records = paper(cells, stated, strong=strong, weak=weak)
    found = {c["claim"]: c for c in published.judge_claims(expected, records)}
    verdicts = {name: c["verdict"] for name, c in found.items()}
    assert verdicts == {"better": "holds", "worse": "contradicted", "equal": "undecided", "beats equal": "undecided",
                        "beats low": "holds", "not run": "not run"}  # fmt: skip
    assert found["better"]["difference"] == pytest.approx(mean_r(strong) - mean_r(weak), abs=1e-5)
    assert found["better"]["low"] < found["better"]["difference"] < found["better"]["high"]


def test_claims_are_judged_on_whole_and_matched_runs_only(paper):
    claim = {"id": "c", "kind": "difference", "statement": "c", "dataset": "songs", "a": "strong", "b": "weak",
             "split": "cv", "metric": "pearson_r_mean_over_folds", "targets": ["average"], "direction": 1}  # fmt: skip

    def verdict(strong, weak):
        expected, records = paper([], [claim], strong=strong, weak=weak)
        found = published.judge_claims(expected, records)[0]
        return found["verdict"], found["p"]

    assert verdict(record(1.0), record(0.5))[0] == "holds"
    assert verdict(record(1.0, seeds=[0]), record(0.5)) == ("undecided", None)
    assert verdict(record(1.0, seeds=[0, 1]), record(0.5, seeds=[2, 3])) == ("undecided", None)
    assert verdict(record(1.0, partial=True), record(0.5)) == ("partial", None)
    with pytest.raises(InputError, match="not run on the same data"):
        verdict(record(1.0), record(0.5, tracks=[f"other {i}" for i in range(120)]))
    other_folds = record(0.5)
    for run in other_folds["runs"]:
        run["fold"] = run["fold"][::-1]
    with pytest.raises(InputError, match="not run on the same data and folds"):
        verdict(record(1.0), other_folds)


def test_claims_about_another_input(paper):
    """Two arms that hear the same are compared; with a published number nothing is that hears something else."""
    heard_otherwise = {"one": record(1.0, stand_in=True), "other": record(0.5, stand_in=True)}
    claim = {"kind": "difference", "statement": "c", "dataset": "songs", "a": "one", "split": "cv",
             "metric": "pearson_r_mean_over_folds", "targets": ["average"], "direction": 1}  # fmt: skip
    claims = [claim | {"id": "arms", "b": "other"}, claim | {"id": "published", "published": ["x"]}]
    expected, records = paper([cell("x", None, 0.1)], claims, **heard_otherwise)
    arms, against = published.judge_claims(expected, records)
    assert arms["verdict"] == "holds" and 0 < arms["p"] < ALPHA
    assert arms["difference"] == pytest.approx(
        mean_r(heard_otherwise["one"]) - mean_r(heard_otherwise["other"]), abs=1e-5
    )
    assert (against["verdict"], against["p"], against["difference"]) == ("stand-in", None, None)
    expected, records = paper([cell("x", None, 0.1)], claims, one=record(1.0))
    assert published.judge_claims(expected, records)[1]["verdict"] == "holds"


def test_a_cell_shows_what_stands_in_until_its_variant_is_recorded(paper):
    cells = [cell("x", "model", 0.2, stand_in=["songs", "model_260"]), cell("y", "model", 0.2)]
    seen = []
    for variants in ({}, {"model_260": record(1.0, stand_in=True)}, {"model": record(1.0)}):
        rows = published.join(*paper(cells, **variants))
        seen.append([(row.fields["variant"], row.fields["verdict"], row.fields["runs"]) for row in rows])
    assert seen[0][0][1:] == ("not run", 0)
    assert seen[1] == [("model_260", "stand-in", 6), ("model", "not run", 0)]
    assert seen[2] == [("model", "better", 6)] * 2


def classified(chance, seeds=range(8), songs=150, **facts):
    """Runs that tell three classes apart, right in 1 - `chance` of the songs that they test, a third of all."""
    reference, runs = np.arange(songs) % 3, []
    for seed in seeds:
        split, rng = np.random.default_rng(seed), np.random.default_rng([seed, int(100 * chance)])
        tested = split.random(songs) < 1 / 3
        guess = np.where(rng.random(songs) < chance, rng.integers(0, 3, songs), reference)
        found = metrics.classification(reference[tested], guess[tested], ["a", "b", "c"])
        runs.append({"seed": seed, "fold": (~tested).astype(int).tolist(), "metrics": {"test": found},
                     "predicted": {"test": np.where(tested, guess, -1).tolist()}})  # fmt: skip
    known = record(1.0)["facts"] | {"targets": ["a", "b", "c"], "reference": reference.tolist()}
    known["tracks"] = [f"song {i}" for i in range(songs)]
    return {"settings": {}, "facts": known | facts, "runs": runs}


def test_resampling_each_song_once_gives_the_metrics_of_classes():
    content = classified(0.4)
    for metric in ("accuracy", "precision", "recall", "f1"):
        found = published.RESAMPLED[metric](content, "test", np.ones((1, 150)))
        for run, values in zip(content["runs"], found, strict=True):
            assert values[0] == pytest.approx(list(run["metrics"]["test"][metric].values()), abs=1e-5)


def test_random_splits_share_songs(paper):
    """Nadeau and Bengio: the variance of a mean over n splits is (1 / n + tested / trained) s², not s² / n."""
    claim = {"id": "c", "kind": "difference", "statement": "c", "dataset": "songs", "a": "one", "b": "other",
             "split": "test", "metric": "accuracy", "targets": ["all"], "direction": 1}  # fmt: skip
    arms = {"one": classified(0.5, overlap=0.5), "other": classified(0.6, overlap=0.5)}
    expected, records = paper([], [claim], **arms)
    found = published.judge_claims(expected, records)[0]
    each = [[run["metrics"]["test"]["accuracy"]["all"] for run in arm["runs"]] for arm in arms.values()]
    differences = np.subtract(*each)
    half = stats.t.ppf(0.975, 7) * differences.std(ddof=1) * np.sqrt(1 / 8 + 0.5)
    assert found["difference"] == pytest.approx(differences.mean(), abs=1e-9)
    assert (found["high"] - found["low"]) / 2 == pytest.approx(half, rel=0.01)


def test_claims_about_one_class_against_others(paper):
    claim = {"id": "c", "kind": "difference", "statement": "c", "dataset": "songs", "a": "one", "b": "one",
             "split": "test", "metric": "recall",
             "targets": ["a"], "targets_b": ["b", "c"], "direction": 1}  # fmt: skip
    content = classified(0.5)
    for run in content["runs"]:  # class a is always told
        guess, reference = np.array(run["predicted"]["test"]), np.arange(150) % 3
        guess[(guess >= 0) & (reference == 0)] = 0
        tested = guess >= 0
        run["predicted"]["test"] = guess.tolist()
        run["metrics"]["test"] = metrics.classification(reference[tested], guess[tested], ["a", "b", "c"])
    found = published.judge_claims(*paper([], [claim], one=content))[0]
    assert found["verdict"] == "holds" and 0.2 < found["difference"] < 0.5


def test_resampling_each_song_once_gives_the_metric():
    content = record(1.0, seeds=range(2))
    found = published.resampled_r(content, "cv", np.ones((1, 120)))
    for run, values in zip(content["runs"], found, strict=True):
        expected = run["metrics"]["cv"]["pearson_r_mean_over_folds"]
        assert values[0] == pytest.approx([expected["a"], expected["b"]], abs=1e-5)


# Dynamic labels: what is kept of a song are its moments.


def dynamic_record(offset=0.0, songs=40, seeds=range(4), **facts):
    """Runs on songs of unequal length whose estimates are off by noise and by `offset`, a number or one a song."""
    rng, runs = np.random.default_rng(5), []
    courses = [rng.uniform(-0.5, 0.5, (n, 2)) for n in rng.integers(10, 60, songs)]
    noise = [0.2 * rng.standard_normal(course.shape) for course in courses]
    for seed in seeds:
        shifts = offset + 0.005 * np.random.default_rng(seed).standard_normal(songs)
        moments = [metrics.song_moments(y, y + e + s).tolist() for y, e, s in zip(courses, noise, shifts, strict=True)]
        kept = {"frames": [len(y) for y in courses], "moments": moments}
        runs.append({"seed": seed, "metrics": {"test": metrics.dynamic(kept, ["a", "b"])}, "songs": {"test": kept}})
    known = {"n_train": 100, "of_train": 100, "n_test": songs, "of_test": songs, "input": "audio", "audio": "original"}
    known |= {"fingerprint": "abc", "targets": ["a", "b"], "tracks": [str(i) for i in range(songs)]}
    return {"settings": {}, "facts": known | facts, "runs": runs}


def judge_rmse(paper, a, b, **more):
    """One claim, that a's error is lower."""
    claim = {"id": "c", "kind": "difference", "statement": "c", "dataset": "songs", "split": "test", "a": "one",
             "b": "other", "metric": "rmse_pooled", "targets": ["average"], "direction": -1}  # fmt: skip
    expected, records = paper([], [claim | more], one=a, other=b)
    return published.judge_claims(expected, records)[0]


def test_a_single_song_has_students_t_over_the_runs(paper):
    """Few runs that agree by chance do not decide; without any effect 5 % of the claims are decided."""
    rng, decided = np.random.default_rng(3), 0
    offsets = 0.02 * rng.standard_normal((150, 2, 3))
    for a, b in offsets:
        arms = [dynamic_record(songs=1, seeds=range(3)) for _ in range(2)]
        for record, values in zip(arms, (a, b), strict=True):
            for run, value in zip(record["runs"], values, strict=True):
                run["metrics"]["test"]["rmse_pooled"] |= {"a": 0.2 + value, "b": 0.2 + value}
        decided += judge_rmse(paper, *arms)["verdict"] != "undecided"
    assert 1 <= decided <= 17  # of 150


def test_resampled_runs_spread_as_runs_do():
    draws = np.repeat(np.array([[1.0], [2.0], [4.0]]), 20_000, axis=1)
    found = published._means_of_runs(draws, np.random.default_rng(0).integers(0, 3, (20_000, 3)))
    assert found.mean() == pytest.approx(7 / 3, abs=0.02)
    assert found.var() == pytest.approx(np.var([1, 2, 4], ddof=1) / 3, rel=0.05)


def test_the_suites_own_questions_are_a_family_of_their_own(paper):
    claim = {"kind": "difference", "statement": "c", "dataset": "songs", "split": "test", "a": "one", "b": "other",
             "metric": "rmse_pooled", "targets": ["average"], "direction": -1}  # fmt: skip
    arms = {"one": dynamic_record(), "other": dynamic_record(0.5)}

    def p(own):
        claims = [claim | {"id": str(k)} | ({"own": True} if k in own else {}) for k in range(4)]
        return [found["p"] for found in published.judge_claims(*paper([], claims, **arms))]

    [lowest] = {round(4 * value / 4, 6) for value in p([])}
    assert p([0]) == pytest.approx([lowest / 4, *[3 * lowest / 4] * 3])


def test_an_arm_is_the_mean_of_its_variants(paper):
    arms = {"one": dynamic_record(), "two": dynamic_record(0.3), "other": dynamic_record(0.5)}
    claim = {"id": "c", "kind": "difference", "statement": "c", "dataset": "songs", "split": "test",
             "a": ["one", "two"], "b": "other", "metric": "rmse_pooled", "targets": ["average"],
             "direction": -1}  # fmt: skip
    singles = [claim | {"a": name} for name in ("one", "two")]
    pooled, *each = published.judge_claims(*paper([], [claim, *singles], **arms))
    assert pooled["difference"] == pytest.approx(np.mean([found["difference"] for found in each]))
    assert min(e["low"] for e in each) < pooled["low"] < pooled["high"] < max(e["high"] for e in each)
    assert pooled["record"].endswith("songs/one.json")


@pytest.mark.parametrize(
    ("within", "verdict"), [([0, 0.3], "holds"), ([0.5, 1], "contradicted"), ([0.2, 1], "undecided")]
)
def test_one_arm_within_bounds(paper, within, verdict):
    claim = {"id": "c", "kind": "bounds", "statement": "c", "dataset": "songs", "split": "test", "a": "one",
             "metric": "rmse_pooled", "targets": ["average"], "within": within}  # fmt: skip
    [found] = published.judge_claims(*paper([], [claim], one=dynamic_record()))
    assert (found["verdict"], found["p"]) == (verdict, None) and found["low"] < found["difference"] < found["high"]


def test_rmse_on_resampled_songs_is_that_of_their_frames():
    errors = [np.array([0.1, -0.3, 0.2]), np.array([0.5, 0.5]), np.array([0.0, 0.1, -0.1, 0.2])]
    moments = [metrics.song_moments(np.linspace(0, 1, len(e)), np.linspace(0, 1, len(e)) + e) for e in errors]
    content = {"runs": [{"songs": {"test": {"frames": [3, 2, 4], "moments": moments}}}]}
    drawn = np.array([[1, 1, 1], [0, 3, 0], [2, 0, 1]])
    found = published.RESAMPLED["rmse_pooled"](content, "test", drawn.astype(float))
    assert found.shape == (1, 3, 1)
    for times, value in zip(drawn, found[0, :, 0], strict=True):
        frames = np.concatenate([e for e, n in zip(errors, times, strict=True) for _ in range(n)])
        assert value == pytest.approx(np.sqrt(np.mean(frames**2)))


OF_SONGS = ("rmse_pooled", "r2_pooled", "mae_pooled", "kendall_tau_per_song", "share_within_.05")


@pytest.mark.parametrize("metric", OF_SONGS)
def test_metrics_on_resampled_songs_are_those_of_the_songs(metric):
    """Each song once, and some twice and others not at all; one has no tau."""
    rng, courses = np.random.default_rng(3), []
    for number, n in enumerate([20, 61, 7, 61, 33]):
        y = rng.uniform(-0.4, 0.4, 2) + 0.2 * rng.standard_normal((n, 2))
        courses.append((y, y + (0.05 if number % 2 else 0.4) * rng.uniform(-1, 1, (n, 2))))
    courses[2][1][:, 1] = 0.1
    content = {"runs": [{"songs": {"test": metrics.of_songs(*zip(*courses, strict=True))}}]}
    drawn = np.array([[1, 1, 1, 1, 1], [0, 3, 1, 1, 0], [2, 0, 2, 0, 1], [0, 0, 1, 2, 0]])
    found = published.RESAMPLED[metric](content, "test", drawn.astype(float))
    assert found.shape == (1, 4, 2)
    for times, values in zip(drawn, found[0], strict=True):
        repeated = [course for course, n in zip(courses, times, strict=True) for _ in range(n)]
        expected = metrics.dynamic(metrics.of_songs(*zip(*repeated, strict=True)), ["a", "b"])[metric]
        assert list(values) == pytest.approx([expected["a"], expected["b"]], abs=1.1e-5)


ODD = 0.2 * (np.arange(40) % 2)


@pytest.mark.parametrize(
    ("one", "other", "verdict"), [(0, 0.2, "holds"), (0.2, 0, "contradicted"), (ODD, 0.2 - ODD, "undecided")]
)
def test_differences_of_rmse(paper, one, other, verdict):
    arms = dynamic_record(one), dynamic_record(other)
    found = judge_rmse(paper, *arms)
    observed = [np.mean([run["metrics"]["test"]["rmse_pooled"]["average"] for run in arm["runs"]]) for arm in arms]
    assert found["difference"] == pytest.approx(observed[0] - observed[1], abs=1e-5)
    assert found["verdict"] == verdict and found["low"] < found["difference"] < found["high"]


def test_songs_of_one_artist_are_drawn_together(paper):
    """A difference that is the artist's, not the song's, is known from 8 artists, not from 40 songs."""
    offset = np.repeat(np.random.default_rng(0).uniform(0, 0.5, 8), 5)
    widths = {}
    for name, artists in {
        "songs": {}, "alone": {"artists": [f"singer {i}" for i in range(40)]},
        "artists": {"artists": [f"band {i // 5}" for i in range(40)]}, "one": {"artists": ["a choir"] * 40},
    }.items():  # fmt: skip
        found = judge_rmse(paper, dynamic_record(**artists), dynamic_record(offset, **artists))
        widths[name] = found["high"] - found["low"]
    assert widths["songs"] == widths["alone"] > 5 * widths["one"]  # of one artist only the runs are left
    assert widths["artists"] > 1.4 * widths["songs"]


@pytest.mark.parametrize(
    ("offset", "within", "verdict"),
    [(0.0, 0.02, "holds"), (0.02, 0.02, "holds"), (0.4, 0.02, "contradicted"), (0.08, 0.02, "undecided")],
)
def test_equivalence(paper, offset, within, verdict):
    """Holds only if the whole interval lies within; whether it spans 0 does not matter, and no p is adjusted."""
    offset = offset * np.random.default_rng(0).uniform(0, 2, 40)
    found = judge_rmse(paper, dynamic_record(), dynamic_record(offset), kind="equivalence", within=within)
    inside = -within <= found["low"] and found["high"] <= within
    outside = found["high"] < -within or found["low"] > within
    assert (found["verdict"], found["p"]) == (verdict, None)
    assert (inside, outside) == (verdict == "holds", verdict == "contradicted")


def test_equivalence_takes_no_part_in_holms_adjustment(paper):
    claim = {"statement": "c", "dataset": "songs", "split": "test", "a": "one", "b": "other", "metric": "rmse_pooled",
             "targets": ["average"], "direction": -1, "within": 0.02}  # fmt: skip
    stated = [claim | {"id": kind, "kind": kind} for kind in ("difference", "equivalence")]
    found = []
    for claims_of_paper in (stated, stated[:1]):
        expected, records = paper([], claims_of_paper, one=dynamic_record(), other=dynamic_record(0.06))
        found.append(published.judge_claims(expected, records)[0])
    assert found[0] == found[1]


def test_what_a_split_covers(paper):
    """Facts of the split, not of the record; part of the frames compares with no published number, but arms do."""
    splits = {"test": {"n_test": 40, "of_test": 58, "frames": "4 of 9 labels"}, "other": {"n_test": 3}}
    one, other = dynamic_record(splits=splits), dynamic_record(0.2, splits=splits)
    found = judge_rmse(paper, one, other)
    assert (found["on"], found["verdict"]) == ("40 of 58 songs (4 of 9 labels)", "holds")
    few = dynamic_record(seeds=[0], splits=splits)
    assert judge_rmse(paper, few, other) | {"record": None} == dict.fromkeys(published.CLAIM_KEYS) | {
        "paper": "paper", "claim": "c", "statement": "c", "on": "40 of 58 songs (4 of 9 labels); one run has no spread",
        "verdict": "undecided",
    }  # fmt: skip
    splits = {"test": {"frames": "4 of 9 labels"}}
    cells = [cell("x", "one", 0.2, split="test", metric="rmse_pooled")]
    for facts, verdict in ((splits["test"], "partial"), ({}, "reproduced")):
        expected, records = paper(cells, one=dynamic_record(splits={"test": facts}))
        row = published.join(expected, records)[0]
        assert (row.fields["verdict"], row.fields["frames"]) == (verdict, facts.get("frames"))


# What is recorded.


@pytest.fixture(scope="module")
def board():
    return rows(ROOT / "results")


@pytest.mark.parametrize("expected", papers(), ids=lambda e: e["paper"])
def test_every_difference_is_declared(board, expected):
    """The strict test: a `worse` or `better` that expected.json does not declare fails, and so does the reverse."""
    assert published.check_declared(expected, [row for row in board if row.fields["paper"] == expected["paper"]]) == []


def test_no_record_mixes_identities():
    """Runs of one record come from the same code, libraries and features, or a verification found them alike."""
    paths = [
        path for path in (ROOT / "results").glob("*/*/*.json") if path.parent.name not in ("weights", "benchmarks")
    ]
    mixed = {path.name: names for path in paths if (names := mixture(read_record(path)))}
    assert len(paths) > 100 and not mixed


def test_a_mixture_of_identities_is_named(paper):
    """In the table of cells, next to the number of runs."""
    model = record(1.0)
    for run, name in zip(model["runs"], "ababab", strict=True):
        run["identity"] = name
    verified = {"equivalent": [{"identities": ["a", "b"], "date": "2026-01-01"}]}
    for content, shown in [(record(1.0), "6"), (model, "6 of 2 identities"), (model | verified, "6")]:
        expected, records = paper([cell("x", "model", 0.5)], model=content)
        (row,) = published.join(expected, records)
        assert [line.split("|")[6].strip() for line in report.board([row], report.markdown_table).splitlines()
                if line.startswith("| model ")] == [shown]  # fmt: skip


def test_ids_are_unique_over_all_papers(board):
    ids = [(row.fields["paper"], row.fields["cell"]) for row in board]
    assert len(set(ids)) == len(ids)


def test_records_follow_from_their_predictions():
    from common.metrics import correlations, dynamic

    checked = 0
    for path in sorted((ROOT / "results").glob("*/*/*.json")):
        content = json.loads(path.read_text())
        assert path.stat().st_size < 1_000_000, path
        for run in content.get("runs", []):
            if "predictions" in run and "reference_z" in content["facts"]:
                facts = content["facts"]
                again = correlations(facts["reference_z"], run["predictions"], run["fold"], facts["targets"])
                assert [again] == list(run["metrics"].values()), (path, run["seed"])
                checked += 1
            for split, songs in run.get("songs", {}).items():
                again = dynamic(songs, content["facts"]["targets"])
                for metric, values in run["metrics"][split].items():
                    assert again[metric] == pytest.approx(values, abs=2e-5), (path, run["seed"], metric)
                checked += 1
            assert {"finished", "commit", "backend", "device", "versions"} <= run["provenance"].keys()
    assert checked > 0


def test_claims_are_judged():
    found = claims(ROOT / "results")
    assert all(list(claim) == published.CLAIM_KEYS for claim in found)
    untested = {"not run", "no data", "partial", "stand-in"}
    assert {claim["verdict"] for claim in found} <= {"holds", "contradicted", "undecided"} | untested


def test_readmes_are_not_stale():
    for path, text in generated(ROOT / "results").items():
        assert path.read_text() == text, f"{path} is stale: python -m reproductions --write"
