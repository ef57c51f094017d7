"""Section V on LastFM: four quadrants of valence and arousal, one SVM, 10-fold cross-validation, accuracy.

LastFM's previews are not public. A folder `lastfm` in the data root with the folders angry, happy, relaxed and sad is
taken for them; 4Q, 900 excerpts of the same four classes, stands in.
"""

from dataclasses import asdict

import numpy as np

from common import audio, protocol
from common.files import finite
from common.runs import Variant
from data_prep.dataset import VALENCE_AROUSAL, ClassDataset
from reproductions.jakubik2017.cross_validation import EPOCHS, FOLDS, SPLIT, CrossValidation
from reproductions.jakubik2017.learning import EMBEDDING, MSE, SSE, train_network

PAPERS, OF_PAPER = "lastfm", 2902  # the folder of the paper's previews, and how many they were (V.A)
PROTOCOL = 1  # raised by hand when a change of the code changes results
SECONDS_PER_EPOCH = 0.65  # of one core, 810 excerpts
PLANE, ONE_HOT = "valence_arousal", "one_hot"
SETS = {"dynamic": 7, "rhythm": 5, "harmonic": 10, "spectral": 32, "combined": 49}  # of [27], Table II
TESTS = {  # how songs are split, and what that adds to a name and a title
    "songs": ("", ""), "artists": ("_artists", ", folds by artist"),
}  # fmt: skip


def variants(epochs: int | None = None) -> list[Variant]:
    """All systems and readings; `epochs` in the place of the published 100."""
    found = []

    def add(name, title, test, settings, *, primary=False, core_seconds=2.0):
        name, title = name + TESTS[test][0], title + TESTS[test][1]
        settings = {"test": test, "protocol": PROTOCOL} | settings
        found.append(Variant(name, title, settings, primary and test == "songs", core_seconds))

    def network(name, title, test, loss, annotation, *, primary=False, times=1, svm=False):
        n = (epochs or EPOCHS) * times
        settings = {"network": {"loss": loss, "epochs": n, "standardise": True}, "annotation": annotation}
        settings["svm"] = svm or loss == EMBEDDING
        add(name, title, test, settings, primary=primary, core_seconds=FOLDS * (n * SECONDS_PER_EPOCH + 4))

    for test in TESTS:
        network("semantic_embedding_gru_svm", "Semantic Embedding GRU + SVM", test, EMBEDDING, PLANE, primary=True)
        network("standard_gru", "Standard GRU", test, MSE, ONE_HOT, primary=True)
        network("semantic_embedding_gru_svm_one_hot", "Semantic Embedding GRU + SVM, one-hot annotation",
                test, EMBEDDING, ONE_HOT)  # fmt: skip
        network("standard_gru_summed_error", "Standard GRU, squared error summed", test, SSE, ONE_HOT)
        network("standard_gru_svm_summed_error", "control: SVM on its features, squared error summed",
                test, SSE, ONE_HOT, svm=True)  # fmt: skip
        network("standard_gru_300_epochs", "Standard GRU, three times as long", test, MSE, ONE_HOT, times=3)
        for kind, size in SETS.items():
            title = f"{kind.capitalize()} features ({size}) + SVM"
            add(f"{kind}_svm", title, test, {"features": kind}, primary=True)
        add("majority", "baseline: the most frequent class of the training songs", test, {"features": None})
    return found


def baselines(variant: Variant) -> tuple[str, ...]:
    """The names of those that run beside a variant, on its folds."""
    suffix = TESTS[variant.settings["test"]][0]
    return f"majority{suffix}", f"combined_svm{suffix}"


PUBLISHED = {variant.name: variant.settings for variant in variants()}  # with as many epochs as in the paper


