"""The songs of the task with what a network hears of them and their labels, at the same frames."""

from dataclasses import dataclass

import numpy as np

from common import protocol
from common.errors import InputError
from common.features import logmel, opensmile
from common.features.store import FeatureStore
from data_prep.dataset import at_labels

INPUTS = {
    "official": "the task's 260 openSMILE features",
    "means": "the means of the 65 descriptors alone, of the task's features",
    "timeless": "the 248 of the task's features that do not tell how long a file has gone on",
    "opensmile": "the 260 features from audio, by this suite's openSMILE",
    "log_mel": "64 log-mel energies from audio",
}
COLUMNS = {"means": opensmile.MEANS, "timeless": opensmile.TIMELESS}  # of the task's features


@dataclass(frozen=True)
class Part:
    """Songs with features and labels at the same frames."""

    ids: list[str]
    x: protocol.Sequences  # features
    y: protocol.Sequences  # valence, arousal

    def __len__(self):
        return len(self.ids)

    def some(self, songs) -> "Part":
        """Those at some indices."""
        pick = [protocol.Sequences.of([values[i] for i in songs]) for values in (self.x, self.y)]
        return Part([self.ids[i] for i in songs], *pick)


def extractor(source: str):
    """The extractor of an input that is computed from audio."""
    return logmel.LogMel() if source == "log_mel" else opensmile.OpenSmile()


class Material:
    """The songs of both splits that have one kind of input, aligned with one source of labels."""

    def __init__(self, data, source: str, labels: str, align: str, jobs: int):
        self.data, self.labels, self.align, self.jobs = data, labels, align, jobs
        self.development = self._part("development", source)
        self.tests = {"evaluation": self._part("evaluation", source)} if data.splits["evaluation"] else {}
        if source == "official" and data.given_features and data.are_cuts(data.splits["evaluation"]):
            self.tests["evaluation_cuts"] = self._part("evaluation", "opensmile")
            features, at = self.tests["evaluation_cuts"].x.values, opensmile.SINCE_START
            features[:, at] = self.development.x.values[:, at].mean(0)  # not known from a cut

    def _part(self, split: str, source: str) -> Part:
        annotations, found = self.data.annotations(split, self.labels), {}
        for song, (starts, values) in self._features(list(annotations), source).items():
            there, rows = at_labels(annotations[song].times, starts, values, self.align)
            if len(rows) == 0:
                grid = "starts must be multiples of 0.5 s, and windows end where labels are"
                raise InputError(
                    f"{self.data.root}: no window of song {song} from {starts[0]:g} s on has a label; {grid}"
                )
            found[song] = rows, annotations[song].values[there]
        if not found:
            raise InputError(f"{self.data.root}: no {split} song has {INPUTS[source]}; get it from {self.data.source}")
        return Part(list(found), *(protocol.Sequences.of(list(songs)) for songs in zip(*found.values(), strict=True)))

    def _features(self, ids: list[str], source: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By song: where each window starts, for a window of 1 s, and the features (n, dimension)."""
        if source in COLUMNS:
            of_all = self._features(ids, "official")
            return {song: (starts, values[:, COLUMNS[source]]) for song, (starts, values) in of_all.items()}
        if source == "official" and self.data.given_features:
            return self.data.features(ids)
        recordings = self.data.recordings(ids)
        found = FeatureStore().get_all([r.path for r in recordings.values()], extractor(source), jobs=self.jobs)
        early = 0.5 if source == "log_mel" else 0.0  # a segment of 0.5 s ends where a window of 1 s would
        return {song: (recording.start_s - early + 0.5 * np.arange(len(values)), values)
                for (song, recording), values in zip(recordings.items(), found, strict=True)}  # fmt: skip

    def facts(self, split: str, part: Part) -> dict:
        """What a record states of the songs of a split."""
        split = split.removesuffix("_cuts")
        of, frames = self.data.splits[split], self.data.annotations(split, self.labels)
        labelled = sum(len(frames[song].times) for song in part.ids)
        artists = {track.id: track.artist for track in self.data.tracks}
        found = {"n_test": len(part), "of_test": len(of), "tracks": part.ids}
        found["artists"] = [artists.get(song) or song for song in part.ids]
        if len(part.x.values) < labelled:
            found["frames"] = f"{len(part.x.values):,} of {labelled:,} labels"
        return found
