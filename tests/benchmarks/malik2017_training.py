"""The abstract's row of malik2017 (CRNN, length 20, five seeds): the suite's command against a plain script.

    python -m tests.benchmarks.malik2017_training --data-root DATA [--epochs 10 30] [--pairs 3] [--out results]

The plain script is one process with the backend's own threads: for one seed after another it reads features and
labels from CSV, builds the same network from Keras's own layers and calls `model.fit`; it does not test the networks,
which the suite does every ten epochs. The suite's time is the whole command with warm features, until its tables and
figures are there. Both have the same two cores (Linux) and as many batches, of the same songs.

A full training has 300 epochs; fewer are timed, so that starting (imports, reading, compiling) counts for more than it
does in a full one. A line through the two numbers of epochs parts both, for each way, and gives the ratio at 300. The
ratio timed is below that of full trainings wherever starting has the lower ratio; the last two lines show it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from common import cli
from reproductions.malik2017.train import CHECK
from tests import benchmarks

SEEDS, LENGTH, FRAMES, FEATURES, PARAMETERS, FULL = 5, 20, 60, 260, 35_176, 300
START = "start of the segment (min.sec)"


def read_songs(root: Path) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of the development songs with a feature file: (n, 20, 260), scaled, and labels (n, 20, 2)."""
    valence, arousal = (pd.read_csv(root / f"MediaEval2015/dev_{t}.csv", index_col=0) for t in ("valence", "arousal"))
    starts = pd.read_csv(root / "DEAM/metadata/metadata_2013.csv", index_col=0, dtype={START: str})[START]
    x, y = [], []
    with zipfile.ZipFile(root / "DEAM/features.zip") as archive:
        there = set(archive.namelist())
        for song in valence.index:
            if f"features/{song}.csv" not in there:
                continue
            rows = pd.read_csv(archive.open(f"features/{song}.csv"), sep=";", index_col=0)
            first = 14.0  # the window of the label at 15 s ends there
            if song <= 1000:  # the clock is the full song's
                minutes, _, seconds = starts[song].strip().partition(".")
                first += 60 * int(minutes) + int(seconds.ljust(2, "0"))
            rows = rows[rows.index >= first - 0.001][:FRAMES]
            assert len(rows) == FRAMES and abs(rows.index[0] - first) < 0.001, song
            x.append(rows.to_numpy())
            y.append(np.stack([valence.loc[song], arousal.loc[song]], axis=-1))
    x, y = np.concatenate(x), np.concatenate(y)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x.reshape(-1, LENGTH, FEATURES).astype("float32"), y.reshape(-1, LENGTH, 2).astype("float32")


def plain_network():
    """The CRNN of section 2 as Keras's manual would have it."""
    import keras
    from keras import layers, ops

    @keras.saving.register_keras_serializable()
    def hard_sigmoid_2017(x):
        return ops.clip(0.2 * x + 0.5, 0, 1)

    def mean_activity(h):
        return ops.cast(ops.shape(h)[0], h.dtype) * ops.mean(0.1 * ops.abs(h) + 0.001 * h * h)  # Keras divides by batch

    def rmse(y, predicted):
        return ops.mean(ops.sqrt(ops.mean(ops.square(predicted - y), axis=(0, 1))))

    x = keras.Input((LENGTH, FEATURES))
    h = layers.Reshape((LENGTH, FEATURES, 1))(x)
    h = layers.Conv2D(
        8,
        3,
        padding="same",
        activation="relu",
        kernel_regularizer=keras.regularizers.L1L2(0.1, 0.001),
        activity_regularizer=mean_activity,
    )(h)
    h = layers.Dropout(0.25)(layers.BatchNormalization()(h))
    h = layers.Reshape((LENGTH, 8 * FEATURES))(h)
    targets = []
    for _ in range(2):  # valence, arousal
        gru = layers.GRU(
            8,
            return_sequences=True,
            reset_after=False,
            recurrent_activation=hard_sigmoid_2017,
            dropout=0.25,
            recurrent_dropout=0.25,
        )
        branch = layers.Bidirectional(gru)(layers.TimeDistributed(layers.Dense(8))(h))
        pieces = layers.TimeDistributed(layers.Dense(4))(branch)
        targets.append(ops.max(pieces, axis=-1, keepdims=True))  # maxout
    net = keras.Model(x, layers.Concatenate()(targets))
    net.compile(keras.optimizers.Adam(1e-3, epsilon=1e-8), rmse)
    return net


