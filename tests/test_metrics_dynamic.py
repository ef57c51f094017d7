import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from common import metrics
from common.errors import InputError
from common.verdict import resampling

rng = np.random.default_rng(3)
STATE = rng.bit_generator.state


@pytest.fixture(autouse=True)
def _own_numbers():
    """Random numbers of a test do not depend on which tests run before it."""
    rng.bit_generator.state = STATE


def lins_ccc(y, p):
    (var_y, cov), (_, var_p) = np.cov(y, p, ddof=0)
    return 2 * cov / (var_y + var_p + (y.mean() - p.mean()) ** 2)


REFERENCES = {"rmse": root_mean_squared_error, "pearson_r": lambda y, p: pearsonr(y, p).statistic, "ccc": lins_ccc}


def moments_of(courses):
    """What a record keeps of songs, pairs of annotated and predicted courses (n_frames, targets)."""
    moments = [metrics.song_moments(y, p).tolist() for y, p in courses]
    return {"frames": [len(y) for y, _ in courses], "moments": moments}


@pytest.mark.parametrize("lengths", [[30, 30, 30], [2, 71, 400, 9], [12]])
def test_dynamic_metrics_against_references(lengths):
    """Songs of unequal length, each with a level, a spread and an error of its own."""
    songs = []
    for n in lengths:
        y = rng.uniform(-0.5, 0.5, 2) + rng.uniform(0.05, 0.3, 2) * rng.standard_normal((n, 2))
        songs.append((y, 0.6 * y + rng.uniform(-0.2, 0.2, 2) + 0.1 * rng.standard_normal((n, 2))))
    measured = metrics.dynamic(moments_of(songs), ["valence", "arousal"])
    whole = [np.concatenate(courses) for courses in zip(*songs, strict=True)]
    for name, reference in REFERENCES.items():
        pooled = [reference(y, p) for y, p in zip(*(course.T for course in whole), strict=True)]
        by_song = np.mean([[reference(y[:, i], p[:, i]) for i in (0, 1)] for y, p in songs], axis=0)
        for aggregation, expected in (("pooled", pooled), ("per_song", by_song)):
            values = measured.pop(f"{name}_{aggregation}")
            assert list(values) == ["valence", "arousal", "average"]
            np.testing.assert_allclose(list(values.values()), [*expected, np.mean(expected)], atol=1.1e-5)
    assert not measured


@pytest.mark.parametrize(("factor", "shift", "rmse", "r"), [(1, 0, 0, 1), (1 + 1e-9, 1e-9, 0, 1), (0, 0.1, None, 0)])
def test_dynamic_metrics_at_their_ends(factor, shift, rmse, r):
    """An estimate that is right to the last bits; one that does not vary."""
    songs = [(y, factor * y + shift) for y in rng.uniform(-1, 1, (20, 30, 2))]
    measured = metrics.dynamic(moments_of(songs), ["valence", "arousal"])
    for aggregation in ("pooled", "per_song"):
        of_both = [measured[f"{name}_{aggregation}"]["average"] for name in REFERENCES]
        assert np.isfinite(of_both).all() and of_both[1:] == pytest.approx([r, r], abs=1e-5)
        assert rmse is None or of_both[0] == rmse


def test_a_song_of_one_frame_has_no_moments():
    with pytest.raises(InputError, match="needs 2"):
        metrics.song_moments([[0.1, 0.2]], [[0.1, 0.2]])


def test_kendalls_tau_is_scipys():
    """With ties; none where a course does not vary."""
    y, p = rng.standard_normal((2, 40, 3)).round(1)
    p[:, 1] = 0.3
    measured = metrics.kendall_tau(y, p)
    first, _, last = (kendalltau(*courses).statistic for courses in zip(y.T, p.T, strict=True))
    assert measured == [round(first, 6), None, round(last, 6)]
    assert metrics.kendall_tau(p, y)[1] is None
    noise = 1e-8 * rng.standard_normal((40, 3))
    assert metrics.kendall_tau(y, 0.3 + noise) == [None] * 3
    assert metrics.kendall_tau(y, 2 * y + 1) == [1.0] * 3 and metrics.kendall_tau(y, -y) == [-1.0] * 3


