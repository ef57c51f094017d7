import os
import shutil
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
import soundfile

from common.errors import InputError
from common.protocol import k_folds
from data_prep import open_dataset
from data_prep.class_folders import ClassFolders
from tests.conftest import ROOT

RATE = 8000
ARTISTS = {  # empty: not known
    "happy/one.wav": "Singer", "happy/Été.wav": "Duo, The", "romantic/one.wav": "", "romantic/two.wav": "Singer",
    "sad/a b.flac": "", "sad/c.wav": "Band",
}  # fmt: skip


def write(path, seconds=2.0, seed=0):
    """Noise of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE)), RATE)


def write_artists(folder, artists):
    lines = ["file,artist", *(f'{file},"{artist}"' for file, artist in artists.items())]
    (folder / "artists.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture
def songs(tmp_path):
    """A collection of three classes, which a test may break."""
    for number, file in enumerate(ARTISTS):
        write(tmp_path / "data" / "Songs" / file, seed=number)
    (tmp_path / "data" / "Songs" / ".DS_Store").write_text("")
    (tmp_path / "data" / "Songs" / "sad" / "._c.wav").write_text("")
    (tmp_path / "data" / "Songs" / ".git").mkdir()
    return tmp_path / "data" / "Songs"


def opened(songs):
    return ClassFolders(songs.parent, songs.name)


def test_a_collection(songs):
    data = opened(songs)
    assert data.require() == [] and data.name == "Songs" and data.classes == ("happy", "romantic", "sad")
    assert [track.id for track in data.tracks] == list(ARTISTS) and data.n_tracks == 6
    assert data.labels["class"].tolist() == ["happy", "happy", "romantic", "romantic", "sad", "sad"]
    assert list(data.labels.index) == [track.id for track in data.tracks] == data.groups
    assert data.audio_kind == "as collected (flac, wav)" and data.splits == {}


def test_folds_by_artist(songs):
    write_artists(songs, ARTISTS)
    data = opened(songs)
    assert data.require() == [] and {track.id: track.artist or "" for track in data.tracks} == ARTISTS
    of = dict(zip(ARTISTS, k_folds(6, 5, 0, data.groups), strict=True))
    assert of["happy/one.wav"] == of["romantic/two.wav"] and len(set(of.values())) == 5


def test_one_spelling_of_accents(songs):
    write_artists(songs, {unicodedata.normalize("NFD", file): artist for file, artist in ARTISTS.items()})
    assert opened(songs).require() == []


def test_names_that_are_one_or_none(songs):
    """Two spellings of one name are not one recording in silence; a name that is no UTF-8 cannot be in a record."""
    write(songs / "happy" / unicodedata.normalize("NFD", "Été.wav"), seed=9)
    with pytest.raises(InputError, match="in how accents are written only"):
        opened(songs).validate()
    (songs / "happy" / unicodedata.normalize("NFD", "Été.wav")).unlink()
    (songs / "sad" / "c.wav").rename(songs / "sad" / os.fsdecode(b"Stra\xdfe.wav"))
    with pytest.raises(InputError, match=r"sad/Stra\\udcdfe\.wav is not UTF-8"):
        opened(songs).validate()


def test_linked_folders_and_hidden_files(songs, capsys):
    (songs / "sad").rename(songs.parent / "far")
    (songs / "sad").symlink_to(songs.parent / "far")
    (songs / "sad" / "again.wav").symlink_to(songs / "happy" / "one.wav")
    data = opened(songs)
    assert data.classes == ("happy", "romantic", "sad") and "sad/c.wav" in [track.id for track in data.tracks]
    (problem,) = data.validate()
    assert "again.wav: the same recording as" in problem.text
    assert data.left_out() == "left out: 3 hidden (.DS_Store, .git, ._c.wav)"


def test_fingerprint_follows_classes_artists_and_audio(songs):
    found = [opened(songs).fingerprint, opened(songs).fingerprint]
    write_artists(songs, ARTISTS)
    found.append(opened(songs).fingerprint)
    write(songs / "sad" / "c.wav", seed=99)
    found.append(opened(songs).fingerprint)
    (songs / "artists.csv").unlink()
    (songs / "sad").rename(songs / "calm")
    found.append(opened(songs).fingerprint)
    assert len(set(found)) == 4


def no_class(songs):
    for name in ("happy", "romantic", "sad"):
        shutil.rmtree(songs / name)


def one_class(songs):
    for name in ("happy", "romantic"):
        shutil.rmtree(songs / name)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_class, "Songs: has 0 class folders (none), at least 2 are needed"),
        (one_class, "Songs: has 1 class folder (sad), at least 2 are needed"),
        (lambda s: (s / "calm").mkdir(), "Songs/calm: holds 0 recordings, and a class needs 2 or more"),
        (lambda s: write(s / "calm" / "one.wav", seed=9), "Songs/calm: holds 1 recording, and a class needs 2 or more"),
        (lambda s: (s / "sad").rename(s / "Happy "), "the classes 'Happy ' and 'happy' differ in blanks, capitals"),
        (lambda s: (s / "sad" / "cover.jpg").write_text("no music"), "sad/cover.jpg: cannot be decoded as audio"),
        (lambda s: (s / "sad" / "c.wav").write_text(""), "sad/c.wav: cannot be decoded as audio"),
        (lambda s: (s / "sad" / "link.wav").symlink_to("nowhere"), "sad/link.wav: no such file"),
        (lambda s: write(s / "sad" / "c.wav", 0.9), "sad/c.wav: lasts 0.9 s instead of at least 2 s"),
        (lambda s: write(s / "sad" / "c.wav", 0), "sad/c.wav: lasts 0.0 s instead of at least 2 s"),
        (lambda s: write(s / "sad" / "live" / "c.wav"), "sad/live: is a folder in a class folder"),
        (lambda s: write(s / "song.wav"), "song.wav: is outside of the class folders, where only artists.csv"),
        (lambda s: (s / "artist.csv").write_text(""), "artist.csv: is outside of the class folders"),
        (
            lambda s: shutil.copy(s / "happy" / "one.wav", s / "sad" / "another name.wav"),
            "sad/another name.wav: the same recording as {0}/happy/one.wav, byte for byte; keep it in one place",
        ),
    ],
)
def test_faults_in_the_folders(songs, spoil, message):
    spoil(songs)
    problems = opened(songs).validate()
    assert len(problems) == 1 and message.format(songs) in problems[0].text and not problems[0].missing, problems
    with pytest.raises(InputError):
        opened(songs).require(allow_missing=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("artist", "band", 1), r"has no column 'artist' \(but file, band\)"),
        (lambda t: t.replace(",", ";"), "has no column 'file'"),
        (lambda t: t.replace('"Duo, The"', "Duo, The"), r"line 3: has 3 fields, not 2 \(a comma in a field needs"),
        (lambda t: t.replace("sad/c.wav", "happy/one.wav"), "line 7: happy/one.wav has a line already"),
        (lambda t: t.replace("sad/c.wav", "c.wav"), "names c.wav, but there is no such CLASS/FILE"),
        (lambda t: "".join(t.splitlines(True)[:-1]), "has no line for sad/c.wav; add it"),
        (lambda t: t + "sad/d.wav,Band\n", "names sad/d.wav, but there is no such CLASS/FILE; correct"),
        (lambda t: "", "is empty; correct"),
    ],
)
def test_faults_in_the_artists(songs, change, message):
    write_artists(songs, ARTISTS)
    path = songs / "artists.csv"
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=rf"artists\.csv: .*{message}"):
        opened(songs).require()


def test_names(songs):
    root = songs.parent
    assert open_dataset("Songs", root).name == "Songs" and open_dataset("synthetic", None).name == "synthetic"
    for name in ("songs and more", "Songs/sad", "..", ".git", "", str(songs)):
        with pytest.raises(InputError, match=r"neither a data set \(emotify, .* nor the name of a folder in"):
            open_dataset(name, root)
    for synthetic in (None, "synthetic_quadrants"):  # which stands for a data set, not for any folder
        with pytest.raises(InputError, match="no data root"):
            open_dataset("Songs", None, synthetic)
    with pytest.raises(InputError, match="Emotify: no such data set; did you mean emotify"):
        open_dataset("Emotify", root)


@pytest.mark.slow
def test_on_the_command_line(songs):
    command = [sys.executable, "-m", "data_prep", "Songs", "--data-root", str(songs.parent)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "Songs: audio of 6 of 6 tracks, as collected (flac, wav)" in done.stdout
    assert "Songs is complete; labels: class" in done.stdout
    shutil.copy(songs / "happy" / "one.wav", songs / "sad")
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and "sad/one.wav: the same recording as" in done.stdout
