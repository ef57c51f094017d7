"""Trains what is not trained yet, in parallel and resumable, and records complete runs.

A run is one repetition of a protocol: all networks (of all folds), one seed. It is a pure function of its identity
(`common.experiment.identity`), never of the number of processes. Networks of a run that is not complete lie in the
work folder; a complete run is an entry of the variant's record. So a kill loses at most the networks that are being
trained, and what is recorded is not run again. Several commands may train into one folder at the same time: a network
is trained by one of them, and all runs are kept.
"""

import io
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from common import backend, provenance, weights
from common.errors import InputError
from common.experiment import identity
from common.experiment.base import Experiment, Network, Trained, Variant
from common.experiment.records import joined, new_record, read_record, record_path, record_run
from common.files import cache, finite, lock, pack, require_writable, unpack
from common.parallel import on_worker, progress

logger = logging.getLogger(__name__)


class Work:
    """The folder of trained networks: checked arrays, one file a network, named by its identity."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.network"

    def load(self, key: str) -> tuple[Trained, dict] | None:
        """A network without its model.

        Parameters
        ----------
        key : str
            As of `identity.of_call`.

        Returns
        -------
        trained : Trained
        made : dict
            Its `seconds` and `provenance`.

        Instead of both None, if it is not trained; one whose file is damaged is trained again.
        """
        path = self._path(key)
        packed = unpack(path.read_bytes()) if path.is_file() else None
        if packed is None:
            return None
        with np.load(io.BytesIO(packed.tobytes()), allow_pickle=False) as arrays:
            parts = {"outputs": {}, "history": {}}
            for name in arrays.files[1:]:
                kind, _, rest = name.partition("/")
                parts[kind][rest] = arrays[name]
            return Trained(**parts), json.loads(str(arrays["made"]))

    def save(self, key: str, trained: Trained, made: dict) -> None:
        """Keep a network without its model.

        Parameters
        ----------
        key : str
            As of `identity.of_call`.
        trained : Trained
        made : dict
            Its `seconds` and `provenance`.
        """
        arrays = {"made": np.array(json.dumps(made))}
        for kind in ("outputs", "history"):
            arrays |= {f"{kind}/{name}": array for name, array in getattr(trained, kind).items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        cache(self._path(key), pack(np.frombuffer(buffer.getvalue(), "uint8")))

    def lock(self, key: str, *, wait: bool):
        """A context in which no other process trains this network.

        Parameters
        ----------
        key : str
        wait : bool
            True: waits until no other process trains it.

        Returns
        -------
        context manager of bool
            True; without `wait` False if another process trains it.

        Raises
        ------
        InputError
            If the lock file cannot be created or locked, when the context is entered.
        """
        return lock(self.folder / f"{key}.lock", wait=wait)


def call_of(network: Network) -> tuple:
    """The call that trains a network.

    Parameters
    ----------
    network : Network

    Returns
    -------
    tuple
        (function, *arguments)
    """
    return network.fit, network.settings, network.samples, network.split


class _Run:
    """A run that is not recorded yet: its variant and seed, and by split the keys of its networks."""

    def __init__(self, experiment: Experiment, variant: Variant, seed: int):
        self.variant, self.seed = variant, seed
        networks = [experiment.networks(variant, split) for split in experiment.splits(variant, seed)]
        self.keys = [[identity.of_call(*call_of(network)) for network in of_split] for of_split in networks]
        self.networks = {
            key: network
            for keys, of_split in zip(self.keys, networks, strict=True)
            for key, network in zip(keys, of_split, strict=True)
        }


class _Recording:
    """The records of some variants on disk, to which complete runs are added.

    Raises InputError if their folder cannot be written, or they hold runs of another identity.
    """

    def __init__(self, experiment: Experiment, variants: list[Variant], out: Path):
        self.experiment, self.out = experiment, out
        self.paths = {v.name: record_path(out, experiment.paper, experiment.dataset, v.name) for v in variants}
        self.new = {v.name: new_record(experiment, v) for v in variants}
        self.records = {name: joined(path, read_record(path), self.new[name]) for name, path in self.paths.items()}
        for path in self.paths.values():
            require_writable(path.parent)

    def seeds(self, variant: Variant) -> set[int]:
        """The seeds of the runs that are recorded."""
        return {run["seed"] for run in self.records[variant.name]["runs"]}

    def add_complete(self, runs: list[_Run], missing: dict, work: Work, commit: str | None) -> list[_Run]:
        """Record the runs none of whose networks is missing; returns the others."""
        incomplete = []
        for run in runs:
            if not missing.keys().isdisjoint(run.networks) or (missing and run.variant.score_last):
                incomplete.append(run)
                continue
            name = run.variant.name
            entry = _entry(self.experiment, run, work, commit) | {"identity": next(iter(self.new[name]["identities"]))}
            self.records[name] = record_run(self.out, self.paths[name], self.new[name], entry)
        return incomplete

    def of(self, seeds: list[int]) -> dict[str, dict]:
        """The records by variant, with the runs of these seeds."""
        return {
            name: record | {"runs": [run for run in record["runs"] if run["seed"] in seeds]}
            for name, record in self.records.items()
        }


def execute(
    experiment: Experiment,
    variants: list[Variant],
    seeds: list[int],
    *,
    out: Path,
    work: Path,
    n_jobs: int,
    quiet=False,
) -> dict[str, dict]:
    """Train and record what is not recorded yet.

    Parameters
    ----------
    experiment, variants, seeds : what is run
    out : the folder of the records
    work : the folder of trained networks whose runs are not complete
    n_jobs : processes
    quiet : no progress bar

    Returns
    -------
    the records by variant, restricted to `seeds`

    Raises
    ------
    InputError : a folder cannot be written, or holds runs of another identity
    """
    records = _Recording(experiment, variants, out)
    runs = [
        _Run(experiment, variant, seed) for seed in seeds for variant in variants if seed not in records.seeds(variant)
    ]
    work, commit = Work(work), provenance.commit()  # of the code that is loaded, not of a later one
    missing = {key: network for run in runs for key, network in run.networks.items()}
    missing = {key: network for key, network in missing.items() if work.load(key) is None}
    runs = records.add_complete(runs, missing, work, commit)
    bar = {"label": f"training {experiment.paper}", "unit": "network", "quiet": quiet}
    for key in _train_all(missing, work, commit, n_jobs=n_jobs, **bar):
        del missing[key]
        runs = records.add_complete(runs, missing, work, commit)
    return records.of(seeds)


def _train_all(missing: dict[str, Network], work: Work, commit: str | None, **options) -> Iterator[str]:
    """Train the networks that are missing; yields the key of each that is there, and the caller takes it from them."""
    for wait in (False, True):  # first those that no other command is training, then wait for the others
        if not missing:
            return
        tasks = ((_train, work, key, wait, commit, *call_of(network)) for key, network in list(missing.items()))
        for key, seconds in progress(tasks, total=len(missing), ordered=False, isolated=True, **options):
            if seconds is not None:
                settings = json.dumps(missing[key].settings)
                logger.info("trained in %.0f s of processor time: %s", seconds, settings)
                yield key


def train_model(function, *arguments) -> bytes:
    """Train a network and pack its model.

    Parameters
    ----------
    function, *arguments
        As of `call_of`.

    Returns
    -------
    bytes
        The content of a .keras file.
    """
    backend.fast_fit()
    return weights.packed(function(*arguments).model)


def _train(work: Work, key: str, wait: bool, commit: str | None, function, *arguments) -> tuple[str, float | None]:
    """Train a network unless it is there; returns its key and seconds, None while another command trains it."""
    with work.lock(key, wait=wait) as mine:
        if not mine:
            return key, None
        known = work.load(key)
        if known is not None:
            return key, known[1]["seconds"]
        trained, made = on_worker(_trained, key, commit, function, *arguments)
        work.save(key, trained, made)
        return key, made["seconds"]


def _trained(key: str, commit: str | None, function, *arguments) -> tuple[Trained, dict]:
    """Train a network; returns it without its model, and what `Work.save` keeps with it."""
    if identity.of_call(function, *arguments) != key:
        raise InputError("the code was changed while it was training; start again, and train from a separate checkout")
    backend.fast_fit()
    started = time.process_time()
    trained = function(*arguments)
    made = {"seconds": time.process_time() - started, "provenance": provenance.now(commit)}
    return replace(trained, model=None), made


def _entry(experiment: Experiment, run: _Run, work: Work, commit: str | None) -> dict:
    """The entry of one run from its trained networks."""
    loaded = {key: work.load(key) for key in run.networks}
    by_split = [[loaded[key][0] for key in keys] for keys in run.keys]
    with backend.one_thread():
        entry = {"seed": run.seed, **experiment.score(run.variant, run.seed, by_split)}
    history = [history_of(trained) for trained, _ in loaded.values() if trained.history]
    if history:
        entry["history"] = history
    if loaded:
        entry["core_seconds"] = round(sum(made["seconds"] for _, made in loaded.values()), 1)
    origins = sorted({json.dumps(made["provenance"]) for _, made in loaded.values()})
    return entry | {"provenance": provenance.merged([json.loads(text) for text in origins] or [provenance.now(commit)])}


def history_of(trained: Trained) -> dict[str, list]:
    """What was recorded while a network was trained, as a record keeps it.

    Parameters
    ----------
    trained : Trained

    Returns
    -------
    dict, as JSON
        name -> list, one value (or one a target) an epoch: four digits, None where a value is not finite.
    """
    return {
        name: values.tolist() if name == "epoch" else finite(_four_digits(values.tolist()))
        for name, values in trained.history.items()
    }


def _four_digits(values):
    return [_four_digits(value) if isinstance(value, list) else float(f"{value:.4g}") for value in values]
