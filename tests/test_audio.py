import os
import re
from fractions import Fraction
from functools import partial

import av
import numpy as np
import pytest
import scipy.signal
import soundfile
import soxr

from common import audio
from common.errors import InputError, collect_warnings
from tests import encoded

SECOND = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype("float32") / 2
RATE = 44100
BELOW_8_KHZ = scipy.signal.butter(8, 8000, fs=RATE, output="sos")  # what all codecs keep
NOISE = scipy.signal.sosfilt(BELOW_8_KHZ, np.random.default_rng(0).uniform(-0.7, 0.7, 3 * RATE)).astype("float32")


def loaded(path, content: bytes | None = None):
    """Samples, rate and warnings of a file, which is written first if `content` is given."""
    if content is not None:
        path.write_bytes(content)
    with collect_warnings() as warnings:
        samples, rate = audio.load(path)
    return samples, rate, warnings


def test_stereo_is_mixed_to_the_mean(tmp_path):
    path = tmp_path / "stereo.flac"
    soundfile.write(path, np.stack([SECOND, SECOND / 4], axis=1), 22050, subtype="PCM_24")
    samples, rate = audio.load(path)
    assert rate == 22050 and samples.dtype == np.float32
    np.testing.assert_allclose(samples, SECOND * 5 / 8, atol=1e-6)
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
    assert rate == 24000 and len(samples) > 40000 and audio.decoder(path) == audio.decoder()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.wav", None, "no such file"),
        ("text.mp3", b"this is no music\n" * 50, "cannot be decoded"),
        ("empty.wav", b"", "cannot be decoded"),
        ("headless.au", b"this is no music\n" * 50, "cannot be decoded"),
        ("noise.bin", np.random.default_rng(0).bytes(50_000), "cannot be decoded"),
        ("zeros.mp3", bytes(50_000), "cannot be decoded"),
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


# Recorded features are of files whose container guarantees the length: these are decoded as ever, to the bit.


def assert_as_libsndfile_reads(path):
    expected, rate = soundfile.read(path, dtype="float32", always_2d=True)
    samples, found, warnings = loaded(path)
    assert found == rate and not warnings and audio.decoder(path) == audio.decoder()
    np.testing.assert_array_equal(samples, expected.mean(axis=1))
    in_blocks = np.concatenate([block for block, _ in audio.blocks(path, 0.7)])
    np.testing.assert_array_equal(in_blocks, samples)


EXACT = [("WAV", "PCM_16", 44100), ("WAV", "FLOAT", 22050), ("FLAC", None, 48000), ("OGG", "VORBIS", 44100),
         ("OGG", "OPUS", 24000), ("MP3", None, 44100)]  # fmt: skip


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("form", "subtype", "rate"), EXACT)
def test_exact_files_are_read_as_libsndfile_reads_them(tmp_path, form, subtype, rate, channels):
    path, rng = tmp_path / "song", np.random.default_rng(0)
    sound = 0.7 * NOISE[:, None] + 0.05 * rng.standard_normal((len(NOISE), channels))
    path.write_bytes(encoded.by_soundfile(sound, rate, form, subtype))
    assert_as_libsndfile_reads(path)


@pytest.mark.slow
def test_few_recordings_of_the_data_sets_have_warnings(real_root):
    paths = [path for name in ("Emotify", "4Q") for path in sorted((real_root / name).rglob("*.opus"))[::5]]
    with collect_warnings() as warnings:
        for path in paths:
            audio.load(path)
    assert len(paths) == 260 and len({text.split(": ")[0] for text in warnings}) <= 0.01 * len(paths), warnings


def test_recordings_of_the_data_sets_are_read_as_libsndfile_reads_them(real_root):
    some = {"DEAM/MEMD_audio/*.mp3": 3, "DEAM/audio_30s-40s/*.opus": 2, "Emotify/*/rock/*.opus": 2, "4Q/Q1/*.opus": 2}
    paths = [path for pattern, n in some.items() for path in sorted(real_root.glob(pattern))[:n]]
    assert len(paths) == 9
    for path in paths:
        assert_as_libsndfile_reads(path)


# Lengths that a header states wrongly or not at all. Noise has a full band, and shows where it lies.


def lag(samples, sound=NOISE) -> int:
    """By how many samples a decoded sound is late, by its highest correlation; fails if there is none."""
    product = scipy.signal.correlate(samples, sound[:RATE], method="fft")
    assert product.max() > 0.8 * np.sum(sound[:RATE] ** 2)
    return int(product.argmax()) - RATE + 1


