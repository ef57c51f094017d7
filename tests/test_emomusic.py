import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from common.errors import InputError
from data_prep.dynamic import Recording, align_to_labels
from data_prep.emomusic import ENDS_EARLY, SPLITS, Emomusic
from tests.conftest import EMOMUSIC_RATE as RATE
from tests.conftest import EMOMUSIC_TIMES as TIMES
from tests.conftest import ROOT, emomusic_labels, write_emomusic

CLIPS = {  # where each starts in its song, in seconds, artist, title and split
    2: (36, "Some Band", "Blue", "development"),
    3: (60, "Some Band-Red", "Remix, Live", "evaluation"),
    240: (80, "M-PeX", "Green", "development"),
    1000: (3, "Cooper Trio", "Sax-o-phone", "development"),
}
SONGS = [str(song) for song in CLIPS]


def features_at_labels(data):
    """Of the clips that have a window that ends at every label, the features there."""
    annotations = data.annotations()
    loaded = {song: align_to_labels(annotations[song].times, *have)[1] for song, have in data.features().items()}
    return {song: rows for song, rows in loaded.items() if len(rows) == 61}


@pytest.fixture(scope="session")
def small_emomusic(tmp_path_factory):
    """A data root with four clips."""
    return write_emomusic(tmp_path_factory.mktemp("small_emomusic"), CLIPS)


@pytest.fixture
def root(small_emomusic, tmp_path):
    """A copy of the miniature that a test may break."""
    return shutil.copytree(small_emomusic, tmp_path / "data")


def write_clips(root, **seconds):
    """Whole clips of 45 s, or of the seconds given by song id."""
    folder = root / "emoMusic" / "clips_45seconds"
    folder.mkdir()
    for song in SONGS:
        soundfile.write(folder / f"{song}.wav", np.full(int(seconds.get(song, 45) * RATE), 0.1), RATE)
    return folder


@pytest.fixture(scope="module")
def real(real_root):
    """The real copy, which may lack part of the features and of the audio."""
    if not (real_root / "emoMusic").is_dir() or not (real_root / "DEAM").is_dir():
        pytest.skip("needs emoMusic and DEAM under MER_DATA_ROOT")
    return Emomusic(real_root)


def test_real_labels(real):
    annotations = real.annotations()
    assert len(annotations) == 744 and {split: len(songs) for split, songs in real.splits.items()} == SPLITS
    assert all(np.array_equal(a.times, TIMES) for a in annotations.values())
    values = real.labels.to_numpy()
    assert values.shape == (744 * 61, 2) and list(real.labels.columns) == ["valence", "arousal"]
    np.testing.assert_allclose(values.std(0), (0.2444, 0.2958), atol=1e-4)
    np.testing.assert_allclose((values.min(0), values.max(0)), ((-0.679, -0.772), (0.680, 0.727)), atol=1e-3)
    assert real.songs["genre"].nunique() == 8
    ratings, means = np.array(list(real.ratings().values())), values.reshape(744, 61, 2).mean(1)
    r = np.corrcoef(ratings.T, means.T)[:2, 2:]
    np.testing.assert_allclose(r, ((0.950, 0.570), (0.575, 0.956)), atol=1e-3)  # valence is valence
    averages = real._deam._averages  # the same labels, less the last
    for song, annotation in annotations.items():
        np.testing.assert_allclose(averages[song].values, annotation.values[:60], atol=1e-5)


def test_real_artists(real):
    artists = real.songs["artist"]
    assert artists.nunique() == 393 and artists["238"] == artists["736"] == "Kevin MacLeod"
    assert artists["160"] == artists["232"] == "Advent Chamber Orchestra" and artists["492"] == "M-PeX"
    known = set(artists[real.splits["development"]])
    assert sum(artist in known for artist in artists[real.splits["evaluation"]]) == 67


def test_real_features_and_audio(real):
    have, whole = real.features(), features_at_labels(real)
    assert len(have) >= 629 and len(whole) == len(have) - 3 and set(ENDS_EARLY) == set(have) - set(whole)
    assert {rows.shape for rows in whole.values()} == {(61, 260)}
    assert len(real.tracks) == 744 and not [p.text for p in real.validate() if not p.missing]


