"""The stacked CNN, FC and bidirectional GRU of section 2 (Figs 1 and 2), and the loss of section 3.3."""

import keras
import numpy as np
from keras import ops

from common.keras2017 import GRU, PerGate, hard_sigmoid, logistic

FILTERS, UNITS = 8, 8
L1, L2 = 0.1, 0.001  # ElasticNet on weights and activity of the CNN (3.5)
GATES = {"hard_sigmoid": hard_sigmoid, "logistic": logistic}


def crnn(features: int, length: int, *, branches=2, dropout=0.25, pieces=4, penalty="mean", bn_first=False,
         gates="hard_sigmoid", gru_dropout=None, reset_after=False) -> keras.Model:  # fmt: skip
    """x (batch, length, features) -> y (batch, length, 2), valence and arousal.

    35,176 parameters with 260 features, 10,088 with 64; with one branch for both (CRNN_NB) 17,712. Readings: `pieces`
    of the maxout; `penalty`, see `Convolution`; `bn_first`, batch normalisation before ReLU; `gates`, "hard_sigmoid" or
    "logistic"; `gru_dropout`, if another than the CNN's; `reset_after`, Keras 3's own GRU.
    """
    x = keras.Input((length, features))
    h = Convolution(penalty, bn_first, name="cnn")(x)  # (batch, time, 8 features)
    h = keras.layers.Dropout(dropout, name="dropout")(h)
    h = Dense(UNITS, branches, name="fc")(h)  # (branches, batch, time, 8)
    of_gru = dropout if gru_dropout is None else gru_dropout
    h = todays_gru(h, branches, of_gru) if reset_after else bidirectional_gru(h, branches, of_gru, gates)
    y = Maxout(2 // branches, pieces, branches, name="maxout")(h)  # (branches, batch, time, 2 / branches)
    return keras.Model(x, ops.concatenate([y[branch] for branch in range(branches)], axis=-1))


class Convolution(keras.layers.Layer):
    """(batch, time, features) -> (batch, time, features * 8): 3 x 3 filters, ReLU, batch normalisation, ElasticNet.

    The same as Keras's Conv2D and BatchNormalization over channels (epsilon 1e-3, momentum .99), 80 and 32
    parameters; the normalisation is written out over rows of features * 8, which is faster than over 8 channels.
    ElasticNet, L1 |.| + L2 (.)², of the weights is summed, as always; `penalty` says what becomes of the activity
    (after ReLU): "mean" over its elements; "batch", summed over all but the batch (tf.keras); "sum" (Keras 1);
    "weights", no activity; "off", neither.
    """

    def __init__(self, penalty: str, bn_first: bool, **options):
        super().__init__(**options)
        self.penalty, self.bn_first = penalty, bn_first

    def build(self, shape):
        regulariser = None if self.penalty == "off" else keras.regularizers.L1L2(L1, L2)
        self.kernel = self.add_weight((3, 3, 1, FILTERS), "glorot_uniform", regularizer=regulariser, name="kernel")
        self.bias = self.add_weight((FILTERS,), "zeros", name="bias")
        self.gamma = self.add_weight((FILTERS,), "ones", name="gamma")
        self.beta = self.add_weight((FILTERS,), "zeros", name="beta")
        self.mean = self.add_weight((FILTERS,), "zeros", name="moving_mean", trainable=False)
        self.variance = self.add_weight((FILTERS,), "ones", name="moving_variance", trainable=False)

    def call(self, x, training=False):
        maps = ops.conv(x[..., None], self.kernel, padding="same")
        rows = ops.reshape(maps, (-1, x.shape[-1] * FILTERS)) + ops.tile(self.bias, [x.shape[-1]])
        if not self.bn_first:
            rows = ops.relu(rows)
        mean, square = (self._over_rows(values) for values in (rows, rows * rows))
        if self.bn_first:
            rows = ops.relu(self._normalised(rows, mean, square, training))
            self._penalise(ops.mean(rows), ops.mean(rows * rows), x)
        else:
            self._penalise(ops.mean(mean), ops.mean(square), x)
            rows = self._normalised(rows, mean, square, training)
        return ops.reshape(rows, (-1, *x.shape[1:-1], x.shape[-1] * FILTERS))

    def _over_rows(self, rows):
        return ops.mean(ops.reshape(ops.mean(rows, axis=0), (-1, FILTERS)), axis=0)

    def _normalised(self, rows, mean, square, training):
        if training:
            variance = ops.maximum(square - mean * mean, 0)
            for moving, now in ((self.mean, mean), (self.variance, variance)):
                moving.assign(0.99 * moving + 0.01 * ops.stop_gradient(now))
        else:
            mean, variance = self.mean, self.variance
        scale = self.gamma * ops.rsqrt(variance + 1e-3)
        shift = self.beta - mean * scale
        times = rows.shape[-1] // FILTERS
        return rows * ops.tile(scale, [times]) + ops.tile(shift, [times])

    def _penalise(self, mean, square, x):
        """The activity is not negative, so that its mean is the mean of its size."""
        size = FILTERS * np.prod(x.shape[1:])
        times = {"mean": 1, "batch": size, "sum": size * ops.cast(ops.shape(x)[0], "float32")}.get(self.penalty)
        if times is not None:
            self.add_loss(times * (L1 * mean + L2 * square))

    def compute_output_shape(self, shape):
        return (*shape[:-1], shape[-1] * FILTERS)


class Dense(keras.layers.Layer):
    """(batch, time, features) -> (branches, batch, time, units): linear, shared by all times, one for each branch."""

    def __init__(self, units: int, branches: int, **options):
        super().__init__(**options)
        self.units, self.branches = units, branches

    def build(self, shape):
        matrix = PerGate("glorot_uniform", self.branches)
        self.kernel = self.add_weight((shape[-1], self.branches * self.units), matrix, name="kernel")
        self.bias = self.add_weight((self.branches * self.units,), "zeros", name="bias")

    def call(self, x):
        rows = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), self.kernel) + self.bias
        y = ops.reshape(rows, (-1, *x.shape[1:-1], self.branches * self.units))
        return ops.stack(ops.split(y, self.branches, axis=-1))