class Quadrants(CrossValidation):
    """One class a song; folds are stratified, by song or by artist."""

    songs_timed = 900

    def __init__(self, data: ClassDataset, folds: int, incomplete: bool, jobs: int):
        super().__init__(data, folds, incomplete, jobs)
        label = data.labels["class"]
        self.y = np.array([data.classes.index(label[track.id]) for track in data.tracks])

    def lacks(self, variant):
        settings = variant.settings
        if settings.get("annotation") == PLANE and set(self.data.classes) != set(VALENCE_AROUSAL):
            return f"{self.data.name} has not the classes {', '.join(VALENCE_AROUSAL)}"
        if settings["test"] == "artists" and not any(track.artist for track in self.data.tracks):
            return f"{self.data.name} names no artists"
        return None

    def fold_of(self, settings: dict, seed: int) -> np.ndarray:
        groups = self.data.groups if settings["test"] == "artists" else None
        return protocol.k_folds(len(self.y), self.folds, seed, groups, self.y)

    def annotation(self, kind: str) -> np.ndarray:
        """Of each song the vector that stands for its class, (n_songs, 2 or n_classes), float32."""
        classes = self.data.classes
        vectors = [VALENCE_AROUSAL[name] for name in classes] if kind == PLANE else np.eye(len(classes))
        return np.array(vectors, "float32")[self.y]

    def facts(self, variant):
        self.fold_of(variant.settings, 0)  # tells now if it cannot be done
        self.hear(variant.settings)
        n, features = len(self.y), variant.settings.get("features")
        of_paper = self.data.is_papers(PAPERS, tuple(VALENCE_AROUSAL))
        of = OF_PAPER if of_paper else self.data.n_tracks
        shortened = variant.settings != PUBLISHED[variant.name] or self.folds != FOLDS
        return {
            "fingerprint": self.data.fingerprint, "audio": self.data.audio_kind, "decoder": audio.decoder(),
            "input": "hand-made features from audio" if features else "log-mel from audio, as published",
            "extractor": asdict(self.extractor(variant)),
            "stand_in": not of_paper,
            "n_train": n, "of_train": of, "n_test": n, "of_test": of,
            "partial": self.incomplete or shortened,
            "targets": list(self.data.classes), "reference": self.y.tolist(),
            "tracks": [track.id for track in self.data.tracks], "artists": self.data.groups,
        }  # fmt: skip

    def extractor(self, variant):
        return self.hand_made if variant.settings.get("features") else self.mel

    def jobs(self, variant, seed):
        settings = variant.settings
        if "network" not in settings:
            return []
        job = {key: settings[key] for key in ("network", "annotation", "test")}
        return [job | {"seed": seed, "fold": fold, "folds": self.folds} for fold in range(self.folds)]

    def call(self, job):
        fold_of, annotation = self.fold_of(job, job["seed"]), self.annotation(job["annotation"])
        return train_network, job["network"], self.sequences, annotation, fold_of, job["seed"], job["fold"]

    def finish(self, variant, seed, found, jobs):
        from common import metrics

        fold_of = self.fold_of(variant.settings, seed)
        predicted = np.empty(len(self.y), int)
        for k in range(self.folds):
            train, test = np.flatnonzero(fold_of != k), np.flatnonzero(fold_of == k)
            predicted[test] = self.predicted(variant.settings, train, test, found[k] if found else None)
        entry = {"metrics": {SPLIT: metrics.classification(self.y, predicted, self.data.classes)}}
        entry |= {"fold": fold_of.tolist(), "predicted": {SPLIT: predicted.tolist()}}
        if found:
            entry["loss"] = finite([[float(f"{value:.5g}") for value in network["loss"]] for network in found])
        return entry

    def predicted(self, settings: dict, train, test, network: dict | None) -> np.ndarray:
        """Class numbers of the test songs of a fold."""
        from sklearn.dummy import DummyClassifier
        from sklearn.svm import SVC

        from common.baselines import svm

        if network and not settings["svm"]:
            return network["outputs"][test].argmax(axis=1)
        if network:
            model, x = SVC(C=1.0, gamma="auto"), network["features"].astype("float64")  # gamma: 1 / 50
        elif settings["features"] is None:
            model, x = DummyClassifier(strategy="most_frequent"), np.zeros((len(self.y), 1))
        else:
            from common.features.descriptors import columns

            model, x = svm(), self.descriptors[:, columns(settings["features"])]
        return model.fit(x[train], self.y[train]).predict(x[test])
