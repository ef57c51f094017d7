"""Checks, before any work, that what a command writes replaces nothing but its own earlier output."""

import os
import re
from pathlib import Path

from common.errors import InputError
from common.files import require_writable
from common.folders import identity

ENDS = 65536  # bytes at the start and at the end of a file in which its mark is


def require_output(path: Path, pattern: bytes) -> None:
    """Check that a file can be written, and that it does not exist or is an earlier output of the same kind.

    Parameters
    ----------
    path : Path
    pattern : bytes
        A regular expression that every output of this kind matches from its start; a dot is any byte. Of a large file,
        only the first and the last ENDS bytes are compared with it.

    Raises
    ------
    InputError
        If its folder cannot be written; if `path` is a folder or a device, or a file of another kind that is not empty.
    """
    require_writable(path.parent)
    if not os.path.lexists(path):
        return
    if not path.is_file() or Path(os.path.abspath(path)).parts[1:2] == ("dev",):
        raise InputError(f"{path}: is not a regular file; name a file to write")
    if not re.match(pattern, _ends(path), re.DOTALL) and path.stat().st_size:
        raise InputError(f"{path}: exists, and is no earlier output of this command; choose another name or remove it")


def require_output_folder(folder: Path, name: str, mark: bytes) -> None:
    """Check that a folder is absent or empty, or holds an earlier output.

    Parameters
    ----------
    folder : Path
    name : str
        Of a file in each output.
    mark : bytes
        That is in this file.

    Raises
    ------
    InputError
        If it holds something else, or cannot be written.
    """
    require_writable(folder)
    try:
        used = folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror}); choose another folder") from error
    if used and not ((folder / name).is_file() and mark in _ends(folder / name)):
        raise InputError(f"{folder}: holds files, and no earlier output of this command; choose a new or empty folder")


def require_no_input(outputs: list[Path], inputs: list[Path]) -> None:
    """Check that no output is one of the files that are read.

    Parameters
    ----------
    outputs, inputs : list of Path

    Raises
    ------
    InputError
    """
    read = {identity(path) for path in inputs}
    for path in outputs:
        if identity(path) in read:
            raise InputError(f"{path}: is one of the files that are read; name another file to write")


def require_distinct(paths: list[Path]) -> None:
    """Check that no two outputs would be written to one file.

    Parameters
    ----------
    paths : list of Path

    Raises
    ------
    InputError
    """
    seen = set()
    for path in paths:
        if (place := os.path.realpath(path)) in seen:
            raise InputError(f"{path}: is named for two outputs; name two files")
        seen.add(place)


def _ends(path: Path) -> bytes:
    """The start and the end of a file; nothing if it cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(ENDS)
            file.seek(max(len(start), path.stat().st_size - ENDS))
            return start + file.read()
    except OSError:
        return b""
