"""Predictions of one's own on the boards: scored as records are, compared song by song, and never mixed with them."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from common.errors import InputError
from common.verdict.crossed import over_songs
from data_prep import export
from reproductions import leaderboard
from reproductions.leaderboard import predictions
from reproductions.leaderboard.boards import BOARDS, open_board
from tests.conftest import ROOT

RECORDED = [name for name in BOARDS if name != "synthetic"]


@pytest.fixture(scope="module")
def synthetic():
    return open_board("synthetic")


def write(path, lines):
    path.write_text("\n".join(",".join(map(str, line)) for line in lines) + "\n")
    return path


def means(board, scale=0.5):
    """A line for each song: `scale` times the means of its labels."""
    pairs = zip(board.songs, board.labels, strict=True)
    return [["song", "valence", "arousal"], *([song, *(scale * y.mean(0))] for song, y in pairs)]


@pytest.mark.parametrize("name", RECORDED)
def test_all_systems_of_a_board_have_its_songs_and_folds(name):
    board = open_board(name)
    for record in board.records.values():
        header, *lines = export.splits(record)
        table = pd.DataFrame(lines, columns=header)
        for seed, of_run in table.groupby("seed"):
            assert of_run.song.tolist() == board.songs
            assert of_run.part.tolist() == [f"fold {k}" for k in board.folds[seed]]
        if board.times:
            for run in record["runs"]:
                assert run["songs"][board.board.split]["frames"] == [len(times) for times in board.times]
    assert set(board.board.against) <= set(board.records)


def test_a_system_without_folds_is_an_error(tmp_path):
    for system in BOARDS["4q"].systems:
        path = tmp_path / "jakubik2017" / "4q" / f"{system}.json"
        content = json.loads((ROOT / "results" / path.relative_to(tmp_path)).read_text())
        if system == "majority":
            content["runs"][1].pop("fold")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"majority\.json: has runs without folds"):
        open_board("4q", results=tmp_path)


@pytest.mark.parametrize("name", ["emomusic", "emomusic_45s", "mediaeval2015"])
def test_the_labels_of_a_board_are_those_of_its_records(name, real_root):
    board = open_board(name, str(real_root))
    assert all(y.shape == (len(times), 2) for y, times in zip(board.labels, board.times, strict=True))
    moments = np.array(board._run["songs"][board.board.split]["moments"])
    np.testing.assert_allclose([y.var(0) for y in board.labels], moments[..., 2], atol=1e-5)


def test_other_labels_are_an_error(synthetic, monkeypatch):
    other = open_board("synthetic")
    monkeypatch.setattr(other, "_run", json.loads(json.dumps(other._run)))
    other._run["songs"]["cross-validation"]["moments"][3][0][0] += 0.01
    with pytest.raises(InputError, match="labels of song 4 are not those of the records"):
        _ = other.labels


def test_a_reference_is_on_the_boards_whose_songs_and_folds_it_has(synthetic):
    boards = [*map(open_board, RECORDED), synthetic]
    shown = {board.name: leaderboard.references(board) for board in boards}
    assert {name for name, own in shown.items() if own} == {"emomusic", "mediaeval2015", "emotify", "4q"}
    assert {reference["source"] for own in shown.values() for reference in own} == {"musicnn2019"}


@pytest.mark.parametrize(("variant", "outcomes"), [("descriptors_svr", ["undecided"] * 2), ("ridge", ["worse"] * 2)])
def test_recorded_predictions_score_as_recorded(tmp_path, variant, outcomes):
    """Those of another system as an entry: the same numbers, and no difference from itself on any song."""
    board = open_board("emotify")
    lines = [["seed", "song", *board.targets]]
    for run in board.records[variant]["runs"][:3]:
        lines += [[run["seed"], song, *row] for song, row in zip(board.songs, run["predictions"], strict=True)]
    entry = leaderboard.score(board, write(tmp_path / "entry.csv", lines), "Again")
    for again, run in zip(entry["runs"], board.records[variant]["runs"], strict=False):
        assert again["metrics"] == run["metrics"]
    of_both = of_network, of_svr = leaderboard.differences(board, [entry])
    assert [of["outcome"] for of in of_both] == outcomes and of_svr["runs"] == 3
    assert of_network["low"] < of_network["difference"] < of_network["high"] and of_network["difference"] < 0
    if variant == "descriptors_svr":
        assert of_svr["difference"] == of_svr["low"] == of_svr["high"] == 0


def test_recorded_classes_score_as_recorded(tmp_path):
    board = open_board("4q")
    run = board.records["semantic_embedding_gru_svm"]["runs"][0]
    lines = [["song", "class", "fold"]]
    for song, number, fold in zip(board.songs, run["predicted"]["10-fold"], run["fold"], strict=True):
        lines.append([song, board.targets[number], fold])
    entry = leaderboard.score(board, write(tmp_path / "classes.csv", lines), "Again")
    assert entry["runs"][0]["metrics"] == run["metrics"]


def test_a_value_a_song_is_the_same_as_at_each_time(synthetic, tmp_path):
    one = leaderboard.score(synthetic, write(tmp_path / "one.csv", means(synthetic)), "x")
    lines = [["time_s", "arousal", "song", "valence"]]
    for song, y, times in zip(synthetic.songs, synthetic.labels, synthetic.times, strict=True):
        valence, arousal = 0.5 * y.mean(0)
        lines += [[time, arousal, song, valence] for time in times]
    each = leaderboard.score(synthetic, write(tmp_path / "each.csv", lines[:1] + lines[:0:-1]), "x")
    assert each["runs"] == one["runs"]


def test_the_template_filled_with_the_labels_is_perfect(synthetic, tmp_path, capsys):
    header, *lines = predictions.template(synthetic)
    values = np.concatenate(synthetic.labels)
    filled = [[*line[:4], *value] for line, value in zip(lines, values, strict=True)]
    beyond = [[*filled[0][:3], 45, 0, 0]]  # a label of the clip that the board does not test
    entry = leaderboard.score(synthetic, write(tmp_path / "all.csv", [header, *filled, *beyond]), "Labels")
    metrics = entry["runs"][0]["metrics"]["cross-validation"]
    assert metrics["r2_pooled"] == {"valence": 1, "arousal": 1, "average": 1} and metrics["mae_pooled"]["average"] == 0
    assert "does not test, left out: 1" in capsys.readouterr().err
    first = leaderboard.ranking(synthetic, [entry])[0]
    assert (first["system"], first["r2_pooled arousal"]) == ("Labels", 1)
    assert {row["outcome"] for row in leaderboard.differences(synthetic, [entry])} == {"better"}


def test_an_interval_over_songs_is_that_of_a_mean():
    """The jackknife of a mean is its standard error."""
    values = np.random.default_rng(0).standard_normal(30)
    without = [np.delete(values, i).mean() for i in range(30)]
    of = over_songs(values.mean(), without)
    low, high = stats.t.interval(0.95, 29, values.mean(), stats.sem(values))
    np.testing.assert_allclose([of.mean - of.half_width(0.95), of.mean + of.half_width(0.95)], [low, high])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[:-1], "seed 0: song 40 of 40 missing"),
        (lambda t: t[:-3], "song 38 and 2 more of 40 missing"),
        (lambda t: [*t, t[3]], "line 42, column song: song 3, seed 0 stands in line 4 too"),
        (lambda t: [*t, [41, 0, 0]], "line 42, column song: '41' is none of the 40 songs"),
        (lambda t: [*t[:2], [2, "nan", 0], *t[3:]], "line 3, column valence: 'nan' is not a finite number"),
        (lambda t: [*t[:2], [2, 0, ""], *t[3:]], "line 3, column arousal: '' is not a finite number"),
        (lambda t: [*t[:2], [2, 0, 6.1], *t[3:]], r"line 3, column arousal: 6.1 is far outside of the scale \[-1, 1\]"),
        (lambda t: [*t[:2], [2, 0], *t[3:]], "line 3: has 2 fields, not 3"),
        (lambda t: [["song", "valence"], *(row[:2] for row in t[1:])], "has no column 'arousal'"),
        (lambda t: [[*row, 0] for row in t], "column '0' means nothing here"),
        (lambda t: [[*row, row[1]] for row in t], "column 'valence' is there twice"),
        (lambda t: [[*t[0], "seed"], *([*row, 3] for row in t[1:])], "line 2, column seed: no folds of 3 are recorded"),
        (lambda t: [[*t[0], "seed"], *([*row, -1] for row in t[1:])], "column seed: '-1' is not a whole number"),
        (lambda t: [[*t[0], "fold"], *([*row, 11] for row in t[1:])], "line 2, column fold: song 1 is tested in fold"),
        (lambda t: [[*t[0], "time_s"], *([*row, 1.2] for row in t[1:])], "time_s: 1.2 is not the time of a label"),
        (lambda t: [[*t[0], "time_s"], *([*row, 1] for row in t[1:])], "song 1: has no prediction at 1.5 s"),
        (lambda t: t[:1], "holds no predictions"),
        (lambda t: [], "has no column 'song'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(synthetic, tmp_path, change, message):
    path = write(tmp_path / "p.csv", change(means(synthetic)))
    with pytest.raises(InputError, match=message) as raised:
        predictions.read(path, synthetic)
    assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)


def test_values_of_another_scale_are_doubtful(synthetic, tmp_path, capsys):
    """Those in [0, 1] may be right, as the mean of the training songs is; a word says so."""
    header, *lines = means(synthetic)
    for shift, doubtful in ((1, True), (0, False)):
        shifted = [[song, *((value + shift) / (1 + shift) for value in values)] for song, *values in lines]
        predictions.read(write(tmp_path / "p.csv", [header, *shifted]), synthetic)
        assert ("no value is negative" in capsys.readouterr().err) == doubtful


def test_files_that_are_no_tables(synthetic, tmp_path):
    (tmp_path / "p.csv").write_bytes(b"song,valence\xff\n")
    for path in (tmp_path / "p.csv", tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match="cannot be read as a table in UTF-8"):
            predictions.read(path, synthetic)


def run(*arguments):
    return leaderboard.main([str(argument) for argument in arguments])


def test_command(tmp_path, capsys):
    """Add, show, refuse a second one of the name, remove; the board of records stays as it is."""
    board, folder = open_board("emotify"), tmp_path / "mine"
    lines = [["song", *board.targets], *([song, *y] for song, y in zip(board.songs, board.labels, strict=True))]
    path = write(tmp_path / "p.csv", lines)
    options = ("emotify", "--folder", folder)
    assert run(*options, "--add", path, "--name", "An Oracle (1)", "--source", "https://a.b/c") == 0
    assert [file.relative_to(folder).as_posix() for file in folder.rglob("*.json")] == ["emotify/an_oracle_1.json"]
    out = capsys.readouterr().out
    assert re.search(r"An Oracle \(1\) +1\.000 +1 +https://a.b/c, 20", out) and "better" in out
    assert run(*options, "--add", path, "--name", "an oracle 1") == 2
    assert "is there already" in capsys.readouterr().err
    assert run(*options, "--json") == 0
    content = json.loads(capsys.readouterr().out)["emotify"]
    assert [row["system"] for row in content["ranking"][:2]] == ["An Oracle (1)", "MusiCNN, ridge regression"]
    assert [row["system"] for row in content["differences"][:2]] == 2 * ["An Oracle (1)"]
    assert run(*options, "--remove", "an oracle 1") == 2  # of which the file would have the same name
    assert "is the entry 'An Oracle (1)', not 'an oracle 1'" in capsys.readouterr().err
    assert run(*options, "--remove", "An Oracle (1)") == 0 and not list(folder.rglob("*.json"))
    assert run(*options, "--remove", "An Oracle (1)") == 2
    assert run("--folder", folder) == 0
    assert all(f"{name}: " in capsys.readouterr().out for name in RECORDED[:1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nine"], "nine: no such board; there are emomusic"),
        (["--add", "a.csv", "--remove", "b"], "--add and --remove: one at a time"),
        (["--name", "b"], "--name: names the system"),
        (["--add", "a.csv", "--results", str(ROOT / "tests")], "no such record, which the board emomusic shows"),
        (["emotify", "--add", __file__], "cannot be read as a table"),
        (["--remove", "//"], "needs letters or digits"),
        (["--remove", "+"], "--name '+': needs letters or digits"),
        (["--remove", "+_-"], "needs letters or digits"),
        (["--remove", 300 * "x"], "is too long for the name of a file"),
        (["emotify", "--template", __file__], "no earlier output"),
    ],
)
def test_bad_options(arguments, message, capsys):
    assert run(*arguments) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1


def test_labels_need_a_data_root(tmp_path, capsys):
    board = open_board("emomusic")
    path = write(tmp_path / "p.csv", [["song", "valence", "arousal"], *([song, 0, 0] for song in board.songs)])
    assert run("--add", path, "--folder", tmp_path / "mine") == 2
    assert "no data root: give --data-root" in capsys.readouterr().err and not (tmp_path / "mine").exists()


def test_nothing_of_synthetic_music_is_kept(synthetic, tmp_path, capsys):
    path = write(tmp_path / "p.csv", means(synthetic))
    assert run("synthetic", "--add", path, "--folder", tmp_path / "mine") == 0
    assert "p " in capsys.readouterr().out and not (tmp_path / "mine").exists()


def test_an_entry_of_other_folds_is_refused(tmp_path, synthetic):
    entry = leaderboard.score(synthetic, write(tmp_path / "p.csv", means(synthetic)), "Mine")
    leaderboard.add(tmp_path, entry)
    assert leaderboard.entries(tmp_path, synthetic) == [entry]
    entry["runs"][0]["fold"][0] += 1
    (tmp_path / "synthetic" / "mine.json").write_text(json.dumps(entry))
    with pytest.raises(InputError, match=r"mine\.json: is of other songs or folds"):
        leaderboard.entries(tmp_path, synthetic)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entry: entry.pop("source"), "'source' is a required property"),
        (lambda entry: entry.update(name=3), "name: 3 is not of type 'string'"),
        (lambda entry: entry["facts"].pop("tracks"), "is of other songs or folds than the board, or"),
        (lambda entry: entry["runs"].clear(), "runs: "),
        (lambda entry: entry["runs"][0].pop("fold"), "is of other songs or folds than the board, or"),
        (lambda entry: entry["runs"].append(entry["runs"][0]), "two of its runs have the same seed"),
        (lambda entry: entry["runs"][0].update(seed=7), "is of other songs or folds"),
        (lambda entry: entry["runs"][0]["metrics"].clear(), "the run of seed 0 has no r2_pooled of arousal"),
        (lambda entry: entry["runs"][0].pop("songs"), "the run of seed 0 has no 'songs'"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(tmp_path, synthetic, change, message):
    entry = leaderboard.score(synthetic, write(tmp_path / "p.csv", means(synthetic)), "Mine")
    change(entry)
    (tmp_path / "synthetic").mkdir()
    (tmp_path / "synthetic" / "mine.json").write_text(json.dumps(entry))
    with pytest.raises(InputError, match=rf"mine\.json: {message}") as raised:
        leaderboard.entries(tmp_path, synthetic)
    assert "remove the file, and add its predictions again" in str(raised.value) and "\n" not in str(raised.value)


def test_entries_whose_names_have_a_plus_are_told_apart(tmp_path, synthetic):
    for number, name in enumerate(["C", "C+", "+C", "mel + ridge", "mel+ridge"], 1):
        path = write(tmp_path / "p.csv", means(synthetic, number / 5))
        leaderboard.add(tmp_path, leaderboard.score(synthetic, path, name))
    own = leaderboard.entries(tmp_path, synthetic)
    judged = leaderboard.differences(synthetic, own)
    assert len({row["difference"] for row in judged if row["target"] == "arousal"}) == 2 * len(own) == 10
    leaderboard.remove(tmp_path, "synthetic", "C+")
    assert {entry["name"] for entry in leaderboard.entries(tmp_path, synthetic)} == {e["name"] for e in own} - {"C+"}


def test_entries_of_one_name_are_told_apart(tmp_path, synthetic):
    """As where a file was copied, and changed by hand."""
    own = [leaderboard.score(synthetic, write(tmp_path / "p.csv", means(synthetic, x)), "Mine") for x in (0.2, 0.9)]
    judged = leaderboard.differences(synthetic, own)
    assert judged == leaderboard.differences(synthetic, own[:1]) + leaderboard.differences(synthetic, own[1:])


def test_the_notebook(tmp_path, monkeypatch, capsys):
    """On synthetic music: its model is better than the mean of the training songs; ten lines fit, predict and write."""
    cells = json.loads((ROOT / "docs" / "leaderboard.ipynb").read_text())["cells"]
    assert all(cell["outputs"] == [] for cell in cells if cell["cell_type"] == "code")
    monkeypatch.chdir(tmp_path)
    names = {}
    for code in ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"):
        exec(compile(code, "leaderboard.ipynb", "exec"), names)
    assert "mel + ridge" in capsys.readouterr().out
    outcomes = {row["target"]: row["outcome"] for row in leaderboard.differences(names["board"], [names["entry"]])}
    assert outcomes["arousal"] == "better" and len(names["table"]) == 40


def test_the_page_lists_all_boards():
    text = (ROOT / "docs" / "leaderboard.md").read_text()
    assert re.findall(r"^\| `([a-z0-9_]+)` \| \d+ ", text, flags=re.M) == list(BOARDS)
    for name in RECORDED:
        board = open_board(name)
        line = re.search(rf"^\| `{name}` \| (\d+) .*? \| seeds? (\d+)(?: to (\d+))? \|", text, flags=re.M)
        assert (int(line[1]), int(line[2]), int(line[3] or 0)) == (len(board.songs), min(board.folds), max(board.folds))
