"""The GRU of Keras 1 against Keras's own and against the paper's equations; the optimiser; determinism; backends."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from common import backend
from common.layers import keras
from common.layers.keras1 import GRU
from tests.conftest import ROOT
from tests.made_up import plain_gru

rng = np.random.default_rng(0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_states_follow_equations_7_to_10():
    layer, x = GRU(4, recurrent_activation="sigmoid", return_sequences=True), rng.standard_normal((2, 6, 3))
    layer.build(x.shape)
    for weight in (layer.kernel, layer.recurrent_kernel):
        weight.assign(rng.standard_normal(weight.shape))
    layer.bias.assign(rng.standard_normal(12))
    states = np.asarray(layer(x.astype("float32")))
    (wz, wr, wh), (uz, ur, uh) = (np.split(np.asarray(m), 3, axis=1) for m in (layer.kernel, layer.recurrent_kernel))
    bz, br, bh = np.split(np.asarray(layer.bias), 3)
    h = np.zeros((2, 4))
    for t in range(6):
        z = sigmoid(x[:, t] @ wz + h @ uz + bz)
        r = sigmoid(x[:, t] @ wr + h @ ur + br)
        h = z * h + (1 - z) * np.tanh(x[:, t] @ wh + (r * h) @ uh + bh)
        np.testing.assert_allclose(states[:, t], h, atol=1e-5)


def test_trains_as_keras_own_gru_does():
    from reproductions.jakubik2017 import model

    backend.start(0)
    fast, slow = model.standard_gru(9), plain_gru(model.UNITS, 9)
    weights = [rng.standard_normal(w.shape).astype("float32") * 0.1 for w in slow.get_weights()]
    x, y = rng.standard_normal((20, 15, 160)).astype("float32"), rng.random((20, 9)).astype("float32")
    losses = []
    for net in (fast, slow):
        net.set_weights(weights)
        net.compile(keras.optimizers.SGD(0.5), "mse")
        losses.append(net.fit(x, y, batch_size=10, epochs=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)
    for a, b, start in zip(fast.get_weights(), slow.get_weights(), weights, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6)
        assert np.abs(a - start).max() > 1e-5


def test_adadelta_is_zeilers():
    from reproductions.jakubik2017 import model

    w, g = np.array([1.0, -2.0]), np.array([[0.3, -5.0], [0.1, 2.0], [-0.2, 0.0]])
    variable, optimizer = keras.Variable(w.astype("float32")), model.adadelta()
    squares = steps = np.zeros(2)
    for gradient in g:
        squares = 0.9 * squares + 0.1 * gradient**2
        step = -np.sqrt(steps + 1e-6) / np.sqrt(squares + 1e-6) * gradient
        steps = 0.9 * steps + 0.1 * step**2
        w = w + step
        optimizer.apply([keras.ops.convert_to_tensor(gradient.astype("float32"))], [variable])
    np.testing.assert_allclose(np.asarray(variable), w, rtol=1e-6)


SCRIPT = """
import json, numpy as np
from reproductions.jakubik2017 import model
rng, found = np.random.default_rng(0), {}
x = rng.standard_normal((30, 40, 160)).astype("float32")
y = rng.random((30, 9)).astype("float32")
for name, net, loss in [("embedding", model.semantic_embedding_gru(), model.similarity_loss),
                        ("standard", model.standard_gru(9), "mean_squared_error")]:
    net.set_weights([rng.standard_normal(w.shape).astype("float32") * 0.05 for w in net.get_weights()])
    net.compile(model.adadelta(), loss)
    found[name] = net.fit(x, y, batch_size=15, epochs=5, shuffle=False, verbose=0).history["loss"]
print(json.dumps(found))
"""


def losses_on(backend: str) -> dict:
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_jax_gives_the_same_losses():
    """The networks of jakubik2017."""
    tensorflow, jax = losses_on("tensorflow"), losses_on("jax")
    for name, losses in tensorflow.items():
        np.testing.assert_allclose(jax[name], losses, atol=1e-4, rtol=1e-4)
        assert losses[-1] < losses[0]
