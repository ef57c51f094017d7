"""The network of cheuk2020, its triplets, and its protocol on synthetic music."""

import numpy as np
import pytest

from reproductions.cheuk2020.triplets import mine


def test_parameters_of_the_notebook():
    from common.layers import keras  # noqa: F401
    from reproductions.cheuk2020 import model

    assert model.embedding(260).count_params() == 67_860
    far, near = np.array([[0.0, 0], [0, 0], [3, 0]]), np.array([[0.0, 0], [1, 0], [1, 0]])
    assert np.array(model.triplet_loss(None, np.stack([far, near]))).tolist() == [0, 5]


def test_anchor_and_positive_are_alike_and_the_negative_is_not():
    rating = np.linspace(-1, 1, 80)
    anchor, positive, negative = rating[mine(rating, np.random.default_rng(0)).T]
    assert (np.abs(anchor - positive) <= 0.2).all() and (np.abs(anchor - negative) >= 0.4 - 1e-9).all()


def test_the_notebook_takes_deams_arousal_for_valence(real_root):
    """It prints 112,070 triplets: so many follow from the column `arousal_mean`, but not from `valence_mean`."""
    from data_prep.deam import Deam

    ratings = np.array([rating for song, rating in Deam(real_root).ratings().items() if int(song) <= 2000])
    scaled = (2 * (y - y.min()) / np.ptp(y) - 1 for y in ratings[175:].T)
    assert [len(mine(y, np.random.default_rng(0))) for y in scaled] == [113_010, 112_070]


@pytest.mark.slow
def test_it_trains_on_synthetic_music(train_here):
    done = train_here("cheuk2020", "--quick")
    first_words = {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
    assert done.returncode == 0 and {"tnn_gbm", "gbm", "training_mean"} <= first_words, done.stderr
    done = train_here("cheuk2020", "--folds", "3000")
    assert done.returncode == 2 and "fold 1 of 3000 tests 1 of " in done.stderr and "R² needs 2" in done.stderr
