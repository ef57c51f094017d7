"""The recordings that a command is given: files, and what folders hold of them."""

import filecmp
from dataclasses import dataclass, field
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
    """The files that are named, and the recordings in the folders. Raises InputError if there are none."""
    selected, seen, sizes = Recordings(), {}, {}
    for path in dict.fromkeys(map(Path, given)):
        inside = _of_folder(path, selected) if path.is_dir() else [path]
        if not inside:
            selected.failed.setdefault(path, f"{path}: holds no recording ({', '.join(sorted(SUFFIXES))})")
        for recording in inside:
            if seen.setdefault(identity(recording), recording) is recording and not _is_copy(recording, sizes):
                selected.paths.append(recording)
            else:
                selected.left_out[REPEATED].append(recording)
    if not selected.paths:
        raise InputError("; ".join(selected.failed.values()))
    return selected


def _is_copy(path: Path, sizes: dict[int, list[Path]]) -> bool:
    """Whether a file has the bytes of one of those seen before, by their sizes in bytes, to which it is added."""
    if not path.is_file() or not path.stat().st_size:
        return False
    alike = sizes.setdefault(path.stat().st_size, [])
    try:
        same = any(filecmp.cmp(path, other, shallow=False) for other in alike)
    except OSError:  # reported when it is decoded
        return False
    alike.append(path)
    return same


def left_out_line(left_out: dict[str, list[Path]]) -> str:
    """How many files are left out, by reason, with the names of some; empty if there are none."""
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
