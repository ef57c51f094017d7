"""jakubik2017's table of the Standard GRU's loss."""

import numpy as np
import pytest

from common.places import RESULTS
from common.verdict.recorded import Records
from reproductions.jakubik2017 import tables


def test_losses_in_order_with_the_lead_of_the_embedding():
    records = Records(RESULTS, "jakubik2017")
    header, _, *lines = [line.strip("| ").split(" | ") for line in tables.generated(records)["losses"].splitlines()]
    losses = {title: name for title, name in tables.LOSSES.items() if records.get("emotify", name)}
    assert header == tables.HEADER and [line[0] for line in lines] == list(losses) and len(losses) > 2

    def mean_r(variant):
        return records.values("emotify", variant, "10-fold", "pearson_r_mean_over_folds", "average")

    for line, variant in zip(lines, losses.values(), strict=True):
        values = mean_r(variant)
        assert line[1] == str(len(values)) and float(line[2].split()[0]) == pytest.approx(np.mean(values), abs=5e-4)
        low, high = map(float, line[4].split(" … "))
        assert low < float(line[3]) < high
        lead = np.mean(mean_r(tables.EMBEDDING)[: len(values)]) - np.mean(values)
        assert float(line[3]) == pytest.approx(lead, abs=1e-3)


def test_what_is_not_recorded_is_left_out(tmp_path):
    assert len(tables.generated(Records(tmp_path, "jakubik2017"))["losses"].splitlines()) == 2
