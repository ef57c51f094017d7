"""How predictions err and what is far from the training songs: from held-out songs, stored as plain checked numbers."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.signal
import soundfile

from common import audio, metrics
from common.errors import InputError, collect_warnings, warn
from common.experiment import Classes, Dynamic, Split, Static
from common.places import RESULTS
from common.predict import calibrate, calibration, flags
from common.predict.base import Predictor
from common.predict.conformal import conformal
from common.predict.sound import Meter
from common.prediction import Prediction, Sound
from tests.conftest import PAPERS

N = 300  # songs


class Toy:
    """An experiment of which only task, splits and labels are asked for."""

    compared_features = slice(None)

    def __init__(self, task, test, y=None):
        self._task, self._test, self._y = task, test, y

    def task(self, variant):
        return self._task

    def splits(self, variant, seed):
        return [Split(np.arange(10, N), {"development": np.arange(10, N), "test": self._test})]

    def samples(self, variant):
        return SimpleNamespace(y=self._y)


def recorded(errors, within=0.1, frames=20):
    """Runs of songs with these errors of their means (n_runs, n_songs, n_targets), and normal errors within them."""
    rng, runs = np.random.default_rng(1), []
    for seed, of_run in enumerate(errors):
        noise = rng.standard_normal((of_run.shape[0], frames, of_run.shape[1]))
        noise = within * (noise - noise.mean(1, keepdims=True)) / noise.std(1, keepdims=True)
        songs = metrics.of_songs(list(0 * noise), list(of_run[:, None] + noise), tau=False)
        runs.append({"seed": seed, "songs": {"test": songs}})
    return {"runs": runs}


def test_conformal_limits():
    scores = np.arange(1.0, 101)[:, None]
    assert conformal(scores, 0.95) == 96 and conformal(scores, 0.99) == 100
    assert conformal(scores[:5], 0.99) == 5


def test_intervals_hold_what_they_say():
    """Normal errors: 1.96 standard deviations; coverage is measured on songs that were not used."""
    errors = 0.2 * np.random.default_rng(0).standard_normal((1, 20 * N, 2))
    toy = Toy(Dynamic(("valence", "arousal")), np.arange(10))
    of = calibrate.errors(toy, None, recorded(errors, within=0.15), averaged=False)
    assert of["songs"] == 20 * N and of["runs"] == 1
    for target in ("valence", "arousal"):
        assert of["factor"][target] * of["error"][target] == pytest.approx(0.2 * 1.96, abs=0.01)
        assert of["coverage"]["songs"][target] == pytest.approx(0.95, abs=0.01)
        assert of["coverage"]["steps"][target] == pytest.approx(0.883, abs=0.01)  # 2 Φ(.392 / .25) - 1
    more = calibrate.errors(toy, None, recorded(np.concatenate([errors, errors]), within=0.15), averaged=True)
    assert more["factor"] == of["factor"] and more["runs"] == 2


def test_where_networks_differ_intervals_are_wider():
    """Errors as large as the spread of the networks: a factor of it, and no constant, covers both kinds of songs."""
    rng = np.random.default_rng(0)
    spread = np.where(np.arange(N) % 2, 0.05, 0.5)[None, :, None]
    errors = spread * (rng.standard_normal((1, N, 1)) + rng.standard_normal((3, N, 1)))
    of = calibrate.errors(Toy(Dynamic(("x",)), np.arange(10)), None, recorded(errors), averaged=True)
    model = calibrate._model(errors.mean(0, keepdims=True), errors.std(0, ddof=1, keepdims=True))
    assert of["factor"]["x"] == pytest.approx(model.factor[0], rel=1e-3)
    assert model.half_width(0.5) > model.half_width(0.05)


def test_errors_are_of_held_out_songs_only():
    """A split that holds training songs is not used; nor are too few songs, nor classes."""
    errors = 0.1 * np.ones((1, 18, 1))
    assert calibrate.errors(Toy(Dynamic(("x",)), np.arange(10)), None, recorded(errors), averaged=False) is None
    assert calibrate.held_out(Toy(Dynamic(("x",)), np.arange(10, 20)), None, recorded(errors)) == (None, None)
    assert calibrate.held_out(Toy(Classes(("a", "b")), np.arange(10)), None, {"runs": [{"seed": 0}]}) == (None, None)
    y = np.linspace(0, 1, 2 * N).reshape(N, 2)
    record = {"runs": [{"seed": 0, "predictions": (y + 0.25).tolist()}]}
    means, within = calibrate.held_out(Toy(Static(("a", "b")), np.arange(10), y), None, record)
    np.testing.assert_allclose(means, 0.25 * np.ones((1, N, 2)))
    assert within is None


def sound_of(n, seed=0, length=45.0):
    """Level (dB), bandwidth (Hz) and length (s) of some songs, in heavy tails."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.normal(-20, 5, n), 16000 * 2 ** -rng.exponential(0.4, n), np.full(n, length)], axis=1)


