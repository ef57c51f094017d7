"""Section 3: features every half second -> CRNN -> valence and arousal, MediaEval 2015 "Emotion in Music", RMSE.

Without --variant it runs the abstract's row, sequences of 20 frames. On a collection of your own (--dataset NAME, a
folder of the data root with labels.csv) it is cross-validated by song.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from common import cli, protocol
from common.errors import InputError
from common.experiment import Dynamic, Experiment, Network, Samples, Split, Trained
from data_prep import open_dynamic
from reproductions.malik2017 import li2016
from reproductions.malik2017.songs import INPUTS, Songs, coverage, extractor, load
from reproductions.malik2017.variants import FOLDS, LENGTHS, NETWORK, baselines, variants

PAPER_DATASET = "mediaeval2015"  # the paper's task, on songs of DEAM
SEEDS, BATCH, CHECK, PATIENCE = 5, 32, 10, 50
TARGETS = ("valence", "arousal")
OF_TRAINING = ("length", "epochs", "until", "validation", "loss", "overlapping")  # the others are the network's
PUBLISHED = {variant.name: variant.settings for variant in variants()}  # with as many epochs as in the paper


def fit(settings: dict, samples: Samples, split: Split) -> Trained:
    """Train on some songs until their error is as low as `until`, by default the published one, then predict.

    Parameters
    ----------
    settings : dict
        `length`, in frames, `epochs` (at most), `until`, and interpretations as `model.crnn` names them; `loss`, one of
        `model.LOSSES`; `overlapping`, whether a frame is predicted by all sequences that hold it, averaged. `until` is
        compared with the RMSE, mean of both targets, on all songs that are trained on or validate.
    samples : Samples
        x and y are `Sequences`: features (n_frames, n) and labels (n_frames, 2).
    split : Split
        With songs to validate, training ends PATIENCE epochs after the weights that are best on them, which are kept.

    Returns
    -------
    Trained
        Outputs: predictions, float32 (n_frames, 2), by test split. History: the RMSE of both targets every CHECK
        epochs, by split.

    Raises
    ------
    InputError
        If a training song is shorter than a sequence.
    """
    from common import backend, weights

    backend.start(split.seed)
    from keras.callbacks import EarlyStopping
    from keras.optimizers import Adam

    from common.layers.fused import fuse
    from common.training import EvaluateSongs, StopAtTrainingError
    from reproductions.malik2017 import model

    length, of_network = settings["length"], {k: v for k, v in settings.items() if k not in OF_TRAINING}
    mean, std = samples.x.moments(split.train)
    x, starts = samples.x.subset(split.train).scaled(mean, std).split_into(length)
    y = samples.y.subset(split.train).values[starts[:, None] + np.arange(length)]
    plain = model.crnn(x.shape[2], length, **of_network)
    net = fuse(plain)  # faster, with the same weights; `plain` is what is saved
    net.compile(Adam(1e-3, epsilon=1e-8), model.LOSSES[settings.get("loss", "batch")])  # Adam's paper and Keras 1
    parts = {"development": np.union1d(split.train, split.validation)} | split.tests
    parts |= {"validation": split.validation} if len(split.validation) else {}
    features = {name: samples.x.subset(songs).scaled(mean, std) for name, songs in parts.items()}
    hop = 1 if settings.get("overlapping") else length
    predict = {name: predictor(net, of_part, length, hop, of_network) for name, of_part in features.items()}
    labels = {name: samples.y.subset(songs).values for name, songs in parts.items()}
    evaluate = EvaluateSongs(predict, labels, every=CHECK)
    callbacks = [evaluate, StopAtTrainingError(settings["until"], "development_rmse")]
    if len(split.validation):
        callbacks.append(EarlyStopping("validation_rmse", patience=PATIENCE, mode="min", restore_best_weights=True))
    net.fit(x, y, batch_size=BATCH, epochs=settings["epochs"], callbacks=callbacks, verbose=0)
    errors = zip(parts, np.swapaxes(evaluate.errors, 0, 1), strict=True)
    history = {"epoch": np.array(evaluate.epochs)} | {f"rmse, {name}": of_part for name, of_part in errors}
    outputs = {name: predict[name]() for name in split.tests}
    return Trained(outputs, history, weights.with_scaling(plain, mean, std))


def predictor(net, features: protocol.Sequences, length: int, hop: int, of_network: dict) -> Callable[[], np.ndarray]:
    """A function that predicts, with the weights of the moment, all frames of some songs.

    Songs are split into sequences; where one is shorter than `length`, all sequences are as long as the shortest song.

    Parameters
    ----------
    net : keras.Model
        For sequences of `length`, as `common.layers.fused.fuse` makes it.
    features : Sequences
        Scaled, (n_frames, n) in all.
    length, hop : int
        In frames, of a sequence and from one to the next. With a hop below the length, a frame is the mean over its
        sequences.
    of_network : dict
        Settings of `model.crnn`, for a network with shorter sequences.

    Returns
    -------
    callable
        Without arguments; returns float32 (n_frames, 2).
    """
    from common.layers.fused import fuse
    from reproductions.malik2017 import model

    shortest = min(length, int(features.lengths.min()))
    windows, starts = features.split_into(shortest, min(hop, shortest))
    # Batches of about 2,000 frames, which memory holds; all of one size, so that the network is traced once.
    size = -(-len(windows) // -(-windows[..., 0].size // 2000))
    firsts = np.minimum(np.arange(0, len(windows), size), len(windows) - size)
    own = net if shortest == length else fuse(model.crnn(features.values.shape[1], shortest, **of_network))

    def predict() -> np.ndarray:
        if own is not net:
            own.set_weights(net.get_weights())
        predicted = np.empty((*windows.shape[:2], len(TARGETS)), "float32")
        for first in firsts:
            predicted[first : first + size] = own.predict_on_batch(windows[first : first + size])
        return (features.overlap_mean if hop < length else features.overlap_merge)(predicted, starts)

    return predict


class MediaEval2015(Experiment):
    """The task's split, development and evaluation songs; or cross-validation by song on the development songs."""

    paper = "malik2017"

    def __init__(self, data, folds: int, n_jobs: int):
        self.data, self.folds, self.n_jobs, self._songs = data, folds, n_jobs, {}
        self.dataset, self.for_record = PAPER_DATASET if data.name == "deam" else data.name, not data.synthetic

    def task(self, variant):
        """Valence and arousal over time, by RMSE, also within sequences of the four lengths."""
        return Dynamic(TARGETS, with_tau=False, sequences=LENGTHS)

    def songs(self, variant) -> Songs:
        """The songs of a variant, read once.

        Parameters
        ----------
        variant : Variant

        Returns
        -------
        Songs

        Raises
        ------
        InputError
            As `load`.
        """
        settings = variant.settings
        key = settings["input"], settings["labels"], settings["align"]
        evaluation = not settings["cross_validation"]
        if (key, evaluation) not in self._songs:
            self._songs[key, evaluation] = load(self.data, *key, self.n_jobs, evaluation=evaluation)
        return self._songs[key, evaluation]

    def samples(self, variant):
        """Features and labels of the frames of each song, as `Sequences` (n_frames, ...)."""
        return self.songs(variant).samples

    def splits(self, variant, seed):
        """The task's split, the same for all seeds but for the networks' seed; or one split a fold."""
        songs, settings = self.songs(variant), variant.settings
        if settings["cross_validation"]:
            parts = protocol.cross_validation("cross-validation", len(songs.samples), self.folds, seed)
        else:
            parts = [Split(songs.of_split["development"], songs.of_split, seed=1000 * seed)]
            if "songs" in settings:
                parts = [fewer_songs(parts[0], settings["songs"])]
        return [with_validation(part) for part in parts] if settings.get("network", {}).get("validation") else parts

    def networks(self, variant, split):
        """The variant's network, those of several lengths, or the members of Li et al.'s ensemble."""
        settings, samples = variant.settings, self.samples(variant)
        if "members" in settings:
            return li2016.networks(samples, split, settings["members"])
        several = settings.get("networks", [settings["network"]] if "network" in settings else [])
        return [Network(fit, of_network, samples, split) for of_network in several]

    def trained_on_all(self, variant):
        """Five networks, of seeds 0 to 4, whose mean `predict` gives."""
        settings = variant.settings
        as_predicted = settings["input"] in ("official", "timeless") and settings["align"] == "ends_at_label"
        if "network" not in settings or "networks" in settings or "songs" in settings or not as_predicted:
            return super().trained_on_all(variant)
        songs = self.songs(variant).of_split["development"]
        splits = [Split(songs, {}, seed=1000 * seed) for seed in range(SEEDS)]
        splits = [with_validation(split) for split in splits] if settings["network"].get("validation") else splits
        return [network for split in splits for network in self.networks(variant, split)]

    def predict(self, variant, split, trained):
        """Frames (n_frames, 2) of each test song: the mean over networks, or the fusion of an ensemble."""
        samples = self.samples(variant)
        if "baseline" in variant.settings:
            return {
                name: self.baseline(variant.settings["baseline"], samples, split.train, songs)
                for name, songs in split.tests.items()
            }
        if "members" in variant.settings:
            predicted = li2016.fuse_all(trained, samples, split, variant.settings["fusion"])
        else:
            predicted = {name: np.mean([network.outputs[name] for network in trained], axis=0) for name in split.tests}
        return {
            name: np.split(frames, samples.y.subset(split.tests[name]).bounds[1:-1])
            for name, frames in predicted.items()
        }

    @staticmethod
    def baseline(name: str, samples: Samples, train: np.ndarray, test: np.ndarray) -> list[np.ndarray]:
        """Predictions of each test song without a network; the same at all frames of a song.

        Parameters
        ----------
        name : str
            A key of `variants.BASELINES`.
        samples : Samples
            x and y are `Sequences`.
        train, test : int, (n_train,) and (n_test,)
            Indices of samples.

        Returns
        -------
        list of ndarray
            (n_frames, 2) a test song.
        """
        from common import baselines

        def song_means(sequences):
            return np.stack([sequences[i].mean(0) for i in range(len(sequences))])

        if name == "zero":
            per_song = np.zeros((len(test), len(TARGETS)))
        elif name == "training_mean":
            per_song = np.repeat(samples.y.subset(train).values.mean(0, keepdims=True), len(test), axis=0)
        elif name == "own_song_mean":
            per_song = song_means(samples.y.subset(test))
        else:
            per_song = baselines.ridge(song_means(samples.y), train, test, song_means(samples.x))
        return [np.repeat(mean[None], n, axis=0) for mean, n in zip(per_song, samples.y.lengths[test], strict=True)]

    def evaluate(self, variant, splits, predictions):
        """As of every experiment; the first seed keeps its frames, from which figures are drawn."""
        entry = super().evaluate(variant, splits, predictions)
        if not variant.settings["cross_validation"]:
            del entry["fold"]  # the split is the task's, the same in all runs
        if "baseline" not in variant.settings and splits[0].seed == 0:  # for figures
            split = next(name for name in predictions if name != "development")
            frames = np.concatenate(list(predictions[split].values()))
            entry["predictions"] = {split: frames.astype(float).round(3).tolist()}
        return entry

    def unavailable_reason(self, variant):
        """A network needs songs as long as its sequences."""
        settings = variant.settings
        networks = settings.get("networks", [settings["network"]] if "network" in settings else [])
        length = max([*(network["length"] for network in networks), *settings.get("members", [])], default=0)
        if any(network.get("reset_after") and network.get("gates") == "hard_sigmoid" for network in networks):
            return "Keras 3's GRU (reset_after) has logistic gates"
        songs = self.songs(variant)
        shortest = songs.samples.x.lengths[songs.of_split["development"]].min()
        return f"its sequences have {length} frames, and songs here only {shortest}" if shortest < length else None

    def extractor(self, variant):
        """That of the songs, or of the cuts that are evaluated too."""
        own = extractor(self.data, variant.settings["input"])
        return own or (extractor(self.data, "opensmile") if "evaluation_cuts" in self.songs(variant).of_split else None)

    def facts(self, variant):
        """Coverage stands in `splits`, since songs differ from split to split."""
        settings, songs = variant.settings, self.songs(variant)
        self.splits(variant, 0)  # an error now if there are more folds than songs
        parts = {"cross-validation": songs.of_split["development"]} if settings["cross_validation"] else songs.of_split
        splits = {}
        digest = hashlib.sha256()
        for name, indices in parts.items():
            of_split = "development" if name == "cross-validation" else name
            splits[name] = coverage(self.data, of_split, settings["labels"], songs.samples, indices)
            x, y = songs.samples.x.subset(indices), songs.samples.y.subset(indices)
            digest.update(" ".join(splits[name]["tracks"]).encode() + x.values.tobytes() + y.values.tobytes())
        uses_audio = extractor(self.data, settings["input"]) is not None
        source = "opensmile" if uses_audio and settings["input"] == "official" else settings["input"]
        if "evaluation_cuts" in splits:
            splits["evaluation_cuts"] |= {"input": INPUTS["opensmile"], "audio": self.data.audio_kind}
        development = splits[next(iter(splits))]
        other_folds = settings["cross_validation"] and self.folds != FOLDS
        return {
            "fingerprint": digest.hexdigest(), "audio": self.data.audio_kind if uses_audio else "none",
            "input": INPUTS[source], "labels": settings["labels"],
            "n_train": min(settings.get("songs", np.inf), development["n_test"]), "of_train": development["of_test"],
            "partial": settings != PUBLISHED.get(variant.name) or other_folds,
            "targets": list(TARGETS), "splits": splits,
        }  # fmt: skip


