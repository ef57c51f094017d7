"""The verdict rule on cases where the right verdict is known, by simulation, and on what is recorded."""

import json

import numpy as np
import pytest
from scipy import stats

from common import published, report
from common.errors import InputError
from common.experiment.records import mixture, read_record
from common.published import ALPHA, compare, delta, half_width
from common.verdict.claims import KEYS
from reproductions.board import claims, generated, papers, rows
from tests.conftest import ROOT
from tests.made_up import cell, dynamic_record, mean_r, record

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
    found = compare([0.5], 0.25, matters=0.05)
    assert (found.verdict, found.w, found.d) == ("undecided", None, 0.25)
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


def test_a_deviation_of_one_published_run_is_refused(tmp_path):
    """It is over folds or songs, which says nothing about runs."""
    with pytest.raises(InputError, match="2 published runs"):
        half_width(0.02, 10, 0.03, 1, 0.005, 0.95)
    (tmp_path / "expected.json").write_text(json.dumps({"cells": [cell("x", "model", 0.5, std=0.03)]}))
    with pytest.raises(InputError, match="x has a standard deviation over 1 run"):
        published.load_expected(tmp_path / "expected.json")


def test_tables_that_can_be_loaded(tmp_path):
    cells = [cell("a", "model", 0.5), cell("b", "model", 0.5, std=0.1, runs=2), cell("c", "model", 0.5, runs=3)]
    path = tmp_path / "expected.json"
    path.write_text(json.dumps({"cells": cells}))
    assert published.load_expected(path)["cells"] == cells
    for damaged in ({"cells": cells[:1] * 2}, {}, [], [cells]):
        path.write_text(json.dumps(damaged))
        with pytest.raises(InputError):
            published.load_expected(path)


@pytest.mark.parametrize("printed", [{}, {"std": 0.02, "runs": 50}])
@pytest.mark.parametrize("n", [3, 4])
def test_runs_needed_are_the_fewest(printed, n):
    """With a spread with which the next number of runs is just enough, and where it is not."""
    std, m = printed.get("std"), printed.get("runs", 1)
    for more in (1, 2, 40):
        enough = half_width(0.02, n + more, std, m, 0.005, 0.95)
        with np.errstate(divide="raise"):
            found = compare(around(0.5, 0.02, n), 0.5, matters=enough + 1e-7, **printed)
        assert (found.verdict, found.runs_needed, found.never) == ("undecided", n + more, "")


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


# Cells of a paper made up (tests/made_up.py).


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


def test_a_worse_result_is_declared_too(paper):
    rows = published.join(*(stated := paper([cell("near", "model", 0.99)], model=record(1.0))))
    assert len(published.check_declared(stated[0], rows)) == 1
    said = {"verdict": "worse", "cells": ["near"], "cause": "unknown", "evidence": "tried this"}
    assert published.check_declared(stated[0] | {"declared": [said]}, rows) == []


def test_a_row_is_the_comparison_of_its_cell(paper):
    """With all that the cell states, and its share of 5 %: cells of one system in one table that are not primary."""
    printed = {"split": "test", "metric": "rmse_pooled", "digits": 3, "std": 0.02, "runs": 4, "primary": False}
    shared = [cell(name, "model", 0.3, **printed | {"target": name[0]}) for name in ("a", "b", "average")]
    others = [cell("first", "model", 0.3, **printed | {"primary": True}), cell("2", "model", 0.3, table="2", **printed),
              cell("other", "model", 0.3, **printed | {"system": "quoted system"})]  # fmt: skip
    for own in shared:
        own["target"] = own["id"]
    levels = dict.fromkeys(["a", "b", "average"], 1 - 0.05 / 3) | dict.fromkeys(["first", "2", "other"], 0.95)
    content = dynamic_record()
    for row in published.join(*paper(shared + others, model=content)):
        fields = row.fields
        values = [run["metrics"]["test"]["rmse_pooled"][fields["target"]] for run in content["runs"]]
        level = levels[fields["cell"]]
        expected = compare(values, 0.3, std=0.02, runs=4, digits=3, matters=0.02, level=level, metric="rmse_pooled")
        assert row.comparison == expected and fields["verdict"] == expected.verdict == "better"
        assert (row.level, row.digits, row.primary) == (pytest.approx(level), 3, fields["cell"] == "first")
        assert fields["low"] == pytest.approx(np.mean(values) - expected.w)
        assert fields["high"] == pytest.approx(np.mean(values) + expected.w)
    (row,) = published.join(*paper([cell("x", "absent", 0.2, digits=3, primary=False)]))
    assert (row.level, row.digits, row.primary, row.comparison) == (0.95, 3, False, None)