def test_at_most_one_percent_have_a_flag():
    """On any side, of new songs about as many; what is unlike them in one way has a flag."""
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((12, 12))
    songs, new = (np.sinh(rng.standard_normal((n, 12)) @ mixing) for n in (N, 1000))
    songs[:, 3] = new[:, 3] = 5  # a feature that does not vary
    distance, learned = flags.learn(songs, sound_of(N))
    assert learned["flagged"] <= 0.01 * N and learned["songs"] == learned["audio"] == N
    assert sum(learned["by_side"].values()) >= learned["flagged"]
    limits, (level, bandwidth, _) = learned["limits"], sound_of(1000, seed=1).T
    beyond = [distance(song) > distance.limit for song in new]
    beyond |= (level < limits["level"][0]) | (level > limits["level"][1]) | (bandwidth < limits["bandwidth"])
    assert np.mean(beyond) < 0.03 and 40 < limits["length"] <= 45
    assert distance(new[0] * 1e6) > distance.limit and distance(np.median(songs, axis=0)) < distance.limit


@pytest.mark.parametrize(
    ("column", "value", "side"), [(0, -150, "quiet"), (0, 60, "loud"), (1, 20, "narrow"), (2, 0.1, "short")]
)
def test_one_song_apart_hardly_moves_the_limits(column, value, side):
    """What one song has is learned from the others: it has a flag itself."""
    features, sound = np.random.default_rng(0).standard_normal((N, 3)), sound_of(N)
    apart = sound.copy()
    apart[7, column] = value
    before, after = (flags.learn(features, one)[1] for one in (sound, apart))
    assert after["by_side"][side] >= max(1, before["by_side"][side]) and after["flagged"] <= 0.01 * N
    tolerances = {"distance": {"rel": 0.25}, "level": {"abs": 10}, "bandwidth": {"rel": 0.75}, "length": {"rel": 0.1}}
    for name, tolerance in tolerances.items():  # by which one song more or less can move a limit
        assert after["limits"][name] == pytest.approx(before["limits"][name], **tolerance), name


@pytest.mark.parametrize("n", [5, 12, 40])
def test_flags_of_few_songs(n):
    """Limits are finite, and the share of the songs beyond them is measured."""
    _, learned = flags.learn(np.random.default_rng(0).standard_normal((n, 3)), sound_of(n))
    assert learned["songs"] == n and learned["flagged"] <= n
    assert all(np.isfinite(limit).all() for limit in learned["limits"].values())


