"""DEAM's official features: 260 of openSMILE, means and standard deviations over windows of 1 s, every 0.5 s.

They are the ComParE 2013 low-level descriptors and their deltas. A file counts the start of each window from the start
of the full song for songs up to 1000, whose excerpts start where `metadata_2013.csv` says; else from the start of the
excerpt, as the labels do.
"""

import hashlib
import json
import re
import sys
from functools import cached_property

import numpy as np

from common.errors import InputError
from common.features import opensmile
from common.files import cache, cache_folder, pack, unpack
from common.parallel import progress
from data_prep.archive import Archive
from data_prep.deam.annotations import LAST_OF_2013

EXCERPT_S = 45.0
VERSION = 1  # of how features are read; raised when the cached arrays must change
FEATURES = opensmile.NAMES
COLUMNS = ["frameTime", *FEATURES]
FRAME = np.dtype([("song", "i4"), ("start_s", "f8"), ("values", "f4", (len(FEATURES),))])
METADATA = "metadata_2013.csv"
START = "start of the segment (min.sec)"  # column of METADATA


class OfficialFeatures:
    """The feature files of the distribution, parsed once and cached.

    Parameters
    ----------
    archive : the archive of feature files, `<song id>.csv`
    metadata : the archive of metadata
    """

    def __init__(self, archive: Archive, metadata: Archive):
        self.archive, self.metadata = archive, metadata

    @cached_property
    def by_song(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By song id: starts of windows, float64 (n,), in s on the labels' clock, and features, float32 (n, 260)."""
        songs = sorted(int(name[:-4]) for name in self.archive.members if re.fullmatch(r"\d+\.csv", name))
        if not songs:
            return {}
        entry, frames = cache_folder() / "features" / "deam" / f"{self.key}.npy.sha256", None
        if entry.is_file():
            frames = unpack(entry.read_bytes())
            if frames is None:
                print(f"{entry}: damaged cache entry of {self.archive.place}, computed again", file=sys.stderr)
        if frames is None:
            calls = ((self._frames, song) for song in songs)
            frames = np.concatenate(
                list(progress(calls, total=len(songs), n_jobs=1, label="DEAM features", unit="song"))
            )
            cache(entry, pack(frames))
        songs, first = np.unique(frames["song"], return_index=True)
        parts = zip(songs, np.split(frames, first[1:]), strict=True)
        return {str(song): (p["start_s"].copy(), np.ascontiguousarray(p["values"])) for song, p in parts}

    @cached_property
    def key(self) -> str:
        """SHA-256 of all that the features depend on: feature files, starts of excerpts, version of this reader."""
        return hashlib.sha256(json.dumps([VERSION, self.archive.digest(), self._starts]).encode()).hexdigest()

    @cached_property
    def _starts(self) -> dict[int, float]:
        return read_excerpt_starts(self.metadata)

    def _frames(self, song: int) -> np.ndarray:
        """The windows of one song, as FRAME; only those of the excerpt if the file covers the full song."""
        where = self.archive.where(f"{song}.csv")
        table = read_feature_file(where, self.archive.read(f"{song}.csv"), self.archive.source)
        if song <= LAST_OF_2013:
            if song not in self._starts:
                metadata, source = self.metadata.where(METADATA), self.metadata.source
                raise InputError(f"{metadata}: has no line for song {song} with its start; get it from {source}")
            table[:, 0] -= self._starts[song]
            table = table[(table[:, 0] >= 0) & (table[:, 0] <= EXCERPT_S)]
            if not len(table):
                raise InputError(f"{where}: has no window within the excerpt; get it and the metadata again")
        frames = np.empty(len(table), FRAME)
        frames["song"], frames["start_s"], frames["values"] = song, table[:, 0].round(3), table[:, 1:]
        return frames


def read_excerpt_starts(metadata: Archive) -> dict[int, float]:
    """Where the excerpts of songs up to 1000 start in the full songs.

    Parameters
    ----------
    metadata : Archive

    Returns
    -------
    dict of int to float
        In seconds, by song id; empty without `metadata_2013.csv`.

    Raises
    ------
    InputError
        If the table has no such column, or a line that cannot be read.
    """
    if METADATA not in metadata.members:
        return {}
    header, *rows = metadata.rows(METADATA)
    if START not in header:
        raise InputError(f"{metadata.where(METADATA)}: has no column '{START}'; get it from {metadata.source}")
    starts = {}
    for line, row in enumerate(rows, 2):
        where = f"{metadata.where(METADATA)}: line {line}, song {row[0]}"
        if len(row) != len(header):
            raise InputError(f"{where}: has {len(row)} fields instead of {len(header)}; get the file again")
        start = row[header.index(START)].strip()
        minutes = re.fullmatch(r"(\d+)(?:\.([0-5]\d?))?", start)
        if not minutes or not row[0].isdigit():
            raise InputError(f"{where}: start {start!r} is not minutes.seconds of a song; get the file again")
        # a last zero is not written: 2.3 is 2 min 30 s
        starts[int(row[0])] = 60.0 * int(minutes[1]) + int((minutes[2] or "").ljust(2, "0"))
    return starts


def read_feature_file(where: str, content: bytes, source: str) -> np.ndarray:
    """One feature file.

    Parameters
    ----------
    where : name of the file, for messages
    content : its bytes, a table with semicolons
    source : where a user gets it, for messages

    Returns
    -------
    float64 (n windows, 261), in the order of COLUMNS

    Raises
    ------
    InputError : if the file is not as distributed
    """
    header, *lines = content.decode(errors="replace").splitlines() or [""]
    columns = header.strip().split(";")
    if columns != COLUMNS:
        absent = [column for column in COLUMNS if column not in columns]
        fault = f"has no column '{absent[0]}'" if absent else "has other columns than DEAM's files, or another order"
        raise InputError(f"{where}: {fault}; get it from {source}")
    try:
        table = np.loadtxt(lines, delimiter=";", ndmin=2) if lines else np.empty((0, 0))
    except ValueError as error:
        raise InputError(f"{where}: cannot be read as a table of numbers ({error}); get it again") from error
    if table.shape[1] != len(COLUMNS):
        raise InputError(f"{where}: has no rows of {len(COLUMNS)} numbers; get it again")
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        row, column = bad[0]
        place = f"line {row + 2}, column '{COLUMNS[column]}'"
        raise InputError(f"{where}: {place}: {table[row, column]:g} is not a finite number; get it again")
    disordered = np.flatnonzero(np.diff(table[:, 0]) <= 0)
    if len(disordered):
        fault = f"line {disordered[0] + 3}: frameTime does not ascend (rows out of order)"
        raise InputError(f"{where}: {fault}; get it again")
    return table
