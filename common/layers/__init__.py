"""Layers as older frameworks meant them, where Keras 3 means something else, with the signatures of Keras 3.

`keras1`: Keras 1 on Theano. `tf1`: tf.keras of TensorFlow 1. `recurrent`: what their recurrences have in common.
`fused`: a network with its independent recurrences in one. They are written with `keras.ops` alone, so that the same
code runs on the TensorFlow and the JAX backend. Importing this package imports the backend.
"""

from common import backend
from common.files import muted_stderr

backend.prepare()
with muted_stderr():
    import keras  # noqa: F401
