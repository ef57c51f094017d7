"""Metrics, each with its aggregation in its name, in the manner of mir_eval.

Conventions: `reference` and `estimate` are float arrays of the same shape (n_songs,) or (n_songs, n_targets);
`fold` holds the fold that tested each song, integers of shape (n_songs,). A metric returns one value a target.
Every value is a finite number. Where estimate or reference does not vary, r = 0: no order of the songs follows from it.
Where the reference does not vary, R² = 1 if every estimate equals it, else 0, as in scikit-learn.
"""

import numpy as np

from common.errors import InputError


def validate(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 of shape (n_songs, n_targets). Raises InputError on unequal shapes, NaN, or under 2 songs."""
    reference, estimate = (np.asarray(a, "float64") for a in (reference, estimate))
    if reference.shape != estimate.shape:
        raise InputError(f"reference has the shape {reference.shape}, estimate {estimate.shape}")
    if len(reference) < 2:
        raise InputError(f"a correlation needs 2 songs, not {len(reference)}")
    if not (np.isfinite(reference).all() and np.isfinite(estimate).all()):
        raise InputError("reference or estimate holds values that are not finite numbers")
    return reference.reshape(len(reference), -1), estimate.reshape(len(estimate), -1)


def pearson_r_pooled(reference, estimate) -> np.ndarray:
    """Pearson's r over all songs at once, (n_targets,), in [-1, 1]."""
    reference, estimate = validate(reference, estimate)
    a, b = reference - reference.mean(0), estimate - estimate.mean(0)
    scale = np.sqrt((a * a).sum(0) * (b * b).sum(0))
    varies = np.minimum(np.ptp(reference, axis=0), np.ptp(estimate, axis=0)) > 1e-12
    return np.where(varies, (a * b).sum(0) / np.where(scale > 0, scale, 1), 0.0)


def pearson_r_mean_over_folds(reference, estimate, fold) -> np.ndarray:
    """Pearson's r within the songs of each fold, then the mean over the folds, (n_targets,), in [-1, 1]."""
    reference, estimate = validate(reference, estimate)
    fold = np.asarray(fold)
    return np.mean([pearson_r_pooled(reference[fold == k], estimate[fold == k]) for k in np.unique(fold)], axis=0)


def split_half_reliability(responses, song, *, splits: int = 200, seed: int = 0) -> np.ndarray:
    """How well one half of the raters predicts the other: the agreement that bounds any model's r.

    responses (n_responses, n_targets); song (n_responses,), the song of each. For each random split of every
    song's raters: r over songs between the two halves' means, stepped up to all raters by Spearman-Brown,
    2 r / (1 + r), at least -1 (the formula has no limit below for r towards -1). Returns the mean over splits,
    (n_targets,). The square root is the highest r that a model which knew every song's true value could reach. Songs
    with one response are left out. Raises InputError if fewer than two songs are left.
    """
    responses, song = np.asarray(responses, "float64"), np.asarray(song)
    _, index, counts = np.unique(song, return_inverse=True, return_counts=True)
    keep = counts[index] > 1
    if (counts > 1).sum() < 2:
        raise InputError("the agreement of raters needs 2 songs with 2 or more responses each")
    responses, index = responses[keep], np.unique(index[keep], return_inverse=True)[1]
    rng, found = np.random.default_rng(seed), []
    for _ in range(splits):
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
        r = pearson_r_pooled(*means)
        found.append(np.maximum(2 * r / np.maximum(1 + r, 1e-12), -1))
    return np.mean(found, axis=0)


def standardised(reference) -> np.ndarray:
    """z-scores over the songs, (n_songs, n_targets), 0 for a target that does not vary.

    Every r with an estimate is the same as with the values.
    """
    reference = np.asarray(reference, "float64")
    return (reference - reference.mean(0)) / np.where(np.ptp(reference, axis=0) > 0, reference.std(0), 1)


def by_fold(reference, estimate, fold) -> list[list[float]]:
    """r of each fold and target as JSON: (folds, n_targets)."""
    reference, estimate, fold = np.asarray(reference), np.asarray(estimate), np.asarray(fold)
    return [pearson_r_pooled(reference[fold == k], estimate[fold == k]).round(4).tolist() for k in np.unique(fold)]


def correlations(reference, estimate, fold, targets: list[str]) -> dict:
    """Both aggregations of r as JSON: {metric: {target: r, ..., "average": mean over targets}}."""
    found = {
        "pearson_r_mean_over_folds": pearson_r_mean_over_folds(reference, estimate, fold),
        "pearson_r_pooled": pearson_r_pooled(reference, estimate),
    }
    return {name: _named(values, targets) for name, values in found.items()}


# Dynamic labels: a song is a sequence of frames. All metrics follow from each song's moments.


def song_moments(reference: np.ndarray, estimate: np.ndarray) -> np.ndarray:
    """Of one song, (n_frames, n_targets) each: means, variances and covariance, (n_targets, 5) as [y, ŷ, yy, ŷŷ, yŷ].

    Raises InputError on unequal shapes, NaN, or under 2 frames.
    """
    reference, estimate = validate(reference, estimate)
    means = reference.mean(0), estimate.mean(0)
    y, p = reference - means[0], estimate - means[1]
    return np.stack([*means, (y * y).mean(0), (p * p).mean(0), (y * p).mean(0)], axis=1)


def kendall_tau(reference: np.ndarray, estimate: np.ndarray) -> list[float | None]:
    """Kendall's tau-b of each target of one song, (n_frames, n_targets) each: scipy's `kendalltau`.

    None where annotation or estimate does not vary (differs by less than 1e-6): then no pair of frames has an order.
    """
    from scipy.stats import kendalltau

    reference, estimate = validate(reference, estimate)
    found = []
    for y, p in zip(reference.T, estimate.T, strict=True):
        varies = min(np.ptp(y), np.ptp(p)) > 1e-6
        found.append(round(float(kendalltau(y, p).statistic), 6) if varies else None)
    return found


def of_songs(references, estimates) -> dict:
    """What all metrics of dynamic labels follow from, as JSON; references and estimates: (n_frames, n_targets) a song.

    frames (n_songs,); moments (n_songs, n_targets, 5), see `song_moments`; mean absolute_error and kendall_tau,
    (n_songs, n_targets).
    """
    pairs = list(zip(references, estimates, strict=True))
    moments = [[[float(f"{m:.7g}") for m in target] for target in song_moments(*pair)] for pair in pairs]
    return {
        "frames": [len(y) for y, _ in pairs],
        "moments": moments,
        "absolute_error": [np.abs(y - p).mean(0).astype(float).round(6).tolist() for y, p in pairs],
        "kendall_tau": [kendall_tau(*pair) for pair in pairs],
    }


def squared_errors(songs: dict) -> tuple[np.ndarray, np.ndarray]:
    """Frames and mean squared error of each song, from {"frames": (n_songs,), "moments": (n_songs, n_targets, 5)}."""
    y, p, yy, pp, yp = np.moveaxis(np.asarray(songs["moments"], "float64"), -1, 0)
    errors = (p - y) ** 2 + yy + pp - 2 * yp
    return np.asarray(songs["frames"], "float64"), np.maximum(errors, 0)  # the last bit may make it negative


def r2(error: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """R² = 1 - mean squared error / variance of the reference, of equal shapes; at most 1.

    Where the reference does not vary (by more than 1e-5, the standard deviation), 1 if every estimate equals it and 0
    otherwise: scikit-learn's rule.
    """
    varies = variance > 1e-10
    return np.where(varies, 1 - error / np.where(varies, variance, 1), np.where(error > 1e-10, 0.0, 1.0))


def dynamic(songs: dict, targets: list[str]) -> dict:
    """RMSE, Pearson's r and the concordance correlation coefficient, pooled over all frames and as mean over songs.

    songs as in `squared_errors`. Returns JSON, {metric: {target: value, ..., "average": mean over targets}}; r is in
    [-1, 1], and 0 where an estimate does not vary. CCC = 2 cov / (var + var + (mean - mean)²), Lin 1989.
    With all that `of_songs` gives also: R² (see `r2`); MAE; Kendall's tau as mean over
    the songs that have one (0 if none has: nothing is told of the order), and the number of those that have none; the
    shares of songs whose mean absolute error is at most .05 and above .2. Those come first, as tables show the first.
    """
    frames, errors = squared_errors(songs)
    moments = np.moveaxis(np.asarray(songs["moments"], "float64"), -1, 0)
    weight = (frames / frames.sum())[:, None]
    y, p = ((weight * mean).sum(0) for mean in moments[:2])
    between = [(moments[0] - y) ** 2, (moments[1] - p) ** 2, (moments[0] - y) * (moments[1] - p)]
    pooled = [y, p, *((weight * (within + more)).sum(0) for within, more in zip(moments[2:], between, strict=True))]

    def r(y, p, yy, pp, yp):
        varies = (yy > 1e-10) & (pp > 1e-10)
        return np.where(varies, yp / np.sqrt(np.where(varies, yy * pp, 1)), 0.0)

    def ccc(y, p, yy, pp, yp):
        scale = yy + pp + (y - p) ** 2
        return np.where(scale > 1e-10, 2 * yp / np.maximum(scale, 1e-10), 0.0)

    found = {
        "rmse_pooled": np.sqrt((weight * errors).sum(0)),
        "rmse_per_song": np.sqrt(errors).mean(0),
        "pearson_r_pooled": r(*pooled),
        "pearson_r_per_song": r(*moments).mean(0),
        "ccc_pooled": ccc(*pooled),
        "ccc_per_song": ccc(*moments).mean(0),
    }
    if "kendall_tau" in songs:
        tau, absolute = (np.array(songs[name], "float64") for name in ("kendall_tau", "absolute_error"))
        there = np.isfinite(tau)
        found = {
            "r2_pooled": r2((weight * errors).sum(0), pooled[2]),
            "mae_pooled": (weight * absolute).sum(0),
            "kendall_tau_per_song": np.where(there, tau, 0).sum(0) / np.maximum(there.sum(0), 1),
            "kendall_tau_undefined": (~there).sum(0),
            "share_within_.05": (absolute <= 0.05).mean(0),
            "share_beyond_.2": (absolute > 0.2).mean(0),
        } | found
    return {name: _named(values, targets) for name, values in found.items()}


# Classes: all metrics follow from the confusion matrix.


def confusion(reference: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """How many songs of each class (row) were taken for each class (column), from class numbers (n_songs,)."""
    found = np.zeros((n_classes, n_classes))
    np.add.at(found, (np.asarray(reference), np.asarray(predicted)), 1)
    return found


def of_confusion(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Of confusion matrices (..., class, predicted class): `accuracy` (..., 1); `precision`, `recall` and `f1`.

    The latter are (..., n_classes + 2): of each class, the mean over classes, and the mean weighted by their songs; 0
    where a class is never predicted or has no song. As scikit-learn's `classification_report`; f1 is the harmonic mean.
    """

    def ratio(part, whole):
        return part / np.where(whole > 0, whole, 1)

    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    songs, predicted = confusion.sum(-1), confusion.sum(-2)
    share = ratio(songs, songs.sum(-1, keepdims=True))
    of_classes = {
        "precision": ratio(right, predicted),
        "recall": ratio(right, songs),
        "f1": ratio(2 * right, songs + predicted),
    }
    found = {"accuracy": ratio(right.sum(-1, keepdims=True), songs.sum(-1, keepdims=True))}
    for name, values in of_classes.items():
        means = values.mean(-1, keepdims=True), (share * values).sum(-1, keepdims=True)
        found[name] = np.concatenate([values, *means], axis=-1)
    return found


def classification(reference: np.ndarray, predicted: np.ndarray, classes: list[str]) -> dict:
    """Metrics of classes as JSON, from class numbers (n_songs,): {"accuracy": {"all": value}, "f1": {class: value}}.

    Beside the classes stand "macro avg" and "weighted avg", see `of_confusion`.
    """
    found = of_confusion(confusion(reference, predicted, len(classes)))
    names = {metric: [*classes, "macro avg", "weighted avg"] for metric in found} | {"accuracy": ["all"]}
    return {
        metric: {name: round(float(value), 5) for name, value in zip(names[metric], values, strict=True)}
        for metric, values in found.items()
    }


def _named(values: np.ndarray, targets: list[str]) -> dict:
    pairs = zip([*targets, "average"], [*values, values.mean()], strict=True)
    return {target: round(float(value), 5) for target, value in pairs}
