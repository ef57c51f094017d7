"""The command line that every paper's `train` shares, and how commands end."""

import argparse
import difflib
import fnmatch
import logging
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from common import backend, parallel, provenance, report
from common.errors import InputError
from common.experiment import Experiment, Variant
from common.experiment.records import histories
from common.experiment.runner import call_of, execute
from common.experiment.runner import train as train_network
from common.files import cache_folder, muted_stderr
from common.parallel import available_cores, progress
from common.verdict import board
from common.verdict.recorded import Records, coverage_of, headline


class Parser(argparse.ArgumentParser):
    """Help with defaults and paragraphs; a wrong argument is one line on standard error and exit code 2."""

    def __init__(self, **options):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message):
        print(f"error: {message} (--help explains)", file=sys.stderr)
        sys.exit(2)


def at_least(lowest: int) -> Callable[[str], int]:
    """An argument type: a whole number not below `lowest`."""

    def parse(text: str) -> int:
        if not text.lstrip("-").isdigit() or int(text) < lowest:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of {lowest} or more")
        return int(text)

    return parse


def run(command: Callable[[], int]) -> int:
    """Run a command and end its workers; returns the exit code.

    Bad input is one line and exit code 2; an interruption (SIGINT, SIGTERM) one line and 128 + the signal's number.
    """
    received = []

    def interrupt(number, frame):
        received.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt) if threading.current_thread() is threading.main_thread() else None
    try:
        return command()
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; run the same command again to resume", file=sys.stderr)
        return 128 + (received or [signal.SIGINT])[0]
    finally:
        parallel.stop_workers()
        if before is not None:
            signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True)
class Training:
    """What a paper's `train` hands over.

    `default` names the variants that run unless told otherwise (None: the primary ones), `repeats` times; of a paper
    with several data sets those that there are.
    `variants(options)` lists all variants, options.epochs None meaning the published number; `build(options)` makes the
    experiment from the parsed options; `baselines(variant)` names those that always run beside a variant;
    `expected` is the paper's table of published cells. `dataset`: the data set unless told otherwise, of a paper that
    runs on several. `folds`: whether the protocol is a cross-validation.
    """

    description: str
    variants: Callable[[argparse.Namespace], list[Variant]]
    build: Callable[[argparse.Namespace], Experiment]
    baselines: Callable[[Variant], tuple[str, ...]]
    expected: Path
    default: tuple[str, ...] | None = None
    repeats: int = 1
    dataset: str | None = None
    folds: bool = True


def parser(training: Training, program: str) -> Parser:
    """The options, in the user's words."""
    found = Parser(
        prog=program,
        description=training.description,
        epilog="Without a data root it runs on music that the project renders itself; those numbers are not the\n"
        "paper's. What is done is not done again: stop a long run at any time, start the same command to go on.",
    )
    add = found.add_argument
    add("--data-root", metavar="DIR", help="folder of the data sets (default: the variable MER_DATA_ROOT)")
    if training.dataset:
        either = "a data set, or a folder of your own in the data root (README, Your own labels)"
        add("--dataset", default=training.dataset, metavar="NAME", help=f"{either} (default: %(default)s)")
    add(
        "--variant",
        action="append",
        metavar="NAME",
        help="run this one (repeatable; 'abc*' for all whose names match) and the baselines; default: "
        + ", ".join(training.default or ["the primary ones"]),
    )
    add("--table", action="store_true", help="run all primary variants, those that answer for published cells")
    add("--list", action="store_true", help="list the variants with the time that each takes, and stop")
    if training.folds:
        add("--folds", type=at_least(2), help="folds (default: the paper's; fewer on rendered music)")
    add(
        "--repeats",
        type=at_least(1),
        default=training.repeats,
        help="repetitions: other splits or shuffles, other weights (default: %(default)s)",
    )
    add("--epochs", type=at_least(1), help="epochs of every network (default: the published number)")
    add("--jobs", type=at_least(1), default=available_cores(), help="processes (default: the cores, %(default)s)")
    add("--out", type=Path, default=Path("runs"), metavar="DIR", help="where records go (default: %(default)s/)")
    add("--allow-missing", action="store_true", help="run on what there is of a data set, and say so in every table")
    add(
        "--weights",
        type=Path,
        metavar="DIR",
        help="then train the one --variant on all songs and keep the weights in DIR: predict --weights DIR uses them",
    )
    add("--tensorboard", type=Path, metavar="DIR", help="then write the histories of the runs for TensorBoard")
    told = found.add_mutually_exclusive_group()
    told.add_argument("--verbose", action="store_true", help="a line for each network that is trained")
    told.add_argument("--quiet", action="store_true", help="no progress bars and no plan, only the tables")
    quick = "2 folds, 5 epochs" if training.folds else "5 epochs"
    add("--quick", action="store_true", help=f"{quick}, once, nothing recorded: only to see that it runs")
    return found


