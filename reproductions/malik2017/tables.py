"""The README's tables of errors by sequence length and by number of training songs.

Errors by length are over all frames, within sequences, and of frames.

The published averages never rise from length 60 to 10. A root that is taken within each sequence does that by itself,
with the same predictions: it leaves out how errors differ from one sequence to the next (Jensen's inequality). So the
predictions of the networks of length 60 are also scored in sequences of each length.
"""

from pathlib import Path

import numpy as np

from common.report import markdown_table, number
from common.verdict.board import load_expected
from common.verdict.recorded import Records

DATASET, LENGTHS = "mediaeval2015", (60, 30, 20, 10)
SPLITS, TARGETS = ("development", "evaluation"), ("valence", "arousal", "average")
SYSTEMS = {"": "CRNN", "_no_gru_dropout": "CRNN, no dropout in the GRU"}
PUBLISHED = {"1a": "published", "1b": "published, log-mel"}  # by table of the paper
WITHIN, SAME = "RMSE within sequences", "networks of length 60"
METRICS = {  # by title: the metric of a length
    "RMSE, all frames": "rmse_pooled",
    WITHIN: "rmse_within_{}",
    "absolute error of frames": "mae_pooled",
}
N_SONGS, PAPER_SONGS = (65, 130, 195, 260), 431  # to train on
EVALUATED = {"evaluation": "songs", "evaluation_cuts": "segments"}
HEADER = ["songs", "system", "error", "target", *(f"length {n}" for n in LENGTHS), "change per doubling (95 %)", "runs"]


def generated(records: Records) -> dict[str, str]:
    """By sequence length published errors, and those of each system if all lengths are recorded; errors by songs.

    Each length has networks of its own; those of length 60 are also scored in sequences of each length.

    Parameters
    ----------
    records : Records

    Returns
    -------
    dict of str to str
        Markdown by the mark in the README, `sequences` and `songs`.
    """
    lines = []
    for split in SPLITS:
        for table, title in PUBLISHED.items():
            lines += [[split, title, "RMSE", *line] for line in _published(table, split)]
        for suffix, title in SYSTEMS.items():
            of_length = {n: records.get(DATASET, f"crnn_l{n}{suffix}") for n in LENGTHS}
            if all(map(_is_complete, of_length.values())):
                lines += [[split, title, *line] for line in _measured(of_length, split)]
                lines += [[split, f"{title}, {SAME}", WITHIN, *line] for line in _same_networks(of_length[60], split)]
        zero = records.get(DATASET, "zero")
        if _is_complete(zero):
            lines += [[split, "zero", *line] for line in _measured(dict.fromkeys(LENGTHS, zero), split)]
    return {"sequences": markdown_table(HEADER, lines), "songs": _by_songs(records)}


def _is_complete(record: dict | None) -> bool:
    """Whether there is a record, and its runs have the errors within sequences."""
    return record is not None and all("mae_pooled" in run["metrics"][SPLITS[0]] for run in record["runs"])


def _published(table: str, split: str) -> list[list[str]]:
    cells = load_expected(Path(__file__).with_name("expected.json"))["cells"]
    values = {cell["id"]: cell["value"] for cell in cells}
    lines = []
    for target in TARGETS:
        of_length = [values[f"{table}/crnn/l{n}/{split}/{target}/rmse_pooled"] for n in LENGTHS]
        lines.append([target, *map(number, of_length), _with_interval(*slope(of_length)), "1"])
    return lines


def _measured(of_length: dict[int, dict], split: str) -> list[list[str]]:
    lines = []
    for title, metric in METRICS.items():
        for target in TARGETS:
            errors = [
                [run["metrics"][split][metric.format(n)][target] for run in record["runs"]]
                for n, record in of_length.items()
            ]
            means, change = [number(np.mean(of_runs)) for of_runs in errors], _with_interval(*slope(errors))
            lines.append([title, target, *means, change, _counted(errors)])
    return lines


def _same_networks(record: dict, split: str) -> list[list[str]]:
    lines = []
    for target in TARGETS:
        of_runs = [
            [run["metrics"][split][METRICS[WITHIN].format(n)][target] for n in LENGTHS] for run in record["runs"]
        ]
        change = _with_interval(*slope_of_runs(of_runs))
        lines.append([target, *map(number, np.mean(of_runs, axis=0)), change, str(len(of_runs))])
    return lines


