"""The boards: songs with their folds and labels, on which predictions are compared with recorded systems."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from common.errors import InputError
from common.experiment.tasks import Classes, Dynamic, Static, Task
from common.places import RESULTS
from common.protocol import k_folds
from common.verdict.recorded import Records, coverage_of
from data_prep import open_dataset

STEP_S = 0.5  # between labels
SAME = 1e-4  # by which the mean of a song's labels may differ from the recorded one, which is rounded


@dataclass(frozen=True)
class Board:
    """Songs and folds of recorded variants.

    Attributes
    ----------
    title : what is predicted
    paper, dataset, split : of the records
    systems : the variants that are shown; the songs are those of the first
    against : those from which the difference is shown: a network of the paper, and the strongest of the other systems
    numbers : metric and target of each column
    data : the data set that has the labels over time, and the parts of it; not needed where records have the labels
    first_s : time of the first label of each song, in seconds
    """

    title: str
    paper: str
    dataset: str
    split: str
    systems: tuple[str, ...]
    against: tuple[str, ...]
    numbers: tuple[tuple[str, str], ...]
    data: str = ""
    parts: tuple[str, ...] = ("development",)
    first_s: float = 15.0


R2_AND_MAE = tuple((metric, target) for metric in ("r2_pooled", "mae_pooled") for target in ("arousal", "valence"))
BOTH = ("development", "evaluation")
BOARDS = {
    "emomusic": Board(
        "valence and arousal every 0.5 s from 30.5 to 40 s of 744 clips",
        "chaki2020", "emomusic", "cross-validation",
        ("at_400", "nat_400", "ridge_averaged", "ridge_clips", "ridge", "training_mean"), ("at_400", "ridge_clips"),
        R2_AND_MAE, "emomusic", BOTH, 30.5,
    ),
    "emomusic_45s": Board(
        "valence and arousal every 0.5 s from 15 to 45 s of 626 clips",
        "chaki2020", "emomusic", "cross-validation",
        ("at_400_260", "nat_400_260", "ridge_averaged_260", "ridge_clips_260", "ridge_260", "training_mean_260"),
        ("at_400_260", "ridge_averaged_260"), R2_AND_MAE, "emomusic", BOTH,
    ),
    "mediaeval2015": Board(
        "valence and arousal every 0.5 s from 15 to 44.5 s of 260 development songs, the task's labels",
        "malik2017", "mediaeval2015", "cross-validation",
        ("cv_crnn_l20_validated", "cv_crnn_l20", "cv_ridge", "cv_training_mean"), ("cv_crnn_l20_validated", "cv_ridge"),
        (("rmse_pooled", "arousal"), ("rmse_pooled", "valence")), "mediaeval2015",
    ),
    "emotify": Board(
        "nine emotions of 400 excerpts",
        "jakubik2017", "emotify", "10-fold",
        ("semantic_embedding_gru_svr", "standard_gru", "descriptors_svr", "ridge", "genre_mean", "training_mean"),
        ("semantic_embedding_gru_svr", "descriptors_svr"), (("pearson_r_mean_over_folds", "average"),),
    ),
    "4q": Board(
        "four quadrants of valence and arousal, 900 excerpts",
        "jakubik2017", "4q", "10-fold",
        ("combined_svm", "semantic_embedding_gru_svm", "standard_gru", "majority"),
        ("combined_svm", "semantic_embedding_gru_svm"), (("accuracy", "all"), ("f1", "macro avg")),
    ),
    "synthetic": Board(
        "valence and arousal every 0.5 s of 40 excerpts of synthetic music, to try the command",
        "synthetic", "synthetic_dynamic", "cross-validation", ("training_mean",), ("training_mean",),
        R2_AND_MAE, "synthetic_dynamic", BOTH, 1.0,
    ),
}  # fmt: skip


class OpenBoard:
    """A board with its records.

    Attributes
    ----------
    songs : ids, in the order of labels and predictions
    folds : by seed the fold that tests each song, int (n_songs,); a song is predicted by what was not trained on it
    targets : names of what is predicted
    times : of each song the times of its labels in seconds, (n,); None where a song has one label
    """

    def __init__(self, name: str, records: dict[str, dict], data_root: str | None):
        self.name, self.board, self.records, self._root = name, BOARDS[name], records, data_root
        first = records[self.board.systems[0]]
        self.facts = coverage_of(first["facts"], self.board.split)
        self.songs, self.targets = list(self.facts["tracks"]), tuple(self.facts["targets"])
        self.folds = {run["seed"]: np.array(run["fold"]) for record in records.values() for run in record["runs"]}
        self._run = first["runs"][0]
        of_songs = self._run.get("songs", {}).get(self.board.split)
        self.times = of_songs and [self.board.first_s + STEP_S * np.arange(n) for n in of_songs["frames"]]

    @property
    def task(self) -> Task:
        """What is predicted, and by which metrics."""
        kind = Dynamic if self.times else Classes if "reference" in self.facts else Static
        return kind(self.targets)

    @cached_property
    def data(self):
        """The data set of the labels over time, see `data_prep.open_dataset`."""
        return open_dataset(self.board.data, self._root)

    @cached_property
    def labels(self):
        """One entry a song: (n, 2) over time, in [-1, 1]; z-scores (n_targets,); or the number of a class.

        Raises
        ------
        InputError : labels over time are not at hand, or are not those of the records
        """
        if not self.times:
            return np.array(self.facts["reference" if "reference" in self.facts else "reference_z"])
        annotations = _annotations(self.data, self.board.parts)
        labels = [_at(annotations.get(song), times) for song, times in zip(self.songs, self.times, strict=True)]
        recorded = np.array(self._run["songs"][self.board.split]["moments"])[..., 0]
        for song, values, mean in zip(self.songs, labels, recorded, strict=True):
            if values is None or np.abs(values.mean(0) - mean).max() > SAME:
                raise InputError(
                    f"{self.data.root}: the labels of song {song} are not those of the records; "
                    f"get {self.data.name} from {self.data.source}"
                )
        return labels


def open_board(name: str, data_root: str | None = None, results: Path = RESULTS) -> OpenBoard:
    """Open a board by its name.

    Parameters
    ----------
    name : in `BOARDS`
    data_root : folder of the data sets, for labels over time; None: the variable MER_DATA_ROOT
    results : folder of the records

    Raises
    ------
    InputError : there is no such board, or its systems are not recorded
    """
    if name not in BOARDS:
        raise InputError(f"{name}: no such board; there are {', '.join(BOARDS)}")
    board = BOARDS[name]
    if board.data == "synthetic_dynamic":
        return OpenBoard(name, _synthetic(board), data_root)
    known = Records(results, board.paper)
    records = {system: known.get(board.dataset, system) for system in board.systems}
    for system, record in records.items():
        path = known.path(board.dataset, system)
        if record is None:
            raise InputError(f"{path}: no such record, which the board {name} shows; --results names another folder")
        if any("fold" not in run for run in record["runs"]):
            raise InputError(f"{path}: has runs without folds, which the board {name} needs; record them again")
    return OpenBoard(name, records, data_root)


def recorded(results: Path = RESULTS) -> list[str]:
    """The names of the boards all of whose systems are recorded; not that of synthetic music.

    Parameters
    ----------
    results : Path
        Folder of the records.

    Returns
    -------
    list of str
    """
    paths = {
        name: [Records(results, board.paper).path(board.dataset, system) for system in board.systems]
        for name, board in BOARDS.items()
    }
    return [name for name, of_board in paths.items() if all(path.is_file() for path in of_board)]


def _annotations(data, parts: tuple[str, ...]) -> dict:
    """Labels over time by song id."""
    return {song: annotation for part in parts for song, annotation in data.annotations(part).items()}


def _at(annotation, times: np.ndarray) -> np.ndarray | None:
    """The labels at some times, (n, 2); None if there are no such labels."""
    if annotation is None:
        return None
    first = int(np.searchsorted(annotation.times, times[0] - STEP_S / 2))
    values, there = (of[first : first + len(times)] for of in (annotation.values, annotation.times))
    return values if len(there) == len(times) and np.allclose(there, times) else None


def _synthetic(board: Board) -> dict[str, dict]:
    """A record of the means of the training songs, in ten folds; of synthetic music nothing is kept."""
    data = open_dataset(board.data, None)
    annotations = _annotations(data, board.parts)
    labels = [annotation.values for annotation in annotations.values()]
    fold, targets = k_folds(len(labels), 10, 0), ("valence", "arousal")
    means = [np.concatenate([y for y, k in zip(labels, fold, strict=True) if k != own]).mean(0) for own in fold]
    predicted = {i: np.tile(mean, (len(labels[i]), 1)) for i, mean in enumerate(means)}
    entry = {"seed": 0, **Dynamic(targets).score(labels, {board.split: predicted}, fold)}
    facts = {"tracks": list(annotations), "targets": list(targets), "n_train": len(labels), "of_train": len(labels)}
    facts |= {"input": "none", "audio": "synthetic", "fingerprint": "synthetic"}
    record = {"title": "baseline: mean of the training songs", "settings": {}, "facts": facts, "runs": [entry]}
    return {"training_mean": record}
