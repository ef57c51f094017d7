"""Layers and optimisers of tf.keras in TensorFlow 1.14 that Keras 3 means otherwise: LSTM and RMSprop."""

from functools import cached_property, lru_cache, partial

import keras
import numpy as np
from keras import ops

from common.layers.recurrent import ACTIVATIONS, GATES, Recurrent

MANY_WEIGHTS = 2**22  # more than a cache holds


def _by_time(x):
    """(batch, time, n) as a sequence for `_over_time`."""
    return ops.swapaxes(x, 0, 1) if keras.backend.backend() == "jax" else ops.unstack(x, axis=1)


def _joined(sequence):
    """(batch, time, n) from a sequence."""
    return ops.swapaxes(sequence, 0, 1) if keras.backend.backend() == "jax" else ops.stack(sequence, axis=1)


def _over_time(step, state, *sequences, reverse=False):
    """The results of all steps, a tuple of sequences: step(state, one of each sequence) -> state, tuple of results.

    A loop that JAX compiles; for TensorFlow a graph without one, which is faster, because what a step leaves is in the
    processor's cache when the next one takes it.
    """
    if keras.backend.backend() == "jax":
        return ops.scan(lambda state, at: step(state, *at), state, sequences, reverse=reverse)[1]
    results = {}
    for t in sorted(range(len(sequences[0])), reverse=reverse):
        state, results[t] = step(state, *(sequence[t] for sequence in sequences))
    return tuple(zip(*(results[t] for t in sorted(results)), strict=True))


@lru_cache
def _recurrence(activation: str, gates: str):
    """The recurrence of an LSTM with its gradient written out: a function of `projected` and `recurrent`.

    projected (batch, time, 4 units): W x + b, the gates in the order i, f, c, o; recurrent (units, 4 units): U.
    Returns all outputs h, (batch, time, units); output and cell before the first step are 0.
    """

    @ops.custom_gradient
    def recurrence(projected, recurrent):
        lstm = _Evaluation(activation, gates, recurrent)
        zero = ops.zeros_like(projected[:, 0, : recurrent.shape[0]])
        h, steps = _over_time(lstm.step, (zero, zero), _by_time(projected))
        h = _joined(h)

        def gradient(*arguments, upstream=None):
            upstream = arguments[0] if upstream is None else upstream
            back = partial(lstm.step_back, ops.transpose(recurrent))
            (d_z,) = _over_time(back, (zero, zero), _by_time(upstream), steps, reverse=True)
            d_z = _joined(d_z)
            before = ops.pad(h[:, :-1], ((0, 0), (1, 0), (0, 0)))
            rows = [ops.reshape(a, (-1, a.shape[-1])) for a in (before, d_z)]
            return d_z, ops.matmul(ops.transpose(rows[0]), rows[1])

        return h, gradient

    return recurrence


class _Evaluation:
    """The steps of one evaluation of an LSTM; activation, gates and recurrent as in `_recurrence`."""

    def __init__(self, activation, gates, recurrent):
        (self.activate, self.slope), (self.gate, self.slope_of_gate) = ACTIVATIONS[activation], GATES[gates]
        self.recurrent = recurrent

    def step(self, state, z):
        """(h, c), z (batch, 4 units) -> (h, c), then h and what the step back needs."""
        h, c = state
        units = self.recurrent.shape[0]
        z = z + ops.matmul(h, self.recurrent)
        gates = self.gate(z)
        i, f, _, o = ops.split(gates, 4, axis=-1)
        candidate = self.activate(z[:, 2 * units : 3 * units])
        c_after = f * c + i * candidate
        output = self.activate(c_after)
        h = o * output
        return (h, c_after), (h, (c, gates, candidate, output))

    def step_back(self, transposed, state, d_output, kept):
        """Gradients of (h, c) behind the step, and of h from above -> of (h, c) before it, and of z.

        transposed: the recurrent matrix, (4 units, units).
        """
        (d_h, d_c), (c_before, gates, candidate, output) = state, kept
        i, f, _, o = ops.split(gates, 4, axis=-1)
        to_i, to_f, _, to_o = ops.split(self.slope_of_gate(gates), 4, axis=-1)
        d_h = d_h + d_output
        d_c = d_c + d_h * o * self.slope(output)
        parts = [d_c * candidate * to_i, d_c * c_before * to_f, d_c * i * self.slope(candidate), d_h * output * to_o]
        d_z = ops.concatenate(parts, axis=-1)
        return (ops.matmul(d_z, transposed), d_c * f), (d_z,)