def mp3(samples=NOISE, *, header=True, rate=RATE, **options):
    options = {"write_xing": str(int(header)), "id3v2_version": "0", "bit_rate": 128_000} | options
    return encoded.by_ffmpeg(samples, rate, "mp3", "libmp3lame", **options)


def test_mp3_with_a_header_is_as_long_as_what_was_encoded(tmp_path):
    samples, _, warnings = loaded(tmp_path / "a.mp3", mp3())
    assert abs(len(samples) - len(NOISE)) <= 1 and lag(samples) == 0 and not warnings
    assert audio.decoder(tmp_path / "a.mp3") == audio.decoder()


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
@pytest.mark.parametrize("bit_rate", [64_000, 160_000])
def test_mp3_without_a_header(tmp_path, rate, bit_rate):
    """Neither cut in silence nor called cut off; the encoder's delay, which nothing declares, is kept."""
    samples, _, warnings = loaded(tmp_path / "cbr.mp3", mp3(header=False, rate=rate, bit_rate=bit_rate))
    assert 0 <= len(samples) - len(NOISE) < 3 * 1152 and 0 < lag(samples) < 3 * 1152 and not warnings
    assert audio.duration(tmp_path / "cbr.mp3") == len(samples) / rate


@pytest.mark.parametrize("bit_rates", [(320_000, 32_000), (32_000, 320_000)])
def test_mp3_of_variable_bit_rate_without_a_header(tmp_path, bit_rates):
    """Estimated from the bytes of its first frames it would be much shorter or longer."""
    content = b"".join(mp3(header=False, bit_rate=bit_rate) for bit_rate in bit_rates)
    samples, _, warnings = loaded(tmp_path / "vbr.mp3", content)
    assert 0 <= len(samples) - 2 * len(NOISE) < 5 * 1152 and not warnings


@pytest.mark.parametrize("between", [b"", b"ID3\3\0\0\0\0\0\12" + bytes(10), b"TAG" + bytes(125)])
@pytest.mark.parametrize("header", [True, False])
def test_joined_mp3(tmp_path, between, header):
    """The header of the first says how long the first is; tags may lie between both."""
    samples, _, _ = loaded(tmp_path / "ab.mp3", mp3(header=header) + between + mp3(NOISE[::-1], header=header))
    assert 0 <= len(samples) - 2 * len(NOISE) < 5 * 1152
    assert lag(samples) < 3 * 1152 and 0 <= lag(samples, NOISE[::-1]) - len(NOISE) < 5 * 1152


def tagged(content: bytes) -> bytes:
    return b"ID3\4\0\0\0\0\2\0" + bytes(256) + content + b"TAG" + "Größe".encode("latin-1").ljust(125, b"\0")


@pytest.mark.parametrize("header", [True, False])
def test_tags_do_not_count_as_sound(tmp_path, header):
    bare, _, _ = loaded(tmp_path / "bare.mp3", mp3(header=header))
    samples, _, warnings = loaded(tmp_path / "tagged.mp3", tagged(mp3(header=header)))
    np.testing.assert_array_equal(samples, bare)
    assert not warnings


def wav(samples=NOISE, subtype="PCM_16"):
    return encoded.by_soundfile(samples, RATE, "WAV", subtype)


def with_sizes(content: bytes, of_file: int, of_sound: int) -> bytes:
    """A wav file that states other sizes."""
    at = content.index(b"data") + 4
    pack = partial(int.to_bytes, length=4, byteorder="little")
    return content[:4] + pack(of_file) + content[8:at] + pack(of_sound) + content[at + 4 :]


@pytest.mark.parametrize(
    "content",
    [
        lambda: encoded.by_ffmpeg(NOISE, RATE, "flac", "flac", seekable=False),
        lambda: encoded.by_ffmpeg(NOISE, RATE, "wav", "pcm_s16le", seekable=False),
        lambda: encoded.by_ffmpeg(NOISE, RATE, "au", "pcm_s16be", seekable=False),
        lambda: encoded.by_ffmpeg(NOISE, RATE, "caf", "pcm_s16be", seekable=False),
        lambda: with_sizes(wav(), 0xFFFFFFFF, 0xFFFFFFFF),
        lambda: with_sizes(wav(), 0x7FFFFFFF, 0x7FFFFFDB),
        lambda: with_sizes(wav(), 36, 0),  # of a program that was killed while it recorded
        lambda: with_sizes(wav(), 0, 0),
    ],
)
def test_streamed_without_a_length(tmp_path, content):
    samples, _, warnings = loaded(tmp_path / "streamed", content())
    np.testing.assert_allclose(samples, NOISE, atol=2e-4)
    assert not warnings and audio.duration(tmp_path / "streamed") == 3


