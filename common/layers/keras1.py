"""Layers of Keras 1 on Theano (2015 to 2017) that Keras 3 means otherwise or has no more."""

from functools import lru_cache

import keras
import numpy as np
from keras import ops

from common.layers.recurrent import ACTIVATIONS, GATES, Recurrent, hard_sigmoid, transposed

__all__ = ["GRU", "ActivityRegularization", "MaxoutDense", "PerGate", "TimeDistributed", "hard_sigmoid"]


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
    """All states of a recurrence."""
    if not unroll:
        return ops.scan(lambda before, at: (step(before, at),) * 2, state, sequences, reverse=reverse)[1]
    states = {}
    for t in sorted(range(sequences[0].shape[0]), reverse=reverse):
        states[t] = state = step(state, [sequence[t] for sequence in sequences])
    return ops.stack([states[t] for t in sorted(states)])


@lru_cache
def recurrence(activation: str, gates: str, unroll: bool, masked: bool):
    """The recurrence of a GRU with its gradient written out.

    Parameters
    ----------
    activation, gates : str
        Names of functions.
    unroll : bool
        Whether the steps are written out in the graph.
    masked : bool
        Whether `masks` is used.

    Returns
    -------
    callable of `projected`, `recurrent` and `masks` that returns all states, (time, ..., batch, units)
        projected (time, ..., batch, 3 units): W x + b, the gates in the order z, r, h; recurrent (..., units, 3 units):
        U; masks (3, ..., batch, units): by what the state is multiplied on its way into z, r and h. The dots stand for
        groups, several recurrences at once. The state before the first is 0.
    """

    @ops.custom_gradient
    def recurrence(projected, recurrent, masks):
        gru = _Evaluation(activation, gates, unroll, projected, recurrent, masks if masked else None)
        states = gru.states()

        def gradient(*arguments, upstream=None):
            d_projected, d_recurrent = gru.gradients(states, arguments[0] if upstream is None else upstream)
            return d_projected, d_recurrent, ops.zeros_like(masks)

        return states, gradient

    return recurrence


class _Evaluation:
    """One evaluation of a GRU: its states, and their gradients. The arguments are those of `recurrence`.

    Only what depends on the step before is inside a loop; gates, gradients of the gates and of U are products
    of all time steps at once. That is what makes it faster than automatic differentiation of the loop.
    """

    def __init__(self, activation, gates, unroll, projected, recurrent, masks):
        (self.gate, self.slope_of_gate), (self.activate, self.slope) = GATES[gates], ACTIVATIONS[activation]
        self.unroll, self.projected, self.masks = unroll, projected, masks
        self.u_z, self.u_r, self.u_h = ops.split(recurrent, 3, axis=-1)
        self.inputs = self._parts(projected)
        self.zero = ops.zeros_like(self.inputs[0][0])

    def _parts(self, gates):
        units = self.u_z.shape[-1]
        return [gates[..., i * units : (i + 1) * units] for i in range(3)]

    def _dropped(self, state, number):
        return state if self.masks is None else state * self.masks[number]

    def _activations(self, before, p_z, p_r, p_h):
        """Both gates and the candidate, from the state before and the projected inputs."""
        z = self.gate(p_z + _product(self._dropped(before, 0), self.u_z))
        r = self.gate(p_r + _product(self._dropped(before, 1), self.u_r))
        return z, r, self.activate(p_h + _product(self._dropped(r * before, 2), self.u_h))

    def states(self):
        """All states, (time, ..., batch, units)."""

        def step(before, at):
            z, _, candidate = self._activations(before, *(at if self.unroll else self._parts(at)))
            return z * before + (1 - z) * candidate

        return _scan(step, self.zero, self.inputs if self.unroll else self.projected, unroll=self.unroll)

    def gradients(self, states, upstream):
        """The gradients of `projected` and `recurrent`, given those of all states."""
        before = ops.concatenate([self.zero[None], states[:-1]], axis=0)
        z, r, candidate = self._activations(before, *self.inputs)
        to_z = (before - candidate) * self.slope_of_gate(z)
        to_candidate = (1 - z) * self.slope(candidate)
        to_r = before * self.slope_of_gate(r)
        d_states = self._d_states(upstream, z, r, to_z, to_candidate, to_r)
        d_z, d_h = d_states * to_z, d_states * to_candidate
        d_r = self._dropped(_product(d_h, transposed(self.u_h)), 2) * to_r
        pairs = [(self._dropped(before, 0), d_z), (self._dropped(before, 1), d_r), (self._dropped(r * before, 2), d_h)]
        d_recurrent = [ops.matmul(transposed(_by_group(a)), _by_group(b)) for a, b in pairs]
        return ops.concatenate([d_z, d_r, d_h], axis=-1), ops.concatenate(d_recurrent, axis=-1)

    def _d_states(self, upstream, *of_steps):
        """The gradients of all states: what comes from above and from the next step."""

        def step_back(d_state, at):
            d_before, z, r, to_z, to_candidate, to_r = at
            d_reset = self._dropped(_product(d_state * to_candidate, transposed(self.u_h)), 2)
            through_z = self._dropped(_product(d_state * to_z, transposed(self.u_z)), 0)
            through_r = self._dropped(_product(d_reset * to_r, transposed(self.u_r)), 1)
            return d_before + d_state * z + d_reset * r + through_z + through_r

        at = [upstream[:-1], *(of_step[1:] for of_step in of_steps)]
        d_states = _scan(step_back, upstream[-1], at, unroll=self.unroll, reverse=True)
        return ops.concatenate([d_states, upstream[-1:]], axis=0)


