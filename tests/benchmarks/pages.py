"""How long the pages take: all of the site, and of the local page the first curve of a four-minute mp3.

python -m tests.benchmarks.pages [--repetitions 3] [--out results]
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
import soxr

from common import cli
from tests import benchmarks
from tests.made_up import MUSIC_RATE as RATE
from tests.made_up import music

POLL_S = 0.05


def site(folder: Path) -> tuple[float, float]:
    """Wall seconds of `report` into an empty folder, and again when nothing has changed."""
    times = []
    for _ in range(2):
        started = time.perf_counter()
        command = [sys.executable, "-m", "reproductions", "report", "--out", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return tuple(times)


@contextmanager
def app():
    """Starts the command; gives its address."""
    command = [sys.executable, "-m", "reproductions", "app", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().split()[0]
    finally:
        process.terminate()
        process.wait()


def ask(address: str, content: bytes | None = None) -> str:
    with urllib.request.urlopen(urllib.request.Request(address, content)) as answer:
        return answer.read().decode()


def opened(address: str) -> str:
    """The address of a newly opened page, whose songs are its own."""
    page = ask(address)
    return address + page.split('data-page="')[1].split('"')[0]


def until(ready, page: str) -> float:
    """Wall seconds until the state of a page is as asked for."""
    started = time.perf_counter()
    while not ready(json.loads(ask(f"{page}/songs"))):
        time.sleep(POLL_S)
    return time.perf_counter() - started


def first_curve(song: bytes) -> tuple[float, float]:
    """Wall seconds from a song to its first prediction: when the page has only been opened, and with models loaded."""
    times = []
    with app() as address:
        for _ in range(2):
            page = opened(address)
            ask(f"{page}/songs?name=song.mp3", song)
            times.append(until(lambda state: any(set(s["ready"]) - {"mel"} for s in state["songs"].values()), page))
            until(lambda state: all(s["done"] == s["of"] for s in state["songs"].values()), page)
    return tuple(times)


def main():
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    if options.out:
        benchmarks.wait_until_idle()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "song.mp3"
        soundfile.write(path, np.repeat(soxr.resample(music(240), RATE, 44100)[:, None], 2, axis=1), 44100)
        song = path.read_bytes()
        sites = np.transpose([site(Path(folder) / f"site {n}") for n in range(options.repetitions)])
        curves = np.transpose([first_curve(song) for _ in range(options.repetitions)])
    rows = {
        "all pages of the site": sites[0], "the site again, nothing changed": sites[1],
        "first curve of a four-minute mp3, the app just started": curves[0],
        "the same, models loaded": curves[1],
    }  # fmt: skip
    table = {what: {"time": benchmarks.measured("s", times)} for what, times in rows.items()}
    for what, times in table.items():
        print(f"{what}: {times['time']['median']:.3g} s")
    if options.out:
        benchmarks.record(options.out, "pages", "pages", table)


if __name__ == "__main__":
    sys.exit(cli.run(main))
