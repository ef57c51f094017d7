"""Sections III and IV: mel spectrograms of 30 s -> CRNN or parallel CNN-RNN -> three moods, accuracy and F1.

The paper's 138 Hindi songs are not public. 138 excerpts of 4Q stand in for them; a folder `hindi` in the data root
with the folders devotional, romantic and sad is taken for them (--dataset hindi), any other folder of class folders
for a collection of your own. A repetition is another random split.
"""

import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from common import audio, cli
from common.features.relative_mel import RelativeMel
from common.files import finite
from common.runs import Experiment, digest
from data_prep import open_classes
from reproductions.velankar2022.songs import MOODS, TEST_SHARE, VALIDATION_SHARE, Songs, select
from reproductions.velankar2022.variants import HOP, LAST, TEST, baselines, variants

SPLITS = 20
ARTISTS = 10  # of each class, to have some in each part of a split
PAPERS = "hindi"  # the folder of the paper's songs
CURVES = ("accuracy", "val_accuracy", "loss", "val_loss")
PUBLISHED = {variant.name: variant.settings for variant in variants()}  # with as many epochs as in the paper


def train_network(network: dict, x: np.ndarray, y: np.ndarray, n_classes: int, split: tuple, seed: int) -> dict:
    """Train on some songs, then predict others: what `fit` found."""
    return fit(network, x, y, n_classes, split, seed)[0]


def fit(network: dict, x: np.ndarray, y: np.ndarray, n_classes: int, split: tuple, seed: int) -> tuple[dict, dict]:
    """Train on some songs, keep the weights of the best validation epoch, predict others.

    network: `kind`, `epochs`, and readings: `outputs`, `relu_first`, `standardised`. x (n_songs, 640, 128), class
    numbers y (n_songs,); split: indices to train on, to validate, to test.
    Returns two dicts of arrays. What was found: `predicted` (2, n_test), class numbers after the best epoch and after
    the last; `accuracy`, `val_accuracy`, `loss`, `val_loss` (epochs,); `seconds` of processor time. What was learnt:
    the weights of the best epoch, and `mean` and `std` of the input.
    """
    from common import backend, weights

    started = time.process_time()
    backend.start(seed)
    import keras

    from reproductions.velankar2022 import model

    train, validated, test = split
    mean, std = 0.0, 1.0
    if network.get("standardised"):  # each mel band, on the training songs
        mean, std = x[train].mean(axis=(0, 1)), x[train].std(axis=(0, 1)) + 1e-6
        std[np.ptp(x[train], axis=(0, 1)) == 0] = 1  # a band that does not vary is not divided by 1e-6
    net, optimizer, batch = model.network(network, n_classes)
    net.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    slower = keras.callbacks.ReduceLROnPlateau("val_accuracy", 0.5, patience=10, min_delta=0.01, mode="max")

    def predicted():
        probabilities = net.predict((x[test] - mean) / std, batch_size=batch, verbose=0)
        return probabilities[:, :n_classes].argmax(axis=1)

    with tempfile.TemporaryDirectory() as folder:
        best = Path(folder) / "best.weights.h5"
        keep = keras.callbacks.ModelCheckpoint(
            best, "val_accuracy", mode="max", save_best_only=True, save_weights_only=True
        )
        course = net.fit((x[train] - mean) / std, y[train], batch_size=batch, epochs=network["epochs"], verbose=0,
                         validation_data=((x[validated] - mean) / std, y[validated]),
                         callbacks=[slower, keep]).history  # fmt: skip
        last = predicted()
        net.load_weights(best)
    found = {name: np.array(course[name], "float32") for name in CURVES}
    found |= {"predicted": np.stack([predicted(), last]), "seconds": np.array(time.process_time() - started)}
    return found, weights.of(net) | {"mean": np.array(mean), "std": np.array(std)}


