"""The triplet network, from Keras's own layers."""

import keras
from keras import layers, ops

MARGIN = 5.0


def embedding(features: int, units: int = 260) -> keras.Model:
    """x (batch, songs, features) -> (batch, songs, units): one layer, the same for each song of a triplet."""
    x = keras.Input((None, features))
    return keras.Model(x, layers.Dense(units, activation="relu")(x), name="embedding")


def triplet_loss(_, embedded):
    """embedded (batch, 3, units), of anchor, positive and negative -> (batch,), at least 0."""
    anchor, positive, negative = (embedded[:, song] for song in range(3))
    near, far = (ops.sum(ops.square(anchor - other), axis=-1) for other in (positive, negative))
    return ops.maximum(near - far + MARGIN, 0.0)
