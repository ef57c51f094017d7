"""What the samples of a complete recording say: their scale, which channels carry sound, and what is doubtful.

A recording is surveyed before it is mixed, so that the mix does not depend on blocks.
"""

from dataclasses import dataclass

import numpy as np

from common.audio.base import Chunk, DecodingError

OVERSHOOT = 4.0  # times full scale: lossy codecs and loud masters in floating point go half as far
GLITCHES = 0.01  # of the samples below full scale: if fewer lie beyond OVERSHOOT, they are faults and not the scale
QUIET = 2.0**-8  # of full scale, -48 dB
SILENT = 1e-3  # of the power of the loudest channel, -30 dB: a channel below carries no sound
LOST, LOST_PART = 0.05, 0.1  # a part whose mix has less of its channels' power (-13 dB) is lost; of the length, a doubt
INVERTED = -0.5  # a channel whose correlation with the loudest one is below is inverted, else the two would cancel
FRAME, EVERY = 2048, 8  # samples of a spectrum; statistics are of every 8th sample and every 8th spectrum
WINDOW = np.hanning(FRAME)[:, None]
BEYOND = 1e-7  # of the power, -70 dB; a recording's band ends where less is above
EDGE, EDGE_HZ, LOWEST_EDGE_HZ = 300.0, 400, 2000  # music that was resampled falls by 25 dB in 400 Hz, to its noise
NARROW_HZ, LOW_RATE = 6000, 20000  # models are trained on rates of 24 kHz and more; soft music may end below 12 kHz


