"""Records that others contribute: what is checked, where they go, and what the board and the pages show of them."""

import json
import shutil

import pytest

from common.errors import InputError
from common.experiment.identity import digest
from common.verdict.recorded import Records
from reproductions import board, contributions, log
from tests.conftest import ROOT

WHO = "A. Name, An Institution"
RESULTS = ROOT / "results"
PARTS = {"code": {"common.protocol": "abc"}, "extractor": None, "environment": {"backend": "tensorflow"}}


def read(path):
    return json.loads(path.read_text())


def contributed(paper, dataset, variant, of, **facts):
    """A recorded variant as if someone had made it on other data, with an identity of these."""
    record = read(RESULTS / of) | {"paper": paper, "dataset": dataset, "variant": variant, "equivalent": []}
    record["facts"] |= {"fingerprint": "another", "stand_in": False} | facts
    name = digest([record["settings"], "another", PARTS])[:16]
    record["identities"] = {name: PARTS}
    for run in record["runs"]:
        run |= {"identity": name, "provenance": run["provenance"] | {"commit": "0123456789ab"}}
    return record


@pytest.fixture(scope="module")
def hindi():
    """The stand-in of velankar2022 in the place of its songs."""
    return contributed("velankar2022", "hindi", "crnn", "velankar2022/4q/crnn.json")


@pytest.fixture
def results(tmp_path):
    """A copy of the records of one paper."""
    shutil.copytree(RESULTS / "velankar2022", tmp_path / "results" / "velankar2022")
    return tmp_path / "results"


def save(folder, record):
    path = folder / record["paper"] / record["dataset"] / f"{record['variant']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))
    return path


def run(*arguments):
    return contributions.main([str(argument) for argument in arguments])


def rows(results):
    return {row.fields["cell"]: row.fields for row in board.rows(results) if row.fields["paper"] == "velankar2022"}


def test_a_record_of_other_data_answers_for_their_cells(results, hindi, tmp_path, capsys):
    before = {path: path.read_bytes() for path in results.rglob("*.json")}
    save(tmp_path / "runs", hindi)
    assert {fields["verdict"] for fields in rows(results).values()} == {"stand-in"}
    options = (tmp_path / "runs", "--from", WHO, "--results", results)
    assert run(*options, "--check") == 0 and not (results / "contributed").exists()
    assert "checked, nothing copied" in capsys.readouterr().out
    assert run(*options) == 0
    assert "velankar2022/hindi/crnn" in capsys.readouterr().out
    kept = read(results / "contributed" / "velankar2022" / "hindi" / "crnn.json")
    assert kept.pop("contributed").keys() == {"from", "date", "sha256"} and kept == hindi
    answered = [fields for fields in rows(results).values() if fields["dataset"] == "hindi"]
    assert len(answered) == 16 and {fields["record"] for fields in answered} == {
        "results/contributed/velankar2022/hindi/crnn.json"
    }
    assert all(fields["contributed"].startswith(f"{WHO}, 20") for fields in answered)
    assert not {fields["verdict"] for fields in answered} & {"stand-in", "not run", "no data"}
    assert before == {path: path.read_bytes() for path in before}
    assert run(*options) == 2
    assert f"{WHO}, 20" in capsys.readouterr().err


def test_a_record_of_data_that_the_suite_has_stands_next_to_its_own(results, tmp_path):
    """The board keeps the suite's own; the log and a table of the paper's page have the contributed one."""
    expected = next(one for one in board.papers() if one["paper"] == "velankar2022")
    expected["cells"] = [cell | {"dataset": "4q"} for cell in expected["cells"]]
    record = contributed("velankar2022", "4q", "crnn", "velankar2022/4q/crnn.json")
    assert board.history(results, expected).count("| crnn") == 0
    contributions.write({save(tmp_path / "runs", record): record}, results, WHO)
    own = Records(results, "velankar2022")
    assert own.path("4q", "crnn") == results / "velankar2022" / "4q" / "crnn.json"
    assert "contributed" not in own.get("4q", "crnn")
    (row, *_) = log.contributed_rows(results, expected)
    assert row.fields["contributed"].startswith(WHO) and row.fields["verdict"] != "stand-in"
    text = board.history(results, expected)
    assert f"| contributed: crnn | 4q | {WHO} | 20 runs |" in text and f"contributed by {WHO}" in text


