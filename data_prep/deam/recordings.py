"""DEAM's recordings: complete excerpts (or songs), or segments of them.

Complete audio lies in `MEMD_audio/<id>.mp3` (or any other format). In its place a folder of segments will do, with
`offsets.csv` (song_id, start_s, duration_s) next to the files; `start_s` is on the clock of the labels.
"""

import csv
import io
import math
from functools import cached_property
from pathlib import Path

from common.errors import InputError
from data_prep.archive import Archive
from data_prep.base import Problem, Track, audio_files
from data_prep.dynamic import Recording


class Recordings:
    """The audio under DEAM's folder `root`."""

    def __init__(self, root: Path):
        self.root = root

    @cached_property
    def complete(self) -> dict[str, Path]:
        """Files of complete excerpts or songs, by song id."""
        return audio_files(self.root / "MEMD_audio") or audio_files(self.root / "DEAM_audio" / "MEMD_audio")

    @cached_property
    def offsets(self) -> Path | None:
        """The table of segments, or None. Raises InputError if there are several."""
        tables = sorted(self.root.glob("*/offsets.csv"))
        if len(tables) > 1:
            names = ", ".join(path.parent.name for path in tables)
            raise InputError(f"{self.root}: several folders have an offsets.csv ({names}); keep one")
        return tables[0] if tables else None

    @cached_property
    def spans(self) -> dict[str, tuple[float, float]]:
        """Start and length in seconds of each segment that offsets.csv lists, by song id."""
        if self.offsets is None:
            return {}
        text = self.offsets.read_text(encoding="utf-8", errors="replace")
        spans, rows = {}, csv.DictReader(io.StringIO(text))
        for row in rows:
            try:
                song, start, length = row["song_id"], float(row["start_s"]), float(row["duration_s"])
                if song in spans or not (0 <= start < math.inf and 0 < length < math.inf):
                    raise ValueError(f"song {song}: {start:g} s, {length:g} s, or a second line")
            except (KeyError, TypeError, ValueError) as error:
                fault = f"line {rows.line_num}: does not give song_id, start_s and duration_s"
                raise InputError(f"{self.offsets}: {fault} ({error}); correct it") from error
            spans[song] = start, length
        return spans

    @cached_property
    def segments(self) -> dict[str, Path]:
        """Files of segments, by song id. Raises InputError for a file that offsets.csv does not list."""
        files = audio_files(self.offsets.parent) if self.offsets else {}
        for song, path in files.items():
            if song not in self.spans:
                raise InputError(f"{path}: has no entry in {self.offsets}; add one (song_id, start_s, duration_s)")
        return files

    def are_segments(self, ids: list[str]) -> bool:
        """Whether `of` gives segments of these songs.

        Parameters
        ----------
        ids : list of str

        Returns
        -------
        bool
        """
        return any(song in self.segments for song in ids) and not all(song in self.complete for song in ids)

    def of(self, ids: list[str]) -> dict[str, Recording]:
        """The recordings of songs that have one.

        Parameters
        ----------
        ids : list of str

        Returns
        -------
        dict of str to Recording
            By song id: all complete if every song has a complete one, else segments.
        """
        if not self.are_segments(ids):
            return {song: Recording(self.complete[song], 0.0) for song in ids if song in self.complete}
        return {song: Recording(self.segments[song], self.spans[song][0]) for song in ids if song in self.segments}

    def segment_lengths(self, tracks: list[Track]) -> dict[str, float]:
        """How long segments are, as listed.

        Parameters
        ----------
        tracks : list of Track

        Returns
        -------
        dict of str to float
            In seconds, by song id, of those of the tracks that are segments.
        """
        folder = self.offsets.parent if self.offsets else None
        return {track.id: self.spans[track.id][1] for track in tracks if track.path.parent == folder}

    def missing_segments(self) -> list[Problem]:
        """A problem if offsets.csv lists segments that have no file."""
        missing = [song for song in self.spans if song not in self.segments]
        if not missing:
            return []
        fault = f"{len(missing)} of {len(self.spans)} entries have no file ({', '.join(missing[:5])})"
        return [Problem(f"{self.offsets}: {fault}; get them, or remove the entries", missing=True)]


def read_artists(metadata: Archive) -> dict[str, str]:
    """Artists by song id, where the metadata can be parsed without doubt.

    Parameters
    ----------
    metadata : Archive

    Returns
    -------
    dict of str to str
    """
    artists = {}
    for name in ("metadata_2013.csv", "metadata_2014.csv", "metadata_2015.csv"):
        header, *rows = metadata.rows(name) if name in metadata.members else [[]]
        place = next((i for i, column in enumerate(header) if column.lower() == "artist"), None)
        for row in rows if place else []:
            # two of the files do not quote texts with commas, and tags follow: rows are longer than the header, and a
            # field that starts with a blank is the second half of a text
            if len(row) > place + 1 and not any(field.startswith(" ") for field in row[: place + 2]):
                artists[row[0]] = row[place]
    return artists
