"""What tf.keras of TensorFlow 1.14 meant, where Keras 3 means something else: LSTM and RMSprop.

Written with `keras.ops` alone, as `common.keras2017`; importing this module imports the backend.
"""

from functools import lru_cache

from common.keras2017 import SLOPES, by_step, hard_sigmoid, keras, ops


def _tanh(x):
    return ops.tanh(x), lambda value: 1 - value * value


def _linear(x):
    return x, lambda _: 1.0


ACTIVATIONS = {"tanh": _tanh, "linear": _linear}  # x -> the value, and the derivative as a function of the value


@lru_cache
def _recurrence(activation: str):
    """The recurrence of an LSTM with its gradient written out: a function of `projected` and `recurrent`.

    projected (time, batch, 4 units): W x + b, the gates in the order i, f, c, o; recurrent (units, 4 units): U.
    Returns all outputs h, (time, batch, units); output and cell before the first step are 0. As in
    `common.keras2017`, only what depends on the step before is inside the loop.
    """
    activate, slope_of_gate = ACTIVATIONS[activation], SLOPES[hard_sigmoid]

    @ops.custom_gradient
    def recurrence(projected, recurrent):
        units = recurrent.shape[0]
        zero = ops.zeros_like(projected[0, :, :units])

        def step(before, at):
            h, c, _ = before
            z = at[0] + ops.matmul(h, recurrent)
            gates = hard_sigmoid(z)
            i, f, o = gates[:, :units], gates[:, units : 2 * units], gates[:, 3 * units :]
            c = f * c + i * activate(z[:, 2 * units : 3 * units])[0]
            return o * activate(c)[0], c, z

        h, c, z = by_step(step, (zero, zero, None), [projected])

        def gradient(*arguments, upstream=None):
            upstream = arguments[0] if upstream is None else upstream
            gates = hard_sigmoid(z)
            (i, f, _, o), (to_i, to_f, _, to_o) = (ops.split(a, 4, axis=-1) for a in (gates, slope_of_gate(gates)))
            candidate, slope = activate(z[..., 2 * units : 3 * units])
            to_candidate = i * slope(candidate)
            output, slope = activate(c)
            to_c = o * slope(output)
            c_before, h_before = (ops.concatenate([zero[None], a[:-1]], axis=0) for a in (c, h))
            from_c = ops.concatenate([candidate * to_i, c_before * to_f, to_candidate], axis=-1)
            back = ops.transpose(recurrent)

            def step_back(after, at):
                d_z, d_c, f_after = after
                d_h, to_c, from_c, from_h, f = at
                d_h = d_h if d_z is None else d_h + ops.matmul(d_z, back)
                d_c = d_h * to_c if d_c is None else d_h * to_c + d_c * f_after
                d_z = ops.concatenate([ops.tile(d_c, [1, 3]) * from_c, d_h * from_h], axis=-1)
                return d_z, d_c, f

            at = [upstream, to_c, from_c, output * to_o, f]
            d_z = by_step(step_back, (None, None, None), at, reverse=True)[0]
            rows = [ops.reshape(a, (-1, a.shape[-1])) for a in (h_before, d_z)]
            return d_z, ops.matmul(ops.transpose(rows[0]), rows[1])

        return h, gradient

    return recurrence


class LSTM(keras.layers.Layer):
    """Long short-term memory with hard-sigmoid gates: (batch, time, features) -> (batch, time, units), all outputs.

    The same function as `keras.layers.LSTM(recurrent_activation=hard_sigmoid, return_sequences=True)` with Keras 2's
    hard sigmoid (slope .2), whose weights it has in the same order, but faster: the input's product is taken out of
    the loop over time. `activation`, "tanh" or "linear", is that of candidate and output. The number of steps must be
    known. 4 (features units + units² + units) parameters.
    Source: `tf.keras.layers.LSTM` of TensorFlow 1.14 (its version 1 class) and its initial weights.
    """

    def __init__(self, units: int, activation="tanh", **options):
        super().__init__(**options)
        self.units, self.activation = units, activation

    def build(self, shape):
        self.kernel = self.add_weight((shape[-1], 4 * self.units), "glorot_uniform", name="kernel")
        self.recurrent = self.add_weight((self.units, 4 * self.units), "orthogonal", name="recurrent")
        self.bias = self.add_weight((4 * self.units,), self._bias, name="bias")

    def _bias(self, shape, dtype=None):
        """The forget gate begins open."""
        return ops.repeat(ops.convert_to_tensor([0.0, 1.0, 0.0, 0.0], dtype), self.units)

    def call(self, x):
        rows = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), self.kernel) + self.bias
        projected = ops.transpose(ops.reshape(rows, (-1, x.shape[1], 4 * self.units)), (1, 0, 2))
        return ops.transpose(_recurrence(self.activation)(projected, 1.0 * self.recurrent), (1, 0, 2))

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.units)


class RMSprop(keras.optimizers.RMSprop):
    """RMSprop that adds epsilon behind the root, w -= rate g / (sqrt(mean g²) + epsilon); Keras 3 adds it under it.

    So an epsilon of 1e-7 matters for gradients of 1e-7, not of 3e-4. Defaults: rate .001, rho .9, epsilon 1e-7.
    Source: tensorflow/python/keras/optimizer_v2/rmsprop.py of TensorFlow 1.14, without momentum.
    """

    def update_step(self, gradient, variable, learning_rate):
        velocity = self._velocities[self._get_variable_index(variable)]
        self.assign(velocity, self.rho * velocity + (1 - self.rho) * ops.square(gradient))
        self.assign_sub(variable, learning_rate * gradient / (ops.sqrt(velocity) + self.epsilon))
