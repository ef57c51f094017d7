"""LSTM, attention and RMSprop against Keras's own and the equations; parameters; the protocol on a miniature."""

import json
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from scipy.stats import kendalltau
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.preprocessing import StandardScaler

from common import audio, backend, parallel
from common.errors import InputError
from common.experiment import Split, Trained, runner
from common.experiment.records import read_record
from common.features.compare import ComParE
from common.features.opensmile import OpenSmile
from common.layers import keras
from common.layers.keras1 import hard_sigmoid
from common.layers.tf1 import LSTM, RMSprop
from data_prep import export
from data_prep.dynamic import Annotation, Recording
from data_prep.emomusic import Emomusic
from reproductions.chaki2020 import baselines, model, train
from reproductions.chaki2020.clips import Clips, load, validation
from reproductions.chaki2020.variants import AT, BASELINES, NAT, variants
from tests.conftest import EMOMUSIC_TIMES as TIMES
from tests.conftest import ROOT, write_emomusic
from tests.made_up import VOICE_RATE as RATE
from tests.made_up import voice

rng = np.random.default_rng(0)

READINGS = ("strict", "history", "global")
PARAMETERS = {  # with 6,670 and 6,373 inputs; the attention layer's output as in `global` and `history`
    "nat": {
        (128,): (3481217, 3329153), (300,): (8365501, 8009101), (400,): (11314001, 10838801),
        (512,): (14711297, 14103041), (700,): (20639501, 19807901), (1024,): (31519745, 30303233),
        (700, 128): (21063377, 20231777), (700, 400): (22400801, 21569201),
    },
    "at": {
        (32,): (860130, 822114), (64,): (1728386, 1652354), (128,): (3489474, 3337410), (300,): (8384766, 8028366),
        (400,): (11339666, 10864466), (300, 128): (8593234, 8236834), (400, 128): (11592834, 11117634),
    },
}  # fmt: skip


@pytest.fixture
def parameters(monkeypatch):
    """Counts those of a network; they are not drawn, which would take seconds."""
    add = keras.layers.Layer.add_weight
    monkeypatch.setattr(
        keras.layers.Layer, "add_weight", lambda self, shape, initializer, **o: add(self, shape, "zeros", **o)
    )
    return lambda features, units, attention=None: model.lstm(features, 2, units, attention).count_params()


def test_every_topology_is_counted():
    assert (list(PARAMETERS["nat"]), list(PARAMETERS["at"])) == (NAT, AT)


@pytest.mark.parametrize("units", NAT, ids=str)
def test_parameters_without_attention(parameters, units):
    published, ours = PARAMETERS["nat"][units]
    assert (parameters(6670, units), parameters(6373, units)) == (published, ours)
    assert parameters(260, units) == ours - 4 * units[0] * (6373 - 260)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("units", AT, ids=str)
def test_parameters_with_attention(parameters, units, reading):
    """The output layer of `strict` has a weight more for each unit of the last layer."""
    published, ours = (n + units[-1] * (reading == "strict") for n in PARAMETERS["at"][units])
    assert (parameters(6670, units, reading), parameters(6373, units, reading)) == (published, ours)
    assert parameters(260, units, reading) == ours - 4 * units[0] * (6373 - 260)


@pytest.mark.parametrize(
    ("features", "attention", "expected"),
    [(260, None, 1058001), (260, "global", 1083666), (260, "strict", 1084066), (6670, "strict", 11340066),
     (6373, "strict", 10864866)],
)  # fmt: skip
def test_parameters_with_400_units(parameters, features, attention, expected):
    assert parameters(features, (400,), attention) == expected


# The layers.


def scrambled(layer, shape, scale=1.0):
    """The layer with random weights, biases too."""
    if not layer.built:
        layer.build(shape)
    for weight in layer.trainable_weights:
        weight.assign(scale * rng.standard_normal(weight.shape))
    return layer


@pytest.mark.parametrize("activation", ["tanh", "linear"])
@pytest.mark.parametrize(("features", "units", "length"), [(5, 4, 9), (3, 7, 1), (6, 2, 2)])
def test_lstm_is_keras_own(activation, features, units, length):
    """Outputs, and the gradients of input, kernel, recurrent kernel and bias; some gates are at 0 or 1."""
    import tensorflow as tf

    plain = keras.layers.LSTM(units, activation=activation, recurrent_activation=hard_sigmoid, return_sequences=True)
    fast = LSTM(units, activation, return_sequences=True)
    x = tf.Variable(rng.standard_normal((3, length, features)).astype("float32"))
    scrambled(plain, x.shape, 0.8)
    fast.build(x.shape)
    fast.set_weights(plain.get_weights())
    pull = rng.standard_normal((3, length, units)).astype("float32")
    outputs, gradients = [], []
    for layer in (fast, plain):
        with tf.GradientTape() as tape:
            outputs.append(layer(x))
            pulled = tf.reduce_sum(outputs[-1] * pull)
        gradients.append(tape.gradient(pulled, [x, *(weight.value for weight in layer.trainable_weights)]))
    for ours, theirs in [outputs, *zip(*gradients, strict=True)]:
        theirs = theirs.numpy()
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


