"""Features of only the first seconds of a recording."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Truncated:
    """The features of the first `seconds` of a recording, by the extractor `of`; shorter recordings are complete."""

    of: object
    seconds: float

    @property
    def name(self) -> str:
        """The extractor's; the store keeps both in one folder."""
        return self.of.name

    @property
    def libraries(self) -> tuple[str, ...]:
        return self.of.libraries

    @property
    def files(self) -> tuple[Path, ...]:
        return getattr(self.of, "files", ())

    def __call__(self, samples: np.ndarray, rate: int) -> np.ndarray:
        return self.of(samples[: round(self.seconds * rate)], rate)
