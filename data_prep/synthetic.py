"""Music that the project renders itself, with labels that follow from how it was rendered.

Every excerpt has a known tempo, mode, loudness and brightness: chords, a melody and a beat from additive tones.
Labels follow the signs that Gabrielsson and Lindström report ("The role of structure in the musical expression of
emotions", in Handbook of Music and Emotion, 2010): fast, loud and bright music is aroused, music in major is
positive, and so is bright music. Valence and arousal are in [-1, 1]; the nine GEMS fractions are in [0, 1], each a
logistic function of valence and arousal with the signs of Zentner et al. 2008, sampled over 25 simulated listeners.
For trying the code; numbers from it say nothing about a paper.
"""

import io
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from common.files import cache, cache_folder
from data_prep.dataset import Dataset, Problem, Track, check_duration

RATE, SECONDS, LISTENERS = 16000, 6.0, 25
GEMS = {  # bias, weight of valence, weight of arousal in the log-odds of being ticked
    "amazement": (-1.6, 0.8, 0.8), "solemnity": (-1.2, -0.6, -1.2), "tenderness": (-1.2, 1.0, -1.6),
    "nostalgia": (-0.9, -0.4, -1.2), "calmness": (-0.8, 0.9, -1.9), "power": (-1.2, 0.5, 1.9),
    "joyful_activation": (-1.0, 1.8, 1.4), "tension": (-1.0, -1.7, 1.2), "sadness": (-1.3, -1.8, -1.1),
}  # fmt: skip
SCALES = {"major": [0, 2, 4, 5, 7, 9, 11], "minor": [0, 2, 3, 5, 7, 8, 10]}


def render(rng: np.random.Generator, *, tempo: float, mode: str, loudness: float, brightness: float) -> np.ndarray:
    """One excerpt, float32 of shape (RATE * SECONDS,).

    tempo in beats a minute; loudness in dB below full scale (negative, RMS); brightness in [0, 1], how slowly the
    harmonics of a tone fall off.
    """
    total, beat, scale, tonic = int(RATE * SECONDS), 60 / tempo, SCALES[mode], rng.integers(48, 60)
    sound = np.zeros(total)

    def tone(start, length, pitch, level):
        t = np.arange(max(0, min(int(length * RATE), total - int(start * RATE)))) / RATE
        hz = 440 * 2 ** ((pitch - 69) / 12)
        harmonics = np.arange(1, 9)[:, None]
        strengths = np.where(harmonics * hz < RATE / 2, harmonics ** -(3.5 - 2.7 * brightness), 0)
        wave = (strengths * np.sin(2 * np.pi * hz * harmonics * t)).sum(0)
        envelope = np.minimum(t / 0.01, 1) * np.exp(-2 * t / length)
        begin = int(start * RATE)
        sound[begin : begin + len(t)] += level * wave * envelope

    for number in range(int(SECONDS / beat) + 1):
        degree = [0, 3, 4, 0][number // 4 % 4]
        if number % 4 == 0:
            for step in (0, 2, 4):
                octave, place = divmod(degree + step, 7)
                tone(number * beat, 4 * beat, tonic + 12 * octave + scale[place], 0.35)
        for half in range(2):
            octave, place = divmod(degree + rng.integers(0, 7), 7)
            tone((number + half / 2) * beat, beat / 2, tonic + 12 + 12 * octave + scale[place], 0.5)
        begin, click = int(number * beat * RATE), rng.standard_normal(int(0.03 * RATE))
        stretch = sound[begin : begin + len(click)]
        stretch += (0.2 + 0.6 * brightness) * (click * np.exp(-np.arange(len(click)) / 100))[: len(stretch)]
    return (sound * 10 ** (loudness / 20) / np.sqrt(np.mean(sound**2))).clip(-1, 1).astype("float32")


class Synthetic(Dataset):
    """360 excerpts of six seconds, the same ones everywhere; rendered into the cache folder when first used."""

    name = "synthetic"
    folder = "synthetic-1"
    citation = "none: rendered by data_prep/synthetic.py"
    source = "nowhere: it is rendered"
    n_tracks = 360
    original_format = "flac"
    rendered = True

    def __init__(self, root: Path | None = None):
        root = Path(root or cache_folder())
        cache(root / self.folder / "made by data_prep.synthetic", b"")
        super().__init__(root)

    @cached_property
    def recipes(self) -> pd.DataFrame:
        """How each excerpt is rendered: tempo, mode, loudness, brightness; and the valence and arousal of that."""
        rng = np.random.default_rng(2017)
        n = self.n_tracks
        speed, level, bright = rng.random((3, n))
        major = rng.random(n) < 0.5
        arousal = (0.35 * speed + 0.4 * level + 0.25 * bright) * 2 - 1
        valence = (0.3 * major + 0.45 * bright + 0.25 * speed) * 2 - 1
        return pd.DataFrame(
            {
                "tempo": 60 + 120 * speed, "mode": np.where(major, "major", "minor"), "loudness": -36 + 28 * level,
                "brightness": bright, "valence": valence, "arousal": arousal,
            },
            index=pd.Index([str(i + 1) for i in range(n)], name="track id"),
        )  # fmt: skip

    @cached_property
    def tracks(self) -> list[Track]:
        """The excerpts; rendered if they are not there yet."""
        found = []
        for number, (name, recipe) in enumerate(self.recipes.iterrows()):
            path = self.root / f"{name}.flac"
            if not path.is_file():
                how = {key: recipe[key] for key in ("tempo", "mode", "loudness", "brightness")}
                buffer = io.BytesIO()
                soundfile.write(buffer, render(np.random.default_rng([2017, number]), **how), RATE, format="FLAC")
                cache(path, buffer.getvalue())
            found.append(Track(name, path))
        return found

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Fraction of simulated listeners who ticked each of the nine GEMS emotions, in [0, 1]."""
        rng, ticked = np.random.default_rng(9), {}
        for emotion, (bias, of_valence, of_arousal) in GEMS.items():
            odds = bias + of_valence * self.recipes["valence"] + of_arousal * self.recipes["arousal"]
            ticked[emotion] = rng.binomial(LISTENERS, 1 / (1 + np.exp(-2 * odds))) / LISTENERS
        return pd.DataFrame(ticked, index=self.recipes.index)

    def validate(self) -> list[Problem]:
        """Files of the cache that are damaged are taken away, so that they are rendered again."""
        for track in self.tracks:
            if check_duration(track.path, SECONDS):
                track.path.unlink()
        del self.tracks
        return []
