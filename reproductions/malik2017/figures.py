"""The paper's own figures, from its records: error by sequence length, error by epoch."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from common.plots import BLUE, GREY, INK, ORANGE, save
from common.published import Records, load_expected

DATASET, LENGTHS, METRIC = "mediaeval2015", (10, 20, 30, 60), "rmse_pooled"
SPLITS = {"evaluation": "17 songs, all labels", "evaluation_cuts": "58 songs, ten seconds"}


def draw(records: Records) -> list[Path]:
    """Draw what is recorded; returns the paths."""
    found = {n: record for n in LENGTHS if (record := records.get(DATASET, f"crnn_l{n}"))}
    drawn, zero = [], records.get(DATASET, "zero")
    if len(found) == len(LENGTHS) and zero and set(SPLITS) <= set(zero["facts"]["splits"]):
        folder = records.path(DATASET, "").parent / "figures"
        drawn = [folder / "error_by_length.png", folder / "error_by_epoch.png"]
        error_by_length(found, zero, drawn[0])
        error_by_epoch(found[20], zero, drawn[1])
    return drawn


def _errors(record: dict, split: str, target: str) -> np.ndarray:
    return np.array([run["metrics"][split][METRIC][target] for run in record["runs"]])


def error_by_length(found: dict[int, dict], zero: dict, path: Path) -> None:
    """A panel a target: published error by sequence length, and that of every run on both sets of songs."""
    cells = load_expected(Path(__file__).with_name("expected.json"))["cells"]
    published = {cell["id"]: cell["value"] for cell in cells}
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.4), sharey=True)
    places = np.arange(len(LENGTHS))
    for axis, target in zip(axes, ("valence", "arousal"), strict=True):
        values = [published[f"1a/crnn/l{n}/evaluation/{target}/{METRIC}"] for n in LENGTHS]
        axis.plot(places, values, "D--", mfc="white", color=INK, lw=1, ms=6, label="published (58 songs, all labels)")
        for (split, about), colour, aside in zip(SPLITS.items(), (ORANGE, BLUE), (-0.06, 0.06), strict=True):
            runs = np.array([_errors(found[n], split, target) for n in LENGTHS])
            axis.plot(places + aside, runs, ".", color=colour, ms=5, alpha=0.45, mec="none")
            axis.plot(places + aside, runs.mean(1), "o-", color=colour, ms=5, label=f"measured ({about})")
            level = _errors(zero, split, target).mean()
            axis.axhline(level, color=colour, lw=1, ls=":", label=f"zero ({about})")
        axis.set_xticks(places, LENGTHS)
        axis.set_title(target)
        axis.set_xlabel("frames in a sequence")
        axis.grid(axis="y", color="#e6e6e6", lw=0.7)
    axes[0].set_ylabel("RMSE, pooled")
    axes[0].set_ylim(bottom=0.15)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    save(figure, path)


def error_by_epoch(record: dict, zero: dict, path: Path) -> None:
    """A panel a target: error on the songs trained on and on those of evaluation, every ten epochs of every run."""
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.2), sharey=True)
    splits, names = {"development": "development, trained on"} | SPLITS, list(record["facts"]["splits"])
    for i, (axis, target) in enumerate(zip(axes, ("valence", "arousal"), strict=True)):
        for (split, about), colour in zip(splits.items(), (GREY, ORANGE, BLUE), strict=True):
            courses = np.array([run["course"][0] for run in record["runs"]])[:, :, names.index(split), i]
            epochs = 10 * np.arange(1, courses.shape[1] + 1)
            axis.plot(epochs, courses.T, color=colour, lw=0.6, alpha=0.4)
            axis.plot(epochs, courses.mean(0), color=colour, lw=2, label=about)
            if split != "development":
                level = _errors(zero, split, target).mean()
                axis.axhline(level, color=colour, lw=1, ls=":", label=f"zero, {about}")
        axis.set_title(f"{target}: {record['title']}, {len(record['runs'])} runs")
        axis.set_xlabel("epoch")
        axis.grid(axis="y", color="#e6e6e6", lw=0.7)
    axes[0].set_ylabel("RMSE, pooled")
    axes[0].set_ylim(bottom=0)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    save(figure, path)
