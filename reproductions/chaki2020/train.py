"""Section 4: features every half second -> LSTM, with attention or without -> valence or arousal, 10 folds, R².

Without --variant it runs the paper's pair, LSTM_NAT_400 and LSTM_AT_400, on ComParE features from audio. Variants
whose names end in _260 run on the features that come with DEAM: no audio needed, another input than the paper's.
"""

from dataclasses import replace
from functools import cached_property

import numpy as np

from common import cli, protocol
from common.errors import InputError
from common.experiment import Dynamic, Experiment, Network, Split, Trained
from common.protocol import Sequences
from data_prep import open_dynamic
from data_prep.own import OwnCollection
from reproductions.chaki2020 import recordings
from reproductions.chaki2020.baselines import FRAME_RIDGES, baseline, fit_ridge
from reproductions.chaki2020.clips import CLIPS, INPUTS, SHOWN, STEPS, Clips, extractor, load, validation
from reproductions.chaki2020.recordings import Recordings, padded
from reproductions.chaki2020.variants import FOLDS, baselines, variants

TARGETS = ("valence", "arousal")
PAPER_DATASET = "emomusic"
PARTS, ALONE, AVERAGED = 10, "fold {}", "average"  # test parts of a tenth: by fold, and the average over the folds
BATCH = 10  # clips an update
MIN_DELTA, PATIENCE = 1e-4, 5
NETWORK = {  # settings that a variant need not name, and choices
    "attention": (None, "strict", "history", "global"),
    "activation": ("tanh", "linear"),
    "restore": False,
    "optimizer": ("tf1", "keras3"),
    "previous": (None, "own", "label"),
}
PUBLISHED = {variant.name: variant.settings for variant in variants()}  # with as many epochs as in the paper


def fit(settings: dict, clips: Clips, split: Split) -> Trained:
    """Train on some clips, stop by others, predict the test clips (4.1).

    Parameters
    ----------
    settings : dict
        `target`, `units`, `attention`, `epochs` (at most), and interpretations: `activation` of the LSTM, `restore` the
        best weights, `optimizer` "keras3", `previous` output as an input (`model.lstm`): with "label", the label of the
        step before in training and validation, and the network's own output in the test.
    clips : Clips
    split : Split
        With one test split.

    Returns
    -------
    Trained
        Outputs: `predicted`, float32 (n_test, T). History: `loss` and `validation_loss` of each epoch.
    """
    from common import backend, weights

    backend.start(split.seed)
    import keras
    from sklearn.preprocessing import StandardScaler

    _, steps, features = clips.x.shape
    scaler = StandardScaler().fit(clips.x[split.train].reshape(-1, features))

    def scaled(songs):
        return scaler.transform(clips.x[songs].reshape(-1, features)).reshape(len(songs), steps, features)

    def labels(songs):
        return clips.y[songs, :, TARGETS.index(settings["target"]), None]

    taught = settings.get("previous") == "label"

    def pair(songs):
        x, y = scaled(songs), labels(songs)
        return ([x, y] if taught else x), y

    net, stop = compiled(settings, features, steps)
    history = net.fit(
        *pair(split.train),
        batch_size=BATCH,
        epochs=settings["epochs"],
        verbose=0,
        validation_data=pair(split.validation),
        callbacks=[stop],
    ).history
    if taught:  # no label is an input any more
        values = net.get_weights()
        net, _ = compiled(settings | {"previous": "own"}, features, steps)
        net.set_weights(values)
    (test,) = split.tests.values()
    predicted = keras.ops.convert_to_numpy(net(scaled(test)))[..., 0]
    curves = {"loss": np.array(history["loss"]), "validation_loss": np.array(history["val_loss"])}
    return Trained({"predicted": predicted}, curves, weights.with_scaling(net, scaler.mean_, scaler.scale_))


