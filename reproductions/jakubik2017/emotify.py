"""Section V on Emotify: nine GEMS emotions, an SVR each, 10-fold cross-validation, Pearson's r."""

from dataclasses import asdict

import numpy as np

from common import audio, protocol
from common.errors import InputError
from common.files import finite
from common.runs import Variant
from data_prep.dataset import Dataset
from reproductions.jakubik2017.cross_validation import EPOCHS, FOLDS, SPLIT, CrossValidation
from reproductions.jakubik2017.learning import EMBEDDING, MSE, SSE, fit, regress, train_autoencoder, train_network

PROTOCOL = 1  # raised by hand when a change of the code changes results
AUTOENCODER_EPOCHS = 20
SECONDS_PER_EPOCH = 0.28  # of one core, 360 excerpts
SVR = {"C": 1.0, "gamma": 1 / 50, "epsilon": 0.1}  # LIBSVM's defaults (gamma: 1 / number of features)
OF_QUOTED = {"C": 1.0, "gamma": "auto", "epsilon": 0.1}  # on the features of [17] and [18]
GRID = {"C": [0.1, 1, 10, 100], "gamma": [1e-3, 1e-2, 0.02, 0.1, 1], "epsilon": [0.01, 0.05, 0.1]}
BESIDE = ("training_mean", "genre_mean", "ridge")


def variants(epochs: int | None = None) -> list[Variant]:
    """All systems and readings; `epochs` in the place of the published 100."""

    def network(name, title, loss, *, regressor=None, primary=False, times=1, standardise=True, l2=False, **more):
        n = (epochs or EPOCHS) * times
        settings = {"network": {"loss": loss, "epochs": n, "standardise": standardise, **more}}
        settings |= {"regressor": regressor, "l2_normalised": l2, "protocol": PROTOCOL}
        seconds = FOLDS * (n * SECONDS_PER_EPOCH + 4) + (200 if regressor is GRID else 0)
        return Variant(name, title, settings, primary, core_seconds=seconds, finish_last=regressor is GRID)

    def beside(name, title):
        return Variant(name, title, {"beside": name, "protocol": PROTOCOL}, core_seconds=2)

    def quoted(name, title, core_seconds, **settings):
        settings |= {"regressor": OF_QUOTED, "standardised": True, "protocol": PROTOCOL}
        return Variant(name, title, settings, primary=True, core_seconds=core_seconds)

    return [
        network("semantic_embedding_gru_svr", "Semantic Embedding GRU + SVR", EMBEDDING, regressor=SVR, primary=True),
        network("standard_gru", "Standard GRU", MSE, primary=True),
        network("standard_gru_svr", "control: SVR on the Standard GRU's features", MSE, regressor=SVR),
        network("semantic_embedding_gru_tuned_svr", "Semantic Embedding GRU, SVR tuned by inner cross-validation",
                EMBEDDING, regressor=GRID),
        network("semantic_embedding_gru_l2_svr", "Semantic Embedding GRU + SVR, features L2-normalised",
                EMBEDDING, regressor=SVR, l2=True),
        network("semantic_embedding_gru_svr_raw_input", "Semantic Embedding GRU + SVR, input not standardised",
                EMBEDDING, regressor=SVR, standardise=False),
        network("standard_gru_raw_input", "Standard GRU, input not standardised", MSE, standardise=False),
        network("standard_gru_summed_error", "Standard GRU, squared error summed", SSE),
        network("standard_gru_svr_summed_error", "control: SVR on its features, squared error summed",
                SSE, regressor=SVR),
        network("standard_gru_epsilon_1e-8", "Standard GRU, Adadelta's epsilon as in Keras 1", MSE, epsilon=1e-8),
        network("standard_gru_300_epochs", "Standard GRU, three times as long", MSE, times=3),
        network("standard_gru_svr_300_epochs", "control: SVR on its features, three times as long",
                MSE, regressor=SVR, times=3),
        quoted("descriptors_svr", "54 hand-made features + SVR, for [17]", 400, features="descriptors"),
        quoted("autoencoder_svr", "sparse autoencoder + SVR, for [18]", FOLDS * 15,
               network={"loss": "autoencoder", "epochs": AUTOENCODER_EPOCHS}),
        beside("training_mean", "baseline: mean of the training songs"),
        beside("genre_mean", "baseline: mean of the training songs of the genre"),
        beside("ridge", "baseline: ridge regression on the mean and deviation of a song's vectors"),
        beside("rater_ceiling", "ceiling: the r that the raters' agreement allows"),
    ]  # fmt: skip


PUBLISHED = {variant.name: variant.settings for variant in variants()}  # with as many epochs as in the paper


