"""Which figures the records of a paper allow, and the figures themselves."""

import sys

import matplotlib.image
import numpy as np
import pytest

from common.prediction import Prediction
from common.report import figures, plots
from tests.made_up import cell, classified, record

OWN = """
def draw(records):
    path = records.path("songs", "").parent / "own.png"
    path.write_bytes(b"")
    return [path]
"""


def with_history(content):
    for run in content["runs"]:
        run["history"] = [{"loss": [2.0, 1.0, 0.5], "validation_loss": [2.0, 1.5]}, {"loss": [3.0, 1.0]}]
    return content | {"title": "A model"}


def drawn(expected, records, package="tests"):
    """The names of the figures, all of which lie next to the records and are pictures."""
    paths = figures.draw_all(expected, records, package)
    for path in paths:
        assert path.parts[-3:-1] == ("songs", "figures") and matplotlib.image.imread(path).ndim == 3
    return [path.stem for path in paths]


def test_figures_follow_from_what_is_recorded(paper):
    cells = [cell("x", "model", 0.5), cell("y", "absent", 0.5)]
    assert drawn(*paper(cells)) == []
    names = ["measured_against_published", "predicted_against_annotated_model"]
    assert drawn(*paper(cells, model=record(1.0) | {"title": "A model"})) == names
    assert drawn(*paper(cells, model=with_history(record(1.0)))) == [*names, "training_curves"]


def test_training_curves_count_all_networks(monkeypatch, tmp_path):
    """Those without validation too."""
    titles, trained = [], with_history(record(1.0))
    monkeypatch.setattr(plots, "save", lambda figure, path: titles.append(figure.axes[0].get_title()))
    plots.training_curves({"model": trained}, tmp_path / "curves.png")
    assert titles == [f"A model, {2 * len(trained['runs'])} networks"]


def test_each_table_and_metric_has_its_figure(paper):
    cells = [
        cell("x", "model", 0.5),
        cell("y", "model", 0.5, metric="pearson_r_pooled"),
        cell("z", "model", 0.5, source="Table II"),
    ]
    names = drawn(*paper(cells, model=with_history(record(1.0))))
    assert {name for name in names if name.startswith("measured")} == {
        "measured_against_published_table_i_cv_pearson_r_mean_over_folds",
        "measured_against_published_table_i_cv_pearson_r_pooled",
        "measured_against_published_table_ii_cv",
    }
    assert {name for name in names if name.startswith("training")} == {
        "training_curves_table_i",
        "training_curves_table_ii",
    }


def test_what_stands_in_is_not_drawn_against_published_values(paper):
    content = record(1.0, stand_in=True) | {"title": "A model"}
    assert drawn(*paper([cell("x", "model", 0.5)], model=content)) == ["predicted_against_annotated_model"]


def test_a_metric_along_a_number(paper, monkeypatch):
    """Of what is recorded, the number also a fact of the record; further splits are dashed, in the same colour."""
    pair = {"label": "CRNN", "splits": ["cv", "last"], "variants": [[5, "short"], ["n_train", "long"], [60, "absent"]]}
    alone = {"label": "SVM", "splits": ["cv"], "variants": [[30, "long"]]}
    metric = {"metric": "r2_pooled", "target": "joy"}
    expected, records = paper([], short=record(1.0), long=record(0.5))
    records.get("songs", "long")["facts"]["n_train"] = 30
    for name in ("short", "long"):
        for run in records.get("songs", name)["runs"]:
            run["metrics"] = {"cv": {"r2_pooled": {"joy": 0.3}}, "last": {"r2_pooled": {"joy": 0.2}}}
    expected["figures"] = [
        {"name": "seconds", "along": "seconds", **metric, "lines": [pair, alone]},
        {"name": "one", "along": "seconds", **metric, "lines": [alone, pair]},
    ]
    axes, save = [], plots.save
    monkeypatch.setattr(plots, "save", lambda figure, path: (axes.append(figure.axes[0]), save(figure, path)))
    assert "seconds" in (names := drawn(expected, records)) and "one" not in names
    means = [line for axis in axes for line in axis.lines if not line.get_label().startswith("_")]
    assert [line.get_label() for line in means] == ["CRNN", "CRNN, last", "SVM"]
    assert [line.get_linestyle() for line in means] == ["-", "--", "-"]
    assert means[0].get_color() == means[1].get_color() != means[2].get_color()
    assert means[0].get_xdata().tolist() == [5, 30] and means[1].get_ydata() == pytest.approx([0.2, 0.2])


def test_classes_have_confusions(paper):
    content = classified(0.3) | {"title": "A model"}
    del content["facts"]["reference_z"]
    cells = [cell("x", "model", 0.7, metric="accuracy", target="all", split="test")]
    for run in content["runs"]:
        run["metrics"]["test"].setdefault("accuracy", {"all": 0.7})
    assert drawn(*paper(cells, model=content)) == ["confusion", "measured_against_published"]


