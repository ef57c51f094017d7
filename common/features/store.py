"""A store of computed features, addressed by content.

The key of an entry is the SHA-256 of the audio file's bytes, the decoder's version, and the extractor with
every parameter; so neither a renamed file nor a changed parameter can fetch the wrong features. An entry is
one file, written beside its place and moved there in one step (parallel writers and kills do no harm), and
carries its own SHA-256, checked when it is read: a damaged one is computed again, and said so.
"""

import hashlib
import io
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from common import audio
from common.errors import InputError
from common.parallel import progress

DIGEST = hashlib.sha256().digest_size


def default_folder() -> Path:
    """`MER_CACHE`, else the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("MER_CACHE") or Path(base) / "mer-reproductions")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises InputError if the folder cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(part, 0o644)
            os.replace(part, path)
        except BaseException:
            os.unlink(part)
            raise
    except OSError as error:
        raise InputError(f"{path.parent}: cannot be written ({error.strerror}); choose another folder") from error


def pack(array: np.ndarray) -> bytes:
    """An array as checked bytes: SHA-256, then the .npy format."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return hashlib.sha256(buffer.getbuffer()).digest() + buffer.getvalue()


def unpack(content: bytes) -> np.ndarray | None:
    """The array in checked bytes, or None if they are damaged."""
    digest, body = content[:DIGEST], content[DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        return None
    return np.load(io.BytesIO(body), allow_pickle=False)


class FeatureStore:
    """Features of audio files, computed once. `folder` is made when the first entry is written."""

    def __init__(self, folder: Path | None = None):
        self.folder = Path(folder or default_folder()) / "features"

    def entry(self, path: Path, extractor) -> Path:
        """Where the features of an audio file lie. Raises InputError if the file cannot be read."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        key = hashlib.sha256(content)
        key.update(json.dumps([audio.decoder(), asdict(extractor)], sort_keys=True).encode())
        return self.folder / extractor.name / f"{key.hexdigest()}.npy.sha256"

    def get(self, path: Path, extractor) -> np.ndarray:
        """The features of one file, float32, time first; from the store, else computed and stored."""
        entry = self.entry(path, extractor)
        if entry.is_file():
            array = unpack(entry.read_bytes())
            if array is not None:
                return array
            print(f"{entry}: damaged cache entry of {path}, computed again", file=sys.stderr)
        array = extractor(*audio.load(path))
        if not np.isfinite(array).all():
            raise InputError(f"{path}: {extractor.name} gives values that are not finite numbers")
        write_atomically(entry, pack(array))
        return array

    def get_all(self, paths: list[Path], extractor, *, jobs: int = 1, quiet: bool = False) -> list[np.ndarray]:
        """The features of many files, in their order, with a progress bar; `jobs` processes."""
        calls = ((self.get, path, extractor) for path in paths)
        return list(progress(calls, total=len(paths), jobs=jobs, label=extractor.name, unit="file", quiet=quiet))
