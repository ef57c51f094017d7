"""Derive recorded numbers again, and compare: is what is recorded what the code here gives?

Without WHAT, one run of every system that answers for a published cell. WHAT is a cell's id or the name of a variant,
also as DATASET/VARIANT, and with * for any letters. The same code, libraries and type of processor must give the same
bits. Otherwise the new value must lie in the 95 % prediction interval of the recorded runs. A half width above Δ,
the difference that would matter, makes the outcome `consistent` instead of `verified`. Networks that this command has
trained before, with the same identity, are used again. It ends with 1 if a number falls outside.
"""

import fnmatch
import importlib
import json
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import scipy

from common import cli, provenance, report
from common.errors import InputError
from common.experiment import Experiment
from common.experiment import records as recorded
from common.experiment.runner import execute
from common.files import cache_folder, json_text, lock, write_atomically
from common.verdict.board import join
from common.verdict.cells import ALPHA, delta
from common.verdict.recorded import VERIFICATIONS, Records, headline, read_verified
from data_prep import DATASETS
from data_prep.base import data_root
from reproductions import board

EQUAL, VERIFIED, CONSISTENT, OUTSIDE = "equal", "verified", "consistent", "outside"
NOT_EQUAL = "not equal"
ONE_RUN = "one recorded run"  # too few to compare with
FAILED = (OUTSIDE, NOT_EQUAL)
ESTABLISHED = (EQUAL, VERIFIED)  # what makes two identities equivalent
OF_ITS_MAKING = (
    "provenance",
    "core_seconds",
    "identity",
    "seed",
    "history",
)  # what two derivations of a run may differ in
ROUNDING = 1e-5  # recorded metrics have five digits