def test_small_copy(small_emomusic):
    data = Emomusic(small_emomusic)
    assert data.splits == {"development": ["2", "240", "1000"], "evaluation": ["3"]}
    assert list(data.annotations()) == SONGS and list(data.annotations("evaluation")) == ["3"]
    for song, annotation in data.annotations().items():
        np.testing.assert_array_equal(annotation.times, TIMES)
        np.testing.assert_allclose(annotation.values, emomusic_labels(int(song)), atol=1e-6)
    assert data.labels.shape == (4 * 61, 2) and data.labels.index.names == ["song id", "time"]
    np.testing.assert_array_equal(list(data.ratings().values()), [[3, 6], [4, 7], [5, 8], [6, 9]])
    assert list(data.songs["artist"]) == ["Some Band", "Some Band", "M-PeX", "Cooper Trio"]
    assert list(data.songs["title"])[1:] == ["Remix, Live", "Green", "Sax-o-phone"]
    assert [(track.id, track.artist, track.genre) for track in data.tracks][2] == ("240", "M-PeX", "Blues")
    texts = [problem.text for problem in data.validate()]
    assert len(texts) == 2 and "labels of 3 of 619 development clips and 1 of 125 evaluation clips" in texts[0]
    with pytest.raises(InputError, match="--allow-missing"):
        data.require()
    assert len(data.require(allow_missing=True)) == 2 and "1000 songs" in data.cite()


def test_the_window_ends_at_the_label(small_emomusic):
    data = Emomusic(small_emomusic)
    assert list(data.features()) == SONGS and list(data.features(["3", "4"])) == ["3"]
    loaded = features_at_labels(data)
    assert list(loaded) == ["2", "3", "1000"]  # 240 has no window for its last label
    for rows in loaded.values():
        assert rows.shape == (61, 260) and rows.dtype == np.float32
        np.testing.assert_allclose(rows[:, 0], TIMES - 1)
    assert data.features()["240"][0][-1] == 43.5


def test_whole_clips_are_preferred_to_cuts(root):
    cuts = root / "DEAM" / "audio_30s-40s"
    data = Emomusic(root)
    assert data.audio_kind == "10 s of each song, transcoded (flac)"
    assert data.recordings(["2"]) == {"2": Recording(cuts / "2.flac", 30.0)}
    clips = write_clips(root)
    data = Emomusic(root)
    assert data.recordings(SONGS)["2"] == Recording(clips / "2.wav", 0.0) and data.audio_kind == "transcoded (wav)"
    assert len(data.require(allow_missing=True)) == 1
    (clips / "3.wav").unlink()
    data = Emomusic(root)
    assert data.recordings(SONGS)["2"] == Recording(cuts / "2.flac", 30.0)
    assert data.recordings(["2"])["2"].start_s == 0
    clips.rename(root / "DEAM" / "MEMD_audio")
    assert Emomusic(root).recordings(["2"])["2"] == Recording(root / "DEAM" / "MEMD_audio" / "2.wav", 0.0)


def test_without_deam(root):
    shutil.rmtree(root / "DEAM")
    data = Emomusic(root)
    texts = [problem.text for problem in data.require(allow_missing=True)]
    assert data.features() == features_at_labels(data) == {} and data.audio_kind == "none"
    assert "audio of 0 of the 4 clips with labels" in texts[1] and "features of 0 of the 4 clips" in texts[2]
    write_clips(root)
    assert len(Emomusic(root).tracks) == 4


def test_annotations_are_read_from_a_zip(small_emomusic, root):
    shutil.make_archive(root / "emoMusic" / "annotations", "zip", root / "emoMusic", "annotations")
    shutil.rmtree(root / "emoMusic" / "annotations")
    assert Emomusic(root).labels.equals(Emomusic(small_emomusic).labels)


