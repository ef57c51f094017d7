"""What to run, in parallel and resumable, and the records that it leaves.

A run is one whole go of a protocol: all networks (of all folds), one seed. It is a pure function of its identity
(`common.identity`), never of the number of processes. Networks of a run that is not yet whole lie in the work folder;
a whole run is an entry of `runs` in `<out>/<paper>/<dataset>/<variant>.json`, which is replaced in one step. So a kill
loses at most the networks under way, and what is recorded is not run again. Several commands may train into one
folder at the same time: a network is trained by one of them, and all runs are kept.
"""

import io
import json
import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np

from common import backend, identity, provenance
from common.errors import InputError
from common.files import cache, json_text, lock, pack, require_writable, unpack, write_atomically
from common.identity import digest
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

    @abstractmethod
    def extractor(self, variant: Variant):
        """The extractor that computes a variant's input from audio; None if the features come with the data."""

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

    def for_good(self, variant: Variant) -> tuple[int, int, list[tuple]]:
        """How many songs train and how many validate (choose when to stop, or which weights), and the calls that do so.

        A call (function, *arguments) returns two dicts of arrays, the second what `common.weights` keeps and the
        paper's `predict` reads.
        """
        raise InputError(f"{variant.name}: has no weights that `predict` could read; --list shows the others")

    @abstractmethod
    def finish(self, variant: Variant, seed: int, found: list[dict], jobs: int) -> dict:
        """The entry of one run, as JSON, from what its jobs found: metrics by split, predictions, histories."""


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


def new_record(experiment: Experiment, variant: Variant) -> dict:
    """A record without runs: what they will have in common, and the identity that they will carry."""
    settings = {**variant.settings, "folds": experiment.folds, "backend": backend.name()}
    record = {"paper": experiment.paper, "dataset": experiment.dataset, "variant": variant.name, "title": variant.title}
    record |= {"settings": settings, "facts": experiment.facts(variant)}
    functions = {experiment.call(job)[0] for job in experiment.jobs(variant, 0)}
    parts = identity.of_runs(experiment, variant, functions)
    name = digest([settings, record["facts"]["fingerprint"], parts])[:16]
    return record | {"identities": {name: parts}, "runs": []}


def joined(path: Path, old: dict | None, new: dict) -> dict:
    """An old record with the identity of a new one, ready for runs of it.

    Raises InputError if the old one holds runs of other settings, data or identity; nothing is mixed.
    """
    if old is None:
        return new
    new = json.loads(json.dumps(new))
    for what in ("settings", "facts"):
        if old[what] != new[what]:
            other = sorted(k for k in old[what].keys() | new[what].keys() if old[what].get(k) != new[what].get(k))
            raise InputError(
                f"{path}: holds runs of another configuration ({', '.join(other)}), as from other --epochs, --folds "
                "or data; runs are not mixed, give --out another folder"
            )
    (name,) = new["identities"]
    for run in old["runs"]:
        if not equivalent(old, run.get("identity", LEGACY), name):
            raise InputError(
                f"{path}: holds runs of another identity ({_difference(old, run, new)}), whose numbers may differ; "
                "give --out another folder, or compare both: "
                f"python -m reproductions verify {new['variant']} --results {path.parents[2]} --record"
            )
    return old | {"identities": old.get("identities", {}) | new["identities"]}


LEGACY = "legacy"  # the identity of runs that were recorded before runs had one


def equivalent(record: dict, one: str, other: str) -> bool:
    """Whether two identities are the same, or a verification that the record lists found that they agree."""
    return one == other or any({one, other} <= set(of["identities"]) for of in record.get("equivalent", []))


def mixture(record: dict) -> list[str]:
    """The identities of a record's runs, if they are more than one and not all equivalent; else none."""
    names = sorted({run.get("identity", LEGACY) for run in record["runs"]})
    return [] if all(equivalent(record, names[0], name) for name in names) else names


