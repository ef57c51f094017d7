"""How often each verdict comes out when the truth is known: python -m tests.benchmarks.verdicts [--trials 1000]

The true difference between the published system and the measured one is a multiple of Δ; runs spread by s around
their means; the published value is the mean of m runs, rounded to two digits, s_p printed if m > 1.
"""

import argparse

import numpy as np

from common.published import compare
from common.report import text_table

MATTERS = 0.08


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    options = parser.parse_args()
    rng, lines = np.random.default_rng(0), []
    for share in (8, 4):
        for m in (1, 5):
            for n in (3, 5, 10):
                for off in (0, 0.5, 1, 2):
                    verdicts = []
                    for _ in range(options.trials):
                        theirs = rng.normal(0.5, MATTERS / share, m)
                        std = float(theirs.std(ddof=1)) if m > 1 else None
                        ours = rng.normal(0.5 + off * MATTERS, MATTERS / share, n)
                        printed = round(theirs.mean(), 2)
                        verdicts.append(compare(ours, printed, std=std, runs=m, matters=MATTERS).verdict)
                    kinds = ("reproduced", "better", "worse", "undecided")
                    rates = [f"{verdicts.count(kind) / options.trials:.3f}" for kind in kinds]
                    lines.append([f"Δ/{share}", m, n, f"{off:g} Δ", *rates])
    print(text_table(["s", "m", "n", "truth off by", "reproduced", "better", "worse", "undecided"], lines))


if __name__ == "__main__":
    main()
