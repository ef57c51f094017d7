"""Beyond the papers: a paper's model trained on one data set and tested on another that it fits.

The networks of malik2017 and chaki2020 learn valence and arousal from one of MediaEval 2015's development songs and
emoMusic, and are tested on the songs of the other; no song and no artist is on both sides. jakubik2017's semantic
embedding learns from 4Q's quadrants, and new support vector regressions on it tell Emotify's emotions; and the other
way round. What is done is not done again.
"""

import re
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from common import backend, cli, protocol, published, report, runs
from common.files import cache_folder, finite
from common.parallel import available_cores
from common.runs import Experiment, Variant
from common.verdict.claims import judge_claims
from data_prep import open_dataset

PAPER = "beyond"  # the folder of the records
RESULTS = Path(__file__).parents[1] / "results"
SEEDS, STEPS = 3, 60  # steps that clips of both data sets have, labels from 15.0 s on
TARGETS = ["valence", "arousal"]
NETWORKS = {
    "malik2017_crnn": {"length": 20, "epochs": 300, "until": 0.0, "validation": True},
    "chaki2020_lstm_at_128": {"units": (128,), "attention": "strict", "epochs": 30},
}
TITLES = {
    "malik2017_crnn": "malik2017: CRNN, length 20", "chaki2020_lstm_at_128": "chaki2020: LSTM_AT_128",
    "ridge": "baseline: ridge regression of song means on averaged features",
    "training_mean": "baseline: mean of the training songs", "own_song_mean": "oracle: each song's own mean",
}  # fmt: skip
EMBEDDING = "jakubik2017_embedding"
TRIVIAL = ("training_mean", "majority")


class AcrossLabels(Experiment):
    """Valence and arousal learnt from the songs of one data set and told of those of another."""

    paper, folds = PAPER, 1

    def __init__(self, train, test, names: dict[str, str], jobs: int):
        """names: of artists, by song, the same for both data sets."""
        self.train, self.test, self.names, self.processes = train, test, names, jobs
        self.dataset = f"{train.name}_to_{test.name}"

    @property
    def variants(self) -> list[Variant]:
        return [Variant(name, TITLES[name], {"network": NETWORKS.get(name), "steps": STEPS, "protocol": 1}, True, 150)
                for name in TITLES]  # fmt: skip

    @cached_property
    def clips(self):
        """Clips of both, the tested ones last, and how many those are."""
        from reproductions.chaki2020.clips import Clips

        tested, learnt = (_clips(data, self.names, self.processes) for data in (self.test, self.train))
        new = [i for i, song in enumerate(tested.ids) if song not in set(learnt.ids)]
        artists = {tested.artists[i] for i in new}
        old = [i for i, artist in enumerate(learnt.artists) if not any(map(partial(same_artist, artist), artists))]
        both = {name: [getattr(learnt, name)[i] for i in old] + [getattr(tested, name)[i] for i in new]
                for name in ("ids", "artists", "x", "y")}  # fmt: skip
        return Clips(both["ids"], both["artists"], tested.times, np.stack(both["x"]), np.stack(both["y"])), len(new)

    @cached_property
    def split(self) -> tuple[np.ndarray, np.ndarray]:
        clips, n = self.clips
        return np.arange(len(clips) - n), np.arange(len(clips) - n, len(clips))

    def facts(self, variant):
        clips, n = self.clips
        return {
            "fingerprint": clips.fingerprint, "audio": "none", "input": "DEAM's 260 openSMILE features",
            "n_train": len(clips) - n, "of_train": len(clips) - n, "n_test": n, "of_test": n, "targets": TARGETS,
            "tracks": clips.ids[-n:], "artists": clips.artists[-n:], "learnt": clips.ids[:-n],
        }  # fmt: skip

    def extractor(self, variant):
        return None  # features that come with DEAM

    def jobs(self, variant, seed):
        job = {"network": variant.settings["network"], "seed": seed}
        if variant.name == "malik2017_crnn":
            return [job]
        return [job | {"target": i} for i in range(2)] if variant.settings["network"] else []

    def call(self, job):
        from reproductions.chaki2020.train import train_network as of_chaki
        from reproductions.malik2017.train import train_network as of_malik

        (clips, _), (train, test) = self.clips, self.split
        if "target" in job:
            split = train, test, [clips.artists[i] for i in train]
            return of_chaki, job["network"], clips, job["target"], split, job["seed"]
        return of_malik, job["network"], _part(clips, train), {"test": _part(clips, test)}, job["seed"]

    def finish(self, variant, seed, found, jobs):
        from common import metrics
        from reproductions.chaki2020.baselines import baseline
        from reproductions.chaki2020.train import histories

        (clips, _), (train, test), history = self.clips, self.split, {}
        if variant.name == "malik2017_crnn":
            predicted = found[0]["test"].reshape(len(test), STEPS, 2)
            history = {"course": [finite(found[0]["course"].astype(float).round(4).tolist())]}
            history |= {"course_epochs": [found[0]["course_epochs"].tolist()]}
        elif found:
            predicted = np.stack([network["predicted"] for network in found], axis=-1)
            history = histories(found)
        else:
            name = {"ridge": "ridge_clips"}.get(variant.name, variant.name)
            predicted = np.broadcast_to(baseline(name, clips, train, test, None), (len(test), STEPS, 2))
        songs = metrics.of_songs(clips.y[test], predicted)
        return {"metrics": {"test": metrics.dynamic(songs, TARGETS)}, "songs": {"test": songs}, **history}


