"""Claims on cases where the right verdict is known, and their metrics on songs that are left out."""

import json
from itertools import product

import numpy as np
import pytest
from scipy import stats

from common import metrics
from common.errors import InputError
from common.verdict.board import join
from common.verdict.cells import ALPHA, half_width
from common.verdict.claims import holm, judge_claims, p_and_side
from common.verdict.crossed import Estimate, estimate, satterthwaite, standard_error
from common.verdict.resampling import METRICS, leaving_out
from tests.benchmarks.claims import METRICS as METRICS_OF_NOISE
from tests.benchmarks.claims import RUNS, SHARES, SONGS, level_and_power
from tests.conftest import ROOT
from tests.made_up import cell, classified, dynamic_record, mean_r, record


def test_holm():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == holm([0.6, 0.9]) == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("mean", "margin", "errors", "side"),
    [(0.5, 0.1, 4, "holds"), (0.3, 0.1, 2, "holds"), (0.7, 0.1, 2, "holds"), (0.7, 0, 3, "holds"),
     (1.5, 0.1, 4, "contradicted"), (-0.3, 0.1, 2, "contradicted"), (-0.3, 0, 3, "contradicted")],
)  # fmt: skip
def test_p_of_lying_within_a_range(mean, margin, errors, side):
    """Between 0 and 1, with a standard error of .1: by how many errors the mean is beyond the nearer bound."""
    result = Estimate(np.float64(mean), np.float64(0.01), np.float64(9))
    expected = 2 * stats.t.sf(errors, 9), side
    for p, verdict in [p_and_side(result, (0, 1), margin), *([p_and_side(result, (0, 1))] if not margin else [])]:
        assert (p, verdict) == (pytest.approx(expected[0]), side)
    assert p_and_side(Estimate(np.float64(0), np.float64(0.01), np.float64(9)), (0, 1), 0.1)[0] == 1


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
    result = {c["claim"]: c for c in judge_claims(expected, records)}
    verdicts = {name: c["verdict"] for name, c in result.items()}
    assert verdicts == {"better": "holds", "worse": "contradicted", "equal": "undecided", "beats equal": "undecided",
                        "beats low": "holds", "not run": "not run"}  # fmt: skip
    assert result["better"]["difference"] == pytest.approx(mean_r(strong) - mean_r(weak), abs=1e-5)
    assert result["better"]["low"] < result["better"]["difference"] < result["better"]["high"]
    assert {(c["paper"], c["statement"] == name) for name, c in result.items()} == {("paper", True)}
    assert {c["record"].endswith("/paper/songs/strong.json") for c in result.values()} == {True}


def test_against_published_numbers(paper):
    """One more run of our spread, known to half a unit of its last digit: Student's t where there is one artist."""
    content = dynamic_record(artists=["a choir"] * 40)
    claim = {"id": "c", "kind": "difference", "statement": "c", "dataset": "songs", "split": "test", "a": "one",
             "metric": "rmse_pooled", "targets": ["average"], "direction": -1, "published": ["x", "y"]}  # fmt: skip
    values = [np.mean([run["metrics"]["test"]["rmse_pooled"][t] for t in "ab"]) for run in content["runs"]]
    cells = [cell("x", None, np.mean(values) + 0.06), cell("y", None, np.mean(values) + 0.04, digits=3)]
    [result] = judge_claims(*paper(cells, [claim], one=content))
    margin, error = (0.005 + 0.0005) / 2, np.std(values, ddof=1) * np.sqrt(1 / 4 + 1)
    half = stats.t.ppf(0.975, 3) * error + margin
    assert result["difference"] == pytest.approx(-0.05)
    assert [result["low"], result["high"]] == pytest.approx([-0.05 - half, -0.05 + half])
    assert result["p"] == pytest.approx(2 * stats.t.sf((0.05 - margin) / error, 3))


