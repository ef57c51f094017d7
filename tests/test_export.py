"""Exported predictions: metrics follow from the CSV files alone, by other formulas than the suite's."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from common.experiment.records import read_record
from data_prep import export
from tests.conftest import ROOT

RESULTS = ROOT / "results"


def exported(name):
    record = read_record(RESULTS / f"{name}.json")
    header, *lines = export.predictions(record)
    return record["runs"], pd.DataFrame(lines, columns=header)


def test_emotions():
    runs, table = exported("jakubik2017/emotify/semantic_embedding_gru_svr")
    for run in runs:
        songs = table[table.seed == run["seed"]]
        r = [part.annotated_z_power.corr(part.predicted_power) for _, part in songs.groupby("fold")]
        assert np.mean(r) == pytest.approx(run["metrics"]["10-fold"]["pearson_r_mean_over_folds"]["power"], abs=2e-4)


@pytest.mark.parametrize("name", ["velankar2022/4q/crnn", "jakubik2017/4q/combined_svm"])
def test_classes(name):
    runs, table = exported(name)
    for run in runs:
        for split, measured in run["metrics"].items():
            songs = table[(table.seed == run["seed"]) & (table.split == split)]
            assert accuracy_score(songs["class"], songs.predicted) == pytest.approx(
                measured["accuracy"]["all"], abs=1e-4
            )


@pytest.mark.parametrize("name", ["malik2017/mediaeval2015/crnn_l20", "chaki2020/emomusic/at_128_260"])
def test_valence_and_arousal(name):
    runs, table = exported(name)
    for run in runs:
        for split, measured in run["metrics"].items():
            t = table[(table.seed == run["seed"]) & (table.split == split)]
            squared = (t.arousal_mean - t.arousal_predicted_mean) ** 2
            squared += t.arousal_variance + t.arousal_predicted_variance - 2 * t.arousal_covariance
            rmse = np.sqrt(np.average(squared, weights=t.frames))
            assert rmse == pytest.approx(measured["rmse_pooled"]["arousal"], rel=1e-3)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("jakubik2017/emotify/ridge", {f"fold {k}": 40 for k in range(10)}),
        ("malik2017/mediaeval2015/crnn_l20", {"development": 260, "evaluation": 17, "evaluation_cuts": 58}),
        ("velankar2022/4q/crnn", {"train": 73, "validation": 19, "test": 46}),
        ("velankar2022/4q/crnn_quadrants_92", {"train": 74, "validation": 18, "test": 300, "none": 508}),
        ("cross_dataset/emomusic_to_deam/ridge", {"train": 557, "test": 99}),
    ],
)
def test_splits(name, parts):
    header, *lines = export.splits(read_record(RESULTS / f"{name}.json"))
    table = pd.DataFrame(lines, columns=header)
    for _, run in table.groupby("seed"):
        assert run.part.value_counts().to_dict() == parts and not run.duplicated().any()


def test_histories():
    record = read_record(RESULTS / "jakubik2017" / "emotify" / "standard_gru.json")
    header, *lines = export.history(record)
    table = pd.DataFrame(lines, columns=header)
    assert table.groupby(["seed", "network"]).size().unique().tolist() == [100] and table.network.nunique() == 10


def test_command(tmp_path):
    command = [sys.executable, "-m", "data_prep", "export", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and (tmp_path / "velankar2022" / "4q" / "crnn" / "predictions.csv").is_file(), (
        done.stderr
    )
    done = subprocess.run([*command, "--results", str(tmp_path)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and "holds no records" in done.stderr
