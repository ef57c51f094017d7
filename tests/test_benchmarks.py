"""Records of timings and of features against official ones, and the READMEs' tables of them."""

import json

import numpy as np
import psutil
import pytest

from common.errors import InputError
from common.report import MARK
from reproductions import benchmarks as tables
from tests import benchmarks
from tests.benchmarks import official_features
from tests.conftest import ROOT


def test_measured_values():
    found = benchmarks.measured("s", np.array([0.123456, 2.0, 1.0]))
    assert found == {"unit": "s", "n": 3, "median": 1.0, "lowest": 0.1235, "highest": 2.0, "values": [0.1235, 2.0, 1.0]}


def test_a_record_is_read_back_as_a_table(tmp_path):
    found = {
        "one": {"time": benchmarks.measured("s", [0.5, 0.25, 0.75]), "ratio": benchmarks.measured("", [2.0])},
        "other": {"ratio": benchmarks.measured("", [3.0])},
    }
    path = benchmarks.record(tmp_path, "toy", "an epoch", found)
    record = json.loads(path.read_text())
    assert record["found"] == found and record["machine"]["cores"] >= 1 and record["machine"]["system"]
    assert {"finished", "commit", "device", "versions"} <= record["provenance"].keys()
    lines = tables.timings(tables.read(tmp_path, "toy")).splitlines()
    assert lines[:4] == [
        "| an epoch | time | ratio |", "| --- | --- | --- |", "| one | 0.5 s (0.25 to 0.75) | 2 |", "| other | – | 3 |",
    ]  # fmt: skip
    assert "n = 1 or 3" in lines[-1] and record["provenance"]["device"] in lines[-1] and "toy.py" in lines[-1]


def test_a_section_of_several_tables_needs_all_of_them(tmp_path):
    names = tables.TIMINGS["training"]
    for number, name in enumerate(names):
        assert not tables.generated(tmp_path)
        benchmarks.record(tmp_path, name, name, {"row": {"time": benchmarks.measured("s", [float(number)])}})
    text = tables.generated(tmp_path)[tables.PERFORMANCE]["training"]
    assert [line.split(" | ")[0] for line in text.splitlines() if " time |" in line] == [f"| {name}" for name in names]


def test_differences_of_predictions(tmp_path):
    """Of two songs of two and three frames: absolute differences of frames and of song means, by target."""
    songs = [np.array([[0.1, 0.0], [-0.3, 0.2]]), np.array([[0.2, 0.1], [0.2, -0.1], [0.2, 0.0]])]
    found = official_features.differences(songs)
    valence, arousal = found["valence"], found["arousal"]
    assert (valence["songs"], valence["frames"]) == (2, 5)
    assert (valence["largest"], valence["median"], valence["song_means"]) == (0.3, 0.2, [0.1, 0.2])
    assert (arousal["largest"], arousal["median"], arousal["largest_of_a_songs_mean"]) == (0.2, 0.1, 0.1)
    benchmarks.record(tmp_path, "official_features", "differences", {"chaki2020": {"all": found}})
    [(readme, parts)] = tables.generated(tmp_path).items()
    assert readme.parent.name == "chaki2020"
    assert "| all | .300, .200 | .200, .100 | .200, .100 |" in parts["official features"]


def test_every_page_has_the_marks_of_its_tables():
    names = {tables.PAPERS / paper / "README.md": ["official features"] for paper in ("malik2017", "chaki2020")}
    for page, marks in (names | {tables.PERFORMANCE: tables.TIMINGS}).items():
        assert all(page.read_text().count(MARK.format(at, name)) == 1 for name in marks for at in ("begin", "end"))


def test_every_named_record_has_its_script():
    named = {name for names in tables.TIMINGS.values() for name in names}
    named |= {"official_features", "instruction_sets", "blended_windows"}
    assert all((ROOT / "tests" / "benchmarks" / f"{name}.py").is_file() for name in named)
    assert {path.stem for path in (ROOT / "results" / "benchmarks").glob("*.json")} <= named


def test_timings_are_not_recorded_on_a_busy_machine(monkeypatch):
    monkeypatch.setattr(psutil, "cpu_percent", lambda interval: 60.0)
    with pytest.raises(InputError, match="other work"):
        benchmarks.wait_until_idle(0)
    monkeypatch.setattr(psutil, "cpu_percent", lambda interval: 1.0)
    benchmarks.wait_until_idle(0)


def test_a_broken_record_is_one_line(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "prediction.json").write_text('{"found": {}}')
    with pytest.raises(InputError, match=r"prediction\.json: is not a record of a benchmark"):
        tables.generated(tmp_path)
