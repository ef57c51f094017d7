import numpy as np
import pytest
import soundfile

from common import audio
from common.errors import InputError

SECOND = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype("float32") / 2


def test_stereo_is_mixed_to_the_mean(tmp_path):
    path = tmp_path / "stereo.flac"
    soundfile.write(path, np.stack([SECOND, np.zeros_like(SECOND)], axis=1), 22050, subtype="PCM_24")
    samples, rate = audio.load(path)
    assert rate == 22050 and samples.dtype == np.float32
    np.testing.assert_allclose(samples, SECOND / 2, atol=1e-6)
    assert audio.duration(path) == 1.0


def test_resampled_tone_keeps_its_pitch(tmp_path):
    path = tmp_path / "tone.wav"
    soundfile.write(path, SECOND, 22050)
    samples, rate = audio.load(path, rate=16000)
    assert (len(samples), rate) == (16000, 16000)
    assert np.argmax(np.abs(np.fft.rfft(samples))) == 440


def test_samples_at_the_wanted_rate_are_not_touched():
    assert audio.resample(SECOND, 22050, 22050) is SECOND


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "opus", "flac", "wav"])
def test_formats_that_libsndfile_decodes(tmp_path, suffix):
    path = tmp_path / f"tone.{suffix}"
    kind = {"opus": {"format": "OGG", "subtype": "OPUS"}}.get(suffix, {})
    soundfile.write(path, np.tile(SECOND, 2)[: 48000 // 2 * 2], 24000, **kind)
    samples, rate = audio.load(path)
    assert rate == 24000 and len(samples) > 40000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.wav", None, "no such file"),
        ("text.mp3", b"this is no music\n" * 50, "cannot be decoded"),
        ("empty.wav", b"", "cannot be decoded"),
    ],
)
def test_files_that_are_not_audio(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        audio.load(tmp_path / name)
    assert name in str(error.value) and "\n" not in str(error.value)


def test_audio_without_content(tmp_path):
    soundfile.write(tmp_path / "none.wav", np.zeros(0, "float32"), 16000)
    with pytest.raises(InputError, match=r"none\.wav: holds no audio"):
        audio.load(tmp_path / "none.wav")
    soundfile.write(tmp_path / "silent.wav", np.zeros(16000, "float32"), 16000)
    with pytest.raises(InputError, match=r"silent\.wav: is silent"):
        audio.load(tmp_path / "silent.wav")
    soundfile.write(tmp_path / "nan.wav", np.full(16000, np.nan, "float32"), 16000, subtype="FLOAT")
    with pytest.raises(InputError, match=r"nan\.wav: holds samples that are not finite"):
        audio.load(tmp_path / "nan.wav")


def test_a_cut_off_file_is_told(tmp_path):
    path = tmp_path / "cut.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 80000), 16000)
    path.write_bytes(path.read_bytes()[:60000])
    with pytest.raises(InputError, match=r"cut\.flac"):
        audio.load(path)
