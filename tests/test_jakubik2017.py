"""What the paper fixes: parameters, initial weights, the loss, the crops; and its table of published cells."""

import json
from pathlib import Path

import numpy as np
import pytest

from common import protocol, published
from common.errors import InputError
from reproductions.jakubik2017 import train
from tests.conftest import GIVEN_ROOT, ROOT

EXPECTED = published.load_expected(ROOT / "reproductions" / "jakubik2017" / "expected.json")


def test_parameter_counts():
    from reproductions.jakubik2017 import model

    assert model.semantic_embedding_gru().count_params() == 100_950
    assert [model.standard_gru(k).count_params() - 100_950 for k in (9, 4, 2)] == [459, 204, 102]


def test_initial_weights_are_gaussian():
    from common import keras2017
    from reproductions.jakubik2017 import model

    keras2017.start(0)
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
    network = {"loss": train.MSE, "epochs": 1, "standardise": True}
    labels, fold_of = rng.random((3, 9)).astype("float32"), np.array([0, 1, 1])
    together = train.train_network(network, protocol.Sequences.of(songs), labels, fold_of, 0, 0)
    longer = protocol.Sequences.of([np.concatenate([songs[0], songs[1]]), *songs[1:]])
    mixed = train.train_network(network, longer, labels, fold_of, 0, 0)  # the test song alone is another one
    np.testing.assert_allclose(together["features"][1:], mixed["features"][1:], atol=1e-6)
    assert np.abs(together["features"][0] - mixed["features"][0]).max() > 1e-6
    np.testing.assert_array_equal(together["loss"], mixed["loss"])


def test_svr_defaults_and_grid():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((60, 5))
    labels = np.stack([np.tanh(features[:, 0]), features[:, 1] ** 2], axis=1)
    split = np.arange(40), np.arange(40, 60)
    plain, tuned = (train.regress(r, features, labels, *split) for r in (train.SVR, train.GRID))
    assert plain.shape == tuned.shape == (20, 2)
    error = [np.abs(p[:, 1] - labels[40:, 1]).mean() for p in (plain, tuned)]
    assert error[1] < error[0]


def test_cells_are_those_of_the_paper():
    cells = EXPECTED["cells"]
    assert len(cells) == 47 and sum(cell["quoted"] for cell in cells) == 25
    by_system = {}
    for cell in cells:
        if cell["table"] == "1" and cell["target"] != "average":
            by_system.setdefault(cell["system"], []).append(cell["value"])
    averages = {cell["system"]: cell["value"] for cell in cells if cell["target"] == "average"}
    assert {system: round(float(np.mean(values)), 2) for system, values in by_system.items()} == averages
    shared = Path(GIVEN_ROOT or "nowhere").parent / "published" / "jakubik2017.json"
    if shared.is_file():
        copied = [(c["model"], c["mean"]) for c in json.loads(shared.read_text())["results"]]
        assert copied == [(cell["system"], cell["value"]) for cell in cells]


def test_every_variant_named_in_the_table_exists():
    known = {variant.name: variant for variant in train.variants()}
    for cell in EXPECTED["cells"]:
        assert cell["variant"] is None or known[cell["variant"]].primary
        assert set(cell["alternatives"]) <= known.keys()
    for claim in EXPECTED["claims"]:
        assert claim["kind"] == "benchmark" or {claim["a"], claim.get("b", claim["a"])} <= known.keys()
    for *_, shown in EXPECTED["beside"]:
        assert set(shown) <= known.keys()
