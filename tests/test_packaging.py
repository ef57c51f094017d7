"""What an installation holds, which commit it records, and that recorded environments can be made again."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from common import backend
from common.errors import InputError
from tests.conftest import AS_ROOT, PAPERS, ROOT


def git(folder, *arguments):
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    own |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    call = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments]
    return subprocess.run(call, cwd=folder, env=own, check=True, capture_output=True, text=True).stdout.strip()


def repository(folder):
    """Everything in a folder, committed; returns the commit."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", "All")
    return git(folder, "rev-parse", "--short=12", "HEAD")


def copy(folder, *others):
    """A copy of the package `common`, and of other files, as an installation or a checkout has them."""
    shutil.copytree(ROOT / "common", folder / "common", ignore=shutil.ignore_patterns("__pycache__"))
    for name in others:
        shutil.copy(ROOT / name, folder)
    return folder


def recorded_commit(folder):
    """The commit that the copy in a folder records."""
    code = "import json; from common import provenance; print(json.dumps([provenance.__file__, provenance.commit()]))"
    done = subprocess.run([sys.executable, "-B", "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path, commit = json.loads(done.stdout)
    assert path == str(folder / "common" / "provenance.py")
    return commit


def test_a_checkout_records_its_commit(tmp_path):
    commit = repository(copy(tmp_path, "setup.cfg"))
    assert recorded_commit(tmp_path) == commit
    with (tmp_path / "common" / "metrics" / "static.py").open("a") as file:
        file.write("CHANGED = True\n")
    assert recorded_commit(tmp_path) == f"{commit}+"


@pytest.mark.parametrize("tracked", [True, False])
def test_an_installed_copy_does_not_record_the_repository_around_it(tmp_path, tracked):
    packages = tmp_path / ".venv" / "lib" / "python3" / "site-packages"
    if tracked:
        repository(copy(packages).parents[3])
    else:
        (tmp_path / "setup.cfg").write_text("[metadata]\nname = another\n")
        repository(tmp_path)
        copy(packages)
    assert recorded_commit(packages) is None


@pytest.mark.parametrize("within", ["", "copied"])
def test_a_copy_in_another_project_does_not_record_its_commit(tmp_path, within):
    """Site-packages that are a repository themselves; and the whole project in a folder of another one."""
    folder = copy(tmp_path / within, *(["setup.cfg"] if within else []))
    repository(tmp_path)
    assert recorded_commit(folder) is None


def canonical(name):
    return name.lower().replace("_", "-").replace(".", "-")


def environments():
    """The versions of packages that records and weights name, each set once with a file that names it."""
    result = {}

    def collect(value, path):
        if isinstance(value, dict):
            if isinstance(value.get("versions"), dict):
                result.setdefault(json.dumps(value["versions"], sort_keys=True), path)
            value = list(value.values())
        for inner in value if isinstance(value, list) else []:
            collect(inner, path)

    paths = sorted((ROOT / "results").rglob("*.json"))
    for path in (path for path in paths if "contributed" not in path.parts):  # which name the environments of others
        collect(json.loads(path.read_text()), path.relative_to(ROOT))
    return [(json.loads(text), path) for text, path in result.items()]


def pinned(path):
    """What a constraints file pins, Python's version (in its first line) included."""
    first, *lines = path.read_text().splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    assert all(len(pair) == 2 for pair in pairs), path
    return {canonical(name): version for name, version in pairs} | {"python": first.split()[2]}


def test_every_recorded_environment_can_be_made_again():
    files = [pinned(path) for path in sorted((ROOT / "constraints").glob("*.txt"))]
    assert environments()
    for versions, path in environments():
        wanted = {canonical(name): version for name, version in versions.items()}
        agreeing = [file for file in files if wanted.items() <= file.items()]
        assert agreeing, f"no file of constraints/ agrees with {path}: {versions}"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The files of a wheel, and a working folder with a module and a folder of names that the project uses."""
    folder = tmp_path_factory.mktemp("installed")
    call = [sys.executable, "setup.py", "--quiet", "egg_info", "--egg-base", folder, "build_py", "--build-lib"]
    done = subprocess.run([*map(str, call), str(folder / "lib")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (folder / "work" / "tests").mkdir(parents=True)
    (folder / "work" / "common.py").write_text("x = 1\n")
    return folder


def command(installed, *arguments):
    own = os.environ | {"PYTHONPATH": str(installed / "lib")}
    call = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(call, cwd=installed / "work", capture_output=True, text=True, env=own)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_installation_holds_all_files_that_commands_read(installed):
    lib = installed / "lib"
    for folder, patterns in {
        "common": ["**/*.conf", "**/schemas/*.json"],
        "data_prep": ["**/*.csv"],
        "reproductions": ["*/expected.json", "*/README.md", "site/templates/*", "new/paper/*"],
    }.items():
        for path in (path for pattern in patterns for path in (ROOT / folder).glob(pattern)):
            assert (lib / path.relative_to(ROOT)).is_file(), path
    for pattern in ("**/*.json", "**/*.keras", "**/*.npz", "**/NOTICE.txt", "**/README.md"):
        expected = {path.relative_to(ROOT / "results") for path in (ROOT / "results").glob(pattern)}
        there = {
            path.relative_to(lib / "reproductions" / "results")
            for path in (lib / "reproductions" / "results").glob(pattern)
        }
        assert there == expected and expected
    assert not (lib / "results").exists() and not (lib / "tests").exists()


@pytest.mark.slow
def test_an_installation_runs_from_any_folder(installed, tmp_path):
    """Board, pages, export, a folder for weights, and a prediction, where a file common.py and a folder tests are."""
    import numpy as np
    import soundfile

    assert command(installed, "reproductions") == subprocess.run(
        [sys.executable, "-m", "reproductions"], cwd=ROOT, capture_output=True, text=True
    ).stdout.replace(str(ROOT / "results"), str(installed / "lib" / "reproductions" / "results"))
    records = tmp_path / "results"
    shutil.copytree(ROOT / "results" / "velankar2022" / "4q", records / "velankar2022" / "4q")
    assert "pages" in command(installed, "reproductions", "report", "--results", records, "--out", tmp_path / "site")
    assert "files in" in command(installed, "data_prep", "export", "--results", records, "--out", tmp_path / "export")
    soundfile.write(tmp_path / "a.wav", 0.1 * np.random.default_rng(0).standard_normal(8 * 22050), 22050)
    table = command(installed, "reproductions.velankar2022.predict", tmp_path / "a.wav", "--csv", tmp_path / "a.csv")
    assert "trained on 720 songs" in table and (tmp_path / "a.csv").is_file()


def test_what_changes_a_checkout_says_so_in_an_installation(installed):
    for arguments in (["--write"], ["new", "smith2024"]):
        own = os.environ | {"PYTHONPATH": str(installed / "lib")}
        call = [sys.executable, "-m", "reproductions", *arguments]
        done = subprocess.run(call, cwd=installed / "work", capture_output=True, text=True, env=own)
        assert done.returncode == 2 and "checkout" in done.stderr and done.stderr.count("\n") == 1, done.stderr


def without_backend(module, *arguments, backend="tensorflow"):
    """A command where neither TensorFlow nor JAX is installed."""
    code = "import runpy, sys; sys.modules['tensorflow'] = sys.modules['jax'] = None\n"
    code += f"sys.argv = ['x', *{[*map(str, arguments)]}]; runpy.run_module('{module}', run_name='__main__')"
    own = os.environ | {"KERAS_BACKEND": backend}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=own, capture_output=True, text=True)


COMMANDS = [(f"reproductions.{paper}.train", "--quick") for paper in (*PAPERS, "mediaeval2015_baseline")]
COMMANDS += [(f"reproductions.{paper}.predict", "song.wav") for paper in PAPERS]
COMMANDS += [
    ("reproductions", "predict", "song.wav"),
    ("reproductions", "compare"),
    ("reproductions", "report", "--audio", "song.wav"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_backend_is_one_line_before_any_work(command):
    done = without_backend(*command)
    assert done.returncode == 2 and not done.stdout and done.stderr.count("\n") == 1, done.stderr
    assert {"cpu", "gpu", "jax", "jax-cuda"} <= set(re.split(r"[^\w-]", done.stderr))


def test_what_needs_no_backend_runs_without():
    for command in (("reproductions",), ("reproductions.jakubik2017.train", "--list"), ("data_prep", "--help")):
        done = without_backend(*command)
        assert done.returncode == 0, done.stderr


def test_a_missing_backend_names_its_extras_and_the_other_backend(monkeypatch):
    monkeypatch.setattr(backend, "find_spec", lambda name: name == "tensorflow" or None)
    monkeypatch.setattr(backend, "name", lambda: "jax")
    with pytest.raises(InputError, match=r"backend jax is not .* KERAS_BACKEND=tensorflow \(installed\)"):
        backend.require()
    monkeypatch.setattr(backend, "name", lambda: "theano")
    with pytest.raises(InputError, match=r"theano.* not supported"):
        backend.require()


@pytest.mark.parametrize(("ci", "counted"), [("true", ["1 error", "1 failed", "1 skipped"]), ("", ["3 skipped"])])
def test_a_skipped_test_fails_in_ci(tmp_path, ci, counted):
    """One skipped by a mark (pytest counts an error), one by a call; the third is what root cannot test."""
    (tmp_path / "test_skips.py").write_text(
        "import pytest\n"
        "@pytest.mark.skipif(True, reason='marked')\ndef test_a(): pass\n"
        "def test_b(): pytest.skip('called')\n"
        f"@pytest.mark.skipif(True, reason={AS_ROOT!r})\ndef test_c(): pass\n"
    )
    call = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-q", str(tmp_path)]
    own = os.environ | {"CI": ci, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(call, cwd=tmp_path, env=own, capture_output=True, text=True)
    assert sorted(re.findall(r"\d+ [a-z]+(?=,| in )", done.stdout.splitlines()[-1])) == counted
    assert done.returncode == (ci == "true")