def test_lstm_begins_as_tf_keras_did():
    layer = LSTM(6)
    layer.build((None, 5, 40))
    kernel, recurrent, bias = layer.get_weights()
    np.testing.assert_array_equal(bias, np.repeat([0, 1, 0, 0], 6))  # the second is the forget gate's
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(6), atol=1e-5)
    limit = np.sqrt(6 / (40 + 24))  # glorot_uniform
    assert 0.9 * limit < np.abs(kernel).max() <= limit


def test_attention_begins_as_the_package_does():
    layer = model.Attention("strict")
    layer.build((None, 5, 40))
    of_query, of_key, bias, score, score_bias = layer.get_weights()
    assert (of_query.shape, of_key.shape, score.shape) == ((40, 32), (40, 32), (32, 1))
    assert not bias.any() and not score_bias.any()
    for matrix, std in ((of_query, np.sqrt(2 / 72)), (of_key, np.sqrt(2 / 72)), (score, np.sqrt(2 / 33))):
        assert 0.6 * std < matrix.std() < 1.4 * std  # glorot_normal


def slow_attention(mode, h, of_query, of_key, bias, score, score_bias):
    """Equations 14 to 17, and the package's two readings, one step and one past step at a time."""
    found = []
    for sequence in h.astype("float64"):
        for t, present in enumerate(sequence):
            query = present if mode != "strict" else sequence[t - 1] if t else np.zeros_like(present)
            heard = {"strict": sequence[:t], "history": sequence[: t + 1], "global": sequence}[mode]
            weights = []
            for past in heard:
                e = score[:, 0] @ np.tanh(query @ of_query + past @ of_key + bias) + score_bias[0]
                weights.append(np.exp(1 / (1 + np.exp(-e))))
            c = sum((w / sum(weights) * past for w, past in zip(weights, heard, strict=True)), np.zeros_like(present))
            found.append(np.concatenate([present, c]) if mode == "strict" else c)
    return np.reshape(found, (*h.shape[:2], -1))


@pytest.mark.parametrize("mode", READINGS)
def test_attention_follows_its_equations(mode):
    h = rng.standard_normal((2, 6, 5)).astype("float32")
    layer = scrambled(model.Attention(mode), h.shape)
    expected = slow_attention(mode, h, *layer.get_weights())
    assert expected.shape == (2, 6, 10 if mode == "strict" else 5)
    np.testing.assert_allclose(layer(h), expected, atol=1e-5)
    other = slow_attention(
        {"strict": "history", "history": "global", "global": "history"}[mode], h, *layer.get_weights()
    )
    assert not np.allclose(expected[..., -5:], other[..., -5:], atol=0.01)


@pytest.mark.parametrize("attention", [None, *READINGS])
@pytest.mark.parametrize("t", [0, 3, 5])
def test_no_prediction_hears_the_future(attention, t):
    """But for `global`, which hears all of the clip."""
    net = scrambled(model.lstm(4, 7, (5, 3), attention), None, 0.6)
    x = rng.standard_normal((2, 7, 4)).astype("float32")
    changed = x.copy()
    changed[:, t + 1 :] = rng.standard_normal((2, 6 - t, 4))
    difference = np.abs(net(x) - net(changed)).max(axis=(0, 2))
    assert (difference[t + 1 :] > 1e-4).all()
    assert (difference[: t + 1] > 1e-4).all() if attention == "global" else (difference[: t + 1] < 1e-6).all()


