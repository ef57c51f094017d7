"""A static site of all that is recorded: the board with filters, a page a paper, a data set and a recording at hand.

It needs no network and no server: open index.html. Recordings that are named (--audio) have a page each, with a
picture of their mel spectrogram and what every model of the suite says of them.
"""

import re
import sys
from pathlib import Path

import numpy as np

from common import backend, cli, report
from common.errors import InputError
from common.files import NAME, write_atomically
from common.outputs import require_output_folder
from common.places import RESULTS
from common.verdict.board import Row, join
from common.verdict.claims import judge_claims
from common.verdict.recorded import Records, coverage_of, headline
from reproductions import board, cross_dataset
from reproductions.board import PAPERS

VERDICTS = ["reproduced", "better", "worse", "undecided", "partial", "stand-in", "approximation", "no data", "not run"]
TOLD = ("Findings", "What in the paper does not agree", "Deviations and assumptions")  # sections of a paper's README
FOLDERS = {"deam": "mediaeval2015"}  # a data set whose records have another name
MODELS = ("malik2017", "chaki2020", "jakubik2017", "velankar2022")


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = cli.Parser(prog="python -m reproductions report", description=__doc__)
    add = parser.add_argument
    add("--out", type=Path, default=Path("site"), metavar="DIR", help="folder of the site (default: %(default)s/)")
    add("--results", type=Path, default=RESULTS, metavar="DIR", help="records (default: the suite's own)")
    add("--audio", nargs="+", default=[], metavar="AUDIO", help="recordings, or folders of them, to have a page each")
    options = parser.parse_args(arguments)
    return cli.run(lambda: _build(options))


def _build(options) -> int:
    from common.recordings import Recordings, left_out_line, recordings
    from common.report import figures, plots

    if not options.results.is_dir():
        raise InputError(f"{options.results}: no such folder of records")
    require_output_folder(options.out, "site.css", NAME.encode())
    if options.audio:
        backend.require()
    given = recordings(options.audio) if options.audio else Recordings()
    expected, rows = board.papers(), board.rows(options.results)
    records = {e["paper"]: Records(options.results, e["paper"]) for e in expected}
    for name in ("site.css", "board.js"):
        write_atomically(options.out / name, (Path(__file__).parent / "templates" / name).read_bytes())
    songs, failed = _songs(given.paths, options.out)
    failed += given.failed.values()
    site = {"papers": expected, "datasets": _datasets(records), "songs": songs}
    rule = _html(_sections(board.VERDICTS)["Cells"])
    cells = {"rows": _fields(rows), "counts": board.counts(rows), "verdicts": VERDICTS, "rule": rule}
    pages = {"index.html": ("board.html", cells)}
    pages["cross_dataset.html"] = (
        "cross_dataset.html",
        {"tables": _html(cross_dataset.table(options.results, report.markdown_table))},
    )
    for paper in expected:
        with plots.svg_in(options.out / "figures" / paper["paper"]) as drawn:
            figures.draw_all(paper, records[paper["paper"]], f"reproductions.{paper['paper']}")
        pages[f"papers/{paper['paper']}.html"] = "paper.html", _paper(paper, records[paper["paper"]], drawn)
    for name, content in site["datasets"].items():
        pages[f"datasets/{name}.html"] = "dataset.html", {"name": name, **content}
    for song in songs:
        pages[f"songs/{song['slug']}.html"] = "song.html", {"song": song}
    templates = _templates()
    for where, (template, values) in pages.items():
        up = "../" * where.count("/")
        text = templates.get_template(template).render(**site, **values, up=up, here=where)
        write_atomically(options.out / where, text.encode())
    print(f"{len(pages)} pages: {options.out / 'index.html'}")
    if line := left_out_line(given.left_out):
        print(line)
    for text in failed:
        print(f"error: {text}", file=sys.stderr)
    return 1 if failed else 0


def _templates():
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters["number"], environment.filters["p_value"] = report.number, report.p_value
    environment.filters["words"] = lambda name: name.replace("_", " ")
    return environment


def _fields(rows: list[Row]) -> list[dict]:
    return [row.fields | {"digits": row.digits, "note": row.note} for row in rows]


def _paper(expected: dict, records: Records, drawn: list[Path]) -> dict:
    """What the page of a paper shows."""
    texts = _sections(PAPERS / expected["paper"] / "README.md")
    return {
        "paper": expected, "rows": _fields(join(expected, records)), "figures": drawn,
        "claims": judge_claims(expected, records),
        "about": _html(texts["Abstract"]), "sections": {name: _html(texts[name]) for name in TOLD if name in texts},
    }  # fmt: skip


