"""Reports: tables for the terminal and for READMEs (`tables`), plots (`plots`), and the figures of a paper (`figures`).

The functions of `tables` are called as `report.number(...)`; plots are imported where they are drawn, as matplotlib
takes long to import.
"""

from common.report.tables import (
    MARK,
    board,
    claims_table,
    counts,
    coverage,
    csv_text,
    interval,
    markdown_table,
    mean_of_runs,
    measured,
    number,
    p_value,
    replace_generated,
    summary,
    text_table,
    variants_table,
)

__all__ = [
    "MARK", "board", "claims_table", "counts", "coverage", "csv_text", "interval", "markdown_table",
    "mean_of_runs", "measured", "number", "p_value", "replace_generated", "summary", "text_table", "variants_table",
]  # fmt: skip
