"""What both decoders yield and raise."""

from typing import NamedTuple

import numpy as np

CHUNK_S = 2  # seconds of a chunk: so exact is where a file is said to be cut off; shorter chunks take longer


class Chunk(NamedTuple):
    """Decoded sound.

    Attributes
    ----------
    samples : float32 (n_samples, n_channels); integers are scaled to [-1, 1)
    rate : in Hz
    wide : the file holds integers of 32 bits
    n_damaged : how many packets before this chunk are missing or could not be decoded
    """

    samples: np.ndarray
    rate: int
    wide: bool = False
    n_damaged: int = 0


class DecodingError(Exception):
    """Why a file cannot be decoded, without its name."""


class CutOffError(DecodingError):
    """What is missing at the end of a file."""