@dataclass(frozen=True)
class Target:
    """A recorded variant, and the published cells that it answers for."""

    paper: str
    dataset: str
    variant: str
    cells: tuple[dict, ...]

    def __str__(self):
        return f"{self.paper}/{self.dataset}/{self.variant}"


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.
    """
    parser = cli.Parser(prog="python -m reproductions verify", description=__doc__)
    add = parser.add_argument
    add("what", nargs="*", metavar="WHAT", help="cell ids or variants (default: all systems with a published cell)")
    add("--paper", metavar="PAPER", help="only this paper")
    add("--sample", type=cli.at_least(1), metavar="N", help="only N of them, drawn at random")
    add("--runs", type=cli.at_least(1), default=1, help="runs of each, whose mean is compared (default: %(default)s)")
    add("--plan", action="store_true", help="print what would be derived and how long it takes, and stop")
    add("--record", action="store_true", help="keep the outcome in DIR/verified.json and in the records")
    cli.add_results(add)
    add("--data-root", metavar="DIR", help="folder of the data sets (default: the variable MER_DATA_ROOT)")
    cli.add_processes(add)
    options = parser.parse_args(arguments)
    return cli.run(lambda: _verify(options))


def _verify(options) -> int:
    records = {e["paper"]: Records(options.results, e["paper"]) for e in board.papers()}
    targets = choose(records, options.what, options.paper)
    if options.sample and options.sample < len(targets):
        drawn = np.random.default_rng().choice(len(targets), options.sample, replace=False)
        targets = [targets[i] for i in sorted(drawn)]
    print(_plan(targets, records, options.runs, options.jobs), flush=True)
    if options.plan:
        return 0
    cli.use_device(options)
    outcomes, experiments = [], {}
    for target in targets:
        outcome, identities = _outcome(target, records[target.paper], experiments, options)
        outcomes.append(outcome)
        print(_line(outcome), flush=True)
        if options.record and "word" in outcome:
            keep(options.results, outcome, identities)
    print("\n" + table(outcomes) + "\n\n" + _summary(outcomes))
    return int(any(outcome.get("word") in FAILED for outcome in outcomes))


def choose(records: dict[str, Records], what: list[str], paper: str | None) -> list[Target]:
    """The recorded variants that are meant.

    Parameters
    ----------
    records : dict of str to Records
        Of all papers, by name.
    what : list of str
        Ids of cells; names of variants, also as DATASET/VARIANT, and with * for any letters. Empty: all variants that
        answer for a published cell.
    paper : str or None
        The only paper that is searched; None: all are.

    Returns
    -------
    list of Target
        With the cells that are named; all that a variant answers for where it is named itself.

    Raises
    ------
    InputError
        For a paper that there is not, a name that nothing recorded has, or where no record is meant.
    """
    if paper and paper not in records:
        raise InputError(f"--paper {paper}: no such paper; there are {', '.join(records)}")
    chosen, unknown = [], set(what)
    for expected in board.papers():
        name = expected["paper"]
        if paper in (None, name):
            answered = _answered(expected, records[name])
            for place in _recorded(records[name]) if what else answered:
                cells = answered.get(place, [])
                ids = {pattern for pattern in what if pattern in {cell["id"] for cell in cells}}
                called = place[1], "/".join(place)
                names = {pattern for pattern in what if any(fnmatch.fnmatch(one, pattern) for one in called)}
                unknown -= ids | names
                if not what or ids | names:
                    named = [cell for cell in cells if names or not what or cell["id"] in ids]
                    chosen.append(Target(name, *place, tuple(named)))
    if unknown:
        raise InputError(f"{min(unknown)}: nothing recorded has this name; python -m reproductions --json lists cells")
    if not chosen:
        raise InputError("no record here answers for a published cell; name variants, as DATASET/VARIANT")
    return chosen


def _answered(expected: dict, records: Records) -> dict[tuple[str, str], list[dict]]:
    """By data set and variant, the published cells that a record answers for."""
    answered = {}
    for row in join(expected, records):
        if row.fields["record"]:
            answered.setdefault((row.fields["dataset"], row.fields["variant"]), []).append(
                {"id": row.fields["cell"], "level": row.level, "primary": row.primary}
                | {key: row.fields[key] for key in ("split", "metric", "target", "published", "baseline")}
            )
    for cells in answered.values():
        cells.sort(key=lambda cell: not cell["primary"])
    return answered


def _recorded(records: Records) -> list[tuple[str, str]]:
    """All data sets and variants of which a paper has recorded runs."""
    folder = records.results / records.paper
    places = [(name, path.stem) for name in records.datasets() for path in sorted((folder / name).glob("*.json"))]
    return [place for place in places if records.get(*place)]


def _plan(targets: list[Target], records: dict, n_runs: int, jobs: int) -> str:
    seconds = 0.0
    for target in targets:
        record = records[target.paper].get(target.dataset, target.variant)
        seconds += n_runs * float(np.mean([run.get("core_seconds", 5) for run in record["runs"]]))
    names = "\n".join(f"  {target}" for target in targets)
    return f"{len(targets)} systems, about {seconds / jobs / 60:.0f} minutes with {jobs} processes:\n{names}"


def open_experiment(record: dict, given: str | None, jobs: int = 1) -> tuple[Experiment, dict]:
    """The experiment that a record comes from, as its paper's `train` builds it, and its variants.

    Parameters
    ----------
    record : dict
    given : str or None
        The data root, see `data_prep.base.data_root`.
    jobs : int
        Processes.

    Returns
    -------
    experiment : Experiment
        Of another data set, or of synthetic music, where that of the record is not at hand.
    variants : dict of str to Variant
        By name.

    Raises
    ------
    InputError
        As `data_prep.base.data_root`, and as the paper's `build`.
    """
    training, dataset = importlib.import_module(f"reproductions.{record['paper']}.train").TRAINING, record["dataset"]
    arguments = ["--allow-missing", "--jobs", str(jobs)]
    arguments += ["--data-root", str(given)] if given else []
    if training.dataset:
        root = data_root(given)
        by_its_name = dataset in DATASETS or (root and (root / dataset).is_dir())
        arguments += ["--dataset", dataset if by_its_name else training.dataset]
    if training.folds:
        arguments += ["--folds", str(record["settings"]["folds"])]
    parsed = cli.parser(training).parse_args(arguments)
    return training.build(parsed), {variant.name: variant for variant in training.variants(parsed)}


def _outcome(target: Target, records: Records, experiments: dict, options) -> tuple[dict, dict]:
    """What came out for one variant, as JSON; with a `reason` and no `word` if it cannot be derived here.

    And the identity of the runs that were derived, as records have it.
    """
    record = records.get(target.dataset, target.variant)
    place = {"paper": target.paper, "dataset": target.dataset, "variant": target.variant}
    key = target.paper, target.dataset, record["settings"]["folds"]
    if key not in experiments:
        experiments[key] = open_experiment(record, options.data_root, options.jobs)
    experiment, variants = experiments[key]
    variant = variants.get(target.variant)
    if experiment.dataset != target.dataset or not experiment.for_record:
        return place | {"reason": f"the data set {target.dataset} is not at hand"}, {}
    if variant is None or (lacks := experiment.unavailable_reason(variant)):
        return place | {"reason": lacks if variant else "the suite has no such variant any more"}, {}
    other = _other_configuration(record, json.loads(json.dumps(recorded.new_record(experiment, variant))))
    features_differ = other == ["fingerprint"] and experiment.extractor(variant) is not None
    if other and not features_differ:
        return place | {"reason": f"recorded with other {', '.join(other)} than here"}, {}
    seeds = [run["seed"] for run in record["runs"][: options.runs]]
    with tempfile.TemporaryDirectory() as scratch:
        derived = execute(
            experiment, [variant], seeds, out=Path(scratch), work=cache_folder() / "verify", n_jobs=options.jobs
        )
    new = derived[variant.name]
    outcome = place | compare(record, new["runs"], target.cells)
    return outcome | ({"features": "of other bits than recorded"} if features_differ else {}), new["identities"]


def _other_configuration(record: dict, new: dict) -> list[str]:
    """The settings and facts in which a record and a new one differ.

    A fingerprint that differs alone says that features have other bits: they depend on the type of processor.
    """
    pairs = [(record[what], new[what]) for what in ("settings", "facts")]
    return sorted({key for old, now in pairs for key in old.keys() | now.keys() if old.get(key) != now.get(key)})


def compare(record: dict, derived: list[dict], cells) -> dict:
    """What derived runs say of a record.

    Parameters
    ----------
    record : dict
    derived : list of dict
        Runs derived anew, with seeds that the record has.
    cells : sequence of dict
        The published cells that the record answers for, as in `Target`; if there are none, the first metric of its
        first split is compared.

    Returns
    -------
    dict, as JSON
        word, the worst over the cells, and what it rests on; `not equal` if the identity and the processor are those of
        the recorded runs, and the bits are not.
    """
    by_seed = {run["seed"]: run for run in record["runs"]}
    pairs = [(by_seed[run["seed"]], run) for run in derived]
    old = sorted({one.get("identity", recorded.LEGACY) for one, _ in pairs})
    came_from = derived[0]["provenance"]
    same_processor = all(one["provenance"].get("processor") == came_from["processor"] for one, _ in pairs)
    equal = all(one[key] == other.get(key) for one, other in pairs for key in one if key not in OF_ITS_MAKING)
    compared = [_cell(record, derived, cell, equal) for cell in cells or [_first(record)]]
    order = (OUTSIDE, ONE_RUN, CONSISTENT, VERIFIED, EQUAL)
    word = min((cell["word"] for cell in compared), key=order.index)
    if not equal and same_processor and old == [derived[0]["identity"]]:
        word = NOT_EQUAL
    return {
        "word": word, "date": datetime.now(UTC).date().isoformat(), "processor": came_from["processor"],
        "commit": came_from["commit"], "identities": [*old, derived[0]["identity"]],
        "seeds": [run["seed"] for run in derived], "agreement": agreement(*pairs[0], compared[0]["split"]),
        "cells": compared,
    }  # fmt: skip


def _first(record: dict) -> dict:
    split, metric, targets = headline(record)
    of_cell = {"id": None, "published": None, "baseline": None, "level": 1 - ALPHA}
    return {"split": split, "metric": metric, "target": targets[-1], **of_cell}


def _cell(record: dict, derived: list[dict], cell: dict, equal: bool) -> dict:
    """One number: recorded, derived, the prediction interval, and the word."""
    where = cell["split"], cell["metric"], cell["target"]
    before, now = ([run["metrics"][where[0]][where[1]][where[2]] for run in of] for of in (record["runs"], derived))
    n, mean, value = len(before), float(np.mean(before)), float(np.mean(now))
    number = {
        "cell": cell["id"],
        "split": where[0],
        "metric": where[1],
        "target": where[2],
        "recorded": mean,
        "runs": n,
    }
    known = mean if cell["published"] is None else cell["published"]
    number |= {"derived": value, "half_width": None}
    number |= {"matters": delta(where[1], where[2], known, cell["baseline"])}
    if n > 1:
        spread = float(np.std(before, ddof=1)) * np.sqrt(1 / len(now) + 1 / n)
        number["half_width"] = float(scipy.special.stdtrit(n - 1, (1 + cell["level"]) / 2) * spread)
    return number | {"word": EQUAL if equal else _word(number)}


def _word(number: dict) -> str:
    if number["half_width"] is None:
        return ONE_RUN
    if abs(number["derived"] - number["recorded"]) > number["half_width"] + ROUNDING:
        return OUTSIDE
    return VERIFIED if number["half_width"] <= number["matters"] else CONSISTENT


def agreement(one: dict, other: dict, split: str) -> dict | None:
    """How much two runs of a seed agree song by song.

    Parameters
    ----------
    one, other : dict
        Runs as in a record.
    split : str

    Returns
    -------
    dict or None
        For classes {"same class": share of the tested songs, in [0, 1]}; else {"lowest r": Pearson's r over songs of
        the predictions, or of their means over time, the lowest over targets}. None if the runs hold no predictions, or
        those of no target vary.
    """
    if "predicted" in one:
        before, now = (np.asarray(run["predicted"][split]) for run in (one, other))
        tested = before >= 0
        return {"same class": round(float((before == now)[tested].mean()), 4)}
    if "songs" in one:
        before, now = (np.asarray(run["songs"][split]["moments"])[:, :, 1] for run in (one, other))
    elif isinstance(one.get("predictions"), list):
        before, now = (np.asarray(run["predictions"]) for run in (one, other))
    else:
        return None
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(before.T, now.T, strict=True) if np.ptp(a) > 1e-9 and np.ptp(b) > 1e-9]
    return {"lowest r": round(float(min(r)), 4)} if r else None


def keep(results: Path, outcome: dict, identities: dict) -> None:
    """Write an outcome to `verified.json`, and what it established to the record: which identities are equivalent.

    Parameters
    ----------
    results : Path
        Folder of the records.
    outcome : dict
        As from `compare`, with paper, dataset and variant.
    identities : dict
        Those of the derived runs, by name; an equivalent one is described in the record as its own are.

    Raises
    ------
    InputError
        If `verified.json` or the record is damaged.
    """

    def place_of(one):
        return one["paper"], one["dataset"], one["variant"]

    place = place_of(outcome)
    with lock(results / ".lock"):
        known = [one for one in read_verified(results) if place_of(one) != place]
        path = results / VERIFICATIONS
        lines = [json_text(one, path) for one in sorted([*known, outcome], key=place_of)]
        text = ",\n".join(lines)
        write_atomically(path, f"[\n{text}\n]\n".encode())
        names = sorted(set(outcome["identities"]))
        if outcome["word"] in ESTABLISHED and len(names) > 1:
            path = recorded.record_path(results, *place)
            record = recorded.read_record(path)
            others = [one for one in record.get("equivalent", []) if one["identities"] != names]
            record["identities"] = record.get("identities", {}) | identities
            record["equivalent"] = [*others, {"identities": names, "found": outcome["word"], "date": outcome["date"]}]
            recorded.write_record(path, record)


def _line(outcome: dict) -> str:
    place = f"{outcome['paper']}/{outcome['dataset']}/{outcome['variant']}"
    return f"{place}: {outcome.get('word') or 'not derived: ' + outcome['reason']}"


def table(outcomes: list[dict], render=report.text_table) -> str:
    """A line a compared number: the primary cell of each system, and every one that falls outside.

    Parameters
    ----------
    outcomes : list of dict
        As from `compare`, with paper and variant; those without cells, which could not be derived, have no line.
    render : callable
        `text_table` or `markdown_table` of `common.report`.

    Returns
    -------
    str
    """
    lines = []
    for outcome in outcomes:
        cells = outcome.get("cells", [])
        for cell in [*cells[:1], *(cell for cell in cells[1:] if cell["word"] == OUTSIDE)]:
            width = "–" if cell["half_width"] is None else f"∓ {report.number(cell['half_width'])}"
            lines.append([
                outcome["paper"], outcome["variant"], f"{cell['metric']}, {cell['target']}", cell["runs"],
                report.number(cell["recorded"]), width, report.number(cell["matters"]), report.number(cell["derived"]),
                " ".join(f"{name} {value}" for name, value in (outcome["agreement"] or {}).items()) or "–",
                cell["word"] if cell["word"] == outcome["word"] else f"{cell['word']} (all numbers: {outcome['word']})",
            ])  # fmt: skip
    header = ["paper", "variant", "number", "runs", "recorded", "interval", "Δ", "derived", "songs", "outcome"]
    return render(header, lines)


def _summary(outcomes: list[dict]) -> str:
    words = [outcome.get("word", "not derived") for outcome in outcomes]
    counted = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    compared = sum(word not in (EQUAL, "not derived", ONE_RUN) for word in words)
    chance = f"; of {compared} compared with 95 % intervals about {0.05 * compared:.1f} fall outside by chance"
    return f"{counted} on {provenance.processor()}{chance if compared else ''}"


if __name__ == "__main__":
    sys.exit(main())
