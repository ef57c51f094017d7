"""Options of commands, and how commands end."""

import argparse
import contextlib
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from common import backend, device, parallel
from common.errors import InputError
from common.files import NAME
from common.places import RESULTS

BROKEN_PIPE = 13  # the number of SIGPIPE, which Windows has not


class Parser(argparse.ArgumentParser):
    """Help with defaults and paragraphs; a wrong argument is one line on standard error and exit code 2."""

    def __init__(self, **options):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def parse_args(self, args=None, namespace=None):
        prepare()
        return super().parse_args(args, namespace)

    def _print_message(self, message, file=None):
        try:
            super()._print_message(message, file)
            (file or sys.stderr).flush()
        except OSError:  # as of `--help | head`
            _discard_output()

    def error(self, message):
        print(f"error: {message} (--help explains)", file=sys.stderr)
        sys.exit(2)


def prepare() -> None:
    """Make a command independent of settings that the environment holds for other programs; workers inherit them.

    Plots are drawn into files; a character that the terminal or the redirected output cannot show is printed as an
    escape, as on standard error; libraries that keep files in the user's home have a folder to write to.
    """
    os.environ["MPLBACKEND"] = "Agg"
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell (`>&-`)
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a stream of a notebook
            stream.reconfigure(errors="backslashreplace")
    scratch = Path(tempfile.gettempdir()) / f"{NAME}-{getattr(os, 'getuid', os.getpid)()}"
    try:
        home = Path.home()
    except RuntimeError:  # no HOME, and a user without an entry in the password file
        os.environ["HOME"], home = str(scratch), scratch
    if not os.access(home, os.W_OK):
        os.environ.setdefault("MPLCONFIGDIR", str(scratch / "matplotlib"))
        os.environ.setdefault("NUMBA_CACHE_DIR", str(scratch / "numba"))


def _discard_output() -> None:
    """Send what is left for standard output nowhere: else the interpreter fails again when it ends."""
    with contextlib.suppress(OSError, ValueError):  # of a stream without a file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def at_least(lowest: int, most: int | None = None) -> Callable[[str], int]:
    """An argument type: a whole number not below `lowest`, and not above `most`.

    Parameters
    ----------
    lowest : int
    most : int, optional
        None: there is no limit.

    Returns
    -------
    callable of a text
    """

    def parse(text: str) -> int:
        if not re.fullmatch("-?[0-9]+", text) or int(text) < lowest:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of {lowest} or more")
        if most is not None and int(text) > most:
            raise argparse.ArgumentTypeError(f"{text} is above {most:,}")
        return int(text)

    return parse


def add_results(add: Callable) -> None:
    """Add --results, a folder that is there.

    Parameters
    ----------
    add : callable
        A parser's `add_argument`.
    """

    def folder(text: str) -> Path:
        if not Path(text).is_dir():
            raise argparse.ArgumentTypeError(f"{text}: no such folder of records")
        return Path(text)

    add("--results", type=folder, default=RESULTS, metavar="DIR", help="records (default: the suite's)")


def add_jobs(add: Callable) -> None:
    """Add --jobs and --cluster, for `use_cluster`.

    Parameters
    ----------
    add : callable
        A parser's `add_argument`.
    """
    cores = parallel.available_cores()
    add("--jobs", type=at_least(1), default=cores, help="processes (default: the cores, %(default)s)")
    where = "tcp://HOST:8786, the scheduler of a Dask cluster whose workers compute (docs/cluster.md), or local:N"
    add("--cluster", metavar="ADDRESS", help=where)


def use_cluster(options: argparse.Namespace) -> None:
    """Connect to the cluster that was asked for, if any.

    Parameters
    ----------
    options : argparse.Namespace
        With `cluster`.

    Raises
    ------
    InputError
        If Dask is not installed, no scheduler answers there, or none of its workers can be used.
    """
    if options.cluster:
        from common import cluster

        cluster.connect(options.cluster)


def add_processes(add: Callable) -> None:
    """Add --jobs, --cluster and --device, for `use_device`.

    Parameters
    ----------
    add : callable
        A parser's `add_argument`.
    """
    add_jobs(add)
    seen = "auto: a GPU if the backend sees one; several processes share it"
    add("--device", choices=device.CHOICES, default="auto", help=f"{seen} (default: %(default)s)")


def use_device(options: argparse.Namespace) -> None:
    """Set up backend, device and cluster as they were asked for, before any work.

    Parameters
    ----------
    options : argparse.Namespace
        With `device`, `jobs` and `cluster`; `jobs` becomes what the device can hold.

    Raises
    ------
    InputError
        If one is not there.
    """
    backend.require()
    options.jobs = device.choose(options.device, options.jobs)
    use_cluster(options)


def add_scale(group) -> None:
    """Add --scale, of a user's own labels.

    Parameters
    ----------
    group : of a parser
    """
    meaning = "the ends of the scale of your own labels.csv, as 1 9 (default: -1 1)"
    group.add_argument("--scale", type=float, nargs=2, metavar=("LOW", "HIGH"), help=meaning)


def run(command: Callable[[], int]) -> int:
    """Run a command and end its workers.

    Bad input and what the operating system refuses (as on a full disk) are one line and exit code 2; an interruption
    (SIGINT, SIGTERM) is one line and 128 + the signal's number, and further ones are ignored while the process
    ends; output that nobody reads (`| head`) 128 + SIGPIPE's.

    Parameters
    ----------
    command : callable without arguments
        Returns the exit code.

    Returns
    -------
    int
        The exit code.
    """
    received = []

    def interrupt(number, frame):
        received.append(number)
        for each in before:
            signal.signal(each, signal.SIG_IGN)  # else a second Ctrl-C interrupts the stopping
        raise KeyboardInterrupt

    in_main_thread = threading.current_thread() is threading.main_thread()
    found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)} if in_main_thread else {}
    before = {number: handler for number, handler in found.items() if handler not in (None, signal.SIG_IGN)}
    for number in before:
        signal.signal(number, interrupt)
    try:
        try:
            code = command()
            sys.stdout.flush()
            return code
        finally:
            parallel.stop_workers()
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        _discard_output()
        return 128 + BROKEN_PIPE
    except OSError as error:
        _discard_output()
        print(f"error: {error.filename or 'output'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        parallel.stop_workers()
        exec("")  # else CPython ends by SIGINT, whatever the exit code, if the interruption left an exec()
        print("stopped; run the same command again to resume", file=sys.stderr)
        return 128 + (received or [signal.SIGINT])[0]
    finally:
        if not received:
            for number, handler in before.items():
                signal.signal(number, handler)
