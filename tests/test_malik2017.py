"""The network against Keras's own layers, its parameters, its loss, its dropout; the protocol on a miniature."""

import inspect
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import root_mean_squared_error

from common import backend, parallel
from common.cli.settings import with_settings
from common.errors import InputError
from common.experiment import Samples, Split, runner
from common.experiment.records import histories, read_record, record_path
from common.layers import keras
from common.layers.fused import fuse
from common.layers.keras1 import GRU, hard_sigmoid
from common.protocol import Sequences
from common.verdict.board import load_expected
from data_prep.deam import Deam
from reproductions.malik2017 import li2016, model, predict, train
from reproductions.malik2017.songs import Songs
from reproductions.malik2017.variants import NETWORK, variants
from tests.conftest import ROOT

EXPECTED = load_expected(ROOT / "reproductions" / "malik2017" / "expected.json")
ops = keras.ops
rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("features", "branches", "pieces", "parameters"),
    [(260, 2, 4, 35176), (64, 2, 4, 10088), (65, 2, 4, 10216), (260, 1, 4, 17712), (260, 2, 5, 35210)],
)
def test_parameters(features, branches, pieces, parameters):
    """The paper: about 30 k, 10 k with log-mel, 17 k with one branch."""
    assert model.crnn(features, 10, branches=branches, pieces=pieces).count_params() == parameters


def test_counted_cells_are_what_the_networks_have():
    counted = {cell["id"].split("/")[1]: cell["counted"] for cell in EXPECTED["cells"] if "counted" in cell}
    networks = {"crnn": model.crnn(260, 10), "crnn_nb": model.crnn(260, 10, branches=1),
                "crnn_log_mel": model.crnn(64, 10), "li2016_member": li2016.blstm(260)}  # fmt: skip
    millions = networks["li2016_member"].count_params() / 1e6
    expected = {name: network.count_params() / 1e3 for name, network in networks.items()}
    expected |= {"li2016_member": millions, "li2016": len(li2016.LENGTHS) * millions}
    assert counted == pytest.approx(expected)


def test_every_variant_named_in_the_table_exists():
    known = {variant.name for variant in variants()}
    for cell in EXPECTED["cells"]:
        assert cell["variant"] in known or cell["table"] == "text"
        assert set(cell["alternatives"]) <= known


def test_settings_that_variants_need_not_name_are_those_of_the_network():
    first = {name: value[0] if isinstance(value, tuple) else value for name, value in NETWORK.items()}
    known = {k: None if isinstance(v, type) else v for k, v in first.items() if k not in train.OF_TRAINING}
    assert known == {
        name: p.default for name, p in inspect.signature(model.crnn).parameters.items() if p.kind is p.KEYWORD_ONLY
    }


def plain_crnn(features, length, branches, penalty):
    """The CRNN from Keras's own layers, without dropout."""
    x = keras.Input((length, features))
    regulariser = keras.regularizers.L1L2(model.L1, model.L2) if penalty != "off" else None
    h = keras.layers.Conv2D(8, 3, padding="same", activation="relu", kernel_regularizer=regulariser)(
        ops.expand_dims(x, -1)
    )
    if penalty == "batch":
        h = keras.layers.ActivityRegularization(model.L1, model.L2)(h)
    h = keras.layers.Reshape((length, 8 * features))(keras.layers.BatchNormalization()(h))
    y = []
    for branch in range(branches):
        b = keras.layers.Dense(8, name=f"fc_{branch}")(h)
        # not Bidirectional: it copies its layer by name, and so takes Keras 3's hard_sigmoid
        forward, backward = (
            keras.layers.GRU(8, return_sequences=True, reset_after=False, recurrent_activation=hard_sigmoid, name=name)
            for name in (f"gru_{branch}", f"gru_{branches + branch}")
        )
        b = ops.concatenate([forward(b), ops.flip(backward(ops.flip(b, 1)), 1)], axis=-1)
        units = 2 // branches
        pieces = keras.layers.Dense(4 * units, name=f"maxout_{branch}")(b)
        y.append(ops.max(ops.reshape(pieces, (-1, length, units, 4)), axis=-1))
    return keras.Model(x, ops.concatenate(y, axis=-1))


