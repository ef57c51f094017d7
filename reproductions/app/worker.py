"""One process for all work with networks, the most urgent first: the server answers meanwhile, and results never mix.

A file on which a decoder crashes ends this process, and not the server; the next work starts another one.
"""

import itertools
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future

from common.errors import InputError
from common.parallel import in_worker


class Worker:
    """A process that calls functions one after another, by rank, then by the order in which they were submitted."""

    def __init__(self):
        self._tasks, self._count, self._process = queue.PriorityQueue(), itertools.count(), None
        threading.Thread(target=self._work, daemon=True).start()

    def submit(self, rank: int, function: Callable, *arguments) -> Future:
        """Have a function called; a lower rank goes first. A future that is cancelled before is passed over."""
        future = Future()
        self._tasks.put((rank, next(self._count), future, function, arguments))
        return future

    def stop(self) -> None:
        """End the process, whatever it does; the others' futures are to be cancelled before."""
        if self._process:
            self._process.shutdown(kill_workers=True)

    def _work(self) -> None:
        while True:
            *_, future, function, arguments = self._tasks.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(self._call(function, *arguments))
                except Exception as error:  # whoever waits for the result is told
                    future.set_exception(error)

    def _call(self, function: Callable, *arguments):
        from joblib.externals.loky import ProcessPoolExecutor

        self._process = self._process or ProcessPoolExecutor(max_workers=1)
        try:
            return self._process.submit(in_worker, os.getpid(), function, *arguments).result()
        except BrokenExecutor as error:
            self._process = None
            raise InputError("the process that predicts ended, perhaps because memory ran out") from error
