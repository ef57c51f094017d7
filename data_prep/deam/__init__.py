"""DEAM: valence and arousal every 0.5 s, and the MediaEval 2015 task "Emotion in Music" on its songs.

Layout: `DEAM/` with `annotations`, `features` and `metadata`, each a folder or the distribution's zip file, and the
audio in `MEMD_audio/<id>.mp3` (`data_prep.deam.recordings`). Songs 2 to 2000 are excerpts of 45 s, songs 2001 to 2058
are complete. The development labels that the task handed out differ from DEAM's and lie in `MediaEval2015/` next to
`DEAM/`.

Labels (`data_prep.deam.annotations`): valence and arousal, in this order, each in [-1, 1], from 15.0 s on, every
0.5 s. Their clock is the song's: seconds from the start of the excerpt, or of the complete song in 2001 to 2058.
Features: `data_prep.deam.features`.
Source: Aljanaki, Yang, Soleymani, "Developing a benchmark for emotional analysis of music", PLoS ONE 12(3), 2017.
"""

import hashlib
import json
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from common.errors import InputError
from common.features import logmel, opensmile
from data_prep.archive import Archive
from data_prep.base import Problem, Track, check_duration
from data_prep.deam import annotations
from data_prep.deam.annotations import MEDIAEVAL2015
from data_prep.deam.features import OfficialFeatures
from data_prep.deam.recordings import Recordings, read_artists
from data_prep.dynamic import Annotation, DynamicDataset, Recording, align_to_labels, annotation_table

DEVELOPMENT, EVALUATION = MEDIAEVAL2015["development"], MEDIAEVAL2015["evaluation"]
ARCHIVES = {  # names under DEAM/, the first that exists is read
    "annotations": ("annotations", "DEAM_Annotations", "DEAM_Annotations.zip", "annotations.zip"),
    "features": ("features", "features.zip"),
    "metadata": ("metadata", "metadata.zip"),
}


