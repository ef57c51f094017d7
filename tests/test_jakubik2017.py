"""What the paper fixes: parameters, initial weights, the loss, the crops; and its table of published cells."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common import backend, metrics, protocol
from common.cli.settings import with_settings
from common.errors import InputError
from common.experiment import Samples, Split
from common.verdict.board import load_expected
from data_prep import open_dataset
from reproductions.jakubik2017 import cross_validation, emotify, learning, quadrants
from reproductions.jakubik2017.train import TRAINING
from tests.conftest import GIVEN_ROOT, ROOT

EXPECTED = load_expected(ROOT / "reproductions" / "jakubik2017" / "expected.json")


def test_parameter_counts():
    from reproductions.jakubik2017 import model

    assert model.semantic_embedding_gru().count_params() == 100_950
    assert [model.standard_gru(k).count_params() - 100_950 for k in (9, 4, 2)] == [459, 204, 102]


def test_initial_weights_are_gaussian():
    from reproductions.jakubik2017 import model

    backend.start(0)
    kernel, recurrent, bias, *_ = model.standard_gru(9).get_weights()
    assert kernel.shape == (160, 300) and recurrent.shape == (100, 300)
    for matrix in (kernel, recurrent):
        assert matrix.std() == pytest.approx(0.01, rel=0.02) and abs(matrix.mean()) < 2e-4
    assert not np.array_equal(kernel[:100], recurrent) and (bias == 0).all()


def test_loss_is_equation_13():
    from reproductions.jakubik2017 import model

    rng = np.random.default_rng(0)
    f, a = rng.standard_normal((7, 50)).astype("float32"), rng.random((7, 9)).astype("float32")
    total = 0.0
    for i in range(7):
        for j in range(7):
            of_f = f[i] @ f[j] / np.sqrt((f[i] @ f[i]) * (f[j] @ f[j]))
            of_a = a[i] @ a[j] / np.sqrt((a[i] @ a[i]) * (a[j] @ a[j]))
            total += (of_f - of_a) ** 2
    assert float(model.similarity_loss(a, f)) == pytest.approx(np.sqrt(total), rel=1e-5)
    assert float(model.similarity_loss(a, np.tile(a, 5) * 3)) == pytest.approx(0, abs=1e-3)


def test_losses_are_those_of_the_model():
    from reproductions.jakubik2017 import model

    assert set(learning.LOSSES) == set(model.LOSSES)


def test_crops_lie_inside_their_songs():
    songs = [
        np.full((length, 2), i, "float32") + np.linspace(0, 0.5, length)[:, None] for i, length in enumerate([5, 9, 6])
    ]
    sequences, rng = protocol.Sequences.of(songs), np.random.default_rng(0)
    starts = set()
    for _ in range(200):
        crops = sequences.crops(np.array([2, 0, 1]), 5, rng)
        assert crops.shape == (3, 5, 2) and (crops.astype(int)[:, :, 0] == np.array([[2], [0], [1]])).all()
        starts.add(float(crops[2, 0, 0]))
    assert len(starts) == 5  # a song of 9 has 5 places for 5


def test_moments_are_of_the_training_songs_alone():
    rng = np.random.default_rng(0)
    songs = [rng.standard_normal((n, 3)).astype("float32") * 4 + 7 for n in (10, 20, 30)]
    mean, std = protocol.Sequences.of(songs).moments(np.array([0, 2]))
    both = np.concatenate([songs[0], songs[2]])
    np.testing.assert_allclose(mean, both.mean(0), rtol=1e-5)
    np.testing.assert_allclose(std, both.std(0), rtol=1e-5)


def test_folds():
    folds = protocol.k_folds(400, 10, seed=3)
    assert (np.bincount(folds) == 40).all()
    assert not np.array_equal(folds, protocol.k_folds(400, 10, seed=4))
    np.testing.assert_array_equal(folds, protocol.k_folds(400, 10, seed=3))
    with pytest.raises(InputError, match="500 folds of 400 songs"):
        protocol.k_folds(400, 500, seed=0)


def test_features_of_a_song_do_not_depend_on_its_padding():
    rng = np.random.default_rng(0)
    songs = [rng.standard_normal((n, 160)).astype("float32") for n in (150, 120, 131)]
    settings, labels = {"loss": learning.MSE, "epochs": 1, "standardise": True}, rng.random((3, 9)).astype("float32")
    other = [np.concatenate([songs[0], songs[1]]), *songs[1:]]  # the test song alone is another one
    split = Split(np.array([1, 2]), {"10-fold": np.array([0])})
    one, another = (
        learning.fit(settings, Samples(list("abc"), protocol.Sequences.of(x), labels, list("abc")), split)
        for x in (songs, other)
    )
    features, changed = one.outputs["features"], another.outputs["features"]
    np.testing.assert_allclose(features[1:], changed[1:], atol=1e-6)
    assert np.abs(features[0] - changed[0]).max() > 1e-6
    np.testing.assert_array_equal(one.history["loss"], another.history["loss"])


def test_svr_defaults_and_grid():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((60, 5))
    labels = np.stack([np.tanh(features[:, 0]), features[:, 1] ** 2], axis=1)
    split = np.arange(40), np.arange(40, 60)
    plain, tuned = (learning.regress(r, features, labels, *split) for r in (emotify.SVR, emotify.GRID))
    assert plain.shape == tuned.shape == (20, 2)
    error = [np.abs(p[:, 1] - labels[40:, 1]).mean() for p in (plain, tuned)]
    assert error[1] < error[0]


def test_cells_are_those_of_the_paper():
    cells = EXPECTED["cells"]
    assert len(cells) == 51 and sum(cell["quoted"] for cell in cells) == 27
    by_system = {}
    for cell in cells:
        if cell["table"] == "1" and cell["target"] != "average":
            by_system.setdefault(cell["system"], []).append(cell["value"])
    averages = {cell["system"]: cell["value"] for cell in cells if cell["target"] == "average"}
    assert {system: round(float(np.mean(values)), 2) for system, values in by_system.items()} == averages
    shared = Path(GIVEN_ROOT or "nowhere").parent / "published" / "jakubik2017.json"
    if shared.is_file():
        copied = [(c["model"], c["mean"]) for c in json.loads(shared.read_text())["results"]]
        assert copied == [(cell["system"], cell["value"]) for cell in cells if cell["variant"]]


def test_every_variant_named_in_the_table_exists():
    of_quadrants = {variant.name: variant for variant in quadrants.variants()}
    known = {"emotify": {variant.name: variant for variant in emotify.variants()}}
    known |= {"lastfm": of_quadrants, "4q": of_quadrants}
    for cell in EXPECTED["cells"]:
        if cell["variant"] is None:  # numbers of the text: of songs and machines that are not at hand
            assert cell["table"] == "text" and not cell["data"]
            continue
        assert known[cell["dataset"]][cell["variant"]].primary
        assert set(cell["alternatives"]) <= known[cell["dataset"]].keys()
    for claim in EXPECTED["claims"]:
        named = {claim["a"], claim.get("b", claim["a"])}
        assert claim["kind"] == "benchmark" or named <= known[claim["dataset"]].keys()
    for dataset, *_, shown in EXPECTED["variant_tables"]:
        assert set(shown) <= known[dataset].keys()


QUADRANTS = ("angry", "happy", "relaxed", "sad")


@pytest.fixture
def quadrant_folders(tmp_path):
    """A data root with a collection of four classes, six recordings each by three artists, every class its own tone."""
    rng, lines = np.random.default_rng(0), ["file,artist"]
    for k, name in enumerate(QUADRANTS):
        (tmp_path / "data" / "Mine" / name).mkdir(parents=True)
        for i in range(6):
            t = np.arange(8000 * 6) / 8000
            hum = 0.3 * np.sin(2 * np.pi * 200 * 1.7**k * t) + 0.05 * rng.standard_normal(len(t))
            soundfile.write(tmp_path / "data" / "Mine" / name / f"{i}.wav", hum, 8000)
            lines.append(f"{name}/{i}.wav,{name} {i // 2}")
    (tmp_path / "data" / "Mine" / "artists.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "data"


@pytest.mark.slow
def test_quadrants_end_to_end(quadrant_folders, tmp_path, train_here):
    options = ("--data-root", quadrant_folders, "--dataset", "Mine", "--out", tmp_path)
    options = ("jakubik2017", *options, "--folds", 3, "--epochs", 3)
    named = ("semantic_embedding_gru_svm", "standard_gru_artists", "rhythm_svm")
    done = train_here(*options, *(part for name in named for part in ("--variant", name)))
    assert done.returncode == 0, done.stderr
    records = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "jakubik2017" / "Mine").glob("*.json")}
    beside = {"majority", "combined_svm", "majority_artists", "combined_svm_artists"}
    assert set(records) == {*named, *beside}
    for name, record in records.items():
        facts, (one,) = record["facts"], record["runs"]
        assert facts["stand_in"] and facts["targets"] == list(QUADRANTS) and facts["n_test"] == 24
        predicted, reference = np.array(one["predicted"]["10-fold"]), np.array(facts["reference"])
        assert one["metrics"]["10-fold"] == metrics.classification(reference, predicted, QUADRANTS)
        artists = {}
        for artist, fold in zip(facts["artists"], one["fold"], strict=True):
            artists.setdefault(artist, set()).add(fold)
        if name.endswith("_artists"):
            assert max(map(len, artists.values())) == 1
    accuracy = {name: r["runs"][0]["metrics"]["10-fold"]["accuracy"]["all"] for name, r in records.items()}
    assert accuracy["majority"] == 0.25 and accuracy["combined_svm"] > 0.9
    done = train_here(*options[:-4], "--folds", 7)
    assert done.returncode == 2 and "7 folds of 24 songs, each with songs of every class, cannot be made" in done.stderr


@pytest.mark.parametrize(("folds", "epochs"), [(10, None), (3, None), (10, 5)])
def test_partial_is_what_differs_from_the_paper(small_emotify, quadrant_folders, monkeypatch, folds, epochs):
    """Fewer epochs are of the networks alone, fewer folds of all that is cross-validated, missing songs of all."""
    monkeypatch.setattr(cross_validation.CrossValidation, "sequences", None)
    monkeypatch.setattr(cross_validation.CrossValidation, "descriptors", np.zeros((99, 54)))
    one = Split(np.arange(3), {"10-fold": np.arange(3)})
    monkeypatch.setattr(quadrants.Quadrants, "splits", lambda *_: [one])  # the miniature has six songs a class
    fewer = folds < 10
    for kind, data, expected in (
        (emotify, open_dataset("emotify", str(small_emotify)), {
            "standard_gru": epochs or fewer, "ridge": fewer, "descriptors_svr": fewer, "autoencoder_svr": fewer,
            "rater_ceiling": False,
        }),
        (quadrants, open_dataset("Mine", str(quadrant_folders)), {
            "standard_gru": epochs or fewer, "combined_svm": fewer, "majority": fewer,
        }),
    ):  # fmt: skip
        experiment = emotify.Emotions if kind is emotify else quadrants.Quadrants
        named = {variant.name: variant for variant in kind.variants(epochs)}
        for incomplete in (False, True):
            facts = {name: experiment(data, folds, incomplete, 1).facts(named[name]) for name in expected}
            assert {name: one["partial"] for name, one in facts.items()} == {
                name: bool(partial) or incomplete for name, partial in expected.items()
            }


def test_songs_are_annotated_by_quadrant(quadrant_folders):
    data = open_dataset("Mine", str(quadrant_folders))
    experiment = quadrants.Quadrants(data, 3, False, 1)
    plane = {name: tuple(experiment.annotated("valence_arousal").y[6 * k]) for k, name in enumerate(QUADRANTS)}
    assert plane == {"happy": (1, 1), "relaxed": (1, -1), "angry": (-1, 1), "sad": (-1, -1)}  # V.A
    np.testing.assert_array_equal(experiment.annotated("one_hot").y[::6], np.eye(4))


def test_other_classes_have_no_place_on_the_plane(quadrant_folders, train_here):
    (quadrant_folders / "Mine" / "artists.csv").unlink()
    (quadrant_folders / "Mine" / "sad").rename(quadrant_folders / "Mine" / "solemn")
    options = ("--data-root", quadrant_folders, "--dataset", "Mine", "--variant")
    for name, told in (
        ("semantic_embedding_gru_svm", "Mine has not the classes happy, angry, sad, relaxed"),
        ("combined_svm_artists", "Mine names no artists"),
    ):
        done = train_here("jakubik2017", *options, name)
        assert done.returncode == 2 and f"{name} cannot run here: {told}" in done.stderr, done.stderr


def test_sparse_autoencoder():
    """Its loss is the mean squared error and .1 times the divergence of each code's mean from .05."""
    from reproductions.jakubik2017 import model

    backend.start(0)
    net, code = model.sparse_autoencoder(5)
    net.compile("adam", "mean_squared_error")
    x = np.random.default_rng(0).normal(size=(40, 160)).astype("float32")
    mean = np.asarray(code(x)).mean(0)
    assert ((mean > 0) & (mean < 1)).all()
    divergence = 0.05 * np.log(0.05 / mean) + 0.95 * np.log(0.95 / (1 - mean))
    expected = np.mean((np.asarray(net(x)) - x) ** 2) + 0.1 * divergence.sum()
    assert net.evaluate(x, x, batch_size=40, verbose=0) == pytest.approx(expected, rel=1e-4)


