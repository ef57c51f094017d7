"""Take in records that others made on data which the suite does not have: LastFM, the Hindi songs, all of DEAM.

DIR is a folder of records as `python -m reproductions.PAPER.train --out DIR` writes it: DIR/PAPER/DATASET/VARIANT.json.
Each record must follow the schema; be of a variant of the paper with its published settings, of data that a cell is
about, and of unchanged code; and its metrics must follow from the predictions or moments of songs that it holds.
Otherwise nothing is taken in, and one line names the file and the field.

Records are copied to RESULTS/contributed/PAPER/DATASET/, with --from and the date. None is replaced. On the board they
answer for data sets that the suite itself has no record of; of the others they stand in a table of their own on the
paper's page, with their own verdicts. `python -m reproductions --write` puts them there.
"""

import hashlib
import importlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from common import cli, report
from common.errors import InputError
from common.experiment.identity import digest
from common.experiment.records import LEGACY, data_sets, mixture, read_record, record_path, write_record
from common.files import json_text
from common.verdict import schemas
from common.verdict.board import datasets, join
from common.verdict.claims import judge_claims
from common.verdict.recorded import CONTRIBUTED, Records, contributor, coverage_of, tested_songs
from common.verdict.resampling import METRICS
from reproductions import board

ROUNDING = 5e-4  # of metrics that are computed again from rounded values
KEPT = ("songs", "predictions", "predicted")  # what metrics follow from, by task


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.
    """
    parser = cli.Parser(prog="python -m reproductions import", description=__doc__)
    add = parser.add_argument
    add("folder", type=Path, metavar="DIR", help="the folder of records")
    add("--from", dest="source", required=True, metavar="WHO", help="who made them: 'NAME, INSTITUTION'")
    add("--check", action="store_true", help="only check them")
    cli.add_results(add)
    options = parser.parse_args(arguments)
    return cli.run(lambda: _import(options))


def _import(options) -> int:
    if not options.source.strip():
        raise InputError("--from: is empty; it names who made the records, as 'NAME, INSTITUTION'")
    records = {path: checked(path, options.results) for path in _files(options.folder)}
    if not options.check:
        write(records, options.results, options.source.strip())
    lines = [_line(path, record, options.results) for path, record in records.items()]
    print(report.text_table(["record", "runs", "covers", "on the board", "code"], lines))
    done = "checked, nothing copied" if options.check else "taken in; python -m reproductions --write shows them"
    print(f"\n{len(records)} records {done}")
    return 0


def _files(folder: Path) -> list[Path]:
    """The records in a folder. Raises InputError if there is none."""
    papers = sorted(path.name for path in folder.glob("*/"))
    files = [
        path
        for paper in papers
        for dataset in data_sets(folder, paper)
        for path in sorted((folder / paper / dataset).glob("*.json"))
    ]
    if not files:
        raise InputError(f"{folder}: holds no PAPER/DATASET/VARIANT.json, as train --out DIR writes them")
    return files


def checked(path: Path, results: Path) -> dict:
    """A record that may be taken in.

    Parameters
    ----------
    path : of its file, which ends with PAPER/DATASET/VARIANT.json
    results : folder of the suite's records

    Returns
    -------
    the record

    Raises
    ------
    InputError : in one line the file, the field, and what is wrong there
    """
    record = read_record(path)
    schemas.validate(record, "record", path)
    json_text(record, path)  # raises InputError for NaN and infinities
    for field, check in {"": _place, "settings": _settings, "runs": _origin, "facts": _coverage}.items():
        if fault := check(record, path):
            raise InputError(f"{path}: {field}{fault}")
    if fault := _metrics(record):
        raise InputError(f"{path}: {fault}")
    paper, dataset, variant = (record[key] for key in ("paper", "dataset", "variant"))
    earlier = read_record(record_path(results / CONTRIBUTED, paper, dataset, variant))
    if earlier:
        raise InputError(f"{path}: {contributor(earlier)} contributed this variant already; nothing is replaced")
    return record


def _place(record: dict, path: Path) -> str | None:
    """The paper, data set and variant are those of the file, and known."""
    for key, name in zip(("variant", "dataset", "paper"), (path.stem, *path.parts[-2:-4:-1]), strict=True):
        if record.get(key) != name:
            return f"{key}: is {record.get(key)!r}, but the file says {name}"
    expected = {one["paper"]: one for one in board.papers()}.get(record["paper"])
    if expected is None:
        return f"paper: the suite has no paper {record['paper']}"
    known = datasets(expected) | {one["dataset"] for one in expected["claims"] if one["kind"] != "benchmark"}
    if record["dataset"] not in known:
        return f"dataset: {record['dataset']} is none of {', '.join(sorted(known))}, which cells or claims are about"
    return None


def _settings(record: dict, path: Path) -> str | None:
    """Its settings are those of a variant of the suite."""
    training = importlib.import_module(f"reproductions.{record['paper']}.train").TRAINING
    names = {None, training.dataset and record["dataset"]}
    parsed = [cli.parser(training).parse_args(["--dataset", name] if name else []) for name in names]
    variants = {variant.name: variant for options in parsed for variant in training.variants(options)}
    variant = variants.get(record["variant"])
    if variant is None:
        return f": the suite has no variant {record['variant']} of {record['paper']}; --list shows them"
    published = json.loads(json.dumps(variant.settings))
    for key, value in published.items():
        if record["settings"].get(key) != value:
            return f".{key}: is {record['settings'].get(key)!r}, that of the variant is {value!r}"
    return None


def _origin(record: dict, path: Path) -> str | None:
    """Its runs are of one identity, which is that of its contents, and of code that was committed."""
    seeds = [run["seed"] for run in record["runs"]]
    if not seeds or len(set(seeds)) < len(seeds):
        return ": there are none" if not seeds else f": two have the seed {max(seeds, key=seeds.count)}"
    for i, run in enumerate(record["runs"]):
        name, made = run.get("identity", LEGACY), run.get("provenance", {})
        parts = record.get("identities", {}).get(name)
        if parts is None:
            return f"[{i}].identity: {name} is not among the identities of the record; run it again"
        if digest([record["settings"], record["facts"]["fingerprint"], parts])[:16] != name:
            return f"[{i}].identity: {name} does not follow from settings, data and code; the file was changed"
        if not made.get("finished") or str(made.get("commit")).endswith("+"):
            return f"[{i}].provenance: commit {made.get('commit')}; runs must be dated, and of unchanged code"
    if mixed := mixture(record):
        return f": are of {len(mixed)} identities; run the variant with one version of the code"
    return None


def _coverage(record: dict, path: Path) -> str | None:
    """Each split says which songs it tests, and no more than there are."""
    if record["facts"].get("partial"):
        return ".partial: fewer epochs, folds or songs than the paper's are no record of it; run without such options"
    for split in record["runs"][0]["metrics"]:
        facts = coverage_of(record["facts"], split)
        where = f".splits.{split}" if split in record["facts"].get("splits", {}) else ""
        for part in ("train", "test"):
            n, of = facts.get(f"n_{part}"), facts.get(f"of_{part}")
            if n is None or of is None or not 0 < n <= of:
                return f"{where}.n_{part}: {n} of {of} songs"
        for i, run in enumerate(record["runs"]):
            if len(set(tested_songs(record["facts"], run, split))) < facts["n_test"]:
                return f"{where}.tracks: names fewer than the {facts['n_test']} tested songs"
            if split not in run["metrics"]:
                return f": runs[{i}].metrics has no {split}, which the first run has"
    return None


def _metrics(record: dict) -> str | None:
    """The metrics of all runs follow from what the runs hold of their songs."""
    for i, run in enumerate(record["runs"]):
        if not any(key in run for key in KEPT):
            return f"runs[{i}]: holds none of {', '.join(KEPT)}, so its metrics follow from nothing"
    first = record["facts"], record["runs"][0]
    for split, measured in record["runs"][0]["metrics"].items():
        songs = coverage_of(record["facts"], split).get("reference") or tested_songs(*first, split)
        weights = np.ones((1, len(songs)))
        for metric in METRICS.keys() & measured.keys():
            try:
                again = METRICS[metric](record, split, weights)[:, 0]
            except (KeyError, IndexError, ValueError, TypeError) as error:
                return f"runs: {metric}, {split} cannot be computed from what they hold ({error!r})"
            for i, (run, values) in enumerate(zip(record["runs"], again, strict=True)):
                names = [target for target in run["metrics"][split][metric] if target != "average"]
                for target, value in zip(names, values, strict=True):
                    stated = run["metrics"][split][metric][target]
                    if abs(stated - value) > ROUNDING * max(1, abs(value)):
                        place = f"runs[{i}].metrics.{split}.{metric}.{target}"
                        return f"{place}: is {stated:g}, but its songs give {value:.5g}"
    return None


def write(records: dict[Path, dict], results: Path, source: str) -> None:
    """Copy checked records with their source and the date.

    Parameters
    ----------
    records : by file
    results : folder of the suite's records
    source : who made them

    Raises
    ------
    InputError : the board cannot be made with them, as of arms of a claim on other songs; then none is kept
    """
    date, written = datetime.now(UTC).date().isoformat(), []
    try:
        for path, record in records.items():
            target = record_path(results / CONTRIBUTED, *(record[key] for key in ("paper", "dataset", "variant")))
            of_file = hashlib.sha256(path.read_bytes()).hexdigest()
            write_record(target, {CONTRIBUTED: {"from": source, "date": date, "sha256": of_file}} | record)
            written.append(target)
        for expected in board.papers():
            for folder in (results, results / CONTRIBUTED):
                join(expected, Records(folder, expected["paper"]))
                judge_claims(expected, Records(folder, expected["paper"]))
    except BaseException:
        for target in written:
            target.unlink()
        raise


def _line(path: Path, record: dict, results: Path) -> list:
    """What a user wants to know of a record that was taken in."""
    paper, dataset, variant = (record[key] for key in ("paper", "dataset", "variant"))
    facts = coverage_of(record["facts"], next(iter(record["runs"][0]["metrics"])))
    own = dataset in data_sets(results, paper)
    where = "in the table of contributions: the suite has records of this data set" if own else "yes"
    maps = [parts["code"] for parts in record["identities"].values()]
    known = (
        [
            parts["code"]
            for one in sorted((results / paper).glob("*/*.json"))
            for parts in (read_record(one) or {}).get("identities", {}).values()
        ]
        if own
        else []
    )
    code = "as of records here" if any(one in known for one in maps) else "not that of a record here"
    return ["/".join((paper, dataset, variant)), len(record["runs"]), report.coverage(facts), where, code]


if __name__ == "__main__":
    sys.exit(main())
