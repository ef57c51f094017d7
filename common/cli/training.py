"""The command line that every paper's `train` shares: which variants run, what is printed, what is kept."""

import argparse
import difflib
import fnmatch
import importlib
import inspect
import logging
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from common import parallel
from common.cli import outcome
from common.cli.options import Parser, add_processes, add_scale, at_least, run, use_device
from common.cli.settings import check_names, with_settings
from common.errors import InputError
from common.experiment import Experiment, Variant
from common.experiment.runner import execute
from common.files import cache_folder, require_cache, require_writable
from common.outputs import require_output_folder
from common.verdict import board
from common.verdict.recorded import Records

EPILOG = """Without a data root it runs on synthetic music; such numbers are not the paper's and are never recorded.
Re-run the command to resume: what is trained already is not trained again."""


@dataclass(frozen=True)
class Training:
    """What a paper's `train` module says of its command.

    Attributes
    ----------
    variants : of the parsed options; `options.epochs` is None for the published number
    build : makes the experiment from the parsed options
    baselines : names of the variants that always run together with a variant
    default : variants that run if none is requested (None: the primary ones); of a paper with several data sets those
        that the data set has
    repeats : how many repetitions run if nothing else is requested
    dataset : the default data set of a paper that runs on several
    own_labels : whether the data set can be a folder of the user's with labels.csv
    folds : whether the protocol is a cross-validation
    network : settings of the networks that primary variants need not name, see `defaults` of `settings.with_settings`
    expected : the paper's table of published cells; None: `expected.json` next to the module of `build`
    """

    variants: Callable[[argparse.Namespace], list[Variant]]
    build: Callable[[argparse.Namespace], Experiment]
    baselines: Callable[[Variant], tuple[str, ...]]
    default: tuple[str, ...] | None = None
    repeats: int = 1
    dataset: str | None = None
    own_labels: bool = False
    folds: bool = True
    network: dict = field(default_factory=dict)
    expected: Path | None = None

    def __post_init__(self):
        if self.expected is None:
            object.__setattr__(self, "expected", Path(inspect.getfile(self.build)).with_name("expected.json"))

    @property
    def module(self):
        """The paper's `train` module, whose docstring is the description of the command."""
        return sys.modules[self.build.__module__]

    def main(self, arguments: list[str] | None = None) -> int:
        """Run the command line.

        Parameters
        ----------
        arguments : list of str, optional
            By default those of the process.

        Returns
        -------
        int
            The exit code.
        """
        options = parser(self).parse_args(arguments)
        parallel.quiet_bars = options.quiet
        logging.basicConfig(format="%(message)s")
        logging.getLogger("common").setLevel(logging.INFO if options.verbose else logging.WARNING)
        return run(lambda: _train(self, options))


def run_module(spec) -> None:
    """Run the command of a `train` module, and end with its exit code.

    `python -m` names the module __main__; workers find its functions by the name that it has here.

    Parameters
    ----------
    spec : the module's `__spec__`
    """
    sys.exit(importlib.import_module(spec.name).TRAINING.main())


def parser(training: Training) -> Parser:
    """The options, in the user's words.

    Parameters
    ----------
    training : Training

    Returns
    -------
    Parser
    """
    program = f"python -m {training.module.__name__}"
    made = Parser(prog=program, description=training.module.__doc__, epilog=EPILOG)
    _add_data(made.add_argument_group("data"), training)
    _add_variants(made.add_argument_group("what is trained"), training)
    _add_output(made.add_argument_group("output"), training)
    return made


def _add_data(group, training: Training) -> None:
    add = group.add_argument
    add("--data-root", metavar="DIR", help="folder of the data sets (default: the variable MER_DATA_ROOT)")
    if training.dataset:
        either = "a data set, or a folder of your own in the data root (docs/data.md)"
        add("--dataset", default=training.dataset, metavar="NAME", help=f"{either} (default: %(default)s)")
    if training.own_labels:
        add_scale(group)
    add("--allow-missing", action="store_true", help="run on the part of a data set that is there; all tables say so")


