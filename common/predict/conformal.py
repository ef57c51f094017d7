"""Limits that a share of new values does not exceed."""

import numpy as np


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
