"""Reading the task's official features of all songs: the first time, and from the cache.

python -m tests.benchmarks.official_features_reading --data-root DATA [--goes 5] [--out results]
"""

import os
import sys
import tempfile
import time

from common import cli, parallel
from data_prep import open_dataset
from tests import benchmarks


def main() -> None:
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--data-root", required=True)
    parser.add_argument("--goes", type=int, default=5)
    options = parser.parse_args()
    parallel.quiet_bars = True
    if options.out:
        benchmarks.wait_until_idle()
    times = {"the first time": [], "from the cache": []}
    for _ in range(options.goes):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["MER_CACHE"] = folder
            for seconds in times.values():
                started = time.perf_counter()
                songs = len(open_dataset("deam", options.data_root).features())
                seconds.append(time.perf_counter() - started)
    for name, seconds in times.items():
        print(f"{songs} songs, {name}: {min(seconds):.2f} to {max(seconds):.2f} s")
    if options.out:
        row = {name: benchmarks.measured("s", seconds) for name, seconds in times.items()}
        benchmarks.record(options.out, "official_features_reading", "official features", {f"all {songs} songs": row})


if __name__ == "__main__":
    sys.exit(cli.run(main))
