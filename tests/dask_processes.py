"""A Dask scheduler and workers as separate processes, for tests and benchmarks."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from common.cluster import PRELOAD
from tests.conftest import ROOT


class Processes:
    """Starts schedulers and workers, each in a process group of its own; ends them when the context ends.

    folder: where their files and logs go.
    """

    def __init__(self, folder: Path):
        self.folder, self._started = folder, []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for process in self._started:
            self.kill(process)

    def _start(self, *arguments, cwd=ROOT, environment=None) -> subprocess.Popen:
        log = open(self.folder / f"{len(self._started)}.log", "w", encoding="utf-8")  # noqa: SIM115
        call = [sys.executable, "-m", "dask", *map(str, arguments), "--no-dashboard"]
        options = {"cwd": cwd, "env": os.environ | (environment or {}), "start_new_session": True}
        self._started.append(subprocess.Popen(call, stdout=log, stderr=log, **options))
        return self._started[-1]

    def scheduler(self) -> tuple[subprocess.Popen, str]:
        """A scheduler and its address."""
        path = self.folder / f"scheduler-{len(self._started)}.json"
        path.unlink(missing_ok=True)  # of an earlier one in the same folder
        process = self._start("scheduler", "--host", "127.0.0.1", "--port", 0, "--scheduler-file", path)
        while not path.exists() or not path.read_text(encoding="utf-8").endswith("}"):
            assert process.poll() is None, "the scheduler has ended"
            time.sleep(0.05)
        return process, json.loads(path.read_text(encoding="utf-8"))["address"]

    def worker(self, address: str, name: str, *options, cwd=ROOT, environment=None) -> subprocess.Popen:
        """A worker with a cache of its own; options: `--preload common.cluster` if there are none."""
        environment = {"MER_CACHE": str(self.folder / f"cache-{name}")} | (environment or {})
        options = options or ("--preload", PRELOAD)
        where = ("--nthreads", 1, "--name", name, "--local-directory", self.folder)
        return self._start("worker", address, *where, *options, cwd=cwd, environment=environment)

    def kill(self, process: subprocess.Popen) -> None:
        """End a process and all that it has started, by SIGKILL."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
