"""Fixtures: where the real recordings are, a cache of the test session's own, and a miniature of Emotify."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

GIVEN_ROOT = os.environ.pop("MER_DATA_ROOT", None)  # tests name their data root, or run without one
ROOT = Path(__file__).parents[1]
PER_GENRE = 6


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """No test reads or writes the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["MER_CACHE"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def real_root() -> Path:
    """The folder of the real data sets; skips where there is none."""
    if not GIVEN_ROOT or not (Path(GIVEN_ROOT) / "Emotify").is_dir():
        pytest.skip("needs the real Emotify recordings: set MER_DATA_ROOT")
    return Path(GIVEN_ROOT)


@pytest.fixture(scope="session")
def small_emotify(tmp_path_factory) -> Path:
    """A data root with six excerpts a genre in Emotify's layout: real ones where there are some, else noise."""
    from data_prep.emotify import EMOTIONS, GENRES

    root, rng = tmp_path_factory.mktemp("small"), np.random.default_rng(0)
    lines = ["track id, genre, " + ", ".join(EMOTIONS)]
    for g, genre in enumerate(GENRES):
        folder = root / "Emotify" / "emotifymusic" / genre
        folder.mkdir(parents=True)
        for n in range(1, PER_GENRE + 1):
            real = sorted((Path(GIVEN_ROOT or "nowhere") / "Emotify" / "emotifymusic" / genre).glob(f"{n}.*"))
            if real:
                shutil.copy(real[0], folder)
            else:
                sound = np.cumsum(rng.standard_normal(8000 * 59)) / 500 + 0.1 * rng.standard_normal(8000 * 59)
                soundfile.write(folder / f"{n}.wav", np.sin(sound) * rng.uniform(0.05, 0.9), 8000)
            chance = rng.random(len(EMOTIONS))
            for _ in range(10):
                ticked = ",".join(str(int(t)) for t in rng.random(len(EMOTIONS)) < chance)
                lines.append(f"{100 * g + n},{genre},{ticked}")
    (root / "Emotify" / "data.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def broken_emotify(small_emotify, tmp_path) -> Path:
    """A copy of the miniature that a test may break; returns the folder Emotify."""
    shutil.copytree(small_emotify, tmp_path / "data", dirs_exist_ok=True)
    return tmp_path / "data" / "Emotify"
