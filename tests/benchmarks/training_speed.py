"""Seconds an epoch of jakubik2017's Standard GRU (360 songs): Keras's own GRU layers against keras1.GRU.

    python -m tests.benchmarks.training_speed [--epochs 5] [--pairs 5] [--out results]

One thread; random numbers in the place of music. Set KERAS_BACKEND=jax for the JAX backend; it uses a GPU if it finds
one.
"""

import resource
import sys
import time

import numpy as np

from common import backend, cli, provenance
from reproductions.jakubik2017 import model
from tests import benchmarks
from tests.made_up import plain_gru

SONGS = 360


def seconds_an_epoch(net, x, y, epochs: int) -> float:
    net.compile(model.adadelta(), "mse")
    net.fit(x, y, batch_size=100, verbose=0)  # compiles
    started = time.perf_counter()
    net.fit(x, y, batch_size=100, epochs=epochs, verbose=0)
    return (time.perf_counter() - started) / epochs


def main():
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    if options.out:
        benchmarks.wait_until_idle()
    backend.start(0)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((SONGS, 100, 160)).astype("float32"), rng.random((SONGS, 9)).astype("float32")
    pairs = []
    for _ in range(options.pairs):
        networks = plain_gru(model.UNITS, 9), model.standard_gru(9)
        pairs.append([seconds_an_epoch(network, x, y, options.epochs) for network in networks])
        print(
            f"keras.layers.GRU {pairs[-1][0]:.3f} s, ours {pairs[-1][1]:.3f} s, ratio {pairs[-1][0] / pairs[-1][1]:.2f}"
        )
    slow, fast = np.median(pairs, axis=0)
    ratios = [a / b for a, b in pairs]
    print(f"{backend.name()} on {provenance.hardware()}")
    print(f"median: keras.layers.GRU {slow:.3f} s, ours {fast:.3f} s an epoch, ratio {np.median(ratios):.2f}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    if options.out:
        slow, fast = np.transpose(pairs)
        row = {"Keras's own GRU": benchmarks.measured("s", slow)}
        row |= {"`keras1.GRU`": benchmarks.measured("s", fast), "ratio": benchmarks.measured("", ratios)}
        found = {f"{SONGS} songs, one core": row}
        benchmarks.record(options.out, "training_speed", "an epoch of the Standard GRU", found)


if __name__ == "__main__":
    sys.exit(cli.run(main))
