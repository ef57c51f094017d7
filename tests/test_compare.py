import numpy as np
import pytest

from common import audio
from common.features.compare import N_FEATURES, WINDOW_S, ComParE, smile
from common.features.store import FeatureStore
from tests.made_up import VOICE_RATE as RATE
from tests.made_up import voice


@pytest.fixture(scope="module")
def windows():
    return ComParE()(voice(3), RATE)


def column(rows: np.ndarray, name: str) -> np.ndarray:
    return rows[:, list(smile().column_names).index(name)]


def test_names():
    """54 functionals of 59 descriptors and 46 of their deltas, 39 of six voiced ones and of theirs, 5 of the pitch."""
    names = list(smile().column_names)
    assert len(set(names)) == len(names) == N_FEATURES == 59 * (54 + 46) + 6 * (39 + 39) + 5
    voiced = [name for name in names if name.startswith(("F0final", "voicing", "jitter", "shimmer", "logHNR"))]
    deltas = [sum("_sma_de" in name for name in some) for some in (voiced, set(names) - set(voiced))]
    assert len(voiced) == 6 * (39 + 39) + 5 and deltas == [6 * 39, 59 * 46]


@pytest.mark.parametrize(
    ("samples", "rows"), [(0, 0), (22027, 0), (22050, 1), (44000, 1), (44099, 2), (3 * RATE, 6), (10 * RATE, 20)]
)
def test_number_of_windows(samples, rows):
    """A sample or two less than a window, lost where the rate changes, do no harm."""
    extracted = ComParE()(voice(10)[:samples], RATE)
    assert extracted.shape == (rows, N_FEATURES) and extracted.dtype == np.float32 and np.isfinite(extracted).all()


def test_the_silence_behind_a_recording_adds_the_last_window_and_changes_no_other(windows):
    bare = ComParE(beyond_s=0.0)(voice(3), RATE)
    assert (len(windows), len(bare)) == (6, 5)
    np.testing.assert_array_equal(windows[:-1], bare)


def test_the_last_window_is_nearly_that_of_the_longer_recording(windows):
    last = ComParE()(voice(3)[: int(2.5 * RATE)], RATE)[-1:]
    for name in ("F0final_sma_amean", "pcm_RMSenergy_sma_amean", "mfcc_sma[1]_amean"):
        np.testing.assert_allclose(column(last, name), column(windows, name)[4], rtol=0.1)


@pytest.mark.parametrize(("change_s", "unchanged"), [(2.1, 4), (2.02, 3)])
def test_a_window_hears_less_than_a_tenth_of_a_second_beyond_its_end(windows, change_s, unchanged):
    """Frames of 60 ms, smoothing and deltas."""
    samples, at = voice(3), int(change_s * RATE)
    samples[at:] = 0.3 * np.random.default_rng(1).standard_normal(len(samples) - at)
    changed = ComParE()(samples, RATE)
    np.testing.assert_array_equal(changed[:unchanged], windows[:unchanged])
    assert ((changed != windows).any(axis=1) == (np.arange(6) >= unchanged)).all()


def test_windows_lie_side_by_side():
    samples = np.zeros(3 * RATE, "float32")
    samples[int(1.1 * RATE) :][: int(0.3 * RATE)] = 0.5 * voice(0.3)
    loud = column(ComParE()(samples, RATE), "pcm_RMSenergy_sma_range")
    assert [k * WINDOW_S for k in np.flatnonzero(loud > 1e-3)] == [1.0]


def test_pitch_is_right(windows):
    assert np.abs(column(windows, "F0final_sma_amean") - 150).max() < 25  # within half a swing of 20 Hz


def test_other_rates(windows):
    extracted = ComParE()(voice(3, 48000), 48000)
    assert extracted.shape == windows.shape
    for name in ("F0final_sma_amean", "pcm_RMSenergy_sma_amean", "pcm_fftMag_spectralCentroid_sma_amean"):
        np.testing.assert_allclose(column(extracted, name), column(windows, name), rtol=0.02)


def test_overshoots_are_clipped():
    loud = 8 * voice(1)
    assert np.abs(loud).max() > 1
    np.testing.assert_array_equal(ComParE()(loud, RATE), ComParE()(np.clip(loud, -1, 1), RATE))


def test_silence_gives_numbers():
    assert np.isfinite(ComParE()(np.zeros(RATE, "float32"), RATE)).all()


def test_a_real_cut_of_ten_seconds(real_root):
    cut = next(iter((real_root / "DEAM" / "audio_30s-40s").glob("2.*")), None)
    if cut is None:
        pytest.skip("needs the cut of song 2")
    extracted = FeatureStore().get(cut, ComParE())
    assert extracted.shape == (20, N_FEATURES) and np.isfinite(extracted).all()
    assert audio.load(cut)[1] == 48000