def test_the_interval_is_that_of_songs_left_out_one_by_one(paper):
    arms = [dynamic_record(songs=8, seeds=range(3)), dynamic_record(np.linspace(0, 0.2, 8), songs=8, seeds=range(3))]

    def rmse(run, without=()):
        kept = {
            key: [value for song, value in enumerate(values) if song not in without]
            for key, values in run["songs"]["test"].items()
        }
        return np.mean([metrics.dynamic(kept, ["a", "b"])["rmse_pooled"][target] for target in "ab"])

    songs = [[[rmse(run, [song]) for song in range(8)] for run in arm["runs"]] for arm in arms]
    expected = estimate(np.subtract(*([rmse(run) for run in arm["runs"]] for arm in arms)), np.subtract(*songs))
    result = judge_rmse(paper, *arms)
    assert result["difference"] == pytest.approx(expected.mean)
    assert result["high"] - result["low"] == pytest.approx(2 * expected.half_width(0.95), rel=1e-3)


def test_claims_on_what_is_not_there(paper):
    """`no data` if the variant's cells have none, `not run` else; also where a split is not recorded."""
    claim = {"id": "c", "kind": "difference", "statement": "c", "dataset": "songs", "split": "test", "a": "one",
             "metric": "rmse_pooled", "targets": ["average"], "direction": 1}  # fmt: skip
    cells = [cell("x", "closed", 0.5, data=False), cell("y", "later", 0.5)]
    claims = [claim | more for more in ({"b": "later"}, {"b": "closed"}, {"b": "closed", "stand_ins": ["other songs"]},
                                        {"split_b": "cuts", "b": "one"}, {"a": "later"})]  # fmt: skip
    result = judge_claims(*paper(cells, claims, one=dynamic_record(splits={"test": {}})))
    assert [claim["verdict"] for claim in result] == ["not run", "no data", "not run", "not run", "not run"]
    assert [claim["record"] is None for claim in result] == [False, False, True, False, True]


def test_claims_are_judged_on_other_data_until_all_variants_are_recorded(paper):
    claim = {"id": "c", "kind": "difference", "statement": "c", "dataset": "songs", "split": "test", "a": "one",
             "b": "two", "metric": "rmse_pooled", "targets": ["average"], "direction": -1,
             "stand_ins": ["none", "other songs"]}  # fmt: skip
    expected, records = paper([], [claim], one=dynamic_record())
    path = records.path("other songs", "one").parent
    path.mkdir()
    for name, offset in (("one", 0), ("two", 0.5)):
        (path / f"{name}.json").write_text(json.dumps(dynamic_record(offset)))
    result = judge_claims(expected, records)[0]
    assert result["verdict"] == "holds" and result["record"].endswith("/other songs/one.json")
    result = judge_claims(*paper([], [claim], one=dynamic_record(0.5), two=dynamic_record()))[0]
    assert result["verdict"] == "contradicted" and result["record"].endswith("/songs/one.json")


def test_a_split_against_another(paper):
    content, cuts = dynamic_record(0.3), dynamic_record()
    for run, other in zip(content["runs"], cuts["runs"], strict=True):
        run["metrics"]["cuts"], run["songs"]["cuts"] = other["metrics"]["test"], other["songs"]["test"]
    result = judge_rmse(paper, content, None, b="one", split_b="cuts")
    means = [
        np.mean([run["metrics"][split]["rmse_pooled"]["average"] for run in content["runs"]])
        for split in ("test", "cuts")
    ]
    assert result["verdict"] == "contradicted" and result["difference"] == pytest.approx(means[0] - means[1], abs=1e-5)


def test_a_benchmark_is_judged_by_its_interval(paper):
    claim = {"id": "c", "kind": "benchmark", "statement": "c", "dataset": "benchmarks", "a": "time",
             "within": [0.9, 1.1], "direction": 1}  # fmt: skip
    expected, records = paper([], [claim])
    path = records.path("benchmarks", "time")
    assert judge_claims(expected, records)[0]["verdict"] == "not run"
    path.parent.mkdir()
    path.write_text(json.dumps({"estimate": 1.02, "low": 0.98, "high": 1.06, "seconds": [1] * 10}))
    [result] = judge_claims(expected, records)
    assert [result[key] for key in ("difference", "low", "high")] == pytest.approx([1.02, 0.98, 1.06])
    assert result["verdict"] == "holds" and result["record"].endswith("/benchmarks/time.json")
    assert result["p"] == pytest.approx(2 * stats.t.sf(0.08 / (0.04 / stats.t.ppf(0.975, 8)), 8))
    path.write_text(json.dumps({"estimate": 1.02}))
    with pytest.raises(InputError):
        judge_claims(expected, records)