def same_artist(one: str, other: str) -> bool:
    """Whether two names are of one artist, or one of them is within the other ("Morphamish remixes Full Blush")."""
    one, other = (re.sub(r"\W+", " ", name.casefold()).strip() for name in (one, other))
    return one == other or (not (one + other).isdigit() and (f" {one} " in f" {other} " or f" {other} " in f" {one} "))


def _clips(data, names: dict[str, str], jobs: int):
    """The songs of DEAM's development split, or emoMusic's clips, with official features, their first 60 labels.

    names: of artists, by song, where DEAM's own table has another or none.
    """
    from reproductions.chaki2020.clips import Clips, load
    from reproductions.malik2017.songs import Material

    if data.name == "emomusic":
        clips = load(data, "deam", jobs)
        return replace(clips, times=clips.times[:STEPS], x=clips.x[:, :STEPS], y=clips.y[:, :STEPS])
    songs = Material(data, "official", "repaired", "ends_at_label", jobs).development
    artists = {track.id: track.artist for track in data.tracks} | names
    x, y = (np.stack([part[i] for i in range(len(songs))]) for part in (songs.x, songs.y))
    return Clips(songs.ids, [artists.get(song) or song for song in songs.ids], 15 + 0.5 * np.arange(STEPS), x, y)


def _part(clips, songs):
    from reproductions.malik2017.songs import Part

    x, y = (protocol.Sequences.of(list(values[songs])) for values in (clips.x, clips.y))
    return Part([clips.ids[i] for i in songs], x, y)


class AcrossEmotions(Experiment):
    """The semantic embedding of one data set, and support vectors cross-validated on another."""

    paper, folds = PAPER, 10

    def __init__(self, train, test, jobs: int):
        """train, test: experiments of jakubik2017, on Emotify or on quadrants."""
        self.train, self.test, self.processes = train, test, jobs
        self.dataset = f"{train.dataset}_to_{test.dataset}"

    @property
    def variants(self) -> list[Variant]:
        network = {"loss": "semantic_embedding", "epochs": 100, "standardise": True}
        title = f"jakubik2017: semantic embedding of {self.train.dataset}"
        return [Variant(EMBEDDING, title, {"network": network, "protocol": 1}, True, 80)]

    def facts(self, variant):
        facts = self.test.facts(self.of_test)
        kept = ("audio", "decoder", "input", "n_test", "of_test", "targets", "tracks", "reference", "reference_z")
        found = {key: facts[key] for key in kept if key in facts}
        digest, n = runs.digest([facts["fingerprint"], self.train.data.fingerprint]), len(self.train.paths)
        return found | {"fingerprint": digest, "n_train": n, "of_train": n}

    @cached_property
    def of_test(self) -> Variant:
        """The paper's own system on the data set that is tested."""
        from reproductions.jakubik2017 import emotify, quadrants

        every = emotify.variants() if self.test.dataset == "emotify" else quadrants.variants()
        return next(v for v in every if v.name.startswith("semantic_embedding_gru"))

    def extractor(self, variant):
        return self.test.mel

    def jobs(self, variant, seed):
        return [variant.settings | {"seed": seed}]

    def call(self, job):
        from reproductions.jakubik2017.learning import train_network

        annotations = self.train.labels if self.train.dataset == "emotify" else self.train.annotation("valence_arousal")
        both = [[part.sequences[i] for i in range(len(part.sequences))] for part in (self.train, self.test)]
        labels = np.concatenate([annotations, np.zeros((len(both[1]), annotations.shape[1]), "float32")])
        fold_of = np.repeat([1, 0], [len(part) for part in both])  # fold 0, all of the tested data set, is not learnt
        return train_network, job["network"], protocol.Sequences.of(both[0] + both[1]), labels, fold_of, job["seed"], 0

    def finish(self, variant, seed, found, jobs):
        n, folds = len(self.test.paths), self.test.folds
        features = {"features": found[0]["features"][-n:]}
        return self.test.finish(self.of_test, seed, [features | {"loss": found[0]["loss"]}] * folds, jobs)


