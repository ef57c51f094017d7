"""Imports point one way, without cycles, and what is shared names no paper: computed from the syntax of all modules."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT

LAYERS = ("common", "data_prep", "reproductions")  # each may import itself and those before it
PAPERS = sorted(path.parent.name for path in (ROOT / "reproductions").glob("*/expected.json"))


def modules(root: Path, packages) -> dict[str, Path]:
    """The files of all modules of some packages, by name."""
    files = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def nodes_that_run(tree: ast.AST):
    """All nodes of a tree, inside functions too, but what stands below `if TYPE_CHECKING`."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and ast.unparse(child.test).split(".")[-1] == "TYPE_CHECKING"):
            yield from nodes_that_run(child)


def imported(name: str, files: dict[str, Path]) -> set[str]:
    """The modules among `files` that a module imports."""
    names = set()
    package = name if files[name].name == "__init__.py" else name.rpartition(".")[0]
    for node in nodes_that_run(ast.parse(files[name].read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            inner = {f"{origin}.{alias.name}" for alias in node.names}
            names |= {inner_name if inner_name in files else origin for inner_name in inner}
    return names & files.keys() - {name}


def graph(root: Path, packages) -> dict[str, set[str]]:
    """Of all modules of some packages, which of each other they import."""
    files = modules(root, packages)
    return {name: imported(name, files) for name in files}


def cycle(imports: dict[str, set[str]]) -> list[str]:
    """One cycle of imports, the first module at the end again; empty if there is none."""
    try:
        TopologicalSorter(imports).prepare()
        return []
    except CycleError as error:
        return error.args[1]


def paper_of(module: str) -> str | None:
    """The paper to which a module belongs."""
    layer, _, rest = module.partition(".")
    paper = rest.split(".")[0]
    return paper if layer == "reproductions" and paper in PAPERS else None


def names_in_code(tree: ast.AST):
    """All identifiers and strings of a module but its docstrings, each with its line."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None
    }
    for node in ast.walk(tree):
        if id(node) not in docstrings:
            for _, value in ast.iter_fields(node):
                for text in value if isinstance(value, list) else [value]:
                    if isinstance(text, str):
                        yield getattr(node, "lineno", 0), text


@pytest.fixture(scope="module")
def imports():
    return graph(ROOT, LAYERS)


def test_no_module_imports_itself_through_others(imports):
    assert len(imports) > 80 and imports["common.verdict.board"] >= {"common.errors", "common.verdict.cells"}
    assert cycle(imports) == []


def test_imports_point_one_way(imports):
    rank = {layer: place for place, layer in enumerate(LAYERS)}
    upwards = [
        (one, other)
        for one, others in imports.items()
        for other in others
        if rank[one.split(".")[0]] < rank[other.split(".")[0]]
    ]
    assert upwards == []


def test_no_paper_imports_another(imports):
    assert len(PAPERS) >= 4
    across = [
        (one, other)
        for one, others in imports.items()
        for other in others
        if paper_of(one) and paper_of(other) and paper_of(one) != paper_of(other)
    ]
    assert across == []


def test_what_is_shared_names_no_paper():
    """Docstrings and comments may cite one; code and its strings, messages among them, may not."""
    stems = re.compile("|".join(sorted({re.match("[a-z]+", paper).group() for paper in PAPERS})), flags=re.I)
    named = [
        (module, line, text)
        for module, path in modules(ROOT, ["common"]).items()
        for line, text in names_in_code(ast.parse(path.read_text()))
        if stems.search(text)
    ]
    assert named == []


def lengths(tree: ast.AST):
    """The name and the number of lines of every function, inner ones too, without its docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = ast.get_docstring(node) is not None
            yield node.name, node.end_lineno - node.lineno + 1 - documented * (first.end_lineno - first.lineno + 1)


def test_functions_are_short():
    """At most 40 lines without the docstring: a longer one does several things, or holds a table that is data."""
    longer = [
        (module, name, n)
        for module, path in modules(ROOT, LAYERS).items()
        for name, n in lengths(ast.parse(path.read_text()))
        if n > 40
    ]
    assert longer == []


def test_no_test_imports_another():
    tests = graph(ROOT, ["tests"])
    assert "tests.made_up" in tests["tests.test_board"]
    across = [
        (one, other)
        for one, others in tests.items()
        for other in others
        if other.rpartition(".")[2].startswith("test_")
    ]
    assert across == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import shop.a", {"shop.a"}),
        ("from shop import a, price", {"shop.a", "shop"}),
        ("from shop.a import price", {"shop.a"}),
        ("from . import a", {"shop.a"}),
        ("from .a import price", {"shop.a"}),
        ("def buy():\n    from shop import a\n", {"shop.a"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shop import a\n", set()),
        ("import typing\nif typing.TYPE_CHECKING:\n    from shop import a\n", set()),
    ],
)
def test_imports_are_seen(tmp_path, text, expected):
    (tmp_path / "shop").mkdir()
    for name, content in {"__init__": "price = 1\n", "a": "import os\n", "b": text}.items():
        (tmp_path / "shop" / f"{name}.py").write_text(content)
    assert graph(tmp_path, ["shop"])["shop.b"] == expected


def test_a_cycle_is_seen(tmp_path):
    (tmp_path / "shop").mkdir()
    for name, other in ("ab", "bc", "ca", "dc"):
        (tmp_path / "shop" / f"{name}.py").write_text(f"def buy():\n    from shop import {other}\n")
    assert set(cycle(graph(tmp_path, ["shop"]))) == {"shop.a", "shop.b", "shop.c"}


def test_lengths_are_seen():
    tree = ast.parse(
        "class Shop:\n    def price(self):\n        def of():\n            return 1\n\n        return of\n"
    )
    assert dict(lengths(tree)) == {"price": 5, "of": 2}


def test_names_in_code_are_seen():
    tree = ast.parse(
        '"""Told."""\nimport one\n\n\ndef two(three):\n    """Told."""\n    return three.four, "five", f"six"\n'
    )
    texts = {text for _, text in names_in_code(tree)}
    assert texts >= {"one", "two", "three", "four", "five", "six"} and "Cited." not in texts


def test_text_files_are_read_and_written_in_utf_8():
    """And in no encoding that depends on the machine: each call names one (but of Keras's own file, in ASCII)."""
    unnamed = []
    for module, path in modules(ROOT, LAYERS).items():
        for call in (
            node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
        ):
            owner, _, name = ast.unparse(call.func).rpartition(".")
            given = [ast.unparse(argument) for argument in call.args[:2]] + [keyword.arg for keyword in call.keywords]
            if name in ("open", "read_text", "write_text") and owner not in ("os", "tokenize", "av"):
                unnamed += [] if {"encoding", "'rb'", "'wb'"} & set(given) else [module]
    assert unnamed == ["common.backend"]
