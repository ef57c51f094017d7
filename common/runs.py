"""What to run, in parallel and resumable, and the records that it leaves.

A run is one whole go of a protocol: all networks (of all folds), one seed. It is a pure function of its
configuration (settings and data), never of the number of processes. Networks of a run that is not yet whole lie in
the work folder; a whole run is an entry of `runs` in `<out>/<paper>/<dataset>/<variant>.json`, which is replaced in
one step. So a kill loses at most the networks under way, and what is recorded is not run again.
"""

import hashlib
import io
import json
import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np

from common import provenance
from common.errors import InputError
from common.files import cache, json_text, pack, require_writable, unpack, write_atomically
from common.parallel import progress

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Variant:
    """One system, or one reading of it. `settings` is all that its numbers depend on beside data and seed."""

    name: str
    title: str
    settings: dict = field(hash=False)
    primary: bool = False  # answers for published cells
    core_seconds: float = 0  # a repetition's processor time, roughly
    finish_last: bool = False  # its `finish` takes long: not while networks are still trained


class Experiment(ABC):
    """A paper's protocol on one data set."""

    paper: str
    dataset: str
    folds: int
    for_record: bool = True  # False: data of the project's own making, never a result

    @abstractmethod
    def facts(self, variant: Variant) -> dict:
        """What a record states of the data: fingerprint, coverage, input, audio, tracks, reference.

        `splits` holds, by split, what differs from one split to the other.
        """

    def lacks(self, variant: Variant) -> str | None:
        """Why the data here do not allow a variant; None if they do."""
        return None

    def share(self, variant: Variant) -> float:
        """How much of the data that a variant's `core_seconds` is meant for there is, roughly."""
        return 1.0

    def jobs(self, variant: Variant, seed: int) -> list[dict]:
        """The networks that a run trains, each as all that it depends on beside the data; equal ones are shared."""
        return []

    def call(self, job: dict) -> tuple:
        """(function, *arguments) of one job; the function returns a dict of arrays, `seconds` among them."""
        raise NotImplementedError(f"{type(self).__name__} has jobs, and no function for them")

    def for_good(self, variant: Variant) -> tuple[int, list[tuple]]:
        """How many songs there are, and calls (function, *arguments) that train a variant on all of them.

        Each returns two dicts of arrays, the second what `common.weights` keeps and the paper's `predict` reads.
        """
        raise InputError(f"{variant.name}: has no weights that `predict` could read; --list shows the others")

    @abstractmethod
    def finish(self, variant: Variant, seed: int, found: list[dict], jobs: int) -> dict:
        """The entry of one run, as JSON, from what its jobs found: metrics by split, predictions, histories."""


def digest(value) -> str:
    """SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def data_sets(results: Path, paper: str) -> list[str]:
    """The data sets that something is recorded of; beside them lie weights and benchmarks."""
    found = {path.parent.name for path in (Path(results) / paper).glob("*/*.json")}
    return sorted(found - {"weights", "benchmarks"})


def record_path(out: Path, paper: str, dataset: str, variant: str) -> Path:
    """The file that records a variant."""
    return Path(out) / paper / dataset / f"{variant}.json"


def read_record(path: Path) -> dict | None:
    """A record, or None if there is none. Raises InputError if the file is not a record."""
    try:
        record = json.loads(Path(path).read_text())
        return record if {"settings", "facts", "runs"} <= record.keys() else _not_a_record(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, AttributeError) as error:
        return _not_a_record(path, error)


def _not_a_record(path, error=None):
    raise InputError(f"{path}: is not a record of runs ({error or 'keys are missing'}); move it away") from error


def write_record(path: Path, record: dict) -> None:
    """Replace a record in one step; one line a run, so that a new run is one new line.

    Raises InputError, and leaves the record as it is, if a number in it is NaN or infinite.
    """
    head = json_text({key: value for key, value in record.items() if key != "runs"}, path)
    runs = ",\n".join(json_text(run, path) for run in record["runs"])
    write_atomically(Path(path), f'{head[:-1]}, "runs": [\n{runs}\n]}}\n'.encode())


def open_record(path: Path, experiment: Experiment, variant: Variant) -> dict:
    """The record to add runs to. Raises InputError if it holds runs of another configuration."""
    settings = {**variant.settings, "folds": experiment.folds, "backend": provenance.backend()}
    new = {"paper": experiment.paper, "dataset": experiment.dataset, "variant": variant.name}
    new |= {"title": variant.title, "settings": settings, "facts": experiment.facts(variant), "runs": []}
    old = read_record(path)
    if old is None:
        return new
    for what in ("settings", "facts"):
        if old[what] != json.loads(json.dumps(new[what])):
            other = sorted(k for k in old[what].keys() | new[what].keys() if old[what].get(k) != new[what].get(k))
            raise InputError(
                f"{path}: holds runs of another configuration ({', '.join(other)}), as from other --epochs, --folds "
                "or data; runs are not mixed, give --out another folder"
            )
    return old


def histories(run: dict) -> list[dict[str, dict[int, float]]]:
    """Of each network of a run, by name and epoch, what was recorded while it was trained.

    Epochs whose value was not a finite number (None in the record) are left out.
    """

    def by_epoch(epochs, curve):
        numbers = np.array(curve, "float64").tolist()  # NaN where there is None
        return {epoch: number for epoch, number in zip(epochs, numbers, strict=False) if np.isfinite(number)}

    if "curves" in run:  # of one network
        return [{name: by_epoch(count(1), curve) for name, curve in run["curves"].items()}]
    if "course" in run:  # errors at some epochs: checks, splits, targets
        tested = [split for split in run["metrics"] if split != "development"]
        names = ["development", *tested, "validation"]
        return [
            {f"rmse, {split}": by_epoch(epochs, np.array(course, "float64")[:, k].mean(-1))
             for k, split in enumerate(names) if k < len(course[0])}
            for epochs, course in zip(course_epochs(run), run["course"], strict=True)
        ]  # fmt: skip
    curves = {name: run[name] for name in ("loss", "validation_loss") if name in run}
    return [{name: by_epoch(count(1), of_network) for name, of_network in zip(curves, network, strict=True)}
            for network in zip(*curves.values(), strict=True)]  # fmt: skip


def course_epochs(run: dict) -> list[list[int]]:
    """Of each network of a run, the epochs after which the errors in its `course` were measured.

    Records written before these epochs were recorded have a check every ten epochs.
    """
    return run.get("course_epochs") or [[10 * (i + 1) for i in range(len(course))] for course in run["course"]]


class Work:
    """The folder of finished jobs: checked arrays, one file a job."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.job"

    def load(self, key: str) -> dict | None:
        """The arrays of a job, or None if it is not done (or its file is damaged: it is done again)."""
        path = self._path(key)
        packed = unpack(path.read_bytes()) if path.is_file() else None
        if packed is None:
            return None
        with np.load(io.BytesIO(packed.tobytes()), allow_pickle=False) as arrays:
            return dict(arrays)

    def save(self, key: str, arrays: dict) -> None:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        cache(self._path(key), pack(np.frombuffer(buffer.getvalue(), "uint8")))


