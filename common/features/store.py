"""A store of computed features, addressed by content.

The key of an entry is the SHA-256 of the audio file's bytes and of all else that the features depend on (decoder,
extractor with all parameters, its code, the versions of its libraries: `identity.describe`); so neither a renamed file
nor a changed parameter can return the wrong features. An entry is one file, written in one step (parallel writers and
kills do no harm), and contains its own SHA-256, which is checked when it is read: a damaged entry is computed again,
with a message.
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
from common.parallel import on_worker, progress


class FeatureStore:
    """Features of audio files, computed once.

    Parameters
    ----------
    folder : of the cache, created when the first entry is written; None: `common.files.cache_folder()`
    """

    def __init__(self, folder: Path | None = None):
        self.folder = Path(folder or cache_folder()) / "features"

    def entry(self, path: Path, extractor) -> Path:
        """The path of the features of a recording.

        Parameters
        ----------
        path : Path
            Of the recording.
        extractor : as the classes in `common.features`

        Returns
        -------
        Path

        Raises
        ------
        InputError
            If the file cannot be read.
        """
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}); get the file again") from error
        key = hashlib.sha256(content)
        key.update(json.dumps(identity.describe(extractor, path), sort_keys=True).encode())
        return self.folder / extractor.name / f"{key.hexdigest()}.npy.sha256"

    def get(self, path: Path, extractor) -> np.ndarray:
        """The features of one file; from the store, else computed and stored.

        Parameters
        ----------
        path : Path
            Of the recording.
        extractor : as the classes in `common.features`

        Returns
        -------
        float32 ndarray
            Time first, where there is time.

        Raises
        ------
        InputError
            If the file cannot be decoded or is too short, or if the features are not finite.
        """
        entry = self.entry(path, extractor)
        if entry.is_file():
            array = unpack(entry.read_bytes())
            if array is not None:
                return array
            print(f"{entry}: damaged cache entry of {path}, computed again", file=sys.stderr)
        array = on_worker(_extract, extractor, Path(path))
        if not np.isfinite(array).all():
            raise InputError(f"{path}: {extractor.name} gives values that are not finite numbers; check the recording")
        cache(entry, pack(array))
        return array

    def get_all(self, paths: list[Path], extractor, *, n_jobs: int = 1, quiet: bool = False) -> list[np.ndarray]:
        """The features of many recordings, with a progress bar.

        Parameters
        ----------
        paths : list of Path
        extractor : as the classes in `common.features`
        n_jobs : int
            Processes.
        quiet : bool
            True: no progress bar.

        Returns
        -------
        list of ndarray
            In the order of the paths.

        Raises
        ------
        InputError
            As `get`, for the first file with an error.
        """
        calls = ((self.get, path, extractor) for path in paths)
        return list(progress(calls, total=len(paths), n_jobs=n_jobs, label=extractor.name, unit="file", quiet=quiet))


def _extract(extractor, path: Path) -> np.ndarray:
    with backend.one_thread():
        return extractor(*audio.load(path))
