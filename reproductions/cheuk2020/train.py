"""Mean openSMILE features -> triplet network -> gradient boosting -> valence of songs, the first of ten folds, R²."""

import numpy as np

from common import cli
from common.errors import InputError
from common.experiment import Dynamic, Experiment, Network, Samples, Split, Trained, Variant
from common.experiment.identity import digest
from common.features.opensmile import OpenSmile
from data_prep import open_dataset
from data_prep.dynamic import windows

FOLDS, ROUNDS, EPOCHS, BATCH = 10, 25, 10, 128
WINDOWS = 88  # of an excerpt of 45 s, one every 0.5 s
LAST_OF_2013, LAST_EXCERPT = 1000, 2000  # song ids
TARGETS, SPLIT = ("valence",), "fold 1"
LABELS = {  # whose valence and arousal are exchanged: suffix of a variant's name, and of its title
    "notebook": ("", ""),
    "right": ("_right", ", ratings put right"),
    "as_many": ("_64", ", as many ratings exchanged as in the notebook"),
}


def variants(epochs: int | None = None, rounds: int = ROUNDS) -> list[Variant]:
    """The notebook's system, its baseline, and both on other labels; `epochs` in the place of the published number."""
    network, systems = {"units": 260, "rounds": rounds, "epochs": epochs or EPOCHS}, []
    for labels, (suffix, title) in LABELS.items():
        system, baseline = ({"labels": labels, **more} for more in ({"network": network}, {"baseline": "gbm"}))
        systems.append(Variant(f"tnn_gbm{suffix}", f"TNN + GBM{title}", system, primary=not suffix, core_seconds=240))
        systems.append(Variant(f"gbm{suffix}", f"baseline: GBM on the features{title}", baseline, core_seconds=4))
    mean = {"labels": "notebook", "baseline": "training_mean"}
    return [*systems, Variant("training_mean", "baseline: mean of the training songs", mean)]


PUBLISHED = {variant.name: variant.settings for variant in variants()}


def regress(name: str, x: np.ndarray, y: np.ndarray, split: Split) -> np.ndarray:
    """Ratings of the test songs, (n_test,), by a regression of scikit-learn; x (n_songs, n), y (n_songs,)."""
    from sklearn.dummy import DummyRegressor
    from sklearn.ensemble import GradientBoostingRegressor

    regression = {"gbm": GradientBoostingRegressor(random_state=split.seed), "training_mean": DummyRegressor()}[name]
    (test,) = split.tests.values()
    return regression.fit(x[split.train], y[split.train]).predict(x[test])


def fit(settings: dict, songs: Samples, split: Split) -> Trained:
    """Train the embedding, mining triplets anew in every round; outputs: ratings of the test songs, (n_test,)."""
    from common import backend

    backend.start(split.seed)
    import keras

    from reproductions.cheuk2020 import model
    from reproductions.cheuk2020.triplets import mine

    train, y = split.train, songs.y[:, 0, 0]
    mean, std, low, high = songs.x[train].mean(0), songs.x[train].std(0), y[train].min(), y[train].max()
    x = ((songs.x - mean) / np.where(std > 0, std, 1)).astype("float32")
    net = model.embedding(x.shape[1], settings["units"])
    net.compile(keras.optimizers.Adam(1e-5), model.triplet_loss, steps_per_execution=64)  # a third faster
    rng, losses = np.random.default_rng(split.seed), []
    for _ in range(settings["rounds"]):
        triplets = mine(2 * (y[train] - low) / (high - low) - 1, rng)
        unread = np.zeros(len(triplets))  # the loss takes no labels
        history = net.fit(x[train][triplets], unread, batch_size=BATCH, epochs=settings["epochs"], verbose=0)
        losses += history.history["loss"]
    ratings = regress("gbm", net.predict(x[None], verbose=0)[0], y, split)
    return Trained({"ratings": ratings}, {"loss": np.array(losses)})


