"""What the pages of results show, as values for their templates."""

import re
from pathlib import Path

import numpy as np

from common import report
from common.verdict.board import Row
from common.verdict.board import datasets as datasets_of_cells
from common.verdict.claims import judge_claims
from common.verdict.recorded import Records, contributor, coverage_of, headline
from data_prep import DATASETS, dataset_class
from reproductions.board import PAPERS, VERDICTS, history
from reproductions.site import outcome, readme

QUOTED = ("Findings", "What in the paper does not agree", "Deviations and assumptions")  # sections on a paper's page


def results(expected: list[dict], rows: dict[str, list[Row]]) -> dict:
    """The first page: the outcome of each paper, then all cells; what was compared comes first in both.

    Parameters
    ----------
    expected : list of dict
        The `expected.json` of each paper.
    rows : dict of str to list of Row
        By paper.

    Returns
    -------
    dict
        The values of `board.html`.
    """
    cells = sorted((row for of_paper in rows.values() for row in of_paper), key=outcome.rank)
    papers = [_summary(of_paper, rows[of_paper["paper"]]) for of_paper in expected if rows[of_paper["paper"]]]
    papers.sort(key=lambda paper: (paper["example"], paper["rank"]))
    meanings = readme.verdict_meanings(VERDICTS)
    return {
        "summaries": papers, "rows": list(map(fields, cells)), "counts": _counts(cells),
        "meanings": {verdict: readme.html(meanings[verdict]) for verdict in outcome.VERDICTS},
        "rule": readme.html(readme.sections(VERDICTS)["Cells"]),
    }  # fmt: skip


def _summary(expected: dict, rows: list[Row]) -> dict:
    abstract = readme.sections(_readme(expected))["Abstract"]
    shown = outcome.shown_at_a_glance(outcome.summary(rows))
    return {
        "paper": expected["paper"], "title": expected["title"], "counts": _counts(rows),
        "example": expected.get("exclude_from_totals", False), "rank": min(map(outcome.rank, rows)),
        "sentence": readme.html(readme.first_sentence(abstract)),
        "panels": _panels(shown), "n_left_out": len(rows) - len(shown),
    }  # fmt: skip


def _counts(rows: list[Row]) -> dict[str, int]:
    """How often each verdict comes out, those that do."""
    verdicts = [row.fields["verdict"] for row in rows]
    return {verdict: verdicts.count(verdict) for verdict in outcome.VERDICTS if verdict in verdicts}


def _panels(rows: list[Row]) -> list[dict]:
    panels = outcome.panels(rows)
    return [panel | {"marks": [(fields(row), places) for row, places in panel["marks"]]} for panel in panels]


def fields(row: Row) -> dict:
    """The fields of a row, and what else templates need.

    Parameters
    ----------
    row : Row

    Returns
    -------
    dict
        By `BOARD_KEYS`, and digits, note, rank, and page: the address of the page about its measurement.
    """
    return row.fields | {"digits": row.digits, "note": row.note, "rank": outcome.rank(row), "page": _page(row)}


def _page(row: Row) -> str:
    """The address of the page of the variant that answers for a cell; without one, of the cell's system."""
    if row.fields["variant"]:
        return "variants/{paper}/{dataset}/{variant}.html".format(**row.fields)
    name = re.sub(r"[^a-z0-9]+", "-", "{source} {system}".format(**row.fields).lower()).strip("-")
    return f"systems/{row.fields['paper']}/{name}.html"


def _readme(expected: dict) -> Path:
    return PAPERS / expected["paper"] / "README.md"


def paper(expected: dict, records: Records, rows: list[Row], figures: list[Path]) -> dict:
    """The page of a paper.

    Parameters
    ----------
    expected : dict
        The paper's `expected.json`.
    records : Records
    rows : list of Row
        All cells of the paper.
    figures : list of Path
        As from `drawings.draw`.

    Returns
    -------
    dict
        The values of `paper.html`.

    Raises
    ------
    InputError
        As `judge_claims`.
    """
    texts, summary = readme.sections(_readme(expected)), outcome.summary(rows)
    return {
        "paper": expected, "counts": _counts(rows), "outcome": _panels(summary), "figures": figures,
        "others": _panels([row for row in rows if row not in summary]),
        "claims": judge_claims(expected, records), "about": readme.html(texts["Abstract"]),
        "sections": {name: readme.html(texts[name]) for name in QUOTED if name in texts},
        "log": readme.html(history(records.results, expected)),
    }  # fmt: skip


