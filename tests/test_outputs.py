"""Commands replace nothing but their own earlier output, and one odd name or file loses no other's result."""

import csv
import json
import os
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
import soundfile

from common.errors import InputError
from common.files import require_writable, write_atomically
from common.folders import contents, identity
from common.outputs import require_distinct, require_output, require_output_folder
from common.prediction import names, printable
from common.recordings import HIDDEN, OTHER, REPEATED, recordings
from tests import loudness
from tests.conftest import AS_ROOT, ROOT

RATE = 8000
LATIN1 = os.fsdecode(b"Stra\xdfe.wav")  # "Straße.wav" in ISO-8859-1: no UTF-8
ODD = (LATIN1, "a$b^$_{.wav", "音楽.wav", "two\nlines\x1b[31m.wav", "#1 – ½.wav", "-- <&>'\".wav")


def write(path, seed=0, seconds=1.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:  # soundfile takes no name that is no UTF-8
        soundfile.write(
            file, 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE)), RATE, format="WAV"
        )
    return path


@pytest.fixture
def songs(tmp_path):
    """Three recordings in a folder of their own."""
    for n in (1, 2, 3):
        write(tmp_path / "songs" / f"{n}.wav", n)
    return tmp_path / "songs"


def command(folder, *arguments, **environment):
    """The command of `tests.loudness` in a process of its own."""
    call = [sys.executable, "-m", "tests.loudness", str(folder), *map(str, arguments)]
    return subprocess.run(call, cwd=ROOT, capture_output=True, env=os.environ | environment)


def said(stderr):
    """The lines on standard error, the progress bar aside."""
    return [line for line in stderr.splitlines() if line and not line.startswith("loudness:")]


# What exists is not replaced.


@pytest.mark.parametrize("option", ["--csv", "--json"])
def test_the_first_song_is_not_replaced(songs, capsys, option):
    """`--csv *.wav`: the shell's list begins with the output."""
    before = {path: path.read_bytes() for path in songs.iterdir()}
    assert loudness.main(songs.parent, option, *sorted(songs.iterdir())) == 2
    assert "1.wav: exists, and is no earlier output of this command" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in songs.iterdir()} == before


@pytest.mark.parametrize(
    ("option", "name"), [("--csv", "mine.csv"), ("--json", "mine.json"), ("--plot", "mine.png"), ("--plot", "mine.svg")]
)
def test_an_output_replaces_its_own_kind_only(songs, capsys, option, name):
    path = songs.parent / name
    for _ in range(2):
        assert loudness.main(songs.parent, songs, option, path) == 0, capsys.readouterr().err
    own = path.read_bytes()
    path.write_bytes(b"")
    assert loudness.main(songs.parent, songs, option, path) == 0 and path.read_bytes() == own
    path.write_bytes(b"name,telephone\n")
    assert loudness.main(songs.parent, songs, option, path) == 2 and path.read_bytes() == b"name,telephone\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"a live recording, and more\n"),
        ("table.csv", b"recording,artist\na.wav,somebody\n"),
        ("mine.json", b'{"sha256": "recording,", "about": "mer-reproductions"}'),
    ],
)
def test_what_looks_a_little_like_an_output_is_not_replaced(songs, capsys, name, content):
    path = songs.parent / name
    path.write_bytes(content)
    for option in ("--csv", "--json"):
        assert loudness.main(songs.parent, songs, option, path) == 2 and path.read_bytes() == content


def test_a_song_is_no_output_whatever_it_holds(songs, capsys):
    song = songs / "1.wav"
    song.write_bytes(b"recording,loudness,warning\n")
    assert loudness.main(songs.parent, song, songs / "2.wav", "--csv", song) == 2
    assert "is one of the files that are read" in capsys.readouterr().err and song.stat().st_size == 27


