"""The records of runs: one file a variant, `<results>/<paper>/<dataset>/<variant>.json`, and what may be in one file.

A record holds what its runs have in common (`settings`, `facts`, `identities`) and one entry a run. It is replaced in
one step under a lock. Runs of other settings, data or identity are refused; nothing is mixed.
"""

import contextlib
import gc
import json
from itertools import count
from pathlib import Path

import numpy as np

from common import backend
from common.errors import InputError
from common.experiment import identity
from common.experiment.base import Experiment, Variant
from common.experiment.identity import digest
from common.files import json_text, lock, write_atomically

LEGACY = "legacy"  # the identity of runs that were recorded before runs had one


def data_sets(results: Path, paper: str) -> list[str]:
    """The data sets for which something is recorded; weights and benchmarks are in the same folder.

    Parameters
    ----------
    results : Path
    paper : str

    Returns
    -------
    list of str, sorted
    """
    names = {path.parent.name for path in (Path(results) / paper).glob("*/*.json")}
    return sorted(names - {"weights", "benchmarks"})


def record_path(out: Path, paper: str, dataset: str, variant: str) -> Path:
    """The file that records a variant.

    Parameters
    ----------
    out : Path
        The folder of results.
    paper, dataset, variant : str

    Returns
    -------
    Path
    """
    return Path(out) / paper / dataset / f"{variant}.json"


def read_record(path: Path) -> dict | None:
    """A record.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict; None if there is none

    Raises
    ------
    InputError
        If the file is not a record.
    """
    try:
        with _without_garbage_collection():
            record = json.loads(Path(path).read_text(encoding="utf-8"))
        return record if {"settings", "facts", "runs"} <= record.keys() else _not_a_record(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, AttributeError) as error:
        return _not_a_record(path, error)


@contextlib.contextmanager
def _without_garbage_collection():
    """Reading many numbers takes half the time if the collector does not look through them again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _not_a_record(path, error=None):
    raise InputError(f"{path}: is not a record of runs ({error or 'keys are missing'}); move it away") from error


def write_record(path: Path, record: dict) -> None:
    """Replace a record in one step, one line a run, so that a new run is one new line.

    Parameters
    ----------
    path : Path
    record : dict

    Raises
    ------
    InputError
        If a number in it is NaN or infinite; the old record then stays as it is.
    """
    head = json_text({key: value for key, value in record.items() if key != "runs"}, path)
    runs = ",\n".join(json_text(run, path) for run in record["runs"])
    write_atomically(Path(path), f'{head[:-1]}, "runs": [\n{runs}\n]}}\n'.encode())


def new_record(experiment: Experiment, variant: Variant) -> dict:
    """A record without runs: what they will have in common, and the identity that they will carry.

    Parameters
    ----------
    experiment : Experiment
    variant : Variant

    Returns
    -------
    dict
    """
    settings = {**variant.settings, "folds": experiment.folds, "backend": backend.name()}
    record = {"paper": experiment.paper, "dataset": experiment.dataset, "variant": variant.name, "title": variant.title}
    record |= {"settings": settings, "facts": experiment.facts(variant)}
    functions = {
        network.fit for split in experiment.splits(variant, 0) for network in experiment.networks(variant, split)
    }
    parts = identity.of_runs(experiment, variant, functions)
    name = digest([settings, record["facts"]["fingerprint"], parts])[:16]
    return record | {"identities": {name: parts}, "runs": []}


def joined(path: Path, old: dict | None, new: dict) -> dict:
    """An old record with the identity of a new one, ready for runs of it.

    Parameters
    ----------
    path : Path
        Of the old record, for messages.
    old : dict or None
    new : dict

    Returns
    -------
    dict

    Raises
    ------
    InputError
        If the old one holds runs of other settings, data or identity; nothing is mixed.
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


def equivalent(record: dict, one: str, other: str) -> bool:
    """Whether two identities are the same, or a verification that the record lists found that they agree.

    Parameters
    ----------
    record : dict
    one, other : str
        Names of identities.

    Returns
    -------
    bool
    """
    return one == other or any({one, other} <= set(of["identities"]) for of in record.get("equivalent", []))


def mixture(record: dict) -> list[str]:
    """The identities of a record's runs, if they are more than one and not all equivalent.

    Parameters
    ----------
    record : dict

    Returns
    -------
    list of str; empty otherwise
    """
    names = sorted({run.get("identity", LEGACY) for run in record["runs"]})
    return [] if all(equivalent(record, names[0], name) for name in names) else names


def _difference(old: dict, run: dict, new: dict) -> str:
    """In what two identities differ, in a few words."""
    name = run.get("identity", LEGACY)
    before, (now,) = old.get("identities", {}).get(name), new["identities"].values()
    if before is None:
        return "recorded before identities were kept"
    code = [
        module
        for module in sorted(before["code"].keys() | now["code"].keys())
        if before["code"].get(module) != now["code"].get(module)
    ]
    parts = [f"code of {', '.join(code)}"] if code else []
    parts += [part for part in ("extractor", "environment") if before[part] != now[part]]
    return "; ".join(parts)


def histories(run: dict) -> list[dict[str, dict[int, float]]]:
    """What was recorded while the networks of a run were trained.

    Parameters
    ----------
    run : dict
        Of a record.

    Returns
    -------
    list of dict
        Of each network: name -> epoch -> value, of several targets their mean. Epochs whose value was not a finite
        number (None in the record) are left out.
    """

    def by_epoch(epochs, values):
        numbers = np.array(values, "float64")  # NaN where there is None
        numbers = numbers.mean(1) if numbers.ndim > 1 else numbers
        return {epoch: number for epoch, number in zip(epochs, numbers.tolist(), strict=False) if np.isfinite(number)}

    return [
        {name: by_epoch(network.get("epoch", count(1)), values) for name, values in network.items() if name != "epoch"}
        for network in run.get("history", [])
    ]


def record_run(out: Path, path: Path, new: dict, entry: dict) -> dict:
    """Add a run to the record on disk, to which another command may have added runs.

    Parameters
    ----------
    out : Path
        The folder of results, which is locked meanwhile.
    path : Path
        Of the record.
    new : dict
        A record without runs, as of `new_record`.
    entry : dict
        The run; nothing is written if a run of its seed is recorded already.

    Returns
    -------
    dict
        The record.

    Raises
    ------
    InputError
        As `read_record`, `joined` and `write_record`.
    """
    with lock(Path(out) / ".lock"):
        record = joined(path, read_record(path), new)
        if entry["seed"] not in {run["seed"] for run in record["runs"]}:
            record["runs"] = sorted([*record["runs"], entry], key=lambda run: run["seed"])
            write_record(path, record)
    return record
