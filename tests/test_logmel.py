import librosa
import numpy as np
import pytest

from common.features.logmel import LogMel


def literal(samples, *, mean_of_logs):
    """Each half second by itself, by librosa."""
    rows = []
    for segment in samples[: len(samples) // 22050 * 22050].reshape(-1, 22050):
        mel = librosa.feature.melspectrogram(
            y=segment, sr=44100, n_fft=2646, hop_length=441, center=False, n_mels=64, power=2
        )
        assert mel.shape == (64, 45)
        rows.append(np.log(mel + 1e-10).mean(axis=1) if mean_of_logs else np.log(mel.mean(axis=1) + 1e-10))
    return np.array(rows)


@pytest.mark.parametrize("mean_of_logs", [False, True])
def test_against_librosa(mean_of_logs):
    rng = np.random.default_rng(0)
    samples = (rng.standard_normal(110000) * np.linspace(0.001, 0.3, 110000)).astype("float32")
    extracted = LogMel(mean_of_logs=mean_of_logs)(samples, 44100)
    assert extracted.shape == (4, 64) and extracted.dtype == np.float32
    np.testing.assert_allclose(extracted, literal(samples, mean_of_logs=mean_of_logs), atol=1e-4)


def test_the_two_readings_differ_where_the_level_changes():
    samples = np.random.default_rng(0).standard_normal(22050).astype("float32")
    samples[:11025] *= 0.01
    assert (LogMel()(samples, 44100) - LogMel(mean_of_logs=True)(samples, 44100) > 1).all()


@pytest.mark.parametrize("rate", [8000, 24000, 37800, 48000])
def test_other_rates_sound_alike(rate):
    def tone(rate):
        return 0.3 * np.sin(2 * np.pi * 1000 * np.arange(5 * rate) / rate).astype("float32")

    extracted, expected = LogMel()(tone(rate), rate), LogMel()(tone(44100), 44100)
    assert extracted.shape == (10, 64)
    loud = expected[5] > expected[5].max() - 7
    np.testing.assert_allclose(extracted[1:-1, loud], expected[1:-1, loud], atol=0.05)


def test_segments_hear_nothing_of_their_neighbours():
    samples = np.zeros(3 * 22050, "float32")
    samples[22050 : 2 * 22050] = np.random.default_rng(0).standard_normal(22050)
    extracted = LogMel()(samples, 44100)
    np.testing.assert_allclose(extracted[[0, 2]], np.log(1e-10), rtol=1e-6)
    assert (extracted[1] > -10).all()


def test_less_than_a_segment():
    assert LogMel()(np.ones(22049, "float32"), 44100).shape == (0, 64)
    assert LogMel()(np.zeros(0, "float32"), 44100).shape == (0, 64)
