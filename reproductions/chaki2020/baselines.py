"""Baselines: means, an oracle, and ridge regression of frames and of clips."""

import numpy as np

from common import baselines
from common.experiment import Split, Trained
from reproductions.chaki2020.clips import Clips

PENALTIES = np.logspace(0, 6, 7)
FRAME_RIDGES = {  # what becomes of the predictions of frames, (n, T, 2)
    "ridge": lambda frames: frames,
    "ridge_so_far": lambda frames: frames.cumsum(1) / np.arange(1, frames.shape[1] + 1)[:, None],
    "ridge_averaged": lambda frames: frames.mean(1, keepdims=True),
}


def fit_ridge(settings: dict, clips: Clips, split: Split) -> Trained:
    """Ridge regression of valence and arousal on the features of each frame.

    Parameters
    ----------
    settings : dict
        Not read.
    clips : Clips
    split : Split
        With one test split. The penalty is the one of PENALTIES that is best on the clips that also stop the networks.

    Returns
    -------
    Trained
        Outputs: `predicted`, float32 (n_test, T, 2), and `penalty`.
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV, PredefinedSplit
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    (test,), train = split.tests.values(), np.union1d(split.train, split.validation)
    which = PredefinedSplit(np.repeat(np.where(np.isin(train, split.validation), 0, -1), clips.x.shape[1]))
    regression = make_pipeline(StandardScaler(), Ridge(solver="cholesky"))
    search = GridSearchCV(regression, {"ridge__alpha": PENALTIES}, cv=which)
    frames = [clips.x[part].reshape(-1, clips.x.shape[2]).astype("float64") for part in (train, test)]
    search.fit(frames[0], clips.y[train].reshape(-1, 2))
    predicted = search.predict(frames[1]).reshape(len(test), -1, 2).astype("float32")
    return Trained({"predicted": predicted, "penalty": np.array(search.best_params_["ridge__alpha"])})


def baseline(name: str, clips: Clips, split: Split, frames: np.ndarray | None) -> np.ndarray:
    """Predictions without a network.

    Parameters
    ----------
    name : str
        A key of `variants.BASELINES`.
    clips : Clips
    split : Split
        With one test split.
    frames : ndarray, (n_test, T, 2), or None
        What `fit_ridge` predicts; needed for the names in FRAME_RIDGES.

    Returns
    -------
    ndarray, (n_test, T, 2)
    """
    (test,), train = split.tests.values(), np.union1d(split.train, split.validation)
    if name in FRAME_RIDGES:
        predicted = FRAME_RIDGES[name](frames)
    elif name == "training_mean":
        predicted = clips.y[train].mean((0, 1))
    elif name == "own_song_mean":
        predicted = clips.y[test].mean(1, keepdims=True)
    else:
        predicted = baselines.ridge(clips.y.mean(1), train, test, clips.x.mean(1))[:, None]
    return np.broadcast_to(predicted, (len(test), *clips.y.shape[1:]))
