"""Cutting songs into sequences and back; folds by groups. Other folds, crops and scaling: test_jakubik2017.py."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from common.errors import InputError
from common.protocol import Sequences, cross_validation, k_folds, random_split


def songs(*lengths):
    return Sequences.of([np.random.default_rng(n).standard_normal((n, 2)).astype("float32") for n in lengths])


@pytest.mark.parametrize(
    ("lengths", "length"),
    [((60, 60), 20), ((70, 66, 71), 20), ((20,), 20), ((21, 39, 40, 41, 20), 20), ((5, 3), 1), ((68, 1223), 60)],
)
def test_every_frame_is_scored_once(lengths, length):
    every = songs(*lengths)
    windows, starts = every.split_into(length)
    assert windows.shape == (sum(-(-n // length) for n in lengths), length, 2)
    for stretch, start in zip(windows, starts, strict=True):
        np.testing.assert_array_equal(stretch, every.values[start : start + length])
    told_by = every.overlap_merge(np.broadcast_to(starts[:, None, None], (len(starts), length, 1)), starts)[:, 0]
    for first, n in zip(every.bounds, lengths, strict=False):
        # the last stretch ends with the song, and of two that hold a frame the first tells
        expected = first + np.minimum(np.arange(n) // length * length, n - length)
        np.testing.assert_array_equal(told_by[first : first + n], expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cut_and_joined_are_inverse(dtype):
    every = songs(70, 20, 33)
    windows, starts = every.split_into(20)
    joined = every.overlap_merge(windows.astype(dtype), starts)
    assert joined.dtype == dtype
    np.testing.assert_array_equal(joined, every.values)


def test_sequences_that_overlap_are_averaged():
    every = songs(9, 6)
    _, starts = every.split_into(5, hop=2)
    assert starts.tolist() == [0, 2, 4, 9, 10]
    weights = np.arange(1.0, 6)[:, None, None]  # another value for each window
    mean = every.overlap_mean(np.broadcast_to(weights, (5, 5, 1)), starts)[:, 0]
    np.testing.assert_allclose(mean, [1, 1, 1.5, 1.5, 2, 2.5, 2.5, 3, 3, 4, 4.5, 4.5, 4.5, 4.5, 5])
    np.testing.assert_array_equal(every.overlap_mean(*every.split_into(3, hop=1)), every.values)


def test_a_song_shorter_than_the_sequence_cannot_be_cut():
    with pytest.raises(InputError, match="a song of 19 frames cannot be cut into sequences of 20"):
        songs(60, 19).split_into(20)


@pytest.mark.parametrize("level", [0.0, 0.1, -18.42, 1e30])
def test_moments_are_scikit_learns(level):
    """A dimension that does not vary among some songs is divided by 1, however far another song is from it."""
    every, rng = songs(60, 33, 20), np.random.default_rng(0)
    values = np.column_stack([every.values, np.full(113, level), rng.standard_normal(113) * 1e-3 + 5]).astype("float32")
    values[93:, 2] += 2  # of the last song
    every = Sequences(values, every.bounds)
    for some in ([0, 1], [2], [0, 1, 2]):
        scaler = StandardScaler().fit(np.concatenate([every[i] for i in some]).astype("float64"))
        mean, std = every.moments(np.array(some))
        np.testing.assert_allclose(mean, scaler.mean_, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(std, scaler.scale_, rtol=1e-5)
        assert (std[2] == 1) == (len(some) < 3 or level == 1e30)


def test_moments_are_computed_in_double_precision():
    """A sum of many values in single precision is off; a song may have one frame."""
    values = 1000.1 + np.random.default_rng(0).random((30001, 2))
    every = Sequences.of([values[:1].astype("float32"), values[1:].astype("float32")])
    mean, std = every.moments(np.array([0, 1]))
    assert (mean.dtype, std.dtype) == (np.float32, np.float32) and len(every) == 2
    np.testing.assert_allclose(mean, every.values.mean(0, "float64"), rtol=1e-7)
    np.testing.assert_allclose(std, every.values.std(0, "float64"), rtol=1e-5)


def test_every_stretch_has_a_start():
    every = songs(70, 20)
    windows, starts = every.split_into(20)
    with pytest.raises(ValueError):
        every.overlap_merge(windows, starts[1:])


def test_crops_lie_within_their_songs():
    """And begin anywhere where they fit, in the order that is asked for."""
    every, rng, begins = songs(9, 6, 4), np.random.default_rng(0), {0: set(), 1: set(), 2: set()}
    for _ in range(200):
        for song, crop in zip((2, 0, 1), every.crops(np.array([2, 0, 1]), 4, rng), strict=True):
            (start,) = [i for i in range(len(every[song]) - 3) if np.array_equal(every[song][i : i + 4], crop)]
            begins[song].add(start)
    assert begins == {0: set(range(6)), 1: {0, 1, 2}, 2: {0}}


GROUPS = [f"band {i}" for i in [0] * 9 + [1] * 6 + [2, 3, 4, 4, 5, 6, 7, 8, 8, 8]]


@pytest.mark.parametrize("folds", [2, 5, 9])
def test_folds_keep_groups_together(folds):
    fold_of = k_folds(25, folds, 0, GROUPS)
    assert set(fold_of) == set(range(folds))
    for group in GROUPS:
        assert len({k for k, other in zip(fold_of, GROUPS, strict=True) if other == group}) == 1
    np.testing.assert_array_equal(fold_of, k_folds(25, folds, 0, GROUPS))
    assert folds == 9 or any((fold_of != k_folds(25, folds, seed, GROUPS)).any() for seed in (1, 2))
    alone = k_folds(25, folds, 0)
    assert np.ptp(np.bincount(alone)) <= 1 and len({alone[i] for i in range(9)}) > 1  # without groups they are split


def test_no_more_folds_than_artists_of_a_class():
    """Else a fold's training part could lack the class."""
    classes = ["a"] * 15 + ["b"] * 10  # by 2 and by 7 bands
    assert set(k_folds(25, 2, 0, GROUPS, classes)) == {0, 1}
    with pytest.raises(InputError, match=r"3 folds .* each with songs of every class, cannot be made; --folds takes 2"):
        k_folds(25, 3, 0, GROUPS, classes)


