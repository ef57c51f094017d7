"""The board: every published cell of every paper, what was measured, and the verdict."""

import sys
from pathlib import Path

from common import cli, report
from common.errors import InputError
from common.files import json_text
from common.verdict.recorded import Records
from reproductions import beyond
from reproductions.board import ROOT, claims, counts, generated, papers, rows


def main(arguments: list[str] | None = None) -> int:
    """Print the board, or what another command does; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["compare"]:
        return beyond.main(arguments[1:])
    if arguments[:1] == ["verify"]:
        from reproductions import verify

        return verify.main(arguments[1:])
    if arguments[:1] == ["report"]:
        from reproductions.site import build

        return build.main(arguments[1:])
    epilog = (
        "python -m reproductions report: a static site of all this; compare: models on each other's data sets; "
        "python -m data_prep export: the splits and predictions behind it."
    )
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
        from common.report import figures

        for expected in papers():
            records = Records(options.results, expected["paper"])
            for path in figures.draw_all(expected, records, f"reproductions.{expected['paper']}"):
                print(path)
    elif options.claims:
        judged = claims(options.results)
        print(json_text(judged, options.results, indent=1) if options.json else report.claims_table(judged))
    else:
        cells = rows(options.results)
        if options.json:
            print(json_text([row.fields for row in cells], options.results, indent=1))
        else:
            print(report.board(cells) + "\n\nbeyond the papers\n" + beyond.table(options.results))
            print("\n" + counts(cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
