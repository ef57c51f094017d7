"""Calls functions on the workers of a Dask cluster, which need not share a path with this machine.

Workers are started with `--preload common.cluster`, by which each declares what its numbers depend on (`facts`), as a
resource of Dask. A call asks for the resource of its command: so it never runs on a worker of other code or versions,
whenever that one joins, and a worker computes one call at a time. It does so in a process of its own, since Dask's own
threads draw from Python's random numbers, of which networks are made. Files among the arguments are sent by content.
"""

import hashlib
import logging
import multiprocessing
import os
import pickle
import platform
import shutil
import threading
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from common import audio, backend, device, parallel, provenance
from common.audio import ffmpeg
from common.errors import InputError, collect_warnings, warn

PRELOAD = "common.cluster"
START = f"dask worker ADDRESS --nthreads 1 --preload {PRELOAD}"
CODE, SUFFIXES = ("common", "data_prep", "reproductions"), (".py", ".conf")
PACKAGES = (*provenance.PACKAGES, "jaxlib", "av", "soxr", "librosa", "opensmile", "distributed")
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")  # 1 where they are not set (`backend.prepare`)
SCATTERED = 1 << 20  # bytes; a larger argument is sent to the workers once, and not with each call
ANSWER_S, WAIT_S, POLL_S = 30, 60, 1.0  # for a scheduler's answer; for a first worker; between two looks at a call
SLOW = 5  # times what the longest call before has taken in a queue of this length: then another worker is asked too
CALLS = 32  # that are made at once at least, so that workers that join later find some
SENDS = 5  # of a call whose arguments were lost with the workers that held them
LOST = "the connection to the cluster is lost; re-run the command to resume"


@cache
def facts() -> dict[str, str]:
    """What numbers of this process depend on, by name: code, backend, device, threads, versions."""
    root, code = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(path for package in CODE for path in (root / package).rglob("*") if path.suffix in SUFFIXES):
        code.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    environment = provenance.environment()
    declared = {"code of the suite": code.hexdigest()[:12], "python": platform.python_version()}
    declared |= {name: environment[name] for name in ("backend", "device")} | environment["flags"]
    declared |= {name: os.environ.get(name) or "1" for name in THREADS}
    return declared | backend.versions(PACKAGES) | {"decoder": audio.decoder(), "FFmpeg": ffmpeg.version()}


def resource() -> str:
    """The name of the resource that workers with the facts of this process declare."""
    return "suite-" + hashlib.sha256(repr(sorted(facts().items())).encode()).hexdigest()[:16]


def dask_setup(worker) -> None:
    """Called by Dask in a worker that was started with --preload: takes a card, and declares the resource.

    Parameters
    ----------
    worker : distributed.Worker
    """
    multiprocessing.current_process().daemon = False  # a daemon may not have processes of its own
    device.choose("auto", 1)
    device.take_card(str(worker.name))
    worker.state.total_resources[resource()] = worker.state.available_resources[resource()] = 1.0


def _difference(declared: dict | Exception) -> str:
    """Why a worker with such facts is refused."""
    if isinstance(declared, Exception):
        return f"it cannot load the suite ({type(declared).__name__}: {declared})"
    ours = facts()
    differ = [
        f"{name} {declared.get(name, 'none')} (here {ours.get(name, 'none')})"
        for name in dict.fromkeys([*ours, *declared])
        if declared.get(name) != ours.get(name)
    ]
    return ", ".join(differ) or f"it was started without --preload {PRELOAD}"


@dataclass(frozen=True)
class _File:
    """A file on the way to a worker: its path here, for messages, and its content."""

    path: Path
    content: bytes

    @classmethod
    def of(cls, path: Path) -> "_File":
        """Raises OSError if it is no file or cannot be read."""
        if not path.is_file():
            raise FileNotFoundError(path)
        return cls(path, path.read_bytes())

    def place(self, root: Path) -> Path:
        """Write it into a folder that the content names; returns the path on the worker."""
        path = root / hashlib.sha256(self.content).hexdigest() / self.path.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.content)
        return path


def _on_worker(function, *arguments) -> tuple[object, list[str], float]:
    """Call a function in a process of this worker; returns its result, its warnings and its seconds."""
    from distributed import get_worker
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    started, root = time.monotonic(), Path(get_worker().local_directory)
    given = {argument.place(root): argument.path for argument in arguments if isinstance(argument, _File)}
    arguments = [argument.place(root) if isinstance(argument, _File) else argument for argument in arguments]

    def as_given(text: str) -> str:
        for placed, path in given.items():
            text = text.replace(str(placed), str(path))
        return text

    try:
        result, warnings = parallel.in_own_process(_with_warnings, function, *arguments)
        return result, [as_given(text) for text in warnings], time.monotonic() - started
    except InputError as error:
        raise InputError(as_given(str(error))) from None
    except TerminatedWorkerError:
        os._exit(1)  # so that Dask starts another worker and repeats the call, as when this process is killed
    finally:
        for path in given:
            shutil.rmtree(path.parent, ignore_errors=True)


def _with_warnings(function, *arguments) -> tuple[object, list[str]]:
    with collect_warnings() as warnings, backend.one_thread():
        return function(*arguments), warnings


def _first(futures: list):
    """The first of some futures that is done; None if none is after POLL_S seconds."""
    from distributed import wait

    try:
        return wait(futures, POLL_S, "FIRST_COMPLETED").done.pop()
    except TimeoutError:
        return None


