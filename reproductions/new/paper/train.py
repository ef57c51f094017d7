"""Features every half second -> GRU -> valence and arousal, ten folds by song, RMSE."""

import numpy as np

from common import cli, protocol
from common.experiment import Dynamic, Experiment, Network, Samples, Split, Trained, Variant
from common.experiment.identity import digest
from common.features.opensmile import OpenSmile
from data_prep import open_dynamic
from data_prep.dynamic import labelled_windows

FOLDS, EPOCHS, LENGTH, BATCH = 10, 20, 20, 32
TARGETS = ("valence", "arousal")


def variants(epochs: int | None = None) -> list[Variant]:
    """All systems of the paper's tables, and the baselines.

    Parameters
    ----------
    epochs : int, optional
        In the place of the published number.
    """
    network = {"units": 16, "epochs": epochs or EPOCHS}
    return [
        Variant("gru", "GRU", {"network": network}, primary=True, core_seconds=60),
        Variant("training_mean", "baseline: mean of the training songs", {"baseline": "training_mean"}),
    ]


PUBLISHED = {variant.name: variant.settings for variant in variants()}


def fit(settings: dict, songs: Samples, split: Split) -> Trained:
    """Train on the songs of all other folds; outputs: predictions of all frames of the test songs (n_frames, 2).

    Parameters
    ----------
    settings : dict
        `units` and `epochs`.
    songs : Samples
    split : Split
    """
    from common import backend, weights

    backend.start(split.seed)
    import keras

    from reproductions.paper_name import model

    mean, std = songs.x.moments(split.train)

    def sequences(chosen):
        x = songs.x.subset(chosen)
        scaled = protocol.Sequences((x.values - mean) / std, x.bounds)
        return scaled, *scaled.split_into(min(LENGTH, int(scaled.lengths.min())))

    _, x, starts = sequences(split.train)
    y = songs.y.subset(split.train).values[starts[:, None] + np.arange(x.shape[1])]
    net = model.gru(x.shape[2], settings["units"])
    net.compile(keras.optimizers.Adam(1e-3), "mse")
    history = net.fit(x, y, batch_size=BATCH, epochs=settings["epochs"], verbose=0).history
    outputs = {}
    for name, test in split.tests.items():
        scaled, windows, starts = sequences(test)
        outputs[name] = scaled.overlap_merge(net.predict(windows, verbose=0), starts)
    return Trained(outputs, {"loss": np.array(history["loss"])}, weights.with_scaling(net, mean, std))


class CrossValidation(Experiment):
    """All songs in folds; the predictions of all folds are pooled."""

    paper = "paper_name"

    def __init__(self, data, folds: int, n_jobs: int):
        self.data, self.folds, self.dataset, self.for_record = data, folds, data.name, not data.synthetic
        found = labelled_windows(data, "development", self.extractor(None), n_jobs=n_jobs)
        _, x, y = zip(*found.values(), strict=True)
        self.songs = Samples(list(found), protocol.Sequences.of(x), protocol.Sequences.of(y), list(found))

    def task(self, variant):
        """Valence and arousal over time, by RMSE."""
        return Dynamic(TARGETS, with_tau=False)

    def samples(self, variant):
        """The same for all variants."""
        return self.songs

    def splits(self, variant, seed):
        """Folds by song, shuffled by the seed."""
        return protocol.cross_validation("cross-validation", len(self.songs), self.folds, seed)

    def networks(self, variant, split):
        """The network, if the variant has one."""
        settings = variant.settings
        return [Network(fit, settings["network"], self.songs, split)] if "network" in settings else []

    def predict(self, variant, split, trained):
        """Frames (n_frames, 2) of each test song."""
        ((name, test),) = split.tests.items()
        if trained:
            return {name: np.split(trained[0].outputs[name], self.songs.y.subset(test).bounds[1:-1])}
        mean = self.songs.y.subset(split.train).values.mean(0)
        return {name: [np.repeat(mean[None], n, axis=0) for n in self.songs.y.lengths[test]]}

    def extractor(self, variant):
        """openSMILE's, where features do not come with the data."""
        return None if self.data.includes_features else OpenSmile()

    def facts(self, variant):
        """The songs with features, of all."""
        n, of = len(self.songs), len(self.data.splits["development"])
        partial = variant.settings != PUBLISHED.get(variant.name) or self.folds != FOLDS
        return {
            "fingerprint": digest([self.data.fingerprint, self.songs.ids]), "partial": partial,
            "audio": "none" if self.data.includes_features else self.data.audio_kind, "input": "260 openSMILE features",
            "n_train": n, "of_train": of, "n_test": n, "of_test": of, "targets": list(TARGETS),
            "tracks": self.songs.ids,
        }  # fmt: skip


def build(options) -> CrossValidation:
    """The experiment on the data set that the options name; without a data root on synthetic music.

    Parameters
    ----------
    options : argparse.Namespace
    """
    data = open_dynamic(options.dataset, options.data_root, synthetic="synthetic_dynamic", scale=options.scale)
    data.require(allow_missing=options.allow_missing)
    return CrossValidation(data, options.folds or FOLDS, options.jobs)


TRAINING = cli.Training(
    lambda options: variants(options.epochs),
    build,
    lambda variant: ("training_mean",),
    dataset="deam",
    own_labels=True,
)
main = TRAINING.main

if __name__ == "__main__":
    cli.run_module(__spec__)
