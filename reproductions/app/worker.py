"""One thread for all work with networks, the most urgent first: the server answers meanwhile, and results never mix."""

import itertools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future


class Worker:
    """A thread that calls functions one after another, by rank, then by the order in which they were submitted."""

    def __init__(self):
        self._tasks, self._count = queue.PriorityQueue(), itertools.count()
        threading.Thread(target=self._work, daemon=True).start()

    def submit(self, rank: int, function: Callable, *arguments) -> Future:
        """Have a function called; a lower rank goes first. A future that is cancelled before is passed over."""
        future = Future()
        self._tasks.put((rank, next(self._count), future, function, arguments))
        return future

    def _work(self) -> None:
        while True:
            *_, future, function, arguments = self._tasks.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function(*arguments))
                except Exception as error:  # whoever waits for the result is told
                    future.set_exception(error)
