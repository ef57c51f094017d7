import numpy as np
import pytest
from scipy.stats import pearsonr

from common import metrics
from common.errors import InputError
from common.metrics import static

rng = np.random.default_rng(3)
STATE = rng.bit_generator.state


@pytest.fixture(autouse=True)
def _own_numbers():
    """Random numbers of a test do not depend on which tests run before it."""
    rng.bit_generator.state = STATE


rated, fold_of = rng.random((60, 3)), np.arange(60) % 4
guessed = rated + rng.standard_normal((60, 3)) * [0.1, 0.5, 2]


def test_pooled_r_is_scipys():
    expected = [pearsonr(a, b).statistic for a, b in zip(rated.T, guessed.T, strict=True)]
    np.testing.assert_allclose(metrics.pearson_r_pooled(rated, guessed), expected)


def test_mean_over_folds_is_scipys():
    folds = [[pearsonr(rated[fold_of == k, i], guessed[fold_of == k, i]).statistic for i in range(3)] for k in range(4)]
    measured = metrics.pearson_r_mean_over_folds(rated, guessed, fold_of)
    np.testing.assert_allclose(measured, np.mean(folds, axis=0))


def test_standardising_the_reference_changes_no_r():
    z = metrics.standardised(rated)
    for reference in (rated, z):
        measured = metrics.correlations(reference, guessed, fold_of, ["a", "b", "c"])
        assert measured == metrics.correlations(rated, guessed, fold_of, ["a", "b", "c"])
    assert measured["pearson_r_pooled"]["average"] == pytest.approx(
        metrics.pearson_r_pooled(z, guessed).mean(), abs=1e-5
    )


def test_a_constant_estimate_tells_nothing():
    assert (metrics.pearson_r_pooled(rated, np.full((60, 3), 0.3)) == 0).all()


def test_a_constant_reference_has_no_order():
    constant = np.column_stack([np.full(60, 0.1), rated[:, 0], rated[:, 1]])  # the mean of 60 times .1 is not .1
    assert metrics.pearson_r_pooled(constant, guessed)[0] == 0
    z = metrics.standardised(constant)
    assert np.abs(z[:, 0]).max() < 1e-12
    np.testing.assert_allclose(z[:, 1:].std(0), 1)


def test_one_constant_target_leaves_the_others_as_they_are():
    for reference, estimate in ((rated, guessed), (guessed, rated)):
        constant = estimate.copy()
        constant[:, 1] = 0.1  # whose mean is not quite .1
        expected = metrics.pearson_r_pooled(reference, estimate) * [1, 0, 1]
        with np.errstate(all="raise"):
            np.testing.assert_array_equal(metrics.pearson_r_pooled(reference, constant), expected)


def test_correlations_have_five_digits():
    measured = metrics.correlations(rated, guessed, fold_of, ["a", "b", "c"])["pearson_r_pooled"]
    r = metrics.pearson_r_pooled(rated, guessed)
    assert list(measured.values()) == [round(float(value), 5) for value in (*r, r.mean())]


def test_r_of_each_fold():
    expected = [
        [round(pearsonr(rated[fold_of == k, i], guessed[fold_of == k, i]).statistic, 4) for i in range(3)]
        for k in range(4)
    ]
    assert metrics.by_fold(rated.tolist(), guessed.tolist(), fold_of.tolist()) == expected


def test_single_precision_is_computed_in_double():
    """Values far from 0, whose mean in single precision is off."""
    single = (1000 + rng.random((4000, 2))).astype("float32")
    np.testing.assert_allclose(metrics.standardised(single), metrics.standardised(single.astype(float)), atol=1e-12)


def test_each_target_has_a_name():
    with pytest.raises(ValueError):
        metrics.correlations(rated, guessed, fold_of, ["a", "b"])


