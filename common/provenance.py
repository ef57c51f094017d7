"""Where a number comes from: versions, commit, device."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

PACKAGES = ["keras", "tensorflow", "tensorflow-cpu", "jax", "numpy", "scipy", "scikit-learn", "soundfile"]


def backend() -> str:
    """The Keras backend of this process, without importing it."""
    return os.environ.get("KERAS_BACKEND") or "tensorflow"


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


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
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def device() -> str:
    """The GPU that the imported backend computes on, else the processor."""
    if "jax" in sys.modules and backend() == "jax":
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
    return {"finished": finished, "commit": commit, "backend": backend(), "device": device(), "versions": _versions()}


def merged(parts: list[dict]) -> dict:
    """Of one run made in several goes: the last time; where the rest differs, all values, joined by ' | '."""
    found = {"finished": max(part["finished"] for part in parts)}
    for key in ("commit", "backend", "device"):
        found[key] = " | ".join(sorted({str(part[key]) for part in parts}))
    names = sorted({name for part in parts for name in part["versions"]})
    found["versions"] = {n: " | ".join(sorted({part["versions"].get(n, "none") for part in parts})) for n in names}
    return found
