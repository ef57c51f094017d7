import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import soundfile

from common import audio
from common.errors import InputError
from data_prep.base import VALENCE_AROUSAL
from data_prep.fourq import QUADRANTS, FourQ
from tests.conftest import ROOT

RATE = 4000
SHORT = "MT0013621344"  # lasts 10 s in the distribution
SONGS = {  # quadrant, artist, title and genres
    "MT0000000001": ("Q3", "Eddie Heywood", "Blue", "Jazz"),
    "MT0000000002": ("Q3", "Eddie Heywood and His Orchestra", 'Blue, "Live"', "Jazz; Vocal"),
    "MT0000000003": ("Q1", "", "Red", "Rap"),
    "MT0000000004": ("Q1", "", "Green", "Rap"),
    "MT0000000005": ("Q2", "Earth; Wind & Fire", "White", "Pop/Rock"),
    SHORT: ("Q4", "Céline Dion", "Grey", "Vocal"),
}


def write(path, seconds, seed):
    """Noise of its own."""
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE)), RATE)


@pytest.fixture(scope="session")
def small_fourq(tmp_path_factory):
    """A data root with six excerpts in 4Q's layout."""
    root = tmp_path_factory.mktemp("small_fourq")
    folder, annotations, metadata = root / "4Q", ["Song,Quadrant"], ["Song,Artist,Title,Quadrant,PQuad,GenresStr"]
    folder.mkdir()
    for number, (song, (quadrant, artist, title, genres)) in enumerate(SONGS.items()):
        write(folder / quadrant / f"{song}.wav", 10.1 if song == SHORT else 26, number)
        title = title.replace('"', '""')
        annotations.append(f"{song},{quadrant}")
        metadata.append(f'{song},{artist},"{title}",{quadrant},0.75,{genres}')
    (folder / "panda_dataset_taffc_annotations.csv").write_text("\n".join(annotations) + "\n")
    (folder / "panda_dataset_taffc_metadata.csv").write_text("\n".join(metadata) + "\n")
    return root


@pytest.fixture
def root(small_fourq, tmp_path):
    """A copy of the miniature that a test may break."""
    return shutil.copytree(small_fourq, tmp_path / "data")


@pytest.fixture(scope="module")
def real(real_root):
    if not (real_root / "4Q").is_dir():
        pytest.skip("needs 4Q under MER_DATA_ROOT")
    return FourQ(real_root)


def test_real_copy_is_as_distributed(real):
    assert real.validate() == [] and len(real.tracks) == 900
    assert real.labels["class"].value_counts().to_dict() == dict.fromkeys(real.classes, 225)
    assert [track.id for track in real.tracks] == list(real.labels.index) == sorted(real.labels.index)
    assert all(track.path.parent.name == real.quadrants[track.id] for track in real.tracks)
    signs = np.array([VALENCE_AROUSAL[name] for name in real.labels["class"]])
    assert not signs.sum(0).any() and (np.abs(signs) == 1).all()


def test_real_artists(real):
    artists = set(real.metadata["Artist"])
    assert len(artists) == 662 and "" in artists
    assert sum(track.artist is None for track in real.tracks) == 3
    groups = Counter(real.groups)
    assert len(groups) == 656 and groups.most_common(2) == [("Steven Halpern", 12), ("Billie Holiday", 10)]
    of = dict(zip(real.labels.index, real.groups, strict=True))
    for one, other in (("MT0000523076", "MT0000941301"), ("MT0002161109", "MT0033415296")):
        assert of[one] == of[other]  # one recording
    assert not real.metadata.duplicated(["Artist", "Title"]).any()


