"""Synthetic music, with labels computed from the parameters of its synthesis.

Each excerpt has a known tempo, mode, loudness and brightness: chords, a melody and a beat from additive tones. Labels
follow the signs that Gabrielsson and Lindström report ("The role of structure in the musical expression of emotions",
in Handbook of Music and Emotion, 2010): fast, loud and bright music is aroused, music in major is positive, and so is
bright music. Valence and arousal are in [-1, 1]; the nine GEMS fractions are in [0, 1], each a logistic function of
valence and arousal with the signs of Zentner et al. 2008, sampled over 25 simulated listeners. In the dynamic data set
loudness and brightness change within an excerpt, and so do its valence and arousal.
For trying the code; results on it are never recorded.
"""

import io
from abc import abstractmethod
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from common.files import cache, cache_folder
from data_prep.base import ClassDataset, Dataset, Problem, Track, check_duration
from data_prep.dynamic import Annotation, DynamicDataset, Recording, annotation_table

RATE, SECONDS, LISTENERS = 16000, 6.0, 25
GEMS = {  # bias, weight of valence, weight of arousal in the log-odds of being ticked
    "amazement": (-1.6, 0.8, 0.8), "solemnity": (-1.2, -0.6, -1.2), "tenderness": (-1.2, 1.0, -1.6),
    "nostalgia": (-0.9, -0.4, -1.2), "calmness": (-0.8, 0.9, -1.9), "power": (-1.2, 0.5, 1.9),
    "joyful_activation": (-1.0, 1.8, 1.4), "tension": (-1.0, -1.7, 1.2), "sadness": (-1.3, -1.8, -1.1),
}  # fmt: skip
SCALES = {"major": [0, 2, 4, 5, 7, 9, 11], "minor": [0, 2, 3, 5, 7, 8, 10]}


def affect(speed, major, level, bright):
    """Valence and arousal of music.

    Parameters
    ----------
    speed, major, level, bright : tempo, mode (1: major), loudness and brightness, each in [0, 1], of any one shape

    Returns
    -------
    valence and arousal, each in [-1, 1], of the same shape
    """
    arousal = (0.35 * speed + 0.4 * level + 0.25 * bright) * 2 - 1
    valence = (0.3 * major + 0.45 * bright + 0.25 * speed) * 2 - 1
    return valence, arousal


def value_at(value, at_s, seconds: float):
    """A parameter of the synthesis at some times.

    Parameters
    ----------
    value : a number, constant over time; or an array (n,), values at n evenly spaced times from 0 to `seconds`
    at_s : times in seconds, of any shape
    seconds : length of the excerpt

    Returns
    -------
    the number; or values by linear interpolation, in the shape of `at_s`
    """
    return np.interp(at_s, np.linspace(0, seconds, len(value)), value) if np.ndim(value) else value


