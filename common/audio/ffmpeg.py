"""Decoding by FFmpeg: what libsndfile cannot read (m4a, aac, wma, webm, the sound of videos, ...), and all streams
whose length no container guarantees.

The package av (PyAV), which contains FFmpeg, is imported when the first such file is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from common.audio.base import Chunk, CutOffError, DecodingError

FRAMES = 64  # of a codec, in a chunk
STATE_LENGTH = {"ape", "flv", "mpc", "mpc8", "rm", "tak", "tta"}  # formats with a header that states the length
END_AT_ZEROS = {"asf", "matroska,webm"}  # formats of which FFmpeg reads no further than to zeros, without an error
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")  # behind a file, between joined ones: no sound is lost
PADDING = 4096  # bytes of zeros behind a file that are no damage
MPEG_AUDIO, MOST_ZEROS = ("mp1", "mp2", "mp3"), 16  # codecs whose frames begin with ones; FFmpeg skips zeros before
GAP_S = 0.1  # between the times of two frames; from here on packets are missing
INTEGERS = {"u1": (1 << 7, 1 << 7), "i2": (0, 1 << 15), "i4": (0, 1 << 31)}  # by type: zero, and full scale


def version() -> str:
    """Name and version, part of the cache key of features of files that FFmpeg decodes."""
    import av

    codec, container = (".".join(map(str, av.library_versions[name])) for name in ("libavcodec", "libavformat"))
    return f"av {av.__version__}, libavcodec {codec}, libavformat {container}"


def chunks(path: Path) -> Iterator[Chunk]:
    """A file's main sound.

    Parameters
    ----------
    path : Path

    Yields
    ------
    Chunk
        Of at most FRAMES frames.

    Raises
    ------
    DecodingError
        If the file cannot be decoded; `CutOffError` if sound is missing at its end.
    """
    import av

    options = {} if int(av.__version__.split(".")[0]) >= 19 else {"metadata_errors": "replace"}
    with open(path, "rb") as content:
        content.seek(max(0, path.stat().st_size - PADDING))
        tail = content.read()
        content.seek(0)
        nameless = SimpleNamespace(read=content.read, seek=content.seek, tell=content.tell)  # no suffix to trust
        try:
            with av.open(nameless, **options) as container:
                stream = container.streams.best("audio")
                if stream is None or stream.codec_context is None:
                    raise DecodingError("no sound that can be decoded is in it")
                losses = _Losses()
                if container.format.name in END_AT_ZEROS and not any(tail):
                    losses.n_damaged = 1
                yield from _chunks(container, stream, losses)
        except (av.FFmpegError, ValueError) as error:  # a ValueError for samples of a type that PyAV does not know
            raise DecodingError(getattr(error, "strerror", str(error))) from error


def _chunks(container, stream, losses) -> Iterator[Chunk]:
    wide, n_read = stream.codec_context.name.startswith("pcm_s32"), 0
    for (rate, _), frames in groupby(_frames(container, stream, losses), _format):
        while samples := [_samples(frame) for frame in islice(frames, FRAMES)]:
            chunk = Chunk(np.concatenate(samples), rate, wide, losses.taken())
            n_read += len(chunk.samples)
            yield chunk
    if n_damaged := losses.taken():
        yield Chunk(np.zeros((0, 1), "float32"), 0, wide, n_damaged)
    if losses.failure:
        raise losses.failure
    stated = float((stream.duration or 0) * stream.time_base)  # in seconds
    if not stated and len(container.streams) == 1:  # else it can be the length of the video
        stated = (container.duration or 0) / 1e6
    if container.format.name in STATE_LENGTH and n_read < 0.99 * stated * stream.rate:
        raise CutOffError(f"{stated:.2f} s are announced")


@dataclass
class _Losses:
    """Packets that are missing or cannot be decoded.

    Attributes
    ----------
    n_damaged : of which it is certain
    n_empty, n_zeros : packets that are zeros, and their bytes: padding, if they are few and no sound follows
    failure : why the sound ends before the file does
    """

    n_damaged: int = 0
    n_empty: int = 0
    n_zeros: int = 0
    failure: DecodingError | None = None

    def undecoded(self, content: bytes) -> None:
        if content.startswith(TAGS):
            return
        if content.strip(b"\0"):
            self.n_damaged += 1
        else:
            self.n_empty += 1
            self.n_zeros += len(content)

    def sound_follows(self) -> None:
        self.n_damaged += self.n_empty
        self.n_empty = self.n_zeros = 0

    def taken(self) -> int:
        """How many there were since the last time."""
        if self.n_zeros > PADDING:
            self.sound_follows()
        n, self.n_damaged = self.n_damaged, 0
        return n


def _frames(container, stream, losses: _Losses) -> Iterator:
    """The frames of a stream to its end, or to a failure."""
    import av

    packets, end, synchronised = container.demux(stream), None, stream.codec_context.name.startswith(MPEG_AUDIO)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.PatchWelcomeError as error:  # as of joined Ogg files of different rates
            losses.failure = DecodingError(f"FFmpeg: {error.strerror}")
            return
        except av.FFmpegError as error:
            losses.failure = CutOffError(error.strerror)
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:
            losses.undecoded(bytes(packet))
            end = None
            continue
        if frames:
            losses.sound_follows()
            losses.n_damaged += synchronised and end is not None and bytes(packet).startswith(bytes(MOST_ZEROS))
        for frame in frames:
            losses.n_damaged += None not in (end, frame.time) and frame.time - end > GAP_S
            start = end if frame.time is None else frame.time
            end = None if start is None else start + frame.samples / frame.sample_rate
            yield frame


def _format(frame) -> tuple[int, int]:
    return frame.sample_rate, frame.layout.nb_channels


def _samples(frame) -> np.ndarray:
    """float32 (n_samples, n_channels)."""
    values = frame.to_ndarray()  # (n_channels, n_samples), or (1, n_samples * n_channels)
    values = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    zero, full_scale = INTEGERS.get(values.dtype.str[1:], (0, 1))
    return ((values.astype("float64") - zero) / full_scale).astype("float32")
