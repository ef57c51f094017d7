"""What networks are trained on: the processor, or NVIDIA GPUs that several processes share.

Each process computes on one card. TensorFlow and JAX would take all memory of a card at their start; here they take
what they need, so that the small networks of several processes fit on one.
"""

import csv
import json
import multiprocessing
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from common import backend
from common.errors import InputError
from common.files import muted_stderr

CHOICES = ("auto", "cpu", "gpu")
NO_GPU = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
SHARED = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
PROCESS_GIB = 2.0  # of a card's memory, for one process: the libraries' own half, a network and its batches
DRIVER = Path("/proc/driver/nvidia")


def choose(choice: str, n_jobs: int) -> int:
    """Set up this process, and the workers that it will start, for a device.

    Parameters
    ----------
    choice : str
        'cpu'; 'gpu'; or 'auto', a GPU if the backend sees one.
    n_jobs : int
        How many processes are requested.

    Returns
    -------
    int
        How many processes to use: as many as requested, on GPUs no more than their memory holds.

    Raises
    ------
    InputError
        If the choice is 'gpu' and the backend sees none.
    """
    if choice == "cpu":
        os.environ.update(NO_GPU)
        return n_jobs
    if not gpus():
        if choice == "gpu":
            extra = backend.EXTRAS[backend.name()][1]
            raise InputError(
                f"--device gpu: {backend.name()} sees no GPU; check `nvidia-smi`, install the build for GPUs "
                f"(pip install -e '.[{extra}]'), or omit --device"
            )
        return n_jobs
    os.environ.update(SHARED)
    return min(n_jobs, processes_that_fit(memory_gib()) or n_jobs)


def processes_that_fit(memory: list[float]) -> int:
    """How many processes the cards hold at once; at least one a card.

    Parameters
    ----------
    memory : list of float
        Of each card, in GiB.

    Returns
    -------
    int
    """
    return sum(max(1, int(gib / PROCESS_GIB)) for gib in memory)


def take_card(worker: str | None = None) -> None:
    """Let this worker process see one card only; the workers of a command take them in turn.

    Parameters
    ----------
    worker : str, optional
        Its name, which ends with its number; by default that of this process.
    """
    number = (worker or multiprocessing.current_process().name).rpartition("-")[2]
    cards = visible_cards()
    if len(cards) > 1 and number.isdigit():
        os.environ["CUDA_VISIBLE_DEVICES"] = cards[int(number) % len(cards)]


def visible_cards() -> list[str]:
    """The cards that this process may use, as CUDA_VISIBLE_DEVICES names them; without importing a backend."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [str(number) for number in range(len(list((DRIVER / "gpus").glob("*"))))]
    return [card for card in visible.split(",") if card.strip() not in ("", "-1")]


def kind() -> str:
    """'cpu', or the name of the first GPU that the backend computes on."""
    return (gpus() or ["cpu"])[0]


def gpus() -> list[str]:
    """Names of the GPUs that the backend sees. Asks it, in another process, only where there is a card."""
    return _asked(backend.name()) if visible_cards() and os.environ.get("JAX_PLATFORMS") != "cpu" else []


@lru_cache
def _asked(backend_name: str) -> list[str]:
    code = "import json; from common import device; print(json.dumps(device.seen_by_backend()))"
    environment = os.environ | SHARED | {"KERAS_BACKEND": backend_name}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[1]
    )
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 and done.stdout.strip() else []


def seen_by_backend() -> list[str]:
    """Names of the GPUs that the backend sees in this process. Imports the backend, which takes memory on them."""
    backend.prepare()
    with muted_stderr():
        if backend.name() == "jax":
            import jax

            return [device.device_kind for device in jax.devices() if device.platform == "gpu"]
        import tensorflow as tf

        details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
        return [of.get("device_name", "GPU") for of in details]


def memory_gib() -> list[float]:
    """Memory of each visible card in GiB; [] where nvidia-smi cannot say."""
    visible = visible_cards()
    return [float(row[2]) / 1024 for row in _nvidia_smi() if {row[0], row[1]} & set(visible)]


def driver() -> str | None:
    """Version of NVIDIA's driver; None without one."""
    return next((row[3] for row in _nvidia_smi()), None)


@lru_cache
def _nvidia_smi() -> list[list[str]]:
    """Index, identifier, memory in MiB and driver of each card."""
    call = ["nvidia-smi", "--query-gpu=index,uuid,memory.total,driver_version", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(call, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return list(csv.reader(done.stdout.splitlines(), skipinitialspace=True))