def test_folds_of_one_song_are_refused_before_training(small_emotify):
    """A correlation needs two songs of each fold."""
    data = open_dataset("emotify", str(small_emotify))
    n = len(data.tracks)
    assert emotify.Emotions(data, n // 2, True, 1).folds == n // 2
    with pytest.raises(InputError, match=f"--folds takes 2 to {n // 2}"):
        emotify.Emotions(data, n // 2 + 1, True, 1)


@pytest.mark.parametrize("name", ["semantic_embedding_gru_l2_svr", "semantic_embedding_gru_tuned_svr", "standard_gru"])
def test_weights_that_predict_would_use_otherwise_are_not_kept(small_emotify, name):
    experiment = emotify.Emotions(open_dataset("emotify", str(small_emotify)), 2, True, 1)
    with pytest.raises(InputError, match=f"{name}: has no weights that `predict` could read"):
        experiment.trained_on_all({variant.name: variant for variant in emotify.variants()}[name])


def test_the_embedding_alone_predicts_nothing(small_emotify):
    """As by --set loss=semantic_embedding: it would be trained, and have no output."""
    experiment = emotify.Emotions(open_dataset("emotify", str(small_emotify)), 2, True, 1)
    named, network = {variant.name: variant for variant in emotify.variants()}, TRAINING.network
    alone, as_svr = (
        with_settings(named[f"standard_gru{svr}"], [f"loss={learning.EMBEDDING}"], network) for svr in ("", "_svr")
    )
    assert "needs support vectors" in experiment.unavailable_reason(alone)
    assert all(experiment.unavailable_reason(variant) is None for variant in [as_svr, *named.values()])


def test_the_tuned_svr_needs_three_songs_to_train_on(small_emotify, monkeypatch):
    experiment = emotify.Emotions(open_dataset("emotify", str(small_emotify)), 2, True, 1)
    named = {variant.name: variant for variant in emotify.variants()}
    monkeypatch.setattr(experiment, "ids", experiment.ids[:4])
    reasons = [experiment.unavailable_reason(named[f"semantic_embedding_gru{of}_svr"]) for of in ("_tuned", "")]
    assert reasons == ["the inner cross-validation needs 3 songs to train on", None]


def test_other_losses_cannot_learn_the_plane(quadrant_folders):
    """Their outputs are logistic, and valence or arousal of a quadrant can be -1."""
    experiment = quadrants.Quadrants(open_dataset("Mine", str(quadrant_folders)), 3, False, 1)
    own = {variant.name: variant for variant in quadrants.variants()}["semantic_embedding_gru_svm"]
    changed = with_settings(own, [f"loss={learning.MSE}"], TRAINING.network)
    assert "only the semantic embedding" in experiment.unavailable_reason(changed)
    assert experiment.unavailable_reason(own) is None


def test_every_seed_is_another_run(small_emotify):
    """Other folds, other initial weights and crops: both go into the training."""
    experiment = emotify.Emotions(open_dataset("emotify", str(small_emotify)), 2, True, 1)
    variant = next(v for v in emotify.variants() if v.name == "standard_gru")
    splits = [experiment.splits(variant, seed) for seed in (0, 1, 2)]
    networks = [[experiment.networks(variant, split)[0] for split in of_run] for of_run in splits]
    assert len({network.split.seed for of_run in networks for network in of_run}) == 6
    assert len({tuple(of_run[0].split.train) for of_run in networks}) == 3
