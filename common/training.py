"""Callbacks and batches that training protocols of this field need besides Keras's own."""

from collections.abc import Callable

import keras
import numpy as np

from common.protocol import Sequences


class EvaluateSongs(keras.callbacks.Callback):
    """The root mean squared error of whole songs after every `every` epochs, and after the last.

    predict: by split, a function that predicts all frames (n_frames, targets) with the weights of the moment; labels:
    by split, as large. `epochs` holds when errors were evaluated so far, `errors` the errors, each (splits, targets).
    The mean over targets stands in the logs of each epoch as "SPLIT_rmse": the last one evaluated, infinite before.
    """

    def __init__(self, predict: dict[str, Callable[[], np.ndarray]], labels: dict[str, np.ndarray], every: int):
        super().__init__()
        self.predict, self.labels, self.every = predict, labels, every
        self.epochs, self.errors = [], []

    def on_epoch_end(self, epoch, logs=None):
        """Put the errors of the latest evaluation into the logs, each the mean over targets, as "SPLIT_rmse"."""
        if (epoch + 1) % self.every == 0 or epoch + 1 == self.params["epochs"]:
            self.epochs.append(epoch + 1)
            self.errors.append(
                [np.sqrt(np.square(predict() - self.labels[split]).mean(0)) for split, predict in self.predict.items()]
            )
        last = np.mean(self.errors[-1], axis=1) if self.errors else np.full(len(self.predict), np.inf)
        logs |= {f"{split}_rmse": float(error) for split, error in zip(self.predict, last, strict=True)}


class StopAtTrainingError(keras.callbacks.Callback):
    """Ends the training once an error that is in the logs, by its name, is as low as `until`."""

    def __init__(self, until: float, monitor: str):
        super().__init__()
        self.until, self.monitor = until, monitor

    def on_epoch_end(self, epoch, logs=None):
        """Stop if the error is low enough."""
        if logs[self.monitor] <= self.until:
            self.model.stop_training = True


class RandomCrops(keras.utils.PyDataset):
    """Batches of random crops: in each epoch every song once, in a new order, from a new random start.

    Parameters
    ----------
    sequences : vectors (length, dimension) of all songs
    y : labels (n_songs, targets)
    songs : indices of the songs to train on
    length : vectors of a crop
    batch : songs of a batch; the last one may be smaller
    scaling : mean and standard deviation of each dimension
    rng : draws order and starts
    """

    def __init__(self, sequences: Sequences, y, songs, *, length: int, batch: int, scaling: tuple, rng):
        super().__init__()
        self.sequences, self.y, self.songs, self.rng = sequences, y, songs, rng
        self.length, self.batch, self.scaling = length, batch, scaling
        self.on_epoch_end()

    def __len__(self):
        return -(-len(self.songs) // self.batch)

    def __getitem__(self, index):
        songs, (mean, std) = self.order[index * self.batch : (index + 1) * self.batch], self.scaling
        return (self.sequences.crops(songs, self.length, self.rng) - mean) / std, self.y[songs]

    def on_epoch_end(self):
        self.order = self.rng.permutation(self.songs)