class RandomSplits(Experiment):
    """Repeated random splits into songs to train on, to validate and to test."""

    paper, folds = "velankar2022", 1

    def __init__(self, data, incomplete: bool, jobs: int):
        """incomplete: songs of the data set are missing."""
        self.data, self.incomplete, self.processes = data, incomplete, jobs
        self.dataset, self.for_record = data.name, not data.rendered
        self._songs, self._heard = {}, {}

    def songs(self, settings: dict) -> Songs:
        """The songs that a variant tells apart, chosen once."""
        key = settings["songs"]
        if key not in self._songs:
            self._songs[key] = select(self.data, key)
        return self._songs[key]

    def heard(self, settings: dict) -> tuple[np.ndarray, int]:
        """Their spectrograms, read once, and how many are shorter than 640 frames."""
        key = tuple(settings[k] for k in ("songs", "hop", "seconds"))
        if key not in self._heard:
            self._heard[key] = self.songs(settings).spectrograms(*key[1:], self.processes)
        return self._heard[key]

    def lacks(self, variant):
        settings = variant.settings
        if settings["songs"] == "quadrants" and len(self.data.classes) != 4:
            return f"{self.data.name} has not the four quadrants"
        if settings["groups"]:
            songs = self.songs(settings)
            for number, name in enumerate(songs.classes):
                artists = {track.artist for track, y in zip(songs.tracks, songs.y, strict=True) if y == number} - {None}
                if len(artists) < ARTISTS:
                    found = f"{len(artists)} artists of class {name}"
                    return (
                        f"{self.data.name} names {found}, and {ARTISTS} or more are needed (artists.csv: file, artist)"
                    )
        rest = len(self.songs(settings).y) * (1 - TEST_SHARE)
        if settings["size"] and settings["size"] > rest:
            return f"{self.data.name} has about {rest:.0f} songs to learn from"
        return None

    def split(self, settings: dict, seed: int) -> tuple:
        return self.songs(settings).split(seed, settings["groups"] == "artists", settings["size"])

    def facts(self, variant):
        settings, songs = variant.settings, self.songs(variant.settings)
        train, validated, test = self.split(settings, 0)
        n_train, n_test = len(train) + len(validated), len(test)
        of_paper = self.data.is_papers(PAPERS, tuple(MOODS.values()))
        found = {
            "fingerprint": digest([self.data.fingerprint, settings["songs"]]),
            "audio": self.data.audio_kind, "decoder": audio.decoder(),
            "input": f"mel spectrogram from audio, hop {settings['hop']}" if "network" in settings else "audio",
            "stand_in": not of_paper, "partial": self.incomplete or settings != PUBLISHED[variant.name],
            "n_train": n_train, "of_train": 92 if of_paper else n_train,
            "n_test": n_test, "of_test": 46 if of_paper else n_test,
            "overlap": round(n_test / (len(songs.y) - n_test), 4),  # of splits, for Nadeau and Bengio's correction
            "targets": list(songs.classes), "reference": songs.y.tolist(), "tracks": [t.id for t in songs.tracks],
        }  # fmt: skip
        if settings["seconds"]:
            found["frames"] = f"{settings['seconds']} of 30 s"
        if settings["groups"]:
            found["artists"] = songs.artists
        if "network" in settings:
            found["extractor"] = asdict(self.extractor(variant))
            found["shorter_than_640_frames"] = self.heard(settings)[1]
        elif settings["beside"] == "descriptors_svm":
            self.descriptors(settings)  # a broken file is told before anything is recorded
        return found

    def extractor(self, variant):
        from common.features.descriptors import Descriptors

        if "network" in variant.settings:
            return RelativeMel(variant.settings["hop"])
        return Descriptors() if variant.settings["beside"] == "descriptors_svm" else None

    def jobs(self, variant, seed):
        return [variant.settings | {"seed": seed}] if "network" in variant.settings else []

    def call(self, job):
        songs = self.songs(job)
        arguments = self.heard(job)[0], songs.y, len(songs.classes), self.split(job, job["seed"]), job["seed"]
        return train_network, job["network"], *arguments

    def finish(self, variant, seed, found, jobs):
        from common import metrics

        settings, songs = variant.settings, self.songs(variant.settings)
        split = self.split(settings, seed)
        if found:
            predicted = dict(zip((TEST, LAST), found[0]["predicted"], strict=True))
        else:
            predicted = {TEST: self.baseline(settings, split)}
        test, part = split[2], np.full(len(songs.y), "-")
        for of_songs, letter in zip(split, "lvt", strict=True):
            part[of_songs] = letter
        entry = {"metrics": {}, "predicted": {}, "part": "".join(part)}
        for name, numbers in predicted.items():
            entry["metrics"][name] = metrics.classification(songs.y[test], numbers, songs.classes)
            every = np.full(len(songs.y), -1)
            every[test] = numbers
            entry["predicted"][name] = every.tolist()
        entry["fold"] = np.isin(np.arange(len(songs.y)), test, invert=True).astype(int).tolist()  # 0: tested
        if found:
            entry["curves"] = {name: finite([float(f"{value:.4g}") for value in found[0][name]]) for name in CURVES}
        return entry

    def for_good(self, variant):
        settings, songs = variant.settings, self.songs(variant.settings)
        if "network" not in settings or settings["hop"] != HOP:
            return super().for_good(variant)
        train, validated = songs.two_parts(np.arange(len(songs.y)), VALIDATION_SHARE, 0, bool(settings["groups"]))
        split = train, validated, validated
        arguments = self.heard(settings)[0], songs.y, len(songs.classes), split, 0
        return len(train), len(validated), [(fit, settings["network"], *arguments)]

    def baseline(self, settings: dict, split: tuple) -> np.ndarray:
        """Class numbers (n_test,) from a predictor that is fitted to training and validation songs."""
        from sklearn.dummy import DummyClassifier

        songs, (train, validated, test) = self.songs(settings), split
        learnt = np.concatenate([train, validated])
        if settings["beside"] == "majority":
            model, x = DummyClassifier(strategy="most_frequent"), np.zeros((len(songs.y), 1))
        else:
            from common.baselines import svm

            model, x = svm(), self.descriptors(settings)
        return model.fit(x[learnt], songs.y[learnt]).predict(x[test])

    def descriptors(self, settings: dict) -> np.ndarray:
        """Hand-made features of all songs, (n_songs, 54), read once."""
        from common.features.descriptors import Descriptors

        key = settings["songs"], settings["seconds"]
        if key not in self._heard:
            found = self.songs(settings).features(Descriptors(), settings["seconds"], self.processes)
            self._heard[key] = np.stack(found)
        return self._heard[key]


def build(options) -> RandomSplits:
    """The data set that the options name; without a data root the rendered one."""
    data = open_classes(options.dataset, options.data_root, rendered="synthetic_quadrants")
    missing = data.require(allow_missing=options.allow_missing)
    return RandomSplits(data, bool(missing), options.jobs)


TRAINING = cli.Training(
    __doc__, lambda options: variants(options.epochs), build, baselines, Path(__file__).with_name("expected.json"),
    repeats=SPLITS, dataset="4q", folds=False,
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return cli.train(TRAINING, "python -m reproductions.velankar2022.train", arguments)


if __name__ == "__main__":
    from reproductions.velankar2022.train import main  # so that workers find functions by their module's name

    sys.exit(main())
