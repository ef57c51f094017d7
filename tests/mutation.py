"""Mutation testing of metrics, folds, label alignment and verdicts by mutmut (docs/testing.md); prints the scores."""

import re
import subprocess
import sys
from pathlib import Path

from common.report import text_table

ROOT = Path(__file__).parents[1]
LABELS = ("groups", "label_sets", "crossed", "with_interval", "agreement", "loudness", "against_exchanged", "rmse",
          "trajectories")  # fmt: skip
MUTANTS = (
    "common.*",
    "data_prep.dynamic.x_align_to_labels__*",
    *(f"reproductions.malik2017.labels.x_{name}__*" for name in LABELS),
)
KILLED = ("killed", "timeout")


def mutmut(*arguments: str, capture: bool = False) -> str | None:
    """Call mutmut in the project's root; returns what it prints, if that is captured."""
    call = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(call, cwd=ROOT, text=True, check=True, stdout=subprocess.PIPE if capture else None).stdout


def main():
    mutmut("run", "--max-children", "1", *(sys.argv[1:] or MUTANTS))
    by_module = {}
    for name, outcome in re.findall(r"^ *(\S+): (.+)$", mutmut("results", "--all", "true", capture=True), flags=re.M):
        if outcome != "not checked":
            by_module.setdefault(re.split(r"\.xǁ|\.x_", name)[0], {})[name] = outcome
    lines, survivors = [], []
    for module, outcomes in by_module.items():
        alive = [name for name, outcome in outcomes.items() if outcome not in KILLED]
        survivors += alive
        lines.append([module, len(outcomes), len(outcomes) - len(alive), f"{1 - len(alive) / len(outcomes):.1%}"])
    print("\n".join(survivors))
    print(text_table(["module", "mutants", "killed", "score"], lines))


if __name__ == "__main__":
    main()
