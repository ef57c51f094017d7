"""How long commands take that have nothing to compute: help, the board, a training whose networks are all recorded.

python -m tests.benchmarks.startup --data-root DATA [--repetitions 5] [--out results]
"""

import subprocess
import sys
import tempfile
import time

from common import cli
from reproductions.__main__ import COMMANDS
from tests import benchmarks

BOARD, PAPER = ["-m", "reproductions"], "reproductions.malik2017"
HELP = {
    "a paper's train": ["-m", f"{PAPER}.train"],
    "a paper's predict": ["-m", f"{PAPER}.predict"],
    "data_prep": ["-m", "data_prep"],
    "the board": BOARD,
    **{name: [*BOARD, name] for name in COMMANDS},
}


def seconds(arguments: list[str]) -> float:
    """Wall seconds of Python with some arguments. Raises CalledProcessError if it fails."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


def main():
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--data-root", required=True)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    if options.out:
        benchmarks.wait_until_idle()
    table = {}

    def add(what: str, times: list[float]) -> None:
        table[what] = {"time": benchmarks.measured("s", times)}
        print(f"{what}: {table[what]['time']['median']:.3g} s", flush=True)

    for what, command in HELP.items():
        add(f"{what}: --help", [seconds([*command, "--help"]) for _ in range(options.repetitions)])
    boards = [(seconds(["-c", "import numpy"]), seconds(BOARD)) for _ in range(options.repetitions)]
    add("the board", [board for _, board in boards])
    add("the board, without numpy's import", [board - numpy for numpy, board in boards])
    with tempfile.TemporaryDirectory() as folder:
        train = ["-m", f"{PAPER}.train", "--data-root", options.data_root, "--allow-missing", "--variant", "crnn_l20"]
        train += ["--epochs", "1", "--repeats", "5", "--out", folder]
        seconds(train)
        add("malik2017, five networks that are recorded", [seconds(train) for _ in range(options.repetitions)])
    if options.out:
        benchmarks.record(options.out, "startup", "start of commands", table)


if __name__ == "__main__":
    sys.exit(cli.run(main))
