"""Small networks and optimisers that exist in tf_keras and in this project, written once for both.

`old` and `new` of the project's own names are passed in, so that this file imports neither.
"""

import numpy as np

BATCH, TIME, FEATURES, UNITS = 4, 7, 5, 3
L1, L2 = 0.03, 0.07
# Gradients from far below to far above every epsilon.
GRADIENTS = np.outer([1, -0.5, 0.25, 3, -1], [1e-9, 1e-7, 1e-6, 1e-4, 1e-2, 1.0, 30.0]).astype("float32")
GATES = np.array([-4, -2.6, -2.5, -2.4, -1, -0.1, 0, 0.3, 1.7, 2.49, 2.51, 3, 9], "float32")


def networks(keras, gru, lstm, time_distributed, penalty) -> dict:
    """Networks (batch, time, features) -> outputs by name; `keras` is Keras 3 or tf_keras.

    gru, lstm: hard-sigmoid gates and activation tanh are their defaults, and both accept other ones; time_distributed:
    of a layer; penalty: a layer that adds L1 |h| + L2 h² to the loss, summed and divided by the number of samples.
    """
    layers, l2 = keras.layers, keras.regularizers.L2
    lists = {
        "gru": [gru(UNITS, return_sequences=True)],
        "gru, last output": [gru(UNITS)],
        "gru, logistic gates": [gru(UNITS, recurrent_activation="sigmoid", return_sequences=True)],
        "gru, linear": [gru(UNITS, activation="linear", return_sequences=True)],
        "gru, backwards": [gru(UNITS, go_backwards=True, return_sequences=True)],
        "gru, both directions": [layers.Bidirectional(gru(UNITS, return_sequences=True))],
        "gru, both directions, last output": [layers.Bidirectional(gru(UNITS))],
        "gru on gru": [gru(UNITS, return_sequences=True), gru(4, return_sequences=True)],
        "gru, regularised": [
            gru(UNITS, kernel_regularizer=l2(L2), recurrent_regularizer=l2(L1), bias_regularizer=l2(1.0))
        ],
        "lstm": [lstm(UNITS, return_sequences=True)],
        "lstm, last output": [lstm(UNITS)],
        "lstm, logistic gates": [lstm(UNITS, recurrent_activation="sigmoid", return_sequences=True)],
        "lstm, linear": [lstm(UNITS, activation="linear", return_sequences=True)],
        "lstm, both directions": [layers.Bidirectional(lstm(UNITS, return_sequences=True))],
        "lstm on lstm": [lstm(UNITS, return_sequences=True), lstm(4, return_sequences=True)],
        "dense at each time": [time_distributed(layers.Dense(UNITS, "tanh"))],
        "activity penalty": [layers.Dense(UNITS), penalty],
    }
    made = {}
    for name, stack in lists.items():
        x = h = keras.Input((TIME, FEATURES))
        for layer in stack:
            h = layer(h)
        made[name] = keras.Model(x, h)
    return made


def optimizers(keras_optimizers, rmsprop) -> dict:
    """Optimisers by name; `keras_optimizers` is a module, `rmsprop` a class."""
    return {
        "rmsprop": rmsprop(),
        "rmsprop of other settings": rmsprop(5e-4, rho=0.8, epsilon=1e-4),
        "adam": keras_optimizers.Adam(1e-3, epsilon=1e-8),
        "adadelta": keras_optimizers.Adadelta(learning_rate=1.0, rho=0.9, epsilon=1e-6),
    }


def product(target, output):
    """A loss whose gradient with respect to the outputs is `target`."""
    return target * output


def step(network, keras, x: np.ndarray, upstream: np.ndarray) -> dict[str, np.ndarray]:
    """Loss of a batch and gradient of each weight: the step of plain gradient descent with the rate 1.

    The loss is the mean of outputs times `upstream`, and what the layers add to it.
    """
    before = network.get_weights()
    network.compile(keras.optimizers.SGD(1.0), product)
    results = {"loss": np.float32(network.train_on_batch(x, upstream))}
    after = network.get_weights()
    return results | {f"gradient {i}": old - new for i, (old, new) in enumerate(zip(before, after, strict=True))}
