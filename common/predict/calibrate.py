"""Makes the calibration of weights: from recorded runs how predictions err, from training songs what is far from them.

Errors are those of songs that were held out, by the networks of a cross-validation (or another split), so no network
predicts a song that it was trained on. Where the weights are several networks that are averaged, the recorded runs are
averaged too. Intervals and limits are conformal: with n songs, the ceil((n + 1) * share)-th smallest value.
"""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import scipy

from common import protocol, provenance
from common.experiment import Dynamic, Experiment, Static, Variant
from common.files import json_text, write_atomically
from common.predict.calibration import ARRAYS, FILE, Distance
from common.prediction import ErrorModel

LEVEL = 0.95  # share of held-out songs within an interval
KEPT = 0.99  # share of the training songs that are not flagged as far
FOLDS = 10


def save(folder: Path, facts: dict, experiment: Experiment, variant: Variant, record: dict) -> dict:
    """Write calibration.json and distance.npz into a folder of weights.

    Parameters
    ----------
    folder : Path
    facts : dict
        Of the weights.
    experiment : Experiment
        `compared_features`, if it has that, are the columns of the input by which `predict` measures distances.
    variant : Variant
    record : dict
        Of the variant.

    Returns
    -------
    dict
        The content of calibration.json.

    Raises
    ------
    InputError
        If the folder cannot be written, or the paper's `predict` could not read weights of the variant.
    """
    networks = experiment.trained_on_all(variant)
    averaged = len(networks) > 1 and len({json.dumps(network.settings) for network in networks}) == 1
    split = networks[0].split
    songs = np.union1d(split.train, split.validation)
    columns = getattr(experiment, "compared_features", slice(None))
    distance, of_songs = training_distance(song_medians(networks[0].samples.x, songs)[:, columns])
    buffer = io.BytesIO()
    arrays = {name: getattr(distance, name).astype("float32") for name in ("centre", "scale", "mean", "precision")}
    np.savez(buffer, **arrays)
    content = {
        "sha256": facts["sha256"] | {ARRAYS: hashlib.sha256(buffer.getvalue()).hexdigest()},
        "errors": errors(experiment, variant, record, averaged=averaged),
        "distance": {
            "limit": distance.limit, "songs": len(of_songs), "flagged": int((of_songs > distance.limit).sum()),
            "median": round(float(np.median(of_songs)), 2),
        },
        "provenance": provenance.now(provenance.commit()),
    }  # fmt: skip
    write_atomically(Path(folder) / ARRAYS, buffer.getvalue())
    write_atomically(Path(folder) / FILE, f"{json_text(content, Path(folder) / FILE, indent=1)}\n".encode())
    return content


def conformal(scores: np.ndarray, share: float) -> np.ndarray:
    """What a share of new scores does not exceed; at most the largest.

    Parameters
    ----------
    scores : float (n, n_targets)
    share : float, in (0, 1)

    Returns
    -------
    float (n_targets,)
    """
    n = len(scores)
    return np.sort(scores, axis=0)[min(int(np.ceil((n + 1) * share)), n) - 1]


# Errors.


def errors(experiment: Experiment, variant: Variant, record: dict, *, averaged: bool) -> dict | None:
    """The error model of a record, by target, and the share of labels that its intervals hold.

    Parameters
    ----------
    experiment : Experiment
    variant : Variant
    record : dict
    averaged : bool
        Whether `predict` averages several networks; then the recorded runs are averaged too.

    Returns
    -------
    dict, as JSON
        None for classes, whose probabilities say how sure they are, and where fewer than 19 songs were held out.
    """
    means, within = held_out(experiment, variant, record)
    n_runs, n_songs = (0, 0) if means is None else means.shape[:2]
    if (n_songs + 1) * LEVEL > n_songs:
        return None
    if averaged:
        spread = means.std(0, ddof=1, keepdims=True) if n_runs > 1 else np.zeros_like(means[:1])
        means = means.mean(0, keepdims=True)
        if within:
            within = within[0], within[1].mean(0, keepdims=True)
    else:
        spread = np.zeros_like(means)
    fold, half_width = protocol.k_folds(n_songs, min(FOLDS, n_songs), seed=0), np.empty_like(means)
    for k in range(fold.max() + 1):
        model = _model(means[:, fold != k], spread[:, fold != k])
        half_width[:, fold == k] = model.half_width(spread[:, fold == k])
    targets = experiment.task(variant).targets

    def by_target(values):
        return {name: round(float(value), 4) for name, value in zip(targets, values, strict=True)}

    model, coverage = _model(means, spread), {"songs": by_target((np.abs(means) <= half_width).mean((0, 1)))}
    if within:
        coverage["steps"] = by_target(_steps_within(means, half_width, *within))
    return {
        "level": LEVEL, "songs": n_songs, "runs": n_runs, "averaged": averaged,
        "error": by_target(model.error), "factor": by_target(model.factor), "coverage": coverage,
    }  # fmt: skip


