"""How a fault is planted: the function at a place is replaced, and so is each name that was imported from there."""

import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

PROJECT = ("common", "data_prep", "reproductions")


@dataclass(frozen=True)
class Fault:
    """A fault: `wrap` makes the faulty function from the right one at `place` (module:function, module:Class.name)."""

    name: str
    kind: str
    place: str
    wrap: Callable
    guards: tuple[str, ...]  # tests, as "file::test", under tests/


def plant(fault: Fault) -> None:
    """Replace what is at the fault's place, in this process."""
    module, path = fault.place.split(":")
    parent = importlib.import_module(module)
    *outer, last = path.split(".")
    for name in outer:
        parent = getattr(parent, name)
    original = inspect.getattr_static(parent, last)
    faulty = _replaced(original, fault.wrap, parent, last)
    setattr(parent, last, faulty)
    for imported in [module for name, module in sys.modules.items() if name.split(".")[0] in PROJECT]:
        for name in [name for name, value in vars(imported).items() if value is original]:
            setattr(imported, name, faulty)


def _replaced(original, wrap, parent, name):
    """The faulty function in the form that the right one has: property, static method, or plain."""
    if isinstance(original, cached_property):
        faulty = cached_property(wrap(original.func))
        faulty.__set_name__(parent, name)
        return faulty
    if isinstance(original, property):
        return property(wrap(original.fget))
    if isinstance(original, staticmethod):
        return staticmethod(wrap(original.__func__))
    return wrap(original)