def compiled(settings: dict, features: int, steps: int):
    """The network of some settings, ready for training, and the callback that stops it (4.1).

    Parameters
    ----------
    settings : dict
        As of `fit`.
    features, steps : int

    Returns
    -------
    network : keras.Model
    stop : keras.callbacks.EarlyStopping
    """
    import keras

    from common.layers.tf1 import RMSprop
    from reproductions.chaki2020 import model

    readings = settings.get("activation", "tanh"), settings.get("previous")
    net = model.lstm(features, steps, settings["units"], settings["attention"], *readings)
    optimizer = keras.optimizers.RMSprop if settings.get("optimizer") == "keras3" else RMSprop
    net.compile(optimizer(1e-3), "mse")
    best = settings.get("restore", False)
    return net, keras.callbacks.EarlyStopping(min_delta=MIN_DELTA, patience=PATIENCE, restore_best_weights=best)


class ThousandSongs(Experiment):
    """Ten folds of the clips, by clip or by artist, with all predictions pooled; one test part for all folds; or the
    task's split of 2013."""

    paper = "chaki2020"

    def __init__(self, data, folds: int, n_jobs: int):
        self.data, self.folds, self.n_jobs = data, folds, n_jobs
        self.dataset, self.for_record = data.name, not data.synthetic
        self._clips = {}

    def task(self, variant):
        """Valence and arousal over time, by R², MAE, RMSE and Kendall's tau."""
        return Dynamic(TARGETS)

    def samples(self, variant):
        """Clips with features (n_clips, steps, n) and labels (n_clips, steps, 2)."""
        source = variant.settings["input"]
        if source not in self._clips:
            self._clips[source] = load(self.data, source, self.n_jobs)
        return self._clips[source]

    def splits(self, variant, seed):
        """Ten folds by clip or artist, or the task's split; 10 % of the training clips validate. Or one test part."""
        clips, test = self.samples(variant), variant.settings["test"]
        groups = clips.groups if test == "artists" else None
        if test == "official":
            tested = np.isin(clips.ids, self.data.splits["evaluation"])
            if tested.all() or not tested.any():
                absent = "development" if tested.all() else "evaluation"
                raise InputError(f"{self.data.root}: no {absent} clip has its input")
            parts = [Split(np.flatnonzero(~tested), {"evaluation": np.flatnonzero(tested)}, seed=1000 * seed)]
        elif test == "part":
            return self.one_part(len(clips), seed)
        else:
            parts = protocol.cross_validation("cross-validation", len(clips), self.folds, seed, groups=groups)
        held_out = [validation(part.train, groups, part.seed) for part in parts]
        return [
            replace(part, train=part.train[~held], validation=part.train[held])
            for part, held in zip(parts, held_out, strict=True)
        ]

    def one_part(self, n_clips: int, seed: int) -> list[Split]:
        """Sections 3.1 and 4.1 interpreted otherwise: a tenth of the clips is tested by the networks of all folds.

        Parameters
        ----------
        n_clips, seed : int

        Returns
        -------
        list of Split
            By fold of the other clips: it validates, the networks are trained on the rest, and test the same clips.

        Raises
        ------
        InputError
            If the clips are too few.
        """
        if n_clips <= PARTS:
            raise InputError(f"{n_clips} clips are too few for a test part of a tenth; {PARTS + 1} are needed")
        part = protocol.k_folds(n_clips, PARTS, seed)
        tested, others = np.flatnonzero(part == 0), np.flatnonzero(part != 0)
        folds = protocol.cross_validation("", len(others), self.folds, seed)
        return [
            replace(
                fold,
                train=others[fold.train],
                validation=others[fold.tests[""]],
                tests={ALONE.format(fold.fold + 1): tested},
            )
            for fold in folds
        ]

    def networks(self, variant, split):
        """A network a target; for ridge regression by frame one fit for both."""
        settings, clips = variant.settings, self.samples(variant)
        if "network" in settings:
            return [Network(fit, settings["network"] | {"target": target}, clips, split) for target in TARGETS]
        return [Network(fit_ridge, {}, clips, split)] if settings["baseline"] in FRAME_RIDGES else []

    def trained_on_all(self, variant):
        """A network a target, as of a fold that tests nothing."""
        settings = variant.settings
        if "network" not in settings or settings["input"] == "compare" or settings["test"] == "part":
            return super().trained_on_all(variant)
        clips = self.samples(variant)
        songs, groups = np.arange(len(clips)), clips.groups if settings["test"] == "artists" else None
        held = validation(songs, groups, seed=0)
        return self.networks(variant, Split(songs[~held], {"first": songs[:1]}, songs[held]))

    def predict(self, variant, split, trained):
        """Frames (steps, 2) of each test clip; a value that is not finite becomes 0, mid-scale."""
        ((name, _),) = split.tests.items()
        if "network" in variant.settings:
            predicted = np.stack([network.outputs["predicted"] for network in trained], axis=-1)
            return {name: np.where(np.isfinite(predicted).all(-1, keepdims=True), predicted, 0)}  # 0: mid-scale
        frames = trained[0].outputs["predicted"] if trained else None
        return {name: baseline(variant.settings["baseline"], self.samples(variant), split, frames)}

    def predictions(self, variant, seed, trained):
        """As of every experiment; of one test part first the average over the folds."""
        found = super().predictions(variant, seed, trained)
        if variant.settings["test"] != "part":
            return found
        tested = next(iter(found.values()))
        return {AVERAGED: {song: np.mean([of[song] for of in found.values()], axis=0) for song in tested}} | found

    def score(self, variant, seed, trained):
        """As of every experiment, with the number of frames that were not finite."""
        entry = super().score(variant, seed, trained)
        if "network" in variant.settings:
            of_splits = [np.stack([network.outputs["predicted"] for network in networks]) for networks in trained]
            diverged = sum(int((~np.isfinite(predicted)).any(0).sum()) for predicted in of_splits)
            entry |= {"frames_not_finite": diverged} if diverged else {}
        return entry

    def evaluate(self, variant, splits, predictions):
        """As of every experiment, with metrics of the text's excerpts and the figures' trajectories."""
        entry, clips = super().evaluate(variant, splits, predictions), self.samples(variant)
        if variant.settings["test"] == "part":
            return entry | {"tested": [clips.ids[song] for song in predictions[AVERAGED]]}
        ((_, predicted),) = predictions.items()
        excerpts = self.excerpts(clips, list(predicted))
        for name, (song, steps) in excerpts.items():
            i = clips.ids.index(song)
            part = self.task(variant).score([clips.y[i, steps]], {name: {0: predicted[i][steps]}}, np.zeros(1, int))
            for kind in ("metrics", "songs"):
                entry[kind] |= part[kind]
        if excerpts:
            entry["trajectories"] = {
                song: predicted[clips.ids.index(song)].astype(float).round(4).tolist() for song in SHOWN
            }
        return entry

    def excerpts(self, clips: Clips, tested: list[int]) -> dict[str, tuple[str, slice]]:
        """Of the clips in Figures 1 and 2: what the paper's text speaks of, as clip and steps.

        Parameters
        ----------
        clips : Clips
        tested : list of int
            Indices of clips.

        Returns
        -------
        dict of str to tuple
            By name: the clip's id and a slice of its steps. Empty on other data sets, if not both clips are tested, or
            if they have fewer steps than the paper's.
        """
        there = {clips.ids[i] for i in tested}
        if len(clips.times) < STEPS or not there >= set(SHOWN) or self.data.name != PAPER_DATASET:
            return {}
        seconds_20 = int(np.searchsorted(clips.times, clips.times[0] + 20))
        return {
            "clip 2, first 20 s": ("2", slice(0, seconds_20)), "clip 2, last 10 s": ("2", slice(seconds_20, STEPS)),
            "clip 2": ("2", slice(0, STEPS)), "clip 584": ("584", slice(0, STEPS)),
        }  # fmt: skip

    def extractor(self, variant):
        """ComParE's or openSMILE's; None where the input is features that come with the data."""
        return extractor(self.data, variant.settings["input"])

    def unavailable_reason(self, variant):
        """The input needs audio, or features of DEAM."""
        uses_audio = self.extractor(variant) is not None
        if self.data.tracks if uses_audio else self.has_features:
            return None
        what = f"audio; get it from {self.data.source}" if uses_audio else "DEAM/features.zip next to it"
        return f"{self.data.root} has no {what}"

    @cached_property
    def has_features(self) -> bool:
        """Whether features come with the data, which takes a look at DEAM's."""
        return bool(self.data.features())

    def data_fraction(self, variant):
        """By seconds of audio, on which the extraction of features depends."""
        if self.extractor(variant) is None:
            return 1.0
        seconds = sum(self.data.segments.get(track.id, STEPS / 2) for track in self.data.tracks)
        return seconds / (CLIPS * STEPS / 2)

    def facts(self, variant):
        """Coverage by split; the text's excerpts are splits of one clip each."""
        settings, clips, test = variant.settings, self.samples(variant), variant.settings["test"]
        sizes, splits = {split: len(songs) for split, songs in self.data.splits.items()}, self.splits(variant, 0)
        total = sum(sizes.values())
        tested = np.unique([song for split in splits for songs in split.tests.values() for song in songs])
        of_test = {"official": sizes.get("evaluation"), "part": -(-total // PARTS)}.get(test)  # None: all, by folds
        of_split = {"n_test": len(tested), "of_test": of_test or total}
        if test != "part":  # whose repetitions test other clips, and name them
            of_split |= {"tracks": [clips.ids[i] for i in tested], "artists": [clips.groups[i] for i in tested]}
        names = [AVERAGED] * (test == "part") + [name for split in splits for name in split.tests]
        source = "opensmile" if settings["input"] == "deam" and self.extractor(variant) else settings["input"]
        shortened = settings != PUBLISHED.get(variant.name) or not (test == "official" or self.folds == FOLDS)
        facts = {
            "fingerprint": clips.fingerprint, "audio": self.data.audio_kind if self.extractor(variant) else "none",
            "input": INPUTS[source], "stand_in": settings["input"] != "compare",
            "n_train": len(clips) - (len(tested) if of_test else 0), "of_train": total - (of_test or 0),
            "partial": shortened, "targets": list(TARGETS), "splits": dict.fromkeys(names, of_split),
        }  # fmt: skip
        if self.data.name == PAPER_DATASET and len(clips.times) < STEPS:
            facts["frames"] = f"{len(clips.times)} of {STEPS} steps"
        for excerpt, (song, _) in self.excerpts(clips, tested if test != "part" else []).items():
            facts["splits"][excerpt] = {"n_test": 1, "of_test": 1, "tracks": [song]}
        return facts


def fit_padded(settings: dict, songs: Recordings, split: Split) -> Trained:
    """As `fit`, of recordings of unequal length, padded at their ends to the longest.

    Padded steps have no weight in the loss, and no step depends on later ones: each recording is predicted as if it
    were alone.

    Parameters
    ----------
    settings : dict
        As of `fit`.
    songs : Recordings
    split : Split
        With one test split.

    Returns
    -------
    Trained
        Outputs: `predicted`, (n_test, steps), 0 behind the end of a recording. History as of `fit`.
    """
    from common import backend, weights

    backend.start(split.seed)
    from sklearn.preprocessing import StandardScaler

    scaler, steps = StandardScaler().fit(songs.x.subset(split.train).values), int(songs.x.lengths.max())
    x = padded(Sequences(scaler.transform(songs.x.values), songs.x.bounds), steps)
    y = padded(songs.y, steps)[..., TARGETS.index(settings["target"]), None]
    labelled = np.arange(steps) < songs.x.lengths[:, None]

    def part(of):  # weights have the mean 1, so that losses are means over the labelled steps
        return x[of], y[of], (labelled[of] / labelled[of].mean()).astype("float32")

    net, stop = compiled(settings, x.shape[-1], steps)
    *pair, weight = part(split.train)
    history = net.fit(
        *pair,
        sample_weight=weight,
        batch_size=BATCH,
        epochs=settings["epochs"],
        verbose=0,
        validation_data=part(split.validation),
        callbacks=[stop],
    ).history
    (test,) = split.tests.values()
    predicted = np.where(labelled[test], net.predict(x[test], batch_size=BATCH, verbose=0)[..., 0], 0)
    curves = {"loss": np.array(history["loss"]), "validation_loss": np.array(history["val_loss"])}
    return Trained({"predicted": predicted}, curves, weights.with_scaling(net, scaler.mean_, scaler.scale_))


class OwnRecordings(ThousandSongs):
    """Folds of recordings of one's own, of any length, with all predictions pooled."""

    def samples(self, variant):
        """Recordings with features (n_steps, n) and labels (n_steps, 2) of each."""
        source = variant.settings["input"]
        if source not in self._clips:
            self._clips[source] = recordings.load(self.data, source, self.n_jobs)
        return self._clips[source]

    def networks(self, variant, split):
        """As of clips; sequences are padded."""
        settings, songs = variant.settings, self.samples(variant)
        if "network" in settings:
            return [Network(fit_padded, settings["network"] | {"target": target}, songs, split) for target in TARGETS]
        return [Network(recordings.fit_ridge, {}, songs, split)] if settings["baseline"] in FRAME_RIDGES else []

    def predict(self, variant, split, trained):
        """Frames (n_steps, 2) of each test recording, without the padding."""
        ((name, test),) = split.tests.items()
        songs = self.samples(variant)
        if "network" not in variant.settings:
            return {name: recordings.baseline(variant.settings["baseline"], songs, split, trained)}
        predicted = np.stack([network.outputs["predicted"] for network in trained], axis=-1)
        predicted = np.where(np.isfinite(predicted).all(-1, keepdims=True), predicted, 0)  # 0: mid-scale
        return {name: [values[:n] for values, n in zip(predicted, songs.y.lengths[test], strict=True)]}

    def excerpts(self, clips, tested):
        """None: they are of the paper's clips."""
        return {}

    def unavailable_reason(self, variant):
        """Attention to the whole clip, and labels as input, need clips of one length."""
        network = variant.settings.get("network", {})
        if network.get("attention") == "global" or network.get("previous") == "label":
            return "attention to the whole clip, or labels as an input, need clips of one length"
        return super().unavailable_reason(variant)


def build(options) -> ThousandSongs:
    """The experiment on the data set that the options name; without a data root on synthetic music.

    Parameters
    ----------
    options : argparse.Namespace
        `dataset`, `data_root`, `scale`, `allow_missing`, `folds` and `jobs` are read.

    Returns
    -------
    ThousandSongs

    Raises
    ------
    InputError
        If the data set is not there, not as distributed, or without valence and arousal over time.
    """
    data = open_dynamic(options.dataset, options.data_root, synthetic="synthetic_dynamic", scale=options.scale)
    data.require(allow_missing=options.allow_missing)
    experiment = OwnRecordings if isinstance(data, OwnCollection) else ThousandSongs
    return experiment(data, options.folds or FOLDS, options.jobs)


def _variants(options):
    return [v for v in variants(options.epochs) if options.dataset == PAPER_DATASET or v.settings["test"] == "clips"]


TRAINING = cli.Training(
    _variants,
    build,
    baselines,
    default=("nat_400", "at_400"),
    dataset=PAPER_DATASET,
    own_labels=True,
    network=NETWORK,
)
main = TRAINING.main

if __name__ == "__main__":
    cli.run_module(__spec__)
