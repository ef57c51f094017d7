"""Linear regression of every frame on 260 openSMILE features -> valence and arousal, ten folds by song, RMSE."""

import hashlib
from functools import cached_property

from common import cli, protocol
from common.experiment import Dynamic, Experiment, Samples, Variant
from common.features.opensmile import OpenSmile
from data_prep import open_dataset
from data_prep.dynamic import labelled_windows

FOLDS = 10
VARIANTS = [
    Variant("linear_regression", "linear regression, 260 features", {"protocol": 1}, primary=True, core_seconds=5),
    Variant("training_mean", "baseline: mean of the training songs", {"protocol": 1}, core_seconds=1),
]


class CrossValidation(Experiment):
    """The development songs in ten folds; the predictions of all folds are pooled."""

    paper, dataset = "mediaeval2015_baseline", "mediaeval2015"

    def __init__(self, data, folds: int, n_jobs: int):
        self.data, self.folds, self.n_jobs, self.for_record = data, folds, n_jobs, not data.synthetic

    def task(self, variant):
        """Valence and arousal over time, by RMSE and correlation."""
        return Dynamic(("valence", "arousal"))

    @cached_property
    def songs(self) -> Samples:
        """Features and labels at the same frames."""
        songs = labelled_windows(self.data, "development", self.extractor(None), n_jobs=self.n_jobs)
        _, x, y = zip(*songs.values(), strict=True)
        x, y = protocol.Sequences.of(x), protocol.Sequences.of(y)
        return Samples(list(songs), x, y, list(songs))

    def samples(self, variant):
        """The same for all variants."""
        return self.songs

    def splits(self, variant, seed):
        """Folds by song, shuffled by the seed."""
        return protocol.cross_validation("cross-validation", len(self.songs), self.folds, seed)

    def predict(self, variant, split, trained):
        """Frames (n_frames, 2) of each test song."""
        from reproductions.mediaeval2015_baseline import model

        x, y = self.songs.x, self.songs.y
        fitted = getattr(model, variant.name)().fit(x.subset(split.train).values, y.subset(split.train).values)
        return {name: [fitted.predict(x[song]) for song in songs] for name, songs in split.tests.items()}

    def extractor(self, variant):
        """openSMILE's for synthetic music; the task's features come with the data."""
        return OpenSmile() if self.data.synthetic else None

    def facts(self, variant):
        """The development songs with features, of all."""
        ids, x, y = self.songs.ids, self.songs.x, self.songs.y
        digest = hashlib.sha256(" ".join(ids).encode() + x.values.tobytes() + y.values.tobytes())
        source, of = (
            "synthetic music" if self.data.synthetic else "the task's 260 openSMILE features",
            len(self.data.splits["development"]),
        )
        return {
            "fingerprint": digest.hexdigest(), "audio": "none", "input": source, "partial": self.folds != FOLDS,
            "n_train": len(ids), "of_train": of, "n_test": len(ids), "of_test": of,
            "targets": list(self.task(variant).targets), "tracks": ids,
        }  # fmt: skip


def build(options) -> CrossValidation:
    """The experiment on the task's data; without a data root on synthetic music.

    Parameters
    ----------
    options : argparse.Namespace
        `data_root`, `allow_missing`, `folds` and `jobs` are read.

    Returns
    -------
    CrossValidation

    Raises
    ------
    InputError
        If the data set is not there or not as distributed.
    """
    data = open_dataset("deam", options.data_root, synthetic="synthetic_dynamic")
    data.require(allow_missing=options.allow_missing)
    return CrossValidation(data, options.folds or FOLDS, options.jobs)


TRAINING = cli.Training(
    lambda options: VARIANTS,
    build,
    lambda variant: ("training_mean",),
    repeats=10,
)
main = TRAINING.main

if __name__ == "__main__":
    cli.run_module(__spec__)
