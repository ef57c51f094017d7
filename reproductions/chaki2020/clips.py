"""The clips with the input of a network and their labels, every half second of each."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from common import protocol
from common.errors import InputError
from common.experiment import Samples
from common.features import opensmile
from common.features.compare import ComParE
from data_prep.dynamic import DynamicDataset, align_to_labels, windows

CLIPS, STEPS = 744, 61  # labels of each whole clip, 15.0 to 45.0 s
INPUTS = {
    "compare": "6,373 ComParE functionals",
    "deam": "DEAM's 260 openSMILE features in the place of ComParE's",
    "opensmile": "260 openSMILE features from audio, as DEAM's, in the place of ComParE's",
    "timeless": "the 248 of DEAM's features that do not tell how long a file has gone on",
}
SHOWN = {"2": "clip 2 (blues)", "584": "clip 584 (folk)"}  # Figures 1 and 2


@dataclass(frozen=True)
class Clips(Samples):
    """n clips of T steps: x (n, T, features), y (n, T, 2), valence and arousal; all at the same label times (T,)."""

    times: np.ndarray

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that it holds."""
        digest = hashlib.sha256(" ".join([*self.ids, *self.groups]).encode())
        for array in (self.times, self.x, self.y):
            digest.update(np.ascontiguousarray(array))
        return digest.hexdigest()


def load(data: DynamicDataset, source: str, n_jobs: int) -> Clips:
    """The clips that have one kind of input at the labels where most of them have it; the ids of others are printed.

    The features of a label are those of the window that ends there.

    Parameters
    ----------
    data : DynamicDataset
    source : str
        A name in `INPUTS`.
    n_jobs : int
        Processes for the extraction of features.

    Returns
    -------
    Clips

    Raises
    ------
    InputError
        If no clip has the input, as many clips have it at other labels, or a recording cannot be read.
    """
    annotations = {song: a for split in data.splits for song, a in data.annotations(split).items()}
    computed, clips = extractor(data, source), {}
    longer_by_s = 0.5 if source == "compare" else 0.0
    for song, (starts, rows) in windows(
        data, list(annotations), computed, longer_by_s=longer_by_s, n_jobs=n_jobs
    ).items():
        rows = rows[:, opensmile.TIME_INVARIANT] if source == "timeless" else rows
        there, rows = align_to_labels(annotations[song].times, starts, rows)
        clips[song] = tuple(annotations[song].times[there]), rows, annotations[song].values[there]
    kinds = Counter(times for times, *_ in clips.values() if times)
    if not kinds:
        raise InputError(f"{data.root}: no clip has {INPUTS[source]} where its labels are; get it from {data.source}")
    (times, n), *others = kinds.most_common()
    if others and others[0][1] == n:
        raise InputError(f"{data.root}: {n} clips each have {INPUTS[source]} at other labels; keep one kind of cuts")
    ids = [song for song in clips if clips[song][0] == times]
    left_out = [song for song in clips if song not in ids]
    if left_out:
        span = f"{len(times)} labels, {times[0]:g} to {times[-1]:g} s"
        print(f"left out: clips {', '.join(left_out)}, which have {INPUTS[source]} at other labels than {span}")
    artists = data.artists
    x, y = (np.stack([clips[song][part] for song in ids]) for part in (1, 2))
    return Clips(ids, x, y, [artists.get(song) or song for song in ids], np.array(times))


def extractor(data: DynamicDataset, source: str):
    """The extractor of an input, or None if it comes with the data.

    Parameters
    ----------
    data : DynamicDataset
    source : str
        A name in `INPUTS`.

    Returns
    -------
    ComParE, OpenSmile or None
    """
    if source == "compare":
        return ComParE()
    return None if data.includes_features else opensmile.OpenSmile()


def validation(train: np.ndarray, groups: list[str] | None, seed: int) -> np.ndarray:
    """Which of the training clips validate: a tenth, at least one; of each group all or none.

    Parameters
    ----------
    train : int, (n_train,)
        Indices of clips.
    groups : list of str, (n_clips,), or None
        The artist of each clip; None: clips are drawn one by one.
    seed : int

    Returns
    -------
    bool, (n_train,)

    Raises
    ------
    InputError
        If there is one training clip, or one group of them.
    """
    groups = groups and [groups[i] for i in train]
    n = len(set(groups or range(len(train))))
    if n < 2:
        one, other = ("songs by one artist", "other artists") if groups else ("one song", "other songs")
        raise InputError(f"the training part has only {one}, and none to validate; add recordings of {other}")
    return protocol.k_folds(len(train), min(10, n), seed, groups) == 0
