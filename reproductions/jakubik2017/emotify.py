"""Section V on Emotify: nine GEMS emotions, an SVR each, 10-fold cross-validation, Pearson's r."""

from dataclasses import asdict

import numpy as np

from common import protocol
from common.errors import InputError
from common.experiment import Network, Samples, Split, Static, Trained, Variant
from data_prep.base import Dataset
from reproductions.jakubik2017.cross_validation import EPOCHS, FOLDS, SPLIT, CrossValidation
from reproductions.jakubik2017.learning import EMBEDDING, INNER_FOLDS, MSE, SSE, fit, fit_autoencoder, regress

PROTOCOL = 1  # raised by hand when a change of the code changes results
AUTOENCODER_EPOCHS = 20
SECONDS_PER_EPOCH = 0.28  # of one core, 360 excerpts
SVR = {"C": 1.0, "gamma": 1 / 50, "epsilon": 0.1}  # LIBSVM's defaults (gamma: 1 / number of features)
OF_QUOTED = {"C": 1.0, "gamma": "auto", "epsilon": 0.1}  # on the features of [17] and [18]
GRID = {"C": [0.1, 1, 10, 100], "gamma": [1e-3, 1e-2, 0.02, 0.1, 1], "epsilon": [0.01, 0.05, 0.1]}
BASELINES = ("training_mean", "genre_mean", "ridge")


SYSTEMS = [  # networks: name, title, loss, and in what they differ from the Standard GRU
    ("semantic_embedding_gru_svr", "Semantic Embedding GRU + SVR", EMBEDDING, {"regressor": SVR, "primary": True}),
    ("standard_gru", "Standard GRU", MSE, {"primary": True}),
    ("standard_gru_svr", "control: SVR on the Standard GRU's features", MSE, {"regressor": SVR}),
    ("semantic_embedding_gru_tuned_svr", "Semantic Embedding GRU, SVR tuned by inner cross-validation", EMBEDDING,
     {"regressor": GRID}),
    ("semantic_embedding_gru_l2_svr", "Semantic Embedding GRU + SVR, features L2-normalised", EMBEDDING,
     {"regressor": SVR, "l2": True}),
    ("semantic_embedding_gru_svr_raw_input", "Semantic Embedding GRU + SVR, input not standardised", EMBEDDING,
     {"regressor": SVR, "standardise": False}),
    ("semantic_embedding_gru_svr_global_scale", "Semantic Embedding GRU + SVR, one mean and deviation of the input",
     EMBEDDING, {"regressor": SVR, "standardise": "global"}),
    ("standard_gru_raw_input", "Standard GRU, input not standardised", MSE, {"standardise": False}),
    ("standard_gru_summed_error", "Standard GRU, squared error summed", SSE, {}),
    ("standard_gru_svr_summed_error", "control: SVR on its features, squared error summed", SSE, {"regressor": SVR}),
    ("standard_gru_summed_error_raw_input", "Standard GRU, squared error summed, input not standardised", SSE,
     {"standardise": False}),
    ("standard_gru_summed_error_global_scale",
     "Standard GRU, squared error summed, one mean and deviation of the input", SSE, {"standardise": "global"}),
    ("standard_gru_summed_over_songs", "Standard GRU, squared error summed over songs", "summed_over_songs", {}),
    ("standard_gru_summed_over_emotions", "Standard GRU, squared error summed over emotions", "summed_over_emotions",
     {}),
    ("standard_gru_epsilon_1e-8", "Standard GRU, Adadelta's epsilon as in Keras 1", MSE, {"epsilon": 1e-8}),
    ("standard_gru_300_epochs", "Standard GRU, three times as long", MSE, {"times": 3}),
    ("standard_gru_svr_300_epochs", "control: SVR on its features, three times as long", MSE,
     {"regressor": SVR, "times": 3}),
    ("standard_gru_1000_epochs", "Standard GRU, ten times as long", MSE, {"times": 10}),
]  # fmt: skip
QUOTED = [  # systems of others: name, title, core seconds, settings
    ("descriptors_svr", "54 hand-made features + SVR, for [17]", 400, {"features": "descriptors"}),
    ("autoencoder_svr", "sparse autoencoder + SVR, for [18]", FOLDS * 15,
     {"network": {"loss": "autoencoder", "epochs": AUTOENCODER_EPOCHS}}),
]  # fmt: skip
TRIVIAL = {
    "training_mean": "baseline: mean of the training songs",
    "genre_mean": "baseline: mean of the training songs of the genre",
    "ridge": "baseline: ridge regression on the mean and deviation of a song's vectors",
    "rater_ceiling": "ceiling: the r that the raters' agreement allows",
}


