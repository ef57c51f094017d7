"""The page of lessons: which interpretations it shows, and what they changed."""

import json
import shutil

import matplotlib.image
import numpy as np
import pytest

from common.verdict.board import load_expected
from common.verdict.recorded import Records
from reproductions import lessons
from tests.conftest import ABSENT, ROOT
from tests.made_up import cell, mean_r, record

RESULTS = ROOT / "results"


def test_every_cell_shown_is_published_and_recorded():
    shown = lessons.panels(RESULTS)
    assert [panel.cell.fields["cell"] for panel in shown] == [
        name for paper, names in lessons.SHOWN.items() if paper not in ABSENT for name in names
    ]
    for panel in shown:
        assert next(iter(panel.values)) == "primary" and len(panel.values) > 1
        other = [label for label, *_ in lessons.OTHER_MEASURES.get(panel.cell.fields["cell"], [])]
        assert list(panel.values)[-len(other) :] == other or not other
        assert panel.values["primary"].mean() == pytest.approx(panel.cell.fields["measured"])


@pytest.mark.parametrize("paper", lessons.SHOWN)
def test_every_interpretation_of_a_cell_shown_is_recorded(paper):
    records = Records(RESULTS, paper)
    cells = load_expected(lessons.PAPERS / paper / "expected.json")["cells"]
    for one in (c for c in cells if c["id"] in lessons.SHOWN[paper]):
        datasets = [one["dataset"], *(dataset for dataset, _ in one.get("stand_ins", []))]
        assert all(any(records.get(dataset, name) for dataset in datasets) for name in one["alternatives"])


def test_other_measures_are_those_of_their_records(tmp_path):
    """And a folder without such a record has no such line."""
    shown = {panel.cell.fields["cell"]: panel.values for panel in lessons.panels(RESULTS)}
    for cell_id, measures in lessons.OTHER_MEASURES.items():
        for label, variant, split, metric in measures:
            (path,) = RESULTS.glob(f"*/*/{variant}.json")
            runs = json.loads(path.read_text())["runs"]
            target = cell_id.split("/")[-2]
            assert shown[cell_id][label].tolist() == [run["metrics"][split][metric][target] for run in runs]
    alone = tmp_path / "chaki2020" / "emomusic" / "at_128_260.json"
    alone.parent.mkdir(parents=True)
    shutil.copy(RESULTS / "chaki2020" / "emomusic" / "at_128_260.json", alone)
    assert [list(panel.values) for panel in lessons.panels(tmp_path)] == [["primary"]] * 2


def test_panels_of_a_row_share_their_labels(tmp_path, monkeypatch):
    from common.report import plots

    rows = [panel.cell for panel in lessons.panels(RESULTS)[:2]]
    values = [{"primary": np.ones(3), "deep": np.full(2, 2.0)}, {"primary": np.ones(3), "wide": np.full(1, 3.0)}]
    two = [lessons.Panel(cell, of, {}) for cell, of in zip(rows, values, strict=True)]
    drawn = []
    monkeypatch.setattr(lessons, "panels", lambda results: two)
    monkeypatch.setattr(plots, "save", lambda figure, path: drawn.append(figure))
    lessons.draw(tmp_path)
    left, right = drawn[0].axes[:2]
    assert [label.get_text() for label in left.get_yticklabels()] == ["primary (3)", "deep (2)", "wide (1)"]
    for axis, y, x in ((left, 1, 2.0), (right, 2, 3.0)):
        means = [line.get_xydata() for line in axis.lines if line.get_marker() == "o"]
        points = [mean[0].tolist() for mean in means if len(mean)]
        assert points == [[1.0, 0], [x, y]]


