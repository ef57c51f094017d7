"""Predictions: the same as in training, from every sort of file, and the errors where there are none."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from common import audio, weights
from common.errors import InputError
from common.features import opensmile
from common.features.mel import MelSpectrogram, paired_with_deltas
from common.features.relative_mel import RelativeMel
from common.features.store import FeatureStore
from common.places import RESULTS
from common.predict import command, continuous, jams, outputs
from common.predict.continuous import blend
from common.prediction import SONG, ErrorModel, Prediction
from common.recordings import recordings
from reproductions.predict import choose, scores, with_weights
from tests import loudness
from tests.conftest import AS_ROOT, PAPERS, ROOT
from tests.made_up import MUSIC_RATE as RATE
from tests.made_up import music

VA = ["valence", "arousal"]


def run(paper, *arguments, **environment):
    command = [sys.executable, "-m", f"reproductions.{paper}.predict", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | environment)


@pytest.fixture(scope="module")
def models():
    """The suite's own models, by paper; built when asked for."""
    built = {}

    def of(paper):
        if paper not in built:
            module = __import__(f"reproductions.{paper}.predict", fromlist=["Model"])
            built[paper] = module.Model(*weights.load(RESULTS / paper / "weights", paper))
        return built[paper]

    return of


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, music(35), RATE)
    return path


@pytest.mark.parametrize("paper", PAPERS)
def test_shipped_weights_say_what_they_are(paper):
    """And what they say of their quality is what the records hold."""
    networks, facts = weights.load(RESULTS / paper / "weights", paper)
    record = json.loads((RESULTS / paper / facts["dataset"] / f"{facts['variant']}.json").read_text())
    quality = facts["quality"]
    for target, value in quality["model"].items():
        values = [one["metrics"][quality["split"]][quality["metric"]][target] for one in record["runs"]]
        assert value == pytest.approx(np.mean(values), abs=1e-4)
    assert facts["settings"] == record["settings"] and quality["baselines"] and networks
    assert "non-commercial" in (RESULTS / paper / "weights" / "NOTICE.txt").read_text()


def test_weights_are_checked(tmp_path):
    weights.save(tmp_path, [b"a network"], {"paper": "toy"}, "Somebody, 2020")
    (path,), facts = weights.load(tmp_path, "toy")
    assert path.read_bytes() == b"a network" and facts["paper"] == "toy"
    with pytest.raises(InputError, match="holds weights of toy"):
        weights.load(tmp_path, "malik2017")
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(InputError, match=r"is not the file that weights\.json names"):
        weights.load(tmp_path, "toy")
    path.unlink()
    with pytest.raises(InputError, match=r"network_0\.keras: cannot be read"):
        weights.load(tmp_path, "toy")
    (tmp_path / "weights.json").write_text("[]")
    with pytest.raises(InputError, match=r"weights\.json: does not describe weights"):
        weights.load(tmp_path, "toy")


@pytest.mark.parametrize("std", [0.5, np.array([2.0, 1e-6, 3.0])])
def test_inputs_are_scaled_inside_the_model(tmp_path, std):
    from common.layers import keras

    network = keras.Sequential([keras.Input((4, 3)), keras.layers.Dense(2)])
    mean, x = np.array([1.0, -2.0, 0.5]), np.random.default_rng(0).standard_normal((5, 4, 3)).astype("float32")
    x[..., 1] = -2 + 1e-6 * x[..., 1]
    model = weights.with_scaling(network, mean, std)
    expected = network(((x - mean.astype("float32")) / std).astype("float32"))
    np.testing.assert_allclose(model(x), expected, rtol=1e-4, atol=1e-5)
    (tmp_path / "one.keras").write_bytes(weights.packed(model))
    np.testing.assert_array_equal(weights.read(tmp_path / "one.keras")(x), model(x))
    other = weights.with_scaling(keras.models.clone_model(network), 0, 1)
    weights.copy(model, other)
    np.testing.assert_array_equal(other(x), model(x))