def changed(record, place, value):
    record = json.loads(json.dumps(record))
    inner = record
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return record


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (["runs", 2, "metrics", "test", "accuracy", "all"], 0.9, "runs[2].metrics.test.accuracy.all: is 0.9, but its"),
        (["runs", 1, "metrics", "test", "accuracy", "all"], float("nan"), "'runs[1].metrics.test.accuracy.all' is not"),
        (["runs", 0, "metrics", "test", "accuracy", "all"], "high", "runs[0].metrics.test.accuracy.all: "),
        (["runs", 1, "seed"], 0, "runs: two have the seed 0"),
        (["runs", 0, "predicted", "test"], [0, 1], "runs: "),
        (["runs", 0, "predicted"], {}, "runs: "),
        (["runs", 0, "identity"], "legacy", "runs[0].identity: legacy is not among"),
        (["settings", "hop"], 512, "settings.hop: is 512, that of the variant is 1024"),
        (["settings", "protocol"], 7, "settings.protocol: is 7"),
        (["settings", "folds"], 3, "runs[0].identity: "),  # which is made from the settings
        (["facts", "fingerprint"], "other", "does not follow from settings, data and code"),
        (["runs", 3, "provenance", "commit"], "0123456789ab+", "runs[3].provenance: commit 0123456789ab+"),
        (["facts", "partial"], True, "facts.partial: "),
        (["facts", "n_test"], 1000, "facts.n_test: 1000 of"),
        (["facts", "n_train"], 0, "facts.n_train: 0 of"),
        (["facts", "tracks"], ["one"], "facts.tracks: names fewer"),
        (["facts", "of_test"], "all", "facts.of_test: "),
        (["paper"], "velankar2020", "paper: is 'velankar2020', but the file says velankar2022"),
        (["runs"], [], "runs: there are none"),
        (["runs"], LookupError, "is not a record of runs"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_taken_in(results, hindi, tmp_path, capsys, place, value, message):
    path = save(tmp_path / "runs", hindi)
    path.write_text(json.dumps([] if value is LookupError else changed(hindi, place, value)))
    assert run(tmp_path / "runs", "--from", WHO, "--results", results) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {path}: ") and message in err and err.count("\n") == 1
    assert not (results / "contributed").exists()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"paper": "smith2024"}, "paper: the suite has no paper smith2024"),
        ({"dataset": "synthetic_quadrants"}, "dataset: synthetic_quadrants is none of 4q, hindi"),
        ({"variant": "crnn_wide"}, "settings: the suite has no variant crnn_wide"),
    ],
)
def test_places_that_the_suite_does_not_have(results, hindi, tmp_path, other, message):
    with pytest.raises(InputError, match=message):
        contributions.checked(save(tmp_path / "runs", hindi | other), results)


def test_bad_options(hindi, tmp_path, capsys):
    save(tmp_path / "runs", hindi)
    for arguments, message in (
        ((tmp_path / "runs", "--from", " "), "--from: is empty"),
        ((tmp_path, "--from", WHO), "holds no PAPER/DATASET/VARIANT.json"),
        ((tmp_path / "none", "--from", WHO), "holds no PAPER/DATASET/VARIANT.json"),
    ):
        assert run(*arguments) == 2
        assert message in capsys.readouterr().err


def test_records_that_break_the_board_are_taken_back(results, hindi, tmp_path, monkeypatch):
    """As two arms of a claim that were run on other songs."""

    def judge(expected, records):
        raise InputError("claim 'x': a and b were not run on the same data and folds")

    monkeypatch.setattr(contributions, "judge_claims", judge)
    with pytest.raises(InputError, match="not run on the same data"):
        contributions.write({save(tmp_path / "runs", hindi): hindi}, results, WHO)
    assert not list((results / "contributed").rglob("*.json"))


def test_recorded_metrics_follow_from_what_records_hold():
    """The check accepts a record of each task."""
    for name in ("velankar2022/4q/parallel", "jakubik2017/emotify/ridge", "cheuk2020/deam/gbm",
                 "malik2017/mediaeval2015/crnn_l20", "chaki2020/emomusic/at_400"):  # fmt: skip
        assert contributions._metrics(read(RESULTS / f"{name}.json")) is None


def test_the_log_of_a_paper_is_what_is_recorded():
    text = log.table(RESULTS, "malik2017")
    n = len(list((RESULTS / "malik2017" / "mediaeval2015").glob("*.json")))
    assert f"trained: {n} variants" in text and "trained again and compared: " in text and "contributed:" not in text
