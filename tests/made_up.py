"""Made up for tests: sounds, a network, and a paper with cells and records of runs whose strength is known."""

import json
from pathlib import Path

import numpy as np

from common import metrics
from common.verdict.recorded import Records

VOICE_RATE, MUSIC_RATE = 44100, 22050  # Hz


def voice(seconds: float, rate: int = VOICE_RATE) -> np.ndarray:
    """Harmonics of a pitch that goes up and down once a second, with a little noise."""
    t = np.arange(int(seconds * rate)) / rate
    phase = 2 * np.pi * (150 * t - 20 / (2 * np.pi) * np.cos(2 * np.pi * t))
    tone = sum(np.sin(n * phase) / n for n in range(1, 10)) * (0.6 + 0.4 * np.sin(3 * np.pi * t))
    return (0.1 * tone + 0.001 * np.random.default_rng(0).standard_normal(len(t))).astype("float32")


def music(seconds: float, seed=0) -> np.ndarray:
    """A melody over noise with changing loudness, at MUSIC_RATE."""
    rng, t = np.random.default_rng(seed), np.arange(int(seconds * MUSIC_RATE)) / MUSIC_RATE
    tune = np.sin(2 * np.pi * 220 * 2 ** (rng.integers(0, 12, int(seconds * 4) + 1)[(t * 4).astype(int)] / 12) * t)
    return (0.3 * tune * (1 + 0.5 * np.sin(t)) + 0.02 * rng.standard_normal(len(t))).astype("float32")


def cell(identity, variant, value, **more):
    fields = {"id": identity, "variant": variant, "value": value, "system": variant or "other"}
    fields |= {"table": "1", "source": "Table I", "dataset": "songs", "split": "cv", "target": "average", "digits": 2}
    fields |= {"metric": "pearson_r_mean_over_folds", "std": None, "runs": 1, "quoted": False, "primary": True}
    return fields | {"data": True, "alternatives": []} | more


def record(strength, seeds=range(6), songs=120, **facts):
    """Runs of a model whose predictions share `strength` with the reference."""
    reference = np.random.default_rng(5).standard_normal((songs, 2))
    reference = (reference - reference.mean(0)) / reference.std(0)
    known = {
        "n_train": songs,
        "of_train": songs,
        "n_test": songs,
        "of_test": songs,
        "input": "audio",
        "audio": "original",
    }
    known |= {
        "fingerprint": "abc",
        "targets": ["a", "b"],
        "tracks": [str(i) for i in range(songs)],
        "reference_z": reference.tolist(),
    }
    runs = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        estimate = strength * reference + np.random.default_rng(7).standard_normal((songs, 2)) * 0.9
        estimate = estimate + 0.03 * rng.standard_normal((songs, 2))
        fold = np.arange(songs) % 4
        measured = {"cv": metrics.correlations(reference, estimate, fold, ["a", "b"])}
        runs.append({"seed": seed, "metrics": measured, "fold": fold.tolist(), "predictions": estimate.tolist()})
    return {"settings": {}, "facts": known | facts, "runs": runs}


def mean_r(content):
    return float(np.mean([run["metrics"]["cv"]["pearson_r_mean_over_folds"]["average"] for run in content["runs"]]))


def classified(chance, seeds=range(8), songs=150, **facts):
    """Runs that tell three classes apart, right in 1 - `chance` of the songs that they test, a third of all."""
    reference, runs = np.arange(songs) % 3, []
    for seed in seeds:
        split, rng = np.random.default_rng(seed), np.random.default_rng([seed, int(100 * chance)])
        tested = split.random(songs) < 1 / 3
        guess = np.where(rng.random(songs) < chance, rng.integers(0, 3, songs), reference)
        measured = metrics.classification(reference[tested], guess[tested], ["a", "b", "c"])
        runs.append({"seed": seed, "fold": (~tested).astype(int).tolist(), "metrics": {"test": measured},
                     "predicted": {"test": np.where(tested, guess, -1).tolist()}})  # fmt: skip
    known = record(1.0)["facts"] | {"targets": ["a", "b", "c"], "reference": reference.tolist()}
    known["tracks"] = [f"song {i}" for i in range(songs)]
    return {"settings": {}, "facts": known | facts, "runs": runs}


def dynamic_record(offset=0.0, songs=40, seeds=range(4), **facts):
    """Runs on songs of unequal length whose estimates are off by noise and by `offset`, a number or one a song."""
    rng, runs = np.random.default_rng(5), []
    courses = [rng.uniform(-0.5, 0.5, (n, 2)) for n in rng.integers(10, 60, songs)]
    noise = [0.2 * rng.standard_normal(course.shape) for course in courses]
    for seed in seeds:
        shifts = offset + 0.005 * np.random.default_rng(seed).standard_normal(songs)
        moments = [metrics.song_moments(y, y + e + s).tolist() for y, e, s in zip(courses, noise, shifts, strict=True)]
        kept = {"frames": [len(y) for y in courses], "moments": moments}
        runs.append({"seed": seed, "metrics": {"test": metrics.dynamic(kept, ["a", "b"])}, "songs": {"test": kept}})
    known = {"n_train": 100, "of_train": 100, "n_test": songs, "of_test": songs, "input": "audio", "audio": "original"}
    known |= {"fingerprint": "abc", "targets": ["a", "b"], "tracks": [str(i) for i in range(songs)]}
    return {"settings": {}, "facts": known | facts, "runs": runs}


def table(cells, claims=(), **more) -> dict:
    """The content of an `expected.json`."""
    fields = {"paper": "paper", "title": "A paper", "citation": "Nobody (2000).", "trivial_baselines": []}
    return fields | {"cells": cells, "claims": list(claims), "declared": [], "variant_tables": []} | more


def paper(results: Path, cells, claims=(), **variants) -> tuple[dict, Records]:
    """Writes the records of variants; returns the expected table and the records of the paper."""
    folder = results / "paper" / "songs"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in variants.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return table(cells, claims), Records(results, "paper")


VOICE_RATE = 44100


def plain_gru(units: tuple[int, ...], targets: int):
    """The Standard GRU from Keras's own layers, (steps, 160) -> (targets,)."""
    from common.layers import keras

    x = h = keras.Input((None, 160))
    for n in units:
        h = keras.layers.GRU(n, return_sequences=True, reset_after=False, recurrent_activation="sigmoid")(h)
    return keras.Model(x, keras.layers.Dense(targets, "sigmoid")(keras.layers.GlobalAveragePooling1D()(h)))
