"""What a paper says of its experiment on one data set; all else follows from it (`common.experiment.runner`).

A variant is a system of the paper's tables, or one interpretation of it. For each variant an experiment names the songs
(`samples`), how they are split (`splits`), the networks that are trained (`networks`), and how the test songs are
predicted from them (`predict`). The runner derives the rest: which networks are trained already, resuming, metrics,
records, weights.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from common.errors import InputError
from common.experiment.tasks import Task


@dataclass(frozen=True)
class Variant:
    """One system, or one interpretation of it.

    Attributes
    ----------
    settings : all that its numbers depend on besides data and seed, as JSON
    primary : whether it answers for published cells
    core_seconds : processor time of a repetition, roughly
    score_last : whether scoring takes long, so that it waits until all networks are trained
    """

    name: str
    title: str
    settings: dict = field(hash=False)
    primary: bool = False
    core_seconds: float = 0
    score_last: bool = False


@dataclass(frozen=True)
class Samples:
    """Songs in one order, each with its input and its labels.

    Attributes
    ----------
    ids : names of the songs, (n_songs,)
    x, y : inputs and labels with one entry a song: an array (n_songs, ...) or `common.protocol.Sequences`
    groups : the artist of each song (n_songs,), its own name where the artist is not known
    """

    ids: list[str]
    x: object
    y: object
    groups: list[str]

    def __len__(self):
        return len(self.ids)


@dataclass(frozen=True)
class Split:
    """Which songs a network is trained on and which it predicts, as indices of samples.

    Attributes
    ----------
    train : songs to train on
    tests : songs to predict, by the name of the split under which they are reported
    validation : songs that choose when training stops, or which weights are kept
    fold : its number in a cross-validation
    seed : of the networks that are trained on it
    """

    train: np.ndarray
    tests: dict[str, np.ndarray]
    validation: np.ndarray = field(default_factory=lambda: np.empty(0, int))
    fold: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Trained:
    """What the training of a network leaves.

    Attributes
    ----------
    outputs : arrays that `Experiment.predict` reads, by name
    history : arrays by name, one value (or one a target) an epoch; "epoch" names the epochs if not all are there
    model : of Keras, its input scaling inside (`common.weights.with_scaling`); what predictions for recordings use
    """

    outputs: dict[str, np.ndarray]
    history: dict[str, np.ndarray] = field(default_factory=dict)
    model: object = None


@dataclass(frozen=True)
class Network:
    """A network to be trained: `fit(settings, samples, split)` returns `Trained`. Equal networks are trained once."""

    fit: Callable[[dict, Samples, Split], Trained]
    settings: dict
    samples: Samples
    split: Split


class Experiment(ABC):
    """A paper's protocol on one data set. Methods that a paper overrides keep the contract that stands here.

    Attributes
    ----------
    paper, dataset : names
    folds : of the cross-validation; 1 without one
    for_record : False for synthetic music, whose numbers are never recorded
    fit : trains one network, as `Network` describes it; where each variant has one, `settings["network"]`
    compared_features : columns of the input by which `predict` tells whether a recording is like the training songs
    """

    paper: str
    dataset: str
    folds: int
    for_record: bool = True
    fit: Callable[[dict, Samples, Split], Trained] | None = None
    compared_features: slice = slice(None)

    @abstractmethod
    def facts(self, variant: Variant) -> dict:
        """What a record states of the data; `common/verdict/schemas/record.json` checks it.

        Parameters
        ----------
        variant : Variant

        Returns
        -------
        dict, as JSON
            fingerprint : str, of the data set's files and labels
            n_train, of_train, n_test, of_test : int, songs used, of how many in the paper's protocol
            input, audio : str, what the input is, and where its audio comes from, for the notes under a table
            targets : list of str, names of the labels, or of the classes
            tracks, artists : list of str, one a song (optional)
            reference : list of int, class numbers of the songs, -1 where there is none (for classes)
            reference_z : list, labels standardised, (n_songs, n_targets) (for labels of songs)
            splits : dict, by the name of a split what differs there from the above (optional)
            frames : str, which part of each song is used, if it is not all (optional)
            partial : bool, True: songs, settings or folds are not all as in the paper (optional)
            stand_in : bool, True: other songs or another input than the paper's (optional)
            overlap : float, number of tested songs by number of others, for repeated random splits (optional)

        Raises
        ------
        InputError
            If the data are not what the variant needs.
        """

    @abstractmethod
    def task(self, variant: Variant) -> Task:
        """What is predicted, and by which metrics.

        Parameters
        ----------
        variant : Variant

        Returns
        -------
        Task
        """

    @abstractmethod
    def samples(self, variant: Variant) -> Samples:
        """The songs of a variant, with input and labels.

        Parameters
        ----------
        variant : Variant

        Returns
        -------
        Samples
            The same object for each call with the same variant, since they may be large.

        Raises
        ------
        InputError
            If no song has the input, or a recording cannot be read.
        """

    @abstractmethod
    def splits(self, variant: Variant, seed: int) -> list[Split]:
        """How a repetition splits the songs.

        Parameters
        ----------
        variant : Variant
        seed : int
            Of the repetition.

        Returns
        -------
        list of Split
            One, or one a fold; indices are those of `samples(variant)`.

        Raises
        ------
        InputError
            If the songs are too few.
        """

    @abstractmethod
    def predict(self, variant: Variant, split: Split, trained: list[Trained]) -> dict:
        """Predictions for the test songs of a split.

        Parameters
        ----------
        variant : Variant
        split : Split
            One of `splits`.
        trained : list of Trained
            Its networks, in the order of `networks`; none for a baseline.

        Returns
        -------
        dict
            By the names of `split.tests`, one entry a song in their order, in the form that the task asks for:
            (n_frames, n_targets), (n_targets,), or the number of a class.
        """

    def networks(self, variant: Variant, split: Split) -> list[Network]:
        """The networks that are trained for a split.

        Parameters
        ----------
        variant : Variant
        split : Split

        Returns
        -------
        list of Network
            By default the one that `settings["network"]` describes; none for a baseline.
        """
        settings = variant.settings.get("network") if self.fit else None
        return [Network(self.fit, settings, self.samples(variant), split)] if settings else []

    def trained_on_all(self, variant: Variant) -> list[Network]:
        """The networks whose weights are kept for predictions, trained on all songs (but those that validate).

        Parameters
        ----------
        variant : Variant

        Returns
        -------
        list of Network

        Raises
        ------
        InputError
            If the paper's `predict` could not read them.
        """
        raise InputError(f"{variant.name}: has no weights that `predict` could read; --list shows the others")

    def extractor(self, variant: Variant):
        """The extractor that computes a variant's input from audio.

        Parameters
        ----------
        variant : Variant

        Returns
        -------
        callable, as the classes in `common.features`; None if the features come with the data
        """
        return None

    def unavailable_reason(self, variant: Variant) -> str | None:
        """Why the data here do not allow a variant.

        Parameters
        ----------
        variant : Variant

        Returns
        -------
        str, for a message; None if they allow it
        """
        return None

    def data_fraction(self, variant: Variant) -> float:
        """How much there is of the data that a variant's `core_seconds` assumes, roughly.

        Parameters
        ----------
        variant : Variant

        Returns
        -------
        float, 0 or more
            1: all of it; above 1 with more songs or folds.
        """
        return 1.0

    def score(self, variant: Variant, seed: int, trained: list[list[Trained]]) -> dict:
        """The entry of one run.

        Parameters
        ----------
        variant : Variant
        seed : int
            Of the repetition.
        trained : list of list of Trained
            By split its networks, in the order of `networks`.

        Returns
        -------
        dict, as JSON
            What `evaluate` returns.
        """
        return self.evaluate(variant, self.splits(variant, seed), self.predictions(variant, seed, trained))

    def predictions(self, variant: Variant, seed: int, trained: list[list[Trained]]) -> dict[str, dict]:
        """Predictions of all splits.

        Parameters
        ----------
        variant, seed, trained
            As of `score`.

        Returns
        -------
        dict
            By the name of a split and the song's index in `samples`, rising, as `predict` returns them.
        """
        predictions = {}
        for split, of_split in zip(self.splits(variant, seed), trained, strict=True):
            for name, values in self.predict(variant, split, of_split).items():
                predictions.setdefault(name, {}).update(zip(split.tests[name].tolist(), values, strict=True))
        return {name: dict(sorted(of_songs.items())) for name, of_songs in predictions.items()}

    def evaluate(self, variant: Variant, splits: list[Split], predictions: dict[str, dict]) -> dict:
        """Metrics of predictions.

        Parameters
        ----------
        variant : Variant
        splits : list of Split
            Of the repetition.
        predictions : dict
            By the name of a split and the song's index in `samples`.

        Returns
        -------
        dict, as JSON
            Metrics by split, what they follow from (see the task), and folds.
        """
        y = self.samples(variant).y
        return self.task(variant).score(y, predictions, test_folds(splits, len(y))) | _parts(splits, len(y))


def test_folds(splits: list[Split], n_songs: int) -> np.ndarray:
    """Which fold tests each song.

    Parameters
    ----------
    splits : list of Split
    n_songs : int

    Returns
    -------
    int ndarray, (n_songs,)
        The number of splits for a song that none tests.
    """
    fold = np.full(n_songs, len(splits))
    for split in splits:
        fold[next(iter(split.tests.values()))] = split.fold
    return fold


def _parts(splits: list[Split], n_songs: int) -> dict:
    """Of one split with validation: by song a letter, t(ested), v(alidating), l(earnt from), or - for none of these.

    Tested are the songs of the first test without any that are trained on.
    """
    if len(splits) > 1 or not len(splits[0].validation):
        return {}
    letters = np.full(n_songs, "-")
    (split,) = splits
    tested = next((songs for songs in split.tests.values() if not np.isin(songs, split.train).any()), [])
    for songs, letter in ((tested, "t"), (split.validation, "v"), (split.train, "l")):
        letters[songs] = letter
    return {"part": "".join(letters)}
