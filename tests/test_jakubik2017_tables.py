"""jakubik2017's table of the Standard GRU's loss."""

import numpy as np
import pytest

from common.places import RESULTS
from common.verdict.recorded import Records
from reproductions.jakubik2017 import tables


def test_losses_in_order_with_the_lead_of_the_embedding():
    records = Records(RESULTS, "jakubik2017")
    header, _, *lines = [line.strip("| ").split(" | ") for line in tables.generated(records)["losses"].splitlines()]
    assert header == tables.HEADER and [line[0] for line in lines] == list(tables.LOSSES)

    def mean_r(variant):
        return records.values("emotify", variant, "10-fold", "pearson_r_mean_over_folds", "average")

    for line, pair in zip(lines, tables.LOSSES.values(), strict=True):
        standard, embedding = values = [mean_r(variant) for variant in pair]
        for text, of_variant in zip(line[1:3], values, strict=True):
            assert float(text.split()[0]) == pytest.approx(np.mean(of_variant), abs=5e-4)
            assert text.endswith(f"({len(of_variant)})")
        n = min(map(len, values))  # seeds 0, 1, ... of both
        assert float(line[3]) == pytest.approx(np.mean(embedding[:n]) - np.mean(standard[:n]), abs=1e-3)
        if n > 2:
            low, high = map(float, line[4].split(" … "))
            assert low < float(line[3]) < high
        else:
            assert line[4] == "–"


def test_what_is_not_recorded_is_left_out(tmp_path):
    assert len(tables.generated(Records(tmp_path, "jakubik2017"))["losses"].splitlines()) == 2
