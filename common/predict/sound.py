"""Level and bandwidth of a recording, measured on the samples that a model is given."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from common.audio.base import Chunk
from common.audio.survey import EVERY, Survey
from common.prediction import Sound


class Meter:
    """Measures the blocks of a recording while a model reads them, so that it is decoded once."""

    def __init__(self):
        self._survey = Survey()

    def through(self, blocks) -> Iterator[tuple[np.ndarray, int]]:
        """The same blocks, measured.

        Parameters
        ----------
        blocks : iterable of (samples, rate)
            As of `common.audio.blocks`: float32 (n_samples,) and Hz.

        Yields
        ------
        samples, rate
        """
        for samples, rate in blocks:
            self._survey.add(Chunk(samples[:, None], rate))
            yield samples, rate

    def sound(self) -> Sound:
        """Of all blocks so far."""
        power = self._survey.products[0, 0] / np.ceil(self._survey.n / EVERY)
        return Sound(float(10 * np.log10(max(power, 1e-20))), float(self._survey.bandwidth), self._survey.rate)


@dataclass(frozen=True)
class SoundExtractor:
    """Level and bandwidth of a whole recording, as features that are computed once.

    Called with samples (n_samples,) and their rate in Hz, returns float32 (1, 2): dB of full scale, Hz.
    """

    name: str = "sound"
    version: int = 1
    libraries = ("numpy",)

    def __call__(self, samples: np.ndarray, rate: int) -> np.ndarray:
        meter = Meter()
        for _ in meter.through([(samples, rate)]):
            pass
        return np.array([meter.sound()[:2]], "float32")
