"""Tables of a distribution that a user may have as a zip file or unpacked."""

import csv
import hashlib
import io
import json
import zipfile
import zlib
from functools import cached_property
from pathlib import Path, PurePosixPath

from common.errors import InputError
from common.folders import contents


class Archive:
    """The CSV files of one archive of a distribution, in a folder or a zip file, by their file names.

    Parameters
    ----------
    root : the data set's folder
    names : names of folder or zip file under `root`; the first that exists is read
    source : where a user gets it, for messages
    """

    def __init__(self, root: Path, names: tuple[str, ...], source: str):
        self.expected, self.source = root / names[0], source
        self.place = next((root / name for name in names if (root / name).exists()), None)

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.place)
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(f"{self.place}: cannot be read as a zip ({error}); get it again") from error

    @cached_property
    def members(self) -> dict[str, list[str | Path]]:
        """Paths of CSV files by file name, hidden ones left out; empty if there is neither folder nor zip file."""
        if self.place is None:
            return {}
        paths, members = contents(self.place).files if self.place.is_dir() else self._zip.namelist(), {}
        for path in paths:
            name = PurePosixPath(path).name
            if name.endswith(".csv") and not name.startswith("."):
                members.setdefault(name, []).append(path)
        return members

    def where(self, name: str) -> str:
        """The full name of a file, for messages.

        Parameters
        ----------
        name : str
            Without folders.

        Returns
        -------
        str
            Of a missing file where it should be.
        """
        path, *_ = self.members.get(name, [(self.place or self.expected) / name])
        return f"{self.place}/{path}" if isinstance(path, str) else str(path)

    def read(self, name: str) -> bytes:
        """The content of a file.

        Parameters
        ----------
        name : str
            Without folders.

        Returns
        -------
        bytes

        Raises
        ------
        InputError
            If the file is missing or damaged, or if there are several of this name.
        """
        if name not in self.members:
            raise InputError(f"{self.where(name)}: no such file; get it from {self.source}")
        path, *others = self.members[name]
        if others:
            several = ", ".join(sorted(map(str, self.members[name])))
            raise InputError(f"{self.place}: holds several files {name} ({several}); keep the one of the distribution")
        try:
            return self._zip.read(path) if isinstance(path, str) else path.read_bytes()
        except (zipfile.BadZipFile, zlib.error, OSError) as error:
            raise InputError(f"{self.where(name)}: cannot be read ({error}); get it again") from error

    def rows(self, name: str) -> list[list[str]]:
        """The rows of a comma-separated table, without the stray tabs around fields.

        Parameters
        ----------
        name : str
            Without folders.

        Returns
        -------
        list of list of str
            The header first.

        Raises
        ------
        InputError
            As `read`, and if the table is empty.
        """
        text = self.read(name).decode("utf-8", errors="replace")
        rows = [[field.strip("\t") for field in row] for row in csv.reader(io.StringIO(text)) if row]
        if not rows:
            raise InputError(f"{self.where(name)}: is empty; get it from {self.source}")
        return rows

    def digest(self) -> str:
        """SHA-256 of the zip file, or of the names and contents of the folder's files."""
        if self.place is None or self.place.is_file():
            return hashlib.sha256(self.place.read_bytes() if self.place else b"").hexdigest()
        digests = [(name, hashlib.sha256(self.read(name)).hexdigest()) for name in sorted(self.members)]
        return hashlib.sha256(json.dumps(digests).encode()).hexdigest()
