"""How predictions err and what is far from the training songs: from held-out songs, stored as plain checked numbers."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from common import metrics
from common.errors import InputError, collect_warnings
from common.experiment import Classes, Dynamic, Split, Static
from common.places import RESULTS
from common.predict import calibrate, calibration
from common.predict.base import Predictor
from common.prediction import Prediction
from tests.conftest import PAPERS

N = 300  # songs


class Toy:
    """An experiment of which only task, splits and labels are asked for."""

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
    assert calibrate.conformal(scores, 0.95) == 96 and calibrate.conformal(scores, 0.99) == 100
    assert calibrate.conformal(scores[:5], 0.99) == 5


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


def test_distance_from_training_songs():
    """At most 1 % of them are beyond the limit, of new songs about as many; what is unlike them is far."""
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((12, 12))
    songs, new = (np.sinh(rng.standard_normal((n, 12)) @ mixing) for n in (N, 1000))
    songs[:, 3] = 5  # a feature that does not vary
    new[:, 3] = 5
    distance, held_out = calibrate.training_distance(songs)
    assert (held_out > distance.limit).mean() <= 0.01
    assert np.mean([distance(song) > distance.limit for song in new]) < 0.03
    assert distance(new[0] * 1e6) > distance.limit and distance(np.median(songs, axis=0)) < distance.limit


@pytest.fixture
def stored(tmp_path):
    """A folder with the calibration of weights, and their facts."""
    distance, _ = calibrate.training_distance(np.random.default_rng(0).standard_normal((N, 3)))
    split, facts = Split(np.arange(N), {}), {"sha256": {"network_0.keras": "12"}, "columns": ["valence", "arousal"]}
    errors = 0.2 * np.random.default_rng(0).standard_normal((2, N, 2))
    toy = Toy(Dynamic(("valence", "arousal")), np.arange(10))
    x = [row[None] for row in np.random.default_rng(0).standard_normal((N, 3))]
    toy.trained_on_all = lambda variant: [SimpleNamespace(settings={}, split=split, samples=SimpleNamespace(x=x))]
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


def test_a_far_recording_has_a_warning(stored, tmp_path):
    class Model(Predictor):
        scale = ""

        def __init__(self, features):
            self.features = features

        @staticmethod
        def read(path):
            return ()

        def values(self):
            return Prediction(np.zeros(2), 1.0, 1.0, features=self.features)

    texts = {}
    for features in (np.zeros(3), np.full(3, 1e6)):
        model = Model(features)
        model.calibration = calibration.read(*stored[:2])
        with collect_warnings() as texts[features[0]]:
            assert model.predict(tmp_path / "a.wav").half_width.shape == (2,)
    assert texts[0] == [] and len(texts[1e6]) == 1
    assert "a.wav: sounds unlike the songs that the model was trained on" in texts[1e6][0]


@pytest.mark.parametrize("paper", PAPERS)
def test_the_suites_weights_are_calibrated(paper):
    """On at most 1 % of their training songs there is a warning; intervals held the labels of held-out songs."""
    folder = RESULTS / paper / "weights"
    facts = json.loads((folder / "weights.json").read_text())
    known = calibration.read(folder, facts)
    of = known.facts["distance"]
    assert of["songs"] == facts["n_train"] + facts["n_validation"] and of["flagged"] <= 0.01 * of["songs"]
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
