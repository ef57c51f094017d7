"""Section 3: features every half second -> CRNN -> valence and arousal, MediaEval 2015 "Emotion in Music", RMSE.

Without --variant it runs the abstract's row, sequences of 20 frames. On a collection of your own (--dataset NAME, a
folder of the data root with labels.csv) it is cross-validated by song.
"""

import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from common import cli, protocol
from common.files import finite
from common.runs import Experiment
from data_prep import open_dynamic
from reproductions.malik2017 import li2016
from reproductions.malik2017.songs import INPUTS, Material, Part, extractor
from reproductions.malik2017.variants import FOLDS, baselines, variants

PAPERS = "deam"  # the data set of the paper's task
SEEDS, BATCH, CHECK, PATIENCE = 5, 32, 10, 50
TARGETS = ["valence", "arousal"]
PUBLISHED = {variant.name: variant.settings for variant in variants()}  # with as many epochs as in the paper


def predictor(net, features: protocol.Sequences, length: int, readings: dict) -> Callable[[], np.ndarray]:
    """A function that predicts, with the weights of the moment, every frame of some songs once: (n_frames, 2).

    Songs are cut into sequences of `length`; where one is shorter, all are as long as the shortest.
    """
    from common.layers.fused import fuse
    from reproductions.malik2017 import model

    shortest = min(length, int(features.lengths.min()))
    stretches, starts = features.cut(shortest)
    size = -(-len(stretches) // -(-stretches[..., 0].size // 2000))  # of a batch; all alike, so that one graph does
    firsts = np.minimum(np.arange(0, len(stretches), size), len(stretches) - size)
    own = net if shortest == length else fuse(model.crnn(features.values.shape[1], shortest, **readings))

    def predict() -> np.ndarray:
        if own is not net:
            own.set_weights(net.get_weights())
        found = np.empty((*stretches.shape[:2], len(TARGETS)), "float32")
        for first in firsts:
            found[first : first + size] = own.predict_on_batch(stretches[first : first + size])
        return features.joined(found, starts)

    return predict


def train_network(network: dict, train: Part, tests: dict[str, Part], seed: int) -> dict:
    """Train on some songs, then predict: what `fit` found."""
    return fit(network, train, tests, seed)[0]


def n_validation(n_songs: int) -> int:
    """How many of the training songs are held out to choose the weights: a tenth, at least one."""
    return max(1, n_songs // 10)


def fit(network: dict, train: Part, tests: dict[str, Part], seed: int) -> tuple[dict, dict]:
    """Train on some songs until their error is as low as `until` (3.5: the lowest average RMSE), then predict.

    network: `length`, `epochs` (at most), `until`, and readings as `model.crnn` names them. With `validation` a tenth
    of the songs is held out; the weights that were best on it count, and training ends PATIENCE epochs later.
    Returns two dicts of arrays. What was found: the predictions of each split, "development" for `train` with what is
    held out (n_frames, 2); `course` (checks, splits, 2), the RMSE of both targets, and `course_epochs` (checks,),
    after which epochs: every 10, and the last; `seconds` of processor time. What was learnt: the weights that count,
    and `mean` and `std` of the input.
    """
    from common import backend, weights

    started = time.process_time()
    backend.start(seed)
    from keras.callbacks import EarlyStopping
    from keras.optimizers import Adam

    from common.layers.fused import fuse
    from common.training import EvaluateSongs, StopAtTrainingError
    from reproductions.malik2017 import model

    readings = {k: v for k, v in network.items() if k not in ("length", "epochs", "until", "validation")}
    order, parts = np.random.default_rng(seed), {"development": train} | tests
    if "validation" in network:
        songs, held_out = order.permutation(len(train)), n_validation(len(train))
        parts["validation"], train = train.some(songs[:held_out]), train.some(songs[held_out:])
    mean, std = train.x.moments(np.arange(len(train)))
    scaled = {k: protocol.Sequences((p.x.values - mean) / std, p.x.bounds) for k, p in parts.items()}
    x, starts = protocol.Sequences((train.x.values - mean) / std, train.x.bounds).cut(network["length"])
    y = train.y.values[starts[:, None] + np.arange(network["length"])]
    plain = model.crnn(x.shape[2], network["length"], **readings)
    net = fuse(plain)
    net.compile(Adam(1e-3, epsilon=1e-8), model.rmse)  # Adam's paper and Keras 1
    predict = {k: predictor(net, features, network["length"], readings) for k, features in scaled.items()}
    evaluate = EvaluateSongs(predict, {k: part.y.values for k, part in parts.items()}, every=CHECK)
    callbacks = [evaluate, StopAtTrainingError(network["until"], "development_rmse")]
    if "validation" in network:
        callbacks.append(EarlyStopping("validation_rmse", patience=PATIENCE, mode="min", restore_best_weights=True))
    net.fit(x, y, batch_size=BATCH, epochs=network["epochs"], callbacks=callbacks, verbose=0)
    found = {split: of_split() for split, of_split in predict.items()}
    found |= {"course": np.array(evaluate.errors, "float32"), "course_epochs": np.array(evaluate.epochs)}
    found["seconds"] = np.array(time.process_time() - started)
    return found, weights.of(plain) | {"mean": mean, "std": std}


class MediaEval2015(Experiment):
    """The task's split, development and evaluation songs; or cross-validation by song on the development songs."""

    paper = "malik2017"

    def __init__(self, data, folds: int, jobs: int):
        self.data, self.folds, self.processes = data, folds, jobs
        self.dataset, self.for_record = "mediaeval2015" if data.name == PAPERS else data.name, not data.rendered
        self._materials = {}

    def material(self, settings: dict) -> Material:
        """The songs that a variant (or job) asks for, read once."""
        key = settings["input"], settings["labels"], settings["align"]
        if key not in self._materials:
            self._materials[key] = Material(self.data, *key, self.processes)
        return self._materials[key]

    def lacks(self, variant):
        settings = variant.settings
        networks = settings.get("networks", [settings["network"]] if "network" in settings else [])
        length = max([*(network["length"] for network in networks), *settings.get("members", [])], default=0)
        shortest = self.material(settings).development.x.lengths.min()
        return f"its sequences have {length} frames, and songs here only {shortest}" if shortest < length else None

    def facts(self, variant):
        material, settings = self.material(variant.settings), variant.settings
        if settings["cross_validation"]:
            self.fold_of(0, material.development)  # more folds than songs: told before anything is recorded
        parts = {"cross-validation" if settings["cross_validation"] else "development": material.development}
        parts |= {} if settings["cross_validation"] else material.tests
        splits = {split: material.facts("development" if split == "cross-validation" else split, part)
                  for split, part in parts.items()}  # fmt: skip
        digest = hashlib.sha256()
        for part in parts.values():
            digest.update(" ".join(part.ids).encode() + part.x.values.tobytes() + part.y.values.tobytes())
        heard = not self.data.given_features or settings["input"] in ("opensmile", "log_mel")
        source = "opensmile" if heard and settings["input"] == "official" else settings["input"]
        if "evaluation_cuts" in splits:
            splits["evaluation_cuts"] |= {"input": INPUTS["opensmile"], "audio": self.data.audio_kind}
        development = splits[next(iter(splits))]
        shortened = settings != PUBLISHED[variant.name] or (settings["cross_validation"] and self.folds != FOLDS)
        return {
            "fingerprint": digest.hexdigest(), "audio": self.data.audio_kind if heard else "none",
            "input": INPUTS[source], "labels": settings["labels"], "n_train": development["n_test"],
            "of_train": development["of_test"], "partial": shortened, "targets": TARGETS, "splits": splits,
        }  # fmt: skip

    def extractor(self, variant):
        settings = variant.settings
        given = self.data.given_features and settings["input"] not in ("opensmile", "log_mel")
        only_given = given and "evaluation_cuts" not in self.material(settings).tests
        return None if only_given else extractor(settings["input"])

    def jobs(self, variant, seed):
        settings = variant.settings
        if "beside" in settings:
            return []
        job = {k: settings[k] for k in ("input", "labels", "align")} | {"seed": seed}
        if "members" in settings:
            of_member = [job | {"epochs": settings["epochs"], "member": member, "length": length}
                         for member, length in enumerate(settings["members"])]  # fmt: skip
            return [member | {"fold": fold} for member in of_member for fold in (None, *range(li2016.HALVES))]
        networks = settings.get("networks", [settings["network"]])
        folds = range(self.folds) if settings["cross_validation"] else [None]
        return [job | {"network": network, "fold": fold}
                for network in networks for fold in folds]  # fmt: skip

    def call(self, job):
        material, fold, seed = self.material(job), job["fold"], 1000 * job["seed"] + (job["fold"] or 0)
        if "member" in job:
            songs, seed = material.development, seed + 100 * job["member"]
            if fold is None:
                return li2016.train_member, job["length"], songs, {"development": songs} | material.tests, seed
            half = protocol.k_folds(len(songs), li2016.HALVES, job["seed"])
            train, test = (songs.some(np.flatnonzero(part)) for part in (half != fold, half == fold))
            return li2016.train_member, job["length"], train, {"held_out": test}, seed
        if fold is None:
            return train_network, job["network"], material.development, material.tests, seed
        fold_of = self.fold_of(job["seed"], material.development)
        train, test = (np.flatnonzero(part) for part in (fold_of != fold, fold_of == fold))
        tests = {"cross-validation": material.development.some(test)}
        return train_network, job["network"], material.development.some(train), tests, seed

    def fold_of(self, seed: int, songs: Part) -> np.ndarray:
        return protocol.k_folds(len(songs), self.folds, seed)

    def finish(self, variant, seed, found, jobs):
        from common import metrics

        settings, material = variant.settings, self.material(variant.settings)
        entry = {"metrics": {}, "songs": {}}
        if settings["cross_validation"]:
            songs = material.development
            fold_of = self.fold_of(seed, songs)
            entry["fold"] = fold_of.tolist()
            courses = {}
            for k in range(self.folds):
                train, test = (np.flatnonzero(part) for part in (fold_of != k, fold_of == k))
                held_out = songs.some(test)
                predicted = found[k]["cross-validation"] if found else self.baseline(
                    settings["beside"], songs.some(train), held_out
                )  # fmt: skip
                courses |= zip(test, np.split(predicted, held_out.y.bounds[1:-1]), strict=True)
            predictions = {"cross-validation": (songs, np.concatenate([courses[i] for i in range(len(songs))]))}
        else:
            parts = {"development": material.development} | material.tests
            if "members" in settings:
                found = [li2016.fuse_all(found, material.development, list(parts), seed)]
            predictions = {
                split: (part, np.mean([network[split] for network in found], axis=0) if found else
                        self.baseline(settings["beside"], material.development, part))
                for split, part in parts.items()
            }  # fmt: skip
        for split, (part, predicted) in predictions.items():
            estimate = protocol.Sequences(predicted, part.y.bounds)
            moments = np.array([metrics.song_moments(part.y[i], estimate[i]) for i in range(len(part))])
            moments = [[[float(f"{m:.7g}") for m in target] for target in song] for song in moments]
            entry["songs"][split] = {"frames": part.y.lengths.tolist(), "moments": moments}
            entry["metrics"][split] = metrics.dynamic(entry["songs"][split], TARGETS)
        if found:
            checked = [network for network in found if "course" in network]
            entry["course"] = [finite(network["course"].astype(float).round(4).tolist()) for network in checked]
            entry["course_epochs"] = [network["course_epochs"].tolist() for network in checked]
            if seed == 0:
                split = next(name for name in predictions if name != "development")
                entry["predictions"] = {split: predictions[split][1].round(3).tolist()}
        return entry

    def for_good(self, variant):
        settings = variant.settings
        if "network" not in settings or settings["input"] not in ("official", "timeless"):
            return super().for_good(variant)
        songs = self.material(settings).development
        validated = n_validation(len(songs)) if "validation" in settings["network"] else 0
        calls = [(fit, settings["network"], songs, {}, 1000 * seed) for seed in range(SEEDS)]
        return len(songs) - validated, validated, calls

    @staticmethod
    def baseline(name: str, train: Part, test: Part) -> np.ndarray:
        """What predicts without a network, (n_frames, 2); the same at all frames of a song."""
        from common import baselines

        def song_means(sequences):
            return np.stack([sequences[i].mean(0) for i in range(len(sequences))])

        if name == "zero":
            per_song = np.zeros((len(test), len(TARGETS)))
        elif name == "training_mean":
            per_song = np.repeat(train.y.values.mean(0, keepdims=True), len(test), axis=0)
        elif name == "own_song_mean":
            per_song = song_means(test.y)
        else:
            labels = np.concatenate([song_means(part.y) for part in (train, test)])
            features = np.concatenate([song_means(part.x) for part in (train, test)])
            songs = np.arange(len(labels))
            per_song = baselines.ridge(labels, songs[: len(train)], songs[len(train) :], features)
        return np.repeat(per_song, test.y.lengths, axis=0)


def build(options) -> MediaEval2015:
    """The data set that the options name; without a data root the rendered one."""
    data = open_dynamic(options.dataset, options.data_root, rendered="synthetic_dynamic")
    data.require(allow_missing=options.allow_missing)
    return MediaEval2015(data, options.folds or FOLDS, options.jobs)


def _variants(options):
    every = variants(options.epochs)
    if options.dataset == PAPERS:
        return every
    own = [v for v in every if v.settings["cross_validation"] and v.settings["labels"] == "task"]
    return sorted(own, key=lambda v: "validation" not in v.settings.get("network", {}))  # that one by default


TRAINING = cli.Training(
    __doc__, _variants, build, baselines, Path(__file__).with_name("expected.json"), default=("crnn_l20",),
    repeats=SEEDS, dataset=PAPERS,
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return cli.train(TRAINING, "python -m reproductions.malik2017.train", arguments)


if __name__ == "__main__":
    from reproductions.malik2017.train import main  # so that workers find functions by their module's name

    sys.exit(main())
