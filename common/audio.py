"""Audio files as mono samples.

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

UNREAD = {".m4a", ".mp4", ".aac", ".wma"}  # recordings that libsndfile does not decode
HINT = "get the file again, or take it away if it is no recording"
MP3_FRAME = 1152  # samples; a header may count a last frame that decoders leave out


def decoder() -> str:
    """Name and version of what decodes; part of every feature's cache key."""
    return f"soundfile {soundfile.__version__}, {soundfile.__libsndfile_version__}"


def load(path: Path, *, rate: int | None = None) -> tuple[np.ndarray, int]:
    """Decode a file and mix it down.

    Parameters: `path`, the file; `rate`, the sampling rate wanted in Hz (None: the file's own).
    Returns: samples, float32 of shape (n_samples,), the mean of the channels; and their rate in Hz.
    Raises: InputError, naming the file, if it is missing, not audio, cut off, empty, silent or not finite.
    """
    ((samples, file_rate),) = pieces(path, None)
    if rate is not None and rate != file_rate:
        import soxr

        samples, file_rate = soxr.resample(samples, file_rate, rate), rate
    return samples, file_rate


def pieces(path: Path, seconds: float | None, *, overlap: float = 0.0) -> Iterator[tuple[np.ndarray, int]]:
    """A file in pieces of so many seconds, each as `load` returns it: a long recording need not fit into memory.

    overlap: seconds that each piece after the first repeats of the one before it. seconds None: one piece. Raises
    InputError as `load` does, for what can be told of the end at the end only.
    """
    path, read, loud, kept = Path(path), 0, False, None
    _require_readable(path)
    try:
        with muted_stderr():
            file = soundfile.SoundFile(path)
        with file:
            announced, rate = file.frames, file.samplerate
            n, repeated = -1 if seconds is None else round(seconds * rate), round(overlap * rate)
            while read == 0 or read < announced:
                with muted_stderr():
                    samples = file.read(n, dtype="float32", always_2d=True).mean(axis=1)
                if not len(samples):
                    break
                read += len(samples)
                if n < 0 or len(samples) < n:
                    _require_whole(path, read, announced)
                if not np.isfinite(samples).all():
                    raise InputError(f"{path}: holds samples that are not finite numbers; get the file again")
                loud |= bool(samples.any())
                whole = samples if kept is None else np.concatenate([kept, samples])
                kept = whole[-repeated:] if repeated else None
                yield whole, rate
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be decoded as audio ({_reason(error)}); {HINT}") from error
    if not read:
        raise InputError(f"{path}: holds no audio (zero length); get the file again")
    _require_whole(path, read, announced)
    if not loud:
        raise InputError(f"{path}: is silent (every sample is zero); take it away if it is meant to be")


def _require_whole(path: Path, read: int, announced: int) -> None:
    if read < announced - MP3_FRAME * (path.suffix.lower() == ".mp3"):
        raise InputError(f"{path}: is cut off, {read} of {announced} samples can be decoded; get the file again")


def duration(path: Path) -> float:
    """Length in seconds as the file's header tells it, without decoding. Raises InputError as `load` does."""
    _require_readable(path)
    try:
        with muted_stderr():
            info = soundfile.info(path)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be read as audio ({_reason(error)}); {HINT}") from error
    return info.frames / info.samplerate


def _require_readable(path: Path) -> None:
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such file")
    if Path(path).suffix.lower() in UNREAD:
        raise InputError(f"{path}: is in a format that is not read here; make it a wav or flac file, as with ffmpeg")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read (no permission)")


def _reason(error: Exception) -> str:
    """libsndfile's words without the path; what it says of some broken files is that they do not exist."""
    text = getattr(error, "error_string", str(error))
    return "unknown format" if "does not exist" in text else text.rstrip(".")
