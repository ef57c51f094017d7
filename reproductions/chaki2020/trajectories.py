"""Figures 1 and 2: what both networks predict for clips 2 and 584, with the annotation, which is with the data."""

import sys
from pathlib import Path

from common import cli
from common.errors import InputError
from common.verdict.recorded import Records
from data_prep.base import required_data_root
from data_prep.emomusic import Emomusic
from reproductions.chaki2020.clips import SHOWN


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.
    """
    parser = cli.Parser(prog="python -m reproductions.chaki2020.trajectories", description=__doc__)
    add = parser.add_argument
    add("--data-root", metavar="DIR", help="folder of the data sets (default: the variable MER_DATA_ROOT)")
    cli.add_results(add)
    options = parser.parse_args(arguments)
    return cli.run(lambda: _main(options))


def _main(options) -> int:
    root = required_data_root(options.data_root)
    print(draw(Emomusic(root), Records(options.results, "chaki2020")))
    return 0


def draw(data: Emomusic, records: Records) -> Path:
    """Draw both clips next to the records; returns the path.

    Parameters
    ----------
    data : Emomusic
    records : Records

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If a network is not recorded with its predictions of both clips, or labels are missing or malformed.
    """
    from common.report.plots import STYLE, plt
    from reproductions.chaki2020 import figures

    recorded = {variant: records.get(figures.DATASET, variant) for variant in figures.PAIR}
    for variant, record in recorded.items():
        if record is None or "trajectories" not in record["runs"][0]:
            train = f"python -m reproductions.chaki2020.train --variant {variant} --out {records.results}"
            raise InputError(
                f"{records.path(figures.DATASET, variant)}: no predictions of both clips there; run {train}"
            )
    annotations, path = data.annotations(), records.path(figures.DATASET, "").parent / "figures" / "trajectories.png"
    labels = {song: annotations[song].values for song in SHOWN}
    with plt.rc_context(STYLE):
        figures.trajectories(recorded, annotations[next(iter(SHOWN))].times, labels, SHOWN, path)
    return path


if __name__ == "__main__":
    sys.exit(main())