def copy_weights(plain, net, branches):
    """The weights of Keras's own layers in the layers of the suite."""
    conv, norm = (
        next(x for x in plain.layers if isinstance(x, kind))
        for kind in (keras.layers.Conv2D, keras.layers.BatchNormalization)
    )
    net.get_layer("conv").set_weights(conv.get_weights())
    net.get_layer("norm").set_weights(norm.get_weights())
    for i in range(branches):
        net.get_layer(f"fc_{i}").set_weights(plain.get_layer(f"fc_{i}").get_weights())
        cells = [plain.get_layer(f"gru_{number}").get_weights() for number in (i, branches + i)]
        net.get_layer(f"gru_{i}").set_weights([*cells[0], *cells[1]])
        kernel, bias = plain.get_layer(f"maxout_{i}").get_weights()
        kernel = kernel.reshape(len(kernel), -1, 4).transpose(2, 0, 1)  # (pieces, n, units)
        net.get_layer(f"maxout_{i}").set_weights([kernel, bias.reshape(-1, 4).T])


@pytest.mark.parametrize(("branches", "penalty"), [(2, "batch"), (2, "off"), (1, "weights")])
def test_trains_as_keras_own_layers_do(branches, penalty):
    backend.start(0)
    features, length = 12, 7
    plain = plain_crnn(features, length, branches, penalty)
    ours = model.crnn(features, length, branches=branches, penalty=penalty, dropout=0.0)
    for weight in plain.trainable_weights:
        weight.assign(rng.standard_normal(weight.shape) * 0.4)
    copy_weights(plain, ours, branches)
    fast = fuse(ours)
    x = rng.standard_normal((20, length, features)).astype("float32")
    y = rng.uniform(-1, 1, (20, length, 2)).astype("float32")
    losses = []
    for net in (fast, plain):
        net.compile(keras.optimizers.SGD(0.01), model.rmse)
        losses.append(net.fit(x, y, batch_size=10, epochs=5, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=2e-4)
    np.testing.assert_allclose(fast.predict(x, verbose=0), plain.predict(x, verbose=0), atol=2e-3)


@pytest.mark.parametrize(
    ("options", "rates"),
    [({"dropout": 0.75}, (0.75, 0.75)), ({"dropout": 0.75, "gru_dropout": 0.0}, (0.75, 0.0)),
     ({"dropout": 0.0, "gru_dropout": 0.5}, (0.0, 0.5)), ({"dropout": 0.5, "reset_after": True}, (0.5, None))],
)  # fmt: skip
def test_dropout_is_of_the_training_alone(options, rates):
    backend.start(0)
    net, plain = (model.crnn(12, 7, **o) for o in (options, options | {"dropout": 0.0, "gru_dropout": 0.0}))
    plain.set_weights(net.get_weights())
    x = rng.standard_normal((4, 7, 12)).astype("float32")
    np.testing.assert_array_equal(net(x, training=False), net(x, training=False))
    np.testing.assert_allclose(net(x, training=False), plain(x, training=False), atol=1e-6)
    assert not np.allclose(net(x, training=True), net(x, training=True))
    if rates[1] is not None:
        gru = net.get_layer("gru_0").backward_layer
        assert (net.get_layer("dropout").rate, gru.dropout, gru.recurrent_dropout) == (*rates, rates[1])


def test_dropout_of_the_gru_is_keras_1s():
    """Each gate has a mask of its own, of the input and of the state, for a whole sequence."""
    layer = GRU(4, dropout=0.5, recurrent_dropout=0.5, return_sequences=True, unroll=True)
    x = rng.standard_normal((3, 5, 6)).astype("float32")  # batch, time, features
    layer.build(x.shape)
    for weight in layer.trainable_weights:
        weight.assign(rng.standard_normal(weight.shape))
    drawn, draw = [], layer.masks
    layer.masks = lambda rate, shape: drawn.append(draw(rate, shape)) or drawn[-1]
    states = np.asarray(layer(x, training=True))
    of_input, of_state = (np.asarray(masks) for masks in drawn)
    assert (of_input.shape, of_state.shape) == ((3, 3, 6), (3, 3, 4))
    assert set(np.unique(of_input)) == set(np.unique(of_state)) == {0, 2}
    assert not np.array_equal(of_state[0], of_state[1])
    gates = [np.split(np.asarray(w), 3, axis=-1) for w in (layer.kernel, layer.recurrent_kernel, layer.bias)]
    h = np.zeros((3, 4))
    for t in range(5):
        (p_z, p_r, p_h) = ((x[:, t] * mask) @ w + b for mask, w, b in zip(of_input, gates[0], gates[2], strict=True))
        u_z, u_r, u_h = gates[1]
        z, r = (np.clip(0.2 * p + 0.5, 0, 1) for p in (p_z + (h * of_state[0]) @ u_z, p_r + (h * of_state[1]) @ u_r))
        h = z * h + (1 - z) * np.tanh(p_h + (r * h * of_state[2]) @ u_h)
        np.testing.assert_allclose(states[:, t], h, atol=1e-5)


def test_the_loss_is_the_mean_of_both_errors():
    """Of valence and arousal each the root of the mean squared error over all frames of a batch."""
    rng = np.random.default_rng(0)
    y, predicted = rng.standard_normal((2, 6, 7, 2)).astype("float32")
    errors = rmse_of_targets(y.reshape(-1, 2), predicted.reshape(-1, 2))
    assert float(model.rmse(y, predicted)) == pytest.approx(errors.mean(), rel=1e-5)


def test_the_other_losses_are_of_sequences_and_of_frames():
    rng = np.random.default_rng(0)
    y, predicted = rng.standard_normal((2, 6, 7, 2)).astype("float32")
    of_sequences = [rmse_of_targets(*pair).mean() for pair in zip(y, predicted, strict=True)]
    assert float(model.rmse_of_sequences(y, predicted)) == pytest.approx(np.mean(of_sequences), rel=1e-5)
    assert float(model.rmse_of_frames(y, predicted)) == pytest.approx(np.abs(y - predicted).mean(), rel=1e-5)


def test_fewer_songs_are_among_more_songs():
    """Drawn by the seed; the others are not trained on, and no error of songs partly trained on is reported."""
    tests = {"development": np.arange(40), "evaluation": np.arange(40, 50)}
    few, more = (train.fewer_songs(Split(np.arange(40), tests, seed=2000), n) for n in (10, 25))
    assert len(few.train) == 10 and len(more.train) == 25 and set(few.train) < set(more.train)
    other = train.fewer_songs(Split(np.arange(40), tests, seed=3000), 10)
    assert list(few.tests) == ["evaluation"] and set(other.train) != set(few.train)


def test_li2016_has_about_two_million_parameters():
    assert li2016.blstm(260).count_params() == 1975810


@pytest.mark.parametrize("fusion", li2016.FUSIONS.values(), ids=li2016.FUSIONS)
def test_a_fusion_learns_which_members_to_follow(fusion):
    rng = np.random.default_rng(0)
    labels = rng.uniform(-0.5, 0.5, (2000, 2))
    noise = rng.normal(size=(2000, 6, 2)) * np.array([0.05, 0.4, 0.4, 0.4, 0.4, 0.4])[:, None]
    members = labels[:, None] + noise  # the first is nearly right, the others are not
    fused = li2016.fuse(members[:1500], labels[:1500], members[1500:], 0, fusion)
    error, of_mean = (rmse_of_targets(labels[1500:], p) for p in (fused, members[1500:].mean(1)))
    assert fused.shape == (500, 2) and (error < 0.8 * of_mean).all()
    again = li2016.fuse(members[:1500], labels[:1500], members[1500:], 0, fusion)
    np.testing.assert_array_equal(fused, again)


# The protocol on a miniature.

TRAINED = ["crnn_l10", "cv_crnn_l20", "cv_crnn_l20_validated", "li2016", "xu2015"]


def no_recurrence(features, layers=li2016.LAYERS):
    """In the place of `li2016.blstm`, which takes long to compile."""
    x = h = keras.Input((None, features))
    for number in range(layers):
        h = keras.layers.Dense(4, "tanh", name=f"blstm_{number}")(h)
    return keras.Model(x, keras.layers.Dense(2)(h))


@pytest.fixture(scope="module")
def miniature(small_deam, tmp_path_factory):
    """Runs the command in this process; returns records by variant. `networks` lists what was trained since."""
    folder = tmp_path_factory.mktemp("malik2017")

    def noted(fit):
        def training(settings, samples, split):
            trained = fit(settings, samples, split)
            go.networks.append(SimpleNamespace(settings=settings, samples=samples, split=split, trained=trained))
            return trained

        return training

    def go(names, out="out", work="work"):
        go.networks, go.out = [], folder / out
        options = ["--data-root", small_deam, "--allow-missing", "--folds", 2, "--epochs", 2, "--repeats", 1]
        options += ["--jobs", 1, "--out", go.out, *(part for name in names for part in ("--variant", name))]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("common.cli.training.cache_folder", lambda: folder / work)
            patch.setattr(runner, "progress", lambda calls, isolated, **options: parallel.progress(calls, **options))
            patch.setattr(train, "fit", noted(train.fit))
            patch.setattr(li2016, "fit", noted(li2016.fit))
            patch.setattr(li2016, "blstm", no_recurrence)
            patch.setattr(li2016, "LENGTHS", (10, 20))
            assert train.main([str(option) for option in options]) == 0
        paths = [record_path(go.out, "malik2017", "mediaeval2015", name) for name in names]
        return {path.stem: read_record(path) for path in paths}

    return go


@pytest.fixture(scope="module")
def trained(miniature):
    """Records by variant, and the networks behind them."""
    records = miniature(TRAINED)
    return records, miniature.networks


@pytest.mark.parametrize("name", TRAINED)
def test_metrics_follow_from_predictions_and_labels(trained, small_deam, name):
    record = trained[0][name]
    [run] = record["runs"]
    [(split, predictions)] = run["predictions"].items()
    assert split == ("cross-validation" if name.startswith("cv") else "evaluation")
    labels = Deam(small_deam).annotations("development" if name.startswith("cv") else "evaluation")
    assert record["facts"]["splits"][split]["tracks"] == list(labels)
    y, p = np.concatenate([annotation.values for annotation in labels.values()]), np.array(predictions)
    assert p.shape == y.shape and np.isfinite(p).all()
    assert run["songs"][split]["frames"] == [len(annotation.times) for annotation in labels.values()]
    songs = [np.split(values, np.cumsum(run["songs"][split]["frames"])[:-1]) for values in (y, p)]
    by_song = [rmse_of_targets(*courses) for courses in zip(*songs, strict=True)]
    r = [pearsonr(*courses).statistic for courses in zip(y.T, p.T, strict=True)]
    tolerance = 1e-3  # predictions are recorded with three digits
    for metric, values in (
        ("rmse_pooled", rmse_of_targets(y, p)),
        ("rmse_per_song", np.mean(by_song, 0)),
        ("pearson_r_pooled", r),
    ):
        result = run["metrics"][split][metric]
        assert list(result) == ["valence", "arousal", "average"]
        assert list(result.values()) == pytest.approx([*values, np.mean(values)], abs=tolerance), metric


def rmse_of_targets(y, p):
    return root_mean_squared_error(y, p, multioutput="raw_values")


def test_metrics_of_every_split_are_of_its_own_songs(trained):
    records, (network, *_) = trained
    [run] = records["crnn_l10"]["runs"]
    tests = network.split.tests
    assert list(run["metrics"]) == list(tests) == ["development", "evaluation"]  # recordings are complete: no cuts
    np.testing.assert_array_equal(tests["development"], network.split.train)
    for split, songs in tests.items():
        expected = rmse_of_targets(network.samples.y.subset(songs).values, network.trained.outputs[split])
        assert list(run["metrics"][split]["rmse_pooled"].values())[:2] == pytest.approx(expected, abs=1e-5)


def test_every_frame_is_predicted(trained):
    for network in trained[1]:
        lengths, outputs = network.samples.y.lengths, network.trained.outputs
        frames = {split: lengths[songs].sum() for split, songs in network.split.tests.items()}
        assert {split: len(values) for split, values in outputs.items()} == frames, network.settings
        assert all(np.isfinite(values).all() for values in outputs.values())
        assert len(network.split.validation) == bool(network.settings.get("validation"))  # of five songs one


def trained_on(split):
    return np.union1d(split.train, split.validation)


def test_no_song_is_trained_on_and_tested(trained):
    records, networks = trained
    songs = records["crnn_l10"]["facts"]["splits"]["development"]["tracks"]
    for split in ("cross-validation", "held_out"):
        parts = [
            tuple([n.samples.ids[i] for i in of] for of in (trained_on(n.split), n.split.tests[split]))
            for n in networks
            if split in n.split.tests
        ]
        assert len(parts) == 4  # two folds of two variants, two halves of two members
        for train_ids, test_ids in parts:
            assert sorted(train_ids + test_ids, key=int) == songs
        for first, second in (parts[:2], parts[2:]):
            assert sorted(first[1] + second[1], key=int) == songs
    for network in networks:
        if not {"cross-validation", "held_out"} & network.split.tests.keys():
            assert [network.samples.ids[i] for i in network.split.train] == songs


def test_a_second_run_trains_nothing(trained, miniature):
    before = {path: path.read_bytes() for path in miniature.out.rglob("*.json")}
    assert len(before) == len(TRAINED) + 8  # the baselines of both splits
    assert miniature(TRAINED) == trained[0] and miniature.networks == []
    assert {path: path.read_bytes() for path in miniature.out.rglob("*.json")} == before


@pytest.mark.slow
def test_the_same_numbers_once_more(trained, miniature):
    again = miniature(["crnn_l10", "li2016"], out="again", work="other work")
    assert len(miniature.networks) == 7
    for name, record in again.items():
        kept = [
            {k: v for k, v in r["runs"][0].items() if k not in ("provenance", "core_seconds")}
            for r in (record, trained[0][name])
        ]
        assert kept[0] == kept[1]


def songs_named(ids, length=20, features=6):
    """Songs whose labels follow from some of their features."""
    x = [np.random.default_rng(ord(song)).standard_normal((length, features)).astype("float32") for song in ids]
    return Samples(list(ids), Sequences.of(x), Sequences.of([np.tanh(song[:, :2]) for song in x]), list(ids))


def test_epochs_of_the_checks_are_recorded(monkeypatch):
    """A last check off the grid of ten epochs is exported with its own epoch."""
    monkeypatch.setattr(train, "CHECK", 2)
    songs, split = songs_named("abcde"), Split(np.arange(3), {"evaluation": np.arange(3, 5)})
    trained = train.fit({"length": 20, "epochs": 5, "until": 0}, songs, split)
    assert trained.history["epoch"].tolist() == [2, 4, 5]
    errors = trained.history["rmse, evaluation"]
    expected = rmse_of_targets(songs.y.subset([3, 4]).values, trained.outputs["evaluation"])
    assert len(errors) == 3 and errors[-1] == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
def test_the_last_check_may_be_the_best(monkeypatch):
    """Where training ends at the error `until`, that check counts too among those on held-out songs."""
    monkeypatch.setattr(train, "CHECK", 1)
    songs = songs_named("abcdefghij")
    split = Split(np.arange(7), {"evaluation": np.arange(8, 10)}, validation=np.array([7]))
    settings = {"length": 20, "epochs": 4, "until": 0}
    complete = train.fit(settings, songs, split)
    development, validation = (complete.history[f"rmse, {name}"].mean(-1) for name in ("development", "validation"))
    assert np.argmin(validation) == np.argmin(development) == 3
    stopped = train.fit(settings | {"until": float(development[3])}, songs, split)
    assert stopped.history["epoch"].tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(stopped.outputs["evaluation"], complete.outputs["evaluation"])


def test_epochs_are_in_records_and_histories(trained):
    for name in ("crnn_l10", "cv_crnn_l20_validated"):  # of two epochs each
        [run] = trained[0][name]["runs"]
        of_networks = histories(run)
        assert len(of_networks) == len(run["history"]) and len(of_networks) in (1, 2)
        assert all(list(curve) == [2] for network in of_networks for curve in network.values())


def test_variants_longer_than_the_songs_are_left_out(monkeypatch):
    """Cuts of ten seconds have 20 frames."""
    songs = Songs(songs_named("a"), {"development": np.array([0])})
    experiment = train.MediaEval2015(SimpleNamespace(synthetic=True, name="synthetic"), 2, 1)
    monkeypatch.setattr(experiment, "songs", lambda variant: songs)
    lacking = {v.name: why for v in variants() if (why := experiment.unavailable_reason(v))}
    assert set(lacking) == {"crnn_l30", "crnn_l60", "crnn_nb", "crnn_lengths", "li2016", "xu2015",
                            "crnn_log_mel_l30",
                            "crnn_log_mel_l60", "crnn_l30_no_gru_dropout", "crnn_l60_no_gru_dropout"}  # fmt: skip
    assert lacking["crnn_lengths"] == "its sequences have 60 frames, and songs here only 20"


@pytest.mark.parametrize(("folds", "epochs"), [(10, None), (5, None), (10, 20)])
def test_partial_is_what_differs_from_the_paper(small_deam, monkeypatch, folds, epochs):
    """Folds are of the cross-validation alone, epochs of networks whose number of epochs is not fixed."""
    experiment = train.MediaEval2015(Deam(small_deam), folds, 1)
    monkeypatch.setattr(experiment, "splits", lambda variant, seed: [])  # the miniature has five songs
    named = {variant.name: variant for variant in variants(epochs)}
    expected = {"crnn_l20": epochs, "ridge": None, "crnn_l20_200_epochs": None, "li2016": None,
                "cv_crnn_l20": epochs or folds < 10, "cv_ridge": folds < 10}  # fmt: skip
    assert {name: experiment.facts(named[name])["partial"] for name in expected} == {
        name: bool(partial) for name, partial in expected.items()
    }


def test_gates_that_keras_3s_gru_has_not_are_an_error(small_deam):
    """It would be trained with logistic gates, under a name that says otherwise."""
    experiment = train.MediaEval2015(Deam(small_deam), 2, 1)
    own = {variant.name: variant for variant in variants()}["crnn_l10"]
    both = (
        with_settings(own, ["reset_after=true", f"gates={gates}"], NETWORK) for gates in ("hard_sigmoid", "logistic")
    )
    reasons = [experiment.unavailable_reason(variant) for variant in both]
    assert reasons == ["Keras 3's GRU (reset_after) has logistic gates", None]


def test_validation_can_be_switched_off(small_deam):
    """As by --set validation=false."""
    experiment = train.MediaEval2015(Deam(small_deam), 2, 1)
    own = {variant.name: variant for variant in variants()}["cv_crnn_l20_validated"]
    without_it = with_settings(own, ["validation=false"], NETWORK)
    sizes = [[len(split.validation) for split in experiment.splits(one, 0)] for one in (own, without_it)]
    assert sizes == [[1, 1], [0, 0]]


@pytest.mark.parametrize(
    "name", ["crnn_lengths", "crnn_l20_65_songs", "crnn_l20_starts_at_label", "crnn_log_mel_l20", "ridge"]
)
def test_weights_that_predict_would_use_otherwise_are_not_kept(small_deam, name):
    experiment = train.MediaEval2015(Deam(small_deam), 2, 1)
    with pytest.raises(InputError, match=f"{name}: has no weights that `predict` could read"):
        experiment.trained_on_all({variant.name: variant for variant in variants()}[name])


def test_no_more_songs_are_trained_on_than_there_are(small_deam):
    """Where fewer are there than a variant asks for, the record states how many were."""
    experiment = train.MediaEval2015(Deam(small_deam), 2, 1)
    variant = {variant.name: variant for variant in variants()}["crnn_l20_65_songs"]
    facts, (split,) = experiment.facts(variant), experiment.splits(variant, 0)
    assert len(split.train) == facts["n_train"] == facts["splits"]["development"]["n_test"] < 65


def test_labels_without_evaluation_songs_are_an_error(small_deam, monkeypatch):
    data = Deam(small_deam)
    monkeypatch.setitem(data.splits, "evaluation", [])
    named = {variant.name: variant for variant in variants()}
    experiment = train.MediaEval2015(data, 2, 1)
    assert experiment.songs(named["cv_crnn_l20"]).of_split.keys() == {"development"}
    with pytest.raises(InputError, match="no evaluation song has labels and the task's 260 openSMILE features; get"):
        experiment.songs(named["crnn_l20"])


@pytest.mark.parametrize("name", ["crnn_l20", "crnn_l20_loss_frame", "crnn_l20_overlapping", "crnn_l20_validated"])
def test_predict_builds_the_network_of_every_variant(name):
    """Also of sequences that are shorter than those of the training, with the same weights."""
    settings = {variant.name: variant for variant in variants()}[name].settings["network"]
    own = predict.Model.__new__(predict.Model)
    own.settings = settings
    networks = [own.network(260, length) for length in (20, 7)]
    assert networks[0].count_params() == networks[1].count_params() == 35_176


def put_nan(root):
    path = root / "DEAM" / "features" / "1005.csv"
    path.write_text(re.sub(r"\n1;1;[^;]+", "\n1;1;nan", path.read_text()))


def without(*names):
    return lambda root: shutil.rmtree(root.joinpath(*names))


def test_baselines_are_of_the_labels_that_a_variant_has(broken_deam, tmp_path, capsys):
    """DEAM's labels need no labels of the task."""
    without("MediaEval2015")(broken_deam.parent)
    options = ["--data-root", str(broken_deam.parent), "--allow-missing", "--out", str(tmp_path), "--repeats", "1"]
    assert train.main([*options, "--variant", "ridge_deam"]) == 0
    recorded = {path.stem for path in (tmp_path / "malik2017" / "mediaeval2015").glob("*.json")}
    assert recorded == {"zero_deam", "training_mean_deam", "ridge_deam", "own_song_mean_deam"}


BARS = ("DEAM features", "opensmile")


@pytest.mark.parametrize(
    ("breakage", "options", "told"),
    [
        (None, ["--data-root", "/nowhere/at/all"], "/nowhere/at/all: no such folder"),
        (None, [], "--allow-missing"),
        (without("DEAM"), [], "no folder DEAM/"),
        (put_nan, ["--allow-missing"], "1005.csv: line 4, column 'F0final_sma_amean': nan"),
        (without("DEAM", "features"), ["--allow-missing"], "no development song has"),
        (without("MediaEval2015"), ["--allow-missing"], "dev_valence.csv: no such file"),
        (None, ["--allow-missing", "--folds", "9", "--variant", "cv_zero"], "9 folds of 5 songs"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(broken_deam, tmp_path, capsys, breakage, options, told):
    root = broken_deam.parent
    if breakage:
        breakage(root)
    assert train.main(["--data-root", str(root), "--out", str(tmp_path / "out"), *options]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line and not line.startswith(BARS)]
    assert len(lines) == 1 and lines[0].startswith("error: ") and told in lines[0]
    assert not (tmp_path / "out").exists()
