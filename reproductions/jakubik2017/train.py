"""Section V on Emotify: log-mel sequences -> GRU -> SVR, 10-fold cross-validation, nine GEMS emotions, Pearson's r."""

import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from common import audio, cli, protocol
from common.errors import InputError
from common.features.mel import MelSpectrogram, paired_with_deltas
from common.features.store import FeatureStore
from common.runs import Experiment, Variant
from data_prep.dataset import Dataset, data_root

FOLDS, EPOCHS = 10, 100
SPLIT = "10-fold"  # as the published cells call it
SYNTHETIC_FOLDS = 3
CROP, BATCH = 100, 100  # vectors a crop (about 5 s), files a batch (V.B.2)
PROTOCOL = 1  # raised by hand when a change of the code changes results
SECONDS_PER_EPOCH = 0.28  # of one core, 360 excerpts
SVR = {"C": 1.0, "gamma": 1 / 50, "epsilon": 0.1}  # LIBSVM's defaults (gamma: 1 / number of features)
GRID = {"C": [0.1, 1, 10, 100], "gamma": [1e-3, 1e-2, 0.02, 0.1, 1], "epsilon": [0.01, 0.05, 0.1]}
EMBEDDING, MSE, SSE = "semantic_embedding", "mean_squared_error", "summed_squared_error"


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
        beside("training_mean", "baseline: mean of the training songs"),
        beside("genre_mean", "baseline: mean of the training songs of the genre"),
        beside("ridge", "baseline: ridge regression on the mean and deviation of a song's vectors"),
        beside("rater_ceiling", "ceiling: the r that the raters' agreement allows"),
    ]  # fmt: skip


