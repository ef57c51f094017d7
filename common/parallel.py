"""Work in several processes, with a progress bar: of this machine, where they end with the command, or of a cluster."""

import contextlib
import os
import sys
import threading
import time
import warnings
from functools import lru_cache
from itertools import islice

from tqdm import tqdm

from common import device
from common.errors import InputError

quiet_bars = False  # True: no progress bars in this process
cluster = None  # set by `common.cluster.connect`: its workers compute in the place of processes of this machine
IDLE_S = 300  # after which a process without work ends, as joblib has it
POLL_S = 0.5  # how often a worker checks that its command still runs
_started = []  # whether this process has had workers


def available_cores() -> int:
    """The number of cores that this process may use, by its affinity and by the limits of a container."""
    import joblib

    return joblib.cpu_count()


def on_worker(function, *arguments):
    """Call a function on a worker of the cluster, or in this process if there is none.

    Calls that are given to `progress` use it for the part that takes long and depends on the arguments alone, and keep
    locks and files to this machine.

    Parameters
    ----------
    function : callable
    *arguments
        A file that the function reads is an argument, a Path.

    Returns
    -------
    what the function returns
    """
    return cluster.call(function, *arguments) if cluster else function(*arguments)


def progress(
    calls,
    *,
    total: int,
    n_jobs: int,
    label: str,
    unit: str,
    quiet: bool = False,
    ordered: bool = True,
    isolated: bool = False,
    most_waiting: int | None = None,
):
    """Call functions in several processes and yield their results.

    Parameters
    ----------
    calls : iterable of tuple
        (function, *arguments)
    total : int
        The number of calls.
    n_jobs : int
        joblib processes, at most as many as calls and cores; with 1 the calls run in this process. With a cluster they
        run in threads of this process, which wait for its workers.
    label, unit : str
        Of the progress bar on standard error.
    quiet : bool
        True: no progress bar.
    ordered : bool
        True: results in the order of the calls, else as they are finished.
    isolated : bool
        True: also one job runs in another process, which joblib (with psutil) replaces when it has grown, since
        TensorFlow keeps graphs with gradients of their own until a process ends.
    most_waiting : int, optional
        How many results may wait until the caller takes them, where they are large; by default all.

    Yields
    ------
    what the functions return

    Raises
    ------
    InputError
        If a worker is killed, or the connection to the cluster is lost.
    Exception
        What a function raises; then all workers, and the connection to a cluster, are ended.
    """
    n_jobs = min(n_jobs, max(total, 1), max(available_cores(), 1))  # more would only start processes and take memory
    in_process = not isolated and n_jobs == 1 and not cluster
    if in_process:
        results = (function(*arguments) for function, *arguments in calls)
    elif most_waiting is None:
        results = _spread(calls, n_jobs, ordered)
    else:
        results = _in_parts(iter(calls), n_jobs, ordered, most_waiting)
    try:
        interval = 0.1 if sys.stderr.isatty() else 30  # s; a log file gets two lines a minute
        off, style = quiet or quiet_bars, {"desc": label, "unit": unit, "dynamic_ncols": True}
        yield from tqdm(results, total=total, disable=off, mininterval=interval, **style)
    except BaseException as error:
        stop_workers()
        results.close()
        if type(error).__name__ == "TerminatedWorkerError":
            raise InputError(
                "a worker process was killed, perhaps because memory ran out; re-run the command to resume "
                f"(--jobs {max(1, n_jobs - 1)} needs less memory)"
            ) from error
        raise
    finally:
        if cluster:
            cluster.forget()


def _in_parts(calls, n_jobs: int, ordered: bool, size: int):
    """As `_spread`, of so many calls at a time."""
    while part := list(islice(calls, size)):
        results = _spread(part, n_jobs, ordered)
        try:
            yield from results
        finally:
            results.close()


def _spread(calls, n_jobs: int, ordered: bool):
    """The results of calls in worker processes, as they are finished or in order."""
    from joblib import Parallel, delayed

    return_as = "generator" if ordered else "generator_unordered"
    if cluster:
        waiting = Parallel(cluster.calls_at_once(), backend="threading", return_as=return_as)
        return waiting(delayed(function)(*arguments) for function, *arguments in calls)
    # else a process of joblib's warns of semaphores that stopped workers have left
    os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning:joblib.externals.loky.backend.resource_tracker")
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
    # one process: with n_jobs=1 joblib would start none
    options = {"n_jobs": n_jobs} if n_jobs > 1 else {"n_jobs": 2, "pre_dispatch": 1, "batch_size": 1}
    parallel = Parallel(return_as=return_as, **options)
    _started.append(True)
    return parallel(delayed(_in_worker)(os.getpid(), function, *arguments) for function, *arguments in calls)


def stop_workers() -> None:
    """End all worker processes of this process, and the connection to a cluster, at once."""
    global cluster
    if cluster:
        connection, cluster = cluster, None
        with contextlib.suppress(OSError):  # all results are kept already
            connection.close()
    if _started:
        from joblib.externals.loky import get_reusable_executor

        # reuse: else the executor of joblib, made with other options, would first wait until its workers end
        get_reusable_executor(reuse=True, kill_workers=True).shutdown(kill_workers=True)
        _started.clear()


def in_own_process(function, *arguments):
    """Call a function in another process, which is used again, until it has grown.

    Parameters
    ----------
    function : callable
    *arguments

    Returns
    -------
    what the function returns

    Raises
    ------
    TerminatedWorkerError
        Of joblib, if that process is killed.
    """
    from joblib.externals.loky import get_reusable_executor

    _started.append(True)
    process = get_reusable_executor(max_workers=1, timeout=IDLE_S)
    return process.submit(_in_worker, os.getpid(), function, *arguments).result()


def _in_worker(command: int, function, *arguments):
    _start(command)
    return function(*arguments)


@lru_cache
def _start(command: int) -> None:
    """Give this worker its device; and end it when the process that started it has ended, even by SIGKILL."""
    device.take_card()

    def watch():
        while os.getppid() == command:
            time.sleep(POLL_S)
        os._exit(1)

    if os.getppid() == command:
        threading.Thread(target=watch, daemon=True).start()
