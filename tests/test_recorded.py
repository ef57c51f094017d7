"""Records and verifications as verdicts and reports read them."""

import json

import pytest

from common.errors import InputError
from common.verdict.board import join
from common.verdict.recorded import VERIFICATIONS, Records, headline, read_verified
from tests.made_up import cell, record


def test_a_record_without_runs_counts_as_none(paper):
    expected, records = paper([cell("x", "model", 0.2)], model=record(1.0, seeds=[]))
    assert records.get("songs", "model") is None
    assert join(expected, records)[0].fields["verdict"] == "not run"


def test_verifications_are_shown_with_their_record(paper):
    expected, records = paper([cell("x", "model", 0.2), cell("y", "other", 0.2)], model=record(1.0), other=record(1.0))
    entry = {"paper": "paper", "dataset": "songs", "variant": "model", "word": "same bits", "date": "2026-01-02"}
    entry["commit"] = "0123456789ab"
    others = [entry | {key: "other"} for key in ("paper", "dataset")]
    unfinished = [entry | {"variant": "other", key: ""} for key in ("word", "date")]
    path = records.results / VERIFICATIONS
    path.write_text(json.dumps([*others, *unfinished, entry]))
    shown = [row.fields["verified"] for row in join(expected, records)]
    assert shown == ["same bits, 2026-01-02, 0123456", None]
    compared = {"split": "cv", "metric": "pearson_r_mean_over_folds", "target": "average"}
    values = records.values("songs", "model", *compared.values())
    mean, n = sum(values) / len(values), len(values)
    for now, is_shown in (((mean, n), True), ((mean + 0.01, n), False), ((mean, n - 1), False)):
        path.write_text(json.dumps([entry | {"cells": [compared | dict(zip(("recorded", "runs"), now, strict=True))]}]))
        again = Records(records.results, "paper").verified("songs", "model")
        assert (again is not None) == is_shown  # a record that was changed since was not verified
    path.write_text(json.dumps([{"word": "same"}]))
    with pytest.raises(InputError):
        read_verified(records.results)


def test_headline_is_the_first_of_each():
    content = {"runs": [{"metrics": {"test": {"rmse": {"a": 1, "b": 2}, "r": {"c": 3}}, "other": {"x": {"y": 1}}}}]}
    assert headline(content) == ("test", "rmse", ["a", "b"])
