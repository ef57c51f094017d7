"""Decoding by libsndfile: wav, aiff, flac, ogg, mp3 and others, where the container guarantees the length."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import soundfile

from common.audio.base import CHUNK_S, Chunk, CutOffError, DecodingError
from common.audio.containers import Parts
from common.files import muted_stderr

MP3_FRAME = 1152  # samples; a header may count a last frame that decoders leave out


def version() -> str:
    """Name and version, part of every feature's cache key."""
    return f"soundfile {soundfile.__version__}, {soundfile.__libsndfile_version__}"


class _Forward(soundfile.SoundFile):
    """Read from the beginning to the end: soundfile would seek after each part, where an mp3 decoder starts anew."""

    def seekable(self):
        return False


def _contents(path: Path, parts: Parts) -> Iterator:
    """The file, opened; of joined files the content of each."""
    with open(path, "rb") as content:  # not by the path, whose suffix libsndfile would trust
        for start, end in parts:
            content.seek(start)
            yield io.BytesIO(content.read(end - start))
        if not parts:
            yield content


@contextmanager
def _opened(content):
    try:
        with muted_stderr():
            file = _Forward(content)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise DecodingError(_reason(error)) from error
    with file:
        try:
            yield file
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise CutOffError(_reason(error)) from error


def _reason(error: Exception) -> str:
    return getattr(error, "error_string", str(error)).rstrip(".")


def length(path: Path, parts: Parts = ()) -> tuple[int, int]:
    """How long a file states to be.

    Parameters
    ----------
    path : Path
    parts : of `Container`
        Where joined files begin and end, in bytes.

    Returns
    -------
    n_samples : int
    rate : int
        In Hz.

    Raises
    ------
    DecodingError
        If libsndfile cannot read it, or its parts have other rates.
    """
    n_samples, rates = 0, set()
    for content in _contents(path, parts):
        with _opened(content) as file:
            n_samples += file.frames
            rates.add(file.samplerate)
    if len(rates) > 1:
        raise DecodingError(f"joined files have other rates: {', '.join(f'{rate} Hz' for rate in sorted(rates))}")
    return n_samples, *rates


def chunks(path: Path, parts: Parts = ()) -> Iterator[Chunk]:
    """A file's sound.

    Parameters
    ----------
    path : Path
    parts : of `Container`
        Where joined files begin and end, in bytes.

    Yields
    ------
    Chunk
        Of at most CHUNK_S seconds.

    Raises
    ------
    DecodingError
        If the file cannot be decoded; `CutOffError` if sound is missing at its end.
    """
    for content in _contents(path, parts):
        with _opened(content) as file:
            n_read, wide = 0, file.subtype == "PCM_32"
            while n_read < file.frames:
                with muted_stderr():
                    samples = file.read(CHUNK_S * file.samplerate, dtype="float32", always_2d=True)
                if not len(samples):
                    break
                n_read += len(samples)
                yield Chunk(samples, file.samplerate, wide)
            if n_read < file.frames - MP3_FRAME * file.format.startswith("MP"):
                raise CutOffError(f"{n_read} of {file.frames} samples can be decoded")
