"""The interface of all data sets.

A data set lies in its own folder under the data root, in the layout of its official distribution. Its tracks have
string ids in the distribution's order; its labels are a data frame with one row per track (or per track and time) and
named columns, whose scale its class declares. Nothing is skipped without a message: `validate` lists what is wrong, and
`require` raises an error for it unless missing members are allowed.
"""

import csv
import hashlib
import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from common import audio
from common.errors import InputError

if TYPE_CHECKING:  # pandas takes longer to import than --help may take
    import pandas as pd


@dataclass(frozen=True)
class Track:
    """One recording. `genre` and `artist` are None if the distribution does not name them."""

    id: str
    path: Path
    genre: str | None = None
    artist: str | None = None

    @property
    def group(self) -> str:
        """The artist, or the track's own id if the artist is not known: what stays together in a split by artist."""
        return self.artist or self.id


@dataclass(frozen=True)
class Problem:
    """Something wrong with a copy of a data set; `missing`: a member is absent, else a member is faulty."""

    text: str
    missing: bool = False


def data_root(given: str | None) -> Path | None:
    """The folder of the data sets.

    Parameters
    ----------
    given : the folder, as the user named it; None: the environment variable `MER_DATA_ROOT`

    Returns
    -------
    the folder, or None if neither names one

    Raises
    ------
    InputError : if there is no such folder
    """
    root = os.environ.get("MER_DATA_ROOT") or None if given is None else given
    if root is None:
        return None
    if not root or not Path(root).is_dir():
        name = root or "(an empty name)"
        raise InputError(f"{name}: no such folder; --data-root (or MER_DATA_ROOT) names the folder of the data sets")
    return Path(root)


def required_data_root(given: str | None) -> Path:
    """The folder of all data sets.

    Parameters
    ----------
    given : str or None
        As of `data_root`.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        As `data_root`, and if no folder is named.
    """
    root = data_root(given)
    if root is None:
        raise InputError("no data root: give --data-root DIR or set MER_DATA_ROOT")
    return root