def test_claims_are_judged_on_whole_and_matched_runs_only(paper):
    claim = {"id": "c", "kind": "difference", "statement": "c", "dataset": "songs", "a": "strong", "b": "weak",
             "split": "cv", "metric": "pearson_r_mean_over_folds", "targets": ["average"], "direction": 1}  # fmt: skip

    def verdict(strong, weak):
        expected, records = paper([], [claim], strong=strong, weak=weak)
        result = judge_claims(expected, records)[0]
        return result["verdict"], result["p"]

    assert verdict(record(1.0), record(0.5))[0] == "holds"
    assert verdict(record(1.0, seeds=range(3)), record(0.5))[0] == "holds"  # three runs may
    assert verdict(record(1.0, seeds=[0]), record(0.5)) == ("undecided", None)
    assert verdict(record(1.0, seeds=[0, 1]), record(0.5)) == ("undecided", None)  # two runs decide no claim
    assert verdict(record(1.0, seeds=[0, 1]), record(0.5, seeds=[2, 3])) == ("undecided", None)
    assert verdict(record(1.0, partial=True), record(0.5)) == ("partial", None)
    shared = []
    for seeds in ([0, 1], [2, 3]):
        arms = {"strong": record(1.0, seeds=[0, 1]), "weak": record(0.5, seeds=seeds)}
        shared.append(judge_claims(*paper([], [claim], **arms))[0]["difference"])
    assert shared[1] is None
    assert shared[0] == pytest.approx(mean_r(record(1.0, seeds=[0, 1])) - mean_r(record(0.5, seeds=[0, 1])), abs=1e-5)
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
    arms, against = judge_claims(expected, records)
    assert arms["verdict"] == "holds" and 0 < arms["p"] < ALPHA
    assert arms["difference"] == pytest.approx(
        mean_r(heard_otherwise["one"]) - mean_r(heard_otherwise["other"]), abs=1e-5
    )
    assert (against["verdict"], against["p"], against["difference"]) == ("stand-in", None, None)
    expected, records = paper([cell("x", None, 0.1)], claims, one=record(1.0))
    assert judge_claims(expected, records)[1]["verdict"] == "holds"


def test_resampling_each_song_once_gives_the_metrics_of_classes():
    content = classified(0.4)
    for metric in ("accuracy", "precision", "recall", "f1"):
        result = METRICS[metric](content, "test", np.ones((1, 150)))
        for run, values in zip(content["runs"], result, strict=True):
            assert values[0] == pytest.approx(list(run["metrics"]["test"][metric].values()), abs=1e-5)


def test_random_splits_share_songs(paper):
    """Nadeau and Bengio: the variance of a mean over n splits is (1 / n + tested / trained) s², not s² / n."""
    claim = {"id": "c", "kind": "difference", "statement": "c", "dataset": "songs", "a": "one", "b": "other",
             "split": "test", "metric": "accuracy", "targets": ["all"], "direction": 1}  # fmt: skip
    arms = {"one": classified(0.5, overlap=0.5), "other": classified(0.6, overlap=0.5)}
    expected, records = paper([], [claim], **arms)
    result = judge_claims(expected, records)[0]
    each = [[run["metrics"]["test"]["accuracy"]["all"] for run in arm["runs"]] for arm in arms.values()]
    differences = np.subtract(*each)
    half = stats.t.ppf(0.975, 7) * differences.std(ddof=1) * np.sqrt(1 / 8 + 0.5)
    assert result["difference"] == pytest.approx(differences.mean(), abs=1e-9)
    assert (result["high"] - result["low"]) / 2 == pytest.approx(half, rel=0.01)


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
    result = judge_claims(*paper([], [claim], one=content))[0]
    assert result["verdict"] == "holds" and 0.2 < result["difference"] < 0.5


