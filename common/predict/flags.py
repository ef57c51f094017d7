"""How unlike the training songs a recording may be without a flag: limits that are learned from these songs.

A recording is measured in four ways: the distance of its features, its level, bandwidth and length. Unlike is what is
further away, quieter, louder, narrower or shorter; a wider band is not (the training audio may have been compressed),
and neither is a longer song (models read songs in windows of the length that they were trained on).

On each of these five sides, a song lies so many times as far from the median of the songs of the other folds as the
furthest of them. One factor is the limit on all sides, which all but a few of the songs do not exceed on any. Furthest
leaves out a few as well, so that single odd songs do not move the limits. The share that is reported is of songs by
limits that were learned in this way from the other folds alone.
"""

import numpy as np

from common import audio, protocol
from common.errors import collect_warnings
from common.features.store import FeatureStore
from common.predict.calibration import Distance
from common.predict.sound import SoundExtractor
from common.prediction import STEP_S

FEW = 0.005  # of the songs, one at least
FOLDS = 10
SIDES = ("distance", "quiet", "loud", "narrow", "short")
SMALLEST = np.array([0.1, 1, 1, 0.1, 0.1])  # reach in distance, dB and octaves, as where all excerpts have one length
MEASURED = 0.5  # share of the songs whose audio must be here for a statement on level and bandwidth


def song_medians(x, songs: np.ndarray) -> np.ndarray:
    """The medians of the input over each of some songs.

    Parameters
    ----------
    x : Sequences, or list of (n_frames, n_features)
    songs : int (n_songs,)
        Their indices.

    Returns
    -------
    float64 (n_songs, n_features)
    """
    return np.stack([np.median(x[song], axis=0) for song in songs]).astype("float64")


def sounds(data, n_frames: dict[str, int], *, from_audio: bool) -> np.ndarray:
    """Level, bandwidth and length of the training songs.

    Parameters
    ----------
    data : data set, see `data_prep.base.Dataset`
    n_frames : dict of str to int
        Of each of the n_songs its frames of input.
    from_audio : bool
        Whether the input is computed from the recordings here, whose lengths count then. Otherwise it came with the
        data, one frame every STEP_S, and the recordings can be longer or shorter.

    Returns
    -------
    float64 (n_songs, 3)
        dB of full scale, Hz, s; NaN where there is no audio.

    Raises
    ------
    InputError
        If a recording cannot be read.
    """
    paths = {track.id: track.path for track in data.tracks}
    here = [song for song in n_frames if song in paths]
    with collect_warnings():  # a song that is narrow or quiet by fixed limits was trained on all the same
        rows = FeatureStore().get_all([paths[song] for song in here], SoundExtractor())
    of_song, table = {song: row[0] for song, row in zip(here, rows, strict=True)}, []
    for song, n in n_frames.items():
        length = audio.duration(paths[song]) if from_audio else n * STEP_S
        table.append([*of_song.get(song, (np.nan, np.nan)), length])
    return np.array(table, "float64")


def learn(features: np.ndarray, sound: np.ndarray) -> tuple[Distance, dict]:
    """The distance from the training songs, and the limits of all flags.

    Parameters
    ----------
    features : float (n_songs, n_features)
        Medians of the input.
    sound : float (n_songs, 3)
        As of `sounds`.

    Returns
    -------
    distance : Distance
    flags : dict, as JSON
        `limits`, by measure: None where it is not known; `songs`, of these `flagged` by limits from the other folds,
        and `by_side`; `audio`, how many recordings were measured.
    """
    n = len(features)
    fold, beyond = protocol.k_folds(n, min(FOLDS, n), seed=0), np.zeros((n, len(SIDES)), bool)
    for k in range(fold.max() + 1):
        of_fold, others = fold == k, fold != k
        distance = fit_distance(features[others])
        sides = _sides(np.array([distance(song) for song in features[of_fold]]), sound[of_fold])
        beyond[of_fold] = sides > _limits(features[others], sound[others])
    far, quiet, loud, narrow, short = _limits(features, sound)
    limits = {"distance": far, "level": (-quiet, loud), "bandwidth": 2**-narrow, "length": 2**-short}
    flags = {
        "limits": {name: _rounded(limit) for name, limit in limits.items()}, "songs": n,
        "audio": int(np.isfinite(sound[:, 0]).sum()), "flagged": int(beyond.any(1).sum()),
        "by_side": dict(zip(SIDES, beyond.sum(0).tolist(), strict=True)),
    }  # fmt: skip
    return fit_distance(features, flags["limits"]["distance"]), flags


def _sides(distances: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """What is larger the more a song is unlike others, (n_songs, 5), in the order of SIDES."""
    level, bandwidth, length = sound[:, 0], *np.log2(sound[:, 1:]).T
    return np.stack([distances, -level, level, -bandwidth, -length], axis=1)


def _limits(features: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """The limit of each side, (5,), learned from some songs; NaN: not known, as from one song."""
    n = len(features)
    if n < 2:
        return np.full(len(SIDES), np.nan)
    fold, distances = protocol.k_folds(n, min(FOLDS, n), seed=0), np.empty(n)
    for k in range(fold.max() + 1):
        of_others = fit_distance(features[fold != k])
        distances[fold == k] = [of_others(song) for song in features[fold == k]]
    sides = _sides(distances, sound)
    sides[:, np.isfinite(sides).mean(0) < MEASURED] = np.nan
    scores = np.empty_like(sides)
    for k in range(fold.max() + 1):
        centre, reach = _reach(sides[fold != k])
        scores[fold == k] = (sides[fold == k] - centre) / reach
    centre, reach = _reach(sides)
    return centre + _all_but_few(np.nanmax(scores, axis=1)) * reach


def _reach(sides: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The median of each side, and how far the furthest song but few lies from it, (5,) each; NaN: not known."""
    centre, furthest = np.full((2, len(SIDES)), np.nan)
    for side in np.flatnonzero(~np.isnan(sides).all(0)):
        centre[side], furthest[side] = np.nanmedian(sides[:, side]), _all_but_few(sides[:, side])
    return centre, np.maximum(furthest - centre, SMALLEST)


def _all_but_few(values: np.ndarray) -> float:
    """What all but a few of the values that are known do not exceed."""
    known = np.sort(values[~np.isnan(values)])
    return known[max(0, len(known) - 1 - max(1, int(FEW * len(known))))]


def _rounded(limit):
    if isinstance(limit, tuple):
        return None if np.isnan(limit).any() else [round(float(one), 2) for one in limit]
    return None if np.isnan(limit) else round(float(limit), 3)


def fit_distance(features: np.ndarray, limit: float = 0.0) -> Distance:
    """The distance from some songs.

    Parameters
    ----------
    features : float (n_songs, n_features)
        Medians of the input.
    limit : float
        Beyond which there is a flag.

    Returns
    -------
    Distance
    """
    from sklearn.covariance import LedoitWolf

    low, centre, high = np.quantile(features, [0.25, 0.5, 0.75], axis=0)
    scale = (high - low) / 1.349  # the standard deviation of normal features
    scale[scale <= 0] = 1
    compressed = np.arcsinh((features - centre) / scale)
    std = compressed.std(0)
    std[std <= 0] = 1
    shrunk = LedoitWolf().fit((compressed - compressed.mean(0)) / std)
    return Distance(centre, scale, compressed.mean(0), shrunk.precision_ / np.outer(std, std), limit)
