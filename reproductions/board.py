"""All papers together: their cells and claims with what is recorded, and the generated parts of READMEs and pages."""

import importlib
import importlib.util
from pathlib import Path

from common import report
from common.places import DOCS, RESULTS, ROOT
from common.verdict.board import Row, join, load_expected
from common.verdict.claims import judge_claims
from common.verdict.recorded import Records, headline
from reproductions import benchmarks, cards, cross_dataset, lessons, log, simulations

PAPERS = Path(__file__).parent
VERDICTS = DOCS / "verdicts.md"
RESULTS_KEY = (
    "Baseline: the best prediction that uses no audio. Prediction interval: that of a `partial` cell or an "
    "`approximation` is shown and not judged; a dash marks a stand-in, one run or a number of parameters. "
    "[Verdicts](../../docs/verdicts.md)."
)
INTERVAL = "In brackets: the 95 % interval of the mean, corrected for the songs that splits share."
ORACLE = "An oracle is no system: it knows the labels of the songs that it is tested on."


def papers() -> list[dict]:
    """The expected tables of all papers, by folder name."""
    return [load_expected(path) for path in sorted(PAPERS.glob("*/expected.json"))]


def rows(results: Path) -> list[Row]:
    """All cells of all papers with what is recorded.

    Parameters
    ----------
    results : Path
        Folder of the records.

    Returns
    -------
    list of Row

    Raises
    ------
    InputError
        If a record is damaged, or lacks what a cell asks for.
    """
    return [row for expected in papers() for row in join(expected, Records(results, expected["paper"]))]


def counts(cells: list[Row]) -> str:
    """How often each verdict comes out; papers that are here as an example are not part of the totals.

    Parameters
    ----------
    cells : list of Row
        Of all papers.

    Returns
    -------
    str
        As of `common.report.counts`; behind it those of each example.
    """
    excluded = [expected["paper"] for expected in papers() if expected.get("exclude_from_totals")]
    text = report.counts([row for row in cells if row.fields["paper"] not in excluded])
    apart = [f"{name}, {report.counts([row for row in cells if row.fields['paper'] == name])}" for name in excluded]
    return text + f"; not in these totals: {'; '.join(apart)}" * bool(apart)


def other_variants(results: Path) -> str:
    """A table of all that is recorded and answers for no published cell, by the metric of the paper's primary cells.

    Parameters
    ----------
    results : Path
        Folder of the records.

    Returns
    -------
    str
        If there is no such record, a sentence that says so.

    Raises
    ------
    InputError
        If a record is damaged.
    """
    lines = []
    for expected in papers():
        records, cells = Records(results, expected["paper"]), expected["cells"]
        answering = {(row.fields["dataset"], row.fields["variant"]) for row in join(expected, records)}
        there = {(dataset, name) for dataset in records.datasets() for name in records.variants(dataset)}
        for dataset, name in sorted(there - answering):
            if record := records.get(dataset, name):
                split, metric, targets = _shown(record, cells)
                shown = targets if len(targets) <= 3 else targets[-1:]  # of nine emotions the average alone
                values, runs = report.measured(record, split, metric, shown), str(len(record["runs"]))
                lines.append([expected["paper"], dataset, name, f"{metric}, {split}", values, runs, record["title"]])
    header = ["paper", "data set", "variant", "metric", "measured", "runs", "what it is"]
    return report.text_table(header, lines) if lines else f"{results}: every record answers for a published cell."


def _shown(record: dict, cells: list[dict]) -> tuple[str, str, list[str]]:
    """Split, metric and targets of the first primary cell that a record has too; else what stands for the record."""
    of_run = record["runs"][0]["metrics"]
    for cell in [cell for cell in cells if cell["primary"]]:
        if cell["metric"] in (by_metric := of_run.get(cell["split"], {})):
            return cell["split"], cell["metric"], list(by_metric[cell["metric"]])
    return headline(record)


