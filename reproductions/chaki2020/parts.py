"""The README's table of test parts: how R² depends on which tenth of the clips is tested, and on averaging networks.

Sections 3.1 and 4.1 can be read so that one tenth of the clips is tested by the networks of all ten folds, their
predictions averaged or not. Two questions: how R² varies with the clips of the tenth alone (tenths drawn from the
predictions of the ten-fold cross-validation, without any training), and what networks trained by that protocol reach.
"""

from functools import cache
from pathlib import Path

import numpy as np
from scipy.stats import t

from common.report import markdown_table, number
from common.verdict.board import load_expected
from common.verdict.recorded import Records
from common.verdict.resampling import weighted_r2
from reproductions.chaki2020.train import AVERAGED

DATASET, FOLDS, INPUT, DRAWS = "emomusic", "cross-validation", "_260", 2000
SYSTEMS = {
    "LSTM_NAT_128": "nat_128", "LSTM_AT_128": "at_128", "LSTM_NAT_400": "nat_400", "LSTM_AT_400": "at_400",
    "ridge regression of each frame": "ridge", "its predictions averaged over the clip": "ridge_averaged",
}  # fmt: skip
STEP = ("nat_128", "at_128")
HEADER = ["system", "target", "published", "ten-fold cross-validation", "central 95 % of random tenths", "test parts"]
HEADER += ["single networks, mean (lowest to highest part)", "average of ten networks, mean (lowest to highest part)"]
HEADER += ["average on another part, 95 % prediction interval"]


def generated(records: Records) -> str:
    """R² by system and target.

    Parameters
    ----------
    records : Records

    Returns
    -------
    str, Markdown
    """
    cells = load_expected(Path(__file__).with_name("expected.json"))["cells"]
    published = {
        (cell["variant"], cell["target"]): cell["value"]
        for cell in cells
        if cell["metric"] == "r2_pooled" and cell["split"] == FOLDS and not cell["quoted"]
    }
    lines = []
    for title, name in SYSTEMS.items():
        record, part = (records.get(DATASET, name + middle + INPUT) for middle in ("", "_part"))
        for target, cells in of_folds(record).items() if record else ():
            own = described(of_parts(part, target)) if part else ["–"] * 4
            lines.append([title, target, number(published.get((name, target))), *cells, *own])
    less, more = of_common_runs([records.get(DATASET, f"{name}_part{INPUT}") for name in STEP])
    for target in ("arousal", "valence") if less and more else ():
        step = published[STEP[1], target] - published[STEP[0], target]
        of_both = of_parts(more, target) - of_parts(less, target)
        lines.append(["the step from LSTM_NAT_128 to LSTM_AT_128", target, number(step), "–", "–", *described(of_both)])
    return markdown_table(HEADER, lines)


def of_common_runs(records: list[dict | None]) -> list[dict | None]:
    """Records with the runs whose seeds all of them have, in the order of seeds.

    Parameters
    ----------
    records : list of dict or None

    Returns
    -------
    list of dict or None
        None for all, if one is None or no seed is common.
    """
    by_seed = [{run["seed"]: run for run in record["runs"]} if record else {} for record in records]
    seeds = sorted(set.intersection(*map(set, by_seed)))
    pairs = zip(records, by_seed, strict=True)
    return [record | {"runs": [of[seed] for seed in seeds]} if seeds else None for record, of in pairs]


def of_folds(record: dict) -> dict[str, list[str]]:
    """R² of all clips, and the range of R² of random tenths.

    Parameters
    ----------
    record : dict
        Of a cross-validation.

    Returns
    -------
    dict of str to list of str
        By target, arousal first: the mean over runs; the central 95 % of R² of tenths, over draws and runs.
    """
    drawn = np.concatenate([tenths(run["songs"][FOLDS]) for run in record["runs"]])
    ends = dict(zip(record["facts"]["targets"], np.quantile(drawn, [0.025, 0.975], axis=0).T, strict=True))
    of_runs = [run["metrics"][FOLDS]["r2_pooled"] for run in record["runs"]]
    return {
        target: [number(np.mean([r2[target] for r2 in of_runs])), " … ".join(map(number, ends[target]))]
        for target in ("arousal", "valence")
    }


def tenths(songs: dict, draws: int = DRAWS) -> np.ndarray:
    """R² of random tenths of the clips, the same ones for all systems.

    Parameters
    ----------
    songs : dict
        `frames` and `moments` of a run's clips.
    draws : int

    Returns
    -------
    ndarray, (draws, targets)
    """
    return weighted_r2(songs, _drawn(len(songs["frames"]), draws))


@cache
def _drawn(n: int, draws: int) -> np.ndarray:
    """Which of n clips are in each tenth, (draws, n), 1 or 0."""
    order = np.random.default_rng(0).random((draws, n)).argsort(axis=1)
    return (order < -(-n // 10)).astype(float)


def of_parts(record: dict, target: str) -> np.ndarray:
    """R² of test parts, each predicted by the networks of ten folds.

    Parameters
    ----------
    record : dict
        Its runs differ in the test part.
    target : str

    Returns
    -------
    ndarray, (parts, 2)
        R² of single networks: the mean over the networks of a part, which is R² of all their predictions together; and
        R² of their average.
    """
    of_runs = [{name: of["r2_pooled"][target] for name, of in run["metrics"].items()} for run in record["runs"]]
    alone = [np.mean([r2 for name, r2 in of_run.items() if name != AVERAGED]) for of_run in of_runs]
    return np.stack([alone, [of_run[AVERAGED] for of_run in of_runs]], axis=1)


def described(parts: np.ndarray) -> list[str]:
    """Values of test parts, or differences between two systems on the same parts.

    Parameters
    ----------
    parts : ndarray, (parts, 2)
        As of `of_parts`.

    Returns
    -------
    list of str
        The number of test parts; of single networks and of their average the mean over parts, and the lowest and the
        highest part; the prediction interval of the average on one more part, from three parts on. It is Student's t,
        for values of parts that are independent and normal; that two random tenths share a tenth of their clips is
        left aside.
    """
    alone, averaged = parts.T
    return [len(parts), _spread(alone), _spread(averaged), _of_another(averaged)]


def _spread(values) -> str:
    return f"{number(np.mean(values))} ({number(min(values))} to {number(max(values))})"


def _of_another(values) -> str:
    n = len(values)
    if n < 3:
        return "–"
    half = t.ppf(0.975, n - 1) * np.std(values, ddof=1) * np.sqrt(1 + 1 / n)
    return f"{number(np.mean(values) - half)} … {number(np.mean(values) + half)}"
