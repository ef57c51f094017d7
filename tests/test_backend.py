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
