"""One process for all work with networks, the most urgent first: the server answers meanwhile, and results never mix.

A file on which a decoder crashes ends this process, and not the server; the next work starts another one.
"""

import contextlib
import itertools
import multiprocessing
import queue
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future

from common.errors import InputError


class Worker:
    """A process that calls functions one after another, by rank, then by the order in which they were submitted."""

    def __init__(self):
        self._tasks, self._count, self._process = queue.PriorityQueue(), itertools.count(), None
        threading.Thread(target=self._work, daemon=True).start()

    def submit(self, rank: int, function: Callable, *arguments) -> Future:
        """Have a function called in the process.

        Parameters
        ----------
        rank : int
            A lower one goes first.
        function : callable
            It, its arguments and what it returns can be pickled.
        *arguments : of the function

        Returns
        -------
        Future
            If it is cancelled before the call begins, the call is passed over. Its `result` raises what the function
            raised, and InputError if the process ended.
        """
        future = Future()
        self._tasks.put((rank, next(self._count), future, function, arguments))
        return future

    def stop(self) -> None:
        """End the process, whatever it does; what has not begun is to be cancelled before."""
        if self._process:
            self._process.kill()

    def _work(self) -> None:
        while True:
            *_, future, function, arguments = self._tasks.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(self._call(function, *arguments))
                except Exception as error:  # raised where the result is asked for
                    future.set_exception(error)

    def _call(self, function: Callable, *arguments):
        if not self._process:
            context = multiprocessing.get_context("spawn")  # a fork of threads could hang
            self._pipe, others = context.Pipe()
            self._process = context.Process(target=_serve, args=(others,), daemon=True)
            self._process.start()
            others.close()
        try:
            self._pipe.send((function, arguments))
            outcome = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process = None
            raise InputError("the process that predicts ended, perhaps because memory ran out") from error
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def _serve(pipe) -> None:
    """Call what comes through a pipe, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server
    with contextlib.suppress(EOFError, OSError):
        while True:
            function, arguments = pipe.recv()
            try:
                outcome = function(*arguments)
            except Exception as error:
                outcome = error
            pipe.send(outcome)