@pytest.mark.parametrize("weight", [0.0, 0.7, -0.4])
def test_the_previous_output_is_an_input(weight):
    z, labels = rng.standard_normal((2, 3, 6, 1)).astype("float32")
    own, taught = model.PreviousOutput(), model.PreviousOutput()
    own(z), taught([z, labels])
    for layer in (own, taught):
        layer.weight.assign(weight)
    expected, before = np.empty_like(z), np.zeros((3, 1))
    for step in range(6):
        expected[:, step] = before = z[:, step] + weight * before
    np.testing.assert_allclose(own(z), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(taught([z, labels])[:, 1:], z[:, 1:] + weight * labels[:, :-1], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(taught([z, labels])[:, 0], z[:, 0])


@pytest.mark.parametrize(("mode", "first"), [("strict", 4), ("history", 3), ("global", 0)])
def test_the_first_context_that_knows_a_step(mode, first):
    """Of `strict` the one after it: the context of a step is made of the steps before."""
    h = rng.standard_normal((2, 7, 5)).astype("float32")
    layer, changed = scrambled(model.Attention(mode), h.shape), h.copy()
    changed[:, 3] += 1
    before, after = np.asarray(layer(h)), np.asarray(layer(changed))
    known = np.abs(before - after)[..., -5:].max(axis=(0, 2)) > 1e-5
    assert list(known) == [t >= first for t in range(7)]
    if mode == "strict":
        np.testing.assert_array_equal(after[..., :5], changed)
        assert not after[:, 0, 5:].any()
        np.testing.assert_allclose(after[:, 1, 5:], changed[:, 0], atol=1e-5)


def plain_network(features, length, units, attention, activation):
    """The network from Keras's own LSTM."""
    x = h = keras.Input((length, features))
    for size in units:
        h = keras.layers.LSTM(size, activation=activation, recurrent_activation=hard_sigmoid, return_sequences=True)(h)
    if attention:
        h = model.Attention(attention)(h)
    return keras.Model(x, keras.layers.Dense(1)(h))


@pytest.mark.parametrize(
    ("units", "attention", "activation"),
    [((6,), "strict", "tanh"), ((6, 4), "global", "tanh"), ((6,), None, "linear")],
)
def test_trains_as_keras_own_layers_do(units, attention, activation):
    backend.start(0)
    slow, fast = (make(8, 5, units, attention, activation) for make in (plain_network, model.lstm))
    begin = slow.get_weights()
    fast.set_weights(begin)
    x, y = rng.standard_normal((30, 5, 8)).astype("float32"), rng.uniform(-1, 1, (30, 5, 1)).astype("float32")
    losses = []
    for net in (fast, slow):
        net.compile(RMSprop(1e-2), "mse", run_eagerly=True)
        losses.append([float(net.train_on_batch(x[i : i + 10], y[i : i + 10])) for i in (0, 10, 20)])
    np.testing.assert_allclose(*losses, rtol=1e-5)
    assert all((w != start).any() for w, start in zip(fast.get_weights(), begin, strict=True))


def test_rmsprop_is_that_of_tensorflow_1():
    """Epsilon stands behind the root: with gradients of 1e-5 Keras 3 takes a hundredth of the steps."""
    start, gradients = np.array([1.0, -2.0]), 1e-5 * np.array([[0.3, -5], [0.1, 2], [-0.2, 0], [1, 1], [0.5, -1]])
    found = []
    for optimizer in (RMSprop(1e-3), keras.optimizers.RMSprop(1e-3)):
        variable = keras.Variable(start.astype("float32"))
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient.astype("float32"))], [variable])
        found.append(np.asarray(variable))
    w, velocity = start, np.zeros(2)
    for gradient in gradients:
        velocity = 0.9 * velocity + 0.1 * gradient**2
        w = w - 1e-3 * gradient / (np.sqrt(velocity) + 1e-7)
    np.testing.assert_allclose(found[0], w, rtol=1e-6)
    assert (np.abs(found[0] - start) > 20 * np.abs(found[1] - start)).all()


SCRIPT = """
import json, numpy as np
from common.layers.tf1 import RMSprop
from reproductions.chaki2020 import model
own = np.random.default_rng(0)
x = own.standard_normal((20, 4, 5)).astype("float32")
y = own.uniform(-1, 1, (20, 4, 1)).astype("float32")
net = model.lstm(5, 4, (6,), "strict")
net.set_weights([own.standard_normal(w.shape).astype("float32") * 0.3 for w in net.get_weights()])
net.compile(RMSprop(1e-2), "mse")
losses = net.fit(x, y, batch_size=10, epochs=5, shuffle=False, verbose=0).history["loss"]
print(json.dumps(losses))
"""


def test_jax_gives_the_same_losses(capsys):
    environment = os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    exec(SCRIPT, {})
    found = [json.loads(printed.splitlines()[-1]) for printed in (done.stdout, capsys.readouterr().out)]
    np.testing.assert_allclose(*found, rtol=1e-4)
    assert found[0][-1] < found[0][0]


@pytest.mark.parametrize(("songs", "groups", "message"), [
    (1, None, "has only one song, and none to validate; add recordings of other songs"),
    (3, ["a"] * 3, "has only songs by one artist, and none to validate; add recordings of other artists"),
])  # fmt: skip
def test_what_is_too_few_to_validate_with_is_an_error(songs, groups, message):
    with pytest.raises(InputError, match=message):
        validation(np.arange(songs), groups, 0)


# One network, on clips of noise: 20 to train on, two of them held out to stop by, and 4 to test.

NETWORK = {"units": (4,), "attention": "strict", "epochs": 3}
TRAIN, TEST, SEED = np.arange(20), np.arange(20, 24), 3


def noise(n=24, steps=4, features=3):
    own = np.random.default_rng(1)
    x = own.standard_normal((n, steps, features)).astype("float32")
    y = own.uniform(-0.5, 0.5, (n, steps, 2)).astype("float32")
    return Clips([str(i) for i in range(n)], x, y, [f"band {i // 2}" for i in range(n)], TIMES[:steps])


def split_of(seed=SEED, groups=None):
    held_out = validation(TRAIN, groups, seed)
    return Split(TRAIN[~held_out], {"test": TEST}, TRAIN[held_out], seed=seed)


