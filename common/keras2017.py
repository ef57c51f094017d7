"""What Keras 1, Theano and TensorFlow 1 meant, where Keras 3 means something else; and how a worker is set up.

Written with `keras.ops` alone, so that the same code runs on the TensorFlow and the JAX backend. Importing this
module imports the backend.
"""

import os

from common.files import muted_stderr

for _variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(_variable, "1")  # two workers of one thread are faster than one worker of two
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


with muted_stderr():
    import keras
    from keras import ops


def start(seed: int) -> None:
    """Seed everything and ask for deterministic operations: the same seed gives the same bits, on a CPU."""
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


@ops.custom_gradient
def _gru(projected, recurrent):
    """The recurrence of a GRU, with its gradient written out.

    projected (time, batch, 3 units): W x + b, the gates in the order z, r, h; recurrent (units, 3 units): U.
    Returns all states, (time, batch, units); the state before the first is 0.

    Only what depends on the step before is inside a loop; gates, gradients of the gates and of U are products
    of all time steps at once. That is what makes it faster than automatic differentiation of the loop.
    """
    units = recurrent.shape[0]
    gates_u, candidate_u = recurrent[:, : 2 * units], recurrent[:, 2 * units :]
    zero = ops.zeros_like(projected[0, :, :units])

    def activations(projected, before):
        gates = ops.sigmoid(projected[..., : 2 * units] + ops.matmul(before, gates_u))
        z, r = gates[..., :units], gates[..., units:]
        return z, r, ops.tanh(projected[..., 2 * units :] + ops.matmul(r * before, candidate_u))

    def step(before, projected):
        z, _, candidate = activations(projected, before)
        state = z * before + (1 - z) * candidate
        return state, state

    _, states = ops.scan(step, zero, projected)

    def gradient(*arguments, upstream=None):
        upstream = arguments[0] if upstream is None else upstream
        before = ops.concatenate([zero[None], states[:-1]], axis=0)
        z, r, candidate = activations(projected, before)
        to_z = (before - candidate) * z * (1 - z)
        to_candidate = (1 - z) * (1 - candidate * candidate)
        to_r = before * r * (1 - r)

        def step_back(d_state, at):
            above, z, r, to_z, to_candidate, to_r = at
            d_reset = ops.matmul(d_state * to_candidate, ops.transpose(candidate_u))
            d_gates = ops.concatenate([d_state * to_z, d_reset * to_r], axis=-1)
            d_before = above + d_state * z + d_reset * r + ops.matmul(d_gates, ops.transpose(gates_u))
            return d_before, d_state

        above = ops.concatenate([zero[None], upstream[:-1]], axis=0)
        sequences = (above, z, r, to_z, to_candidate, to_r)
        _, d_states = ops.scan(step_back, upstream[-1], sequences, reverse=True)
        d_candidate = d_states * to_candidate
        d_r = ops.matmul(d_candidate, ops.transpose(candidate_u)) * to_r
        d_gates = ops.concatenate([d_states * to_z, d_r], axis=-1)

        def outer(a, b):
            return ops.matmul(ops.transpose(ops.reshape(a, (-1, units))), ops.reshape(b, (-1, b.shape[-1])))

        d_recurrent = ops.concatenate([outer(before, d_gates), outer(r * before, d_candidate)], axis=-1)
        return ops.concatenate([d_gates, d_candidate], axis=-1), d_recurrent

    return states, gradient


class GRU(keras.layers.Layer):
    """Gated recurrent unit as of 2014 to 2018: reset gate before the product, one bias, logistic gates.

    (time, batch, features) -> (time, batch, units), all states. The same function as
    `keras.layers.GRU(reset_after=False, recurrent_activation="sigmoid", return_sequences=True)`, whose weights
    it has in the same order, but time-major and faster. 3 (features units + units² + units) parameters.
    """

    def __init__(self, units: int, initializer="glorot_uniform", **options):
        super().__init__(**options)
        self.units, self.initializer = units, keras.initializers.get(initializer)

    def build(self, shape):
        def matrix(rows, name):
            return self.add_weight((rows, 3 * self.units), self.initializer.clone(), name=name)

        self.kernel, self.recurrent = matrix(shape[-1], "kernel"), matrix(self.units, "recurrent")
        self.bias = self.add_weight((3 * self.units,), "zeros", name="bias")

    def call(self, x):
        return _gru(ops.matmul(x, self.kernel) + self.bias, 1.0 * self.recurrent)

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.units)
