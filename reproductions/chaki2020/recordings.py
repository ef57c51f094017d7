"""The paper's networks on a collection of recordings of unequal length, with labels of one's own (`LabelledAudio`).

In a batch, recordings are padded at their ends to the longest. Padded steps have no weight in the loss and no score,
and no step depends on later ones, so that each recording is predicted as it would be alone.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from common import baselines
from common.errors import InputError
from common.experiment import Network, Samples, Split, Trained
from common.experiment.identity import digest
from common.features import opensmile
from common.protocol import Sequences
from data_prep.dynamic import DynamicDataset, align_to_labels, windows
from reproductions.chaki2020 import baselines as of_clips
from reproductions.chaki2020.clips import Clips, extractor
from reproductions.chaki2020.train import BATCH, MIN_DELTA, PATIENCE, TARGETS, ThousandSongs


@dataclass(frozen=True)
class Recordings(Samples):
    """Recordings with x and y as Sequences: features, and valence and arousal, of each labelled step."""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that it holds."""
        parts = [part.tobytes().hex() for part in (self.x.bounds, self.x.values, self.y.values)]
        return digest([self.ids, self.groups, *parts])


def load(data: DynamicDataset, source: str, n_jobs: int) -> Recordings:
    """All labelled recordings with one kind of input (`clips.INPUTS`); raises InputError if a label has none."""
    annotations, x, y = data.annotations("development"), {}, {}
    early_s = 0.5 if source == "compare" else 0.0
    features = windows(data, list(annotations), extractor(data, source), early_s=early_s, n_jobs=n_jobs)
    for song, (starts, rows) in features.items():
        labels = annotations[song]
        available, rows = align_to_labels(labels.times, starts, rows)
        if len(available) < len(labels.times):
            time = np.delete(labels.times, available)[0]
            raise InputError(f"{data.root}: the label at {time:g} s of {song} has no complete window; remove it")
        x[song] = rows[:, opensmile.TIME_INVARIANT] if source == "timeless" else rows
        y[song] = labels.values
    ids = list(x)
    return Recordings(ids, Sequences.of(list(x.values())), Sequences.of(list(y.values())), ids)


def padded(songs: Sequences, steps: int) -> np.ndarray:
    """Songs with zeros at their ends, (n_songs, steps, dimension)."""
    values = np.zeros((len(songs), steps, songs.values.shape[1]), songs.values.dtype)
    for i, n in enumerate(songs.lengths):
        values[i, :n] = songs[i]
    return values


def fit(settings: dict, songs: Recordings, split: Split) -> Trained:
    """As `train.fit`, with padding. Outputs: `predicted` (n_test, steps), 0 behind the end of a recording."""
    from common import backend, weights

    backend.start(split.seed)
    import keras
    from sklearn.preprocessing import StandardScaler

    from common.layers.tf1 import RMSprop
    from reproductions.chaki2020 import model

    scaler, steps = StandardScaler().fit(songs.x.subset(split.train).values), int(songs.x.lengths.max())
    x = padded(Sequences(scaler.transform(songs.x.values), songs.x.bounds), steps)
    y = padded(songs.y, steps)[..., TARGETS.index(settings["target"]), None]
    labelled = np.arange(steps) < songs.x.lengths[:, None]

    def part(of):  # weights have the mean 1, so that losses are means over the labelled steps
        return x[of], y[of], (labelled[of] / labelled[of].mean()).astype("float32")

    net = model.lstm(x.shape[-1], steps, settings["units"], settings["attention"], settings.get("activation", "tanh"))
    optimizer = keras.optimizers.RMSprop if settings.get("optimizer") == "keras3" else RMSprop
    net.compile(optimizer(1e-3), "mse")
    stop = keras.callbacks.EarlyStopping(
        min_delta=MIN_DELTA, patience=PATIENCE, restore_best_weights=settings.get("restore", False)
    )
    *pair, weight = part(split.train)
    history = net.fit(*pair, sample_weight=weight, batch_size=BATCH, epochs=settings["epochs"], verbose=0,
                      validation_data=part(split.validation), callbacks=[stop]).history  # fmt: skip
    (test,) = split.tests.values()
    predicted = np.where(labelled[test], net.predict(x[test], batch_size=BATCH, verbose=0)[..., 0], 0)
    curves = {"loss": np.array(history["loss"]), "validation_loss": np.array(history["val_loss"])}
    return Trained({"predicted": predicted}, curves, weights.with_scaling(net, scaler.mean_, scaler.scale_))


def fit_ridge(settings: dict, songs: Recordings, split: Split) -> Trained:
    """Ridge regression of all frames, each as a clip of one step; outputs `predicted` (n_test_frames, 1, 2)."""
    frames = Clips([], songs.x.values[:, None], songs.y.values[:, None], [], np.zeros(1))
    (test,), bounds = split.tests.values(), songs.x.bounds

    def steps(of):
        return np.concatenate([np.arange(bounds[i], bounds[i + 1]) for i in of])

    return of_clips.fit_ridge(
        settings, frames, Split(steps(split.train), {"test": steps(test)}, steps(split.validation))
    )


class OwnRecordings(ThousandSongs):
    """Folds of the recordings, with all predictions pooled."""

    def samples(self, variant):
        source = variant.settings["input"]
        if source not in self._clips:
            self._clips[source] = load(self.data, source, self.n_jobs)
        return self._clips[source]

    def networks(self, variant, split):
        settings, songs = variant.settings, self.samples(variant)
        if "network" in settings:
            return [Network(fit, settings["network"] | {"target": target}, songs, split) for target in TARGETS]
        return [Network(fit_ridge, {}, songs, split)] if settings["baseline"] in of_clips.FRAME_RIDGES else []

    def predict(self, variant, split, trained):
        ((name, test),) = split.tests.items()
        songs = self.samples(variant)
        if "network" not in variant.settings:
            return {name: baseline(variant.settings["baseline"], songs, split, trained)}
        predicted = np.stack([network.outputs["predicted"] for network in trained], axis=-1)
        predicted = np.where(np.isfinite(predicted).all(-1, keepdims=True), predicted, 0)  # 0: mid-scale
        return {name: [values[:n] for values, n in zip(predicted, songs.y.lengths[test], strict=True)]}

    def excerpts(self, clips, tested):
        return {}

    def unavailable_reason(self, variant):
        if variant.settings.get("network", {}).get("attention") == "global":
            return "attention to the whole clip needs clips of one length"
        return super().unavailable_reason(variant)


def baseline(name: str, songs: Recordings, split: Split, trained: list[Trained]) -> list[np.ndarray]:
    """Predictions without a network, (n_steps, 2) a test song; trained: the ridge regression of frames, if needed."""
    (test,), train = split.tests.values(), np.union1d(split.train, split.validation)
    lengths = songs.y.lengths[test]

    def means(sequences):
        return np.stack([sequences[i].mean(0) for i in range(len(sequences))])

    if name in of_clips.FRAME_RIDGES:
        frames = np.split(trained[0].outputs["predicted"][:, 0], np.cumsum(lengths)[:-1])
        predicted = [of_clips.FRAME_RIDGES[name](of_song[None])[0] for of_song in frames]
    elif name == "training_mean":
        predicted = [songs.y.subset(train).values.mean(0)] * len(test)
    elif name == "own_song_mean":
        predicted = means(songs.y.subset(test))
    else:
        predicted = baselines.ridge(means(songs.y), train, test, means(songs.x))
    return [np.broadcast_to(values, (n, len(TARGETS))) for values, n in zip(predicted, lengths, strict=True)]
