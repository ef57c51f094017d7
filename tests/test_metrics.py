import numpy as np
import pytest
from scipy.stats import pearsonr

from common import metrics
from common.errors import InputError

rng = np.random.default_rng(3)
rated, fold_of = rng.random((60, 3)), np.arange(60) % 4
guessed = rated + rng.standard_normal((60, 3)) * [0.1, 0.5, 2]


def test_pooled_r_is_scipys():
    expected = [pearsonr(a, b).statistic for a, b in zip(rated.T, guessed.T, strict=True)]
    np.testing.assert_allclose(metrics.pearson_r_pooled(rated, guessed), expected)


def test_mean_over_folds_is_scipys():
    folds = [[pearsonr(rated[fold_of == k, i], guessed[fold_of == k, i]).statistic for i in range(3)] for k in range(4)]
    found = metrics.pearson_r_mean_over_folds(rated, guessed, fold_of)
    np.testing.assert_allclose(found, np.mean(folds, axis=0))


def test_standardising_the_reference_changes_no_r():
    z = metrics.standardised(rated)
    for reference in (rated, z):
        found = metrics.correlations(reference, guessed, fold_of, ["a", "b", "c"])
        assert found == metrics.correlations(rated, guessed, fold_of, ["a", "b", "c"])
    assert found["pearson_r_pooled"]["average"] == pytest.approx(metrics.pearson_r_pooled(z, guessed).mean(), abs=1e-5)


def test_a_constant_estimate_tells_nothing():
    assert (metrics.pearson_r_pooled(rated, np.full((60, 3), 0.3)) == 0).all()


def test_malformed_input():
    with pytest.raises(InputError, match="shape"):
        metrics.pearson_r_pooled(rated, guessed[:50])
    with pytest.raises(InputError, match="finite"):
        metrics.pearson_r_pooled(rated, np.where(guessed > 0, guessed, np.nan))
    with pytest.raises(InputError, match="2 songs"):
        metrics.pearson_r_pooled([1.0], [1.0])


def test_split_half_reliability_of_raters_with_known_noise():
    """True scores of variance 1, 16 raters with noise of variance 4: reliability of the mean 1 / (1 + 4 / 16)."""
    songs, raters = 3000, 16
    truth = rng.standard_normal(songs)
    responses = (truth[:, None] + 2 * rng.standard_normal((songs, raters))).reshape(-1, 1)
    found = metrics.split_half_reliability(responses, np.repeat(np.arange(songs), raters), splits=5)
    assert found[0] == pytest.approx(1 / (1 + 4 / 16), abs=0.02)