@pytest.mark.parametrize("seconds", [3, 0.5])  # FFmpeg gives .51 of 1 s of Opus if the first file has a single page
@pytest.mark.parametrize(("subtype", "rate"), [("VORBIS", RATE), ("OPUS", 48000)])
def test_chained_ogg(tmp_path, subtype, rate, seconds):
    sounds = [sound[: round(seconds * rate)] for sound in (NOISE, NOISE[::-1])]
    contents = [encoded.by_soundfile(sound, rate, "OGG", subtype) for sound in sounds]
    samples, _, warnings = loaded(tmp_path / "ab.ogg", b"".join(contents))
    apart = [loaded(tmp_path / f"{k}.ogg", content)[0] for k, content in enumerate(contents)]
    np.testing.assert_array_equal(samples, np.concatenate(apart))
    assert not warnings and audio.duration(tmp_path / "ab.ogg") == len(samples) / rate


def test_chained_ogg_with_a_gap_is_doubtful(tmp_path):
    content = encoded.by_soundfile(np.tile(NOISE, 4), RATE, "OGG")
    pages = [b"OggS" + page for page in content.split(b"OggS")[1:]]
    _, _, warnings = loaded(tmp_path / "ab.ogg", b"".join(pages[:3] + pages[4:]) + content)
    assert any("joined from several files" in text for text in warnings)


def test_joined_flac(tmp_path):
    content = encoded.by_soundfile(NOISE, RATE, "FLAC")
    samples, _, warnings = loaded(tmp_path / "ab.flac", content + content)
    assert 2 * len(NOISE) - 4096 <= len(samples) <= 2 * len(NOISE) and "joined from several files" in warnings[0]


def test_joined_wav_is_read_as_its_header_says_with_a_warning(tmp_path):
    samples, _, warnings = loaded(tmp_path / "ab.wav", wav() + wav())
    assert len(samples) == len(NOISE) and re.fullmatch(r".*ab\.wav: has \d+ bytes behind the sound .*", *warnings)


def test_a_stream_that_changes_its_rate_is_an_error(tmp_path):
    (tmp_path / "ab.mp3").write_bytes(mp3() + mp3(rate=48000))
    with pytest.raises(InputError, match=r"ab\.mp3: .*changes from 44100 Hz .* to 48000 Hz .* after 3\.\d\d s"):
        audio.load(tmp_path / "ab.mp3")


# Files whose end is missing.

COMPLETE = {
    "wav": wav, "aiff": lambda: encoded.by_soundfile(NOISE, RATE, "AIFF"),
    "au": lambda: encoded.by_soundfile(NOISE, RATE, "AU"), "caf": lambda: encoded.by_soundfile(NOISE, RATE, "CAF"),
    "w64": lambda: encoded.by_soundfile(NOISE, RATE, "W64"), "rf64": lambda: encoded.by_soundfile(NOISE, RATE, "RF64"),
    "flac": lambda: encoded.by_soundfile(NOISE, RATE, "FLAC"), "mp3": mp3,
    "ogg": lambda: encoded.by_soundfile(NOISE, RATE, "OGG"),
    "opus": lambda: encoded.by_soundfile(NOISE, 48000, "OGG", "OPUS"),
    "m4a": lambda: encoded.by_ffmpeg(NOISE, RATE, "mp4", "aac"),
    "fragmented m4a": lambda: encoded.by_ffmpeg(NOISE, RATE, "mp4", "aac", movflags="frag_keyframe+empty_moov"),
    "mka": lambda: encoded.by_ffmpeg(NOISE, 48000, "matroska", "libopus"),
    "wma": lambda: encoded.by_ffmpeg(NOISE, RATE, "asf", "wmav2", bit_rate=128_000),
    "wv": lambda: encoded.by_ffmpeg(NOISE, RATE, "wv", "wavpack"),
}  # fmt: skip


