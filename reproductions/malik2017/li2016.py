"""The system that the paper compares with (Li et al., ICME 2016), as far as section 3.4 tells it: an approximation.

Six bidirectional LSTM networks of five layers, on sequences of 10 to 60 frames, their first two layers trained before
the others; a support vector regression with a polynomial of third order and a network of 14 units are fitted on what
the six predict for songs that they were not trained on, and the answer is the mean of the two.
"""

import time

import numpy as np

from common import protocol

LENGTHS = (10, 20, 30, 60, 10, 20)  # of the six; the paper names the four
LAYERS, PRETRAINED, UNITS = 5, 2, 128  # units a direction: 1,975,810 parameters, "about 2 million"
EPOCHS, PRETRAINING = 8, 4
HALVES = 2  # for predictions of songs not trained on
BATCH = 32
THINNED = 5  # the fusion is fitted on every fifth frame


def blstm(features: int, layers: int = LAYERS):
    """x (batch, time, features) -> (batch, time, 2), valence and arousal."""
    import keras

    x = h = keras.Input((None, features))
    for number in range(layers):
        lstm = keras.layers.LSTM(UNITS, return_sequences=True)
        h = keras.layers.Bidirectional(lstm, name=f"blstm_{number}")(h)  # (batch, time, 256)
    return keras.Model(x, keras.layers.Dense(2)(h))


def train_member(length: int, train, tests: dict, seed: int) -> dict:
    """One of the six: arrays of predictions (n_frames, 2) by split; `seconds` of processor time."""
    from common import backend

    started = time.process_time()
    backend.start(seed)
    import keras

    from reproductions.malik2017 import model

    mean, std = train.x.moments(np.arange(len(train)))

    def sequences(part):
        scaled = protocol.Sequences((part.x.values - mean) / std, part.x.bounds)
        return scaled, *scaled.cut(min(length, int(scaled.lengths.min())))

    _, x, starts = sequences(train)
    y = train.y.values[starts[:, None] + np.arange(length)]
    first, whole = blstm(x.shape[2], PRETRAINED), blstm(x.shape[2])
    for net, epochs in ((first, PRETRAINING), (whole, EPOCHS)):
        if net is whole:
            for number in range(PRETRAINED):
                name = f"blstm_{number}"
                whole.get_layer(name).set_weights(first.get_layer(name).get_weights())
        net.compile(keras.optimizers.Adam(1e-3), model.rmse)
        net.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0)
    found = {}
    for split, part in tests.items():
        scaled, stretches, starts = sequences(part)
        found[split] = scaled.joined(whole.predict(stretches, batch_size=256, verbose=0), starts)
    return {**found, "seconds": np.array(time.process_time() - started)}


def fuse(held_out: np.ndarray, labels: np.ndarray, members: np.ndarray, seed: int) -> np.ndarray:
    """Mean of an SVR and a small network, one of each a target.

    held_out (n, 6, 2), what the six predict for development songs not trained on; labels (n, 2); members (m, 6, 2),
    what they predict for other songs -> (m, 2).
    """
    from sklearn.neural_network import MLPRegressor
    from sklearn.svm import SVR

    predicted = np.empty((len(members), 2))
    for target in range(2):
        x, y = held_out[::THINNED, :, target], labels[::THINNED, target]
        fits = (
            SVR(kernel="poly", degree=3, coef0=1.0),
            MLPRegressor(hidden_layer_sizes=(14,), random_state=seed, max_iter=500),
        )
        predicted[:, target] = np.mean([fit.fit(x, y).predict(members[:, :, target]) for fit in fits], axis=0)
    return predicted


def fuse_all(found: list[dict], songs, splits: list[str], seed: int) -> dict:
    """From what the jobs of one run found, member by member (whole, then the halves): what the ensemble says.

    songs: the development songs. Returns predictions (n_frames, 2) by split.
    """
    of_members = [found[i : i + 1 + HALVES] for i in range(0, len(found), 1 + HALVES)]
    half = np.repeat(protocol.k_folds(len(songs), HALVES, seed), songs.y.lengths)
    held_out = np.empty((len(half), len(of_members), 2))
    for member, (_, *halves) in enumerate(of_members):
        for fold, network in enumerate(halves):
            held_out[half == fold, member] = network["held_out"]
    return {
        split: fuse(held_out, songs.y.values, np.stack([whole[split] for whole, *_ in of_members], 1), seed)
        for split in splits
    }