@pytest.mark.parametrize("groups", [None, [f"band {i // 2}" for i in range(60)]])
def test_folds_have_an_equal_share_of_each_class(groups):
    classes = np.array(list("aab" * 20)) if groups is None else np.repeat(["a", "b"], [40, 20])
    fold_of = k_folds(60, 5, 0, groups, classes)
    for name, n in (("a", 8), ("b", 4)):
        assert np.bincount(fold_of[classes == name]).tolist() == [n] * 5


def test_no_more_folds_than_songs_of_a_class():
    classes = ["a"] * 9 + ["b"] * 6 + ["c"] * 3
    assert np.bincount(k_folds(18, 3, 0, classes=classes)[-3:]).tolist() == [1, 1, 1]
    with pytest.raises(InputError, match="takes 2 to 3"):
        k_folds(18, 4, 0, classes=classes)
    with pytest.raises(InputError, match="at least 2 songs of every class are needed"):
        k_folds(4, 2, 0, classes=list("abcd"))
    assert np.bincount(k_folds(18, 3, 0, classes=["a"] * 18)).tolist() == [6, 6, 6]


@pytest.mark.parametrize(
    ("folds", "groups", "told"),
    [
        (10, GROUPS, "10 folds of 25 songs by 9 artists cannot be made; --folds takes 2 to 9"),
        (1, GROUPS, "--folds takes 2 to 9"),
        (26, None, "26 folds of 25 songs cannot be made; --folds takes 2 to 25"),
        (3, 12 * ["a"] + 13 * ["b"], "3 folds of 25 songs by 2 artists cannot be made; --folds takes 2$"),
        (2, 25 * ["a"], "cannot be made; at least 2 artists are needed"),
    ],
)
def test_more_folds_than_groups(folds, groups, told):
    with pytest.raises(InputError, match=told):
        k_folds(25, folds, 0, groups)


def three_parts(y, artists, size, seed):
    split = random_split(("test", "again"), y, seed, test=1 / 3, validation=0.2, groups=artists, size=size)
    assert split.seed == seed and split.tests.keys() == {"test", "again"}
    np.testing.assert_array_equal(*split.tests.values())
    return split.train, split.validation, split.tests["test"]


