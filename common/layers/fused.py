"""A functional network in a faster form: the same layers and weights, evaluated together where that pays.

On a processor core most of the time of a small network is spent between operations. Here recurrences that do not
depend on each other are one recurrence, statistics over channels are taken over rows of all that lies within a time
step, and dropout draws bytes.
"""

import keras
from keras import ops

from common.layers import keras1


def fuse(model: keras.Model) -> keras.Model:
    """The same network, faster, to be trained in the place of a functional one: the weights are those of `model`.

    What is evaluated otherwise: `Bidirectional` of `keras1.GRU` layers of one kind and at one depth, all directions at
    once; `BatchNormalization` of images (batch, height, width, channels), with one pass for both moments;
    `keras1.ActivityRegularization` behind a ReLU and before it, from the same moments; `Dropout`, see `dropout`.
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
            nodes = [node for node in nodes if not node.is_input]
            together = {}
            for node in nodes:
                (given, *more), keywords = node.arguments.fill_in(values)
                layer = node.operation
                if getattr(layer, "_call_has_training_arg", False):
                    keywords["training"] = training
                if _is_bidirectional_gru(layer):
                    together.setdefault(_kind(layer.forward_layer), []).append((node, given))
                    continue
                if _is_penalty(node):
                    result = _penalised(layer, given, moments)
                elif isinstance(layer, keras.layers.Dropout) and layer.rate and not layer.noise_shape:
                    result = dropout(given, layer.rate, seed=layer.seed_generator) if training else given
                elif isinstance(layer, keras.layers.BatchNormalization) and len(given.shape) == 4:
                    result = _normalised(layer, given, moments, training)
                else:
                    result = layer(given, *more, **keywords)
                values |= zip(map(id, node.outputs), keras.tree.flatten(result), strict=True)
            for members in together.values():
                layers, inputs = zip(*((node.operation, given) for node, given in members), strict=True)
                for (node, _), result in zip(members, _recurrences(layers, inputs, training), strict=True):
                    values[id(node.outputs[0])] = result
        return keras.tree.map_structure(lambda tensor: values[id(tensor)], self.model.output)

    def compute_output_shape(self, shape):
        return self.model.compute_output_shape(shape)


# Recurrences.


def _is_bidirectional_gru(layer) -> bool:
    return (
        isinstance(layer, keras.layers.Bidirectional) and isinstance(layer.forward_layer, keras1.GRU)
        and layer.merge_mode == "concat" and not layer.return_state
    )  # fmt: skip


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
        known[id(x)] = [ops.mean(ops.reshape(ops.mean(v, axis=0), (-1, channels)), axis=0) for v in (rows, rows * rows)]
    return known[id(x)]


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
    shift, times = layer.beta - mean * scale, x.shape[-2]
    rows = ops.reshape(x, (-1, times * x.shape[-1])) * ops.tile(scale, [times]) + ops.tile(shift, [times])
    return ops.reshape(rows, (-1, *x.shape[1:]))


# Dropout.


def dropout(x, rate: float, seed: keras.random.SeedGenerator):
    """`keras.random.dropout`; on TensorFlow one random byte decides on an element, which else costs a float.

    For rates that are multiples of 1/256. A fourth as many random bits are drawn, which is most of what dropout costs.
    """
    if keras.backend.backend() != "tensorflow" or rate * 256 % 1:
        return keras.random.dropout(x, rate, seed=seed)
    import tensorflow as tf

    n = tf.size(x)
    words = tf.random.stateless_uniform(
        [(n + 3) // 4], ops.cast(seed.next() % (2**31 - 1), "int32"), minval=None, maxval=None, dtype=tf.uint32
    )
    kept = tf.reshape(tf.reshape(tf.bitcast(words, tf.uint8), [-1])[:n], tf.shape(x)) >= int(rate * 256)
    return x * (tf.cast(kept, x.dtype) / (1 - rate))
