"""The network MSD_musicnn, from Keras's own layers: front-end, mid-end and back-end as in section 2 of the paper.

Batch normalisation follows each rectified layer. Layers have names, by which the published weights are assigned.
"""

import keras
from keras import layers, ops

BANDS, TAGS = 96, 50
TIMBRAL = {"timbral_38": (7, 38), "timbral_67": (7, 67)}  # frames and bands of a filter: .4 and .7 of the bands
TEMPORAL = {"temporal_128": (128, 1), "temporal_64": (64, 1), "temporal_32": (32, 1)}
DENSE = ("dense_1", "dense_2", "dense_3")  # of the mid-end


def musicnn() -> keras.Model:
    """x (b, frames, 96), log-mel -> mean and maximum over time (b, 753), penultimate (b, 200), tags (b, 50).

    787,159 parameters that were trained, on 187 frames (3 s); any number will do.
    """
    x = keras.Input((None, BANDS))
    image = layers.BatchNormalization(name="input_norm")(ops.expand_dims(x, -1))  # (batch, frames, 96, 1)
    padded = layers.ZeroPadding2D(((3, 3), (0, 0)))(image)  # in time only: in frequency the filters stay inside
    front = [_highest(padded, 204, size, name, "valid") for name, size in TIMBRAL.items()]
    front += [_highest(image, 51, size, name, "same") for name, size in TEMPORAL.items()]
    features = [layers.Concatenate()(front)]  # (batch, frames, 561)
    for name in DENSE:
        h = _normalised(layers.Conv1D(64, 7, padding="same", activation="relu", name=name), features[-1])
        features.append(layers.Add()([h, features[-1]]) if name != DENSE[0] else h)
    h = layers.Concatenate()(features)  # dense connections: (batch, frames, 753)
    mean, highest = layers.GlobalAveragePooling1D()(h), layers.GlobalMaxPooling1D()(h)
    pooled = layers.Flatten()(ops.stack([highest, mean], axis=-1))  # (batch, 1506): both of a feature side by side
    h = layers.Dropout(0.5)(layers.BatchNormalization(name="pooled_norm")(pooled))
    penultimate = _normalised(layers.Dense(200, "relu", name="penultimate"), h)
    tags = layers.Dense(TAGS, "sigmoid", name="tags")(layers.Dropout(0.5)(penultimate))
    return keras.Model(x, [mean, highest, penultimate, tags], name="musicnn")


def _normalised(layer, x):
    return layers.BatchNormalization(name=f"{layer.name}_norm")(layer(x))


def _highest(x, filters: int, size: tuple[int, int], name: str, padding: str):
    """A convolution over time and frequency, and its maximum over frequency: (batch, frames, filters)."""
    return ops.max(_normalised(layers.Conv2D(filters, size, padding=padding, activation="relu", name=name), x), axis=2)
