"""A store of computed features, addressed by content.

The key of an entry is the SHA-256 of the audio file's bytes and of all that the features depend on besides (decoder,
extractor with every parameter, its code, the versions of its libraries: `identity.describe`); so neither a renamed
file nor a changed parameter can fetch the wrong features. An entry is one file, written beside its place and moved
there in one step (parallel writers and kills do no harm), and carries its own SHA-256, checked when it is read: a
damaged one is computed again, with a message.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from common import audio, backend
from common.errors import InputError
from common.experiment import identity
from common.files import cache, cache_folder, pack, unpack
from common.parallel import progress


class FeatureStore:
    """Features of audio files, computed once. `folder` is made when the first entry is written."""

    def __init__(self, folder: Path | None = None):
        self.folder = Path(folder or cache_folder()) / "features"

    def entry(self, path: Path, extractor) -> Path:
        """Where the features of an audio file lie. Raises InputError if the file cannot be read."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        key = hashlib.sha256(content)
        key.update(json.dumps(identity.describe(extractor), sort_keys=True).encode())
        return self.folder / extractor.name / f"{key.hexdigest()}.npy.sha256"

    def get(self, path: Path, extractor) -> np.ndarray:
        """The features of one file, float32, time first; from the store, else computed and stored."""
        entry = self.entry(path, extractor)
        if entry.is_file():
            array = unpack(entry.read_bytes())
            if array is not None:
                return array
            print(f"{entry}: damaged cache entry of {path}, computed again", file=sys.stderr)
        with backend.one_thread():
            array = extractor(*audio.load(path))
        if not np.isfinite(array).all():
            raise InputError(f"{path}: {extractor.name} gives values that are not finite numbers")
        cache(entry, pack(array))
        return array

    def get_all(self, paths: list[Path], extractor, *, n_jobs: int = 1, quiet: bool = False) -> list[np.ndarray]:
        """The features of many files, in their order, with a progress bar; `n_jobs` processes."""
        calls = ((self.get, path, extractor) for path in paths)
        return list(progress(calls, total=len(paths), n_jobs=n_jobs, label=extractor.name, unit="file", quiet=quiet))