def train(training: Training, program: str, arguments: list[str] | None = None) -> int:
    """Parse the options and run the variants; ends with the table of published and measured numbers."""
    options = parser(training, program).parse_args(arguments)
    parallel.quiet_bars = options.quiet
    logging.basicConfig(format="%(message)s")
    logging.getLogger("common").setLevel(logging.INFO if options.verbose else logging.WARNING)
    return run(lambda: _train(training, options))


def _train(training: Training, options: argparse.Namespace) -> int:
    if options.quick:
        options.folds, options.epochs, options.repeats = 2, 5, 1
    variants = {variant.name: variant for variant in training.variants(options)}
    if options.list:
        print(_listing(variants.values(), options.jobs))
        return 0
    backend.require()
    asked = [name for said in options.variant or [] for name in fnmatch.filter(variants, said) or [said]]
    unknown = [name for name in asked if name not in variants]
    if unknown:
        titled = [name for name, variant in variants.items() if variant.title.lower() == unknown[0].lower()]
        near = " or ".join(titled or difflib.get_close_matches(unknown[0], variants, n=2))
        hint = f"did you mean {near}? " if near else ""
        hint += "other data sets have other variants (--dataset); " if training.dataset else ""
        raise InputError(f"unknown variant '{unknown[0]}'; {hint}--list shows them all")
    primary = [v.name for v in variants.values() if v.primary]
    default = [name for name in training.default or primary if name in variants] or list(variants)[:1]
    chosen = asked or (primary if options.table else default)
    beside = [baseline for name in chosen for baseline in training.baselines(variants[name])]
    chosen = [variants[name] for name in dict.fromkeys([*beside, *chosen])]
    experiment = training.build(options)
    lacking = {variant.name: why for variant in chosen if (why := experiment.unavailable_reason(variant))}
    for name in options.variant or []:
        if name in lacking:
            raise InputError(f"{name} cannot run here: {lacking[name]}")
    for name, why in lacking.items():
        print(f"left out: {name} ({why})")
    chosen = [variant for variant in chosen if variant.name not in lacking]
    if not chosen:
        raise InputError("none of these variants can run on what is there of the data; --list shows the others")
    if options.tensorboard and find_spec("tensorboard") is None:
        raise InputError("--tensorboard: install the extra 'tensorboard', which writes and shows its files")
    if options.weights:
        if len(asked) != 1 or options.quick:
            raise InputError(
                "--weights keeps what one variant learnt in whole runs; name one --variant, and no --quick"
            )
        experiment.trained_on_all(variants[asked[0]])  # tells now if there are none
    if len(chosen) > 1 and not options.quiet:
        print(_plan(chosen, experiment, options), flush=True)
    for_keeps = experiment.for_record and not options.quick
    if not for_keeps:
        why = "a quick run" if options.quick else "run on music that the project renders itself"
        print(f"This is {why}: its numbers are not the paper's, and nothing is recorded.")
    elif partial := [variant.name for variant in chosen if experiment.facts(variant).get("partial")]:
        which = "every cell is" if len(partial) == len(chosen) else f"cells of {', '.join(partial)} are"
        print(f"Fewer epochs, folds or songs than the paper's: {which} 'partial', which says nothing of the paper.")
    with tempfile.TemporaryDirectory() as scratch:
        out = options.out if for_keeps else Path(scratch)
        records = execute(
            experiment, chosen, list(range(options.repeats)), out=out, work=cache_folder() / "work", n_jobs=options.jobs
        )
        print(_outcome(training, experiment, chosen, records, out, for_keeps))
        if options.tensorboard:
            _histories(records, options.tensorboard)
        if options.weights:
            _keep_weights(training, experiment, variants[asked[0]], records, options)
        if for_keeps:
            from common.report import figures

            expected = board.load_expected(training.expected)
            package = training.variants.__module__.rpartition(".")[0]
            for path in figures.draw_all(expected, Records(out, experiment.paper), package):
                if path.parts[-3] == experiment.dataset:
                    print(f"figure: {path}")
    return 0


def _plan(chosen: list[Variant], experiment: Experiment, options) -> str:
    """What will run, and about how long: what is recorded already takes no time."""
    seconds = sum(v.core_seconds * experiment.data_fraction(v) for v in chosen) * options.repeats
    minutes = seconds / options.jobs / 60
    names = ", ".join(v.name for v in chosen)
    about = f"About {minutes:.0f} min" if minutes >= 1 else "Less than a minute"
    return f"{len(chosen)} variants, {options.repeats} runs each: {names}\n{about} once all features are there."


