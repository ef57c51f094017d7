"""Across data sets: a paper's model trained on one data set and tested on another that it fits.

The networks of malik2017 and chaki2020 learn valence and arousal from one of MediaEval 2015's development songs and
emoMusic, and are tested on the songs of the other; no song and no artist is on both sides. musicnn2019's regression is
fitted on the same songs and tested on the same songs and labels, from the audio that there is of each. jakubik2017's
semantic embedding learns from 4Q's quadrants, and new support vector regressions on it tell Emotify's emotions; and the
other way round. What is done is not done again.
"""

import hashlib
import re
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from common import cli, protocol, report
from common.experiment import Dynamic, Experiment, Network, Samples, Split, Trained, Variant
from common.experiment.identity import digest
from common.experiment.runner import execute
from common.files import cache_folder
from common.places import RESULTS
from common.verdict.claims import judge_claims
from common.verdict.recorded import Records, coverage_of, headline
from data_prep import open_dataset
from data_prep.dynamic import Annotation

PAPER = "cross_dataset"  # the folder of the records
SEEDS, STEPS = 3, 60  # steps that clips of both data sets have, labels from 15.0 s on
TARGETS = ("valence", "arousal")
NETWORKS = {
    "malik2017_crnn": {"length": 20, "epochs": 300, "until": 0.0, "validation": True},
    "chaki2020_lstm_at_128": {"units": (128,), "attention": "strict", "epochs": 30},
}
REGRESSION = "musicnn2019_ridge"
MODELS = (*NETWORKS, REGRESSION)  # of which `python -m reproductions predict` takes the best
TITLES = {
    "malik2017_crnn": "malik2017: CRNN, length 20", "chaki2020_lstm_at_128": "chaki2020: LSTM_AT_128",
    REGRESSION: "musicnn2019: ridge regression every half second",
    "ridge": "baseline: ridge regression of song means on averaged features",
    "training_mean": "baseline: mean of the training songs", "own_song_mean": "oracle: each song's own mean",
}  # fmt: skip
EMBEDDING = "jakubik2017_embedding"
TRIVIAL = ("training_mean", "majority")


class AcrossLabels(Experiment):
    """Valence and arousal, trained on the songs of one data set and predicted for those of another."""

    paper, folds = PAPER, 1

    def __init__(self, train, test, names: dict[str, str], n_jobs: int):
        """names: of artists, by song, the same for both data sets."""
        self.train, self.test, self.names, self.n_jobs = train, test, names, n_jobs
        self.dataset = f"{train.name}_to_{test.name}"

    @property
    def variants(self) -> list[Variant]:
        return [
            Variant(name, TITLES[name], {"network": NETWORKS.get(name), "steps": STEPS, "protocol": 1}, True, 150)
            for name in TITLES
            if name != REGRESSION
        ]

    def task(self, variant):
        return Dynamic(TARGETS)

    @cached_property
    def clips(self):
        """Clips of both, the tested ones last, and how many those are."""
        from reproductions.chaki2020.clips import Clips

        test, train = (_clips(data, self.names, self.n_jobs) for data in (self.test, self.train))
        new = [i for i, song in enumerate(test.ids) if song not in set(train.ids)]
        artists = {test.groups[i] for i in new}
        old = [i for i, artist in enumerate(train.groups) if not any(map(partial(same_artist, artist), artists))]
        both = {
            name: [getattr(train, name)[i] for i in old] + [getattr(test, name)[i] for i in new]
            for name in ("ids", "groups", "x", "y")
        }
        return Clips(both["ids"], np.stack(both["x"]), np.stack(both["y"]), both["groups"], test.times), len(new)

    @cached_property
    def songs(self) -> Samples:
        """The same as sequences."""
        clips, _ = self.clips
        return replace(
            _as_samples(clips), x=protocol.Sequences.of(list(clips.x)), y=protocol.Sequences.of(list(clips.y))
        )

    def samples(self, variant):
        return self.clips[0]

    def splits(self, variant, seed):
        from reproductions.chaki2020.clips import validation
        from reproductions.malik2017.train import with_validation

        clips, n = self.clips
        songs = np.arange(len(clips))
        split = Split(songs[:-n], {"test": songs[-n:]}, seed=seed)
        if variant.name == "malik2017_crnn":
            return [with_validation(split)]
        held = validation(split.train, clips.groups, seed)
        return [replace(split, train=split.train[~held], validation=split.train[held])]

    def networks(self, variant, split):
        from reproductions.chaki2020.train import fit as of_chaki
        from reproductions.malik2017.train import fit as of_malik

        settings = variant.settings["network"]
        if variant.name == "malik2017_crnn":
            return [Network(of_malik, settings, self.songs, split)]
        return [Network(of_chaki, settings | {"target": t}, self.clips[0], split) for t in TARGETS] if settings else []

    def predict(self, variant, split, trained):
        from reproductions.chaki2020.baselines import baseline

        if variant.name == "malik2017_crnn":
            return {"test": trained[0].outputs["test"].reshape(-1, STEPS, 2)}
        if trained:
            return {"test": np.stack([network.outputs["predicted"] for network in trained], axis=-1)}
        name = {"ridge": "ridge_clips"}.get(variant.name, variant.name)
        return {"test": baseline(name, self.clips[0], split, None)}

    def evaluate(self, variant, splits, predictions):
        entry = super().evaluate(variant, splits, predictions)
        return {key: entry[key] for key in ("metrics", "songs")}  # the split is the same in all runs

    def facts(self, variant):
        clips, n = self.clips
        return {
            "fingerprint": clips.fingerprint, "audio": "none", "input": "DEAM's 260 openSMILE features",
            "n_train": len(clips) - n, "of_train": len(clips) - n, "n_test": n, "of_test": n, "targets": list(TARGETS),
            "tracks": clips.ids[-n:], "artists": clips.groups[-n:], "learnt": clips.ids[:-n],
        }  # fmt: skip


