"""Models compared across data sets: nothing of what is tested is learnt, and the table tells what is recorded."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import r2_score

from common import protocol
from common.experiment import Samples, Split
from common.experiment.records import read_record
from common.experiment.runner import execute
from data_prep import open_dataset
from reproductions import cross_dataset

pytest.importorskip("reproductions.malik2017")
Clips = pytest.importorskip("reproductions.chaki2020.clips").Clips
N = 12  # songs of a data set


def clips(first: int) -> Clips:
    """Songs whose labels follow from their first two features, by artists of two songs each."""
    ids = [str(first + i) for i in range(N)]
    rng = np.random.default_rng(first)
    x = rng.standard_normal((N, cross_dataset.STEPS, 260)) + 0.1
    y = 0.3 * x[:, :1, :2] + 0.02 * rng.standard_normal((N, cross_dataset.STEPS, 2))
    artists = [f"artist {(first + i) // 2}" for i in range(N)]
    return Clips(ids, x.astype("float32"), y.astype("float32"), artists, 15 + 0.5 * np.arange(cross_dataset.STEPS))


@pytest.fixture
def across(monkeypatch):
    """Songs 0 to 11, and 7 to 18: 7 to 11 are in both, 6 and 12 have an artist that the other side has."""
    monkeypatch.setattr(cross_dataset, "_clips", lambda data, names, n_jobs: clips(data.first))
    for network in cross_dataset.NETWORKS:
        monkeypatch.setitem(cross_dataset.NETWORKS, network, cross_dataset.NETWORKS[network] | {"epochs": 2})
    return cross_dataset.AcrossLabels(
        SimpleNamespace(name="one", first=0), SimpleNamespace(name="other", first=7), {}, 1
    )


def test_no_song_and_no_artist_is_on_both_sides(across):
    clips_of_both, n = across.clips
    learnt, tested = clips_of_both.ids[:-n], clips_of_both.ids[-n:]
    assert tested == [str(i) for i in range(12, 19)] and not set(learnt) & set(tested)
    assert not set(clips_of_both.groups[:-n]) & set(clips_of_both.groups[-n:])
    facts = across.facts(across.variants[0])
    assert (facts["n_train"], facts["n_test"], facts["tracks"]) == (len(learnt), 7, tested)


@pytest.mark.slow
def test_networks_and_baselines_of_other_songs(across, tmp_path):
    where = {"out": tmp_path, "work": tmp_path / "work", "n_jobs": 1, "quiet": True}
    records = execute(across, across.variants, [0], **where)
    measured = {name: record["runs"][0]["metrics"]["test"] for name, record in records.items()}
    clips_of_both, n = across.clips
    train, test = np.arange(len(clips_of_both) - n), np.arange(len(clips_of_both) - n, len(clips_of_both))
    for i, target in enumerate(cross_dataset.TARGETS):
        constant = np.full(n * cross_dataset.STEPS, np.mean(clips_of_both.y[train][..., i]))
        expected = r2_score(clips_of_both.y[test][..., i].ravel(), constant)
        assert measured["training_mean"]["r2_pooled"][target] == pytest.approx(expected, abs=1e-4)
    assert set(cross_dataset.NETWORKS) < set(measured)
    lines = cross_dataset.table(tmp_path).splitlines()
    assert sum("one → other" in line for line in lines[:10]) == len(cross_dataset.TITLES) - 1  # it needs audio
    assert cross_dataset.table(tmp_path / "work") == "Nothing is recorded yet."


AUDIO = np.arange(36, 51)  # labels of each song that have audio


@pytest.fixture
def with_audio(across, monkeypatch):
    """The same songs with patches of which the first two values tell the labels; returns the experiment."""
    regression = pytest.importorskip("reproductions.musicnn2019.regression")

    def patches(data, annotations, n_jobs):
        rng = np.random.default_rng(0)
        rows = {song: np.repeat(of.values[AUDIO], 10, axis=1) for song, of in annotations.items() if song != data.lacks}
        return {song: (AUDIO, x + 0.01 * rng.standard_normal(x.shape).astype("float32")) for song, x in rows.items()}

    monkeypatch.setattr(regression, "patches", patches)
    data = (SimpleNamespace(name=name, first=first, lacks=None, audio_kind="10 s") for name, first in
            (("one", 0), ("other", 7)))  # fmt: skip
    return cross_dataset.AcrossAudio(*data, {}, 1)


def test_the_regression_has_the_networks_songs_and_labels(across, with_audio):
    """All labels count: at those without audio the prediction is the mean of the song's others."""
    (variant,), networks = with_audio.variants, across.facts(across.variants[0])
    facts, (split,) = with_audio.facts(variant), with_audio.splits(variant, 0)
    assert all(facts[key] == networks[key] for key in ("tracks", "learnt", "n_train", "n_test"))
    assert facts["frames"] == f"audio at {15 * len(with_audio.clips[0])} of {60 * len(with_audio.clips[0]):,} labels"
    assert len(split.train) == facts["n_train"] and with_audio.unavailable_reason(variant) is None
    (network,) = with_audio.networks(variant, split)
    trained = network.fit(network.settings, network.samples, split)
    run = with_audio.score(variant, 0, [[trained]])
    assert run["songs"]["test"]["frames"] == [60] * facts["n_test"]
    assert run["metrics"]["test"]["r2_pooled"]["average"] > 0.8
    predicted = with_audio.predict(variant, split, [trained])["test"]
    for song, values in zip(predicted, np.split(trained.outputs["test"], facts["n_test"]), strict=True):
        assert song.shape == (60, 2) and song[AUDIO].tolist() == values.tolist()
        np.testing.assert_allclose(np.delete(song, AUDIO, axis=0), np.repeat(values.mean(0)[None], 45, 0), atol=1e-6)


