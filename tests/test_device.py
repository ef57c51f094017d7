"""The choice of a device, on machines with and without cards that do not exist."""

import json
import os
import subprocess
import sys

import pytest

from common import backend, device
from common.errors import InputError
from tests.conftest import ROOT

SMI = "0, GPU-a, 81559, 550.54\n1, GPU-b, 16384, 550.54\n"


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A function that gives this machine cards: their names as the backend sees them."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    for variable in ("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS", *device.SHARED):
        os.environ.pop(variable, None)
    monkeypatch.setattr(device, "DRIVER", tmp_path)

    def with_cards(names, smi=SMI):
        for number in range(len(names)):
            (tmp_path / "gpus" / str(number)).mkdir(parents=True)
        rows = [line.split(", ") for line in smi.splitlines()]
        monkeypatch.setattr(device, "_asked", lambda backend_name: names)
        monkeypatch.setattr(device, "_nvidia_smi", lambda: rows)

    return with_cards


def test_a_machine_without_cards(machine):
    machine([])
    assert device.kind() == "cpu" and device.choose("auto", 3) == 3 == device.choose("cpu", 3)
    with pytest.raises(InputError, match=r"--device gpu: tensorflow sees no GPU.*\.\[gpu\]") as error:
        device.choose("gpu", 3)
    assert "\n" not in str(error.value)


def test_a_card_is_shared_by_as_many_processes_as_it_holds(machine):
    machine(["A card"], "0, GPU-a, 16384, 550.54\n")
    assert device.choose("auto", 16) == 8 and device.choose("gpu", 2) == 2 and device.kind() == "A card"
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true" and device.driver() == "550.54"


def test_without_nvidia_smi_as_many_processes_as_requested(machine):
    machine(["A card"], "")
    assert device.choose("gpu", 5) == 5


def test_cards_with_little_memory_hold_a_process_each():
    assert device.processes_that_fit([1.0, 1.5]) == 2


def test_the_processor_although_there_is_a_card(machine):
    machine(["A card"])
    assert device.choose("cpu", 16) == 16 and device.kind() == "cpu"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1" and os.environ["JAX_PLATFORMS"] == "cpu"


@pytest.mark.parametrize(("visible", "expected"), [(None, {"0", "1"}), ("4,7", {"4", "7"}), ("GPU-b", {"GPU-b"})])
def test_workers_take_the_cards_in_turn(machine, visible, expected):
    machine(["A card"] * 2)
    taken = []
    for number in range(4):
        if visible is None:
            os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        else:
            os.environ["CUDA_VISIBLE_DEVICES"] = visible
        device.take_card(f"LokyProcess-{number}")
        taken.append(os.environ.get("CUDA_VISIBLE_DEVICES"))
    assert set(taken) == expected and all(taken.count(card) == 4 / len(expected) for card in expected)


def test_the_memory_is_that_of_the_visible_cards(machine):
    machine(["A card"] * 2)
    os.environ["CUDA_VISIBLE_DEVICES"] = "GPU-b"
    assert device.memory_gib() == [16.0]


def test_a_training_on_a_gpu_that_is_not_there_is_one_line():
    if device.gpus():
        pytest.fail("this test needs a machine without a GPU that the backend sees")
    call = [sys.executable, "-m", "reproductions.malik2017.train", "--device", "gpu"]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("error: --device gpu: ") and done.stderr.count("\n") == 1


def test_what_the_backend_sees_here():
    """The question to the backend itself, in the process that asks it."""
    code = "import json; from common import device; print(json.dumps(device.seen_by_backend()))"
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [], done.stderr
    assert backend.name() in backend.EXTRAS
