"""A collection of one's own with valence and arousal over time: read, faults, trained on, and predicted with."""

import json

import numpy as np
import pytest
import soundfile

from common.errors import InputError
from data_prep import open_dataset, open_dynamic

RATE, SECONDS = 8000, 16


@pytest.fixture
def mine(tmp_path):
    """Nine recordings of noise that are the louder the higher the arousal, labelled from 2 s to 15 s."""
    folder, lines = tmp_path / "data" / "Mine", ["time_s,file,arousal,valence,note"]
    (folder / "live").mkdir(parents=True)
    for song in range(9):
        rng, t = np.random.default_rng(song), np.arange(RATE * SECONDS) / RATE
        arousal = 0.6 * np.sin(song + 2 * np.pi * t / 20)
        name = f"{song}.wav" if song else "live/0 ö.wav"
        soundfile.write(folder / name, 0.02 * 20**arousal * rng.standard_normal(len(t)), RATE)
        for time in np.arange(2, 15.25, 0.5):
            lines.append(f"{time:g},{name},{arousal[int(time * RATE)]:.3f},{0.1 * (song - 4)},")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path / "data"


def test_it_is_read(mine):
    data = open_dynamic("Mine", str(mine))
    assert data.validate() == [] and len(data.tracks) == data.n_tracks == 9 and data.tracks[0].id == "live/0 ö.wav"
    one = data.annotations("development")["3.wav"]
    assert one.times.tolist() == np.arange(2, 15.25, 0.5).tolist() and one.values.shape == (27, 2)
    assert one.values[:, 0] == pytest.approx(-0.1) and data.labels.shape == (9 * 27, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("valence", "pleasure"), "has no column 'valence'"),
        (lambda t: t.replace("2,3.wav,", "2,3.wav,high", 1), "line 83, column arousal: 'high"),
        (lambda t: t.replace("2,3.wav,-0", "2,3.wav,-7", 1), r"line 83, column arousal: -7.* is not in \[-1, 1\]"),
        (
            lambda t: t.replace("2.5,3.wav,", "2.6,3.wav,", 1),
            "line 84, column time_s: 2.6 is not the next .*previous one is 2",
        ),
        (lambda t: t.replace("2.5,3.wav,", "nan,3.wav,", 1), "line 84, column time_s: 'nan' is not a number"),
        (lambda t: t.replace("2,3.wav,", "0.5,3.wav,", 1), "line 83, column time_s: 0.5 is before 1.0"),
        (lambda t: t.replace("2,3.wav,", "2,,", 1), "line 83, column file: is empty"),
        (lambda t: t.replace("note", "valence"), "has two columns 'valence'"),
        (lambda t: t.replace(",", ";"), "has no column 'file' .*columns by commas"),
        (lambda t: t.replace(",3.wav,", ",3.wav,0,", 1), "line 83: has 6 fields, not 5"),
        (lambda t: "", "has no column 'file' \\(but nothing\\)"),
    ],
)
def test_faults_name_line_and_column(mine, change, message):
    path = mine / "Mine" / "labels.csv"
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(InputError, match=rf"labels\.csv: {message}"):
        open_dataset("Mine", str(mine)).validate()


def test_faults_of_recordings(mine):
    (mine / "Mine" / "3.wav").unlink()
    soundfile.write(mine / "Mine" / "4.wav", np.full(RATE * 9, 0.1), RATE)
    (mine / "Mine" / "5.wav").write_bytes((mine / "Mine" / "6.wav").read_bytes())
    texts = "\n".join(problem.text for problem in open_dataset("Mine", str(mine)).validate())
    for part in (
        "3.wav: no such file, but it has labels",
        "4.wav: lasts 9.0 s instead of at least 15 s",
        "same recording as",
    ):
        assert part in texts
    with pytest.raises(InputError, match="emotify has no valence and arousal over time"):
        (mine / "Emotify").mkdir()
        open_dynamic("emotify", str(mine))


def test_train_and_predict_with_ones_own(mine, tmp_path, monkeypatch, capsys):
    from common import predict
    from reproductions.malik2017 import train

    monkeypatch.setattr(train, "SEEDS", 1)  # networks of which the mean predicts
    options = ["--data-root", mine, "--dataset", "Mine", "--out", tmp_path / "runs", "--folds", 2, "--epochs", 1]
    options += ["--variant", "cv_crnn_l20_validated", "--repeats", 1, "--jobs", 1, "--weights", tmp_path / "weights"]
    assert train.main([str(option) for option in options]) == 0, capsys.readouterr().err
    path = tmp_path / "runs" / "malik2017" / "Mine" / "cv_crnn_l20_validated.json"
    facts = json.loads(path.read_text())["facts"]
    assert facts["n_train"] == facts["of_train"] == 9 and "as collected (wav)" in facts["audio"]
    call = [str(mine / "Mine" / "3.wav"), "--weights", str(tmp_path / "weights")]
    assert predict.main("reproductions.malik2017.predict", "", "malik2017", call) == 0
    assert "trained on 8 songs of Mine, validated on 1 more" in capsys.readouterr().out


def test_the_other_paper_hears_it_too(mine):
    from reproductions.chaki2020.train import ThousandSongs
    from reproductions.chaki2020.variants import variants

    experiment = ThousandSongs(open_dynamic("Mine", str(mine)), 3, 1)
    variant = next(v for v in variants() if v.name == "at_32_260")
    assert (
        experiment.unavailable_reason(variant) is None
        and experiment.facts(variant)["splits"]["cross-validation"]["n_test"] == 9
    )
    assert experiment.samples(variant).x.shape == (9, 27, 260)
    networks = experiment.trained_on_all(variant)
    assert [(len(network.split.train), len(network.split.validation)) for network in networks] == [(8, 1)] * 2