def test_resampling_each_song_once_gives_the_metric():
    content = record(1.0, seeds=range(2))
    result = METRICS["pearson_r_mean_over_folds"](content, "cv", np.ones((1, 120)))
    for run, values in zip(content["runs"], result, strict=True):
        expected = run["metrics"]["cv"]["pearson_r_mean_over_folds"]
        assert values[0] == pytest.approx([expected["a"], expected["b"]], abs=1e-5)


def test_r_on_resampled_songs_is_that_of_the_songs():
    """However far the predictions of a target are from 0; where fewer than two songs of a fold are left, its r is 0."""
    content, rng = record(0.5, seeds=range(2), songs=40), np.random.default_rng(0)
    drawn, fold = rng.integers(0, 3, (6, 40)), np.arange(40) % 4
    drawn[4:, fold == 0] = 0
    drawn[5, 8] = 1
    reference = np.array(content["facts"]["reference_z"])
    for run in content["runs"]:
        run["predictions"] = np.add(run["predictions"], [1e6, -1e6]).tolist()
    result = METRICS["pearson_r_mean_over_folds"](content, "cv", drawn.astype(float))
    assert result.shape == (2, 6, 2)
    for run, of_run in zip(content["runs"], result, strict=True):
        for times, values in zip(drawn, of_run, strict=True):
            i = np.repeat(np.arange(40), times * ((fold > 0) | (times.sum(where=fold == 0) > 1)))
            folds = len(set(fold[i]))
            r = metrics.pearson_r_mean_over_folds(reference[i], np.array(run["predictions"])[i], fold[i])
            assert values == pytest.approx(r * folds / 4, abs=1e-7) and folds in (3, 4)


def judge_rmse(paper, one, other, **more):
    """One claim, that the error of one is lower than that of the other."""
    claim = {"id": "c", "kind": "difference", "statement": "c", "dataset": "songs", "split": "test", "a": "one",
             "b": "other", "metric": "rmse_pooled", "targets": ["average"], "direction": -1}  # fmt: skip
    expected, records = paper([], [claim | more], one=one, **({"other": other} if other else {}))
    return judge_claims(expected, records)[0]


def test_a_single_song_has_students_t_over_the_runs(paper):
    """Few runs that agree by chance do not decide; without any effect 5 % of the claims are decided."""
    rng, decided = np.random.default_rng(3), 0
    offsets = 0.02 * rng.standard_normal((150, 2, 3))
    for a, b in offsets:
        arms = [dynamic_record(songs=1, seeds=range(3)) for _ in range(2)]
        for arm, values in zip(arms, (a, b), strict=True):
            for run, value in zip(arm["runs"], values, strict=True):
                run["metrics"]["test"]["rmse_pooled"] |= {"a": 0.2 + value, "b": 0.2 + value}
        decided += judge_rmse(paper, *arms)["verdict"] != "undecided"
    assert 1 <= decided <= 17  # of 150


def mean_squares(table):
    """Of runs, songs and their interaction: a textbook's analysis of variance of (runs, songs)."""
    n, songs = table.shape
    runs, of_songs = table.mean(1) - table.mean(), table.mean(0) - table.mean()
    rest = table - table.mean(1)[:, None] - of_songs
    parts = songs * (runs**2).sum(), n * (of_songs**2).sum(), (rest**2).sum()
    return [part / df for part, df in zip(parts, (n - 1, songs - 1, (n - 1) * (songs - 1)), strict=True)]


def without_each(table):
    return (table.sum(1, keepdims=True) - table) / (table.shape[1] - 1)


