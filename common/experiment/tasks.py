"""What is predicted of a song, and by which metrics: over time, one value a target, or a class.

A task turns labels and predictions into the entry of a run: metrics by split, and what they follow from.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from common import metrics


@dataclass(frozen=True)
class Task(ABC):
    """Names of what is predicted: emotions, valence and arousal, or classes."""

    targets: tuple[str, ...]

    @abstractmethod
    def score(self, labels, predictions: dict[str, dict[int, np.ndarray]], fold: np.ndarray) -> dict:
        """The entry of a run, as JSON.

        Parameters
        ----------
        labels : one entry a song
        predictions : by split and song (its index in `labels`, in rising order)
        fold : the fold that tests each song, (n_songs,)

        Returns
        -------
        `metrics` by split, name and target, `fold`, and what the metrics follow from
        """


@dataclass(frozen=True)
class Dynamic(Task):
    """Targets over time: labels and predictions (n_frames, n_targets) a song.

    with_tau : whether also Kendall's tau, R² and shares of songs
    sequences : lengths of the sequences within which also RMSE is taken, in frames
    """

    with_tau: bool = True
    sequences: tuple[int, ...] = ()

    def score(self, labels, predictions, fold):
        """Metrics over all frames, and of each song the moments they follow from."""
        entry = {"metrics": {}, "songs": {}, "fold": fold.tolist()}
        for split, of_songs in predictions.items():
            pairs = [labels[song] for song in of_songs], list(of_songs.values())
            songs = metrics.of_songs(*pairs, tau=self.with_tau, lengths=self.sequences)
            entry["songs"][split] = songs
            entry["metrics"][split] = metrics.dynamic(songs, list(self.targets))
        return entry


@dataclass(frozen=True)
class Static(Task):
    """One value a song and target: labels and predictions (n_targets,); Pearson's r, within folds and pooled."""

    def score(self, labels, predictions, fold):
        """Correlations within folds and pooled, and the predictions."""
        ((split, of_songs),) = predictions.items()  # all songs, each in one fold
        estimate = np.stack(list(of_songs.values())).astype("float64").round(5)
        reference = self.reference(labels)
        return {
            "metrics": {split: metrics.correlations(reference, estimate, fold, list(self.targets))},
            "fold": fold.tolist(),
            "predictions": estimate.tolist(),
            "by_fold": metrics.by_fold(reference, estimate, fold),
        }

    @staticmethod
    def reference(labels) -> list:
        """The labels as a record keeps them, from which r follows.

        Parameters
        ----------
        labels : float (n_songs, n_targets)

        Returns
        -------
        list, (n_songs, n_targets)
            Standardised over the songs, four digits.
        """
        return metrics.standardised(labels).round(4).tolist()


@dataclass(frozen=True)
class Classes(Task):
    """A class a song: labels and predictions are its number; accuracy, precision, recall and F1."""

    def score(self, labels, predictions, fold):
        """Counts and what follows from them, and the predicted classes."""
        entry = {"metrics": {}, "predicted": {}, "fold": fold.tolist()}
        for split, of_songs in predictions.items():
            songs, numbers = np.array(list(of_songs)), np.array(list(of_songs.values()))
            entry["metrics"][split] = metrics.classification(np.asarray(labels)[songs], numbers, list(self.targets))
            of_all = np.full(len(labels), -1)
            of_all[songs] = numbers
            entry["predicted"][split] = of_all.tolist()
        return entry
