"""An epoch of chaki2020's LSTM_AT_400 on ComParE features: Keras's own LSTM against common.layers.tf1, and the ceiling.

    python -m tests.benchmarks.chaki2020_training [--clips 30] [--pairs 3] [--out results]

One thread; random numbers, not music.

It prints, as medians of ratios taken within a pair (a pair is everything once, every other time in reverse order):
- how much faster the suite is than the same network with `keras.layers.LSTM` and Keras's RMSprop; both have the suite's
  attention layer, and the threads and deterministic operations that the suite asks for;
- the attention's part of an epoch, LSTM_AT less LSTM_NAT;
- floating-point operations of an epoch's matrix products, over the whole time of the epoch, beside those of one large
  product alone, the input's of one batch; and the part of RMSprop's update, which has no products;
- the largest relative difference of the losses of both networks' first batches, from the same weights and with the
  suite's RMSprop.
"""

import sys
import time

import numpy as np

from common import backend, cli, provenance
from common.layers import keras
from common.layers.keras1 import hard_sigmoid
from common.layers.tf1 import RMSprop
from reproductions.chaki2020 import model
from reproductions.chaki2020.train import BATCH
from tests import benchmarks

EPOCHS = 4  # in a row, so that starting `fit` weighs little, as in training


def plain_network(features: int, length: int, units: int) -> keras.Model:
    """LSTM_AT from Keras's own LSTM layer."""
    x = keras.Input((length, features))
    h = keras.layers.LSTM(units, recurrent_activation=hard_sigmoid, return_sequences=True)(x)
    return keras.Model(x, keras.layers.Dense(1)(model.Attention("strict")(h)))


def operations(features: int, length: int, units: int) -> int:
    """Additions and multiplications in an epoch's matrix products, a clip, of LSTM_AT.

    A product takes 2 for each weight and row, and as many for the gradient of each of its two factors; the features
    need no gradient. Sums with the attention's weights are products of that kind, too.
    """
    lstm = 4 * features * 4 * units + 6 * units * 4 * units
    attention = 6 * (2 * units * model.SCORE_UNITS + length * model.SCORE_UNITS + length * units)
    return length * (lstm + attention + 6 * 2 * units)


def losses(net: keras.Model, x, y) -> list[float]:
    """Of the batches of one epoch, each before its update."""
    batches = [slice(first, first + BATCH) for first in range(0, len(x), BATCH)]
    return [net.fit(x[at], y[at], batch_size=BATCH, verbose=0).history["loss"][0] for at in batches]


def product(rows, kernel):
    """A function that multiplies them and waits for the result."""
    rows, kernel = keras.ops.convert_to_tensor(rows), keras.ops.convert_to_tensor(kernel)
    return lambda: keras.ops.convert_to_numpy(keras.ops.matmul(rows, kernel))


def update(weights: list[np.ndarray]):
    """A function that lets RMSprop update variables of the shapes of some weights, compiled as in training."""
    variables, gradients = [[kind(w) for w in weights] for kind in (keras.Variable, keras.ops.convert_to_tensor)]
    optimizer = RMSprop()
    optimizer.build(variables)
    if keras.backend.backend() == "jax":
        import jax

        apply = jax.jit(optimizer.stateless_apply)
        state, values = [[v.value for v in some] for some in (optimizer.variables, variables)]
        return lambda: jax.block_until_ready(apply(state, gradients, values))
    import tensorflow

    apply = tensorflow.function(optimizer.apply, autograph=False)
    return lambda: apply(gradients)


def seconds_an_epoch(work) -> float:
    started = time.perf_counter()
    work(EPOCHS)
    return (time.perf_counter() - started) / EPOCHS


def main():
    parser = benchmarks.parser(__doc__)
    for name, default in (("clips", 30), ("pairs", 3), ("units", 400), ("features", 6373), ("steps", 61)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    if options.out:
        benchmarks.wait_until_idle()
    backend.start(0)
    rng, shape = np.random.default_rng(0), (options.features, options.steps)
    x = rng.standard_normal((options.clips, *shape[::-1])).astype("float32")
    y = rng.uniform(-1, 1, (options.clips, options.steps, 1)).astype("float32")
    plain = plain_network(*shape, options.units)
    attentive, other = (model.lstm(*shape, (options.units,), attention) for attention in ("strict", None))
    weights = attentive.get_weights()
    plain.set_weights(weights)
    for net in (plain, attentive, other):
        net.compile(RMSprop(), "mse")
    a, b = (np.array(losses(net, x, y)) for net in (plain, attentive))
    plain.compile(keras.optimizers.RMSprop(), "mse")

    batches, rows = -(-options.clips // BATCH), x[:BATCH].reshape(-1, options.features)

    def training(net):
        return lambda epochs: net.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0)

    def each_batch(once):
        return lambda epochs: [once() for _ in range(epochs * batches)]

    works = {
        "keras.layers.LSTM": training(plain), "ours": training(attentive), "without attention": training(other),
        "input's products": each_batch(product(rows, weights[0])), "updates": each_batch(update(weights)),
    }  # fmt: skip
    for work in works.values():
        work(1)  # compiles
    pairs = []
    for pair in range(options.pairs):
        order = list(works) if pair % 2 == 0 else list(works)[::-1]
        timed = {name: seconds_an_epoch(works[name]) for name in order}
        pairs.append([timed[name] for name in works])
        print(", ".join(f"{name} {timed[name]:.3f} s" for name in works), flush=True)
    slow, ours, bare, products, updates = np.array(pairs).T
    reached = options.clips * operations(*shape, options.units) / ours / 1e9
    ceiling = batches * 2 * rows.size * weights[0].shape[1] / products / 1e9
    print(f"{backend.name()} on {provenance.hardware()}; {options.clips} clips, {options.pairs} pairs; medians:")
    print(
        f"an epoch: keras.layers.LSTM {np.median(slow):.3f} s, ours {np.median(ours):.3f} s, "
        f"ratio {np.median(slow / ours):.2f}, from {min(slow / ours):.2f} to {max(slow / ours):.2f}"
    )
    print(f"attention: {100 * np.median((ours - bare) / ours):.1f} % of an epoch")
    print(
        f"products: {np.median(reached):.1f} GFLOP/s over the epoch, {np.median(ceiling):.1f} in one large product: "
        f"{100 * np.median(reached / ceiling):.0f} %"
    )
    print(f"RMSprop's update: {100 * np.median(updates / ours):.1f} % of an epoch")
    print(f"losses of the first {len(a)} batches differ by at most {np.max(np.abs(a - b) / a):.1e} of their value")
    if options.out:
        measured = benchmarks.measured
        found = {
            "an epoch, `keras.layers.LSTM` and Keras's RMSprop": measured("s", slow),
            "an epoch, this suite": measured("s", ours),
            "ratio": measured("", slow / ours),
            "attention's part of an epoch": measured("%", 100 * (ours - bare) / ours),
            "matrix products over the whole epoch": measured("GFLOP/s", reached),
            "one large float32 product": measured("GFLOP/s", ceiling),
            "the former, of the latter": measured("%", 100 * reached / ceiling),
            "RMSprop's update, of an epoch": measured("%", 100 * updates / ours),
        }
        title = f"LSTM_AT_{options.units}, {options.features:,} inputs, {options.steps} steps, {options.clips} clips"
        rows = {name: {"measured": values} for name, values in found.items()}
        benchmarks.record(options.out, "chaki2020_training", f"{title} in batches of {BATCH}, one core", rows)


if __name__ == "__main__":
    sys.exit(cli.run(main))