def test_real_lengths(real):
    seconds = np.array([audio.duration(track.path) for track in real.tracks])
    assert np.sort(seconds)[:3].round(2).tolist() == [10.08, 10.08, 25.57] and seconds.max() < 30.2
    frames = 1 + (seconds * 22050 // 1024).astype(int)  # of a hop of 1,024 samples at 22,050 Hz, centred
    assert (frames < 640).sum() == 143 and (frames == 218).sum() == 2


def test_small_copy(small_fourq):
    data = FourQ(small_fourq)
    assert [track.id for track in data.tracks] == list(data.labels.index) == list(SONGS)
    assert data.labels["class"].tolist() == ["sad", "sad", "happy", "happy", "angry", "relaxed"]
    assert data.tracks[1].genre == "Jazz; Vocal" and data.metadata.at["MT0000000002", "Title"] == 'Blue, "Live"'
    assert data.audio_kind == "transcoded (wav)" and data.splits == {} and "Panda" in data.cite()
    missing = data.validate()
    assert len(missing) == 1 and missing[0].missing and "has 2 of Q1, 1 of Q2, 2 of Q3, 1 of Q4" in missing[0].text
    with pytest.raises(InputError, match=r"annotations\.csv: has .* --allow-missing"):
        data.require()
    data.require(allow_missing=True)


def test_classes_are_quadrants():
    assert {q: VALENCE_AROUSAL[name] for q, name in QUADRANTS.items()} == {
        "Q1": (1, 1), "Q2": (-1, 1), "Q3": (-1, -1), "Q4": (1, -1),
    }  # fmt: skip
    assert FourQ.classes == tuple(VALENCE_AROUSAL) == ("happy", "angry", "sad", "relaxed")


def test_the_class_of_a_song_is_that_of_its_quadrant(small_fourq):
    """Valence is positive in Q1 and Q4, arousal in Q1 and Q2."""
    of_quadrant = {"Q1": "happy", "Q2": "angry", "Q3": "sad", "Q4": "relaxed"}
    loaded = FourQ(small_fourq).labels["class"].to_dict()
    assert loaded == {song: of_quadrant[quadrant] for song, (quadrant, *_) in SONGS.items()}


def test_artists_are_groups(small_fourq):
    data = FourQ(small_fourq)
    songs = list(SONGS)
    assert data.groups == ["Eddie Heywood", "Eddie Heywood", *songs[2:4], "Earth; Wind & Fire", "Céline Dion"]
    assert [track.artist for track in data.tracks[2:4]] == [None, None]


def edit(path, change):
    text = path.read_text()
    assert change(text) != text
    path.write_text(change(text))


def tables(root):
    return [root / "4Q" / f"panda_dataset_taffc_{name}.csv" for name in ("annotations", "metadata")]


def test_fingerprint_follows_labels_artists_and_audio(root):
    loaded = [FourQ(root).fingerprint, FourQ(root).fingerprint]
    edit(tables(root)[1], lambda text: text.replace("Céline", "Celine"))
    loaded.append(FourQ(root).fingerprint)
    write(root / "4Q" / "Q1" / "MT0000000003.wav", 26, seed=99)
    loaded.append(FourQ(root).fingerprint)
    for path in tables(root):
        edit(path, lambda text: text.replace("Q1", "Q9").replace("Q2", "Q1").replace("Q9", "Q2"))
    (root / "4Q" / "Q1").rename(root / "4Q" / "Q9")
    (root / "4Q" / "Q2").rename(root / "4Q" / "Q1")
    (root / "4Q" / "Q9").rename(root / "4Q" / "Q2")
    loaded.append(FourQ(root).fingerprint)
    assert len(set(loaded)) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("Quadrant", "Emotion"), "has no column 'Quadrant'"),
        (lambda t: t.replace("0001,Q3", "0001,Q5"), "song MT0000000001: quadrant 'Q5' is not Q1, Q2, Q3, Q4"),
        (lambda t: t.replace("0001,Q3", "0001,"), "song MT0000000001: quadrant '' is not"),
        (lambda t: t.replace("0002,", "0001,"), "line 3: MT0000000001 has a line already"),
        (lambda t: t.replace("0002,", "0002,,"), "line 3: has 3 fields, not 2"),
        (lambda t: t.replace("0002,Q3\n", "0002,Q3\n\n"), "line 4: has 0 fields, not 2"),
        (
            lambda t: t.replace("0002,Q3", "0002,Q1"),
            "song MT0000000002 is missing or in another quadrant than",
        ),
        (
            lambda t: t.replace("MT0000000002,Q3\n", ""),
            "song MT0000000002 is missing or in another quadrant than",
        ),
        (lambda t: "", "is empty"),
    ],
)
def test_faults_in_the_labels(root, change, message):
    edit(tables(root)[0], change)
    with pytest.raises(InputError, match=rf"\.csv: {message}.*; get (it|both) from http"):
        FourQ(root).require(allow_missing=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("Artist", "Band"), "has no column 'Artist'"),
        (lambda t: t.replace('"Red"', "Red, Light"), "line 4: has 7 fields, not 6"),
        (
            lambda t: t.replace(",Q2,", ",Q3,"),
            "song MT0000000005 is missing or in another quadrant than",
        ),
        (lambda t: t.replace("é", "\udce9"), "cannot be read as a table in UTF-8"),
    ],
)
def test_faults_in_the_metadata(root, change, message):
    path = tables(root)[1]
    path.write_bytes(change(path.read_text()).encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=rf"metadata\.csv: {message}.*; get (it|both) from http"):
        FourQ(root).require(allow_missing=True)


