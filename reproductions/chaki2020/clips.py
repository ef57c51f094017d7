"""The clips with what a network hears of them and their labels, every half second of each."""

import hashlib
from dataclasses import dataclass

import numpy as np

from common import protocol
from common.errors import InputError
from common.features import opensmile
from common.features.compare import ComParE
from common.features.store import FeatureStore
from data_prep.dataset import at_labels

STEPS = 61  # labels of a whole clip, 15.0 to 45.0 s
INPUTS = {
    "compare": "6,373 ComParE functionals",
    "deam": "the 260 openSMILE features of DEAM in their place",
}
SHOWN = {"2": "clip 2 (blues)", "584": "clip 584 (folk)"}  # Figures 1 and 2


@dataclass(frozen=True)
class Clips:
    """n clips of T steps: x (n, T, features), y (n, T, 2), valence and arousal; all at the same label times."""

    ids: list[str]
    artists: list[str]
    times: np.ndarray
    x: np.ndarray
    y: np.ndarray

    def __len__(self):
        return len(self.ids)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that it holds."""
        digest = hashlib.sha256(" ".join([*self.ids, *self.artists]).encode())
        for array in (self.times, self.x, self.y):
            digest.update(np.ascontiguousarray(array))
        return digest.hexdigest()


def load(data, source: str, jobs: int) -> Clips:
    """All clips that have one kind of input (`INPUTS`) at every label that others have one for.

    The features of a label are those of the window that ends there. Raises InputError if there are none.
    """
    annotations = {song: a for split in data.splits for song, a in data.annotations(split).items()}
    found = {}
    for song, (starts, values) in _windows(data, list(annotations), source, jobs).items():
        there, rows = at_labels(annotations[song].times, starts, values)
        found[song] = annotations[song].times[there], rows, annotations[song].values[there]
    most = max((len(times) for times, *_ in found.values()), default=0)
    found = {song: rows for song, rows in found.items() if len(rows[0]) == most > 0}
    times = [times for times, *_ in found.values()]
    if not found:
        raise InputError(f"{data.root}: no clip has {INPUTS[source]} where its labels are; get it from {data.source}")
    if not all(np.array_equal(one, times[0]) for one in times):
        raise InputError(f"{data.root}: cuts of different seconds of the clips cannot be mixed; keep one kind")
    artists = {} if data.rendered else data.songs["artist"]
    of = [artists.get(song) or song for song in found]
    return Clips(list(found), of, times[0], *(np.stack(part) for part in list(zip(*found.values(), strict=True))[1:]))


def validation(train: np.ndarray, groups: list[str] | None, seed: int) -> np.ndarray:
    """Which of the training clips are the validation part: a tenth, at least one; of each group all or none."""
    return protocol.k_folds(len(train), min(10, len(set(groups or range(len(train))))), seed, groups) == 0


def _windows(data, ids: list[str], source: str, jobs: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By clip: where a window of one second that ends with each row would start, and the rows."""
    if source == "deam" and not data.rendered:
        return data.features(ids)
    extractor, early = (ComParE(), 0.5) if source == "compare" else (opensmile.OpenSmile(), 0.0)
    recordings = data.recordings(ids)
    found = FeatureStore().get_all([r.path for r in recordings.values()], extractor, jobs=jobs)
    return {song: (recording.start_s - early + 0.5 * np.arange(len(rows)), rows)
            for (song, recording), rows in zip(recordings.items(), found, strict=True)}  # fmt: skip
