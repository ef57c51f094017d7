"""How often a claim's interval misses the truth, and how often it finds a difference between two systems.

    nice python -m tests.benchmarks.claims [--trials 10000] [--out results]

Every trial draws runs of two systems on the same songs, a value a song. What differs from trial to trial is drawn from
normal distributions: of each run and system R, of each song and system S, of each run, song and system I.

mean    the difference of the systems in run j on song i is R_j + S_i + I_ij; the metric is the mean over songs.
r2, r   the reference y_i is standard normal. A system's estimate of song i in run j is
        (.6 + R_j) y_i + .6 c_i + S_i + I_ij, where c_i, standard normal, is an error that both systems have in all
        runs. A run changes how much its estimates follow the reference, which r sees (no offset or factor would be).

`SHARES` says which parts of the variance of the mean difference come from R, S and I; to first order, by the derivative
of the metric. The level is the share of trials in which the 95 % interval of equal systems leaves out 0. For the power
the difference of every trial is raised by 1, 2 or 3 standard errors, the deviation of the mean difference over trials.
Three other intervals are compared with that of `common.verdict.crossed`: Hillis's (2007) degrees of freedom, in which
songs have infinitely many; Satterthwaite's for runs and songs, without the factor for few runs; and Cochran's (1964)
mean of the quantiles of t for runs and for songs, weighted by their variances.
"""

import argparse
import json
import time
from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import stdtrit

from common import provenance
from common.files import write_atomically
from common.report import text_table
from common.verdict import crossed

METRICS = {"mean": (1.0, 1.0), "r2": (0.8, 1.44), "r": (0.59, 0.83)}  # change of the metric with R, and with S or I
SHARES = {  # of runs, songs and their interaction
    "runs": (1, 0, 0), "songs": (0, 1, 0), "interaction": (0, 0, 1), "mixed": (1 / 3, 1 / 3, 1 / 3),
    "mostly runs": (0.85, 0.1, 0.05),
}  # fmt: skip
RUNS, SONGS, STEPS = (2, 3, 5, 10), (40, 400), (1, 2, 3)
TRIALS, LEVEL, AT_ONCE = 10_000, 0.95, 2_000_000  # numbers in an array
SONG_SPREAD = 0.2  # of S where only songs differ


def spreads(metric: str, source: str, n: int, songs: int) -> list[float]:
    """Standard deviations of R, S and I, which give the source's shares of one variance."""
    of_run, of_song = METRICS[metric]
    variance = (SONG_SPREAD * of_song) ** 2 / songs
    times = n / of_run**2, songs / of_song**2, n * songs / of_song**2
    return [float(np.sqrt(variance * share * factor)) for share, factor in zip(SHARES[source], times, strict=True)]


def r2_of(y, estimate):
    """R² with all songs and without each, (..., 1 + songs); y and estimate (..., songs)."""
    y, errors = np.broadcast_arrays(y, (estimate - y) ** 2)
    n, total, squares, sse = _sums(y.shape[-1], y, y * y, errors)
    return 1 - sse / (squares - total**2 / n)


def r_of(y, estimate):
    """Pearson's r with all songs and without each, (..., 1 + songs)."""
    y, p = np.broadcast_arrays(y, estimate)
    n, sy, sp, yy, pp, yp = _sums(y.shape[-1], y, p, y * y, p * p, y * p)
    return (yp - sy * sp / n) / np.sqrt((yy - sy**2 / n) * (pp - sp**2 / n))


def _sums(songs, *values):
    """How many songs, and sums of values over them: of all, and of all but each."""
    n = np.concatenate([[songs], np.full(songs, songs - 1)])
    totals = (v.sum(-1, keepdims=True) for v in values)
    return n, *(np.concatenate([total, total - v], axis=-1) for total, v in zip(totals, values, strict=True))