def execute(
    experiment: Experiment, variants: list[Variant], seeds: list[int], *, out: Path, work: Path, jobs: int, quiet=False
) -> dict[str, dict]:
    """Run what is not recorded yet; returns the records by variant, restricted to `seeds`."""
    paths = {v.name: record_path(out, experiment.paper, experiment.dataset, v.name) for v in variants}
    records = {v.name: open_record(paths[v.name], experiment, v) for v in variants}
    for path in paths.values():
        require_writable(path.parent)
    done = {name: {run["seed"] for run in record["runs"]} for name, record in records.items()}
    open_runs = [(seed, variant) for seed in seeds for variant in variants if seed not in done[variant.name]]
    work, calls = Work(work), {}

    def keys(variant, seed):
        data = [experiment.paper, records[variant.name]["facts"]["fingerprint"], provenance.backend()]
        return {digest([*data, job]): job for job in experiment.jobs(variant, seed)}

    for seed, variant in open_runs:
        calls |= keys(variant, seed)
    missing = {key: job for key, job in calls.items() if work.load(key) is None}
    commit = provenance.commit()  # of the code that is loaded, not of a later one

    def finish_whole_runs():
        for seed, variant in list(open_runs):
            needed = keys(variant, seed)
            if not missing.keys().isdisjoint(needed) or (missing and variant.finish_last):
                continue
            found = [work.load(key) for key in needed]
            entry = {"seed": seed, **experiment.finish(variant, seed, found, jobs)}
            if found:
                entry["core_seconds"] = round(float(sum(network["seconds"] for network in found)), 1)
            made = {str(network["provenance"]) for network in found} or {json.dumps(provenance.now(commit))}
            entry["provenance"] = provenance.merged([json.loads(text) for text in made])
            record = records[variant.name]
            record["runs"] = sorted([*record["runs"], entry], key=lambda run: run["seed"])
            write_record(paths[variant.name], record)
            open_runs.remove((seed, variant))

    finish_whole_runs()
    calls = ((_keyed, key, commit, *experiment.call(job)) for key, job in list(missing.items()))
    if missing:
        bar = {"total": len(missing), "label": f"training {experiment.paper}", "unit": "network", "quiet": quiet}
        for key, arrays in progress(calls, jobs=jobs, ordered=False, **bar):
            logger.info("trained in %.0f s of a core: %s", arrays["seconds"], json.dumps(missing[key]))
            work.save(key, arrays)
            del missing[key]
            finish_whole_runs()
    wanted = set(seeds)
    return {n: {**r, "runs": [run for run in r["runs"] if run["seed"] in wanted]} for n, r in records.items()}


def _keyed(key, commit, function, *arguments):
    arrays = function(*arguments)
    return key, {**arrays, "provenance": np.array(json.dumps(provenance.now(commit)))}