def plain_script(root: Path, epochs: int) -> None:
    """Train the networks of all seeds, and tell their number of songs."""
    import keras

    for seed in range(SEEDS):
        keras.utils.set_random_seed(seed)
        x, y = read_songs(root)
        net = plain_network()
        assert net.count_params() == PARAMETERS
        net.fit(x, y, batch_size=32, epochs=epochs, shuffle=True, verbose=0)
    print(len(x) * LENGTH // FRAMES)


def timed(call: list, environment: dict) -> tuple[float, str]:
    """Wall seconds of a command and what it prints; the command's own exit code ends this one if it fails."""
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", *map(str, call)], env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        sys.exit(done.returncode)
    return seconds, done.stdout


def plain_way(root: Path, epochs: int, _cache: Path) -> tuple[float, int]:
    """Wall seconds and the number of songs."""
    seconds, told = timed([__spec__.name, "--data-root", root, "--plain", epochs], dict(os.environ))
    return seconds, int(told)


def suites_way(root: Path, epochs: int, cache: Path, repeats: int = SEEDS) -> tuple[float, int]:
    """Wall seconds and the number of songs; networks trained before are forgotten, features are not."""
    shutil.rmtree(cache / "work", ignore_errors=True)
    call = ["reproductions.malik2017.train", "--data-root", root, "--allow-missing", "--variant", "crnn_l20"]
    with tempfile.TemporaryDirectory() as out:
        call += ["--repeats", repeats, "--epochs", epochs, "--out", out]
        seconds, _ = timed(call, os.environ | {"MER_CACHE": str(cache)})
        record = json.loads((Path(out) / "malik2017/mediaeval2015/crnn_l20.json").read_text())
    checks = [len(network["epoch"]) for run in record["runs"] for network in run["history"]]
    assert checks == [-(-epochs // CHECK)] * repeats, "training ended early"
    return seconds, record["facts"]["n_train"]


def spread(ratios) -> str:
    return f"median {np.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}"


def main():
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--data-root", required=True, type=Path)
    tens = "two numbers of epochs; whole tens, after which the suite tests its networks, make the line exact"
    parser.add_argument("--epochs", type=int, nargs=2, default=(10, 30), metavar=("FEW", "MORE"), help=tens)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--plain", type=int, metavar="EPOCHS", help="run the plain script, once, and stop")
    options = parser.parse_args()
    if options.plain:
        return plain_script(options.data_root, options.plain)
    if options.out:
        benchmarks.wait_until_idle()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    seconds = np.empty((options.pairs, 2, 2))  # pair, number of epochs, plain and suite
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(scratch)
        suites_way(options.data_root, 1, cache, repeats=1)  # warms the features
        for pair in range(options.pairs):
            for at, epochs in enumerate(options.epochs):
                songs = {}
                for way in (0, 1) if pair % 2 == 0 else (1, 0):  # neither is always the first
                    timed_way = suites_way if way else plain_way
                    seconds[pair, at, way], songs[way] = timed_way(options.data_root, epochs, cache)
                assert songs[0] == songs[1]
                print("{} epochs: plain {:.1f} s, suite {:.1f} s".format(epochs, *seconds[pair, at]), flush=True)
    few, more = options.epochs
    an_epoch = (seconds[:, 1] - seconds[:, 0]) / (more - few)
    start = seconds[:, 0] - few * an_epoch
    print(f"{songs[0]} songs, {SEEDS} seeds, {options.pairs} pairs")
    for at, epochs in enumerate(options.epochs):
        print(f"ratio timed at {epochs} epochs: {spread(seconds[:, at, 0] / seconds[:, at, 1])}")
    full = start + FULL * an_epoch
    print(f"ratio at {FULL} epochs, by the line through both: {spread(full[:, 0] / full[:, 1])}")
    for what, part in (("an epoch of all five", an_epoch), ("starting", start)):
        plain, suite = np.median(part, axis=0)
        print(f"{what}: plain {plain:.2f} s, suite {suite:.2f} s (medians); ratio {spread(part[:, 0] / part[:, 1])}")
    if options.out:
        timed = {f"epochs: {epochs}": seconds[:, at] for at, epochs in enumerate(options.epochs)}
        timed |= {f"epochs: {FULL}, by the line through both": full}
        found = {
            name: {
                "plain script": benchmarks.measured("s", ways[:, 0]),
                "this suite": benchmarks.measured("s", ways[:, 1]),
                "ratio": benchmarks.measured("", ways[:, 0] / ways[:, 1]),
            }
            for name, ways in timed.items()
        }
        title = f"the abstract's row, {SEEDS} seeds, {songs[0]} songs"
        benchmarks.record(options.out, "malik2017_training", title, found)


if __name__ == "__main__":
    sys.exit(cli.run(main))