def fewer_songs(split: Split, n_songs: int) -> Split:
    """A part of the training songs, drawn by the seed, those of a smaller number among those of a larger one.

    Parameters
    ----------
    split : Split
    n_songs : int
        To train on; all if there are fewer.

    Returns
    -------
    Split
        Its tests are without `development`.
    """
    songs = split.train[np.random.default_rng(split.seed).permutation(len(split.train))[:n_songs]]
    return replace(split, train=np.sort(songs), tests={k: v for k, v in split.tests.items() if k != "development"})


def with_validation(split: Split) -> Split:
    """A tenth of the training songs, at least one, validates instead.

    Parameters
    ----------
    split : Split
        Its seed draws them.

    Returns
    -------
    Split

    Raises
    ------
    InputError
        If there is one training song.
    """
    if len(split.train) < 2:
        raise InputError("the training part has only one song, and none to validate; add recordings of other songs")
    songs = split.train[np.random.default_rng(split.seed).permutation(len(split.train))]
    held_out = max(1, len(songs) // 10)
    return replace(split, train=np.sort(songs[held_out:]), validation=np.sort(songs[:held_out]))


def build(options) -> MediaEval2015:
    """The experiment on the data set that the options name; without a data root on synthetic music.

    Parameters
    ----------
    options : argparse.Namespace
        `dataset`, `data_root`, `scale`, `allow_missing`, `folds` and `jobs` are read.

    Returns
    -------
    MediaEval2015

    Raises
    ------
    InputError
        If the data set is not there, not as distributed, or without valence and arousal over time.
    """
    data = open_dynamic(options.dataset, options.data_root, synthetic="synthetic_dynamic", scale=options.scale)
    data.require(allow_missing=options.allow_missing)
    return MediaEval2015(data, options.folds or FOLDS, options.jobs)


def _variants(options):
    systems = variants(options.epochs)
    if options.dataset in (PAPER_DATASET, "deam"):
        return systems
    own = [v for v in systems if v.settings["cross_validation"] and v.settings["labels"] == "task"]
    return sorted(own, key=lambda v: "validation" not in v.settings.get("network", {}))  # that one by default


TRAINING = cli.Training(
    _variants,
    build,
    baselines,
    default=("crnn_l20",),
    repeats=SEEDS,
    dataset=PAPER_DATASET,
    own_labels=True,
    network=NETWORK,
)
main = TRAINING.main

if __name__ == "__main__":
    cli.run_module(__spec__)
