"""Section V.B: training on random crops, f over whole songs, support vectors on f."""

import time

import numpy as np

CROP, BATCH = 100, 100  # vectors a crop (about 5 s), files a batch (V.B.2)
VECTORS = 100  # a batch of the autoencoder
EMBEDDING, MSE, SSE = "semantic_embedding", "mean_squared_error", "summed_squared_error"


def train_network(network: dict, sequences, labels, fold_of, seed: int, fold: int) -> dict:
    """Train on the songs of all other folds; then f (eq. 11) over the whole of every song: what `fit` found."""
    return fit(network, sequences, labels, fold_of, seed, fold)[0]


def fit(network: dict, sequences, labels, fold_of, seed: int, fold: int) -> tuple[dict, dict]:
    """Train on the songs of all other folds; then f (eq. 11) over the whole of every song.

    network: "loss", "epochs", "standardise" and perhaps "epsilon", as in `variants`; sequences: the songs' vectors
    (length, 160); labels (n_songs, targets); fold_of (n_songs,).
    Returns two dicts of arrays. What was found: `features` (n_songs, 50); `outputs` (n_songs, targets), of a Standard
    GRU only; `loss` (epochs,); `seconds` of processor time. What was learnt: the weights, and `mean` and `std` of the
    input.
    """
    from common import backend, weights

    started = time.process_time()
    backend.start(1000 * seed + fold)
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

    found = {
        "features": embedded(model.all_outputs(net), sequences, mean, std),
        "loss": np.array(history.history["loss"], "float32"),
    }
    if network["loss"] != EMBEDDING:
        found["outputs"] = np.asarray(net.get_layer("y")(found["features"]))
    found["seconds"] = np.array(time.process_time() - started)
    return found, weights.of(net) | {"mean": mean, "std": std}


def embedded(encoder, sequences, mean, std) -> np.ndarray:
    """f (eq. 11) over the whole of every song, (n_songs, 50).

    encoder: the network up to its second GRU (`model.all_outputs`); sequences: vectors (length, 160), before scaling.
    """
    from reproductions.jakubik2017 import model

    features = np.empty((len(sequences), model.UNITS[-1]), "float32")
    lengths = sequences.lengths
    for batch in np.array_split(np.argsort(lengths, kind="stable"), -(-len(sequences) // 20)):
        x = np.zeros((len(batch), lengths[batch].max(), model.VECTOR), "float32")
        for row, song in enumerate(batch):  # padded behind the end of a song, where the recurrence has passed
            x[row, : lengths[song]] = (sequences[song] - mean) / std
        h = encoder.predict_on_batch(x)
        features[batch] = [h[row, : lengths[song]].mean(0) for row, song in enumerate(batch)]
    return features


def train_autoencoder(epochs: int, sequences, fold_of, seed: int, fold: int) -> dict:
    """A sparse autoencoder of the vectors of all other folds' songs; then the mean of its code over every song.

    sequences: the songs' vectors (length, 160); fold_of (n_songs,). An epoch is one crop of every training song.
    Returns arrays: `features` (n_songs, 100); `loss` (epochs,); `seconds` of processor time.
    """
    from common import backend

    started = time.process_time()
    backend.start(1000 * seed + fold)
    from reproductions.jakubik2017 import model

    train, rng = np.flatnonzero(fold_of != fold), np.random.default_rng([seed, fold])
    mean, std = sequences.moments(train)
    net, code = model.sparse_autoencoder()
    net.compile("adam", "mean_squared_error")
    losses = []
    for _ in range(epochs):
        x = (sequences.crops(train, CROP, rng).reshape(-1, model.VECTOR) - mean) / std
        losses.append(net.fit(x, x, batch_size=VECTORS, verbose=0).history["loss"][0])
    features = [
        np.asarray(code((song - mean) / std)).mean(0) for song in map(sequences.__getitem__, range(len(fold_of)))
    ]
    return {
        "features": np.stack(features),
        "loss": np.array(losses),
        "seconds": np.array(time.process_time() - started),
    }


def regress(regressor: dict, features, labels, train, test, jobs: int = 1) -> np.ndarray:
    """An RBF SVR an emotion on the features of the training songs -> predictions (n_test, targets).

    regressor: C, gamma and epsilon; where they are lists, the best by inner 3-fold cross-validation.
    """
    from sklearn import svm
    from sklearn.model_selection import GridSearchCV

    tuned = isinstance(regressor["C"], list)
    svr = GridSearchCV(svm.SVR(), regressor, cv=3, n_jobs=jobs) if tuned else svm.SVR(**regressor)
    return np.stack([svr.fit(features[train], target[train]).predict(features[test]) for target in labels.T], axis=1)
