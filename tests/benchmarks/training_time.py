"""Does training time grow linearly with the number of files (the paper's V.B)? Seconds an epoch for 90 to 2,880 files.

    python -m tests.benchmarks.training_time [--out results]

Fits time = a * files^b by least squares on logarithms and records b with its 95 % interval.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from scipy import stats

from common import backend, provenance
from common.experiment.records import record_path
from common.files import write_atomically
from reproductions.jakubik2017 import model

FILES, REPETITIONS = (90, 180, 360, 720, 1440, 2880), 5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    backend.start(0)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((max(FILES), 100, 160)).astype("float32"), rng.random((max(FILES), 9)).astype("float32")
    net = model.semantic_embedding_gru()
    net.compile(model.adadelta(), model.similarity_loss)
    for n in FILES:
        net.fit(x[:n], y[:n], batch_size=100, verbose=0)  # compiles
    timed = []
    for _ in range(REPETITIONS):
        for n in rng.permutation(FILES):
            epochs = max(FILES) // int(n)  # as long for every number of files, so that starting `fit` weighs the same
            started = time.perf_counter()
            net.fit(x[:n], y[:n], batch_size=100, epochs=epochs, verbose=0)
            timed.append((int(n), round((time.perf_counter() - started) / epochs, 4)))
    files, seconds = np.array(timed).T
    fit = stats.linregress(np.log(files), np.log(seconds))
    half = stats.t.ppf(0.975, len(timed) - 2) * fit.stderr
    found = {"estimate": round(fit.slope, 4), "low": round(fit.slope - half, 4), "high": round(fit.slope + half, 4)}
    for n in FILES:
        print(f"{n:5d} files: median {np.median(seconds[files == n]):.3f} s an epoch")
    print(f"time ~ files^{found['estimate']:.3f}, 95 % interval {found['low']:.3f} to {found['high']:.3f}")
    if options.out:
        path = record_path(options.out, "jakubik2017", "benchmarks", "training_time")
        record = {**found, "seconds": timed, "provenance": provenance.now(provenance.commit())}
        write_atomically(path, (json.dumps(record) + "\n").encode())
        print(f"recorded in {path}")


if __name__ == "__main__":
    main()