@pytest.mark.parametrize(("facts", "runs"), [({"stand_in": True}, 6), ({}, 1)])
def test_what_is_not_compared_has_no_interval(paper, facts, runs):
    expected, records = paper([cell("x", "model", 0.2, quoted=True)], model=record(1.0, seeds=range(runs), **facts))
    (row,) = published.join(expected, records)
    assert (row.fields["low"], row.fields["high"]) == (None, None)
    assert row.fields["verdict"] == ("stand-in" if facts else "approximation")  # of a quoted system


def test_delta_depends_on_the_target_and_the_baseline(paper):
    """Off by .07: more than matters for an average of r, less for one emotion, and more than half way to a baseline."""
    r = record(1.0)["runs"][0]["metrics"]["cv"]["pearson_r_mean_over_folds"]
    cells = [cell(name, "model", round(r[name] + 0.07, 2), target=name) for name in ("a", "average")]
    baseline = record(0.5)
    for run in baseline["runs"]:
        run["metrics"]["cv"]["pearson_r_mean_over_folds"] |= {"a": cells[0]["value"] - 0.04}
    for names, verdicts in ([], ["reproduced", "worse"]), (["mean"], ["worse", "worse"]):
        expected, records = paper(cells, model=record(1.0), mean=baseline)
        rows = published.join(expected | {"trivial_baselines": names}, records)
        assert [row.fields["verdict"] for row in rows] == verdicts


def with_value(metric, value):
    content = dynamic_record() if metric.startswith("rmse") else record(1.0)
    for run in content["runs"]:
        for measured in run["metrics"].values():
            measured.setdefault(metric, {})["average"] = value
    return content


@pytest.mark.parametrize(
    ("metric", "values", "strongest"),
    [("rmse_pooled", (0.3, 0.2), 0.2), ("pearson_r_pooled", (0.2, 0.3), 0.3), ("pearson_r_pooled", (-0.2, -0.1), 0),
     ("r2_pooled", (-0.2, -0.1), -0.1)],
)  # fmt: skip
def test_the_strongest_trivial_baseline(paper, metric, values, strongest):
    """The least error, the largest r or R²; a constant has r = 0. None where nothing is measured."""
    split = "test" if metric.startswith("rmse") else "cv"
    trivial = {name: with_value(metric, value) for name, value in zip(("zero", "ridge"), values, strict=True)}
    cells = [cell(name, name, 0.5, metric=metric, split=split) for name in ("model", "absent")]
    expected, records = paper(cells, model=with_value(metric, 0.5), **trivial)
    rows = published.join(expected | {"trivial_baselines": ["zero", "ridge", "not run"]}, records)
    assert [row.fields["baseline"] for row in rows] == [pytest.approx(strongest), None]


def test_a_test_part_that_is_not_whole(paper):
    for facts in ({"n_test": 60}, {"n_train": 60}):
        expected, records = paper([cell("x", "model", 0.2)], model=record(1.0, **facts))
        assert published.join(expected, records)[0].fields["verdict"] == "partial"


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