@keras.saving.register_keras_serializable("tf1")
class OpenForgetGate(keras.initializers.Initializer):
    """The bias of an LSTM (4 units,): 1 for the forget gate, 0 for the others."""

    def __call__(self, shape, dtype=None):
        return ops.repeat(ops.convert_to_tensor([0.0, 1.0, 0.0, 0.0], dtype), shape[0] // 4)


@keras.saving.register_keras_serializable("tf1")
class LSTM(Recurrent):
    """Long short-term memory with hard-sigmoid gates.

    The same function as `keras.layers.LSTM(recurrent_activation=hard_sigmoid)` with the slope .2, whose weights it has
    in the same order, but faster: the input's product is taken out of the loop over time. The number of steps must be
    known; `activation` is that of candidate and output. See `Recurrent` for the arguments; dropout inside the layer,
    `return_state` and `unroll` are left out.
    Source: `tf.keras.layers.LSTM` of TensorFlow 1.14 (its version 1 class) and its initial weights.
    """

    GATE_NAMES = "ifco"

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="hard_sigmoid",
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        **options,
    ):
        bias_initializer = OpenForgetGate() if unit_forget_bias else bias_initializer
        super().__init__(
            units,
            activation,
            recurrent_activation,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            **options,
        )
        left_out = [name for name in ("dropout", "recurrent_dropout", "return_state", "unroll") if getattr(self, name)]
        if left_out:
            raise ValueError(f"{self.name}: LSTM has no {left_out[0]}")
        self.unit_forget_bias = unit_forget_bias

    def outputs(self, x, training):
        rows = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), self.kernel) + self.bias
        projected = ops.reshape(rows, (-1, x.shape[1], 4 * self.units))
        return _recurrence(self.activation, self.recurrent_activation)(projected, 1.0 * self.recurrent_kernel)

    def get_config(self):
        return super().get_config() | {"unit_forget_bias": self.unit_forget_bias}


def _in_one_pass(function):
    """One pass over memory in the place of one for each operation; JAX does so by itself."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    compiled = tf.function(function, jit_compile=True)
    return lambda *arguments: compiled(*map(tf.convert_to_tensor, arguments))


@keras.saving.register_keras_serializable("tf1")
class RMSprop(keras.optimizers.RMSprop):
    """RMSprop that adds epsilon behind the root, w -= rate g / (sqrt(mean g²) + epsilon); Keras 3 adds it under it.

    So an epsilon of 1e-7 matters for gradients of 1e-7, not of 3e-4. Defaults: rate .001, rho .9, epsilon 1e-7.
    Source: tensorflow/python/keras/optimizer_v2/rmsprop.py of TensorFlow 1.14, without momentum.
    """

    def update_step(self, gradient, variable, learning_rate):
        velocity = self._velocities[self._get_variable_index(variable)]
        step = self._step_of_many if np.prod(variable.shape) > MANY_WEIGHTS else self._step
        for of, value in zip((variable, velocity), step(variable, velocity, gradient, learning_rate), strict=True):
            self.assign(of, value)

    def _step(self, weights, velocity, gradient, rate):
        velocity = self.rho * velocity + (1 - self.rho) * gradient * gradient
        return weights - rate * gradient / (ops.sqrt(velocity) + self.epsilon), velocity

    @cached_property
    def _step_of_many(self):
        return _in_one_pass(self._step)