def test_without_audio_level_and_bandwidth_are_not_known():
    features, sound = np.random.default_rng(0).standard_normal((N, 3)), sound_of(N)
    sound[: 2 * N // 3, :2] = np.nan
    limits = flags.learn(features, sound)[1]["limits"]
    assert limits["level"] is None and limits["bandwidth"] is None and limits["distance"] > 0 and limits["length"] > 40


class Songs:
    """A data set of two recordings."""

    def __init__(self, folder):
        noise = np.random.default_rng(0).standard_normal(3 * 44100)
        narrow = scipy.signal.sosfilt(scipy.signal.butter(12, 3000, fs=44100, output="sos"), noise)
        for name, sound in (("wide", noise), ("narrow", narrow)):
            soundfile.write(folder / f"{name}.wav", 0.1 * sound / sound.std(), 44100, subtype="FLOAT")
        self.tracks = [SimpleNamespace(id=name, path=folder / f"{name}.wav") for name in ("wide", "narrow")]


def test_what_is_measured_of_training_songs(tmp_path, monkeypatch):
    """Level and bandwidth are the recording's; so is the length, unless the input came with the data."""
    monkeypatch.setenv("MER_CACHE", str(tmp_path / "cache"))
    frames = {"wide": 60, "narrow": 60, "absent": 40}
    wide, narrow, absent = flags.sounds(Songs(tmp_path), frames, from_audio=False)
    assert wide[0] == pytest.approx(-20, abs=0.1) and narrow[0] == pytest.approx(-20, abs=0.2)
    assert wide[1] > 20000 and 3000 < narrow[1] < 7000
    assert [wide[2], narrow[2], absent[2]] == [30, 30, 20] and np.isnan(absent[:2]).all()
    del frames["absent"]
    assert flags.sounds(Songs(tmp_path), frames, from_audio=True)[:, 2].tolist() == [3, 3]


def test_a_meter_measures_what_passes(tmp_path):
    """Block by block the same as at once."""
    sound = 0.2 * np.random.default_rng(0).standard_normal(20 * 8000).astype("float32")
    whole, parts = Meter(), Meter()
    assert sum(len(block) for block, _ in whole.through([(sound, 8000)])) == len(sound)
    assert len(list(parts.through((part, 8000) for part in np.split(sound, 10)))) == 10
    assert whole.sound().level == pytest.approx(20 * np.log10(0.2), abs=0.1)
    assert parts.sound() == pytest.approx(whole.sound(), rel=0.01)


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """A folder with the calibration of weights, and their facts."""
    monkeypatch.setattr(flags, "sounds", lambda data, n_frames, from_audio: sound_of(len(n_frames)))
    x = np.random.default_rng(0).standard_normal((N, 3))
    distance, _ = flags.learn(x, sound_of(N))
    split, facts = (
        Split(np.arange(N), {}),
        {"sha256": {"network_0.keras": "12"}, "columns": ["valence", "arousal"], "audio": "none"},
    )
    errors = 0.2 * np.random.default_rng(0).standard_normal((2, N, 2))
    toy = Toy(Dynamic(("valence", "arousal")), np.arange(10))
    toy.data, samples = None, SimpleNamespace(x=[row[None] for row in x], ids=list(map(str, range(N))))
    toy.trained_on_all = lambda variant: [SimpleNamespace(settings={}, split=split, samples=samples)]
    calibrate.save(tmp_path, facts, toy, None, recorded(errors))
    return tmp_path, facts, distance


def test_what_is_stored_is_read_back(stored):
    folder, facts, distance = stored
    known = calibration.read(folder, facts)
    assert known.distance.limit == distance.limit
    assert known.distance(np.ones(3)) == pytest.approx(distance(np.ones(3)), rel=1e-5)
    assert known.error_model.factor * known.error_model.error == pytest.approx(0.4, abs=0.05)
    assert (
        known.statement().startswith("± holds the labels of 95 % of songs") and "300 songs, 2 runs" in known.statement()
    )
    assert calibration.read(folder / "none", facts) is None


def test_damaged_or_other_calibrations_are_one_line(stored):
    folder, facts, _ = stored
    with pytest.raises(InputError, match=r"calibration\.json: is of other weights .* calibrate"):
        calibration.read(folder, facts | {"sha256": {"network_0.keras": "34"}})
    arrays = folder / "distance.npz"
    arrays.write_bytes(arrays.read_bytes() + b"x")
    with pytest.raises(InputError, match=r"distance\.npz: is not the file that calibration\.json names"):
        calibration.read(folder, facts)
    arrays.unlink()
    with pytest.raises(InputError, match=r"distance\.npz: cannot be read"):
        calibration.read(folder, facts)
    (folder / "calibration.json").write_text("{}")
    with pytest.raises(InputError, match=r"calibration\.json: cannot be read \(KeyError"):
        calibration.read(folder, facts)


USUAL = {"features": np.zeros(3), "sound": Sound(-20.0, 12000.0, 44100), "length": 240.0}


@pytest.mark.parametrize(
    ("unlike", "words"),
    [
        ({}, None),
        ({"features": None, "sound": None}, None),
        ({"features": np.full(3, 1e6)}, r"sounds unlike {} \(distance [\d.]+ in features; at least 99 % .*"),
        (
            {"sound": Sound(-70.0, 12000.0, 44100)},
            r"is quieter than {} \(-70\.0 dB of full scale; .*\); raise its level, .*",
        ),
        (
            {"sound": Sound(10.0, 12000.0, 44100)},
            r"is louder than {} \(10\.0 dB of full scale; .*\); lower its level, .*",
        ),
        (
            {"sound": Sound(-20.0, 300.0, 44100)},
            r"is duller than {} \(nothing above 0\.3 kHz; .*\); use a better copy, .*",
        ),
        ({"sound": Sound(-20.0, 3900.0, 8000)}, r"has a lower rate than {} \(8 kHz; .*\); use a better copy, .*"),
        ({"length": 10.0}, r"is shorter than {} \(10\.0 s; it had 4[0-5]\.\d s or more .*\); use a longer part, .*"),
    ],
)
def test_what_is_unlike_the_training_songs_has_a_warning(stored, tmp_path, unlike, words):
    """A line each, with the file, what it has, what they have, and what to do; a long song has none."""

    class Model(Predictor):
        scale = ""

        def __init__(self):
            """Nothing is loaded."""

        @staticmethod
        def read(path):
            warn(f"{path}: is very quiet (peak -90 dB of full scale)")
            warn(f"{path}: has no sound above 3.7 kHz; models of wider recordings can be wrong on it")
            warn(f"{path}: has bytes behind the sound")
            return ()

        def values(self):
            one = USUAL | unlike
            return Prediction(np.zeros(2), one["length"], 1.0, features=one["features"], sound=one["sound"])

    model = Model()
    with collect_warnings() as before:
        model.predict(tmp_path / "a.wav")
    assert len(before) == 3  # without limits from training songs the fixed ones of common.audio are all there is
    model.calibration = calibration.read(*stored[:2])
    with collect_warnings() as texts:
        assert model.predict(tmp_path / "a.wav").half_width.shape == (2,)
    assert texts[0].endswith("has bytes behind the sound") and len(texts) == 1 + bool(words)
    if words:
        pattern = re.escape(f"{tmp_path / 'a.wav'}: ") + words.format("the songs that the model was trained on")
        assert re.fullmatch(pattern, texts[1])


@pytest.mark.parametrize(("sound", "measure"), [("quiet", "level"), ("narrow", "bandwidth")])
def test_warnings_by_fixed_limits_are_recognised(stored, tmp_path, sound, measure):
    noise = np.random.default_rng(0).standard_normal(44100).astype("float32")
    narrow = scipy.signal.sosfilt(scipy.signal.butter(12, 2000, fs=44100, output="sos"), noise)
    soundfile.write(tmp_path / "a.wav", 1e-5 * noise if sound == "quiet" else 0.1 * narrow, 44100, subtype="FLOAT")
    with collect_warnings() as texts:
        audio.load(tmp_path / "a.wav")
    known = calibration.read(*stored[:2])
    assert [known.replaces(text) for text in texts] == [True]
    known.facts["flags"]["limits"][measure] = None
    assert [known.replaces(text) for text in texts] == [False]


@pytest.mark.parametrize("paper", PAPERS)
def test_the_suites_weights_are_calibrated(paper):
    """On at most 1 % of their training songs there is a warning; intervals held the labels of held-out songs."""
    folder = RESULTS / paper / "weights"
    facts = json.loads((folder / "weights.json").read_text())
    known = calibration.read(folder, facts)
    of = known.facts["flags"]
    assert of["songs"] == of["audio"] == facts["n_train"] + facts["n_validation"]
    assert of["flagged"] <= 0.01 * of["songs"] and of["flagged"] <= sum(of["by_side"].values())
    four_minutes = Prediction(np.zeros(2), 240.0, 240.0, sound=Sound(-15.0, 16000.0, 44100))  # as most songs are
    assert known.unlike(four_minutes) == []
    made = facts["provenance"]["commit"], known.facts["provenance"]["commit"]
    assert not any(commit.endswith("+") for commit in made)  # of code that was not committed
    if paper == "velankar2022":
        assert known.error_model is None and known.statement() == ""
        return
    coverage = known.facts["errors"]["coverage"]["songs"]
    assert set(coverage) == set(facts["columns"]) and all(0.92 < share < 0.98 for share in coverage.values())


@pytest.mark.parametrize("paper", ["chaki2020", "malik2017"])
def test_errors_are_those_of_the_records(paper):
    """Recomputed from the moments that the record keeps."""
    folder = RESULTS / paper / "weights"
    facts = json.loads((folder / "weights.json").read_text())
    record = json.loads((RESULTS / paper / facts["dataset"] / f"{facts['variant']}.json").read_text())
    moments = np.array([run["songs"]["cross-validation"]["moments"] for run in record["runs"]])
    errors = moments[..., 1] - moments[..., 0]
    errors = errors.mean(0, keepdims=True) if paper == "malik2017" else errors
    of = json.loads((folder / "calibration.json").read_text())["errors"]
    assert list(of["error"].values()) == pytest.approx(np.sqrt(np.square(errors).mean((0, 1))), abs=1e-4)
