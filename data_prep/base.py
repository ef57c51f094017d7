"""The shape that every data set has.

A data set lies in a folder of its own under the data root, in the layout of its official distribution. Its
tracks have string ids in the distribution's order; its labels are a data frame with a row a track (or a row a
track and time) and named columns, whose scale its class declares. Nothing is skipped in silence: `validate`
lists what is wrong, and `require` turns that into an error unless what is missing was allowed to be missing.
"""

import csv
import hashlib
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from common import audio
from common.errors import InputError

if TYPE_CHECKING:  # pandas takes longer to import than --help may take
    import pandas as pd


@dataclass(frozen=True)
class Track:
    """One recording. `genre` and `artist` are None where the distribution does not tell them."""

    id: str
    path: Path
    genre: str | None = None
    artist: str | None = None


@dataclass(frozen=True)
class Problem:
    """Something wrong with a copy of a data set; `missing` if a member is absent, else a fault."""

    text: str
    missing: bool = False


def data_root(given: str | None) -> Path | None:
    """The data root: what was given, else `MER_DATA_ROOT`, else None. Raises InputError if it is not there."""
    root = os.environ.get("MER_DATA_ROOT") or None if given is None else given
    if root is None:
        return None
    if not root or not Path(root).is_dir():
        named = root or "(an empty name)"
        raise InputError(f"{named}: no such folder; --data-root (or MER_DATA_ROOT) names the folder of the data sets")
    return Path(root)


def required_data_root(given: str | None) -> Path:
    """As `data_root`, for what cannot do without; InputError if none is named."""
    root = data_root(given)
    if root is None:
        raise InputError("no data root: give --data-root DIR or set MER_DATA_ROOT")
    return root


