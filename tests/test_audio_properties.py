"""Any combination of format, rate, channels, length, header, cut and name gives the samples of a reference decoder
(FFmpeg in a plain loop) within the codec's tolerance, or one clear line; never less sound than there is without a word.

`pytest --hypothesis-profile thorough` tries many more examples.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from common import audio
from common.errors import InputError, collect_warnings
from tests import encoded


@dataclass(frozen=True)
class Kind:
    """How a kind of file is written.

    Attributes
    ----------
    form, codec, options : of FFmpeg; without codec `form` and `options["subtype"]` are libsndfile's
    states_length : whether a file that is cut off announces more than there is
    rates : in Hz, those that the codec has
    """

    form: str
    codec: str | None = None
    options: tuple = ()
    states_length: bool = True
    seekable: bool = True
    rates: tuple[int, ...] = (8000, 16000, 22050, 44100, 48000)
    most_channels: int = 6

    def write(self, samples: np.ndarray, rate: int) -> bytes:
        if self.codec is None:
            return encoded.by_soundfile(samples, rate, self.form, **dict(self.options))
        return encoded.by_ffmpeg(samples, rate, self.form, self.codec, seekable=self.seekable, **dict(self.options))


MP3 = {"rates": (22050, 44100, 48000), "most_channels": 2}
HEADERLESS = {"states_length": False}
KINDS = {
    "wav": Kind("WAV"), "wav float": Kind("WAV", None, (("subtype", "FLOAT"),)), "aiff": Kind("AIFF"), "au": Kind("AU"),
    "caf": Kind("CAF"), "w64": Kind("W64"), "rf64": Kind("RF64"), "flac": Kind("FLAC"),
    "ogg": Kind("OGG", most_channels=2), "wv": Kind("wv", "wavpack"), "tta": Kind("tta", "tta"),
    "streamed wav": Kind("wav", "pcm_s16le", seekable=False, **HEADERLESS),
    "streamed au": Kind("au", "pcm_s16be", seekable=False, **HEADERLESS),
    "streamed flac": Kind("flac", "flac", seekable=False, **HEADERLESS),
    "opus": Kind("ogg", "libopus", rates=(48000,)),
    "mp3": Kind("mp3", "libmp3lame", **MP3),
    "mp3 without header": Kind("mp3", "libmp3lame", (("write_xing", "0"), ("id3v2_version", "0")), **MP3 | HEADERLESS),
    "mp2": Kind("mp2", "mp2", **MP3 | HEADERLESS),
    "m4a": Kind("mp4", "aac"), "alac": Kind("mp4", "alac", most_channels=2), "aac": Kind("adts", "aac", **HEADERLESS),
    "mka": Kind("matroska", "libopus", rates=(48000,)),
    "webm": Kind("webm", "libopus", rates=(48000,), most_channels=2),
    "avi": Kind("avi", "pcm_s16le", most_channels=2), "sox": Kind("sox", "pcm_s32le", most_channels=2),
    "voc": Kind("voc", "pcm_s16le", most_channels=2),
    "flv": Kind("flv", "libmp3lame", **HEADERLESS | {"rates": (22050, 44100), "most_channels": 2}),
    "wma": Kind("asf", "wmav2", (("bit_rate", 96_000),), rates=(22050, 44100), most_channels=2),
}  # fmt: skip
LEFT_OUT = {"wma": 3 * 2048}  # samples; FFmpeg leaves out the first frame, and its encoder the last one
TOLERANCE = {"opus": 1e-2}  # libopus and FFmpeg's own decoder differ by up to .006 at the end of a file
PADDED = {"ogg": 8192}  # samples; FFmpeg keeps the padding of a stream of one page
NAMES = st.sampled_from(["a", "a.wav", "a.mp3", "a.au", "a b.flac", "http:%03d.ogg", "Stra\udcdfe.m4a", "音楽.txt"])


def sound(seconds: float, rate: int, channels: int, seed: int) -> np.ndarray:
    """Noise and a tone, alike in all channels: float32 (n_samples, n_channels)."""
    rng, n = np.random.default_rng(seed), round(seconds * rate)
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(n) / rate)
    noise = 0.1 * rng.standard_normal((n, 1)) + 0.01 * rng.standard_normal((n, channels))
    return (tone[:, None] + noise).astype("float32")


@dataclass(frozen=True)
class File:
    """A sound in a kind of file."""

    kind: str
    rate: int
    channels: int
    seconds: float
    seed: int

    @property
    def samples(self) -> np.ndarray:
        """(n_samples, n_channels)"""
        return sound(self.seconds, self.rate, self.channels, self.seed)

    @property
    def content(self) -> bytes:
        return KINDS[self.kind].write(self.samples, self.rate)


@st.composite
def files(draw):
    name = draw(st.sampled_from(sorted(KINDS)))
    kind = KINDS[name]
    channels = draw(st.sampled_from([n for n in (1, 2, 6) if n <= kind.most_channels]))
    return File(name, draw(st.sampled_from(kind.rates)), channels, draw(st.floats(0.3, 1.5)), draw(st.integers(0, 9)))


def outcome(content: bytes, name: str) -> tuple[np.ndarray | None, list[str]]:
    """The samples that are read from a file, else None, and all messages; each is one line about the file."""
    with tempfile.TemporaryDirectory() as folder, collect_warnings() as texts:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            samples, rate = audio.load(path)
            assert audio.duration(path) == len(samples) / rate
        except InputError as error:
            samples = None
            texts.append(str(error))
        assert all(text.startswith(f"{path}: ") and "\n" not in text for text in texts)
    return samples, [text for text in texts if "kHz" not in text]  # some rates are low


def mixed(samples: np.ndarray) -> np.ndarray:
    """The mean of channels; of more than two each weighs by its power, since codecs take much from that of the bass."""
    power = np.square(samples[::8].astype("float64")).sum(0)
    return (samples * (power / power.mean() if len(power) > 2 else 1)).mean(axis=1)


@given(files(), NAMES)
def test_a_complete_file_is_read_to_its_end(file, name):
    content = file.content
    samples, texts = outcome(content, name)
    reference = mixed(encoded.decoded_by_ffmpeg(content))
    assert samples is not None and not texts
    assert len(samples) >= len(file.samples) - LEFT_OUT.get(file.kind, 1)
    assert len(reference) - PADDED.get(file.kind, 1) <= len(samples) <= max(len(reference), len(file.samples)) + 1
    n = min(len(samples), len(reference))
    np.testing.assert_allclose(samples[:n], reference[:n], atol=TOLERANCE.get(file.kind, 2e-3))


@given(files(), NAMES, st.floats(0.02, 0.999))
def test_a_cut_file_is_reported_or_read_as_far_as_it_goes(file, name, part):
    content = file.content[: int(part * len(file.content))]
    samples, texts = outcome(content, name)
    if KINDS[file.kind].states_length:
        assert texts or len(samples) >= len(file.samples)
    if not texts:
        assert len(samples) >= len(encoded.decoded_by_ffmpeg(content)) - 1


@example(File("tta", 8000, 1, 0.5, 0), "a")  # tags lie between both
@example(File("opus", 48000, 1, 0.5, 0), "a")  # FFmpeg takes the second file's header for sound, and ends there
@given(files(), NAMES)
def test_joined_files_are_read_both_or_reported(file, name):
    samples, texts = outcome(2 * file.content, name)
    assert texts or len(samples) >= 2 * (len(file.samples) - 1)


@given(files(), NAMES, st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=40)), min_size=1, max_size=5))
def test_damage_never_ends_in_a_traceback(file, name, damage):
    content = bytearray(file.content)
    for where, new in damage:
        at = int(where * len(content))
        content[at : at + len(new)] = new
    samples, texts = outcome(bytes(content), name)
    assert texts if samples is None else np.isfinite(samples).all()


@given(st.lists(st.sampled_from([1.0, -1.0, 0.5, 0.0]), min_size=1, max_size=6), st.sampled_from([0, 15, 23, 31]))
def test_channels_and_scale_do_not_change_the_music(gains, bits):
    """Inverted, quieter and silent channels, and samples in units of integers, give the mean of those that sound."""
    mono = sound(1, 44100, 1, 0)
    content = encoded.by_soundfile((mono * gains * 2.0**bits).astype("float32"), 44100, "WAV", "DOUBLE")
    samples, texts = outcome(content, "a.wav")
    if not any(gains):
        assert samples is None and "silent" in texts[0]
        return
    heard = np.abs([gain for gain in gains if gain])
    weights = heard**2 / np.mean(heard**2) if len(gains) > 2 else np.ones(len(heard))  # of surround by power
    expected = np.mean(weights * heard) * mono[:, 0]
    sign = np.sign(samples @ expected)
    np.testing.assert_allclose(sign * samples, expected, atol=1e-5)
    assert len(texts) == (bits > 0) + (len({np.sign(gain) for gain in gains if gain}) > 1)
