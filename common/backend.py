"""The Keras backend of this process: which one, and how it is set up.

Keras reads its precision, image format and backend from the user's `keras.json` and from the environment. Numbers of
this suite come from float32 and channels_last whatever stands there; only the choice of the backend is the user's.
"""

import json
import os
import sys
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from common.errors import InputError
from common.files import cache_folder, muted_stderr

DISTRIBUTIONS = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "jax": ("jax", "jaxlib")}
EXTRAS = {"tensorflow": ("cpu", "gpu"), "jax": ("jax", "jax-cuda")}  # of this project, which install a backend
SHORTEN_TRAINING = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH")
ONE_THREAD = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def name() -> str:
    """The backend that Keras has or will have in this process, without importing it.

    The variable KERAS_BACKEND, else `backend` in the user's keras.json, else tensorflow.
    """
    if "keras" in sys.modules:
        import keras  # another thread may still be importing it: then this waits

        return keras.backend.backend()
    return os.environ.get("KERAS_BACKEND") or _in_keras_json() or "tensorflow"


def _in_keras_json() -> str | None:
    home = os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser()
    try:
        return json.loads((Path(home) / "keras.json").read_text()).get("backend")
    except (OSError, ValueError, AttributeError):  # Keras ignores a file that it cannot read, too
        return None


def require() -> None:
    """Raise InputError, before any work, if the backend that is asked for is unknown or not installed."""
    backend = name()
    if backend not in EXTRAS:
        raise InputError(f"KERAS_BACKEND={backend} is not supported; it takes {' or '.join(EXTRAS)}")
    if find_spec(backend) is None:
        extras = (
            f"{' or '.join(extras)} for KERAS_BACKEND={one}{' (installed)' * bool(find_spec(one))}"
            for one, extras in EXTRAS.items()
        )
        raise InputError(
            f"the Keras backend {backend} is not installed; pip install -e '.[EXTRA]': {', '.join(extras)}"
        )


def prepare() -> None:
    """Set the environment that Keras is to be imported in; call it before `import keras`.

    The user's keras.json is out of reach (it can even keep Keras from starting), and so are variables that end a
    training early.
    """
    os.environ["KERAS_BACKEND"] = name()
    os.environ["KERAS_HOME"] = str(cache_folder() / "keras")
    os.environ["KERAS_NNX_ENABLED"] = "false"
    os.environ["JAX_ENABLE_X64"] = "false"
    for variable in SHORTEN_TRAINING:
        os.environ.pop(variable, None)
    for variable in ONE_THREAD:
        os.environ.setdefault(variable, "1")  # two workers of one thread are faster than one worker of two
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def start(seed: int) -> None:
    """Seed everything; float32, channels_last, deterministic operations: the same seed gives the same bits on a CPU.

    Also where Keras was imported and configured before this suite.

    Parameters
    ----------
    seed : int
    """
    prepare()
    with muted_stderr():
        import keras

    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)
    keras.utils.set_random_seed(seed)
    if name() == "tensorflow":
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")  # which else warns of networks built one after another
        tf.config.experimental.enable_op_determinism()
        tf.config.experimental.enable_tensor_float_32_execution(False)
    else:
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")


def fast_fit() -> None:
    """Have Keras's `fit` lose no time before its steps, which changes no number. Keras has no options for it.

    Batches are read without tf.data's autotuning: the thread that tunes the input of an epoch wakes 10, 20, 40, ... ms
    after it last woke, and before the next epoch can begin it has to wake once more, so an epoch can take twice as
    long (TensorFlow 2.21). Optimizers make their variables before the first step: a step that makes them is traced
    twice.
    """
    prepare()
    if name() != "tensorflow":
        return
    with muted_stderr():
        import tensorflow as tf
        from keras.src.backend.tensorflow import trainer

    class UntunedIterator(trainer.TFEpochIterator):
        def _get_iterator(self):
            options = tf.data.Options()
            options.autotune.enabled = False
            return super()._get_iterator().with_options(options)

    def make_train_function(self, force=False):
        if all(layer.built for layer in self._flatten_layers(include_self=False)) and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        return keras_own(self, force)

    if trainer.TFEpochIterator.__name__ != UntunedIterator.__name__:
        keras_own = trainer.TensorFlowTrainer.make_train_function
        trainer.TFEpochIterator, trainer.TensorFlowTrainer.make_train_function = UntunedIterator, make_train_function


def one_thread():
    """A context in which numpy's matrix products use one thread, as in workers: more of them give other bits."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")


def versions(distributions) -> dict[str, str]:
    """The installed versions of some distributions.

    Parameters
    ----------
    distributions : iterable of str

    Returns
    -------
    dict
        Those that are not installed are left out.
    """
    return {distribution: version for distribution in distributions if (version := _version(distribution))}


@cache
def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
