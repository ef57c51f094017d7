"""A functional network in a faster form: the same layers and weights, evaluated together where that pays.

On a processor core most of the time of a small network is spent between operations. Here recurrences that do not
depend on each other are one recurrence, statistics over channels are taken over rows of all that lies within a time
step, images are normalised by the kernel of the dense layer behind them, and dropout draws bytes.
"""

import keras
from keras import ops

from common.layers import keras1


def fuse(model: keras.Model) -> keras.Model:
    """The same network, faster, for training in the place of a functional one.

    What is evaluated otherwise: `Bidirectional` of `keras1.GRU` layers of one kind and at one depth, all directions at
    once; `BatchNormalization` of images (batch, height, width, channels), see `_column_moments` and `_Normalised`;
    `keras1.ActivityRegularization` behind a ReLU and before it, from the same moments; `Dropout`, see `kept`.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    keras.Model
        With the weights of `model`.
    """
    return Fused(model, name=f"fused_{model.name}")


class Fused(keras.Model):
    """See `fuse`."""

    def __init__(self, model: keras.Model, **options):
        super().__init__(**options)
        self.model = model

    def call(self, x, training=False):
        values, moments = {id(self.model.inputs[0]): x}, {}
        for _, nodes in sorted(self.model._nodes_by_depth.items(), reverse=True):  # the deepest is the input
            together = {}
            for node in (node for node in nodes if not node.is_input):
                layer, (given, *more), keywords = node.operation, *node.arguments.fill_in(values)
                if getattr(layer, "_call_has_training_arg", False):
                    keywords["training"] = training
                group = _group(layer, given)
                if group is not None:
                    together.setdefault(group, []).append((node, given if _is_dense(layer, given) else _plain(given)))
                    continue
                if _is_penalty(node):
                    result = _penalised(layer, given, moments)
                elif isinstance(layer, keras.layers.BatchNormalization) and len(given.shape) == 4:
                    result = _normalised(layer, _plain(given), moments, training)
                elif isinstance(layer, keras.layers.Dropout) and layer.rate and not layer.noise_shape:
                    result = _dropped(layer, given) if training else given
                elif isinstance(layer, keras.layers.Reshape) and isinstance(given, _Normalised):
                    result = given.reshaped(layer.target_shape)
                else:
                    result = layer(*_plain([given, *more]), **_plain(keywords))
                values |= zip(map(id, node.outputs), keras.tree.flatten(result), strict=True)
            for members in together.values():
                layers, inputs = zip(*((node.operation, given) for node, given in members), strict=True)
                function = _recurrences if _is_bidirectional_gru(layers[0]) else _dense
                for (node, _), result in zip(members, function(layers, inputs, training), strict=True):
                    values[id(node.outputs[0])] = result
        return _plain(keras.tree.map_structure(lambda tensor: values[id(tensor)], self.model.output))

    def compute_output_shape(self, shape):
        return self.model.compute_output_shape(shape)


def _group(layer, given):
    """What a node has in common with those that are evaluated together with it; None if it is evaluated alone."""
    if _is_bidirectional_gru(layer):
        return _kind(layer.forward_layer)
    return id(given) if _is_dense(layer, given) else None


# Recurrences.


def _is_bidirectional_gru(layer) -> bool:
    return (
        isinstance(layer, keras.layers.Bidirectional)
        and isinstance(layer.forward_layer, keras1.GRU)
        and not layer.forward_layer.go_backwards
        and layer.merge_mode == "concat"
        and not layer.return_state
    )


def _kind(gru: keras1.GRU) -> tuple:
    return gru.units, gru.activation, gru.recurrent_activation, gru.unroll, bool(gru.recurrent_dropout)


def _recurrences(layers, inputs, training) -> list:
    """The outputs of several Bidirectional layers of GRUs of one kind, one input (batch, time, features) each."""
    directions = [(layer.forward_layer, x) for layer, x in zip(layers, inputs, strict=True)]
    directions += [(layer.backward_layer, ops.flip(x, 1)) for layer, x in zip(layers, inputs, strict=True)]
    functions, arguments = zip(*(gru.recurrence(x, training) for gru, x in directions), strict=True)
    projected, recurrent, masks = zip(*arguments, strict=True)
    masks = ops.stack(masks, axis=1) if len(masks[0].shape) else masks[0]
    states = functions[0](ops.stack(projected, axis=1), ops.stack(recurrent), masks)  # (time, directions, batch, units)
    outputs, n = ops.unstack(ops.transpose(states, (1, 2, 0, 3)), len(directions)), len(layers)
    results = []
    for layer, forward, backward in zip(layers, outputs[:n], outputs[n:], strict=True):
        backward = layer.backward_layer.returned(backward)
        backward = ops.flip(backward, 1) if layer.return_sequences else backward
        results.append(ops.concatenate([layer.forward_layer.returned(forward), backward], axis=-1))
    return results


# Moments.


def _is_penalty(node) -> bool:
    """Whether a node is an activity penalty of values that are not negative."""
    if not isinstance(node.operation, keras1.ActivityRegularization):
        return False
    return isinstance(node.input_tensors[0]._keras_history.operation, keras.layers.ReLU)


def _moments(x, known: dict):
    """Of images x (batch, height, width, channels) the means of values and of squares, (channels,) each."""
    if id(x) not in known:
        channels, rows = x.shape[-1], ops.reshape(x, (-1, x.shape[-2] * x.shape[-1]))
        known[id(x)] = x, *(ops.mean(ops.reshape(of, (-1, channels)), axis=0) for of in _column_moments(rows))
    return known[id(x)][1:]  # x is kept, so that no other tensor gets its id


