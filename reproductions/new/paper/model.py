"""The network of the paper, section by section, from Keras's own layers."""

import keras
from keras import layers


def gru(features: int, units: int = 16) -> keras.Model:
    """x (batch, time, features) -> y (batch, time, 2), valence and arousal.

    Parameters
    ----------
    features, units : int
    """
    x = keras.Input((None, features))
    h = layers.GRU(units, return_sequences=True)(x)  # (batch, time, units)
    return keras.Model(x, layers.Dense(2)(h), name="GRU")
