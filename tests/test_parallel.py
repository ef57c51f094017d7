"""Workers: they end with their command, however it ends; training has a process of its own."""

import atexit
import itertools
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from common import parallel
from common.errors import InputError
from tests.conftest import ROOT


def test_cores_respect_limits(monkeypatch):
    """joblib knows affinity, the quota of a container, and this variable."""
    assert 1 <= parallel.available_cores() <= os.cpu_count()
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert parallel.available_cores() == 1


def square(n):
    return n * n


def own_process(_):
    return os.getpid()


def grow(megabytes):
    """Keeps memory for ever, as TensorFlow keeps graphs; returns the process and its size in MiB."""
    kept = vars(parallel).setdefault("_kept_by_test", [])
    kept.append(bytearray(os.urandom(1) * (megabytes * 2**20)))
    time.sleep(1.1)  # joblib looks at the size of a process once a second
    return os.getpid(), psutil.Process().memory_info().rss / 2**20


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def run(function, arguments, **options):
    calls = ((function, argument) for argument in arguments)
    options = {"n_jobs": 1, "label": "test", "unit": "call", "quiet": True} | options
    return list(parallel.progress(calls, total=len(arguments), **options))


@pytest.mark.parametrize(("jobs", "isolated"), [(1, False), (1, True), (2, False), (2, True)])
def test_results_are_the_same_and_in_order(jobs, isolated):
    assert run(square, range(20), n_jobs=jobs, isolated=isolated) == [n * n for n in range(20)]


def test_results_that_nobody_takes_do_not_pile_up(tmp_path):
    """Else the features of a collection would all be in memory where networks are slower than decoding."""
    calls = ((touch, tmp_path / str(n)) for n in range(20))
    results = parallel.progress(calls, total=20, n_jobs=2, label="test", unit="call", quiet=True, most_waiting=5)
    first = [next(results) for _ in range(3)]
    time.sleep(0.5)
    assert len(list(tmp_path.iterdir())) <= 5
    assert [*first, *results] == [tmp_path / str(n) for n in range(20)]


def touch(path):
    path.touch()
    return path


def test_one_job_has_its_own_process_only_where_it_is_isolated():
    assert set(run(own_process, range(3))) == {os.getpid()}
    assert os.getpid() not in run(own_process, range(3), isolated=True)


def test_one_isolated_job_is_one_at_a_time(tmp_path):
    """Although two processes wait for work."""
    spans = run(span, [0.2] * 4, isolated=True)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


def span(seconds):
    start = time.monotonic()
    time.sleep(seconds)
    return start, time.monotonic()


def test_workers_are_killed_at_once(tmp_path):
    """Exit functions of killed workers do not run; TensorFlow takes seconds to end by itself."""
    run(end_slowly, [tmp_path / str(n) for n in range(2)], n_jobs=2)
    parallel.stop_workers()
    assert not list(tmp_path.iterdir())


def end_slowly(path):
    atexit.register(path.touch)
    time.sleep(0.2)


@pytest.mark.slow
def test_a_process_that_has_grown_is_replaced():
    parallel.stop_workers()
    result = run(grow, [200] * 8, isolated=True)
    assert len({process for process, _ in result}) > 2 and max(size for _, size in result) < 1000


def test_a_worker_that_is_killed_is_one_line():
    with pytest.raises(InputError, match=r"a worker process was killed.*re-run the command to resume"):
        run(die, range(3), n_jobs=2)
    assert run(square, range(3), n_jobs=2) == [0, 1, 4]


STOPPED = "stopped; run the same command again to resume"
COMMAND = """
import signal, sys, time
from common import cli, parallel
from tests.test_parallel import busy

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background job ignores

def work():
    calls = ((busy, sys.argv[1]) for _ in range(4))
    return len(list(parallel.progress(calls, total=4, n_jobs=2, label="x", unit="call"))) * 0

sys.exit(cli.run(work))
"""


def busy(folder):
    """Computes without a pause until the test is over."""
    open(f"{folder}/{os.getpid()}", "w").close()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        sum(range(100_000))


def start(folder, code=COMMAND):
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for _ in range(300):
        if len(list(folder.iterdir())) >= 2:
            return process, children(process)
        time.sleep(0.1)
    raise AssertionError(process.communicate())


def children(process):
    return psutil.Process(process.pid).children(recursive=True)


def ended(processes, seconds):
    return not psutil.wait_procs(processes, timeout=seconds)[1]


def messages(errors):
    """What is on standard error but the progress bar."""
    return [line for line in errors.replace("\r", "\n").splitlines() if line.strip() and not line.startswith("x:")]


@pytest.mark.parametrize(
    ("number", "to_group", "code"),
    [
        (signal.SIGTERM, False, 143), (signal.SIGINT, False, 130), (signal.SIGINT, True, 130),
        (signal.SIGTERM, True, 143), (signal.SIGKILL, False, -9),
    ],
)  # fmt: skip
def test_a_signal_ends_all_processes(tmp_path, number, to_group, code):
    process, workers = start(tmp_path)
    assert len(workers) >= 2
    (os.killpg if to_group else os.kill)(process.pid, number)
    assert process.wait(5) == code and ended(workers, 5)
    _, errors = process.communicate()
    assert messages(errors) == ([] if number == signal.SIGKILL else [STOPPED])


def test_a_finished_command_leaves_nothing(tmp_path):
    code = COMMAND.replace("(busy, sys.argv[1])", "(seen, sys.argv[1])").replace("import busy", "import seen")
    process, workers = start(tmp_path, code)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert ended(workers, 2)


@pytest.mark.parametrize("pause", [0.001, 0.01])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_more_signals_change_nothing(tmp_path, number, code, pause):
    """As Ctrl-C by an impatient user."""
    process, workers = start(tmp_path)
    end = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < end:
        process.send_signal(number)
        time.sleep(pause)
    process.kill()  # one that hangs
    _, errors = process.communicate()
    assert (process.returncode, messages(errors)) == (code, [STOPPED]) and ended(workers, 5)


def test_the_exit_code_of_a_signal_within_exec(tmp_path):
    """As while a dataclass is made: CPython itself would end `python -m` by SIGINT."""
    signalled = "import os, signal, time; os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)"
    code = f"import sys; from common import cli; sys.exit(cli.run(lambda: exec({signalled!r})))"
    (tmp_path / "signalled.py").write_text(code)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    call = [sys.executable, "-m", "signalled"]
    process = subprocess.run(call, env=environment, capture_output=True, text=True)
    assert (process.returncode, messages(process.stderr)) == (143, [STOPPED])


def seen(folder):
    open(f"{folder}/{os.getpid()}", "w").close()
    time.sleep(1)


@pytest.mark.slow
def test_a_training_that_is_stopped_resumes(small_deam, tmp_path):
    """The real command."""
    options = ["--data-root", str(small_deam), "--allow-missing", "--out", str(tmp_path / "out"), "--jobs", "2"]
    command = [sys.executable, "-m", "reproductions.malik2017.train", *options, "--repeats", "2", "--epochs", "20"]
    environment = os.environ | {"MER_CACHE": str(tmp_path)}
    environment.pop("MER_DATA_ROOT", None)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)
    while not list(tmp_path.rglob("*.lock")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    workers = children(process)
    process.terminate()
    assert process.wait(5) == 143 and ended(workers, 5)
    again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