def test_a_cell_shows_what_stands_in_until_its_variant_is_recorded(paper):
    cells = [cell("x", "model", 0.2, stand_in=["songs", "model_260"]), cell("y", "model", 0.2)]
    seen = []
    for variants in ({}, {"model_260": record(1.0, stand_in=True)}, {"model": record(1.0)}):
        rows = published.join(*paper(cells, **variants))
        seen.append([(row.fields["variant"], row.fields["verdict"], row.fields["runs"]) for row in rows])
    assert seen[0][0][1:] == ("not run", 0)
    assert seen[1] == [("model_260", "stand-in", 6), ("model", "not run", 0)]
    assert seen[2] == [("model", "better", 6)] * 2


def test_alternatives_and_other_data(paper):
    """A cell's other readings are rows of their own; what stands in may be of another data set."""
    cells = [cell("x", "model", 0.2, stand_in=["other songs", "small"], alternatives=["wide", "deep"])]
    expected, records = paper(cells, wide=record(1.0), deep=record(0.5))
    path = records.path("other songs", "small")
    path.parent.mkdir()
    path.write_text(json.dumps(record(1.0, stand_in=True)))
    (row,) = published.join(expected, records)
    assert (row.fields["dataset"], row.fields["variant"], row.fields["verdict"]) == ("other songs", "small", "stand-in")
    readings = published.join(expected | {"cells": [cells[0] | {"stand_in": ["songs", "x"]}]}, records, readings=True)
    assert [(row.fields["variant"], row.fields["runs"]) for row in readings] == [("wide", 6), ("deep", 6)]
    assert records.datasets() == ["other songs", "songs"]


def test_a_record_without_runs_counts_as_none(paper):
    expected, records = paper([cell("x", "model", 0.2)], model=record(1.0, seeds=[]))
    assert records.get("songs", "model") is None
    assert published.join(expected, records)[0].fields["verdict"] == "not run"


def test_verifications_are_shown_with_their_record(paper):
    expected, records = paper([cell("x", "model", 0.2), cell("y", "other", 0.2)], model=record(1.0), other=record(1.0))
    entry = {"paper": "paper", "dataset": "songs", "variant": "model", "word": "same bits", "date": "2026-01-02"}
    others = [entry | {key: "other"} for key in ("paper", "dataset")]
    unfinished = [entry | {"variant": "other", key: ""} for key in ("word", "date")]
    path = records.results / published.VERIFIED
    path.write_text(json.dumps([*others, *unfinished, entry]))
    shown = [row.fields["verified"] for row in published.join(expected, records)]
    assert shown == ["same bits, 2026-01-02", None]
    path.write_text(json.dumps([{"word": "same"}]))
    with pytest.raises(InputError):
        published.read_verified(records.results)


def test_headline_is_the_first_of_each():
    content = {"runs": [{"metrics": {"test": {"rmse": {"a": 1, "b": 2}, "r": {"c": 3}}, "other": {"x": {"y": 1}}}}]}
    assert published.headline(content) == ("test", "rmse", ["a", "b"])


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
    assert all(list(claim) == KEYS for claim in found)
    untested = {"not run", "no data", "partial", "stand-in"}
    assert {claim["verdict"] for claim in found} <= {"holds", "contradicted", "undecided"} | untested


def test_readmes_are_not_stale():
    for path, text in generated(ROOT / "results").items():
        assert path.read_text() == text, f"{path} is stale: python -m reproductions --write"


def test_one_value_a_run(paper):
    """A run counts once, so that the spread has as many degrees of freedom as there are runs."""
    model = record(1.0, seeds=range(4))
    expected, records = paper([cell("x", "model", 0.5)], model=model)
    (row,) = published.join(expected, records)
    assert row.fields["runs"] == 4 and row.fields["measured"] == pytest.approx(mean_r(model))


def test_a_baseline_of_other_data_does_not_count(paper):
    """Δ is capped by the strongest trivial predictor on the same songs and labels."""
    for fingerprint, baseline in [("abc", True), ("of other songs", False)]:
        trivial = record(0.5, fingerprint=fingerprint)
        expected, records = paper([cell("x", "model", 0.5)], model=record(1.0), mean=trivial)
        (row,) = published.join(expected | {"trivial_baselines": ["mean"]}, records)
        assert (row.fields["baseline"] is not None) == baseline
