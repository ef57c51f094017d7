"""Model cards of the weights and what a release is named by: numbers are those of the records."""

import json
import re
import shutil

import numpy as np
import pytest
import yaml

from reproductions import __main__ as command
from reproductions import cards, release
from reproductions.board import papers
from tests.conftest import ROOT

RESULTS = ROOT / "results"
WEIGHTS = sorted(path.parent for path in RESULTS.glob("*/weights/weights.json"))


def recorded(facts):
    """Means over the runs of the variant that weights are of, by target."""
    record = json.loads((RESULTS / facts["paper"] / facts["dataset"] / f"{facts['variant']}.json").read_text())
    runs = [run["metrics"][facts["quality"]["split"]][facts["quality"]["metric"]] for run in record["runs"]]
    return {target: np.mean([run[target] for run in runs]) for target in runs[0]}


@pytest.mark.parametrize("folder", WEIGHTS, ids=lambda folder: folder.parent.name)
def test_a_card_has_metadata_whose_numbers_are_recorded(folder):
    facts = json.loads((folder / "weights.json").read_text())
    _, head, text = (folder / "README.md").read_text().split("---\n", 2)
    metadata = yaml.safe_load(head)
    assert metadata["library_name"] == "keras" and metadata["license"] == "other"
    assert (folder / metadata["license_link"]).is_file()
    (model,) = metadata["model-index"]
    (result,) = model["results"]
    assert result["task"].keys() == {"type", "name"} and result["dataset"].keys() == {"type", "name", "split"}
    values = recorded(facts)
    assert [metric["value"] for metric in result["metrics"]] == [
        pytest.approx(values[target], abs=6e-6) for target in facts["quality"]["model"]
    ]
    assert len({metric["name"] for metric in result["metrics"]}) == len(values)
    for target, value in facts["quality"]["model"].items():  # what `predict` prints
        assert value == pytest.approx(values[target], abs=6e-5)
    assert f"reproductions.{facts['paper']}.predict" in text and "non-commercial" in text
    for link in re.findall(r"\]\((?!https?:)([^)]*)\)", text):
        assert (folder / link).exists(), link


def test_the_card_of_published_weights_has_the_recorded_numbers():
    """Of each data set the first metric of ridge regression on the embedding; and the licence of its weights."""
    text = (RESULTS / "musicnn2019" / "weights" / "README.md").read_text().split("## The embedding")[1]
    assert "Licence of the package (ISC)" in text and "trained again by this suite" not in text
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    rows = [line for line in lines if len(line) == 6]
    shown = {(row[0], row[1].split(",")[0], f"{row[2]}, {row[3]}"): row[4] for row in rows}
    for place, variant in {
        ("emomusic", "cross-validation", "r2 pooled, arousal"): "ridge",
        ("emomusic", "evaluation", "r2 pooled, valence"): "ridge_official",
        ("mediaeval2015", "cross-validation", "rmse pooled, arousal"): "ridge",
        ("emotify", "10-fold", "pearson r mean over folds, average"): "ridge",
        ("4q", "10-fold", "accuracy, all"): "ridge",
        ("4q", "test", "accuracy, all"): "ridge_moods",
    }.items():
        dataset, split, (metric, target) = place[0], place[1], place[2].split(", ")
        runs = json.loads((RESULTS / "musicnn2019" / dataset / f"{variant}.json").read_text())["runs"]
        mean = np.mean([run["metrics"][split][metric.replace(" ", "_")][target] for run in runs])
        assert float(shown[place]) == pytest.approx(mean, abs=6e-4)


def test_all_weights_have_a_card():
    assert all((folder / "README.md").is_file() for folder in RESULTS.glob("*/weights"))


def test_no_card_without_the_record_of_its_numbers(tmp_path):
    assert cards.generated(tmp_path, papers()) == {}


def test_the_version_is_the_same_everywhere():
    assert f"\nversion: {release.version()}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\nversion = {release.version()}\n" in (ROOT / "setup.cfg").read_text()


def test_version_names_records_and_weights(tmp_path, capsys):
    shutil.copytree(RESULTS / "velankar2022", tmp_path / "velankar2022")
    assert command.main(["--version", "--results", str(tmp_path)]) == 0
    first = capsys.readouterr().out
    n = len(list((RESULTS / "velankar2022" / "4q").glob("*.json")))
    assert first.startswith(f"mer-reproductions {release.version()}") and f"\nrecords: {n}, SHA-256 " in first
    assert "\nweights of velankar2022: 1 files, SHA-256 " in first
    record = tmp_path / "velankar2022" / "4q" / "crnn.json"
    record.write_text(record.read_text() + "\n")
    command.main(["--version", "--results", str(tmp_path)])
    second = capsys.readouterr().out
    assert [a == b for a, b in zip(first.splitlines(), second.splitlines(), strict=True)] == [True, False, True]
    shutil.copytree(RESULTS / "velankar2022" / "4q", tmp_path / "contributed" / "velankar2022" / "hindi")
    command.main(["--version", "--results", str(tmp_path)])
    assert f"\nrecords: {2 * n}, SHA-256 " in capsys.readouterr().out