def test_fingerprint_tells_copies_apart(root):
    loaded = {Emomusic(root).fingerprint}
    assert Emomusic(root).fingerprint in loaded
    annotations = root / "emoMusic" / "annotations"
    for path, old, new in (
        (annotations / "arousal_cont_average.csv", "\n2,-", "\n2,"),
        (annotations / "songs_info.csv", "Trio", "Duo"),
        (annotations / "static_annotations.csv", "\n2,6", "\n2,5"),
        (root / "DEAM" / "features" / "2.csv", "\n50;14;", "\n50;15;"),
    ):
        edit(path, lambda text, old=old, new=new: text.replace(old, new, 1))
        loaded.add(Emomusic(root).fingerprint)
    assert len(loaded) == 5


def edit(path, change):
    text = path.read_text()
    assert change(text) != text
    path.write_text(change(text))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: re.sub(r",[^,]+(?=\n)", "", t), "song 2 has 60 labels instead of 61"),
        (lambda t: re.sub(r"\n", ",0.1\n", t).replace(",0.1", ",sample_45500ms", 1), "song 2 has 62 labels instead of"),
        (lambda t: re.sub(r"(\n3,.*),[^,\n]+", r"\1,", t), "song 3 has 60 labels instead of 61"),
        (lambda t: re.sub(r"(\n3,.*),[^,\n]+", r"\1,nan", t), "song 3 has 60 labels instead of 61"),
        (lambda t: re.sub(r"\n3,[^,]+", "\n3,NaN", t), r"song 3 at 15\.5 s: .* follows a gap"),
        (lambda t: re.sub(r"\n3,[^,]+", "\n3,1.01", t), r"song 3 at 15\.0 s: 1\.01 is outside \[-1, 1\]"),
        (lambda t: re.sub(r"\n3,[^,]+", "\n3,inf", t), r"song 3 at 15\.0 s: inf is outside"),
        (lambda t: re.sub(r"\n3,[^,]+", "\n3,0.1.2", t), "cannot be read as a table of numbers"),
        (lambda t: t.replace("\n3,", "\nthree,"), "cannot be read as a table of numbers"),
        (lambda t: t.replace("\n3,", "\n2,"), "song 2 has two rows"),
        (lambda t: t.replace("sample_15500ms", "sample_15400ms"), "its columns are not"),
        (lambda t: re.sub(r"\n3,[^\n]+", "", t), "song 3 is only in one of this and"),
        (lambda t: "", "cannot be read as a table of numbers"),
    ],
)
def test_faults_in_the_labels(root, change, message):
    edit(root / "emoMusic" / "annotations" / "arousal_cont_average.csv", change)
    with pytest.raises(InputError, match=r"/arousal_cont_average\.csv: " + message):
        Emomusic(root).require(allow_missing=True)


def test_labels_without_a_song(root):
    for name in ("valence", "arousal"):
        edit(root / "emoMusic" / "annotations" / f"{name}_cont_average.csv", lambda text: text.splitlines()[0])
    with pytest.raises(InputError, match=r"valence_cont_average\.csv: holds no songs"):
        Emomusic(root).require(allow_missing=True)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("songs_info", lambda t: t.replace("Mediaeval 2013 set", "set"), "has no column 'Mediaeval 2013 set'"),
        ("songs_info", lambda t: t.replace("evaluation", "test"), "line 3, song 3: set 'test' is not development or"),
        ("songs_info", lambda t: t.replace("\n3,", "\n2,"), "line 3, song 2: has a second line"),
        ("songs_info", lambda t: t.replace('"M-PeX', 'M,"PeX'), "line 4: has 9 fields, not 8"),
        ("songs_info", lambda t: re.sub(r"\n3,[^\n]*", "", t), "has no song 3, which has labels"),
        ("songs_info", lambda t: "", "is empty"),
        ("static_annotations", lambda t: t.replace("mean_valence", "valence"), "has no column 'mean_valence'"),
        ("static_annotations", lambda t: t.replace("\n3,7", "\n3,9.5"), r"song 3, mean_arousal: 9\.5 is not from 1 to"),
        ("static_annotations", lambda t: t.replace("\n3,7", "\n3,nan"), "song 3, mean_arousal: nan is not from 1 to 9"),
        ("static_annotations", lambda t: t.replace("\n3,7", "\n3,high"), "cannot be read as a table of numbers"),
        ("static_annotations", lambda t: t.replace("\n3,", "\n2,"), "song 2 has two rows"),
        ("static_annotations", lambda t: re.sub(r"\n3,[^\n]*", "", t), "has no song 3, which has labels"),
        ("static_annotations", lambda t: "", "cannot be read as a table of numbers"),
    ],
)
def test_faults_in_the_other_tables(root, name, change, message):
    edit(root / "emoMusic" / "annotations" / f"{name}.csv", change)
    with pytest.raises(InputError, match=rf"/{name}\.csv: " + message):
        Emomusic(root).require(allow_missing=True)


