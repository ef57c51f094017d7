"""Layers and optimisers against Keras 2, as stored by tests/oracle/store.py."""

from functools import partial

import numpy as np
import pytest

from tests.oracle.cases import BATCH, GATES, GRADIENTS, L1, L2, TIME, UNITS, networks, optimizers, step
from tests.oracle.store import STORED

ORACLE = np.load(STORED)
NAMES = [name.removesuffix("|output") for name in ORACLE.files if name.endswith("|output")]


def ours(unroll=False, over="batch") -> dict:
    from common.layers import keras, keras1, tf1

    gru = partial(keras1.GRU, unroll=unroll)
    return networks(keras, gru, tf1.LSTM, keras1.TimeDistributed, keras1.ActivityRegularization(L1, L2, over))


def stored(name) -> dict:
    return {key.split("|")[1]: ORACLE[key] for key in ORACLE.files if key.startswith(f"{name}|")}


def test_all_networks_are_stored():
    assert list(ours()) == NAMES


@pytest.mark.parametrize(
    ("name", "unroll"), [(name, unroll) for name in NAMES for unroll in (False, True) if "gru" in name or not unroll]
)
def test_layers(name, unroll):
    from common.layers import keras

    network, expected = ours(unroll)[name], stored(name)
    network.set_weights([expected[f"weight {i}"] for i in range(len(network.weights))])
    np.testing.assert_allclose(np.asarray(network(expected["x"])), expected["output"], atol=2e-6)
    results = step(network, keras, expected["x"], expected["upstream"])
    assert len(results) == len(network.weights) + 1
    for key, value in results.items():
        np.testing.assert_allclose(value, expected[key], atol=2e-6, err_msg=key)


@pytest.mark.parametrize(("over", "times"), [("sum", BATCH), ("mean", 1 / (TIME * UNITS))])
def test_scale_of_the_activity_penalty(over, times):
    """Keras 2 divides the sum over all elements by the number of samples."""
    from common.layers import keras

    expected, losses = stored("activity penalty"), {}
    for scale in ("batch", over):
        network = ours(over=scale)["activity penalty"]
        network.set_weights([expected["weight 0"], expected["weight 1"]])
        losses[scale] = step(network, keras, expected["x"], 0 * expected["upstream"])["loss"]
    assert losses[over] == pytest.approx(times * losses["batch"], rel=1e-5) and losses["batch"] > 0


@pytest.mark.parametrize("many", [False, True], ids=["few weights", "many weights"])
@pytest.mark.parametrize("name", ["rmsprop", "rmsprop of other settings", "adam", "adadelta"])
def test_optimizers(name, many, monkeypatch):
    """Steps from 0 with gradients of 1e-9 to 90."""
    from common.layers import keras, tf1

    if many:
        monkeypatch.setattr(tf1, "MANY_WEIGHTS", 0)
    optimizer, expected = optimizers(keras.optimizers, tf1.RMSprop)[name], ORACLE[f"{name}|steps"]
    variable = keras.Variable(np.zeros(GRADIENTS.shape[1], "float32"))
    for gradient, after in zip(GRADIENTS, expected, strict=True):
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        np.testing.assert_allclose(np.asarray(variable), after, rtol=2e-5)


def test_hard_sigmoid():
    from common.layers import keras1

    np.testing.assert_allclose(np.asarray(keras1.hard_sigmoid(GATES)), ORACLE["hard_sigmoid"], atol=1e-7)


def test_initial_bias_of_the_lstm():
    from common.layers import tf1

    layer = tf1.LSTM(UNITS)
    layer.build((BATCH, TIME, 5))
    np.testing.assert_array_equal(np.asarray(layer.bias), ORACLE["lstm, initial bias"])