@pytest.mark.parametrize("kind", COMPLETE)
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_cut_off(tmp_path, kind, part):
    """Refused in one line that says how much can be read; the complete file is read without a word."""
    content, path = COMPLETE[kind](), tmp_path / f"song.{kind}"
    samples, rate, warnings = loaded(path, content)
    assert abs(len(samples) - len(NOISE)) < 0.1 * rate and not warnings
    path.write_bytes(content[: int(part * len(content))])
    message = r".*song\..*: is cut off (?:or damaged )?after (\d\.\d\d) s \(.*\); get the file again"
    with pytest.raises(InputError) as error:
        audio.load(path)
    assert float(re.fullmatch(message, str(error.value)).group(1)) <= part * 3 + 0.5
    if kind != "flac":  # whose frames state no sizes
        with pytest.raises(InputError, match="is cut off"):
            audio.duration(path)


def test_an_ogg_file_cut_between_pages_has_no_mark_of_its_end(tmp_path):
    content = COMPLETE["ogg"]()
    _, _, warnings = loaded(tmp_path / "a.ogg", content[: content.rindex(b"OggS")])
    assert re.fullmatch(r".*a\.ogg: has no mark of its end: .*", *warnings)


def test_damaged_packets_are_left_out_with_a_warning(tmp_path):
    content = bytearray(encoded.by_ffmpeg(NOISE, RATE, "adts", "aac"))
    content[20_000:21_000] = np.random.default_rng(0).bytes(1000)
    samples, _, warnings = loaded(tmp_path / "a.aac", content)
    message = r".*a\.aac: has \d+ packets that are missing or cannot be decoded .* the other (.+) s are used, .*"
    used = float(re.fullmatch(message, *warnings)[1])
    assert used == pytest.approx(len(samples) / RATE, abs=0.01)
    assert used > 2.2  # FFmpeg 8 goes on behind the damage, at 2.2 of 3 s, FFmpeg 9 does not


HOLED = {  # by name: the format, its codec, and the encoder's options
    "mp3": ("mp3", "libmp3lame", {"write_xing": "0", "id3v2_version": "0"}), "mp2": ("mp2", "mp2", {}),
    "aac": ("adts", "aac", {}), "m4a": ("mp4", "aac", {}), "mka": ("matroska", "libopus", {}),
    "ac3": ("ac3", "ac3", {}), "ts": ("mpegts", "aac", {}),
}  # fmt: skip


@pytest.mark.parametrize("n_zeros", [3000, 40_000])
@pytest.mark.parametrize("kind", HOLED)
def test_zeros_in_the_place_of_sound_are_told(tmp_path, kind, n_zeros):
    """As a transfer leaves them that was broken off and continued; without them nothing is told."""
    form, codec, options = HOLED[kind]
    sound, rate = np.tile(NOISE, 4), 48000 if codec == "libopus" else RATE
    content = encoded.by_ffmpeg(sound, rate, form, codec, bit_rate=128_000, **options)
    samples, _, warnings = loaded(tmp_path / f"whole.{kind}", content)
    assert abs(len(samples) - len(sound)) < 3 * 2048 and not warnings
    middle = len(content) // 2
    content = content[:middle] + bytes(n_zeros) + content[middle + n_zeros :]
    samples, _, warnings = loaded(tmp_path / f"holed.{kind}", content)
    used = float(re.search("packets that are missing .* the other (.+) s are used", "".join(warnings))[1])
    assert used == pytest.approx(len(samples) / rate, abs=0.01)


@pytest.mark.parametrize("kind", ["mp3", "mp2"])
def test_zeros_up_to_the_next_frame_are_told(tmp_path, kind):
    """FFmpeg takes them for a part of that frame, and skips them."""
    form, codec, options = HOLED[kind]
    content = encoded.by_ffmpeg(np.tile(NOISE, 4), 48000, form, codec, bit_rate=128_000, **options)
    frame = 384  # bytes: 128,000 bits a second, 24 ms
    assert content[100 * frame : 100 * frame + 2] == content[:2]
    content = content[: 80 * frame + 50] + bytes(20 * frame - 50) + content[100 * frame :]
    _, _, warnings = loaded(tmp_path / f"holed.{kind}", content)
    assert "packets that are missing" in "".join(warnings)


FRAGMENTED = {"movflags": "frag_keyframe+empty_moov"}
TAILED = HOLED | {"fragmented m4a": ("mp4", "aac", FRAGMENTED), "wma": ("asf", "wmav2", {})}


