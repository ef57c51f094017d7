"""Where a number comes from: versions, commit, device."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from common import backend

PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "jax", "numpy", "scipy", "scikit-learn", "soundfile")
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


def device() -> str:
    """The GPU that the imported backend computes on, else the processor."""
    if "jax" in sys.modules and backend.name() == "jax":
        first = sys.modules["jax"].devices()[0]
        return _processor() if first.platform == "cpu" else first.device_kind
    if "tensorflow" in sys.modules:
        config = sys.modules["tensorflow"].config
        for gpu in config.list_physical_devices("GPU"):
            return config.experimental.get_device_details(gpu).get("device_name", "GPU")
    return _processor()


def now(commit: str | None) -> dict:
    """Time (UTC), commit of the code, backend, device and package versions, as JSON."""
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    versions = {"python": platform.python_version()} | backend.versions(PACKAGES)
    where = {"backend": backend.name(), "device": device(), "processor": processor()}
    return {"finished": finished, "commit": commit, **where, "versions": versions}


def merged(parts: list[dict]) -> dict:
    """Of one run made in several goes: the last time; where the rest differs, all values, joined by ' | '."""
    found = {"finished": max(part["finished"] for part in parts)}
    for key in ("commit", "backend", "device", "processor"):
        found[key] = " | ".join(sorted({str(part[key]) for part in parts}))
    names = sorted({name for part in parts for name in part["versions"]})
    found["versions"] = {n: " | ".join(sorted({part["versions"].get(n, "none") for part in parts})) for n in names}
    return found
