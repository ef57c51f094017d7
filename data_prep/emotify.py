"""Emotify: 400 one-minute excerpts in four genres, tagged with the nine GEMS emotions by players of a game.

Layout: `Emotify/data.csv` (one response per row) and `Emotify/emotifymusic/<genre>/<1..100>.<mp3 or other>`.
Labels: for each track and emotion the fraction, in [0, 1], of respondents who ticked it.
Source: Aljanaki, Wiering, Veltkamp, "Studying emotion induced by music through a crowdsourcing game",
Information Processing & Management 52(1), 2016.
"""

from functools import cached_property

import numpy as np
import pandas as pd

from common.errors import InputError
from data_prep.base import Dataset, Problem, Track, check_duration, find_audio

EMOTIONS = [
    "amazement", "solemnity", "tenderness", "nostalgia", "calmness", "power", "joyful_activation", "tension",
    "sadness",
]  # fmt: skip
GENRES = ["classical", "rock", "electronic", "pop"]  # track ids 1-100, 101-200, 201-300, 301-400
PER_GENRE = 100
RESPONSES = 8407
SHORT = {"16": 42, "40": 34.5, "66": 25.5, "73": 30}  # seconds; by track id
SHORTEST_OTHER = 58  # seconds; of all other excerpts


class Emotify(Dataset):
    """A copy of Emotify under `<data root>/Emotify`."""

    name = "emotify"
    folder = "Emotify"
    citation = (
        "Aljanaki, A., Wiering, F., & Veltkamp, R. C. (2016). Studying emotion induced by music through a "
        "crowdsourcing game. Information Processing & Management, 52(1), 115-128."
    )
    source = "https://www.projects.science.uu.nl/memotion/emotifydata/"
    n_tracks = len(GENRES) * PER_GENRE
    original_format = "mp3"

    @cached_property
    def tracks(self) -> list[Track]:
        """The available excerpts, by track id."""
        tracks = []
        for index in range(self.n_tracks):
            genre = GENRES[index // PER_GENRE]
            path = find_audio(self.root / "emotifymusic" / genre, str(index % PER_GENRE + 1))
            if path and str(index + 1) in self.labels.index:
                tracks.append(Track(str(index + 1), path, genre))
        return tracks

    @cached_property
    def responses(self) -> pd.DataFrame:
        """All responses: `track id` (a string) and 0 or 1 for each emotion. Raises InputError for a malformed table."""
        path = self.root / "data.csv"
        if not path.is_file():
            raise InputError(f"{path}: no such file; get it from {self.source}")
        try:
            table = pd.read_csv(path, dtype=str, skipinitialspace=True)
        except (ValueError, OSError) as error:
            raise InputError(f"{path}: cannot be read as a table ({error}); get it again") from error
        table.columns = table.columns.str.strip()
        for column in ["track id", *EMOTIONS]:
            if column not in table:
                raise InputError(f"{path}: has no column '{column}'; get it again from {self.source}")
        if table.empty:
            raise InputError(f"{path}: holds no responses; get it again from {self.source}")
        known = {str(i + 1) for i in range(self.n_tracks)}
        self._reject(path, table, "track id", ~table["track id"].isin(known), "not a track id from 1 to 400")
        for emotion in EMOTIONS:
            self._reject(path, table, emotion, ~table[emotion].isin(["0", "1"]), "neither 0 nor 1")
        return pd.concat([table["track id"], table[EMOTIONS].astype(int)], axis=1)

    @staticmethod
    def _reject(path, table, column, bad, fault):
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            value = f"line {row + 2}, column '{column}': {table[column][row]!r}"
            raise InputError(f"{path}: {value} is {fault}; get the file again")

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Fraction of respondents who ticked each emotion: (tracks, 9), in [0, 1], by track id."""
        means = self.responses.groupby("track id")[EMOTIONS].mean()
        return means.loc[sorted(means.index, key=int)]

    def validate(self) -> list[Problem]:
        """Absent tracks and responses, files that are not audio or are cut off."""
        available = {track.id for track in self.tracks}
        problems = []
        absent = [str(i + 1) for i in range(self.n_tracks) if str(i + 1) not in available]
        if absent:
            names = [f"{GENRES[(int(i) - 1) // PER_GENRE]}/{(int(i) - 1) % PER_GENRE + 1}" for i in absent]
            problems.append(
                Problem(
                    f"{self.root / 'emotifymusic'}: {len(absent)} of {self.n_tracks} tracks are missing "
                    f"({', '.join(names[:5])}{', ...' * (len(names) > 5)}); get them from {self.source}",
                    missing=True,
                )
            )
        if len(self.responses) != RESPONSES:
            problems.append(
                Problem(
                    f"{self.root / 'data.csv'}: has {len(self.responses):,} responses instead of {RESPONSES:,}; "
                    f"get it again from {self.source}",
                    missing=len(self.responses) < RESPONSES,
                )
            )
        checks = (check_duration(track.path, SHORT.get(track.id, SHORTEST_OTHER)) for track in self.tracks)
        return problems + [problem for problem in checks if problem]
