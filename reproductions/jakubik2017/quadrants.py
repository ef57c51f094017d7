"""Section V on LastFM: four quadrants of valence and arousal, one SVM, 10-fold cross-validation, accuracy.

LastFM's previews are not public. A folder `lastfm` in the data root with the folders angry, happy, relaxed and sad is
taken for them; 4Q, 900 excerpts of the same four classes, stands in.
"""

from dataclasses import asdict

import numpy as np

from common import baselines as trivial
from common import protocol
from common.experiment import Classes, Network, Samples, Variant
from data_prep.base import VALENCE_AROUSAL, ClassDataset
from reproductions.jakubik2017.cross_validation import EPOCHS, FOLDS, SPLIT, CrossValidation
from reproductions.jakubik2017.learning import EMBEDDING, MSE, SSE, fit

PAPER_DATASET, OF_PAPER = "lastfm", 2902  # the folder of the paper's previews, and how many they were (V.A)
PROTOCOL = 1  # raised by hand when a change of the code changes results
SECONDS_PER_EPOCH = 0.65  # of one core, 810 excerpts
PLANE, ONE_HOT = "valence_arousal", "one_hot"
SETS = {"dynamic": 7, "rhythm": 5, "harmonic": 10, "spectral": 32, "combined": 49}  # of [27], Table II
TESTS = {  # how songs are split, and what that adds to a name and a title
    "songs": ("", ""),
    "artists": ("_artists", ", folds by artist"),
}


def variants(epochs: int | None = None) -> list[Variant]:
    """All systems and interpretations, and the baselines.

    Parameters
    ----------
    epochs : int, optional
        Of each network, in the place of the published 100; three times as many of those that are trained longer.

    Returns
    -------
    list of Variant
    """
    systems = []

    def add(name, title, test, settings, *, primary=False, core_seconds=2.0):
        name, title = name + TESTS[test][0], title + TESTS[test][1]
        settings = {"test": test, "protocol": PROTOCOL} | settings
        systems.append(Variant(name, title, settings, primary and test == "songs", core_seconds))

    def network(name, title, test, loss, annotation, *, primary=False, times=1, svm=False):
        n = (epochs or EPOCHS) * times
        settings = {"network": {"loss": loss, "epochs": n, "standardise": True}, "annotation": annotation}
        settings["svm"] = svm or loss == EMBEDDING
        add(name, title, test, settings, primary=primary, core_seconds=FOLDS * (n * SECONDS_PER_EPOCH + 4))

    for test in TESTS:
        network("semantic_embedding_gru_svm", "Semantic Embedding GRU + SVM", test, EMBEDDING, PLANE, primary=True)
        network("standard_gru", "Standard GRU", test, MSE, ONE_HOT, primary=True)
        network(
            "semantic_embedding_gru_svm_one_hot",
            "Semantic Embedding GRU + SVM, one-hot annotation",
            test,
            EMBEDDING,
            ONE_HOT,
        )
        network("standard_gru_summed_error", "Standard GRU, squared error summed", test, SSE, ONE_HOT)
        network(
            "standard_gru_svm_summed_error",
            "control: SVM on its features, squared error summed",
            test,
            SSE,
            ONE_HOT,
            svm=True,
        )
        network("standard_gru_300_epochs", "Standard GRU, three times as long", test, MSE, ONE_HOT, times=3)
        for kind, size in SETS.items():
            title = f"{kind.capitalize()} features ({size}) + SVM"
            add(f"{kind}_svm", title, test, {"features": kind}, primary=True)
        add("majority", "baseline: the most frequent class of the training songs", test, {"features": None})
    return systems


def baselines(variant: Variant) -> tuple[str, ...]:
    """The names of those that run together with a variant, on its folds.

    Parameters
    ----------
    variant : Variant

    Returns
    -------
    tuple of str
    """
    suffix = TESTS[variant.settings["test"]][0]
    return f"majority{suffix}", f"combined_svm{suffix}"


PUBLISHED = {variant.name: variant.settings for variant in variants()}  # with as many epochs as in the paper


