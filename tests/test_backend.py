"""How the backend is set up."""

import inspect

import numpy as np

from common import backend


def test_batches_are_read_without_autotuning():
    """Applied twice it is there once; and an epoch still has every sample."""
    backend.fast_fit()
    backend.fast_fit()
    import tensorflow as tf
    from keras.src.backend.tensorflow import trainer

    strategy = tf.distribute.get_strategy()
    batches = trainer.TFEpochIterator(distribute_strategy=strategy, x=np.arange(10.0), batch_size=4, shuffle=True)
    assert batches._get_iterator().options().autotune.enabled is False
    assert sum(base.__name__ == "UntunedIterator" for base in type(batches).__mro__) == 1
    read = np.concatenate([np.ravel(next(iterator)) for *_, iterator in batches])
    assert sorted(read.tolist()) == list(range(10))


def test_a_step_is_traced_once_and_gives_the_same_bits(monkeypatch):
    """Of weights after two epochs in a random order, with dropout, as Keras's own `fit`."""
    backend.fast_fit()
    import keras
    from keras.src.backend.tensorflow import trainer

    class Traced(keras.layers.Dense):
        def call(self, x, training=None):
            traces.append(training)
            return super().call(x, training)

    x, results = np.random.default_rng(0).standard_normal((50, 6)).astype("float32"), []
    own = trainer.TFEpochIterator.__mro__[1], inspect.getclosurevars(trainer.TensorFlowTrainer.make_train_function)
    for expected in (1, 2):
        backend.start(3)
        network = keras.Sequential([keras.Input((6,)), Traced(4), keras.layers.Dropout(0.5)])
        network.compile("adam", "mse")
        traces = []
        network.fit(x, x[:, :4], batch_size=8, epochs=2, verbose=0)
        assert len(traces) == expected
        results.append(network.get_weights()[0])
        monkeypatch.setattr(trainer, "TFEpochIterator", own[0])
        monkeypatch.setattr(trainer.TensorFlowTrainer, "make_train_function", own[1].nonlocals["keras_own"])
    np.testing.assert_array_equal(*results)
