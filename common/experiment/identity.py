"""What a number depends on, in one place for all papers.

A trained network is a function of the code that trains it, of the arguments of that code (settings, seed, the arrays
of features and labels, the members of the split), and of the environment (backend, precision, versions). `of_call`
makes one key of these; cached work is found by it. `of_runs` says the same of all runs of a record.

Code enters as the definitions that a function reaches within this project, from module to module, as syntax trees:
docstrings, comments and the words of error messages do not count, everything else does.
"""

import ast
import hashlib
import importlib.util
import json
import threading
import tokenize
import weakref
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

import numpy as np

from common import audio, backend, provenance

PROJECT = ("common", "data_prep", "reproductions")
CARRIERS = (  # modules that move numbers and make none
    "common.errors", "common.files", "common.parallel", "common.experiment.base", "common.experiment.records",
    "common.experiment.runner", "common.features.store",
)  # fmt: skip
WHOLE, EFFECTS = "*", ""  # a module as a whole, and what it does when it is imported


def digest(value) -> str:
    """SHA-256 of a value's canonical JSON.

    Parameters
    ----------
    value : what JSON can hold

    Returns
    -------
    str, 64 hexadecimal digits
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def of_call(function: Callable, *arguments) -> str:
    """The key of a call that trains a network.

    Parameters
    ----------
    function : callable of this project
    *arguments : numbers, texts, arrays, and lists, dictionaries and dataclasses of these

    Returns
    -------
    str, 64 hexadecimal digits

    Raises
    ------
    TypeError
        For an argument whose content cannot be known.
    """
    content = [_content(argument) for argument in arguments]
    code = of_code(function, *_classes(arguments))
    return digest([function.__module__, function.__qualname__, code, content, provenance.environment()])


def of_runs(experiment, variant, functions=()) -> dict:
    """What all runs of a variant have in common besides settings and data.

    Parameters
    ----------
    experiment : Experiment
        Its class gives the protocol.
    variant : Variant
    functions : iterable of callables
        Those that train its networks.

    Returns
    -------
    dict, as JSON
    """
    return {
        "code": of_code(type(experiment), *functions),
        "extractor": describe(experiment.extractor(variant)),
        "environment": provenance.environment(),
    }


def describe(extractor, path: Path | None = None) -> dict | None:
    """What features depend on besides the audio.

    Parameters
    ----------
    extractor : as the classes in `common.features`, or None for features that come with the data
    path : Path, optional
        A recording, whose decoder is named; by default that of files whose container guarantees their length.

    Returns
    -------
    dict, as JSON; None for None
        The extractor's name, version and parameters, its code and configuration files, the versions of its libraries,
        and the decoder.

    Raises
    ------
    InputError
        If the recording cannot be read.
    """
    if extractor is None:
        return None
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in getattr(extractor, "files", ())}
    return asdict(extractor) | {
        "code": of_code(audio.load, *_classes([extractor])), "files": files, "decoder": audio.decoder(path),
        "libraries": backend.versions(extractor.libraries),
    }  # fmt: skip


# Arguments, by content.

_known: dict[int, tuple] = {}  # of arrays and dataclasses in use: a weak reference and the digest


def _content(value) -> str:
    """The digest of an argument's content."""
    if isinstance(value, np.ndarray) or (is_dataclass(value) and not isinstance(value, type)):
        reference, known = _known.get(id(value), (None, None))
        if reference is None or reference() is not value:
            known, key = _of_array(value) if isinstance(value, np.ndarray) else _of_dataclass(value), id(value)
            _known[key] = weakref.ref(value, lambda _: _known.pop(key, None)), known
        return known
    if isinstance(value, list | tuple):
        return digest([_content(item) for item in value])
    if isinstance(value, dict):
        return digest({str(key): _content(item) for key, item in value.items()})
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return digest([type(value).__name__, repr(value)])
    raise TypeError(f"a {type(value).__name__} cannot be part of an identity: its content is not known")


def _of_array(array: np.ndarray) -> str:
    content = hashlib.sha256(f"{array.dtype.str} {array.shape}".encode())
    content.update(np.ascontiguousarray(array).data if array.size else b"")
    return content.hexdigest()


def _of_dataclass(value) -> str:
    return digest([type(value).__qualname__, {f.name: _content(getattr(value, f.name)) for f in fields(value)}])


def _classes(arguments) -> set[type]:
    """The classes of the dataclasses among some arguments, whose methods the call may use."""
    classes, pending = set(), list(arguments)
    while pending:
        value = pending.pop()
        if isinstance(value, list | tuple):
            pending += value
        elif isinstance(value, dict):
            pending += value.values()
        elif is_dataclass(value):
            classes.add(type(value))
            pending += [getattr(value, f.name) for f in fields(value)]
    return classes


# Code, as the definitions that are reached.


@cache
def of_code(*objects: Callable) -> dict[str, str]:
    """Of each module of this project that some functions or classes reach, a digest of the definitions reached there.

    Returns: {module: 16 hexadecimal digits}.
    """
    reached = {}
    for place in frozenset((of.__module__, of.__qualname__.split(".")[0]) for of in objects):
        reached |= _reached(*place)
    modules = {}
    for (module, name), text in reached.items():
        modules.setdefault(module, {})[name] = text
    return {module: digest(texts)[:16] for module, texts in sorted(modules.items())}


