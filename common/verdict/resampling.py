"""Metrics on songs of unequal weight, from what a record keeps, so that songs can be left out.

A metric of `METRICS` is a function of a record, a split, and weights (replicates, n_songs): how often each song counts.
It returns (runs, replicates, targets). Most follow from moments of each song or fold, so that all replicates are one
matrix product.
"""

from functools import partial

import numpy as np

from common import metrics


def leaving_out(names: list[str]) -> np.ndarray:
    """Weights that leave out the songs of one name at a time.

    Parameters
    ----------
    names : list of str, (n_songs,)
        The song or the artist of each.

    Returns
    -------
    ndarray, (1 + groups, n_songs)
        First all songs once, then without those of each name.
    """
    different = list(dict.fromkeys(names))
    left_out = np.array(names)[None, :] == np.array(different)[:, None]
    return np.concatenate([np.ones((1, len(names))), 1.0 - left_out])


def weighted_r(record: dict, split: str, weights: np.ndarray) -> np.ndarray:
    """`pearson_r_mean_over_folds`.

    Parameters
    ----------
    record : dict
        With `reference_z`; its runs have `predictions` and `fold`.
    split : str
    weights : ndarray, (replicates, n_songs)
        How often each song counts.

    Returns
    -------
    ndarray, (runs, replicates, n_targets)
    """
    reference = np.asarray(record["facts"]["reference_z"])
    in_runs = []
    for run in record["runs"]:
        estimate, fold = np.asarray(run["predictions"]), np.asarray(run["fold"])
        estimate = estimate - estimate.mean(0)
        products = (reference, estimate, reference**2, estimate**2, reference * estimate)
        in_folds = []
        for k in np.unique(fold):
            counted = weights[:, fold == k]
            n = np.maximum(counted.sum(1, keepdims=True), 1)
            x, y, xx, yy, xy = (counted @ product[fold == k] / n for product in products)
            spread = (xx - x * x) * (yy - y * y)
            in_folds.append(np.where(spread > 1e-18, (xy - x * y) / np.sqrt(np.maximum(spread, 1e-18)), 0))
        in_runs.append(np.mean(in_folds, axis=0))
    return np.array(in_runs)


