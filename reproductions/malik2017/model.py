"""The stacked CNN, FC and bidirectional GRU of section 2 (Figs 1 and 2), and the loss of section 3.3."""

import keras
from keras import layers, ops

from common.layers import keras1

FILTERS, UNITS = 8, 8
L1, L2 = 0.1, 0.001  # ElasticNet on weights and activity of the CNN (3.5)
GATES = {"hard_sigmoid": "hard_sigmoid", "logistic": "sigmoid"}  # in Keras's words


def crnn(
    features: int,
    length: int,
    *,
    branches=2,
    dropout=0.25,
    pieces=4,
    penalty="mean",
    bn_first=False,
    gates="hard_sigmoid",
    gru_dropout=None,
    reset_after=False,
) -> keras.Model:
    """x (batch, length, features) -> y (batch, length, 2), valence and arousal.

    35,176 parameters with 260 features, 10,088 with 64; with one branch for both (CRNN_NB) 17,712. Trained as
    `common.layers.fused.fuse` makes it. From `pieces` on, arguments are interpretations of what the paper leaves open.

    Parameters
    ----------
    features, length : int
    branches : int
        2, one a target, or 1.
    dropout : float
        Rate behind the CNN.
    pieces : int
        Of the maxout.
    penalty : str
        Of weights and activity, the latter as `keras1.ActivityRegularization` names it: "mean", "batch" or "sum". Or of
        the "weights" alone, or "off".
    bn_first : bool
        Batch normalisation before ReLU.
    gates : str
        "hard_sigmoid" or "logistic".
    gru_dropout : float, optional
        Rate in the GRU, of input and state; by default that of the CNN.
    reset_after : bool
        Keras 3's GRU, whose gates are logistic.

    Returns
    -------
    keras.Model
    """
    weights = None if penalty == "off" else keras.regularizers.L1L2(L1, L2)
    x = keras.Input((length, features))
    h = layers.Reshape((length, features, 1), name="image")(x)
    h = layers.Conv2D(FILTERS, 3, padding="same", kernel_regularizer=weights, name="conv")(h)  # (..., features, 8)
    relu, norm = [layers.ReLU(name="relu")], [layers.BatchNormalization(name="norm")]
    if penalty in ("mean", "batch", "sum"):
        relu.append(keras1.ActivityRegularization(L1, L2, penalty, name="penalty"))
    for layer in norm + relu if bn_first else relu + norm:
        h = layer(h)
    h = layers.Dropout(dropout, name="dropout")(h)
    h = layers.Reshape((length, FILTERS * features), name="rows")(h)  # (batch, length, 8 features)
    rate = dropout if gru_dropout is None else gru_dropout
    recurrent = {"dropout": rate, "recurrent_dropout": rate, "return_sequences": True}
    y = []
    for branch in range(branches):  # Fig. 2: valence, arousal
        b = keras1.TimeDistributed(layers.Dense(UNITS), name=f"fc_{branch}")(h)  # (batch, length, 8)
        if reset_after:
            gru = layers.GRU(UNITS, **recurrent)
        else:
            gru = keras1.GRU(UNITS, recurrent_activation=GATES[gates], unroll=True, **recurrent)
        b = layers.Bidirectional(gru, name=f"gru_{branch}")(b)  # (batch, length, 16)
        y.append(keras1.MaxoutDense(2 // branches, pieces, name=f"maxout_{branch}")(b))  # (batch, length, 2 / branches)
    return keras.Model(x, layers.Concatenate(name="y")(y) if branches > 1 else y[0], name="CRNN")


def rmse(y, predicted):
    """The mean over valence and arousal of the root of the mean squared error over all frames of a batch.

    Parameters
    ----------
    y, predicted : tensor, (batch, length, 2)

    Returns
    -------
    tensor, ()
    """
    return ops.mean(ops.sqrt(ops.mean(ops.square(predicted - y), axis=(0, 1)) + 1e-12))


def rmse_of_sequences(y, predicted):
    """The mean over targets and sequences of the root of the mean squared error within each sequence.

    Parameters
    ----------
    y, predicted : tensor, (batch, length, 2)

    Returns
    -------
    tensor, ()
    """
    return ops.mean(ops.sqrt(ops.mean(ops.square(predicted - y), axis=1) + 1e-12))


def rmse_of_frames(y, predicted):
    """The mean absolute error per frame: the root over the last axis of an output with one target.

    Parameters
    ----------
    y, predicted : tensor, (batch, length, 2)

    Returns
    -------
    tensor, ()
    """
    return ops.mean(ops.abs(predicted - y))


LOSSES = {"batch": rmse, "sequence": rmse_of_sequences, "frame": rmse_of_frames}  # over what the root is taken
