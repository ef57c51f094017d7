"""The README's tables of test parts: how R² depends on which tenth of the clips is tested, and on averaging networks.

Sections 3.1 and 4.1 can be read so that one tenth of the clips is tested by the networks of all ten folds, their
predictions averaged or not. Three questions: how R² varies with the clips of the tenth alone (tenths drawn from the
predictions of the ten-fold cross-validation, without any training), what networks trained by that protocol reach, and
whether the published rows can be of the same clips (R² and MAE together imply a standard deviation of the labels).
"""

from functools import cache
from pathlib import Path

import numpy as np
from scipy.stats import t

from common.report import markdown_table, number
from common.verdict.board import load_expected
from common.verdict.crossed import satterthwaite
from common.verdict.recorded import Records
from common.verdict.resampling import weighted_mse, weighted_r2
from reproductions.chaki2020.train import AVERAGED

DATASET, FOLDS, INPUT, DRAWS = "emomusic", "cross-validation", "_260", 2000
SYSTEMS = {
    "LSTM_NAT_128": "nat_128", "LSTM_AT_128": "at_128", "LSTM_NAT_400": "nat_400", "LSTM_AT_400": "at_400",
    "ridge regression of each frame": "ridge", "its predictions averaged over the clip": "ridge_averaged",
}  # fmt: skip
STEP = ("nat_128", "at_128")
TARGETS = ("arousal", "valence")
HEADER = ["system", "target", "published", "ten-fold cross-validation", "central 95 % of random tenths", "test parts"]
HEADER += [f"{of}, {what}" for of in ("single networks", "average of ten networks")
           for what in ("mean (lowest to highest part)", "on another part, 95 % prediction interval")]  # fmt: skip
STEP_HEADER = ["both networks are tested on", "target", "published", "single networks", "average of ten networks"]
IMPLIED_HEADER = ["system", *(f"{target}, {of}" for target in TARGETS for of in ("published", "measured"))]
ROUNDING = 0.005  # half a unit of the last printed digit of R² and MAE


def generated(records: Records) -> str:
    """R² by system and target, the step by attention, and the deviations of labels that R² and MAE imply.

    Parameters
    ----------
    records : Records

    Returns
    -------
    str, Markdown
    """
    cells = load_expected(Path(__file__).with_name("expected.json"))["cells"]
    own = [cell for cell in cells if cell["split"] == FOLDS and not cell["quoted"]]
    published = {(cell["variant"], cell["metric"], cell["target"]): cell["value"] for cell in own}
    titles = {cell["variant"]: cell["system"] for cell in own}
    tables = {
        "R² of test parts": markdown_table(HEADER, _of_parts(records, published)),
        "R² of LSTM_AT_128 minus that of LSTM_NAT_128: mean over parts (95 % prediction interval for other parts)":
            markdown_table(STEP_HEADER, _step(records, published)),
        "Standard deviation of the labels that R² and MAE imply (rounding)":
            markdown_table(IMPLIED_HEADER, _implied(records, titles, published)),
    }  # fmt: skip
    return "\n\n".join(f"**{title}**\n\n{table}" for title, table in tables.items())


def _of_parts(records: Records, published: dict) -> list[list]:
    lines = []
    for title, name in SYSTEMS.items():
        record, part = (records.get(DATASET, name + middle + INPUT) for middle in ("", "_part"))
        for target, cells in of_folds(record).items() if record else ():
            own = described(of_parts(part, target)) if part else ["–"] * 5
            lines.append([title, target, number(published.get((name, "r2_pooled", target))), *cells, *own])
    return lines


def _step(records: Records, published: dict) -> list[list]:
    recorded = of_common_runs([records.get(DATASET, f"{name}_part{INPUT}") for name in STEP])
    lines = []
    for target in TARGETS if all(recorded) else ():
        nat, at = (of_parts(record, target) for record in recorded)
        step = number(np.subtract(*(published[name, "r2_pooled", target] for name in reversed(STEP))))
        same = [prediction_interval(values) for values in (at - nat).T]
        separate = [prediction_interval(*values) for values in zip(at.T, -nat.T, strict=True)]
        for where, intervals in (("the same part", same), ("separate parts", separate)):
            means = map(number, (at - nat).mean(axis=0))
            cells = [f"{mean} ({interval})" for mean, interval in zip(means, intervals, strict=True)]
            lines.append([where, target, step, *cells])
    return lines