def _by_songs(records: Records) -> str:
    """The error of length 20 by the number of training songs, with a line through all runs."""
    header = ["evaluated on", *(f"{n} songs" for n in N_SONGS), "change per doubling (95 %)"]
    header += [f"a run at {PAPER_SONGS} songs (95 %)", "runs"]
    recorded = [records.get(DATASET, f"crnn_l20_{n}_songs") for n in N_SONGS[:-1]] + [records.get(DATASET, "crnn_l20")]
    lines = []
    for split, what in EVALUATED.items() if all(recorded) else ():
        title = f"{recorded[-1]['facts']['splits'][split]['n_test']} {what}"
        errors = [[run["metrics"][split]["rmse_pooled"]["average"] for run in record["runs"]] for record in recorded]
        (change, half), (there, half_there) = slope(errors, N_SONGS), error_at(PAPER_SONGS, errors, N_SONGS)
        means = [number(np.mean(of_runs)) for of_runs in errors]
        intervals = _with_interval(change, half), _with_interval(there, half_there, 3)
        lines.append([title, *means, *intervals, _counted(errors)])
    return markdown_table(header, lines)


def _with_interval(value: float, half: float | None, digits: int = 4) -> str:
    if half is None:
        return number(value, digits)
    low, middle, high = (number(each, digits) for each in (value - half, value, value + half))
    return f"{middle} ({low} … {high})"


def _counted(errors: list) -> str:
    """How many runs the columns have, as "5" or "2 to 3"."""
    fewest, most = min(map(len, errors)), max(map(len, errors))
    return str(fewest) if fewest == most else f"{fewest} to {most}"


def slope(errors: list, sizes=LENGTHS) -> tuple[float, float | None]:
    """The change of an error per doubling of a size, by least squares.

    Parameters
    ----------
    errors : list
        An entry for each size: a number, or those of some runs, each of other networks.
    sizes : sequence of int
        By default the lengths.

    Returns
    -------
    change : float
    half : float or None
        Half the 95 % interval (Student's t over the runs); None of numbers, or where runs do not differ.
    """
    change, _, half, _ = _line(errors, sizes, 1)
    return change, half


def error_at(size: int, errors: list, sizes) -> tuple[float, float | None]:
    """The error on the line of `slope` at another size.

    Parameters
    ----------
    size : int
    errors, sizes : as of `slope`

    Returns
    -------
    error : float
    half : float or None
        Half the 95 % prediction interval of one run there, if the line holds; None as of `slope`.
    """
    _, error, _, half = _line(errors, sizes, size)
    return error, half


def _line(errors: list, sizes, origin: int) -> tuple[float, float, float | None, float | None]:
    """Slope over doublings of the size `origin`, error there; half of the intervals of the slope and of a run there."""
    from scipy.stats import linregress, t

    of_size = [np.atleast_1d(np.asarray(one, "float64")) for one in errors]
    doublings, values = np.log2(np.array(sizes) / origin), np.concatenate(of_size)
    fitted = linregress(np.repeat(doublings, [len(runs) for runs in of_size]), values)
    if not any(np.ptp(runs) for runs in of_size):
        return float(fitted.slope), float(fitted.intercept), None, None
    df = len(values) - 2
    residual_variance = values.var() * len(values) * (1 - fitted.rvalue**2) / df
    of_a_run = np.sqrt(fitted.intercept_stderr**2 + residual_variance)
    halves = (float(t.ppf(0.975, df) * deviation) for deviation in (fitted.stderr, of_a_run))
    return float(fitted.slope), float(fitted.intercept), *halves


def slope_of_runs(of_runs: list) -> tuple[float, float | None]:
    """The change of an error per doubling of the length, where each run has all lengths.

    Parameters
    ----------
    of_runs : list, (n_runs, 4)
        An error for each length of LENGTHS, of the same networks.

    Returns
    -------
    change : float
        The mean over runs.
    half : float or None
        Half the 95 % interval (Student's t over the runs' changes); None of one run.
    """
    from scipy.stats import sem, t

    changes = [slope(of_run)[0] for of_run in of_runs]
    n = len(changes)
    return float(np.mean(changes)), float(t.ppf(0.975, n - 1) * sem(changes)) if n > 1 else None