def test_absent_members(root):
    data = FourQ(root)
    (root / "4Q" / "Q2" / "MT0000000005.wav").unlink()
    shutil.rmtree(root / "4Q" / "Q1")
    text = "3 of 6 excerpts are missing (Q1/MT0000000003, Q1/MT0000000004, Q2/MT0000000005); get them from http"
    assert any(text in problem.text and problem.missing for problem in data.validate())
    assert [track.id for track in data.tracks] == [*list(SONGS)[:2], SHORT]
    tables(root)[1].unlink()
    with pytest.raises(InputError, match=r"metadata\.csv: no such file; get it from http"):
        FourQ(root).require(allow_missing=True)
    shutil.rmtree(root / "4Q")
    with pytest.raises(InputError, match=r"has no folder 4Q/; get 4q from .*MER_audio_taffc_dataset, named 4Q"):
        FourQ(root)


def test_no_songs(root):
    edit(tables(root)[0], lambda text: text.splitlines()[0])
    with pytest.raises(InputError, match=r"song MT0000000003 is not annotated"):
        FourQ(root).require(allow_missing=True)


def faults(root):
    return [problem.text for problem in FourQ(root).validate() if not problem.missing]


def test_excerpts_that_are_cut_off_or_no_audio(root):
    write(root / "4Q" / "Q1" / "MT0000000003.wav", 25, seed=1)
    (root / "4Q" / "Q1" / "MT0000000004.wav").write_text("no music")
    write(root / "4Q" / "Q4" / f"{SHORT}.wav", 9.9, seed=2)
    one, two, three = faults(root)
    assert "MT0000000003.wav: lasts 25.0 s instead of at least 25.5 s" in one
    assert "MT0000000004.wav: cannot be decoded as audio" in two
    assert f"{SHORT}.wav: lasts 9.9 s instead of at least 10 s" in three
    (root / "4Q" / "Q1" / "MT0000000003.flac").write_text("")
    with pytest.raises(InputError, match="several files for one track"):
        FourQ(root).require(allow_missing=True)


def test_excerpts_in_a_wrong_place(root):
    folder = root / "4Q"
    shutil.copy(folder / "Q1" / "MT0000000003.wav", folder / "Q2")
    (folder / "Q3" / ".DS_Store").write_text("")
    write(folder / "Q3" / "song.wav", 26, seed=1)
    shutil.copy(folder / "Q1" / "MT0000000003.wav", folder / "Q4" / f"{SHORT}.wav")
    wrong, unknown, twice = faults(root)
    assert "Q2/MT0000000003.wav: song MT0000000003 is annotated Q1; remove it" in wrong
    assert "Q3/song.wav: song song is not annotated; remove it" in unknown
    assert f"Q4/{SHORT}.wav: the same recording as " in twice and "Q1/MT0000000003.wav, byte for byte" in twice


def test_on_the_command_line(root):
    command = [sys.executable, "-m", "data_prep", "4q", "--data-root", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and "4q is not complete" in done.stderr, done.stderr
    assert "4q: audio of 6 of 900 tracks, transcoded (wav)" in done.stdout and "cite: Panda" in done.stdout
    done = subprocess.run([*command[:3], "4Q", *command[4:]], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and done.stderr == "error: 4Q: no such data set; did you mean 4q?\n"