def variants(epochs: int | None = None) -> list[Variant]:
    """All systems and interpretations, and the baselines.

    Parameters
    ----------
    epochs : int, optional
        Of each GRU, in the place of the published 100; three or ten times as many of those that are trained longer.

    Returns
    -------
    list of Variant
    """
    networks = [_network(*row[:3], epochs or EPOCHS, **row[3]) for row in SYSTEMS]
    of_quoted = {"regressor": OF_QUOTED, "standardised": True, "protocol": PROTOCOL}
    quoted = [
        Variant(name, title, settings | of_quoted, primary=True, core_seconds=seconds)
        for name, title, seconds, settings in QUOTED
    ]
    baselines = [
        Variant(name, title, {"baseline": name, "protocol": PROTOCOL}, core_seconds=2)
        for name, title in TRIVIAL.items()
    ]
    return networks + quoted + baselines


def _network(name, title, loss, epochs, *, regressor=None, primary=False, times=1, standardise=True, l2=False, **more):
    n = epochs * times
    settings = {"network": {"loss": loss, "epochs": n, "standardise": standardise, **more}}
    settings |= {"regressor": regressor, "l2_normalised": l2, "protocol": PROTOCOL}
    seconds = FOLDS * (n * SECONDS_PER_EPOCH + 4) + (200 if regressor is GRID else 0)
    return Variant(name, title, settings, primary, core_seconds=seconds, score_last=regressor is GRID)


PUBLISHED = {variant.name: variant.settings for variant in variants()}  # with as many epochs as in the paper


