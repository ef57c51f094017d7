"""MusiCNN's embedding -> ridge regression, on the songs, folds and labels of the papers' networks.

--dataset mediaeval2015 (the default), emomusic, emotify or 4q: the boards of these data sets in
`python -m reproductions leaderboard`. On emomusic also the task's split of 2013 and ratings of clips, as in jukemir; on
4q also the splits of 138 songs that velankar2022 recorded. --dataset deam: valence and arousal every half second of the
431 development songs of MediaEval 2015, whose weights `predict` uses. Without a data root it runs on synthetic music.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from common import baselines, cli
from common.errors import InputError
from common.experiment import Classes, Dynamic, Split, Static, Variant
from common.experiment.identity import digest
from common.experiment.recordings import FromRecordings
from common.experiment.tasks import Task
from common.places import RESULTS
from common.protocol import Sequences
from common.verdict.recorded import Records
from data_prep import open_dataset, open_dynamic
from data_prep.base import data_root
from reproductions.leaderboard.boards import OpenBoard, open_board
from reproductions.musicnn2019 import regression
from reproductions.musicnn2019.embedding import Embedding

BOARDS = ("mediaeval2015", "emomusic", "emotify", "4q")
OVER_TIME = "deam"  # the data set of the regression over time
TESTS = {  # how songs are split: on which data set, and what that adds to a name and a title
    "folds": (None, "", ""),
    "official": ("emomusic", "_official", ", the split of 2013"),
    "moods": ("4q", "_moods", ", 138 songs of three classes"),
}
REGRESSIONS = {"ridge": "MusiCNN, ridge regression", "training_mean": "baseline: mean of the training songs"}


def variants(dataset: str) -> list[Variant]:
    """Ridge regression and its baseline, in all splits of a data set; on OVER_TIME every half second.

    Parameters
    ----------
    dataset : str

    Returns
    -------
    list of Variant
    """
    if dataset == OVER_TIME:
        return regression.VARIANTS
    return [
        Variant(
            name + suffix,
            title + about,
            {"test": test, "regression": name, "protocol": 1},
            primary=name == "ridge",
            core_seconds=10,
        )
        for test, (of, suffix, about) in TESTS.items()
        if of in (None, dataset)
        for name, title in REGRESSIONS.items()
    ]


@dataclass(frozen=True)
class Songs:
    """Songs with labels in the task's form; by seed the fold of each, of which the first `n_tests` are tested."""

    ids: list[str]
    y: object
    task: Task
    split: str
    folds: dict[int, np.ndarray]
    n_tests: int
    facts: dict

    @property
    def values(self) -> np.ndarray:
        """What is regressed, (n_songs, n_values): 1 for a song's class and 0 for the others, or its mean labels."""
        if isinstance(self.task, Classes):
            return np.eye(len(self.task.targets))[self.y]
        return np.stack([np.atleast_2d(self.y[i]).mean(0) for i in range(len(self.ids))])

    def predictions(self, songs: np.ndarray, values: np.ndarray):
        """Values of some songs as predictions: the likeliest class, or the same at all times.

        Parameters
        ----------
        songs : int, (n,)
            Their indices.
        values : ndarray, (n, n_values)
            Predicted for them, in the form of `self.values`.

        Returns
        -------
        int, (n,), or list of ndarray
            Classes; or for each song as many values as its labels.
        """
        if isinstance(self.task, Classes):
            return values.argmax(1)
        return [np.broadcast_to(of_song, np.shape(self.y[i])) for i, of_song in zip(songs, values, strict=True)]


