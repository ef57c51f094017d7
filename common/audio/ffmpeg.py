"""Decoding by FFmpeg: what libsndfile cannot read (m4a, aac, wma, webm, the sound of videos, ...), and all streams
whose length no container guarantees.

The package av (PyAV), which contains FFmpeg, is imported when the first such file is read.
"""

from collections.abc import Iterator
from itertools import groupby, islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from common.audio.base import Chunk, CutOffError, DecodingError

FRAMES = 64  # of a codec, in a chunk
STATE_LENGTH = {"ape", "flv", "mpc", "mpc8", "rm", "tak", "tta"}  # formats with a header that states the length
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")  # behind a file, between joined ones: no sound is lost
PADDING = 4096  # bytes of zeros behind a file that are no damage
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
        nameless = SimpleNamespace(read=content.read, seek=content.seek, tell=content.tell)  # no suffix to trust
        try:
            with av.open(nameless, **options) as container:
                stream = container.streams.best("audio")
                if stream is None or stream.codec_context is None:
                    raise DecodingError("no sound that can be decoded is in it")
                yield from _chunks(container, stream)
        except (av.FFmpegError, ValueError) as error:  # a ValueError for samples of a type that PyAV does not know
            raise DecodingError(getattr(error, "strerror", str(error))) from error


def _chunks(container, stream) -> Iterator[Chunk]:
    wide, n_read, damaged, failures = stream.codec_context.name.startswith("pcm_s32"), 0, [], []
    for (rate, _), frames in groupby(_frames(container, stream, damaged, failures), _format):
        while samples := [_samples(frame) for frame in islice(frames, FRAMES)]:
            chunk = Chunk(np.concatenate(samples), rate, wide, len(damaged))
            n_read += len(chunk.samples)
            damaged.clear()
            yield chunk
    if damaged:
        yield Chunk(np.zeros((0, 1), "float32"), 0, wide, len(damaged))
    if failures:
        raise failures[0]
    stated = float((stream.duration or 0) * stream.time_base)  # in seconds
    if not stated and len(container.streams) == 1:  # else it can be the length of the video
        stated = (container.duration or 0) / 1e6
    if container.format.name in STATE_LENGTH and n_read < 0.99 * stated * stream.rate:
        raise CutOffError(f"{stated:.2f} s are announced")


def _frames(container, stream, damaged: list, failures: list) -> Iterator:
    """The frames of a stream to its end, or to a failure; packets that are missing or cannot be decoded are listed."""
    import av

    packets, padding, end = container.demux(stream), [], None
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.PatchWelcomeError as error:  # as of joined Ogg files of different rates
            failures.append(DecodingError(f"FFmpeg: {error.strerror}"))
            return
        except av.FFmpegError as error:
            failures.append(CutOffError(error.strerror))
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:
            content, end = bytes(packet), None
            if not content.startswith(TAGS):
                (damaged if content.strip(b"\0") or len(content) > PADDING else padding).append(packet)
            continue
        if frames:
            damaged += padding  # sound follows: these zeros are a hole
            padding = []
        for frame in frames:
            if end is not None and frame.time is not None and frame.time - end > GAP_S:
                damaged.append(packet)
            end = None if frame.time is None else frame.time + frame.samples / frame.sample_rate
            yield frame


def _format(frame) -> tuple[int, int]:
    return frame.sample_rate, frame.layout.nb_channels


def _samples(frame) -> np.ndarray:
    """float32 (n_samples, n_channels)."""
    values = frame.to_ndarray()  # (n_channels, n_samples), or (1, n_samples * n_channels)
    values = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    zero, full_scale = INTEGERS.get(values.dtype.str[1:], (0, 1))
    return ((values.astype("float64") - zero) / full_scale).astype("float32")
