"""Work spread over processes, with a progress bar."""

import os
import warnings

from tqdm import tqdm

quiet_bars = False  # True: no progress bars in this process


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def progress(calls, *, total: int, jobs: int, label: str, unit: str, quiet: bool = False, ordered: bool = True):
    """Yield the results of `calls`, an iterable of (function, *arguments), in their order or as they come.

    With `jobs` above 1 they run in that many joblib processes. The bar goes to standard error. TensorFlow keeps every
    graph with a gradient of its own for ever; a process that has grown so is replaced (joblib does that with psutil).
    """
    if jobs == 1 or total == 1:
        results = (function(*arguments) for function, *arguments in calls)
    else:
        from joblib import Parallel, delayed
        from joblib.externals.loky import get_reusable_executor

        # joblib's own process tells the user of semaphores that workers left which were stopped
        os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning:joblib.externals.loky.backend.resource_tracker")
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
        parallel = Parallel(n_jobs=jobs, return_as="generator" if ordered else "generator_unordered")
        results = parallel(delayed(function)(*arguments) for function, *arguments in calls)
    try:
        yield from tqdm(results, total=total, desc=label, unit=unit, disable=quiet or quiet_bars, dynamic_ncols=True)
    except BaseException:
        if jobs > 1 and total > 1:
            results.close()
            get_reusable_executor().shutdown(kill_workers=True)
        raise
