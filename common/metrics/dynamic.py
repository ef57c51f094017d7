"""Metrics of dynamic labels: a sequence of values a song and target, as valence and arousal every half second.

**Aim.** How far estimates are from the annotations over time, and how well they follow them.

**Conventions.** `reference` and `estimate` of a song are float arrays of shape (n_frames, n_targets), on one clock and
one scale. All metrics but two follow from the moments of each song, so that records keep these and not the sequences.
`songs` is what a record keeps, see `of_songs`. Pooled means over all frames of all songs, so that long songs count
more; `per_song` is the mean over songs of a metric within each. Every value is a finite number.

**Metrics.** `dynamic` computes, by target and as mean over targets,

* `rmse_pooled`, `rmse_per_song`, `mae_pooled`: in the unit of the labels;
* `rmse_within_N`: the mean over sequences of N frames of the RMSE within each, see `rmse_within`;
* `r2_pooled`: at most 1, see `r2`;
* `pearson_r_pooled`, `pearson_r_per_song`: in [-1, 1], 0 where an estimate or a reference does not vary;
* `ccc_pooled`, `ccc_per_song`: the concordance correlation coefficient, 2 cov / (var + var + (mean - mean)²);
* `kendall_tau_per_song`: tau-b, the mean over the songs that have one (0 if none has), and `kendall_tau_undefined`, the
  number of songs that have none, see `kendall_tau`;
* `share_within_.05`, `share_beyond_.2`: of songs whose mean absolute error is at most .05, and above .2.

**Source.** scipy.stats for r and tau, scikit-learn for R²; the concordance correlation coefficient by Lin, Biometrics
45, 1989.
"""

import numpy as np

from common.errors import InputError
from common.metrics import arrays


def validate(reference, estimate) -> tuple[np.ndarray, np.ndarray]:
    """Check the sequences of one song.

    Parameters
    ----------
    reference, estimate : array_like, (n_frames,) or (n_frames, n_targets)

    Returns
    -------
    reference, estimate : float64, (n_frames, n_targets)

    Raises
    ------
    InputError
        On unequal shapes, values that are not finite numbers, or fewer than 2 frames.
    """
    return arrays.pair(reference, estimate, "frames")


def validate_songs(songs: dict) -> tuple[np.ndarray, np.ndarray]:
    """Check what a record keeps of songs.

    Parameters
    ----------
    songs : dict
        As `of_songs` returns it: frames (n_songs,), moments (n_songs, n_targets, 5).

    Returns
    -------
    frames : float64, (n_songs,)
    moments : float64, (n_songs, n_targets, 5)

    Raises
    ------
    InputError
        On other shapes, values that are not finite numbers, or no songs.
    """
    frames = arrays.finite(songs["frames"], "the number of frames of songs")
    moments = arrays.finite(songs["moments"], "the moments of songs")
    if not len(frames) or moments.shape[:1] + moments.shape[2:] != (*frames.shape, 5):
        raise InputError(f"{len(frames)} songs have moments of the shape {moments.shape}, not (n_songs, n_targets, 5)")
    return frames, moments


def song_moments(reference, estimate) -> np.ndarray:
    """Means, variances and covariance of one song's annotation y and estimate ŷ.

    Parameters
    ----------
    reference, estimate : array_like, (n_frames,) or (n_frames, n_targets)

    Returns
    -------
    ndarray, (n_targets, 5)
        [y, ŷ, yy, ŷŷ, yŷ], in the unit of the labels and its square.

    Raises
    ------
    InputError
        As `validate`.
    """
    reference, estimate = validate(reference, estimate)
    means = reference.mean(0), estimate.mean(0)
    y, p = reference - means[0], estimate - means[1]
    return np.stack([*means, (y * y).mean(0), (p * p).mean(0), (y * p).mean(0)], axis=1)