def _add_variants(group, training: Training) -> None:
    add, default = group.add_argument, ", ".join(training.default or ["the primary ones"])
    several = "repeatable; 'abc*' for all whose names match; baselines run too"
    add("--variant", action="append", metavar="NAME", help=f"run this variant ({several}; default: {default})")
    add("--table", action="store_true", help="run all primary variants, those that answer for published cells")
    add(
        "--list",
        action="store_true",
        help="list all variants, or those of --variant, --table and --set, with the time that each takes, and stop",
    )
    changed = "change a setting of the network, as dropout=.5 (repeatable); recorded under a name of its own"
    add("--set", action="append", default=[], metavar="NAME=VALUE", help=changed)
    if training.folds:
        add("--folds", type=at_least(2), help="folds (default: the paper's; fewer on synthetic music)")
    repeats = "repetitions: other splits or shuffles, other initial weights (default: %(default)s)"
    add("--repeats", type=at_least(1), default=training.repeats, help=repeats)
    seed = at_least(0, 1_000_000)  # networks have 1,000 times as much, in 32 bits
    add("--seed", type=seed, action="append", metavar="N", help="the repetition with this seed (repeatable)")
    epochs = "epochs of the networks (default: the published number); does not change variants with a number of epochs "
    epochs += "in their name, nor the systems of other authors"
    add("--epochs", type=at_least(1), help=epochs)
    quick = "2 folds, 5 epochs" if training.folds else "5 epochs"
    add("--quick", action="store_true", help=f"{quick}, once, nothing recorded: only to see that it runs")


def _add_output(group, training: Training) -> None:
    add = group.add_argument
    add_processes(add)
    add("--out", type=Path, default=Path("runs"), metavar="DIR", help="where records go (default: %(default)s/)")
    kept = "then train the one --variant on all songs and keep its weights in DIR, for predict --weights DIR"
    add("--weights", type=Path, metavar="DIR", help=kept)
    add("--tensorboard", type=Path, metavar="DIR", help="then write the histories of the runs for TensorBoard")
    either = group.add_mutually_exclusive_group()
    either.add_argument("--verbose", action="store_true", help="a line for each network that is trained")
    either.add_argument("--quiet", action="store_true", help="no progress bars and no plan, only the tables")


def _train(training: Training, options: argparse.Namespace) -> int:
    """Run the variants that are requested; ends with the table of published and measured numbers."""
    if options.quick:
        options.folds, options.epochs, options.repeats = 2, 5, 1
    variants = {variant.name: variant for variant in training.variants(options)}
    check_names(variants.values(), training.network)
    requested = _requested(variants, training, options)
    if options.epochs and not options.quick:
        _require_epochs(requested, variants, training, options)
    systems = [with_settings(variants[name], options.set, training.network) for name in requested]
    if options.list:
        chosen = options.variant or options.table or options.set
        print(outcome.listing(systems if chosen else variants.values(), options.jobs))
        return 0
    use_device(options)
    require_cache()
    if options.weights:
        require_output_folder(options.weights, "weights.json", b'"sha256"')
    baselines = [variants[name] for system in systems for name in training.baselines(system)]
    chosen = list({variant.name: variant for variant in [*baselines, *systems]}.values())
    experiment = training.build(options)
    recorded = experiment.for_record and not options.quick
    if recorded:
        require_writable(options.out)
    named = [one.name for one, name in zip(systems, requested, strict=True) if name in (options.variant or [])]
    chosen = _available(chosen, named, experiment)
    _check_output(systems, experiment, options)
    if len(chosen) > 1 and not options.quiet:
        print(outcome.plan(chosen, experiment, options), flush=True)
    _warn(chosen, experiment, options, recorded=recorded)
    with tempfile.TemporaryDirectory() as scratch:
        out, seeds = options.out if recorded else Path(scratch), options.seed or list(range(options.repeats))
        records = execute(experiment, chosen, seeds, out=out, work=cache_folder() / "work", n_jobs=options.jobs)
        print(outcome.summary(training, experiment, chosen, records, out, recorded=recorded))
        if options.tensorboard:
            outcome.write_tensorboard(records, options.tensorboard)
        if options.weights:
            outcome.keep_weights(training, experiment, systems[0], records, options)
        if recorded:
            _draw(training, experiment, out)
    return 0