def held_out(experiment: Experiment, variant: Variant, record: dict):
    """Errors of held-out songs.

    Parameters
    ----------
    experiment : Experiment
    variant : Variant
    record : dict

    Returns
    -------
    means : float (n_runs, n_songs, n_targets)
        Errors of the songs' means.
    within : tuple
        Frames (n_songs,) and the variance of errors around their mean (n_runs, n_songs, n_targets); None for one value
        a song. Both are None where nothing is known.
    """
    split, task = experiment.splits(variant, record["runs"][0]["seed"])[0], experiment.task(variant)
    new = [name for name, songs in split.tests.items() if not np.intersect1d(songs, split.train).size]
    if isinstance(task, Static):
        estimates = np.array([run["predictions"] for run in record["runs"]])
        return estimates - np.asarray(experiment.samples(variant).y), None
    if not isinstance(task, Dynamic) or not new:
        return None, None
    of_runs = [run["songs"][new[0]] for run in record["runs"]]
    y, p, yy, pp, yp = np.moveaxis(np.array([songs["moments"] for songs in of_runs]), -1, 0)
    return p - y, (np.array(of_runs[0]["frames"]), np.maximum(yy + pp - 2 * yp, 1e-12))


def _model(means: np.ndarray, spread: np.ndarray) -> ErrorModel:
    """From errors and spreads of the networks, (n_runs, n_songs, n_targets)."""
    error = np.sqrt(np.square(means).mean((0, 1)))
    scores = np.abs(means) / np.hypot(error, spread)
    return ErrorModel(error, conformal(scores.reshape(-1, scores.shape[-1]), LEVEL))


def _steps_within(means, half_width, frames, variance) -> np.ndarray:
    """The share of single labels within the intervals, (n_targets,); errors within a song are taken as normal."""
    scale = np.sqrt(variance)
    inside = scipy.special.ndtr((half_width - means) / scale) - scipy.special.ndtr((-half_width - means) / scale)
    return (inside.mean(0) * frames[:, None]).sum(0) / frames.sum()


# Distance.


def song_medians(x, songs: np.ndarray) -> np.ndarray:
    """The medians of the input over each of some songs.

    Parameters
    ----------
    x : Sequences, or list of (n_frames, n_features)
    songs : int (n_songs,)
        Their indices.

    Returns
    -------
    float64 (n_songs, n_features)
    """
    return np.stack([np.median(x[song], axis=0) for song in songs]).astype("float64")


def training_distance(features: np.ndarray) -> tuple[Distance, np.ndarray]:
    """The distance from the training songs, and how far these are themselves.

    Parameters
    ----------
    features : float (n_songs, n_features)

    Returns
    -------
    distance : Distance
    held_out : float (n_songs,)
        That of each song from those of the other folds.
    """
    fold = protocol.k_folds(len(features), min(FOLDS, len(features)), seed=0)
    held_out = np.empty(len(features))
    for k in range(fold.max() + 1):
        of_others = _fitted(features[fold != k], 0.0)
        held_out[fold == k] = [of_others(song) for song in features[fold == k]]
    return _fitted(features, round(float(conformal(held_out[:, None], KEPT)[0]), 3)), held_out


def _fitted(features: np.ndarray, limit: float) -> Distance:
    from sklearn.covariance import LedoitWolf

    low, centre, high = np.quantile(features, [0.25, 0.5, 0.75], axis=0)
    scale = (high - low) / 1.349  # the standard deviation of normal features
    scale[scale <= 0] = 1
    compressed = np.arcsinh((features - centre) / scale)
    std = compressed.std(0)
    std[std <= 0] = 1
    shrunk = LedoitWolf().fit((compressed - compressed.mean(0)) / std)
    return Distance(centre, scale, compressed.mean(0), shrunk.precision_ / np.outer(std, std), limit)
