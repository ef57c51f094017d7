"""The one exception for bad input, and warnings about input that is used all the same."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class InputError(ValueError):
    """Something the user gave is wrong. The message says what, where, and what to do, in one line."""


_collected: ContextVar[list[str] | None] = ContextVar("collected", default=None)


def warn(text: str) -> None:
    """Report something doubtful in one line: on standard error, or where `collect_warnings` asks.

    Parameters
    ----------
    text : str
        What, and where.
    """
    texts = _collected.get()
    if texts is None:
        sys.stderr.write(f"warning: {text}\n")  # at once, as several processes may write
    elif text not in texts:
        texts.append(text)


@contextmanager
def collect_warnings() -> Iterator[list[str]]:
    """A context whose warnings are collected in a list, each text once, in the place of standard error."""
    texts: list[str] = []
    token = _collected.set(texts)
    try:
        yield texts
    finally:
        _collected.reset(token)
