"""A Dask cluster of separate processes: one worker against two, and what a run that is disturbed records.

    python -m tests.benchmarks.cluster --data-root DATA [--repeats 8] [--epochs N] [--pairs 3] [--out results]

Networks of malik2017 are trained. The records of each run are compared with those of a run without a cluster: when a
worker is killed in the middle, the scheduler is started anew between two runs, and the client is killed and started
again. It ends with an error if they differ.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from common import cli
from common.errors import InputError
from common.files import cache_folder
from tests import benchmarks
from tests.dask_processes import Processes

OF_THE_RUN = ("provenance", "core_seconds")


def command(options, folder: Path, repeats: int, *where: str) -> subprocess.Popen:
    """The training of some repetitions, whose records and cache are in a folder."""
    (folder / "cache").mkdir(parents=True, exist_ok=True)
    if not (folder / "cache" / "features").exists():
        (cache_folder() / "features").mkdir(parents=True, exist_ok=True)
        os.symlink(cache_folder().absolute() / "features", folder / "cache" / "features")
    call = [sys.executable, "-m", "reproductions.malik2017.train", "--data-root", options.data_root, "--quiet"]
    call += ["--allow-missing", "--variant", "crnn_l20", "--repeats", str(repeats), "--out", str(folder)]
    call += ["--epochs", options.epochs] if options.epochs else []
    environment = os.environ | {"MER_CACHE": str(folder / "cache")}
    return subprocess.Popen([*call, *where], env=environment, stdout=subprocess.DEVNULL)


def finish(process: subprocess.Popen, folder: Path) -> dict:
    """Wait for a training; returns what it recorded, but for when, where and how long."""
    if process.wait():
        sys.exit(process.returncode)
    recorded = {}
    for path in folder.glob("malik2017/*/*.json"):
        runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
        recorded[path.name] = [{key: value for key, value in run.items() if key not in OF_THE_RUN} for run in runs]
    return recorded


def first_network(process: subprocess.Popen, folder: Path) -> None:
    """Wait until a network is trained, so that others are in the middle."""
    while process.poll() is None and not list((folder / "cache").glob("work/*.network")):
        time.sleep(0.1)


def seconds_of(options, scratch: Path, n_workers: int) -> tuple[float, dict]:
    """Seconds of a training with warm workers, and its records."""
    with Processes(scratch) as processes:
        _, address = processes.scheduler()
        for n in range(n_workers):
            processes.worker(address, f"worker-{n}")
        finish(command(options, scratch / "warm", n_workers, "--cluster", address), scratch / "warm")
        started = time.perf_counter()
        recorded = finish(command(options, scratch / "run", options.repeats, "--cluster", address), scratch / "run")
        return time.perf_counter() - started, recorded


def worker_killed(options, scratch: Path) -> dict:
    with Processes(scratch) as processes:
        _, address = processes.scheduler()
        first, _ = processes.worker(address, "first"), processes.worker(address, "second")
        process = command(options, scratch / "run", options.repeats, "--cluster", address)
        first_network(process, scratch / "run")
        processes.kill(first)
        return finish(process, scratch / "run")


def scheduler_restarted(options, scratch: Path) -> dict:
    """Half of the repetitions, then all, with another scheduler."""
    for repeats in (max(options.repeats // 2, 1), options.repeats):
        with Processes(scratch) as processes:
            _, address = processes.scheduler()
            processes.worker(address, "first"), processes.worker(address, "second")
            recorded = finish(command(options, scratch / "run", repeats, "--cluster", address), scratch / "run")
    return recorded


def client_killed(options, scratch: Path) -> dict:
    with Processes(scratch) as processes:
        _, address = processes.scheduler()
        processes.worker(address, "first"), processes.worker(address, "second")
        process = command(options, scratch / "run", options.repeats, "--cluster", address)
        first_network(process, scratch / "run")
        process.kill()
        process.wait()
        return finish(command(options, scratch / "run", options.repeats, "--cluster", address), scratch / "run")


def main():
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--data-root", required=True)
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--epochs", help="fewer than the paper's, to try this script")
    options = parser.parse_args()
    if options.out:
        benchmarks.wait_until_idle()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)

        def new(name: str) -> Path:
            (scratch / name).mkdir()
            return scratch / name

        expected = finish(command(options, new("alone"), options.repeats, "--jobs", "1"), scratch / "alone")
        pairs = []
        for n in range(options.pairs):
            (one, recorded), (two, other) = (seconds_of(options, new(f"{n}-{k}"), k) for k in (1, 2))
            if not expected == recorded == other:
                raise InputError("the records of a cluster differ from those without one")
            pairs.append((one, two))
            print(f"one worker {one:.1f} s, two {two:.1f} s, ratio {one / two:.2f}", flush=True)
        for disturbed in (worker_killed, scheduler_restarted, client_killed):
            if disturbed(options, new(disturbed.__name__)) != expected:
                raise InputError(f"{disturbed.__name__}: the records differ from those without a cluster")
            print(f"{disturbed.__name__.replace('_', ' ')}: the same records", flush=True)
    if options.out:
        one, two = np.transpose(pairs)
        row = {"one worker": benchmarks.measured("s", one), "two": benchmarks.measured("s", two)}
        row |= {"ratio": benchmarks.measured("", one / two)}
        recorded = {f"{options.repeats} networks of malik2017": row}
        benchmarks.record(options.out, "cluster", "training on a Dask cluster on one machine", recorded)


if __name__ == "__main__":
    sys.exit(cli.run(main))
