"""The README's table of ensembles: the mean prediction of several networks, from the moments that records keep.

The mean of an ensemble's prediction over a clip is the mean of its members', so R² of predictions averaged over the
clip, as those of ridge regression are, follows exactly. R² of each step also depends on how alike the members move
within a clip, which records do not keep. It is least where they all move alike, and at most what it would be if they
cancelled each other as far as their covariance with the labels allows (Cauchy and Schwarz).
"""

import numpy as np

from common.report import markdown_table, number
from common.verdict.crossed import Estimate, estimate
from common.verdict.recorded import Records, coverage_of
from common.verdict.resampling import leaving_out, weighted_r2
from reproductions.chaki2020 import parts

DATASET, SPLIT = "emomusic", "cross-validation"
TARGETS = ("arousal", "valence")
RIDGE, CLIPS = "ridge_averaged", "ridge_clips"
PAIR = ["nat_400", "at_400"]
SIX = [f"{kind}_{units}" for kind in ("nat", "at") for units in (128, 300, 400)]
ENSEMBLES = {  # by title: the networks, and whether those of all runs are averaged too
    "LSTM_NAT_400": (PAIR[:1], False), "LSTM_AT_400": (PAIR[1:], False), "both, of one run": (PAIR, False),
    "NAT and AT with 128, 300 and 400 units, of one run": (SIX, False),
    "LSTM_NAT_400, of all runs": (PAIR[:1], True), "LSTM_AT_400, of all runs": (PAIR[1:], True),
    "both, of all runs": (PAIR, True), "all six, of all runs": (SIX, True),
    "ridge regression": ([RIDGE], False), "ridge regression, of all runs": ([RIDGE], True),
    "ridge regression of clip means": ([CLIPS], False),
}  # fmt: skip
INPUTS = {"_260": "260 features, 61 steps", "": "6,373 features, 20 steps"}
HEADER = ["mean of", "networks", *(f"R² {target}, {of}" for of in ("clips", "steps") for target in TARGETS)]
HEADER += [f"clips, less ridge, {target} (95 %)" for target in TARGETS]


def generated(records: Records) -> dict[str, str]:
    """The tables of ensembles, one for each input, and of test parts.

    Parameters
    ----------
    records : Records

    Returns
    -------
    dict of str to str
        Markdown by the mark in the README, `ensembles` and `parts`.
    """
    tables = []
    for suffix, title in INPUTS.items():
        lines, counts = [], set()
        for name, (variants, all_runs) in ENSEMBLES.items():
            every = [records.get(DATASET, variant + suffix) for variant in (*variants, RIDGE)]
            *members, ridge = parts.of_common_runs(every)
            if ridge and (len(ridge["runs"]) > 1 or not all_runs):
                lines.append([name, *line(members, ridge, all_runs)])
                counts.add(len(ridge["runs"]))
        if lines:
            runs = " or ".join(map(str, sorted(counts)))
            tables.append(f"**{title}; runs: {runs}**\n\n{markdown_table(HEADER, lines)}")
    return {"ensembles": "\n\n".join(tables) or "Nothing is recorded yet.", "parts": parts.generated(records)}


def line(members: list[dict], ridge: dict, all_runs: bool) -> list[str]:
    """The cells of an ensemble, from the records of its members.

    Parameters
    ----------
    members : list of dict
        Records with the same runs, clips and folds.
    ridge : dict
        The record of ridge regression, with the same too.
    all_runs : bool
        Whether the networks of all runs are averaged; else those of each run.

    Returns
    -------
    list
        As HEADER from `networks` on.
    """
    facts, frames = coverage_of(ridge["facts"], SPLIT), ridge["runs"][0]["songs"][SPLIT]["frames"]
    weights, own = leaving_out(facts["artists"]), moments(members)
    ensembles = own.reshape(1, -1, *own.shape[2:]) if all_runs else own
    clips, least, most = (
        np.mean([r2(of(ensemble), frames, weights[:1])[0] for ensemble in ensembles], axis=0)
        for of in (averaged, moving_alike, cancelling)
    )
    n = ensembles.shape[1]
    cells, columns = [n, *[""] * 6], [facts["targets"].index(target) for target in TARGETS]
    gain = None if members == [ridge] else difference(own, moments([ridge]), frames, weights, all_runs)
    for place, k in enumerate(columns, start=1):
        cells[place] = number(clips[k])
        bounds = [number(least[k])] if n == 1 else dict.fromkeys((number(least[k]), number(most[k])))
        cells[place + 2] = " … ".join(bounds)
        cells[place + 4] = "–" if gain is None else number(gain.mean[k])
        if gain is not None and np.isfinite(gain.df[k]):
            half = gain.half_width(0.95)[k]
            cells[place + 4] += f" ({number(gain.mean[k] - half)} … {number(gain.mean[k] + half)})"
    return cells


