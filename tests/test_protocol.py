"""Cutting songs into sequences and back. Folds, crops and scaling: test_jakubik2017.py."""

import numpy as np
import pytest

from common.errors import InputError
from common.protocol import Sequences


def songs(*lengths):
    return Sequences.of([np.random.default_rng(n).standard_normal((n, 2)).astype("float32") for n in lengths])


@pytest.mark.parametrize(
    ("lengths", "length"),
    [((60, 60), 20), ((70, 66, 71), 20), ((20,), 20), ((21, 39, 40, 41, 20), 20), ((5, 3), 1), ((68, 1223), 60)],
)
def test_every_frame_is_scored_once(lengths, length):
    every = songs(*lengths)
    stretches, starts = every.cut(length)
    assert stretches.shape == (sum(-(-n // length) for n in lengths), length, 2)
    for stretch, start in zip(stretches, starts, strict=True):
        np.testing.assert_array_equal(stretch, every.values[start : start + length])
    told_by = every.joined(np.broadcast_to(starts[:, None, None], (len(starts), length, 1)), starts)[:, 0]
    for first, n in zip(every.bounds, lengths, strict=False):
        # the last stretch ends with the song, and of two that hold a frame the first tells
        expected = first + np.minimum(np.arange(n) // length * length, n - length)
        np.testing.assert_array_equal(told_by[first : first + n], expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cut_and_joined_are_inverse(dtype):
    every = songs(70, 20, 33)
    stretches, starts = every.cut(20)
    joined = every.joined(stretches.astype(dtype), starts)
    assert joined.dtype == dtype
    np.testing.assert_array_equal(joined, every.values)


def test_a_song_shorter_than_the_sequence_cannot_be_cut():
    with pytest.raises(InputError, match="a song of 19 frames cannot be cut into sequences of 20"):
        songs(60, 19).cut(20)