def test_malformed_input():
    with pytest.raises(InputError, match="shape"):
        metrics.pearson_r_pooled(rated, guessed[:50])
    holed = np.where(guessed > 0, guessed, np.nan)
    for pair, what in (((holed, guessed), "the reference"), ((rated, holed), "the estimate")):
        with pytest.raises(InputError, match=f"^{what} holds values that are not finite"):
            metrics.pearson_r_pooled(*pair)
    with pytest.raises(InputError, match="2 songs"):
        metrics.pearson_r_pooled([1.0], [1.0])
    for metric in (metrics.pearson_r_mean_over_folds, metrics.by_fold):
        with pytest.raises(InputError, match="one number for each of 60 songs"):
            metric(rated, guessed, fold_of[:50])
        with pytest.raises(InputError, match="2 songs"):
            metric(rated, guessed, np.arange(60))
    with pytest.raises(InputError, match="finite"):
        metrics.standardised(np.where(rated > 0.5, rated, np.inf))
    for responses, song, what in (([[1.0]] * 3, [0, 0], "one song for each"), ([[np.nan]] * 4, [0, 0, 1, 1], "finite")):
        with pytest.raises(InputError, match=what):
            metrics.split_half_reliability(responses, song)


def test_split_half_reliability_of_raters_with_known_noise():
    """True scores of variance 1, 16 raters with noise of variance 4: reliability of the mean 1 / (1 + 4 / 16)."""
    songs, raters = 3000, 16
    truth = rng.standard_normal(songs)
    responses = (truth[:, None] + 2 * rng.standard_normal((songs, raters))).reshape(-1, 1)
    measured = metrics.split_half_reliability(responses, np.repeat(np.arange(songs), raters), splits=5)
    assert measured[0] == pytest.approx(1 / (1 + 4 / 16), abs=0.02)


def test_raters_who_contradict_each_other():
    """One half is the other turned round: r = -1, where Spearman and Brown's formula divides by zero."""
    responses = np.array([[1.0], [-1.0]] * 2 + [[-1.0], [1.0]] * 2)
    for _ in range(5):
        measured = metrics.split_half_reliability(responses, [0, 0, 1, 1, 2, 2, 3, 3], splits=50)
        assert -1 <= measured[0] <= 1
    opposed = metrics.split_half_reliability([[0.0], [1.0], [1.0], [0.0]], [0, 0, 1, 1], splits=20)
    assert -1 <= opposed[0] <= 1
    with pytest.raises(InputError, match="2 songs with 2 or more responses"):
        metrics.split_half_reliability(responses, np.arange(8))


def test_raters_who_agree_are_reliable_however_many_they_are():
    """An odd number of raters makes halves of unequal size; a song with one response does not count."""
    song = np.repeat(np.arange(6), [2, 3, 5, 4, 1, 3])
    truth = np.array([[1.0, -2], [4, 0], [2, 2], [-3, 1], [99, 99], [0, 5]])
    assert metrics.split_half_reliability(truth[song], song, splits=7) == pytest.approx([1, 1])
    alone = np.append(truth[song], [[3.0, 3]], axis=0), np.append(song, 7)
    assert metrics.split_half_reliability(*alone, splits=7) == pytest.approx([1, 1])


def test_spearman_and_brown(monkeypatch):
    """2 r / (1 + r), at least -1."""
    monkeypatch.setattr(static, "pearson_r_pooled", lambda *halves: np.array([-0.2, 0.5, -0.9]))
    measured = metrics.split_half_reliability(rated[:8], np.arange(8) // 2, splits=3)
    assert measured == pytest.approx([-0.5, 2 / 3, -1])


def test_split_halves_are_drawn_at_random():
    """The mean over splits is that over all ways to divide the raters; r is somewhat negative in most of them."""
    responses, song = np.array([[1.0, 2], [3, 0], [2, 1], [0, 1], [3, 5], [2, 2], [1, 1], [4, 2]]), np.arange(8) // 2
    pairs, measured = responses.reshape(4, 2, 2), []
    for side in np.ndindex(2, 2, 2, 2):
        halves = pairs[range(4), side], pairs[range(4), np.subtract(1, side)]
        r = np.array([np.corrcoef(halves[0][:, k], halves[1][:, k])[0, 1] for k in (0, 1)])
        measured.append(np.maximum(2 * r / (1 + r), -1))
    assert min(map(min, measured)) < 0 < max(map(max, measured))
    drawn = metrics.split_half_reliability(responses, song, splits=4000)
    assert drawn == pytest.approx(np.mean(measured, axis=0), abs=0.05)
    assert (metrics.split_half_reliability(responses, song, splits=1) != drawn).all()
    default = metrics.split_half_reliability(responses, song)
    np.testing.assert_array_equal(default, metrics.split_half_reliability(responses, song, splits=200, seed=0))