class Dataset(ABC):
    """A copy of a data set. Class attributes say what the distribution is; instances read one copy."""

    name: str  # as on the command line
    folder: str  # under the data root
    citation: str
    source: str  # where a user gets it
    n_tracks: int  # in the distribution
    original_format: str  # suffix of the distribution's audio files
    rendered: bool = False  # True: of the project's own making, never a result
    needs_audio: bool = True  # False: its labels and features are of use alone
    responses: "pd.DataFrame | None" = None  # of single raters, a row each: `track id` and a column for each label
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
        """The recordings that are there, in the distribution's order."""

    @property
    @abstractmethod
    def labels(self) -> "pd.DataFrame":
        """A row a track (index: track id) or a track and time (both), named columns, scale as the class says."""

    @abstractmethod
    def validate(self) -> list[Problem]:
        """What is wrong with this copy, the most telling first; empty if all is as distributed."""

    @classmethod
    def cite(cls) -> str:
        """The reference to give when the data are used."""
        return cls.citation

    def require(self, *, allow_missing: bool = False) -> list[Problem]:
        """The absent members that were allowed to be absent; raises InputError for the first other problem."""
        found = self.validate()
        problems = [p for p in found if not (p.missing and allow_missing)]
        if problems:
            more = f" (and {len(problems) - 1} more; python -m data_prep {self.name} lists them)" * (len(problems) > 1)
            hint = "; --allow-missing runs on what there is" if problems[0].missing else ""
            raise InputError(problems[0].text + more + hint)
        if self.needs_audio and not self.tracks:
            raise InputError(f"{self.root}: has no audio; get it from {self.source}")
        return found

    def extractors(self) -> tuple:
        """What `python -m data_prep` extracts from every track."""
        from common.features.mel import MelSpectrogram

        return (MelSpectrogram(),)

    @cached_property
    def audio_kind(self) -> str:
        """'original' if all audio has the distribution's format, else 'transcoded (FORMATS)'; 'none' without audio.

        Before it how much of each song there is, if not all.
        """
        formats = {track.path.suffix.lstrip(".").lower() for track in self.tracks}
        if not formats:
            return "none"
        lengths = " or ".join(sorted({f"{seconds:g}" for seconds in self.segments.values()}))
        kind = "original" if formats == {self.original_format} else f"transcoded ({', '.join(sorted(formats))})"
        return (f"{lengths} s of each song, " if lengths else "") + kind

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all labels and all audio bytes, in order: two copies that agree here are the same data."""
        digest = hashlib.sha256(self.labels.to_csv(float_format="%.9g").encode())
        for track in self.tracks:
            digest.update(f"{track.id}\0".encode())
            digest.update(hashlib.sha256(track.path.read_bytes()).digest())
        return digest.hexdigest()


# The classes of the quadrants of the plane of valence and arousal, and the signs of both.
VALENCE_AROUSAL = {"happy": (1, 1), "angry": (-1, 1), "sad": (-1, -1), "relaxed": (1, -1)}


class ClassDataset(Dataset):
    """A data set of classes: `labels` has one column, `class`, which holds one of `classes`."""

    classes: tuple[str, ...]  # in the order that tables and networks use

    def is_papers(self, folder: str, classes: tuple[str, ...]) -> bool:
        """Whether these are a paper's own songs, known by their folder. Raises InputError if their classes differ."""
        if self.name == folder and set(self.classes) != set(classes):
            found, wanted = (", ".join(sorted(names)) for names in (self.classes, classes))
            raise InputError(
                f"{self.root}: has the classes {found}, the paper's are {wanted}; rename these or the folder"
            )
        return self.name == folder

    @property
    def groups(self) -> list[str]:
        """Of each track its artist, and its own id where the artist is not known: for folds by artist."""
        return [track.artist or track.id for track in self.tracks]

    def extractors(self) -> tuple:
        from common.features.descriptors import Descriptors
        from common.features.mel import MelSpectrogram
        from common.features.relative_mel import RelativeMel

        return MelSpectrogram(), RelativeMel(), Descriptors()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over labels and audio as of every data set, and artists."""
        return hashlib.sha256("\0".join([super().fingerprint, *self.groups]).encode()).hexdigest()


def audio_files(folder: Path, pattern: str = "*.*") -> dict[str, Path]:
    """The audio files of a folder by stem, whatever their format; none if there is no such folder.

    Raises InputError if there are several of one stem, since which of them is meant cannot be known.
    """
    found = {}
    for path in sorted(folder.glob(pattern)):
        if not path.name.startswith(".") and path.suffix.lower() not in {".csv", ".txt", ".json", ".part"}:
            found.setdefault(path.stem, []).append(path)
    for paths in found.values():
        if len(paths) > 1:
            names = ", ".join(path.name for path in paths)
            raise InputError(f"{folder}: several files for one track ({names}); keep one")
    return {stem: paths[0] for stem, paths in found.items()}


def find_audio(folder: Path, stem: str) -> Path | None:
    """The one file `stem.*` in a folder, or None; raises InputError as `audio_files` does."""
    return audio_files(folder, f"{stem}.*").get(stem)


def check_duration(path: Path, at_least: float) -> Problem | None:
    """A problem if a file cannot be read as audio, or is shorter than it must be (in seconds)."""
    try:
        seconds = audio.duration(path)
    except InputError as error:
        return Problem(str(error))
    if seconds < at_least:
        return Problem(f"{path}: lasts {seconds:.1f} s instead of at least {at_least:g} s (cut off?); get it again")
    return None


def check_distinct(tracks: list[Track]) -> list[Problem]:
    """A problem for every file with the same bytes as one before it."""
    first, problems = {}, []
    for track in tracks:
        same = first.setdefault(hashlib.sha256(track.path.read_bytes()).digest(), track.path)
        if same != track.path:
            problems.append(Problem(f"{track.path}: the same recording as {same}, byte for byte; keep it in one place"))
    return problems


def read_table(path: Path, columns: list[str], hint: str) -> "pd.DataFrame":
    """The named columns of a table of text (UTF-8, commas), stripped, with the first of them as index.

    Raises InputError, which ends with `hint`, if it is not there, not such a table, or has two rows for one index.
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
    places, found = [header.index(column) for column in columns], {}
    for line, row in enumerate(rows, 2):
        if len(row) != len(header):
            told = f"has {len(row)} fields, not {len(header)} (a comma in a field needs quotes around the field)"
            raise InputError(f"{path}: line {line}: {told}; {hint}")
        key, *values = (row[place].strip() for place in places)
        if key in found:
            raise InputError(f"{path}: line {line}: {key} has a line already; {hint}")
        found[key] = values
    return pd.DataFrame.from_dict(found, orient="index", columns=columns[1:]).rename_axis(columns[0])