@pytest.mark.parametrize("songs", [30, 2])
def test_a_mean_is_estimated_by_the_crossed_analysis_of_variance(songs):
    rng, n = np.random.default_rng(0), 4
    table = rng.normal(0, 0.3, (n, 1)) + rng.normal(0, 1, songs) + rng.normal(0, 1, (n, songs))
    result = estimate(table.mean(1), without_each(table))
    runs, of_songs, rest = np.array(mean_squares(table)) / table.size
    assert of_songs > rest
    assert result.mean == pytest.approx(table.mean()) and result.variance == pytest.approx(runs + of_songs - rest)
    few = runs * 5 / 3
    parts = few**2 / 3 + of_songs**2 / (songs - 1) + rest**2 / (3 * (songs - 1))
    assert result.df == pytest.approx(max((few + of_songs - rest) ** 2 / parts, min(n, songs) - 1))


def test_single_precision_is_estimated_in_double():
    rng = np.random.default_rng(0)
    single = [(1000 + rng.random(shape)).astype("float32") for shape in (3, (3, 8))]
    assert estimate(*single) == estimate(*(values.astype(float) for values in single))


def test_standard_error_of_random_splits():
    values = [0.1, 0.4, 0.3]
    for overlap in (0, 0.25):
        assert standard_error(values, overlap) == pytest.approx(np.std(values, ddof=1) * np.sqrt(1 / 3 + overlap))


def test_special_cases_of_the_crossed_analysis():
    """Without songs, or where songs vary less than chance: Student's t over the runs, which the cells have too."""
    runs = np.array([0.1, 0.4, 0.2])
    balanced = runs[:, None] + np.array([[1, -1], [-1, 1], [0, 0]])  # no song is better than the other
    for left_out in (None, runs[:, None], without_each(balanced)):
        result = estimate(runs, left_out)
        assert (result.variance, result.df) == (pytest.approx(runs.var(ddof=1) / 3), 2)
    half = estimate(runs, against_one_run=True).half_width(0.95)
    assert half == pytest.approx(half_width(runs.std(ddof=1), 3, None, 1, 0, 0.95))
    alike = np.tile(np.random.default_rng(0).normal(size=20), (3, 1))  # runs that do not differ: a test over songs
    result = estimate(alike.mean(1), without_each(alike))
    assert result.df == pytest.approx(19) and result.variance == pytest.approx(alike[0].var(ddof=1) / 20)
    assert result.p_above(0) == pytest.approx(stats.ttest_1samp(alike[0], 0, alternative="greater").pvalue)


def test_degrees_of_freedom_do_not_vanish():
    """Where runs happen to agree and songs vary hardly more than chance, the interval stays finite."""
    rng = np.random.default_rng(0)
    tables = rng.normal(size=(2000, 3, 40)) + 0.2 * rng.normal(size=(2000, 1, 40))
    tables -= 0.99 * (tables.mean(2, keepdims=True) - tables.mean((1, 2), keepdims=True))
    left_out = (tables.sum(2, keepdims=True) - tables) / 39
    assert estimate(tables.mean(2), left_out).df.min() == 2


def test_an_estimate_that_does_not_vary_is_sure():
    result = estimate([0.5, 0.5, 0.5])
    assert result.half_width(0.95) == 0
    assert [result.p_above(bound) for bound in (0.4, 0.5, 0.6)] == [0, 0.5, 1]
    assert [result.p_below(bound) for bound in (0.4, 0.5, np.inf)] == [1, 0.5, 0]


def test_degrees_of_freedom_of_a_sum_are_welchs():
    a, b = np.random.default_rng(0).normal(size=(2, 8))
    welch = stats.ttest_ind(a[:5], b, equal_var=False).df
    assert satterthwaite([a[:5].var(ddof=1) / 5, b.var(ddof=1) / 8], [4, 7]) == pytest.approx(welch)
    with pytest.raises(ValueError):
        satterthwaite([1.0, 2.0], [3])


def test_the_recorded_simulation_is_within_its_bounds():
    record = json.loads((ROOT / "results" / "verdicts" / "claims.json").read_text())
    settings = {(row["metric"], row["source"], row["songs"], row["runs"]): row for row in record["rows"]}
    assert record["trials"] >= 10_000 and set(settings) >= set(product(METRICS_OF_NOISE, SHARES, SONGS, RUNS))
    for (metric, source, songs, n), row in settings.items():
        low, high = 0.0 if source == "interaction" else 0.025, 0.075 if n == 3 else 0.06
        assert n == 2 or low <= row["level"]["ours"] <= high, (metric, source, songs, n)