class Emotions(CrossValidation):
    """Nine emotions at once, an r each."""

    songs_timed = 400

    def __init__(self, data: Dataset, folds: int, incomplete: bool, jobs: int):
        super().__init__(data, folds, incomplete, jobs)
        self.table = data.labels.loc[[track.id for track in data.tracks]]
        self.labels = self.table.to_numpy("float32")
        n = len(self.labels)
        protocol.k_folds(n, folds, seed=0)  # tells now if it cannot be done
        if folds > n // 2:
            raise InputError(
                f"{folds} folds of {n} songs have some with one song, and r needs two; --folds takes 2 to {n // 2}"
            )

    def facts(self, variant):
        from common.metrics import standardised

        settings = variant.settings
        self.hear(settings)
        n, of = len(self.labels), self.data.n_tracks
        shortened = settings != PUBLISHED[variant.name] or (
            self.folds != FOLDS and settings.get("beside") != "rater_ceiling"
        )
        return {
            "fingerprint": self.data.fingerprint,
            "audio": self.data.audio_kind,
            "decoder": audio.decoder(),
            "input": "hand-made features from audio" if "features" in settings else "log-mel from audio, as published",
            "extractor": asdict(self.extractor(variant)),
            "n_train": n, "of_train": of, "n_test": n, "of_test": of,
            "partial": self.incomplete or shortened,
            "targets": list(self.table.columns),
            "tracks": [track.id for track in self.data.tracks],
            "reference_z": standardised(self.labels).round(4).tolist(),
        }  # fmt: skip

    def extractor(self, variant):
        return self.hand_made if "features" in variant.settings else self.mel

    def jobs(self, variant, seed):
        if "network" not in variant.settings:
            return []
        job = {"network": variant.settings["network"]}
        return [job | {"seed": seed, "fold": fold, "folds": self.folds} for fold in range(self.folds)]

    def call(self, job):
        fold_of = protocol.k_folds(len(self.labels), self.folds, job["seed"])
        if job["network"]["loss"] == "autoencoder":
            return train_autoencoder, job["network"]["epochs"], self.sequences, fold_of, job["seed"], job["fold"]
        return train_network, job["network"], self.sequences, self.labels, fold_of, job["seed"], job["fold"]

    def finish(self, variant, seed, folds, jobs):
        from sklearn.preprocessing import StandardScaler

        from common import metrics

        settings, emotions, reference = variant.settings, list(self.table.columns), self.facts(variant)["reference_z"]
        if settings.get("beside") == "rater_ceiling":
            return {"metrics": {SPLIT: self.rater_ceiling(seed)}}
        fold_of = protocol.k_folds(len(self.labels), self.folds, seed)
        predictions = np.empty(self.labels.shape)
        for k in range(self.folds):
            train, test = np.flatnonzero(fold_of != k), np.flatnonzero(fold_of == k)
            if "beside" in settings:
                predictions[test] = self.baseline(settings["beside"], train, test)
            elif settings["regressor"] is None:
                predictions[test] = folds[k]["outputs"][test]
            else:
                features = folds[k]["features"].astype("float64") if folds else self.descriptors
                if settings.get("l2_normalised"):
                    features = features / np.linalg.norm(features, axis=1, keepdims=True)
                if settings.get("standardised"):
                    features = StandardScaler().fit(features[train]).transform(features)
                predictions[test] = regress(settings["regressor"], features, self.labels, train, test, jobs)
        predictions = predictions.round(5)
        entry = {"metrics": {SPLIT: metrics.correlations(reference, predictions, fold_of, emotions)}}
        entry |= {"fold": fold_of.tolist(), "predictions": predictions.tolist()}
        entry["by_fold"] = metrics.by_fold(reference, predictions, fold_of)
        if folds:
            entry["loss"] = finite([[float(f"{value:.5g}") for value in found["loss"]] for found in folds])
        return entry

    def for_good(self, variant):
        settings, n = variant.settings, len(self.labels)
        if settings.get("network", {}).get("loss") != EMBEDDING or settings["regressor"] != SVR:
            return super().for_good(variant)
        return n, 0, [(fit_all, settings["network"], self.sequences, self.labels)]

    def baseline(self, name, train, test):
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
        from common import metrics

        if not hasattr(self.data, "responses"):
            raise InputError(f"{self.data.name} has no single responses, so the raters' agreement cannot be told")
        responses, emotions = self.data.responses, list(self.table.columns)
        reliability = metrics.split_half_reliability(responses[emotions], responses["track id"], seed=seed)
        ceiling = np.sqrt(np.maximum(reliability, 0))  # raters who agree less than chance set a ceiling of 0
        found = dict(zip([*emotions, "average"], [round(float(r), 5) for r in [*ceiling, ceiling.mean()]], strict=True))
        return {"pearson_r_mean_over_folds": found, "pearson_r_pooled": found}


def fit_all(network: dict, sequences, labels) -> tuple[dict, dict]:
    """The semantic embedding trained on all songs, and an SVR an emotion on it, as arrays that `predict` reads."""
    from sklearn.svm import SVR as Regressor

    found, learnt = fit(network, sequences, labels, np.zeros(len(labels)), 0, FOLDS)
    features, bias, dual = found["features"], [], np.zeros(labels.shape)
    for i, target in enumerate(labels.T):
        regressor = Regressor(**SVR).fit(features.astype("float64"), target)
        dual[regressor.support_, i] = regressor.dual_coef_[0]
        bias.append(regressor.intercept_[0])
    return found, learnt | {"features": features, "dual": dual, "bias": np.array(bias)}