def _requested(variants: dict[str, Variant], training: Training, options) -> list[str]:
    """Names of the variants that are to run, without baselines. Raises InputError for a name that is not known."""
    given = [name for pattern in options.variant or [] for name in fnmatch.filter(variants, pattern) or [pattern]]
    unknown = [name for name in given if name not in variants]
    if unknown:
        titled = [name for name, variant in variants.items() if variant.title.lower() == unknown[0].lower()]
        near = " or ".join(titled or difflib.get_close_matches(unknown[0], variants, n=2))
        hint = f"did you mean {near}? " if near else ""
        hint += "other data sets have other variants (--dataset); " if training.dataset else ""
        raise InputError(f"unknown variant '{unknown[0]}'; {hint}--list shows them all")
    primary = [variant.name for variant in variants.values() if variant.primary]
    default = [name for name in training.default or primary if name in variants] or list(variants)[:1]
    return list(dict.fromkeys(given or (primary if options.table else default)))


def _require_epochs(requested: list[str], variants: dict[str, Variant], training: Training, options) -> None:
    """Raise InputError if --epochs changes none of the variants that are to run."""
    more = argparse.Namespace(**vars(options) | {"epochs": options.epochs + 1})
    others = {variant.name: variant for variant in training.variants(more)}
    if all(others[name].settings == variants[name].settings for name in requested):
        raise InputError(f"--epochs {options.epochs}: changes none of {', '.join(requested)}")


def _available(chosen: list[Variant], named: list[str], experiment: Experiment) -> list[Variant]:
    """The variants that the data allow; raises InputError if one that was named is not among them, or none is."""
    reasons = {variant.name: why for variant in chosen if (why := experiment.unavailable_reason(variant))}
    for name in named:
        if name in reasons:
            raise InputError(f"{name} cannot run here: {reasons[name]}")
    for name, why in reasons.items():
        print(f"left out: {name} ({why})")
    available = [variant for variant in chosen if variant.name not in reasons]
    if not available:
        raise InputError("none of these variants can run on what is there of the data; --list shows the others")
    return available


def _check_output(systems: list[Variant], experiment: Experiment, options) -> None:
    """Raise InputError before any work if what was requested besides records cannot be made."""
    if options.tensorboard and find_spec("tensorboard") is None:
        raise InputError("--tensorboard: install the extra 'tensorboard', which writes and shows its files")
    if options.weights:
        if len(options.variant or []) != 1 or len(systems) != 1 or options.quick:
            raise InputError("--weights keeps the weights of one variant; name one --variant, and no --quick")
        experiment.trained_on_all(systems[0])


def _warn(chosen: list[Variant], experiment: Experiment, options, *, recorded: bool) -> None:
    """Say if the numbers are not the paper's."""
    if not recorded:
        why = "a quick run" if options.quick else "run on synthetic music"
        print(f"This is {why}: its numbers are not the paper's, and nothing is recorded.")
        return
    partial = [variant.name for variant in chosen if experiment.facts(variant).get("partial")]
    if partial:
        which = "all" if len(partial) == len(chosen) else ", ".join(partial)
        print(f"Not the paper's epochs, folds, songs or settings: {which}. Such numbers say nothing of the paper.")


def _draw(training: Training, experiment: Experiment, out: Path) -> None:
    """Draw the figures again, if a record is newer than they are."""
    from common.report import figures

    folder = out / experiment.paper / experiment.dataset
    records, drawn = list(folder.glob("*.json")), list(folder.glob("figures/*.png"))
    if drawn and max(map(_modified, records)) <= min(map(_modified, drawn)):
        print(f"figures: {folder}/figures, of all runs here")
        return
    expected, package = board.load_expected(training.expected), training.module.__name__.rpartition(".")[0]
    for path in figures.draw_all(expected, Records(out, experiment.paper), package):
        if path.parts[-3] == experiment.dataset:
            print(f"figure: {path}")


def _modified(path: Path) -> float:
    return path.stat().st_mtime