@ops.custom_gradient
def _column_moments(rows):
    """The means of values and of squares of each column of rows (n, m); its gradient takes two passes over rows."""

    def gradient(*upstream):
        of_mean, of_square = (of / n for of in (upstream[0] if len(upstream) == 1 else upstream))
        return rows * (2 * of_square) + of_mean

    n = ops.cast(ops.shape(rows)[0], rows.dtype)
    return (ops.mean(rows, axis=0), ops.mean(rows * rows, axis=0)), gradient


def _penalised(layer, x, known: dict):
    mean, square = _moments(x, known)
    layer.penalise(ops.mean(mean), ops.mean(square), x)
    return x


def _normalised(layer, x, known: dict, training):
    if training and layer.trainable:
        mean, square = _moments(x, known)
        variance = ops.maximum(square - mean * mean, 0)
        for moving, now in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
            moving.assign(layer.momentum * moving + (1 - layer.momentum) * ops.stop_gradient(now))
    else:
        mean, variance = layer.moving_mean, layer.moving_variance
    scale = layer.gamma * ops.rsqrt(variance + layer.epsilon)
    return _Normalised(x, scale, layer.beta - mean * scale)


# Normalisation, dropout and a dense layer.


class _Normalised:
    """Values that wait to be normalised: (x scale + shift) kept. A dense layer behind does it with its kernel.

    x (batch, ..., channels) is 0 where kept is, which is 0 or 1, or None; scale and shift (channels,).
    """

    def __init__(self, x, scale, shift, kept=None):
        self.x, self.scale, self.shift, self.kept, self.shape = x, scale, shift, kept, x.shape

    def reshaped(self, shape) -> "_Normalised":
        """Of another shape (batch, *shape), whose last axis holds all channels of one or more places."""
        x, kept = (None if of is None else ops.reshape(of, (-1, *shape)) for of in (self.x, self.kept))
        return _Normalised(x, self.scale, self.shift, kept)

    def dropped(self, rate: float, seed) -> "_Normalised":
        now = kept(self.x, rate, seed)
        both = now if self.kept is None else self.kept * now
        return _Normalised(self.x * now, self.scale / (1 - rate), self.shift / (1 - rate), both)

    def rows(self):
        """Scale and shift of each column of the last axis."""
        times = self.shape[-1] // self.scale.shape[0]
        return ops.tile(self.scale, [times]), ops.tile(self.shift, [times])

    def value(self):
        scale, shift = self.rows()
        return self.x * scale + (shift if self.kept is None else shift * self.kept)

    def times(self, kernel):
        """The product of the values (..., n) with a kernel (n, units)."""
        scale, shift = (of[:, None] * kernel for of in self.rows())
        n, units = kernel.shape

        def product(x, kernel):
            return ops.reshape(ops.reshape(x, (-1, n)) @ kernel, (-1, *x.shape[1:-1], units))

        return product(self.x, scale) + (ops.sum(shift, axis=0) if self.kept is None else product(self.kept, shift))


def _plain(values):
    """Values, also in lists and dictionaries, as tensors."""
    return keras.tree.map_structure(lambda of: of.value() if isinstance(of, _Normalised) else of, values)


def _is_dense(layer, given) -> bool:
    return (
        isinstance(given, _Normalised)
        and isinstance(layer, keras1.TimeDistributed)
        and type(layer.layer) is keras.layers.Dense
    )


def _dense(layers, inputs, training) -> list:
    """The outputs of several dense layers of one input, (batch, time, units) each."""
    dense = [layer.layer for layer in layers]
    products = inputs[0].times(ops.concatenate([layer.kernel for layer in dense], axis=1))
    outputs, end = [], 0
    for layer in dense:
        begin, end = end, end + layer.units
        product = products[..., begin:end]
        outputs.append(layer.activation(product + layer.bias if layer.use_bias else product))
    return outputs


def _dropped(layer, x):
    rate, seed = layer.rate, layer.seed_generator
    return x.dropped(rate, seed) if isinstance(x, _Normalised) else dropout(x, rate, seed)


def dropout(x, rate: float, seed: keras.random.SeedGenerator):
    """As `keras.random.dropout`, with masks of `kept`.

    Parameters
    ----------
    x : tensor
    rate : float, in [0, 1)
    seed : keras.random.SeedGenerator

    Returns
    -------
    tensor, of the shape of x
    """
    return x * (kept(x, rate, seed) / (1 - rate))


def kept(x, rate: float, seed: keras.random.SeedGenerator):
    """Which elements of a tensor dropout keeps.

    On TensorFlow, for rates that are multiples of 1/256, one random byte decides on an element, which else costs a
    float: a fourth as many random bits, which is most of what dropout costs.

    Parameters
    ----------
    x : tensor
    rate : float, in [0, 1)
    seed : keras.random.SeedGenerator

    Returns
    -------
    tensor, of the shape and type of x
        0 for the elements that are dropped, 1 for the others.
    """
    if keras.backend.backend() != "tensorflow" or rate * 256 % 1:
        return ops.cast(keras.random.uniform(ops.shape(x), seed=seed) >= rate, x.dtype)
    import tensorflow as tf

    above, columns, start = tf.shape(x)[:-1], x.shape[-1], ops.cast(seed.next() % (2**31 - 1), "int32")
    four = tf.concat([above, [-(-columns // 4)]], 0)
    words = tf.random.stateless_uniform(four, start, minval=None, maxval=None, dtype=tf.uint32)
    numbers = tf.reshape(tf.bitcast(words, tf.uint8), tf.concat([above, [-(-columns // 4) * 4]], 0))
    return tf.cast((numbers[..., :columns] if columns % 4 else numbers) >= int(rate * 256), x.dtype)
