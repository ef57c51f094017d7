"""Audio files as mono samples: decoding, mixing down, resampling.

Conventions: samples are float32 of shape (n_samples,) in [-1, 1]; rates are in Hz. A file is read to the end of its
stream, by libsndfile where its container guarantees the length (wav, aiff, flac, ogg, opus, mp3 with a header), else by
FFmpeg. Resampling is soxr's.

Channels are mixed to the mean of those that carry sound; one in antiphase is inverted. Samples that are integers by
their values (up to 32768, or 16 bits within 32) are brought to full scale. What is doubtful is a warning
(`common.errors.warn`).
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from common.audio import containers, ffmpeg, libsndfile
from common.audio.base import Chunk, CutOffError, DecodingError
from common.audio.survey import Survey
from common.errors import InputError, warn

HINT = "get the file again, or remove it if it is no recording"
KEPT = 1 << 25  # values that are decoded once and kept in memory while a recording is surveyed: 128 MiB


def decoder(path: Path | None = None) -> str:
    """Name and version of a decoder; part of the cache key of features.

    Parameters
    ----------
    path : the file that is decoded; None: any whose container guarantees its length

    Raises
    ------
    InputError : if the file cannot be read
    """
    return libsndfile.version() if path is None else _recognised(path)[1].version()


def resample(samples: np.ndarray, rate: int, to_rate: int) -> np.ndarray:
    """Samples at another rate; unchanged if both rates are equal.

    Parameters
    ----------
    samples : (n_samples,), at `rate`
    rate, to_rate : in Hz

    Returns
    -------
    (n_samples * to_rate / rate,) of the same type; band-limited interpolation by soxr in its quality "HQ"
    """
    if rate == to_rate:
        return samples
    import soxr

    return soxr.resample(samples, rate, to_rate)


def load(path: Path, *, rate: int | None = None) -> tuple[np.ndarray, int]:
    """Decode a file and mix it down.

    Parameters
    ----------
    path : the file
    rate : sampling rate of the result in Hz; None: the file's own

    Returns
    -------
    samples, float32 (n_samples,), and their rate in Hz

    Raises
    ------
    InputError : if the file is missing, not audio, cut off, empty or silent, or holds values that are not finite
    """
    ((samples, file_rate),) = blocks(path, None)
    rate = rate or file_rate
    return resample(samples, file_rate, rate), rate


def blocks(path: Path, seconds: float | None, *, overlap: float = 0.0) -> Iterator[tuple[np.ndarray, int]]:
    """Decode a file block by block, so that a long recording need not fit into memory.

    A recording that does not fit into KEPT values is decoded twice: first to survey it, then to mix it.

    Parameters
    ----------
    path : the file
    seconds : length of each new part; None: the complete file in one block
    overlap : how many seconds of the end of a block are repeated at the start of the next

    Yields
    ------
    samples and rate of each block, as `load` returns them

    Raises
    ------
    InputError : as `load`, before the first block
    """
    path = Path(path)
    survey, chunks = _surveyed(path, KEPT if seconds else np.inf)
    mix, doubts = survey.mix()
    for doubt in doubts:
        warn(f"{path}: {doubt}")
    mixed = (mix(chunk.samples) for chunk in chunks or _chunks(path, *_recognised(path)))
    n, n_repeated, tail = round(seconds * survey.rate) if seconds else survey.n, round(overlap * survey.rate), None
    for block in _regrouped(mixed, n):
        block = block if tail is None else np.concatenate([tail, block])
        tail = block[-n_repeated:] if n_repeated else None
        yield block, survey.rate


def duration(path: Path) -> float:
    """Length in seconds: by the container if it guarantees it, else by decoding.

    Parameters
    ----------
    path : Path

    Returns
    -------
    float

    Raises
    ------
    InputError
        If the file is missing, not audio or cut off; a file that has to be decoded: as `load`.
    """
    container, module = _recognised(path)
    if module is libsndfile and not container.missing:
        n_samples, rate = libsndfile.length(path, container.parts)
        return n_samples / rate
    return _surveyed(path, 0)[0].seconds


def _recognised(path: Path):
    """The container of a file, and the module that decodes it."""
    if not os.path.isfile(path):
        special = os.path.exists(path) and not os.path.isdir(path)  # as a pipe
        raise InputError(f"{path}: {'is no regular file; save the sound to one' if special else 'no such file'}")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read (no permission); change its permissions")
    if not os.path.getsize(path):
        raise InputError(f"{path}: cannot be decoded as audio (the file is empty); {HINT}")
    try:
        container = containers.inspect(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); get the file again") from error
    if container.exact:
        try:
            libsndfile.length(path, container.parts)
            return container, libsndfile
        except DecodingError:
            pass  # what libsndfile does not know, FFmpeg may
    return container, ffmpeg


def _chunks(path: Path, container: containers.Container, module) -> Iterator[Chunk]:
    return libsndfile.chunks(path, container.parts) if module is libsndfile else module.chunks(path)


def _surveyed(path: Path, most: float) -> tuple[Survey, list[Chunk]]:
    """The survey of a recording, and its chunks if they hold at most so many values, else none."""
    container, module = _recognised(path)
    survey, chunks, n_values, failure = Survey(container.doubt), [], 0, None
    try:
        for chunk in _chunks(path, container, module):
            survey.add(chunk)
            n_values += chunk.samples.size
            if n_values <= most:
                chunks.append(chunk)
            else:
                chunks.clear()
    except DecodingError as error:
        failure = error
    if container.missing or isinstance(failure, CutOffError):
        what = "cut off" if container.missing else "cut off or damaged"
        where = f"{survey.seconds:.2f} s ({container.missing or failure})"
        raise InputError(f"{path}: is {what} after {where}; get the file again")
    if failure or (survey.n_damaged and not survey.n):
        raise InputError(f"{path}: cannot be decoded as audio ({failure or 'damaged'}); {HINT}")
    _require_sound(path, survey)
    return survey, chunks


def _require_sound(path: Path, survey: Survey) -> None:
    if not survey.n:
        raise InputError(f"{path}: holds no audio (zero length); get the file again")
    if not np.isfinite(survey.peak):
        raise InputError(f"{path}: holds samples that are not finite numbers; get the file again")
    if not survey.peak:
        raise InputError(f"{path}: is silent (all samples are zero); remove it if it is meant to be")


def _regrouped(chunks: Iterable[np.ndarray], n: int) -> Iterator[np.ndarray]:
    """The same samples in blocks of n, the last one shorter."""
    pending, n_pending = [], 0
    for chunk in chunks:
        pending.append(chunk)
        n_pending += len(chunk)
        while n_pending >= n:
            joined = np.concatenate(pending)
            yield joined[:n]
            pending, n_pending = [joined[n:]], n_pending - n
    if n_pending:
        yield np.concatenate(pending)