def _listing(variants, jobs: int) -> str:
    lines = []
    for v in variants:
        minutes = v.core_seconds / jobs / 60
        about = "seconds" if minutes < 0.2 else f"{60 * minutes:.0f} s" if minutes < 2 else f"{minutes:.0f} min"
        lines.append([v.name, "primary" if v.primary else "", about, v.title])
    table = report.text_table(["variant", "", f"a repetition, {jobs} cores", "what it is"], lines)
    return table + "\n\nVariants that differ only behind the network share its training."


def _histories(records: dict[str, dict], folder: Path) -> None:
    """What was recorded while networks were trained, as TensorBoard's event files: a folder a variant, run, network."""
    with muted_stderr():  # it imports TensorFlow if that is there, which tells of the processor
        from tensorboard.summary import Writer

        for name, record in records.items():
            for one in record["runs"]:
                for network, curves in enumerate(histories(one)):
                    writer = Writer(str(folder / name / f"run {one['seed']}" / str(network)))
                    for value, curve in curves.items():
                        for epoch, number in curve.items():
                            writer.add_scalar(value, number, epoch)
                    writer.close()
    print(f"tensorboard --logdir {folder}")


def _keep_weights(training, experiment, variant, records, options) -> None:
    """Train a variant on all songs, and keep its weights with how good it and what ran beside it were in the runs."""
    from common import weights

    networks = experiment.trained_on_all(variant)
    of_train, of_validation = (len(part) for part in (networks[0].split.train, networks[0].split.validation))
    bar = {"total": len(networks), "label": "training on all songs", "unit": "network"}
    tasks = ((train_network, *call_of(network)) for network in networks)
    learnt = [trained.weights for trained, _ in progress(tasks, n_jobs=options.jobs, isolated=True, **bar)]
    record = records[variant.name]
    split, metric, targets = headline(record)

    def means(name):
        values = [[run["metrics"][split][metric][t] for t in targets] for run in records[name]["runs"]]
        return {
            t: round(sum(column) / len(values), 4) for t, column in zip(targets, zip(*values, strict=True), strict=True)
        }

    facts = coverage_of(record["facts"], split)
    quality = {"metric": metric, "split": split, "runs": len(record["runs"]), "n_test": facts["n_test"]}
    quality |= {"model": means(variant.name)}
    beside = {name: records[name]["title"] for name in training.baselines(variant)}
    beside = {name: title for name, title in beside.items() if title.startswith("baseline: ")}  # and no oracle
    quality |= {"baselines": {title.removeprefix("baseline: "): means(name) for name, title in beside.items()}}
    told = {key: record[key] for key in ("paper", "dataset", "variant", "title", "settings")}
    told |= {"columns": facts["targets"], "n_train": of_train, "n_validation": of_validation}
    told |= {"input": facts["input"], "audio": facts["audio"]}
    told |= {"quality": quality, "provenance": provenance.now(provenance.commit())}
    weights.save(options.weights, learnt, told, experiment.data.cite())
    print(f"weights: {options.weights}")


def _outcome(training, experiment, chosen, records, out, for_keeps) -> str:
    """Published beside measured for the cells that the chosen variants answer; measured alone for the others."""
    expected, blocks = board.load_expected(training.expected), []
    shown = set()
    if for_keeps:
        joined = Records(out, experiment.paper)
        for alternatives in (False, True):
            rows = board.join(expected, joined, alternatives=alternatives)
            rows = [row for row in rows if row.fields["variant"] in records and row.fields["record"]]
            if rows:
                blocks.append(report.board(rows, first="variant" if alternatives else "system"))
                shown |= {(row.fields["variant"], row.fields["split"]) for row in rows}
    tables = {}
    for variant in chosen:
        every = [run["metrics"] for run in records[variant.name]["runs"]]
        for split, measured in every[0].items():
            facts = coverage_of(records[variant.name]["facts"], split)
            if (variant.name, split) in shown or facts["n_test"] == 1:  # of a single song the record tells
                continue
            metric, targets = next((metric, list(values)) for metric, values in measured.items())
            means = [sum(metrics[split][metric][t] for metrics in every) / len(every) for t in targets]
            lines = tables.setdefault((f"{metric}, {split}", *targets), [])
            lines.append([variant.name, *(report.number(mean) for mean in means)])
    blocks += [report.text_table(list(header), lines) for header, lines in tables.items()]
    facts = experiment.facts(chosen[-1])
    covered = report.coverage(coverage_of(facts, next(iter(facts.get("splits", {})), "")))
    covered = f"{experiment.dataset}: {covered}"
    if for_keeps:
        blocks.append(f"{covered}\nRecorded in {out / experiment.paper / experiment.dataset}/.")
    else:
        real = (
            "without --quick it is run whole"
            if experiment.for_record
            else "--data-root DIR runs on the real recordings"
        )
        blocks.append(f"{covered}\nNot the paper's numbers, and not recorded; {real}.")
    return "\n\n".join(["", *blocks])