def test_every_table_of_classes_shows_the_accuracy_of_runs(paper):
    """One figure a variant table with accuracy, of the split that is reported first; none of other metrics."""
    content = classified(0.3) | {"title": "A model"}
    del content["facts"]["reference_z"]
    for run in content["runs"]:
        run["metrics"]["last epoch"] = run["metrics"]["test"]
    expected, records = paper([cell("x", "model", 0.7, metric="accuracy", target="all", split="test")], model=content)
    shown = (("test", "accuracy", "model"), ("test", "f1", "model"), ("last epoch", "accuracy", "model"),
             ("test", "accuracy", "absent"))  # fmt: skip
    tables = [["songs", split, [metric], [name]] for split, metric, name in shown]
    names = ["confusion", "accuracy_of_runs", "measured_against_published"]
    assert drawn(expected | {"variant_tables": tables}, records) == names
    _, regression = paper([cell("x", "regression", 0.5)], regression=record(1.0) | {"title": "Of another data set"})
    other = ["songs", "cv", ["accuracy"], ["regression"]]  # which has no accuracy, though a table of classes names it
    assert drawn(expected | {"variant_tables": [other, *tables]}, regression) == names
    both = ["accuracy_of_runs_1", "accuracy_of_runs_2"]
    assert drawn(expected | {"variant_tables": 2 * tables}, records) == [names[0], *both, names[2]]


def test_a_collection_of_the_users_own_has_the_figures_of_the_papers_variants(paper):
    """Published cells are of another data set: nothing is drawn against them."""
    content = with_history(classified(0.3))
    for run in content["runs"]:
        run["history"] = [{name: [0.5, 0.6] for name in ("accuracy", "val_accuracy", "loss", "val_loss")}]
    cells = [cell("x", "model", 0.7, metric="accuracy", target="all", split="test", dataset="other")]
    assert drawn(*paper(cells, model=content)) == ["confusion", "training_curves"]


def test_a_papers_own_figures_are_those_of_its_package(paper, tmp_path, monkeypatch):
    (tmp_path / "a_paper").mkdir()
    (tmp_path / "a_paper" / "__init__.py").write_text("")
    (tmp_path / "a_paper" / "figures.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    expected, records = paper([])
    try:
        assert [path.name for path in figures.draw_all(expected, records, "a_paper")] == ["own.png"]
    finally:
        for name in ("a_paper", "a_paper.figures"):
            sys.modules.pop(name, None)


CONTINUOUS = Prediction(np.sin(np.arange(80).reshape(40, 2)), 35.0, 35.0, 15 + 0.5 * np.arange(40))
STATIC = Prediction(np.array([0.2, 0.4, 0.9]), 35.0, 30.0)


@pytest.mark.parametrize(
    ("suffix", "prediction", "columns"),
    [
        (".png", CONTINUOUS, ["valence", "arousal"]),
        (".svg", CONTINUOUS, ["valence", "arousal"]),
        (".pdf", STATIC, ["joy", "calm", "power"]),
    ],
)
def test_the_same_predictions_give_the_same_bytes(tmp_path, suffix, prediction, columns):
    paths = [tmp_path / f"{name}{suffix}" for name in ("one", "two")]
    for path in paths:
        plots.predictions({tmp_path / "a.wav": prediction}, columns, path, "A model", limits=(-1, 1))
    assert paths[0].read_bytes() == paths[1].read_bytes() and paths[0].stat().st_size > 1000


def test_windows_side_by_side_are_drawn_with_their_borders(tmp_path):
    """A step has both its values at the border; the same picture each time."""
    borders, paths = np.array([20.25, 25.25]), [tmp_path / "one.svg", tmp_path / "two.svg"]
    for path in paths:
        plots.windows(CONTINUOUS, CONTINUOUS.values + 0.1, borders, ["valence", "arousal"], path, "A model")
    text = paths[0].read_text()
    assert text == paths[1].read_text()
    for words in ("valence, side by side", "arousal, blended", "A model"):
        assert words in text
    with pytest.raises(ValueError):
        plots.windows(CONTINUOUS, CONTINUOUS.values, borders, ["valence"], tmp_path / "three.svg", "A model")


def test_svg_in_keeps_all_figures_in_one_folder(paper, tmp_path):
    expected, records = paper([cell("x", "model", 0.5)], model=record(1.0) | {"title": "A model"})
    with plots.svg_in(tmp_path / "site") as saved:
        figures.draw_all(expected, records, "tests")
    assert {path.name for path in saved} == {path.name for path in (tmp_path / "site").iterdir()}
    assert "songs_measured_against_published.svg" in {path.name for path in saved}
    assert not (records.path("songs", "").parent / "figures").exists()
