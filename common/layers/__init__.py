"""Layers as older frameworks meant them, where Keras 3 means something else, with the signatures of Keras 3.

`keras1`: Keras 1 on Theano. `tf1`: tf.keras of TensorFlow 1. `recurrent`: what their recurrences have in common.
`fused`: a network with its independent recurrences in one. `support_vectors`: support vector regression as a layer.
They are written with `keras.ops` alone, so that the same code runs on the TensorFlow and the JAX backend. Importing
this package imports the backend, and tells Keras of the layers, so that it can load files that have them.
"""

from common import backend
from common.files import muted_stderr

backend.prepare()
with muted_stderr():
    import keras  # noqa: F401

from common.layers import keras1, support_vectors, tf1  # noqa: E402, F401  (Keras knows their layers then)
