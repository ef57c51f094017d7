"""What both halves of section V share: ten folds, the network's input, and hand-made features in its place."""

from functools import cached_property

import numpy as np

from common import protocol
from common.errors import InputError
from common.experiment.recordings import FromRecordings
from common.features.mel import MelSpectrogram, paired_with_deltas
from data_prep.base import Dataset
from reproductions.jakubik2017.learning import CROP, EMBEDDING

FOLDS, EPOCHS = 10, 100
SPLIT = "10-fold"  # as the published cells call it


class CrossValidation(FromRecordings):
    """Cross-validation; the folds' shuffle, the initial weights and the crops follow from the seed."""

    paper = "jakubik2017"
    songs_timed: int  # that the variants' `core_seconds` are meant for, in ten folds

    def __init__(self, data: Dataset, folds: int, incomplete: bool, n_jobs: int):
        super().__init__(data, folds, incomplete, n_jobs)
        self.ids, self.paths = zip(*((track.id, track.path) for track in data.tracks), strict=True)
        self.mel = MelSpectrogram()

    @cached_property
    def sequences(self) -> protocol.Sequences:
        """Log-mel vectors of all songs. Raises InputError if one is shorter than a crop."""
        vectors = [paired_with_deltas(song) for song in self.features(self.mel)]
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
        return np.stack(self.features(self.hand_made))

    def unavailable_reason(self, variant):
        """The semantic embedding is features, from which something must regress or classify."""
        settings = variant.settings
        alone = not (settings.get("regressor") or settings.get("svm"))
        if alone and settings.get("network", {}).get("loss") == EMBEDDING:
            return "the semantic embedding needs support vectors behind it"
        return None

    def data_fraction(self, variant):
        """By songs and folds."""
        return len(self.paths) / self.songs_timed * (self.folds - 1) / (FOLDS - 1)