class Dataset(ABC):
    """A copy of a data set. Class attributes describe the distribution; instances read one copy of it.

    Parameters
    ----------
    root : the data root; the copy lies in its subfolder `folder`

    Raises
    ------
    InputError : if there is no such subfolder
    """

    name: str  # as on the command line
    folder: str  # under the data root
    citation: str
    source: str  # where a user gets it
    n_tracks: int  # in the distribution
    original_format: str  # suffix of the distribution's audio files
    synthetic: bool = False  # True: synthetic music, whose numbers are never recorded
    needs_audio: bool = True  # False: labels and features can be used without audio
    responses: "pd.DataFrame | None" = None  # by single raters, one row each: `track id` and a column per label
    splits: dict[str, list[str]] = {}  # official splits: track ids by name; none is invented  # noqa: RUF012
    segments: dict[str, float] = {}  # length in s of each track that is a segment of its recording  # noqa: RUF012

    def __init__(self, root: Path):
        self.root = Path(root) / self.folder
        if not self.root.is_dir():
            inside = f"; did you mean --data-root {Path(root).parent}" if Path(root).name == self.folder else ""
            raise InputError(f"{root}: has no folder {self.folder}/; get {self.name} from {self.source}{inside}")

    @property
    @abstractmethod
    def tracks(self) -> list[Track]:
        """The available recordings, in the distribution's order."""

    @property
    @abstractmethod
    def labels(self) -> "pd.DataFrame":
        """One row per track (index: track id) or per track and time (index: both); the class declares the scale."""

    @abstractmethod
    def validate(self) -> list[Problem]:
        """All problems of this copy, the most important first; empty if it is as distributed.

        A file that makes it impossible to go on, such as a malformed table, raises InputError instead.
        """

    @classmethod
    def cite(cls) -> str:
        """The reference to give when the data are used."""
        return cls.citation

    def require(self, *, allow_missing: bool = False) -> list[Problem]:
        """Check that this copy can be used.

        Parameters
        ----------
        allow_missing : True: absent members are no error

        Returns
        -------
        the problems that are allowed: absent members

        Raises
        ------
        InputError : for the first other problem, or if there is no audio and it is needed
        """
        problems = self.validate()
        errors = [problem for problem in problems if not (problem.missing and allow_missing)]
        if errors:
            more = f" (and {len(errors) - 1} more; python -m data_prep {self.name} lists them)" * (len(errors) > 1)
            hint = "; --allow-missing runs on what there is" if errors[0].missing else ""
            raise InputError(errors[0].text + more + hint)
        if self.needs_audio and not self.tracks:
            raise InputError(f"{self.root}: has no audio; get it from {self.source}")
        return problems

    def extractors(self) -> tuple:
        """The features that `python -m data_prep` extracts from all tracks, see `common.features`."""
        from common.features.mel import MelSpectrogram

        return (MelSpectrogram(),)

    @cached_property
    def audio_kind(self) -> str:
        """'original' if all audio has the distribution's format, else 'transcoded (FORMATS)'; 'none' without audio.

        If the tracks are segments, preceded by their length.
        """
        formats = {track.path.suffix.lstrip(".").lower() for track in self.tracks}
        if not formats:
            return "none"
        lengths = " or ".join(sorted({f"{seconds:g}" for seconds in self.segments.values()}))
        kind = "original" if formats == {self.original_format} else f"transcoded ({', '.join(sorted(formats))})"
        return (f"{lengths} s of each song, " if lengths else "") + kind

    @cached_property
    def decoder(self) -> str:
        """Name and version of each decoder that the audio needs."""
        return "; ".join(sorted({audio.decoder(track.path) for track in self.tracks}))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all labels and all audio bytes, in order: copies with the same fingerprint are the same data."""
        digest = hashlib.sha256(self.labels.to_csv(float_format="%.9g").encode())
        for track in self.tracks:
            digest.update(f"{track.id}\0".encode())
            digest.update(hashlib.sha256(track.path.read_bytes()).digest())
        return digest.hexdigest()


@dataclass(frozen=True)
class Selection:
    """Tracks of a data set of classes.

    Attributes
    ----------
    tracks : n tracks
    numbers : the number of each track's class in `classes`, (n,)
    classes : names
    """

    tracks: list[Track]
    numbers: np.ndarray
    classes: tuple[str, ...]

    def fewest(self, of: Callable[[Track], str | None]) -> tuple[int, str]:
        """The class with the fewest ids, artists, or other values of its tracks.

        Parameters
        ----------
        of : callable
            The value of a Track, or None for one that does not count.

        Returns
        -------
        n : int
            How many different values it has.
        name : str
            Of the class.
        """
        known = {(k, of(track)) for k, track in zip(self.numbers, self.tracks, strict=True)}
        counts = Counter(self.classes[k] for k, value in known if value is not None)
        return min((counts[name], name) for name in self.classes)


# The classes of the quadrants of the valence-arousal plane, and the signs of valence and arousal.
VALENCE_AROUSAL = {"happy": (1, 1), "angry": (-1, 1), "sad": (-1, -1), "relaxed": (1, -1)}


class ClassDataset(Dataset):
    """A data set of classes: `labels` has one column, `class`, which holds one of `classes`."""

    classes: tuple[str, ...]  # in the order that tables and networks use

    def is_paper_collection(self, folder: str, classes: tuple[str, ...]) -> bool:
        """Whether this is a paper's own collection, recognised by its folder.

        Parameters
        ----------
        folder : name of the paper's collection
        classes : its classes, in any order

        Raises
        ------
        InputError : if the folder has that name, and other classes
        """
        if self.name == folder and set(self.classes) != set(classes):
            here, expected = (", ".join(sorted(names)) for names in (self.classes, classes))
            hint = "rename these or the folder"
            raise InputError(f"{self.root}: has the classes {here}, the paper's are {expected}; {hint}")
        return self.name == folder

    def require(self, *, allow_missing: bool = False, per_class: int = 1) -> list[Problem]:
        """As for every data set; raises InputError also if a class has fewer than `per_class` tracks."""
        problems = super().require(allow_missing=allow_missing)
        n, name = self.select().fewest(lambda track: track.id)
        if n < per_class:
            raise InputError(f"{self.root}: has {n} songs of class {name}, too few to split; {per_class} are needed")
        return problems

    @property
    def groups(self) -> list[str]:
        """The artist of each track, or its own id if the artist is not known: for folds by artist."""
        return [track.group for track in self.tracks]

    @cached_property
    def numbers(self) -> np.ndarray:
        """The number of each track's class in `classes`, (n_tracks,)."""
        label = self.labels["class"]
        return np.array([self.classes.index(label[track.id]) for track in self.tracks])

    def select(self, classes: dict[str, str] | None = None, per_class: int = 0) -> "Selection":
        """All tracks; or as many of each of some classes, drawn at random, always the same ones.

        Parameters
        ----------
        classes : the classes to draw from, and how they are called in the selection; None: all tracks
        per_class : how many tracks to draw of each

        Raises
        ------
        InputError : if a class has fewer tracks
        """
        if classes is None:
            return Selection(self.tracks, self.numbers, self.classes)
        drawn = []
        for name in classes:
            tracks = [track for track, k in zip(self.tracks, self.numbers, strict=True) if self.classes[k] == name]
            if len(tracks) < per_class:
                raise InputError(f"{self.root}: has {len(tracks)} songs of class {name}; {per_class} are needed")
            drawn += [tracks[i] for i in sorted(np.random.default_rng(0).permutation(len(tracks))[:per_class])]
        return Selection(drawn, np.repeat(np.arange(len(classes)), per_class), tuple(classes.values()))

    def extractors(self) -> tuple:
        """As of every data set: spectrograms, and hand-made features."""
        from common.features.descriptors import Descriptors
        from common.features.mel import MelSpectrogram
        from common.features.relative_mel import RelativeMel

        return MelSpectrogram(), RelativeMel(), Descriptors()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of labels and audio as of every data set, and of artists."""
        return hashlib.sha256("\0".join([super().fingerprint, *self.groups]).encode()).hexdigest()


def audio_files(folder: Path, pattern: str = "*.*") -> dict[str, Path]:
    """The audio files of a folder.

    Parameters
    ----------
    folder : empty if it does not exist
    pattern : of the names of the files

    Returns
    -------
    files of any format by name without suffix

    Raises
    ------
    InputError : if two files differ in their suffix only, since it is unclear which is meant
    """
    files = {}
    for path in sorted(folder.glob(pattern)):
        if not path.name.startswith(".") and path.suffix.lower() not in {".csv", ".txt", ".json", ".part"}:
            files.setdefault(path.stem, []).append(path)
    for paths in files.values():
        if len(paths) > 1:
            names = ", ".join(path.name for path in paths)
            raise InputError(f"{folder}: several files for one track ({names}); keep one")
    return {stem: paths[0] for stem, paths in files.items()}


def find_audio(folder: Path, stem: str) -> Path | None:
    """A recording by its name without suffix.

    Parameters
    ----------
    folder : Path
    stem : str

    Returns
    -------
    Path, or None if there is none

    Raises
    ------
    InputError
        If there are several.
    """
    return audio_files(folder, f"{stem}.*").get(stem)


def check_duration(path: Path, at_least: float) -> Problem | None:
    """Whether a file can be read as audio and is long enough.

    Parameters
    ----------
    path : Path
    at_least : float
        In seconds.

    Returns
    -------
    Problem, or None
    """
    try:
        seconds = audio.duration(path)
    except InputError as error:
        return Problem(str(error))
    if seconds < at_least:
        return Problem(f"{path}: lasts {seconds:.1f} s instead of at least {at_least:g} s (cut off?); get it again")
    return None


def check_duplicates(tracks: list[Track]) -> list[Problem]:
    """Recordings that are there twice.

    Parameters
    ----------
    tracks : list of Track

    Returns
    -------
    list of Problem
        One for each file with the same bytes as a previous one.
    """
    first, problems = {}, []
    for track in tracks:
        same = first.setdefault(hashlib.sha256(track.path.read_bytes()).digest(), track)
        if same is not track:
            fault = f"the same recording as {same.path}, byte for byte"
            problems.append(Problem(f"{track.path}: {fault}; keep it in one place"))
    return problems


def read_table(path: Path, columns: list[str], hint: str) -> "pd.DataFrame":
    """Columns of a comma-separated table in UTF-8, as text without surrounding blanks.

    Parameters
    ----------
    path : the table
    columns : names of the columns; the first becomes the index
    hint : how an error ends, what to do about it

    Raises
    ------
    InputError : if the file is missing or malformed, lacks a column, or has two rows for one index
    """
    import pandas as pd

    if not path.is_file():
        raise InputError(f"{path}: no such file; {hint}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except (ValueError, csv.Error, OSError) as error:
        raise InputError(f"{path}: cannot be read as a table in UTF-8 ({error}); {hint}") from error
    if not rows:
        raise InputError(f"{path}: is empty; {hint}")
    header, *rows = rows
    absent = [column for column in columns if column not in header]
    if absent:
        raise InputError(f"{path}: has no column '{absent[0]}' (but {', '.join(header)}); {hint}")
    places, values_by_key = [header.index(column) for column in columns], {}
    for line, row in enumerate(rows, 2):
        if len(row) != len(header):
            fault = f"has {len(row)} fields, not {len(header)} (a comma in a field needs quotes around the field)"
            raise InputError(f"{path}: line {line}: {fault}; {hint}")
        key, *values = (row[place].strip() for place in places)
        if key in values_by_key:
            raise InputError(f"{path}: line {line}: {key} has a line already; {hint}")
        values_by_key[key] = values
    return pd.DataFrame.from_dict(values_by_key, orient="index", columns=columns[1:]).rename_axis(columns[0])
