"""Time, memory and disk by number of recordings: 100, 1,000 and 10,000 of two seconds, rendered.

    python -m tests.benchmarks.growth [--sizes 100 1000 10000] [--out results]

Three commands on folders of three classes: `data_prep` extracts three kinds of features, `predict --csv` predicts all
recordings, and one epoch of a network is trained and recorded. Of the largest collection, `data_prep` is killed twice
and started again. Memory is that of all processes of a command together (Linux: the proportional set size).
"""

import contextlib
import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import soundfile

from common import cli
from common.errors import InputError
from common.places import ROOT
from tests import benchmarks
from tests.made_up import MUSIC_RATE, music

CLASSES, SECONDS, EXTRACTORS = ("calm", "happy", "sad"), 2.0, 3
WATCHED_S = 0.2  # between two looks at the memory of a command


def render(root: Path, n: int) -> Path:
    """A collection `Songs` of n recordings in a data root; returns its folder."""
    for k in range(n):
        path = root / "Songs" / CLASSES[k % len(CLASSES)] / f"{k}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, music(SECONDS, seed=k), MUSIC_RATE)
    return root / "Songs"


def memory_gib(process: psutil.Process) -> float:
    """Of a process and all that it has started."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += one.memory_full_info().pss
    return total / 2**30


def run(command: list[str], cache: Path, *, until: float | None = None) -> tuple[float, float]:
    """Seconds and largest memory in GiB of `python -m ...`; `until`: seconds after which it is killed.

    Raises InputError with the end of its output if it fails.
    """
    environment = os.environ | {"MER_CACHE": str(cache)}
    with tempfile.TemporaryFile() as output:
        started, largest = time.monotonic(), 0.0
        process = psutil.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        while process.poll() is None:
            largest = max(largest, memory_gib(process))
            if until is not None and time.monotonic() - started > until:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return time.monotonic() - started, largest
            time.sleep(WATCHED_S)
        if process.returncode:
            output.seek(0)
            raise InputError(f"{' '.join(command)}: {output.read()[-500:].decode()}")
        return time.monotonic() - started, largest


def entries(cache: Path) -> dict[Path, int]:
    """When each entry of the cache of features was written."""
    return {path: path.stat().st_mtime_ns for path in (cache / "features").rglob("*.sha256")}


def killed_twice(command: list[str], cache: Path, seconds: float) -> None:
    """Kill a command twice on its way; raises InputError if what it had stored is lost or made again."""
    before = {}
    for _ in range(2):
        run(command, cache, until=seconds / 4)
        now = entries(cache)
        if not before.items() <= now.items() or len(now) == len(before):
            raise InputError(f"{len(before)} entries before the command was killed, {len(now)} after it")
        before = now
    run(command, cache)
    if not before.items() <= entries(cache).items():
        raise InputError("entries were made again after the command was killed")


def measure(n: int, scratch: Path, *, kill: bool) -> dict:
    """The row of a table for n recordings. Raises InputError if something is lost or done twice."""
    songs, cache = render(scratch / "data", n), scratch / "cache"
    data = ["--data-root", str(songs.parent)]
    extract, table = ["data_prep", "Songs", *data, "--jobs", "2"], scratch / "predicted.csv"
    row = timed("data_prep", run(extract, cache))
    if len(entries(cache)) != EXTRACTORS * n:
        raise InputError(f"{len(entries(cache))} features of {n} recordings, not {EXTRACTORS * n}")
    row |= {"again": benchmarks.measured("s", run(extract, cache)[0])}
    if kill:
        killed_twice(extract, scratch / "killed", row["data_prep"]["median"])
    row |= timed("predict --csv", run(["reproductions.velankar2022.predict", str(songs), "--csv", str(table)], cache))
    with table.open(newline="") as file:
        predicted = {line["recording"] for line in csv.DictReader(file)}
    if len(predicted) != n:
        raise InputError(f"predictions for {len(predicted)} of {n} recordings")
    train = ["reproductions.velankar2022.train", *data, "--dataset", "Songs", "--variant", "crnn", "--epochs", "1"]
    row |= timed("one epoch, recorded", run([*train, "--repeats", "1", "--out", str(scratch / "runs")], cache))
    on_disk = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file()) / 2**30
    return row | {"cache on disk": benchmarks.measured("GiB", on_disk)}


def timed(what: str, measured: tuple[float, float]) -> dict:
    """Two columns of a table: seconds, and the largest memory."""
    seconds, memory = measured
    return {what: benchmarks.measured("s", seconds), f"{what}: memory": benchmarks.measured("GiB", memory)}


def main():
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10_000])
    options = parser.parse_args()
    if options.out:
        benchmarks.wait_until_idle()
    found = {}
    for n in options.sizes:
        with tempfile.TemporaryDirectory() as scratch:
            found[f"{n:,}"] = measure(n, Path(scratch), kill=n == max(options.sizes))
        print(n, {name: cell["median"] for name, cell in found[f"{n:,}"].items()}, flush=True)
    if options.out:
        benchmarks.record(options.out, "growth", f"recordings of {SECONDS:g} s", found)


if __name__ == "__main__":
    sys.exit(cli.run(main))
