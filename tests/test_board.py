"""Cells of a paper made up, with what is recorded of their variants."""

import json
import re
import shutil

import numpy as np
import pytest

from common import report
from common.errors import InputError
from common.report import number
from common.verdict.board import BOARD_KEYS, check_declared, join, load_expected
from common.verdict.cells import compare
from reproductions.board import other_variants
from tests.conftest import ROOT
from tests.made_up import cell, dynamic_record, mean_r, record, table


def test_join_and_the_strict_check(paper):
    good = record(1.0)
    r = mean_r(good)
    cells = [cell("same", "model", round(r, 2)), cell("far", "model", 0.2), cell("empty", "absent", 0.5)]
    cells += [cell("closed", None, 0.5, data=False)]
    expected, records = paper(cells, model=good)
    joined = join(expected, records)
    assert [row.fields["verdict"] for row in joined] == ["reproduced", "better", "not run", "no data"]
    assert list(joined[0].fields) == BOARD_KEYS
    assert joined[0].fields["measured"] == pytest.approx(r) and joined[0].fields["record"].endswith(
        "/paper/songs/model.json"
    )
    assert check_declared(expected, joined) == ["far: better than published, and expected.json does not declare it"]
    declared = {"verdict": "better", "cells": ["far"], "cause": "unknown", "evidence": "tried this"}
    assert check_declared(expected | {"declared": [declared]}, joined) == []
    for wrong, message in [
        (declared | {"cells": ["far", "same"]}, "same: declared better, but it is reproduced"),
        (declared | {"verdict": "worse"}, "far: better than published"),
        (declared | {"cells": ["far", "gone"]}, "gone: declared, but there is no such cell"),
    ]:
        failures = check_declared(expected | {"declared": [wrong]}, joined)
        assert len(failures) == 1 and failures[0].startswith(message)


def test_numbers_that_are_counted_need_no_record(paper):
    parameters = {"metric": "parameters_thousands", "digits": 0, "variant": None}
    cells = [cell("same", None, 10, counted=10.1), cell("more", None, 17, counted=17.7),
             cell("quoted", None, 2, counted=1.98, quoted=True), cell("open", None, 2)]  # fmt: skip
    expected, records = paper([one | parameters for one in cells])
    found = [
        [row.fields[key] for key in ("verdict", "measured", "low", "high", "runs", "record")]
        for row in join(expected, records)
    ]
    assert found == [
        ["reproduced", 10.1, None, None, 0, None],
        ["differs", 17.7, None, None, 0, None],
        ["approximation", 1.98, None, None, 0, None],
        ["not run", None, None, None, 0, None],
    ]
    assert len(check_declared(expected, join(expected, records))) == 1


def test_a_worse_result_is_declared_too(paper):
    rows = join(*(stated := paper([cell("near", "model", 0.99)], model=record(1.0))))
    assert len(check_declared(stated[0], rows)) == 1
    declared = {"verdict": "worse", "cells": ["near"], "cause": "unknown", "evidence": "tried this"}
    assert check_declared(stated[0] | {"declared": [declared]}, rows) == []


def test_a_row_is_the_comparison_of_its_cell(paper):
    """With all that the cell states, and its share of 5 %: cells of one system in one table that are not primary."""
    printed = {"split": "test", "metric": "rmse_pooled", "digits": 3, "std": 0.02, "runs": 4, "primary": False}
    shared = [cell(name, "model", 0.3, **printed | {"target": name[0]}) for name in ("a", "b", "average")]
    others = [
        cell("first", "model", 0.3, **printed | {"primary": True}),
        cell("2", "model", 0.3, table="2", **printed),
        cell("other", "model", 0.3, **printed | {"system": "quoted system"}),
    ]
    for own in shared:
        own["target"] = own["id"]
    levels = dict.fromkeys(["a", "b", "average"], 1 - 0.05 / 3) | dict.fromkeys(["first", "2", "other"], 0.95)
    content = dynamic_record()
    for row in join(*paper(shared + others, model=content)):
        fields = row.fields
        values = [run["metrics"]["test"]["rmse_pooled"][fields["target"]] for run in content["runs"]]
        level = levels[fields["cell"]]
        expected = compare(values, 0.3, std=0.02, runs=4, digits=3, matters=0.02, level=level, metric="rmse_pooled")
        assert row.comparison == expected and fields["verdict"] == expected.verdict == "better"
        assert (row.level, row.digits, row.primary) == (pytest.approx(level), 3, fields["cell"] == "first")
        assert fields["low"] == pytest.approx(np.mean(values) - expected.w)
        assert fields["high"] == pytest.approx(np.mean(values) + expected.w)
    (row,) = join(*paper([cell("x", "absent", 0.2, digits=3, primary=False)]))
    assert (row.level, row.digits, row.primary, row.comparison) == (0.95, 3, False, None)


