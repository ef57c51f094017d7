"""Plots of records (measured against published, predictions against annotations, training) and of recordings."""

import contextlib
import io
import logging
import textwrap
import warnings
from pathlib import Path

import matplotlib
import matplotlib.ticker
import numpy as np
from scipy.stats import binom

from common import metrics
from common.files import NAME, write_atomically
from common.prediction import Prediction, names

matplotlib.use("Agg")
import matplotlib.pyplot as plt

INK, BLUE, ORANGE, GREY = "#222222", "#0072b2", "#d55e00", "#8a8a8a"  # Okabe and Ito: distinct with any colour vision
COLOURS = BLUE, ORANGE, INK, GREY  # of systems
VERDICT_COLOURS = {"reproduced": "#009e73", "better": BLUE, "worse": ORANGE, "differs": ORANGE, "undecided": GREY}
MARKERS = {"stand-in": "X", "partial": "s"}  # of what is not compared
STYLE = {
    "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": INK, "savefig.dpi": 150,
    "grid.color": "#e6e6e6", "grid.linewidth": 0.7,
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
    """One panel a system: for each target the published value, the measured one with its interval, the baseline.

    Parameters
    ----------
    rows : list of Row
        Measured cells of one metric, with a record.
    path : Path
        The picture, whose suffix is its format.
    """
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
        axis.set_title(textwrap.fill(f"{system}, {runs} run{'s' * (runs > 1)}", 40))
        axis.set_xlabel(_words(cells[0].fields["metric"]))
        axis.grid(axis="x")
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
    """One panel a target: each song's prediction in the first run against its annotation (standardised).

    Parameters
    ----------
    record : dict
        With `reference_z` in its facts and `predictions`, both (n_songs, n_targets).
    path : Path
    """
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
    """One panel a variant: of the test songs of a class (row), over all runs, the share taken for each class.

    Parameters
    ----------
    records : dict
        By name of the variant; their runs have `predicted`.
    split_of : dict
        By name of the variant, the split that is counted.
    path : Path
    """
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


def accuracy_of_runs(records: dict[str, dict], split: str, published: dict[str, float], path: Path) -> None:
    """The accuracy of every run (dots), the mean (line), and the published one (diamond), by variant.

    The band: where 95 % of tests on so many songs lie by chance alone, at that mean accuracy.

    Parameters
    ----------
    records : dict
        By name of the variant.
    split : str
    published : dict
        By name of the variant, in [0, 1].
    path : Path
        Of the picture.
    """
    figure, axis = plt.subplots(figsize=(8.4, 0.8 + 0.3 * len(records)))
    for y, (name, record) in enumerate(records.items()):
        values = np.array([run["metrics"][split]["accuracy"]["all"] for run in record["runs"]])
        n, colour = record["facts"]["n_test"], GREY if record["title"].startswith("baseline: ") else BLUE
        low, high = binom.ppf([0.025, 0.975], n, values.mean()) / n
        axis.plot([low, high], [y, y], color=colour, lw=7, alpha=0.18, solid_capstyle="butt")
        axis.plot(values, np.full(len(values), y), "o", color=colour, ms=4, mec="none", alpha=0.4)
        axis.plot(values.mean(), y, "|", color=INK, ms=12, mew=2)
        if name in published:
            axis.plot(published[name], y, "D", mfc="white", mec=INK, ms=6)
    axis.set_yticks(range(len(records)), [f"{r['title']}, {len(r['runs'])} runs" for r in records.values()])
    axis.set_ylim(len(records) - 0.5, -0.5)
    axis.set_xlabel(f"accuracy, {split}")
    axis.grid(axis="x")
    save(figure, path)


def training_curves(records: dict[str, dict], path: Path) -> None:
    """A panel a variant for the loss, and one for the accuracy if it is recorded.

    Every network of every run, and their mean while half of them are trained; where songs were held out, on these too.

    Parameters
    ----------
    records : dict
        By name of the variant.
    path : Path
        Of the picture.
    """
    history = next(iter(records.values()))["runs"][0]["history"][0]
    shown = [(record, kind) for record in records.values() for kind in ("accuracy", "loss") if kind in history]
    figure, axes = _grid(len(shown), width=4.8, height=2.8)
    for axis, (record, kind) in zip(axes, shown, strict=True):
        networks = [network for run in record["runs"] for network in run["history"]]
        for prefixes, colour, title in (([""], BLUE, "training"), (["val_", "validation_"], ORANGE, "validation")):
            named = [prefix + kind for prefix in prefixes]
            curves = [network[name] for network in networks for name in named if name in network]
            if curves:
                _curves(axis, curves, colour, title)
        axis.set_title(f"{record['title']}, {len(networks)} networks")
        axis.set_xlabel("epoch")
        axis.set_ylabel(kind)
        axis.set_ylim(0, 1 if kind == "accuracy" else None)
        axis.grid()
        axis.legend(frameon=False)
    save(figure, path)


def _curves(axis, curves: list[list[float]], colour: str, label: str) -> None:
    """Curves by epoch, which may end early: each thin, their mean thick while half of them go on."""
    longest = max(map(len, curves))
    curves = np.array([[*curve, *[None] * (longest - len(curve))] for curve in curves], "float64")
    epochs, trained = np.arange(1, longest + 1), np.isfinite(curves).sum(0)
    kept = trained * 2 >= len(curves)
    axis.plot(epochs, curves.T, color=colour, lw=0.4, alpha=0.12)
    axis.plot(epochs[kept], np.nanmean(curves[:, kept], axis=0), color=colour, lw=1.8, label=label)


def runs_along(axis, runs: dict[float, list[float]], colour: str, label: str, *, aside=0.0, dots=True) -> None:
    """Scores by a number x: a dot a run, and a line of means.

    Parameters
    ----------
    axis : of matplotlib
    runs : dict
        x -> scores of runs.
    colour, label : str
    aside : float
        Moves dots and line along x.
    dots : bool
        False: the line alone, dashed.
    """
    x = np.array(list(runs)) + aside
    for at, scores in zip(x, runs.values(), strict=True) if dots else ():
        axis.plot(np.full(len(scores), at), scores, ".", color=colour, ms=5, alpha=0.45, mec="none")
    style = "o-" if dots else "--"
    axis.plot(x, [np.mean(scores) for scores in runs.values()], style, color=colour, ms=4.5, label=label)


def score_along(lines: list[tuple[str, str, dict[float, list[float]]]], along: str, metric: str, path: Path) -> None:
    """A metric along a number: a dot a run and a line of means; further splits of a system as a dashed line.

    Parameters
    ----------
    lines : list of (label, split, runs)
        The splits of a system one after the other; runs: number -> scores of runs.
    along, metric : str
        What the number is, with its unit, and the metric.
    path : Path
        The picture.
    """
    figure, axis = plt.subplots(figsize=(5.6, 3.8))
    systems = list(dict.fromkeys(label for label, *_ in lines))
    for (label, split, runs), (before, *_) in zip(lines, [("",), *lines], strict=False):
        colour = COLOURS[systems.index(label) % len(COLOURS)]
        if runs:
            further = label == before
            runs_along(axis, runs, colour, f"{label}, {split}" if further else label, dots=not further)
    axis.set(xlabel=along, ylabel=_words(metric))
    axis.grid()
    figure.legend(loc="outside lower center", frameon=False, ncols=2, fontsize=8)
    save(figure, path)


def predictions(
    predicted: dict[Path, Prediction], columns: list[str], path: Path, title: str, limits: tuple[float, float]
) -> None:
    """One panel a recording: values over time, mm:ss, each in a band, its interval; else a bar a target.

    Parameters
    ----------
    predicted : dict
        The prediction of each recording, by its path.
    columns : list of str
        Names of the targets.
    path : Path
        The picture.
    title : str
        Of the model, above the panels.
    limits : tuple of float
        The ends of the scale.
    """
    over_time = next(iter(predicted.values())).times is not None
    titles = names(list(predicted))
    with plt.rc_context(STYLE | {"text.parse_math": False, "font.family": _fonts("".join(titles.values()))}):
        if over_time:
            figure, axes = _grid(len(predicted), columns=1, width=7.2, height=2.1, sharey=True)
        else:
            figure, axes = _grid(len(predicted), columns=3, width=3.2, height=0.7 + 0.24 * len(columns), sharey=True)
        figure.suptitle(title, fontsize="medium", color=INK)
        for axis, (recording, one) in zip(axes, predicted.items(), strict=True):
            axis.set_title(titles[recording])
            axis.set_axisbelow(True)
            (_over_time if over_time else _bars)(axis, one, columns, limits)
        if over_time:
            axes[-1].set_xlabel("time")
            entries = axes[0].get_legend_handles_labels()[0]
            if any(one.half_width is not None for one in predicted.values()):
                held = "band: the labels of 95 % of held-out songs lie in it"
                entries.append(plt.Rectangle((0, 0), 1, 1, fc=GREY, alpha=0.3, label=held))
            figure.legend(handles=entries, loc="outside lower center", ncols=len(entries), frameon=False)
        else:
            axes[0].invert_yaxis()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # a box is drawn: no font here has it
            logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # a font without a bold face will do
            save(figure, path, creator=NAME)


def windows(
    one: Prediction, side_by_side: np.ndarray, borders: np.ndarray, columns: list[str], path: Path, title: str
) -> None:
    """Two panels of one recording: values in their bands; and enlarged, with those from windows side by side.

    Parameters
    ----------
    one : Prediction
        Of the recording, from overlapping windows that are blended; with `times`.
    side_by_side : float (n, 2)
        Values at the same times from windows that do not overlap.
    borders : float (n_borders,)
        Where one of these ends and the next begins, in seconds.
    columns : list of str
        Names of the two targets.
    path : Path
        The picture.
    title : str
        Above the panels.
    """
    with plt.rc_context(STYLE):
        figure, (above, below) = _grid(2, columns=1, width=7.2, height=2.3)
        figure.suptitle(title, fontsize="medium", color=INK)
        above.set_title("Prediction, in the band of the labels of 95 % of held-out songs")
        _over_time(above, one, columns, (-1, 1))
        below.set_title("The same, enlarged: windows side by side have steps at their borders")
        below.vlines(borders, 0, 1, transform=below.get_xaxis_transform(), color=GREY, lw=0.8, ls=":")
        after = np.searchsorted(one.times, borders)
        times = np.insert(one.times, np.repeat(after, 2), np.repeat(borders, 2))
        for i, (name, colour) in enumerate(zip(columns, (ORANGE, BLUE), strict=True)):
            values = side_by_side[:, i]
            steps = np.insert(values, np.repeat(after, 2), np.stack([values[after - 1], values[after]], axis=1).ravel())
            below.plot(times, steps, color=colour, lw=1, alpha=0.5, label=f"{_words(name)}, side by side")
            below.plot(one.times, one.values[:, i], color=colour, lw=1.8, label=f"{_words(name)}, blended")
        below.grid(axis="y")
        _clock(below, one.length)
        below.set_xlabel("time")
        figure.legend(handles=below.get_legend_handles_labels()[0], loc="outside lower center", ncols=4, frameon=False)
        save(figure, path)


def _over_time(axis, one: Prediction, columns: list[str], limits: tuple[float, float]) -> None:
    """Values over time, and the band around each."""
    for i, (name, colour) in enumerate(zip(columns, (ORANGE, BLUE), strict=True)):
        values, alone = one.values[:, i], len(one.values) == 1
        axis.plot(one.times, values, color=colour, lw=1.4, label=_words(name), marker="." if alone else None)
        if one.half_width is not None:
            ends = values - one.half_width[:, i], values + one.half_width[:, i]
            axis.fill_between(one.times, *ends, color=colour, alpha=0.13, lw=0)
    axis.grid(axis="both")
    axis.axhline(0, color=GREY, lw=0.8)
    axis.set_ylim(*limits)
    _clock(axis, one.length)


def _bars(axis, one: Prediction, columns: list[str], limits: tuple[float, float]) -> None:
    """A bar a target, and the interval of each."""
    axis.barh([_words(name) for name in columns], one.values, color=BLUE)
    if one.half_width is not None:
        axis.errorbar(one.values, range(len(columns)), xerr=one.half_width, fmt="none", ecolor=INK, lw=0.8)
    axis.grid(axis="x")
    axis.set_xlim(min(limits[0], float(one.values.min())), max(limits[1], float(one.values.max())))


def _fonts(text: str) -> list[str]:
    """The default font family, and those of installed fonts that have the characters which it lacks."""
    from matplotlib import font_manager

    default = plt.rcParamsDefault["font.sans-serif"][0]
    families, lacking = [default], set(map(ord, text))
    others = [font.fname for font in font_manager.fontManager.ttflist if not font.name.startswith("Last Resort")]
    for font in [font_manager.findfont(default), *others]:
        if not lacking:
            break
        with contextlib.suppress(OSError, RuntimeError):  # a file that is no font
            face = font_manager.get_font(font)
            covered = lacking & face.get_charmap().keys()
            lacking -= covered
            families += [face.family_name] * (bool(covered) and face.family_name not in families)
    return families


def _clock(axis, seconds: float) -> None:
    """Minutes and seconds below an axis of so many seconds."""
    axis.set_xlim(0, seconds)
    step = next((step for step in (1, 5, 10, 15, 30, 60, 120, 300) if seconds <= 10 * step), 600)
    axis.xaxis.set_major_locator(matplotlib.ticker.MultipleLocator(step))
    axis.xaxis.set_major_formatter(lambda at, _: f"{int(at) // 60}:{int(at) % 60:02}")


def mel_picture(spectrogram: np.ndarray, seconds: float, path: Path) -> None:
    """A mel spectrogram over time.

    Parameters
    ----------
    spectrogram : ndarray, (n_frames, bands)
        Logarithmic, relative to its loudest element.
    seconds : float
        Length of the recording.
    path : Path
    """
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
    """A context in which figures are saved in a folder, as SVG, whatever their path.

    Parameters
    ----------
    folder : Path

    Yields
    ------
    list of Path
        The figures saved so far.
    """
    global _vectors
    _vectors, before = (folder, []), _vectors
    try:
        yield _vectors[1]
    finally:
        _vectors = before


def save(figure, path: Path, creator: str | None = None) -> None:
    """Write a figure in one step and close it; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : Path
        Its suffix is the format; its folder is created.
    creator : str
        The program that made it, as the file states it.
    """
    if _vectors:
        folder, saved = _vectors
        dataset = f"{path.parent.parent.name}_" if path.parent.name == "figures" else ""
        path = folder / f"{dataset}{path.stem}.svg"
        saved.append(path)
    kind, content = path.suffix.lower().removeprefix("."), io.BytesIO()
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {"Software": creator})
    if creator and kind != "png":
        metadata["Creator"] = creator
    with plt.rc_context({"svg.hashsalt": "mer"}):
        figure.savefig(content, format=kind, metadata=metadata)
    plt.close(figure)
    write_atomically(path, content.getvalue())