@keras.saving.register_keras_serializable("keras1")
class PerGate(keras.initializers.Initializer):
    """The gates' matrices drawn one by one, as separate weights of Keras 1 were, and joined: (rows, gates * units)."""

    def __init__(self, initializer, gates: int):
        self.initializer, self.gates = keras.initializers.get(initializer), gates

    def __call__(self, shape, dtype=None):
        rows, columns = shape
        drawn = [self.initializer.clone()((rows, columns // self.gates), dtype) for _ in range(self.gates)]
        return ops.concatenate(drawn, axis=1)

    def get_config(self):
        return {"initializer": keras.initializers.serialize(self.initializer), "gates": self.gates}


@keras.saving.register_keras_serializable("keras1")
class GRU(Recurrent):
    """Gated recurrent unit as of 2014 to 2018: reset gate before the product, one bias, hard-sigmoid gates.

    Without dropout the same function as `keras.layers.GRU(reset_after=False, recurrent_activation=hard_sigmoid)`,
    whose weights it has in the same order, and faster (`recurrence`). Dropout is that of `dropout_W` and `dropout_U`.
    Initial weights by default are Keras 1's: of each gate its own matrix. See `Recurrent` for the arguments.
    """

    GATE_NAMES = "zrh"

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="hard_sigmoid",
        kernel_initializer=None,
        recurrent_initializer=None,
        **options,
    ):
        kernel_initializer = kernel_initializer or PerGate("glorot_uniform", 3)
        recurrent_initializer = recurrent_initializer or PerGate("orthogonal", 3)
        super().__init__(units, activation, recurrent_activation, kernel_initializer, recurrent_initializer, **options)

    def outputs(self, x, training):
        function, arguments = self.recurrence(x, training)
        return ops.swapaxes(function(*arguments), 0, 1)

    def recurrence(self, x, training):
        """The recurrence of a batch.

        Parameters
        ----------
        x : tensor (batch, time, features)
        training : bool

        Returns
        -------
        function : as of `recurrence`
        arguments : its three, time first
        """
        x = ops.swapaxes(x, 0, 1)
        of_input = self.masks(self.dropout, ops.shape(x)[1:]) if training else None
        of_state = self.masks(self.recurrent_dropout, (ops.shape(x)[1], self.units)) if training else None
        if of_input is None:
            projected = ops.matmul(x, self.kernel)
        else:
            parts = zip(ops.unstack(of_input, 3), ops.split(self.kernel, 3, axis=-1), strict=True)
            projected = ops.concatenate([ops.matmul(x * mask, kernel) for mask, kernel in parts], axis=-1)
        function = recurrence(self.activation, self.recurrent_activation, self.unroll, of_state is not None)
        masks = ops.zeros(()) if of_state is None else of_state
        return function, (projected + self.bias, 1.0 * self.recurrent_kernel, masks)


@keras.saving.register_keras_serializable("keras1")
class MaxoutDense(keras.layers.Layer):
    """The largest of some linear functions: (..., n) -> (..., units), pieces * (n + 1) * units parameters.

    As Keras 1's MaxoutDense(output_dim, nb_feature), whose weights have the shapes (pieces, n, units) and
    (pieces, units), and initial weights that are uniform within sqrt(6 / (2 sqrt(pieces n units))). It acts on the last
    axis, as Dense does.
    """

    def __init__(self, units: int, pieces: int = 4, **options):
        super().__init__(**options)
        self.units, self.pieces = units, pieces

    def build(self, shape):
        limit = (6 / (2 * (self.pieces * shape[-1] * self.units) ** 0.5)) ** 0.5
        uniform = keras.initializers.RandomUniform(-limit, limit)
        self.kernel = self.add_weight((self.pieces, shape[-1], self.units), uniform, name="kernel")
        self.bias = self.add_weight((self.pieces, self.units), "zeros", name="bias")

    def call(self, x):
        kernel = ops.reshape(ops.swapaxes(self.kernel, 0, 1), (x.shape[-1], -1))  # (n, pieces * units)
        values = ops.reshape(ops.matmul(x, kernel), (-1, *x.shape[1:-1], self.pieces, self.units))
        return ops.max(values + self.bias, axis=-2)

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.units)

    def get_config(self):
        return super().get_config() | {"units": self.units, "pieces": self.pieces}


@keras.saving.register_keras_serializable("keras1")
class TimeDistributed(keras.layers.TimeDistributed):
    """A layer applied to all time steps at once, (batch, time, ...) -> (batch, time, ...), as Keras 1's on Theano.

    Keras 3's, which it is otherwise, takes one step after another.
    """

    def call(self, inputs, training=None):
        time = inputs.shape[1] or ops.shape(inputs)[1]
        keywords = {"training": training} if self.layer._call_has_training_arg else {}
        rows = self.layer(ops.reshape(inputs, (-1, *inputs.shape[2:])), **keywords)
        return ops.reshape(rows, (-1, time, *rows.shape[1:]))


@keras.saving.register_keras_serializable("keras1")
class ActivityRegularization(keras.layers.Layer):
    """Passes h (batch, ...) on, and adds l1 |h| + l2 h² to the loss.

    over: "sum" over all elements, as Keras 1; "batch", their sum divided by the number of samples, as tf.keras and
    Keras 3; "mean" of all elements.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, over: str = "sum", **options):
        super().__init__(**options)
        if over not in ("sum", "batch", "mean"):
            raise ValueError(f"over={over!r}: is not sum, batch or mean")
        self.l1, self.l2, self.over = l1, l2, over

    def call(self, h):
        self.penalise(ops.mean(ops.abs(h)), ops.mean(ops.square(h)), h)
        return h

    def penalise(self, mean_size, mean_square, h):
        """Add the loss, given means over all elements of h.

        Parameters
        ----------
        mean_size, mean_square : scalar tensor
            Of |h| and h².
        h : tensor (batch, ...)
        """
        size = int(np.prod(h.shape[1:]))
        times = {"sum": size * ops.cast(ops.shape(h)[0], h.dtype), "batch": size, "mean": 1}[self.over]
        self.add_loss(times * (self.l1 * mean_size + self.l2 * mean_square))

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return super().get_config() | {"l1": self.l1, "l2": self.l2, "over": self.over}
