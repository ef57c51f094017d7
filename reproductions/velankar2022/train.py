"""Sections III and IV: mel spectrograms of 30 s -> CRNN or parallel CNN-RNN -> three moods, accuracy and F1.

The paper's 138 Hindi songs are not public. 138 excerpts of 4Q stand in for them. A folder `hindi` in the data root
with the folders devotional, romantic and sad is taken for the paper's songs (--dataset hindi), any other folder of
class folders for a collection of your own. A repetition is another random split.
"""

import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np

from common import cli
from common.experiment import Classes, Experiment, Network, Samples, Split, Trained
from common.experiment.identity import digest
from common.features.descriptors import Descriptors
from common.features.relative_mel import RelativeMel
from common.features.store import FeatureStore
from common.features.truncated import Truncated
from data_prep import open_classes
from reproductions.velankar2022 import songs as of_songs
from reproductions.velankar2022.songs import FRAMES, MOODS, loop_to_length, select, three_parts, two_parts
from reproductions.velankar2022.variants import HOP, LAST, TEST, baselines, variants

SPLITS = 20
ARTISTS = 10  # of each class, so that each part of a split has some
PAPER_DATASET = "hindi"
PUBLISHED = {variant.name: variant.settings for variant in variants()}  # with as many epochs as in the paper


def fit(settings: dict, samples: Samples, split: Split) -> Trained:
    """Train on some songs and keep the weights of the best validation epoch.

    settings: `kind`, `epochs`, and interpretations (`outputs`, `relu_first`, `standardised`). x (n_songs, 640, 128),
    y class numbers (n_songs,). Outputs: class numbers (n_test,) of the best and of the last epoch, by test name.
    """
    from common import backend, weights

    backend.start(split.seed)
    from keras.callbacks import ModelCheckpoint, ReduceLROnPlateau

    from reproductions.velankar2022 import model

    x, y, n_classes = samples.x, samples.y, int(samples.y.max()) + 1
    mean, std = 0.0, 1.0
    if settings.get("standardised"):  # each mel band, on the training songs
        mean, std = x[split.train].mean(axis=(0, 1)), x[split.train].std(axis=(0, 1)) + 1e-6
        std[np.ptp(x[split.train], axis=(0, 1)) == 0] = 1  # a band that does not vary is not divided by 1e-6
    net, optimizer, batch = model.network(settings, n_classes)
    net.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])

    def scaled(songs):
        return (x[songs] - mean) / std

    def predicted():
        probabilities = net.predict(scaled(split.tests[TEST]), batch_size=batch, verbose=0)
        return probabilities[:, :n_classes].argmax(axis=1)

    with tempfile.TemporaryDirectory() as folder:
        best = Path(folder) / "best.weights.h5"
        slower = ReduceLROnPlateau("val_accuracy", 0.5, patience=10, min_delta=0.01, mode="max")
        keep_best = ModelCheckpoint(best, "val_accuracy", mode="max", save_best_only=True, save_weights_only=True)
        history = net.fit(scaled(split.train), y[split.train], batch_size=batch, epochs=settings["epochs"], verbose=0,
                          validation_data=(scaled(split.validation), y[split.validation]),
                          callbacks=[slower, keep_best]).history  # fmt: skip
        outputs = {LAST: predicted()}
        net.load_weights(best)
    outputs[TEST] = predicted()
    curves = {name: np.array(history[name]) for name in ("accuracy", "val_accuracy", "loss", "val_loss")}
    return Trained(outputs, curves, weights.with_scaling(net, mean, std))


