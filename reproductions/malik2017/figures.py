"""The paper's own figures: error by sequence length and by epoch, from records; labels, trajectories."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from common.metrics import squared_errors
from common.report import number
from common.report.plots import BLUE, GREY, INK, ORANGE, runs_along, save
from common.verdict.board import load_expected
from common.verdict.recorded import Records, coverage_of

DATASET, LENGTHS, METRIC = "mediaeval2015", (10, 20, 30, 60), "rmse_pooled"
SPLITS = ("evaluation", "evaluation_cuts")


def draw(records: Records) -> list[Path]:
    """Draw what is recorded.

    Parameters
    ----------
    records : Records
        Of this paper.

    Returns
    -------
    list of Path
        Empty unless all of LENGTHS are recorded, and `zero` on both sets of songs.
    """
    by_length = {n: record for n in LENGTHS if (record := records.get(DATASET, f"crnn_l{n}"))}
    drawn, zero = [], records.get(DATASET, "zero")
    if len(by_length) == len(LENGTHS) and zero and set(SPLITS) <= set(zero["facts"]["splits"]):
        folder = records.path(DATASET, "").parent / "figures"
        drawn = [folder / "error_by_length.png", folder / "error_by_epoch.png"]
        error_by_length(by_length, zero, drawn[0])
        error_by_epoch(by_length[20], zero, drawn[1])
        no_dropout = {n: record for n in LENGTHS if (record := records.get(DATASET, f"crnn_l{n}_no_gru_dropout"))}
        if (
            no_dropout.keys() == by_length.keys()
            and f"rmse_within_{LENGTHS[0]}" in zero["runs"][0]["metrics"][SPLITS[0]]
        ):
            drawn.append(folder / "error_within_sequences.png")
            error_within_sequences(by_length, no_dropout, zero, drawn[2])
    return drawn


def _about(record: dict, split: str) -> str:
    facts = coverage_of(record["facts"], split)
    frames = f", {facts['frames']}" if facts.get("frames") else ""
    return f"{facts['n_test']} of {facts['of_test']} songs{frames}"


def _errors(record: dict, split: str, target: str) -> np.ndarray:
    return np.array([run["metrics"][split][METRIC][target] for run in record["runs"]])


def _finish(figure, axes, bottom: float, path: Path) -> None:
    for axis in axes:
        axis.grid(axis="y")
    axes[0].set_ylabel("RMSE")
    axes[0].set_ylim(bottom=bottom)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    save(figure, path)


def error_by_length(records: dict[int, dict], zero: dict, path: Path) -> None:
    """A panel a target: published error by sequence length, and that of every run on both sets of songs.

    Parameters
    ----------
    records : dict of int to dict
        The record of each length of LENGTHS, in frames.
    zero : dict
        The record of the baseline.
    path : Path
        The picture.
    """
    cells = load_expected(Path(__file__).with_name("expected.json"))["cells"]
    published = {cell["id"]: cell["value"] for cell in cells}
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.4), sharey=True)
    places = np.arange(len(LENGTHS))
    for axis, target in zip(axes, ("valence", "arousal"), strict=True):
        values = [published[f"1a/crnn/l{n}/evaluation/{target}/{METRIC}"] for n in LENGTHS]
        axis.plot(places, values, "D--", mfc="white", color=INK, lw=1, ms=6, label="published")
        for split, colour, aside in zip(SPLITS, (ORANGE, BLUE), (-0.06, 0.06), strict=True):
            about = _about(zero, split)
            runs = {place: _errors(records[n], split, target) for place, n in zip(places, LENGTHS, strict=True)}
            runs_along(axis, runs, colour, f"measured ({about})", aside=aside)
            level = _errors(zero, split, target).mean()
            axis.axhline(level, color=colour, lw=1, ls=":", label=f"zero ({about})")
        axis.set_xticks(places, LENGTHS)
        axis.set_title(target)
        axis.set_xlabel("frames in a sequence")
    _finish(figure, axes, 0.15, path)


def error_within_sequences(of_length: dict, no_dropout: dict, zero: dict, path: Path) -> None:
    """By sequence length the published error, and ours if the root is taken within sequences or over all frames.

    Parameters
    ----------
    of_length, no_dropout : dict of int to dict
        The record of each length of LENGTHS, in frames: of the CRNN, and of the CRNN without dropout in the GRU.
    zero : dict
        The record of the baseline.
    path : Path
        The picture.
    """
    cells = load_expected(Path(__file__).with_name("expected.json"))["cells"]
    published = {cell["id"]: cell["value"] for cell in cells}
    within = [f"rmse_within_{n}" for n in LENGTHS]
    places = np.arange(len(LENGTHS))
    lines = {  # label: colour, form, records by length, metrics by length
        "all frames": (GREY, "o-", of_length, [METRIC] * len(LENGTHS)),
        "within sequences": (BLUE, "o-", of_length, within),
        "within sequences, no dropout in the GRU": (ORANGE, "o-", no_dropout, within),
        "one network (length 60), its predictions in sequences": (
            BLUE,
            "s:",
            dict.fromkeys(LENGTHS, of_length[60]),
            within,
        ),
        "zero, within sequences": (INK, ":", dict.fromkeys(LENGTHS, zero), within),
    }
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.6))
    for axis, split in zip(axes, ("development", "evaluation"), strict=True):
        values = [published[f"1a/crnn/l{n}/{split}/average/{METRIC}"] for n in LENGTHS]
        axis.plot(places, values, "D--", mfc="white", color=INK, lw=1, ms=6, label="published")
        for label, (colour, form, records, metrics) in lines.items():
            runs = [
                [run["metrics"][split][metric]["average"] for run in records[n]["runs"]]
                for n, metric in zip(LENGTHS, metrics, strict=True)
            ]
            axis.plot(places, [np.mean(of_runs) for of_runs in runs], form, color=colour, ms=4, lw=1.2, label=label)
        axis.set_xticks(places, LENGTHS)
        axis.set_title(f"{split} ({_about(zero, split)})", fontsize=9)
        axis.set_xlabel("frames in a sequence")
    _finish(figure, axes, 0, path)


def error_by_epoch(record: dict, zero: dict, path: Path) -> None:
    """A panel a target: error on the songs trained on and on those of evaluation, at the checks of every run.

    Parameters
    ----------
    record : dict
        Of a network; its runs have a `history`.
    zero : dict
        The record of the baseline.
    path : Path
        The picture.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.2), sharey=True)
    histories = [run["history"][0] for run in record["runs"]]
    checks = min(len(history["epoch"]) for history in histories)  # a run may reach the published error earlier
    epochs = histories[0]["epoch"][:checks]
    for i, (axis, target) in enumerate(zip(axes, ("valence", "arousal"), strict=True)):
        for split, colour in zip(("development", *SPLITS), (GREY, ORANGE, BLUE), strict=True):
            about = _about(record, split) if split in SPLITS else "development, trained on"
            of_split = np.array([history[f"rmse, {split}"][:checks] for history in histories], "float64")[..., i]
            axis.plot(epochs, of_split.T, color=colour, lw=0.6, alpha=0.4)
            axis.plot(epochs, of_split.mean(0), color=colour, lw=2, label=about)
            if split != "development":
                level = _errors(zero, split, target).mean()
                axis.axhline(level, color=colour, lw=1, ls=":", label=f"zero, {about}")
        axis.set_title(f"{target}: {record['title']}, {len(record['runs'])} runs")
        axis.set_xlabel("epoch")
    _finish(figure, axes, 0, path)