def moments(records: list[dict]) -> np.ndarray:
    """The moments that records keep, by run and record.

    Parameters
    ----------
    records : list of dict
        With the same runs and clips.

    Returns
    -------
    ndarray, (runs, records, clips, targets, 5)
        See `common.metrics.song_moments`.
    """
    of_runs = [[run["songs"][SPLIT]["moments"] for run in record["runs"]] for record in records]
    return np.swapaxes(np.array(of_runs), 0, 1)


def r2(of_clips: np.ndarray, frames: list[int], weights: np.ndarray) -> np.ndarray:
    """R² pooled over all frames, from moments.

    Parameters
    ----------
    of_clips : ndarray, (clips, targets, 5)
        Moments.
    frames : list of int, (clips,)
    weights : ndarray, (replicates, clips)
        How often each clip counts.

    Returns
    -------
    ndarray, (replicates, targets)
    """
    return weighted_r2({"frames": frames, "moments": of_clips}, weights)


def averaged(members: np.ndarray) -> np.ndarray:
    """Moments of the ensemble, its predictions averaged over each clip.

    Parameters
    ----------
    members : ndarray, (n, clips, targets, 5)
        Moments of each.

    Returns
    -------
    ndarray, (clips, targets, 5)
    """
    mean = members.mean(0)
    mean[..., 3:] = 0  # what does not vary within a clip
    return mean


def moving_alike(members: np.ndarray) -> np.ndarray:
    """Moments of the ensemble if the members' predictions correlate perfectly within each clip.

    Parameters
    ----------
    members : ndarray, (n, clips, targets, 5)
        Moments of each.

    Returns
    -------
    ndarray, (clips, targets, 5)
    """
    mean = members.mean(0)
    mean[..., 3] = np.sqrt(members[..., 3]).mean(0) ** 2
    return mean


def cancelling(members: np.ndarray) -> np.ndarray:
    """Moments of the ensemble if its variance within each clip is the least that its covariance with the labels has.

    Parameters
    ----------
    members : ndarray, (n, clips, targets, 5)
        Moments of each.

    Returns
    -------
    ndarray, (clips, targets, 5)
    """
    mean = moving_alike(members)
    mean[..., 3] = np.minimum(mean[..., 3], mean[..., 4] ** 2 / np.maximum(mean[..., 2], 1e-12))
    return mean


def difference(members: np.ndarray, ridge: np.ndarray, frames, weights: np.ndarray, all_runs: bool) -> Estimate:
    """R² of an ensemble less that of ridge regression, both averaged over the clip, by target.

    An ensemble of all runs has the jackknife's pseudo-values in the place of the values of runs; of a mean over runs
    these are the values themselves.

    Parameters
    ----------
    members, ridge : ndarray, (runs, n, clips, targets, 5)
        Moments; n of ridge regression is 1.
    frames : list of int, (clips,)
    weights : ndarray, (replicates, clips)
        As from `leaving_out`.
    all_runs : bool
        Whether the networks of all runs are one ensemble; else those of each run.

    Returns
    -------
    Estimate
        By target; with one run its variance is NaN.
    """
    n = len(members)

    def gain(runs: list[int]) -> np.ndarray:
        of_both = [averaged(np.concatenate(part[runs])) for part in (members, ridge)]
        return np.subtract(*(r2(of_clips, frames, weights) for of_clips in of_both))

    values = np.array([gain([k]) for k in range(n)])  # (runs, replicates, targets)
    if all_runs:
        without = np.array([gain([j for j in range(n) if j != k]) for k in range(n)])
        values = gain(list(range(n))) + (n - 1) * (without.mean(0) - without)
    values = values.transpose(2, 0, 1)
    if n == 1:
        return Estimate(values[:, 0, 0], np.nan, np.full(len(values), np.nan))
    return estimate(values[..., 0], values[..., 1:])
