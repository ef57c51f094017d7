"""What prediction costs: a four-minute song against its features, the program on a song and on 24, an hour's memory.

python -m tests.benchmarks.prediction [--hour] [--pairs 5] [--out results]
"""

import importlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import soxr

from common import audio, cli, weights
from common.features import opensmile
from common.features.mel import MelSpectrogram, paired_with_deltas
from common.features.relative_mel import RelativeMel
from common.places import RESULTS
from reproductions.musicnn2019 import over_time
from tests import benchmarks
from tests.made_up import MUSIC_RATE as RATE
from tests.made_up import music

EXCERPTS = 24
FEATURES = {  # what each paper computes of a file before a network hears it
    "malik2017": lambda path: opensmile.extract_windows(path),
    "chaki2020": lambda path: opensmile.extract_windows(path),
    "jakubik2017": lambda path: [paired_with_deltas(MelSpectrogram()(*piece)) for piece in audio.blocks(path, 61)],
    "velankar2022": lambda path: RelativeMel()(*next(audio.blocks(path, 31))),
    "musicnn2019": lambda path: over_time.OverlappingPatches()(*audio.load(path)),
}


def seconds(function, *arguments) -> float:
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def program(paper: str, *paths: Path, jobs: int = 1) -> tuple[float, float]:
    """Wall seconds of the command on recordings, and the largest resident memory of one of its processes in GiB."""
    command = [sys.executable, "-m", f"reproductions.{paper}.predict", *map(str, paths), "--jobs", str(jobs)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
    return time.perf_counter() - started, used.ru_maxrss / 2**20


def main() -> None:
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--hour", action="store_true", help="also the memory that an hour takes")
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    if options.out:
        benchmarks.wait_until_idle()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        song, other, hour = (Path(folder) / name for name in ("song.mp3", "other.mp3", "hour.flac"))
        for path, sound in ((song, music(240)), (other, music(150, seed=1))):  # as most mp3s: 44.1 kHz, two channels
            soundfile.write(path, np.repeat(soxr.resample(sound, RATE, 44100)[:, None], 2, axis=1), 44100)
        excerpts = [Path(folder) / f"{n}.mp3" for n in range(EXCERPTS)]
        for n, path in enumerate(excerpts):
            soundfile.write(path, soxr.resample(music(30, seed=n), RATE, 44100), 44100)
        if options.hour:
            with soundfile.SoundFile(hour, "w", RATE, 2) as file:
                for minute in range(60):
                    file.write(np.repeat(music(60, seed=minute)[:, None], 2, axis=1))
        for paper, features in FEATURES.items():
            model = importlib.import_module(f"reproductions.{paper}.predict").Model
            model = model(*weights.load(RESULTS / paper / "weights", paper))
            model(other)
            pairs = [(seconds(features, song), seconds(model, song)) for _ in range(options.pairs)]
            alone, whole = np.transpose(pairs)
            found[paper] = {
                "features": benchmarks.measured("s", alone), "prediction": benchmarks.measured("s", whole),
                "ratio": benchmarks.measured("", whole / alone),
                "the program, 150 s of mp3": benchmarks.measured("s", [program(paper, other)[0] for _ in range(3)]),
                f"the program, {EXCERPTS} mp3 of 30 s, two cores": benchmarks.measured(
                    "s", [program(paper, *excerpts, jobs=2)[0] for _ in range(3)]
                ),
            }  # fmt: skip
            if options.hour:
                taken, memory = program(paper, hour)
                found[paper]["an hour"] = benchmarks.measured("s", [taken])
                found[paper]["its memory"] = benchmarks.measured("GiB", [memory])
            cells = [f"{name} {cell['median']:.3g} {cell['unit']}".rstrip() for name, cell in found[paper].items()]
            print(f"{paper}: {', '.join(cells)}", flush=True)
    if options.out:
        title = "one core, four minutes of mp3"
        benchmarks.record(options.out, "prediction", title, found)


if __name__ == "__main__":
    sys.exit(cli.run(main))
