"""malik2017's table of errors by sequence length."""

import numpy as np
import pytest

from reproductions.malik2017 import tables


def test_a_change_per_doubling():
    exact = [0.02 * np.log2(n) + 0.1 for n in tables.LENGTHS]
    assert tables.slope(exact) == (pytest.approx(0.02), None)
    assert tables.slope([[value, value] for value in exact]) == (pytest.approx(0.02), None)
    runs = [[value - 0.01, value + 0.01] for value in exact]
    change, half = tables.slope(runs)
    assert change == pytest.approx(0.02) and 0.01 < half < 0.02  # 8 runs, residuals of .01


def test_a_line_at_another_size():
    """0.5 less .02 a doubling from 65 songs; runs lie .01 above and below it."""
    exact = [0.5 - 0.02 * np.log2(n / 65) for n in tables.N_SONGS]
    there = 0.5 - 0.02 * np.log2(tables.PAPER_SONGS / 65)
    assert tables.error_at(tables.PAPER_SONGS, exact, tables.N_SONGS) == (pytest.approx(there), None)
    runs = [[value - 0.01, value + 0.01] for value in exact]
    error, half = tables.error_at(tables.PAPER_SONGS, runs, tables.N_SONGS)
    residual = np.sqrt(8 * 0.01**2 / 6)
    assert error == pytest.approx(there) and half > 2.447 * residual  # t(6), of a run on a line that is known
    assert half > tables.error_at(130, runs, tables.N_SONGS)[1] > 2.447 * residual


def test_errors_by_songs():
    """A line for each set of evaluated songs, if all numbers of training songs are recorded."""
    errors = dict(zip((65, 130, 195, 260), (0.4, 0.3, 0.3, 0.2), strict=True))
    records, facts = Recorded(), {"splits": {"evaluation": {"n_test": 9}, "evaluation_cuts": {"n_test": 30}}}
    for n, error in errors.items():
        runs = [{"metrics": {key: {"rmse_pooled": {"average": error}} for key in tables.EVALUATED}}] * 2
        records["crnn_l20" if n == 260 else f"crnn_l20_{n}_songs"] = {"runs": runs, "facts": facts}
    _, _, *lines = [line.strip("| ").split(" | ") for line in tables.generated(records)["songs"].splitlines()]
    assert [line[0] for line in lines] == ["9 songs", "30 segments"]
    assert lines[0][1:5] == [".400", ".300", ".300", ".200"] and lines[0][-1] == "2"
    del records["crnn_l20_65_songs"]
    assert len(tables.generated(records)["songs"].splitlines()) == 2


def test_a_change_of_the_same_networks():
    """Each run has its own level, which does not widen the interval of the change."""
    doublings = np.log2(tables.LENGTHS)
    of_runs = [0.02 * doublings + 0.1, 0.03 * doublings + 0.5, 0.04 * doublings + 0.9]
    change, half = tables.slope_of_runs(of_runs)
    assert change == pytest.approx(0.03) and half == pytest.approx(4.302653 * 0.01 / np.sqrt(3))
    assert tables.slope_of_runs(of_runs[:1]) == (pytest.approx(0.02), None)


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
    titles = {"published", "published, log-mel", "CRNN", "CRNN, networks of length 60"}
    assert {(line[0], line[1]) for line in lines} == {(s, n) for s in tables.SPLITS for n in titles}
    assert lines[2][:8] == ["development", "published", "RMSE", "average", ".060", ".057", ".055", ".055"]
    own = {(line[2], line[3]): line[4:] for line in lines if line[:2] == ["evaluation", "CRNN"]}
    assert own["RMSE, all frames", "average"] == [".300"] * 4 + [".0000", "3"]
    assert own["RMSE within sequences", "valence"][:4] == [".060", ".030", ".020", ".010"]
    (same,) = (line for line in lines if line[:2] == ["evaluation", f"CRNN, {tables.SAME}"] and line[3] == "average")
    assert same[2:] == [
        "RMSE within sequences",
        "average",
        ".060",
        ".030",
        ".020",
        ".010",
        ".0192 (.0192 … .0192)",
        "3",
    ]
    del records["crnn_l30"]
    assert "| CRNN" not in tables.generated(records)["sequences"]
