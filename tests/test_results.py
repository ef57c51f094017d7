"""What is recorded in results/: verdicts are declared, READMEs are not stale, records follow from predictions."""

import json

import pytest

from common.experiment.records import mixture, read_record
from common.verdict.board import check_declared
from common.verdict.claims import KEYS
from reproductions.board import claims, generated, papers, rows
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def board():
    return rows(ROOT / "results")


@pytest.mark.parametrize("expected", papers(), ids=lambda e: e["paper"])
def test_every_difference_is_declared(board, expected):
    """The strict test: a `worse` or `better` that expected.json does not declare fails, and so does the reverse."""
    assert check_declared(expected, [row for row in board if row.fields["paper"] == expected["paper"]]) == []


def test_no_record_mixes_identities():
    """Runs of one record come from the same code, libraries and features, or a verification found them alike."""
    paths = [
        path for path in (ROOT / "results").glob("*/*/*.json") if path.parent.name not in ("weights", "benchmarks")
    ]
    mixed = {path.name: names for path in paths if (names := mixture(read_record(path)))}
    assert len(paths) > 100 and not mixed


def test_ids_are_unique_over_all_papers(board):
    ids = [(row.fields["paper"], row.fields["cell"]) for row in board]
    assert len(set(ids)) == len(ids)


def test_records_follow_from_their_predictions():
    from common.metrics import correlations, dynamic

    checked = 0
    for path in sorted((ROOT / "results").glob("*/*/*.json")):
        content = json.loads(path.read_text())
        assert path.stat().st_size < 2_000_000, path  # the largest: ten test parts, each predicted by ten networks
        for run in content.get("runs", []):
            if "predictions" in run and "reference_z" in content["facts"]:
                facts = content["facts"]
                again = correlations(facts["reference_z"], run["predictions"], run["fold"], facts["targets"])
                assert [again] == list(run["metrics"].values()), (path, run["seed"])
                checked += 1
            for split, songs in run.get("songs", {}).items():
                again = dynamic(songs, content["facts"]["targets"])
                for metric, values in run["metrics"][split].items():
                    assert again[metric] == pytest.approx(values, abs=2e-5), (path, run["seed"], metric)
                checked += 1
            assert {"finished", "commit", "backend", "device", "versions"} <= run["provenance"].keys()
    assert checked > 0


def test_claims_are_judged():
    result = claims(ROOT / "results")
    assert all(list(claim) == KEYS for claim in result)
    untested = {"not run", "no data", "partial", "stand-in"}
    assert {claim["verdict"] for claim in result} <= {"holds", "contradicted", "undecided"} | untested


def test_readmes_are_not_stale():
    for path, text in generated(ROOT / "results").items():
        assert path.read_text() == text, f"{path} is stale: python -m reproductions --write"


def test_tables_with_an_oracle_say_what_it_is():
    texts = [path.read_text() for path in (ROOT / "reproductions").glob("*/README.md")]
    blocks = [block.split("</details>")[0] for text in texts for block in text.split("<details>")[1:]]
    of_oracles = [block for block in blocks if "| oracle: " in block]
    assert len(of_oracles) > 5 and all(block.count("An oracle is no system") == 1 for block in of_oracles)
    assert sum(block.count("An oracle is no system") for block in blocks) == len(of_oracles)
