"""Section V.B: training on random crops, f over whole songs, support vectors on f."""

import numpy as np

from common.experiment import Samples, Split, Trained

CROP, BATCH = 100, 100  # vectors a crop (about 5 s), files a batch (V.B.2)
VECTORS = 100  # a batch of the autoencoder
INNER_FOLDS = 3  # in which a tuned SVR is chosen
EMBEDDING, MSE, SSE = "semantic_embedding", "mean_squared_error", "summed_squared_error"
LOSSES = (MSE, SSE, "summed_over_songs", "summed_over_emotions", EMBEDDING)  # as `model.LOSSES` has them


def fit(settings: dict, samples: Samples, split: Split) -> Trained:
    """Train on random crops of the training songs; then f (eq. 11) over the whole of every song.

    Parameters
    ----------
    settings : dict
        `loss`, a name in `model.LOSSES`, `epochs`, `standardise` as of `scaling`, and perhaps `epsilon`, Adadelta's.
    samples : Samples
        x: Sequences, vectors (length, 160) of each song; y: (n_songs, targets).
    split : Split

    Returns
    -------
    Trained
        Outputs: `features`, float32 (n_songs, 50); of a Standard GRU only, `outputs`, (n_songs, targets). History:
        `loss`.
    """
    from common import backend, weights

    backend.start(split.seed)
    from common.training import RandomCrops
    from reproductions.jakubik2017 import model

    mean, std = scaling(settings["standardise"], samples, split)
    embedding = settings["loss"] == EMBEDDING
    net = model.semantic_embedding_gru() if embedding else model.standard_gru(samples.y.shape[1])
    net.compile(model.adadelta(settings.get("epsilon", 1e-6)), model.LOSSES[settings["loss"]])
    rng = np.random.default_rng([split.seed // 1000, split.fold])
    crops = RandomCrops(samples.x, samples.y, split.train, length=CROP, batch=BATCH, scaling=(mean, std), rng=rng)
    history = net.fit(crops, epochs=settings["epochs"], shuffle=False, verbose=0).history
    crops.sequences = None  # TensorFlow keeps the data set for good; a worker would map the songs anew each time
    outputs = {"features": embedded(model.all_outputs(net), samples.x, mean, std)}
    if not embedding:
        outputs["outputs"] = np.asarray(net.get_layer("y")(outputs["features"]))
    return Trained(outputs, {"loss": np.array(history["loss"])}, weights.with_scaling(net, mean, std))


def scaling(standardise: bool | str, samples: Samples, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the training songs' vectors.

    Parameters
    ----------
    standardise : bool or str
        True: of each component; "global": of all together; False: none, which is 0 and 1.
    samples : Samples
        x: Sequences, vectors (length, 160) of each song.
    split : Split

    Returns
    -------
    mean, std : float32, (160,) or ()
    """
    if not standardise:
        return np.float32(0), np.float32(1)
    mean, std = samples.x.moments(split.train)
    if standardise == "global":
        return mean.mean(), np.sqrt(np.mean(std**2 + (mean - mean.mean()) ** 2))
    return mean, std


def embedded(encoder, sequences, mean, std) -> np.ndarray:
    """f (eq. 11) over the whole of every song.

    Parameters
    ----------
    encoder : keras.Model
        The network up to its second GRU (`model.all_outputs`).
    sequences : Sequences
        Vectors (length, 160) of each song, before scaling.
    mean, std : float32, (160,) or ()
        As from `scaling`.

    Returns
    -------
    float32, (n_songs, 50)
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


def fit_autoencoder(settings: dict, samples: Samples, split: Split) -> Trained:
    """A sparse autoencoder of the training songs' vectors; then the mean of its code over every song.

    Parameters
    ----------
    settings : dict
        `epochs`; each is one crop of every training song.
    samples : Samples
        x: Sequences, vectors (length, 160) of each song.
    split : Split

    Returns
    -------
    Trained
        Outputs: `features`, (n_songs, 100). History: `loss`.
    """
    from common import backend

    backend.start(split.seed)
    from reproductions.jakubik2017 import model

    rng, (mean, std) = np.random.default_rng([split.seed // 1000, split.fold]), samples.x.moments(split.train)
    net, code = model.sparse_autoencoder()
    net.compile("adam", "mean_squared_error")
    losses = []
    for _ in range(settings["epochs"]):
        x = (samples.x.crops(split.train, CROP, rng).reshape(-1, model.VECTOR) - mean) / std
        losses.append(net.fit(x, x, batch_size=VECTORS, verbose=0).history["loss"][0])
    features = [np.asarray(code((samples.x[song] - mean) / std)).mean(0) for song in range(len(samples))]
    return Trained({"features": np.stack(features)}, {"loss": np.array(losses)})


def regress(regressor: dict, features, labels, train, test, n_jobs: int = 1) -> np.ndarray:
    """An RBF SVR an emotion on the features of the training songs.

    Parameters
    ----------
    regressor : dict
        `C`, `gamma` and `epsilon`; where they are lists, the best by inner 3-fold cross-validation.
    features : ndarray, (n_songs, n)
    labels : ndarray, (n_songs, targets)
    train, test : int, (n_train,) and (n_test,)
        Indices of songs.
    n_jobs : int
        Processes for the inner cross-validation.

    Returns
    -------
    ndarray, (n_test, targets)
    """
    from sklearn import svm
    from sklearn.model_selection import GridSearchCV

    tuned = isinstance(regressor["C"], list)
    svr = GridSearchCV(svm.SVR(), regressor, cv=INNER_FOLDS, n_jobs=n_jobs) if tuned else svm.SVR(**regressor)
    return np.stack([svr.fit(features[train], target[train]).predict(features[test]) for target in labels.T], axis=1)