def test_support_vectors_are_scikit_learns():
    from sklearn.svm import SVR

    from common.layers.support_vectors import SupportVectorRegression

    rng = np.random.default_rng(0)
    features, labels, new = rng.standard_normal((40, 5)), rng.uniform(0, 1, (40, 3)), rng.standard_normal((7, 5))
    fitted, dual = [SVR(gamma=0.3).fit(features, target) for target in labels.T], np.zeros((40, 3))
    for i, one in enumerate(fitted):
        dual[one.support_, i] = one.dual_coef_[0]
    layer = SupportVectorRegression(40, 3, 0.3)
    layer.build(new.shape)
    layer.set_weights([features, dual, np.array([one.intercept_[0] for one in fitted])])
    expected = np.stack([one.predict(new) for one in fitted], axis=1)
    np.testing.assert_allclose(layer(new.astype("float32")), expected, atol=1e-5)


def test_the_readmes_example_of_weights():
    """What the README says loads a network, does, by itself."""
    text = (ROOT / "README.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    done = subprocess.run([sys.executable, "-c", code + "\nprint(y.shape)"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.strip() == "(1, 20, 2)", done.stderr
    assert "common.predict" not in code and len(code.strip().splitlines()) <= 5


# The same as the training path.


def test_malik2017_predicts_as_in_training(models, song):
    """From the features that the store computes for training; a window as training splits songs, and blended ones."""
    from common.protocol import Sequences
    from reproductions.malik2017 import model as of_malik
    from reproductions.malik2017.train import predictor

    model, features = models("malik2017"), FeatureStore().get(song, opensmile.OpenSmile())
    prediction = model(song)
    np.testing.assert_array_equal(opensmile.extract_windows(song)[1], features)
    assert prediction.times.tolist() == (1.0 + 0.5 * np.arange(len(features))).tolist() and prediction.length == 35
    (of_window,) = model.members_of([features[:20]])
    assert len(prediction.networks) == len(model.models) == 5
    for i in (0, 4):  # building each takes long
        net = of_malik.crnn(248, 20)
        net.set_weights(model.models[i].layers[-1].get_weights())
        scaling = model.models[i].get_layer(weights.SCALING)
        x = np.asarray(scaling(features[None, :, opensmile.TIME_INVARIANT]))[0]
        expected = predictor(net, Sequences.of([x[:20]]), 20, 20, {})()
        np.testing.assert_allclose(of_window[i], expected, atol=1e-6)
        windows, starts = Sequences.of([x]).split_into(20, 10)
        expected = blend(net.predict(windows, verbose=0), starts)
        np.testing.assert_allclose(prediction.networks[i], expected, atol=1e-6)
    np.testing.assert_allclose(prediction.values, np.mean(prediction.networks, axis=0), atol=1e-6)
    np.testing.assert_allclose(model.of_features(features[:20]), np.mean(of_window, axis=0), atol=1e-6)


def test_songs_together_are_predicted_as_alone(models, monkeypatch):
    """Of any length, and where a network does not see all windows in one call."""
    model, rng = models("malik2017"), np.random.default_rng(0)
    songs = [rng.standard_normal((n, 260)) for n in (20, 7, 45, 20, 1)]
    alone = [model.members_of([song])[0] for song in songs]
    assert [members.shape for members in alone] == [(5, len(song), 2) for song in songs]
    monkeypatch.setattr(continuous, "WINDOWS_AT_ONCE", 3)
    for one, together in zip(alone, model.members_of(songs), strict=True):
        np.testing.assert_allclose(together, one, atol=1e-5)


def test_jakubik2017_predicts_as_in_training(models, song):
    """Over padded pieces as the model in the file over the song itself."""
    model = models("jakubik2017")
    vectors = paired_with_deltas(FeatureStore().get(song, MelSpectrogram()))
    np.testing.assert_allclose(model(song).values, np.asarray(model.model(vectors[None]))[0], atol=1e-5)
    one, other = vectors[:300], vectors[300:]
    f = [np.asarray(model.encoder((piece - model.mean)[None] / model.std))[0].mean(0) for piece in (one, other)]
    mean = np.average(f, axis=0, weights=[len(one), len(other)])
    expected = np.asarray(model.regression(mean[None].astype("float32")))[0]
    np.testing.assert_allclose(model.of_pieces([one, other]), expected, atol=1e-5)


def test_velankar2022_predicts_as_in_training(models, song):
    from reproductions.velankar2022.train import loop_to_length

    model = models("velankar2022")
    soundfile.write(song.with_name("excerpt.wav"), music(30), RATE)
    x = loop_to_length(FeatureStore().get(song.with_name("excerpt.wav"), RelativeMel()))[None]
    expected = model.model.predict(x, verbose=0)[0]
    prediction = model(song.with_name("excerpt.wav"))
    np.testing.assert_allclose(prediction.values, expected, atol=1e-6)
    assert prediction.values.sum() == pytest.approx(1) and model(song).used == 30


def test_chaki2020_predicts_as_in_training(models, song):
    """A network a target over 61 steps, which is how long training clips are."""
    from reproductions.chaki2020 import model as of_chaki

    model = models("chaki2020")
    _, features, _ = opensmile.extract_windows(song)
    values = model.of_features(features[:61])
    for i, scaled in enumerate(model.models):
        net = of_chaki.lstm(248, 61, (128,), "strict")
        net.set_weights(scaled.layers[-1].get_weights())
        x = np.asarray(scaled.get_layer(weights.SCALING)(features[None, :61, opensmile.TIME_INVARIANT]))
        np.testing.assert_allclose(values[:, i], net.predict(x, verbose=0)[0, :, 0], atol=1e-6)


def test_windows_are_blended_without_steps():
    """What all windows agree on stays as it is, and so does what one window alone covers; a jump becomes a slope."""
    length, starts = 6, np.array([0, 3, 6, 8])
    line = np.arange(14.0)[:, None]
    windows = np.stack([line[start : start + length] for start in starts])
    np.testing.assert_allclose(blend(windows, starts), line)
    np.testing.assert_array_equal(blend(windows[:1].astype("float32"), starts[:1]), windows[0].astype("float32"))
    steps = np.stack([np.full((length, 1), value) for value in (0.0, 1.0)])
    blended = blend(steps, np.array([0, 3]))[:, 0]
    assert blended[:3].tolist() == [0] * 3 and blended[6:].tolist() == [1] * 3
    assert (np.diff(blended) >= 0).all() and np.diff(blended).max() < 0.5


def test_long_recordings_are_read_in_pieces(song, monkeypatch):
    """No window is lost or comes twice where pieces meet, and what forgets within seconds is the same."""
    times, features, length = opensmile.extract_windows(song)
    monkeypatch.setattr(opensmile, "BLOCK_S", 12.0)
    in_pieces = opensmile.extract_windows(song)
    assert in_pieces[0].tolist() == times.tolist() and in_pieces[2] == length
    kept = opensmile.TIME_INVARIANT
    correlation = [np.corrcoef(features[:, i], in_pieces[1][:, i])[0, 1] for i in kept]
    assert np.median(correlation) > 0.999


def test_pieces_are_the_file(song):
    whole, rate = audio.load(song)
    pieces = [piece for piece, _ in audio.blocks(song, 10)]
    assert rate == RATE and [len(piece) for piece in pieces] == [220500] * 3 + [110250]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    overlapped = [piece for piece, _ in audio.blocks(song, 10, overlap=2)]
    np.testing.assert_array_equal(overlapped[1], whole[8 * RATE : 20 * RATE])


# Odd recordings.


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(
    ("rate", "subtype"), [(8000, "PCM_U8"), (22050, "FLOAT"), (44100, "PCM_24"), (96000, "PCM_16")]
)
def test_channels_rates_and_depths(models, tmp_path, channels, rate, subtype):
    """The same music, however it is stored, has a prediction."""
    import soxr

    sound = soxr.resample(music(6), RATE, rate)
    path = tmp_path / "odd.wav"
    soundfile.write(path, np.repeat(sound[:, None], channels, axis=1), rate, subtype=subtype)
    one = models("jakubik2017")(path)
    assert np.isfinite(one.values).all() and one.length == pytest.approx(6, abs=0.01)
    assert np.isfinite(models("velankar2022")(path).values).all()


@pytest.mark.parametrize(
    ("paper", "seconds", "message"),
    [("malik2017", 0.5, "lasts 0.50 s, and a prediction needs 1.04 s"), ("jakubik2017", 0.5, "needs 5 s or more"),
     ("chaki2020", 0.5, "needs 1.04 s or more"), ("velankar2022", 0.5, "needs 1 s or more"),
     ("musicnn2019", 0.5, "lasts 0.50 s, and a prediction needs 1 s or more")],
)  # fmt: skip
def test_too_short(models, tmp_path, paper, seconds, message):
    soundfile.write(tmp_path / "short.wav", music(seconds), RATE)
    with pytest.raises(InputError, match=rf"short\.wav: .*{message}"):
        models(paper)(tmp_path / "short.wav")


@pytest.mark.parametrize("paper", PAPERS)
def test_silent_and_clipped(models, tmp_path, paper):
    soundfile.write(tmp_path / "silent.wav", np.zeros(8 * RATE), RATE)
    with pytest.raises(InputError, match=r"silent\.wav: .*silent"):
        models(paper)(tmp_path / "silent.wav")
    soundfile.write(tmp_path / "clipped.wav", 20 * music(8), RATE, subtype="FLOAT")
    assert np.isfinite(models(paper)(tmp_path / "clipped.wav").values).all()


def test_a_last_piece_without_a_vector(models, tmp_path):
    """What a minute and a twentieth of a second leaves over is too short for a vector."""
    for seconds in (61, 61.04):
        soundfile.write(tmp_path / f"{seconds}.wav", np.resize(music(10), int(seconds * RATE)), RATE)
    whole, more = (models("jakubik2017")(tmp_path / f"{seconds}.wav") for seconds in (61, 61.04))
    np.testing.assert_allclose(more.values, whole.values)


def predict_loudness(monkeypatch, *paths):
    """What the command makes of recordings by `tests.loudness`: predictions, and what is wrong."""
    monkeypatch.setattr(command, "load", lambda *_: loudness.Model([], {}))
    options = SimpleNamespace(jobs=1, interval=None, weights=None)
    return command._predict_all("tests.loudness", "loudness", recordings(paths), options)


def test_a_prediction_that_is_not_finite_is_an_error(song, monkeypatch):
    values = Prediction(np.array([[0.1, 0.2], [np.nan, 0.2]]), 1.0, 1.0, None)
    monkeypatch.setattr(loudness.Model, "values", lambda *_: values)
    predictions, failed = predict_loudness(monkeypatch, song)
    assert not predictions and failed[song].startswith(f"{song}: the model's answer is not a finite number")


def test_one_recording_that_fails_leaves_the_others(song, tmp_path, monkeypatch):
    soundfile.write(tmp_path / "short.wav", music(3), RATE)
    values = loudness.Model.values

    def fails_on_short_ones(self, loud, seconds):
        if seconds < 5:
            raise ValueError("no such length")
        return values(self, loud, seconds)

    monkeypatch.setattr(loudness.Model, "values", fails_on_short_ones)
    predictions, failed = predict_loudness(monkeypatch, tmp_path / "short.wav", song)
    assert list(predictions) == [song] and failed == {
        tmp_path / "short.wav": f"{tmp_path / 'short.wav'}: ValueError: no such length"
    }


def test_what_is_doubtful_is_in_all_outputs(tmp_path, monkeypatch, capfd):
    """A recording at 8 kHz: in one line on the screen, and in CSV and JSON."""
    path, other = tmp_path / "narrow.wav", tmp_path / "other.wav"
    soundfile.write(path, music(3)[::3], RATE // 3)
    predictions = predict_loudness(monkeypatch, path)[0] | {other: Prediction(np.ones(2), 3, 3)}
    assert len(predictions[path].warnings) == 1 and capfd.readouterr().err == ""
    text = predictions[path].warnings[0]
    assert text.startswith(f"{path}: has no sound above 3.7 kHz; ")
    rows = list(csv.DictReader(outputs.as_csv(predictions, loudness.FACTS["columns"]).splitlines()))
    assert [row["warning"] for row in rows] == [text, ""]
    facts = {"columns": loudness.FACTS["columns"]}
    songs = json.loads(outputs.as_json(predictions, {}, {}, facts, tmp_path / "p.json"))["recordings"]
    assert [song["warnings"] for song in songs] == [[text], []]
    audio.load(path)
    assert capfd.readouterr().err == f"warning: {text}\n"


# Intervals of time, and of values.


def over_time(n=7, networks=None):
    """Values 0, 1, 2, ... of two targets from 1.0 s on, every 0.5 s."""
    values = np.stack([np.arange(n), 10 * np.arange(n)], axis=1).astype("float32")
    return Prediction(values, 0.5 * n + 0.7, 0.5 * n + 0.7, 1 + 0.5 * np.arange(n), networks=networks)


def test_means_over_intervals():
    """Intervals begin at 0 and are named by their ends; the last ends with the recording."""
    one = over_time()  # at 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0
    assert one.averaged(0.5) is one
    two = one.averaged(1.5)
    assert two.times.tolist() == [1.5, 3.0, 4.0] and two.values[:, 0].tolist() == [0.5, 3, 5.5]
    np.testing.assert_allclose(two.values[:, 1], [5, 30, 55])
    song = one.averaged(SONG)
    assert song.times is None and song.values.tolist() == [3, 30] and song.mean.tolist() == one.mean.tolist()
    static = Prediction(np.ones(2), 1.0, 1.0)
    assert static.averaged(SONG) is static and one.averaged(1000).times.tolist() == [4.0]


def test_the_interval_of_values_has_the_spread_of_means():
    """Networks that differ at each time and agree on the mean make wide intervals at each time, not around the mean."""
    noise = np.array([1, -1, 1, -1, 1, -1, 0])[:, None] * np.ones((7, 2))
    networks = np.stack([over_time().values + noise, over_time().values - noise])
    one = replace(over_time(networks=networks), error_model=ErrorModel(np.array([0.3, 0.3]), np.array([2.0, 1.0])))
    np.testing.assert_allclose(one.half_width[0], [2 * np.hypot(0.3, 2**0.5), np.hypot(0.3, 2**0.5)])
    np.testing.assert_allclose(one.averaged(SONG).half_width, [0.6, 0.3])
    assert over_time().half_width is None


@pytest.mark.parametrize(("text", "expected"), [("0.5", 0.5), ("10", 10), ("2.5", 2.5), ("song", SONG)])
def test_intervals_that_are_read(text, expected):
    assert command.interval(text) == expected


@pytest.mark.parametrize("text", ["0.7", "0", "-1", "nan", "inf", "ten", ""])
def test_other_intervals_are_one_line(text, capsys):
    with pytest.raises(SystemExit):
        command.parser("predict", "").parse_args(["a.wav", f"--interval={text}"])
    printed = capsys.readouterr().err
    assert "neither a multiple of 0.5 seconds nor the word song" in printed and printed.count("\n") == 1


def test_intervals_are_for_models_over_time(song):
    done = run("velankar2022", song, "--interval", "song")
    assert done.returncode == 2 and "--interval: is for valence and arousal over time" in done.stderr


# JAMS.

FACTS = {"paper": "toy", "title": "A model", "dataset": "noise", "n_train": 3}


def test_jams_of_values_over_time(tmp_path):
    """What the package reads back: consecutive intervals from 0 to the last value, and what is doubtful."""
    import jams as package

    one = replace(over_time().averaged(1.5), warnings=("doubtful",))
    (tmp_path / "a.jams").write_text(jams.as_jams(tmp_path / "é.wav", one, FACTS | {"columns": VA}, "From 0 to 70."))
    content = package.load(str(tmp_path / "a.jams"), strict=True)
    (annotation,) = content.search(namespace="mood_thayer")
    data = annotation.to_dataframe()
    assert data.time.tolist() == [0, 1.5, 3.0] and data.duration.tolist() == [1.5, 1.5, 1.0]
    assert data.value.tolist() == [[0.5, 5], [3, 30], [5.5, 55]]
    assert content.file_metadata.duration == one.length and content.file_metadata.identifiers.file == "é.wav"
    assert (
        content.sandbox.warnings == ["doubtful"] and annotation.annotation_metadata.annotation_rules == "From 0 to 70."
    )


def test_jams_of_one_value_a_recording(tmp_path):
    import jams as package

    classes = Prediction(np.array([0.25, 0.75]), 4.0, 4.0)
    text = jams.as_jams(tmp_path / "a.wav", classes, FACTS | {"columns": ["sad", "happy"]}, "Probability.")
    (tmp_path / "a.jams").write_text(text)
    (annotation,) = package.load(str(tmp_path / "a.jams"), strict=True).search(namespace="tag_open")
    observed = [(row.value, row.confidence, row.duration) for row in annotation.data]
    assert observed == [("sad", 0.25, 4), ("happy", 0.75, 4)]
    of_song = jams.as_jams(tmp_path / "a.wav", over_time().averaged(SONG), FACTS | {"columns": VA}, "")
    assert [row["value"] for row in json.loads(of_song)["annotations"][0]["data"]] == [[3, 30]]


def test_a_jams_file_is_of_one_recording(tmp_path, monkeypatch):
    recordings = [tmp_path / name for name in ("a.wav", "a.mp3", "b.wav", "x/A.wav")]
    assert jams.paths(tmp_path / "one.jams", recordings[:1]) == {recordings[0]: tmp_path / "one.jams"}
    with pytest.raises(InputError, match=r"one\.jams: a file holds one recording, and there are 4; name a folder"):
        jams.paths(tmp_path / "one.jams", recordings)
    files = jams.paths(tmp_path / "out", recordings)
    assert [path.name for path in files.values()] == ["a.jams", "a-2.jams", "b.jams", "A-3.jams"]
    monkeypatch.setattr(jams, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="install the extra 'jams'"):
        jams.paths(tmp_path / "out", recordings)


# Which model.


def test_the_model_is_chosen_by_the_rule():
    """The highest concordance across data sets, recomputed from the records."""
    expected = {}
    for paper in ("chaki2020", "malik2017", "musicnn2019"):
        records = [json.loads(path.read_text()) for path in (RESULTS / "cross_dataset").glob(f"*/{paper}_*.json")]
        runs = [[run["metrics"]["test"]["ccc_pooled"]["average"] for run in record["runs"]] for record in records]
        expected[paper] = np.mean([np.mean(of_record) for of_record in runs])
    assert scores() == pytest.approx(expected) and set(with_weights()) == set(PAPERS)


@pytest.mark.parametrize(
    ("ccc", "weighted", "best"),
    [(0.7, True, "musicnn2019"), (0.5, True, "malik2017"), (0.7, False, "malik2017")],
)
def test_the_rule_goes_by_records_and_weights(tmp_path, ccc, weighted, best):
    """Means over pairs of data sets; without weights a model is not among them, however good."""
    of_pairs = {
        pair: {"malik2017_crnn": of_malik, "musicnn2019_ridge": ccc}
        for pair, of_malik in (("a_to_b", 0.8), ("b_to_a", 0.4))
    }
    for pair, values in of_pairs.items():
        (tmp_path / "cross_dataset" / pair).mkdir(parents=True)
        for name, value in values.items():
            runs = [{"metrics": {"test": {"ccc_pooled": {"average": value + off}}}} for off in (-0.1, 0.1)]
            (tmp_path / "cross_dataset" / pair / f"{name}.json").write_text(json.dumps({"runs": runs}))
    for paper in ("malik2017", "musicnn2019")[: 1 + weighted]:
        (tmp_path / paper / "weights").mkdir(parents=True)
        (tmp_path / paper / "weights" / "weights.json").touch()
    assert scores(tmp_path) == pytest.approx({"malik2017": 0.6} | ({"musicnn2019": ccc} if weighted else {}))
    paper, words = choose(tmp_path)
    assert paper == best and words.startswith("concordance correlation across data sets")


def test_a_damaged_record_of_the_rule_is_one_line(tmp_path):
    (tmp_path / "cross_dataset" / "a_to_b").mkdir(parents=True)
    path = tmp_path / "cross_dataset" / "a_to_b" / "malik2017_crnn.json"
    assert scores(tmp_path) == {}
    path.write_text('{"runs": [{}]}')
    with pytest.raises(InputError, match=r"malik2017_crnn\.json: is no record that can be read.*--paper"):
        scores(tmp_path)


@pytest.mark.slow
def test_predict_without_a_paper(song, tmp_path):
    """Names the model and its errors, and writes what the paper's own command writes."""
    for module, name in (("reproductions", "best"), ("reproductions.musicnn2019.predict", "own")):
        call = [sys.executable, "-m", module, *(["predict"] if name == "best" else []), str(song)]
        call += ["--interval", "10", "--csv", str(tmp_path / f"{name}.csv"), "--jams", str(tmp_path / f"{name}.jams")]
        done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("model: musicnn2019 (concordance") == (name == "best")
        assert "ridge regression" in done.stdout and "± holds the labels of 95 %" in done.stdout
    assert (tmp_path / "best.csv").read_text() == (tmp_path / "own.csv").read_text()
    rows = list(csv.DictReader((tmp_path / "own.csv").open()))
    assert [float(row["time_s"]) for row in rows] == [10, 20, 30, 35]
    for row in rows:
        assert float(row["valence_low"]) < float(row["valence"]) < float(row["valence_high"])
    assert "mood_thayer" in (tmp_path / "own.jams").read_text()


@pytest.mark.parametrize("paper", PAPERS)
def test_cut_off(models, tmp_path, paper):
    """Of a file whose end is missing nothing is predicted, not even from what could be decoded."""
    soundfile.write(tmp_path / "whole.mp3", music(20), RATE)
    (tmp_path / "cut.mp3").write_bytes((tmp_path / "whole.mp3").read_bytes()[:60_000])
    with pytest.raises(InputError, match=r"cut\.mp3: is cut off"):
        models(paper)(tmp_path / "cut.mp3")


# The command.


def test_a_folder_with_a_broken_file(tmp_path):
    folder = tmp_path / "my songs" / "музыка 音楽"
    folder.mkdir(parents=True)
    for name in ("one.flac", "two.ogg"):
        soundfile.write(folder / name, music(6), RATE)
    (folder / "broken.mp3").write_text("no music")
    (folder / "cover.jpg").write_text("no music either")
    (folder / "other.m4a").write_text("no music in another format")
    (folder / "live.ogg").mkdir()
    out = {"--jobs": 1, "--csv": tmp_path / "p.csv", "--json": tmp_path / "p.json", "--plot": tmp_path / "p.png"}
    done = run("velankar2022", tmp_path / "my songs", *(part for option in out.items() for part in option))
    assert done.returncode == 1, done.stderr
    assert "broken.mp3: cannot be" in done.stderr and "2 of 4 recordings could not be" in done.stderr
    assert "other.m4a: cannot be decoded" in done.stderr
    rows = list(csv.DictReader((tmp_path / "p.csv").open(encoding="utf-8")))
    assert [row["recording"] for row in rows] == [str(folder / "one.flac"), str(folder / "two.ogg")]
    content = json.loads((tmp_path / "p.json").read_text(encoding="utf-8"))
    assert [one["recording"] for one in content["failed"]] == [
        str(folder / name) for name in ("broken.mp3", "other.m4a")
    ]
    for row, one in zip(rows, content["recordings"], strict=True):
        assert {name: float(row[name]) for name in one["mean"]} == one["mean"]
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"
    assert (
        "trained on 720 songs of 4q, validated on 180 more" in done.stdout
        and "the first 30 seconds only" in done.stdout
    )


def test_continuous_output(tmp_path, song):
    done = run(
        "malik2017", song, "--csv", tmp_path / "p.csv", "--json", tmp_path / "p.json", "--plot", tmp_path / "p.png"
    )
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "p.csv").open()))
    assert [float(row["time_s"]) for row in rows] == (1.0 + 0.5 * np.arange(len(rows))).tolist() and len(rows) == 68
    (one,) = json.loads((tmp_path / "p.json").read_text())["recordings"]
    assert one["valence"] == [float(row["valence"]) for row in rows]
    assert one["mean"]["arousal"] == pytest.approx(np.mean(one["arousal"]), abs=1e-4)
    assert "zero (repaired)" in done.stdout and "Valence from -1 (negative) to 1 (positive)" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["/no/such.mp3"], 1, "/no/such.mp3: no such file"),
        (["{empty}"], 2, "holds no recording"),
        (["{empty}/x.wav", "--plot", "p.gif"], 2, "ends in none of"),
        (["{empty}/x.wav", "--csv", "/proc/p.csv"], 2, "/proc: cannot be written"),
        (["{empty}/x.wav", "--weights", "{empty}"], 2, "weights.json: cannot be read"),
        ([], 2, "AUDIO"),
    ],
)
def test_bad_calls(tmp_path, arguments, code, message):
    done = run("velankar2022", *(part.format(empty=tmp_path) for part in arguments))
    assert done.returncode == code and message in done.stderr and done.stderr.count("\n") == 1, done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason=AS_ROOT)
