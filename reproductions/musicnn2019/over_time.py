"""MusiCNN over time: the embedding of a patch of 3 s that ends at each label, and linear regression on it.

Patches overlap: one ends every half second, the first at 3.0 s.
"""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from common import audio, backend
from common.errors import InputError
from common.prediction import STEP_S
from reproductions.musicnn2019.embedding import BANDS, HOP, PATCH, RATE, WEIGHTS, log_mel, network

SHA256 = "68798d3610f24783597feaac47c490b0e6c6e44a665aabc7f042a9cbf24e33f2"  # of MSD_musicnn.keras
PATCH_S, GROUP = 3.0, 16  # patches that are embedded at once
GROUP_HOP = round(GROUP * STEP_S * RATE / HOP)  # 500 frames
STARTS = np.floor(STEP_S * RATE / HOP * np.arange(GROUP) + 0.5).astype(int)  # first frames of a group's patches
SPAN = STARTS[-1] + PATCH  # frames of a group
PENULTIMATE = slice(2 * 753, None)  # columns of the embedding


@lru_cache
def group_network():
    """The network on a group of patches: log-mel (b, SPAN, 96) -> mean, maximum, penultimate (b * GROUP, 1706).

    The timbral filters take four fifths of the time, so frames that patches share go through them once. At the ends of
    a patch, where the filters meet the padding, three frames differ from patch to patch.

    Returns
    -------
    keras.Model

    Raises
    ------
    InputError
        If the file of the weights is not the published one.
    """
    if hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() != SHA256:
        raise InputError(f"{WEIGHTS}: is not the published file (SHA-256); get the weights again")
    backend.start(0)
    import keras
    from keras import layers, ops

    from reproductions.musicnn2019.model import TEMPORAL, TIMBRAL

    net = network()

    def highest(name, x):
        return ops.max(net.get_layer(f"{name}_norm")(net.get_layer(name)(x)), axis=2)

    def patches(x, frames):
        return ops.reshape(ops.stack([x[:, s : s + frames] for s in STARTS], axis=1), (-1, frames, *x.shape[2:]))

    def padded(x, before, after):
        return layers.ZeroPadding2D(((before, after), (0, 0)))(x)

    x = keras.Input((SPAN, BANDS))
    image = net.get_layer("input_norm")(ops.expand_dims(x, -1))
    of_patch, features = patches(image, PATCH), []
    first, last = padded(of_patch[:, :6], 3, 0), padded(of_patch[:, -6:], 0, 3)
    for name in TIMBRAL:
        shared = patches(highest(name, image), PATCH - 6)
        features.append(ops.concatenate([highest(name, first), shared, highest(name, last)], axis=1))
    features += [highest(name, of_patch) for name in TEMPORAL]
    middle_and_end = keras.Model(net.get_layer("dense_1").input, net.outputs[:3])
    return keras.Model(x, ops.concatenate(middle_and_end(ops.concatenate(features, axis=2)), axis=1))


def embed(frames: np.ndarray, n_patches: int) -> np.ndarray:
    """The embedding of patches, one every half second.

    Parameters
    ----------
    frames : float32 (n_frames, 96)
        Log-mel; the first patch starts with the first frame.
    n_patches : int
        What is missing of the last ones is taken as silent.

    Returns
    -------
    float32 (n_patches, 1706)
        Mean and maximum over time (753 each) and penultimate layer (200).
    """
    n_groups = -(-n_patches // GROUP)
    missing = max(0, (n_groups - 1) * GROUP_HOP + SPAN - len(frames))
    frames = np.pad(frames, ((0, missing), (0, 0)))
    groups = (frames[GROUP_HOP * g : GROUP_HOP * g + SPAN][None] for g in range(n_groups))
    return np.concatenate([np.asarray(group_network().predict_on_batch(group)) for group in groups])[:n_patches]


def patches_of(samples: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    """The log-mel of a recording, and of how many patches.

    Parameters
    ----------
    samples : float32 (n_samples,)
    rate : int
        In Hz.

    Returns
    -------
    frames : float32 (n_frames, 96)
        Of a recording shorter than a patch repeated until they fill one.
    n_patches : int
        1 or more; patch k ends PATCH_S + k * STEP_S after the beginning.
    """
    samples = audio.resample(samples, rate, RATE)
    frames = log_mel(samples)
    frames = frames if len(frames) >= PATCH else np.resize(frames, (PATCH, BANDS))
    return frames, max(0, int((len(samples) / RATE - PATCH_S) / STEP_S)) + 1


@dataclass(frozen=True)
class OverlappingPatches:
    """The embedding of a patch of 3 s that ends every half second, the first at 3.0 s.

    Called with samples (n_samples,) and their rate in Hz, returns float32 (n_patches, 1706): mean and maximum over time
    (753 each) and penultimate layer (200).
    """

    backend: str = field(default_factory=backend.name)
    name: str = "musicnn_over_time"
    version: int = 1
    libraries = ("numpy", "librosa", "soxr", "keras", "tensorflow", "tensorflow-cpu", "jax")
    files = (WEIGHTS,)

    def __call__(self, samples: np.ndarray, rate: int) -> np.ndarray:
        return embed(*patches_of(samples, rate))
