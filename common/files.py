"""Files written in one step, JSON, arrays with a checksum, locks, and the cache folder."""

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

NAME = "mer-reproductions"  # of the folder in the user's cache
CACHE_HINT = "MER_CACHE names another cache folder"
DIGEST = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """`MER_CACHE`, else the operating system's folder for caches (or `~/.cache` if it was used before)."""
    if named := os.environ.get("MER_CACHE"):
        try:
            return Path(named).expanduser()  # a shell leaves a quoted ~ as it is
        except RuntimeError as error:
            raise InputError(f"MER_CACHE={named}: there is no such home folder; name the folder in full") from error
    earlier = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / NAME  # of versions up to 0.1
    if earlier.is_dir():
        return earlier
    import platformdirs

    return platformdirs.user_cache_path(NAME, appauthor=False)


def write_atomically(path: Path, content: bytes, *, hint: str = "choose another folder") -> None:
    """Write a file in one step, completely or not at all; its folder is created.

    Parameters
    ----------
    path : Path
        Replaced if it exists; of a link, the file that it leads to.
    content : bytes
    hint : str
        How an error ends: what to do about it.

    Raises
    ------
    InputError
        If the folder or the file cannot be written.
    """
    target = Path(os.path.realpath(path))  # what a link names is replaced, not the link
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(part, 0o644)
            os.replace(part, target)
        except BaseException:
            os.unlink(part)
            raise
    except OSError as error:
        raise InputError(f"{path.parent}: cannot be written ({error.strerror}); {hint}") from error


def text_bytes(text: str) -> bytes:
    r"""A text in UTF-8; a byte of a file name that is no UTF-8 becomes `\udcXX`, which JSON reads back as it was.

    Parameters
    ----------
    text : str

    Returns
    -------
    bytes
    """
    return text.encode("utf-8", "backslashreplace")


def json_text(value, path: Path, indent: int | None = None) -> str:
    """A value as JSON text.

    Parameters
    ----------
    value : of dict, list, str, numbers, bool and None
    path : Path
        The file that the text is for, for messages.
    indent : int, optional
        Of nested values; by default all is in one line.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If the value contains NaN or an infinity; names the place of the first.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except ValueError as error:
        where = _not_finite(value)
        if where is None:
            raise
        raise InputError(
            f"{path}: '{where}' is not a finite number (did a training diverge?), which JSON cannot hold"
        ) from error


def _not_finite(value, name: str = "") -> str | None:
    """The name of the first number inside a value that is not finite, as metrics.test.average or loss[0][3]."""
    if isinstance(value, float):
        return None if math.isfinite(value) else name
    inside = []
    if isinstance(value, dict):
        inside = [(f"{name}.{key}".lstrip("."), item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        inside = [(f"{name}[{i}]", item) for i, item in enumerate(value)]
    return next((place for key, item in inside if (place := _not_finite(item, key)) is not None), None)


def finite(values):
    """Nested lists of numbers with NaN and infinities replaced by None, since JSON has neither.

    Parameters
    ----------
    values : float, or list of such values

    Returns
    -------
    of the same form
    """
    if isinstance(values, list):
        return [finite(value) for value in values]
    return values if math.isfinite(values) else None


def require_writable(folder: Path, *, hint: str = "choose another folder") -> None:
    """Check before hours of work that their results can be written to a folder. What does not exist is not created.

    Parameters
    ----------
    folder : Path
        It may not exist yet.
    hint : str
        How an error ends: what to do about it.

    Raises
    ------
    InputError
        If the folder cannot be created or written.
    """
    folder = Path(os.path.abspath(folder))
    existing = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    probe = existing / f".writable-{os.getpid()}"  # of this process: others may ask at the same time
    write_atomically(probe, b"", hint=hint)
    probe.unlink()


@contextlib.contextmanager
def lock(path: Path, *, wait: bool = True):
    """A context in which no other process holds the same lock; released also when the process is killed.

    Parameters
    ----------
    path : Path
        The lock file, created if needed.
    wait : bool
        True: until another process releases the lock.

    Yields
    ------
    bool
        True; without `wait` False if another process holds the lock.

    Raises
    ------
    InputError
        If the lock file cannot be created or locked.
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
    """`write_atomically` for a file in the cache folder.

    Parameters
    ----------
    path : Path
    content : bytes

    Raises
    ------
    InputError
        If it cannot be written.
    """
    write_atomically(path, content, hint=CACHE_HINT)


def require_cache() -> None:
    """Raise InputError, before any work, if the cache folder cannot be written."""
    require_writable(cache_folder(), hint=CACHE_HINT)


def pack(array: np.ndarray) -> bytes:
    """An array as bytes with a checksum: SHA-256, then the .npy format. `unpack` is the inverse.

    Parameters
    ----------
    array : ndarray

    Returns
    -------
    bytes
    """
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return hashlib.sha256(buffer.getbuffer()).digest() + buffer.getvalue()


def unpack(content: bytes) -> np.ndarray | None:
    """The array in bytes that `pack` made.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    ndarray; None if the bytes are damaged
    """
    digest, body = content[:DIGEST], content[DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        return None
    return np.load(io.BytesIO(body), allow_pickle=False)


_muting, _muted = threading.Lock(), []  # file descriptors of the real standard error, one per open context


@contextlib.contextmanager
def muted_stderr():
    """A context in which standard error is discarded, also of C libraries, so that progress bars stay intact.

    Several threads may use it at once.
    """
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
