"""A new paper by `python -m reproductions new`: in a copy of the project, as someone makes it in a checkout."""

import shutil
import subprocess
import sys

import pytest

from common.errors import InputError
from reproductions import new
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the project with a new paper."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("common", "data_prep", "reproductions", "tests", "results", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "README.md"):
        shutil.copy(ROOT / name, folder / name)
    run(folder, "-m", "reproductions", "new", "smith2024")
    return folder


def run(folder, *arguments):
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_it_passes_its_own_tests(checkout):
    out = run(checkout, "-m", "pytest", "-o", "addopts=", "-q", "-p", "no:cacheprovider", "tests/test_smith2024.py")
    assert "2 passed" in out


def test_it_is_on_the_board(checkout):
    board = run(checkout, "-m", "reproductions")
    lines = [line for line in board.splitlines() if line.split()[:2] == ["GRU", "average"]]
    assert len(lines) == 1 and "no data" in lines[0]
    assert "smith2024" in (checkout / "README.md").read_text()


@pytest.mark.parametrize(("name", "told"), [("Smith 2024", "lower-case"), ("malik2017", "is there already")])
def test_names_that_are_none(name, told):
    with pytest.raises(InputError, match=told):
        new.create(name, ROOT)


def test_only_in_a_checkout(tmp_path):
    with pytest.raises(InputError, match="no checkout"):
        new.create("smith2024", tmp_path)
