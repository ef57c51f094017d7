"""The README's table of errors by sequence length: over all frames, within sequences, and of frames.

The published averages never rise from length 60 to 10. A root that is taken within each sequence does that by itself,
with the same predictions: it leaves out how errors differ from one sequence to the next (Jensen's inequality).
"""

from pathlib import Path

import numpy as np

from common.report import markdown_table, number
from common.verdict.board import load_expected
from common.verdict.recorded import Records

DATASET, LENGTHS = "mediaeval2015", (60, 30, 20, 10)
SPLITS, TARGETS = ("development", "evaluation"), ("valence", "arousal", "average")
SYSTEMS = {"": "CRNN", "_no_gru_dropout": "CRNN, no dropout in the GRU"}
METRICS = {  # by title: the metric of a length
    "RMSE, all frames": "rmse_pooled",
    "RMSE within sequences": "rmse_within_{}",
    "absolute error of frames": "mae_pooled",
}
HEADER = ["songs", "system", "error", "target", *(f"length {n}" for n in LENGTHS), "change per doubling (95 %)", "runs"]


def generated(records: Records) -> dict[str, str]:
    """One table, under one mark: published errors, and those of each system if all lengths are recorded.

    Parameters
    ----------
    records : Records

    Returns
    -------
    dict of str to str
        Markdown by the mark in the README, `sequences`.
    """
    lines = []
    for split in SPLITS:
        lines += [[split, "published", "RMSE", *line] for line in _published(split)]
        for suffix, title in SYSTEMS.items():
            of_length = {n: records.get(DATASET, f"crnn_l{n}{suffix}") for n in LENGTHS}
            if all(map(_is_complete, of_length.values())):
                lines += [[split, title, *line] for line in _measured(of_length, split)]
        zero = records.get(DATASET, "zero")
        if _is_complete(zero):
            lines += [[split, "zero", *line] for line in _measured(dict.fromkeys(LENGTHS, zero), split)]
    return {"sequences": markdown_table(HEADER, lines)}


def _is_complete(record: dict | None) -> bool:
    """Whether there is a record, and its runs have the errors within sequences."""
    return record is not None and all("mae_pooled" in run["metrics"][SPLITS[0]] for run in record["runs"])


def _published(split: str) -> list[list[str]]:
    cells = load_expected(Path(__file__).with_name("expected.json"))["cells"]
    values = {cell["id"]: cell["value"] for cell in cells}
    lines = []
    for target in TARGETS:
        of_length = [values[f"1a/crnn/l{n}/{split}/{target}/rmse_pooled"] for n in LENGTHS]
        lines.append([target, *map(number, of_length), number(slope(of_length)[0]), "1"])
    return lines


def _measured(of_length: dict[int, dict], split: str) -> list[list[str]]:
    lines = []
    for title, metric in METRICS.items():
        for target in TARGETS:
            errors = [
                [run["metrics"][split][metric.format(n)][target] for run in record["runs"]]
                for n, record in of_length.items()
            ]
            change, half = slope(errors)
            change = number(change) + (f" ({number(change - half)} … {number(change + half)})" if half else "")
            lines.append([title, target, *(number(np.mean(of_runs)) for of_runs in errors), change, _counted(errors)])
    return lines


def _counted(errors: list) -> str:
    """How many runs the lengths have, as "5" or "2 to 3"."""
    fewest, most = min(map(len, errors)), max(map(len, errors))
    return str(fewest) if fewest == most else f"{fewest} to {most}"


def slope(errors: list) -> tuple[float, float]:
    """The change of an error per doubling of the length, by least squares.

    Parameters
    ----------
    errors : list
        An entry for each length of LENGTHS: a number, or those of some runs, each of other networks.

    Returns
    -------
    change, half : float
        The latter is half the 95 % interval (Student's t over the runs); 0 of numbers, or where runs do not differ.
    """
    from scipy.stats import linregress, t

    of_length = [np.atleast_1d(np.asarray(one, "float64")) for one in errors]
    doublings = np.repeat(np.log2(LENGTHS), [len(runs) for runs in of_length])
    fitted = linregress(doublings, np.concatenate(of_length))
    differ = any(np.ptp(runs) for runs in of_length)
    return float(fitted.slope), float(t.ppf(0.975, len(doublings) - 2) * fitted.stderr) if differ else 0.0
