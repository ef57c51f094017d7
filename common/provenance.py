"""Where a number comes from: versions, commit, device; and what of these it depends on."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from common import backend, device

PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "jax", "numpy", "scipy", "scikit-learn", "soundfile")
LIBRARIES = ("keras", "numpy", "scipy", "scikit-learn")
CUDA = ("nvidia-cuda-runtime-cu12", "nvidia-cudnn-cu12", "jax-cuda12-plugin")
FLAGS = ("TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA", "TF_XLA_FLAGS", "XLA_FLAGS")  # these change bits
INSTRUCTIONS = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")  # variables that change what a processor computes with


def commit() -> str | None:
    """The project's own commit, '+' behind it if the code was changed since; None outside a checkout of the project.

    A repository around an installed copy, or around a copy without a history of its own, is another project's.
    """
    root, code = Path(__file__).parents[1], [":/*.py", ":/*/expected.json"]

    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()

    try:
        if git("rev-parse", "--show-prefix"):  # the repository begins further up
            return None
        git("ls-files", "--error-unmatch", "setup.cfg", "common/provenance.py")  # fails if it does not hold them
        return git("rev-parse", "--short=12", "HEAD") + "+" * bool(git("status", "--porcelain", "--", *code))
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor() -> str:
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


def _cpuinfo() -> dict[str, str]:
    """What Linux says of the first processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
        return {key.strip(): value.strip() for key, value in (line.split(":", 1) for line in lines if ":" in line)}
    except OSError:
        return {}


def processor() -> str:
    """The type of the processor as far as bits depend on it: its model, and variables that choose its instructions."""
    cpu = _cpuinfo()
    model = [f"family {cpu['cpu family']} model {cpu['model']}"] if {"cpu family", "model"} <= cpu.keys() else []
    return ", ".join([_processor(), *model, *(f"{v}={os.environ[v]}" for v in INSTRUCTIONS if os.environ.get(v))])


def environment() -> dict:
    """What a number depends on besides code, data and settings, as JSON: the same on all processors of one kind."""
    name = backend.name()
    return {
        "backend": name, "device": device.kind(), "precision": "float32", "image_data_format": "channels_last",
        "versions": backend.versions((*LIBRARIES, *backend.DISTRIBUTIONS.get(name, ()))),
        "flags": {flag: os.environ[flag] for flag in FLAGS if os.environ.get(flag)},
    }  # fmt: skip


def hardware() -> str:
    """The GPU that the backend computes on, else the processor."""
    return _processor() if device.kind() == "cpu" else device.kind()


def now(commit: str | None) -> dict:
    """Time (UTC), commit of the code, backend, device and package versions.

    Parameters
    ----------
    commit : str or None

    Returns
    -------
    dict, as JSON
    """
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    versions = {"python": platform.python_version()} | backend.versions(PACKAGES)
    if device.kind() != "cpu":
        versions |= backend.versions(CUDA) | {"nvidia driver": device.driver()}
    where = {"backend": backend.name(), "device": hardware(), "processor": processor()}
    return {"finished": finished, "commit": commit, **where, "versions": versions}


def merged(parts: list[dict]) -> dict:
    """The provenance of one run that was made in several goes.

    Parameters
    ----------
    parts : list of dict
        As of `now`.

    Returns
    -------
    dict, as JSON
        The last time; where the rest differs, all values, joined by ' | '.
    """
    origin = {"finished": max(part["finished"] for part in parts)}
    for key in ("commit", "backend", "device", "processor"):
        origin[key] = " | ".join(sorted({str(part[key]) for part in parts}))
    names = sorted({name for part in parts for name in part["versions"]})
    origin["versions"] = {n: " | ".join(sorted({part["versions"].get(n, "none") for part in parts})) for n in names}
    return origin
