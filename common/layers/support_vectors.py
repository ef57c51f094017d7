"""Support vector regression that was fitted elsewhere, as a layer: so that a model with one behind it is one file."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("common")
class SupportVectorRegression(keras.layers.Layer):
    """(batch, n) -> (batch, units): y = sum over i of dual_i exp(-gamma |x - support_i|²) + bias, an RBF kernel's.

    The weights are `support` (vectors, n), `dual` (vectors, units) and `bias` (units,), as scikit-learn's SVR has them
    (`support_vectors_`, `dual_coef_`, `intercept_`).
    """

    def __init__(self, vectors: int, units: int, gamma: float, **options):
        super().__init__(**options)
        self.vectors, self.units, self.gamma = vectors, units, gamma

    def build(self, shape):
        self.support = self.add_weight((self.vectors, shape[-1]), "zeros", name="support", trainable=False)
        self.dual = self.add_weight((self.vectors, self.units), "zeros", name="dual", trainable=False)
        self.bias = self.add_weight((self.units,), "zeros", name="bias", trainable=False)

    def call(self, x):
        distance = ops.sum(ops.square(x[:, None] - self.support), axis=-1)
        return ops.matmul(ops.exp(-self.gamma * distance), self.dual) + self.bias

    def compute_output_shape(self, shape):
        return (*shape[:-1], self.units)

    def get_config(self):
        return super().get_config() | {"vectors": self.vectors, "units": self.units, "gamma": self.gamma}