def test_a_table_and_a_figure_of_a_made_up_paper(tmp_path, monkeypatch, paper):
    cells = [cell("x", "model", 0.8, alternatives=["near", "far", "absent"])]
    near, model = record(0.9) | {"title": "A model, wide, deep"}, record(0.5) | {"title": "A model, wide"}
    far = record(0.5, seeds=[0]) | {"title": "A model, no gates"}
    far["runs"][0]["metrics"]["cv"]["pearson_r_mean_over_folds"]["average"] = -1e9
    expected, _ = paper(cells, model=model, near=near, far=far)
    monkeypatch.setattr(lessons, "SHOWN", {"paper": ["x"]})
    monkeypatch.setattr(lessons, "PAPERS", tmp_path)
    monkeypatch.setattr(lessons, "load_expected", lambda path: expected)
    lines = [[part.strip() for part in line.split("|")[1:-1]] for line in lessons.table(tmp_path).splitlines()[2:]]
    gap, moved = 0.8 - mean_r(model), mean_r(near) - mean_r(model)
    assert [line[0] for line in lines] == [
        "**paper, model: pearson r, average, cv** (worse)",
        "published",
        "deep",
        "no gates",
    ]
    assert lines[1][2:] == [".80", lessons.number(gap), "100 %"]
    assert lines[2][1] == "6" and lines[2][3:] == [lessons.number(moved), f"{100 * moved / gap:.0f} %"]
    assert lines[3][1:] == ["1", "diverged", "–", "–"]
    (path,) = lessons.draw(tmp_path)
    assert path == tmp_path / lessons.FIGURE and np.ptp(matplotlib.image.imread(path)) > 0
    assert lessons.draw(tmp_path / "empty") == []


def test_published_differences_next_to_the_measured_ones(tmp_path, monkeypatch):
    """Of systems with published cells, a stand-in's too; a claim without them, or of the suite's own, has no line."""
    cells = [
        cell("a", "deep", 0.8, system="Deep"),
        cell("b", "flat", 0.7, system="Flat", stand_ins=[["other", "flat_small"]]),
        cell("quoted", "flat", 0.1, system="Other [7]", quoted=True),
    ]
    asked = {"kind": "difference", "split": "cv", "metric": "pearson_r_mean_over_folds", "targets": ["average"]}
    claims = {
        "holds": asked | {"a": "deep", "b": ["flat_small"]},
        "one run": asked | {"a": "deep", "b": "flat"},
        "against a number": asked | {"a": "deep", "published": ["quoted"]},
        "own": asked | {"a": "deep", "b": "flat", "own": True},
        "unpublished": asked | {"a": "deep", "b": ["flat", "wide"]},
        "untested": asked | {"a": "deep", "b": "flat"},
    }
    outcomes = [
        {"claim": name, "difference": None if name == "untested" else 0.2, "verdict": name, "on": "9 of 9 songs"}
        | ({"low": None, "high": None} if name == "one run" else {"low": 0.1, "high": 0.3})
        for name in claims
    ]
    expected = {"cells": cells, "claims": [{"id": name} | of for name, of in claims.items()]}
    (tmp_path / "paper").mkdir()
    monkeypatch.setattr(lessons, "SHOWN", {"paper": [], "absent": []})
    monkeypatch.setattr(lessons, "PAPERS", tmp_path)
    monkeypatch.setattr(lessons, "load_expected", lambda path: expected)
    monkeypatch.setattr(lessons, "judge_claims", lambda expected, records: outcomes)
    lines = [[part.strip() for part in row.split("|")[1:-1]] for row in lessons.differences(tmp_path).splitlines()[2:]]
    about = ["paper", "Deep minus Flat", "pearson r, average", ".10", ".200"]
    assert lines == [
        [*about, ".100 … .300", "9 of 9 songs", "holds"],
        [*about, "–", "9 of 9 songs", "one run"],
    ]


def test_a_change_is_that_of_the_common_seeds(tmp_path, monkeypatch, paper):
    """And that of the means where no seed is common."""
    cells = [cell("x", "model", 0.8, alternatives=["near", "other"])]
    model, near, other = record(0.5, seeds=range(4)), record(0.9, seeds=[1, 2]), record(0.9, seeds=[7])
    for title, of in {"M": model, "M, near": near, "M, other": other}.items():
        of["title"] = title
    expected, _ = paper(cells, model=model, near=near, other=other)
    monkeypatch.setattr(lessons, "SHOWN", {"paper": ["x"]})
    monkeypatch.setattr(lessons, "PAPERS", tmp_path)
    monkeypatch.setattr(lessons, "load_expected", lambda path: expected)
    (panel,) = lessons.panels(tmp_path)
    values = panel.values
    assert panel.changes["near"] == pytest.approx((values["near"] - values["primary"][1:3]).mean())
    assert panel.changes["near"] != pytest.approx(values["near"].mean() - values["primary"].mean())
    assert panel.changes["other"] == pytest.approx(values["other"][0] - values["primary"].mean())
