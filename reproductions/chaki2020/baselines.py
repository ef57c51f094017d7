"""What stands beside the networks: means, an oracle, and ridge regression of frames and of clips."""

import time

import numpy as np

from common import baselines
from reproductions.chaki2020.clips import Clips, validation

PENALTIES = np.logspace(0, 6, 7)
FRAME_RIDGES = {  # what becomes of the predictions of frames, (n, T, 2)
    "ridge": lambda frames: frames,
    "ridge_so_far": lambda frames: frames.cumsum(1) / np.arange(1, frames.shape[1] + 1)[:, None],
    "ridge_averaged": lambda frames: frames.mean(1, keepdims=True),
}


def ridge(clips: Clips, split: tuple, seed: int) -> dict:
    """Ridge regression of valence and arousal on the features of each frame; returns `predicted` (n_test, T, 2).

    The penalty is the one that is best on the tenth of the training clips that also stops the networks.
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV, PredefinedSplit
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    started = time.process_time()
    train, test, groups = split
    held_out = validation(train, groups, seed)
    which = PredefinedSplit(np.repeat(np.where(held_out, 0, -1), clips.x.shape[1]))
    regression = make_pipeline(StandardScaler(), Ridge(solver="cholesky"))
    search = GridSearchCV(regression, {"ridge__alpha": PENALTIES}, cv=which)
    frames = [clips.x[part].reshape(-1, clips.x.shape[2]).astype("float64") for part in (train, test)]
    search.fit(frames[0], clips.y[train].reshape(-1, 2))
    predicted = search.predict(frames[1]).reshape(len(test), -1, 2)
    return {
        "predicted": predicted.astype("float32"), "penalty": np.array(search.best_params_["ridge__alpha"]),
        "seconds": np.array(time.process_time() - started),
    }  # fmt: skip


def baseline(name: str, clips: Clips, train: np.ndarray, test: np.ndarray, frames: np.ndarray | None) -> np.ndarray:
    """What predicts without a network, broadcastable to (n_test, T, 2); frames: of ridge regression on frames."""
    if name in FRAME_RIDGES:
        return FRAME_RIDGES[name](frames)
    if name == "training_mean":
        return clips.y[train].mean((0, 1))
    if name == "own_song_mean":
        return clips.y[test].mean(1, keepdims=True)
    return baselines.ridge(clips.y.mean(1), train, test, clips.x.mean(1))[:, None]
