"""4Q: 900 excerpts of 30 s, 225 from each quadrant of the valence-arousal plane.

Layout: the distribution's folder `MER_audio_taffc_dataset`, named `4Q`: `Q1` to `Q4/<song id>.<mp3 or other>`,
`panda_dataset_taffc_annotations.csv` (the quadrant of each song) and `panda_dataset_taffc_metadata.csv` (its artist,
title and genres, among others). Song ids are AllMusic's, and so are the mood tags that the quadrants come from.
Labels: the class of each song; `data_prep.base.VALENCE_AROUSAL` has its signs.
Source: Panda, Malheiro, Paiva, "Novel audio features for music emotion recognition", IEEE Transactions on Affective
Computing 11(4), 2020 (online 2018).
"""

from collections import Counter
from functools import cached_property
from pathlib import Path

import pandas as pd

from common.errors import InputError
from data_prep.base import (
    ClassDataset,
    Problem,
    Track,
    audio_files,
    check_duplicates,
    check_duration,
    read_table,
)

QUADRANTS = {"Q1": "happy", "Q2": "angry", "Q3": "sad", "Q4": "relaxed"}
PER_QUADRANT = 225
SHORT = {"MT0013621344": 10, "MT0013914319": 10}  # seconds, by song id
SHORTEST_OTHER = 25.5  # seconds, of all other excerpts
SAME_ARTIST = {  # names that must be in the same fold; bands and their members are different artists
    "Bob Marley & the Wailers": "Bob Marley",
    "Charlie Poole & the North Carolina Ramblers": "Charlie Poole",
    "Eddie Heywood and His Orchestra": "Eddie Heywood",  # one recording is listed under both names
    "Sam Butera & the Witnesses": "Elmer Bernstein",  # different artists, but one recording is listed under both
    "Sizzla Kalonji": "Sizzla",
    "The Chipmunks": "Alvin & the Chipmunks",
    "The Sir Douglas Quintet + 2": "The Sir Douglas Quintet",
    "Xavier Cugat & His Orchestra": "Xavier Cugat",
}


class FourQ(ClassDataset):
    """A copy of 4Q under `<data root>/4Q`."""

    name = "4q"
    folder = "4Q"
    citation = (
        "Panda, R., Malheiro, R., & Paiva, R. P. (2020). Novel audio features for music emotion recognition. IEEE "
        "Transactions on Affective Computing, 11(4), 614-626."
    )
    source = "http://mir.dei.uc.pt/downloads.html (its folder MER_audio_taffc_dataset, named 4Q)"
    n_tracks = len(QUADRANTS) * PER_QUADRANT
    original_format = "mp3"
    classes = tuple(QUADRANTS.values())

    @cached_property
    def quadrants(self) -> dict[str, str]:
        """Q1 to Q4, by song id, in the distribution's order. Raises InputError for a malformed table."""
        return self._table("annotations", ["Song", "Quadrant"])["Quadrant"].to_dict()

    @cached_property
    def labels(self) -> pd.DataFrame:
        """The class of each song: column `class`, by song id."""
        classes = {song: QUADRANTS[quadrant] for song, quadrant in self.quadrants.items()}
        return pd.DataFrame({"class": classes}).rename_axis("song id")

    @cached_property
    def metadata(self) -> pd.DataFrame:
        """Columns Artist, Title, GenresStr ('Jazz; Vocal') and Quadrant as in the distribution, by song id."""
        table = self._table("metadata", ["Song", "Artist", "Title", "GenresStr", "Quadrant"])
        differ = sorted(set(self.quadrants.items()) ^ set(table["Quadrant"].items()))
        if differ:
            where = self._path("annotations").name
            fault = f"song {differ[0][0]} is missing or in another quadrant than in {where}"
            raise InputError(f"{self._path('metadata')}: {fault}; get both from {self.source}")
        return table.loc[list(self.quadrants)]

    def _path(self, table: str) -> Path:
        return self.root / f"panda_dataset_taffc_{table}.csv"

    def _table(self, name: str, columns: list[str]) -> pd.DataFrame:
        table = read_table(self._path(name), columns, f"get it from {self.source}")
        unknown = table["Quadrant"][~table["Quadrant"].isin(QUADRANTS)]
        if len(unknown):
            fault = f"song {unknown.index[0]}: quadrant '{unknown.iloc[0]}' is not {', '.join(QUADRANTS)}"
            raise InputError(f"{self._path(name)}: {fault}; get it from {self.source}")
        return table

    @cached_property
    def _files(self) -> dict[str, dict[str, Path]]:
        return {quadrant: audio_files(self.root / quadrant) for quadrant in QUADRANTS}

    @cached_property
    def tracks(self) -> list[Track]:
        """The available excerpts, by song id; artists under one name each (`SAME_ARTIST`), None if not named."""
        tracks = []
        for song, quadrant in self.quadrants.items():
            path = self._files[quadrant].get(song)
            if path:
                artist, genres = self.metadata.loc[song, ["Artist", "GenresStr"]]
                tracks.append(Track(song, path, genres, SAME_ARTIST.get(artist, artist) or None))
        return tracks

    def validate(self) -> list[Problem]:
        """Absent songs and excerpts, misplaced files, files that are not audio or are cut off, and duplicates."""
        problems, sizes = [], Counter(self.quadrants.values())
        if any(sizes[quadrant] != PER_QUADRANT for quadrant in QUADRANTS):
            numbers = ", ".join(f"{sizes[quadrant]} of {quadrant}" for quadrant in QUADRANTS)
            fault = f"has {numbers} instead of {PER_QUADRANT} each"
            text = f"{self._path('annotations')}: {fault}; get it from {self.source}"
            problems.append(Problem(text, missing=all(n <= PER_QUADRANT for n in sizes.values())))
        absent = [f"{where}/{song}" for song, where in self.quadrants.items() if song not in self._files[where]]
        if absent:
            named = ", ".join(absent[:5]) + ", ..." * (len(absent) > 5)
            text = f"{self.root}: {len(absent)} of {len(self.quadrants)} excerpts are missing ({named})"
            problems.append(Problem(f"{text}; get them from {self.source}", missing=True))
        for quadrant, files in self._files.items():
            for song, path in files.items():
                annotated = self.quadrants.get(song)
                if annotated != quadrant:
                    fault = f"is annotated {annotated}" if annotated else "is not annotated"
                    problems.append(Problem(f"{path}: song {song} {fault}; remove it, or get the data set again"))
        checks = {track.id: check_duration(track.path, SHORT.get(track.id, SHORTEST_OTHER)) for track in self.tracks}
        problems += [problem for problem in checks.values() if problem]
        return problems + check_duplicates([track for track in self.tracks if not checks[track.id]])
