"""Plant faults one at a time, and print which guard caught each. Ends with 1 if fewer than 95 % are caught."""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

from tqdm import tqdm

from common.report import text_table
from tests.faults.catalogue import FAULTS, KINDS

ROOT = Path(__file__).parents[2]
DEMANDED = 0.95


def run(guards, fault: str | None = None) -> tuple[int, str]:
    """Run tests with or without a fault; returns pytest's exit code and the first test that failed ("" if none)."""
    call = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.faults.plugin",
        "-p",
        "no:cacheprovider",
        "-o",
        "addopts=",
        "-q",
    ]
    call += [
        "-x",
        "-rfE",
        *(["--fault", fault] if fault else []),
        *(f"tests/{guard}" for guard in dict.fromkeys(guards)),
    ]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True)
    failed = re.findall(r"^(?:FAILED|ERROR) tests/(.+?)(?: - .*)?$", done.stdout, flags=re.M)
    return done.returncode, failed[0] if failed else "" if done.returncode in (0, 1) else done.stdout + done.stderr


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("what", nargs="*", help=f"kinds ({', '.join(KINDS)}) or names of faults (default: all)")
    options = parser.parse_args()
    unknown = set(options.what) - FAULTS.keys() - KINDS.keys()
    if unknown:
        parser.error(f"no such kind or fault: {', '.join(sorted(unknown))}")
    chosen = [f for f in FAULTS.values() if not options.what or {f.name, f.kind} & set(options.what)]
    code, failed = run([guard for fault in chosen for guard in fault.guards])
    if code:
        print(f"a guard fails without any fault: {failed}", file=sys.stderr)
        return 1
    lines, caught = [], 0
    for fault in tqdm(chosen, desc="planting", unit="fault", disable=not sys.stderr.isatty()):
        started = time.perf_counter()
        code, failed = run(fault.guards, fault.name)
        caught += code == 1
        by = failed if code == 1 else "NOT CAUGHT" if code == 0 else f"pytest ended with {code}"
        lines.append([fault.kind, fault.name, by, f"{time.perf_counter() - started:.1f}"])
    print(text_table(["kind", "fault", "caught by", "seconds"], lines))
    print(f"\n{caught} of {len(chosen)} caught")
    return int(caught < DEMANDED * len(chosen))


if __name__ == "__main__":
    sys.exit(main())