def claims(results: Path) -> list[dict]:
    """All claims of all papers, tested on what is recorded.

    Parameters
    ----------
    results : Path
        Folder of the records.

    Returns
    -------
    list of dict
        As of `judge_claims`.

    Raises
    ------
    InputError
        As `judge_claims`.
    """
    return [c for e in papers() for c in judge_claims(e, Records(results, e["paper"]))]


def own_tables(records: Records) -> dict[str, str]:
    """Tables of a paper's own: what `generated` in the module `tables` of its folder returns.

    Parameters
    ----------
    records : Records
        Of the paper.

    Returns
    -------
    dict of str to str
        Markdown by the mark in the README; empty if the paper has no such module.
    """
    module = f"reproductions.{records.paper}.tables"
    return importlib.import_module(module).generated(records) if importlib.util.find_spec(module) else {}


def history(results: Path, expected: dict) -> str:
    """The reproduction log of a paper, and the cells that contributed records answer for.

    Parameters
    ----------
    results : Path
        Folder of the records.
    expected : dict
        The paper's `expected.json`.

    Returns
    -------
    str, Markdown

    Raises
    ------
    InputError
        If a record, or the file of verifications, is damaged.
    """
    rows = log.contributed_rows(results, expected)
    tables = [report.board(rows, report.markdown_table)] if rows else []
    return "\n\n".join([log.table(results, expected["paper"]), *tables])


def generated(results: Path) -> dict[Path, str]:
    """The READMEs and the pages in docs/ with their generated parts made anew.

    Parameters
    ----------
    results : Path
        Folder of the records.

    Returns
    -------
    dict of Path to str
        The complete text of each file.

    Raises
    ------
    InputError
        If a record is damaged, or a file lacks the marks of a generated part.
    """
    cells = rows(results)
    board = counts(cells) + ".\n\n" + report.summary(cells, report.markdown_table)
    recorded = benchmarks.generated(results)
    pages = {
        ROOT / "README.md": {"board": board},
        DOCS / "findings.md": {"cross_dataset": cross_dataset.table(results, report.markdown_table)},
        lessons.PAGE: {"differences": lessons.differences(results), "interpretations": lessons.table(results)},
        VERDICTS: simulations.tables(RESULTS / "verdicts"),
        benchmarks.FAQ: recorded.get(benchmarks.FAQ, {}) | {"flags": cards.flags_table()},
        benchmarks.PERFORMANCE: recorded.get(benchmarks.PERFORMANCE, {}),
    }
    texts = {path: report.replace_generated(path, parts) for path, parts in pages.items()}
    for expected in papers():
        path, records = PAPERS / expected["paper"] / "README.md", Records(results, expected["paper"])
        measured = [row for row in join(expected, records) if row.fields["measured"] is not None]
        tables = [RESULTS_KEY, report.board(measured, report.markdown_table)] if measured else []
        for dataset, split, metrics, variants in expected["variant_tables"]:
            for metric in metrics if isinstance(metrics, list) else [metrics]:
                inputs = {record["facts"]["input"] for name in variants if (record := records.get(dataset, name))}
                of_input = f", {inputs.pop()}" if len(inputs) == 1 else ""
                on = f"{metric} on {dataset}, {split}{of_input}"
                title = f"All variants: {on}, mean over runs (last column: ± deviation)"
                table = report.variants_table(records, dataset, split, metric, variants)
                table += f"\n\n{INTERVAL}" if " … " in table else ""
                table += f"\n\n{ORACLE}" if "oracle:" in table else ""
                tables.append(f"<details><summary>{title}</summary>\n\n{table}\n\n</details>")
        judged = report.claims_table(judge_claims(expected, records), report.markdown_table)
        parts = {"results": "\n\n".join(tables), "claims": judged, "log": history(results, expected)}
        parts |= {**recorded.get(path, {}), **own_tables(records)}
        texts[path] = report.replace_generated(path, parts)
    return texts | cards.generated(results, papers())
