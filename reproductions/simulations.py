"""The tables on the page on verdicts, from what `tests/benchmarks/verdicts.py` and `claims.py` recorded."""

import json
from pathlib import Path

import numpy as np

from common.report import markdown_table

INTERVALS = {  # of tests/benchmarks/claims.py
    "ours": "as above",
    "satterthwaite": "Satterthwaite's degrees of freedom, s² counted once",
    "hillis": "Hillis's degrees of freedom",
    "cochran": "Cochran's mean of quantiles",
}


def tables(records: Path) -> dict[str, str]:
    """The generated parts of docs/verdicts.md.

    Parameters
    ----------
    records : Path
        Folder of `cells.json` and `claims.json`.

    Returns
    -------
    dict of str to str
        Markdown by mark.
    """
    cells, claims = (json.loads((records / f"{name}.json").read_text(encoding="utf-8")) for name in ("cells", "claims"))
    return {
        "spread": _table(*_spread(cells["spread"]), cells),
        "levels": _table(*_by_runs(claims["rows"], "{} runs, %", lambda row: _percent(row["level"]["ours"])), claims),
        "power": _table(*_by_runs(claims["rows"], "{} runs: 1, 2, 3 SE, %", _power), claims),
        "tried": _table(*_tried(claims["rows"]), claims),
    }


def _table(header: list[str], lines: list[list], record: dict) -> str:
    made = record["provenance"]
    versions = ", ".join(f"{name} {made['versions'][name]}" for name in ("python", "numpy", "scipy"))
    return (
        f"{markdown_table(header, lines)}\n\n{record['trials']:,} trials a number; {made['finished'][:10]}, {versions}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _power(row: dict) -> str:
    return ", ".join(f"{100 * power:.0f}" for power in row["power"])


def _by_runs(rows: list[dict], title: str, cell) -> tuple[list[str], list[list]]:
    """A line for each metric, noise and number of songs; a column for each number of runs."""
    lines = {}
    for row in rows:
        lines.setdefault((row["metric"], row["source"], row["songs"]), []).append(cell(row))
    runs = dict.fromkeys(row["runs"] for row in rows)
    return ["metric", "noise", "songs", *map(title.format, runs)], [[*key, *cells] for key, cells in lines.items()]


def _spread(rows: list[dict]) -> tuple[list[str], list[list]]:
    """Equal systems called different, by our number of runs and the spread of the published run."""
    shares = sorted({row["delta_over_s"] for row in rows}, reverse=True)
    lines = {}
    for row in sorted(rows, key=lambda row: (row["runs"], row["times"], -row["delta_over_s"])):
        lines.setdefault((row["runs"], row["times"], row["claims"]), []).append(_percent(row["different"]))
    header = ["our runs", "spread of the published run", *(f"cells, s = Δ/{share}, %" for share in shares), "claims, %"]
    return header, [[runs, f"{times} s", *cells, _percent(of)] for (runs, times, of), cells in lines.items()]


def _tried(rows: list[dict]) -> tuple[list[str], list[list]]:
    """Of each interval the lowest and highest level, and the mean width."""
    lines = [[title] for title in INTERVALS.values()]
    for chosen in ([row for row in rows if row["runs"] == 3], [row for row in rows if row["runs"] > 3]):
        mixed = [row for row in chosen if row["source"] != "interaction"]
        for line, way in zip(lines, INTERVALS, strict=True):
            lowest, highest = min(r["level"][way] for r in mixed), max(r["level"][way] for r in chosen)
            width = np.mean([row["width"][way] for row in chosen])
            line += [f"{_percent(lowest)} … {_percent(highest)}", f"{width:.2f}"]
    return ["interval", "3 runs, %", "width", "5 and 10 runs, %", "width"], lines
