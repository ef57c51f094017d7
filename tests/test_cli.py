"""Commands as a user meets them: help, the board, bad input, the synthetic corpus."""

import json
import os
import subprocess
import sys

import pytest

from common.verdict.board import BOARD_KEYS, load_expected
from common.verdict.claims import KEYS
from reproductions.board import counts, rows
from tests.conftest import PAPERS, ROOT

TRAIN = "reproductions.jakubik2017.train"


def run(module, *arguments, **environment):
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    call = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(call, cwd=environment.pop("CWD", ROOT), env=environment, capture_output=True, text=True)


def fails(done, *told):
    """Exit code 2 and one line that tells all of `told`, besides the progress bar and warnings."""
    lines = [line for line in done.stderr.splitlines() if line and "mirtoolbox-mel:" not in line]
    lines = [line for line in lines if not line.startswith("warning: ")]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1 and lines[0].startswith("error: "), done.stderr
    for part in told:
        assert str(part) in lines[0]


def test_board_as_json():
    board = json.loads(run("reproductions", "--json").stdout)
    mine = [row for row in board if row["paper"] == "jakubik2017"]
    assert {row["cell"] for row in mine} == {
        cell["id"] for cell in load_expected(ROOT / "reproductions" / "jakubik2017" / "expected.json")["cells"]
    } and all(list(row) == BOARD_KEYS for row in board)
    for row in board:
        assert (row["record"] is None) == (row["runs"] == 0)
        assert row["record"] is None or (ROOT / row["record"]).is_file()
    claims = json.loads(run("reproductions", "--claims", "--json").stdout)
    assert claims and all(list(claim) == KEYS for claim in claims)


def test_board_for_people():
    done = run("reproductions")
    assert done.returncode == 0 and "jakubik2017 · Table I" in done.stdout
    assert done.stdout.splitlines()[-1] == counts(rows(ROOT / "results"))


COMMANDS = ("reproductions", "data_prep", "reproductions.verify", *(f"reproductions.{paper}.train" for paper in PAPERS))


@pytest.mark.parametrize("module", COMMANDS)
def test_help_imports_nothing_heavy(module):
    code = f"import runpy, sys; sys.argv = ['x', '--help']\ntry: runpy.run_module('{module}', run_name='__main__')\n"
    code += "except SystemExit: pass\n"
    code += "heavy = {'tensorflow', 'keras', 'jax', 'sklearn', 'pandas', 'matplotlib', 'librosa',"
    code += " 'scipy.fft', 'scipy.special', 'scipy.signal', 'scipy.stats'} & set(sys.modules)\n"
    code += "assert not heavy, heavy"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--data-root" in done.stdout or "--json" in done.stdout


def test_list_marks_the_primary_variants():
    lines = run(TRAIN, "--list").stdout.splitlines()
    primary = [line.split()[0] for line in lines if " primary " in line]
    assert primary == ["semantic_embedding_gru_svr", "standard_gru", "descriptors_svr", "autoencoder_svr"]
    assert any("rater_ceiling" in line for line in lines) and any(" min " in line for line in lines)


def test_list_honours_variant():
    lines = run(TRAIN, "--list", "--variant", "*_300_epochs").stdout.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["standard_gru_300_epochs", "standard_gru_svr_300_epochs"]
    assert not any("rater_ceiling" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--folds", "0"], "--folds"),
        (["--epochs", "-3"], "--epochs"),
        (["--seed", "1000001"], "--seed: 1000001 is above 1,000,000"),
        (["--jobs", "none"], "--jobs"),
        (["--variant", "magic"], "unknown variant 'magic'"),
        (["--data-root", "/nowhere/at/all"], "/nowhere/at/all: no such folder"),
        (["--colour"], "--colour"),
    ],
)
def test_bad_options(arguments, told):
    fails(run(TRAIN, *arguments), told)


