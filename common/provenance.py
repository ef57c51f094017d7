"""Where a number comes from: versions, commit, device."""

import os
import platform
import subprocess
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


def _commit() -> str | None:
    """The commit of the code, '+' behind it if the code was changed since; None outside a checkout."""
    here = Path(__file__).parent
    code = [":/*.py", ":/*/expected.json"]

    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short=12", "HEAD") + "+" * bool(git("status", "--porcelain", "--", *code))
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def now() -> dict:
    """Time (UTC), commit, backend, device and package versions, as JSON."""
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "backend": backend(),
        "device": _processor(),
        "versions": _versions(),
    }
