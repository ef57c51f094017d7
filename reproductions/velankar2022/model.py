"""The two networks of sections III.C and III.D, with what Dwivedi's project, which they follow, adds to the text.

Keras 2.2.4: gates are hard sigmoids of slope .2, and a GRU has its reset gate before the product and one bias.
"""

import keras
from keras import layers

from common.layers import keras1, tf1

SHAPE = 640, 128  # frames and mel bands
L2, DROPOUT = 1e-3, 0.4


def crnn(outputs: int, *, relu_first=False) -> keras.Model:
    """x (batch, 640, 128) -> probabilities (batch, outputs): three convolutions over time, an LSTM, two dense layers.

    133,000 + 65 * outputs parameters: 133,195 with three. `relu_first`: ReLU before the batch normalisation, as the
    text has it; Dwivedi's code has it behind.
    """
    x = h = keras.Input(SHAPE)
    for _ in range(3):  # time: 640 -> 318 -> 157 -> 76
        h = layers.Conv1D(56, 5, kernel_regularizer=keras.regularizers.L2(L2))(h)
        steps = [layers.BatchNormalization(momentum=0.9), layers.ReLU()]
        for step in reversed(steps) if relu_first else steps:
            h = step(h)
        h = layers.Dropout(DROPOUT)(layers.MaxPooling1D(2)(h))
    h = layers.Dropout(DROPOUT)(tf1.LSTM(96)(h))  # (batch, 96)
    h = layers.Dense(64, kernel_regularizer=keras.regularizers.L2(L2))(h)  # linear in the code, not in the text
    h = layers.Dropout(DROPOUT)(h)
    return keras.Model(x, layers.Dense(outputs, "softmax")(h))


def parallel(outputs: int) -> keras.Model:
    """x (batch, 640, 128) -> probabilities (batch, outputs): convolutions and a bidirectional GRU in parallel.

    82,080 + 385 * outputs parameters: 83,235 with three.
    """
    x = keras.Input(SHAPE)
    image = h = layers.Reshape((*SHAPE, 1))(x)
    for filters, pool in ((16, 2), (32, 2), (64, 2), (64, 4), (64, 4)):  # each over three frames of a band
        h = layers.MaxPooling2D(pool)(layers.Conv2D(filters, (3, 1), activation="relu")(h))
    h = layers.Flatten()(h)  # 4 x 1 x 64
    small = layers.Reshape((160, 64))(layers.MaxPooling2D((4, 2))(image))  # (batch, 160, 64)
    gru = keras1.GRU(64, kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal")
    states = layers.Bidirectional(gru)(small)  # (batch, 128), the last of each direction
    return keras.Model(x, layers.Dense(outputs, "softmax")(layers.Concatenate()([h, states])))


NETWORKS = {  # with optimiser and batch, of Dwivedi's notebooks
    "crnn": (crnn, lambda: keras.optimizers.Adam(1e-3), 32),
    "parallel": (parallel, lambda: tf1.RMSprop(5e-4), 64),
}
