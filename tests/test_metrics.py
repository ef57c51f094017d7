import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    mean_absolute_error,
    r2_score,
    root_mean_squared_error,
)

from common import metrics
from common.errors import InputError
from common.verdict import resampling

drawn = np.random.default_rng(3)
rated, fold_of = drawn.random((60, 3)), np.arange(60) % 4
guessed = rated + drawn.standard_normal((60, 3)) * [0.1, 0.5, 2]


@pytest.fixture
def rng():
    """A generator of the test's own: its values do not depend on which tests run before."""
    return np.random.default_rng(4)


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


def test_a_constant_reference_has_no_order():
    constant = np.column_stack([np.full(60, 0.1), rated[:, 0], rated[:, 1]])  # the mean of 60 times .1 is not .1
    assert metrics.pearson_r_pooled(constant, guessed)[0] == 0
    z = metrics.standardised(constant)
    assert np.abs(z[:, 0]).max() < 1e-12
    np.testing.assert_allclose(z[:, 1:].std(0), 1)


def test_one_constant_target_leaves_the_others_as_they_are():
    for reference, estimate, level in ((rated, guessed, 0.1), (guessed, rated, 0.1), (rated, guessed, 7)):
        constant = estimate.copy()
        constant[:, 1] = level  # the mean of 60 times .1 is not .1
        expected = metrics.pearson_r_pooled(reference, estimate) * [1, 0, 1]
        with np.errstate(all="raise"):
            np.testing.assert_array_equal(metrics.pearson_r_pooled(reference, constant), expected)


def test_correlations_have_five_digits():
    found = metrics.correlations(rated, guessed, fold_of, ["a", "b", "c"])["pearson_r_pooled"]
    r = metrics.pearson_r_pooled(rated, guessed)
    assert list(found.values()) == [round(float(value), 5) for value in (*r, r.mean())]


def test_r_of_each_fold():
    expected = [
        [round(pearsonr(rated[fold_of == k, i], guessed[fold_of == k, i]).statistic, 4) for i in range(3)]
        for k in range(4)
    ]
    assert metrics.by_fold(rated.tolist(), guessed.tolist(), fold_of.tolist()) == expected


def test_single_precision_is_computed_in_double(rng):
    """Values far from 0, whose mean in single precision is off."""
    single = (1000 + rng.random((4000, 2))).astype("float32")
    np.testing.assert_allclose(metrics.standardised(single), metrics.standardised(single.astype(float)), atol=1e-12)
    r = metrics.pearson_r_pooled(single, single[::-1])
    np.testing.assert_array_equal(r, metrics.pearson_r_pooled(single.astype(float), single[::-1].astype(float)))
    moments = np.array([metrics.song_moments(*(rng.random((2, 30, 2)) + 100)) for _ in range(9)]).astype("float32")
    songs, exact = ({"frames": [30] * 9, "moments": m} for m in (moments, moments.astype(float)))
    np.testing.assert_array_equal(metrics.squared_errors(songs)[1], metrics.squared_errors(exact)[1])
    assert metrics.dynamic(songs, ["a", "b"]) == metrics.dynamic(exact, ["a", "b"])


def test_each_target_has_a_name():
    with pytest.raises(ValueError):
        metrics.correlations(rated, guessed, fold_of, ["a", "b"])


def test_malformed_input():
    with pytest.raises(InputError, match="shape"):
        metrics.pearson_r_pooled(rated, guessed[:50])
    with pytest.raises(InputError, match="finite"):
        metrics.pearson_r_pooled(rated, np.where(guessed > 0, guessed, np.nan))
    with pytest.raises(InputError, match="2 songs"):
        metrics.pearson_r_pooled([1.0], [1.0])


def test_split_half_reliability_of_raters_with_known_noise(rng):
    """True scores of variance 1, 16 raters with noise of variance 4: reliability of the mean 1 / (1 + 4 / 16)."""
    songs, raters = 3000, 16
    truth = rng.standard_normal(songs)
    responses = (truth[:, None] + 2 * rng.standard_normal((songs, raters))).reshape(-1, 1)
    found = metrics.split_half_reliability(responses, np.repeat(np.arange(songs), raters), splits=5)
    assert found[0] == pytest.approx(1 / (1 + 4 / 16), abs=0.02)


