"""What is recorded, as verdicts and reports read it: the records of a paper, and the outcomes of verifications."""

import json
from functools import cache, cached_property
from math import isclose
from pathlib import Path
from statistics import fmean

from common.errors import InputError
from common.experiment.records import data_sets, read_record, record_path
from common.verdict import schemas

CONTRIBUTED = "contributed"  # in the results folder: records of others, in the same layout
VERIFICATIONS = "verified.json"  # in the results folder: the outcome of `python -m reproductions verify`, and when


def read(path: Path) -> dict | None:
    """A record that has its schema.

    A file is read once in a process as long as it does not change: board, log and site ask for the same ones.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict; None if there is none
        The same object each time, so that nobody may change it.

    Raises
    ------
    InputError
        If the file is not a record.
    """
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else None


@cache
def _read(path: Path, changed: int) -> dict | None:
    record = read_record(path)
    schemas.validate(record, "record", path)
    return record


class Records:
    """The records of one paper under a results folder, read once each.

    Of a data set that the folder has no record of, those that others contributed are read. The two are not mixed.
    """

    def __init__(self, results: Path, paper: str):
        self.results, self.paper, self._read = Path(results), paper, {}

    def path(self, dataset: str, variant: str) -> Path:
        """The file of a variant's record.

        Parameters
        ----------
        dataset, variant : str

        Returns
        -------
        Path
        """
        own, other = (record_path(folder, self.paper, dataset, variant) for folder in self._folders)
        return other if other.parent.is_dir() and dataset not in data_sets(self.results, self.paper) else own

    @property
    def _folders(self) -> tuple[Path, Path]:
        return self.results, self.results / CONTRIBUTED

    def datasets(self) -> list[str]:
        """The data sets that something is recorded of."""
        return sorted({dataset for folder in self._folders for dataset in data_sets(folder, self.paper)})

    def variants(self, dataset: str) -> list[str]:
        """The names of the variants of which something is recorded on a data set.

        Parameters
        ----------
        dataset : str

        Returns
        -------
        list of str
        """
        return sorted(path.stem for path in self.path(dataset, "").parent.glob("*.json"))

    def name(self, dataset: str, variant: str) -> str:
        """The record's file as reports name it, from the results folder on.

        Parameters
        ----------
        dataset, variant : str

        Returns
        -------
        str
        """
        return (Path(self.results.name) / self.path(dataset, variant).relative_to(self.results)).as_posix()

    def get(self, dataset: str, variant: str | None) -> dict | None:
        """A record.

        Parameters
        ----------
        dataset : str
        variant : str or None

        Returns
        -------
        dict or None
            None if there is no record, or it holds no run yet.

        Raises
        ------
        InputError
            If the file is not a record.
        """
        if variant is None:
            return None
        if (dataset, variant) not in self._read:
            record = read(self.path(dataset, variant))
            self._read[dataset, variant] = record if record and record["runs"] else None
        return self._read[dataset, variant]

    def values(self, dataset: str, variant: str | None, split: str, metric: str, target: str) -> list[float] | None:
        """The metric of each run.

        Parameters
        ----------
        dataset, split, metric, target : str
        variant : str or None

        Returns
        -------
        list of float or None
            None without a record.

        Raises
        ------
        InputError
            If a run lacks the metric.
        """
        record = self.get(dataset, variant)
        try:
            return record and [run["metrics"][split][metric][target] for run in record["runs"]]
        except KeyError as error:
            raise InputError(f"{self.path(dataset, variant)}: a run has no {metric} of {target}, {split}") from error

    def verified(self, dataset: str, variant: str) -> str | None:
        """Outcome, date and commit of the last verification of a record; later code may give other numbers.

        It is of this record as long as the means and the number of runs that it compared with are those recorded now.

        Parameters
        ----------
        dataset, variant : str

        Returns
        -------
        str or None
            As "equal, 2026-11-26, 7050115"; None if there was none since the record was last changed.
        """
        for outcome in self._verified:
            if (outcome["paper"], outcome["dataset"], outcome["variant"]) == (self.paper, dataset, variant):
                if not all(self._is_recorded(dataset, variant, cell) for cell in outcome.get("cells", [])):
                    return None
                commit = (outcome.get("commit") or "")[:7]
                return ", ".join(filter(None, [outcome["word"], outcome["date"], commit]))
        return None

    def _is_recorded(self, dataset: str, variant: str, cell: dict) -> bool:
        values = self.values(dataset, variant, cell["split"], cell["metric"], cell["target"])
        return bool(values) and len(values) == cell["runs"] and isclose(fmean(values), cell["recorded"])

    @cached_property
    def _verified(self) -> list[dict]:
        return read_verified(self.results)


def read_verified(results: Path) -> list[dict]:
    """The outcomes of verifications in a results folder, those that ended.

    Parameters
    ----------
    results : Path

    Returns
    -------
    list of dict
        Empty without a file of verifications.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    path = Path(results) / VERIFICATIONS
    try:
        outcomes = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); move it away") from error
    schemas.validate(outcomes, "verified", path)
    return [outcome for outcome in outcomes if outcome["word"] and outcome["date"]]


def contributor(record: dict) -> str | None:
    """Who contributed a record, and when.

    Parameters
    ----------
    record : dict

    Returns
    -------
    str or None
        As "A. Name, Institution, 2026-11-26"; None of the suite's own.
    """
    return "{from}, {date}".format(**record[CONTRIBUTED]) if CONTRIBUTED in record else None


def headline(record: dict) -> tuple[str, str, list[str]]:
    """What stands for a record where there is room for one: the first split, its first metric, its targets.

    Parameters
    ----------
    record : dict

    Returns
    -------
    split, metric : str
    targets : list of str
    """
    split, measured = next(iter(record["runs"][0]["metrics"].items()))
    metric, values = next(iter(measured.items()))
    return split, metric, list(values)


def coverage_of(facts: dict, split: str) -> dict:
    """The facts of a record with those of one of its splits: songs, input, audio.

    Parameters
    ----------
    facts : dict
        Of a record.
    split : str

    Returns
    -------
    dict
    """
    return facts | facts.get("splits", {}).get(split, {})


def tested_songs(facts: dict, run: dict, split: str) -> list[str]:
    """The songs that a run tests.

    Parameters
    ----------
    facts : dict
        Of the record.
    run : dict
        Of the record.
    split : str

    Returns
    -------
    list of str
        The run's own (`tested`), where runs test different songs; else those of the split, empty if it does not name
        them.
    """
    return run.get("tested") or coverage_of(facts, split).get("tracks", [])


def uncompared(facts: dict) -> str | None:
    """The verdict on a record that no published number is compared with.

    Parameters
    ----------
    facts : dict
        As from `coverage_of`.

    Returns
    -------
    str or None
        `partial` or `stand-in`; None if it is the published protocol on all songs.
    """
    if facts.get("partial"):  # shortened, or songs are missing: of a stand-in too
        return "partial"
    if facts.get("stand_in"):
        return "stand-in"
    complete = facts["n_train"] == facts["of_train"] and facts["n_test"] == facts["of_test"]
    return None if complete and not facts.get("frames") else "partial"
