import librosa
import numpy as np
import pytest

from common.features.mel import MelSpectrogram, paired_with_deltas, slaney_bank


def literal_frame(samples, rate, k):
    """Frame k by the definitions: symmetric Hamming window, DFT of a power of two, triangles, 20 log10."""
    length = round(0.05 * rate)
    start = int(np.round(k * 0.025 * rate))
    cut = np.zeros(length)
    there = samples[start : start + length]
    cut[: len(there)] = there
    n = np.arange(length)
    cut = cut * (0.54 - 0.46 * np.cos(2 * np.pi * n / (length - 1)))
    n_fft = 2 ** int(np.ceil(np.log2(length)))
    bins = np.arange(n_fft // 2 + 1)
    magnitude = np.abs(np.exp(-2j * np.pi * np.outer(bins, n) / n_fft) @ cut)
    edges = [133.3333 + 66.66666666 * i for i in range(13)]
    edges += [edges[12] * 1.0711703**i for i in range(1, 30)]
    bands = []
    for low, centre, high in zip(edges, edges[1:], edges[2:], strict=False):
        weight = np.interp(bins * rate / n_fft, [low, centre, high], [0, 2 / (high - low), 0])
        bands.append(weight @ magnitude)
    return 20 * np.log10(np.array(bands) + 1e-16)


@pytest.mark.parametrize("rate", [24000, 44100, 22050])
def test_frames_against_the_definition(rate):
    samples = np.random.default_rng(1).standard_normal(rate * 2).astype("float32") * 0.1
    mel = MelSpectrogram()(samples, rate)
    assert mel.shape == (80, 40) and mel.dtype == np.float32
    for k in (0, 1, 33, 78, 79):
        np.testing.assert_allclose(mel[k], literal_frame(samples, rate, k), atol=2e-3)


def test_bank_is_slaneys():
    ours = slaney_bank(24000, 2048)
    theirs = librosa.filters.mel(sr=24000, n_fft=2048, n_mels=40, fmin=133.3333, fmax=6853.84, htk=False, norm="slaney")
    assert np.abs(ours.sum(1) / theirs.sum(1) - 1).max() < 0.01
    assert np.abs(ours - theirs).max() < 0.02 * theirs.max()


def test_thirty_seconds_are_six_hundred_vectors():
    for rate in (24000, 44100):
        vectors = paired_with_deltas(MelSpectrogram()(np.ones(30 * rate, "float32"), rate))
        assert vectors.shape == (600, 160)


def test_pairs_and_deltas():
    frames = np.random.default_rng(0).standard_normal((7, 2))
    vectors = paired_with_deltas(frames)
    assert vectors.shape == (3, 8)
    np.testing.assert_allclose(vectors[0], [*frames[0], *frames[1], 0, 0, *(frames[1] - frames[0])])
    np.testing.assert_allclose(vectors[2], [*frames[4], *frames[5], *(frames[4] - frames[3]), *(frames[5] - frames[4])])


def test_too_short_for_a_frame():
    assert MelSpectrogram()(np.ones(10, "float32"), 24000).shape == (0, 40)
