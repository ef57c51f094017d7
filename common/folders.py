"""What is in a folder: links are followed, no file comes twice, and nothing is left out without a word."""

import os
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Contents:
    """The files of a folder and of all folders inside it.

    Attributes
    ----------
    files : sorted folder by folder; also links that lead nowhere, which whoever reads them reports
    hidden : files and folders whose names begin with a dot, as the `._*` of macOS; what is inside them is not listed
    repeated : paths that lead to a file or folder which is there under another name
    unreadable : folders that cannot be read, and why
    """

    files: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    repeated: list[Path] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)


def contents(folder: Path) -> Contents:
    """List a folder and all folders inside it.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Contents
    """
    listed, seen = Contents(), {}
    _add(Path(folder), listed, seen)
    return listed


def identity(path: Path) -> tuple[int, int] | str:
    """What all names of one file or folder have in common: links, `./`, other case where it does not count.

    Parameters
    ----------
    path : Path

    Returns
    -------
    tuple of int, or str
        Device and inode; of a path that does not exist, its absolute path in Unicode's composed form.
    """
    try:
        status = os.stat(path)
        return status.st_dev, status.st_ino
    except (OSError, ValueError):  # a ValueError for a name with a zero byte
        return unicodedata.normalize("NFC", os.path.abspath(path))


def _add(path: Path, listed: Contents, seen: dict) -> None:
    first = seen.setdefault(identity(path), path)
    if first is not path:
        listed.repeated.append(path)
    elif not path.is_dir():
        listed.files.append(path)
    else:
        try:
            inside = sorted(path.iterdir(), key=lambda inner: (inner.is_symlink(), inner))  # a link repeats its file
        except OSError as error:
            listed.unreadable[path] = error.strerror
            return
        listed.hidden += [inner for inner in inside if inner.name.startswith(".")]
        for inner in inside:
            if not inner.name.startswith("."):
                _add(inner, listed, seen)
