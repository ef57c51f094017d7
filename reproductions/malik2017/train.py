"""Section 3: features every half second -> CRNN -> valence and arousal, MediaEval 2015 "Emotion in Music", RMSE.

Without --variant it runs the abstract's row, sequences of 20 frames.
"""

import hashlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import cli, protocol
from common.errors import InputError
from common.features import logmel, opensmile
from common.features.store import FeatureStore
from common.runs import Experiment, Variant
from data_prep.dataset import at_labels, data_root

SEEDS, EPOCHS, BATCH, CHECK = 5, 300, 32, 10
PROTOCOL = 1  # raised by hand when a change of the code changes results
FOLDS = 10  # of the cross-validation over the development songs; the paper has none
TARGETS = ["valence", "arousal"]
PUBLISHED_DEVELOPMENT = {  # average RMSE at which the authors' training ended (Table 1)
    "official": {60: 0.060, 30: 0.057, 20: 0.055, 10: 0.055}, "log_mel": {60: 0.078, 30: 0.074, 20: 0.074, 10: 0.072},
}  # fmt: skip
INPUTS = {
    "official": "the task's 260 openSMILE features",
    "means": "the means of the 65 descriptors alone, of the task's features",
    "opensmile": "the 260 features from audio, by this suite's openSMILE",
    "log_mel": "64 log-mel energies from audio",
}
SECONDS_PER_EPOCH = {60: 0.5, 30: 0.4, 20: 0.35, 10: 0.45}  # of one core, 260 songs of 60 frames and 260 features


def variants(epochs: int | None = None) -> list[Variant]:
    """All systems and readings; `epochs` in the place of at most 300."""

    def crnn(name, title, length, *, source="official", labels="task", align="ends_at_label", cv=False, primary=False,
             fixed=None, **network):  # fmt: skip
        until = PUBLISHED_DEVELOPMENT["log_mel" if source == "log_mel" else "official"][length]
        network |= {"length": length, "epochs": fixed or epochs or EPOCHS, "until": 0 if fixed else until}
        settings = {"network": network, "input": source, "labels": labels, "align": align, "cross_validation": cv}
        share = {"official": 1, "means": 0.4, "opensmile": 0.5, "log_mel": 0.3}[source]
        seconds = 10 + network["epochs"] * SECONDS_PER_EPOCH[length] * share
        return Variant(name, title, settings | {"protocol": PROTOCOL}, primary, seconds * (0.9 * FOLDS if cv else 1))

    def beside(name, title, *, source="official", labels="task", cv=False):
        settings = {"beside": name.removeprefix("cv_").removesuffix("_repaired").removesuffix("_log_mel")}
        settings |= {"input": source, "labels": labels, "align": "ends_at_label", "cross_validation": cv}
        return Variant(name, title, settings | {"protocol": PROTOCOL}, core_seconds=1)

    def baselines(suffix="", about="", **more):
        return [
            beside(f"zero{suffix}", f"baseline: zero{about}", **more),
            beside(f"training_mean{suffix}", f"baseline: mean of the training songs{about}", **more),
            beside(f"ridge{suffix}", f"baseline: ridge regression of song means on averaged features{about}", **more),
            beside(f"own_song_mean{suffix}", f"oracle: each song's own mean{about}", **more),
        ]

    rows = [crnn(f"crnn_l{n}", f"CRNN, length {n}", n, primary=True) for n in (20, 10, 30, 60)]
    rows += [crnn("crnn_nb", "CRNN_NB, length 60", 60, branches=1, primary=True)]
    rows += [
        Variant(
            "crnn_lengths",
            "mean of the CRNNs of lengths 60, 30, 20 and 10",
            rows[0].settings | {"networks": [row.settings["network"] for row in rows[:4]]},
            core_seconds=1,
        )
    ]
    rows += [
        crnn(f"crnn_log_mel_l{n}", f"CRNN, log-mel, length {n}", n, source="log_mel", dropout=0.75, primary=True)
        for n in (20, 10, 30, 60)
    ]
    one = {"length": 20}
    readings = [
        crnn("crnn_l20_deam", "CRNN, length 20, DEAM's labels", labels="deam", **one),
        crnn("crnn_l20_repaired", "CRNN, length 20, song means exchanged back", labels="repaired", **one),
        crnn("cv_crnn_l20", "CRNN, length 20", cv=True, **one),
        crnn("cv_crnn_l20_repaired", "CRNN, length 20, song means exchanged back", cv=True, labels="repaired", **one),
        crnn("cv_crnn_means_l20", "CRNN, length 20, the 65 means alone", cv=True, source="means", **one),
        crnn("crnn_means_l20", "CRNN, length 20, the 65 means alone", source="means", **one),
        crnn("crnn_cuts_l10", "CRNN, length 10, 260 features of the songs and seconds of log-mel", 10,
             source="opensmile"),
        crnn("crnn_log_mel_l20_dropout_25", "CRNN, log-mel, length 20, dropout .25", source="log_mel", **one),
        crnn("crnn_l20_200_epochs", "CRNN, length 20, 200 epochs", fixed=200, **one),
        crnn("crnn_l20_penalty_sum", "CRNN, length 20, activity penalty summed (Keras 1)", penalty="sum", **one),
        crnn("crnn_l20_penalty_batch", "CRNN, length 20, activity penalty per sequence (tf.keras)", penalty="batch",
             **one),
        crnn("crnn_l20_penalty_weights", "CRNN, length 20, penalty on weights only", penalty="weights", **one),
        crnn("crnn_l20_penalty_off", "CRNN, length 20, no penalty", penalty="off", **one),
        crnn("crnn_l20_bn_first", "CRNN, length 20, batch normalisation before ReLU", bn_first=True, **one),
        crnn("crnn_l20_dropout_75", "CRNN, length 20, dropout .75", dropout=0.75, **one),
        crnn("crnn_l20_no_gru_dropout", "CRNN, length 20, dropout behind the CNN only", gru_dropout=0.0, **one),
        crnn("crnn_l20_starts_at_label", "CRNN, length 20, windows that start at the label", align="starts_at_label",
             **one),
        crnn("crnn_l20_logistic_gates", "CRNN, length 20, logistic gates", gates="logistic", **one),
        crnn("crnn_l20_reset_after", "CRNN, length 20, Keras 3's GRU", reset_after=True,
             **one),
    ]  # fmt: skip
    return [
        *rows, *readings, *baselines(), *baselines("_log_mel", ", log-mel", source="log_mel"),
        *(v for labels, suffix in (("task", ""), ("repaired", "_repaired"))
          for v in (Variant(f"cv_{b.name}", b.title, b.settings, core_seconds=1)
                    for b in baselines(suffix, " (repaired)" if suffix else "", labels=labels, cv=True))),
    ]  # fmt: skip


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