@pytest.mark.parametrize("kind", TAILED)
def test_zeros_to_the_end_are_told(tmp_path, kind):
    """As in a file whose place on the disk was reserved before it was written."""
    form, codec, options = TAILED[kind]
    sound, rate = np.tile(NOISE, 4), 48000 if codec == "libopus" else RATE
    content = encoded.by_ffmpeg(sound, rate, form, codec, bit_rate=128_000, **options)
    half = len(content) // 2
    (tmp_path / "a").write_bytes(content[:half] + bytes(len(content) - half))
    refused = {"m4a": "cannot be decoded", "ts": "is cut off"}  # m4a has its index at the end
    if kind in refused:
        with pytest.raises(InputError, match=refused[kind]):
            loaded(tmp_path / "a")
    else:
        samples, _, warnings = loaded(tmp_path / "a")
        assert len(samples) < 0.6 * len(sound) and "packets that are missing" in "".join(warnings)


@pytest.mark.parametrize(
    ("form", "codec"),
    [("avi", "pcm_s16le"), ("avi", "libmp3lame"), ("flv", "aac"), ("flv", "libmp3lame"), ("rm", "ac3"),
     ("sox", "pcm_s32le"), ("voc", "pcm_s16le")],
)  # fmt: skip
def test_cut_off_where_ffmpeg_shortens_what_the_header_states(tmp_path, form, codec):
    content = encoded.by_ffmpeg(NOISE, RATE, form, codec)
    samples, _, warnings = loaded(tmp_path / "all", content)
    assert abs(len(samples) - len(NOISE)) <= 3 * 1152 and not [text for text in warnings if "kHz" not in text]
    with pytest.raises(InputError, match=r"cut off.* after 1\.[3-7]\d s"):
        loaded(tmp_path / "half", content[: len(content) // 2])


def test_cut_off_in_the_middle_of_a_chunk(tmp_path):
    content = encoded.by_soundfile(np.tile(NOISE, 4), RATE, "FLAC")
    with pytest.raises(InputError, match=r"after [46]\.00 s"):
        loaded(tmp_path / "half.flac", content[: len(content) // 2])


@pytest.mark.parametrize("tail", [b"LYRICSBEGIN" + 400 * b"la " + b"001200LYRICS200", bytes(3000)])
def test_what_follows_an_mp3_is_no_damage(tmp_path, tail):
    _, _, warnings = loaded(tmp_path / "a.mp3", mp3(header=False) + tail)
    assert not [text for text in warnings if "kHz" not in text]


# Formats, by content and not by name.


@pytest.mark.parametrize(
    ("form", "codec", "tolerance"),
    [
        ("mp4", "aac", 0), ("mp4", "alac", 0), ("adts", "aac", 3000), ("matroska", "libopus", 400),
        ("webm", "libopus", 400), ("mp2", "mp2", 3000), ("asf", "wmav2", 0),
        ("wv", "wavpack", 0), ("tta", "tta", 0), ("ac3", "ac3", 3000),
        ("wav", "libmp3lame", 3000), ("aiff", "pcm_s24be", 0), ("mpegts", "aac", 3000), ("avi", "libmp3lame", 3000),
    ],
)  # fmt: skip
def test_formats(tmp_path, form, codec, tolerance):
    rate = 48000 if codec == "libopus" else RATE
    content = encoded.by_ffmpeg(np.stack([NOISE, NOISE], axis=1), rate, form, codec, bit_rate=192_000)
    samples, found, warnings = loaded(tmp_path / "song", content)
    assert found == rate and not warnings
    late = lag(samples) + 2048 * (codec == "wmav2")  # FFmpeg leaves out the first frame
    assert abs(len(samples) - len(NOISE)) <= 2 * 2048 and 0 <= late <= tolerance


@pytest.mark.parametrize("name", ["a.wav", "a.au", "a.sw", "a", "a:b %03d.txt", os.fsdecode(b"\xdf.mp3"), "音.ogg"])
@pytest.mark.parametrize("kind", ["m4a", "mp3", "flac"])
def test_the_name_does_not_matter(tmp_path, name, kind):
    expected, _, _ = loaded(tmp_path / f"right.{kind}", COMPLETE[kind]())
    samples, _, _ = loaded(tmp_path / name, COMPLETE[kind]())
    np.testing.assert_array_equal(samples, expected)


def test_the_sound_of_a_video(tmp_path):
    with av.open(tmp_path / "video.mkv", "w") as container:
        picture, sound = container.add_stream("mpeg4", rate=10), container.add_stream("flac", rate=RATE, layout="mono")
        picture.width = picture.height = 64
        for n in range(30):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), 8 * n, "uint8"))))
        frame = av.AudioFrame.from_ndarray(NOISE[None], format="flt", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        container.mux([*picture.encode(), *sound.encode(frame), *sound.encode()])
    samples, _, _ = loaded(tmp_path / "video.mkv")
    np.testing.assert_allclose(samples, NOISE, atol=1e-4)


def test_a_video_without_sound(tmp_path):
    with av.open(tmp_path / "mute.mkv", "w") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width = picture.height = 64
        container.mux([*picture.encode(av.VideoFrame(64, 64, "yuv420p")), *picture.encode()])
    with pytest.raises(InputError, match=r"mute\.mkv: cannot be decoded as audio \(.*no sound"):
        audio.load(tmp_path / "mute.mkv")


# Scale, channels, band.


@pytest.mark.parametrize(
    ("factor", "dtype", "subtype", "warning"),
    [
        (2.0**15, "float32", "FLOAT", r"divided by 2\^15"), (1.4 * 2.0**15, "float32", "FLOAT", r"divided by 2\^15"),
        (2.0**23, "float32", "FLOAT", r"divided by 2\^23"), (2.0**31, "float64", "DOUBLE", r"divided by 2\^31"),
        (2.0**15, "int32", "PCM_32", r"16-bit values.*multiplied by 2\^16"),
        (2.0**23, "int32", "PCM_32", r"24-bit values.*multiplied by 2\^8"),
    ],
)  # fmt: skip
def test_integers_by_their_values(tmp_path, factor, dtype, subtype, warning):
    path = tmp_path / "a.wav"
    soundfile.write(path, (NOISE * factor).astype(dtype), RATE, subtype=subtype)
    samples, _, warnings = loaded(path)
    loudness = 1.4 if factor == 1.4 * 2.0**15 else 1
    np.testing.assert_allclose(samples, NOISE * loudness, atol=1e-4)
    assert re.fullmatch(rf".*a\.wav: .*{warning}.*", *warnings)


def test_floating_point_beyond_full_scale(tmp_path):
    """A little is kept, as of loud masters; of more the scale is not known, and the peak becomes 1."""
    path = tmp_path / "a.wav"
    soundfile.write(path, 4 * NOISE, RATE, subtype="FLOAT")
    samples, _, warnings = loaded(path)
    np.testing.assert_array_equal(samples, 4 * NOISE)
    assert not warnings
    soundfile.write(path, 40 * NOISE, RATE, subtype="FLOAT")
    samples, _, warnings = loaded(path)
    assert np.abs(samples).max() == pytest.approx(1)
    assert re.fullmatch(r".*a\.wav: has samples up to \d\d\.\d*; divided by that", *warnings)


def test_a_very_quiet_recording_is_reported(tmp_path):
    soundfile.write(tmp_path / "a.wav", NOISE / 65536, RATE, subtype="FLOAT")
    samples, _, warnings = loaded(tmp_path / "a.wav")
    np.testing.assert_array_equal(samples, NOISE / 65536)
    assert re.fullmatch(r".*a\.wav: is very quiet \(peak -9\d dB of full scale\)", *warnings)


@pytest.mark.parametrize("codec", ["pcm_s16le", "libmp3lame", "aac"])
def test_antiphase(tmp_path, codec):
    form = {"pcm_s16le": "wav", "libmp3lame": "mp3", "aac": "mp4"}[codec]
    sound = np.stack([NOISE, -NOISE], axis=1)
    samples, _, warnings = loaded(tmp_path / "a", encoded.by_ffmpeg(sound, RATE, form, codec, bit_rate=192_000))
    assert np.std(samples) == pytest.approx(np.std(NOISE), rel=0.1) and "antiphase" in warnings[0]


def test_antiphase_in_a_part(tmp_path):
    """No mix is right for both parts."""
    one = np.tile(NOISE, 2)
    other = one * np.where(np.arange(len(one)) < len(one) // 3, 1, -1)
    _, _, warnings = loaded(tmp_path / "a.wav", encoded.by_soundfile(np.stack([one, other], axis=1), RATE, "WAV"))
    assert len(warnings) == 1
    assert re.search(r"cancel each other in 4 of 6 s \(antiphase\), where little is left", *warnings)


@pytest.mark.parametrize("decibels", [-20, -25, -29, -31])
def test_soft_channels_of_surround_do_not_make_the_mix_soft(tmp_path, decibels):
    sounds = np.random.default_rng(1).standard_normal((len(NOISE), 6)) * 0.1 * 10 ** (decibels / 20)
    sounds[:, 2] = NOISE
    samples, _, _ = loaded(tmp_path / "a.wav", encoded.by_soundfile(sounds, RATE, "WAV", "FLOAT"))
    assert np.std(samples) == pytest.approx(np.std(NOISE), rel=0.15)


@pytest.mark.parametrize("peak", [20_000, 33_000, 45_000])
def test_16_bits_in_integers_of_32(tmp_path, peak):
    sound = np.round(NOISE / np.abs(NOISE).max() * peak).astype("int32")
    samples, _, warnings = loaded(tmp_path / "a.wav", encoded.by_soundfile(sound, RATE, "WAV", "PCM_32"))
    assert np.abs(samples).max() == pytest.approx(peak / 32768, rel=1e-3) and "16-bit" in warnings[0]


@pytest.mark.parametrize("glitch", [1e6, 3000.0, -40.0])
def test_a_single_sample_does_not_set_the_scale(tmp_path, glitch):
    sound = NOISE.copy()
    sound[[5, 70_000]] = glitch
    samples, _, warnings = loaded(tmp_path / "a.wav", encoded.by_soundfile(sound, RATE, "WAV", "FLOAT"))
    assert np.std(samples) == pytest.approx(np.std(NOISE), rel=0.02) and np.abs(samples).max() <= 1
    assert "2 samples beyond full scale" in warnings[0]


@pytest.mark.parametrize("gain", [1.0, 0.25])
def test_music_that_was_resampled_from_8_khz(tmp_path, gain):
    """At 44.1 kHz the noise of 16 bits lies above 4 kHz; the softer the music, the nearer."""
    narrow = soxr.resample(soxr.resample(NOISE * gain, RATE, 8000), 8000, RATE)
    for name, sound in (("wide", NOISE * gain), ("narrow", narrow)):
        _, _, warnings = loaded(tmp_path / f"{name}.wav", encoded.by_soundfile(sound, RATE, "WAV", "PCM_16"))
        assert [bool(re.search(r"no sound above [34]\.\d kHz", text)) for text in warnings] == [True] * (
            name == "narrow"
        )


@pytest.mark.filterwarnings("error")
def test_values_that_are_not_finite_are_one_line(tmp_path):
    sound = NOISE.copy()
    sound[1000] = np.inf
    with pytest.raises(InputError, match="not finite numbers"):
        loaded(tmp_path / "a.wav", encoded.by_soundfile(sound, RATE, "WAV", "FLOAT"))


def test_a_pipe_is_no_missing_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is no regular file"):
        audio.load(tmp_path / "pipe")


@pytest.mark.parametrize(("n", "music"), [(2, 0), (2, 1), (6, 2), (6, 5)])
@pytest.mark.parametrize("codec", ["pcm_s16le", "aac"])
def test_music_in_one_channel_only(tmp_path, n, music, codec):
    sound = np.zeros((len(NOISE), n), "float32")
    low = scipy.signal.sosfilt(scipy.signal.butter(4, 100, fs=RATE, output="sos"), NOISE)  # all that LFE has
    sound[:, music] = low if music == 5 else NOISE
    content = encoded.by_ffmpeg(sound, RATE, "wav" if codec == "pcm_s16le" else "mp4", codec, bit_rate=384_000)
    samples, _, _ = loaded(tmp_path / "a", content)
    assert np.std(samples) == pytest.approx(np.std(sound[:, music]), rel=0.1)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_a_narrow_band_is_reported(tmp_path, rate):
    """Whether the rate is low, or the sound was resampled from one that is."""
    sound = soxr.resample(NOISE, RATE, 8000)
    soundfile.write(tmp_path / "a.flac", audio.resample(sound, 8000, rate), rate)
    _, _, warnings = loaded(tmp_path / "a.flac")
    assert re.fullmatch(r".*a\.flac: has no sound above [34]\.\d kHz; .*", *warnings)
