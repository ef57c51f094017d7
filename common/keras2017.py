"""What Keras 1, Theano and TensorFlow 1 meant, where Keras 3 means something else.

Written with `keras.ops` alone, so that the same code runs on the TensorFlow and the JAX backend. Importing this
module imports the backend.
"""

from functools import lru_cache

import numpy as np

from common import backend
from common.backend import start  # noqa: F401  every training starts with it
from common.files import muted_stderr

backend.prepare()
with muted_stderr():
    import keras
    from keras import ops


def logistic(x):
    """Gates as papers write them: 1 / (1 + exp(-x))."""
    return ops.sigmoid(x)


def hard_sigmoid(x):
    """Gates of Keras 1: 0.2 x + 0.5, cut off at 0 and 1 (Keras 3's function of this name has the slope 1/6)."""
    return ops.clip(0.2 * x + 0.5, 0, 1)


SLOPES = {  # the derivative of a gate, from its value
    logistic: lambda gate: gate * (1 - gate),
    hard_sigmoid: lambda gate: 0.2 * ops.sign(gate * (1 - gate)),  # 0 where the gate is cut off
}


def _transposed(matrix):
    return ops.swapaxes(matrix, -1, -2)


def _by_group(x):
    """(time, ..., batch, n) -> (..., time * batch, n)."""
    x = ops.moveaxis(x, 0, -3)
    return ops.reshape(x, (*x.shape[:-3], -1, x.shape[-1]))


def _product(x, matrix):
    """x (time, ..., batch, m) or (..., batch, m) times matrix (..., m, n). A broadcast product would be slow."""
    if x.ndim == matrix.ndim or matrix.ndim == 2:
        return ops.matmul(x, matrix)
    y = ops.matmul(_by_group(x), matrix)
    time, *groups, batch, _ = ops.shape(x)
    return ops.moveaxis(ops.reshape(y, (*groups, time, batch, matrix.shape[-1])), -3, 0)


def _scan(step, state, sequences, *, unroll, reverse=False):
    """All states of a recurrence. `unroll`: a graph without a loop, for steps so small that the loop is the cost."""
    if not unroll:
        return ops.scan(lambda before, at: (step(before, at),) * 2, state, sequences, reverse=reverse)[1]
    states = {}
    for t in sorted(range(sequences[0].shape[0]), reverse=reverse):
        states[t] = state = step(state, [sequence[t] for sequence in sequences])
    return ops.stack([states[t] for t in sorted(states)])


@lru_cache
def _recurrence(gate, unroll: bool, masked: bool):
    """The recurrence of a GRU with its gradient written out: a function of `projected`, `recurrent` and `masks`.

    projected (time, ..., batch, 3 units): W x + b, the gates in the order z, r, h; recurrent (..., units, 3 units): U;
    masks (3, ..., batch, units): what the state is multiplied by on its way into z, r and h. The dots stand for
    groups, recurrences beside each other. Returns all states, (time, ..., batch, units); before the first it is 0.

    Only what depends on the step before is inside a loop; gates, gradients of the gates and of U are products
    of all time steps at once. That is what makes it faster than automatic differentiation of the loop.
    """
    slope = SLOPES[gate]

    @ops.custom_gradient
    def recurrence(projected, recurrent, masks):
        u_z, u_r, u_h = ops.split(recurrent, 3, axis=-1)
        units = u_z.shape[-1]

        def parts(gates):
            return [gates[..., i * units : (i + 1) * units] for i in range(3)]

        inputs = parts(projected)

        def dropped(state, number):
            return state * masks[number] if masked else state

        def activations(before, p_z, p_r, p_h):
            z = gate(p_z + _product(dropped(before, 0), u_z))
            r = gate(p_r + _product(dropped(before, 1), u_r))
            return z, r, ops.tanh(p_h + _product(dropped(r * before, 2), u_h))

        def step(before, at):
            z, _, candidate = activations(before, *(at if unroll else parts(at)))
            return z * before + (1 - z) * candidate

        zero = ops.zeros_like(inputs[0][0])
        states = _scan(step, zero, inputs if unroll else projected, unroll=unroll)

        def gradient(*arguments, upstream=None):
            upstream = arguments[0] if upstream is None else upstream
            before = ops.concatenate([zero[None], states[:-1]], axis=0)
            z, r, candidate = activations(before, *inputs)
            to_z = (before - candidate) * slope(z)
            to_candidate = (1 - z) * (1 - candidate * candidate)
            to_r = before * slope(r)

            def step_back(d_state, at):
                d_before, z, r, to_z, to_candidate, to_r = at
                d_reset = dropped(_product(d_state * to_candidate, _transposed(u_h)), 2)
                through_z = dropped(_product(d_state * to_z, _transposed(u_z)), 0)
                through_r = dropped(_product(d_reset * to_r, _transposed(u_r)), 1)
                return d_before + d_state * z + d_reset * r + through_z + through_r

            at = [upstream[:-1], *(a[1:] for a in (z, r, to_z, to_candidate, to_r))]
            d_states = _scan(step_back, upstream[-1], at, unroll=unroll, reverse=True)
            d_states = ops.concatenate([d_states, upstream[-1:]], axis=0)
            d_z, d_h = d_states * to_z, d_states * to_candidate
            d_r = dropped(_product(d_h, _transposed(u_h)), 2) * to_r
            pairs = [(dropped(before, 0), d_z), (dropped(before, 1), d_r), (dropped(r * before, 2), d_h)]
            d_recurrent = [ops.matmul(_transposed(_by_group(a)), _by_group(b)) for a, b in pairs]
            return (
                ops.concatenate([d_z, d_r, d_h], axis=-1),
                ops.concatenate(d_recurrent, axis=-1),
                ops.zeros_like(masks),
            )

        return states, gradient

    return recurrence


