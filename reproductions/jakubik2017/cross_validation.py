"""What both halves of section V share: ten folds, the network's input, and hand-made features in its place."""

from functools import cached_property

import numpy as np

from common import protocol
from common.errors import InputError
from common.experiment import Experiment, Samples
from common.features.mel import MelSpectrogram, paired_with_deltas
from common.features.store import FeatureStore
from data_prep.base import Dataset
from reproductions.jakubik2017.learning import CROP

FOLDS, EPOCHS = 10, 100
SPLIT = "10-fold"  # as the published cells call it


class CrossValidation(Experiment):
    """Cross-validation; the folds' shuffle, the initial weights and the crops follow from the seed."""

    paper = "jakubik2017"
    songs_timed: int  # that the variants' `core_seconds` are meant for, in ten folds

    def __init__(self, data: Dataset, folds: int, incomplete: bool, n_jobs: int):
        """incomplete: songs of the data set are missing."""
        self.data, self.folds, self.incomplete, self.n_jobs = data, folds, incomplete, n_jobs
        self.dataset, self.for_record = data.name, not data.rendered
        self.ids, self.paths = zip(*((track.id, track.path) for track in data.tracks), strict=True)
        self.mel, self._samples = MelSpectrogram(), {}

    @cached_property
    def sequences(self) -> protocol.Sequences:
        """Log-mel vectors of all songs. Raises InputError if one is shorter than a crop."""
        songs = FeatureStore().get_all(self.paths, self.mel, n_jobs=self.n_jobs)
        vectors = [paired_with_deltas(song) for song in songs]
        for path, of_song in zip(self.paths, vectors, strict=True):
            if len(of_song) < CROP:
                raise InputError(f"{path}: lasts less than the 5 s that the network is trained on; take it away")
        return protocol.Sequences.of(vectors)

    @cached_property
    def hand_made(self):
        """The extractor of hand-made features."""
        from common.features.descriptors import Descriptors

        return Descriptors()

    @cached_property
    def descriptors(self) -> np.ndarray:
        """Hand-made features of all songs, (n_songs, 54)."""
        return np.stack(FeatureStore().get_all(self.paths, self.hand_made, n_jobs=self.n_jobs))

    def with_labels(self, x, y, kind: str) -> Samples:
        """All songs with some input and labels, made once; `kind` names these."""
        if kind not in self._samples:
            groups = [track.artist or track.id for track in self.data.tracks]
            self._samples[kind] = Samples(list(self.ids), x, y, groups)
        return self._samples[kind]

    def data_fraction(self, variant):
        return len(self.paths) / self.songs_timed * (self.folds - 1) / (FOLDS - 1)
