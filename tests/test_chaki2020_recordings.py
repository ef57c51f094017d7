"""Recordings of unequal length: none is left out, padding counts in no loss and no score, and predictions are alike."""

import json

import numpy as np
import pytest
import soundfile
from sklearn.metrics import r2_score

from common import predict
from common.errors import InputError
from common.experiment import Samples, Split
from common.protocol import Sequences
from data_prep import open_dynamic
from reproductions.chaki2020 import train
from reproductions.chaki2020.clips import Clips
from reproductions.chaki2020.recordings import Recordings, baseline, fit_ridge, load, padded
from reproductions.chaki2020.train import OwnRecordings, fit_padded
from reproductions.chaki2020.variants import variants

RATE = 8000
LENGTHS = (20, 12, 7, 20, 9, 15, 11)
SETTINGS = {"units": (8,), "attention": "strict", "epochs": 3, "target": "arousal"}
SPLIT = Split(np.arange(4), {"test": np.array([4, 5])}, np.array([6]), seed=3)
GLOBAL = "at_128_global_260"


def songs(lengths=LENGTHS, features=5) -> Recordings:
    """Features, and labels that follow from the first of them."""
    drawn = [np.random.default_rng(i).standard_normal((n, features)) for i, n in enumerate(lengths)]
    x = [song.astype("float32") for song in drawn]
    y = [0.3 * np.tanh(song[:, :2] + 0.1 * song[:, 2:4]).astype("float32") for song in drawn]
    ids = [f"{i}.wav" for i in range(len(lengths))]
    return Recordings(ids, Sequences.of(x), Sequences.of(y), ids)


def test_padding():
    of = songs()
    values = padded(of.x, 20)
    assert values.shape == (7, 20, 5) and values.dtype == np.float32
    for i, n in enumerate(LENGTHS):
        np.testing.assert_array_equal(values[i, :n], of.x[i])
        assert not values[i, n:].any()


def test_of_one_length_it_trains_as_on_clips():
    of = songs((10,) * 7)
    clips = Clips(of.ids, of.x.values.reshape(7, 10, 5), of.y.values.reshape(7, 10, 2), of.groups, np.arange(10.0))
    ours, theirs = fit_padded(SETTINGS, of, SPLIT), train.fit(SETTINGS, clips, SPLIT)
    np.testing.assert_allclose(ours.outputs["predicted"], theirs.outputs["predicted"], atol=1e-5)
    for name in ("loss", "validation_loss"):
        np.testing.assert_allclose(ours.history[name], theirs.history[name], rtol=1e-4)


@pytest.mark.slow
def test_padding_changes_no_loss_and_no_prediction():
    """A longer song that neither trains, validates nor is tested pads all others, and changes nothing."""
    short = fit_padded(SETTINGS, songs(), SPLIT)
    long = fit_padded(SETTINGS, songs((*LENGTHS, 40)), SPLIT)
    for name in ("loss", "validation_loss"):
        np.testing.assert_allclose(short.history[name], long.history[name], rtol=1e-4)
    np.testing.assert_allclose(long.outputs["predicted"][:, :20], short.outputs["predicted"], atol=1e-5)
    assert not long.outputs["predicted"][0, LENGTHS[4] :].any()


def test_ridge_of_frames_is_that_of_all_labelled_frames():
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    of = songs()
    trained = fit_ridge({}, of, SPLIT)
    known, tested = of.x.subset([0, 1, 2, 3, 6]), of.x.subset([4, 5])
    scaler = StandardScaler().fit(known.values.astype("float64"))
    regression = Ridge(trained.outputs["penalty"], solver="cholesky")
    regression.fit(scaler.transform(known.values), of.y.subset([0, 1, 2, 3, 6]).values)
    expected = regression.predict(scaler.transform(tested.values))
    np.testing.assert_allclose(trained.outputs["predicted"][:, 0], expected, atol=1e-4)
    per_song = baseline("ridge", of, SPLIT, [trained])
    assert [len(one) for one in per_song] == [9, 15]
    so_far = baseline("ridge_so_far", of, SPLIT, [trained])
    np.testing.assert_allclose(so_far[1][4], per_song[1][:5].mean(0), atol=1e-6)
    np.testing.assert_allclose(baseline("ridge_averaged", of, SPLIT, [trained])[0][3], per_song[0].mean(0), atol=1e-6)


def test_means():
    of = songs()
    every = of.y.subset([0, 1, 2, 3, 6]).values.mean(0)
    for one, n in zip(baseline("training_mean", of, SPLIT, []), (9, 15), strict=True):
        np.testing.assert_allclose(one, np.tile(every, (n, 1)))
    np.testing.assert_allclose(baseline("own_song_mean", of, SPLIT, [])[1][0], of.y[5].mean(0))


