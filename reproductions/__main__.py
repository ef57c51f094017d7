"""The board: every published cell of every paper, what was measured, and the verdict."""

import importlib
import sys

from common import cli, report
from common.errors import InputError
from common.files import json_text, write_atomically
from common.places import ROOT
from common.verdict.recorded import Records
from reproductions import cross_dataset, lessons, release
from reproductions.board import claims, counts, generated, other_variants, papers, rows

COMMANDS = {  # each in a module of its own, whose --help says more
    "predict": ("reproductions.predict", "valence and arousal of your own recordings, by the best model"),
    "app": ("reproductions.app.command", "a local page to drop songs on: predictions while they play"),
    "verify": ("reproductions.verify", "derive recorded numbers again, and compare"),
    "compare": ("reproductions.cross_dataset", "papers' models across data sets"),
    "leaderboard": ("reproductions.leaderboard", "your predictions next to the papers' systems, on the same folds"),
    "import": ("reproductions.contributions", "records that holders of other data contribute"),
    "report": ("reproductions.site.build", "a static site of all results"),
    "calibrate": ("reproductions.calibrate", "how predictions of saved weights err, measured again"),
    "new": ("reproductions.new", "a folder for a new paper, which trains and passes its tests at once"),
}
EPILOG = "\n".join(
    ["commands (python -m reproductions COMMAND --help):"]
    + [f"  {name:<11} {purpose}" for name, (_, purpose) in COMMANDS.items()]
    + ["python -m data_prep export writes the splits and predictions behind the numbers."]
)


def main(arguments: list[str] | None = None) -> int:
    """Print the board, or run another command; returns the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in COMMANDS:
        return importlib.import_module(COMMANDS[arguments[0]][0]).main(arguments[1:])
    parser = cli.Parser(prog="python -m reproductions", description=__doc__, epilog=EPILOG)
    add = parser.add_argument
    add("command", nargs="?", metavar="COMMAND", help="one of the commands below (default: the board)")
    cli.add_results(add)
    add("--json", action="store_true", help="one array of objects, a cell each")
    add("--claims", action="store_true", help="the papers' claims instead of their cells")
    add("--variants", action="store_true", help="what is recorded and answers for no published cell, as your variants")
    add("--version", action="store_true", help="version, and digests of records and weights")
    add("--write", action="store_true", help="make the tables in the READMEs and the figures anew")
    options = parser.parse_args(arguments)
    if options.command:
        parser.error(f"unknown command '{options.command}': there are {', '.join(COMMANDS)}")
    return cli.run(lambda: _board(options))


def _board(options) -> int:
    if options.version:
        print(release.summary(options.results))
    elif options.write:
        if not (ROOT / "results").is_dir():
            raise InputError("--write: makes files of a checkout of this project anew; run it in one")
        for path, text in generated(options.results).items():
            write_atomically(path, text.encode())
            print(path.relative_to(ROOT))
        from common.report import figures

        for expected in papers():
            records = Records(options.results, expected["paper"])
            for path in figures.draw_all(expected, records, f"reproductions.{expected['paper']}"):
                print(path)
        for path in lessons.draw(options.results):
            print(path)
    elif options.variants:
        print(other_variants(options.results))
    elif options.claims:
        judged = claims(options.results)
        print(json_text(judged, options.results, indent=1) if options.json else report.claims_table(judged))
    else:
        cells = rows(options.results)
        if options.json:
            print(json_text([row.fields for row in cells], options.results, indent=1))
        else:
            print(report.board(cells) + "\n\nacross data sets\n" + cross_dataset.table(options.results))
            print("\n" + counts(cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