def _implied(records: Records, titles: dict, published: dict) -> list[list]:
    lines = []
    for name, title in titles.items():
        record, cells = records.get(DATASET, name + INPUT), []
        for target in TARGETS:
            r2, mae = (published[name, metric, target] for metric in ("r2_pooled", "mae_pooled"))
            ends = [implied_deviation(r2 + half, mae + half) for half in (-ROUNDING, ROUNDING)]
            cells.append(f"{number(implied_deviation(r2, mae))} ({' … '.join(map(number, ends))})")
            cells.append(number(record and _implied_by(record, target)))
        lines.append([title, *cells])
    labels = records.get(DATASET, f"training_mean{INPUT}")
    if labels:
        songs = labels["runs"][0]["songs"][FOLDS]
        n = len(songs["frames"])
        drawn, of_all = (label_deviations(songs, weights) for weights in (_drawn(n, DRAWS), np.ones((1, n))))
        ends, places = np.quantile(drawn, [0.025, 0.975], axis=0), map(labels["facts"]["targets"].index, TARGETS)
        of_targets = [f"{number(of_all[0, i])}; random tenths {' … '.join(map(number, ends[:, i]))}" for i in places]
        lines.append([f"labels of {n} clips", "–", of_targets[0], "–", of_targets[1]])
    return lines


def implied_deviation(r2: float, mae: float) -> float:
    """The standard deviation of labels that goes with R² and a mean absolute error, if errors are Gaussian about 0.

    Parameters
    ----------
    r2 : float
        Below 1.
    mae : float

    Returns
    -------
    float
    """
    return float(mae * np.sqrt(np.pi / 2) / np.sqrt(1 - r2))


def _implied_by(record: dict, target: str) -> float:
    of_runs = [run["metrics"][FOLDS] for run in record["runs"]]
    return np.mean([implied_deviation(of["r2_pooled"][target], of["mae_pooled"][target]) for of in of_runs])


def label_deviations(songs: dict, weights: np.ndarray) -> np.ndarray:
    """Standard deviations of the labels of some clips, over all frames.

    Parameters
    ----------
    songs : dict
        `frames` and `moments` of a run's clips.
    weights : ndarray, (n, clips)
        How often each clip counts.

    Returns
    -------
    ndarray, (n, targets)
    """
    # R² is 1 - MSE / variance.
    return np.sqrt(weighted_mse(songs, weights) / (1 - weighted_r2(songs, weights)))


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
        for target in TARGETS
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
    """Values of test parts.

    Parameters
    ----------
    parts : ndarray, (parts, 2)
        As of `of_parts`.

    Returns
    -------
    list of str
        The number of test parts; then of single networks and of their average the mean over parts, with the lowest and
        the highest part, and `prediction_interval`.
    """
    return [len(parts), *(text for of in parts.T for text in (_spread(of), prediction_interval(of)))]


def _spread(values) -> str:
    return f"{number(np.mean(values))} ({number(min(values))} to {number(max(values))})"


def prediction_interval(*samples) -> str:
    """Where a sum of independent values, one of each sample, would lie on other test parts, in 95 % of cases.

    Student's t, with the degrees of freedom of Welch and Satterthwaite, for values of parts that are independent and
    normal; that two random tenths share a tenth of their clips is left aside.

    Parameters
    ----------
    *samples : array_like, (parts,)

    Returns
    -------
    str
        A dash where a sample has fewer than three parts.
    """
    if min(map(len, samples)) < 3:
        return "–"
    mean, terms = sum(map(np.mean, samples)), [np.var(values, ddof=1) * (1 + 1 / len(values)) for values in samples]
    df = satterthwaite(terms, [len(values) - 1 for values in samples])
    half = t.ppf(0.975, df) * np.sqrt(sum(terms))
    return f"{number(mean - half)} … {number(mean + half)}"
