"""How often each verdict of a cell comes out when the truth is known.

    nice python -m tests.benchmarks.verdicts [--trials 10000] [--out results]

The true difference between the published system and the measured one is a multiple of Δ; runs spread by s around
their means; the published value is the mean of m runs, rounded to two digits, s_p printed if m > 1. The second table is
about equal systems, and a published run that spreads more than ours do, which the rule cannot know: how many cells are
called `better` or `worse`, and how many claims against a published number are decided (those have no Δ).
"""

import argparse
import json
import time
from itertools import product
from pathlib import Path

import numpy as np

from common import provenance
from common.files import write_atomically
from common.report import text_table
from common.verdict.cells import ALPHA, compare
from common.verdict.crossed import estimate

MATTERS, SHARES, RUNS = 0.08, (8, 4), (3, 5, 10)  # s is a part of Δ
OFF, TIMES = (0, 0.5, 1, 2), (1, 2, 3, 5)  # truths in Δ; spread of the published run in s
KINDS = ("reproduced", "better", "worse", "undecided")


def verdicts(share: int, m: int, n: int, off: float, trials: int, *, times: float = 1, seed: int = 0) -> dict:
    """The share of trials with each verdict; the published runs spread `times` as much as ours."""
    rng, found, s = np.random.default_rng(seed), [], MATTERS / share
    for _ in range(trials):
        theirs = rng.normal(0.5, times * s, m)
        std = float(theirs.std(ddof=1)) if m > 1 else None
        ours = rng.normal(0.5 + off * MATTERS, s, n)
        found.append(compare(ours, round(theirs.mean(), 2), std=std, runs=m, matters=MATTERS).verdict)
    return {kind: found.count(kind) / trials for kind in KINDS}


def claims_decided(n: int, times: float, trials: int, *, seed: int = 0) -> float:
    """The share of claims that call our system another than the published one, though they are equal."""
    rng = np.random.default_rng(seed)
    differences = rng.standard_normal((trials, n)) - times * rng.standard_normal((trials, 1))
    found = estimate(differences, against_one_run=True)
    return float((abs(found.mean) > found.half_width(1 - ALPHA)).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--out", type=Path, metavar="DIR", help="record under DIR/verdicts/cells.json")
    options = parser.parse_args()
    commit, started = provenance.commit(), time.perf_counter()
    verdicts(4, 1, 3, 0.5, 100)
    expected = (time.perf_counter() - started) / 100 * options.trials
    expected *= len(SHARES) * len(RUNS) * (2 * len(OFF) + len(TIMES))
    print(f"at most {expected / 60:.0f} minutes on one core", flush=True)
    rows, lines = [], []
    for share, m, n, off in product(SHARES, (1, 5), RUNS, OFF):
        found = verdicts(share, m, n, off, options.trials)
        rows.append({"delta_over_s": share, "published_runs": m, "runs": n, "off": off} | found)
        lines.append([f"Δ/{share}", m, n, f"{off:g} Δ", *(f"{found[kind]:.3f}" for kind in KINDS)])
    print(text_table(["s", "m", "n", "truth off by", *KINDS], lines))
    spread, lines = [], []
    for share, n, times in product(SHARES, RUNS, TIMES):
        found = verdicts(share, 1, n, 0, options.trials, times=times)
        called = {"different": found["better"] + found["worse"], "claims": claims_decided(n, times, options.trials)}
        spread.append({"delta_over_s": share, "runs": n, "times": times} | called)
        lines.append([f"Δ/{share}", n, times, *(f"{value:.3f}" for value in called.values())])
    print("\n" + text_table(["s", "n", "published run's s", "cells called different", "claims decided"], lines))
    print(f"{time.perf_counter() - started:.0f} s")
    if options.out:
        record = {"trials": options.trials, "rows": rows, "spread": spread, "provenance": provenance.now(commit)}
        path = options.out / "verdicts" / "cells.json"
        write_atomically(path, (json.dumps(record) + "\n").encode())
        print(f"recorded in {path}")


if __name__ == "__main__":
    main()
