"""Scripts that measure: timings, and how far features of the project's own lie from official ones.

Each prints what it finds; with --out results it also writes the record results/benchmarks/NAME.json, from which
`python -m reproductions --write` makes the READMEs' tables. Timings are recorded on an idle machine only.
"""

import argparse
import os
import platform
import time
from pathlib import Path

import numpy as np

from common import provenance
from common.errors import InputError
from common.files import json_text, write_atomically
from common.parallel import available_cores

BUSY_PERCENT, PATIENCE_S, WATCHED_S = 5.0, 600, 3  # of all cores together


def parser(description: str) -> argparse.ArgumentParser:
    """The options of a script, --out among them."""
    found = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--out", type=Path, metavar="DIR", help="also write DIR/benchmarks/NAME.json")
    return found


def wait_until_idle(patience_s: float = PATIENCE_S) -> None:
    """Return when the machine has had nothing to do for some seconds.

    Raises InputError if it is still busy after `patience_s` seconds.
    """
    import psutil

    until = time.monotonic() + patience_s
    while (busy := psutil.cpu_percent(interval=WATCHED_S)) > BUSY_PERCENT:
        if time.monotonic() >= until:
            load = f"{busy:.0f} % of its cores are busy, at most {BUSY_PERCENT:g} % is wanted"
            raise InputError(f"this machine has other work ({load}); record timings when it is idle, or omit --out")


def measured(unit: str, values) -> dict:
    """A quantity that was measured n times: its median and range, and all values, to four digits."""
    values = [float(f"{value:.4g}") for value in np.ravel(values)]
    median = float(f"{np.median(values):.4g}")
    spread = {"median": median, "lowest": min(values), "highest": max(values)}
    return {"unit": unit, "n": len(values), **spread, "values": values}


def record(out: Path, name: str, title: str, found: dict) -> Path:
    """Write what a script found with where and when; returns the path.

    title: what was measured, and on what. found: {row: {column: `measured` or another dict}} of a table.
    """
    machine = {"cores": available_cores(), "system": f"{platform.system()} {platform.machine()}"}
    if hasattr(os, "sysconf"):
        machine["memory_gib"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    path = Path(out) / "benchmarks" / f"{name}.json"
    content = {"benchmark": name, "title": title, "found": found, "machine": machine}
    content["provenance"] = provenance.now(provenance.commit())
    write_atomically(path, f"{json_text(content, path, indent=1)}\n".encode())
    print(f"recorded in {path}")
    return path
