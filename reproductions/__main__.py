"""The board: every published cell of every paper, what was measured, and the verdict."""

import json
import sys
from pathlib import Path

from common import cli, published, report
from common.errors import InputError
from reproductions import beyond

ROOT = Path(__file__).parents[1]
PAPERS = Path(__file__).parent


def papers() -> list[dict]:
    """The expected tables of all papers, by folder name."""
    return [published.load_expected(path) for path in sorted(PAPERS.glob("*/expected.json"))]


def rows(results: Path, *, readings: bool = False) -> list[published.Row]:
    """All cells of all papers beside what is recorded under `results`."""
    joined = (published.join(e, published.Records(results, e["paper"]), readings=readings) for e in papers())
    return [row for part in joined for row in part]


def counts(every: list[published.Row]) -> str:
    """How often each verdict comes out; papers that are here as an example are counted apart."""
    apart = [expected["paper"] for expected in papers() if expected.get("apart")]
    told = report.counts([row for row in every if row.fields["paper"] not in apart])
    for paper in apart:
        told += f"; apart from these {paper}, {report.counts([r for r in every if r.fields['paper'] == paper])}"
    return told


def claims(results: Path) -> list[dict]:
    """All claims of all papers, tested on what is recorded under `results`."""
    return [c for e in papers() for c in published.judge_claims(e, published.Records(results, e["paper"]))]


def generated(results: Path) -> dict[Path, str]:
    """The READMEs with their generated parts made anew: {file: text}."""
    every = rows(results)
    board = counts(every) + ".\n\n" + report.summary(every, report.markdown_table)
    parts = {"board": board, "beyond": beyond.table(results, report.markdown_table)}
    texts = {ROOT / "README.md": report.replace_generated(ROOT / "README.md", parts)}
    for expected in papers():
        path, records = PAPERS / expected["paper"] / "README.md", published.Records(results, expected["paper"])
        measured = [row for row in published.join(expected, records) if row.fields["record"]]
        tables = [report.board(measured, report.markdown_table)]
        for dataset, split, metrics, variants in expected["beside"]:
            for metric in metrics if isinstance(metrics, list) else [metrics]:
                inputs = {record["facts"]["input"] for name in variants if (record := records.get(dataset, name))}
                heard = f", {inputs.pop()}" if len(inputs) == 1 else ""
                title = f"All variants: {metric} on {dataset}, {split}{heard}, mean over runs (average: ± deviation)"
                table = report.variants_table(records, dataset, split, metric, variants)
                tables.append(f"<details><summary>{title}</summary>\n\n{table}\n\n</details>")
        judged = report.claims_table(published.judge_claims(expected, records), report.markdown_table)
        texts[path] = report.replace_generated(path, {"results": "\n\n".join(tables), "claims": judged})
    return texts


def main(arguments: list[str] | None = None) -> int:
    """Print the board, or what another command does; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["compare"]:
        return beyond.main(arguments[1:])
    if arguments[:1] == ["report"]:
        from reproductions.site import build

        return build.main(arguments[1:])
    epilog = "python -m reproductions report: a static site of all this; compare: models on each other's data sets."
    parser = cli.Parser(prog="python -m reproductions", description=__doc__, epilog=epilog)
    add = parser.add_argument
    add("--results", type=Path, default=ROOT / "results", metavar="DIR", help="records (default: the suite's)")
    add("--json", action="store_true", help="one array of objects, a cell each")
    add("--claims", action="store_true", help="the papers' claims instead of their cells")
    add("--write", action="store_true", help="make the tables in the READMEs and the figures anew")
    options = parser.parse_args(arguments)
    return cli.run(lambda: _board(options))


def _board(options) -> int:
    if not options.results.is_dir():
        raise InputError(f"{options.results}: no such folder of records")
    if options.write:
        for path, text in generated(options.results).items():
            path.write_text(text)
            print(path.relative_to(ROOT))
        from common import plots

        for expected in papers():
            for path in plots.draw_all(expected, published.Records(options.results, expected["paper"])):
                print(path)
    elif options.claims:
        found = claims(options.results)
        print(json.dumps(found, indent=1, ensure_ascii=False) if options.json else report.claims_table(found))
    else:
        found = rows(options.results)
        if options.json:
            print(json.dumps([row.fields for row in found], indent=1, ensure_ascii=False))
        else:
            print(report.board(found) + "\n\nbeyond the papers\n" + beyond.table(options.results))
            print("\n" + counts(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
