"""A static site of all that is recorded: the outcome of each paper, all cells with filters, the leaderboard, and a page
for each paper, system, data set, and recording at hand.

It needs no network and no server: open index.html. Recordings that are named (--audio) have a page each, with a
picture of their mel spectrogram and what every model of the suite predicts. Made again into the same folder, only what
has changed is drawn anew.
"""

import sys
from pathlib import Path

from common import backend, cli, report
from common.files import NAME, write_atomically
from common.outputs import require_output_folder
from common.verdict.board import join
from common.verdict.recorded import Records
from reproductions import board, cross_dataset, leaderboard

TEMPLATES = Path(__file__).parent / "templates"
METRICS = {"r2": "R²", "pearson r": "Pearson's r", "kendall tau": "Kendall's τ", "rmse": "RMSE", "mae": "MAE"}


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.
    """
    parser = cli.Parser(prog="python -m reproductions report", description=__doc__)
    add = parser.add_argument
    add("--out", type=Path, default=Path("site"), metavar="DIR", help="folder of the site (default: %(default)s/)")
    cli.add_results(add)
    add("--audio", nargs="+", default=[], metavar="AUDIO", help="recordings, or folders of them, to have a page each")
    own = "entries of your own (default: %(default)s/)"
    add("--leaderboard", type=Path, default=Path("leaderboard"), metavar="DIR", help=own)
    options = parser.parse_args(arguments)
    return cli.run(lambda: _build(options))


def _build(options) -> int:
    from common.recordings import Recordings, left_out_line
    from common.recordings import recordings as find_recordings
    from reproductions.site import recordings

    require_output_folder(options.out, "site.css", NAME.encode())
    if options.audio:
        backend.require()
    for name in ("site.css", "board.js"):  # first, as the former is how a folder is known to be this command's
        write_atomically(options.out / name, (TEMPLATES / name).read_bytes())
    given = find_recordings(options.audio) if options.audio else Recordings()
    songs, failed = recordings.songs(given.paths, options.out)
    failed += given.failed.values()
    pages, site = _pages(options.results, options.out)
    if boards := _boards(options.results, options.leaderboard):
        pages["leaderboard.html"] = "leaderboard.html", {"boards": boards}
    pages |= {f"songs/{song['slug']}.html": ("song.html", {"song": song}) for song in songs}
    _write(pages, site | {"songs": songs}, options.out)
    print(f"{len(pages)} pages: {options.out / 'index.html'}")
    if line := left_out_line(given.left_out):
        print(line)
    for text in failed:
        print(f"error: {text}", file=sys.stderr)
    return 1 if failed else 0


def _pages(results: Path, out: Path) -> tuple[dict[str, tuple[str, dict]], dict]:
    """By address, the template and the values of each page of results; and the values that all pages share."""
    from reproductions.site import contents, drawings

    expected = board.papers()
    records = {e["paper"]: Records(results, e["paper"]) for e in expected}
    rows = {e["paper"]: join(e, records[e["paper"]]) for e in expected}
    pages = {"index.html": ("board.html", contents.results(expected, rows))}
    tables = contents.readme.html(cross_dataset.table(results, report.markdown_table))
    pages["cross_dataset.html"] = "cross_dataset.html", {"tables": tables}
    for of_paper in expected:
        paper = of_paper["paper"]
        figures = drawings.draw(of_paper, records[paper], f"reproductions.{paper}", out / "figures" / paper)
        pages[f"papers/{paper}.html"] = "paper.html", contents.paper(of_paper, records[paper], rows[paper], figures)
        for address, values in contents.systems(of_paper, records[paper], rows[paper]).items():
            pages[address] = "system.html", values
            if values["record"]:
                path = records[paper].path(values["dataset"], values["variant"])
                write_atomically(out / Path(address).with_suffix(".json"), path.read_bytes())
    datasets = contents.datasets(records)
    pages |= {f"datasets/{name}.html": ("dataset.html", {"name": name, **v}) for name, v in datasets.items()}
    return pages, {"papers": expected, "datasets": datasets, "addresses": pages.keys()}


def _boards(results: Path, folder: Path) -> list[dict]:
    """The boards whose systems are recorded, with the entries of a folder and the references."""
    shown = []
    for name in leaderboard.recorded(results):
        opened = leaderboard.open_board(name, results=results)
        own = [*leaderboard.entries(folder, opened), *leaderboard.references(opened, results)]
        shown.append({
            "name": name, "title": opened.board.title, "split": opened.board.split,
            "numbers": [" ".join(pair) for pair in opened.board.numbers],
            "ranking": leaderboard.ranking(opened, own), "differences": leaderboard.differences(opened, own),
        })  # fmt: skip
    return shown


def _write(pages: dict[str, tuple[str, dict]], site: dict, out: Path) -> None:
    environment = templates()
    for address, (template, values) in pages.items():
        up = "../" * address.count("/")
        text = environment.get_template(template).render(**site, **values, up=up, here=address)
        write_atomically(out / address, text.encode())


def templates(folder: Path = TEMPLATES):
    """The environment of a folder of templates: values are escaped, and one that is missing is an error.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    jinja2.Environment
        With the filters `number`, `p_value` and `words`.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"number": report.number, "p_value": report.p_value, "words": _words}
    return environment


def _words(name: str) -> str:
    """A name as a reader writes it: r2_pooled as R² pooled."""
    name = name.replace("_", " ")
    stem = next((stem for stem in METRICS if f"{name} ".startswith(f"{stem} ")), None)
    return name if stem is None else METRICS[stem] + name.removeprefix(stem)
