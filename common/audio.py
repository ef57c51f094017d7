"""Audio files as mono samples: decoding, mixing down, resampling.

Conventions: samples are float32 of shape (n_samples,) in [-1, 1]; rates are in Hz. Decoding is libsndfile's
(wav, flac, mp3, ogg vorbis, opus, ...), resampling is soxr's.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from common.errors import InputError
from common.files import muted_stderr

UNSUPPORTED = {".m4a", ".mp4", ".aac", ".wma"}  # formats of recordings that libsndfile does not decode
HINT = "get the file again, or remove it if it is no recording"
MP3_FRAME = 1152  # samples; a header may count a last frame that decoders leave out


def decoder() -> str:
    """Name and version of the decoder; part of every feature's cache key."""
    return f"soundfile {soundfile.__version__}, {soundfile.__libsndfile_version__}"


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
    samples, float32 (n_samples,), the mean of the channels; and their rate in Hz

    Raises
    ------
    InputError : if the file is missing, not audio, cut off, empty or silent, or holds values that are not finite
    """
    ((samples, file_rate),) = blocks(path, None)
    rate = rate or file_rate
    return resample(samples, file_rate, rate), rate


def blocks(path: Path, seconds: float | None, *, overlap: float = 0.0) -> Iterator[tuple[np.ndarray, int]]:
    """Decode a file block by block, so that a long recording need not fit into memory.

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
    InputError : as `load`; that a file is silent or cut off is known only after its last block
    """
    path = Path(path)
    _require_readable(path)
    try:
        with muted_stderr():
            file = soundfile.SoundFile(_name(path))
        with file:
            yield from _blocks(path, file, seconds, overlap)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be decoded as audio ({_reason(error)}); {HINT}") from error


def _blocks(path: Path, file: soundfile.SoundFile, seconds: float | None, overlap: float):
    n_read, loud, tail = 0, False, None
    announced, rate = file.frames, file.samplerate
    n, n_repeated = -1 if seconds is None else round(seconds * rate), round(overlap * rate)
    while n_read == 0 or n_read < announced:
        with muted_stderr():
            samples = file.read(n, dtype="float32", always_2d=True).mean(axis=1)
        if not len(samples):
            break
        n_read += len(samples)
        if n < 0 or len(samples) < n:
            _require_complete(path, n_read, announced)
        if not np.isfinite(samples).all():
            raise InputError(f"{path}: holds samples that are not finite numbers; get the file again")
        loud |= bool(samples.any())
        block = samples if tail is None else np.concatenate([tail, samples])
        tail = block[-n_repeated:] if n_repeated else None
        yield block, rate
    if not n_read:
        raise InputError(f"{path}: holds no audio (zero length); get the file again")
    _require_complete(path, n_read, announced)
    if not loud:
        raise InputError(f"{path}: is silent (all samples are zero); remove it if it is meant to be")


def _require_complete(path: Path, n_read: int, announced: int) -> None:
    if n_read < announced - MP3_FRAME * (path.suffix.lower() == ".mp3"):
        raise InputError(f"{path}: is cut off, {n_read} of {announced} samples can be decoded; get the file again")


def duration(path: Path) -> float:
    """Length in seconds by the file's header, without decoding.

    Raises
    ------
    InputError : if the file is missing or not audio
    """
    _require_readable(path)
    try:
        with muted_stderr():
            info = soundfile.info(_name(path))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be read as audio ({_reason(error)}); {HINT}") from error
    return info.frames / info.samplerate


def _name(path: Path) -> str | bytes:
    """A path as soundfile takes it: of a name that is no UTF-8 the bytes."""
    return str(path) if os.name == "nt" else os.fsencode(path)


def _require_readable(path: Path) -> None:
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such file")
    if Path(path).suffix.lower() in UNSUPPORTED:
        raise InputError(f"{path}: is in a format that cannot be decoded; convert it to wav or flac, as with ffmpeg")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read (no permission); change its permissions")


def _reason(error: Exception) -> str:
    """libsndfile's message without the path; of some broken files it says that they do not exist."""
    text = getattr(error, "error_string", str(error))
    return "unknown format" if "does not exist" in text else text.rstrip(".")