def label_exchange(means: dict[str, list[np.ndarray]], path: Path) -> None:
    """Song means of the task's labels and of DEAM's, by group of songs: each dimension by each.

    Parameters
    ----------
    means : dict of str to list
        By group of songs: those of the task and those of DEAM, float (n_songs, 2) each, in [-1, 1].
    path : Path
        The picture.
    """
    names = ("valence", "arousal")
    figure, axes = plt.subplots(2, 2, figsize=(5.7, 6.6), sharex=True, sharey=True)
    for (where, (task, deam)), colour in zip(means.items(), (BLUE, ORANGE), strict=True):
        for (row, column), axis in np.ndenumerate(axes):
            r = number(np.corrcoef(task[:, row], deam[:, column])[0, 1], 2)
            looks = {"color": colour, "ms": 5, "alpha": 0.55, "mec": "none", "label": f"songs {where}: r = {r}"}
            axis.plot(deam[:, column], task[:, row], ".", **looks)
    for (row, column), axis in np.ndenumerate(axes):
        axis.plot([-1, 1], [-1, 1], color=INK, lw=0.7, zorder=0)
        axis.set(xlim=(-0.85, 0.85), ylim=(-1.12, 0.85), aspect="equal")
        axis.legend(loc="lower right", frameon=False, handletextpad=0.1, fontsize=8, borderaxespad=0, markerscale=1.6)
        axis.set_title("own dimension" if row == column else "other dimension")
    for k, name in enumerate(names):
        axes[1, k].set_xlabel(f"{name}, DEAM")
        axes[k, 0].set_ylabel(f"{name}, the task's labels")
    figure.supxlabel("means of songs over their 60 labels, each in [-1, 1]; on the line both are equal", fontsize=8)
    save(figure, path)