@pytest.mark.parametrize(
    ("paper", "variants"),
    [
        ("mediaeval2015_baseline", ()),
        ("musicnn2019", ("--dataset", "4q")),
        ("malik2017", ("--variant", "li2016", "--variant", "crnn_l20_200_epochs")),
        ("jakubik2017", ("--variant", "autoencoder_svr")),
    ],
)
def test_epochs_of_variants_that_keep_theirs_are_no_silent_option(paper, variants):
    fails(run(f"reproductions.{paper}.train", *variants, "--epochs", 3), "--epochs 3: changes none of ")


READERS = ["reproductions", "reproductions verify", "reproductions report", "reproductions leaderboard",
           "reproductions import x --from x", "reproductions.chaki2020.trajectories", "data_prep export"]  # fmt: skip


@pytest.mark.parametrize("command", READERS)
def test_results_folder_that_does_not_exist(command):
    fails(run(*command.split(), "--results", "/nowhere/at/all"), "/nowhere/at/all: no such folder of records")


@pytest.mark.parametrize(
    ("command", "told"),
    [("verify", "no record here answers for a published cell"), ("leaderboard", "has no records of a board")],
)
def test_a_folder_without_records_is_no_success(tmp_path, command, told):
    fails(run("reproductions", command, "--results", str(tmp_path)), told)


def test_damaged_records(tmp_path):
    path = tmp_path / "jakubik2017" / "emotify" / "standard_gru.json"
    path.parent.mkdir(parents=True)
    for content in ("{", '{"settings": {}, "facts": {}, "runs": [{}]}'):
        path.write_text(content)
        fails(run("reproductions", "--results", tmp_path), path)


def test_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    fails(run(TRAIN, "--quick", MER_CACHE=str(tmp_path / "file")), "MER_CACHE")


def test_bad_data_roots(tmp_path):
    fails(run(TRAIN, "--data-root", ""), "no such folder")
    fails(run(TRAIN, "--data-root", tmp_path), tmp_path, "no folder Emotify/", "https://")
    fails(run(TRAIN, MER_DATA_ROOT=str(tmp_path)), tmp_path, "no folder Emotify/")
    fails(run("data_prep", "emotify"), "no data root")
    (tmp_path / "Emotify").mkdir()
    fails(run(TRAIN, "--data-root", tmp_path), "data.csv: no such file")


def test_a_missing_track_is_an_error(small_emotify, tmp_path):
    fails(run(TRAIN, "--data-root", small_emotify, "--out", tmp_path / "out"), "tracks are missing", "--allow-missing")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("content", "told"), [(b"no music", "cannot be"), ("half", ""), (b"", "")])
def test_broken_audio(broken_emotify, tmp_path, content, told):
    path = sorted((broken_emotify / "emotifymusic" / "pop").iterdir())[0]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if content == "half" else content)
    done = run(TRAIN, "--data-root", broken_emotify.parent, "--allow-missing", "--out", tmp_path / "out")
    fails(done, path, told)
    assert not (tmp_path / "out").exists()


def test_silent_audio(broken_emotify, tmp_path):
    import numpy as np
    import soundfile

    path = sorted((broken_emotify / "emotifymusic" / "pop").iterdir())[0]
    path.unlink()
    soundfile.write(path.with_suffix(".wav"), np.zeros(8000 * 60), 8000)
    done = run(TRAIN, "--data-root", broken_emotify.parent, "--allow-missing", "--out", tmp_path / "out")
    fails(done, path.with_suffix(".wav"), "is silent")
    assert not (tmp_path / "out").exists()


def test_results_that_cannot_be_written(small_emotify, tmp_path):
    (tmp_path / "file").write_text("")
    options = ["--data-root", small_emotify, "--allow-missing", "--folds", "2", "--epochs", "1"]
    fails(run(TRAIN, *options, "--out", tmp_path / "file"), "cannot be written")