@pytest.mark.parametrize("metric", ["mean", "r2", "r"])
@pytest.mark.parametrize("source", ["runs", "songs", "interaction", "mixed"])
def test_the_interval_holds_its_level(metric, source):
    """A small form of the simulation in tests/benchmarks/claims.py, within its bounds and what 1,500 trials allow."""
    for n, highest in ((3, 0.075), (5, 0.06)):
        result = level_and_power(metric, source, n, 40, trials=1500, seed=1)
        off = 2.5 * np.sqrt(highest * (1 - highest) / 1500)
        assert result["level"]["ours"] <= highest + off, (n, result)
        assert source == "interaction" or result["level"]["ours"] >= 0.025 - off, (n, result)
        assert result["power"] == sorted(result["power"]) and result["power"][-1] > 0.3


def test_the_suites_own_questions_are_a_family_of_their_own(paper):
    claim = {"kind": "difference", "statement": "c", "dataset": "songs", "split": "test", "a": "one", "b": "other",
             "metric": "rmse_pooled", "targets": ["average"], "direction": -1}  # fmt: skip
    arms = {"one": dynamic_record(), "other": dynamic_record(0.02)}

    def p(own):
        claims = [claim | {"id": str(k)} | ({"own": k in own} if k else {"own": True} if own else {}) for k in range(4)]
        return [result["p"] for result in judge_claims(*paper([], claims, **arms))]

    alone = judge_rmse(paper, *arms.values())["p"]
    assert 1e-6 < alone < 0.2
    assert p([]) == pytest.approx([4 * alone] * 4) and p([0]) == pytest.approx([alone, *[3 * alone] * 3])


def test_an_arm_is_the_mean_of_its_variants(paper):
    arms = {"one": dynamic_record(), "two": dynamic_record(0.3), "other": dynamic_record(0.5)}
    claim = {"id": "c", "kind": "difference", "statement": "c", "dataset": "songs", "split": "test",
             "a": ["one", "two"], "b": "other", "metric": "rmse_pooled", "targets": ["average"],
             "direction": -1}  # fmt: skip
    singles = [claim | {"a": name} for name in ("one", "two")]
    pooled, *each = judge_claims(*paper([], [claim, *singles], **arms))
    assert pooled["difference"] == pytest.approx(np.mean([result["difference"] for result in each]))
    assert min(e["low"] for e in each) < pooled["low"] < pooled["high"] < max(e["high"] for e in each)
    assert pooled["record"].endswith("songs/one.json")


@pytest.mark.parametrize(
    ("within", "verdict"), [([0, 0.3], "holds"), ([0.5, 1], "contradicted"), ([0.2, 1], "undecided")]
)
def test_one_arm_within_bounds(paper, within, verdict):
    claim = {"id": "c", "kind": "bounds", "statement": "c", "dataset": "songs", "split": "test", "a": "one",
             "metric": "rmse_pooled", "targets": ["average"], "within": within}  # fmt: skip
    [result] = judge_claims(*paper([], [claim], one=dynamic_record()))
    assert result["verdict"] == verdict and result["low"] < result["difference"] < result["high"]
    assert (result["p"] < ALPHA) == (verdict != "undecided")


def test_rmse_on_resampled_songs_is_that_of_their_frames():
    errors = [np.array([0.1, -0.3, 0.2]), np.array([0.5, 0.5]), np.array([0.0, 0.1, -0.1, 0.2])]
    moments = [metrics.song_moments(np.linspace(0, 1, len(e)), np.linspace(0, 1, len(e)) + e) for e in errors]
    content = {"runs": [{"songs": {"test": {"frames": [3, 2, 4], "moments": moments}}}]}
    drawn = np.array([[1, 1, 1], [0, 3, 0], [2, 0, 1]])
    result = METRICS["rmse_pooled"](content, "test", drawn.astype(float))
    assert result.shape == (1, 3, 1)
    for times, value in zip(drawn, result[0, :, 0], strict=True):
        frames = np.concatenate([e for e, n in zip(errors, times, strict=True) for _ in range(n)])
        assert value == pytest.approx(np.sqrt(np.mean(frames**2)))


