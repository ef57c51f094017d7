"""Any collection of recordings with one folder per class.

Layout: `<name>/<class>/<file>` under the data root, and, for folds by artist, `<name>/artists.csv` (UTF-8, commas) with
the columns file (`<class>/<file>`) and artist: a line for each recording, with an empty artist if it is not known. Any
other file is reported as a problem, except hidden ones, whose names begin with a dot. Duplicates are detected if they
have the same bytes, not in two formats.
Labels: the class of each recording. Records name the data set by its folder, and recordings by `<class>/<file>`.
"""

import unicodedata
from functools import cached_property
from pathlib import Path

import pandas as pd

from common.errors import InputError
from common.prediction import printable
from common.recordings import HIDDEN, left_out_line
from data_prep.base import ClassDataset, Problem, Track, check_duplicates, check_duration, read_table
from data_prep.own import OwnCollection

ARTISTS = "artists.csv"
SHORTEST = 2  # seconds of a recording, as hand-made features need
FEWEST = 2  # recordings of a class: one for training, one for testing


class ClassFolders(OwnCollection, ClassDataset):
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
        """The number of recordings."""
        return len(self.tracks)

    @cached_property
    def _files(self) -> dict[str, Path]:
        """The files in class folders by track id. Raises InputError for a name that cannot be an id."""
        files = {}
        for path in (path for name in self.classes for path in _inside(self.root / name) if not path.is_dir()):
            file = _id(f"{path.parent.name}/{path.name}")
            if printable(file) != file:
                raise InputError(f"{self.root}: the name {printable(file)} is not UTF-8 or not printable; rename it")
            if file in files:
                raise InputError(f"{path}: differs from {files[file].name} in how accents are written only; keep one")
            files[file] = path
        return files

    @cached_property
    def tracks(self) -> list[Track]:
        """The recordings by class and file name. Raises InputError on a bad table of artists."""
        files = self._files
        if not (self.root / ARTISTS).is_file():
            return [Track(file, path) for file, path in files.items()]
        table = read_table(self.root / ARTISTS, ["file", "artist"], "correct or remove it")
        artists = {_id(file): artist or None for file, artist in table["artist"].items()}
        for file in artists:
            if file not in files:
                fault = f"names {file}, but there is no such CLASS/FILE"
                raise InputError(f"{self.root / ARTISTS}: {fault}; correct or remove the line")
        for file in files:
            if file not in artists:
                raise InputError(f"{self.root / ARTISTS}: has no line for {file}; add it (with no artist if unknown)")
        return [Track(file, path, artist=artists[file]) for file, path in files.items()]

    @cached_property
    def labels(self) -> pd.DataFrame:
        """The class of each recording: column `class`, by track id."""
        classes = {track.id: track.path.parent.name for track in self.tracks}
        return pd.DataFrame({"class": classes}).rename_axis("track id")

    @cached_property
    def audio_kind(self) -> str:
        """The formats; it is not known which files were transcoded."""
        formats = {track.path.suffix.lstrip(".").lower() for track in self.tracks}
        return f"as collected ({', '.join(sorted(formats))})" if formats else "none"

    def validate(self) -> list[Problem]:
        """Too few or too small classes, similar names of classes, other files, broken recordings and duplicates."""
        problems, names = [], {}
        n = len(self.classes)
        if n < 2:
            fault = f"has {n} class folder{'s' * (n != 1)} ({', '.join(self.classes) or 'none'}), at least 2 are needed"
            problems.append(Problem(f"{self.root}: {fault}; make a folder of recordings for each class"))
        for name in self.classes:
            other = names.setdefault(" ".join(_id(name).split()).casefold(), name)
            if other != name:
                fault = f"the classes '{other}' and '{name}' differ in blanks, capitals or accents only"
                problems.append(Problem(f"{self.root}: {fault}; keep one"))
            n = sum(self.labels["class"] == name)
            if n < FEWEST:
                fault = f"holds {n} recording{'s' * (n != 1)}, and a class needs {FEWEST} or more"
                problems.append(Problem(f"{self.root / name}: {fault}; add recordings, or remove the folder"))
        problems += self._misplaced()
        checks = {track.id: check_duration(track.path, SHORTEST) for track in self.tracks}
        problems += [problem for problem in checks.values() if problem]
        return problems + check_duplicates([track for track in self.tracks if not checks[track.id]])

    def left_out(self) -> str:
        """A line that counts the hidden files; empty if there is none."""
        folders = [self.root, *(self.root / name for name in self.classes)]
        hidden = [path for folder in folders for path in sorted(folder.iterdir()) if path.name.startswith(".")]
        return left_out_line({HIDDEN: hidden})

    def _misplaced(self) -> list[Problem]:
        """Folders within class folders, and files outside of them."""
        problems = []
        for path in _inside(self.root):
            if path.is_dir():
                fault = "is a folder in a class folder; move its recordings to the others, or remove it"
                problems += [Problem(f"{inner}: {fault}") for inner in _inside(path) if inner.is_dir()]
            elif path.name != ARTISTS:
                fault = f"is outside of the class folders, where only {ARTISTS} belongs; move it into one, or remove it"
                problems.append(Problem(f"{path}: {fault}"))
        return problems


def _inside(folder: Path) -> list[Path]:
    """The files and folders in a folder by name, except hidden ones."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _id(file: str) -> str:
    """A name in Unicode's composed form (NFC): file systems and editors differ in how they write accents."""
    return unicodedata.normalize("NFC", file)
