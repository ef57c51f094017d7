"""The page on what the papers teach: how interpretations of open points change results that did not come out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import report
from common.report import number
from common.report.tables import DIVERGED, interval
from common.verdict.board import Row, join, load_expected
from common.verdict.claims import arms_of, judge_claims
from common.verdict.recorded import Records

PAPERS = Path(__file__).parent
PAGE = PAPERS.parent / "docs" / "lessons.md"
FIGURE = Path("figures", "interpretations.png")  # in the results folder
SHOWN = {  # cells by paper, two to a row of the figure
    "malik2017": ["1a/crnn/l20/evaluation/average/rmse_pooled", "1a/crnn/l20/development/average/rmse_pooled"],
    "chaki2020": ["3/at_400/arousal/r2_pooled", "3/at_400/valence/r2_pooled",
                  "3/at_128/arousal/r2_pooled", "3/at_128/valence/r2_pooled"],
    "velankar2022": ["fig6/crnn/test/all/accuracy", "fig9/parallel/test/all/accuracy"],
    "jakubik2017": ["1/standard_gru/emotify/10-fold/average/pearson_r_mean_over_folds"],
}  # fmt: skip
SCORED = "scored by the RMSE of each sequence, averaged"
PART = "one test part, ten networks averaged", "at_128_part_260", "average"
OTHER_MEASURES = {  # interpretations of how a cell was measured: label, variant, split and metric
    "1a/crnn/l20/evaluation/average/rmse_pooled": [(SCORED, "crnn_l20", "evaluation", "rmse_within_20")],
    "1a/crnn/l20/development/average/rmse_pooled": [(SCORED, "crnn_l20", "development", "rmse_within_20")],
    "3/at_128/arousal/r2_pooled": [(*PART, "r2_pooled")],
    "3/at_128/valence/r2_pooled": [(*PART, "r2_pooled")],
}


@dataclass(frozen=True)
class Panel:
    """A published cell, with the values of the runs of each interpretation, the primary one first, and its change.

    The change is the mean difference from the primary one over the seeds that both have; the difference of the means
    where they are tested on different splits or have no seed in common.
    """

    cell: Row
    values: dict[str, np.ndarray]
    changes: dict[str, float]

    @property
    def title(self) -> tuple[str, str]:
        """Paper and system; metric, target and split."""
        fields = self.cell.fields
        return (
            f"{fields['paper']}, {fields['system']}",
            f"{_metric(fields['metric'])}, {fields['target']}, {fields['split']}",
        )


def panels(results: Path) -> list[Panel]:
    """The cells shown that something is recorded of, with their interpretations.

    Parameters
    ----------
    results : Path
        Folder of the records.

    Returns
    -------
    list of Panel

    Raises
    ------
    InputError
        If a record is damaged, or lacks what a cell asks for.
    """
    found = []
    for paper in _papers():
        expected, records = load_expected(PAPERS / paper / "expected.json"), Records(results, paper)
        cells = {cell["id"]: cell for cell in expected["cells"]}
        chosen = expected | {"cells": [cells[name] for name in SHOWN[paper]]}
        interpretations = [row for row in join(chosen, records, alternatives=True) if row.fields["record"]]
        for primary in join(chosen, records):
            if primary.fields["record"]:
                cell = primary.fields["cell"]
                found.append(_panel(primary, [row for row in interpretations if row.fields["cell"] == cell], records))
    return found


def _panel(primary: Row, interpretations: list[Row], records: Records) -> Panel:
    cell, rows = primary.fields, [row.fields for row in (primary, *interpretations)]
    labels = _labels([records.get(row["dataset"], row["variant"])["title"] for row in rows])
    measures = [(row["dataset"], row["variant"], row["split"], row["metric"]) for row in rows]
    series = dict(zip(labels, measures, strict=True))
    for label, variant, *measure in OTHER_MEASURES.get(cell["cell"], []):
        if records.get(cell["dataset"], variant):
            series[label] = (cell["dataset"], variant, *measure)
    runs = {label: _by_seed(records, *measure, cell["target"]) for label, measure in series.items()}
    changes = {
        label: _change(of, runs["primary"], paired=series[label][2] == cell["split"]) for label, of in runs.items()
    }
    return Panel(primary, {label: np.array([*of.values()]) for label, of in runs.items()}, changes)


def _by_seed(records: Records, dataset: str, variant: str, split: str, metric: str, target: str) -> dict[int, float]:
    seeds = [run["seed"] for run in records.get(dataset, variant)["runs"]]
    return dict(zip(seeds, records.values(dataset, variant, split, metric, target), strict=True))


def _change(runs: dict[int, float], primary: dict[int, float], paired: bool) -> float:
    common = runs.keys() & primary.keys() if paired else ()
    if common:
        return float(np.mean([runs[seed] - primary[seed] for seed in common]))
    return float(np.mean([*runs.values()]) - np.mean([*primary.values()]))


def _labels(titles: list[str]) -> list[str]:
    """What the title of each interpretation adds to that of the primary one, the first."""
    known = titles[0].split(", ")
    return ["primary", *(", ".join(part for part in title.split(", ") if part not in known) for title in titles[1:])]


def table(results: Path) -> str:
    """A line for each interpretation: its mean, its change (`Panel`), and that as share of the gap.

    The gap is the published value minus the mean of the primary interpretation.

    Parameters
    ----------
    results : Path
        Folder of the records.

    Returns
    -------
    str, Markdown

    Raises
    ------
    InputError
        As `panels`.
    """
    lines = []
    for panel in panels(results):
        fields, primary = panel.cell.fields, panel.values["primary"]
        gap = fields["published"] - primary.mean()
        title = f"**{': '.join(panel.title)}** ({fields['verdict']})"
        lines.append([title, len(primary), _mean(primary), "", ""])
        lines.append(["published", "", number(fields["published"], panel.cell.digits), number(gap), "100 %"])
        if fields["baseline"] is not None:
            moved = fields["baseline"] - primary.mean()
            lines.append(["strongest trivial baseline", "", number(fields["baseline"]), *_moved(moved, gap)])
        for label, values in panel.values.items():
            if label != "primary":
                moved = ["–", "–"] if _diverged(values) else _moved(panel.changes[label], gap)
                lines.append([label, len(values), _mean(values), *moved])
    return report.markdown_table(["interpretation", "runs", "measured", "change", "of the gap"], lines)


def _moved(by: float, gap: float) -> list[str]:
    return [number(by), f"{100 * by / gap:.0f} %"]


def _mean(values: np.ndarray) -> str:
    return "diverged" if _diverged(values) else report.mean_of_runs(values)


def _diverged(values: np.ndarray) -> bool:
    return abs(values.mean()) > DIVERGED


def differences(results: Path) -> str:
    """A line for each of the papers' claims about two systems with published numbers: their difference, there and here.

    Parameters
    ----------
    results : Path
        Folder of the records.

    Returns
    -------
    str, Markdown

    Raises
    ------
    InputError
        If a record is damaged.
    """
    header = ["paper", "difference", "metric", "published", "measured", "95 % interval", "tested on", "claim"]
    lines = []
    for paper in _papers():
        expected = load_expected(PAPERS / paper / "expected.json")
        outcomes = judge_claims(expected, Records(results, paper))
        for claim, outcome in zip(expected["claims"], outcomes, strict=True):
            arms = _published_arms(claim, expected["cells"])
            if arms and outcome["difference"] is not None and not claim.get("own"):
                a, b = (np.mean([cell["value"] for cell in arm]) for arm in arms)
                digits = max(cell["digits"] for arm in arms for cell in arm)
                systems, targets = (_names(arms, key) for key in ("system", "target"))
                lines.append(
                    [paper, systems, f"{_metric(claim['metric'])}, {targets}", number(a - b, digits),
                     number(outcome["difference"]), interval(outcome), outcome["on"], outcome["verdict"]]
                )  # fmt: skip
    return report.markdown_table(header, lines)


def _published_arms(claim: dict, cells: list[dict]) -> list[list[dict]]:
    """The published cells of both arms of a claim; none if a variant of an arm has no such cell."""
    answers = {}  # the cell of a variant, split, metric and target
    for cell in sorted(cells, key=lambda cell: not cell["quoted"]):  # so that a paper's own replace those it quotes
        for variant in [cell["variant"], *(variant for _, variant in cell.get("stand_ins", []))]:
            answers[variant, cell["split"], cell["metric"], cell["target"]] = cell
    arms = arms_of(claim) if "b" in claim else []
    found = [
        [answers.get((name, split.removesuffix("_cuts"), claim["metric"], target)) for name in names for target in of]
        for names, split, of in arms
    ]
    return found if all(map(all, found)) else []


def _papers() -> list[str]:
    """Those of `SHOWN` that are here."""
    return [paper for paper in SHOWN if (PAPERS / paper).is_dir()]


def _names(arms: tuple[list[dict], list[dict]], key: str) -> str:
    """What the cells of both arms are of: "a minus b"; "a" if it is the same."""
    names = [list(dict.fromkeys(cell[key] for cell in arm)) for arm in arms]
    texts = [", ".join(of) for of in names]
    return texts[0] if texts[0] == texts[1] else " minus ".join(texts)


def _metric(name: str) -> str:
    return name.split("_mean_over")[0].replace("_", " ")


def draw(results: Path) -> list[Path]:
    """Draw all panels into the results folder; returns the path, in a list that is empty if nothing is recorded.

    Parameters
    ----------
    results : Path
        Folder of the records.

    Raises
    ------
    InputError
        As `panels`.
    """
    from common.report.plots import STYLE, plt, save

    shown, path = panels(results), Path(results) / FIGURE
    if not shown:
        return []
    pairs = [shown[i : i + 2] for i in range(0, len(shown), 2)]
    labels = [list(dict.fromkeys(label for panel in pair for label in panel.values)) for pair in pairs]
    heights = [len(of_pair) for of_pair in labels]
    with plt.rc_context(STYLE):
        size = (11, sum(0.85 + 0.21 * n for n in heights))
        figure, axes = plt.subplots(len(pairs), 2, figsize=size, squeeze=False, sharey="row", height_ratios=heights)
        for axis in axes.flat[len(shown) :]:
            axis.axis("off")
        for pair, of_pair, row in zip(pairs, labels, axes, strict=True):
            for panel, axis in zip(pair, row, strict=False):
                _draw(panel, of_pair, axis)
            runs = {label: {len(panel.values[label]) for panel in pair if label in panel.values} for label in of_pair}
            counted = [f"{label} ({', '.join(map(str, sorted(runs[label])))})" for label in of_pair]
            row[0].set_yticks(range(len(of_pair)), counted)
            row[0].set_ylim(len(of_pair) - 0.4, -0.6)
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
        save(figure, path)
    return [path]


def _draw(panel: Panel, labels: list[str], axis) -> None:
    """One panel: its runs and their mean on the line of each interpretation that it has."""
    from common.report.plots import BLUE, GREY, INK, ORANGE

    f, primary = panel.cell.fields, panel.values["primary"].mean()
    axis.axvline(f["published"], color=INK, ls="--", lw=1.2, label="published")
    axis.axvline(primary, color=BLUE, lw=1.2, alpha=0.5, label="primary interpretation")
    if f["baseline"] is not None:
        axis.axvline(f["baseline"], color=GREY, ls=":", lw=1.4, label="strongest trivial baseline")
    for label, values in panel.values.items():
        y, colour = labels.index(label), BLUE if label == "primary" else ORANGE
        if _diverged(values):
            axis.annotate("diverged", (0.45, y), xycoords=("axes fraction", "data"), va="center", color=colour)
            continue
        axis.plot([primary, values.mean()], [y, y], color=colour, lw=1, alpha=0.6)
        axis.plot(values, np.full(len(values), y), ".", color=colour, ms=4, alpha=0.5, mec="none")
        axis.plot(values.mean(), y, "o", color=colour, ms=5)
    axis.plot([], [], "o", color=ORANGE, label="other interpretations: mean and runs")
    axis.set_title("\n".join(panel.title) + f" ({f['verdict']})", loc="right", fontsize=8.5)
    axis.grid(axis="x", color="#e6e6e6", lw=0.7)
    axis.set_axisbelow(True)