@pytest.mark.parametrize("lengths", [[61] * 7, [2, 71, 400, 9]])
def test_metrics_of_songs_against_references(lengths):
    """The last song's estimate of the first target does not vary, and the second song's of the other."""
    songs = []
    for number, n in enumerate(lengths):
        y = rng.uniform(-0.5, 0.5, 2) + rng.uniform(0.05, 0.3, 2) * rng.standard_normal((n, 2))
        songs.append((y, y + (0.05 if number % 2 else 0.4) * rng.uniform(-1, 1, (n, 2))))
    songs[-1][1][:, 0] = songs[1][1][:, 1] = 0.2
    kept = metrics.of_songs(*zip(*songs, strict=True))
    assert set(kept) == {"frames", "moments", "absolute_error", "kendall_tau"} and kept["frames"] == lengths
    np.testing.assert_allclose(kept["moments"], moments_of(songs)["moments"], rtol=1e-6)
    assert [None in taus for taus in kept["kendall_tau"]] == [
        number in (1, len(lengths) - 1) for number in range(len(lengths))
    ]
    measured = metrics.dynamic(kept, ["valence", "arousal"])
    assert {**measured, **metrics.dynamic(moments_of(songs), ["valence", "arousal"])} == measured
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
        assert list(measured[metric].values()) == pytest.approx([*expected, np.mean(expected)], abs=1.1e-5), metric


def test_constant_estimates_have_no_tau():
    songs = [(y, np.full((30, 2), 0.1)) for y in rng.uniform(-1, 1, (20, 30, 2))]
    measured = metrics.dynamic(metrics.of_songs(*zip(*songs, strict=True)), ["valence", "arousal"])
    assert measured["kendall_tau_undefined"]["average"] == 20 and measured["kendall_tau_per_song"]["average"] == 0
    assert measured["r2_pooled"]["average"] <= 0


@pytest.mark.parametrize("level", [0.0, 0.1, -0.7])
@pytest.mark.parametrize("error", [0, 0.2])
def test_r2_of_constant_labels_is_scikit_learns(level, error):
    """1 for an estimate without error, 0 for any other; of whole sets of songs and of resampled ones."""
    y = np.full((40, 2), level)
    songs = [(y, y + error * rng.standard_normal((40, 2))) for _ in range(3)]
    kept = metrics.of_songs(*zip(*songs, strict=True))
    measured = metrics.dynamic(kept, ["valence", "arousal"])
    estimates = np.concatenate([p for _, p in songs])
    expected = r2_score(np.zeros_like(estimates), estimates - level)  # the variance of .1, ..., .1 is not quite 0
    assert measured["r2_pooled"] == dict.fromkeys(["valence", "arousal", "average"], expected)
    assert all(np.isfinite(value) for values in measured.values() for value in values.values())
    assert (resampling.weighted_r2(kept, np.array([[1.0, 0, 2], [1, 1, 1]])) == expected).all()


def test_right_constant_estimates_have_no_concordance():
    """Neither varies, and so no order follows: r and CCC are 0."""
    songs = [(np.full((30, 2), 0.25),) * 2] * 3
    measured = metrics.dynamic(moments_of(songs), ["valence", "arousal"])
    assert {measured[name]["average"] for name in measured if not name.startswith("rmse")} == {0}


def test_one_song_with_a_tau():
    y = rng.uniform(-1, 1, (30, 2))
    kept = metrics.of_songs([y, y, y], [y, 0 * y, 0 * y])
    measured = metrics.dynamic(kept, ["valence", "arousal"])
    assert measured["kendall_tau_per_song"]["average"] == 1 and measured["kendall_tau_undefined"]["average"] == 2


def test_shares_at_their_bounds():
    """At most .05, and above .2: of whole sets of songs and of resampled ones."""
    moments = [np.ones((1, 5)).tolist()] * 4
    songs = {"frames": [9] * 4, "moments": moments, "absolute_error": [[0.05], [0.051], [0.2], [0.201]]}
    measured = metrics.dynamic(songs | {"kendall_tau": [[0.0]] * 4}, ["a"])
    assert (measured["share_within_.05"]["a"], measured["share_beyond_.2"]["a"]) == (0.25, 0.25)
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
    measured = metrics.dynamic(moments_of([rng.random((2, 60, 3))]), ["a", "b", "c"])
    assert not [name for name in measured if not name.startswith(tuple(REFERENCES))]


