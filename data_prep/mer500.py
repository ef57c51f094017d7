"""MER500: clips of 10 s of Hindi film songs in five moods, about 100 of each.

Layout: the distribution's folder, named `MER500`: `<Mood>/<Mood>/<clip>.<wav or other>`.
Labels: the mood of each clip. The distribution states neither artists nor songs, so that clips of one song can be in
both parts of a split; and no list of its clips is published, so that an incomplete copy is noticed only where a mood
has none.
Source: kaggle.com/datasets/makvel/mer500.
"""

from functools import cached_property
from pathlib import Path

import pandas as pd

from data_prep.base import ClassDataset, Problem, Track, audio_files, check_duplicates, check_duration

MOODS = ("Romantic", "Happy", "Sad", "Devotional", "Party")
SHORTEST = 5  # seconds of a clip


class Mer500(ClassDataset):
    """A copy of MER500 under `<data root>/MER500`."""

    name = "mer500"
    folder = "MER500"
    citation = "Velankar, M. (2020). MER500: music emotion recognition. Kaggle."
    source = "https://www.kaggle.com/datasets/makvel/mer500 (its folder, named MER500)"
    original_format = "wav"
    classes = MOODS

    @cached_property
    def _files(self) -> dict[str, dict[str, Path]]:
        return {mood: audio_files(self.root / mood / mood) for mood in MOODS}

    @cached_property
    def n_tracks(self) -> int:
        """The number of clips here."""
        return len(self.tracks)

    @cached_property
    def tracks(self) -> list[Track]:
        """The clips by mood and name, `Sad/<name>`."""
        return [Track(f"{mood}/{name}", path) for mood, files in self._files.items() for name, path in files.items()]

    @cached_property
    def labels(self) -> pd.DataFrame:
        """The mood of each clip: column `class`, by track id."""
        return pd.DataFrame({"class": {t.id: t.id.split("/")[0] for t in self.tracks}}).rename_axis("track id")

    def validate(self) -> list[Problem]:
        """Moods without clips, clips that are not audio or are cut off, and duplicates."""
        empty = [mood for mood, files in self._files.items() if not files]
        where = ", ".join(f"{mood}/{mood}/" for mood in empty)
        text = f"{self.root}: has no clips in {where}; get them from {self.source}"
        problems = [Problem(text, missing=True)] if empty else []
        checks = {track.id: check_duration(track.path, SHORTEST) for track in self.tracks}
        problems += [problem for problem in checks.values() if problem]
        return problems + check_duplicates([track for track in self.tracks if not checks[track.id]])