def differences(metric: str, source: str, n: int, songs: int, trials: int, rng) -> np.ndarray:
    """Of two equal systems, with all songs and without each: (trials, n, 1 + songs)."""
    sizes = (trials, n, 1), (trials, 1, songs), (trials, n, songs)

    def effects():
        return [sd * rng.standard_normal(size) if sd else 0 for sd, size in zip(spreads(*of), sizes, strict=True)]

    of = metric, source, n, songs
    if metric == "mean":
        number, total = _sums(songs, np.broadcast_to(sum(effects()), sizes[2]))
        return total / number
    y, common = rng.standard_normal((2, trials, 1, songs))
    found = []
    for _ in range(2):
        of_run, of_song, of_both = effects()
        estimate = np.broadcast_to((0.6 + of_run) * y + 0.6 * common + of_song + of_both, sizes[2])
        found.append((r2_of if metric == "r2" else r_of)(y, estimate))
    return found[0] - found[1]


def half_widths(values: np.ndarray) -> tuple[np.ndarray, dict]:
    """The mean difference of each trial, and half of the width of its interval in four ways."""
    of_runs, left_out, n = values[..., 0], values[..., 1:], values.shape[1]
    groups, found = left_out.shape[-1], crossed.estimate(of_runs, left_out)
    runs, (of_songs, rest) = of_runs.var(-1, ddof=1) / n, crossed.song_terms(left_out)
    dfs = {
        "hillis": crossed.satterthwaite([runs, of_songs - rest], [n - 1, np.inf]),
        "satterthwaite": crossed.satterthwaite([runs, of_songs, -rest], [n - 1, groups - 1, (n - 1) * (groups - 1)]),
    }
    dfs["satterthwaite"] = np.maximum(dfs["satterthwaite"], min(n, groups) - 1)
    ways = {name: crossed.Estimate(found.mean, found.variance, df).half_width(LEVEL) for name, df in dfs.items()}
    both = runs * stdtrit(n - 1, (1 + LEVEL) / 2) + (of_songs - rest) * stdtrit(groups - 1, (1 + LEVEL) / 2)
    return found.mean, {"ours": found.half_width(LEVEL), **ways, "cochran": both / np.sqrt(found.variance)}


def level_and_power(metric: str, source: str, n: int, songs: int, trials: int = TRIALS, seed: int = 0) -> dict:
    """The share of trials with a difference where there is none (`level`, each way), and where there is one (`power`).

    `width` is the mean width of the interval, as a part of that of ours.
    """
    rng, parts, left = np.random.default_rng([seed, n, songs]), [], trials
    while left:
        now = min(left, max(1, AT_ONCE // (n * songs)))
        mean, halves = half_widths(differences(metric, source, n, songs, now, rng))
        parts.append([mean, *halves.values()])
        left -= now
    mean, *found = np.concatenate(parts, axis=1)
    step, found = mean.std(), dict(zip(halves, found, strict=True))
    return {
        "level": {name: float((abs(mean) > half).mean()) for name, half in found.items()},
        "width": {name: float(half.mean() / found["ours"].mean()) for name, half in found.items()},
        "power": [float((mean + k * step > found["ours"]).mean()) for k in STEPS],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--out", type=Path, metavar="DIR", help="record under DIR/verdicts/claims.json")
    options = parser.parse_args()
    commit, rows, lines = provenance.commit(), [], []
    started = time.perf_counter()
    level_and_power("r", "mixed", 5, 400, trials=100)
    expected = (time.perf_counter() - started) / (100 * 5 * 400) * options.trials
    expected *= len(METRICS) * len(SHARES) * sum(RUNS) * sum(SONGS)
    print(f"about {expected / 60:.0f} minutes on one core", flush=True)
    for metric, source, songs, n in product(METRICS, SHARES, SONGS, RUNS):
        found = level_and_power(metric, source, n, songs, options.trials)
        rows.append({"metric": metric, "source": source, "songs": songs, "runs": n} | found)
        lines.append(
            [metric, source, songs, n, *(f"{100 * v:.1f}" for v in (*found["level"].values(), *found["power"]))]
        )
    ways, powers = [f"{way} %" for way in rows[0]["level"]], [f"power {k} SE" for k in STEPS]
    header = ["metric", "noise", "songs", "runs", *ways, *powers]
    print(text_table(header, lines))
    print(f"{time.perf_counter() - started:.0f} s")
    if options.out:
        record = {"trials": options.trials, "rows": rows, "provenance": provenance.now(commit)}
        path = options.out / "verdicts" / "claims.json"
        write_atomically(path, (json.dumps(record) + "\n").encode())
        print(f"recorded in {path}")


if __name__ == "__main__":
    main()
