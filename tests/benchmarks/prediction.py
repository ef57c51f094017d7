"""What prediction costs: a four-minute song against its features, the start of the program, and an hour's memory.

python -m tests.benchmarks.prediction [--hour]
"""

import argparse
import importlib
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import soxr

from common import audio, predict, weights
from common.features import opensmile
from common.features.mel import MelSpectrogram, paired_with_deltas
from common.features.relative_mel import RelativeMel
from tests.test_predict import RATE, music

FEATURES = {  # what each paper computes of a file before a network hears it
    "malik2017": lambda path: opensmile.of_recording(path),
    "chaki2020": lambda path: opensmile.of_recording(path),
    "jakubik2017": lambda path: [paired_with_deltas(MelSpectrogram()(*piece)) for piece in audio.pieces(path, 61)],
    "velankar2022": lambda path: RelativeMel()(*next(audio.pieces(path, 31))),
}


def seconds(function, *arguments) -> float:
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hour", action="store_true", help="also an hour, in this process: its largest memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        song, other = Path(folder) / "song.mp3", Path(folder) / "other.mp3"
        for path, sound in ((song, music(240)), (other, music(150, seed=1))):  # as most mp3s: 44.1 kHz, two channels
            soundfile.write(path, np.repeat(soxr.resample(sound, RATE, 44100)[:, None], 2, axis=1), 44100)
        for paper, features in FEATURES.items():
            model = importlib.import_module(f"reproductions.{paper}.predict").Model
            model = model(*weights.load(predict.RESULTS / paper / "weights", paper))
            model(other)
            pairs = [(seconds(features, song), seconds(model, song)) for _ in range(5)]
            alone, whole = np.median(pairs, axis=0)
            ratio = np.median([b / a for a, b in pairs])
            command = [sys.executable, "-m", f"reproductions.{paper}.predict", str(other)]
            start = min(seconds(partial(subprocess.run, command, capture_output=True, check=True)) for _ in range(2))
            print(
                f"{paper}: features {alone:.2f} s, prediction {whole:.2f} s, ratio {ratio:.2f}; program {start:.1f} s"
            )
        if options.hour:
            hour = Path(folder) / "hour.flac"
            with soundfile.SoundFile(hour, "w", RATE, 2) as file:
                for minute in range(60):
                    file.write(np.repeat(music(60, seed=minute)[:, None], 2, axis=1))
            for paper in FEATURES:
                model = importlib.import_module(f"reproductions.{paper}.predict").Model
                model = model(*weights.load(predict.RESULTS / paper / "weights", paper))
                taken = seconds(model, hour)
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
                print(f"{paper}: an hour in {taken:.0f} s; largest memory of this process so far {memory:.2f} GiB")


if __name__ == "__main__":
    main()
