"""Recorded numbers derived again: what each outcome needs, what is kept, and the command on real code."""

import copy
import json

import numpy as np
import pytest
from scipy import stats

from common.errors import InputError
from common.experiment.records import LEGACY, read_record, record_path, write_record
from common.verdict.recorded import VERIFICATIONS, Records, read_verified
from reproductions import verify
from reproductions.__main__ import main

train = pytest.importorskip("reproductions.mediaeval2015_baseline.train")
CELL = {"id": "toy.a", "split": "cv", "metric": "r2_pooled", "target": "arousal", "published": 0.6, "baseline": None,
        "level": 0.95}  # fmt: skip


def run(seed, value, *, identity="old", processor="one"):
    moments = np.random.default_rng(0).standard_normal((5, 1, 5))
    moments[:, 0, 1] += np.random.default_rng(seed).standard_normal(5) * (identity != "old") * 0.01
    return {
        "seed": seed, "metrics": {"cv": {"r2_pooled": {"arousal": value}}}, "identity": identity,
        "songs": {"cv": {"moments": moments.tolist()}}, "provenance": {"processor": processor, "commit": "abc"},
    }  # fmt: skip


def record(values, **more):
    return {"runs": [run(seed, value, **more) for seed, value in enumerate(values)]}


def outcome(values, derived, **more):
    return verify.compare(record(values), [run(0, derived, identity="new", **more)], [CELL])


def test_the_interval_is_students_for_one_more_run():
    values = [0.50, 0.52, 0.57]
    half = stats.t.ppf(0.975, 2) * np.std(values, ddof=1) * np.sqrt(1 + 1 / 3)
    result = outcome(values, 0.53)["cells"][0]
    assert result["half_width"] == pytest.approx(half) and result["runs"] == 3 and result["matters"] == 0.05
    two = verify.compare(record(values), [run(0, 0.5, identity="new"), run(1, 0.6, identity="new")], [CELL])
    assert two["cells"][0]["half_width"] == pytest.approx(half * np.sqrt((1 / 2 + 1 / 3) / (1 + 1 / 3)))
    assert two["cells"][0]["derived"] == pytest.approx(0.55) and two["seeds"] == [0, 1]


@pytest.mark.parametrize(
    ("values", "derived", "word"),
    [
        ([0.50, 0.505, 0.495], 0.51, "verified"),
        ([0.50, 0.505, 0.495], 0.55, "outside"),
        ([0.50, 0.505, 0.495], 0.45, "outside"),
        ([0.40, 0.50, 0.60], 0.51, "consistent"),  # the interval is wider than the difference that would matter
        ([0.50], 0.5, "one recorded run"),
    ],
)
def test_words(values, derived, word):
    assert outcome(values, derived)["word"] == word


def test_the_same_identity_and_processor_must_give_the_same_bits():
    recorded = record([0.50, 0.505, 0.495])
    again = copy.deepcopy(recorded["runs"][:1])
    assert verify.compare(recorded, again, [CELL])["word"] == "equal"
    again[0]["songs"]["cv"]["moments"][0][0][0] += 1e-7
    assert verify.compare(recorded, again, [CELL])["word"] == "not equal"
    again[0]["provenance"]["processor"] = "another"
    assert verify.compare(recorded, again, [CELL])["word"] == "verified"
    again[0] |= {"identity": "new", "provenance": {"processor": "one", "commit": None}}
    assert verify.compare(recorded, again, [CELL])["word"] == "verified"


def test_the_worst_cell_counts():
    cells = [CELL, CELL | {"id": "toy.b", "metric": "r2_pooled", "published": 0.5, "baseline": 0.49}]
    result = verify.compare(record([0.50, 0.505, 0.495]), [run(0, 0.5, identity="new")], cells)
    assert [cell["word"] for cell in result["cells"]] == ["verified", "consistent"] and result["word"] == "consistent"


def test_agreement_song_by_song():
    one, other = run(0, 0.5), run(3, 0.5, identity="new")
    assert verify.agreement(one, one, "cv") == {"lowest r": 1.0}
    assert 0.9 < verify.agreement(one, other, "cv")["lowest r"] < 1
    classes = [{"predicted": {"test": numbers}} for numbers in ([0, 1, -1, 2], [0, 2, -1, 2])]
    assert verify.agreement(*classes, "test") == {"same class": 0.6667}
    assert verify.agreement({"metrics": {}}, {"metrics": {}}, "cv") is None