def _difference(old: dict, run: dict, new: dict) -> str:
    """In what two identities differ, in a few words."""
    name = run.get("identity", LEGACY)
    before, (now,) = old.get("identities", {}).get(name), new["identities"].values()
    if before is None:
        return "recorded before identities were kept"
    code = [module for module in sorted(before["code"].keys() | now["code"].keys())
            if before["code"].get(module) != now["code"].get(module)]  # fmt: skip
    parts = [f"code of {', '.join(code)}"] if code else []
    parts += [part for part in ("extractor", "environment") if before[part] != now[part]]
    return "; ".join(parts)


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
    """The folder of trained networks: checked arrays, one file a network, named by its identity."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.job"

    def load(self, key: str) -> dict | None:
        """The arrays of a network, or None if it is not trained (or its file is damaged: it is trained again)."""
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

    def lock(self, key: str, *, wait: bool):
        """A context: True if no other process trains this network, else (without `wait`) False."""
        return lock(self.folder / f"{key}.lock", wait=wait)


def execute(
    experiment: Experiment, variants: list[Variant], seeds: list[int], *, out: Path, work: Path, jobs: int, quiet=False
) -> dict[str, dict]:
    """Run what is not recorded yet; returns the records by variant, restricted to `seeds`."""
    paths = {v.name: record_path(out, experiment.paper, experiment.dataset, v.name) for v in variants}
    new = {v.name: new_record(experiment, v) for v in variants}
    records = {name: joined(path, read_record(path), new[name]) for name, path in paths.items()}
    for path in paths.values():
        require_writable(path.parent)
    done = {name: {run["seed"] for run in record["runs"]} for name, record in records.items()}
    open_runs = [(seed, variant) for seed in seeds for variant in variants if seed not in done[variant.name]]
    work, keys, missing = Work(work), {}, {}
    for seed, variant in open_runs:
        of_run = [(identity.of_call(*experiment.call(job)), job) for job in experiment.jobs(variant, seed)]
        keys[seed, variant.name] = [key for key, _ in of_run]
        missing |= {key: job for key, job in of_run if key not in missing and work.load(key) is None}
    commit = provenance.commit()  # of the code that is loaded, not of a later one

    def finish_complete_runs():
        for seed, variant in list(open_runs):
            needed = keys[seed, variant.name]
            if not missing.keys().isdisjoint(needed) or (missing and variant.finish_last):
                continue
            entry = _entry(experiment, variant, seed, [work.load(key) for key in needed], jobs, commit)
            entry["identity"] = next(iter(new[variant.name]["identities"]))
            records[variant.name] = _record_run(out, paths[variant.name], new[variant.name], entry)
            open_runs.remove((seed, variant))

    finish_complete_runs()
    for wait in (False, True):  # first those that no other command is training, then wait for the others
        calls = ((_train, work, key, wait, commit, *experiment.call(job)) for key, job in list(missing.items()))
        if missing:
            bar = {"total": len(missing), "label": f"training {experiment.paper}", "unit": "network", "quiet": quiet}
            for key, seconds in progress(calls, jobs=jobs, ordered=False, isolated=True, **bar):
                if seconds is not None:
                    logger.info("trained in %.0f s of a core: %s", seconds, json.dumps(missing.pop(key)))
                    finish_complete_runs()
    wanted = set(seeds)
    return {n: {**r, "runs": [run for run in r["runs"] if run["seed"] in wanted]} for n, r in records.items()}


def _train(work: Work, key: str, wait: bool, commit: str | None, function, *arguments) -> tuple[str, float | None]:
    """Train a network unless it is there; returns its key and seconds, None while another command trains it."""
    if identity.of_call(function, *arguments) != key:
        raise InputError("the code was changed while it was training; start again, and train from a separate checkout")
    with work.lock(key, wait=wait) as mine:
        if not mine:
            return key, None
        arrays = work.load(key)
        if arrays is None:
            arrays = function(*arguments) | {"provenance": np.array(json.dumps(provenance.now(commit)))}
            work.save(key, arrays)
        return key, float(arrays["seconds"])


def _entry(experiment, variant, seed: int, networks: list[dict], jobs: int, commit: str | None) -> dict:
    """The entry of one run from its trained networks."""
    with backend.one_thread():
        entry = {"seed": seed, **experiment.finish(variant, seed, networks, jobs)}
    made = [json.loads(text) for text in sorted({str(network["provenance"]) for network in networks})]
    if networks:
        entry["core_seconds"] = round(float(sum(network["seconds"] for network in networks)), 1)
    return entry | {"provenance": provenance.merged(made or [provenance.now(commit)])}


def _record_run(out: Path, path: Path, new: dict, entry: dict) -> dict:
    """Add a run to the record on disk, which another command may have added to; returns the record."""
    with lock(Path(out) / ".lock"):
        record = joined(path, read_record(path), new)
        if entry["seed"] not in {run["seed"] for run in record["runs"]}:
            record["runs"] = sorted([*record["runs"], entry], key=lambda run: run["seed"])
            write_record(path, record)
    return record