class PerGate(keras.initializers.Initializer):
    """The gates' matrices drawn one by one, as separate weights of Keras 1 were, and put beside each other."""

    def __init__(self, initializer, gates: int):
        self.initializer, self.gates = keras.initializers.get(initializer), gates

    def __call__(self, shape, dtype=None):
        """shape (..., rows, gates * units): a matrix of its own for each leading index and gate."""
        *groups, rows, columns = shape
        matrices = [
            ops.concatenate(
                [self.initializer.clone()((rows, columns // self.gates), dtype) for _ in range(self.gates)], 1
            )
            for _ in range(int(np.prod(groups)))
        ]
        return ops.reshape(ops.stack(matrices), shape)

    def get_config(self):
        return {"initializer": self.initializer, "gates": self.gates}


class GRU(keras.layers.Layer):
    """Gated recurrent unit as of 2014 to 2018: reset gate before the product, one bias.

    (time, batch, features) -> (time, batch, units), all states; with `groups`, as many recurrences beside each other,
    (time, groups, batch, features) -> (time, groups, batch, units). Without dropout the same function as
    `keras.layers.GRU(reset_after=False, recurrent_activation="sigmoid", return_sequences=True)`, whose weights
    it has in the same order, but time-major and faster. groups * 3 (features units + units² + units) parameters.

    dropout: of the inputs and of the state, each gate with a mask of its own, the same at all times of a
    sequence, as `dropout_W` and `dropout_U` of Keras 1 did. `unroll`: see `_scan`; the number of steps must be known.
    """

    def __init__(self, units, initializer="glorot_uniform", recurrent_initializer=None, *, groups=None, gate=logistic,
                 dropout=0.0, unroll=False, **options):  # fmt: skip
        super().__init__(**options)
        self.units, self.groups, self.gate, self.dropout, self.unroll = units, groups, gate, dropout, unroll
        self.initializer = keras.initializers.get(initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer or initializer)
        self.seeds = keras.random.SeedGenerator()

    def build(self, shape):
        groups = () if self.groups is None else (self.groups,)

        def matrix(rows, initializer, name):
            return self.add_weight((*groups, rows, 3 * self.units), initializer.clone(), name=name)

        self.kernel = matrix(shape[-1], self.initializer, "kernel")
        self.recurrent = matrix(self.units, self.recurrent_initializer, "recurrent")
        bias = (3 * self.units,) if self.groups is None else (self.groups, 1, 3 * self.units)
        self.bias = self.add_weight(bias, "zeros", name="bias")

    def call(self, x, training=False):
        masked = bool(training and self.dropout)
        if masked:
            drawn = self._masks(ops.shape(x)[1:])
            parts = zip(ops.unstack(drawn, 3), ops.split(self.kernel, 3, axis=-1), strict=True)
            projected = ops.concatenate([_product(x * mask, kernel) for mask, kernel in parts], axis=-1)
        else:
            projected = _product(x, 1.0 * self.kernel)
        masks = self._masks((*ops.shape(x)[1:-1], self.units)) if masked else ops.zeros(())
        return _recurrence(self.gate, self.unroll, masked)(projected + self.bias, 1.0 * self.recurrent, masks)

    def _masks(self, shape):
        return keras.random.dropout(ops.ones((3, *shape)), self.dropout, seed=self.seeds)

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.units)
