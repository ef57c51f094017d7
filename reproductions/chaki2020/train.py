"""Section 4: features every half second -> LSTM, with attention or without -> valence or arousal, 10 folds, R².

Without --variant it runs the paper's pair, LSTM_NAT_400 and LSTM_AT_400, on ComParE features from audio. Variants
whose names end in _260 run on the features that come with DEAM: no audio needed, another input than the paper's.
"""

import sys
import time
from functools import cached_property
from pathlib import Path

import numpy as np

from common import cli, protocol
from common.errors import InputError
from common.files import finite
from common.runs import Experiment
from data_prep import open_dynamic
from reproductions.chaki2020.baselines import FRAME_RIDGES, baseline, ridge
from reproductions.chaki2020.clips import CLIPS, INPUTS, SHOWN, STEPS, Clips, extractor, load, validation
from reproductions.chaki2020.variants import FOLDS, baselines, variants

TARGETS = ["valence", "arousal"]
PAPERS = "emomusic"  # the paper's data set
BATCH = 10  # clips an update
MIN_DELTA, PATIENCE = 1e-4, 5
PUBLISHED = {variant.name: variant.settings for variant in variants()}  # with as many epochs as in the paper


def train_network(network: dict, clips: Clips, target: int, split: tuple, seed: int) -> dict:
    """Train on some clips, then predict others: what `fit` found."""
    return fit(network, clips, target, split, seed)[0]


def fit(network: dict, clips: Clips, target: int, split: tuple, seed: int) -> tuple[dict, dict]:
    """Train on some clips, stop by a tenth of them, predict others (4.1).

    network: `units`, `attention`, `epochs` (at most), and readings: `activation` of the LSTM, `restore` the best
    weights, `optimizer` "keras3". split: indices of training and test clips, and their groups or None.
    Returns two dicts of arrays. What was found: `predicted` (n_test, T), `loss` and `validation_loss` (epochs),
    `seconds` of processor time. What was learnt: the weights, and `mean` and `std` of the input.
    """
    from common import backend, weights

    started = time.process_time()
    backend.start(seed)
    import keras
    from sklearn.preprocessing import StandardScaler

    from common.layers.tf1 import RMSprop
    from reproductions.chaki2020 import model

    train, test, groups = split
    held_out = validation(train, groups, seed)
    train, validated = train[~held_out], train[held_out]
    scaler = StandardScaler().fit(clips.x[train].reshape(-1, clips.x.shape[2]))

    def of(some):
        x = scaler.transform(clips.x[some].reshape(-1, clips.x.shape[2])).reshape(len(some), *clips.x.shape[1:])
        return x, clips.y[some, :, target, None]

    units, activation = network["units"], network.get("activation", "tanh")
    net = model.lstm(clips.x.shape[2], clips.x.shape[1], units, network["attention"], activation)
    optimizer = keras.optimizers.RMSprop if network.get("optimizer") == "keras3" else RMSprop
    net.compile(optimizer(1e-3), "mse")
    stop = keras.callbacks.EarlyStopping(
        min_delta=MIN_DELTA, patience=PATIENCE, restore_best_weights=network.get("restore", False)
    )
    course = net.fit(*of(train), batch_size=BATCH, epochs=network["epochs"], validation_data=of(validated),
                     callbacks=[stop], verbose=0).history  # fmt: skip
    predicted = keras.ops.convert_to_numpy(net(of(test)[0]))[..., 0]
    found = {
        "predicted": predicted, "loss": np.array(course["loss"]), "validation_loss": np.array(course["val_loss"]),
        "seconds": np.array(time.process_time() - started),
    }  # fmt: skip
    return found, weights.of(net) | {"mean": scaler.mean_, "std": scaler.scale_}


def histories(found: list[dict]) -> dict[str, list]:
    """Of each network the loss after every epoch, four digits; None where it is not finite."""
    return {name: [finite([float(f"{value:.4g}") for value in network[name]]) for network in found]
            for name in ("loss", "validation_loss")}  # fmt: skip


