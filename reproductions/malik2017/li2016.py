"""The ensembles that the paper compares with, as far as its text describes them: approximations.

Six bidirectional LSTM networks of five layers, on sequences of 10 to 60 frames, their first two layers trained before
the others. A fusion is fitted on what the six predict for songs that they were not trained on: for Li et al., ICME 2016
(section 3.4), the mean of a support vector regression with a polynomial of third order and a network of 14 units; for
Xu et al., MediaEval 2015 (section 1), an extreme learning machine. Section 1 describes no more of the latter than six
LSTM networks with sequences of different lengths; so they are Li et al.'s here.
"""

from collections.abc import Callable

import numpy as np

from common import protocol
from common.experiment import Network, Samples, Split, Trained

LENGTHS = (10, 20, 30, 60, 10, 20)  # of the six; the paper names the four
LAYERS, PRETRAINED, UNITS = 5, 2, 128  # units a direction: 1,975,810 parameters, "about 2 million"
EPOCHS, PRETRAINING = 8, 4
HALVES = 2  # for predictions of songs not trained on
BATCH = 32
THINNED = 5  # the fusion is fitted on every fifth frame
FUSION_UNITS = 14  # of the small network (3.4); of the extreme learning machine, whose number is not given, as many


def blstm(features: int, layers: int = LAYERS):
    """x (batch, time, features) -> (batch, time, 2), valence and arousal.

    Parameters
    ----------
    features, layers : int
        The layers are bidirectional LSTMs of 128 units a direction.

    Returns
    -------
    keras.Model
    """
    import keras

    x = h = keras.Input((None, features))
    for number in range(layers):
        lstm = keras.layers.LSTM(UNITS, return_sequences=True)
        h = keras.layers.Bidirectional(lstm, name=f"blstm_{number}")(h)  # (batch, time, 256)
    return keras.Model(x, keras.layers.Dense(2)(h))


def networks(samples: Samples, split: Split, lengths=LENGTHS) -> list[Network]:
    """Each of the six trained on all songs, and on each half of them to predict the other; six times three.

    Parameters
    ----------
    samples : Samples
        x and y are `Sequences`: features (n_frames, n) and labels (n_frames, 2).
    split : Split
    lengths : tuple of int
        Of each member's sequences, in frames.

    Returns
    -------
    list of Network
        Three a member, first the one of all songs.

    Raises
    ------
    InputError
        If there are fewer training songs than halves.
    """
    half = protocol.k_folds(len(split.train), HALVES, split.seed // 1000)
    members = []
    for member, length in enumerate(lengths):
        parts = [(split.train, split.tests)]
        parts += [(split.train[half != k], {"held_out": split.train[half == k]}) for k in range(HALVES)]
        for k, part in enumerate(parts):
            seed = split.seed + 100 * member + max(k - 1, 0)
            members.append(Network(fit, {"length": length}, samples, Split(*part, fold=k, seed=seed)))
    return members


def fit(settings: dict, samples: Samples, split: Split) -> Trained:
    """Train one of the six, its first two layers beforehand, and predict.

    Parameters
    ----------
    settings : dict
        `length` of its sequences, in frames.
    samples : Samples
        x and y are `Sequences`: features (n_frames, n) and labels (n_frames, 2).
    split : Split

    Returns
    -------
    Trained
        Outputs: predictions, float32 (n_frames, 2), by test split.
    """
    from common import backend

    backend.start(split.seed)
    import keras

    from reproductions.malik2017 import model

    mean, std = samples.x.moments(split.train)
    length = settings["length"]

    def sequences(songs):
        x = samples.x.subset(songs)
        scaled = protocol.Sequences((x.values - mean) / std, x.bounds)
        return scaled, *scaled.split_into(min(length, int(scaled.lengths.min())))

    _, x, starts = sequences(split.train)
    y = samples.y.subset(split.train).values[starts[:, None] + np.arange(length)]
    first, complete = blstm(x.shape[2], PRETRAINED), blstm(x.shape[2])
    for net, epochs in ((first, PRETRAINING), (complete, EPOCHS)):
        if net is complete:
            for number in range(PRETRAINED):
                name = f"blstm_{number}"
                complete.get_layer(name).set_weights(first.get_layer(name).get_weights())
        net.compile(keras.optimizers.Adam(1e-3), model.rmse)
        net.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0)
    outputs = {}
    for name, songs in split.tests.items():
        scaled, windows, starts = sequences(songs)
        outputs[name] = scaled.overlap_merge(complete.predict(windows, batch_size=256, verbose=0), starts)
    return Trained(outputs)