def predict(net, features: protocol.Sequences, length: int, network: dict) -> np.ndarray:
    """(n_frames, 2); each frame is predicted once, a song shorter than `length` as one sequence."""
    from reproductions.malik2017 import model

    shortest = int(features.lengths.min())
    if shortest < length:
        shorter = model.crnn(features.values.shape[1], shortest, **network)
        shorter.set_weights(net.get_weights())
        net, length = shorter, shortest
    stretches, starts = features.cut(length)
    parts = [np.asarray(net(part, training=False)) for part in np.array_split(stretches, -(-len(stretches) // 200))]
    return features.joined(np.concatenate(parts), starts)


def train_network(network: dict, train: Part, tests: dict[str, Part], seed: int) -> dict:
    """Train on some songs until their error is as low as `until` (3.5: the lowest average RMSE), then predict.

    network: `length`, `epochs` (at most), `until`, and readings as `model.crnn` names them.
    Returns arrays: the predictions of each split, "development" for the training songs (n_frames, 2); `loss` (epochs,);
    `course` (checks, splits, 2), the RMSE of both targets every 10 epochs; `seconds` of processor time.
    """
    from common import keras2017

    started = time.process_time()
    keras2017.start(seed)
    import keras

    from reproductions.malik2017 import model

    readings = {k: v for k, v in network.items() if k not in ("length", "epochs", "until")}
    mean, std = train.x.moments(np.arange(len(train)))
    parts = {"development": train} | tests
    scaled = {k: protocol.Sequences((p.x.values - mean) / std, p.x.bounds) for k, p in parts.items()}
    x, starts = scaled["development"].cut(network["length"])
    y = train.y.values[starts[:, None] + np.arange(network["length"])]
    net = model.crnn(x.shape[2], network["length"], **readings)
    net.compile(keras.optimizers.Adam(1e-3, epsilon=1e-8), model.rmse)  # Adam's paper and Keras 1
    order, losses, course = np.random.default_rng(seed), [], []
    for epoch in range(1, network["epochs"] + 1):
        net.reset_metrics()
        shuffled = order.permutation(len(x))
        for first in range(0, len(x), BATCH):
            batch = shuffled[first : first + BATCH]
            loss = net.train_on_batch(x[batch], y[batch])
        losses.append(loss)
        if epoch % CHECK == 0 or epoch == network["epochs"]:
            found = {name: predict(net, features, network["length"], readings) for name, features in scaled.items()}
            course.append([np.sqrt(np.square(found[k] - part.y.values).mean(0)) for k, part in parts.items()])
            if np.mean(course[-1][0]) <= network["until"]:
                break
    found |= {"loss": np.array(losses, "float32"), "course": np.array(course, "float32")}
    return {**found, "seconds": np.array(time.process_time() - started)}


class Material:
    """The songs of both splits that have one kind of input, aligned with one source of labels."""

    def __init__(self, data, source: str, labels: str, align: str, jobs: int):
        self.data, self.labels, self.align, self.jobs = data, labels, align, jobs
        self.development = self._part("development", source)
        self.tests = {"evaluation": self._part("evaluation", source)}
        if source == "official" and not data.rendered and data.recordings(data.splits["evaluation"]):
            self.tests["evaluation_cuts"] = self._part("evaluation", "opensmile")
            features, at = self.tests["evaluation_cuts"].x.values, opensmile.SINCE_START
            features[:, at] = self.development.x.values[:, at].mean(0)  # not known from a cut

    def _part(self, split: str, source: str) -> Part:
        annotations, found = self.data.annotations(split, self.labels), {}
        for song, (starts, values) in self._features(list(annotations), source).items():
            there, rows = at_labels(annotations[song].times, starts, values, self.align)
            found[song] = rows, annotations[song].values[there]
        if not found:
            raise InputError(f"{self.data.root}: no {split} song has {INPUTS[source]}; get it from {self.data.source}")
        return Part(list(found), *(protocol.Sequences.of(list(songs)) for songs in zip(*found.values(), strict=True)))

    def _features(self, ids: list[str], source: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By song: where each window starts, for a window of 1 s, and the features (n, dimension)."""
        if source == "means":
            of_all = self._features(ids, "official")
            return {song: (starts, values[:, opensmile.MEANS]) for song, (starts, values) in of_all.items()}
        if source == "official" and not self.data.rendered:
            return self.data.features(ids)
        extractor = logmel.LogMel() if source == "log_mel" else opensmile.OpenSmile()
        recordings = self.data.recordings(ids)
        found = FeatureStore().get_all([r.path for r in recordings.values()], extractor, jobs=self.jobs)
        early = 0.5 if source == "log_mel" else 0.0  # a segment of 0.5 s ends where a window of 1 s would
        return {song: (recording.start_s - early + 0.5 * np.arange(len(values)), values)
                for (song, recording), values in zip(recordings.items(), found, strict=True)}  # fmt: skip

    def facts(self, split: str, part: Part) -> dict:
        """What a record states of the songs of a split."""
        of, frames = self.data.splits[split.removesuffix("_cuts")], self.data.annotations(split.removesuffix("_cuts"))
        labelled = sum(len(frames[song].times) for song in part.ids)
        artists = {track.id: track.artist for track in self.data.tracks}
        found = {"n_test": len(part), "of_test": len(of), "tracks": part.ids}
        found["artists"] = [artists.get(song) or song for song in part.ids]
        if len(part.x.values) < labelled:
            found["frames"] = f"{len(part.x.values):,} of {labelled:,} labels"
        return found


class MediaEval2015(Experiment):
    """The task's split, development and evaluation songs; or cross-validation by song on the development songs."""

    paper = "malik2017"

    def __init__(self, data, folds: int, partial: bool, jobs: int):
        self.data, self.folds, self.partial, self.processes = data, folds, partial, jobs
        self.dataset, self.for_record = "mediaeval2015" if not data.rendered else data.name, not data.rendered
        self._materials = {}

    def material(self, settings: dict) -> Material:
        """The songs that a variant (or job) asks for, read once."""
        key = settings["input"], settings["labels"], settings["align"]
        if key not in self._materials:
            self._materials[key] = Material(self.data, *key, self.processes)
        return self._materials[key]

    def facts(self, variant):
        material, settings = self.material(variant.settings), variant.settings
        parts = {"cross-validation" if settings["cross_validation"] else "development": material.development}
        parts |= {} if settings["cross_validation"] else material.tests
        splits = {split: material.facts("development" if split == "cross-validation" else split, part)
                  for split, part in parts.items()}  # fmt: skip
        digest = hashlib.sha256()
        for part in parts.values():
            digest.update(" ".join(part.ids).encode() + part.x.values.tobytes() + part.y.values.tobytes())
        if "evaluation_cuts" in splits:
            splits["evaluation_cuts"]["input"] = INPUTS["opensmile"]
        development = splits[next(iter(splits))]
        return {
            "fingerprint": digest.hexdigest(), "audio": self.data.audio_kind, "input": INPUTS[settings["input"]],
            "labels": settings["labels"], "n_train": development["n_test"], "of_train": development["of_test"],
            "partial": self.partial, "targets": TARGETS, "splits": splits,
        }  # fmt: skip

    def jobs(self, variant, seed):
        settings = variant.settings
        if "beside" in settings:
            return []
        job = {k: settings[k] for k in ("input", "labels", "align", "protocol")} | {"seed": seed}
        networks = settings.get("networks", [settings["network"]])
        folds = range(self.folds) if settings["cross_validation"] else [None]
        return [job | {"network": network, "fold": fold, "folds": self.folds if fold is not None else None}
                for network in networks for fold in folds]  # fmt: skip

    def call(self, job):
        material, fold, seed = self.material(job), job["fold"], 1000 * job["seed"] + (job["fold"] or 0)
        if fold is None:
            return train_network, job["network"], material.development, material.tests, seed
        fold_of = self.fold_of(job["seed"], material.development)
        train, test = (np.flatnonzero(part) for part in (fold_of != fold, fold_of == fold))
        tests = {"cross-validation": material.development.some(test)}
        return train_network, job["network"], material.development.some(train), tests, seed

    def fold_of(self, seed: int, songs: Part) -> np.ndarray:
        return protocol.k_folds(len(songs), self.folds, seed)

    def finish(self, variant, seed, found, jobs):
        from common import metrics

        settings, material = variant.settings, self.material(variant.settings)
        entry = {"metrics": {}, "songs": {}}
        if settings["cross_validation"]:
            songs = material.development
            fold_of = self.fold_of(seed, songs)
            entry["fold"] = fold_of.tolist()
            courses = {}
            for k in range(self.folds):
                train, test = (np.flatnonzero(part) for part in (fold_of != k, fold_of == k))
                held_out = songs.some(test)
                predicted = found[k]["cross-validation"] if found else self.baseline(
                    settings["beside"], songs.some(train), held_out
                )  # fmt: skip
                courses |= zip(test, np.split(predicted, held_out.y.bounds[1:-1]), strict=True)
            predictions = {"cross-validation": (songs, np.concatenate([courses[i] for i in range(len(songs))]))}
        else:
            parts = {"development": material.development} | material.tests
            predictions = {
                split: (part, np.mean([network[split] for network in found], axis=0) if found else
                        self.baseline(settings["beside"], material.development, part))
                for split, part in parts.items()
            }  # fmt: skip
        for split, (part, predicted) in predictions.items():
            estimate = protocol.Sequences(predicted, part.y.bounds)
            moments = np.array([metrics.song_moments(part.y[i], estimate[i]) for i in range(len(part))])
            moments = [[[float(f"{m:.7g}") for m in target] for target in song] for song in moments]
            entry["songs"][split] = {"frames": part.y.lengths.tolist(), "moments": moments}
            entry["metrics"][split] = metrics.dynamic(entry["songs"][split], TARGETS)
        if found:
            entry["loss"] = [[float(f"{value:.4g}") for value in network["loss"]] for network in found]
            entry["course"] = [network["course"].round(4).tolist() for network in found]
            if seed == 0:
                split = next(name for name in predictions if name != "development")
                entry["predictions"] = {split: predictions[split][1].round(3).tolist()}
        return entry

    @staticmethod
    def baseline(name: str, train: Part, test: Part) -> np.ndarray:
        """What predicts without a network, (n_frames, 2); the same at all frames of a song."""
        from common import baselines

        def song_means(sequences):
            return np.stack([sequences[i].mean(0) for i in range(len(sequences))])

        if name == "zero":
            per_song = np.zeros((len(test), len(TARGETS)))
        elif name == "training_mean":
            per_song = np.repeat(train.y.values.mean(0, keepdims=True), len(test), axis=0)
        elif name == "own_song_mean":
            per_song = song_means(test.y)
        else:
            labels = np.concatenate([song_means(part.y) for part in (train, test)])
            features = np.concatenate([song_means(part.x) for part in (train, test)])
            songs = np.arange(len(labels))
            per_song = baselines.ridge(labels, songs[: len(train)], songs[len(train) :], features)
        return np.repeat(per_song, test.y.lengths, axis=0)


def build(options) -> MediaEval2015:
    """The data set that the options name; without a data root the rendered one."""
    root = data_root(options.data_root)
    if root:
        from data_prep.deam import Deam

        data = Deam(root)
    else:
        from data_prep.synthetic import SyntheticDynamic

        data = SyntheticDynamic()
    data.require(allow_missing=options.allow_missing)
    folds = options.folds or FOLDS
    return MediaEval2015(data, folds, (folds, options.epochs or EPOCHS) != (FOLDS, EPOCHS), options.jobs)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    expected = Path(__file__).with_name("expected.json")
    beside = ("zero", "training_mean", "ridge", "own_song_mean")
    training = cli.Training(__doc__, variants, build, beside, expected, default=("crnn_l20",), repeats=SEEDS)
    return cli.train(training, "python -m reproductions.malik2017.train", arguments)


if __name__ == "__main__":
    from reproductions.malik2017.train import main  # so that workers find functions by their module's name

    sys.exit(main())
