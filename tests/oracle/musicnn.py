"""Take the weights of MSD_musicnn from the package musicnn 0.1.0 (ISC), and store what the package computes with them.

    python -m venv oracle && oracle/bin/pip install "tf_keras==2.21.*" "numpy<2" librosa soundfile
    oracle/bin/pip install --no-deps musicnn==0.1.0
    TF_USE_LEGACY_KERAS=1 oracle/bin/python -m tests.oracle.musicnn

In an environment of its own: under Keras 3 the package fails, and on NumPy 2 loud music becomes infinite (10000 times a
number of 16 bits had 32 bits before, and has 16 now). It writes tests/oracle/musicnn.npz, with the versions, and
results/musicnn2019/weights/MSD_musicnn.keras.
"""

import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

STORED = Path(__file__).with_suffix(".npz")
WEIGHTS = Path(__file__).parents[2] / "results/musicnn2019/weights/MSD_musicnn.keras"
RATE, FEATURES = 16000, ("mean_pool", "max_pool", "penultimate")
NUMBERED = {  # our layers in the order in which the package makes, and so numbers, its own
    "conv2d": ("timbral_38", "timbral_67", "temporal_128", "temporal_64", "temporal_32", "dense_1", "dense_2",
               "dense_3"),
    "dense": ("penultimate", "tags"),
}  # fmt: skip
NORMS = ("input", *NUMBERED["conv2d"], "pooled", "penultimate")
PARAMETERS = {
    "conv2d": ("kernel", "bias"),
    "dense": ("kernel", "bias"),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
}


def signal() -> np.ndarray:
    """Nine seconds of plucked tones and a beat of noise, float32 at 16 kHz: three patches."""
    t, rng = np.arange(9 * RATE) / RATE, np.random.default_rng(0)
    x = 0.05 * np.exp(-30 * (t % 0.5)) * rng.standard_normal(len(t))
    for k, hz in enumerate((110, 220, 277.2, 329.6, 440, 554.4, 659.3, 880)):
        x += 0.1 * (t >= k) * np.exp(-1.5 * np.maximum(t - k, 0)) * np.sin(2 * np.pi * hz * t)
    return x.astype("float32")


def main():
    import musicnn
    import soundfile

    convert(Path(musicnn.__file__).parent / "MSD_musicnn")
    from musicnn import configuration
    from musicnn.extractor import extractor  # which turns eager execution off

    configuration.BATCH_SIZE = 3  # all patches: of later batches the package returns the penultimate layer of the first
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "signal.wav"
        soundfile.write(path, signal(), RATE, subtype="FLOAT")
        tags, _, features = extractor(str(path), model="MSD_musicnn")
    versions = [f"{name} {version(name)}" for name in ("musicnn", "tf_keras", "tensorflow", "librosa", "numpy")]
    features = {name: features[name] for name in FEATURES}
    np.savez_compressed(STORED, versions=np.array(versions), tags=tags, **features)


def convert(folder: Path) -> None:
    """Write the weights in a checkpoint of TensorFlow 1 as Keras keeps them; the optimiser's are left out."""
    import tensorflow as tf

    from reproductions.musicnn2019 import model

    network, reader = model.musicnn(), tf.compat.v1.train.NewCheckpointReader(f"{folder}/")
    ours = NUMBERED | {"batch_normalization": [f"{name}_norm" for name in NORMS]}
    for kind, names in ours.items():
        for number, name in enumerate(names):
            place, layer = f"{kind}_{number}" if number else kind, network.get_layer(name)
            values = [reader.get_tensor(f"{place}/{parameter}") for parameter in PARAMETERS[kind]]
            layer.set_weights(
                [value.reshape(weight.shape) for value, weight in zip(values, layer.weights, strict=True)]
            )
    network.save(WEIGHTS)


if __name__ == "__main__":
    main()