def trained_on(clips, seed=SEED, groups=None, **network):
    """What a network predicts, and its losses."""
    trained = train.fit(NETWORK | {"target": "valence"} | network, clips, split_of(seed, groups))
    return trained.outputs | trained.history


@pytest.fixture(scope="module")
def reference():
    return trained_on(noise())


def test_the_same_seed_gives_the_same_network(reference):
    again, other = trained_on(noise()), trained_on(noise(), seed=4)
    assert reference["predicted"].shape == (4, 4) and len(reference["loss"]) == len(reference["validation_loss"]) == 3
    for name in ("predicted", "loss", "validation_loss"):
        np.testing.assert_array_equal(again[name], reference[name])
        assert not np.allclose(other[name], reference[name])


OTHERS = [{"activation": "linear"}, {"optimizer": "keras3"}, {"previous": "own"}, {"previous": "label"}]


@pytest.mark.parametrize("network", OTHERS, ids=str)
def test_readings_train_otherwise(reference, network):
    assert not np.allclose(trained_on(noise(), **network)["loss"], reference["loss"], rtol=1e-4)


@pytest.mark.parametrize("previous", [None, "own", "label"])
def test_nothing_is_learnt_from_test_clips_or_the_other_target(previous):
    clips, reference = noise(), trained_on(noise(), previous=previous)
    clips.x[TEST[:2]] = np.nan
    clips.y[TEST] = clips.y[..., 1] = np.nan
    found = trained_on(clips, previous=previous)
    for name in ("loss", "validation_loss"):
        np.testing.assert_array_equal(found[name], reference[name])
    assert np.isnan(found["predicted"][:2]).all()
    np.testing.assert_array_equal(found["predicted"][2:], reference["predicted"][2:])


@pytest.mark.parametrize("by_artist", [False, True])
def test_validation_clips_are_not_trained_on(reference, by_artist):
    """Neither the network nor the scaling knows them; and they are not of an artist that is trained on."""
    groups = noise().groups if by_artist else None
    held_out = split_of(groups=groups).validation
    assert len(held_out) == 2
    if by_artist:
        assert len({groups[i] for i in held_out}) == 1
        reference = trained_on(noise(), groups=groups)
    clips = noise()
    clips.x[held_out] = 1e3
    found = trained_on(clips, groups=groups)
    np.testing.assert_array_equal(found["loss"], reference["loss"])
    np.testing.assert_array_equal(found["predicted"], reference["predicted"])
    assert not np.isclose(found["validation_loss"], reference["validation_loss"]).any()


@pytest.mark.slow
def test_training_stops_early():
    """After 5 epochs without a gain of more than 1e-4; with the last weights, unless those of the best are asked for.

    Labels that have nothing to do with the features, so that it does.
    """
    found = trained_on(noise(), epochs=30, units=(8,))
    best, best_epoch = np.inf, 0
    for epoch, loss in enumerate(found["validation_loss"]):
        if loss < best - 1e-4:
            best, best_epoch = loss, epoch
        if epoch - best_epoch == 5:
            break
    assert epoch + 1 == len(found["loss"]) == len(found["validation_loss"]) < 30
    restored, until_best = (trained_on(noise(), units=(8,), epochs=n, restore=n == 30) for n in (30, best_epoch + 1))
    np.testing.assert_array_equal(restored["loss"], found["loss"])
    np.testing.assert_allclose(restored["predicted"], until_best["predicted"], atol=1e-6)
    assert not np.allclose(found["predicted"], restored["predicted"], atol=1e-5)


# Baselines.


@pytest.mark.parametrize("groups", [None, [f"band {i // 2}" for i in range(24)]], ids=["clips", "artists"])
def test_ridge_is_scikit_learns(groups):
    """With the penalty that is best on the clips that stop the networks, and then all training clips."""
    clips = noise()
    clips.y[..., 0] += 0.3 * clips.x[..., 0]
    split = split_of(groups=groups)
    found = baselines.fit_ridge({}, clips, split).outputs

    def fitted(penalty, some):
        scaler, regression = StandardScaler(), Ridge(penalty)
        rows = scaler.fit_transform(clips.x[some].reshape(-1, 3).astype("float64"))
        regression.fit(rows, clips.y[some].reshape(-1, 2))
        return lambda these: regression.predict(scaler.transform(clips.x[these].reshape(-1, 3)))

    scores = [
        r2_score(clips.y[split.validation].reshape(-1, 2), fitted(penalty, split.train)(split.validation))
        for penalty in baselines.PENALTIES
    ]
    assert found["penalty"] == baselines.PENALTIES[np.argmax(scores)]
    expected = fitted(found["penalty"], TRAIN)(TEST).reshape(4, 4, 2)
    np.testing.assert_allclose(found["predicted"], expected, atol=1e-5)