def test_every_recording_has_a_jams_file_of_its_own(songs, capsys):
    folder = songs.parent / "jams"
    files = [write(songs.parent / name, seed) for seed, name in enumerate(("x/a.wav", "y/a.flac", "a-2.wav"), 7)]
    assert loudness.main(songs.parent, *files, "--jams", folder) == 0, capsys.readouterr().err
    assert len(list(folder.iterdir())) == 3
    assert loudness.main(songs.parent, *files, "--jams", folder) == 0  # its own output
    assert loudness.main(songs.parent, *files, "--jams", folder, "--csv", folder / "a.jams") == 2


def test_links_pipes_and_folders_are_not_replaced(tmp_path):
    mine = write(tmp_path / "mine.wav")
    (tmp_path / "link.csv").symlink_to(mine)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link.csv", "pipe", "."):
        with pytest.raises(InputError):
            require_output(tmp_path / name, b"recording,")
    with pytest.raises(InputError, match="not a regular file"):
        require_output(ROOT / os.devnull, b"recording,")


def test_a_link_to_an_earlier_output_stays_a_link(tmp_path):
    (tmp_path / "real.csv").write_text("recording,x\n")
    (tmp_path / "link.csv").symlink_to("real.csv")
    require_output(tmp_path / "link.csv", b"recording,")
    write_atomically(tmp_path / "link.csv", b"recording,y\n")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "real.csv").read_text() == "recording,y\n"


def test_two_outputs_need_two_files(tmp_path, songs):
    (tmp_path / "link").symlink_to("songs")
    with pytest.raises(InputError, match="two outputs"):
        require_distinct([songs / "x", tmp_path / "link" / ".." / "songs" / "x"])
    for other in ("--json", "--jams"):
        assert loudness.main(tmp_path, songs, "--csv", tmp_path / "x", other, tmp_path / "x") == 2
        assert not (tmp_path / "x").exists()


def test_folders_of_outputs(tmp_path):
    folder = tmp_path / "out"
    require_output_folder(folder, "index", b"mark")
    folder.mkdir()
    require_output_folder(folder, "index", b"mark")
    (folder / "NOTICE.txt").write_text("mine")
    with pytest.raises(InputError, match="no earlier output"):
        require_output_folder(folder, "index", b"mark")
    (folder / "index").write_text("with a mark")
    require_output_folder(folder, "index", b"mark")


def test_other_commands_replace_nothing_of_the_users(tmp_path, capsys):
    from data_prep import __main__ as data_prep
    from reproductions.mediaeval2015_baseline import train
    from reproductions.site import build

    for name in ("index.html", "NOTICE.txt"):
        (tmp_path / name).write_text("mine")
    assert build.main(["--out", str(tmp_path)]) == 2
    assert train.main(["--weights", str(tmp_path), "--variant", "linear_regression"]) == 2
    records = tmp_path / "records"
    mine = tmp_path / "out" / "velankar2022" / "4q" / "crnn" / "splits.csv"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    (records / "velankar2022").mkdir(parents=True)
    (records / "velankar2022" / "4q").symlink_to(ROOT / "results" / "velankar2022" / "4q")
    assert data_prep.main(["export", "--results", str(records), "--out", str(tmp_path / "out")]) == 2
    assert mine.read_text() == (tmp_path / "index.html").read_text() == (tmp_path / "NOTICE.txt").read_text() == "mine"


