"""The network against Keras's own layers, its parameters, its loss; sequences; the protocol on a miniature."""

import numpy as np
import pytest

from common import keras2017
from common.keras2017 import hard_sigmoid
from reproductions.malik2017 import model

keras = pytest.importorskip("keras")
ops = keras.ops
rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("features", "branches", "pieces", "parameters"),
    [(260, 2, 4, 35176), (64, 2, 4, 10088), (65, 2, 4, 10216), (260, 1, 4, 17712), (260, 2, 5, 35210)],
)  # fmt: skip
def test_parameters(features, branches, pieces, parameters):
    """The paper: about 30 k, 10 k with log-mel, 17 k with one branch."""
    assert model.crnn(features, 10, branches=branches, pieces=pieces).count_params() == parameters


def plain_crnn(features, length, branches, penalty):
    """The CRNN from Keras's own layers, without dropout."""
    x = keras.Input((length, features))
    regulariser = keras.regularizers.L1L2(model.L1, model.L2) if penalty != "off" else None
    h = keras.layers.Conv2D(8, 3, padding="same", activation="relu", kernel_regularizer=regulariser)(
        ops.expand_dims(x, -1)
    )
    if penalty == "batch":  # what Keras 3 does
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


def copy_weights(plain, fast, branches):
    """The weights of the plain network in the layout of the fast one."""
    conv, norm = (next(x for x in plain.layers if isinstance(x, kind))
                  for kind in (keras.layers.Conv2D, keras.layers.BatchNormalization))  # fmt: skip
    fc, out = ([plain.get_layer(f"{name}_{i}") for i in range(branches)] for name in ("fc", "maxout"))
    cells = [plain.get_layer(f"gru_{i}").get_weights() for i in range(2 * branches)]
    fast.get_layer("cnn").set_weights([*conv.get_weights(), *norm.get_weights()])
    fast.get_layer("fc").set_weights([np.concatenate([d.get_weights()[i] for d in fc], axis=-1) for i in range(2)])
    kernel, recurrent, bias = (np.stack([cell[i] for cell in cells]) for i in range(3))
    fast.get_layer("gru").set_weights([kernel, recurrent, bias[:, None]])
    kernel, bias = (np.stack([d.get_weights()[i] for d in out]) for i in range(2))
    fast.get_layer("maxout").set_weights([kernel[:, None], bias[:, None, None]])


@pytest.mark.parametrize(("branches", "penalty"), [(2, "batch"), (2, "off"), (1, "weights")])
def test_trains_as_keras_own_layers_do(branches, penalty):
    keras2017.start(0)
    features, length = 12, 7
    plain = plain_crnn(features, length, branches, penalty)
    fast = model.crnn(features, length, branches=branches, penalty=penalty, dropout=0.0)
    for weight in plain.trainable_weights:
        weight.assign(rng.standard_normal(weight.shape) * 0.4)
    copy_weights(plain, fast, branches)
    x = rng.standard_normal((20, length, features)).astype("float32")
    y = rng.uniform(-1, 1, (20, length, 2)).astype("float32")
    losses = []
    for net in (fast, plain):
        net.compile(keras.optimizers.SGD(0.01), model.rmse)
        losses.append(net.fit(x, y, batch_size=10, epochs=5, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=2e-4)
    np.testing.assert_allclose(fast.predict(x, verbose=0), plain.predict(x, verbose=0), atol=2e-3)