def test_more_folds_than_songs(small_emotify, tmp_path):
    options = ["--data-root", small_emotify, "--allow-missing", "--folds", "100", "--out", tmp_path / "out"]
    fails(run(TRAIN, *options), "100 folds of 24 songs")
    assert not (tmp_path / "out").exists()


def test_data_prep_lists_what_is_wrong(broken_emotify):
    folder = broken_emotify / "emotifymusic" / "pop"
    sorted(folder.iterdir())[0].write_text("no music")
    done = run("data_prep", "emotify", "--data-root", broken_emotify.parent)
    assert done.returncode == 2 and "listed above" in done.stderr
    assert (
        "376 of 400 tracks are missing" in done.stdout
        and "cannot be" in done.stdout
        and "cite: Aljanaki" in done.stdout
    )


@pytest.mark.slow
def test_data_prep_on_real_recordings(real_root, cache):
    done = run("data_prep", "emotify", "--data-root", real_root)
    assert done.returncode == 0 and "audio of 400 of 400 tracks" in done.stdout and "is complete" in done.stdout


def test_partial_data_say_so(small_emotify, tmp_path, train_here):
    options = ["--data-root", small_emotify, "--allow-missing", "--folds", "2", "--epochs", "1", "--repeats", "2"]
    done = train_here("jakubik2017", *options, "--variant", "standard_gru", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "24 of 400 songs" in done.stdout and "partial" in done.stdout and "reproduced" not in done.stdout
    assert len(list((tmp_path / "jakubik2017" / "emotify" / "figures").glob("*.png"))) == 3

    code = "import sys; from reproductions.jakubik2017 import train; ended = train.main(sys.argv[1:])\n"
    code += "assert ended == 0 and not {'keras', 'tensorflow', 'jax'} & set(sys.modules)"
    command = [sys.executable, "-c", code, *options, "--variant", "standard_gru", "--out", tmp_path]
    again = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr  # nothing is left to train, so no backend is imported
    assert "emotify/figures, of all runs here" in again.stdout


@pytest.mark.slow
def test_one_real_fold_end_to_end(real_root, tmp_path, train_here):
    """All 400 excerpts, real features, a short training: what is learnt is far from chance."""
    options = ["--data-root", real_root, "--folds", "2", "--epochs", "15", "--variant", "semantic_embedding_gru_svr"]
    done = train_here("jakubik2017", *options, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "jakubik2017" / "emotify" / "semantic_embedding_gru_svr.json").read_text())
    facts = record["facts"]
    assert (facts["n_train"], facts["of_train"], facts["n_test"], facts["of_test"]) == (400, 400, 400, 400)
    assert record["runs"][0]["metrics"]["10-fold"]["pearson_r_mean_over_folds"]["average"] > 0.3


@pytest.mark.slow
def test_without_a_data_root_it_runs_on_synthetic_music(train_here):
    """The README's first command: both networks predict better than a mean does; nothing is recorded."""
    done = train_here("jakubik2017")
    assert done.returncode == 0, done.stderr
    assert "numbers are not the paper's" in done.stdout
    networks = ("semantic_embedding_gru_svr", "standard_gru")
    lines = [line.split() for line in done.stdout.splitlines()]
    averages = {line[0]: float(line[-1]) for line in lines if line and line[0] in (*networks, "training_mean")}
    assert averages["training_mean"] == 0
    assert min(averages[name] for name in networks) > 0.2, done.stdout
    assert not list(done.working_folder.iterdir())


@pytest.mark.slow
def test_malik2017_on_synthetic_music(train_here):
    """One run of the default: it predicts songs that it was not trained on better than their own means do."""
    done = train_here("malik2017", "--repeats", 1)
    assert done.returncode == 0, done.stderr
    table = done.stdout.split("rmse_pooled, evaluation")[1].splitlines()
    averages = {line.split()[0]: float(line.split()[-1]) for line in table[2:7]}
    assert averages["crnn_l20"] < min(averages["ridge"], averages["zero"], averages["own_song_mean"]), done.stdout
    assert not list(done.working_folder.iterdir())