def kendall_tau(reference, estimate) -> list[float | None]:
    """Kendall's tau-b of each target of one song: scipy's `kendalltau`.

    Parameters
    ----------
    reference, estimate : array_like, (n_frames,) or (n_frames, n_targets)

    Returns
    -------
    list of float or None, (n_targets,)
        In [-1, 1]. None where annotation or estimate does not vary (differs by less than 1e-6): then no pair of frames
        has an order.

    Raises
    ------
    InputError
        As `validate`.
    """
    from scipy.stats import kendalltau

    taus = []
    for y, p in zip(*(values.T for values in validate(reference, estimate)), strict=True):
        varies = min(np.ptp(y), np.ptp(p)) > 1e-6
        taus.append(round(float(kendalltau(y, p).statistic), 6) if varies else None)
    return taus


def rmse_within(reference, estimate, length: int) -> np.ndarray:
    """The mean over the sequences of a song of the RMSE within each.

    Sequences follow each other, and the last ends with the song; a shorter song is one sequence.

    Parameters
    ----------
    reference, estimate : array_like
        As in `validate`, whose errors it raises.
    length : int
        Of a sequence, in frames.

    Returns
    -------
    float (n_targets,)
    """
    reference, estimate = validate(reference, estimate)
    length = min(length, len(reference))
    starts = np.minimum(np.arange(0, len(reference), length), len(reference) - length)
    errors = np.square(estimate - reference)[starts[:, None] + np.arange(length)]  # (sequences, length, targets)
    return np.sqrt(errors.mean(axis=1)).mean(axis=0)


def of_songs(references, estimates, *, tau: bool = True, lengths=()) -> dict:
    """What all metrics follow from, as JSON.

    Parameters
    ----------
    references, estimates : iterable of array_like
        (n_frames,) or (n_frames, n_targets) a song.
    tau : bool
        Whether also Kendall's tau.
    lengths : sequence of int
        Of the sequences within which also RMSE is taken, in frames.

    Returns
    -------
    dict of lists
        frames (n_songs,); moments (n_songs, n_targets, 5), see `song_moments`; the mean absolute_error (n_songs,
        n_targets); with `tau` kendall_tau, of the same shape, None where it is not defined; with `lengths` rmse_within,
        a dict of lists of the same shape by length (str).

    Raises
    ------
    InputError
        As `validate`.
    ValueError
        If there are not as many estimates as references.
    """
    pairs = [validate(*pair) for pair in zip(references, estimates, strict=True)]
    moments = [[[float(f"{m:.7g}") for m in target] for target in song_moments(*pair)] for pair in pairs]
    songs = {
        "frames": [len(y) for y, _ in pairs],
        "moments": moments,
        "absolute_error": [np.abs(y - p).mean(0).round(6).tolist() for y, p in pairs],
    }
    if tau:
        songs["kendall_tau"] = [kendall_tau(*pair) for pair in pairs]
    if lengths:
        songs["rmse_within"] = {
            str(length): [rmse_within(*pair, length).round(6).tolist() for pair in pairs] for length in lengths
        }
    return songs


def squared_errors(songs: dict) -> tuple[np.ndarray, np.ndarray]:
    """The mean squared error of each song.

    Parameters
    ----------
    songs : dict
        As `of_songs` returns it: frames (n_songs,), moments (n_songs, n_targets, 5).

    Returns
    -------
    frames : float64, (n_songs,)
    errors : float64, (n_songs, n_targets)
        In the squared unit of the labels.

    Raises
    ------
    InputError
        As `validate_songs`.
    """
    frames, moments = validate_songs(songs)
    y, p, yy, pp, yp = np.moveaxis(moments, -1, 0)
    errors = (p - y) ** 2 + yy + pp - 2 * yp
    return frames, np.maximum(errors, 0)  # the last bit may make it negative


