"""The paper's figures over all splits, what 46 test songs can tell, and the two curves of its outlook."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import binom

from common.report import plots
from common.verdict.recorded import Records
from reproductions.velankar2022.variants import LAST, NETWORKS, SIZES, TEST

COLOURS = {"crnn": plots.BLUE, "parallel": plots.ORANGE, "descriptors_svm": plots.INK}
LABELS = NETWORKS | {"descriptors_svm": "SVM on hand-made features"}


def draw(records: Records) -> list[Path]:
    """All figures that the records allow; returns their paths."""
    drawn = []
    for dataset in records.datasets():
        folder = records.path(dataset, "").parent / "figures"
        found = {name: record for name in LABELS if (record := records.get(dataset, name))}
        networks = {name: record for name, record in found.items() if name in NETWORKS}
        if not networks:
            continue
        curves(networks, folder / "curves.png")
        splits(found, folder / "splits.png")
        drawn += [folder / "curves.png", folder / "splits.png"]
        lengths = {seconds: "" if seconds == 30 else f"_{seconds}_s" for seconds in (5, 10, 20, 30)}
        sizes = {size: f"_quadrants_{size}" for size in SIZES} | {"all": "_quadrants"}
        for name, suffixes, label in (
            ("seconds", lengths, "seconds of each excerpt that are heard"),
            ("sizes", sizes, "excerpts to learn from, four quadrants"),
        ):
            points = {
                kind: {x: record for x, suffix in suffixes.items() if (record := records.get(dataset, kind + suffix))}
                for kind in LABELS
            }
            if len(points["crnn"]) > 1:
                along(points, label, folder / f"{name}.png")
                drawn.append(folder / f"{name}.png")
    return drawn


def accuracies(record: dict, split: str = TEST) -> np.ndarray:
    return np.array([run["metrics"][split]["accuracy"]["all"] for run in record["runs"]])


def curves(networks: dict[str, dict], path: Path) -> None:
    """Accuracy and loss of each network by epoch, training and validation: each split, and the mean."""
    figure, axes = plt.subplots(2, len(networks), figsize=(4.2 * len(networks), 4.6), sharex=True, squeeze=False)
    for column, (name, record) in enumerate(networks.items()):
        for axis, kind in zip(axes[:, column], ("accuracy", "loss"), strict=True):
            for key, label, colour in (("", "training", plots.BLUE), ("val_", "validation", plots.ORANGE)):
                runs = np.array([run["history"][0][key + kind] for run in record["runs"]], "float64")
                epochs = np.arange(1, runs.shape[1] + 1)
                axis.plot(epochs, runs.T, color=colour, lw=0.4, alpha=0.3)
                axis.plot(epochs, runs.mean(0), color=colour, lw=1.8, label=label)
            axis.set_ylabel(kind)
            axis.grid(color="#e6e6e6", lw=0.7)
        axes[0, column].set_title(LABELS[name])
        axes[0, column].set_ylim(0, 1)
        axes[1, column].set_ylim(bottom=0)
        axes[1, column].set_xlabel("epoch")
    axes[0, 0].legend(frameon=False, loc="upper left")
    plots.save(figure, path)


def splits(found: dict[str, dict], path: Path) -> None:
    """The test accuracy of every split (dots), their mean (line); on the paper's songs also the paper's (diamond).

    The band: where 95 % of tests on so many songs lie by chance alone, at that mean accuracy.
    """
    figure, axis = plt.subplots(figsize=(6.4, 0.8 + 0.75 * len(found)))
    for y, (name, record) in enumerate(found.items()):
        values, n = accuracies(record), record["facts"]["n_test"]
        low, high = binom.ppf([0.025, 0.975], n, values.mean()) / n
        axis.plot([low, high], [y, y], color=COLOURS[name], lw=9, alpha=0.18, solid_capstyle="butt")
        alike = np.array([np.sum(values[:i] == value) for i, value in enumerate(values)])  # one above the other
        axis.plot(values, y + 0.22 - 0.1 * alike, "o", color=COLOURS[name], ms=4, mec="none", alpha=0.8)
        axis.plot(values.mean(), y, "|", color=COLOURS[name], ms=20, mew=2)
    for name, published in (("crnn", 25 / 46), ("parallel", 23 / 46)):
        if name in found and not found[name]["facts"]["stand_in"]:
            axis.plot(published, list(found).index(name), "D", mfc="white", mec=plots.INK, ms=6)
    axis.set_yticks(range(len(found)), [f"{LABELS[name]}, {len(r['runs'])} splits" for name, r in found.items()])
    axis.set_ylim(len(found) - 0.5, -0.5)
    axis.set_xlabel("test accuracy")
    axis.grid(axis="x", color="#e6e6e6", lw=0.7)
    plots.save(figure, path)


def along(points: dict[str, dict], label: str, path: Path) -> None:
    """Accuracy of each system along seconds or numbers of excerpts: every split, the mean, and that of last epochs."""
    figure, axis = plt.subplots(figsize=(5.6, 3.4))
    for name, records in points.items():
        if not records:
            continue
        x = np.array([record["facts"]["n_train"] if key == "all" else key for key, record in records.items()])
        values = [accuracies(record) for record in records.values()]
        beside = 0.01 * np.ptp(x) * (list(points).index(name) - 1)
        for at, some in zip(x, values, strict=True):
            axis.plot(np.full(len(some), at + beside), some, "o", color=COLOURS[name], ms=3, alpha=0.35, mec="none")
        axis.plot(x, [some.mean() for some in values], "o-", color=COLOURS[name], lw=1.8, ms=5, label=LABELS[name])
        if name in NETWORKS:
            last = [accuracies(record, LAST).mean() for record in records.values()]
            axis.plot(x, last, "--", color=COLOURS[name], lw=1.2, label="... its last epoch")
    chance = 1 / len(next(iter(points["crnn"].values()))["facts"]["targets"])
    axis.axhline(chance, color=plots.GREY, ls=":", lw=1.2, label="chance")
    axis.set_xlabel(label)
    axis.set_ylabel("test accuracy")
    axis.set_ylim(0, 1)
    axis.legend(frameon=False, ncols=2, loc="upper center", fontsize=8)
    axis.grid(color="#e6e6e6", lw=0.7)
    plots.save(figure, path)
