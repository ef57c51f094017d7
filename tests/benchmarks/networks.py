"""How long each primary network trains on two cores, and how long the networks of one repetition of all rows take.

    python -m tests.benchmarks.networks --data-root DATA [--paper PAPER] [--out results]

Two processes each train a network of a repetition at the same time, on real data with warm features: first for a few
epochs, then for more. A line through both gives the seconds of an epoch and of the start, and so the time of the
paper's number of epochs. Where training may stop earlier, that time is an upper bound. chaki2020's networks are those
on the 260 features that come with DEAM: the paper's own input is not at hand for whole clips.
"""

import importlib
import json
import sys
import time
from dataclasses import dataclass

import numpy as np

from common import backend, cli
from common.cli.training import parser
from common.experiment import Experiment, Network, Variant
from common.experiment.runner import call_of
from common.parallel import progress
from tests import benchmarks

CORES, HOURS = 2, "one repetition"
EPOCHS = {"malik2017": (10, 30), "jakubik2017": (2, 10), "velankar2022": (1, 5), "chaki2020": (1, 3)}  # few, more
DATASETS = {"malik2017": ["mediaeval2015"], "jakubik2017": ["emotify", "4q"], "velankar2022": ["4q"],
            "chaki2020": ["emomusic"]}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A variant on a data set, its networks of seed 0, and how many epochs they have; 0 where no option changes it."""

    title: str
    networks: list[Network]
    epochs: int


def rows(paper: str, dataset: str, data_root: str, epochs: int | None) -> list[Row]:
    """Of all primary variants with networks, or of those that stand in for them on other input."""
    training = importlib.import_module(f"reproductions.{paper}.train").TRAINING
    options = parser(training).parse_args(["--data-root", data_root, "--allow-missing", "--jobs", str(CORES)])
    if training.dataset:
        options.dataset = dataset
    options.epochs = epochs
    experiment, variants = training.build(options), training.variants(options)
    of_name = {variant.name: variant for variant in variants}
    chosen = [of_name.get(f"{variant.name}_260", variant) for variant in variants if variant.primary]
    available = [row(experiment, variant) for variant in chosen if not experiment.unavailable_reason(variant)]
    return [one for one in available if one.networks]


def row(experiment: Experiment, variant: Variant) -> Row:
    """The row of a variant; networks that are equal count once."""
    of_splits = [experiment.networks(variant, split) for split in experiment.splits(variant, 0)]
    networks = {(json.dumps(n.settings), n.split.fold, n.split.seed): n for of_split in of_splits for n in of_split}
    first = next(iter(networks.values()), None)
    return Row(variant.title, list(networks.values()), first.settings.get("epochs", 0) if first else 0)


def seconds(*calls: tuple) -> list[float]:
    """Of each training, one after another, in this process; the first is done twice, since its imports count too."""
    backend.fast_fit()
    function, *arguments = calls[0]
    function(*arguments)
    taken = []
    for function, *arguments in calls:
        started = time.perf_counter()
        function(*arguments)
        taken.append(time.perf_counter() - started)
    return taken


def measure(few: Row, more: Row, full: Row) -> dict:
    """The columns of a row: an epoch of two networks, and what follows for a repetition.

    Networks whose epochs an option does not change are trained completely; a single one is trained on both cores.
    """
    trainings = [few, more] if few.epochs < more.epochs else [full]
    of_cores = [[row.networks[core % len(row.networks)] for row in trainings] for core in range(CORES)]
    at_once = [(seconds, *map(call_of, networks)) for networks in of_cores]
    taken = np.array(list(progress(at_once, total=CORES, n_jobs=CORES, label="", unit="", quiet=True, isolated=True)))
    columns, network, n = {}, taken[:, 0], len(full.networks)
    if len(trainings) > 1:
        an_epoch = (taken[:, 1] - taken[:, 0]) / (more.epochs - few.epochs)
        network = taken[:, 0] + (full.epochs - few.epochs) * an_epoch
        columns = {"epochs": benchmarks.measured("", full.epochs)}
        columns |= {"an epoch": benchmarks.measured("s", an_epoch)}
    return {
        "networks": benchmarks.measured("", n),
        **columns,
        "a network": benchmarks.measured("s", network),
        "networks an hour": benchmarks.measured("", CORES * 3600 / network.mean()),
        HOURS: benchmarks.measured("h", n * network.mean() / CORES / 3600),
    }


def main():
    options = benchmarks.parser(__doc__)
    options.add_argument("--data-root", required=True)
    options.add_argument("--paper", choices=EPOCHS, action="append", help="only this paper (repeatable)")
    options = options.parse_args()
    table = {}
    for paper in options.paper or EPOCHS:
        for dataset in DATASETS[paper]:
            few, more, full = (rows(paper, dataset, options.data_root, n) for n in (*EPOCHS[paper], None))
            if options.out:
                benchmarks.wait_until_idle()
            for a, b, c in zip(few, more, full, strict=True):
                of_row = table[f"{paper}, {dataset}: {a.title}"] = measure(a, b, c)
                print(
                    f"{paper}, {dataset}: {a.title}",
                    {name: cell["median"] for name, cell in of_row.items()},
                    flush=True,
                )
    hours = sum(cells[HOURS]["median"] for cells in table.values())
    print(f"one repetition of all: {hours:.2f} h on two cores")
    if options.out:
        table["all"] = {HOURS: benchmarks.measured("h", hours)}
        benchmarks.record(options.out, "networks", "two cores, a network each", table)


if __name__ == "__main__":
    sys.exit(cli.run(main))