def systems(expected: dict, records: Records, rows: list[Row]) -> dict[str, dict]:
    """The pages that cells lead to: settings, runs, command, and the README's words; or why nothing is recorded.

    Parameters
    ----------
    expected : dict
        The paper's `expected.json`.
    records : Records
    rows : list of Row
        All cells of the paper.

    Returns
    -------
    dict of str to dict
        By address the values of `system.html`. There is one for each variant that answers for a cell, and one for each
        system that none answers for.
    """
    texts, meanings = readme.sections(_readme(expected)), readme.verdict_meanings(VERDICTS)
    pages = {}
    for row in rows:
        pages.setdefault(_page(row), []).append(row)
    for address, of_page in pages.items():
        first = of_page[0].fields
        record = records.get(first["dataset"], first["variant"])
        names = dict.fromkeys(row.fields["system"] for row in of_page)
        pages[address] = {
            "expected": expected, "dataset": first["dataset"], "variant": first["variant"], "source": first["source"],
            "rows": list(map(fields, of_page)), "title": record["title"] if record else ", ".join(names),
            "passages": _passages(expected, of_page, texts), "linked": QUOTED,
            "record": record and _record(record, first["split"]), "command": _command(expected, of_page[0]),
            "reason": None if record else _reason(expected, of_page[0], meanings),
            "verified": first["verified"], "contributed": first["contributed"],
        }  # fmt: skip
    return pages


def _passages(expected: dict, rows: list[Row], texts: dict[str, str]) -> list[tuple]:
    """The README's words about the systems of a page: heading, number of the item, HTML."""
    of_cells = {cell["id"]: cell for cell in expected["cells"]}
    cells = [of_cells[row.fields["cell"]] for row in rows]
    variants = {name for cell in cells for name in (cell["variant"], *cell["alternatives"]) if name}
    variants |= {row.fields["variant"] for row in rows if row.fields["variant"]}
    named = [cell["source"] for cell in cells if not variants] + [cell["system"] for cell in cells]
    passages = dict.fromkeys(of for name in dict.fromkeys(named) for of in readme.passages_about(texts, name, variants))
    return [(*place, readme.html(text)) for *place, text in passages]


def _reason(expected: dict, row: Row, meanings: dict[str, str]) -> str:
    """Why there is no record for a cell."""
    (cell,) = (cell for cell in expected["cells"] if cell["id"] == row.fields["cell"])
    if "counted" in cell:
        return "the number follows from the layers of the network; nothing is trained, and a test counts it"
    return cell.get("reason") or meanings[row.fields["verdict"]]


def _record(record: dict, split: str) -> dict:
    """What the page of a variant says about its record."""
    runs = [run.get("provenance", {}) for run in record["runs"]]
    made = {key: sorted({str(run[key]) for run in runs if run.get(key)}) for key in ("commit", "device", "finished")}
    return {
        "settings": flat(record["settings"]), "covers": report.coverage(coverage_of(record["facts"], split)),
        "n_runs": len(runs), **made,
    }  # fmt: skip


def flat(settings: dict, prefix: str = "") -> dict:
    """Nested settings as {"network.length": 20, ...}.

    Parameters
    ----------
    settings : dict
    prefix : str
        Put before each name.

    Returns
    -------
    dict
    """
    named = {}
    for key, value in settings.items():
        named |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return named


def _command(expected: dict, row: Row) -> str | None:
    """The command that derives a recorded variant again, or trains one that is not recorded, or counts parameters."""
    paper, dataset, variant = (row.fields[name] for name in ("paper", "dataset", "variant"))
    if row.fields["record"]:
        return f"python -m reproductions verify --data-root DATA --paper {paper} {dataset}/{variant}"
    if variant is None:
        return f"python -m pytest tests/test_{paper}.py -k counted" if row.comparison else None
    chosen = f" --dataset {dataset}" if len(datasets_of_cells(expected)) > 1 else ""
    return f"python -m reproductions.{paper}.train --data-root DATA{chosen} --variant {variant}"


def datasets(records: dict[str, Records]) -> dict[str, dict]:
    """The page of each data set: how to cite it, and the records on it.

    Parameters
    ----------
    records : dict of str to Records
        By paper.

    Returns
    -------
    dict of str to dict
        By data set, in alphabetical order, the values of `dataset.html`; citation and source are empty texts where they
        are not known.
    """
    described = {}
    for name in DATASETS:
        kind = dataset_class(name)
        described[name] = {"citation": kind.citation, "source": kind.source}
    pages = {}
    for of_paper in records.values():
        for dataset in of_paper.datasets():
            page = {"citation": "", "source": ""} | described.get(dataset, {}) | {"records": []}
            pages.setdefault(dataset, page)["records"] += _lines(of_paper, dataset)
    return dict(sorted(pages.items()))


def _lines(records: Records, dataset: str) -> list[dict]:
    """A line for each record of a paper on a data set."""
    lines = []
    for name in sorted(path.stem for path in records.path(dataset, "").parent.glob("*.json")):
        record = records.get(dataset, name)
        if record is None:
            continue
        split, metric, targets = headline(record)
        values = [run["metrics"][split][metric][targets[-1]] for run in record["runs"]]
        lines.append({
            "paper": records.paper, "title": record["title"], "runs": len(values), "mean": float(np.mean(values)),
            "page": f"variants/{records.paper}/{dataset}/{name}.html",
            "covers": _covers(record, split), "metric": metric,
            "on": f"{targets[-1]}, {split}", "deviation": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        })  # fmt: skip
    return lines


def _covers(record: dict, split: str) -> str:
    """What a record covers, and who contributed it."""
    who = contributor(record)
    return report.coverage(coverage_of(record["facts"], split)) + (f"; contributed by {who}" if who else "")
