"""Which figures the records of a paper allow, and where they are kept: in `figures`, next to the records."""

import importlib
import importlib.util
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt

from common.report import plots
from common.verdict import board
from common.verdict.recorded import Records, headline


def draw_all(expected: dict, records: Records, package: str, *, against_published: bool = True) -> list[Path]:
    """All figures of a paper that its records allow.

    Parameters
    ----------
    expected : dict
        The paper's `expected.json`.
    records : Records
    package : str
        Of the paper. A module `figures` in it draws its own figures: `draw(records)` returns their paths.
    against_published : bool
        False: without measured against published values, which the site shows as tables.

    Returns
    -------
    list of Path
    """
    with plt.rc_context(plots.STYLE):
        own = f"{package}.figures"
        drawn = importlib.import_module(own).draw(records) if importlib.util.find_spec(own) else []
        rows, cells = [row for row in board.join(expected, records) if row.fields["record"]], _cells(expected, records)
        drawn += _confusions(cells, records) + _accuracies(expected, records) + _along(expected, records)
        if against_published:
            drawn += _against_published(rows, records)
        return drawn + _against_annotated(rows, records) + _training(cells, records)


def _folder(records: Records, dataset: str) -> Path:
    return records.path(dataset, "").parent / "figures"


def _cells(expected: dict, records: Records) -> list[dict]:
    """The published cells whose variants are recorded, each with the data set and the variant of the record.

    A collection of the user's own, which no cell is of, has those of all variants that are recorded there.
    """
    own, recorded = [name for name in records.datasets() if name not in board.datasets(expected)], []
    for cell in expected["cells"]:
        places = [(name, cell["variant"]) for name in (cell["dataset"], *own)]
        places += cell.get("stand_ins", [])
        recorded += [
            cell | {"dataset": name, "variant": variant} for name, variant in places if records.get(name, variant)
        ]
    return recorded


def _confusions(cells: list[dict], records: Records) -> list[Path]:
    """One figure a data set with classes."""
    split_of, drawn = {}, []
    for cell in cells:
        if "predicted" in records.get(cell["dataset"], cell["variant"])["runs"][0]:
            split_of.setdefault(cell["dataset"], {})[cell["variant"]] = cell["split"]
    for dataset, variants in split_of.items():
        drawn.append(_folder(records, dataset) / "confusion.png")
        plots.confusion({name: records.get(dataset, name) for name in variants}, variants, drawn[-1])
    return drawn


def _accuracies(expected: dict, records: Records) -> list[Path]:
    """One figure a data set with classes and a table of variants: the accuracy of every run."""
    drawn = []
    for dataset in records.datasets():
        tables = []
        for _, split, metrics, names in expected["variant_tables"]:
            recorded = {
                name: record
                for name in names
                if (record := records.get(dataset, name)) and (split, "accuracy") == headline(record)[:2]
            }
            if "accuracy" in metrics and recorded:
                tables.append((recorded, split))
        published = {
            cell["variant"]: cell["value"]
            for cell in expected["cells"]
            if (cell["dataset"], cell["metric"]) == (dataset, "accuracy")
        }
        for number, (recorded, split) in enumerate(tables, 1):
            which = f"_{number}" if len(tables) > 1 else ""
            drawn.append(_folder(records, dataset) / f"accuracy_of_runs{which}.png")
            plots.accuracy_of_runs(recorded, split, published, drawn[-1])
    return drawn


def _along(expected: dict, records: Records) -> list[Path]:
    """One figure a data set and entry of `figures`, if two numbers of its first line are recorded."""
    drawn = []
    for dataset, figure in product(records.datasets(), expected.get("figures", [])):
        metric, target, lines = figure["metric"], figure["target"], []
        for line in figure["lines"]:
            of_line = [(x, name, records.get(dataset, name)) for x, name in line["variants"]]
            recorded = [(record["facts"].get(x, x), name) for x, name, record in of_line if record]
            for split in line["splits"]:
                runs = {x: records.values(dataset, name, split, metric, target) for x, name in recorded}
                lines.append((line["label"], split, runs))
        if len(lines[0][2]) > 1:
            drawn.append(_folder(records, dataset) / f"{figure['name']}.png")
            plots.score_along(lines, figure["along"], metric, drawn[-1])
    return drawn


def _against_published(rows: list[board.Row], records: Records) -> list[Path]:
    """Measured against published values, one figure a table and metric of the paper."""
    groups, drawn = {}, []
    for row in rows:
        group = tuple(row.fields[name] for name in ("dataset", "source", "split", "metric"))
        groups.setdefault(group, []).append(row)
    for (dataset, source, split, metric), cells in groups.items():
        which = f"_{source}_{split}".lower().replace(" ", "_")
        if sum(group[0] == dataset for group in groups) == 1:
            which = ""
        elif sum(group[:3] == (dataset, source, split) for group in groups) > 1:
            which += f"_{metric}"
        if any(row.fields["verdict"] != "stand-in" for row in cells):
            drawn.append(_folder(records, dataset) / f"measured_against_published{which}.png")
            plots.measured_against_published(cells, drawn[-1])
    return drawn


def _against_annotated(rows: list[board.Row], records: Records) -> list[Path]:
    """Predictions against annotations, one figure a variant whose record has both."""
    drawn = []
    for dataset, name in dict.fromkeys((row.fields["dataset"], row.fields["variant"]) for row in rows):
        record = records.get(dataset, name)
        if "reference_z" in record["facts"]:
            drawn.append(_folder(records, dataset) / f"predicted_against_annotated_{name}.png")
            plots.predicted_against_annotated(record, drawn[-1])
    return drawn


def _training(cells: list[dict], records: Records) -> list[Path]:
    """One figure a table of the paper: the networks that are shown in it."""
    tables, drawn = {}, []
    for cell in cells:
        record = records.get(cell["dataset"], cell["variant"])
        history = record["runs"][0].get("history", [{}])[0]
        if not cell["quoted"] and "loss" in history and "epoch" not in history:  # others have figures of their own
            tables.setdefault((cell["dataset"], cell["source"]), {})[cell["variant"]] = record
    for (dataset, source), trained in tables.items():
        several = sum(other == dataset for other, _ in tables) > 1
        which = f"_{source}".lower().replace(" ", "_") if several else ""
        drawn.append(_folder(records, dataset) / f"training_curves{which}.png")
        plots.training_curves(trained, drawn[-1])
    return drawn
