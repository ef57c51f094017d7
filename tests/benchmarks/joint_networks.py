"""Several networks in one model, against one network in a process: which trains more networks an hour on one core?

    python -m tests.benchmarks.joint_networks [--epochs 5] [--pairs 3] [--out results]

malik2017's CRNN with sequences of 20 frames, the smallest network of the papers' main rows, so that the time between
operations counts most. Random numbers in the place of features; 768 sequences, about as many as are trained on.
TensorFlow: one functional model with the layers of all networks, which read the same batches; `common.layers.fused`
computes their recurrences together. JAX: stacked weights, `jax.vmap` over networks, which read batches of their own.
"""

import json
import os
import subprocess
import sys
import time

import numpy as np

from common import backend, cli
from tests import benchmarks

LENGTH, FEATURES, SEQUENCES, BATCH = 20, 260, 768, 32
TOGETHER = (1, 2, 5)  # networks in one model
BACKENDS = {"tensorflow": "TensorFlow, one model", "jax": "JAX, vmap"}


def data(n_networks: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (SEQUENCES, LENGTH, FEATURES), and the same labels for all networks, 2 each."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((SEQUENCES, LENGTH, FEATURES)).astype("float32")
    return x, np.tile(rng.uniform(-1, 1, (SEQUENCES, LENGTH, 2)).astype("float32"), n_networks)


def in_one_model(n_networks: int, epochs: int) -> float:
    """Seconds an epoch of networks whose layers are in one model."""
    import keras

    from common.layers.fused import fuse
    from reproductions.malik2017 import model

    x, outputs = keras.Input((LENGTH, FEATURES)), []
    for number in range(n_networks):

        def renamed(layer, number=number):
            return layer.__class__.from_config(layer.get_config() | {"name": f"{layer.name}_{number}"})

        net = keras.models.clone_model(model.crnn(FEATURES, LENGTH), input_tensors=x, clone_function=renamed)
        outputs.append(net.output)
    both = keras.Model(x, keras.layers.Concatenate()(outputs) if n_networks > 1 else outputs[0])
    net = fuse(both)
    net.compile(keras.optimizers.Adam(1e-3, epsilon=1e-8), model.rmse)
    values, labels = data(n_networks)
    net.fit(values, labels, batch_size=BATCH, verbose=0)  # compiles
    started = time.perf_counter()
    net.fit(values, labels, batch_size=BATCH, epochs=epochs, verbose=0)
    return (time.perf_counter() - started) / epochs


def vmapped(n_networks: int, epochs: int) -> float:
    """Seconds an epoch of networks whose weights are stacked."""
    import jax
    import keras
    from jax import numpy as jnp

    from reproductions.malik2017 import model

    optimizer = keras.optimizers.Adam(1e-3, epsilon=1e-8)
    networks = [model.crnn(FEATURES, LENGTH) for _ in range(n_networks)]
    net = networks[0]
    optimizer.build(net.trainable_variables)

    def stacked(variables):
        return [jnp.stack([one.value for one in ones]) for ones in zip(*variables, strict=True)]

    def loss(trained, others, x, y):
        predicted, others, penalties = net.stateless_call(trained, others, x, training=True, return_losses=True)
        return model.rmse(y, predicted) + sum(penalties), others

    def step(trained, others, state, x, y):
        (_, others), gradients = jax.value_and_grad(loss, has_aux=True)(trained, others, x, y)
        trained, state = optimizer.stateless_apply(state, gradients, trained)
        return trained, others, state

    weights = [
        stacked([one.trainable_variables for one in networks]),
        stacked([one.non_trainable_variables for one in networks]),
        stacked([optimizer.variables] * n_networks),
    ]
    train, (values, labels) = jax.jit(jax.vmap(step)), data(1)
    rng = np.random.default_rng(0)

    def epoch(weights):
        orders = np.stack([rng.permutation(SEQUENCES) for _ in range(n_networks)])
        for first in range(0, SEQUENCES, BATCH):
            rows = orders[:, first : first + BATCH]
            weights = train(*weights, values[rows], labels[rows])
        return jax.block_until_ready(weights)

    weights = epoch(weights)  # compiles
    started = time.perf_counter()
    for _ in range(epochs):
        weights = epoch(weights)
    return (time.perf_counter() - started) / epochs


def measure(epochs: int) -> list[float]:
    """Seconds an epoch and network, by TOGETHER, with the backend of this process."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    backend.start(0)
    way = in_one_model if backend.name() == "tensorflow" else vmapped
    return [way(n, epochs) / n for n in TOGETHER]


def main() -> None:
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--here", action="store_true", help="once, with the backend of this process; prints JSON")
    options = parser.parse_args()
    if options.here:
        return print(json.dumps(measure(options.epochs)))
    if options.out:
        benchmarks.wait_until_idle()
    table = {}
    for name, title in BACKENDS.items():
        command = [sys.executable, "-m", __spec__.name, "--here", "--epochs", str(options.epochs)]
        runs = []
        for _ in range(options.pairs):
            answer = subprocess.run(
                command, env=os.environ | {"KERAS_BACKEND": name}, stdout=subprocess.PIPE, text=True, check=True
            )
            runs.append(json.loads(answer.stdout.splitlines()[-1]))
        seconds = np.transpose(runs)
        cells = {f"{n} together": benchmarks.measured("s", of) for n, of in zip(TOGETHER, seconds, strict=True)}
        table[title] = cells | {"alone / five together": benchmarks.measured("", seconds[0] / seconds[-1])}
        print(title, {column: cell["median"] for column, cell in table[title].items()}, flush=True)
    if options.out:
        title = "an epoch of malik2017's CRNN, length 20, a network, one core"
        benchmarks.record(options.out, "joint_networks", title, table)


if __name__ == "__main__":
    sys.exit(cli.run(main))
