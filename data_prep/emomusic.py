"""emoMusic, "1000 songs": valence and arousal every 0.5 s in 744 clips of 45 s, used by MediaEval 2013.

Layout: `emoMusic/` with `annotations`, a folder or a zip file, and the audio in `clips_45seconds/<id>.mp3`. The clips
are DEAM's songs up to 1000: features come from `DEAM/` next to it, and so does audio, complete or in segments, where
that has more of it (`data_prep.deam`).

Labels: valence and arousal, in this order, each in [-1, 1], at 15.0, 15.5, ..., 45.0 s: 61 of each clip. Their clock
is the clip's. DEAM's averages are the same without the last.
Features: the 260 of DEAM; a label's window is the one that ends there. The files of three clips end with the window
from 43.5 to 44.5 s, so the last label has none (`ENDS_EARLY`): where all labels need a window these clips are left
out, and nothing is filled in.
Artists: the metadata split "artist-title" at the last hyphen, so a title with a hyphen is half in the artist's name. A
name is cut at its first hyphen where several names agree up to there; the others are as written.
Source: Soleymani, Caro, Schmidt, Sha, Yang, "1000 songs for emotional analysis of music", CrowdMM 2013.
"""

import hashlib
import io
from collections import defaultdict
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from common.errors import InputError
from data_prep.archive import Archive
from data_prep.base import Problem, Track, audio_files, check_duration
from data_prep.deam import Deam
from data_prep.deam.annotations import read_annotations
from data_prep.deam.features import EXCERPT_S
from data_prep.dynamic import Annotation, DynamicDataset, Recording, align_to_labels, annotation_table

CLIPS, LABELS = 744, 61
SPLITS = {"development": 619, "evaluation": 125}  # clips, of the task in 2013
ENDS_EARLY = ("240", "272", "435")  # features of the first 60 labels only
INFO = ["song_id", "Artist", "Song title", "Genre", "Mediaeval 2013 set"]
RATINGS = ["mean_valence", "mean_arousal"]