class Emotions(CrossValidation):
    """Nine emotions at once, an r each."""

    songs_timed = 400

    def __init__(self, data: Dataset, folds: int, incomplete: bool, n_jobs: int):
        super().__init__(data, folds, incomplete, n_jobs)
        self.table = data.labels.loc[list(self.ids)]
        self.labels = self.table.to_numpy("float32")
        n = len(self.labels)
        if not 2 <= folds <= n // 2:  # an error now, not after hours
            takes = f"--folds takes 2 to {n // 2}" if n >= 4 else "at least 4 songs are needed"
            raise InputError(f"{folds} folds of {n} songs have not two songs each, which r needs; {takes}")

    def task(self, variant):
        """Nine emotions of a song, by Pearson's r."""
        return Static(tuple(self.table.columns))

    def samples(self, variant):
        """Log-mel vectors of each song, or hand-made features (n_songs, 54), and labels (n_songs, 9)."""
        if "features" in variant.settings:
            return self.samples_once("hand-made", self.data.tracks, self.labels, lambda: self.descriptors)
        return self.annotated()

    def annotated(self) -> Samples:
        """What networks are trained on: log-mel and all nine emotions."""
        return self.samples_once("log-mel", self.data.tracks, self.labels, lambda: self.sequences)

    def unavailable_reason(self, variant):
        """The tuned SVR is cross-validated on the training songs."""
        n = len(self.ids)
        if variant.settings.get("regressor") is GRID and n - -(-n // self.folds) < INNER_FOLDS:
            return f"the inner cross-validation needs {INNER_FOLDS} songs to train on"
        return super().unavailable_reason(variant)

    def splits(self, variant, seed):
        """Ten folds by song, shuffled by the seed."""
        return protocol.cross_validation(SPLIT, len(self.ids), self.folds, seed)

    def networks(self, variant, split):
        """A GRU or the autoencoder a fold; what regresses behind it is part of `predict`."""
        settings = variant.settings.get("network")
        if settings is None:
            return []
        train = fit_autoencoder if settings["loss"] == "autoencoder" else fit
        return [Network(train, settings, self.samples(variant), split)]

    def trained_on_all(self, variant):
        """The semantic embedding with its regression, see `fit_with_svr`."""
        settings = variant.settings
        normalised = settings.get("l2_normalised")
        if settings.get("network", {}).get("loss") != EMBEDDING or settings["regressor"] != SVR or normalised:
            return super().trained_on_all(variant)
        split = Split(np.arange(len(self.ids)), {}, fold=FOLDS, seed=FOLDS)
        return [Network(fit_with_svr, settings["network"], self.samples(variant), split)]

    def predict(self, variant, split, trained):
        """Values (n_test, 9): outputs of the network, of an SVR on its features, or of a baseline."""
        from sklearn.preprocessing import StandardScaler

        settings, train, test = variant.settings, split.train, split.tests[SPLIT]
        if "baseline" in settings:
            return {SPLIT: self.baseline(settings["baseline"], train, test)}
        if settings["regressor"] is None:
            return {SPLIT: trained[0].outputs["outputs"][test]}
        features = trained[0].outputs["features"].astype("float64") if trained else self.descriptors
        if settings.get("l2_normalised"):
            features = features / np.linalg.norm(features, axis=1, keepdims=True)
        if settings.get("standardised"):
            features = StandardScaler().fit(features[train]).transform(features)
        return {SPLIT: regress(settings["regressor"], features, self.labels, train, test, self.n_jobs)}

    def score(self, variant, seed, trained):
        """As of every experiment; the raters' agreement has metrics and no predictions."""
        if variant.settings.get("baseline") == "rater_ceiling":
            return {"metrics": {SPLIT: self.rater_ceiling(seed)}}
        return super().score(variant, seed, trained)

    def baseline(self, name, train, test):
        """Predictions without a network.

        Parameters
        ----------
        name : str
            One of BASELINES.
        train, test : int, (n_train,) and (n_test,)
            Indices of songs.

        Returns
        -------
        ndarray, (n_test, 9)
        """
        from common import baselines

        if name == "training_mean":
            return baselines.training_mean(self.labels, train, test)
        if name == "genre_mean":
            genres = np.array([track.genre or "" for track in self.data.tracks])
            return baselines.group_mean(self.labels, train, test, genres)
        songs = [self.sequences[i] for i in range(len(self.sequences))]
        features = np.stack([np.concatenate([song.mean(0), song.std(0)]) for song in songs])
        return baselines.ridge(self.labels, train, test, features)

    def rater_ceiling(self, seed):
        """The r that a model which knew the mean of infinitely many raters would reach, by emotion.

        Parameters
        ----------
        seed : int
            Of the random halves of the raters.

        Returns
        -------
        dict of str to dict
            By metric, within folds and pooled the same: r in [0, 1] by emotion, and their `average`.

        Raises
        ------
        InputError
            If the data set has no ratings by single listeners.
        """
        from common import metrics

        if self.data.responses is None:
            raise InputError(f"{self.data.name}: has no ratings by single listeners; give --data-root with Emotify")
        responses, emotions = self.data.responses, list(self.table.columns)
        reliability = metrics.split_half_reliability(responses[emotions], responses["track id"], seed=seed)
        ceiling = np.sqrt(np.maximum(reliability, 0))  # raters who agree less than chance set a ceiling of 0
        values = dict(
            zip([*emotions, "average"], [round(float(r), 5) for r in [*ceiling, ceiling.mean()]], strict=True)
        )
        return {"pearson_r_mean_over_folds": values, "pearson_r_pooled": values}

    def extractor(self, variant):
        """Log-mel, or the 54 hand-made features."""
        return self.hand_made if "features" in variant.settings else self.mel

    def facts(self, variant):
        """As of recordings, with the labels as z-scores."""
        settings, of = variant.settings, self.data.n_tracks
        other_folds = self.folds != FOLDS and settings.get("baseline") != "rater_ceiling"
        return super().facts(variant) | {
            "input": "hand-made features from audio" if "features" in settings else "log-mel from audio, as published",
            "extractor": asdict(self.extractor(variant)), "of_train": of, "of_test": of,
            "partial": self.incomplete or settings != PUBLISHED.get(variant.name) or other_folds,
            "reference_z": Static.reference(self.labels),
        }  # fmt: skip


def fit_with_svr(settings: dict, samples: Samples, split: Split) -> Trained:
    """The semantic embedding trained on all songs, and behind it an SVR an emotion.

    Parameters
    ----------
    settings : dict
        As of `learning.fit`.
    samples : Samples
        As of `learning.fit`; y (n_songs, 9).
    split : Split
        Whose training songs are all songs.

    Returns
    -------
    Trained
        As from `learning.fit`; the model's output is that of the SVRs.
    """
    from sklearn.svm import SVR as Regressor

    from reproductions.jakubik2017 import model

    trained = fit(settings, samples, split)
    features, bias, dual = trained.outputs["features"], [], np.zeros(samples.y.shape)
    for i, target in enumerate(samples.y.T):
        regressor = Regressor(**SVR).fit(features.astype("float64"), target)
        dual[regressor.support_, i] = regressor.dual_coef_[0]
        bias.append(regressor.intercept_[0])
    with_svr = model.with_regression(trained.model, features, dual, np.array(bias), SVR["gamma"])
    return Trained(trained.outputs, trained.history, with_svr)