def _sections(page: Path) -> dict[str, str]:
    """The text below each heading of the second level."""
    return dict(part.split("\n", 1) for part in re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.M)[1:])


def _html(markdown_text: str) -> str:
    """A part of a README as HTML: without its pictures and generated tables, links to files without their target."""
    import markdown
    from markupsafe import Markup

    text = re.sub(r"!\[.*?\]\(.*?\)", "", markdown_text)
    text = re.sub(r"<!-- begin .*?<!-- end .*? -->", "", text, flags=re.S)
    text = re.sub(r"\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", text)
    return Markup(markdown.markdown(text, extensions=["tables", "sane_lists"]))


def _datasets(records: dict) -> dict[str, dict]:
    """By data set: how to cite it, and the records on it."""
    import importlib

    from data_prep import DATASETS

    citations = {}
    for name, (module, attribute) in DATASETS.items():
        kind = getattr(importlib.import_module(module), attribute)
        citations[FOLDERS.get(name, name)] = {"citation": kind.citation, "source": kind.source}
    datasets = {}
    for paper, of_paper in records.items():
        for dataset in of_paper.datasets():
            names = sorted(path.stem for path in (of_paper.results / paper / dataset).glob("*.json"))
            runs = [(name, record) for name in names if (record := of_paper.get(dataset, name))]
            about = citations.get(dataset, {"citation": "", "source": ""})
            here = datasets.setdefault(dataset, {**about, "records": []})
            for name, record in runs:
                split, metric, targets = headline(record)
                values = [run["metrics"][split][metric][targets[-1]] for run in record["runs"]]
                facts = report.coverage(coverage_of(record["facts"], split))
                here["records"].append({
                    "paper": paper, "variant": name, "title": record["title"], "runs": len(values), "covers": facts,
                    "metric": f"{metric.replace('_', ' ')}, {targets[-1]}, {split}", "mean": float(np.mean(values)),
                    "deviation": float(np.std(values, ddof=1)) if len(values) > 1 else None,
                })  # fmt: skip
    return dict(sorted(datasets.items()))


def _songs(paths: list[Path], out: Path) -> tuple[list[dict], list[str]]:
    """What every model says of each recording, with pictures in the site; and what could not be read."""
    from common import audio, weights
    from common.features.relative_mel import RelativeMel
    from common.parallel import progress
    from common.report import plots

    songs, failed = [], []
    if not paths:
        return songs, failed
    models = {}
    for paper in MODELS:
        networks, facts = weights.load(RESULTS / paper / "weights", paper)
        kind = __import__(f"reproductions.{paper}.predict", fromlist=["Model"]).Model
        models[paper] = kind(networks, facts), facts
    calls = ((_song, number, path, models, out, audio, plots, RelativeMel) for number, path in enumerate(paths))
    for song in progress(calls, total=len(paths), n_jobs=1, label="recordings", unit="file"):
        (failed if isinstance(song, str) else songs).append(song)
    return songs, failed


def _song(number, path, models, out, audio, plots, extractor) -> dict | str:
    from common.predict import training_songs
    from common.prediction import printable

    slug = f"{number + 1}-{re.sub(r'[^a-z0-9]+', '-', path.stem.lower()).strip('-') or 'recording'}"
    song, folder = {"name": printable(path.name), "slug": slug, "models": []}, out / "figures" / "songs"
    try:
        song["length"] = audio.duration(path)
        plots.mel_picture(extractor()(*audio.load(path)), song["length"], folder / f"{slug}-mel.png")
        for paper, (model, facts) in models.items():
            try:
                one = model(path)
            except InputError as error:  # as of a recording that is too short for one of them
                song["models"].append({"paper": paper, "title": facts["title"], "refusal": _line(error)})
                continue
            picture = f"{slug}-{paper}.svg"
            with plots.svg_in(folder):
                plots.predictions({path: one}, facts["columns"], folder / picture, facts["title"])
            means = {name: float(value) for name, value in zip(facts["columns"], one.mean, strict=True)}
            shown = {"paper": paper, "title": facts["title"], "scale": model.scale, "heard": model.heard}
            shown |= {"trained": training_songs(facts)}
            song["models"].append(shown | {"means": means, "picture": picture, "quality": facts["quality"]})
    except InputError as error:
        return _line(error)
    return song


def _line(error: InputError) -> str:
    return " ".join(str(error).split())