OF_SONGS = ("rmse_pooled", "r2_pooled", "mae_pooled", "kendall_tau_per_song", "share_within_.05", "share_beyond_.2")


@pytest.mark.parametrize("metric", OF_SONGS)
def test_metrics_on_resampled_songs_are_those_of_the_songs(metric):
    """Each song once, and some twice and others not at all; one has no tau, and one no error."""
    rng, courses = np.random.default_rng(3), []
    for number, n in enumerate([20, 61, 7, 61, 33]):
        y = rng.uniform(-0.4, 0.4, 2) + 0.2 * rng.standard_normal((n, 2))
        courses.append((y, y + (0.05 if number % 2 else 0.4) * rng.uniform(-1, 1, (n, 2))))
    courses[2][1][:, 1] = 0.1
    courses[3] = courses[3][0], courses[3][0]
    content = {"runs": [{"songs": {"test": metrics.of_songs(*zip(*courses, strict=True))}}]}
    drawn = np.array([[1, 1, 1, 1, 1], [0, 3, 1, 1, 0], [2, 0, 2, 0, 1], [0, 0, 1, 2, 0]])
    result = METRICS[metric](content, "test", drawn.astype(float))
    assert result.shape == (1, 4, 2)
    for times, values in zip(drawn, result[0], strict=True):
        repeated = [course for course, n in zip(courses, times, strict=True) for _ in range(n)]
        expected = metrics.dynamic(metrics.of_songs(*zip(*repeated, strict=True)), ["a", "b"])[metric]
        assert list(values) == pytest.approx([expected["a"], expected["b"]], abs=1.1e-5)


ODD = 0.2 * (np.arange(40) % 2)


@pytest.mark.parametrize(
    ("one", "other", "verdict"), [(0, 0.2, "holds"), (0.2, 0, "contradicted"), (ODD, 0.2 - ODD, "undecided")]
)
def test_differences_of_rmse(paper, one, other, verdict):
    arms = dynamic_record(one), dynamic_record(other)
    result = judge_rmse(paper, *arms)
    observed = [np.mean([run["metrics"]["test"]["rmse_pooled"]["average"] for run in arm["runs"]]) for arm in arms]
    assert result["difference"] == pytest.approx(observed[0] - observed[1], abs=1e-5)
    assert result["verdict"] == verdict and result["low"] < result["difference"] < result["high"]


def test_leaving_out_songs_or_whole_artists():
    assert leaving_out(["a", "b", "a"]).tolist() == [[1, 1, 1], [0, 1, 0], [1, 0, 1]]


def test_songs_of_one_artist_are_left_out_together(paper):
    """A difference that is the artist's, not the song's, is known from 8 artists, not from 40 songs."""
    offset = np.repeat(np.random.default_rng(0).uniform(0, 0.5, 8), 5)
    bands, widths = {"artists": [f"band {i // 5}" for i in range(40)]}, {}
    for name, artists in {
        "songs": {}, "alone": {"artists": [f"singer {i}" for i in range(40)]}, "artists": bands,
        "of the split": {"splits": {"test": bands}}, "one": {"artists": ["a choir"] * 40},
    }.items():  # fmt: skip
        result = judge_rmse(paper, dynamic_record(**artists), dynamic_record(offset, **artists))
        widths[name] = result["high"] - result["low"]
    assert widths["songs"] == widths["alone"] > 5 * widths["one"]  # of one artist only the runs are left
    assert widths["artists"] == widths["of the split"] > 1.4 * widths["songs"]


