"""Any collection of recordings in one folder a class.

Layout: `<name>/<class>/<file>` under the data root, and, to fold by artist, `<name>/artists.csv` (UTF-8, commas) with
the columns file (`<class>/<file>`) and artist: a line for every recording, an empty artist where it is not known.
Nothing else may lie there, so that nothing is left out in silence; only what is hidden, whose name begins with a dot,
is passed over. Of recordings only copies, the same bytes, are found out, not one in two formats.
Labels: the class of each recording. Records name the data set by its folder, and recordings by `<class>/<file>`.
"""

import unicodedata
from functools import cached_property
from pathlib import Path

import pandas as pd

from common.errors import InputError
from data_prep.base import ClassDataset, Problem, Track, check_distinct, check_duration, read_table

ARTISTS = "artists.csv"
SHORTEST = 2  # seconds of a recording, as hand-made features need
FEWEST = 2  # recordings of a class: one to learn from, one to test


class ClassFolders(ClassDataset):
    """The collection `<data root>/<name>`."""

    citation = "none: a collection of your own"
    source = "where your recordings are"

    def __init__(self, root: Path, name: str):
        self.name = self.folder = name
        super().__init__(root)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The subfolders, by name."""
        return tuple(path.name for path in _inside(self.root) if path.is_dir())

    @cached_property
    def n_tracks(self) -> int:
        """All recordings that are there."""
        return len(self.tracks)

    @cached_property
    def tracks(self) -> list[Track]:
        """The recordings by class and file name. Raises InputError on a bad table of artists."""
        paths = [path for name in self.classes for path in _inside(self.root / name) if not path.is_dir()]
        found = {_id(f"{path.parent.name}/{path.name}"): path for path in paths}
        if not (self.root / ARTISTS).is_file():
            return [Track(file, path) for file, path in found.items()]
        table = read_table(self.root / ARTISTS, ["file", "artist"], "mend it, or take it away")
        artists = {_id(file): artist or None for file, artist in table["artist"].items()}
        for file in artists:
            if file not in found:
                told = "which is not there as CLASS/FILE; mend the line, or take it away"
                raise InputError(f"{self.root / ARTISTS}: names {file}, {told}")
        for file in found:
            if file not in artists:
                raise InputError(f"{self.root / ARTISTS}: has no line for {file}; add it (with no artist if unknown)")
        return [Track(file, path, artist=artists[file]) for file, path in found.items()]

    @cached_property
    def labels(self) -> pd.DataFrame:
        """The class of each recording: column `class`, by track id."""
        found = {track.id: track.path.parent.name for track in self.tracks}
        return pd.DataFrame({"class": found}).rename_axis("track id")

    @cached_property
    def audio_kind(self) -> str:
        """The formats; which of them were transcoded is not known."""
        formats = {track.path.suffix.lstrip(".").lower() for track in self.tracks}
        return f"as collected ({', '.join(sorted(formats))})" if formats else "none"

    def validate(self) -> list[Problem]:
        """Classes too few, too small or alike in name, what is not a recording, and recordings that are there twice."""
        problems, names = [], {}
        n = len(self.classes)
        if n < 2:
            told = f"has {n} class folder{'s' * (n != 1)} ({', '.join(self.classes) or 'none'})"
            hint = "make a folder of recordings for each class"
            problems.append(Problem(f"{self.root}: {told}, and two or more are needed; {hint}"))
        for name in self.classes:
            alike = names.setdefault(" ".join(name.split()).casefold(), name)
            if alike != name:
                text = f"{self.root}: the classes '{alike}' and '{name}' differ in blanks or capitals only; keep one"
                problems.append(Problem(text))
            n = sum(self.labels["class"] == name)
            if n < FEWEST:
                told = f"holds {n} recording{'s' * (n != 1)}, and a class needs {FEWEST} or more"
                problems.append(Problem(f"{self.root / name}: {told}; add some, or take the folder away"))
        for path in _inside(self.root):
            if path.is_dir():
                folders = [inner for inner in _inside(path) if inner.is_dir()]
                told = "a folder in a class folder; put its recordings beside the others, or take it away"
                problems += [Problem(f"{inner}: {told}") for inner in folders]
            elif path.name != ARTISTS:
                told = f"lies beside the class folders, where only {ARTISTS} may; put it in one, or take it away"
                problems.append(Problem(f"{path}: {told}"))
        checks = {track.id: check_duration(track.path, SHORTEST) for track in self.tracks}
        problems += [problem for problem in checks.values() if problem]
        return problems + check_distinct([track for track in self.tracks if not checks[track.id]])


def _inside(folder: Path) -> list[Path]:
    """What is in a folder by name, but for what is hidden."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _id(file: str) -> str:
    """One spelling for one name: file systems and editors write an accent as a letter of its own, or not."""
    return unicodedata.normalize("NFC", file)
