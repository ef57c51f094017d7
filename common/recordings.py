"""The recordings that a command is given: files, and what folders hold of them."""

import contextlib
import hashlib
import stat
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from common.errors import InputError
from common.folders import contents, identity
from common.prediction import printable

SUFFIXES = {  # of what is taken from a folder
    ".3gp", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".ape", ".asf", ".au", ".avi", ".caf", ".dts", ".flac", ".flv",
    ".m4a", ".m4b", ".m4v", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpc", ".mpeg", ".mpg", ".oga", ".ogg",
    ".ogv", ".opus", ".rf64", ".ts", ".tta", ".w64", ".wav", ".webm", ".wma", ".wmv", ".wv",
}  # fmt: skip
HIDDEN, OTHER, REPEATED = "hidden", "not recordings by their names", "the same files as others"  # why left out
BEGINNING = 1 << 16  # bytes of a file that are compared before all are
EXAMPLES = 3  # names of files that are left out in a line


@dataclass
class Recordings:
    """What was named, and what is in the folders that were named.

    Attributes
    ----------
    paths : of recordings, without copies; whoever reads them reports those that cannot be decoded
    left_out : what else is there, by the reason why it is not used
    failed : folders that cannot be read or hold no recording, and what is wrong with them
    """

    paths: list[Path] = field(default_factory=list)
    left_out: dict[str, list[Path]] = field(default_factory=lambda: {HIDDEN: [], OTHER: [], REPEATED: []})
    failed: dict[Path, str] = field(default_factory=dict)


def recordings(given: list[str]) -> Recordings:
    """The files that are named, and the recordings in the folders.

    Parameters
    ----------
    given : list of str
        Paths of files and folders.

    Returns
    -------
    Recordings

    Raises
    ------
    InputError
        If there are none.
    """
    selected, found = Recordings(), {}
    for path in dict.fromkeys(map(Path, given)):
        inside = _of_folder(path, selected) if path.is_dir() else [path]
        if not inside:
            selected.failed.setdefault(path, f"{path}: holds no recording ({', '.join(sorted(SUFFIXES))})")
        for recording in inside:
            if found.setdefault(identity(recording), recording) is not recording:
                selected.left_out[REPEATED].append(recording)
    copies = _copies(list(found.values()))
    for path in found.values():
        (selected.left_out[REPEATED] if path in copies else selected.paths).append(path)
    if not selected.paths:
        raise InputError("; ".join(selected.failed.values()))
    return selected


def _copies(paths: list[Path]) -> set[Path]:
    """The files that have the bytes of an earlier one. Only files of one size, and then of one beginning, are read."""
    groups = [paths]
    for key in (_size, partial(_digest, n_bytes=BEGINNING), _digest):
        groups = [alike for group in groups for alike in _alike(group, key)]
    return {path for group in groups for path in group[1:]}


def _alike(paths: list[Path], key: Callable[[Path], object]) -> list[list[Path]]:
    """Those with the same key, in order, where there are several; without those that have none."""
    groups = defaultdict(list)
    for path in paths:
        with contextlib.suppress(OSError):  # reported when it is decoded
            if (value := key(path)) is not None:
                groups[value].append(path)
    return [group for group in groups.values() if len(group) > 1]


def _size(path: Path) -> int | None:
    """In bytes; None for what is empty or no file."""
    status = path.stat()
    return status.st_size or None if stat.S_ISREG(status.st_mode) else None


def _digest(path: Path, n_bytes: int = -1) -> bytes:
    with open(path, "rb") as content:
        if n_bytes < 0:
            return hashlib.file_digest(content, "sha256").digest()
        return hashlib.sha256(content.read(n_bytes)).digest()


def left_out_line(left_out: dict[str, list[Path]]) -> str:
    """How many files are left out, by reason, with the names of some.

    Parameters
    ----------
    left_out : dict
        As of `Recordings`.

    Returns
    -------
    str; empty if there are none
    """
    parts = []
    for reason, paths in left_out.items():
        names = [printable(path.name) for path in paths[:EXAMPLES]] + ["…"] * (len(paths) > EXAMPLES)
        parts += [f"{len(paths)} {reason} ({', '.join(names)})"] if paths else []
    return "left out: " + "; ".join(parts) if parts else ""


def _of_folder(folder: Path, selected: Recordings) -> list[Path]:
    """The recordings in a folder; all else goes to what is left out or has failed."""
    listed = contents(folder)
    selected.failed |= {path: f"{path}: cannot be read ({why})" for path, why in listed.unreadable.items()}
    selected.left_out[HIDDEN] += listed.hidden
    selected.left_out[REPEATED] += listed.repeated
    selected.left_out[OTHER] += [path for path in listed.files if path.suffix.lower() not in SUFFIXES]
    return [path for path in listed.files if path.suffix.lower() in SUFFIXES]