def train_network(network: dict, sequences, labels, fold_of, seed: int, fold: int) -> dict:
    """Train on the songs of all other folds; then f (eq. 11) over the whole of every song.

    network: "loss", "epochs", "standardise" and perhaps "epsilon", as in `variants`; sequences: the songs' vectors
    (length, 160); labels (n_songs, targets), in [0, 1]; fold_of (n_songs,).
    Returns arrays: `features` (n_songs, 50); `outputs` (n_songs, targets), of a Standard GRU only; `loss` (epochs,);
    `seconds` of processor time.
    """
    from common import keras2017

    started = time.process_time()
    keras2017.start(1000 * seed + fold)
    import keras

    from reproductions.jakubik2017 import model

    class RandomCrops(keras.utils.PyDataset):
        """In each epoch every training file once, in a new order, from a new random start."""

        def __init__(self, sequences):
            super().__init__()
            self.sequences = sequences
            self.rng = np.random.default_rng([seed, fold])
            self.on_epoch_end()

        def __len__(self):
            return -(-len(train) // BATCH)

        def __getitem__(self, index):
            songs = self.order[index * BATCH : (index + 1) * BATCH]
            return (self.sequences.crops(songs, CROP, self.rng) - mean) / std, labels[songs]

        def on_epoch_end(self):
            self.order = self.rng.permutation(train)

    train = np.flatnonzero(fold_of != fold)
    mean, std = sequences.moments(train) if network["standardise"] else (np.float32(0), np.float32(1))
    if network["loss"] == EMBEDDING:
        net, loss = model.semantic_embedding_gru(), model.similarity_loss
    else:
        net = model.standard_gru(labels.shape[1])
        loss = {MSE: "mean_squared_error", SSE: model.summed_squared_error}[network["loss"]]
    net.compile(model.adadelta(network.get("epsilon", 1e-6)), loss)
    crops = RandomCrops(sequences)
    history = net.fit(crops, epochs=network["epochs"], shuffle=False, verbose=0)
    crops.sequences = None  # TensorFlow keeps the data set for good; a worker would map the songs anew for each job

    features = np.empty((len(sequences), model.UNITS[-1]), "float32")
    encoder, lengths = model.all_outputs(net), sequences.lengths
    for batch in np.array_split(np.argsort(lengths, kind="stable"), -(-len(sequences) // 20)):
        x = np.zeros((len(batch), lengths[batch].max(), model.VECTOR), "float32")
        for row, song in enumerate(batch):  # padded behind the end of a song, where the recurrence has passed
            x[row, : lengths[song]] = (sequences[song] - mean) / std
        h = encoder.predict_on_batch(x)
        features[batch] = [h[row, : lengths[song]].mean(0) for row, song in enumerate(batch)]
    found = {"features": features, "loss": np.array(history.history["loss"], "float32")}
    if network["loss"] != EMBEDDING:
        found["outputs"] = np.asarray(net.get_layer("y")(features))
    return {**found, "seconds": np.array(time.process_time() - started)}


def regress(regressor: dict, features, labels, train, test, jobs: int = 1) -> np.ndarray:
    """An RBF SVR an emotion on the features of the training songs -> predictions (n_test, targets).

    regressor: C, gamma and epsilon; where they are lists, the best by inner 3-fold cross-validation.
    """
    from sklearn import svm
    from sklearn.model_selection import GridSearchCV

    tuned = isinstance(regressor["C"], list)
    svr = GridSearchCV(svm.SVR(), regressor, cv=3, n_jobs=jobs) if tuned else svm.SVR(**regressor)
    return np.stack([svr.fit(features[train], target[train]).predict(features[test]) for target in labels.T], axis=1)


class CrossValidation(Experiment):
    """10-fold cross-validation; the folds' shuffle, the initial weights and the crops follow from the seed."""

    paper = "jakubik2017"

    def __init__(self, data: Dataset, songs: list[np.ndarray], extractor: MelSpectrogram, folds: int, partial: bool):
        self.data, self.folds, self.partial, self.extractor = data, folds, partial, extractor
        self.dataset, self.for_record = data.name, not data.rendered
        self.table = data.labels.loc[[track.id for track in data.tracks]]
        self.labels = self.table.to_numpy("float32")
        protocol.k_folds(len(self.labels), folds, seed=0)  # tells now if it cannot be done
        self.sequences = protocol.Sequences.of([paired_with_deltas(song) for song in songs])

    def facts(self, variant=None):
        from common.metrics import standardised

        n, of = len(self.labels), self.data.n_tracks
        return {
            "fingerprint": self.data.fingerprint,
            "audio": self.data.audio_kind,
            "decoder": audio.decoder(),
            "input": "log-mel from audio, as published",
            "extractor": asdict(self.extractor),
            "n_train": n, "of_train": of, "n_test": n, "of_test": of,
            "partial": self.partial,
            "targets": list(self.table.columns),
            "tracks": [track.id for track in self.data.tracks],
            "reference_z": standardised(self.labels).round(4).tolist(),
        }  # fmt: skip

    def jobs(self, variant, seed):
        if "network" not in variant.settings:
            return []
        job = {"network": variant.settings["network"], "protocol": PROTOCOL, "extractor": asdict(self.extractor)}
        return [job | {"seed": seed, "fold": fold, "folds": self.folds} for fold in range(self.folds)]

    def call(self, job):
        fold_of = protocol.k_folds(len(self.labels), self.folds, job["seed"])
        return train_network, job["network"], self.sequences, self.labels, fold_of, job["seed"], job["fold"]

    def finish(self, variant, seed, folds, jobs):
        from common import metrics

        emotions = list(self.table.columns)
        if variant.settings.get("beside") == "rater_ceiling":
            return {"metrics": {SPLIT: self.rater_ceiling(seed)}}
        fold_of = protocol.k_folds(len(self.labels), self.folds, seed)
        predictions = np.empty(self.labels.shape)
        for k in range(self.folds):
            train, test = np.flatnonzero(fold_of != k), np.flatnonzero(fold_of == k)
            if "beside" in variant.settings:
                predictions[test] = self.baseline(variant.settings["beside"], train, test)
            elif variant.settings["regressor"] is None:
                predictions[test] = folds[k]["outputs"][test]
            else:
                features = folds[k]["features"].astype("float64")
                if variant.settings["l2_normalised"]:
                    features /= np.linalg.norm(features, axis=1, keepdims=True)
                predictions[test] = regress(variant.settings["regressor"], features, self.labels, train, test, jobs)
        predictions = predictions.round(5)
        entry = {"metrics": {SPLIT: metrics.correlations(self.facts()["reference_z"], predictions, fold_of, emotions)}}
        entry |= {"fold": fold_of.tolist(), "predictions": predictions.tolist()}
        entry["by_fold"] = metrics.by_fold(self.facts()["reference_z"], predictions, fold_of)
        if folds:
            entry["loss"] = [[float(f"{value:.5g}") for value in found["loss"]] for found in folds]
        return entry

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


def build(options) -> CrossValidation:
    """The data set that the options name (without a data root: the synthetic one) and its features."""
    root = data_root(options.data_root)
    if root:
        from data_prep.emotify import Emotify

        data = Emotify(root)
    else:
        from data_prep.synthetic import Synthetic

        data = Synthetic()
    missing = data.require(allow_missing=options.allow_missing)
    extractor = MelSpectrogram()
    songs = FeatureStore().get_all([track.path for track in data.tracks], extractor, jobs=options.jobs)
    folds = options.folds or (FOLDS if root else SYNTHETIC_FOLDS)
    partial = bool(missing) or (folds, options.epochs or EPOCHS) != (FOLDS, EPOCHS)
    return CrossValidation(data, songs, extractor, folds, partial)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    expected = Path(__file__).with_name("expected.json")
    beside = ("training_mean", "genre_mean", "ridge")
    training = cli.Training(__doc__, variants, build, lambda variant: beside, expected)
    return cli.train(training, "python -m reproductions.jakubik2017.train", arguments)


if __name__ == "__main__":
    from reproductions.jakubik2017.train import main  # so that workers find functions by their module's name

    sys.exit(main())
