"""Makes the calibration of weights: from recorded runs how predictions err, from training songs what is unlike them.

Errors are those of songs that were held out, by the networks of a cross-validation (or another split), so no network
predicts a song that it was trained on. Where the weights are several networks that are averaged, the recorded runs are
averaged too. Intervals and limits are conformal: with n songs, the ceil((n + 1) * share)-th smallest value. What is
unlike the training songs: `common.predict.flags`.
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
from common.predict import flags
from common.predict.calibration import ARRAYS, FILE
from common.predict.conformal import conformal
from common.prediction import ErrorModel

LEVEL = 0.95  # share of held-out songs within an interval


def save(folder: Path, facts: dict, experiment: Experiment, variant: Variant, record: dict) -> dict:
    """Write calibration.json and distance.npz into a folder of weights.

    Parameters
    ----------
    folder : Path
    facts : dict
        Of the weights.
    experiment : Experiment
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
    samples = networks[0].samples
    n_frames = {samples.ids[song]: len(samples.x[song]) for song in songs}
    sound = flags.sounds(experiment.data, n_frames, from_audio=facts["audio"] != "none")
    features = flags.song_medians(samples.x, songs)[:, experiment.compared_features]
    distance, learned = flags.learn(features, sound)
    buffer = io.BytesIO()
    arrays = {name: getattr(distance, name).astype("float32") for name in ("centre", "scale", "mean", "precision")}
    np.savez(buffer, **arrays)
    content = {
        "sha256": facts["sha256"] | {ARRAYS: hashlib.sha256(buffer.getvalue()).hexdigest()},
        "errors": errors(experiment, variant, record, averaged=averaged),
        "flags": learned,
        "provenance": provenance.now(provenance.commit()),
    }
    write_atomically(Path(folder) / ARRAYS, buffer.getvalue())
    write_atomically(Path(folder) / FILE, f"{json_text(content, Path(folder) / FILE, indent=1)}\n".encode())
    return content


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
    fold, half_width = protocol.k_folds(n_songs, min(flags.FOLDS, n_songs), seed=0), np.empty_like(means)
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
