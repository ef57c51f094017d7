import numpy as np
import pytest

from common import audio, metrics, protocol
from common.baselines import group_mean, ridge, training_mean
from common.features.mel import MelSpectrogram, paired_with_deltas
from data_prep.emotify import EMOTIONS
from data_prep.synthetic import RATE, SECONDS, Synthetic, SyntheticDynamic, affect, render


def sound(**changes):
    how = {"tempo": 100, "mode": "major", "loudness": -20, "brightness": 0.5} | changes
    return render(np.random.default_rng(0), **how)


def centroid(samples):
    spectrum = np.abs(np.fft.rfft(samples))
    return (spectrum * np.arange(len(spectrum))).sum() / spectrum.sum()


def test_rendering_does_what_the_recipe_says():
    assert len(sound()) == RATE * SECONDS and sound().dtype == np.float32
    np.testing.assert_array_equal(sound(), sound())
    level = 20 * np.log10(np.sqrt(np.mean(sound(loudness=-25.0) ** 2)))
    assert abs(level + 25) < 0.3
    assert centroid(sound(brightness=0.9)) > 1.3 * centroid(sound(brightness=0.1))
    assert not np.array_equal(sound(mode="minor"), sound(mode="major"))


def test_loudness_and_brightness_glide():
    still = sound(loudness=np.array([-20.0, -20.0]), brightness=np.array([0.5, 0.5, 0.5]))
    np.testing.assert_allclose(still, sound(), atol=1e-6)
    middle = RATE * 3
    louder = sound(loudness=np.array([-40.0, -10.0]), seconds=6)
    assert np.abs(louder[middle:]).mean() > 3 * np.abs(louder[:middle]).mean()
    brighter = sound(brightness=np.array([0.0, 1.0]))
    assert centroid(brighter[middle:]) > 1.3 * centroid(brighter[:middle])


def test_dynamic_labels_follow_the_last_second(cache):
    data = SyntheticDynamic()
    assert data.validate() == [] and data.synthetic and len(data.tracks) == 40
    assert [len(data.splits[split]) for split in ("development", "evaluation")] == [30, 10]
    assert data.labels.shape == (2400, 2) and list(data.labels.columns) == ["valence", "arousal"]
    assert data.labels.index.names == ["song id", "time"] and np.abs(data.labels).max(axis=None) <= 1
    annotation, how = data.annotations("evaluation")["31"], data.recipes.loc["31"]
    np.testing.assert_allclose(annotation.times, np.arange(2, 62) / 2)
    at_3 = [
        np.interp(3.0, np.linspace(0, 31, 4), how[trait]) for trait in ("level", "brightness")
    ]  # 2.5 to 3.5 s is straight
    np.testing.assert_allclose(annotation.values[5], affect(how["speed"], how["major"], *at_3), atol=1e-5)
    recording = data.recordings(["31"])["31"]
    assert recording.start_s == 0 and audio.duration(recording.path) == 31
    np.testing.assert_array_equal(data.annotations("evaluation", "deam")["31"].values, annotation.values)


def test_dynamic_labels_follow_the_audio(cache):
    """The level of the second before a label is correlated with arousal, between excerpts and within them."""
    data = SyntheticDynamic()
    levels, arousal = [], []
    for song, annotation in data.annotations("development").items():
        samples, rate = audio.load(data.recordings([song])[song].path)
        ends = (annotation.times * rate).astype(int)
        levels.append([20 * np.log10(np.sqrt(np.mean(samples[end - rate : end] ** 2))) for end in ends])
        arousal.append(annotation.values[:, 1])
    levels, arousal = np.array(levels), np.array(arousal)
    assert np.corrcoef(levels.ravel(), arousal.ravel())[0, 1] > 0.6
    within = [np.corrcoef(h, t)[0, 1] for h, t in zip(levels, arousal, strict=True)]
    assert np.mean(within) > 0.6


def test_labels_follow_from_the_recipes(cache):
    data = Synthetic()
    assert list(data.labels.columns) == EMOTIONS and data.labels.shape == (360, 9)
    assert data.labels.to_numpy().min() >= 0 and data.labels.to_numpy().max() <= 1
    arousal, valence = data.recipes["arousal"], data.recipes["valence"]
    assert max(arousal.abs().max(), valence.abs().max()) <= 1
    assert np.corrcoef(data.labels["calmness"], arousal)[0, 1] < -0.6
    assert np.corrcoef(data.labels["joyful_activation"], valence)[0, 1] > 0.6


@pytest.mark.slow
def test_audio_predicts_the_labels(cache):
    """By ridge regression on the mean mel vectors."""
    data = Synthetic()
    tracks, labels = data.tracks[:120], data.labels.to_numpy()[:120]
    vectors = [paired_with_deltas(MelSpectrogram()(*audio.load(track.path))) for track in tracks]
    features = np.stack([np.concatenate([v.mean(0), v.std(0)]) for v in vectors])
    folds = protocol.k_folds(120, 3, 0)
    result = np.empty_like(labels)
    for k in range(3):
        train, test = np.flatnonzero(folds != k), np.flatnonzero(folds == k)
        result[test] = ridge(labels, train, test, features)
    assert metrics.pearson_r_mean_over_folds(labels, result, folds).mean() > 0.5


def test_group_mean_is_the_mean_of_the_group():
    labels, groups = np.array([[0.0], [1.0], [0.5], [0.9], [0.1]]), np.array(["a", "a", "b", "a", "c"])
    result = group_mean(labels, np.array([0, 1, 2]), np.array([3, 4]), groups)
    np.testing.assert_allclose(result, [[0.5], [0.5]])
    np.testing.assert_allclose(training_mean(labels, np.array([0, 1]), np.array([2, 3])), [[0.5], [0.5]])