def test_a_song_without_labels(root):
    edit(root / "emoMusic" / "annotations" / "songs_info.csv", lambda t: t + t.splitlines()[1].replace("2,", "9,", 1))
    with pytest.raises(InputError, match=r"arousal_cont_average\.csv: has no song 9, which is in .*songs_info\.csv"):
        Emomusic(root).require(allow_missing=True)


@pytest.mark.parametrize("name", ["valence_cont_average", "arousal_cont_average", "songs_info", "static_annotations"])
def test_a_file_that_is_not_there(root, name):
    (root / "emoMusic" / "annotations" / f"{name}.csv").unlink()
    with pytest.raises(InputError, match=rf"{name}\.csv: no such file; get it from https://cvml.*emoMusic"):
        Emomusic(root).require(allow_missing=True)


def test_a_folder_that_is_not_there(root):
    shutil.rmtree(root / "emoMusic" / "annotations")
    with pytest.raises(InputError, match=r"emoMusic/annotations/\w+\.csv: no such file"):
        Emomusic(root).require(allow_missing=True)
    shutil.rmtree(root / "emoMusic")
    with pytest.raises(InputError, match=r"has no folder emoMusic/; get emomusic from https"):
        Emomusic(root)


def test_clips_without_features_are_an_error(root):
    write_clips(root)
    for song in ("3", "240"):
        (root / "DEAM" / "features" / f"{song}.csv").unlink()
    data = Emomusic(root)
    text = "features of 2 of the 4 clips with labels (not 3, 240); get the others with DEAM's features.zip"
    assert any(text in problem.text and problem.missing for problem in data.validate())
    with pytest.raises(InputError, match="emomusic lists them"):
        data.require()
    assert list(features_at_labels(data)) == ["2", "1000"]


@pytest.mark.parametrize(("song", "kept", "message"), [("2", 60, "60 of its 61"), ("240", 59, "59 of its 61")])
def test_too_few_windows(root, song, kept, message):
    edit(root / "DEAM" / "features" / f"{song}.csv", lambda text: "\n".join(text.splitlines()[: 1 + kept]))
    with pytest.raises(InputError, match=rf"DEAM: features of song {song} have windows that end at {message}"):
        Emomusic(root).require(allow_missing=True)


def test_a_clip_that_is_cut_off(root):
    cut = root / "DEAM" / "audio_30s-40s" / "3.flac"
    soundfile.write(cut, np.zeros(9 * RATE), RATE)
    with pytest.raises(InputError, match=r"3\.flac: lasts 9\.0 s instead of at least 9\.9 s"):
        Emomusic(root).require(allow_missing=True)
    clips = write_clips(root, **{"3": 44.5})
    with pytest.raises(InputError, match=r"3\.wav: lasts 44\.5 s instead of at least 45 s"):
        Emomusic(root).require(allow_missing=True)
    (clips / "3.wav").write_bytes(b"no audio")
    with pytest.raises(InputError, match=r"3\.wav"):
        Emomusic(root).require(allow_missing=True)


def test_on_the_command_line(root):
    command = [sys.executable, "-m", "data_prep", "emomusic", "--data-root", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and "emomusic is not complete" in done.stderr, done.stderr
    assert "emomusic: audio of 4 of 744 tracks, 10 s of each song, transcoded (flac)" in done.stdout
    (root / "emoMusic" / "annotations" / "arousal_cont_average.csv").unlink()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and done.stderr.startswith("error: ") and "no such file" in done.stderr
