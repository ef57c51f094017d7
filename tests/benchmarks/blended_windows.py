"""Errors of predictions over time: windows side by side, as in training, against overlapping windows that are blended.

    python -m tests.benchmarks.blended_windows --data-root DATA [--jobs 2] [--out results]

On songs that no network was trained on: of MediaEval 2015's development set with networks of the folds of seed 0 (they
are trained anew, several minutes of a core), and the evaluation songs with the weights that `predict` uses.
"""

import importlib
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import t as students_t

from common import cli, weights
from common.experiment.runner import call_of, train_model
from common.parallel import progress
from common.places import RESULTS
from common.predict.continuous import ContinuousPredictor
from common.protocol import Sequences
from common.report import text_table
from data_prep.dynamic import labelled_windows
from reproductions.calibrate import trained
from reproductions.malik2017.songs import load
from tests import benchmarks

TARGETS = ("valence", "arousal")


def side_by_side(model: ContinuousPredictor, features: np.ndarray) -> np.ndarray:
    """Features (n, 260) -> valence and arousal (n, 2), as models are tested in training."""
    length, song = min(model.length, len(features)), Sequences.of([features[:, model.columns].astype("float32")])
    windows, starts = song.split_into(length)
    networks = model.models if length == model.length else model._of_length(length)
    return model.members([song.overlap_merge(np.asarray(net(windows)), starts) for net in networks]).mean(0)


def errors(model: ContinuousPredictor, songs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """RMSE of each song, (n_songs, 2, 2): side by side and blended, valence and arousal; songs: features, labels."""
    both = [(side_by_side(model, x) - y, model.of_features(x) - y) for x, y in songs]
    return np.array([[np.sqrt(np.square(one).mean(0)) for one in pair] for pair in both])


def compared(of_songs: np.ndarray) -> dict:
    """By target: mean RMSE of both over n songs, and the mean difference with its 95 % interval (Student's t)."""
    columns, n = {}, len(of_songs)
    for i, target in enumerate(TARGETS):
        apart, blended = of_songs[..., i].T
        difference = blended - apart
        half = students_t.ppf(0.975, n - 1) * difference.std(ddof=1) / np.sqrt(n)
        values = {"side_by_side": apart.mean(), "blended": blended.mean(), "difference": difference.mean()}
        values |= {"low": difference.mean() - half, "high": difference.mean() + half}
        columns[target] = {"songs": n} | {name: round(float(value), 5) for name, value in values.items()}
    return columns


def of_folds(data_root: str | None, jobs: int) -> np.ndarray:
    """Errors of malik2017's development songs, each by the network of the fold that holds it out."""
    from reproductions.malik2017.predict import Model

    _, facts = weights.load(RESULTS / "malik2017" / "weights", "malik2017")
    experiment, variant = trained("malik2017", facts, data_root)
    splits, samples = experiment.splits(variant, 0), experiment.samples(variant)
    full = load(experiment.data, "official", "repaired", "ends_at_label", 1, evaluation=False).samples
    assert full.ids == samples.ids
    tasks = [(train_model, *call_of(network)) for split in splits for network in experiment.networks(variant, split)]
    trained_networks = progress(tasks, total=len(tasks), n_jobs=jobs, isolated=True, label="folds", unit="network")
    of_songs = np.empty((len(samples), 2, 2))
    for split, network in zip(splits, trained_networks, strict=True):
        with tempfile.TemporaryDirectory() as folder:
            weights.save(Path(folder), [network], facts, "")
            model = Model(*weights.load(Path(folder), "malik2017"))
            test = split.tests["cross-validation"]
            of_songs[test] = errors(model, [(full.x[song], full.y[song]) for song in test])
    return of_songs


def of_evaluation(paper: str, data_root: str | None) -> np.ndarray:
    """Errors of the evaluation songs with official features, by the weights that `predict` uses."""
    networks, facts = weights.load(RESULTS / paper / "weights", paper)
    model = importlib.import_module(f"reproductions.{paper}.predict").Model(networks, facts)
    _, of_malik = weights.load(RESULTS / "malik2017" / "weights", "malik2017")
    data = trained("malik2017", of_malik, data_root)[0].data
    songs = labelled_windows(data, "evaluation", None)  # None: features come with the data
    return errors(model, [(x, y) for _, x, y in songs.values()])


def main() -> None:
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--data-root", metavar="DIR")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    rows = {
        f"{paper}, evaluation songs": of_evaluation(paper, options.data_root) for paper in ("malik2017", "chaki2020")
    }
    rows = {"malik2017, cross-validation": of_folds(options.data_root, options.jobs)} | rows
    record = {title: compared(of_songs) for title, of_songs in rows.items()}
    lines = [[title, target, *map(str, cells.values())] for title, of in record.items() for target, cells in of.items()]
    print(text_table(["songs of", "target", *next(iter(record.values()))[TARGETS[0]]], lines))
    if options.out:
        benchmarks.record(options.out, "blended_windows", "RMSE of a song, mean over songs", record)


if __name__ == "__main__":
    sys.exit(cli.run(main))
