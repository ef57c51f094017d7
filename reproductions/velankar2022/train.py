"""Sections III and IV: mel spectrograms of 30 s -> CRNN or parallel CNN-RNN -> three moods, accuracy and F1.

The paper's 138 Hindi songs are not public. 138 excerpts of 4Q stand in for them, or of MER500 (--dataset mer500). Who
has the songs puts them into `hindi/{devotional,romantic,sad}` of the data root (--dataset hindi); any other folder of
class folders is a collection of the user's own. A repetition is another random split.
"""

from dataclasses import asdict, replace
from functools import cached_property
from itertools import product

import numpy as np

from common import audio, backend, cli, protocol, weights
from common import baselines as trivial
from common.experiment import Classes, Samples, Split, Trained, Variant
from common.experiment.identity import digest
from common.experiment.recordings import FromRecordings
from common.features.descriptors import Descriptors
from common.features.relative_mel import RelativeMel
from common.features.truncated import Truncated
from data_prep import open_classes

EPOCHS, HOP, FRAMES = 25, 1024, 640  # frames of a spectrogram, 29.7 s
PAPER_DATASET, N_TRAIN, N_TEST = "hindi", 92, 46  # the paper's songs; 19 of the 92 validate
MOODS = {  # of other data sets, in the place of the paper's classes
    "4q": {"happy": "romantic", "sad": "sad", "relaxed": "devotional"},
    "mer500": {"Romantic": "romantic", "Sad": "sad", "Devotional": "devotional"},
}
MOODS["synthetic_quadrants"] = MOODS["4q"]
LONGEST_PART = 0.9  # of the recordings, for a variant that uses their first seconds
PER_CLASS, FEWEST, ARTISTS = 46, 8, 10  # of a class: songs in the paper; songs and artists that a split needs
TEST, LAST, TESTED, VALIDATED = "test", "test, last epoch", 0.33, 0.2  # fractions, of all songs and of all others

DATA = {"songs": "moods", "groups": None, "size": None, "hop": HOP, "seconds": None, "protocol": 1}  # the paper's
SIZES, SECONDS = (92, 200, 400), (5, 10, 20)  # songs to train on, of 600; seconds of each excerpt, of 30
QUADRANTS = ", all excerpts in four quadrants", {"songs": "quadrants", "groups": "artists"}
INTERPRETATIONS = [  # of what the paper leaves open, and its outlook: what they add to a name and a title, and change
    ("", "", {}),
    ("_hop_512", ", hop 512", {"hop": 512}),
    ("_11_khz", ", 11,025 Hz, hop 512", {"hop": 512, "rate": 11025}),
    ("_8_outputs", ", eight outputs", {"outputs": 8}),
    ("_relu_first", ", ReLU before the normalisation", {"relu_first": True}),
    ("_standardised", ", input standardised", {"standardised": True}),
    *((f"_{s}_s", f", {s} s of each", {"seconds": s}) for s in SECONDS),
    ("_artists", ", splits by artist", {"groups": "artists"}),
    *((f"_quadrants_{n}", f"{QUADRANTS[0]}, {n} to learn from", QUADRANTS[1] | {"size": n}) for n in SIZES),
    ("_quadrants", *QUADRANTS),
]
SYSTEMS = {  # titles, the settings that matter to them, and of networks core seconds of a song and epoch
    "crnn": ("CRNN", {*DATA, "rate", "outputs", "standardised", "relu_first"}, 0.003),
    "parallel": ("Parallel CNN-RNN", {*DATA, "rate", "outputs", "standardised"}, 0.012),
    "majority": ("baseline: the most frequent class of the training songs", {"songs", "groups", "size"}, None),
    "descriptors_svm": ("baseline: SVM on 54 hand-made features", {"songs", "groups", "size", "seconds"}, None),
}


def variants(epochs: int | None = None) -> list[Variant]:
    """Both networks in all interpretations, then the baselines; `epochs` in the place of the published 25."""
    made, n = [], epochs or EPOCHS
    for (suffix, about, changes), (kind, (title, matters, seconds)) in product(INTERPRETATIONS, SYSTEMS.items()):
        if changes.keys() <= matters:
            settings = DATA | {key: changes[key] for key in changes if key in {*DATA, "rate"}}
            of_network = {key: changes[key] for key in changes if key not in settings}
            own = {"network": {"kind": kind, "epochs": n} | of_network} if seconds else {"baseline": kind}
            n_songs = settings["size"] or (600 if settings["songs"] == "quadrants" else N_TRAIN)
            core_seconds = 6 + n * n_songs * seconds if seconds else 2
            primary = bool(seconds) and not changes
            made.append(Variant(kind + suffix, title + about, settings | own, primary, core_seconds))
    return sorted(made, key=lambda variant: "baseline" in variant.settings)


