"""What the recurrent layers of `keras1` and `tf1` have in common: arguments, weights, activations, masks."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras1")
def hard_sigmoid(x):
    """Gates of Keras 1 and 2: 0.2 x + 0.5, cut off at 0 and 1 (Keras 3's function of this name has the slope 1/6).

    Parameters
    ----------
    x : tensor

    Returns
    -------
    tensor, in [0, 1]
    """
    return ops.clip(0.2 * x + 0.5, 0, 1)


GATES = {  # a gate, and its derivative from its value
    "sigmoid": (ops.sigmoid, lambda gate: gate * (1 - gate)),
    "hard_sigmoid": (hard_sigmoid, lambda gate: 0.2 * ops.sign(gate * (1 - gate))),  # 0 where the gate is cut off
}
ACTIVATIONS = {"tanh": (ops.tanh, lambda value: 1 - value * value), "linear": (lambda x: x, ops.ones_like)}


def transposed(matrix):
    """The last two axes exchanged.

    Parameters
    ----------
    matrix : tensor (..., n, m)

    Returns
    -------
    tensor (..., m, n)
    """
    return ops.swapaxes(matrix, -1, -2)


class Recurrent(keras.layers.Layer):
    """(batch, time, features) -> (batch, time, units), or the last output (batch, units) without `return_sequences`.

    The arguments are those of Keras's recurrent layers; left out are `use_bias`, constraints, `stateful`, masks of
    inputs and initial states. gates * (features units + units² + units) parameters.

    Parameters
    ----------
    units : number of outputs
    activation : "tanh" or "linear"
    recurrent_activation : "hard_sigmoid", with the slope .2, or "sigmoid"
    kernel_initializer, recurrent_initializer, bias_initializer : Keras's; a copy is made for each weight
    kernel_regularizer, recurrent_regularizer, bias_regularizer : Keras's
    dropout, recurrent_dropout : of the inputs and of the state; each gate has a mask of its own, the same at all times
        of a sequence
    seed : of the masks
    return_sequences, return_state, go_backwards : as in Keras; outputs stand in the order in which they are computed
    unroll : a graph without a loop, for steps so small that the loop is the cost; the number of steps must be known
    """

    GATE_NAMES: str
    stateful = False  # `keras.layers.Bidirectional` asks

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="hard_sigmoid",
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        unroll=False,
        **options,
    ):
        super().__init__(**options)
        if activation not in ACTIVATIONS or recurrent_activation not in GATES:
            known = f"activation: {', '.join(ACTIVATIONS)}; recurrent_activation: {', '.join(GATES)}"
            raise ValueError(f"activation={activation!r}, recurrent_activation={recurrent_activation!r}; {known}")
        self.units, self.activation, self.recurrent_activation = units, activation, recurrent_activation
        initializers = kernel_initializer, recurrent_initializer, bias_initializer
        self.kernel_initializer, self.recurrent_initializer, self.bias_initializer = (
            given if isinstance(given, str) else keras.initializers.get(given) for given in initializers
        )
        regularizers = kernel_regularizer, recurrent_regularizer, bias_regularizer
        self.kernel_regularizer, self.recurrent_regularizer, self.bias_regularizer = map(
            keras.regularizers.get, regularizers
        )
        self.dropout, self.recurrent_dropout, self.seed = dropout, recurrent_dropout, seed
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.unroll = go_backwards, unroll
        if dropout or recurrent_dropout:
            self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, shape):
        columns = len(self.GATE_NAMES) * self.units
        self.kernel = self._weight("kernel", (shape[-1], columns))
        self.recurrent_kernel = self._weight("recurrent_kernel", (self.units, columns))
        self.bias = self._weight("bias", (columns,))

    def _weight(self, name, shape):
        kind = name.removesuffix("_kernel")
        initializer = getattr(self, f"{kind}_initializer")
        initializer = keras.initializers.get(initializer) if isinstance(initializer, str) else initializer.clone()
        return self.add_weight(shape, initializer, name=name, regularizer=getattr(self, f"{kind}_regularizer"))

    def masks(self, rate: float, shape) -> object:
        """Dropout masks of a batch.

        Parameters
        ----------
        rate : float, in [0, 1)
        shape : tuple
            Of one gate's mask.

        Returns
        -------
        tensor (n_gates, *shape), 0 or 1 / (1 - rate); None without dropout
        """
        if not rate:
            return None
        return keras.random.dropout(ops.ones((len(self.GATE_NAMES), *shape)), rate, seed=self.seed_generator)

    def call(self, sequences, initial_state=None, training=False):
        if initial_state is not None:
            raise ValueError(f"{self.name}: {type(self).__name__} begins with a state of 0; initial_state is not known")
        x = ops.flip(sequences, 1) if self.go_backwards else sequences
        return self.returned(self.outputs(x, training))

    def outputs(self, x, training):
        """All outputs of a sequence, in its order.

        Parameters
        ----------
        x : tensor (batch, time, features)
        training : bool

        Returns
        -------
        tensor (batch, time, units)
        """
        raise NotImplementedError

    def returned(self, outputs):
        """What the layer returns of all outputs.

        Parameters
        ----------
        outputs : tensor (batch, time, units)

        Returns
        -------
        tensor (batch, time, units), or the last output (batch, units)
            With `return_state` also the last output.
        """
        last = outputs[:, -1]
        y = outputs if self.return_sequences else last
        return (y, last) if self.return_state else y

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        last = (sequences_shape[0], self.units)
        y = (*sequences_shape[:2], self.units) if self.return_sequences else last
        return (y, last) if self.return_state else y

    def get_config(self):
        plain = ("units", "activation", "recurrent_activation", "dropout", "recurrent_dropout", "seed",
                 "return_sequences", "return_state", "go_backwards", "unroll")  # fmt: skip
        config = super().get_config() | {name: getattr(self, name) for name in plain}
        for kind in ("kernel", "recurrent", "bias"):
            initializer, regularizer = (getattr(self, f"{kind}_{what}") for what in ("initializer", "regularizer"))
            config |= {
                f"{kind}_initializer": initializer
                if isinstance(initializer, str)
                else keras.initializers.serialize(initializer),
                f"{kind}_regularizer": keras.regularizers.serialize(regularizer),
            }
        return config
