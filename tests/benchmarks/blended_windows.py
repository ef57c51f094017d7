"""Errors of predictions over time: windows side by side, as in training, against overlapping windows that are blended.

    python -m tests.benchmarks.blended_windows --data-root DATA [--out results]
    python -m tests.benchmarks.blended_windows --data-root DATA --picture results/malik2017/weights/example.png

No network was trained on the songs that it predicts here. The evaluation songs of MediaEval 2015 that have official
features, whole songs of minutes, are predicted by the weights of both papers. Of each development song 30 s are
predicted by the one of malik2017's networks in whose training this song was held out; these ten networks are trained
here, as the weights were (eight core minutes). For chaki2020 30 s are one window, so nothing would be blended. With
--picture instead, the picture of the front page: both on one excerpt of DEAM.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import t as students_t

from common import cli, weights
from common.cli.training import parser as training_parser
from common.experiment.runner import call_of, train_model
from common.parallel import progress
from common.places import RESULTS
from common.predict import ContinuousPredictor, load
from common.prediction import STEP_S
from common.protocol import Sequences
from common.report import text_table
from data_prep import open_dataset
from data_prep.base import required_data_root
from data_prep.dynamic import labelled_windows
from reproductions.malik2017.predict import PAPER, Model
from reproductions.malik2017.train import TRAINING
from tests import benchmarks

TARGETS = ("valence", "arousal")


def side_by_side(model: ContinuousPredictor, features: np.ndarray) -> np.ndarray:
    """Features (n, 260) -> valence and arousal (n, 2), as models are tested in training."""
    length, song = min(model.length, len(features)), Sequences.of([features[:, model.columns].astype("float32")])
    windows, starts = song.split_into(length)
    networks = model.networks(length)
    return model.members([song.overlap_merge(network(windows), starts) for network in networks]).mean(0)


def errors(model: ContinuousPredictor, songs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """RMSE of each song, (n_songs, 2, 2): side by side and blended, valence and arousal; songs: features, labels."""
    both = [(side_by_side(model, x) - y, model.of_features(x) - y) for x, y in songs]
    return np.array([[np.sqrt(np.square(one).mean(0)) for one in pair] for pair in both])


def of_folds(data_root: str | None) -> np.ndarray:
    """`errors` of all development songs, each by the network of malik2017 in whose training it was held out."""
    _, facts = weights.load(RESULTS / PAPER / "weights", PAPER)
    arguments = ["--data-root", str(required_data_root(data_root)), "--allow-missing"]
    options = training_parser(TRAINING).parse_args(arguments)
    experiment = TRAINING.build(options)
    variant = next(one for one in TRAINING.variants(options) if one.name == facts["variant"])
    samples, splits = experiment.samples(variant), experiment.splits(variant, 0)
    calls = [(train_model, *call_of(*experiment.networks(variant, split))) for split in splits]
    bar = {"total": len(calls), "n_jobs": options.jobs, "label": "training", "unit": "network"}
    of_songs = []
    for split, content in zip(splits, progress(calls, **bar), strict=True):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network.keras"
            path.write_bytes(content)
            model = Model([path], facts)
        model.columns = slice(None)  # the samples have no others
        songs = np.concatenate(list(split.tests.values()))
        of_songs.append(errors(model, [(samples.x[song], samples.y[song]) for song in songs]))
    return np.concatenate(of_songs)


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


def draw(paper: str, recording: Path, picture: Path) -> None:
    """A prediction, and below it the same from windows side by side."""
    from common.report import plots

    model = load(f"reproductions.{paper}.predict")
    _, features, *_ = model.read(recording)
    one = model.predict(recording)
    borders = one.times[model.length - 1 : -1 : model.length] + STEP_S / 2
    title = f"{paper}, excerpt {recording.stem} of DEAM"
    plots.windows(one, side_by_side(model, features), borders, list(TARGETS), picture, title)


def main() -> None:
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--data-root", metavar="DIR")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw both on excerpt SONG, and measure nothing")
    parser.add_argument("--song", default="2", help="of DEAM's complete excerpts (default: %(default)s)")
    options = parser.parse_args()
    if options.picture:
        root = required_data_root(options.data_root) / "DEAM"
        return draw("malik2017", root / "MEMD_audio" / f"{options.song}.mp3", options.picture)
    songs = labelled_windows(open_dataset("deam", options.data_root), "evaluation", None)  # None: official features
    record = {}
    for paper in ("malik2017", "chaki2020"):
        model = load(f"reproductions.{paper}.predict")
        record[f"{paper}, songs of minutes"] = compared(errors(model, [(x, y) for _, x, y in songs.values()]))
    record["malik2017, 30 s, ten folds"] = compared(of_folds(options.data_root))
    lines = [[paper, target, *map(str, cells.values())] for paper, of in record.items() for target, cells in of.items()]
    print(text_table(["model", "target", *next(iter(record.values()))["valence"]], lines))
    if options.out:
        benchmarks.record(options.out, "blended_windows", "RMSE of a song, mean over songs", record)


if __name__ == "__main__":
    sys.exit(cli.run(main))