@pytest.mark.parametrize(("facts", "runs"), [({"stand_in": True}, 6), ({}, 1)])
def test_what_is_not_compared_has_no_interval(paper, facts, runs):
    expected, records = paper([cell("x", "model", 0.2, quoted=True)], model=record(1.0, seeds=range(runs), **facts))
    (row,) = join(expected, records)
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
        rows = join(expected | {"trivial_baselines": names}, records)
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
    rows = join(expected | {"trivial_baselines": ["zero", "ridge", "not run"]}, records)
    assert [row.fields["baseline"] for row in rows] == [pytest.approx(strongest), None]


def test_a_test_part_that_is_not_whole(paper):
    for facts in ({"n_test": 60}, {"n_train": 60}):
        expected, records = paper([cell("x", "model", 0.2)], model=record(1.0, **facts))
        assert join(expected, records)[0].fields["verdict"] == "partial"


def test_what_cannot_be_compared_is_not(paper):
    half = record(1.0, n_train=60, n_test=60)
    expected, records = paper([cell("x", "half", 0.2)], half=half)
    assert join(expected, records)[0].fields["verdict"] == "partial"
    for partial, verdict in (
        (False, "stand-in"),
        (True, "partial"),
    ):  # a shortened stand-in does not pass for a whole one
        expected, records = paper([cell("x", "other", 0.2)], other=record(1.0, stand_in=True, partial=partial))
        assert join(expected, records)[0].fields["verdict"] == verdict
    expected, records = paper([cell("x", "built", 0.2, quoted=True)], built=record(1.0))
    assert join(expected, records)[0].fields["verdict"] == "approximation"


def test_a_cell_shows_what_stands_in_until_its_variant_is_recorded(paper):
    cells = [cell("x", "model", 0.2, stand_ins=[["songs", "model_260"]]), cell("y", "model", 0.2)]
    seen = []
    for variants in ({}, {"model_260": record(1.0, stand_in=True)}, {"model": record(1.0)}):
        rows = join(*paper(cells, **variants))
        seen.append([(row.fields["variant"], row.fields["verdict"], row.fields["runs"]) for row in rows])
    assert seen[0][0][1:] == ("not run", 0)
    assert seen[1] == [("model_260", "stand-in", 6), ("model", "not run", 0)]
    assert seen[2] == [("model", "better", 6)] * 2


def test_alternatives_and_other_data(paper):
    """A cell's alternatives are rows of their own; what stands in may be of another data set."""
    cells = [
        cell("x", "model", 0.2, stand_ins=[["none", "small"], ["other songs", "small"]], alternatives=["wide", "deep"])
    ]
    expected, records = paper(cells, wide=record(1.0), deep=record(0.5))
    path = records.path("other songs", "small")
    path.parent.mkdir()
    path.write_text(json.dumps(record(1.0, stand_in=True)))
    (row,) = join(expected, records)
    assert (row.fields["dataset"], row.fields["variant"], row.fields["verdict"]) == ("other songs", "small", "stand-in")
    both = [["songs", "wide"], ["other songs", "small"]]  # the first of two that are recorded
    assert join(expected | {"cells": [cells[0] | {"stand_ins": both}]}, records)[0].fields["variant"] == "wide"
    alternatives = join(expected | {"cells": [cells[0] | {"stand_ins": [["songs", "x"]]}]}, records, alternatives=True)
    assert [(row.fields["variant"], row.fields["runs"]) for row in alternatives] == [("wide", 6), ("deep", 6)]
    assert records.datasets() == ["other songs", "songs"]


