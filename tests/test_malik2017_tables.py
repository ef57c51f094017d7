"""malik2017's table of errors by sequence length."""

import numpy as np
import pytest

from reproductions.malik2017 import tables


def test_a_change_per_doubling():
    exact = [0.02 * np.log2(n) + 0.1 for n in tables.LENGTHS]
    assert tables.slope(exact) == pytest.approx((0.02, 0.0))
    assert tables.slope([[value, value] for value in exact]) == pytest.approx((0.02, 0.0))
    runs = [[value - 0.01, value + 0.01] for value in exact]
    change, half = tables.slope(runs)
    assert change == pytest.approx(0.02) and 0.01 < half < 0.02  # 8 runs, residuals of .01


def of(seeds, **metrics) -> dict:
    by_target = {name: dict.fromkeys(tables.TARGETS, value) for name, value in metrics.items()}
    return {"runs": [{"seed": seed, "metrics": dict.fromkeys(tables.SPLITS, by_target)} for seed in seeds]}


class Recorded(dict):
    """Records of variants by name."""

    def get(self, dataset, variant):
        return super().get(variant)


def test_errors_by_length():
    """A line a measure and target; a system only if all lengths are recorded, with the errors within sequences."""
    within = {f"rmse_within_{n}": n / 1000 for n in tables.LENGTHS}
    records = Recorded({f"crnn_l{n}": of(range(3), rmse_pooled=0.3, mae_pooled=0.2, **within) for n in tables.LENGTHS})
    records |= {f"crnn_l{n}_no_gru_dropout": of([0], rmse_pooled=0.3) for n in tables.LENGTHS}  # recorded before
    header, _, *lines = [line.strip("| ").split(" | ") for line in tables.generated(records)["sequences"].splitlines()]
    assert header == tables.HEADER
    assert {(line[0], line[1]) for line in lines} == {(s, n) for s in tables.SPLITS for n in ("published", "CRNN")}
    assert lines[2][:8] == ["development", "published", "RMSE", "average", ".060", ".057", ".055", ".055"]
    own = {(line[2], line[3]): line[4:] for line in lines if line[:2] == ["evaluation", "CRNN"]}
    assert own["RMSE, all frames", "average"] == [".300"] * 4 + [".000", "3"]
    assert own["RMSE within sequences", "valence"][:4] == [".060", ".030", ".020", ".010"]
    del records["crnn_l30"]
    assert "| CRNN |" not in tables.generated(records)["sequences"]
