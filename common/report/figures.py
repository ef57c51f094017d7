"""Which figures the records of a paper allow, and where they are kept: in `figures`, next to the records."""

import importlib
import importlib.util
from pathlib import Path

import matplotlib.pyplot as plt

from common.report import plots
from common.verdict import board
from common.verdict.recorded import Records


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
        rows = [row for row in board.join(expected, records) if row.fields["record"]]
        drawn += _confusions(expected, records)
        if against_published:
            drawn += _against_published(rows, records)
        return drawn + _against_annotated(rows, records) + _training(rows, records)


def _folder(records: Records, dataset: str) -> Path:
    return records.path(dataset, "").parent / "figures"


def _confusions(expected: dict, records: Records) -> list[Path]:
    """One figure a data set with classes, a collection of the user's own among them."""
    drawn = []
    for dataset in records.datasets():
        cells = [cell for cell in expected["cells"] if dataset in (cell["dataset"], *cell.get("stand_in", []))]
        split_of = {cell["variant"]: cell["split"] for cell in cells or expected["cells"]}
        recorded = {name: record for name in split_of if (record := records.get(dataset, name))}
        of_classes = {name: record for name, record in recorded.items() if "predicted" in record["runs"][0]}
        if of_classes:
            drawn.append(_folder(records, dataset) / "confusion.png")
            plots.confusion(of_classes, split_of, drawn[-1])
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


def _training(rows: list[board.Row], records: Records) -> list[Path]:
    """One figure a table of the paper: the networks that are shown in it."""
    tables, drawn = {}, []
    for fields in (row.fields for row in rows if not row.fields["quoted"]):
        record = records.get(fields["dataset"], fields["variant"])
        history = record["runs"][0].get("history", [{}])[0]
        if "loss" in history and set(history) <= {"loss", "validation_loss"}:  # others have figures of their own
            tables.setdefault((fields["dataset"], fields["source"]), {})[fields["variant"]] = record
    for (dataset, source), trained in tables.items():
        several = sum(other == dataset for other, _ in tables) > 1
        which = f"_{source}".lower().replace(" ", "_") if several else ""
        drawn.append(_folder(records, dataset) / f"training_curves{which}.png")
        plots.training_curves(trained, drawn[-1])
    return drawn
