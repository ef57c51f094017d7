"""Plots of records (measured against published, predictions against annotations, training) and of recordings."""

import contextlib
from pathlib import Path

import matplotlib
import matplotlib.ticker
import numpy as np

from common import metrics
from common.prediction import Prediction, names

matplotlib.use("Agg")
import matplotlib.pyplot as plt

INK, BLUE, ORANGE, GREY = "#222222", "#0072b2", "#d55e00", "#8a8a8a"  # Okabe and Ito: distinct with any colour vision
VERDICT_COLOURS = {"reproduced": "#009e73", "better": BLUE, "worse": ORANGE, "undecided": GREY}
MARKERS = {"stand-in": "X", "partial": "s"}  # of what is not compared
STYLE = {
    "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": INK, "savefig.dpi": 150,
    "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
}  # fmt: skip


def _words(name: str) -> str:
    return name.replace("_", " ")


def _grid(n: int, *, width: float, height: float, columns: int = 2, **shared):
    """A figure with n panels of a width and height in inches, at most `columns` in a row; and its axes."""
    columns = min(columns, n)
    lines = -(-n // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(width * columns, height * lines), squeeze=False, **shared)
    for axis in axes.flat[n:]:
        axis.axis("off")
    for axis in axes.flat[n - columns : n]:  # the lowest of each column, where the last line is not full too
        axis.tick_params(labelbottom=True)
    return figure, axes.flat[:n]


def measured_against_published(rows: list, path: Path) -> None:
    """One panel a system: for each target the published value, the measured one with its interval, the baseline."""
    panels = {}
    for row in rows:
        panels.setdefault((row.fields["system"], row.fields["variant"]), []).append(row)
    n_targets = max(len(cells) for cells in panels.values())
    figure, axes = _grid(len(panels), width=4.6, height=1.4 + 0.32 * n_targets, sharex=True, sharey=True)
    for axis, ((system, _), cells) in zip(axes, panels.items(), strict=True):
        for y, row in enumerate(cells):
            f = row.fields
            colour = VERDICT_COLOURS.get(f["verdict"], INK)
            if f["low"] is not None:
                axis.plot([f["low"], f["high"]], [y, y], color=colour, lw=2.5, alpha=0.6, solid_capstyle="butt")
            axis.plot(f["measured"], y, MARKERS.get(f["verdict"], "o"), color=colour, ms=5, zorder=4)
            axis.plot(f["published"], y, "D", mfc="white", mec=INK, ms=6, zorder=3)
            if f["baseline"] is not None:
                axis.plot(f["baseline"], y, "|", color=GREY, ms=9, mew=2)
        axis.set_yticks(range(len(cells)), [_words(row.fields["target"]) for row in cells])
        runs = cells[0].fields["runs"]
        axis.set_title(f"{system}, {runs} run{'s' * (runs > 1)}")
        axis.set_xlabel(_words(cells[0].fields["metric"]))
        axis.grid(axis="x", color="#e6e6e6", lw=0.7)
        axis.set_axisbelow(True)
    axes[0].set_ylim(n_targets - 0.4, -0.6)
    entries = [plt.Line2D([], [], ls="", marker="D", mfc="white", mec=INK, label="published")]
    shown = {row.fields["verdict"] for row in rows}
    for verdict, colour in (VERDICT_COLOURS | dict.fromkeys(sorted(shown - set(VERDICT_COLOURS)), INK)).items():
        if verdict in shown:
            marker, width = MARKERS.get(verdict, "o"), 0 if verdict in MARKERS else 2.5
            entries.append(plt.Line2D([], [], marker=marker, lw=width, color=colour, label=f"measured, {verdict}"))
    entries.append(plt.Line2D([], [], ls="", marker="|", ms=9, mew=2, color=GREY, label="strongest trivial baseline"))
    figure.legend(handles=entries, loc="outside lower center", ncols=2 * min(len(axes), 2), frameon=False)
    save(figure, path)


def predicted_against_annotated(record: dict, path: Path) -> None:
    """One panel a target: each song's prediction in the first run against its annotation (standardised)."""
    targets = record["facts"]["targets"]
    reference = np.array(record["facts"]["reference_z"])
    run = record["runs"][0]
    r = next(iter(run["metrics"].values()))["pearson_r_pooled"]
    estimate = np.array(run["predictions"])
    figure, axes = _grid(len(targets), columns=3, width=2.6, height=2.5)
    for i, axis in enumerate(axes):
        axis.plot(reference[:, i], estimate[:, i], ".", color=BLUE, ms=4, alpha=0.45, mec="none")
        slope, height = np.polyfit(reference[:, i], estimate[:, i], 1)
        ends = np.array([reference[:, i].min(), reference[:, i].max()])
        axis.plot(ends, slope * ends + height, color=INK, lw=1)
        axis.set_title(f"{_words(targets[i])}, r = {r[targets[i]]:.2f}")
    figure.supxlabel("annotated (standard deviations from the mean song)", fontsize=9)
    figure.supylabel(f"predicted ({record['title']}, seed {run['seed']}; r over all songs)", fontsize=9)
    save(figure, path)


def confusion(records: dict[str, dict], split_of: dict[str, str], path: Path) -> None:
    """One panel a variant: of the test songs of a class (row), over all runs, the share taken for each class."""
    figure, axes = _grid(len(records), columns=3, width=3.5, height=3.3)
    for axis, (name, record) in zip(axes, records.items(), strict=True):
        classes, reference = record["facts"]["targets"], np.array(record["facts"]["reference"])
        total = np.zeros((len(classes), len(classes)))
        for run in record["runs"]:
            predicted = np.array(run["predicted"][split_of[name]])
            tested = predicted >= 0
            total += metrics.confusion(reference[tested], predicted[tested], len(classes))
        share = total / total.sum(1, keepdims=True)
        axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for (row, column), value in np.ndenumerate(share):
            colour = "white" if value > 0.55 else INK
            axis.text(column, row, f"{value:.2f}\n({total[row, column]:.0f})", ha="center", va="center", color=colour)
        axis.set_xticks(range(len(classes)), classes)
        axis.set_yticks(range(len(classes)), classes, rotation=90, va="center")
        axis.set_xlabel("predicted")
        axis.set_ylabel("true class")
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0)
        runs = len(record["runs"])
        axis.set_title(f"{record['title']}\n{runs} run{'s' * (runs > 1)}")
    save(figure, path)