class Maxout(keras.layers.Layer):
    """(branches, batch, time, n) -> (branches, batch, time, units): the largest of `pieces` linear functions.

    As Keras 1's MaxoutDense, whose initial weights are uniform within sqrt(6 / (2 sqrt(pieces n units))).
    """

    def __init__(self, units: int, pieces: int, branches: int, **options):
        super().__init__(**options)
        self.units, self.pieces, self.branches = units, pieces, branches

    def build(self, shape):
        n = shape[-1]
        limit = (6 / (2 * (self.pieces * n * self.units) ** 0.5)) ** 0.5
        uniform = keras.initializers.RandomUniform(-limit, limit)
        self.kernel = self.add_weight((self.branches, 1, n, self.units * self.pieces), uniform, name="kernel")
        self.bias = self.add_weight((self.branches, 1, 1, self.units * self.pieces), "zeros", name="bias")

    def call(self, x):
        pieces = ops.stack([ops.matmul(x[b], self.kernel[b, 0]) for b in range(self.branches)]) + self.bias
        return ops.max(ops.reshape(pieces, (*ops.shape(pieces)[:-1], self.units, self.pieces)), axis=-1)


def bidirectional_gru(x, branches: int, dropout: float, gates: str):
    """Both directions of all branches in one recurrence: (branches, batch, time, 8) -> (branches, batch, time, 16)."""
    x = ops.transpose(x, (2, 0, 1, 3))  # (time, branches, batch, 8)
    x = ops.concatenate([x, ops.flip(x, 0)], axis=1)  # (time, 2 branches, batch, 8)
    layer = GRU(UNITS, PerGate("glorot_uniform", 3), PerGate("orthogonal", 3), groups=2 * branches, gate=GATES[gates],
                dropout=dropout, unroll=True, name="gru")  # fmt: skip
    forward, backward = ops.split(layer(x), 2, axis=1)
    return ops.transpose(ops.concatenate([forward, ops.flip(backward, 0)], axis=-1), (1, 2, 0, 3))


def todays_gru(x, branches: int, dropout: float):
    """Keras 3's own layer, reset gate after the product: (branches, batch, time, 8) -> (branches, batch, time, 16)."""
    layers = [keras.layers.GRU(UNITS, return_sequences=True, dropout=dropout, recurrent_dropout=dropout)
              for _ in range(branches)]  # fmt: skip
    return ops.stack([keras.layers.Bidirectional(layer)(x[branch]) for branch, layer in enumerate(layers)])


def rmse(y, predicted):
    """The mean over valence and arousal of the root of the mean squared error over all frames of a batch."""
    return ops.mean(ops.sqrt(ops.mean(ops.square(predicted - y), axis=(0, 1)) + 1e-12))
