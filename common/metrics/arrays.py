"""What the modules of metrics share: checks of arrays, and values by the names of their targets."""

import numpy as np

from common.errors import InputError


def finite(values, name: str) -> np.ndarray:
    """Values as float64.

    Parameters
    ----------
    values : array_like
    name : str
        What they are, for messages.

    Returns
    -------
    ndarray of float64, of the same shape

    Raises
    ------
    InputError
        If one is not a finite number.
    """
    values = np.asarray(values, "float64")
    if not np.isfinite(values).all():
        raise InputError(f"{name} holds values that are not finite numbers")
    return values


def pair(reference, estimate, unit: str) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 of shape (n, n_targets), from (n,) or (n, n_targets).

    Parameters
    ----------
    reference, estimate : array_like
        Of the same shape.
    unit : str
        What their first axis counts, for messages: songs, or frames.

    Raises
    ------
    InputError
        On unequal shapes, values that are not finite numbers, or fewer than 2 songs or frames.
    """
    reference, estimate = (np.asarray(a, "float64") for a in (reference, estimate))
    if reference.shape != estimate.shape:
        raise InputError(f"reference has the shape {reference.shape}, estimate {estimate.shape}; they must be equal")
    if len(reference) < 2:
        raise InputError(f"a metric needs 2 {unit} or more, not {len(reference)}")
    reference, estimate = finite(reference, "the reference"), finite(estimate, "the estimate")
    return reference.reshape(len(reference), -1), estimate.reshape(len(estimate), -1)


def by_target(values: np.ndarray, targets: list[str]) -> dict[str, float]:
    """Values by target, and their mean as "average", rounded to five digits.

    Parameters
    ----------
    values : ndarray, (n_targets,)
    targets : list of str

    Returns
    -------
    dict
        {target: value, ..., "average": mean}
    """
    pairs = zip([*targets, "average"], [*values, values.mean()], strict=True)
    return {target: round(float(value), 5) for target, value in pairs}
