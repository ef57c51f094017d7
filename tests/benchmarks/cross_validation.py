"""The ten networks of one cross-validation and their SVRs, warm features: wall seconds and peak memory.

    python -m tests.benchmarks.cross_validation --data-root DATA [--jobs 2]

The paper: 4.5 minutes a network on a GTX 970, so 45 minutes.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time

PAPER_MINUTES = 45


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", required=True)
    parser.add_argument("--jobs", default="2")
    options = parser.parse_args()
    common = [sys.executable, "-m", "reproductions.jakubik2017.train", "--data-root", options.data_root]
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([sys.executable, "-m", "data_prep", "emotify", "--data-root", options.data_root], check=True)
        cache = os.path.join(scratch, "cache")  # warm features, but no finished folds
        os.makedirs(cache)
        from common.files import cache_folder

        os.symlink(cache_folder() / "features", os.path.join(cache, "features"))
        call = [*common, "--variant", "semantic_embedding_gru_svr", "--jobs", options.jobs, "--out", scratch]
        started = time.perf_counter()
        subprocess.run(call, check=True, env=os.environ | {"MER_CACHE": cache})
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"{seconds / 60:.2f} minutes on {options.jobs} processes, {PAPER_MINUTES * 60 / seconds:.1f} times as fast")
    print(f"peak memory of the largest process {peak:.2f} GiB")


if __name__ == "__main__":
    main()