class RandomSplits(Experiment):
    """Repeated random splits into songs to train on, to validate and to test."""

    paper, folds = "velankar2022", 1

    def __init__(self, data, incomplete: bool, n_jobs: int):
        """incomplete: songs of the data set are missing."""
        self.data, self.incomplete, self.n_jobs = data, incomplete, n_jobs
        self.dataset, self.for_record = data.name, not data.rendered
        self.songs, self._samples = cache(lambda which: select(data, which)), {}

    def features(self, extractor, songs: str, seconds: float | None) -> list[np.ndarray]:
        """What an extractor finds in each recording, or in its first seconds."""
        paths = [track.path for track in self.songs(songs)[0]]
        return FeatureStore().get_all(
            paths, Truncated(extractor, seconds) if seconds else extractor, n_jobs=self.n_jobs
        )

    def samples(self, variant):
        settings, extractor = variant.settings, self.extractor(variant)
        key = settings["songs"], settings["seconds"], extractor
        if key not in self._samples:
            tracks, _, y = self.songs(settings["songs"])
            x = self.features(extractor, *key[:2]) if extractor else [np.zeros(1)] * len(y)
            x = [loop_to_length(one) for one in x] if "network" in settings else x
            artists = [track.artist or track.id for track in tracks]
            self._samples[key] = Samples([track.id for track in tracks], np.stack(x), y, artists)
        return self._samples[key]

    def splits(self, variant, seed):
        settings = variant.settings
        tracks, _, y = self.songs(settings["songs"])
        artists = [track.artist or track.id for track in tracks] if settings["groups"] == "artists" else None
        train, validation, test = three_parts(y, artists, settings["size"], seed)
        names = (TEST, LAST) if "network" in settings else (TEST,)
        return [Split(train, dict.fromkeys(names, test), validation, seed=seed)]

    def networks(self, variant, split):
        settings = variant.settings
        return [Network(fit, settings["network"], self.samples(variant), split)] if "network" in settings else []

    def trained_on_all(self, variant):
        settings = variant.settings
        if "network" not in settings or settings["hop"] != HOP:
            return super().trained_on_all(variant)
        samples = self.samples(variant)
        artists = samples.groups if settings["groups"] else None
        train, validation = two_parts(np.arange(len(samples)), samples.y, artists,
                                      of_songs.VALIDATION, seed=0)  # fmt: skip
        return [Network(fit, settings["network"], samples, Split(train, {TEST: validation}, validation))]

    def predict(self, variant, split, trained):
        if trained:
            return {name: trained[0].outputs[name] for name in split.tests}
        from sklearn.dummy import DummyClassifier

        from common.baselines import svm

        samples, known = self.samples(variant), np.concatenate([split.train, split.validation])
        model = DummyClassifier(strategy="most_frequent") if variant.settings["baseline"] == "majority" else svm()
        return {TEST: model.fit(samples.x[known], samples.y[known]).predict(samples.x[split.tests[TEST]])}

    def task(self, variant):
        return Classes(self.songs(variant.settings["songs"])[1])

    def unavailable_reason(self, variant):
        settings = variant.settings
        if settings["songs"] == "quadrants" and len(self.data.classes) != 4:
            return f"{self.data.name} has not the four quadrants"
        tracks, classes, y = self.songs(settings["songs"])
        if settings["groups"]:
            for number, name in enumerate(classes):
                artists = {track.artist for track, k in zip(tracks, y, strict=True) if k == number} - {None}
                if len(artists) < ARTISTS:
                    few = f"{len(artists)} artists of class {name}, and {ARTISTS} or more are needed"
                    return f"{self.data.name} names {few} (artists.csv: file, artist)"
        rest = len(y) * (1 - of_songs.TEST)
        if settings["size"] and settings["size"] > rest:
            return f"{self.data.name} has about {rest:.0f} songs to train on"
        return None

    def extractor(self, variant):
        if "network" in variant.settings:
            return RelativeMel(variant.settings["hop"])
        return Descriptors() if variant.settings["baseline"] == "descriptors_svm" else None

    def facts(self, variant):
        settings, samples, targets = variant.settings, self.samples(variant), self.task(variant).targets
        (split,) = self.splits(variant, 0)
        n_train, n_test = len(split.train) + len(split.validation), len(split.tests[TEST])
        of_paper = self.data.is_papers(PAPER_DATASET, tuple(MOODS.values()))
        facts = {
            "fingerprint": digest([self.data.fingerprint, settings["songs"]]),
            "audio": self.data.audio_kind, "decoder": self.data.decoder,
            "input": f"mel spectrogram from audio, hop {settings['hop']}" if "network" in settings else "audio",
            "stand_in": not of_paper, "partial": self.incomplete or settings != PUBLISHED.get(variant.name),
            "n_train": n_train, "of_train": 92 if of_paper else n_train,
            "n_test": n_test, "of_test": 46 if of_paper else n_test,
            "overlap": round(n_test / (len(samples) - n_test), 4),  # of splits, for Nadeau and Bengio's correction
            "targets": list(targets), "reference": samples.y.tolist(), "tracks": samples.ids,
        }  # fmt: skip
        if settings["seconds"]:
            facts["frames"] = f"{settings['seconds']} of 30 s"
        if settings["groups"]:
            facts["artists"] = samples.groups
        if "network" in settings:
            extractor = self.extractor(variant)
            facts["extractor"] = asdict(extractor)
            found = self.features(extractor, settings["songs"], settings["seconds"])
            facts["shorter_than_640_frames"] = sum(len(one) < FRAMES for one in found)
        return facts


def build(options) -> RandomSplits:
    """The data set that the options name; without a data root synthetic music."""
    data = open_classes(options.dataset, options.data_root, rendered="synthetic_quadrants")
    missing = data.require(allow_missing=options.allow_missing)
    return RandomSplits(data, bool(missing), options.jobs)


TRAINING = cli.Training(
    lambda options: variants(options.epochs), build, baselines,
    repeats=SPLITS, dataset="4q", folds=False, network={"relu_first": False, "standardised": False, "outputs": None},
)  # fmt: skip
main = TRAINING.main

if __name__ == "__main__":
    cli.run_module(__spec__)
