"""Commands on any machine: whatever the environment holds for other programs, they are right or say one line."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common import parallel
from common.cli import options
from common.errors import InputError
from common.files import cache_folder
from common.predict import command as prediction
from tests import loudness
from tests.conftest import ROOT


def run(*arguments, cwd=ROOT, without=(), **environment):
    """A command `python -m ...` in an environment with other variables, and without some."""
    environment = {k: v for k, v in (os.environ | environment).items() if k not in without}
    call = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(call, cwd=cwd, capture_output=True, env=environment)


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(8000), 8000)
    return path


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "module://no.such.module", "none"])
def test_the_plotting_backend_of_a_notebook(song, backend):
    done = run("tests.loudness", song.parent, song, "--plot", song.with_suffix(".png"), MPLBACKEND=backend)
    assert done.returncode == 0, done.stderr
    assert song.with_suffix(".png").is_file()


@pytest.mark.parametrize("coerce", [{}, {"PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}])
def test_the_c_locale(song, coerce):
    for command in (["reproductions", "--claims"], ["tests.loudness", song.parent, song]):
        done = run(*command, without=("LANG", "LC_CTYPE"), LC_ALL="C", **coerce)
        assert done.returncode == 0, done.stderr


def test_a_user_without_a_home_and_a_name(monkeypatch, tmp_path):
    """As of `docker --user 12345`: a folder for temporary files is the home of the process."""

    def nobody(_):
        raise KeyError("no such user")

    for variable in ("HOME", "MER_CACHE", "XDG_CACHE_HOME", "MPLCONFIGDIR", "NUMBA_CACHE_DIR", "MPLBACKEND"):
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(options.tempfile, "gettempdir", lambda: str(tmp_path))
    with pytest.raises(RuntimeError):
        Path.home()
    options.prepare()
    assert tmp_path in Path(os.environ["HOME"]).parents and tmp_path in cache_folder().parents
    assert tmp_path in Path(os.environ["NUMBA_CACHE_DIR"]).parents and os.environ["MPLBACKEND"] == "Agg"


def test_a_home_in_the_name_of_the_cache(monkeypatch):
    monkeypatch.setenv("MER_CACHE", "~/x")
    assert cache_folder() == Path.home() / "x"
    monkeypatch.setenv("MER_CACHE", "~nobody-of-this-name/x")
    with pytest.raises(InputError, match="no such home folder"):
        cache_folder()


@pytest.mark.parametrize("command", [["reproductions.malik2017.train", "--quick"], ["data_prep", "emotify"]])
def test_a_cache_that_cannot_be_written_is_one_line_before_any_work(command, small_emotify):
    done = run(*command, MER_CACHE="/proc/cache", MER_DATA_ROOT=str(small_emotify))
    assert done.returncode == 2 and not done.stdout and b"MER_CACHE names another" in done.stderr, done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("command", ["jakubik2017.predict x.wav", "mediaeval2015_baseline.train --quick"])
def test_another_backend_of_keras_is_one_line(command):
    module, argument = command.split()
    done = run(f"reproductions.{module}", argument, KERAS_BACKEND="torch")
    assert done.returncode == 2 and not done.stdout and done.stderr.count(b"\n") == 1
    assert b"KERAS_BACKEND=torch is not supported; it takes tensorflow or jax" in done.stderr


def test_modules_in_the_working_folder_are_not_taken_for_the_projects(song):
    """`python -m` has the working folder first; `import tests` is the user's there."""
    for name in ("common.py", "data_prep.py", "tests/__init__.py"):
        (song.parent / name).parent.mkdir(exist_ok=True)
        (song.parent / name).write_text("raise SystemExit('taken for the project')")
    for module in ("reproductions", "reproductions.malik2017.predict", "reproductions.mediaeval2015_baseline.train"):
        done = run(module, "--help", cwd=song.parent, PYTHONPATH=str(ROOT))
        assert done.returncode == 0 and b"usage" in done.stdout, done.stderr
    (song.parent / "data_prep.py").unlink()
    assert run("data_prep", "--help", cwd=song.parent, PYTHONPATH=str(ROOT)).returncode == 0


def test_help_that_nobody_reads():
    reading, writing = os.pipe()
    os.close(reading)
    call = [sys.executable, "-m", "reproductions.chaki2020.train", "--help"]
    done = subprocess.run(call, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.returncode == 0 and not done.stderr


# More jobs than cores or files.


def test_no_more_processes_than_calls_and_cores(monkeypatch):
    asked = []
    monkeypatch.setattr(parallel, "_spread", lambda calls, n_jobs, ordered: asked.append(n_jobs) or iter([]))
    monkeypatch.setattr(parallel, "available_cores", lambda: 4)
    for n_jobs, total, expected in ((16, 10, 4), (3, 10, 3), (8, 2, 2)):
        list(parallel.progress([], total=total, n_jobs=n_jobs, label="", unit="", quiet=True))
        assert asked.pop() == expected
    monkeypatch.setattr(parallel, "available_cores", lambda: 1)
    assert list(parallel.progress([(abs, -1)] * 3, total=3, n_jobs=8, label="", unit="", quiet=True)) == [1, 1, 1]
    assert not asked


def test_short_recordings_start_no_processes(tmp_path, monkeypatch):
    lengths = {tmp_path / f"{n}.wav": seconds for n, seconds in enumerate((6, 6, 6, 500, 400, 9000))}
    monkeypatch.setattr(prediction.audio, "duration", lambda path: lengths[path])
    paths = list(lengths)
    assert [prediction._processes(paths[:n], 8) for n in (0, 3, 4, 5, 6)] == [1, 1, 6, 8, 8]
    assert prediction._processes(paths, 2) == 2
    monkeypatch.undo()
    assert prediction._processes([tmp_path / "none.wav"], 8) == 1


def test_the_predictor_of_these_tests(song, capsys):
    assert loudness.main(song.parent, song) == 0 and "song.wav" in capsys.readouterr().out