def test_three_parts_have_their_share_of_each_class():
    """46 of 138 tested as 15, 16 and 15, 19 validated, 73 trained on; other songs from another seed."""
    y, seen = np.repeat([0, 1, 2], 46), set()
    for seed in range(3):
        train, validated, test = three_parts(y, None, None, seed)
        assert (len(train), len(validated), len(test)) == (73, 19, 46)
        assert sorted([*train, *validated, *test]) == list(range(138))
        assert sorted(np.bincount(y[test])) == [15, 15, 16]
        np.testing.assert_array_equal(test, three_parts(y, None, None, seed)[2])
        seen.add(tuple(test))
    assert len(seen) == 3


@pytest.mark.parametrize("size", [None, 60])
def test_no_artist_is_on_two_sides(size):
    rng = np.random.default_rng(0)
    y, names = rng.integers(0, 2, 200), [str(a) for a in rng.integers(0, 60, 200)]
    parts = three_parts(y, names, size, 0)
    artists = [{names[i] for i in part} for part in parts]
    assert not artists[0] & artists[1] and not (artists[0] | artists[1]) & artists[2]
    assert sum(map(len, parts[:2])) == (size or 200 - len(parts[2]))
    np.testing.assert_array_equal(parts[2], three_parts(y, names, None, 0)[2])  # sizes share their tests


def test_a_split_without_tests_or_validation():
    y = np.repeat([0, 1], 20)
    split = random_split(("test",), y, 0, test=0, validation=0)
    assert split.train.tolist() == list(range(40)) and not len(split.validation) and not len(split.tests["test"])


def test_a_size_that_is_not_below_what_there_is_changes_nothing():
    y = np.repeat([0, 1, 2], 46)
    for size in (92, 500):
        for part, expected in zip(three_parts(y, None, size, 1), three_parts(y, None, None, 1), strict=True):
            np.testing.assert_array_equal(part, expected)
    small = three_parts(y, None, 30, 1)
    assert len(small[0]) + len(small[1]) == 30 and np.bincount(y[[*small[0], *small[1]]]).tolist() == [10, 10, 10]


def test_every_artist_is_tested_in_some_split():
    """scikit-learn puts the largest artists into the same fold whatever the seed; the fold is drawn here."""
    artists = ["large"] * 30 + ["middle"] * 20 + [str(i) for i in range(100)]
    tested = [np.isin(np.arange(150), three_parts(np.arange(150) % 2, artists, None, seed)[2]) for seed in range(40)]
    assert np.mean(tested, axis=0).min() > 0.1 and np.mean(tested, axis=0).max() < 0.7


def test_an_artist_with_all_songs_of_a_class_cannot_be_split():
    artists = ["one"] * 20 + [str(i) for i in range(20)]
    with pytest.raises(InputError, match=r"cannot be made|no song of some class"):
        three_parts(np.repeat([0, 1], 20), artists, None, 0)


def test_a_cross_validation_tests_each_song_once():
    """Fold k of seed s tests the songs of `k_folds`, trains on the others; its networks have the seed 1000 s + k."""
    y = np.repeat([0, 1], 10)
    splits = cross_validation("cv", 20, 5, 3, classes=y)
    fold_of = k_folds(20, 5, 3, classes=y)
    assert [(split.fold, split.seed, list(split.tests)) for split in splits] == [
        (k, 3000 + k, ["cv"]) for k in range(5)
    ]
    for k, split in enumerate(splits):
        np.testing.assert_array_equal(split.tests["cv"], np.flatnonzero(fold_of == k))
        np.testing.assert_array_equal(split.train, np.flatnonzero(fold_of != k))
        assert not len(split.validation)


def test_scaled_sequences_keep_their_songs():
    every = songs(7, 5)
    scaled = every.scaled(np.float32([1, -2]), np.float32([2, 0.5]))
    np.testing.assert_array_equal(scaled.bounds, every.bounds)
    np.testing.assert_allclose(scaled.values, (every.values - [1, -2]) / [2, 0.5], rtol=1e-5, atol=1e-6)
    assert scaled.values.dtype == np.float32
