"""The outcome of a paper as a picture: published and measured values of systems, on axes that they share."""

import math

from common.verdict.board import COMPARED, Row
from common.verdict.cells import lower_is_better

VERDICTS = (*COMPARED, "partial", "approximation", "stand-in", "no data", "not run")  # what tells most comes first
OTHER_DATA = ("stand-in", "no data", "not run")
AGGREGATES = ("average", "all")  # targets that sum the others up
UNORDERED = ("parameters", "minutes")  # metrics that say nothing of how good a system is
MARGIN = 4  # % of the width, left free at both ends of an axis


def rank(row: Row) -> int:
    """The place of a row's verdict in `VERDICTS`.

    Parameters
    ----------
    row : Row

    Returns
    -------
    int
    """
    return VERDICTS.index(row.fields["verdict"])


def summary(rows: list[Row]) -> list[Row]:
    """The rows that sum up the systems of a paper.

    They are the primary cell of each system (else its first), and where that is of one target among several, as
    arousal, the same metric of the other targets too.

    Parameters
    ----------
    rows : list of Row
        All cells of the paper.

    Returns
    -------
    list of Row
    """
    heads = {}
    for row in rows:
        if row.primary or _system(row) not in heads:
            heads[_system(row)] = row.fields
    return [row for row in rows if _belongs(row.fields, heads[_system(row)])]


def _belongs(fields: dict, head: dict) -> bool:
    same = all(fields[name] == head[name] for name in ("metric", "split"))
    return same and (fields["target"] == head["target"] or head["target"] not in AGGREGATES)


def panels(rows: list[Row]) -> list[dict]:
    """One panel a metric, split, target and data set.

    Parameters
    ----------
    rows : list of Row

    Returns
    -------
    list of dict
        metric, split, target, dataset : str
        ordered, lower : bool, whether some values are better than others, and whether it is the lower ones
        ticks : list of (value, place) on the axis
        digits : int, of ticks after the point
        marks : list of (row, places), compared ones first; places by name of the field
        All places are in % of the width.
    """
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row.fields[k] for k in ("metric", "split", "target", "dataset")), []).append(row)
    return [_panel(key, cells) for key, cells in groups.items()]


def _system(row: Row) -> tuple[str, str]:
    return row.fields["source"], row.fields["system"]


def _panel(key: tuple, rows: list[Row]) -> dict:
    drawn = ("published", "measured", "low", "high", "baseline")
    values = [row.fields[name] for row in rows for name in drawn if row.fields[name] is not None]
    low, high = min(values), max(values)
    width = (high - low) or 1.0

    def place(value: float) -> float:
        return round(MARGIN + (100 - 2 * MARGIN) * (value - low) / width, 2)

    marks = [
        (row, {name: place(row.fields[name]) for name in drawn if row.fields[name] is not None})
        for row in sorted(rows, key=rank)
    ]
    values = ticks(low, high)
    panel = dict(zip(("metric", "split", "target", "dataset"), key, strict=True))
    return panel | {
        "ordered": not panel["metric"].startswith(UNORDERED), "lower": lower_is_better(panel["metric"]), "marks": marks,
        "ticks": [(value, place(value)) for value in values],
        "digits": next((n for n in range(1, 6) if all(round(value, n) == value for value in values)), 6),
    }  # fmt: skip


def ticks(low: float, high: float) -> list[float]:
    """Two to five round numbers from low to high.

    Parameters
    ----------
    low, high : float

    Returns
    -------
    list of float
        `low` alone if `high` is not above it.
    """
    if high <= low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / 2))
    step = next(factor for factor in (5, 2, 1) if (high - low) / (factor * power) >= 2) * power
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def shown_at_a_glance(rows: list[Row]) -> list[Row]:
    """The rows for the first page: without stand-ins and what is not measured, where a paper has any others.

    Parameters
    ----------
    rows : list of Row
        Of one paper.

    Returns
    -------
    list of Row
        If all are of other data, those with a record; if none has one, all.
    """
    own = [row for row in rows if row.fields["verdict"] not in OTHER_DATA]
    return own or [row for row in rows if row.fields["record"]] or rows
