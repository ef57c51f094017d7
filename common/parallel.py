"""Work spread over processes, with a progress bar. Workers end with the command that started them."""

import os
import sys
import threading
import time
import warnings
from functools import lru_cache

from tqdm import tqdm

from common.errors import InputError

quiet_bars = False  # True: no progress bars in this process
POLL_S = 0.5  # how often a worker looks whether its command still runs
_started = []  # whether this process has had workers


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def progress(
    calls, *, total: int, n_jobs: int, label: str, unit: str, quiet: bool = False, ordered: bool = True, isolated=False
):
    """Yield the results of `calls`, an iterable of (function, *arguments), in their order or as they come.

    Parameters: with `n_jobs` above 1 they run in that many joblib processes. With `isolated` one alone runs in a
    process of its own too, because TensorFlow keeps every graph with a gradient of its own until the process ends;
    joblib replaces a process that has grown, with psutil. The bar goes to standard error. Raises InputError if a
    worker is killed.
    """
    in_process = not isolated and (n_jobs == 1 or total == 1)
    results = (
        (function(*arguments) for function, *arguments in calls) if in_process else _spread(calls, n_jobs, ordered)
    )
    try:
        every = 0.1 if sys.stderr.isatty() else 30  # seconds; into a log file a line twice a minute
        off = quiet or quiet_bars
        yield from tqdm(results, total=total, desc=label, unit=unit, disable=off, dynamic_ncols=True, mininterval=every)
    except BaseException as error:
        results.close()
        stop_workers()
        if type(error).__name__ == "TerminatedWorkerError":
            raise InputError(
                "a worker process was killed, perhaps for want of memory; run the same command again to resume "
                f"(--jobs {max(1, n_jobs - 1)} takes less memory)"
            ) from error
        raise


def _spread(calls, n_jobs: int, ordered: bool):
    """The results of calls from worker processes, as they come or in order."""
    from joblib import Parallel, delayed

    # joblib's own process tells the user of semaphores that workers left which were stopped
    os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning:joblib.externals.loky.backend.resource_tracker")
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
    how = (
        {"n_jobs": n_jobs} if n_jobs > 1 else {"n_jobs": 2, "pre_dispatch": 1, "batch_size": 1}
    )  # 1 would be no process
    parallel = Parallel(return_as="generator" if ordered else "generator_unordered", **how)
    _started.append(True)
    return parallel(delayed(_in_worker)(os.getpid(), function, *arguments) for function, *arguments in calls)


def stop_workers() -> None:
    """End all worker processes of this process, whatever they do."""
    if _started:
        from joblib.externals.loky import get_reusable_executor

        _started.clear()
        get_reusable_executor().shutdown(kill_workers=True)


def _in_worker(command: int, function, *arguments):
    _follow(command)
    return function(*arguments)


@lru_cache
def _follow(command: int) -> None:
    """End this process when the one that started it has ended, even by SIGKILL."""

    def watch():
        while os.getppid() == command:
            time.sleep(POLL_S)
        os._exit(1)

    if os.getppid() == command:
        threading.Thread(target=watch, daemon=True).start()
