"""A collection of one's own with valence and arousal over time: read, faults, trained on, and predicted with."""

import json
import unicodedata
from importlib import import_module

import numpy as np
import pytest
import soundfile

from common.errors import InputError, collect_warnings
from data_prep import open_dataset, open_dynamic

RATE, SECONDS = 8000, 16
TWO = ("file", "3.wav", "8.wav")


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
        (
            lambda t: t.replace("2,3.wav,-0", "2,3.wav,-7", 1),
            r"line 83, column arousal: -7.* is not in \[-1, 1\].*-scale",
        ),
        (lambda t: t.replace("2,3.wav", "2,./3.wav", 1), r"line 84, column file: 3.wav is .* as ./3.wav of line 83"),
        (lambda t: t.replace(",8.wav", ",live/../8.wav", 5), r"line 223.* 8.wav is the same .* of line 218"),
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


def test_a_name_with_a_zero_byte_is_a_missing_file(mine):
    path = mine / "Mine" / "labels.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("3.wav", "3\0.wav"), encoding="utf-8")
    texts = [problem.text for problem in open_dataset("Mine", str(mine)).validate()]
    assert any("no such file, but it has labels" in text for text in texts)


def test_faults_of_recordings(mine):
    (mine / "Mine" / "3.wav").unlink()
    soundfile.write(mine / "Mine" / "4.wav", np.full(RATE * 9, 0.1), RATE)
    (mine / "Mine" / "5.wav").write_bytes((mine / "Mine" / "6.wav").read_bytes())
    texts = "\n".join(problem.text for problem in open_dataset("Mine", str(mine)).validate())
    for part in (
        "3.wav: no such file, but it has labels",
        "labels.csv: line 136: the label at 15 s needs 15.04 s of 4.wav, which lasts 9.00 s",
        "same recording as",
    ):
        assert part in texts
    with pytest.raises(InputError, match="emotify has no valence and arousal over time"):
        (mine / "Emotify").mkdir()
        open_dynamic("emotify", str(mine))


def relabelled(mine, change):
    """The collection with each label (song, time, valence, arousal) changed; None leaves a label out."""
    path = mine / "Mine" / "labels.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    rows = [change(*line.split(",")[:4]) for line in lines]
    path.write_text("\n".join([header, *(",".join([*row, ""]) for row in rows if row)]) + "\n", encoding="utf-8")
    return path


def test_one_recording_under_two_names_is_an_error(mine):
    """A link, a hard link, accents written in the other way, and (where files are checked) the same bytes."""
    folder = mine / "Mine"
    (folder / "link.wav").symlink_to("7.wav")
    (folder / "hard.wav").hardlink_to(folder / "7.wav")
    (folder / unicodedata.normalize("NFC", "é.wav")).hardlink_to(folder / "6.wav")
    for one, other in (("7", "link"), ("7", "hard"), ("6", "é"), ("é", "e\u0301")):
        text = relabelled(mine, lambda *row: row).read_text(encoding="utf-8")
        lines = [line.replace(f",{one}.wav", f",{other}.wav") for line in text.splitlines() if f",{one}.wav" in line]
        (folder / "labels.csv").write_text("\n".join([text.rstrip(), *lines]), encoding="utf-8")
        if lines:
            with pytest.raises(InputError, match=f"line 245, column file: {other}.wav is the same recording as {one}"):
                open_dataset("Mine", str(mine)).validate()
        (folder / "labels.csv").write_text(text.replace("6.wav", "é.wav"), encoding="utf-8")


def test_accents_may_be_written_in_the_other_way(mine):
    relabelled(mine, lambda time, song, *values: (time, unicodedata.normalize("NFD", song), *values))
    data = open_dataset("Mine", str(mine))
    assert data.validate() == [] and data.tracks[0].path.name == "0 ö.wav" and len(data.tracks) == 9


@pytest.mark.parametrize(("low", "high", "hint"), [(0, 1, "0 1"), (1, 9, "1 9"), (1, 5, "1 5"), (0, 250, "LOW HIGH")])
def test_another_scale_is_recognised_and_named(mine, low, high, hint):
    expected = open_dynamic("Mine", str(mine)).labels.to_numpy()

    def scaled(value):
        return f"{low + (high - low) * (float(value) + 1) / 2:.6f}"

    relabelled(mine, lambda time, song, arousal, valence: (time, song, scaled(arousal), scaled(valence)))
    with pytest.raises(InputError, match=f"no value is negative.*--scale {hint}"):
        open_dataset("Mine", str(mine)).validate()
    data = open_dynamic("Mine", str(mine), scale=[low, high])
    np.testing.assert_allclose(data.labels.to_numpy(), expected, atol=1e-5)
    with pytest.raises(InputError, match=r"line \d+, column .* is not in"):
        open_dynamic("Mine", str(mine), scale=[low, low + (high - low) / 4]).validate()


