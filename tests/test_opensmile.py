import csv
import io
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest

from common import audio
from common.features.opensmile import NAMES, STEP_S, VOICED, OpenSmile, round_to_16_bits, smile
from common.features.store import FeatureStore
from tests.made_up import VOICE_RATE as RATE
from tests.made_up import voice


@pytest.fixture(scope="module")
def windows():
    return OpenSmile()(voice(5), RATE)


def column(rows: np.ndarray, name: str) -> np.ndarray:
    return rows[:, NAMES.index(name)]


def test_names():
    assert len(set(NAMES)) == len(NAMES) == 260
    assert [NAMES[i] for i in (0, 1, 130, 259)] == [
        "F0final_sma_stddev", "F0final_sma_amean", "F0final_sma_de_stddev", "pcm_fftMag_mfcc_sma_de[14]_amean"
    ]  # fmt: skip
    assert [name.replace("pcm_fftMag_mfcc", "mfcc") for name in NAMES] == list(smile().column_names)


def test_names_are_those_of_the_official_files(real_root):
    packed = real_root / "DEAM" / "features.zip"
    if not packed.is_file():
        pytest.skip("needs DEAM's features.zip")
    with zipfile.ZipFile(packed) as file:
        first = next(name for name in file.namelist() if name.endswith(".csv"))
        header = next(csv.reader(io.StringIO(file.read(first).decode()), delimiter=";"))
    assert header == ["frameTime", *NAMES]


@pytest.mark.parametrize(("samples", "rows"), [(0, 0), (RATE, 0), (45863, 0), (45864, 1), (10 * RATE, 18)])
def test_number_of_windows(samples, rows):
    extracted = OpenSmile()(voice(10)[:samples], RATE)
    assert extracted.shape == (rows, 260) and extracted.dtype == np.float32 and np.isfinite(extracted).all()


def test_an_excerpt_of_45_seconds_has_88_windows():
    assert OpenSmile()(np.tile(voice(5), 9), RATE).shape == (88, 260)


def test_windows_start_every_half_second():
    samples = np.zeros(4 * RATE, "float32")
    samples[int(2.1 * RATE) : int(2.4 * RATE)] = 0.5 * voice(0.3)
    loud = column(OpenSmile()(samples, RATE), "pcm_RMSenergy_sma_amean")
    assert [k * STEP_S for k in np.flatnonzero(loud > 1e-3)] == [1.5, 2.0]


def literal_windows(samples: np.ndarray, rows: int) -> np.ndarray:
    """Two passes over openSMILE's own set, one for descriptors and one for deltas; moments of 100 frames by numpy."""
    smile()  # the way to load openSMILE
    import opensmile

    config = Path(opensmile.__file__).parent / "core/config/is09-13/IS13_ComParE.conf"
    halves = []
    for level in ("lld", "lld_de"):
        frames = opensmile.Smile(str(config), level).process_signal(round_to_16_bits(samples), RATE).to_numpy("float64")
        cut = np.stack([frames[50 * k : 50 * k + 100] for k in range(rows)])
        halves.append(np.stack([cut.std(axis=1), cut.mean(axis=1)], axis=-1).reshape(rows, 130))
    return np.concatenate(halves, axis=1)


def test_moments_are_those_of_the_descriptors(windows):
    expected = literal_windows(voice(5), len(windows))
    assert (np.abs(windows - expected) <= 1e-4 * np.abs(expected).max(axis=0)).all()


def test_pitch_and_loudness_are_right(windows):
    assert np.abs(column(windows, "F0final_sma_amean") - 150).max() < 5
    assert 10 < np.median(column(windows, "F0final_sma_stddev")) < 18  # a sine of 20 Hz: 14
    rms = np.sqrt((voice(5).reshape(-1, RATE // 50) ** 2).mean(axis=1))  # of 20 ms
    means = [rms[25 * k : 25 * k + 50].mean() for k in range(len(windows))]
    np.testing.assert_allclose(column(windows, "pcm_RMSenergy_sma_amean"), means, rtol=0.01)


def test_other_rates(windows):
    extracted = OpenSmile()(voice(5, 48000), 48000)
    for name in ("F0final_sma_amean", "pcm_RMSenergy_sma_amean", "pcm_fftMag_spectralCentroid_sma_amean"):
        np.testing.assert_allclose(column(extracted, name), column(windows, name), rtol=0.02)
    assert OpenSmile()(np.zeros(0, "float32"), 48000).shape == (0, 260)


def test_overshoots_are_clipped():
    loud = 8 * voice(2)
    assert np.abs(loud).max() > 1
    np.testing.assert_array_equal(OpenSmile()(loud, RATE), OpenSmile()(np.clip(loud, -1, 1), RATE))
    np.testing.assert_array_equal(
        round_to_16_bits(np.array([-2, -1, 0.6 / 32768, 1])), [-1, -1, 1 / 32768, 32767 / 32768]
    )


def test_only_the_deltas_of_voiced_frames_know_how_long_ago_the_file_began(windows):
    later = OpenSmile()(np.tile(voice(5), 4), RATE)[32 : 32 + len(windows) - 2]
    now, then = (np.abs(rows).mean(axis=0) for rows in (later, windows[2:]))
    for i, name in enumerate(NAMES):
        if name.endswith("_de_stddev") and name.startswith(tuple(VOICED)):
            assert now[i] < 0.4 * then[i], name
        elif name.endswith("_stddev") and not name.startswith(tuple(VOICED)):
            assert 0.9 * then[i] <= now[i] <= 1.1 * then[i], name


def test_silence_gives_numbers():
    assert np.isfinite(OpenSmile()(np.zeros(3 * RATE, "float32"), RATE)).all()


def test_tensorflow_may_be_there_first():
    """Both bring a C++ library; without care openSMILE corrupts the memory of a process that has TensorFlow."""
    code = """
        import numpy, tensorflow
        from common.features.opensmile import OpenSmile
        print(OpenSmile()(numpy.zeros(88200, "float32"), 44100).shape)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert done.stdout.split("\n")[0] == "(2, 260)", done.stderr


def test_one_smile_a_process():
    assert smile() is smile()


def test_agrees_with_the_official_features(real_root):
    packed, cut = real_root / "DEAM" / "features.zip", real_root / "DEAM" / "audio_30s-40s" / "2.opus"
    if not packed.is_file() or not cut.is_file():
        pytest.skip("needs DEAM's features.zip and the cut of song 2")
    with zipfile.ZipFile(packed) as file:
        table = np.genfromtxt(io.BytesIO(file.read("features/2.csv")), delimiter=";", skip_header=1)
    ours = FeatureStore().get(cut, OpenSmile())
    official = table[np.searchsorted(table[:, 0], 48 + 30 + STEP_S * np.arange(len(ours))), 1:]
    r = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(official.T, ours.T, strict=True)])
    assert np.median(r) > 0.95 and r[NAMES.index("pcm_RMSenergy_sma_amean")] > 0.99
    assert audio.load(cut)[1] == 48000