def test_a_folder_that_can_be_made_is_not_made(tmp_path):
    require_writable(tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        require_writable(tmp_path / "file" / "a")


# What is in a folder is used or named.


def test_links_are_followed_once(tmp_path):
    write(tmp_path / "far" / "inside.wav", 1)
    folder = write(tmp_path / "songs" / "one.wav").parent
    (folder / "linked").symlink_to(tmp_path / "far")
    (folder / "loop").symlink_to(folder)
    (folder / "linked.wav").symlink_to(folder / "one.wav")
    (folder / "nowhere.wav").symlink_to(folder / "gone.wav")
    (folder / "round.wav").symlink_to(folder / "round.wav")
    listed = contents(folder)
    assert {path.name for path in listed.files} == {"one.wav", "inside.wav", "nowhere.wav", "round.wav"}
    assert {path.name for path in listed.repeated} == {"loop", "linked.wav"}


def test_all_that_is_in_a_folder_is_used_or_named(songs, capsys):
    for name in (".DS_Store", "._1.wav", "cover.jpg", "notes.txt", "broken.ogg"):
        (songs / name).write_bytes(b"x")
    write(songs / "4.WAV", 4)
    (songs / ".git").mkdir()
    selected = recordings([str(songs)])
    assert [path.name for path in selected.paths] == ["1.wav", "2.wav", "3.wav", "4.WAV", "broken.ogg"]
    assert [path.name for path in selected.left_out[HIDDEN]] == [".DS_Store", "._1.wav", ".git"]
    assert [path.name for path in selected.left_out[OTHER]] == ["cover.jpg", "notes.txt"]
    out = songs.parent / "p.json"
    assert loudness.main(songs.parent, songs, "--json", out) == 1
    printed = capsys.readouterr()
    assert "left out: 3 hidden (.DS_Store, ._1.wav, .git); 2 not recordings by their names (cover" in printed.out
    assert "broken.ogg: cannot be" in printed.err
    assert json.loads(out.read_text())["left_out"][OTHER] == [str(songs / "cover.jpg"), str(songs / "notes.txt")]


def test_one_recording_under_two_names_is_predicted_once(songs, capsys):
    os.link(songs / "1.wav", songs / "hard.wav")
    (songs.parent / "soft.wav").symlink_to(songs / "2.wav")
    names_ = [songs / "1.wav", songs / "." / "1.wav", f"{songs}/../songs/1.wav", songs.parent / "soft.wav", songs]
    selected = recordings(list(map(str, names_)))
    assert [path.name for path in selected.paths] == ["1.wav", "soft.wav", "3.wav"]
    assert {path.name for path in selected.left_out[REPEATED]} == {"1.wav", "2.wav", "hard.wav"}


def test_an_empty_folder_does_not_lose_the_others(songs, capsys):
    (songs.parent / "empty").mkdir()
    assert loudness.main(songs.parent, songs.parent / "empty", songs) == 1
    printed = capsys.readouterr()
    assert "empty: holds no recording" in printed.err and "1 of 4" in printed.err and "3.wav" in printed.out


@pytest.mark.skipif(os.geteuid() == 0, reason=AS_ROOT)
def test_a_folder_that_may_not_be_read_is_named(songs):
    (songs / "locked").mkdir(mode=0)
    assert list(recordings([str(songs)]).failed) == [songs / "locked"]


def test_identity_of_what_does_not_exist(tmp_path):
    name = "Été.wav"
    forms = [tmp_path / unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    assert len({identity(path) for path in [*forms, tmp_path / "." / name]}) == 1


# Odd names, encodings, ends.


def test_odd_names_lose_nothing(tmp_path, capsys, recwarn):
    for n, name in enumerate(ODD):
        write(tmp_path / "odd" / name, n)
    out = [tmp_path / f"p.{kind}" for kind in ("csv", "json", "svg")]
    arguments = ["--csv", out[0], "--json", out[1], "--plot", out[2]]
    assert loudness.main(tmp_path, tmp_path / "odd", *arguments) == 0, capsys.readouterr().err
    given = sorted(str(tmp_path / "odd" / name) for name in ODD)
    assert sorted(one["recording"] for one in json.loads(out[1].read_text(encoding="utf-8"))["recordings"]) == given
    rows = list(csv.DictReader(out[0].open(encoding="utf-8", newline="")))
    expected = [name.encode("utf-8", "backslashreplace").decode() for name in given]
    assert sorted(row["recording"] for row in rows) == sorted(expected)
    printed = capsys.readouterr().out
    assert "Stra\\udcdfe.wav" in printed and "two\\nlines\\x1b[31m.wav" in printed and "音楽.wav" in printed
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_odd_names_in_every_kind_of_picture(tmp_path, suffix):
    from xml.etree import ElementTree

    from common.prediction import Prediction
    from common.report import plots

    path, over_time = tmp_path / f"p.{suffix}", Prediction(np.zeros((4, 2)), 3.0, 3.0, np.arange(4.0))
    plots.predictions({tmp_path / "".join(ODD): over_time}, ["a^$", "$b_{"], path, "a title with $^$", (-1, 1))
    if suffix == "svg":
        ElementTree.parse(path)
    assert path.stat().st_size


def test_names_are_shown_in_one_line(tmp_path):
    assert printable("é") == "é" and printable("a\u202eb\n") == "a\\u202eb\\n"
    assert names([tmp_path / "a" / "x", tmp_path / "b" / "x", tmp_path / "y"])[tmp_path / "y"] == "y"


@pytest.mark.parametrize("encoding", ["cp1252", "iso-8859-1", "ascii", "utf-8"])
def test_every_encoding_of_the_output(songs, encoding):
    write(songs / "музыка.wav")
    write(songs / LATIN1)
    done = command(songs.parent, songs, "--csv", songs.parent / "p.csv", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert b"1.wav" in done.stdout and b"udcdf" in done.stdout and (songs.parent / "p.csv").is_file()


def test_nobody_reads_on(songs):
    """`| head`: files are written, and there is no message."""
    reading, writing = os.pipe()
    os.close(reading)
    call = [sys.executable, "-m", "tests.loudness", songs.parent, songs, "--csv", songs.parent / "p.csv"]
    done = subprocess.run(list(map(str, call)), cwd=ROOT, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.returncode == 141 and not said(done.stderr.decode()) and (songs.parent / "p.csv").is_file()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_under_the_screen(songs):
    outputs = ["--json", songs.parent / "p.json", "--plot", songs.parent / "p.png"]
    call = [sys.executable, "-m", "tests.loudness", songs.parent, songs, *outputs]
    with open("/dev/full", "w") as full:
        done = subprocess.run(list(map(str, call)), cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and said(done.stderr) == ["error: output: No space left on device"]
    assert (songs.parent / "p.json").is_file() and (songs.parent / "p.png").is_file()


def test_a_closed_output(songs):
    call = f"{sys.executable} -m tests.loudness {songs.parent} {songs} --csv {songs.parent / 'p.csv'} >&-"
    done = subprocess.run(call, shell=True, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0 and "Traceback" not in done.stderr and (songs.parent / "p.csv").is_file()


def test_a_copy_is_left_out(songs, capsys):
    (songs / "copy of 1.wav").write_bytes((songs / "1.wav").read_bytes())
    assert loudness.main(songs.parent, songs, "--csv", songs.parent / "p.csv") == 0
    assert len((songs.parent / "p.csv").read_text().splitlines()) == 4
    assert f"1 {REPEATED} (copy of 1.wav)" in capsys.readouterr().out


def test_a_full_disk_under_one_output(songs, monkeypatch, capsys):
    from common.predict import command as prediction

    def full(path, content):
        if path.suffix == ".csv":
            raise InputError(f"{path.parent}: cannot be written (No space left on device); choose another folder")
        write_atomically(path, content)

    monkeypatch.setattr(prediction, "write_atomically", full)
    out = songs.parent
    assert loudness.main(out, songs, "--csv", out / "p.csv", "--json", out / "p.json", "--plot", out / "p.png") == 2
    printed = capsys.readouterr()
    assert "No space left" in printed.err and "3.wav" in printed.out
    assert (out / "p.json").is_file() and (out / "p.png").is_file() and not (out / "p.csv").exists()