def test_a_mixture_of_identities_is_named(paper):
    """In the table of cells, next to the number of runs."""
    model = record(1.0)
    for run, name in zip(model["runs"], "ababab", strict=True):
        run["identity"] = name
    verified = {"equivalent": [{"identities": ["a", "b"], "date": "2026-01-01"}]}
    for content, shown in [(record(1.0), "6"), (model, "6 of 2 identities"), (model | verified, "6")]:
        expected, records = paper([cell("x", "model", 0.5)], model=content)
        (row,) = join(expected, records)
        assert [
            line.split("|")[6].strip()
            for line in report.board([row], report.markdown_table).splitlines()
            if line.startswith("| model ")
        ] == [shown]


def test_one_value_a_run(paper):
    """A run counts once, so that the spread has as many degrees of freedom as there are runs."""
    model = record(1.0, seeds=range(4))
    expected, records = paper([cell("x", "model", 0.5)], model=model)
    (row,) = join(expected, records)
    assert row.fields["runs"] == 4 and row.fields["measured"] == pytest.approx(mean_r(model))


def test_a_baseline_of_other_data_does_not_count(paper):
    """Δ is capped by the strongest trivial predictor on the same songs and labels."""
    for fingerprint, baseline in [("abc", True), ("of other songs", False)]:
        trivial = record(0.5, fingerprint=fingerprint)
        expected, records = paper([cell("x", "model", 0.5)], model=record(1.0), mean=trivial)
        (row,) = join(expected | {"trivial_baselines": ["mean"]}, records)
        assert (row.fields["baseline"] is not None) == baseline


def test_tables_that_can_be_loaded(tmp_path):
    cells = [cell("a", "model", 0.5), cell("b", "model", 0.5, std=0.1, runs=2), cell("c", "model", 0.5, runs=3)]
    path = tmp_path / "expected.json"
    path.write_text(json.dumps(table(cells)))
    assert load_expected(path)["cells"] == cells
    path.write_text(json.dumps(table(cells[:1] * 2)))
    with pytest.raises(InputError, match=r"cells\[1\]\.id: 'a'"):
        load_expected(path)
    for damaged in ("{}", "[]", "{", '{"cells": [[]]}'):
        path.write_text(damaged)
        with pytest.raises(InputError, match=re.escape(str(path))):
            load_expected(path)
    with pytest.raises(InputError, match="absent"):
        load_expected(tmp_path / "absent.json")


def test_a_variant_of_ones_own_is_on_the_board(tmp_path):
    """Systems of published cells are not repeated; the metric is that of the paper's primary cells."""
    recorded = ROOT / "results" / "malik2017" / "mediaeval2015" / "crnn_l20.json"
    folder = tmp_path / "malik2017" / "mediaeval2015"
    folder.mkdir(parents=True)
    for name in ("crnn_l20", "crnn_l20_dropout_50"):
        shutil.copy(recorded, folder / f"{name}.json")
    lines = other_variants(tmp_path).splitlines()[2:]
    assert [line.split()[:3] for line in lines] == [["malik2017", "mediaeval2015", "crnn_l20_dropout_50"]]
    assert "rmse_pooled, evaluation" in lines[0]
    runs = [run["metrics"]["evaluation"]["rmse_pooled"]["average"] for run in json.loads(recorded.read_text())["runs"]]
    assert f"average {number(np.mean(runs))} ± {number(np.std(runs, ddof=1))}  {len(runs)} " in lines[0]
    (folder / "crnn_l20_dropout_50.json").unlink()
    assert other_variants(tmp_path) == f"{tmp_path}: every record answers for a published cell."
