"""Audio files as mono samples.

Conventions: samples are float32 of shape (n_samples,) in [-1, 1]; rates are in Hz. Decoding is libsndfile's
(wav, flac, mp3, ogg vorbis, opus, ...), resampling is soxr's.
"""

from pathlib import Path

import numpy as np
import soundfile

from common.errors import InputError
from common.files import muted_stderr

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
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with muted_stderr(), soundfile.SoundFile(path) as file:
            announced, file_rate = file.frames, file.samplerate
            samples = file.read(dtype="float32", always_2d=True).mean(axis=1)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be decoded as audio ({_reason(error)}); {HINT}") from error
    if not len(samples):
        raise InputError(f"{path}: holds no audio (zero length); get the file again")
    if len(samples) < announced - MP3_FRAME * (path.suffix.lower() == ".mp3"):
        raise InputError(
            f"{path}: is cut off, {len(samples)} of {announced} samples can be decoded; get the file again"
        )
    if not np.isfinite(samples).all():
        raise InputError(f"{path}: holds samples that are not finite numbers; get the file again")
    if not samples.any():
        raise InputError(f"{path}: is silent (every sample is zero); get the file again")
    if rate is not None and rate != file_rate:
        import soxr

        samples, file_rate = soxr.resample(samples, file_rate, rate), rate
    return samples, file_rate


def duration(path: Path) -> float:
    """Length in seconds as the file's header tells it, without decoding. Raises InputError as `load` does."""
    try:
        with muted_stderr():
            info = soundfile.info(path)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be read as audio ({_reason(error)}); {HINT}") from error
    return info.frames / info.samplerate


def _reason(error: Exception) -> str:
    """libsndfile's words without the path; what it says of some broken files is that they do not exist."""
    text = getattr(error, "error_string", str(error))
    return "unknown format" if "does not exist" in text else text.rstrip(".")
