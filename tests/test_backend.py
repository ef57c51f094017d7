"""How the backend is set up."""

import numpy as np

from common import backend


def test_batches_are_read_without_autotuning():
    """Applied twice it is there once; and an epoch still has every sample."""
    backend.without_autotuning()
    backend.without_autotuning()
    import tensorflow as tf
    from keras.src.backend.tensorflow import trainer

    strategy = tf.distribute.get_strategy()
    batches = trainer.TFEpochIterator(distribute_strategy=strategy, x=np.arange(10.0), batch_size=4, shuffle=True)
    assert batches._get_iterator().options().autotune.enabled is False
    assert sum(base.__name__ == "UntunedIterator" for base in type(batches).__mro__) == 1
    read = np.concatenate([np.ravel(next(iterator)) for _, _, iterator in batches])
    assert sorted(read.tolist()) == list(range(10))


def test_without_autotuning_the_bits_are_the_same(monkeypatch):
    """Of weights after two epochs in a random order, with dropout."""
    backend.without_autotuning()
    import keras
    from keras.src.backend.tensorflow import trainer

    x, results = np.random.default_rng(0).standard_normal((50, 6)).astype("float32"), []
    for _ in range(2):
        backend.start(3)
        network = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4), keras.layers.Dropout(0.5)])
        network.compile("adam", "mse")
        network.fit(x, x[:, :4], batch_size=8, epochs=2, verbose=0)
        results.append(network.get_weights()[0])
        monkeypatch.setattr(trainer, "TFEpochIterator", trainer.TFEpochIterator.__mro__[1])  # Keras's own
    np.testing.assert_array_equal(*results)
