"""What a model predicts of a recording."""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """What a model predicts of one recording.

    Attributes
    ----------
    values : (n_targets,), or (n, n_targets) of a continuous model, at `times`
    length : of the recording, in seconds
    heard : how many seconds of it, from its beginning, the model was given
    times : (n,), in seconds; None without a continuous model
    warnings : what is doubtful about the recording, a line each
    """

    values: np.ndarray
    length: float
    heard: float
    times: np.ndarray | None = None
    warnings: tuple[str, ...] = ()

    @property
    def mean(self) -> np.ndarray:
        """(n_targets,): over the song."""
        return self.values if self.times is None else self.values.mean(0)


def names(paths: list[Path]) -> dict[Path, str]:
    """Short names of recordings to show: their file names, or their paths where these are not distinct."""
    n_files = Counter(path.name for path in paths)
    return {path: printable(path.name if n_files[path.name] == 1 else str(path)) for path in paths}


def printable(text: str) -> str:
    """A text in one line, accents composed; what has no character (as a byte that is no UTF-8) becomes an escape."""
    text = unicodedata.normalize("NFC", text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
