"""The ten networks of one cross-validation and their SVRs, warm features: wall seconds and peak memory.

    python -m tests.benchmarks.cross_validation --data-root DATA [--jobs 2] [--goes 3] [--out results]

The paper: 4.5 minutes a network on a GTX 970, so 45 minutes. Memory is the sum over all processes of what each has
resident, shared pages divided among those that share them (Linux).
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from common import cli
from common.files import cache_folder
from tests import benchmarks

PAPER_MINUTES = 45


def resident_gib(group: int) -> float:
    """Proportional resident memory of all processes of a process group."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[2]) == group:
                lines = (stat.parent / "smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (OSError, ValueError):
            continue  # a process that has just ended
    return total / 2**20


def go(root: list[str], epochs: list[str]) -> tuple[float, float]:
    """Minutes of one cross-validation, and peak memory in GiB."""
    with tempfile.TemporaryDirectory() as scratch:
        os.symlink(
            cache_folder().absolute() / "features", Path(scratch) / "features"
        )  # warm features, no finished folds
        call = [sys.executable, "-m", "reproductions.jakubik2017.train", *root, *epochs, "--out", scratch]
        environment, peak, started = os.environ | {"MER_CACHE": scratch}, 0.0, time.perf_counter()
        process = subprocess.Popen(
            [*call, "--variant", "semantic_embedding_gru_svr"], env=environment, start_new_session=True
        )
        while process.poll() is None:
            peak = max(peak, resident_gib(process.pid))
            time.sleep(0.5)
        if process.returncode:
            sys.exit(process.returncode)
        return (time.perf_counter() - started) / 60, peak


def main():
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--data-root", required=True)
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--goes", type=int, default=1)
    parser.add_argument("--epochs", help="fewer than the paper's, to try this script")
    options = parser.parse_args()
    root = ["--data-root", options.data_root, "--jobs", options.jobs]
    subprocess.run([sys.executable, "-m", "data_prep", "emotify", *root], check=True)
    if options.out:
        benchmarks.wait_until_idle()
    goes = [go(root, ["--epochs", options.epochs] if options.epochs else []) for _ in range(options.goes)]
    for minutes, peak in goes:
        print(f"{minutes:.2f} minutes with {options.jobs} processes, {PAPER_MINUTES / minutes:.1f} times as fast")
        print(f"peak resident memory of all processes together {peak:.2f} GiB")
    if options.out:
        minutes, peaks = np.transpose(goes)
        row = {
            "time": benchmarks.measured("min", minutes),
            "times as fast as the paper's 45 min": benchmarks.measured("", PAPER_MINUTES / minutes),
            "memory of all processes": benchmarks.measured("GiB", peaks),
        }
        title = f"ten networks of a cross-validation and their SVRs, warm features, {options.jobs} processes"
        benchmarks.record(options.out, "cross_validation", title, {"Semantic Embedding GRU + SVR": row})


if __name__ == "__main__":
    sys.exit(cli.run(main))
