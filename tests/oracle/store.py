"""Store what Keras 2 computes: outputs, gradients and steps of optimisers, by tf_keras, which is Keras 2 maintained.

    python -m venv oracle && oracle/bin/pip install "tf_keras==2.21.*"
    oracle/bin/python -m tests.oracle.store        writes tests/oracle/oracle.npz, and in it the versions

In an environment of its own: tf_keras installs the package tensorflow, which would overwrite tensorflow-cpu. Keras 2
has the hard sigmoid of Keras 1 (slope .2), its GRU with `reset_after=False`, and the RMSprop of TensorFlow 1.
"""

from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tests.oracle.cases import BATCH, FEATURES, GATES, GRADIENTS, L1, L2, TIME, UNITS, networks, optimizers, step

STORED = Path(__file__).with_name("oracle.npz")


def main():
    import tensorflow as tf
    import tf_keras

    layers, rng = tf_keras.layers, np.random.default_rng(0)
    results = {"versions": np.array([f"{name} {version(name)}" for name in ("tf_keras", "tensorflow", "numpy")])}
    gru = partial(layers.GRU, recurrent_activation="hard_sigmoid", reset_after=False)
    lstm = partial(layers.LSTM, recurrent_activation="hard_sigmoid")
    penalty = layers.ActivityRegularization(L1, L2)
    for name, network in networks(tf_keras, gru, lstm, layers.TimeDistributed, penalty).items():
        weights = [rng.uniform(-1, 1, w.shape).astype("float32") for w in network.get_weights()]
        network.set_weights(weights)
        x = rng.standard_normal((BATCH, TIME, FEATURES)).astype("float32")
        output = network(x).numpy()
        upstream = rng.standard_normal(output.shape).astype("float32")
        values = {"x": x, "output": output, "upstream": upstream, **step(network, tf_keras, x, upstream)}
        values |= {f"weight {i}": weight for i, weight in enumerate(weights)}
        results |= {f"{name}|{key}": value for key, value in values.items()}
    for name, optimizer in optimizers(tf_keras.optimizers.legacy, tf_keras.optimizers.legacy.RMSprop).items():
        variable, steps = tf.Variable(np.zeros(GRADIENTS.shape[1], "float32")), []
        for gradient in GRADIENTS:
            optimizer.apply_gradients([(tf.constant(gradient), variable)])
            steps.append(variable.numpy())
        results[f"{name}|steps"] = np.array(steps)
    results["hard_sigmoid"] = tf_keras.activations.hard_sigmoid(tf.constant(GATES)).numpy()
    lstm = layers.LSTM(UNITS)
    lstm.build((None, TIME, FEATURES))
    results["lstm, initial bias"] = lstm.get_weights()[2]
    np.savez_compressed(STORED, **results)


if __name__ == "__main__":
    main()
