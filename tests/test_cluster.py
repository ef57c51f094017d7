"""A cluster of separate processes: the same bits, also if a worker is killed; other versions are refused."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from distributed import Client

from common import cluster, parallel
from common.errors import InputError, collect_warnings, warn
from common.features.mel import MelSpectrogram
from common.features.store import FeatureStore
from tests.conftest import ROOT
from tests.dask_processes import Processes


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    """A scheduler with two workers: the processes and its address."""
    with Processes(tmp_path_factory.mktemp("dask")) as processes:
        _, address = processes.scheduler()
        for name in ("one", "two"):
            processes.worker(address, name)
        yield processes, address


@pytest.fixture
def connected(dask):
    """This process uses the two workers."""
    cluster.connect(dask[1])
    yield parallel.cluster
    parallel.stop_workers()


def looked_up(path):
    """Reads a file, warns of it, and tells where it was read."""
    warn(f"{path}: doubtful")
    return path.read_text(), str(path)


def refuses(path):
    raise InputError(f"{path}: is wrong")


def killed_once(marker):
    """Ends its process the first time."""
    if not os.path.exists(marker):
        open(marker, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def summed(array, number):
    return os.getpid(), float(array.sum()) + number


def run(function, arguments):
    calls = ((parallel.on_worker, function, *of_call) for of_call in arguments)
    return list(parallel.progress(calls, total=len(arguments), n_jobs=1, label="test", unit="call", quiet=True))


def test_files_are_sent_by_content(connected, tmp_path):
    """A worker reads them in a folder of its own; messages name the path as it was given."""
    given = tmp_path / "a.txt"
    given.write_text("content")
    with collect_warnings() as warnings:
        content, there = parallel.on_worker(looked_up, given)
    assert (content, warnings) == ("content", [f"{given}: doubtful"])
    assert there != str(given) and not Path(there).exists()
    for path in (given, tmp_path / "nothing"):
        with pytest.raises(InputError, match=f"^{path}: is wrong$"):
            parallel.on_worker(refuses, path)


def test_a_large_argument_is_sent_once_and_calls_are_spread(connected, monkeypatch):
    array, sent, scatter = np.ones(1 << 18), [], connected._client.scatter
    monkeypatch.setattr(
        connected._client, "scatter", lambda *args, **options: sent.append(1) or scatter(*args, **options)
    )
    results = run(summed, [(array, n) for n in range(20)])
    assert [value for _, value in results] == [array.sum() + n for n in range(20)] and len(sent) == 1
    assert os.getpid() not in {process for process, _ in results} and len(connected._scattered) == 0


def test_a_call_whose_process_is_killed_is_repeated(connected, tmp_path):
    """With it goes the worker, and what it was sent."""
    array = np.ones(1 << 18)
    assert run(summed, [(array, 1)] * 2)
    assert parallel.on_worker(killed_once, str(tmp_path / "marker")) != os.getpid()
    assert {value for _, value in run(summed, [(array, 1)] * 4)} == {array.sum() + 1}


def waits(seconds):
    time.sleep(seconds)
    return seconds


@pytest.mark.slow
def test_a_call_on_a_slow_worker_is_given_to_another_one(dask, monkeypatch):
    """One of three workers is stopped, and keeps the call that it has begun."""
    processes, address = dask
    slow = processes.worker(address, "slow")
    with Client(address) as client:
        client.wait_for_workers(3)
        monkeypatch.setattr(cluster, "POLL_S", 0.1)
        cluster.connect(address)
        results = parallel.progress(
            ((parallel.on_worker, waits, 0.1) for n in range(9)),
            total=9,
            n_jobs=1,
            label="test",
            unit="call",
            quiet=True,
            ordered=False,
        )
        next(results)
        os.killpg(slow.pid, signal.SIGSTOP)
        assert len(list(results)) == 8
    parallel.stop_workers()
    processes.kill(slow)


def test_features_are_those_of_this_machine(connected, tmp_path):
    paths = [tmp_path / f"{n}.wav" for n in range(3)]
    for n, path in enumerate(paths):
        soundfile.write(path, 0.1 * np.random.default_rng(n).standard_normal(22050), 22050)
    there = FeatureStore(tmp_path / "there").get_all(paths, MelSpectrogram(), quiet=True)
    parallel.stop_workers()
    here = FeatureStore(tmp_path / "here").get_all(paths, MelSpectrogram(), quiet=True)
    assert [array.tobytes() for array in there] == [array.tobytes() for array in here]
    files = [sorted(path.name for path in (tmp_path / name).rglob("*.sha256")) for name in ("there", "here")]
    assert files[0] == files[1] and len(files[0]) == 3


def records(out):
    """What is recorded, but for when, where and how long."""
    recorded = {}
    for path in sorted(out.glob("malik2017/*/*.json")):
        record = json.loads(path.read_text())
        runs = [{key: run[key] for key in run.keys() - {"provenance", "core_seconds"}} for run in record["runs"]]
        recorded[path.name] = record | {"runs": runs}
    return recorded


@pytest.mark.slow
def test_records_are_the_same_when_a_worker_is_killed(small_deam, tmp_path, train_here):
    """One of two workers dies with all its processes while the real command trains."""
    options = ["--data-root", small_deam, "--allow-missing", "--variant", "crnn_l20", "--epochs", 5, "--repeats", 2]
    call = [sys.executable, "-m", "reproductions.malik2017.train", *map(str, options), "--out", tmp_path / "there"]
    environment = os.environ | {"MER_CACHE": str(tmp_path / "cache")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with Processes(tmp_path) as processes:
        _, address = processes.scheduler()
        first, _ = processes.worker(address, "first"), processes.worker(address, "second")
        with Client(address) as client:
            client.wait_for_workers(2)
            there = subprocess.Popen([*call, "--cluster", address], cwd=ROOT, env=environment, **pipes)
            workers = client.scheduler_info(n_workers=-1)["workers"]
            (killed,) = [name for name, worker in workers.items() if worker["name"] == "first"]
            while there.poll() is None and not client.processing().get(killed):
                time.sleep(0.1)
            time.sleep(1)
            processes.kill(first)
            _, errors = there.communicate()
    assert there.returncode == 0, errors
    assert train_here("malik2017", *options, "--out", tmp_path / "here").returncode == 0
    recorded = records(tmp_path / "there")
    assert recorded == records(tmp_path / "here") and len(recorded["crnn_l20.json"]["runs"]) == 2


def test_workers_of_another_version_are_refused(tmp_path):
    """By name, with what differs; the command uses the others, and ends in one line if there is none."""
    shutil.copytree(ROOT / "common", tmp_path / "common", ignore=shutil.ignore_patterns("__pycache__"))
    with Processes(tmp_path) as processes:
        _, address = processes.scheduler()
        processes.worker(address, "other", cwd=tmp_path)
        with pytest.raises(InputError, match=r"worker tcp://\S+ is refused: code of the suite \w+ \(here \w+\); start"):
            cluster.connect(address)
        processes.worker(address, "threads", environment={"TF_NUM_INTRAOP_THREADS": "2"})
        processes.worker(address, "bare", "--no-nanny")
        processes.worker(address, "good")
        with Client(address) as client:
            client.wait_for_workers(4)
        with collect_warnings() as warnings:
            cluster.connect(address)
        assert len(run(summed, [(np.ones(1), n) for n in range(4)])) == 4 and len(parallel.cluster.workers()) == 1
        parallel.stop_workers()
        text = "\n".join(warnings)
    assert "code of the suite" in text and "TF_NUM_INTRAOP_THREADS 2 (here 1)" in text
    assert "it was started without --preload common.cluster" in text and len(warnings) == 3


def test_no_scheduler_is_one_line(monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER_S", 1)
    with pytest.raises(InputError, match=r"--cluster tcp://127\.0\.0\.1:9: no scheduler answers there"):
        cluster.connect("tcp://127.0.0.1:9")