def test_no_permission(models, song):
    song.chmod(0)
    with pytest.raises(InputError, match="may not be read"):
        models("velankar2022")(song)
    song.chmod(0o644)


@pytest.mark.parametrize("module", [*(f"{paper}.predict" for paper in PAPERS), "predict", "calibrate"])
def test_help_imports_no_backend(module):
    code = f"import runpy, sys; sys.argv = ['x', '--help']\ntry: runpy.run_module('reproductions.{module}', "
    code += "run_name='__main__')\nexcept SystemExit: pass\n"
    code += "heavy = {'tensorflow', 'keras', 'jax', 'jams', 'sklearn', 'pandas', 'matplotlib', 'librosa', 'av'}\n"
    code += "heavy &= set(sys.modules)\n"
    code += "assert not heavy, heavy"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--help" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("folder", sorted(path.parent for path in RESULTS.glob("*/weights/weights.json")), ids=str)
def test_weights_load_with_the_import_that_their_card_names(folder):
    import re

    imported = re.search(r"`(import [\w.]+)`, then", (folder / "README.md").read_text(encoding="utf-8"))[1]
    code = f"{imported}\nimport keras\n" + "".join(
        f"keras.saving.load_model({str(path)!r})\n" for path in sorted(folder.glob("*.keras"))
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