def test_a_scale_that_is_what_it_looks_like(mine):
    relabelled(mine, lambda time, song, *values: (time, song, *(str(abs(float(value))) for value in values)))
    data = open_dynamic("Mine", str(mine), scale=[-1, 1])
    assert data.validate() == [] and data.labels["valence"].max() == pytest.approx(0.4)


@pytest.mark.parametrize("lowest", [0.0, -0.001])
def test_a_column_without_negative_values_is_doubtful(mine, lowest):
    """Arousal from -1 to 1 and valence from 0 to 1: each is of a scale of its own."""
    relabelled(mine, lambda time, song, arousal, valence: (time, song, arousal, str(max(lowest, float(valence)))))
    with collect_warnings() as warnings:
        assert open_dynamic("Mine", str(mine)).validate() == []
    assert len(set(warnings)) == 1 and "valence goes from" in warnings[0] and "--scale" in warnings[0]


@pytest.mark.parametrize("name", ["emotify", "Classes"])
def test_a_scale_is_for_ones_own_labels(mine, name):
    (mine / "Classes").mkdir()
    with pytest.raises(InputError, match="--scale"):
        open_dataset(name, str(mine), scale=[1, 9])
    for scale in ([9, 1], [-np.inf, np.inf], [0, np.nan]):
        with pytest.raises(InputError, match="the lower end comes first"):
            open_dataset("Mine", str(mine), scale=scale)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_a_label_is_accepted_exactly_if_its_window_is_complete(mine, rate):
    from common.features.opensmile import OpenSmile

    path, sound = mine / "Mine" / "3.wav", 0.1 * np.random.default_rng(0).standard_normal(16 * rate)
    for seconds in (15.0, 15.03, 15.039, 15.04, 15.05):
        soundfile.write(path, sound[: round(seconds * rate)], rate)
        n_windows = len(OpenSmile()(*soundfile.read(path, dtype="float32")))
        problems = [problem.text for problem in open_dataset("Mine", str(mine)).validate()]
        assert (problems == []) == (1 + 0.5 * (n_windows - 1) >= 15), (seconds, n_windows, problems)
        assert all("line 109: the label at 15 s" in text for text in problems)


def test_what_is_left_out_is_named(mine, capsys):
    for name in ("spare.mp3", "._3.wav", "notes.txt"):
        (mine / "Mine" / name).write_text("x")
    open_dataset("Mine", str(mine)).require()
    line = "left out: 1 recordings without labels (spare.mp3); 1 hidden (._3.wav); 1 not recordings by their names"
    assert line in capsys.readouterr().out


@pytest.mark.slow
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


def test_the_other_paper_trains_on_it_too(mine):
    from reproductions.chaki2020.train import OwnRecordings
    from reproductions.chaki2020.variants import variants

    experiment = OwnRecordings(open_dynamic("Mine", str(mine)), 3, 1)
    variant = next(v for v in variants() if v.name == "at_32_260")
    assert (
        experiment.unavailable_reason(variant) is None
        and experiment.facts(variant)["splits"]["cross-validation"]["n_test"] == 9
    )
    assert "from audio" in experiment.facts(variant)["input"]
    assert experiment.samples(variant).x.lengths.tolist() == [27] * 9
    networks = experiment.trained_on_all(variant)
    assert [(len(network.split.train), len(network.split.validation)) for network in networks] == [(8, 1)] * 2


@pytest.mark.parametrize(("paper", "variant"), [("malik2017", "cv_crnn_l20_validated"), ("chaki2020", "at_32_260")])
def test_two_recordings_are_too_few_to_validate_with(mine, tmp_path, capsys, paper, variant):
    """Each fold would train on one, and none is left to validate."""
    labels = mine / "Mine" / "labels.csv"
    labels.write_text("".join(row for row in labels.read_text().splitlines(keepends=True) if row.split(",")[1] in TWO))
    training = import_module(f"reproductions.{paper}.train")
    options = ["--data-root", mine, "--dataset", "Mine", "--out", tmp_path / "runs", "--folds", 2, "--jobs", 1]
    assert training.main([*map(str, options), "--variant", variant]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == "error: the training part has only one song, and none to validate; add recordings of other songs"