class Reference(FromRecordings):
    """Songs are predicted from the mean of their patches."""

    paper = "musicnn2019"

    def __init__(self, data, board: OpenBoard, n_jobs: int):
        super().__init__(data, n_jobs=n_jobs)
        self.board, self.dataset = board, board.board.dataset
        self.tracks = {track.id: track for track in data.tracks}
        if absent := [song for song in board.songs if song not in self.tracks]:
            raise InputError(f"{data.root}: has no audio of song {absent[0]}; get it from {data.source}")

    @cached_property
    def songs(self) -> dict[str, Songs]:
        """By how they are split."""
        board, known = self.board, {}
        y, n_tests = Sequences.of(board.labels) if board.times else board.labels, max(board.folds[0]) + 1
        kept = ("of_train", "of_test", "artists", "frames", "reference")
        facts = {key: board.facts[key] for key in kept if board.facts.get(key)}
        facts |= {"reference_z": Static.reference(y)} if isinstance(board.task, Static) else {}
        known["folds"] = Songs(board.songs, y, board.task, board.board.split, board.folds, n_tests, facts)
        if self.dataset == "emomusic":
            ratings, tested = self.data.ratings(), np.isin(board.songs, self.data.splits["evaluation"])
            y = np.stack([[ratings[song]] * 2 for song in board.songs])  # R² over two equal frames is that over songs
            facts = {"tracks": np.array(board.songs)[tested].tolist()}
            known["official"] = Songs(board.songs, y, Dynamic(board.targets), "evaluation", {0: 1 - tested}, 1, facts)
        if self.dataset == "4q":
            record = Records(RESULTS, "velankar2022").get("4q", "crnn")
            facts, folds = record["facts"], {run["seed"]: np.array(run["fold"]) for run in record["runs"]}
            task, y = Classes(tuple(facts["targets"])), np.array(facts["reference"])
            known["moods"] = Songs(facts["tracks"], y, task, "test", folds, 1, {"reference": facts["reference"]})
        return known

    def task(self, variant):
        """That of the board: over time, one value a target, or a class."""
        return self.songs[variant.settings["test"]].task

    def samples(self, variant):
        """Mean embedding of each song's patches (n_songs, n), and the board's labels."""
        test, extractor = variant.settings["test"], self.extractor(variant)
        tracks = [self.tracks[song] for song in self.songs[test].ids]

        def embeddings():
            return np.stack([patches.mean(0) for patches in self.features(extractor, tracks)])

        return self.samples_once(test, tracks, self.songs[test].y, embeddings)

    def splits(self, variant, seed):
        """The recorded folds, or the data set's split. Raises InputError if a seed has none."""
        songs = self.songs[variant.settings["test"]]
        if seed not in songs.folds:
            raise InputError(f"{variant.name}: recorded are {len(songs.folds)} repetitions, none of seed {seed}")
        fold = songs.folds[seed]
        parts = [(np.flatnonzero(fold != k), {songs.split: np.flatnonzero(fold == k)}) for k in range(songs.n_tests)]
        return [Split(*part, fold=k, seed=1000 * seed + k) for k, part in enumerate(parts)]

    def predict(self, variant, split, trained):
        """Ridge regression or a baseline; over time the same value at all frames."""
        songs, name = self.songs[variant.settings["test"]], variant.settings["regression"]
        test = split.tests[songs.split]
        features = [self.samples(variant).x] if name == "ridge" else []
        values = getattr(baselines, name)(songs.values, split.train, test, *features)
        return {songs.split: songs.predictions(test, values)}

    def extractor(self, variant):
        """MusiCNN's embedding."""
        return Embedding()

    def facts(self, variant):
        """As of recordings, with the coverage that the board's records state."""
        test = variant.settings["test"]
        of_songs = {"fingerprint": digest([self.data.fingerprint, test]), "input": "MusiCNN's embedding of the audio"}
        return super().facts(variant) | of_songs | self.songs[test].facts


def build(options) -> Reference | regression.OverTime:
    """The experiment on the songs of the board of a data set, or over time; without a data root on synthetic music.

    Parameters
    ----------
    options : argparse.Namespace
        `dataset`, `data_root`, `allow_missing` and `jobs` are read.

    Returns
    -------
    Reference or OverTime

    Raises
    ------
    InputError
        If the data set is none of BOARDS and not OVER_TIME, is not there or not as distributed, or has no audio of a
        song of the board.
    """
    if options.dataset == OVER_TIME:
        data = open_dynamic(OVER_TIME, options.data_root, synthetic="synthetic_dynamic")
        data.require(allow_missing=options.allow_missing)
        return regression.OverTime(data, options.jobs)
    if options.dataset not in BOARDS:
        known = ", ".join([*BOARDS, OVER_TIME])
        raise InputError(f"{options.dataset}: has no recorded songs and folds; choose {known}")
    root = data_root(options.data_root)
    board = open_board(options.dataset if root else "synthetic", root)
    data = board.data if board.times else open_dataset(options.dataset, root)
    data.require(allow_missing=options.allow_missing)
    return Reference(data, board, options.jobs)


TRAINING = cli.Training(
    lambda options: variants(options.dataset),
    build,
    lambda variant: (f"training_mean{TESTS[variant.settings.get('test', 'folds')][1]}",),
    dataset="mediaeval2015",
    folds=False,
)
main = TRAINING.main

if __name__ == "__main__":
    cli.run_module(__spec__)
