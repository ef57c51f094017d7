"""The paper's own figures: scores by size of the network, histograms of errors (Figure 3), trajectories."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from common.report import number
from common.report.plots import BLUE, GREY, INK, ORANGE, runs_along, save
from common.verdict.board import load_expected
from common.verdict.recorded import Records

DATASET, SPLIT = "emomusic", "cross-validation"
PAIR = {"nat_400_260": ("LSTM_NAT_400", ORANGE), "at_400_260": ("LSTM_AT_400", BLUE)}
SIZES = {"nat": (128, 300, 400, 512, 700, 1024), "at": (32, 64, 128, 300, 400)}
METRICS = {"r2_pooled": "R², pooled", "kendall_tau_per_song": "Kendall's τ, mean over clips"}


def draw(records: Records) -> list[Path]:
    """Draw what is recorded.

    Parameters
    ----------
    records : Records
        Of this paper.

    Returns
    -------
    list of Path
        Scores by size if the networks of 128 units are recorded, histograms if those of PAIR are.
    """
    folder, drawn = records.path(DATASET, "").parent / "figures", []
    if all(records.get(DATASET, f"{kind}_128_260") for kind in SIZES):
        drawn.append(folder / "scores_by_size.png")
        scores_by_size(records, drawn[-1])
    if all(records.get(DATASET, name) for name in PAIR):
        drawn.append(folder / "error_histograms.png")
        error_histograms([records.get(DATASET, name) for name in PAIR], drawn[-1])
    return drawn


def scores_by_size(records: Records, path: Path) -> None:
    """R² and τ of networks with one layer by number of units: published, and measured on the 260 features.

    Parameters
    ----------
    records : Records
    path : Path
        The picture.
    """
    cells = {
        cell["id"].split("/", 1)[1]: cell for cell in load_expected(Path(__file__).with_name("expected.json"))["cells"]
    }
    figure, axes = plt.subplots(2, 2, figsize=(8.4, 6), sharex=True, sharey="row")
    for (row, column), axis in np.ndenumerate(axes):
        metric, target = list(METRICS)[row], ("arousal", "valence")[column]
        for kind, colour in (("nat", ORANGE), ("at", BLUE)):
            sizes = SIZES[kind]
            published = [cells[f"{kind}_{n}/{target}/{metric}"]["value"] for n in sizes]
            axis.plot(
                sizes, published, "D--", mfc="white", color=colour, lw=0.9, ms=5, label=f"{kind.upper()}, published"
            )
            runs = {n: records.values(DATASET, f"{kind}_{n}_260", SPLIT, metric, target) for n in sizes}
            recorded = {n: values for n, values in runs.items() if values}
            runs_along(axis, recorded, colour, f"{kind.upper()}, measured (260 features)")
        for name, style, over in (("ridge_averaged_260", "-", "the clip"), ("ridge_so_far_260", ":", "the past")):
            if row == 0 and (values := records.values(DATASET, name, SPLIT, metric, target)):
                width, colour = (3, "#c9c9c9") if style == "-" else (1.2, INK)  # one under the other where they agree
                axis.axhline(np.mean(values), color=colour, lw=width, ls=style, label=f"ridge, mean over {over}")
        axis.set_title(target)
        axis.set_xscale("log", base=2)
        axis.set_xticks([32, 64, 128, 300, 400, 700, 1024], [32, 64, 128, 300, 400, 700, 1024])
        axis.minorticks_off()
        axis.grid(axis="y")
    for row, label in enumerate(METRICS.values()):
        axes[row, 0].set_ylabel(label)
        axes[row, 0].set_ylim(0, 1.06 * axes[row, 0].get_ylim()[1])
    for axis in axes[1]:
        axis.set_xlabel("LSTM units, one layer")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    save(figure, path)


def error_histograms(records: list[dict], path: Path) -> None:
    """Clips by their mean absolute error, of both networks, as share of the clips; mean over runs.

    Parameters
    ----------
    records : list of dict
        Of both networks, in the order of PAIR.
    path : Path
        The picture.
    """
    edges = np.arange(0, 0.601, 0.05)
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.2), sharey=True)
    for column, (axis, target) in enumerate(zip(axes, ("arousal", "valence"), strict=True)):
        for place, (record, (title, colour)) in enumerate(zip(records, PAIR.values(), strict=True)):
            k = record["facts"]["targets"].index(target)
            errors = [np.array(run["songs"][SPLIT]["absolute_error"])[:, k] for run in record["runs"]]
            shares = np.mean([np.histogram(of_run, edges)[0] / len(of_run) for of_run in errors], axis=0)
            beyond = np.mean([(of_run > edges[-1]).mean() for of_run in errors])
            axis.bar(
                edges[:-1] + (0.3 + 0.4 * place) * 0.05, shares, 0.019, color=colour, label=f"{title}, 260 features"
            )
            text = f"{number(shares[0], 2)} within .05" + (f", {number(beyond, 3)} beyond .6" if beyond else "")
            axis.text(0.98, 0.9 - 0.1 * place, text, color=colour, ha="right", transform=axis.transAxes)
        axis.axvspan(0, 0.05, color=GREY, alpha=0.15, lw=0)
        axis.set_title(f"({'ab'[column]}) {target}")
        axis.set_xlabel("mean absolute error of a clip")
        axis.grid(axis="y")
        axis.set_axisbelow(True)
        axis.set_xlim(0, edges[-1])
    axes[0].set_ylabel("share of the clips")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    save(figure, path)


def trajectories(records: dict[str, dict], times: np.ndarray, labels: dict[str, np.ndarray], shown: dict, path: Path):
    """Annotated and predicted over time: a row a clip, a column a target; every run thin, the mean thick.

    Parameters
    ----------
    records : dict of str to dict
        Of both networks, by variant; each run has `trajectories`.
    times : ndarray, (T,)
        Of the labels, in seconds.
    labels : dict of str to ndarray
        (T, 2), valence and arousal in [-1, 1], by clip.
    shown : dict of str to str
        The name of each clip, by its id.
    path : Path
        The picture.
    """
    size = (8.4, 2.6 * len(shown))
    figure, axes = plt.subplots(len(shown), 2, figsize=size, sharex=True, sharey=True, squeeze=False)
    for (song, name), line in zip(shown.items(), axes, strict=True):
        for k, axis in zip((1, 0), line, strict=True):
            errors = []
            for variant, record in records.items():
                title, colour = PAIR[variant]
                runs = np.array([run["trajectories"][song] for run in record["runs"]])[..., k]
                error = np.abs(runs - labels[song][:, k]).mean()
                axis.plot(times, runs.T, color=colour, lw=0.6, alpha=0.5)
                axis.plot(times, runs.mean(0), color=colour, lw=1.8, label=f"{title}, 260 features")
                errors.append(f"{title.split('_')[1]} {number(error, 2)}")
            axis.plot(times, labels[song][:, k], color=INK, lw=1.8, label="annotated")
            axis.set_title(f"{name}: {('valence', 'arousal')[k]}, error {', '.join(errors)}")
            axis.grid(axis="y")
            axis.margins(x=0)
    axes[0, 0].set_ylim(-1, 1)
    for axis in axes[-1]:
        axis.set_xlabel("seconds from the start of the clip")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    save(figure, path)
