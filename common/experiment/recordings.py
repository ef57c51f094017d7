"""Experiments whose input is computed from the recordings of a data set."""

from collections.abc import Callable

import numpy as np

from common.experiment.base import Experiment, Samples
from common.features.store import FeatureStore


class FromRecordings(Experiment):
    """What such experiments have in common: the data set, features of its recordings, what records state of them.

    Parameters
    ----------
    data : the data set, see `data_prep.base.Dataset`
    folds : of the cross-validation; 1 without one
    incomplete : whether songs of the data set are missing
    n_jobs : processes for the extraction of features
    """

    def __init__(self, data, folds: int = 1, incomplete: bool = False, n_jobs: int = 1):
        self.data, self.folds, self.incomplete, self.n_jobs = data, folds, incomplete, n_jobs
        self.dataset, self.for_record = data.name, not data.synthetic
        self._samples = {}

    def samples_once(self, key, tracks, y, x: Callable[[], object]) -> Samples:
        """Samples that are made once for each key.

        Parameters
        ----------
        key : hashable
            Names the tracks and the input.
        tracks : list of tracks of a data set
        y : array (n_tracks, ...) or `common.protocol.Sequences`
        x : callable without arguments
            Returns the input, one entry a track.

        Returns
        -------
        Samples
        """
        if key not in self._samples:
            self._samples[key] = Samples([track.id for track in tracks], x(), y, [track.group for track in tracks])
        return self._samples[key]

    def features(self, extractor, tracks=None) -> list[np.ndarray]:
        """What an extractor computes from each recording.

        Parameters
        ----------
        extractor : as the classes in `common.features`
        tracks : list of tracks, optional
            By default all of the data set.

        Returns
        -------
        list of ndarray
            Time first, where there is time.

        Raises
        ------
        InputError
            For the first recording that cannot be read.
        """
        paths = [track.path for track in (self.data.tracks if tracks is None else tracks)]
        return FeatureStore().get_all(paths, extractor, n_jobs=self.n_jobs)

    def facts(self, variant):
        """As of every experiment, with coverage from the splits of seed 0; papers add the input to it."""
        samples, splits = self.samples(variant), self.splits(variant, 0)
        n_test = sum(len(next(iter(split.tests.values()))) for split in splits)
        n_train = len(np.unique(np.concatenate([part for split in splits for part in (split.train, split.validation)])))
        return {
            "fingerprint": self.data.fingerprint, "audio": self.data.audio_kind, "decoder": self.data.decoder,
            "targets": list(self.task(variant).targets), "tracks": samples.ids,
            "n_train": n_train, "of_train": n_train, "n_test": n_test, "of_test": n_test,
        }  # fmt: skip
