"""The two networks of section IV (Fig. 1), the loss of eq. 13 and the optimiser of section V.B."""

import keras
from keras import layers, ops

from common.layers import keras1
from common.layers.support_vectors import SupportVectorRegression

VECTOR, UNITS = 160, (100, 50)


def gaussian():
    """Initial weights: N(0, 0.01), 0.01 the standard deviation (V.B.2)."""
    return keras.initializers.RandomNormal(stddev=0.01)


def semantic_embedding_gru() -> keras.Model:
    """x (batch, time, 160) -> f (batch, 50), the mean over time of the second GRU's output (eqs 7-11).

    100,950 parameters. Trained with `similarity_loss`.
    """
    x = h = keras.Input((None, VECTOR))
    for number, units in enumerate(UNITS, 1):
        h = keras1.GRU(
            units,
            recurrent_activation="sigmoid",
            kernel_initializer=gaussian(),
            recurrent_initializer=gaussian(),
            return_sequences=True,
            name=f"gru_{number}",
        )(h)
    f = layers.GlobalAveragePooling1D(name="f")(h)  # (batch, 50)
    return keras.Model(x, f, name="embedding")


def standard_gru(targets: int) -> keras.Model:
    """x (batch, time, 160) -> y (batch, targets), in (0, 1): the same with an output layer (eq. 14).

    100,950 + 51 * targets parameters. Trained with the mean squared error.

    Parameters
    ----------
    targets : int

    Returns
    -------
    keras.Model
    """
    embedding = semantic_embedding_gru()
    y = layers.Dense(targets, "sigmoid", kernel_initializer=gaussian(), name="y")(embedding.output)
    return keras.Model(embedding.input, y)


def similarity_loss(a, f):
    """||F'F'ᵀ - A'A'ᵀ|| (eq. 13), Frobenius, over a batch.

    Parameters
    ----------
    a : tensor, (batch, targets)
        Annotations.
    f : tensor, (batch, 50)
        Features.

    Returns
    -------
    tensor, ()
    """

    def cosines(rows):
        rows = rows / ops.sqrt(ops.sum(rows * rows, axis=1, keepdims=True) + 1e-12)
        return ops.matmul(rows, ops.transpose(rows))

    difference = cosines(f) - cosines(ops.cast(a, f.dtype))
    return ops.sqrt(ops.sum(difference * difference) + 1e-12)


def squared_errors(a, y):
    """The squared error of every song and emotion.

    Parameters
    ----------
    a, y : tensor, (batch, targets)
        Annotations and predictions.

    Returns
    -------
    tensor, (batch, targets)
    """
    return ops.square(y - ops.cast(a, y.dtype))


def summed_squared_error(a, y):
    """Summed over songs and emotions: 900 times the mean over a batch of 100 songs and nine emotions.

    The scale of a loss matters to Adadelta where its gradients are below sqrt(epsilon) = 0.001; there it is plain
    gradient descent. So they are under the mean.

    Parameters
    ----------
    a, y : tensor, (batch, targets)
        Annotations and predictions.

    Returns
    -------
    tensor, ()
    """
    return ops.sum(squared_errors(a, y))


def summed_over_songs(a, y):
    """The mean over emotions, summed over the songs of a batch.

    Parameters
    ----------
    a, y : tensor, (batch, targets)
        Annotations and predictions.

    Returns
    -------
    tensor, ()
    """
    return ops.sum(ops.mean(squared_errors(a, y), axis=-1))


def summed_over_emotions(a, y):
    """The sum over emotions, averaged over the songs of a batch.

    Parameters
    ----------
    a, y : tensor, (batch, targets)
        Annotations and predictions.

    Returns
    -------
    tensor, ()
    """
    return ops.mean(ops.sum(squared_errors(a, y), axis=-1))


LOSSES = {
    "semantic_embedding": similarity_loss, "mean_squared_error": "mean_squared_error",
    "summed_squared_error": summed_squared_error, "summed_over_songs": summed_over_songs,
    "summed_over_emotions": summed_over_emotions,
}  # fmt: skip


def adadelta(epsilon: float = 1e-6) -> keras.optimizers.Optimizer:
    """Zeiler's Adadelta: no learning rate (1.0), rho 0.9 (V.B.2).

    Parameters
    ----------
    epsilon : float
        1e-6 as in the paper's [29].

    Returns
    -------
    keras.optimizers.Optimizer
    """
    return keras.optimizers.Adadelta(learning_rate=1.0, rho=0.9, epsilon=epsilon)


def all_outputs(network: keras.Model) -> keras.Model:
    """The trained network up to the second GRU: x (batch, time, 160) -> h (batch, time, 50).

    Parameters
    ----------
    network : keras.Model
        Semantic embedding or Standard GRU.

    Returns
    -------
    keras.Model
    """
    return keras.Model(network.input, network.get_layer("gru_2").output)


def with_regression(embedding: keras.Model, features, dual, bias, gamma: float) -> keras.Model:
    """x (batch, time, 160) -> emotions (batch, 9): an RBF support vector regression behind an embedding.

    Parameters
    ----------
    embedding : keras.Model
        x (batch, time, 160) -> f (batch, 50).
    features : ndarray, (n_songs, 50)
        Of the songs to which the regressions were fitted.
    dual : ndarray, (n_songs, 9)
        Dual coefficients of the regressions, 0 for a song that is no support vector.
    bias : ndarray, (9,)
    gamma : float
        Of the kernel.

    Returns
    -------
    keras.Model
    """
    regression = SupportVectorRegression(*dual.shape, gamma, name="svr")
    network = keras.Model(embedding.input, regression(embedding.output), name="semantic_embedding_svr")
    regression.set_weights([features, dual, bias])
    return network


@keras.saving.register_keras_serializable("jakubik2017")
class Sparse(layers.Layer):
    """Passes codes in (0, 1) on, and adds to the loss how far they are, over a batch, from rarely being active.

    The Kullback-Leibler divergence from a rate of .05, summed over codes, times .1 (after Ng, "Sparse autoencoder",
    2011).
    """

    RATE, WEIGHT = 0.05, 0.1

    def call(self, code):
        mean = ops.clip(ops.mean(code, axis=0), 1e-6, 1 - 1e-6)
        divergence = self.RATE * ops.log(self.RATE / mean) + (1 - self.RATE) * ops.log((1 - self.RATE) / (1 - mean))
        self.add_loss(self.WEIGHT * ops.sum(divergence))
        return code


def sparse_autoencoder(units: int = 100) -> tuple[keras.Model, keras.Model]:
    """For [18]: x (batch, 160) -> x again, through a code in (0, 1) that is rarely active; and the coder.

    What is published of it is that it is sparse and that its input is a spectrogram; the rest is chosen here.

    Parameters
    ----------
    units : int
        Of the code.

    Returns
    -------
    network, coder : keras.Model
        The latter: x (batch, 160) -> code (batch, units).
    """
    x = keras.Input((VECTOR,))
    code = Sparse()(layers.Dense(units, "sigmoid")(x))
    return keras.Model(x, layers.Dense(VECTOR)(code)), keras.Model(x, code)
