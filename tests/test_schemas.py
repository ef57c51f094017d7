"""Errors of files name the file and the field, in one line."""

import json

import pytest

from common.errors import InputError
from common.verdict import schemas
from common.verdict.board import load_expected
from common.verdict.claims import judge_claims
from common.verdict.recorded import read_verified
from tests.made_up import cell, record, table

CLAIM = {"id": "better", "kind": "difference", "statement": "A beats B.", "dataset": "songs", "split": "cv",
         "a": "model", "b": ["other"], "metric": "r2_pooled", "targets": ["average"], "direction": 1}  # fmt: skip
DECLARED = {"verdict": "worse", "cells": ["x"], "cause": "the loss", "evidence": "other losses"}
LACKING = object()


def changed(value, place, new):
    """A copy with another value at a place, keys and indices; LACKING removes it."""
    value = json.loads(json.dumps(value))
    inner = value
    for key in place[:-1]:
        inner = inner[key]
    if new is LACKING:
        del inner[place[-1]]
    else:
        inner[place[-1]] = new
    return value


@pytest.mark.parametrize(
    ("place", "new", "field"),
    [
        (["cells"], LACKING, ""),
        (["cells", 0, "value"], "0.5", "cells[0].value: "),
        (["cells", 1, "digits"], 2.5, "cells[1].digits: "),
        (["cells", 1, "metric"], LACKING, "cells[1]: "),
        (["cells", 1, "reason"], LACKING, "cells[1]: "),  # of a cell without a variant
        (["cells", 1, "stand-ins"], [["songs", "model"]], "cells[1]: "),  # for stand_ins
        (["cells", 1, "stand_ins"], [["songs"]], "cells[1].stand_ins[0]: "),
        (["cells", 0, "std"], 0.03, "cells[0].runs: "),  # of one run
        (["cells", 0, "primary"], 1, "cells[0].primary: "),
        (["cells", 0, "counted"], "35", "cells[0].counted: "),
        (["claims", 0, "direction"], 0, "claims[0].direction: "),
        (["claims", 0, "split"], LACKING, "claims[0]: "),
        (["claims", 0, "kind"], "equivalence", "claims[0]: "),  # which needs `within`
        (["claims", 1, "within"], 0.1, "claims[1].within: "),  # two bounds
        (["declared", 0, "evidence"], "", "declared[0].evidence: "),
        (["variant_tables", 0], ["songs", "cv", "r2_pooled"], "variant_tables[0]: "),
        (["titel"], "A title", ""),
    ],
)
def test_a_wrong_field_of_a_table_is_named(tmp_path, place, new, field):
    bounds = CLAIM | {"kind": "bounds", "within": [0.9, 1.1]}
    whole = table(
        [cell("x", "model", 0.5), cell("y", None, 0.5, reason="its songs are not public")],
        [CLAIM, bounds],
        declared=[DECLARED],
        variant_tables=[["songs", "cv", "r2_pooled", ["model"]]],
    )
    path = tmp_path / "expected.json"
    path.write_text(json.dumps(whole))
    assert load_expected(path) == whole
    path.write_text(json.dumps(changed(whole, place, new)))
    with pytest.raises(InputError) as raised:
        load_expected(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: {field}") and "\n" not in message


@pytest.mark.parametrize(
    ("place", "new", "field"),
    [
        (["facts", "n_train"], LACKING, "facts: "),
        (["facts", "of_train"], "100", "facts.of_train: "),
        (["facts", "splits"], {"test": {"n_test": None}}, "facts.splits.test.n_test: "),
        (["runs", 1, "seed"], LACKING, "runs[1]: "),
        (["runs", 1, "metrics", "cv", "pearson_r_pooled", "a"], None, "runs[1].metrics.cv.pearson_r_pooled.a: "),
        (["runs", 0, "history"], [3], "runs[0].history[0]: "),
    ],
)
def test_a_wrong_field_of_a_record_is_named(paper, place, new, field):
    _, records = paper([], model=record(0.9), damaged=changed(record(0.9), place, new))
    assert records.get("songs", "model")
    with pytest.raises(InputError) as raised:
        records.get("songs", "damaged")
    message = str(raised.value)
    assert message.startswith(f"{records.path('songs', 'damaged')}: {field}") and "\n" not in message


@pytest.mark.parametrize(
    ("place", "new", "message"),
    [
        (["runs", 0, "metrics"], list(range(10_000)),
         "runs[0].metrics: [0, 1, 2, 3, 4, 5, ...] is not of type 'object' (values by split, metric and target)"),
        (["runs", 0, "seed"], "one", "runs[0].seed: 'one' is not of type 'integer'"),
    ],
)  # fmt: skip
def test_what_a_field_must_be_is_told_and_long_values_are_shortened(tmp_path, place, new, message):
    with pytest.raises(InputError) as raised:
        schemas.validate(changed(record(0.9), place, new), "record", tmp_path)
    assert str(raised.value) == f"{tmp_path}: {message}"


def test_wrong_fields_of_benchmarks_and_verifications_are_named(paper):
    """A benchmark is read with the claim about it."""
    claim = {key: CLAIM[key] for key in ("id", "statement", "dataset", "direction", "a")}
    expected, records = paper([], [claim | {"kind": "benchmark", "within": [0.9, 1.1]}])
    path = records.path("songs", "model")
    for benchmark, field in (({"seconds": [1, 2, 3], "estimate": 1, "low": 0.9}, ""), ({"seconds": [1]}, "")):
        path.write_text(json.dumps(benchmark))
        with pytest.raises(InputError, match=f"{path}: {field}"):
            judge_claims(expected, records)
    path.write_text("{")
    with pytest.raises(InputError, match=f"{path}: "):
        judge_claims(expected, records)
    verified = records.results / "verified.json"
    for content, field in (('[{"word": 1}]', r"\[0\]"), ("{}", ""), ("[", "")):
        verified.write_text(content)
        with pytest.raises(InputError, match=f"{verified}: {field}"):
            read_verified(records.results)