def r2(error: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """R² = 1 - mean squared error / variance of the reference.

    Where the reference does not vary (by more than 1e-5, the standard deviation), 1 if all estimates equal it and 0
    otherwise: scikit-learn's rule.

    Parameters
    ----------
    error, variance : ndarray
        Of equal shapes, in the squared unit of the labels.

    Returns
    -------
    ndarray
        Of the same shape; at most 1.
    """
    varies = variance > 1e-10
    return np.where(varies, 1 - error / np.where(varies, variance, 1), np.where(error > 1e-10, 0.0, 1.0))


def _pearson_r(y, p, yy, pp, yp) -> np.ndarray:
    varies = (yy > 1e-10) & (pp > 1e-10)
    return np.where(varies, yp / np.sqrt(np.where(varies, yy * pp, 1)), 0.0)


def _ccc(y, p, yy, pp, yp) -> np.ndarray:
    scale = yy + pp + (y - p) ** 2
    return np.where(scale > 1e-10, 2 * yp / np.maximum(scale, 1e-10), 0.0)


def _pooled_moments(frames: np.ndarray, moments: np.ndarray) -> list[np.ndarray]:
    """The moments over all frames of all songs, five times (n_targets,)."""
    weight = (frames / frames.sum())[:, None]
    moments = np.moveaxis(moments, -1, 0)
    y, p = ((weight * mean).sum(0) for mean in moments[:2])
    between = [(moments[0] - y) ** 2, (moments[1] - p) ** 2, (moments[0] - y) * (moments[1] - p)]
    return [y, p, *((weight * (within + more)).sum(0) for within, more in zip(moments[2:], between, strict=True))]


def dynamic(songs: dict, targets: list[str]) -> dict:
    """All metrics of dynamic labels as JSON, {metric: {target: value, ..., "average": mean over targets}}.

    Parameters
    ----------
    songs : dict
        As `of_songs` returns it. Without kendall_tau no tau, R² and shares; without absolute_error no MAE either.
    targets : list of str
        Names of the targets, in the order of the moments.

    Raises
    ------
    InputError
        If songs are not what `validate_songs` asks for.
    """
    moments = validate_songs(songs)[1]
    frames, errors = squared_errors(songs)
    weight = (frames / frames.sum())[:, None]
    pooled, of_songs = _pooled_moments(frames, moments), np.moveaxis(moments, -1, 0)
    values = {
        "rmse_pooled": np.sqrt((weight * errors).sum(0)),
        "rmse_per_song": np.sqrt(errors).mean(0),
        "pearson_r_pooled": _pearson_r(*pooled),
        "pearson_r_per_song": _pearson_r(*of_songs).mean(0),
        "ccc_pooled": _ccc(*pooled),
        "ccc_per_song": _ccc(*of_songs).mean(0),
    }
    if "kendall_tau" in songs:  # first, as tables show the first metric
        mean_squared_error = (weight * errors).sum(0)
        values = {"r2_pooled": r2(mean_squared_error, pooled[2])} | _of_orders_and_errors(songs, weight) | values
    elif "absolute_error" in songs:
        values["mae_pooled"] = (weight * songs["absolute_error"]).sum(0)
    for length, of_sequences in songs.get("rmse_within", {}).items():
        sequences = np.ceil(frames / np.minimum(int(length), frames))[:, None]
        values[f"rmse_within_{length}"] = (sequences * of_sequences).sum(0) / sequences.sum()
    return {metric: arrays.by_target(of_targets, targets) for metric, of_targets in values.items()}


def _of_orders_and_errors(songs: dict, weight: np.ndarray) -> dict[str, np.ndarray]:
    """The metrics that do not follow from moments; weight: of each song's frames, (n_songs, 1)."""
    tau, absolute = (np.array(songs[name], "float64") for name in ("kendall_tau", "absolute_error"))
    defined = np.isfinite(tau)
    return {
        "mae_pooled": (weight * absolute).sum(0),
        "kendall_tau_per_song": np.where(defined, tau, 0).sum(0) / np.maximum(defined.sum(0), 1),
        "kendall_tau_undefined": (~defined).sum(0),
        "share_within_.05": (absolute <= 0.05).mean(0),
        "share_beyond_.2": (absolute > 0.2).mean(0),
    }
