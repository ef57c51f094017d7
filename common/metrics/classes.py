"""Metrics of classes: one class a song, as a quadrant of the plane of valence and arousal.

**Aim.** How often the predicted class is the right one, over all songs and by class.

**Conventions.** `reference` and `predicted` are class numbers, integers of shape (n_songs,) from 0 to n_classes - 1.
All metrics follow from the confusion matrix, (n_classes, n_classes): a row a true class, a column a predicted one.
Values are in [0, 1], and 0 where a class is never predicted or has no song.

**Metrics.** `classification` computes, as JSON,

* `accuracy`: under "all";
* `precision`, `recall`, `f1`: of each class, their mean ("macro avg"), and the mean weighted by the number of songs of
  each class ("weighted avg").

**Source.** scikit-learn's `classification_report`; f1 is the harmonic mean of precision and recall.
"""

import numpy as np

from common.errors import InputError
from common.metrics import arrays


def validate(reference, predicted, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Check class numbers.

    Parameters
    ----------
    reference, predicted : array_like of int, (n_songs,)
    n_classes : int

    Returns
    -------
    reference, predicted : int, (n_songs,)

    Raises
    ------
    InputError
        On unequal shapes, or numbers that are no class.
    """
    reference, predicted = np.asarray(reference), np.asarray(predicted)
    if reference.ndim != 1 or reference.shape != predicted.shape:
        raise InputError(f"reference has the shape {reference.shape}, predicted {predicted.shape}, not both (n_songs,)")
    for name, numbers in (("reference", reference), ("predicted", predicted)):
        wrong = numbers[~np.isin(numbers, np.arange(n_classes))]
        if len(wrong):
            raise InputError(f"{name} holds {wrong[0]}, which is not a class number from 0 to {n_classes - 1}")
    return reference.astype(int), predicted.astype(int)


def confusion(reference, predicted, n_classes: int) -> np.ndarray:
    """How many songs of each class were taken for each class.

    Parameters
    ----------
    reference, predicted : array_like of int, (n_songs,)
        From 0 to n_classes - 1.
    n_classes : int

    Returns
    -------
    ndarray, (n_classes, n_classes)
        Counts; a row a true class, a column a predicted one.

    Raises
    ------
    InputError
        As `validate`.
    """
    counts = np.zeros((n_classes, n_classes))
    np.add.at(counts, validate(reference, predicted, n_classes), 1)
    return counts


def of_confusion(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Metrics of confusion matrices.

    Parameters
    ----------
    confusion : ndarray, (..., n_classes, n_classes)
        Counts of songs, or sums of their weights; none below 0.

    Returns
    -------
    dict
        accuracy (..., 1); precision, recall and f1 (..., n_classes + 2): of each class, the mean over classes, and the
        mean weighted by the songs of each class.

    Raises
    ------
    InputError
        If a matrix is not square, or holds values that are not finite numbers.
    """
    confusion = arrays.finite(confusion, "the confusion matrix")
    if confusion.ndim < 2 or confusion.shape[-1] != confusion.shape[-2]:
        raise InputError(f"a confusion matrix has the shape (n_classes, n_classes), not {confusion.shape}")

    def ratio(part, total):
        return part / np.where(total > 0, total, 1)

    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    songs, predicted = confusion.sum(-1), confusion.sum(-2)
    share = ratio(songs, songs.sum(-1, keepdims=True))
    of_classes = {
        "precision": ratio(right, predicted),
        "recall": ratio(right, songs),
        "f1": ratio(2 * right, songs + predicted),
    }
    metrics = {"accuracy": ratio(right.sum(-1, keepdims=True), songs.sum(-1, keepdims=True))}
    for metric, values in of_classes.items():
        means = values.mean(-1, keepdims=True), (share * values).sum(-1, keepdims=True)
        metrics[metric] = np.concatenate([values, *means], axis=-1)
    return metrics


def classification(reference, predicted, classes: list[str]) -> dict:
    """Metrics of classes as JSON, {"accuracy": {"all": value}, "f1": {class: value, ...}}, with five digits.

    Parameters
    ----------
    reference, predicted : array_like of int, (n_songs,)
    classes : list of str
        Names of the classes, by number. With them stand "macro avg" and "weighted avg", see `of_confusion`.

    Raises
    ------
    InputError
        As `validate`.
    """
    values = of_confusion(confusion(reference, predicted, len(classes)))
    names = {metric: [*classes, "macro avg", "weighted avg"] for metric in values} | {"accuracy": ["all"]}
    return {
        metric: {name: round(float(value), 5) for name, value in zip(names[metric], of_metric, strict=True)}
        for metric, of_metric in values.items()
    }