class ThousandSongs(Experiment):
    """Ten folds of the clips, by clip or by artist, with all predictions pooled; or the task's split of 2013."""

    paper = "chaki2020"

    def __init__(self, data, folds: int, jobs: int):
        self.data, self.folds, self.processes = data, folds, jobs
        self.dataset, self.for_record = data.name, not data.rendered
        self._clips = {}

    def clips(self, source: str) -> Clips:
        """The clips with one kind of input, read once."""
        if source not in self._clips:
            self._clips[source] = load(self.data, source, self.processes)
        return self._clips[source]

    def hears(self, variant) -> bool:
        """Whether a variant's input comes from audio."""
        return not self.data.given_features or variant.settings["input"] == "compare"

    def extractor(self, variant):
        return extractor(variant.settings["input"]) if self.hears(variant) else None

    @cached_property
    def has_features(self) -> bool:
        return bool(self.data.features())

    def lacks(self, variant):
        if self.data.tracks if self.hears(variant) else self.has_features:
            return None
        what = f"audio; get it from {self.data.source}" if self.hears(variant) else "DEAM/features.zip beside it"
        return f"{self.data.root} has no {what}"

    def share(self, variant):
        if not self.hears(variant):
            return 1.0
        seconds = sum(self.data.cuts.get(track.id, STEPS / 2) for track in self.data.tracks)
        return seconds / (CLIPS * STEPS / 2)

    def facts(self, variant):
        settings, clips = variant.settings, self.clips(variant.settings["input"])
        sizes = {split: len(songs) for split, songs in self.data.splits.items()}
        every, official = sum(sizes.values()), settings["test"] == "official"
        tested = np.flatnonzero(self.fold_of(settings, 0) < len(self.tests(settings)))  # too many folds: told here
        if len(tested) in (0, official * len(clips)):
            raise InputError(
                f"{self.data.root}: no {'evaluation' if len(tested) == 0 else 'development'} clip has its input"
            )
        split = {"n_test": len(tested), "of_test": sizes["evaluation"] if official else every}
        split |= {"tracks": [clips.ids[i] for i in tested], "artists": [clips.artists[i] for i in tested]}
        found = {
            "fingerprint": clips.fingerprint, "audio": self.data.audio_kind if self.hears(variant) else "none",
            "input": INPUTS[settings["input"]], "stand_in": settings["input"] != "compare",
            "n_train": len(clips) - official * len(tested), "of_train": sizes["development"] if official else every,
            "partial": settings != PUBLISHED[variant.name] or not (official or self.folds == FOLDS), "targets": TARGETS,
            "splits": {"evaluation" if official else "cross-validation": split},
        }  # fmt: skip
        if self.data.name == PAPERS and len(clips.times) < STEPS:
            found["frames"] = f"{len(clips.times)} of {STEPS} steps"
        for name, (song, _) in self.stretches(clips, tested).items():
            found["splits"][name] = {"n_test": 1, "of_test": 1, "tracks": [song]}
        return found

    def stretches(self, clips: Clips, tested: np.ndarray) -> dict[str, tuple[str, slice]]:
        """Of the clips in Figures 1 and 2: what the paper's text speaks of, as clip and steps."""
        there = {clips.ids[i] for i in tested}
        if len(clips.times) < STEPS or not there >= set(SHOWN) or self.data.name != PAPERS:
            return {}
        seconds_20 = int(np.searchsorted(clips.times, clips.times[0] + 20))
        return {
            "clip 2, first 20 s": ("2", slice(0, seconds_20)), "clip 2, last 10 s": ("2", slice(seconds_20, STEPS)),
            "clip 2": ("2", slice(0, STEPS)), "clip 584": ("584", slice(0, STEPS)),
        }  # fmt: skip

    def tests(self, settings: dict) -> range:
        """The folds that are tested."""
        return range(1 if settings["test"] == "official" else self.folds)

    def fold_of(self, settings: dict, seed: int) -> np.ndarray:
        """The fold that tests each clip; of the official split 0, or 1 for development clips, which are not tested."""
        clips = self.clips(settings["input"])
        if settings["test"] == "official":
            evaluation = set(self.data.splits["evaluation"])
            return np.array([0 if song in evaluation else 1 for song in clips.ids])
        return protocol.k_folds(len(clips), self.folds, seed, self.groups(settings))

    def groups(self, settings: dict) -> list[str] | None:
        """What stays together in a fold."""
        return self.clips(settings["input"]).artists if settings["test"] == "artists" else None

    def split(self, settings: dict, seed: int, fold: int) -> tuple:
        """Indices of the training and test clips of a fold, and the groups of the training clips or None."""
        fold_of, groups = self.fold_of(settings, seed), self.groups(settings)
        train, test = (np.flatnonzero(part) for part in (fold_of != fold, fold_of == fold))
        return train, test, groups and [groups[i] for i in train]

    def jobs(self, variant, seed):
        settings = variant.settings
        folds = self.tests(settings)
        job = {k: settings[k] for k in ("input", "test")} | {"seed": seed}
        if "network" in settings:
            return [job | {"network": settings["network"], "target": target, "fold": fold}
                    for fold in folds for target in TARGETS]  # fmt: skip
        return [job | {"ridge": True, "fold": fold} for fold in folds] if settings["beside"] in FRAME_RIDGES else []

    def call(self, job):
        split, seed = self.split(job, job["seed"], job["fold"]), 1000 * job["seed"] + job["fold"]
        clips = self.clips(job["input"])
        if "ridge" in job:
            return ridge, clips, split, seed
        return train_network, job["network"], clips, TARGETS.index(job["target"]), split, seed

    def finish(self, variant, seed, found, jobs):
        from common import metrics

        settings, clips = variant.settings, self.clips(variant.settings["input"])
        fold_of, folds = self.fold_of(settings, seed), self.tests(settings)
        predicted = np.full(clips.y.shape, np.nan, "float32")
        for fold in folds:
            train, test, _ = self.split(settings, seed, fold)
            if "network" in settings:
                of_targets = found[2 * fold : 2 * fold + 2]
                predicted[test] = np.stack([network["predicted"] for network in of_targets], axis=-1)
            else:
                frames = found[fold]["predicted"] if found else None
                predicted[test] = baseline(settings["beside"], clips, train, test, frames)
        diverged = ~np.isfinite(predicted).all(-1) & (fold_of < len(folds))[:, None]
        predicted[diverged] = 0  # the middle of the scale; how many is recorded
        tested = np.flatnonzero(fold_of < len(folds))
        parts = {"evaluation" if settings["test"] == "official" else "cross-validation": (tested, slice(None))}
        parts |= {name: ([clips.ids.index(song)], steps)
                  for name, (song, steps) in self.stretches(clips, tested).items()}  # fmt: skip
        entry = {"metrics": {}, "songs": {}, "fold": fold_of.tolist()}
        for split, (songs, steps) in parts.items():
            entry["songs"][split] = metrics.of_songs(clips.y[songs, steps], predicted[songs, steps])
            entry["metrics"][split] = metrics.dynamic(entry["songs"][split], TARGETS)
        if len(parts) > 1:
            shown = {song: predicted[clips.ids.index(song)].astype(float).round(4).tolist() for song in SHOWN}
            entry["courses"] = shown
        if "network" in settings:
            entry |= histories(found)
            if diverged.any():
                entry["frames_not_finite"] = int(diverged.sum())
        return entry

    def for_good(self, variant):
        settings = variant.settings
        if "network" not in settings or settings["input"] == "compare":
            return super().for_good(variant)
        clips = self.clips(settings["input"])
        every = np.arange(len(clips))
        groups = self.groups(settings)
        split, validated = (every, every[:1], groups), int(validation(every, groups, 0).sum())
        calls = [(fit, settings["network"], clips, target, split, 0) for target in range(len(TARGETS))]
        return len(clips) - validated, validated, calls


def build(options) -> ThousandSongs:
    """The data set that the options name; without a data root the rendered one."""
    data = open_dynamic(options.dataset, options.data_root, rendered="synthetic_dynamic")
    data.require(allow_missing=options.allow_missing)
    return ThousandSongs(data, options.folds or FOLDS, options.jobs)


def _variants(options):
    return [v for v in variants(options.epochs) if options.dataset == PAPERS or v.settings["test"] == "clips"]


TRAINING = cli.Training(
    __doc__, _variants, build, baselines, Path(__file__).with_name("expected.json"), default=("nat_400", "at_400"),
    dataset=PAPERS,
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return cli.train(TRAINING, "python -m reproductions.chaki2020.train", arguments)


if __name__ == "__main__":
    from reproductions.chaki2020.train import main  # so that workers find functions by their module's name

    sys.exit(main())
