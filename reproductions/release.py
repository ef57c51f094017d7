"""What a release consists of: its version, and the records and weights that it holds, each named by a digest."""

import configparser
import hashlib
import importlib.metadata
from pathlib import Path

from common import provenance
from common.experiment.records import data_sets
from common.files import NAME
from common.places import ROOT
from common.verdict.recorded import CONTRIBUTED

SHOWN = 12  # digits of a digest


def version() -> str:
    """The version of the checkout (setup.cfg), else of the installed package."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    return settings["metadata"]["version"] if "metadata" in settings else importlib.metadata.version(NAME)


def digest(folder: Path, paths: list[Path]) -> str:
    """SHA-256 of names and contents of files, shortened.

    Parameters
    ----------
    folder : Path
        Names are relative to it.
    paths : list of Path
        Files in the folder, in any order.

    Returns
    -------
    str, `SHOWN` hexadecimal digits
    """
    content = hashlib.sha256()
    for path in sorted(paths):
        content.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        content.update(hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()[:SHOWN]


def summary(results: Path) -> str:
    """Version, commit, records and weights, a line each.

    Parameters
    ----------
    results : Path
        The folder of the records; those that others contributed count too.

    Returns
    -------
    str
    """
    records = [
        path
        for folder in (results, results / CONTRIBUTED)
        for paper in sorted(folder.glob("*/"))
        for dataset in data_sets(folder, paper.name)
        for path in (paper / dataset).glob("*.json")
    ]
    commit = provenance.commit()
    lines = [f"{NAME} {version()}" + (f", commit {commit}" if commit else "")]
    lines.append(f"records: {len(records)}, SHA-256 {digest(results, records)}")
    for folder in sorted(results.glob("*/weights")):
        files = list(folder.glob("*.keras"))
        lines.append(f"weights of {folder.parent.name}: {len(files)} files, SHA-256 {digest(folder, files)}")
    return "\n".join(lines)