def test_the_fingerprint_is_of_all_that_it_holds():
    of = songs()
    found = {of.fingerprint, songs().fingerprint}
    for name, value in (("ids", ["x"] * 7), ("groups", ["x"] * 7), ("x", songs((20, 12, 7, 20, 9, 15, 12)).x)):
        found.add(Recordings(**{**{f: getattr(of, f) for f in ("ids", "x", "y", "groups")}, name: value}).fingerprint)
    assert len(found) == 4 and isinstance(of, Samples)


@pytest.fixture
def mine(tmp_path):
    """Five recordings of unequal length, the labels of which begin and end at different times."""
    folder, lines = tmp_path / "data" / "Mine", ["file,time_s,valence,arousal"]
    folder.mkdir(parents=True)
    for song, seconds in enumerate((6, 9, 7, 12, 8)):
        rng = np.random.default_rng(song)
        soundfile.write(folder / f"{song}.wav", 0.1 * rng.standard_normal(RATE * seconds), RATE)
        for time in np.arange(1 + song / 2, seconds - 0.1, 0.5):
            lines.append(f"{song}.wav,{time:g},{np.sin(time):.3f},{np.cos(time):.3f}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "data"


@pytest.mark.parametrize("source", ["deam", "timeless", "compare"])
def test_no_recording_is_left_out(mine, source, capsys):
    if source == "compare":  # 6,373 features of two recordings are enough
        path = mine / "Mine" / "labels.csv"
        path.write_text("\n".join(line for line in path.read_text().splitlines() if line[:1] in "f01"))
    data = open_dynamic("Mine", str(mine))
    of = load(data, source, 1)
    annotations = data.annotations("development")
    assert of.ids == list(annotations) and len(set(of.x.lengths)) > 1
    for i, song in enumerate(of.ids):
        np.testing.assert_array_equal(of.y[i], annotations[song].values)
    assert "left out" not in capsys.readouterr().out


@pytest.mark.slow
def test_train_record_and_predict(mine, tmp_path, capsys):
    """All five are tested, each at all its labels; and the weights predict recordings of any length."""
    options = ["--data-root", mine, "--dataset", "Mine", "--out", tmp_path / "runs", "--folds", 2, "--epochs", 1]
    options += ["--variant", "at_32_260", "--jobs", 1, "--quiet", "--weights", tmp_path / "weights"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MPLBACKEND", "Agg")
        assert train.main([str(option) for option in options]) == 0, capsys.readouterr().err
    runs = tmp_path / "runs" / "chaki2020" / "Mine"
    record = json.loads((runs / "at_32_260.json").read_text())
    assert record["facts"]["splits"]["cross-validation"]["n_test"] == 5
    expected = [len(a.times) for a in open_dynamic("Mine", str(mine)).annotations("development").values()]
    assert record["runs"][0]["songs"]["cross-validation"]["frames"] == expected
    oracle = json.loads((runs / "own_song_mean_260.json").read_text())["runs"][0]
    labels = [a.values for a in open_dynamic("Mine", str(mine)).annotations("development").values()]
    means = np.concatenate([np.tile(y.mean(0), (len(y), 1)) for y in labels])
    score = r2_score(np.concatenate(labels)[:, 1], means[:, 1])
    assert oracle["metrics"]["cross-validation"]["r2_pooled"]["arousal"] == pytest.approx(score, abs=1e-4)
    out = tmp_path / "p.json"
    call = [*(str(mine / "Mine" / f"{n}.wav") for n in (0, 3)), "--weights", str(tmp_path / "weights"), "--jobs", "1"]
    assert predict.main("reproductions.chaki2020.predict", "", "chaki2020", [*call, "--json", str(out)]) == 0
    predicted = json.loads(out.read_text())["recordings"]
    assert [len(one["arousal"]) for one in predicted] == [10, 22]  # windows of 1 s, every 0.5 s, in 6 and 12 s


def test_attention_to_the_whole_clip_and_labels_as_input_need_one_length(mine):
    experiment = OwnRecordings(open_dynamic("Mine", str(mine)), 2, 1)
    reasons = {v.name: experiment.unavailable_reason(v) for v in variants() if v.settings["test"] == "clips"}
    assert [name for name, reason in reasons.items() if reason and "one length" in reason] == [
        GLOBAL,
        "at_128_label_260",
    ]


def test_a_label_without_a_window_is_an_error(mine, monkeypatch):
    from common.features.store import FeatureStore

    monkeypatch.setattr(FeatureStore, "get_all", lambda self, paths, *_, **__: [np.zeros((3, 260), "float32")] * 5)
    with pytest.raises(InputError, match=r"the label at 2\.5 s of 0\.wav has no complete window"):
        load(open_dynamic("Mine", str(mine)), "deam", 1)
