"""Valence and arousal every half second: ridge regression on MusiCNN's embedding of the patch that ends at each label.

The regression is fitted on means of songs, one embedding and one label each, and applied to every patch. All was fixed
before it was first run.
"""

import hashlib
from functools import cached_property

import numpy as np

from common import protocol
from common.errors import InputError
from common.experiment import Dynamic, Network, Samples, Split, Trained, Variant
from common.experiment.identity import digest
from common.experiment.recordings import FromRecordings
from data_prep.dynamic import Annotation, DynamicDataset, align_to_labels, windows
from reproductions.musicnn2019.over_time import PATCH_S, PENULTIMATE, OverlappingPatches

TARGETS, FOLDS, SPLIT = ("valence", "arousal"), 10, "cross-validation"
INPUT = "MusiCNN's embedding of the 3 s before each label"
SETTINGS = {"lowest_penalty": 0.1, "highest_penalty": 1e5, "penalties": 25}  # as `common.baselines.ridge`
VARIANTS = [
    Variant("ridge_over_time", "MusiCNN every half second, ridge regression", {"network": SETTINGS}, True, 60),
    Variant(
        "ridge_song_mean", "the same, its mean over the song", {"network": SETTINGS, "constant": True}, core_seconds=60
    ),
    Variant("training_mean", "baseline: mean of the training songs", {"baseline": "training_mean"}, core_seconds=10),
]


def fit(settings: dict, samples: Samples, split: Split) -> Trained:
    """Ridge regression on standardised means of songs, as `common.baselines.ridge`; it then predicts every patch.

    The penalty is chosen by leave-one-out on the training songs.

    Parameters
    ----------
    settings : dict
        `lowest_penalty`, `highest_penalty`, and `penalties`, how many are tried.
    samples : Samples
        x and y are `Sequences`: patches (n_patches, n) and labels (n_patches, n_targets).
    split : Split

    Returns
    -------
    Trained
        Outputs: predictions, float32 (n_patches, n_targets), by test split. The model is a scaled Dense layer.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.preprocessing import StandardScaler

    from common import backend, weights

    backend.start(split.seed)
    import keras

    x, y = (np.stack([of[song].mean(0, dtype="float64") for song in split.train]) for of in (samples.x, samples.y))
    scaler = StandardScaler().fit(x)
    tried = np.geomspace(settings["lowest_penalty"], settings["highest_penalty"], settings["penalties"])
    ridge = RidgeCV(tried).fit(scaler.transform(x), y)
    network = keras.Sequential([keras.Input((x.shape[1],)), keras.layers.Dense(y.shape[1])], name="ridge")
    network.set_weights([ridge.coef_.T, ridge.intercept_])
    model = weights.with_scaling(network, scaler.mean_, scaler.scale_)
    predicted = {name: np.asarray(model(samples.x.subset(songs).values)) for name, songs in split.tests.items()}
    return Trained(predicted, model=model)


def patches(
    data: DynamicDataset, annotations: dict[str, Annotation], n_jobs: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The patches that end at labels.

    Parameters
    ----------
    data : DynamicDataset
    annotations : dict of str to Annotation
        By song.
    n_jobs : int
        Processes for the extraction.

    Returns
    -------
    dict of str to tuple
        By song, of those that have audio: indices of the labels at which a patch ends, int (k,), and the embeddings,
        float32 (k, 1706).

    Raises
    ------
    InputError
        If a recording cannot be read.
    """
    of_songs = windows(data, list(annotations), OverlappingPatches(), longer_by_s=1 - PATCH_S, n_jobs=n_jobs)
    return {song: align_to_labels(annotations[song].times, *of_song) for song, of_song in of_songs.items()}


class OverTime(FromRecordings):
    """Cross-validation by song on a data set's development songs."""

    paper = "musicnn2019"
    compared_features = PENULTIMATE  # a distance in all 1706 values would need more songs

    def __init__(self, data: DynamicDataset, n_jobs: int):
        super().__init__(data, folds=FOLDS, n_jobs=n_jobs)

    @cached_property
    def annotations(self) -> dict[str, Annotation]:
        """Labels by song; of DEAM the task's, with exchanged means exchanged back."""
        return self.data.annotations("development", "repaired")

    @cached_property
    def songs(self) -> Samples:
        """The songs with audio. Raises InputError if there is none, or it is at no label."""
        of_songs = patches(self.data, self.annotations, self.n_jobs)
        if not of_songs:
            raise InputError(f"{self.data.root}: has no audio of songs with labels, which musicnn2019 needs")
        if unlabelled := [song for song, (there, _) in of_songs.items() if not len(there)]:
            hint = "starts must be multiples of 0.5 s, and patches end where labels are"
            raise InputError(f"{self.data.root}: no patch of 3 s of song {unlabelled[0]} ends at a label; {hint}")
        artists = {track.id: track.group for track in self.data.tracks}
        labels = [self.annotations[song].values[there] for song, (there, _) in of_songs.items()]
        embeddings = protocol.Sequences.of([rows for _, rows in of_songs.values()])
        return Samples(list(of_songs), embeddings, protocol.Sequences.of(labels), [artists[song] for song in of_songs])

    def task(self, variant):
        """Valence and arousal over time."""
        return Dynamic(TARGETS, with_tau=False)

    def samples(self, variant):
        """Patches and labels of each song, as `Sequences`."""
        return self.songs

    def splits(self, variant, seed):
        """Ten folds of songs."""
        return protocol.cross_validation(SPLIT, len(self.songs), self.folds, seed)

    def networks(self, variant, split):
        """The regression; none for the baseline."""
        settings = variant.settings.get("network")
        return [Network(fit, settings, self.songs, split)] if settings else []

    def trained_on_all(self, variant):
        """The regression on all songs; only that over time is what `predict` gives."""
        if variant.name != VARIANTS[0].name:
            return super().trained_on_all(variant)
        return self.networks(variant, Split(np.arange(len(self.songs)), {}))

    def predict(self, variant, split, trained):
        """Frames (n_frames, 2) of each test song."""
        y = self.songs.y.subset(split.tests[SPLIT])
        if not trained:
            mean = np.mean([self.songs.y[song].mean(0) for song in split.train], axis=0)
            return {SPLIT: [np.broadcast_to(mean, (n, len(TARGETS))) for n in y.lengths]}
        frames = np.split(trained[0].outputs[SPLIT], y.bounds[1:-1])
        if variant.settings.get("constant"):
            frames = [np.broadcast_to(of_song.mean(0), of_song.shape) for of_song in frames]
        return {SPLIT: frames}

    def extractor(self, variant):
        """MusiCNN's embedding of overlapping patches."""
        return OverlappingPatches()

    def facts(self, variant):
        """As of recordings, with the labels that have audio."""
        n_labels = sum(len(one.times) for one in self.annotations.values())
        n, of = len(self.songs), len(self.annotations)
        values = [hashlib.sha256(part.values.tobytes()).hexdigest() for part in (self.songs.x, self.songs.y)]
        return super().facts(variant) | {
            "fingerprint": digest([self.songs.ids, self.songs.y.lengths.tolist(), values]), "input": INPUT,
            "n_train": n, "of_train": of, "n_test": n, "of_test": of, "artists": self.songs.groups,
            "frames": f"{len(self.songs.y.values):,} of {n_labels:,} labels",
        }  # fmt: skip