def test_ridge_so_far_hears_no_future():
    frames, clips = rng.standard_normal((4, 6, 2)), noise(steps=6)
    changed = frames.copy()
    changed[:, 4:] += 1
    before, after = (baselines.baseline("ridge_so_far", clips, split_of(), each) for each in (frames, changed))
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert (after[:, 4:] > before[:, 4:]).all()
    for t in range(6):
        np.testing.assert_allclose(before[:, t], frames[:, : t + 1].mean(axis=1))


def test_baselines():
    clips, frames = noise(), rng.standard_normal((4, 4, 2)).astype("float32")

    def predicted(name):
        return baselines.baseline(name, clips, split_of(), frames)

    np.testing.assert_array_equal(predicted("ridge"), frames)
    for song, t in ((0, 0), (3, 2)):
        np.testing.assert_allclose(predicted("ridge_averaged")[song, t], frames[song].mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(predicted("training_mean")[song, t], clips.y[TRAIN].mean(axis=(0, 1)), atol=1e-6)
        np.testing.assert_allclose(predicted("own_song_mean")[song, t], clips.y[TEST[song]].mean(axis=0), atol=1e-6)
    per_clip = predicted("ridge_clips")
    assert (per_clip == per_clip[:, :1]).all() and np.ptp(per_clip[:, 0], axis=0).all()


# Which clips, and what is heard of them.


def data_of(labels, **what):
    """A data set of songs with labels at the given times."""
    annotations = {
        song: Annotation(np.array(times), np.tile([[0.1, 0.2]], (len(times), 1)).astype("float32"))
        for song, times in labels.items()
    }
    shape = {"root": "here", "source": "there", "includes_features": True, "artists": {"a": "A Band"}}
    shape |= {"splits": {"development": list(labels)}, "annotations": lambda split, source="task": annotations}
    return SimpleNamespace(**shape | what)


def windows(*starts):
    return np.array(starts), np.array(starts, "float32")[:, None]


def test_clips_with_fewer_windows_are_left_out():
    have = {
        "a": windows(14, 14.5, 15),
        "b": windows(14, 14.5),
        "c": windows(13.5, 14, 14.5, 15, 15.5),
        "d": windows(40),
    }
    clips = load(data_of({song: [15.0, 15.5, 16.0] for song in "abcd"}, features=lambda ids: have), "deam", 1)
    assert clips.ids == ["a", "c"] and clips.groups == ["A Band", "c"] and len(clips) == 2
    np.testing.assert_array_equal(clips.times, [15, 15.5, 16])
    np.testing.assert_array_equal(clips.x[..., 0], [[14, 14.5, 15]] * 2)  # of each label the window that ends there
    assert clips.y.shape == (2, 3, 2) and clips.y[0, 0, 0] == np.float32(0.1)


def test_windows_at_other_seconds_are_not_mixed(capsys):
    data = {song: [15.0, 15.5, 16.0] for song in "abc"}
    have = {"a": windows(14, 14.5), "b": windows(14.5, 15)}
    with pytest.raises(
        InputError, match=r"here: 1 clips each have DEAM's 260 .* at other labels; keep one kind of cuts"
    ):
        load(data_of(data, features=lambda ids: have), "deam", 1)
    one_is_longer = have | {"b": windows(14, 14.5, 15), "c": have["a"]}
    assert load(data_of(data, features=lambda ids: one_is_longer), "deam", 1).ids == ["a", "c"]
    told = capsys.readouterr().out
    assert told.startswith("left out: clips b, which have DEAM's 260") and "2 labels, 15 to 15.5 s" in told


@pytest.mark.parametrize("have", [{}, {"a": windows(30, 31)}])
def test_no_input_at_all(have):
    with pytest.raises(InputError, match=r"here: no clip has DEAM's 260 .* where its labels are; get it from there"):
        load(data_of({"a": [15.0, 15.5]}, features=lambda ids: have), "deam", 1)
    with pytest.raises(InputError, match="no clip has 6,373 ComParE functionals"):
        load(data_of({"a": [15.0, 15.5]}, recordings=lambda ids: {}), "compare", 1)


@pytest.mark.parametrize(
    ("source", "extractor", "times"), [("compare", ComParE(), (30.5, 31, 31.5, 32)), ("deam", OpenSmile(), (31, 31.5))]
)
def test_what_is_computed_from_audio_ends_at_the_label(tmp_path, source, extractor, times):
    """Two cuts that begin at second 30, of a set that the project renders itself (it has no features of its own)."""
    recordings = {song: Recording(tmp_path / f"{song}.wav", 30.0) for song in "ab"}
    for song, recording in recordings.items():
        soundfile.write(recording.path, voice(2.0) * (1 if song == "a" else 0.5), RATE)
    labels = {song: [15.0, 30.0, 30.5, 31.0, 31.5, 32.0, 32.5] for song in "ab"}
    clips = load(data_of(labels, recordings=lambda ids: recordings, includes_features=False, artists={}), source, 1)
    assert clips.ids == clips.groups == ["a", "b"] and tuple(clips.times) == times
    for song, x in zip("ab", clips.x, strict=True):
        np.testing.assert_array_equal(x, extractor(*audio.load(recordings[song].path)))


def test_the_fingerprint_knows_all():
    found = {noise().fingerprint}
    assert noise().fingerprint in found
    for change in ("ids", "groups", "times", "x", "y"):
        clips = noise()
        values = getattr(clips, change)
        if isinstance(values, list):
            values[3] += "!"
        else:
            values = values.copy()
            values.flat[3] += 1
        found.add(Clips(**{**vars(clips), change: values}).fingerprint)
    assert len(found) == 6


# The protocol on a miniature, with labels and noise in the place of what networks predict.

SONGS = [2, 240, 584, *range(600, 641)]  # 240 has too few windows
CONSTANT = 0.1


@pytest.fixture(scope="module")
def small_root(tmp_path_factory):
    """44 clips of 22 artists in emoMusic's layout; every fifth is of the evaluation set."""
    described = {
        song: (30, f"Band {n // 2}", "A Title", "evaluation" if n % 5 == 4 else "development")
        for n, song in enumerate(SONGS)
    }
    return write_emomusic(tmp_path_factory.mktemp("chaki2020"), described)


VARIANTS, ONE_PART = ["at_32_260", "nat_400_artists_260", "nat_400_official_260"], "nat_128_part_260"


@pytest.fixture(scope="module")
def recorded(small_root, tmp_path_factory):
    """Records by variant, and by variant the networks: indices of clips, target, predictions."""
    folder, networks = tmp_path_factory.mktemp("runs"), []

    def predicted(settings, clips, split):
        (test,), target = split.tests.values(), train.TARGETS.index(settings["target"])
        noisy = clips.y[test, :, target] + 0.2 * np.random.default_rng(split.seed).standard_normal((len(test), 61))
        noisy = noisy.astype("float32")
        noisy[0] = CONSTANT
        known = np.union1d(split.train, split.validation)
        networks.append(
            SimpleNamespace(clips=clips, split=split, train=known, test=test, target=target, predicted=noisy)
        )
        return Trained({"predicted": noisy}, {name: np.array([0.2, 0.1]) for name in ("loss", "validation_loss")})

    records, of = {}, {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("common.cli.training.cache_folder", lambda: folder / "work")
        patch.setattr(runner, "progress", lambda calls, isolated, **options: parallel.progress(calls, **options))
        patch.setattr(train, "fit", predicted)
        for name in [*VARIANTS, ONE_PART]:
            options = ["--data-root", small_root, "--allow-missing", "--folds", 2, "--jobs", 1, "--out", folder / "out"]
            assert train.main([*map(str, options), "--variant", name]) == 0
            of[name], networks = networks, []
    for path in (folder / "out").rglob("*.json"):
        records[path.stem] = read_record(path)
    return records, of


def pooled(networks):
    """What the networks of one run told of every clip that they tested, (n, 61, 2), NaN of the others."""
    found = np.full(networks[0].clips.y.shape, np.nan)
    for network in networks:
        assert np.isnan(found[network.test, :, network.target]).all()  # no clip is tested twice
        found[network.test, :, network.target] = network.predicted
    return found


def assert_metrics(measured, y, p):
    """Of (n, T, 2) annotated and predicted, by scikit-learn and scipy."""
    for k, target in enumerate(("valence", "arousal")):
        truth, guess = y[..., k].astype("float64"), p[..., k]
        taus = [kendalltau(*song).statistic for song in zip(truth, guess, strict=True) if np.ptp(song[1]) > 1e-6]
        errors = np.abs(truth - guess).mean(axis=1)
        for metric, expected in (
            ("r2_pooled", r2_score(truth.ravel(), guess.ravel())),
            ("mae_pooled", mean_absolute_error(truth.ravel(), guess.ravel())),
            ("kendall_tau_per_song", np.mean(taus)),
            ("kendall_tau_undefined", len(truth) - len(taus)),
            ("share_within_.05", np.mean(errors <= 0.05)),
        ):
            assert measured[metric][target] == pytest.approx(expected, abs=2e-5), (metric, target)


@pytest.mark.parametrize("name", VARIANTS)
def test_metrics_are_of_all_predictions_at_once(recorded, small_root, name):
    record, networks = recorded[0][name], recorded[1][name]
    split, [run] = ("evaluation" if "official" in name else "cross-validation"), record["runs"]
    predicted, facts = pooled(networks), record["facts"]["splits"][split]
    labels, whole = Emomusic(small_root).annotations(), np.isfinite(predicted[:, 0, 0])
    assert facts["tracks"] == [song for song, there in zip(networks[0].clips.ids, whole, strict=True) if there]
    y = np.stack([labels[song].values for song in facts["tracks"]])
    assert_metrics(run["metrics"][split], y, predicted[whole])
    assert run["songs"][split]["frames"] == [61] * len(y)
    folds = 1 if "official" in name else 2
    assert run["metrics"][split]["kendall_tau_undefined"]["average"] == folds
    assert [len(network["loss"]) for network in run["history"]] == [2] * 2 * folds and run["core_seconds"] >= 0


def test_every_clip_is_tested_once_and_by_a_network_that_was_not_trained_on_it(recorded):
    record, networks = (part["at_32_260"] for part in recorded)
    assert [network.target for network in networks] == [0, 1, 0, 1]
    assert np.isfinite(pooled(networks)).all() and "240" not in networks[0].clips.ids
    for number, network in enumerate(networks):
        assert sorted([*network.train, *network.test]) == list(range(43))
        assert set(np.array(record["runs"][0]["fold"])[network.test]) == {number // 2}
    facts = record["facts"]
    assert (facts["n_train"], facts["of_train"]) == (43, 44) and facts["stand_in"] and facts["partial"]
    assert (facts["audio"], facts["splits"]["cross-validation"]["of_test"]) == ("none", 44) and "frames" not in facts


def test_folds_by_artist_split_no_artist(recorded):
    for network in recorded[1]["nat_400_artists_260"]:
        artists = np.array(network.clips.groups)
        assert not set(artists[network.train]) & set(artists[network.test])
        assert not set(artists[network.split.train]) & set(artists[network.split.validation])
    assert len(set(artists)) == 22
    split = [set(artists[n.train]) & set(artists[n.test]) for n in recorded[1]["at_32_260"]]
    assert all(split)  # folds by clip do


def test_the_official_split_trains_on_development_and_tests_evaluation(recorded, small_root):
    record, networks = (part["nat_400_official_260"] for part in recorded)
    splits, ids = Emomusic(small_root).splits, np.array(recorded[1]["at_32_260"][0].clips.ids)
    assert [network.target for network in networks] == [0, 1]
    for network in networks:
        assert list(ids[network.test]) == splits["evaluation"] and len(network.test) == 8
        assert list(ids[network.train]) == [song for song in splits["development"] if song != "240"]
    facts = record["facts"]
    assert (facts["n_train"], facts["of_train"]) == (35, 36) and list(facts["splits"]) == ["evaluation"]


def test_one_part_is_tested_by_the_networks_of_all_folds(recorded, small_root):
    record, networks = (part[ONE_PART] for part in recorded)
    [run], labels, facts = record["runs"], Emomusic(small_root).annotations(), record["facts"]
    tested = networks[0].test
    assert [network.target for network in networks] == [0, 1, 0, 1] and len(tested) == 5  # of 43
    for network in networks:
        assert np.array_equal(network.test, tested) and sorted([*network.train, *tested]) == list(range(43))
    first, second = networks[0].split.validation, networks[2].split.validation
    assert sorted([*first, *second, *tested]) == list(range(43))
    y = np.stack([labels[networks[0].clips.ids[song]].values for song in tested])
    alone = [np.stack([n.predicted for n in networks[k : k + 2]], axis=-1) for k in (0, 2)]
    for name, predicted in {"fold 1": alone[0], "fold 2": alone[1], "average": np.mean(alone, axis=0)}.items():
        assert_metrics(run["metrics"][name], y, predicted)
        assert facts["splits"][name] == {"n_test": 5, "of_test": 5}
    assert (facts["n_train"], facts["of_train"]) == (38, 39) and len(facts["splits"]) == 3
    assert next(iter(run["metrics"])) == next(iter(facts["splits"])) == "average"  # what stands for the record
    assert run["tested"] == [networks[0].clips.ids[song] for song in tested]
    lines, (header, *parts) = export.predictions(record)[1:], export.splits(record)
    assert [line[1:3] for line in lines[:5]] == [["average", song] for song in run["tested"]]
    assert parts == [[0, song, "test"] for song in run["tested"]] and header == ["seed", "song", "part"]


def test_each_repetition_tests_another_part(small_root):
    experiment = train.ThousandSongs(Emomusic(small_root), 2, 1)
    variant = next(v for v in variants() if v.name == ONE_PART)
    parts = [experiment.splits(variant, seed)[0].tests["fold 1"].tolist() for seed in range(3)]
    assert parts[0] != parts[1] != parts[2] and all(len(part) == 5 for part in parts)
    with pytest.raises(InputError, match="no weights"):
        experiment.trained_on_all(variant)


def test_the_excerpts_of_the_figures(recorded, small_root):
    record, networks = (part["at_32_260"] for part in recorded)
    [run], ids, predicted = record["runs"], networks[0].clips.ids, pooled(networks)
    labels = Emomusic(small_root).annotations()
    for name, song, steps in (("clip 2, first 20 s", "2", slice(0, 40)), ("clip 2, last 10 s", "2", slice(40, 61)),
                              ("clip 2", "2", slice(0, 61)), ("clip 584", "584", slice(0, 61))):  # fmt: skip
        p = predicted[ids.index(song)]
        np.testing.assert_allclose(run["trajectories"][song], p, atol=1e-4)
        if np.ptp(p[:, 0]) > 0:  # else it has the constant, and no tau
            assert_metrics(run["metrics"][name], labels[song].values[None, steps], p[None, steps])
        assert record["facts"]["splits"][name]["tracks"] == [song]


@pytest.mark.parametrize(("folds", "epochs"), [(10, None), (5, None), (10, 2)])
def test_partial_is_what_differs_from_the_paper(small_root, folds, epochs):
    """The official split has no folds, ridge regression no epochs."""
    experiment = train.ThousandSongs(Emomusic(small_root), folds, 1)
    named = {variant.name: variant for variant in variants(epochs)}
    expected = {"nat_400_260": epochs or folds < 10, "nat_400_official_260": epochs,
                "ridge_260": folds < 10, "ridge_official_260": None}  # fmt: skip
    assert {name: experiment.facts(named[name])["partial"] for name in expected} == {
        name: bool(partial) for name, partial in expected.items()
    }


def test_predictions_that_are_not_finite_are_counted(small_root):
    """They count as 0, and what is recorded stays JSON."""
    experiment = train.ThousandSongs(Emomusic(small_root), 2, 1)
    variant = next(v for v in variants() if v.name == "nat_128_linear_260")
    trained = []
    for split in experiment.splits(variant, 0):
        (test,) = split.tests.values()
        valence, arousal = np.full((2, len(test), 61), 0.5, "float32")
        if split.fold == 1:
            arousal[:, 7:] = np.nan
        trained.append(
            [Trained({"predicted": predicted}, {"loss": np.array([1.0, np.inf])}) for predicted in (valence, arousal)]
        )
    entry = experiment.score(variant, 0, trained)
    assert entry["frames_not_finite"] == len(test) * 54
    histories = [runner.history_of(network) for of_split in trained for network in of_split]
    assert histories == [{"loss": [1.0, None]}] * 4
    json.dumps([entry, histories], allow_nan=False)


def test_baselines_run_beside_every_network(recorded):
    expected = {
        f"{baseline}{suffix}"
        for baseline in BASELINES
        for suffix in ("_260", "_artists_260", "_official_260", "_part_260")
    }
    assert set(recorded[0]) == expected | {*VARIANTS, ONE_PART}
    for name, record in recorded[0].items():
        [run] = record["runs"]
        [split] = {"cross-validation", "evaluation", "average"} & run["metrics"].keys()
        r2, undefined = (run["metrics"][split][m]["average"] for m in ("r2_pooled", "kendall_tau_undefined"))
        n = record["facts"]["splits"][split]["n_test"]
        if name.startswith("training_mean"):
            assert r2 <= 0 and undefined == n
        if name.startswith("own_song_mean"):
            assert 0 < r2 < 1 and undefined == n
        if name.startswith(("ridge_2", "ridge_so_far", "ridge_artists", "ridge_official")):
            assert undefined == 0


def put_nan(root):
    path = root / "DEAM" / "features" / "600.csv"
    path.write_text(re.sub(r"(\n[\d.]+;15);[^;]+", r"\1;nan", path.read_text(), count=1))


def without(*names):
    return lambda root: shutil.rmtree(root.joinpath(*names))


def shorten(root):
    path = root / "emoMusic" / "annotations" / "valence_cont_average.csv"
    path.write_text(re.sub(r",[^,]+(?=\n)", "", path.read_text()))


RUN = ["--allow-missing", "--variant", "nat_128_260"]


@pytest.mark.parametrize(
    ("breakage", "options", "told"),
    [
        (None, ["--data-root", "/nowhere/at/all"], "/nowhere/at/all: no such folder"),
        (None, [], "--allow-missing"),
        (None, [*RUN, "--folds", "99"], "99 folds of 43 songs cannot be made; --folds takes 2 to 43"),
        (None, ["--allow-missing", "--variant", "nat_400_artists_260", "--folds", "43"], "43 songs by 22 artists"),
        (None, ["--variant", "nat_99"], "unknown variant 'nat_99'; did you mean"),
        (without("emoMusic"), RUN, "has no folder emoMusic/; get emomusic from"),
        (without("DEAM", "features"), RUN, "nat_128_260 cannot run here: "),
        (without("DEAM"), RUN, "nat_128_260 cannot run here: "),
        (without("DEAM"), ["--allow-missing", "--variant", "nat_400"], "nat_400 cannot run here: "),
        (without("DEAM"), ["--allow-missing"], "none of these variants can run on what is there"),
        (put_nan, RUN, "600.csv: line 4, column 'F0final_sma_amean': nan"),
        (shorten, RUN, "valence_cont_average.csv: song 2 has 60 labels instead of 61"),
    ],
)
def test_bad_input_is_one_line(small_root, tmp_path, capsys, breakage, options, told):
    root = shutil.copytree(small_root, tmp_path / "data") if breakage else small_root
    if breakage:
        breakage(root)
    assert train.main(["--data-root", str(root), "--out", str(tmp_path / "out"), *options]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line and not line.startswith("DEAM features")]
    assert len(lines) == 1 and lines[0].startswith("error: ") and told in lines[0]
    assert not (tmp_path / "out").exists()