@pytest.fixture(scope="module")
def recorded(small_deam, tmp_path_factory):
    """Records of a real protocol on the miniature: two runs."""
    out = tmp_path_factory.mktemp("recorded")
    arguments = ["--data-root", small_deam, "--allow-missing", "--folds", "3", "--repeats", "2", "--out", out]
    assert train.main([*map(str, arguments), "--jobs", "1", "--quiet"]) == 0
    return out


@pytest.fixture
def command(recorded, small_deam, tmp_path, capsys, monkeypatch):
    """Runs `verify` on a copy of the records; returns exit code, output, errors. Its attribute is the copy."""
    import shutil

    monkeypatch.setenv("MER_CACHE", str(tmp_path / "cache"))
    results = tmp_path / "results"
    shutil.copytree(recorded, results)

    def go(*arguments):
        where = ["--results", str(results), "--data-root", str(small_deam), "--jobs", "1"]
        code = main(["verify", *arguments, *where])
        return code, *capsys.readouterr()

    go.results = results
    go.path = record_path(results, "mediaeval2015_baseline", "mediaeval2015", "linear_regression")
    return go


def test_a_record_is_equal_to_what_the_same_code_gives(command):
    code, out, errors = command("--paper", "mediaeval2015_baseline")
    assert (code, "1 equal" in out) == (0, True), errors
    assert "1 systems" in out and "linear_regression" in out
    assert not (command.results / VERIFICATIONS).exists()  # only with --record


def test_a_record_that_was_altered_is_noticed(command):
    record = read_record(command.path)
    record["runs"][0]["metrics"]["cross-validation"]["rmse_pooled"]["valence"] += 0.1
    write_record(command.path, record)
    code, out, _ = command("linear_regression")
    assert code == 1 and "not equal" in out


def test_what_is_established_is_kept(command):
    record = read_record(command.path)
    for one in record["runs"]:
        del one["identity"]  # as recorded before there were identities
    write_record(command.path, record)
    assert command("linear_regression", "--record")[0] == 0
    (kept,) = read_verified(command.results)
    assert kept["word"] == "equal" and kept["identities"][0] == "legacy" and kept["date"] and kept["processor"]
    (result,) = read_record(command.path)["equivalent"]
    assert LEGACY in result["identities"] and result["date"] == kept["date"]
    described = read_record(command.path)["identities"]
    assert {"code", "environment"} <= described[kept["identities"][1]].keys()
    command("linear_regression", "--record")
    assert len(read_verified(command.results)) == len(read_record(command.path)["equivalent"]) == 1
    records = Records(command.results, "mediaeval2015_baseline")
    assert records.verified("mediaeval2015", "linear_regression") == ", ".join(
        filter(None, ["equal", kept["date"], (kept["commit"] or "")[:7]])
    )
    assert records.verified("mediaeval2015", "training_mean") is None


def test_plan_sample_and_names(command):
    code, out, _ = command("--plan", "*")
    assert code == 0 and "2 systems" in out and "training_mean" in out and "minutes" in out
    code, out, _ = command("--plan", "*", "--sample", "1")
    assert code == 0 and "1 systems" in out
    ids = [cell["id"] for cell in json.loads(train.TRAINING.expected.read_text())["cells"]]
    code, out, _ = command("--plan", ids[0])
    assert code == 0 and "1 systems" in out
    assert command("--plan", "crnn")[::2] == (
        2,
        "error: crnn: nothing recorded has this name; python -m reproductions --json lists cells\n",
    )
    assert command("--plan", "--paper", "nobody2020")[0] == 2


def test_a_record_without_runs_is_nothing_recorded(command):
    write_record(command.path, read_record(command.path) | {"runs": []})
    code, out, _ = command("--plan", "*")
    assert code == 0 and "1 systems" in out
    assert command("linear_regression")[::2] == (
        2,
        "error: linear_regression: nothing recorded has this name; python -m reproductions --json lists cells\n",
    )


def test_other_data_are_not_compared(command, small_deam, tmp_path):
    record = read_record(command.path)
    record["facts"]["fingerprint"] = "of other data"
    write_record(command.path, record)
    code, out, _ = command("linear_regression")
    assert code == 0 and "not derived: recorded with other fingerprint than here" in out


def test_a_damaged_file_of_outcomes_is_an_error(tmp_path):
    (tmp_path / VERIFICATIONS).write_text('[{"word": "equal"}]')
    with pytest.raises(InputError, match=r"verified\.json: \[0\]: "):
        read_verified(tmp_path)