PUBLISHED = {variant.name: variant.settings for variant in variants()}  # with as many epochs as in the paper


def baselines(variant: Variant) -> tuple[str, ...]:
    """The names of those that run together with a variant: on its songs, splits and seconds."""
    return tuple(
        name
        for name, on in PUBLISHED.items()
        if "baseline" in on and all(on[key] == variant.settings[key] for key in SYSTEMS[on["baseline"]][1])
    )


def fit(settings: dict, samples: Samples, split: Split) -> Trained:
    """Train on some songs and keep the weights of the best validation epoch.

    settings: `kind`, `epochs`, and interpretations (`outputs`, `relu_first`, `standardised`). x (n_songs, 640, 128),
    y class numbers (n_songs,). Outputs: class numbers (n_test,) of the best and of the last epoch, by test name.
    """
    backend.start(split.seed)
    from keras.callbacks import EarlyStopping, LambdaCallback, ReduceLROnPlateau

    from reproductions.velankar2022 import model

    x, y, n_classes, epochs = samples.x, samples.y, int(samples.y.max()) + 1, settings["epochs"]
    mean, std = 0.0, 1.0
    if settings.get("standardised"):  # each mel band, on the training songs; one that does not vary is not divided
        mean, std = x[split.train].mean(axis=(0, 1)), x[split.train].std(axis=(0, 1)) + 1e-6
        std[np.ptp(x[split.train], axis=(0, 1)) == 0] = 1
    network, optimizer, batch = model.NETWORKS[settings["kind"]]
    of_network = {"relu_first": True} if settings.get("relu_first") else {}
    net = network(settings.get("outputs", n_classes), **of_network)
    net.compile(optimizer(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    train, validation, test = (
        ((x[songs] - mean) / std, y[songs]) for songs in (split.train, split.validation, split.tests[TEST])
    )
    outputs = {}

    def predict(name):
        outputs[name] = net.predict(test[0], batch_size=batch, verbose=0)[:, :n_classes].argmax(axis=1)

    callbacks = [
        # In this order: the last epoch is predicted before EarlyStopping restores the best one's weights at the end.
        ReduceLROnPlateau("val_accuracy", 0.5, patience=10, min_delta=0.01, mode="max"),
        LambdaCallback(on_train_end=lambda logs: predict(LAST)),
        EarlyStopping("val_accuracy", patience=epochs, mode="max", restore_best_weights=True),  # trains to the end
    ]
    history = net.fit(*train, batch, epochs, verbose=0, callbacks=callbacks, validation_data=validation).history
    predict(TEST)
    curves = {name: np.array(values) for name, values in history.items() if name != "learning_rate"}
    return Trained(outputs, curves, weights.with_scaling(net, mean, std))


def loop_to_length(features: np.ndarray) -> np.ndarray:
    """The first 640 frames (640, 128), a shorter spectrogram repeated until they are full; of (54,) all."""
    return np.resize(features, (FRAMES, features.shape[1])) if features.ndim == 2 else features


class RandomSplits(FromRecordings):
    """Repeated random splits into songs to train on, to validate and to test."""

    paper, fit = "velankar2022", staticmethod(fit)

    @cached_property
    def seconds(self) -> float:
        """The median length of the recordings."""
        return float(np.median([audio.duration(track.path) for track in self.data.tracks]))

    def songs(self, variant: Variant):
        """The `data_prep.base.Selection` of all songs, or of 46 of each class of `MOODS`."""
        if variant.settings["songs"] == "moods" and self.data.name in MOODS:
            return self.data.select(MOODS[self.data.name], PER_CLASS)
        return self.data.select()

    def task(self, variant):
        """The class of a song, by accuracy, precision, recall and F1."""
        return Classes(self.songs(variant).classes)

    def extractor(self, variant):
        """Mel spectrograms for networks, 54 hand-made features for the SVM; of the first seconds only."""
        settings, rate = variant.settings, variant.settings.get("rate", RelativeMel.rate)
        extractor = RelativeMel(settings["hop"], rate=rate) if "network" in settings else Descriptors()
        return Truncated(extractor, settings["seconds"]) if settings["seconds"] else extractor

    def samples(self, variant):
        """Spectrograms (n_songs, 640, 128), or hand-made features (n_songs, 54), and class numbers."""
        songs, extractor = self.songs(variant), self.extractor(variant)
        return self.samples_once(
            (variant.settings["songs"], extractor),
            songs.tracks,
            songs.numbers,
            lambda: np.stack([loop_to_length(song) for song in self.features(extractor, songs.tracks)]),
        )

    def split(self, variant: Variant, seed: int, **options) -> Split:
        """A split of the variant's songs, by artist if it says so; options: see `protocol.random_split`."""
        samples, names = self.samples(variant), (TEST, LAST) if "network" in variant.settings else (TEST,)
        groups = samples.groups if variant.settings["groups"] else None
        return protocol.random_split(names, samples.y, seed, validation=VALIDATED, groups=groups, **options)

    def splits(self, variant, seed):
        """One random split a seed (section IV: 0.33 test; 20 % of the others validate)."""
        return [self.split(variant, seed, test=TESTED, size=variant.settings["size"])]

    def trained_on_all(self, variant):
        """All songs but those that validate, which also choose the epoch."""
        settings = variant.settings
        if "network" not in settings or settings["hop"] != HOP or settings["seconds"]:
            return super().trained_on_all(variant)
        split = self.split(variant, 0, test=0)
        return self.networks(variant, replace(split, tests={TEST: split.validation}))

    def predict(self, variant, split, trained):
        """Class numbers: the network's, of its best and its last epoch, or a baseline's."""
        if trained:
            return {name: trained[0].outputs[name] for name in split.tests}
        classifier = trivial.majority() if variant.settings["baseline"] == "majority" else trivial.svm()
        return trivial.classify(classifier, self.samples(variant), split)

    def unavailable_reason(self, variant):
        """A variant can need four quadrants, artists, more or longer songs; not every network has every setting."""
        settings, songs = variant.settings, self.songs(variant)
        n, name = songs.fewest(lambda track: track.artist)
        n_train = len(songs.tracks) * (1 - TESTED)
        if settings["songs"] == "quadrants" and len(songs.classes) != 4:
            return f"{self.data.name} has not the four quadrants"
        if settings["groups"] and n < ARTISTS:
            return f"{self.data.name} names {n} artists of class {name}, and {ARTISTS} are needed (artists.csv)"
        if settings["size"] and settings["size"] > n_train:
            return f"{self.data.name} has about {n_train:.0f} songs to train on"
        if settings["seconds"] and settings["seconds"] > LONGEST_PART * self.seconds:
            return f"it needs recordings longer than {settings['seconds']} s, and those here last {self.seconds:.3g} s"
        network = settings.get("network", {})
        if network.get("kind") == "parallel" and network.get("relu_first"):
            return "the parallel CNN-RNN has no normalisation that a ReLU could stand before"
        if network.get("outputs", len(songs.classes)) < len(songs.classes):
            return f"{self.data.name} has {len(songs.classes)} classes, an output each"
        return None

    def facts(self, variant):
        """As of recordings, with the classes of all songs and what stands for the paper's."""
        settings, facts, samples = variant.settings, super().facts(variant), self.samples(variant)
        of_paper = self.data.is_paper_collection(PAPER_DATASET, tuple(MOODS["4q"].values()))
        facts |= {
            "fingerprint": digest([self.data.fingerprint, settings["songs"]]), "stand_in": not of_paper,
            "input": f"mel spectrogram from audio, hop {settings['hop']}" if "network" in settings else "audio",
            "partial": self.incomplete or settings != PUBLISHED.get(variant.name), "reference": samples.y.tolist(),
            "overlap": round(facts["n_test"] / (len(samples) - facts["n_test"]), 4),
        }  # fmt: skip
        facts |= {"of_train": N_TRAIN, "of_test": N_TEST} if of_paper else {}
        facts |= {"frames": f"{settings['seconds']} of {self.seconds:.0f} s"} if settings["seconds"] else {}
        if "network" in settings:
            extractor, tracks = self.extractor(variant), self.songs(variant).tracks
            facts["extractor"] = asdict(getattr(extractor, "of", extractor))
            facts["shorter_than_640_frames"] = sum(len(of) < FRAMES for of in self.features(extractor, tracks))
        if settings["groups"]:
            facts["artists"] = samples.groups
        return facts


def build(options) -> RandomSplits:
    """The data set that the options name; without a data root synthetic music."""
    data = open_classes(options.dataset, options.data_root, synthetic="synthetic_quadrants")
    missing = data.require(allow_missing=options.allow_missing, per_class=FEWEST)
    return RandomSplits(data, incomplete=bool(missing), n_jobs=options.jobs)


TRAINING = cli.Training(
    lambda options: variants(options.epochs),
    build,
    baselines,
    repeats=20,
    dataset="4q",
    folds=False,
    network={"kind": ("crnn", "parallel"), "relu_first": False, "standardised": False, "outputs": int},
)
main = TRAINING.main

if __name__ == "__main__":
    cli.run_module(__spec__)