class Emomusic(DynamicDataset):
    """A copy of emoMusic under `<data root>/emoMusic`, with features and audio of `<data root>/DEAM` if it is there."""

    name = "emomusic"
    folder = "emoMusic"
    citation = (
        "Soleymani, M., Caro, M. N., Schmidt, E. M., Sha, C.-Y., & Yang, Y.-H. (2013). 1000 songs for emotional "
        "analysis of music. Proceedings of the 2nd ACM International Workshop on Crowdsourcing for Multimedia, 1-6."
    )
    citation += "\n" + Deam.citation  # whose features and audio these are
    source = "https://cvml.unige.ch/databases/emoMusic/"
    n_tracks = CLIPS
    original_format = "mp3"
    needs_audio = False
    includes_features = True

    def __init__(self, root: Path):
        super().__init__(root)
        self._archive = Archive(self.root, ("annotations", "annotations.zip"), self.source)
        self._deam = Deam(root) if (Path(root) / Deam.folder).is_dir() else None

    @property
    def artists(self) -> dict[str, str]:
        """The artist of each clip, by song id."""
        return self.songs["artist"].to_dict()

    @cached_property
    def songs(self) -> pd.DataFrame:
        """Columns artist, title, genre and split by song id, ascending: a row for each clip that has labels."""
        where = self._archive.where("songs_info.csv")
        header, *rows = self._archive.rows("songs_info.csv")
        absent = [column for column in INFO if column not in header]
        if absent:
            raise InputError(f"{where}: has no column '{absent[0]}'; get it from {self.source}")
        places, songs = [header.index(column) for column in INFO], {}
        for line, row in enumerate(rows, 2):
            if len(row) != len(header):
                raise InputError(f"{where}: line {line}: has {len(row)} fields, not {len(header)}; get the file again")
            song, *fields = (row[place].strip() for place in places)
            if song in songs or fields[-1] not in SPLITS:
                fault = "has a second line" if song in songs else f"set {fields[-1]!r} is not {' or '.join(SPLITS)}"
                raise InputError(f"{where}: line {line}, song {song}: {fault}; get the file again")
            songs[song] = fields
        self._require_all(where, songs)
        columns = ["artist", "title", "genre", "split"]
        table = pd.DataFrame.from_dict(songs, orient="index", columns=columns).loc[list(self._annotations)]
        heads = table["artist"].str.split("-").str[0]
        shared = table["artist"].groupby(heads).transform("nunique") > 1
        table["artist"] = table["artist"].where(~shared, heads)
        return table.rename_axis("song id")

    def _require_all(self, where: str, songs) -> None:
        """Raises InputError unless these are the songs of the labels."""
        for song in self._annotations:
            if song not in songs:
                raise InputError(f"{where}: has no song {song}, which has labels; get it from {self.source}")
        for song in songs:
            if song not in self._annotations:
                labels = self._archive.where("arousal_cont_average.csv")
                raise InputError(f"{labels}: has no song {song}, which is in {where}; get both from {self.source}")

    @cached_property
    def splits(self) -> dict[str, list[str]]:
        """The task's of 2013: development (619 clips) and evaluation (125); song ids, ascending."""
        return {split: list(self.songs.index[self.songs["split"] == split]) for split in SPLITS}

    @cached_property
    def _annotations(self) -> dict[str, Annotation]:
        names = ("valence_cont_average.csv", "arousal_cont_average.csv")
        files = [(self._archive.where(name), self._archive.read(name)) for name in names]
        return read_annotations(*files, excerpt_labels=LABELS)

    def annotations(self, split: str | None = None, source: str = "task") -> dict[str, Annotation]:
        """Labels of a split, or of all clips if it is None, by song id, ascending: 61 each. There is one source."""
        return {song: self._annotations[song] for song in (self.splits[split] if split else self._annotations)}

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Valence and arousal, each in [-1, 1], by song id and time."""
        return annotation_table(self._annotations)

    def ratings(self) -> dict[str, np.ndarray]:
        """Mean ratings of complete clips, from 1 to 9, by song id, ascending, (2,): valence and arousal.

        Raises
        ------
        InputError : if the table is missing or malformed, or has other songs than the labels
        """
        where, content = self._archive.where("static_annotations.csv"), self._archive.read("static_annotations.csv")
        try:
            table = pd.read_csv(io.BytesIO(content), dtype=defaultdict(lambda: "float64", song_id="str"))
        except ValueError as error:
            raise InputError(f"{where}: cannot be read as a table of numbers ({error}); get it again") from error
        absent = [column for column in ["song_id", *RATINGS] if column not in table]
        if absent:
            raise InputError(f"{where}: has no column '{absent[0]}'; get it from {self.source}")
        table = table.set_index("song_id")[RATINGS]
        if table.index.has_duplicates:
            raise InputError(f"{where}: song {table.index[table.index.duplicated()][0]} has two rows; get it again")
        bad = np.argwhere(~((table >= 1) & (table <= 9)).to_numpy())
        if len(bad):
            row, column = bad[0]
            fault = f"song {table.index[row]}, {RATINGS[column]}: {table.iloc[row, column]:g} is not from 1 to 9"
            raise InputError(f"{where}: {fault}; get it again")
        self._require_all(where, table.index)
        return {song: table.loc[song].to_numpy() for song in self._annotations}

    def features(self, ids: list[str] | None = None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """DEAM's features of the clips that have a file, as `Deam.features`; of all clips if `ids` is None."""
        return self._deam.features(list(self._annotations) if ids is None else ids) if self._deam else {}

    def recordings(self, ids: list[str]) -> dict[str, Recording]:
        """Audio of the clips that have a file: this data set's complete clips, or DEAM's audio if that has more."""
        own = {song: Recording(self._clips[song], 0.0) for song in ids if song in self._clips}
        of_deam = self._deam.recordings(ids) if self._deam else {}
        return own if len(own) >= len(of_deam) else of_deam

    @cached_property
    def _clips(self) -> dict[str, Path]:
        return audio_files(self.root / "clips_45seconds")

    @cached_property
    def tracks(self) -> list[Track]:
        """The available recordings, by song id."""
        songs, recordings = self.songs, self.recordings(list(self._annotations))
        return [
            Track(song, recording.path, songs.at[song, "genre"], songs.at[song, "artist"])
            for song, recording in recordings.items()
        ]

    @cached_property
    def segments(self) -> dict[str, float]:
        """Length in seconds of each track that is a segment, by song id."""
        return self._deam.segment_lengths(self.tracks) if self._deam else {}

    def extractors(self) -> tuple:
        """ComParE's functionals; the official features come with DEAM."""
        from common.features.compare import ComParE

        return (ComParE(),)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of labels and audio as of every data set, of artists, splits, ratings and features."""
        digest = hashlib.sha256((super().fingerprint + self.songs.to_csv()).encode())
        digest.update(np.array(list(self.ratings().values())).tobytes())
        for song, (start_s, rows) in self.features().items():
            digest.update(f"{song}\0".encode())
            digest.update(start_s.tobytes())
            digest.update(rows.tobytes())
        return digest.hexdigest()

    def validate(self) -> list[Problem]:
        """Absent labels, features and recordings; clips with too few windows; files that are cut off."""
        problems, sizes = [], {split: len(songs) for split, songs in self.splits.items()}
        self.ratings()  # raises InputError for a malformed file
        if sizes != SPLITS:
            numbers = " and ".join(f"{sizes[split]} of {SPLITS[split]} {split} clips" for split in SPLITS)
            text = f"{self._archive.place}: labels of {numbers}; get them from {self.source}"
            problems.append(Problem(text, missing=True))
        if self.segments:
            kind = self.audio_kind.split(",")[0]
            text = f"{self.root}: {kind}, not all of it; get clips_45seconds from {self.source}"
            problems.append(Problem(text, missing=True))
        for what, available, origin in (
            ("audio", [track.id for track in self.tracks], f"clips_45seconds from {self.source}"),
            ("features", self.features(), f"the others with DEAM's features.zip from {Deam.source}"),
        ):
            absent = [song for song in self._annotations if song not in available]
            if absent:
                named = ", ".join(absent[:5]) + ", ..." * (len(absent) > 5)
                numbers = f"{what} of {len(self._annotations) - len(absent)} of the {len(self._annotations)} clips"
                text = f"{self.root}: {numbers} with labels (not {named}); get {origin}"
                problems.append(Problem(text, missing=True))
        return problems + self._too_few_windows() + self._cut_off()

    def _too_few_windows(self) -> list[Problem]:
        problems = []
        for song, windows in self.features().items():
            n = len(align_to_labels(self._annotations[song].times, *windows)[0])
            if n < LABELS - (song in ENDS_EARLY):
                fault = f"features of song {song} have windows that end at {n} of its {LABELS} labels"
                problems.append(Problem(f"{self._deam.root}: {fault}; get them again from {Deam.source}"))
        return problems

    def _cut_off(self) -> list[Problem]:
        lengths = {song: length - 0.1 for song, length in self.segments.items()}
        checks = (check_duration(track.path, lengths.get(track.id, EXCERPT_S)) for track in self.tracks)
        return [problem for problem in checks if problem]
