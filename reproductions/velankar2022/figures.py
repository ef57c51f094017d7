"""Accuracy by number of training excerpts and by seconds of each, the two directions of the paper's outlook."""

from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt

from common.report import plots
from common.verdict.recorded import Records
from reproductions.velankar2022.train import LAST, SECONDS, SIZES, SYSTEMS, TEST

COLOURS = {"crnn": plots.BLUE, "parallel": plots.ORANGE, "descriptors_svm": plots.INK}
FIGURES = {  # by name the title of the x axis, the ends of the variants' names, and x of a record
    "seconds": (
        "seconds of each excerpt",
        [*(f"_{n}_s" for n in SECONDS), ""],
        lambda record: record["settings"]["seconds"] or 30,
    ),
    "sizes": (
        "training excerpts, four quadrants",
        [*(f"_quadrants_{n}" for n in SIZES), "_quadrants"],
        lambda record: record["facts"]["n_train"],
    ),
}


def draw(records: Records) -> list[Path]:
    """Draw what is recorded; returns the paths."""
    drawn = []
    for dataset, (name, (label, suffixes, x)) in product(records.datasets(), FIGURES.items()):
        recorded = {system: [records.get(dataset, system + suffix) for suffix in suffixes] for system in COLOURS}
        by_x = {system: {x(record): record for record in of if record} for system, of in recorded.items()}
        if len(by_x["crnn"]) > 1:
            drawn.append(records.path(dataset, "").parent / "figures" / f"{name}.png")
            accuracy_along(by_x, label, drawn[-1])
    return drawn


def accuracy_along(records: dict[str, dict[int, dict]], label: str, path: Path) -> None:
    """Accuracy of each system along x: every split, their mean, and the mean of last epochs (dashed)."""
    figure, axis = plt.subplots(figsize=(5.6, 3.4))
    for (system, by_x), split in product(records.items(), (TEST, LAST)):
        runs = {
            x: [run["metrics"][split]["accuracy"]["all"] for run in record["runs"]]
            for x, record in by_x.items()
            if split in record["runs"][0]["metrics"]
        }
        if runs:
            what = SYSTEMS[system][0].removeprefix("baseline: ") if split == TEST else "... its last epoch"
            plots.runs_along(axis, runs, COLOURS[system], what, dots=split == TEST)
    chance = 1 / len(next(iter(records["crnn"].values()))["facts"]["targets"])
    axis.axhline(chance, color=plots.GREY, ls=":", lw=1.2, label="chance")
    axis.set(xlabel=label, ylabel="test accuracy", ylim=(0, 1))
    axis.legend(frameon=False, ncols=2, loc="upper center", fontsize=8)
    axis.grid()
    plots.save(figure, path)