@dataclass(frozen=True)
class Mix:
    """How channels become one: the mean of some, each with a factor. With `limit`, samples beyond it are set to it."""

    channels: list[int]
    factors: np.ndarray
    limit: float | None = None

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Samples (n_samples, n_channels) -> (n_samples,), of the same type."""
        if self.limit:
            samples = np.clip(samples, -self.limit, self.limit)
        if len(self.channels) < samples.shape[1] or (self.factors != 1).any():
            samples = samples[:, self.channels] * self.factors.astype(samples.dtype)
        return samples.mean(axis=1)

    def lost(self, products: np.ndarray) -> bool:
        """Whether next to nothing is left of a part of the recording.

        Parameters
        ----------
        products : float (n_channels, n_channels)
            The products of the part's channels, summed over its samples.

        Returns
        -------
        bool
        """
        products = products[np.ix_(self.channels, self.channels)]
        power = self.factors @ products @ self.factors / len(self.factors) ** 2
        return power < LOST * (np.diag(products) * self.factors**2).mean()


class Survey:
    """Statistics of a recording, to which its chunks are added one after the other.

    Parameters
    ----------
    doubt : what is doubtful about its container, or None
    """

    def __init__(self, doubt: str | None = None):
        self.doubts = [doubt] if doubt else []
        self.n, self.rate, self.wide, self.peak, self.n_damaged = 0, 0, False, 0.0, 0
        self.n_small = 0  # of every 8th sample: below full scale, but not 0
        self.n_beyond = 0  # of all: beyond OVERSHOOT
        self.parts = []  # of each chunk its seconds, and the products of its channels

    def add(self, chunk: Chunk) -> None:
        """Add the next chunk.

        Parameters
        ----------
        chunk : Chunk

        Raises
        ------
        DecodingError
            If its rate or number of channels is another one than before.
        """
        n, n_channels = chunk.samples.shape
        self.n_damaged += chunk.n_damaged
        if not n:
            return
        if not self.n:
            self.rate, self.wide = chunk.rate, chunk.wide
            self.products, self.power = np.zeros((n_channels, n_channels)), np.zeros(FRAME // 2 + 1)
        elif (chunk.rate, n_channels) != (self.rate, len(self.products)):
            before, after = f"{self.rate} Hz x {len(self.products)}", f"{chunk.rate} Hz x {n_channels}"
            raise DecodingError(f"it changes from {before} channels to {after} channels after {self.seconds:.2f} s")
        self.n += n
        peak = np.max([chunk.samples.max(), -chunk.samples.min()])
        self.peak = float(np.max([self.peak, peak]))
        if not np.isfinite(peak):
            return
        if peak > OVERSHOOT:
            self.n_beyond += np.count_nonzero(np.abs(chunk.samples) > OVERSHOOT)
        some = chunk.samples[::EVERY].astype("float64")
        self.n_small += np.count_nonzero((np.abs(some) < 1) & (some != 0))
        self.parts.append((n / chunk.rate, some.T @ some))
        self.products += self.parts[-1][1]
        frames = chunk.samples[: n // FRAME * FRAME].reshape(-1, FRAME, n_channels)[::EVERY]
        self.power += (np.abs(np.fft.rfft(frames * WINDOW, axis=1)) ** 2).sum(axis=(0, 2))

    @property
    def seconds(self) -> float:
        """The length so far."""
        return self.n / self.rate if self.n else 0.0

    @property
    def bandwidth(self) -> float:
        """The frequency in Hz above which less than BEYOND of the power lies, or only noise; an offset aside."""
        above = np.cumsum(self.power[:1:-1])[::-1]
        if not above[0]:  # shorter than a spectrum
            return self.rate / 2
        return min(self._edge, (1 + np.count_nonzero(above > BEYOND * above[0])) * self.rate / FRAME)

    @property
    def _edge(self) -> float:
        """The frequency in Hz at which the spectrum falls by EDGE, to stay there; half the rate if there is none.

        Music that was resampled to a higher rate ends so, above the noise of 16 bits.
        """
        n = max(1, round(EDGE_HZ * FRAME / self.rate))  # bins
        level = np.convolve(self.power, np.ones(n) / n, "valid")  # of the n bins from each on
        highest_above = np.maximum.accumulate(level[::-1])[::-1]
        falls = np.flatnonzero(level[: -2 * n] > EDGE * highest_above[2 * n :])
        at = (falls + n) * self.rate / FRAME
        return min(at[at >= LOWEST_EDGE_HZ], default=self.rate / 2)

    def mix(self) -> tuple[Mix, list[str]]:
        """How to mix the recording down, and what is doubtful in it, a text each."""
        power = np.diag(self.products)
        loudest = int(power.argmax())
        channels = [i for i, one in enumerate(power) if one >= SILENT * power[loudest]]
        correlations = self.products[loudest, channels] / np.sqrt(power[channels] * power[loudest] + 1e-300)
        factors = np.where(correlations < INVERTED, -1.0, 1.0)
        doubts = list(self.doubts)
        if (factors < 0).any():
            doubts.append("has channels that cancel each other (antiphase); they are added with opposite signs")
        if len(power) > 2:  # surround: a soft channel must not make the mix soft
            factors *= power[channels] / power[channels].mean()
        scale, assumed, limit = self._scale()
        mix = Mix(channels, scale * factors, limit)
        doubts = assumed + doubts + self._losses(mix)
        if self.peak * scale < QUIET:
            doubts.append(f"is very quiet (peak {20 * np.log10(self.peak * scale):.0f} dB of full scale)")
        if self.rate < LOW_RATE or self.bandwidth < NARROW_HZ:
            doubts.append(
                f"has no sound above {self.bandwidth / 1000:.1f} kHz; models of wider recordings can be wrong on it"
            )
        return mix, doubts

    def _losses(self, mix: Mix) -> list[str]:
        """What is not in a mix, a text each."""
        texts, lost = [], sum(seconds for seconds, products in self.parts if mix.lost(products))
        if self.n_damaged:
            fault = f"{self.n_damaged} packets that are missing or cannot be decoded (damaged, or cut off)"
            texts.append(f"has {fault}; the other {self.seconds:.2f} s are used, and times after a gap are too early")
        if lost > LOST_PART * self.seconds:
            where = f"{lost:.0f} of {self.seconds:.0f} s"
            texts.append(f"has channels that cancel each other in {where} (antiphase), where little is left")
        return texts

    def _scale(self) -> tuple[float, list[str], float | None]:
        """The factor that brings samples to full scale, what it assumes, and the limit of samples, if they have one."""
        if 0 < self.n_beyond < GLITCHES * EVERY * self.n_small:
            text = f"has {self.n_beyond} samples beyond full scale (up to {self.peak:.6g}), which are set to it"
            return 1.0, [text], 1.0
        return *_full_scale(self.peak, self.wide), None


def _full_scale(peak: float, wide: bool) -> tuple[float, list[str]]:
    """The factor that brings samples to full scale, and what it assumes."""
    for bits in (16, 24):
        if wide and peak <= 2 * 2.0 ** (bits - 32):
            return 2.0 ** (32 - bits), [f"holds {bits}-bit values as integers of 32 bits; multiplied by 2^{32 - bits}"]
    if peak <= OVERSHOOT:
        return 1.0, []
    for bits in (16, 24, 32):
        full_scale = 2.0 ** (bits - 1)
        if full_scale / 128 < peak <= 2 * full_scale:
            return 1 / full_scale, [f"has samples up to {peak:.6g}, as {bits}-bit integers; divided by 2^{bits - 1}"]
    return 1 / peak, [f"has samples up to {peak:.6g}; divided by that"]