def trajectories(record: dict, predicted: list[dict[str, tuple[np.ndarray, ...]]], path: Path) -> None:
    """Annotated and predicted over time, of the middle song of each quarter of the evaluation songs by their error.

    Parameters
    ----------
    record : dict
        Of the network whose predictions are lines; its songs are in the order of `predicted[0]`.
    predicted : list of dict
        By song: times (n,) in seconds, labels (n, 2) and predictions (n, 2); of the record first, then of the networks
        that give the range with it.
    path : Path
        The picture.
    """
    _, errors = squared_errors(record["runs"][0]["songs"]["evaluation"])
    order = np.argsort(errors.mean(1))
    chosen = [list(predicted[0])[order[round((2 * k + 1) / 8 * (len(order) - 1))]] for k in range(4)]
    figure, axes = plt.subplots(4, 2, figsize=(8.2, 8), sharey=True, sharex="row")
    for quarter, (song, line) in enumerate(zip(chosen, axes, strict=True), 1):
        times, y, p = predicted[0][song]
        predictions = np.array([of[song][2] for of in predicted])
        for k, axis in enumerate(line):
            axis.fill_between(
                times, predictions[..., k].min(0), predictions[..., k].max(0), color=BLUE, alpha=0.18, lw=0
            )
            axis.plot(times, p[:, k], color=BLUE, lw=1.2)
            axis.plot(times, y[:, k], color=INK, lw=1.6)
            axis.axhline(0, color=GREY, lw=0.6, zorder=0)
            error = np.sqrt(np.mean((y[:, k] - p[:, k]) ** 2))
            axis.set_title(f"{('Valence', 'Arousal')[k]}, song {song}: RMSE {number(error, 2)}")
            axis.margins(x=0)
        line[0].set_ylabel(f"quarter {quarter}")
    axes[0, 0].set_ylim(-1, 1)
    for axis in axes[-1]:
        axis.set_xlabel("seconds from the start of the song")
    entries = [
        plt.Line2D([], [], color=INK, lw=1.6, label="annotated"),
        plt.Line2D([], [], color=BLUE, lw=1.2, label=f"predicted ({record['title']}, seed 0)"),
        plt.Rectangle((0, 0), 1, 1, fc=BLUE, alpha=0.18, label="range over lengths 10 to 60"),
    ]
    title = f"The middle song of each quarter of the {len(order)} whole evaluation songs by squared error over both"
    figure.suptitle(f"{title} dimensions (quarter 1: lowest)", fontsize=9)
    figure.legend(handles=entries, loc="outside lower center", ncols=3, frameon=False)
    save(figure, path)