def test_single_precision_is_computed_in_double():
    """Values far from 0, whose mean in single precision is off."""
    moments = np.array([metrics.song_moments(*(rng.random((2, 30, 2)) + 100)) for _ in range(9)]).astype("float32")
    songs, exact = ({"frames": [30] * 9, "moments": m} for m in (moments, moments.astype(float)))
    np.testing.assert_array_equal(metrics.squared_errors(songs)[1], metrics.squared_errors(exact)[1])
    assert metrics.dynamic(songs, ["a", "b"]) == metrics.dynamic(exact, ["a", "b"])


@pytest.mark.parametrize(
    "songs",
    [
        {"frames": [], "moments": []},
        {"frames": [9, 9], "moments": np.ones((1, 2, 5))},
        {"frames": [9], "moments": np.ones((1, 2, 4))},
        {"frames": [9], "moments": np.full((1, 2, 5), np.nan)},
        {"frames": [np.inf], "moments": np.ones((1, 2, 5))},
    ],
)
def test_songs_that_are_malformed(songs):
    for metric in (metrics.squared_errors, lambda songs: metrics.dynamic(songs, ["a", "b"])):
        with pytest.raises(InputError):
            metric(songs)


def test_sequences_that_are_malformed():
    y = rng.random((30, 2))
    for estimate, what in ((y[:20], "shape"), (np.where(y > 0.5, y, np.nan), "finite")):
        for metric in (metrics.song_moments, metrics.kendall_tau, lambda y, p: metrics.of_songs([y], [p])):
            with pytest.raises(InputError, match=what):
                metric(y, estimate)


def test_rmse_within_sequences():
    """Each sequence has its own root; the last ends with the song, and a shorter song is one sequence."""
    y, p = rng.standard_normal((2, 7, 2))
    parts = [slice(0, 3), slice(3, 6), slice(4, 7)]
    expected = np.mean([root_mean_squared_error(y[k], p[k], multioutput="raw_values") for k in parts], axis=0)
    np.testing.assert_allclose(metrics.rmse_within(y, p, 3), expected)
    of_song = root_mean_squared_error(y, p, multioutput="raw_values")
    np.testing.assert_allclose(metrics.rmse_within(y, p, 9), of_song)
    np.testing.assert_allclose(metrics.rmse_within(y, p, 1), np.abs(y - p).mean(0))


def test_all_sequences_of_all_songs_count_alike():
    songs = [tuple(rng.standard_normal((2, n, 2))) for n in (4, 12)]
    kept = metrics.of_songs(*zip(*songs, strict=True), tau=False, lengths=(4, 6))
    result = metrics.dynamic(kept, ["a", "b"])
    of_fours = [root_mean_squared_error(y[k : k + 4], p[k : k + 4]) for y, p in songs for k in range(0, len(y), 4)]
    assert result["rmse_within_4"]["average"] == pytest.approx(np.mean(of_fours), abs=1.1e-5)
    of_sixes = [
        root_mean_squared_error(*songs[0]),
        *(root_mean_squared_error(*(s[k : k + 6] for s in songs[1])) for k in (0, 6)),
    ]
    assert result["rmse_within_6"]["average"] == pytest.approx(np.mean(of_sixes), abs=1.1e-5)
    assert "kendall_tau_per_song" not in result and "mae_pooled" in result


def test_shorter_sequences_have_no_larger_error():
    """A mean of roots is at most the root of a mean (Jensen): the same predictions, a smaller number."""
    songs = [tuple(rng.standard_normal((2, 60, 2))) for _ in range(5)]
    kept = metrics.of_songs(*zip(*songs, strict=True), tau=False, lengths=(10, 30, 60))
    result = metrics.dynamic(kept, ["a", "b"])
    errors = [result[metric]["a"] for metric in ("rmse_within_10", "rmse_within_30", "rmse_within_60", "rmse_pooled")]
    assert errors == sorted(errors) and errors[0] < errors[-1]
