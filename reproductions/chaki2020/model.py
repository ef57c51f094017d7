"""LSTM_NAT and LSTM_AT of section 3: one or two LSTM layers, attention behind them, one linear output."""

import keras
import numpy as np
from keras import ops

from common.layers import tf1

SCORE_UNITS = 32  # of the alignment model; the paper has no number, the package that its words point to has 32


def lstm(
    features: int,
    length: int,
    units: tuple[int, ...],
    attention: str | None = None,
    activation="tanh",
    previous: str | None = None,
):
    """x (batch, length, features) -> y (batch, length, 1), valence or arousal.

    With 260 features, LSTM_NAT_400 has 1,058,001 parameters and LSTM_AT_400 1,084,066.

    Parameters
    ----------
    features, length : int
    units : tuple of int
        Of each LSTM layer.
    attention : str, optional
        "strict", "history" or "global" for LSTM_AT (`Attention`); None for LSTM_NAT.
    activation : str
        Of the LSTM layers, "tanh" (eqs 3 and 6) or "linear".
    previous : str, optional
        What the output also depends on (3.3 and eq. 14, y_(t-1)): "own", the network's output of the step before, or
        "label", the label of the step before, for training: a second input, (batch, length, 1).

    Returns
    -------
    keras.Model
    """
    x = h = keras.Input((length, features))
    for size in units:
        h = tf1.LSTM(size, activation, return_sequences=True)(h)  # (batch, length, size)
    if attention:
        h = Attention(attention, name="attention")(h)  # (batch, length, 2 size), or size
    y = keras.layers.Dense(1, name="output")(h)  # (batch, length, 1)
    if previous == "label":
        labels = keras.Input((length, 1))
        return keras.Model([x, labels], PreviousOutput(name="previous")([y, labels]))
    return keras.Model(x, PreviousOutput(name="previous")(y) if previous else y)


@keras.saving.register_keras_serializable("chaki2020")
class Attention(keras.layers.Layer):
    """Additive attention with sigmoid scores over an LSTM's outputs h: (batch, time, f) -> (batch, time, 2 f or f).

    e_tj = sigmoid(w · tanh(A q_t + B h_j + b) + b'), alpha_tj = exp(e_tj) / sum of exp(e_tk), c_t = sum of alpha_tj h_j
    "strict", eqs 14 to 17: the query q_t is h_(t-1), j < t, c_1 = 0; the output is [h_t, c_t].
    "history" and "global", the package keras-self-attention: q_t is h_t, j <= t or all j; the output is c_t.
    2 f 32 + 32 + 32 + 1 parameters.
    """

    def __init__(self, mode: str, **options):
        super().__init__(**options)
        self.mode = mode

    def build(self, shape):
        length, f = shape[1:]
        matrix = keras.initializers.GlorotNormal
        self.of_query = self.add_weight((f, SCORE_UNITS), matrix(), name="of_query")
        self.of_key = self.add_weight((f, SCORE_UNITS), matrix(), name="of_key")
        self.bias = self.add_weight((SCORE_UNITS,), "zeros", name="bias")
        self.score = self.add_weight((SCORE_UNITS, 1), matrix(), name="score")
        self.score_bias = self.add_weight((1,), "zeros", name="score_bias")
        last = {"strict": -1, "history": 0, "global": length}[self.mode]
        self.allowed = np.tril(np.ones((length, length), "float32"), last)

    def call(self, h):
        query = ops.pad(h[:, :-1], ((0, 0), (1, 0), (0, 0))) if self.mode == "strict" else h
        query = ops.matmul(query, self.of_query) + self.bias
        key = ops.matmul(h, self.of_key)
        hidden = ops.tanh(query[:, :, None] + key[:, None])  # (batch, t, j, 32)
        e = ops.sigmoid(ops.matmul(hidden, self.score)[..., 0] + self.score_bias)
        weight = ops.exp(e) * self.allowed
        alpha = weight / (ops.sum(weight, axis=-1, keepdims=True) + 1e-7)  # the first step has nothing to attend to
        c = ops.matmul(alpha, h)
        return ops.concatenate([h, c], axis=-1) if self.mode == "strict" else c

    def get_config(self):
        return super().get_config() | {"mode": self.mode}


@keras.saving.register_keras_serializable("chaki2020")
class PreviousOutput(keras.layers.Layer):
    """The part of y_(t-1) in a linear output: y_t = z_t + a y_(t-1), y_0 = 0; (batch, time, 1) -> (batch, time, 1).

    Called with [z, labels], y_(t-1) is the label of step t - 1 (teacher forcing). One parameter, a, at first 0.
    """

    def build(self, shape):
        self.weight = self.add_weight((), "zeros", name="weight")

    def call(self, inputs):
        if isinstance(inputs, (list, tuple)):
            z, labels = inputs
            return z + self.weight * ops.pad(labels[:, :-1], ((0, 0), (1, 0), (0, 0)))
        steps = np.arange(inputs.shape[1], dtype="float32")
        ago = steps[:, None] - steps  # y_t is the sum of a^(t - j) z_j, j <= t
        earlier = ops.where(ago > 0, ops.power(self.weight, np.maximum(ago, 1)), 0.0)
        return ops.matmul(earlier + np.eye(len(steps), dtype="float32"), inputs)

    def compute_output_shape(self, shape):
        return shape[0] if isinstance(shape[0], (list, tuple)) else shape