def svr_and_network(n_members: int, seed: int) -> tuple:
    """Two scikit-learn regressions, of which section 3.4 takes the mean: Li et al.'s fusion."""
    from sklearn.neural_network import MLPRegressor
    from sklearn.svm import SVR

    network = MLPRegressor(hidden_layer_sizes=(FUSION_UNITS,), random_state=seed, max_iter=500)
    return SVR(kernel="poly", degree=3, coef0=1.0), network


def extreme_learning_machine(n_members: int, seed: int) -> tuple:
    """Least squares on random logistic units (Huang et al. 2006), as a scikit-learn regression: Xu et al.'s fusion."""
    from scipy.special import expit
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    rng = np.random.default_rng(seed)
    weights, bias = rng.uniform(-1, 1, (n_members, FUSION_UNITS)), rng.uniform(-1, 1, FUSION_UNITS)
    return (make_pipeline(FunctionTransformer(lambda x: expit(x @ weights + bias)), LinearRegression()),)


FUSIONS = {"svr_and_network": svr_and_network, "extreme_learning_machine": extreme_learning_machine}


def fuse(
    held_out: np.ndarray, labels: np.ndarray, members: np.ndarray, seed: int, fusion: Callable[[int, int], tuple]
) -> np.ndarray:
    """The mean of a fusion's regressions, fitted for each target.

    Parameters
    ----------
    held_out : ndarray, (n, 6, 2)
        What the six predict for frames of development songs that they were not trained on.
    labels : ndarray, (n, 2)
        Of these frames.
    members : ndarray, (m, 6, 2)
        What the six predict for other songs.
    seed : int
        Of the fusion.
    fusion : callable
        One of FUSIONS.

    Returns
    -------
    float64, (m, 2)
    """
    predicted = np.empty((len(members), 2))
    for target in range(2):
        x, y = held_out[::THINNED, :, target], labels[::THINNED, target]
        regressions = fusion(x.shape[1], seed)
        predicted[:, target] = np.mean([one.fit(x, y).predict(members[:, :, target]) for one in regressions], axis=0)
    return predicted


def fuse_all(trained: list[Trained], samples: Samples, split: Split, fusion: str) -> dict[str, np.ndarray]:
    """Predictions of the ensemble by test split.

    Parameters
    ----------
    trained : list of Trained
        In the order of `networks`.
    samples : Samples
    split : Split
    fusion : str
        A key of FUSIONS.

    Returns
    -------
    dict of str to ndarray
        float64 (n_frames, 2).
    """
    of_members = [trained[i : i + 1 + HALVES] for i in range(0, len(trained), 1 + HALVES)]
    labels = samples.y.subset(split.train)
    half = np.repeat(protocol.k_folds(len(split.train), HALVES, split.seed // 1000), labels.lengths)
    held_out = np.empty((len(half), len(of_members), 2))
    for member, (_, *halves) in enumerate(of_members):
        for k, network in enumerate(halves):
            held_out[half == k, member] = network.outputs["held_out"]
    return {
        name: fuse(
            held_out,
            labels.values,
            np.stack([all_songs.outputs[name] for all_songs, *_ in of_members], 1),
            split.seed // 1000,
            FUSIONS[fusion],
        )
        for name in split.tests
    }