def test_raters_who_contradict_each_other():
    """One half is the other turned round: r = -1, where Spearman and Brown's formula divides by zero."""
    responses = np.array([[1.0], [-1.0]] * 2 + [[-1.0], [1.0]] * 2)
    for _ in range(5):
        found = metrics.split_half_reliability(responses, [0, 0, 1, 1, 2, 2, 3, 3], splits=50)
        assert -1 <= found[0] <= 1
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
    monkeypatch.setattr(metrics, "pearson_r_pooled", lambda *halves: np.array([-0.2, 0.5, -0.9]))
    found = metrics.split_half_reliability(rated[:8], np.arange(8) // 2, splits=3)
    assert found == pytest.approx([-0.5, 2 / 3, -1])


def test_split_halves_are_drawn_at_random():
    """The mean over splits is that over all ways to divide the raters; r is somewhat negative in most of them."""
    responses, song = np.array([[1.0, 2], [3, 0], [2, 1], [0, 1], [3, 5], [2, 2], [1, 1], [4, 2]]), np.arange(8) // 2
    pairs, found = responses.reshape(4, 2, 2), []
    for side in np.ndindex(2, 2, 2, 2):
        halves = pairs[range(4), side], pairs[range(4), np.subtract(1, side)]
        r = np.array([np.corrcoef(halves[0][:, k], halves[1][:, k])[0, 1] for k in (0, 1)])
        found.append(np.maximum(2 * r / (1 + r), -1))
    assert min(map(min, found)) < 0 < max(map(max, found))
    drawn = metrics.split_half_reliability(responses, song, splits=4000)
    assert drawn == pytest.approx(np.mean(found, axis=0), abs=0.05)
    assert (metrics.split_half_reliability(responses, song, splits=1) != drawn).all()
    default = metrics.split_half_reliability(responses, song)
    np.testing.assert_array_equal(default, metrics.split_half_reliability(responses, song, splits=200, seed=0))


# Dynamic labels.


def lins_ccc(y, p):
    (var_y, cov), (_, var_p) = np.cov(y, p, ddof=0)
    return 2 * cov / (var_y + var_p + (y.mean() - p.mean()) ** 2)


REFERENCES = {"rmse": root_mean_squared_error, "pearson_r": lambda y, p: pearsonr(y, p).statistic, "ccc": lins_ccc}


def moments_of(courses):
    """What a record keeps of songs, pairs of annotated and predicted courses (n_frames, targets)."""
    moments = [metrics.song_moments(y, p).tolist() for y, p in courses]
    return {"frames": [len(y) for y, _ in courses], "moments": moments}


@pytest.mark.parametrize("lengths", [[30, 30, 30], [2, 71, 400, 9], [12]])
def test_dynamic_metrics_against_references(lengths, rng):
    """Songs of unequal length, each with a level, a spread and an error of its own."""
    songs = []
    for n in lengths:
        y = rng.uniform(-0.5, 0.5, 2) + rng.uniform(0.05, 0.3, 2) * rng.standard_normal((n, 2))
        songs.append((y, 0.6 * y + rng.uniform(-0.2, 0.2, 2) + 0.1 * rng.standard_normal((n, 2))))
    found = metrics.dynamic(moments_of(songs), ["valence", "arousal"])
    whole = [np.concatenate(courses) for courses in zip(*songs, strict=True)]
    for name, reference in REFERENCES.items():
        pooled = [reference(y, p) for y, p in zip(*(course.T for course in whole), strict=True)]
        by_song = np.mean([[reference(y[:, i], p[:, i]) for i in (0, 1)] for y, p in songs], axis=0)
        for aggregation, expected in (("pooled", pooled), ("per_song", by_song)):
            values = found.pop(f"{name}_{aggregation}")
            assert list(values) == ["valence", "arousal", "average"]
            np.testing.assert_allclose(list(values.values()), [*expected, np.mean(expected)], atol=1.1e-5)
    assert not found


@pytest.mark.parametrize(("factor", "shift", "rmse", "r"), [(1, 0, 0, 1), (1 + 1e-9, 1e-9, 0, 1), (0, 0.1, None, 0)])
def test_dynamic_metrics_at_their_ends(factor, shift, rmse, r, rng):
    """An estimate that is right to the last bits; one that does not vary."""
    songs = [(y, factor * y + shift) for y in rng.uniform(-1, 1, (20, 30, 2))]
    found = metrics.dynamic(moments_of(songs), ["valence", "arousal"])
    for aggregation in ("pooled", "per_song"):
        of_both = [found[f"{name}_{aggregation}"]["average"] for name in REFERENCES]
        assert np.isfinite(of_both).all() and of_both[1:] == pytest.approx([r, r], abs=1e-5)
        assert rmse is None or of_both[0] == rmse


def test_a_song_of_one_frame_has_no_moments():
    with pytest.raises(InputError, match="needs 2"):
        metrics.song_moments([[0.1, 0.2]], [[0.1, 0.2]])


def test_kendalls_tau_is_scipys(rng):
    """With ties; none where a course does not vary."""
    y, p = rng.standard_normal((2, 40, 3)).round(1)
    p[:, 1] = 0.3
    found = metrics.kendall_tau(y, p)
    first, _, last = (kendalltau(*courses).statistic for courses in zip(y.T, p.T, strict=True))
    assert found == [round(first, 6), None, round(last, 6)]
    assert metrics.kendall_tau(p, y)[1] is None
    noise = 1e-8 * rng.standard_normal((40, 3))
    assert metrics.kendall_tau(y, 0.3 + noise) == [None] * 3
    assert metrics.kendall_tau(y, 2 * y + 1) == [1.0] * 3 and metrics.kendall_tau(y, -y) == [-1.0] * 3


@pytest.mark.parametrize("lengths", [[61] * 7, [2, 71, 400, 9]])
def test_metrics_of_songs_against_references(lengths, rng):
    """The last song's estimate of the first target does not vary, and the second song's of the other."""
    songs = []
    for number, n in enumerate(lengths):
        y = rng.uniform(-0.5, 0.5, 2) + rng.uniform(0.05, 0.3, 2) * rng.standard_normal((n, 2))
        songs.append((y, y + (0.05 if number % 2 else 0.4) * rng.uniform(-1, 1, (n, 2))))
    songs[-1][1][:, 0] = songs[1][1][:, 1] = 0.2
    kept = metrics.of_songs(*zip(*songs, strict=True))
    assert set(kept) == {"frames", "moments", "absolute_error", "kendall_tau"} and kept["frames"] == lengths
    np.testing.assert_allclose(kept["moments"], moments_of(songs)["moments"], rtol=1e-6)
    assert [None in taus for taus in kept["kendall_tau"]] == [number in (1, len(lengths) - 1)
                                                              for number in range(len(lengths))]  # fmt: skip
    found = metrics.dynamic(kept, ["valence", "arousal"])
    for metric, values in metrics.dynamic(moments_of(songs), ["valence", "arousal"]).items():
        assert found[metric] == pytest.approx(values, abs=1.1e-5)  # a record's moments have seven digits
    y, p = (np.concatenate(courses) for courses in zip(*songs, strict=True))
    errors = np.array([np.abs(a - b).mean(axis=0) for a, b in songs])
    taus = [[kendalltau(a[:, k], b[:, k]).statistic for a, b in songs if np.ptp(b[:, k])] for k in (0, 1)]
    assert (errors <= 0.05).any() and (errors > 0.05).any()
    for metric, expected in (
        ("r2_pooled", r2_score(y, p, multioutput="raw_values")),
        ("mae_pooled", mean_absolute_error(y, p, multioutput="raw_values")),
        ("kendall_tau_per_song", [np.mean(of_target) for of_target in taus]),
        ("kendall_tau_undefined", [1, 1]),
        ("share_within_.05", (errors <= 0.05).mean(axis=0)),
    ):
        assert list(found[metric].values()) == pytest.approx([*expected, np.mean(expected)], abs=1.1e-5), metric


def test_constant_estimates_have_no_tau(rng):
    songs = [(y, np.full((30, 2), 0.1)) for y in rng.uniform(-1, 1, (20, 30, 2))]
    found = metrics.dynamic(metrics.of_songs(*zip(*songs, strict=True)), ["valence", "arousal"])
    assert found["kendall_tau_undefined"]["average"] == 20 and found["kendall_tau_per_song"]["average"] == 0
    assert found["r2_pooled"]["average"] <= 0


@pytest.mark.parametrize("level", [0.0, 0.1, -0.7])
@pytest.mark.parametrize("error", [0, 0.2])
def test_r2_of_constant_labels_is_scikit_learns(level, error, rng):
    """1 for an estimate without error, 0 for any other; of whole sets of songs and of resampled ones."""
    y = np.full((40, 2), level)
    songs = [(y, y + error * rng.standard_normal((40, 2))) for _ in range(3)]
    kept = metrics.of_songs(*zip(*songs, strict=True))
    found = metrics.dynamic(kept, ["valence", "arousal"])
    estimates = np.concatenate([p for _, p in songs])
    expected = r2_score(np.zeros_like(estimates), estimates - level)  # the variance of .1, ..., .1 is not quite 0
    assert found["r2_pooled"] == dict.fromkeys(["valence", "arousal", "average"], expected)
    assert all(np.isfinite(value) for values in found.values() for value in values.values())
    assert (resampling.weighted_r2(kept, np.array([[1.0, 0, 2], [1, 1, 1]])) == expected).all()


def test_right_constant_estimates_have_no_concordance():
    """Neither varies, and so no order follows: r and CCC are 0."""
    songs = [(np.full((30, 2), 0.25),) * 2] * 3
    found = metrics.dynamic(moments_of(songs), ["valence", "arousal"])
    assert {found[name]["average"] for name in found if not name.startswith("rmse")} == {0}


def test_one_song_with_a_tau(rng):
    y = rng.uniform(-1, 1, (30, 2))
    kept = metrics.of_songs([y, y, y], [y, 0 * y, 0 * y])
    found = metrics.dynamic(kept, ["valence", "arousal"])
    assert found["kendall_tau_per_song"]["average"] == 1 and found["kendall_tau_undefined"]["average"] == 2


def test_shares_at_their_bounds():
    """At most .05, and above .2: of whole sets of songs and of resampled ones."""
    moments = [np.ones((1, 5)).tolist()] * 4
    songs = {"frames": [9] * 4, "moments": moments, "absolute_error": [[0.05], [0.051], [0.2], [0.201]]}
    found = metrics.dynamic(songs | {"kendall_tau": [[0.0]] * 4}, ["a"])
    assert (found["share_within_.05"]["a"], found["share_beyond_.2"]["a"]) == (0.25, 0.25)
    weights = np.array([[1.0, 1, 1, 1], [3, 0, 1, 0]])
    assert resampling.share_within(songs, weights)[:, 0].tolist() == [0.25, 0.75]
    assert resampling.share_beyond(songs, weights)[:, 0].tolist() == [0.25, 0]


def test_what_a_record_keeps_of_songs():
    """Errors to six digits; and as many estimates as songs."""
    y, p = np.array([[0.1], [0.2], [0.4]]), np.array([[0.1234567], [0.2], [0.4]])
    assert metrics.of_songs([y], [p])["absolute_error"] == [[0.007819]]
    with pytest.raises(ValueError):
        metrics.of_songs([y, y], [p])


def test_songs_without_taus_have_the_other_metrics_alone():
    found = metrics.dynamic(moments_of([(rated, guessed)]), ["a", "b", "c"])
    assert not [name for name in found if not name.startswith(tuple(REFERENCES))]


def test_metrics_of_classes_against_scikit_learn(rng):
    """One class is never predicted, another has no song."""
    classes = ["a", "b", "c", "d"]
    reference, predicted = rng.integers(0, 3, 200), rng.choice([0, 2, 3], 200)
    found = metrics.classification(reference, predicted, classes)
    report = classification_report(
        reference, predicted, labels=range(4), target_names=classes, output_dict=True, zero_division=0
    )
    assert found["accuracy"] == {"all": pytest.approx(accuracy_score(reference, predicted), abs=1e-5)}
    for metric, name in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
        assert list(found[metric]) == [*classes, "macro avg", "weighted avg"]
        for target, value in found[metric].items():
            assert value == pytest.approx(report[target][name], abs=1e-5), (metric, target)


def test_confusion_counts_songs():
    assert metrics.confusion([0, 0, 2, 2, 2], [0, 1, 2, 2, 0], 3).tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 2]]


def test_metrics_of_several_confusions_are_those_of_each(rng):
    each = rng.integers(0, 9, (5, 3, 3))
    together = metrics.of_confusion(each)
    for k, alone in enumerate(map(metrics.of_confusion, each)):
        for metric, values in alone.items():
            np.testing.assert_array_equal(together[metric][k], values)


def test_metrics_of_classes_have_five_digits():
    found = metrics.classification([0, 0, 0, 1], [0, 0, 1, 1], ["a", "b"])
    assert found["recall"]["a"] == 0.66667


def test_of_no_songs_nothing_is_right():
    found = metrics.of_confusion(np.zeros((2, 3, 3)))
    assert all((values == 0).all() for values in found.values())
