"""Options of commands, and how commands end."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable

from common import backend, device, parallel
from common.errors import InputError


class Parser(argparse.ArgumentParser):
    """Help with defaults and paragraphs; a wrong argument is one line on standard error and exit code 2."""

    def __init__(self, **options):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message):
        print(f"error: {message} (--help explains)", file=sys.stderr)
        sys.exit(2)


def at_least(lowest: int) -> Callable[[str], int]:
    """An argument type: a whole number not below `lowest`."""

    def parse(text: str) -> int:
        if not text.lstrip("-").isdigit() or int(text) < lowest:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of {lowest} or more")
        return int(text)

    return parse


def add_processes(add: Callable) -> None:
    """Add --jobs and --device, for `use_device`, by a parser's `add_argument`."""
    cores = parallel.available_cores()
    add("--jobs", type=at_least(1), default=cores, help="processes (default: the cores, %(default)s)")
    seen = "auto: a GPU if the backend sees one; several processes share it"
    add("--device", choices=device.CHOICES, default="auto", help=f"{seen} (default: %(default)s)")


def use_device(options: argparse.Namespace) -> None:
    """Set up the backend and the device that were asked for; `options.jobs` becomes what the device can hold.

    Raises InputError, before any work, if either is not there.
    """
    backend.require()
    options.jobs = device.choose(options.device, options.jobs)


def run(command: Callable[[], int]) -> int:
    """Run a command and end its workers; returns the exit code.

    Bad input is one line and exit code 2; an interruption (SIGINT, SIGTERM) one line and 128 + the signal's number.
    """
    received = []

    def interrupt(number, frame):
        received.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt) if threading.current_thread() is threading.main_thread() else None
    try:
        return command()
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; run the same command again to resume", file=sys.stderr)
        return 128 + (received or [signal.SIGINT])[0]
    finally:
        parallel.stop_workers()
        if before is not None:
            signal.signal(signal.SIGTERM, before)