def render(
    rng: np.random.Generator, *, tempo: float, mode: str, loudness, brightness, seconds: float = SECONDS
) -> np.ndarray:
    """Synthesise one excerpt.

    Parameters
    ----------
    rng : draws key and melody
    tempo : in beats per minute
    mode : "major" or "minor"
    loudness : RMS level in dB re full scale (negative), constant or an array as in `value_at`
    brightness : in [0, 1], how slowly the harmonics of a tone decrease, constant or an array as in `value_at`
    seconds : length

    Returns
    -------
    float32 (RATE * seconds,), in [-1, 1]
    """
    total, beat, scale, tonic = int(RATE * seconds), 60 / tempo, SCALES[mode], rng.integers(48, 60)
    sound = np.zeros(total)

    def fall(start):
        return 3.5 - 2.7 * value_at(brightness, start, seconds)

    for number in range(int(seconds / beat) + 1):
        degree = [0, 3, 4, 0][number // 4 % 4]
        if number % 4 == 0:
            for step in (0, 2, 4):
                octave, place = divmod(degree + step, 7)
                _add_tone(sound, number * beat, 4 * beat, tonic + 12 * octave + scale[place], 0.35, fall(number * beat))
        for half in range(2):
            octave, place = divmod(degree + rng.integers(0, 7), 7)
            start = (number + half / 2) * beat
            _add_tone(sound, start, beat / 2, tonic + 12 + 12 * octave + scale[place], 0.5, fall(start))
        _add_click(sound, number * beat, rng, 0.2 + 0.6 * value_at(brightness, number * beat, seconds))
    loudness = value_at(loudness, np.arange(total) / RATE, seconds)
    return (sound * 10 ** (loudness / 20) / np.sqrt(np.mean(sound**2))).clip(-1, 1).astype("float32")


def _add_tone(sound: np.ndarray, start: float, length: float, pitch: int, level: float, fall: float) -> None:
    """Add a decaying tone of eight harmonics with amplitudes harmonic ** -fall; times in s, pitch a MIDI number."""
    begin = int(start * RATE)
    t = np.arange(max(0, min(int(length * RATE), len(sound) - begin))) / RATE
    hz = 440 * 2 ** ((pitch - 69) / 12)
    harmonics = np.arange(1, 9)[:, None]
    strengths = np.where(harmonics * hz < RATE / 2, harmonics**-fall, 0)
    wave = (strengths * np.sin(2 * np.pi * hz * harmonics * t)).sum(0)
    envelope = np.minimum(t / 0.01, 1) * np.exp(-2 * t / length)
    sound[begin : begin + len(t)] += level * wave * envelope


def _add_click(sound: np.ndarray, start: float, rng: np.random.Generator, level: float) -> None:
    """Add a beat: 30 ms of decaying noise; start in s."""
    begin, click = int(start * RATE), rng.standard_normal(int(0.03 * RATE))
    span = sound[begin : begin + len(click)]
    span += level * (click * np.exp(-np.arange(len(click)) / 100))[: len(span)]


class _Synthetic(Dataset):
    """Excerpts that are the same on all machines; synthesised into the cache folder when first used."""

    citation = "none: synthesised by data_prep/synthetic.py"
    source = "nowhere: it is synthesised"
    original_format = "flac"
    synthetic = True
    seed: int
    seconds: float

    def __init__(self, root: Path | None = None):
        root = Path(root or cache_folder())
        cache(root / self.folder / "made by data_prep.synthetic", b"")
        super().__init__(root)

    @property
    @abstractmethod
    def recipes(self) -> pd.DataFrame:
        """Parameters of each excerpt: tempo, mode, loudness, brightness; by track id."""

    @cached_property
    def tracks(self) -> list[Track]:
        """The excerpts, synthesised if the cache does not hold them."""
        tracks = []
        for number, (name, recipe) in enumerate(self.recipes.iterrows()):
            path = self.root / f"{name}.flac"
            if not path.is_file():
                parameters = {key: recipe[key] for key in ("tempo", "mode", "loudness", "brightness")}
                sound = render(np.random.default_rng([self.seed, number]), **parameters, seconds=self.seconds)
                buffer = io.BytesIO()
                soundfile.write(buffer, sound, RATE, format="FLAC")
                cache(path, buffer.getvalue())
            tracks.append(Track(name, path))
        return tracks

    def validate(self) -> list[Problem]:
        """No problems: damaged files in the cache are removed, so that they are synthesised again."""
        for track in self.tracks:
            if check_duration(track.path, self.seconds):
                track.path.unlink()
        del self.tracks
        return []


class Synthetic(_Synthetic):
    """360 excerpts of six seconds, with fractions of listeners for the nine GEMS emotions."""

    name = "synthetic"
    folder = "synthetic-1"
    n_tracks = 360
    seed, seconds = 2017, SECONDS

    @cached_property
    def recipes(self) -> pd.DataFrame:
        """Parameters of each excerpt: tempo, mode, loudness, brightness; and its valence and arousal."""
        rng = np.random.default_rng(self.seed)
        n = self.n_tracks
        speed, level, bright = rng.random((3, n))
        major = rng.random(n) < 0.5
        valence, arousal = affect(speed, major, level, bright)
        return pd.DataFrame(
            {
                "tempo": 60 + 120 * speed, "mode": np.where(major, "major", "minor"), "loudness": -36 + 28 * level,
                "brightness": bright, "valence": valence, "arousal": arousal,
            },
            index=pd.Index([str(i + 1) for i in range(n)], name="track id"),
        )  # fmt: skip

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Fraction of simulated listeners who ticked each of the nine GEMS emotions, in [0, 1]."""
        rng, ticked = np.random.default_rng(9), {}
        for emotion, (bias, valence_weight, arousal_weight) in GEMS.items():
            odds = bias + valence_weight * self.recipes["valence"] + arousal_weight * self.recipes["arousal"]
            ticked[emotion] = rng.binomial(LISTENERS, 1 / (1 + np.exp(-2 * odds))) / LISTENERS
        return pd.DataFrame(ticked, index=self.recipes.index)


class SyntheticQuadrants(ClassDataset, Synthetic):
    """The same excerpts, with the quadrant of the valence-arousal plane of each as its class."""

    name = "synthetic_quadrants"
    classes = ("happy", "angry", "sad", "relaxed")

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Column `class`: the quadrant, from the signs of valence and arousal."""
        pleasant, aroused = self.recipes["valence"] > 0, self.recipes["arousal"] > 0
        quadrant = np.select([pleasant & aroused, ~pleasant & aroused, ~pleasant], self.classes[:3], self.classes[3])
        return pd.DataFrame({"class": quadrant}, index=self.recipes.index)


class SyntheticDynamic(_Synthetic, DynamicDataset):
    """40 excerpts of 31 s with changing loudness and brightness, and valence and arousal every 0.5 s."""

    name = "synthetic_dynamic"
    folder = "synthetic-dynamic-31"
    n_tracks = 40
    seed, seconds = 2015, 31.0
    splits = {  # noqa: RUF012
        "development": [str(i + 1) for i in range(30)],
        "evaluation": [str(i + 1) for i in range(30, 40)],
    }

    @cached_property
    def recipes(self) -> pd.DataFrame:
        """Parameters of each excerpt; loudness and brightness take four values each, evenly spaced in time."""
        rng = np.random.default_rng(self.seed)
        n = self.n_tracks
        speed, major = rng.random(n), rng.random(n) < 0.5
        level, bright = rng.random((2, n, 4))
        return pd.DataFrame(
            {
                "tempo": 60 + 120 * speed, "mode": np.where(major, "major", "minor"),
                "loudness": list(-36 + 28 * level), "brightness": list(bright),
                "speed": speed, "major": major, "level": list(level),
            },
            index=pd.Index([str(i + 1) for i in range(n)], name="song id"),
        )  # fmt: skip

    def annotations(self, split: str, source: str = "task") -> dict[str, Annotation]:
        """Labels of a split at 1.0, 1.5, ..., 30.5 s: valence and arousal of the second before. There is one source.

        The last 0.5 s have none, since openSMILE needs a little more than a window.
        """
        times = np.arange(1.0, self.seconds - 0.25, 0.5)
        last_second = times[:, None] - 1 + (np.arange(100) + 0.5) / 100
        annotations = {}
        for song, recipe in self.recipes.loc[self.splits[split]].iterrows():
            level, bright = (
                value_at(recipe[key], last_second, self.seconds).mean(1) for key in ("level", "brightness")
            )
            values = np.stack(affect(recipe["speed"], recipe["major"], level, bright), axis=1)
            annotations[song] = Annotation(times, values.astype("float32"))
        return annotations

    def recordings(self, ids: list[str]) -> dict[str, Recording]:
        """The complete audio of the songs."""
        paths = {track.id: track.path for track in self.tracks}
        return {song: Recording(paths[song], 0.0) for song in ids}

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Valence and arousal, each in [-1, 1], by song id and time."""
        return annotation_table(self.annotations("development") | self.annotations("evaluation"))
