"""Metrics of static labels: one value a song and target, as the share of listeners who felt an emotion.

**Aim.** How well estimates put songs in order, by Pearson's r.

**Conventions.** `reference` and `estimate` are float arrays of the same shape, (n_songs,) or (n_songs, n_targets), of
any scale. `fold` holds the fold that tested each song, integers of shape (n_songs,). A metric returns one value a
target, (n_targets,), in the order of the columns; every value is a finite number. Where estimate or reference does not
vary, r = 0: no order of the songs follows from it.

**Metrics.**

* `pearson_r_pooled`: r over all songs at once.
* `pearson_r_mean_over_folds`: r within each fold, then the mean over folds; `by_fold` gives that of each fold.
* `correlations`: both by target, as JSON.
* `split_half_reliability`: the agreement of the raters, which bounds any model's r.

**Source.** Pearson's r as in `scipy.stats.pearsonr`; reliability by Spearman (1910) and Brown (1910), British Journal
of Psychology 3.
"""

import numpy as np

from common.errors import InputError
from common.metrics import arrays


def validate(reference, estimate, fold=None) -> tuple[np.ndarray, np.ndarray]:
    """Check the input of a metric.

    Parameters
    ----------
    reference, estimate : array_like, (n_songs,) or (n_songs, n_targets)
    fold : array_like, (n_songs,), optional

    Returns
    -------
    reference, estimate : float64, (n_songs, n_targets)

    Raises
    ------
    InputError
        On unequal shapes, values that are not finite numbers, fewer than 2 songs, or a fold for more or fewer songs.
    """
    reference, estimate = arrays.pair(reference, estimate, "songs")
    if fold is not None and np.shape(fold) != (len(reference),):
        raise InputError(f"fold has the shape {np.shape(fold)}; it needs one number for each of {len(reference)} songs")
    return reference, estimate


def pearson_r_pooled(reference, estimate) -> np.ndarray:
    """Pearson's r over all songs at once.

    Parameters
    ----------
    reference, estimate : array_like, (n_songs,) or (n_songs, n_targets)

    Returns
    -------
    ndarray, (n_targets,)
        In [-1, 1]; 0 where reference or estimate does not vary.

    Raises
    ------
    InputError
        As `validate`.

    Examples
    --------
    >>> pearson_r_pooled([1, 2, 3], [2, 4, 7]).round(3)
    array([0.993])
    """
    reference, estimate = validate(reference, estimate)
    a, b = reference - reference.mean(0), estimate - estimate.mean(0)
    scale = np.sqrt((a * a).sum(0) * (b * b).sum(0))
    varies = np.minimum(np.ptp(reference, axis=0), np.ptp(estimate, axis=0)) > 1e-12
    return np.where(varies, (a * b).sum(0) / np.where(scale > 0, scale, 1), 0.0)


def _in_folds(reference, estimate, fold) -> np.ndarray:
    """Pearson's r within the songs of each fold, (n_folds, n_targets)."""
    reference, estimate = validate(reference, estimate, fold)
    fold = np.asarray(fold)
    return np.array([pearson_r_pooled(reference[fold == k], estimate[fold == k]) for k in np.unique(fold)])


def pearson_r_mean_over_folds(reference, estimate, fold) -> np.ndarray:
    """Pearson's r within the songs of each fold, then the mean over the folds.

    Parameters
    ----------
    reference, estimate : array_like, (n_songs,) or (n_songs, n_targets)
    fold : array_like of int, (n_songs,)

    Returns
    -------
    ndarray, (n_targets,)
        In [-1, 1].

    Raises
    ------
    InputError
        As `validate`, and if a fold has fewer than 2 songs.
    """
    return _in_folds(reference, estimate, fold).mean(0)


def by_fold(reference, estimate, fold) -> list[list[float]]:
    """Pearson's r of each fold and target as JSON.

    Parameters
    ----------
    reference, estimate : array_like, (n_songs,) or (n_songs, n_targets)
    fold : array_like of int, (n_songs,)

    Returns
    -------
    list of list of float, (n_folds, n_targets)
        In [-1, 1], with four digits.

    Raises
    ------
    InputError
        As `pearson_r_mean_over_folds`.
    """
    return _in_folds(reference, estimate, fold).round(4).tolist()