def _weighted_means(weights: np.ndarray, importance: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Means over songs, (replicates, targets), of values (n_songs, targets)."""
    importance = np.broadcast_to(importance, values.shape)
    return weights @ (importance * values) / np.maximum(weights @ importance, 1e-12)


def weighted_mse(songs: dict, weights: np.ndarray) -> np.ndarray:
    """The mean squared error over all frames.

    Parameters
    ----------
    songs : dict
        A run's entry of its songs, as `common.metrics.of_songs` returns it.
    weights : ndarray, (replicates, n_songs)
        How often each song counts.

    Returns
    -------
    ndarray, (replicates, n_targets)
    """
    frames, errors = metrics.squared_errors(songs)
    return _weighted_means(weights, frames[:, None], errors)


def weighted_rmse(songs: dict, weights: np.ndarray) -> np.ndarray:
    """`rmse_pooled`.

    Parameters
    ----------
    songs : dict
        A run's entry of its songs, as `common.metrics.of_songs` returns it.
    weights : ndarray, (replicates, n_songs)
        How often each song counts.

    Returns
    -------
    ndarray, (replicates, n_targets)
    """
    return np.sqrt(weighted_mse(songs, weights))


def weighted_r2(songs: dict, weights: np.ndarray) -> np.ndarray:
    """`r2_pooled`.

    Parameters
    ----------
    songs : dict
        A run's entry of its songs, as `common.metrics.of_songs` returns it.
    weights : ndarray, (replicates, n_songs)
        How often each song counts.

    Returns
    -------
    ndarray, (replicates, n_targets)
    """
    frames, moments = np.asarray(songs["frames"], "float64")[:, None], np.asarray(songs["moments"])
    mean, variance = moments[..., 0], moments[..., 2]
    variance = _weighted_means(weights, frames, variance + mean**2) - _weighted_means(weights, frames, mean) ** 2
    return metrics.r2(weighted_mse(songs, weights), variance)


def weighted_mae(songs: dict, weights: np.ndarray) -> np.ndarray:
    """`mae_pooled`.

    Parameters
    ----------
    songs : dict
        A run's entry of its songs, as `common.metrics.of_songs` returns it.
    weights : ndarray, (replicates, n_songs)
        How often each song counts.

    Returns
    -------
    ndarray, (replicates, n_targets)
    """
    return _weighted_means(weights, np.asarray(songs["frames"])[:, None], np.asarray(songs["absolute_error"]))


def weighted_tau(songs: dict, weights: np.ndarray) -> np.ndarray:
    """`kendall_tau_per_song`.

    Parameters
    ----------
    songs : dict
        A run's entry of its songs, as `common.metrics.of_songs` returns it.
    weights : ndarray, (replicates, n_songs)
        How often each song counts.

    Returns
    -------
    ndarray, (replicates, n_targets)
    """
    tau = np.array(songs["kendall_tau"], "float64")
    return _weighted_means(weights, np.isfinite(tau), np.nan_to_num(tau))


def share_within(songs: dict, weights: np.ndarray) -> np.ndarray:
    """`share_within_.05`: the share of songs whose mean absolute error is at most .05.

    Parameters
    ----------
    songs : dict
        A run's entry of its songs, as `common.metrics.of_songs` returns it.
    weights : ndarray, (replicates, n_songs)
        How often each song counts.

    Returns
    -------
    ndarray, (replicates, n_targets)
    """
    return _weighted_means(weights, 1.0, np.asarray(songs["absolute_error"]) <= 0.05)


def share_beyond(songs: dict, weights: np.ndarray) -> np.ndarray:
    """`share_beyond_.2`: the share of songs whose mean absolute error is above .2.

    Parameters
    ----------
    songs : dict
        A run's entry of its songs, as `common.metrics.of_songs` returns it.
    weights : ndarray, (replicates, n_songs)
        How often each song counts.

    Returns
    -------
    ndarray, (replicates, n_targets)
    """
    return _weighted_means(weights, 1.0, np.asarray(songs["absolute_error"]) > 0.2)


def _of_songs(metric, record: dict, split: str, weights: np.ndarray) -> np.ndarray:
    """A metric of the entries that every run has of its songs."""
    return np.array([metric(run["songs"][split], weights) for run in record["runs"]])


def _of_classes(metric: str, record: dict, split: str, weights: np.ndarray) -> np.ndarray:
    """A metric of classes; a record has `reference` and `predicted`, class numbers, -1 for a song not tested."""
    reference, n, in_runs = np.asarray(record["facts"]["reference"]), len(record["facts"]["targets"]), []
    for run in record["runs"]:
        predicted = np.asarray(run["predicted"][split])
        cell = np.where(predicted < 0, n * n, reference * n + predicted)  # of the confusion matrix, or outside it
        counts = weights @ np.eye(n * n + 1)[cell]
        in_runs.append(metrics.of_confusion(counts[:, :-1].reshape(-1, n, n))[metric])
    return np.array(in_runs)


METRICS = {
    **{metric: partial(_of_classes, metric) for metric in ("accuracy", "precision", "recall", "f1")},
    "pearson_r_mean_over_folds": weighted_r,
    "rmse_pooled": partial(_of_songs, weighted_rmse),
    "r2_pooled": partial(_of_songs, weighted_r2),
    "mae_pooled": partial(_of_songs, weighted_mae),
    "kendall_tau_per_song": partial(_of_songs, weighted_tau),
    "share_within_.05": partial(_of_songs, share_within),
    "share_beyond_.2": partial(_of_songs, share_beyond),
}
