"""Predictions of your own next to the papers' systems, on the same songs and folds.

A board is a data set with its folds, as `python -m data_prep export` writes them. Each song is predicted by a model
that was not trained on the song's fold. The predictions are a CSV file (UTF-8) with a line for each song:

    song,valence,arousal            boards emomusic, emomusic_45s, mediaeval2015: both in [-1, 1]
    2,0.10,-0.32

or for each song and time (column time_s, in seconds from the start of the excerpt, as the labels have it); on emotify
the nine emotions in the place of valence and arousal (only their order counts), on 4q the column class. A column seed
names the repetition, whose folds differ (without it: 0); a column fold is compared with the board's. --template writes
a file to fill in.

The same metrics as of all records are computed, and the difference from two of the systems with a 95 % interval: for
other songs (paired by song, jackknife), and with several repetitions for other runs too. Entries lie in a folder of
your own (--folder), one file each, with their name and source, never among the suite's records.
"""

import sys
from pathlib import Path

from common import cli
from common.errors import InputError
from common.files import json_text, write_atomically
from common.outputs import require_output
from common.report import csv_text
from reproductions.leaderboard.boards import BOARDS, OpenBoard, open_board, recorded
from reproductions.leaderboard.entries import add, differences, entries, ranking, references, remove, score, table
from reproductions.leaderboard.predictions import template

__all__ = [
    "BOARDS",
    "OpenBoard",
    "add",
    "differences",
    "entries",
    "open_board",
    "ranking",
    "recorded",
    "references",
    "remove",
    "score",
    "table",
]
DEFAULT = "emomusic"


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.
    """
    listed = "\n".join(f"  {name:<14}{board.title}" for name, board in BOARDS.items())
    parser = cli.Parser(prog="python -m reproductions leaderboard", description=__doc__, epilog=f"boards:\n{listed}")
    option = parser.add_argument
    option("board", nargs="?", metavar="BOARD", help=f"one of those below (default: all; to change one: {DEFAULT})")
    option("--add", type=Path, metavar="CSV", help="score these predictions, and show them")
    option("--name", help="of the system that made them (default: the name of the file)")
    option("--source", default="", help="who made it, or where it is described: an address, a citation")
    option("--remove", metavar="NAME", help="remove an entry")
    option("--template", type=Path, metavar="CSV", help="write a line for each prediction of seed 0, to fill in")
    option("--folder", type=Path, default=Path("leaderboard"), metavar="DIR", help="entries (default: %(default)s/)")
    cli.add_results(option)
    option("--data-root", metavar="DIR", help="data sets, for labels over time (default: the variable MER_DATA_ROOT)")
    option("--json", action="store_true", help="by board the ranking and the differences")
    options = parser.parse_args(arguments)
    return cli.run(lambda: _leaderboard(options))


def _leaderboard(options) -> int:
    changes = [what for what in ("add", "remove", "template") if getattr(options, what)]
    if len(changes) > 1:
        raise InputError(f"--{changes[0]} and --{changes[1]}: one at a time")
    if options.name and not options.add:
        raise InputError("--name: names the system whose predictions --add reads")
    names = [options.board or DEFAULT] if options.board or changes else recorded(options.results)
    if not names:
        raise InputError(f"{options.results}: has no records of a board; --results names the folder of records")
    boards = [open_board(name, options.data_root, options.results) for name in names]
    if options.template:
        return _write_template(options.template, boards[0])
    unkept = _change(boards[0], options)
    shown = [
        (board, [*entries(options.folder, board), *unkept, *references(board, options.results)]) for board in boards
    ]
    if options.json:
        content = {
            board.name: {"ranking": ranking(board, own), "differences": differences(board, own)} for board, own in shown
        }
        print(json_text(content, options.folder, indent=1))
    else:
        print("\n\n".join(table(board, own) for board, own in shown))
    return 0


def _write_template(path: Path, board: OpenBoard) -> int:
    require_output(path, b"seed,fold,song")
    write_atomically(path, csv_text(template(board)).encode())
    print(f"{path}: fill in the values; the board has folds of the seeds {', '.join(map(str, sorted(board.folds)))}")
    return 0


def _change(board: OpenBoard, options) -> list[dict]:
    """Add or remove an entry; returns it where it is not kept, as of synthetic music."""
    if options.remove:
        remove(options.folder, board.name, options.remove)
    if not options.add:
        return []
    entry = score(board, options.add, options.name or options.add.stem, options.source)
    if board.name == "synthetic":
        return [entry]
    print(f"kept: {add(options.folder, entry)}\n", file=sys.stderr)
    return []
