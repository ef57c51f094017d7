"""MusiCNN every half second: patches are the network's own, the regression is the suite's, files have values."""

import argparse
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from common import audio, baselines, predict, weights
from common.errors import InputError
from common.experiment import Samples, Split
from common.places import RESULTS
from common.protocol import Sequences
from data_prep.dynamic import Annotation, Recording
from reproductions.musicnn2019 import embedding, over_time, regression, train
from reproductions.musicnn2019 import predict as of_paper
from tests.made_up import MUSIC_RATE, music
from tests.oracle.musicnn import RATE, signal

WIDTH = 1706


def of_network(samples: np.ndarray, ends: list[float]) -> np.ndarray:
    """The embedding of the patches of 187 frames before some times in seconds, by the whole network one by one."""
    frames = embedding.log_mel(samples)
    last = [int(end * embedding.RATE / embedding.HOP) for end in ends]
    layers = [embedding.network().predict_on_batch(frames[None, n - embedding.PATCH : n])[:3] for n in last]
    return np.concatenate([np.concatenate(of_patch, axis=1) for of_patch in layers])


def test_overlapping_patches_are_embedded_as_patches_alone():
    """Also those of a second group, and the last one; frames that patches share are computed once."""
    samples = np.concatenate([signal(), signal()[: 5 * RATE]])
    patches = over_time.OverlappingPatches()(samples, RATE)
    assert patches.shape == (1 + 2 * (14 - 3), WIDTH) and patches.dtype == np.float32
    ends = [3.0, 3.5, 6.5, 10.5, 11.0, 14.0]
    rows = [int(2 * (end - 3)) for end in ends]
    np.testing.assert_allclose(patches[rows], of_network(samples, ends), atol=5e-4, rtol=1e-4)
    np.testing.assert_allclose(patches[:1], embedding.Embedding()(samples, RATE)[:1], atol=5e-4, rtol=1e-4)


def test_a_recording_shorter_than_a_patch_is_repeated():
    """As of the embedding without overlap."""
    short = signal()[: 2 * RATE]
    patches = over_time.OverlappingPatches()(short, RATE)
    np.testing.assert_allclose(patches, embedding.Embedding()(short, RATE), atol=5e-4, rtol=1e-4)


def test_other_weights_than_the_published_are_refused(monkeypatch):
    monkeypatch.setattr(over_time, "SHA256", "0")
    with pytest.raises(InputError, match=r"MSD_musicnn\.keras: is not the published file"):
        over_time.group_network.__wrapped__()


@pytest.fixture
def songs() -> Samples:
    """Songs of unequal length whose labels follow from their patches, of which one value never varies."""
    rng, truth = np.random.default_rng(0), np.random.default_rng(1).standard_normal((20, 2)) / 10
    x = [rng.standard_normal(20) + 0.3 * rng.standard_normal((n, 20)) for n in rng.integers(5, 16, 40)]
    for patches in x:
        patches[:, 7] = 2
    y = [patches @ truth + 0.05 * rng.standard_normal((len(patches), 2)) for patches in x]
    ids = [str(i) for i in range(40)]
    return Samples(ids, *(Sequences.of([a.astype("float32") for a in of]) for of in (x, y)), ids)


def test_the_regression_is_that_of_the_baselines(songs):
    """Fitted on means of songs; being linear, it predicts of a song's mean the mean of its patches."""
    split = Split(np.arange(30), {"test": np.arange(30, 40)})
    trained = regression.fit(regression.SETTINGS, songs, split)
    x, y = (np.stack([of[i].mean(0) for i in range(40)]) for of in (songs.x, songs.y))
    expected = baselines.ridge(y, split.train, np.arange(30, 40), x)
    predicted = trained.outputs["test"]
    assert predicted.shape == (songs.x.lengths[30:].sum(), 2)
    means = np.stack([of.mean(0) for of in np.split(predicted, np.cumsum(songs.x.lengths[30:])[:-1])])
    np.testing.assert_allclose(means, expected, atol=1e-5)
    np.testing.assert_allclose(trained.model(songs.x.subset(range(30, 40)).values), predicted, atol=1e-6)


def test_the_penalty_can_be_set(songs):
    split = Split(np.arange(30), {"test": np.arange(30, 40)})
    shrunk = regression.SETTINGS | {"lowest_penalty": 1e9, "highest_penalty": 1e9, "penalties": 1}
    constant = regression.fit(shrunk, songs, split).outputs["test"]
    assert np.ptp(constant, axis=0).max() < 1e-3


class Labelled:
    """A data set of two recordings of ten seconds that begin at 30 s, and a song without audio."""

    name, synthetic, root, fingerprint, audio_kind, decoder = "toy", False, "toy", "1", "10 s", "none"

    def __init__(self):
        times = 30 + 0.5 * np.arange(1, 30)
        values = np.stack([np.linspace(-1, 1, 29), np.zeros(29)], axis=1).astype("float32")
        self.labels = {song: Annotation(times, values) for song in ("a", "b", "c")}
        self.tracks = [SimpleNamespace(id=song, group="one artist") for song in "ab"]

    def annotations(self, split, source):
        assert (split, source) == ("development", "repaired")
        return self.labels

    def recordings(self, ids):
        return {song: Recording(f"{song}.wav", 30.0) for song in ids if song != "c"}


@pytest.fixture
def labelled(monkeypatch):
    """Its experiment, with patches that hold their number."""
    rows = np.repeat(np.arange(15, dtype="float32")[:, None], WIDTH, axis=1)
    monkeypatch.setattr(
        "common.features.store.FeatureStore.get_all", lambda self, paths, *_, **__: [rows for _ in paths]
    )
    return regression.OverTime(Labelled(), 1)