def test_without_the_audio_of_a_song_the_regression_is_left_out(with_audio):
    with_audio.test.lacks = "14"
    assert with_audio.unavailable_reason(with_audio.variants[0]) == "no audio at the labels of 1 songs, the first 14"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("Digi G'Alessio", "digi g alessio", True), ("Morphamish remixes Full Blush", "Morphamish", True),
     ("Circus Marcus", "Marcus Circus", False), ("15", "154", False), ("Air", "Fairground", False)],
)  # fmt: skip
def test_names_of_one_artist(one, other, same):
    assert cross_dataset.same_artist(one, other) == cross_dataset.same_artist(other, one) == same


@pytest.mark.parametrize(("train", "test"), [("deam", "emomusic"), ("emomusic", "deam")])
def test_real_songs(real_root, train, test):
    """What was recorded: no song and no artist that is tested was learnt from, by emoMusic's names for all songs."""
    folder = cross_dataset.RESULTS / "cross_dataset" / f"{train}_to_{test}"
    facts, *others = (read_record(folder / f"{name}.json")["facts"] for name in cross_dataset.MODELS)
    assert all(other[key] == facts[key] for other in others for key in ("tracks", "learnt", "n_train", "n_test"))
    artists = open_dataset("emomusic", real_root).artists
    learnt, tested = ({artists.get(song, song) for song in facts[part]} for part in ("learnt", "tracks"))
    assert len(facts["learnt"]) > 150 and not set(facts["learnt"]) & set(facts["tracks"])
    assert not any(cross_dataset.same_artist(a, b) for a in learnt for b in tested)


def test_embeddings_are_learnt_from_the_other_data_set_alone():
    """Songs that are tested change nothing in what the network learns from."""
    songs = {kind: np.random.default_rng(i).standard_normal((4, 120, 160)) for i, kind in enumerate("abc")}

    def experiment(kind, dataset):
        sequences = protocol.Sequences.of(list(songs[kind].astype("float32")))
        samples = Samples(list("1234"), sequences, np.eye(4, dtype="float32"), list("1234"))
        return SimpleNamespace(
            dataset=dataset, sequences=sequences, paths=range(4), ids=samples.ids, annotated=lambda: samples
        )

    for kind in "bc":
        across = cross_dataset.AcrossEmotions(experiment("a", "emotify"), experiment(kind, "4q"), 1)
        folds = [Split(np.arange(2), {"10-fold": np.arange(2, 4)}, fold=k, seed=2000 + k) for k in range(2)]
        one, other = (network for fold in folds for network in across.networks(across.variants[0], fold))
        assert one.split.train.tolist() == other.split.train.tolist() == [0, 1, 2, 3] and one.split.seed == 2000
        np.testing.assert_array_equal(one.samples.x[0], songs["a"][0].astype("float32"))
        assert not one.samples.y[4:].any() and len(one.samples) == 8