@pytest.mark.parametrize(
    ("offset", "within", "verdict"),
    [(0.0, 0.02, "holds"), (0.02, 0.02, "holds"), (0.4, 0.02, "contradicted"), (0.08, 0.02, "undecided")],
)
def test_equivalence(paper, offset, within, verdict):
    """Holds only if the whole interval lies within; whether it spans 0 does not matter."""
    offset = offset * np.random.default_rng(0).uniform(0, 2, 40)
    result = judge_rmse(paper, dynamic_record(), dynamic_record(offset), kind="equivalence", within=within)
    inside = -within <= result["low"] and result["high"] <= within
    outside = result["high"] < -within or result["low"] > within
    assert result["verdict"] == verdict and (result["p"] < ALPHA) == (inside or outside)
    assert (inside, outside) == (verdict == "holds", verdict == "contradicted")


def test_two_one_sided_tests(paper):
    """p of an equivalence: twice the larger of the p values of being above the lower bound and below the upper."""
    offset = 0.08 * np.random.default_rng(0).uniform(0, 2, 40)
    options = {"kind": "equivalence", "within": 0.05}
    result = judge_rmse(paper, dynamic_record(), dynamic_record(offset), **options)
    assert result["difference"] < 0  # so that the lower bound is the nearer one
    above = judge_rmse(paper, dynamic_record(), dynamic_record(offset), kind="bounds", within=[-0.05, 9])
    assert result["p"] == pytest.approx(above["p"]) and 0 < result["p"] < 1
    beyond = judge_rmse(paper, dynamic_record(), dynamic_record(offset), kind="equivalence", within=0.001)
    assert beyond["verdict"] == "contradicted"


def test_holm_covers_claims_of_every_kind(paper):
    claim = {"statement": "c", "dataset": "songs", "split": "test", "a": "one", "b": "other", "metric": "rmse_pooled",
             "targets": ["average"], "direction": -1}  # fmt: skip
    kinds = [{"kind": "difference"}, {"kind": "equivalence", "within": 0.1}, {"kind": "bounds", "within": [-1, -0.001]}]
    stated = [claim | {"id": kind["kind"]} | kind for kind in kinds]
    arms = {"one": dynamic_record(), "other": dynamic_record(ODD)}

    def p(claims):
        return [result["p"] for result in judge_claims(*paper([], claims, **arms))]

    alone = [p([one])[0] for one in stated]
    assert p(stated) == pytest.approx(holm(alone)) and p(stated) != pytest.approx(alone)


def test_what_a_split_covers(paper):
    """Facts of the split, not of the record; part of the frames compares with no published number, but arms do."""
    splits = {"test": {"n_test": 40, "of_test": 58, "frames": "4 of 9 labels"}, "other": {"n_test": 3}}
    one, other = dynamic_record(splits=splits), dynamic_record(0.2, splits=splits)
    result = judge_rmse(paper, one, other)
    assert (result["on"], result["verdict"]) == ("40 of 58 songs (4 of 9 labels)", "holds")
    few = dynamic_record(seeds=[0], splits=splits)
    alone = judge_rmse(paper, few, other)
    assert alone["on"] == "40 of 58 songs (4 of 9 labels); one run decides no claim"
    assert (alone["verdict"], alone["low"], alone["p"]) == ("undecided", None, None) and alone["difference"] < 0
    more = dynamic_record(0.2, splits={"test": splits["test"] | {"frames": "5 of 9 labels"}})
    on = judge_rmse(paper, one, more)["on"]
    assert on == "40 of 58 songs (4 of 9 labels); against 40 of 58 songs (5 of 9 labels)"
    half = dynamic_record(0.2, n_train=50, stand_in=True)
    assert judge_rmse(paper, half, half)["on"] == "40 of 40 songs, 50 of 100 trained on, a stand-in"
    same = {"n_train": 20, "of_train": 40, "n_test": 20}  # as in cross-validation
    assert judge_rmse(paper, dynamic_record(**same), dynamic_record(**same))["on"] == "20 of 40 songs"
    splits = {"test": {"frames": "4 of 9 labels"}}
    cells = [cell("x", "one", 0.2, split="test", metric="rmse_pooled")]
    for facts, verdict in ((splits["test"], "partial"), ({}, "reproduced")):
        expected, records = paper(cells, one=dynamic_record(splits={"test": facts}))
        row = join(expected, records)[0]
        assert (row.fields["verdict"], row.fields["frames"]) == (verdict, facts.get("frames"))
