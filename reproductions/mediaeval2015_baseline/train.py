"""Linear regression of every frame on 260 openSMILE features -> valence and arousal, ten folds by song, RMSE."""

import hashlib
import sys
from pathlib import Path

import numpy as np

from common import cli, protocol
from common.features.opensmile import OpenSmile
from common.runs import Experiment, Variant
from data_prep import open_dataset
from data_prep.dataset import at_labels

TARGETS = ["valence", "arousal"]
FOLDS, SPLIT = 10, "cross-validation"
VARIANTS = [
    Variant("linear_regression", "linear regression, 260 features", {"protocol": 1}, primary=True, core_seconds=5),
    Variant("training_mean", "baseline: mean of the training songs", {"protocol": 1}, core_seconds=1),
]


class CrossValidation(Experiment):
    """The development songs in ten folds; predictions of all folds are pooled."""

    paper, dataset = "mediaeval2015_baseline", "mediaeval2015"

    def __init__(self, data, folds: int, partial: bool):
        self.folds, self.partial, self.for_record = folds, partial, not data.rendered
        annotations, songs = data.annotations("development"), {}
        self.of, self.source = len(annotations), "rendered" if data.rendered else "the task's 260 openSMILE features"
        self.computed = OpenSmile() if data.rendered else None
        for song, (starts, rows) in features(data, list(annotations)).items():
            there, x = at_labels(annotations[song].times, starts, rows)
            songs[song] = x, annotations[song].values[there]
        self.ids = list(songs)
        self.x, self.y = (protocol.Sequences.of(list(part)) for part in zip(*songs.values(), strict=True))

    def facts(self, variant):
        digest = hashlib.sha256(" ".join(self.ids).encode() + self.x.values.tobytes() + self.y.values.tobytes())
        return {
            "fingerprint": digest.hexdigest(), "audio": "none", "input": self.source, "partial": self.partial,
            "n_train": len(self.ids), "of_train": self.of, "n_test": len(self.ids), "of_test": self.of,
            "targets": TARGETS, "tracks": self.ids,
        }  # fmt: skip

    def extractor(self, variant):
        return self.computed

    def finish(self, variant, seed, found, jobs):
        from common import metrics
        from reproductions.mediaeval2015_baseline import model

        fold_of = protocol.k_folds(len(self.ids), self.folds, seed)
        frame_of = np.repeat(fold_of, self.x.lengths)
        predicted = np.empty_like(self.y.values)
        for fold in range(self.folds):
            train, test = frame_of != fold, frame_of == fold
            fit = getattr(model, variant.name)().fit(self.x.values[train], self.y.values[train])
            predicted[test] = fit.predict(self.x.values[test])
        estimate = protocol.Sequences(predicted, self.y.bounds)
        songs = metrics.of_songs(*([part[i] for i in range(len(self.ids))] for part in (self.y, estimate)))
        return {"metrics": {SPLIT: metrics.dynamic(songs, TARGETS)}, "songs": {SPLIT: songs}, "fold": fold_of.tolist()}


def features(data, ids: list[str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By song: where each window starts, and its features: the task's, or of rendered music computed here."""
    if not data.rendered:
        return data.features(ids)
    from common.features.store import FeatureStore

    recordings = data.recordings(ids)
    found = FeatureStore().get_all([r.path for r in recordings.values()], OpenSmile())
    return {song: (r.start_s + 0.5 * np.arange(len(rows)), rows)
            for (song, r), rows in zip(recordings.items(), found, strict=True)}  # fmt: skip


def build(options) -> CrossValidation:
    """The data set that the options name; without a data root the rendered one."""
    data = open_dataset("deam", options.data_root, rendered="synthetic_dynamic")
    data.require(allow_missing=options.allow_missing)
    return CrossValidation(data, options.folds or FOLDS, (options.folds or FOLDS) != FOLDS)


TRAINING = cli.Training(
    __doc__, lambda options: VARIANTS, build, lambda variant: ("training_mean",),
    Path(__file__).with_name("expected.json"), repeats=10,
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return cli.train(TRAINING, "python -m reproductions.mediaeval2015_baseline.train", arguments)


if __name__ == "__main__":
    sys.exit(main())