class Deam(DynamicDataset):
    """A copy of DEAM under `<data root>/DEAM`: the 431 development and 58 evaluation songs of the task in 2015."""

    name = "deam"
    folder = "DEAM"
    citation = (
        "Aljanaki, A., Yang, Y.-H., & Soleymani, M. (2017). Developing a benchmark for emotional analysis of music. "
        "PLoS ONE, 12(3), e0173392."
    )
    source = "https://cvml.unige.ch/databases/DEAM/"
    n_tracks = len(DEVELOPMENT) + len(EVALUATION)
    original_format = "mp3"
    needs_audio = False
    includes_features = True

    def __init__(self, root: Path):
        super().__init__(root)
        self._task_files = {name: Path(root) / "MediaEval2015" / f"dev_{name}.csv" for name in ("valence", "arousal")}
        self._archives = {part: Archive(self.root, names, self.source) for part, names in ARCHIVES.items()}
        self._features = OfficialFeatures(self._archives["features"], self._archives["metadata"])
        self._recordings = Recordings(self.root)

    @property
    def has_task_labels(self) -> bool:
        """Whether the labels that the task handed out are there."""
        return all(path.is_file() for path in self._task_files.values())

    @cached_property
    def splits(self) -> dict[str, list[str]]:
        """The task's: development (431 songs) and evaluation (58), those with labels; song ids, ascending."""
        averaged = [song for song in DEVELOPMENT if song in self._averages]
        return {
            "development": list(self._task) if self.has_task_labels else averaged,
            "evaluation": [song for song in EVALUATION if song in self._averages],
        }

    def annotations(self, split: str, source: str = "task") -> dict[str, Annotation]:
        """Labels of a split, by song id; evaluation labels are always DEAM's.

        Parameters
        ----------
        split : "development" or "evaluation"
        source : one of `LABEL_SOURCES`

        Raises
        ------
        InputError : if labels are missing or a file is malformed
        """
        if split == "evaluation" or source == "deam":
            absent = [song for song in self.splits[split] if song not in self._averages]
            if absent:
                where = self._archives["annotations"].where("arousal.csv")
                raise InputError(f"{where}: has no song {absent[0]}; get it from {self.source}")
            return {song: self._averages[song] for song in self.splits[split]}
        return annotations.repair(self._task) if source == "repaired" else dict(self._task)

    @cached_property
    def _task(self) -> dict[str, Annotation]:
        for path in self._task_files.values():
            if not path.is_file():
                raise InputError(f"{path}: no such file; get the task's labels, or choose a variant with DEAM's own")
        return annotations.read_annotations(*((str(path), path.read_bytes()) for path in self._task_files.values()))

    @cached_property
    def _averages(self) -> dict[str, Annotation]:
        files = self._archives["annotations"]
        names = ("valence.csv", "arousal.csv")
        return annotations.read_annotations(*((files.where(name), files.read(name)) for name in names))

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Valence and arousal, each in [-1, 1], by song id and time; the task's if they are there, else DEAM's."""
        development = self.annotations("development", "task" if self.has_task_labels else "deam")
        return annotation_table(development | self.annotations("evaluation"))

    def ratings(self) -> dict[str, np.ndarray]:
        """Song-level ratings, `data_prep.deam.annotations.read_ratings`."""
        return annotations.read_ratings(self._archives["annotations"])

    def features(self, ids: list[str] | None = None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """The official features of the songs that have a file; of all of them if `ids` is None.

        Returns
        -------
        by song id: where each window starts, float64 (n,), in seconds on the labels' clock, ascending; and float32
        (n, 260) in the order of `data_prep.deam.features.FEATURES`. Of songs up to 1000 only the windows that start
        within the excerpt.

        Raises
        ------
        InputError : if a file is not as distributed
        """
        available = self._features.by_song
        return {song: available[song] for song in (available if ids is None else ids) if song in available}

    def recordings(self, ids: list[str]) -> dict[str, Recording]:
        """Audio of the songs that have a file: complete excerpts (or songs) if all have one, else segments."""
        return self._recordings.of(ids)

    def are_segments(self, ids: list[str]) -> bool:
        """Whether `recordings` gives segments of these songs."""
        return self._recordings.are_segments(ids)

    @cached_property
    def tracks(self) -> list[Track]:
        """The available recordings of the songs of both splits."""
        artists = read_artists(self._archives["metadata"])
        recordings = self.recordings([song for split in self.splits.values() for song in split])
        return [Track(song, recording.path, artist=artists.get(song)) for song, recording in recordings.items()]

    @cached_property
    def segments(self) -> dict[str, float]:
        """Length in seconds of each track that is a segment, by song id."""
        return self.segment_lengths(self.tracks)

    def segment_lengths(self, tracks: list[Track]) -> dict[str, float]:
        """How long segments are, as listed.

        Parameters
        ----------
        tracks : list of Track

        Returns
        -------
        dict
            In seconds, by song id, of those of the tracks that are segments in this copy of DEAM.
        """
        return self._recordings.segment_lengths(tracks)

    def extractors(self) -> tuple:
        """The suite's own openSMILE features (the official ones come with the data) and log-mel energies."""
        return opensmile.OpenSmile(), logmel.LogMel()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of labels and audio as of every data set, of DEAM's averages and of the official features."""
        averages = annotation_table(self._averages).to_numpy().tobytes()
        parts = [super().fingerprint, hashlib.sha256(averages).hexdigest(), self._features.key]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def validate(self) -> list[Problem]:
        """Absent labels, features and recordings; songs with too few windows; files that are cut off."""
        return [*self._absent(), *self._incomplete_audio(), *self._too_few_windows(), *self._cut_off()]

    def _absent(self) -> list[Problem]:
        problems, sizes = [], {"development": len(DEVELOPMENT), "evaluation": len(EVALUATION)}
        absent = [path.name for path in self._task_files.values() if not path.is_file()]
        if absent:
            folder = self._task_files["arousal"].parent
            hint = "get them, or choose a variant with DEAM's own"
            text = f"{folder}: has no {' and no '.join(absent)}, the task's labels; {hint}"
            problems.append(Problem(text, missing=True))
        for what, available, file in (
            ("labels", self.labels.index.unique(0), "DEAM_Annotations.zip"),
            ("features", self.features(), "features.zip"),
            ("audio", [track.id for track in self.tracks], "DEAM_audio.zip"),
        ):
            counts = {split: sum(song in available for song in self.splits[split]) for split in sizes}
            if counts != sizes:
                numbers = " and ".join(f"{counts[split]} of {sizes[split]} {split} songs" for split in sizes)
                text = f"{self.root}: {what} of {numbers}; get {file} from {self.source}"
                problems.append(Problem(text, missing=True))
        return problems

    def _incomplete_audio(self) -> list[Problem]:
        if not self.segments:
            return []
        kind, folder = self.audio_kind.split(",")[0], self._recordings.offsets.parent
        text = f"{folder}: {kind}, not all of it; get and unpack DEAM_audio.zip from {self.source}"
        return [Problem(text, missing=True), *self._recordings.missing_segments()]

    def _too_few_windows(self) -> list[Problem]:
        problems, features = [], self.features()
        for song, table in self.labels.groupby(level=0, sort=False):
            if song not in features:
                continue
            n = len(align_to_labels(table.index.unique(1), *features[song])[0])
            if n < len(table):
                where = self._archives["features"].where(f"{song}.csv")
                fault = f"has windows that end at {n} of the {len(table)} labels of song {song}"
                problems.append(Problem(f"{where}: {fault}; get it again"))
        return problems

    def _cut_off(self) -> list[Problem]:
        ends = self.labels.index.to_frame().groupby(level=0)["time"].max().to_dict() | self.segments
        checks = (check_duration(track.path, ends[track.id] - 0.1) for track in self.tracks)
        return [problem for problem in checks if problem]