def training_curves(records: dict[str, dict], path: Path) -> None:
    """One panel a variant: the loss of every network of every run, and their mean while half of them are trained.

    Where songs were held out, the loss on these too.
    """
    figure, axes = _grid(len(records), width=4.8, height=2.8)
    for axis, record in zip(axes, records.values(), strict=True):
        for name, colour, title in (("loss", BLUE, "training"), ("validation_loss", ORANGE, "validation")):
            curves = [network[name] for run in record["runs"] for network in run["history"] if name in network]
            if not curves:
                continue
            longest = max(map(len, curves))
            curves = np.array([[*curve, *[None] * (longest - len(curve))] for curve in curves], "float64")
            epochs, trained = np.arange(1, longest + 1), np.isfinite(curves).sum(0)
            kept = trained * 2 >= len(curves)
            axis.plot(epochs, curves.T, color=colour, lw=0.4, alpha=0.12)
            axis.plot(epochs[kept], np.nanmean(curves[:, kept], axis=0), color=colour, lw=1.8, label=title)
        axis.set_title(f"{record['title']}, {sum(len(run['history']) for run in record['runs'])} networks")
        axis.set_xlabel("epoch")
        axis.set_ylabel("loss")
        axis.set_ylim(bottom=0)
        axis.grid(color="#e6e6e6", lw=0.7)
        axis.legend(frameon=False)
    save(figure, path)


def predictions(predicted: dict[Path, Prediction], columns: list[str], path: Path, title: str) -> None:
    """One panel a recording: of a continuous model the values over time, mm:ss, else a bar a target.

    The model's title stands above them.
    """
    continuous = next(iter(predicted.values())).times is not None
    with plt.rc_context(STYLE):
        if continuous:
            figure, axes = _grid(len(predicted), columns=1, width=7.2, height=2.1, sharey=True)
        else:
            figure, axes = _grid(len(predicted), columns=3, width=3.2, height=0.7 + 0.24 * len(columns), sharey=True)
        figure.suptitle(title, fontsize="medium", color=GREY)
        titles = names(list(predicted))
        for axis, (recording, one) in zip(axes, predicted.items(), strict=True):
            axis.set_title(titles[recording])
            axis.grid(axis="both" if continuous else "x", color="#e6e6e6", lw=0.7)
            axis.set_axisbelow(True)
            if not continuous:
                axis.barh([_words(name) for name in columns], one.values, color=BLUE)
                axis.set_xlim(min(0.0, float(one.values.min())), max(1.0, float(one.values.max())))
                continue
            for name, colour, values in zip(columns, (ORANGE, BLUE), one.values.T, strict=True):
                axis.plot(one.times, values, color=colour, lw=1.4, label=_words(name), marker="." * (len(values) == 1))
            axis.axhline(0, color=GREY, lw=0.8)
            axis.set_ylim(-1, 1)
            _clock(axis, one.length)
        if continuous:
            axes[-1].set_xlabel("time")
            axes[0].legend(frameon=False, ncols=len(columns), loc="upper right")
        else:
            axes[0].invert_yaxis()
        save(figure, path)


def _clock(axis, seconds: float) -> None:
    """Minutes and seconds below an axis of so many seconds."""
    axis.set_xlim(0, seconds)
    step = next((step for step in (1, 5, 10, 15, 30, 60, 120, 300) if seconds <= 10 * step), 600)
    axis.xaxis.set_major_locator(matplotlib.ticker.MultipleLocator(step))
    axis.xaxis.set_major_formatter(lambda at, _: f"{int(at) // 60}:{int(at) % 60:02}")


def mel_picture(spectrogram: np.ndarray, seconds: float, path: Path) -> None:
    """A mel spectrogram (n_frames, bands), relative to its loudest element."""
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(7.2, 2.2))
        axis.imshow(spectrogram.T, aspect="auto", origin="lower", cmap="magma", extent=(0, seconds, 0, 1))
        axis.set_yticks([])
        _clock(axis, seconds)
        axis.set_xlabel("time")
        axis.set_ylabel("mel bands, low to high")
        save(figure, path)


_vectors = None  # a folder for SVG, and the paths of what was saved there


@contextlib.contextmanager
def svg_in(folder: Path):
    """Within it figures are saved in this folder, as SVG, whatever their path; yields the list of their paths."""
    global _vectors
    _vectors, before = (folder, []), _vectors
    try:
        yield _vectors[1]
    finally:
        _vectors = before


def save(figure, path: Path) -> None:
    """Write a figure and close it; the same figure gives the same bytes."""
    if _vectors:
        folder, saved = _vectors
        dataset = f"{path.parent.parent.name}_" if path.parent.name == "figures" else ""
        path = folder / f"{dataset}{path.stem}.svg"
        saved.append(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    nothing = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower(), {"Software": None})
    with plt.rc_context({"svg.hashsalt": "mer"}):
        figure.savefig(path, metadata=nothing)
    plt.close(figure)