def experiments(root: str, jobs: int) -> list[Experiment]:
    """All comparisons. Raises InputError if a data set is not there."""
    from reproductions.jakubik2017 import emotify, quadrants

    deam, emomusic = (open_dataset(name, root) for name in ("deam", "emomusic"))
    classes = {"emotify": emotify.Emotions, "4q": quadrants.Quadrants}
    heard = {name: kind(open_dataset(name, root), 10, False, jobs) for name, kind in classes.items()}
    found = [AcrossLabels(*pair, emomusic.artists, jobs) for pair in ((deam, emomusic), (emomusic, deam))]
    return found + [AcrossEmotions(*pair, jobs) for pair in ((heard["4q"], heard["emotify"]),
                                                             (heard["emotify"], heard["4q"]))]  # fmt: skip


BESIDE = {  # what is recorded of the same songs and folds elsewhere: data set, paper, variants
    "4q_to_emotify": ("jakubik2017", "emotify", ["semantic_embedding_gru_svr", "ridge", "training_mean"]),
    "emotify_to_4q": ("jakubik2017", "4q", ["semantic_embedding_gru_svm", "combined_svm", "majority"]),
}


QUESTION = {
    "kind": "difference", "split": "test", "metric": "r2_pooled", "direction": 1, "own": True, "b": "ridge",
}  # fmt: skip
CLAIMS = [  # of the suite's own
    {**QUESTION, "id": f"{network}_{dataset}_{target}", "a": network, "dataset": dataset, "targets": [target],
     "statement": f"{TITLES[network]}, tells {target} better than ridge regression ({dataset.replace('_to_', ' → ')})."}
    for dataset in ("emomusic_to_deam", "deam_to_emomusic") for network in NETWORKS for target in TARGETS
]  # fmt: skip


def table(results: Path, render=report.text_table) -> str:
    """Every system on every pair of data sets, means over runs ± their deviation, the baselines beside them.

    Below it, how far each network is from ridge regression.
    """
    lines, beyond = [], published.Records(results, PAPER)
    for dataset in beyond.datasets():
        rows = [(name, record) for name in [*TITLES, EMBEDDING] if (record := beyond.get(dataset, name))]
        paper, where, names = BESIDE.get(dataset, ("", "", []))
        own, suites = (published.Records(folder, paper) for folder in (results, RESULTS))
        rows += [(name, r) for name in names if (r := own.get(where, name) or suites.get(where, name))]
        for name, record in rows:
            title = record["title"] + (", trained on it" if name not in (*TITLES, EMBEDDING, *TRIVIAL) else "")
            split, metric, targets = published.headline(record)
            told = [t for t in targets if t in TARGETS] or targets[-1:]  # of nine emotions the average alone
            cells = []
            for target in told:
                values = np.array([run["metrics"][split][metric][target] for run in record["runs"]])
                spread = f" ± {report.number(values.std(ddof=1))}" if len(values) > 1 and np.ptp(values) else ""
                cells.append(f"{target} {report.number(values.mean())}{spread}")
            facts = published.covered(record["facts"], split)
            songs = f"{facts['n_train']}, {facts['n_test']}"
            metric = metric.split("_mean_over")[0].replace("_", " ")
            lines.append([dataset.replace("_to_", " → "), title, songs, metric, ", ".join(cells), len(record["runs"])])
    if not lines:
        return "Nothing is recorded yet."
    header = ["trained on → tested on", "system", "songs learnt from, tested", "metric", "measured", "runs"]
    expected = {"paper": PAPER, "cells": [], "claims": CLAIMS}
    asked = report.claims_table(judge_claims(expected, beyond), render)
    return render(header, lines) + "\n\n" + asked


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = cli.Parser(prog="python -m reproductions compare", description=__doc__)
    add = parser.add_argument
    add("--data-root", metavar="DIR", help="folder of the data sets (default: the variable MER_DATA_ROOT)")
    add("--repeats", type=cli.at_least(1), default=SEEDS, help="repetitions, with other weights (default: %(default)s)")
    add("--jobs", type=cli.at_least(1), default=available_cores(), help="processes (default: the cores, %(default)s)")
    add("--out", type=Path, default=Path("runs"), metavar="DIR", help="where records go (default: %(default)s/)")
    options = parser.parse_args(arguments)
    return cli.run(lambda: _compare(options))


def _compare(options) -> int:
    backend.require()
    where = {"out": options.out, "work": cache_folder() / "work", "jobs": options.jobs}
    for experiment in experiments(options.data_root, options.jobs):
        print(experiment.dataset, flush=True)
        runs.execute(experiment, experiment.variants, list(range(options.repeats)), **where)
    print("\n" + table(options.out))
    return 0