@cache
def _reached(module: str, name: str) -> dict[tuple[str, str], str]:
    """The text of every definition reached from one, by module and name."""
    ours, reached, pending = {*PROJECT, module.split(".")[0]}, {}, [(module, name)]
    while pending:
        place = pending.pop()
        if place in reached or place[0] in CARRIERS or place[0].split(".")[0] not in ours or _parse(place[0]) is None:
            continue
        source, wanted = _parse(place[0]), place[1]
        if wanted == WHOLE:
            pending += [(place[0], each) for each in source.definitions]
        elif wanted in source.imports:
            pending.append(source.imports[wanted])
        elif wanted in source.definitions or wanted == EFFECTS:
            nodes = source.effects if wanted == EFFECTS else source.definitions[wanted]
            reached[place] = "\n".join(ast.unparse(node) for node in nodes)
            pending += [(place[0], EFFECTS), *(p for node in nodes for p in source.used(node))]
        elif _is_module(*place):
            pending.append((f"{place[0]}.{wanted}", WHOLE))
    return reached


class _Source:
    """The definitions, imports and effects at the top of one module, without words."""

    def __init__(self, name: str, text: str, is_package: bool):
        self.name, self.package = name, name if is_package else name.rpartition(".")[0]
        self.definitions, self.imports, self.effects, self.dotted = {}, {}, [], set()
        for node in _Wordless().visit(ast.parse(text)).body:
            names = list(_defined(node))
            for each in names:
                self.definitions.setdefault(each, []).append(node)
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.imports |= self._imported(node)
                self.dotted |= set(_dotted(node))
            elif not names and not _is_idle(node):
                self.effects.append(node)
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Import | ast.ImportFrom):
                        self.imports |= self._imported(inner)

    def _imported(self, node) -> dict[str, tuple[str, str]]:
        """What an import binds: by name, module and name there."""
        if isinstance(node, ast.Import):
            return {
                a.asname or a.name.split(".")[0]: (a.name if a.asname else a.name.split(".")[0], WHOLE)
                for a in node.names
            }
        origin = node.module or ""
        if node.level:
            origin = importlib.util.resolve_name("." * node.level + origin, self.package)
        return {
            a.asname or a.name: (f"{origin}.{a.name}", WHOLE) if _is_module(origin, a.name) else (origin, a.name)
            for a in node.names
        }

    def used(self, node) -> Iterator[tuple[str, str]]:
        """The places that a definition names: definitions of this module, and what it imports from others."""
        imports = dict(self.imports)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Import | ast.ImportFrom):
                imports |= self._imported(inner)
        names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        yield from ((name, WHOLE) for name in self.dotted if name.split(".")[0] in names)
        yield from ((name, WHOLE) for inner in ast.walk(node) for name in _dotted(inner))
        of_attribute = set()
        for inner in ast.walk(node):
            if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
                module, name = imports.get(inner.value.id, (None, None))
                if name == WHOLE:
                    of_attribute.add(inner.value)
                    yield module, inner.attr
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and inner not in of_attribute:
                yield imports.get(inner.id, (self.name, inner.id))


class _Wordless(ast.NodeTransformer):
    """Takes away docstrings and what errors say."""

    def _without_docstring(self, node):
        self.generic_visit(node)
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            node.body = node.body[1:] or [ast.Pass()]
        return node

    visit_Module = visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = _without_docstring

    def visit_Raise(self, node):
        self.generic_visit(node)
        if isinstance(node.exc, ast.Call):
            node.exc = node.exc.func
        return node


def _dotted(node) -> Iterator[str]:
    """The modules that `import a.b` and `import_module("a.b")` make available: what is used of them is not seen."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if "." in alias.name and not alias.asname)
    elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "import_module":
        yield from (of.value for of in node.args[:1] if isinstance(of, ast.Constant) and isinstance(of.value, str))


def _defined(node) -> Iterator[str]:
    """The names that a statement at the top of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
            yield from (part.id for part in parts if isinstance(part, ast.Name))


def _is_idle(node) -> bool:
    """Whether a statement does nothing when its module is imported as a worker does."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test) in ("__name__ == '__main__'", "TYPE_CHECKING")
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _is_module(package: str, name: str) -> bool:
    """Whether a name in a package of this project is a module there."""
    return package.split(".")[0] in PROJECT and _find(f"{package}.{name}") is not None


@cache
def _find(name: str) -> ModuleSpec | None:
    """Where a module is; None if there is none. It imports no package, since `common.layers` imports Keras."""
    package = name.rpartition(".")[0]
    if not package:
        return importlib.util.find_spec(name)
    above = _find(package)
    folders = above and above.submodule_search_locations
    return PathFinder.find_spec(name, folders) if folders else None


_parsing = threading.Lock()  # Python 3.11 fails where two threads make syntax trees at once


@cache
def _parse(name: str) -> _Source | None:
    """The source of a module; None if it has none that can be read."""
    try:
        spec = _find(name)
        with tokenize.open(spec.origin) as file, _parsing:
            return _Source(name, file.read(), spec.submodule_search_locations is not None)
    except (AttributeError, ImportError, ValueError, OSError, TypeError):
        return None