def test_a_patch_belongs_to_the_label_at_its_end(labelled):
    """Ten seconds from 30.0 s on: patches end at the labels from 33.0 to 40.0 s."""
    samples = labelled.samples(None)
    assert samples.ids == ["a", "b"] and samples.groups == ["one artist"] * 2
    labels = labelled.data.labels["a"]
    there = (labels.times >= 33) & (labels.times <= 40)
    assert there.sum() == 15 and samples.y[0].tolist() == labels.values[there].tolist()
    assert samples.x[1][:, 0].tolist() == list(range(15))


def test_recordings_at_no_label_are_an_error(labelled, monkeypatch):
    labelled.data.recordings = lambda ids: {song: Recording(f"{song}.wav", 30.25) for song in ids}
    with pytest.raises(
        InputError, match=r"no patch of 3 s of song a ends at a label; starts must be multiples of 0\.5 s"
    ):
        labelled.samples(None)
    labelled.data.recordings = lambda ids: {}
    with pytest.raises(InputError, match="has no audio of songs with labels"):
        regression.OverTime(labelled.data, 1).samples(None)


def test_the_identity_of_the_data_holds_where_segments_begin(labelled):
    labelled.folds = 2
    fingerprint = labelled.facts(regression.VARIANTS[0])["fingerprint"]
    labelled.data.recordings = lambda ids: {song: Recording(f"{song}.wav", 30.5) for song in ids if song != "c"}
    moved = regression.OverTime(labelled.data, 1)
    moved.folds = 2
    assert moved.facts(regression.VARIANTS[0])["fingerprint"] != fingerprint


def test_coverage_is_stated(labelled):
    labelled.folds = 2
    facts = labelled.facts(regression.VARIANTS[0])
    assert (facts["n_train"], facts["of_train"], facts["frames"]) == (2, 3, "30 of 87 labels")


def test_weights_are_those_of_the_regression_over_time(labelled):
    over, mean, baseline = regression.VARIANTS
    (network,) = labelled.trained_on_all(over)
    assert network.split.train.tolist() == [0, 1] and not network.split.tests
    for variant in (mean, baseline):
        with pytest.raises(InputError, match="has no weights that `predict` could read"):
            labelled.trained_on_all(variant)
    split = Split(np.array([0]), {regression.SPLIT: np.array([1])})
    trained = SimpleNamespace(outputs={regression.SPLIT: np.arange(30.0).reshape(15, 2)})
    (frames,), (constant,) = (labelled.predict(variant, split, [trained])[regression.SPLIT] for variant in (over, mean))
    assert frames.tolist() == trained.outputs[regression.SPLIT].tolist()
    assert constant.tolist() == [[14, 15]] * 15
    (of_baseline,) = labelled.predict(baseline, split, [])[regression.SPLIT]
    np.testing.assert_allclose(of_baseline, np.repeat(labelled.samples(None).y[0].mean(0)[None], 15, axis=0))


def test_the_command_trains_it_on_deam():
    options = argparse.Namespace(dataset="deam", data_root="", allow_missing=True, jobs=1)
    assert train.variants("deam") == regression.VARIANTS
    with pytest.raises(InputError, match="names the folder of the data sets"):
        train.build(options)


# Predictions of recordings.


@pytest.fixture(scope="module")
def model():
    return predict.load("reproductions.musicnn2019.predict")


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, music(14.7), MUSIC_RATE)
    return path


def test_values_every_half_second(model, song):
    """Each is the regression of the patch that ends there, from 3.0 s on."""
    prediction = model.predict(song)
    assert prediction.times.tolist() == (3 + 0.5 * np.arange(24)).tolist() and prediction.length == 14.7
    patches = over_time.OverlappingPatches()(*audio.load(song))
    np.testing.assert_allclose(prediction.values, np.asarray(model.model(patches)), atol=1e-5)
    assert prediction.values.shape == (24, 2) and np.ptp(prediction.values, axis=0).min() > 0
    assert (prediction.half_width > 0).all() and prediction.networks is None


@pytest.mark.parametrize("rate", [MUSIC_RATE, 11025])  # of the latter 2.5 s are not a whole number of samples
def test_long_recordings_are_read_in_blocks(model, song, monkeypatch, rate, tmp_path):
    recording = tmp_path / "song.wav"
    soundfile.write(recording, audio.load(song, rate=rate)[0], rate)
    whole = model(recording)
    for seconds in (5.0, 7.0, 3.5):  # also with a last block that no new patch ends in, and with many blocks
        monkeypatch.setattr(of_paper, "BLOCK_S", seconds)
        in_blocks = model(recording)
        assert in_blocks.times.tolist() == whole.times.tolist() and in_blocks.length == pytest.approx(14.7, abs=1e-3)
        assert np.abs(in_blocks.values - whole.values).max() < 0.1


@pytest.mark.parametrize(("seconds", "time"), [(2.2, 2.0), (2.99, 2.5), (3.0, 3.0)])
def test_a_short_recording_has_one_value(model, tmp_path, seconds, time):
    soundfile.write(tmp_path / "short.wav", music(seconds), MUSIC_RATE)
    assert model(tmp_path / "short.wav").times.tolist() == [time]


def test_the_weights_are_a_scaled_linear_layer():
    (path,), facts = weights.load(RESULTS / "musicnn2019" / "weights", "musicnn2019")
    loaded = weights.read(path)
    kernel, bias = loaded.layers[-1].get_weights()
    assert kernel.shape == (WIDTH, 2) and facts["n_train"] == facts["quality"]["n_test"]
    mean = loaded.get_layer(weights.SCALING).mean
    np.testing.assert_allclose(loaded(np.reshape(mean, (1, WIDTH)))[0], bias, atol=1e-6)