def correlations(reference, estimate, fold, targets: list[str]) -> dict:
    """Both aggregations of r as JSON.

    Parameters
    ----------
    reference, estimate : array_like, (n_songs,) or (n_songs, n_targets)
    fold : array_like of int, (n_songs,)
    targets : list of str
        Names of the columns.

    Returns
    -------
    dict
        {metric: {target: r, ..., "average": mean over targets}}, with five digits.

    Raises
    ------
    InputError
        As `pearson_r_mean_over_folds`.
    """
    values = {
        "pearson_r_mean_over_folds": pearson_r_mean_over_folds(reference, estimate, fold),
        "pearson_r_pooled": pearson_r_pooled(reference, estimate),
    }
    return {metric: arrays.by_target(r, targets) for metric, r in values.items()}


def standardised(reference) -> np.ndarray:
    """z-scores over the songs; each r with an estimate is the same as with the values.

    Parameters
    ----------
    reference : array_like, (n_songs,) or (n_songs, n_targets)

    Returns
    -------
    ndarray, (n_songs, n_targets)
        0 for a target that does not vary.

    Raises
    ------
    InputError
        As `validate`.
    """
    reference, _ = validate(reference, reference)
    return (reference - reference.mean(0)) / np.where(np.ptp(reference, axis=0) > 0, reference.std(0), 1)


def split_half_reliability(responses, song, *, splits: int = 200, seed: int = 0) -> np.ndarray:
    """How well one half of the raters predicts the other: the agreement that bounds any model's r.

    For each random split of every song's raters: r over songs between the means of both halves, stepped up to all
    raters by Spearman and Brown's formula, 2 r / (1 + r), at least -1 (the formula has no lower limit for r towards
    -1). The square root of the result is the highest r that a model which knew every song's true value could reach.

    Parameters
    ----------
    responses : array_like, (n_responses, n_targets)
        What each rater answered about a song.
    song : array_like, (n_responses,)
        The song of each response. Songs with one response are left out.
    splits, seed : int
        How many random splits, and their seed.

    Returns
    -------
    ndarray, (n_targets,)
        The mean over the splits, in [-1, 1].

    Raises
    ------
    InputError
        If fewer than 2 songs have 2 or more responses, or a response is not a finite number.
    """
    responses, song = arrays.finite(responses, "responses"), np.asarray(song)
    if song.shape != responses.shape[:1]:
        raise InputError(f"song has the shape {song.shape}; it needs one song for each of {len(responses)} responses")
    _, index, counts = np.unique(song, return_inverse=True, return_counts=True)
    keep = counts[index] > 1
    if (counts > 1).sum() < 2:
        raise InputError("the agreement of raters needs 2 songs with 2 or more responses each")
    responses, index = responses[keep], np.unique(index[keep], return_inverse=True)[1]
    rng, reliability = np.random.default_rng(seed), []
    for _ in range(splits):
        r = pearson_r_pooled(*_halves(responses, index, rng))
        reliability.append(np.maximum(2 * r / np.maximum(1 + r, 1e-12), -1))
    return np.mean(reliability, axis=0)


def _halves(responses: np.ndarray, index: np.ndarray, rng) -> list[np.ndarray]:
    """Each song's mean over a random half of its responses, and over the other half: two (n_songs, n_targets)."""
    order = np.lexsort((rng.random(len(index)), index))
    half = np.empty(len(index), int)
    half[order] = np.arange(len(index)) % 2
    means = []
    for side in (0, 1):
        chosen = half == side
        n = np.bincount(index[chosen], minlength=index.max() + 1)[:, None]
        total = np.zeros((index.max() + 1, responses.shape[1]))
        np.add.at(total, index[chosen], responses[chosen])
        means.append(total / n)
    return means
