"""Files written whole or not at all, JSON, arrays that carry their checksum, and where the cache is."""

import contextlib
import hashlib
import io
import json
import math
import os
import tempfile
import threading
from pathlib import Path

import numpy as np

from common.errors import InputError

DIGEST = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """`MER_CACHE`, else the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("MER_CACHE") or Path(base) / "mer-reproductions")


def write_atomically(path: Path, content: bytes, *, hint: str = "choose another folder") -> None:
    """Write a file in one step. Raises InputError, which ends with `hint`, if the folder cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(part, 0o644)
            os.replace(part, path)
        except BaseException:
            os.unlink(part)
            raise
    except OSError as error:
        raise InputError(f"{path.parent}: cannot be written ({error.strerror}); {hint}") from error


def json_text(value, path: Path, indent: int | None = None) -> str:
    """A value as JSON text for a file. Raises InputError, which names the first, if it holds NaN or an infinity."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except ValueError as error:
        where = _not_finite(value)
        if where is None:
            raise
        raise InputError(
            f"{path}: '{where}' is not a finite number (did a training diverge?), and JSON has no other numbers"
        ) from error


def _not_finite(value, name: str = "") -> str | None:
    """The name of the first number inside a value that is not finite, as metrics.test.average or loss[0][3]."""
    if isinstance(value, float):
        return None if math.isfinite(value) else name
    inside = []
    if isinstance(value, dict):
        inside = [(f"{name}.{key}".lstrip("."), one) for key, one in value.items()]
    elif isinstance(value, list | tuple):
        inside = [(f"{name}[{i}]", one) for i, one in enumerate(value)]
    return next((found for key, one in inside if (found := _not_finite(one, key)) is not None), None)


def finite(values):
    """Numbers in nested lists, with None in the place of NaN and infinities, which JSON does not have."""
    if isinstance(values, list):
        return [finite(value) for value in values]
    return values if math.isfinite(values) else None


def require_writable(folder: Path) -> None:
    """Raise InputError before hours of work if what comes of it could not be written."""
    probe = folder / f".writable-{os.getpid()}"  # of this process: others may ask at the same time
    write_atomically(probe, b"")
    probe.unlink()


@contextlib.contextmanager
def lock(path: Path, *, wait: bool = True):
    """Keep other processes from what a file stands for while this context lasts; a process that ends lets go.

    Yields True; without `wait` False, at once, if another process has the lock. Raises InputError if the lock file
    cannot be made.
    """
    import filelock

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = filelock.FileLock(path, timeout=-1 if wait else 0)
        held.acquire()
    except filelock.Timeout:
        yield False
        return
    except OSError as error:
        raise InputError(f"{path}: cannot be locked ({error.strerror}); choose another folder") from error
    try:
        yield True
    finally:
        held.release()


def cache(path: Path, content: bytes) -> None:
    """`write_atomically` for a file of the cache."""
    write_atomically(path, content, hint="MER_CACHE names another cache folder")


def pack(array: np.ndarray) -> bytes:
    """An array as checked bytes: SHA-256, then the .npy format."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return hashlib.sha256(buffer.getbuffer()).digest() + buffer.getvalue()


def unpack(content: bytes) -> np.ndarray | None:
    """The array in checked bytes, or None if they are damaged."""
    digest, body = content[:DIGEST], content[DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        return None
    return np.load(io.BytesIO(body), allow_pickle=False)


_muting, _muted = threading.Lock(), []  # standard error as it was, once for each that has muted it


@contextlib.contextmanager
def muted_stderr():
    """Libraries in C write on standard error whatever they are told; a progress bar stands there. Threads may do so."""
    with _muting:
        _muted.append(os.dup(2) if not _muted else os.dup(_muted[0]))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
    try:
        yield
    finally:
        with _muting:
            kept = _muted.pop()
            if not _muted:
                os.dup2(kept, 2)
            os.close(kept)