class AcrossAudio(AcrossLabels):
    """Ridge regression on MusiCNN's embedding, with the songs and labels of `AcrossLabels`.

    It is fitted at the labels that have audio. At others a test song's prediction is the mean of those that have it.
    """

    @property
    def variants(self) -> list[Variant]:
        from reproductions.musicnn2019.regression import SETTINGS

        settings = {"network": SETTINGS, "steps": STEPS, "protocol": 1}
        return [Variant(REGRESSION, TITLES[REGRESSION], settings, True, 10)]

    @cached_property
    def patches(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By song, of those with audio: labels at which a patch ends (k,), and embeddings (k, 1706)."""
        from reproductions.musicnn2019.regression import patches

        (clips, n), found = self.clips, {}
        for data, songs in ((self.train, range(len(clips) - n)), (self.test, range(len(clips) - n, len(clips)))):
            found |= patches(data, {clips.ids[i]: Annotation(clips.times, clips.y[i]) for i in songs}, self.n_jobs)
        return {song: of_song for song, of_song in found.items() if len(of_song[0])}

    def unavailable_reason(self, variant):
        """With fewer songs it would not be compared with the networks."""
        absent = [song for song in self.clips[0].ids if song not in self.patches]
        return f"no audio at the labels of {len(absent)} songs, the first {absent[0]}" if absent else None

    @cached_property
    def embedded(self) -> Samples:
        """The songs as sequences of embeddings and of the labels at the ends of their patches."""
        clips, _ = self.clips
        there, embeddings = zip(*(self.patches[song] for song in clips.ids), strict=True)
        labels = [y[indices] for y, indices in zip(clips.y, there, strict=True)]
        return Samples(clips.ids, protocol.Sequences.of(embeddings), protocol.Sequences.of(labels), clips.groups)

    def splits(self, variant, seed):
        clips, n = self.clips
        songs = np.arange(len(clips))
        return [Split(songs[:-n], {"test": songs[-n:]}, seed=seed)]

    def networks(self, variant, split):
        from reproductions.musicnn2019.regression import fit

        return [Network(fit, variant.settings["network"], self.embedded, split)]

    def predict(self, variant, split, trained):
        test, predicted = split.tests["test"], []
        bounds = self.embedded.y.subset(test).bounds
        for song, values in zip(test, np.split(trained[0].outputs["test"], bounds[1:-1]), strict=True):
            predicted.append(np.repeat(values.mean(0, keepdims=True), STEPS, axis=0))
            predicted[-1][self.patches[self.embedded.ids[song]][0]] = values
        return {"test": predicted}

    def extractor(self, variant):
        from reproductions.musicnn2019.over_time import OverlappingPatches

        return OverlappingPatches()

    def facts(self, variant):
        from reproductions.musicnn2019.regression import INPUT

        facts, x = super().facts(variant), self.embedded.x.values
        at = [self.patches[song][0].tolist() for song in self.embedded.ids]  # labels
        return facts | {
            "fingerprint": digest([facts["fingerprint"], at, hashlib.sha256(x.tobytes()).hexdigest()]),
            "audio": self.test.audio_kind, "input": INPUT,
            "frames": f"audio at {len(x):,} of {len(self.clips[0]) * STEPS:,} labels",
        }  # fmt: skip


def _as_samples(clips) -> Samples:
    return Samples(clips.ids, clips.x, clips.y, clips.groups)


def same_artist(one: str, other: str) -> bool:
    """Whether two names are of one artist, or one of them is within the other ("Morphamish remixes Full Blush").

    Parameters
    ----------
    one, other : str

    Returns
    -------
    bool
    """
    one, other = (re.sub(r"\W+", " ", name.casefold()).strip() for name in (one, other))
    return one == other or (not (one + other).isdigit() and (f" {one} " in f" {other} " or f" {other} " in f" {one} "))


def _clips(data, names: dict[str, str], n_jobs: int):
    """The songs of DEAM's development split, or emoMusic's clips, with official features, their first 60 labels.

    names: of artists, by song, where DEAM's own table has another or none.
    """
    from reproductions.chaki2020.clips import Clips
    from reproductions.chaki2020.clips import load as load_clips
    from reproductions.malik2017.songs import load as load_songs

    if data.name == "emomusic":
        clips = load_clips(data, "deam", n_jobs)
        return replace(clips, times=clips.times[:STEPS], x=clips.x[:, :STEPS], y=clips.y[:, :STEPS])
    songs = load_songs(data, "official", "repaired", "ends_at_label", n_jobs, evaluation=False).samples
    artists = {track.id: track.artist for track in data.tracks} | names
    x, y = (np.stack([part[i] for i in range(len(songs))]) for part in (songs.x, songs.y))
    groups = [artists.get(song) or song for song in songs.ids]
    return Clips(songs.ids, x, y, groups, 15 + 0.5 * np.arange(STEPS))


class AcrossEmotions(Experiment):
    """The semantic embedding of one data set, and support vectors cross-validated on another."""

    paper, folds = PAPER, 10

    def __init__(self, train, test, n_jobs: int):
        """train, test: experiments of jakubik2017, on Emotify or on quadrants."""
        self.train, self.test, self.n_jobs = train, test, n_jobs
        self.dataset = f"{train.dataset}_to_{test.dataset}"

    @property
    def variants(self) -> list[Variant]:
        network = {"loss": "semantic_embedding", "epochs": 100, "standardise": True}
        title = f"jakubik2017: semantic embedding of {self.train.dataset}"
        return [Variant(EMBEDDING, title, {"network": network, "protocol": 1}, True, 80)]

    @cached_property
    def of_test(self) -> Variant:
        """The paper's own system on the data set that is tested."""
        from reproductions.jakubik2017 import emotify, quadrants

        variants = emotify.variants() if self.test.dataset == "emotify" else quadrants.variants()
        return next(v for v in variants if v.name.startswith("semantic_embedding_gru"))

    def task(self, variant):
        return self.test.task(self.of_test)

    def samples(self, variant):
        return self.test.samples(self.of_test)

    def splits(self, variant, seed):
        return self.test.splits(self.of_test, seed)

    @cached_property
    def both(self) -> Samples:
        """The songs that the embedding is trained on, then those that are tested."""
        annotated = self.train.annotated()
        sequences = [[part.sequences[i] for i in range(len(part.sequences))] for part in (self.train, self.test)]
        labels = np.concatenate([annotated.y, np.zeros((len(sequences[1]), annotated.y.shape[1]), "float32")])
        ids = [*self.train.ids, *self.test.ids]
        return Samples(ids, protocol.Sequences.of(sequences[0] + sequences[1]), labels, ids)

    def networks(self, variant, split):
        from reproductions.jakubik2017.learning import fit

        seed, n = split.seed // 1000, len(self.train.paths)  # one network for all folds
        train, test = np.arange(n), np.arange(n, len(self.both))
        return [Network(fit, variant.settings["network"], self.both, Split(train, {"test": test}, seed=1000 * seed))]

    def predict(self, variant, split, trained):
        features = {"features": trained[0].outputs["features"][-len(self.test.paths) :]}
        return self.test.predict(self.of_test, split, [Trained(features)])

    def extractor(self, variant):
        return self.test.mel

    def facts(self, variant):
        facts = self.test.facts(self.of_test)
        kept = ("audio", "decoder", "input", "n_test", "of_test", "targets", "tracks", "reference", "reference_z")
        of_songs = {key: facts[key] for key in kept if key in facts}
        fingerprint, n = digest([facts["fingerprint"], self.train.data.fingerprint]), len(self.train.paths)
        return of_songs | {"fingerprint": fingerprint, "n_train": n, "of_train": n}


def experiments(root: str, n_jobs: int) -> list[Experiment]:
    """All comparisons.

    Parameters
    ----------
    root : str or None
        Folder of the data sets; None: the variable MER_DATA_ROOT.
    n_jobs : int
        Processes for the extraction of features.

    Returns
    -------
    list of Experiment

    Raises
    ------
    InputError
        If a data set is not there.
    """
    from reproductions.jakubik2017 import emotify, quadrants

    deam, emomusic = (open_dataset(name, root) for name in ("deam", "emomusic"))
    classes = {"emotify": emotify.Emotions, "4q": quadrants.Quadrants}
    on_classes = {name: kind(open_dataset(name, root), 10, False, n_jobs) for name, kind in classes.items()}
    across_labels = [
        kind(*pair, emomusic.artists, n_jobs)
        for pair in ((deam, emomusic), (emomusic, deam))
        for kind in (AcrossLabels, AcrossAudio)
    ]
    return across_labels + [
        AcrossEmotions(*pair, n_jobs)
        for pair in ((on_classes["4q"], on_classes["emotify"]), (on_classes["emotify"], on_classes["4q"]))
    ]


BESIDE = {  # what is recorded of the same songs and folds elsewhere: data set, paper, variants
    "4q_to_emotify": ("jakubik2017", "emotify", ["semantic_embedding_gru_svr", "ridge", "training_mean"]),
    "emotify_to_4q": ("jakubik2017", "4q", ["semantic_embedding_gru_svm", "combined_svm", "majority"]),
}


QUESTION = {
    "kind": "difference", "split": "test", "metric": "r2_pooled", "direction": 1, "own": True, "b": "ridge",
}  # fmt: skip
CLAIMS = [  # of the suite's own
    {**QUESTION, "id": f"{network}_{dataset}_{target}", "a": network, "dataset": dataset, "targets": [target],
     "statement": f"{TITLES[network]} predicts {target} better than ridge regression "
                  f"({dataset.replace('_to_', ' → ')})."}
    for dataset in ("emomusic_to_deam", "deam_to_emomusic") for network in NETWORKS for target in TARGETS
]  # fmt: skip


def table(results: Path, render=report.text_table) -> str:
    """Every system on every pair of data sets, means over runs ± their deviation, with the baselines.

    Below it, how far each network is from ridge regression.

    Parameters
    ----------
    results : Path
        Folder of the records.
    render : callable
        `text_table` or `markdown_table` of `common.report`.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If a record is damaged.
    """
    lines, records = [], Records(results, PAPER)
    for dataset in records.datasets():
        rows = [(name, record) for name in [*TITLES, EMBEDDING] if (record := records.get(dataset, name))]
        paper, where, names = BESIDE.get(dataset, ("", "", []))
        own, suites = (Records(folder, paper) for folder in (results, RESULTS))
        rows += [(name, r) for name in names if (r := own.get(where, name) or suites.get(where, name))]
        for name, record in rows:
            title = record["title"] + (", trained on it" if name not in (*TITLES, EMBEDDING, *TRIVIAL) else "")
            split, metric, targets = headline(record)
            shown = [t for t in targets if t in TARGETS] or targets[-1:]  # of nine emotions the average alone
            cells = report.measured(record, split, metric, shown)
            facts = coverage_of(record["facts"], split)
            songs = f"{facts['n_train']}, {facts['n_test']}" + (f"; {facts['frames']}" if facts.get("frames") else "")
            metric = metric.split("_mean_over")[0].replace("_", " ")
            lines.append([dataset.replace("_to_", " → "), title, songs, metric, cells, len(record["runs"])])
    if not lines:
        return "Nothing is recorded yet."
    header = ["trained on → tested on", "system", "training songs, test songs", "metric", "measured", "runs"]
    expected = {"paper": PAPER, "cells": [], "claims": CLAIMS}
    asked = report.claims_table(judge_claims(expected, records), render)
    return render(header, lines) + "\n\n" + asked


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.
    """
    parser = cli.Parser(prog="python -m reproductions compare", description=__doc__)
    add = parser.add_argument
    add("--data-root", metavar="DIR", help="folder of the data sets (default: the variable MER_DATA_ROOT)")
    add("--variant", choices=[*TITLES, EMBEDDING], help="only this system (default: all)")
    add("--repeats", type=cli.at_least(1), default=SEEDS, help="repetitions, with other weights (default: %(default)s)")
    cli.add_processes(add)
    add("--out", type=Path, default=Path("runs"), metavar="DIR", help="where records go (default: %(default)s/)")
    options = parser.parse_args(arguments)
    return cli.run(lambda: _compare(options))


def _compare(options) -> int:
    cli.use_device(options)
    where = {"out": options.out, "work": cache_folder() / "work", "n_jobs": options.jobs}
    for experiment in experiments(options.data_root, options.jobs):
        chosen = [variant for variant in experiment.variants if options.variant in (None, variant.name)]
        reasons = {variant.name: experiment.unavailable_reason(variant) for variant in chosen}
        for name, reason in reasons.items():
            print(f"{experiment.dataset}: {name}{f' is left out: {reason}' if reason else ''}", flush=True)
        available = [variant for variant in chosen if not reasons[variant.name]]
        execute(experiment, available, list(range(options.repeats)), **where)
    print("\n" + table(options.out))
    return 0
