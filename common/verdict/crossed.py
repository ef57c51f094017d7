"""How sure a mean over runs is when every run tests the same songs: an analysis of variance of runs × songs.

Runs and songs are crossed as readers and cases are in radiology, and both are random samples. The analysis is that of
Obuchowski and Rockette (Communications in Statistics - Simulation and Computation 24, 1995) for one quantity, here the
difference of two systems run by run: the variance of the mean of n runs is MS(runs) / n + max(Cov, 0). MS(runs) is the
variance of the runs' values. Cov is the covariance of the values of two runs that comes from their common songs, by
the jackknife over songs; a negative estimate counts as 0 (Hillis, Statistics in Medicine 26, 2007).

The degrees of freedom are Hillis's (2007) with two changes, both of which simulation asks for
(tests/benchmarks/claims.py): the songs are a sample too, so their term has Satterthwaite's degrees of freedom and not
infinitely many; and MS(runs), whose few degrees of freedom are the reason for all this, counts (n + 1) / (n - 1)-fold
there. That factor is E[M²] / E[M]² of a mean square M with n - 1 degrees of freedom: where M comes out small by
chance, Satterthwaite's formula would trust the songs' term too much. A sum of variances has at least the degrees of
freedom of the smaller part; so has this one, where the formula gives less because Cov is a difference.
"""

from dataclasses import dataclass

import numpy as np
import scipy


@dataclass(frozen=True)
class Estimate:
    """A mean with its variance and degrees of freedom; numbers, or arrays of one shape."""

    mean: np.ndarray
    variance: np.ndarray
    df: np.ndarray

    def half_width(self, level: float) -> np.ndarray:
        """Half of the width of the interval, Student's t.

        Parameters
        ----------
        level : float
            Of the interval, as .95.

        Returns
        -------
        ndarray, of the shape of the mean
        """
        return scipy.special.stdtrit(self.df, (1 + level) / 2) * np.sqrt(self.variance)

    def p_above(self, bound: float) -> np.ndarray:
        """One-sided p of the truth not being above a bound.

        Parameters
        ----------
        bound : float

        Returns
        -------
        ndarray, in [0, 1]
            Small if the mean is clearly above the bound.
        """
        off, spread = np.subtract(self.mean, bound, dtype="float64"), np.sqrt(self.variance)
        surely = np.where(off == 0, 0, np.copysign(np.inf, off))  # nothing varies
        return scipy.special.stdtr(self.df, -np.divide(off, spread, out=surely, where=spread > 0))

    def p_below(self, bound: float) -> np.ndarray:
        """One-sided p of the truth not being below a bound.

        Parameters
        ----------
        bound : float

        Returns
        -------
        ndarray, in [0, 1]
            Small if the mean is clearly below the bound.
        """
        return Estimate(-self.mean, self.variance, self.df).p_above(-bound)


def satterthwaite(variances, dfs) -> np.ndarray:
    """Degrees of freedom of a sum of independent estimates of variance.

    Satterthwaite, Biometrics Bulletin 2, 1946.

    Parameters
    ----------
    variances : sequence of float or ndarray
        A variance that is taken off has a minus.
    dfs : sequence of float or ndarray
        The degrees of freedom of each.

    Returns
    -------
    ndarray
        Infinite where all variances are 0.
    """
    total, parts = sum(variances), sum(v**2 / df for v, df in zip(variances, dfs, strict=True))
    total, parts = np.broadcast_arrays(np.asarray(total, "float64"), parts)
    return np.divide(total**2, parts, out=np.full(total.shape, np.inf), where=parts > 0)


def estimate(values, left_out=None, *, overlap: float = 0.0, against_one_run: bool = False) -> Estimate:
    """The mean over runs of a metric, or of a difference of metrics, as an estimate for new runs and new songs.

    Parameters
    ----------
    values : array_like, (..., n)
        The value of each of n >= 2 runs, on all songs.
    left_out : array_like, (..., n, groups), optional
        The same without each group of songs: a song, or all songs of an artist. Without it, or with one group, there
        are no songs to generalise to; what is left is Student's t over the runs.
    overlap : float
        Of random splits, whose runs share songs: the ratio of tested to trained songs (`standard_error`); such runs are
        not crossed with songs, and left_out is not used.
    against_one_run : bool
        The difference is from a fixed number that is one more run of the same spread, as a published number is.

    Returns
    -------
    Estimate, of shape (...)
    """
    values = np.asarray(values, "float64")
    n, mean = values.shape[-1], values.mean(-1)
    between = values.var(-1, ddof=1)
    runs = between * (1 / n + overlap + against_one_run)
    groups = 0 if left_out is None or overlap else np.shape(left_out)[-1]
    if groups < 2:
        return Estimate(mean, runs, np.full(mean.shape, n - 1.0))
    of_songs, interaction = song_terms(np.asarray(left_out, "float64"))
    few = runs * (n + 1) / (n - 1)
    df = satterthwaite([few, of_songs, -interaction], [n - 1, groups - 1, (n - 1) * (groups - 1)])
    return Estimate(mean, runs + of_songs - interaction, np.maximum(df, min(n, groups) - 1))


def over_songs(value, left_out) -> Estimate:
    """A metric of a single run, or a difference of two, as an estimate for new songs: the jackknife.

    How much new runs would differ cannot be known from one.

    Parameters
    ----------
    value : float
        On all songs.
    left_out : array_like, (groups,)
        The same without each of two or more groups of songs.

    Returns
    -------
    Estimate
        With groups - 1 degrees of freedom.
    """
    left_out = np.asarray(left_out, "float64")
    groups = len(left_out)
    variance = (groups - 1) / groups * ((left_out - left_out.mean()) ** 2).sum()
    return Estimate(np.asarray(value, "float64"), variance, np.asarray(groups - 1.0))


def song_terms(left_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean squares of songs and of their interaction with runs.

    Their difference is the mean covariance of two runs by the jackknife over songs; both are 0 where it is negative.
    They are divided by n and the number of groups, so that they add to the variance of the mean over runs.

    Parameters
    ----------
    left_out : ndarray, (..., n, groups)
        The value of each of n runs without each group of songs.

    Returns
    -------
    of_songs, interaction : ndarray, (...)
    """
    n, groups = left_out.shape[-2:]
    left_out = left_out - left_out.mean(-1, keepdims=True)
    common = left_out.mean(-2, keepdims=True)
    scale = (groups - 1) / groups
    of_songs = scale * (common**2).sum((-2, -1))
    interaction = scale * ((left_out - common) ** 2).sum((-2, -1)) / (n * (n - 1))
    there = of_songs > interaction
    return np.where(there, of_songs, 0.0), np.where(there, interaction, 0.0)


def standard_error(values, overlap: float) -> float:
    """The standard error of a mean over runs.

    Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.

    Parameters
    ----------
    values : array_like, (n,)
        One a run, n >= 2.
    overlap : float
        Of random splits, which share songs: tested to trained songs; 0 where runs do not share songs.

    Returns
    -------
    float
        In the unit of the values.
    """
    return float(np.sqrt(estimate(values, overlap=overlap).variance))