class Quadrants(CrossValidation):
    """One class a song; folds are stratified, by song or by artist."""

    songs_timed = 900

    def __init__(self, data: ClassDataset, folds: int, incomplete: bool, n_jobs: int):
        super().__init__(data, folds, incomplete, n_jobs)
        self.y = data.numbers

    def task(self, variant):
        """The quadrant of a song, by accuracy, precision, recall and F1."""
        return Classes(self.data.classes)

    def samples(self, variant):
        """Log-mel vectors of each song, or a set of hand-made features (n_songs, n), and class numbers."""
        from common.features.descriptors import columns

        features = variant.settings.get("features", "log-mel")
        inputs = {None: lambda: np.zeros((len(self.y), 1)), "log-mel": lambda: self.sequences}  # None: no features
        x = inputs.get(features, lambda: self.descriptors[:, columns(features)])
        return self.samples_once(features, self.data.tracks, self.y, x)

    def annotated(self, kind: str = PLANE) -> Samples:
        """What networks are trained on: log-mel, and of each song the vector that stands for its class.

        Parameters
        ----------
        kind : str
            PLANE, valence and arousal of the quadrant, or ONE_HOT.

        Returns
        -------
        Samples
            y: float32 (n_songs, 2) or (n_songs, n_classes).
        """
        classes = self.data.classes
        vectors = [VALENCE_AROUSAL[name] for name in classes] if kind == PLANE else np.eye(len(classes))
        y = np.array(vectors, "float32")[self.y]
        return self.samples_once(kind, self.data.tracks, y, lambda: self.sequences)

    def splits(self, variant, seed):
        """Ten folds stratified by class, by song or by artist."""
        groups = self.data.groups if variant.settings["test"] == "artists" else None
        return protocol.cross_validation(SPLIT, len(self.y), self.folds, seed, groups=groups, classes=self.y)

    def networks(self, variant, split):
        """A GRU a fold, trained on vectors that stand for the classes."""
        settings = variant.settings
        if "network" not in settings:
            return []
        return [Network(fit, settings["network"], self.annotated(settings["annotation"]), split)]

    def predict(self, variant, split, trained):
        """Class numbers: the largest output, or those of an SVM on the network's or hand-made features."""
        from sklearn.svm import SVC

        settings, test = variant.settings, split.tests[SPLIT]
        if trained and not settings["svm"]:
            return {SPLIT: trained[0].outputs["outputs"][test].argmax(axis=1)}
        if not trained:
            classifier = trivial.svm() if settings["features"] else trivial.majority()
            return trivial.classify(classifier, self.samples(variant), split)
        features = trained[0].outputs["features"].astype("float64")
        svm = SVC(C=1.0, gamma="auto").fit(features[split.train], self.y[split.train])  # gamma: 1 / 50
        return {SPLIT: svm.predict(features[test])}

    def unavailable_reason(self, variant):
        """The plane needs the four quadrants, folds by artist need artists."""
        if variant.settings.get("annotation") == PLANE and set(self.data.classes) != set(VALENCE_AROUSAL):
            return f"{self.data.name} has not the classes {', '.join(VALENCE_AROUSAL)}"
        if variant.settings["test"] == "artists" and not any(track.artist for track in self.data.tracks):
            return f"{self.data.name} names no artists"
        if variant.settings.get("annotation") == PLANE and variant.settings["network"]["loss"] != EMBEDDING:
            return "only the semantic embedding learns from valence and arousal, which can be negative"
        return super().unavailable_reason(variant)

    def extractor(self, variant):
        """Log-mel, or the 54 hand-made features."""
        return self.hand_made if variant.settings.get("features") else self.mel

    def facts(self, variant):
        """As of recordings, with the classes and artists of all songs."""
        features = variant.settings.get("features")
        of_paper = self.data.is_paper_collection(PAPER_DATASET, tuple(VALENCE_AROUSAL))
        of = OF_PAPER if of_paper else self.data.n_tracks
        shortened = variant.settings != PUBLISHED.get(variant.name) or self.folds != FOLDS
        return super().facts(variant) | {
            "input": "hand-made features from audio" if features else "log-mel from audio, as published",
            "extractor": asdict(self.extractor(variant)), "stand_in": not of_paper,
            "of_train": of, "of_test": of, "partial": self.incomplete or shortened,
            "reference": self.y.tolist(), "artists": self.data.groups,
        }  # fmt: skip
