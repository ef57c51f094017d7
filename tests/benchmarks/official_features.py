"""How far predictions from a recording lie from those on DEAM's official features of it, over its whole excerpts.

python -m tests.benchmarks.official_features --data-root DATA

The same windows of both first, which leaves the features alone to differ; then what `predict` says, which hears the
recording from its beginning, where the official features begin at 15 s.
"""

import argparse
import importlib

import numpy as np

from common import predict, weights
from common.features import opensmile
from common.report import text_table
from data_prep import open_dataset
from data_prep.dataset import at_labels

TARGETS = ("valence", "arousal")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", metavar="DIR")
    data = open_dataset("deam", parser.parse_args().data_root)
    official, lines = data.features(), []
    whole = {song: found[song] for song in official if (found := data.recordings([song])).get(song)}
    whole = {song: recording for song, recording in whole.items() if recording.start_s == 0}
    for paper in ("malik2017", "chaki2020"):
        model = importlib.import_module(f"reproductions.{paper}.predict").Model
        model = model(*weights.load(predict.RESULTS / paper / "weights", paper))
        same, whole_file = [], []
        for song, recording in whole.items():
            ends, rows, _ = opensmile.of_recording(recording.path)
            there, given = at_labels(ends - opensmile.WINDOW_S, *official[song], "starts_at_label")
            told = model.of_features(given)
            same.append(model.of_features(rows[there]) - told)
            whole_file.append(model.of_features(rows)[there] - told)
        for title, found in (("the same windows", same), ("the whole recording", whole_file)):
            for i, target in enumerate(TARGETS):
                apart = np.concatenate(found)[:, i]
                means = [part[:, i].mean() for part in found]
                cells = [f"{np.max(np.abs(v)):.3f}" for v in (apart, means)]
                lines.append([paper, title, target, *cells, f"{np.median(np.abs(apart)):.3f}"])
    header = ["paper", "heard", "target", "largest difference", "of a song's mean", "median difference"]
    print(f"{len(whole)} excerpts\n" + text_table(header, lines))


if __name__ == "__main__":
    main()
