"""The splits and the predictions behind the recorded tables, as CSV: to compare a new model on the same songs.

For each record OUT/<paper>/<dataset>/<variant>/ holds splits.csv: for each run (by its seed) the fold that tests a
song, or the part that the song is in (train, validation, test, or the name of an official split); predictions.csv, one
line per run, split and test song; and history.csv, if networks were trained, their histories by epoch. predictions.csv
holds, for emotions, predictions and annotations as deviations from the mean song; for classes, the annotated and the
predicted class; for valence and arousal over time, the moments from which each song's errors follow. Built from the
records: no data needed. `python -m reproductions leaderboard` scores predictions made on these folds.
"""

import re
from pathlib import Path

import numpy as np

from common.errors import InputError
from common.experiment.records import data_sets, histories, read_record
from common.files import text_bytes, write_atomically
from common.outputs import require_output
from common.report import csv_text
from common.verdict.recorded import tested_songs

PARTS = {"l": "train", "v": "validation", "t": "test", "-": "none"}
MOMENTS = ("mean", "predicted_mean", "variance", "predicted_variance", "covariance")


def export(results: Path, out: Path) -> list[Path]:
    """Write CSV files.

    Parameters
    ----------
    results : folder of the records
    out : folder for the CSV files

    Returns
    -------
    paths of the files that were written

    Raises
    ------
    InputError : if there is no record, or `out` cannot be written
    """
    written = []
    papers = sorted(path.name for path in results.glob("*/"))
    folders = [results / paper / dataset for paper in papers for dataset in data_sets(results, paper)]
    for path in (path for folder in folders for path in sorted(folder.glob("*.json"))):
        record, folder = read_record(path), out / path.relative_to(results).with_suffix("")
        for name, table in (("splits", splits), ("predictions", predictions), ("history", history)):
            lines = table(record)
            if len(lines) > 1:
                require_output(folder / f"{name}.csv", re.escape(f"{lines[0][0]},".encode()))
                write_atomically(folder / f"{name}.csv", text_bytes(csv_text(lines)))
                written.append(folder / f"{name}.csv")
    if not written:
        raise InputError(f"{results}: holds no records; --results names the folder of records")
    return written


def splits(record: dict) -> list[list]:
    """Which songs a record's runs are trained and tested on. Official splits are the same in all runs.

    Parameters
    ----------
    record : dict

    Returns
    -------
    list of list
        A header, and one line per run and song: its fold or part.
    """
    facts, lines = record["facts"], []
    for run in record["runs"]:
        tested = {split: tested_songs(facts, run, split) for split in run["metrics"]}
        tracks = facts.get("tracks") or next(iter(tested.values()))
        if len(run.get("part", "")) == len(tracks):
            parts = [(song, PARTS[letter]) for song, letter in zip(tracks, run["part"], strict=True)]
        elif "fold" in run and len(run["fold"]) == len(tracks):
            parts = [(song, f"fold {k}") for song, k in zip(tracks, run["fold"], strict=True)]
        elif "tested" in run:
            parts = [(song, "test") for song in tracks]
        else:
            parts = [(song, "train") for song in facts.get("learnt", [])]
            parts += [(song, split) for split, songs in tested.items() for song in songs]
        lines += [[run["seed"], *pair] for pair in parts]
    return [["seed", "song", "part"], *lines]


def predictions(record: dict) -> list[list]:
    """What a record's runs predicted.

    Parameters
    ----------
    record : dict

    Returns
    -------
    list of list
        A header, and one line per run, split and test song; only the header if the record has no predictions.
    """
    facts, lines = record["facts"], []
    targets = facts["targets"]
    for run in record["runs"]:
        fold = run.get("fold")
        if "predictions" in run and "reference_z" in facts:
            header = ["fold", *(f"{part}{t}" for t in targets for part in ("annotated_z_", "predicted_"))]
            pairs = np.stack([facts["reference_z"], run["predictions"]], axis=2).reshape(len(fold), -1)
            lines += [
                [run["seed"], next(iter(run["metrics"])), track, k, *row]
                for track, k, row in zip(facts["tracks"], fold, pairs.tolist(), strict=True)
            ]
        elif "predicted" in run:
            header = ["fold", "class", "predicted"]
            for split, predicted in run["predicted"].items():
                songs = zip(facts["tracks"], fold, facts["reference"], predicted, strict=True)
                lines += [[run["seed"], split, track, k, targets[y], targets[p]] for track, k, y, p in songs if p >= 0]
        elif "songs" in run:
            header = ["fold", "frames", *(f"{t}_{moment}" for t in targets for moment in MOMENTS)]
            for split, songs in run["songs"].items():
                tracks = tested_songs(facts, run, split)
                folds = fold if fold and len(fold) == len(tracks) else [""] * len(tracks)
                moments_of_songs = zip(tracks, folds, songs["frames"], songs["moments"], strict=True)
                lines += [
                    [run["seed"], split, song, k, n, *np.ravel(moments)] for song, k, n, moments in moments_of_songs
                ]
    return [["seed", "split", "song", *header], *lines] if lines else [["seed", "split", "song"]]


def history(record: dict) -> list[list]:
    """The training histories of a record.

    Parameters
    ----------
    record : dict

    Returns
    -------
    list of list
        A header, and one line per run, network, recorded value and epoch (or check).
    """
    lines = [["seed", "network", "value", "epoch", "number"]]
    for run in record["runs"]:
        for network, curves in enumerate(histories(run)):
            for name, curve in curves.items():
                lines += [[run["seed"], network, name, epoch, f"{value:.5g}"] for epoch, value in curve.items()]
    return lines
