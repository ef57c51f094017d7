"""Seconds an epoch of recurrent networks with Keras's own layers and with those of `common.layers`.

    python -m tests.benchmarks.training_speed [--epochs 5] [--pairs 5] [--out results]

jakubik2017's Standard GRU, and velankar2022's two networks. One thread; random numbers in the place of music, labels
and songs as many as in training. Set KERAS_BACKEND=jax for the JAX backend; it uses a GPU if it finds one.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from unittest import mock

import numpy as np

from common import backend, cli, provenance
from common.layers import keras, keras1, tf1
from reproductions.jakubik2017 import model as jakubik2017
from reproductions.velankar2022 import model as velankar2022
from tests import benchmarks

OWN = {keras1: {"GRU": partial(keras.layers.GRU, reset_after=False)}, tf1: {"LSTM": keras.layers.LSTM}}  # Keras's


@dataclass(frozen=True)
class Case:
    """A network, as many songs as it is trained on, and how."""

    network: Callable
    x: tuple[int, ...]
    y: np.ndarray
    optimizer: Callable
    loss: str
    batch: int


def cases() -> dict[str, Case]:
    """By title."""
    rng, made = np.random.default_rng(0), {}
    y = rng.random((360, 9), "float32")
    made["Standard GRU, 360 songs"] = Case(
        lambda: jakubik2017.standard_gru(9), (360, 100, 160), y, jakubik2017.adadelta, "mse", 100
    )
    for title, kind in (("velankar2022's CRNN, 73 songs", "crnn"), ("its parallel CNN-RNN, 73 songs", "parallel")):
        network, optimizer, batch = velankar2022.NETWORKS[kind]
        loss, y = "sparse_categorical_crossentropy", rng.integers(3, size=73)
        made[title] = Case(partial(network, 3), (73, *velankar2022.SHAPE), y, optimizer, loss, batch)
    return made


def seconds_an_epoch(case: Case, net, epochs: int) -> float:
    x = np.random.default_rng(0).standard_normal(case.x).astype("float32")
    net.compile(case.optimizer(), case.loss)
    net.fit(x, case.y, batch_size=case.batch, verbose=0)  # compiles
    started = time.perf_counter()
    net.fit(x, case.y, batch_size=case.batch, epochs=epochs, verbose=0)
    return (time.perf_counter() - started) / epochs


def with_keras_own(network: Callable):
    """The same network, its recurrent layers Keras's own."""
    with mock.patch.multiple(keras1, **OWN[keras1]), mock.patch.multiple(tf1, **OWN[tf1]):
        return network()


def main():
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    if options.out:
        benchmarks.wait_until_idle()
    backend.start(0)
    print(f"{backend.name()} on {provenance.hardware()}")
    measured = {}
    for title, case in cases().items():
        pairs = []
        for _ in range(options.pairs):
            networks = with_keras_own(case.network), case.network()
            pairs.append([seconds_an_epoch(case, network, options.epochs) for network in networks])
        slow, fast = np.transpose(pairs)
        ratio = np.divide(slow, fast)
        print(
            f"{title}: Keras's own {np.median(slow):.3f} s, ours {np.median(fast):.3f} s, ratio {np.median(ratio):.2f}"
        )
        measured[title] = {
            "Keras's own layers": benchmarks.measured("s", slow),
            "this suite": benchmarks.measured("s", fast),
            "ratio": benchmarks.measured("", ratio),
        }
    if options.out:
        benchmarks.record(options.out, "training_speed", "an epoch, one core", measured)


if __name__ == "__main__":
    sys.exit(cli.run(main))