class FirstFold(Experiment):
    """The first of ten folds in the order of songs, the only one that the notebook runs."""

    paper = "cheuk2020"

    def __init__(self, data, folds: int, n_jobs: int):
        self.data, self.folds, self.dataset, self.for_record = data, folds, data.name, not data.synthetic
        ratings = song_ratings(data)
        features = windows(data, list(ratings), self.extractor(None), n_jobs=n_jobs)
        self.of_test = -(-len(ratings) // folds)
        self.of_train = len(ratings) - self.of_test
        self.ids = [song for song in ratings if song in features]
        self.tested = np.isin(self.ids, list(ratings)[: self.of_test])
        if self.tested.sum() < 2 or self.tested.all():
            n = f"{self.tested.sum()} of {len(self.ids)} songs with features"
            raise InputError(f"{data.name}: fold 1 of {folds} tests {n}; R² needs 2, and the rest is trained on")
        self.x = np.stack([features[song][1][:WINDOWS].mean(0, dtype="float64") for song in self.ids])
        self.y = np.stack([ratings[song] for song in self.ids])

    def task(self, variant):
        """One rating a song, by R²; see `constant`."""
        return Dynamic(TARGETS)

    def exchanged(self, labels: str) -> np.ndarray:
        """Which songs have valence and arousal exchanged, (n_songs,)."""
        late = np.array([int(song) > LAST_OF_2013 for song in self.ids])
        if labels == "as_many":
            others = np.random.default_rng(0).permutation(np.flatnonzero(~late & ~self.tested))
            n = round(1000 / 1569 * (~self.tested).sum())  # of the authors' 1,569 training songs 1,000 are late
            late[others[: max(0, n - late.sum())]] = True
        return late & (labels != "right")

    def samples(self, variant):
        """Mean features (n_songs, 260), and ratings as two equal frames, (n_songs, 2, 1)."""
        valence, arousal = self.y.T
        y = np.where(self.exchanged(variant.settings["labels"]), arousal, valence)
        return Samples(self.ids, self.x, constant(y), self.ids)

    def splits(self, variant, seed):
        """The notebook's fold, the same for all seeds but for the networks' seed."""
        return [Split(np.flatnonzero(~self.tested), {SPLIT: np.flatnonzero(self.tested)}, seed=seed)]

    def networks(self, variant, split):
        """The embedding, if the variant has one."""
        settings = variant.settings
        return [Network(fit, settings["network"], self.samples(variant), split)] if "network" in settings else []

    def predict(self, variant, split, trained):
        """Ratings of the test songs, from the embedding or from the features themselves."""
        if trained:
            return {SPLIT: constant(trained[0].outputs["ratings"])}
        y = self.samples(variant).y[:, 0, 0]
        return {SPLIT: constant(regress(variant.settings["baseline"], self.x, y, split))}

    def extractor(self, variant):
        """openSMILE's, where DEAM's features are not at hand."""
        return None if self.data.includes_features else OpenSmile()

    def facts(self, variant):
        """The songs with features, of those that the notebook has."""
        n_test = int(self.tested.sum())
        return {
            "fingerprint": digest([self.data.fingerprint, self.ids, self.y.tolist()]), "audio": "none",
            "input": "mean of 260 openSMILE features", "targets": list(TARGETS),
            "partial": variant.settings != PUBLISHED.get(variant.name) or self.folds != FOLDS,
            "n_train": len(self.ids) - n_test, "of_train": self.of_train, "n_test": n_test, "of_test": self.of_test,
            "tracks": np.array(self.ids)[self.tested].tolist(),
        }  # fmt: skip


def constant(ratings: np.ndarray) -> np.ndarray:
    """Ratings (n_songs,) as two equal frames a song, (n_songs, 2, 1): R² over frames is that over songs."""
    return np.repeat(ratings[:, None, None], 2, axis=1)


def song_ratings(data) -> dict[str, np.ndarray]:
    """Valence and arousal of whole excerpts by song id, (2,), from 1 to 9; of synthetic music its mean over time."""
    if data.synthetic:
        return {song: a.values.mean(0) for song, a in data.annotations("development").items()}
    ratings = {song: rating for song, rating in data.ratings().items() if int(song) <= LAST_EXCERPT}
    # the header of DEAM's table names both the other way round for songs up to 1000
    return {song: rating[::-1] if int(song) <= LAST_OF_2013 else rating for song, rating in ratings.items()}


def build(options) -> FirstFold:
    """DEAM; without a data root synthetic music."""
    data = open_dataset("deam", options.data_root, synthetic="synthetic_dynamic")
    data.require(allow_missing=options.allow_missing)
    return FirstFold(data, options.folds or FOLDS, options.jobs)


TRAINING = cli.Training(
    lambda options: variants(options.epochs, 1 if options.quick else ROUNDS),
    build,
    lambda variant: ("training_mean", f"gbm{LABELS[variant.settings['labels']][0]}"),
)
main = TRAINING.main

if __name__ == "__main__":
    cli.run_module(__spec__)
