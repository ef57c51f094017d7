"""Tables for the terminal and for READMEs."""

import pytest

from common import report
from common.errors import InputError
from common.verdict.board import join
from tests.made_up import cell, dynamic_record, mean_r, record


def test_numbers_as_papers_print_them():
    shown = [
        report.number(value, digits)
        for value, digits in [(0.5, 2), (-0.5, 2), (10.25, 2), (80.5, 1), (-0.001, 2), (100, 0), (None, 2), (1, 2)]
    ]
    assert shown == [".50", "-.50", "10.25", "80.5", ".00", "100", "–", "1.00"]
    assert [report.number(v, 0) for v in (0.4, -0.4, 0.6, -0.6, 0, 10)] == ["0", "0", "1", "-1", "0", "10"]
    assert [report.p_value(p) for p in (None, 0.04, 0.001, 0.00099)] == ["–", "0.040", "0.001", "< 0.001"]


def test_columns_are_as_wide_as_their_widest_cell():
    lines = report.text_table(["a", "long name"], [["wider", 1], ["–", ""]]).splitlines()
    assert lines == ["a      long name", "─────  ─────────", "wider  1", "–"]
    assert report.markdown_table(["a", "b"], [["x", 1]]).splitlines() == ["| a | b |", "| --- | --- |", "| x | 1 |"]


def test_cells_with_commas_are_quoted():
    assert report.csv_text([["a", "b"], ["one, two", 1]]) == 'a,b\n"one, two",1\n'


def test_one_table_for_each_table_of_the_paper(paper):
    cells = [cell("x", "model", 0.5), cell("y", "model", 0.5, target="a"), cell("z", "absent", 0.5, source="Table II")]
    rows = join(*paper(cells, model=record(1.0, partial=True)))
    first, second = report.board(rows).split("\n\n")
    assert first.startswith("paper · Table I · ") and second.startswith("paper · Table II · ")
    lines = first.splitlines()
    assert len(lines) == 6 and lines[-1].startswith("model: 120 of 120 songs")
    assert [line.split()[:2] for line in lines[3:5]] == [["model", "average"], ["model", "a"]]
    assert report.counts(rows) == "3 published cells: 2 partial, 1 not run"
    summary = report.summary(rows).splitlines()[2:]
    assert [(line.split()[0], "2 partial" in line) for line in summary] == [("paper", True), ("paper", False)]


def test_variants_next_to_each_other(paper):
    """Means over runs, with the deviation of the last target; of splits that share songs, with the interval."""
    _, records = paper([], one=record(1.0, overlap=0.5) | {"title": "One"}, two=record(0.5) | {"title": "Two"})
    arguments = records, "songs", "cv", "pearson_r_mean_over_folds", ["one", "two", "absent"]
    lines = report.variants_table(*arguments).splitlines()
    assert len(lines) == 4 and lines[0].split(" | ")[1:4] == ["runs", "a", "b"]
    one, two = (line.split(" | ") for line in lines[2:])
    assert one[0] == "| One (`one`)" and one[-1].startswith(f"{report.number(mean_r(record(1.0)))} ± ")
    assert "…" in one[-1] and "…" not in two[-1]
    assert report.variants_table(records, "songs", "other split", *arguments[3:]) == "Nothing is recorded yet."


def test_a_network_that_diverged(paper):
    content = dynamic_record(offset=1e4) | {"title": "Far off"}
    _, records = paper([], model=content)
    table = report.variants_table(records, "songs", "test", "rmse_pooled", ["model"])
    assert table.splitlines()[-1].count("diverged") == 3


def test_generated_parts_are_replaced(tmp_path):
    path, begin, end = tmp_path / "README.md", report.MARK.format("begin", "board"), report.MARK.format("end", "board")
    path.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    assert report.replace_generated(path, {"board": "new"}) == f"before\n{begin}\nnew\n{end}\nafter\n"
    with pytest.raises(InputError, match=r"README\.md"):
        report.replace_generated(path, {"claims": "new"})