class Cluster:
    """A connection to those workers of a cluster that compute what this process would. Threads may share it.

    Parameters
    ----------
    address : of the scheduler, as tcp://HOST:8786; or local:N for N workers that are started on this machine

    Raises
    ------
    InputError : no scheduler answers there, or none of its workers has this code and these versions
    """

    def __init__(self, address: str):
        try:
            import dask
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise InputError("--cluster: needs Dask; pip install -e '.[cluster]'") from error

        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"})  # recordings are large
        self._lock, self._closed, self._local = threading.Lock(), False, None
        self._scattered, self._longest, self._n_calls = {}, 0.0, 0
        try:
            if address.startswith("local:"):
                options = {"threads_per_worker": 1, "preload": [PRELOAD], "silence_logs": logging.CRITICAL}
                n_workers = int(address.removeprefix("local:"))
                self._local = LocalCluster(n_workers=n_workers, dashboard_address=":0", **options)
            self._client = Client(self._local or address, timeout=ANSWER_S)
        except (OSError, ValueError) as error:
            raise InputError(f"--cluster {address}: no scheduler answers there ({error})") from error
        self._require_workers(address)

    def _require_workers(self, address: str) -> None:
        """Wait for a worker, and report those that are refused. Raises InputError if there is no other."""
        until = time.monotonic() + WAIT_S
        while not (there := self._known()) and time.monotonic() < until:
            time.sleep(POLL_S)
        others = list(there.keys() - self.workers())
        answers = self._client.run(facts, workers=others, on_error="return") if others else {}
        refused = [f"worker {name} is refused: {_difference(declared)}" for name, declared in answers.items()]
        if not self.workers():
            self.close()
            raise InputError(f"--cluster {address}: {'; '.join(refused) or 'has no worker'}; start one by {START}")
        for text in refused:
            warn(text)

    def workers(self) -> set[str]:
        """The addresses of the workers that compute for this process."""
        return {name for name, worker in self._known().items() if resource() in worker["resources"]}

    def _known(self) -> dict[str, dict]:
        """What the scheduler knows of its workers, by address. Raises InputError if it does not answer any more."""
        known = self._client.scheduler_info(n_workers=-1)
        if "workers" not in known:
            raise InputError(LOST)
        return known["workers"]

    def calls_at_once(self) -> int:
        """How many threads should call: more than there are workers, so that these never wait."""
        return max(CALLS, 2 * len(self.workers()))

    def call(self, function, *arguments):
        """What a function returns on a worker; warnings and exceptions are those of a call in this process.

        Raises
        ------
        InputError : besides what the function raises: its workers die, or the scheduler is gone
        """
        from distributed import KilledWorker

        try:
            sent = [_File.of(argument) if isinstance(argument, Path) else argument for argument in arguments]
        except OSError:
            return function(*arguments)  # which says what is wrong with the path
        for _ in range(SENDS):
            try:
                result, warnings, seconds = self._first_result(function, sent)
            except CancelledError:  # as when all workers that held an argument have died
                if self._closed:
                    raise
                self._scattered.clear()
            except KilledWorker as error:
                raise InputError(
                    f"a call has ended {error.last_worker.address} and workers before it, perhaps because memory ran "
                    "out; start workers with more, and re-run the command to resume"
                ) from error
            else:
                self._longest = max(self._longest, seconds)
                for text in warnings:
                    warn(text)
                return result
        raise InputError(LOST)

    def _first_result(self, function, arguments: list):
        """Of a call on a worker; if that takes long, of the faster of it and another worker."""
        self._n_calls += 1
        started, queue = time.monotonic(), 1 + self._n_calls / max(len(self.workers()), 1)
        futures = [self._submit(function, arguments)]
        try:
            while (done := _first(futures)) is None:
                if self._closed:
                    raise CancelledError
                if len(futures) == 1 and time.monotonic() - started > SLOW * queue * self._longest > 0:
                    given = {name for name, keys in self._client.processing().items() if futures[0].key in keys}
                    if others := self.workers() - given:
                        futures.append(self._submit(function, arguments, workers=list(others)))
            return done.result()
        finally:
            self._n_calls -= 1

    def _submit(self, function, arguments: list, **where):
        """A future of a call on a worker."""
        sent = [self._sent(argument) for argument in arguments]
        return self._client.submit(_on_worker, function, *sent, resources={resource(): 1}, pure=False, **where)

    def _sent(self, argument):
        """An argument, or if it is large, what stands for it: it is sent to all workers once."""
        if isinstance(argument, _File):
            return argument
        with self._lock:
            if id(argument) not in self._scattered and len(pickle.dumps(argument, 5)) > SCATTERED:
                (future,) = self._client.scatter([argument], workers=list(self.workers()), broadcast=True)
                self._scattered[id(argument)] = argument, future
            return self._scattered.get(id(argument), (None, argument))[1]

    def forget(self) -> None:
        """Have the workers forget what they were sent: the calls are done."""
        self._scattered.clear()
        self._longest = 0.0

    def close(self) -> None:
        """End the connection, and the workers that were started with it; calls that wait end with an error."""
        self._closed = True
        self._client.close()
        if self._local:
            self._local.close()


def connect(address: str) -> None:
    """Have the workers of a cluster compute what this process gives to `common.parallel`, see `Cluster`.

    Parameters
    ----------
    address : str
        As "tcp://HOST:8786", or "local:4".

    Raises
    ------
    InputError
        If Dask is not installed, no scheduler answers there, or none of its workers can be used.
    """
    parallel.cluster = Cluster(address)
