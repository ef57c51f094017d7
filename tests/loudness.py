"""A predictor for tests, made in no time: how loud a recording is. Also `python -m tests.loudness FOLDER AUDIO ...`."""

import sys
from pathlib import Path

import numpy as np

from common import audio, predict, weights

PAPER = "loudness"
FACTS = {
    "paper": PAPER, "dataset": "noise", "title": "Loudness", "columns": ["quiet", "loud"], "n_train": 1,
    "quality": {"metric": "accuracy", "split": "test", "n_test": 1, "model": {"all": 1.0}, "baselines": {}},
}  # fmt: skip


class Model(predict.Predictor):
    scale = "From 0 to 1 – loudness ≥ 0."

    def __init__(self, networks, facts):
        """Nothing is loaded."""

    @staticmethod
    def read(path):
        samples, rate = audio.load(path)
        return float(np.abs(samples).mean()), len(samples) / rate

    def values(self, loud, seconds):
        return predict.Prediction(np.array([1 - loud, loud]), seconds, seconds)


def main(folder, *arguments) -> int:
    """`predict.main`, with weights in a folder of a test's own."""
    weights.save(Path(folder) / "loudness weights", [], FACTS, "nobody")
    own = ["--weights", str(Path(folder) / "loudness weights"), "--jobs", "1"]
    return predict.main("tests.loudness", "", PAPER, [*map(str, arguments), *own])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
