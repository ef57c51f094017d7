import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import soundfile

from common import audio
from common.errors import InputError
from common.files import cache_folder
from data_prep.deam import DEVELOPMENT, EVALUATION, Deam
from data_prep.deam.annotations import DYNAMIC, LABEL_SOURCES
from data_prep.deam.features import FEATURES
from data_prep.dynamic import Recording, align_to_labels
from tests.conftest import ROOT, deam_labels

SONGS = ["3", "24", "39", "1005", "1006", "2001", "2002"]


@pytest.fixture(scope="module")
def real(real_root):
    """The real copy, which may lack part of the features and of the audio."""
    if not (real_root / "DEAM").is_dir() or not (real_root / "MediaEval2015").is_dir():
        pytest.skip("needs DEAM and the labels of MediaEval 2015 under MER_DATA_ROOT")
    return Deam(real_root)


def values(annotations):
    return np.concatenate([annotation.values for annotation in annotations.values()])


def test_real_labels(real):
    assert real.splits == {"development": DEVELOPMENT, "evaluation": EVALUATION}
    deviations = {"task": (0.352, 0.330), "deam": (0.2485, 0.291), "repaired": (0.318, 0.361)}  # valence, arousal
    for source, deviation in deviations.items():
        loaded = values(real.annotations("development", source))
        assert loaded.shape == (25860, 2) and np.abs(loaded).max() <= 1
        np.testing.assert_allclose(loaded.std(0), deviation, atol=6e-4)
    evaluation = real.annotations("evaluation")
    assert len(values(evaluation)) == 25355  # 25,359 of arousal and 25,358 of valence
    assert (min(len(a.times) for a in evaluation.values()), max(len(a.times) for a in evaluation.values())) == (
        68,
        1223,
    )
    assert real.labels.shape == (25860 + 25355, 2) and list(real.labels.columns) == ["valence", "arousal"]


def test_real_features(real):
    labels = {song: a for split in real.splits for song, a in real.annotations(split).items()}
    for split, songs, frames in (("development", 260, 15600), ("evaluation", 17, 7547)):
        have = real.features(real.splits[split])
        assert len(have) >= songs
        if len(have) == songs:
            loaded = {song: align_to_labels(labels[song].times, *have[song]) for song in have}
            assert sum(len(rows) for _, rows in loaded.values()) == frames == sum(len(labels[s].times) for s in have)
    assert not [p.text for p in real.validate() if not p.missing]


@pytest.mark.parametrize("song", ["3", "24", "1478", "1866", "2016", "2020"])
def test_real_clock_of_features_and_audio(real, song):
    """The energy of the audio follows that of the official features best where their clocks agree."""
    recording = real.recordings(DEVELOPMENT + EVALUATION)[song]
    samples, rate = audio.load(recording.path)
    frames = samples[: len(samples) // (rate // 50) * (rate // 50)].reshape(-1, rate // 50)
    energy = np.sqrt((frames**2).mean(1))
    seconds = np.arange(0, len(energy) / 50 - 1.01, 0.5)
    means = np.array([energy[int(50 * s) : int(50 * s) + 50].mean() for s in seconds])
    official = real.features()[song][1][:, FEATURES.index("pcm_RMSenergy_sma_amean")]
    fits = {}
    for shift in (-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2):
        at = recording.start_s + seconds + shift
        there = (at >= real.features()[song][0][0]) & (at <= real.features()[song][0][-1])
        index, rows = align_to_labels(at[there], real.features()[song][0], official, "starts_at_label")
        fits[shift] = np.corrcoef(means[there][index], rows)[0, 1]
    assert max(fits, key=fits.get) == 0 and fits[0] > 0.98


def test_split_of_mediaeval_2015():
    for split in (DEVELOPMENT, EVALUATION):
        assert [int(song) for song in split] == sorted({int(song) for song in split})
    assert [sum(first < int(song) <= first + 1000 for song in DEVELOPMENT) for first in (0, 1000)] == [195, 236]
    assert [str(song) for song in range(2001, 2059)] == EVALUATION
    assert Deam.n_tracks == 489


def test_feature_names():
    assert len(FEATURES) == len(set(FEATURES)) == 260
    assert FEATURES[:2] == ["F0final_sma_stddev", "F0final_sma_amean"]
    assert FEATURES[130] == "F0final_sma_de_stddev" and FEATURES[-1] == "pcm_fftMag_mfcc_sma_de[14]_amean"


def test_small_copy(small_deam):
    data = Deam(small_deam)
    assert data.splits == {"development": SONGS[:5], "evaluation": SONGS[5:]} and data.has_task_labels
    assert [track.id for track in data.tracks] == SONGS and data.audio_kind == "transcoded (wav)"
    assert [track.artist for track in data.tracks] == ["An Artist"] * 3 + ["Some Band", None, "A Singer", None]
    assert data.labels.shape == (5 * 60 + 70 + 66, 2) and data.labels.index.names == ["song id", "time"]
    assert data.recordings(["3"]) == {"3": Recording(small_deam / "DEAM" / "MEMD_audio" / "3.wav", 0.0)}
    assert len(data.extractors()) == 2 and "PLoS ONE" in data.cite()
    texts = [problem.text for problem in data.validate() if problem.missing]
    assert len(texts) == 3 == len(data.validate())
    assert "features of 5 of 431 development songs and 2 of 58 evaluation songs" in texts[1]
    with pytest.raises(InputError, match="--allow-missing"):
        data.require()
    data.require(allow_missing=True)


def test_labels_are_those_that_were_written(small_deam):
    """Every label of every song: valence first, in the order of time, on the scale of the files."""
    data = Deam(small_deam)
    for split, n_songs in (("development", 5), ("evaluation", 2)):
        annotations = data.annotations(split, "deam")
        assert len(annotations) == n_songs
        for song, labels in annotations.items():
            written = deam_labels(int(song), 15 + 0.5 * np.arange(len(labels.values)))
            np.testing.assert_allclose(labels.values, written, atol=1e-6)
            np.testing.assert_array_equal(labels.times, 15 + 0.5 * np.arange(len(written)))


def test_label_sources(small_deam):
    data = Deam(small_deam)
    task, deam, repaired = (data.annotations("development", source) for source in LABEL_SOURCES)
    for song in SONGS[:5]:
        np.testing.assert_array_equal(task[song].times, 15 + 0.5 * np.arange(60))
        np.testing.assert_allclose(repaired[song].values, deam[song].values, atol=1e-5)
        assert np.allclose(task[song].values, deam[song].values, atol=1e-5) == (int(song) <= 1000)
    arousal, valence = (data.annotations("evaluation", source)["2001"].values for source in ("task", "deam"))
    assert len(arousal) == 70 and np.array_equal(arousal, valence)  # the 71st label is arousal's alone
    assert data.annotations("evaluation")["2001"].times[-1] == 49.5


def test_features_are_on_the_clock_of_the_labels(small_deam):
    data = Deam(small_deam)
    features = data.features()
    assert list(features) == SONGS and list(data.features(["3", "4", "2001"])) == ["3", "2001"]
    assert data.features([]) == {}
    for song, n in {"3": 91, "24": 80, "39": 65, "1005": 88, "1006": 89, "2001": 99, "2002": 95}.items() - {
        ("24", 80),
        ("39", 65),
    }:
        assert features[song][1].shape == (n, 260), song
    for start_s, rows in features.values():
        assert (start_s.dtype, rows.dtype) == (np.float64, np.float32)
        np.testing.assert_allclose(rows[:, 0], start_s)
    for annotation, (start_s, rows) in zip(data.annotations("development").values(), features.values(), strict=False):
        index, loaded = align_to_labels(annotation.times, start_s, rows)
        np.testing.assert_array_equal(index, np.arange(60))
        np.testing.assert_allclose(loaded[:, 0], annotation.times - 1)
    start_s, rows = features["1005"]
    index, loaded = align_to_labels(np.arange(15, 45, 0.5), start_s, rows, "starts_at_label")
    assert len(index) == 58 and loaded[0, 0] == 15 and loaded[-1, 0] == 43.5
    assert len(align_to_labels(np.array([0.5, 99.0, 15.2]), start_s, rows)[0]) == 0


def test_zips_are_read_as_folders_are(small_deam, broken_deam):
    for part, name in (("annotations", "DEAM_Annotations"), ("features", "features"), ("metadata", "metadata")):
        shutil.make_archive(broken_deam / name, "zip", broken_deam, part)
        shutil.rmtree(broken_deam / part)
    first, second = Deam(small_deam), Deam(broken_deam.parent)
    np.testing.assert_array_equal(first.labels.to_numpy(), second.labels.to_numpy())
    for song in SONGS:
        np.testing.assert_array_equal(first.features()[song][1], second.features()[song][1])
    path = broken_deam / "features.zip"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"features\.zip: cannot be read as a zip"):
        Deam(broken_deam.parent).features()


def test_parsed_features_are_cached(broken_deam, capsys):
    whole = Deam(broken_deam.parent).features()
    capsys.readouterr()
    entry = cache_folder() / "features" / "deam" / f"{Deam(broken_deam.parent)._features.key}.npy.sha256"
    assert len(Deam(broken_deam.parent).features()) == 7 and capsys.readouterr().err == ""
    entry.write_bytes(entry.read_bytes()[:-1] + b"?")
    again = Deam(broken_deam.parent).features()
    assert "damaged cache entry" in capsys.readouterr().err
    np.testing.assert_array_equal(again["3"][1], whole["3"][1])
    metadata = broken_deam / "metadata" / "metadata_2013.csv"
    metadata.write_text(metadata.read_text().replace("0.36", "0.35"))
    np.testing.assert_allclose(Deam(broken_deam.parent).features()["3"][1][0, 0], -1)  # not the cached clock


def test_fingerprint_follows_all_that_is_used(broken_deam):
    loaded = {Deam(broken_deam.parent).fingerprint}
    assert Deam(broken_deam.parent).fingerprint in loaded
    for path in (
        broken_deam / "annotations" / DYNAMIC / "arousal.csv",
        broken_deam.parent / "MediaEval2015" / "dev_valence.csv",
        broken_deam / "features" / "1005.csv",
    ):
        lines = path.read_text().splitlines()
        lines[1] = re.sub(r"\d(?=\D*$)", lambda digit: str(9 - int(digit[0])), lines[1])
        path.write_text("\n".join(lines))
        loaded.add(Deam(broken_deam.parent).fingerprint)
    track = broken_deam / "MEMD_audio" / "3.wav"
    track.write_bytes(track.read_bytes() + b"\0")
    assert len({*loaded, Deam(broken_deam.parent).fingerprint}) == 5


def test_without_the_labels_of_the_task(broken_deam):
    (broken_deam.parent / "MediaEval2015" / "dev_arousal.csv").unlink()
    data = Deam(broken_deam.parent)
    assert not data.has_task_labels and data.splits["development"] == SONGS[:5]
    assert "has no dev_arousal.csv, the task's labels" in data.validate()[0].text and data.validate()[0].missing
    np.testing.assert_array_equal(data.labels.to_numpy()[:60], data.annotations("development", "deam")["3"].values)
    with pytest.raises(InputError, match=r"dev_arousal\.csv: no such file"):
        data.annotations("development")


def test_without_features_or_audio(broken_deam):
    (broken_deam / "features" / "24.csv").unlink()
    shutil.rmtree(broken_deam / "MEMD_audio")
    data = Deam(broken_deam.parent)
    texts = [problem.text for problem in data.require(allow_missing=True)]
    assert any("features of 4 of 431 development songs" in text for text in texts)
    assert any("audio of 0 of 431 development songs" in text for text in texts) and data.audio_kind == "none"
    shutil.rmtree(broken_deam / "features")
    assert Deam(broken_deam.parent).features() == {}


def edit(path, change):
    path.write_text(change(path.read_text()))


def shorten(text):
    return "\n".join(text.splitlines()[:60])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("pcm_zcr_sma_amean", "zcr_amean", 1), "has no column 'pcm_zcr_sma_amean'"),
        (lambda t: t.replace("pcm_zcr_sma_amean;", "", 1), "has no column 'pcm_zcr_sma_amean'"),
        (lambda t: t.replace(";F0final_sma_stddev", ";more;F0final_sma_stddev", 1), "has other columns"),
        (lambda t: re.sub(r"\n1;1;[^;]+", "\n1;1;nan", t), r"line 4, column 'F0final_sma_amean': nan is not"),
        (lambda t: re.sub(r"\n1;1;[^;]+", "\n1;1;-inf", t), r"line 4, column 'F0final_sma_amean': -inf is not"),
        (lambda t: re.sub(r"\n1;1;[^;]+", "\n1;1;loud", t), "cannot be read as a table of numbers"),
        (lambda t: re.sub(r"\n1;1;[^;]+", "\n1;1", t), "cannot be read as a table of numbers"),
        (lambda t: t.replace("\n1;1;", "\n7.5;1;", 1), r"line 5: frameTime does not ascend"),
        (shorten, "has windows that end at 31 of the 60 labels of song 1005"),
        (lambda t: t.splitlines()[0], "has no rows of 261 numbers"),
        (lambda t: "", "has no column 'frameTime'"),
    ],
)
def test_faults_in_a_feature_file(broken_deam, change, message):
    edit(broken_deam / "features" / "1005.csv", change)
    with pytest.raises(InputError, match=r"features/1005\.csv: " + message):
        Deam(broken_deam.parent).require(allow_missing=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: re.sub(r"\n24,[^,]+", "\n24,1.5", t), r"song 24 at 15\.0 s: 1\.5 is outside"),
        (lambda t: re.sub(r"\n24,[^,]+", "\n24,-inf", t), r"song 24 at 15\.0 s: -inf is outside"),
        (lambda t: re.sub(r"\n24,[^,]+", "\n24,", t), r"song 24 at 15\.5 s: .* follows a gap"),
        (lambda t: re.sub(r"\n24,[^,]+", "\n24,low", t), "cannot be read as a table of numbers"),
        (lambda t: re.sub(r"\n24,[^\n]+", "", t), "song 24 is only in one of this and"),
        (lambda t: re.sub(r"(\n24,.*),[^,\n]+", r"\1,", t), "song 24 has 59 labels instead of 60"),
        (lambda t: t.replace("\n39,", "\n24,"), "song 24 has two rows"),
        (lambda t: t.replace("sample_15500ms", "sample_15400ms"), "its columns are not"),
        (lambda t: t.replace("song_id", "id"), "its columns are not"),
        (lambda t: t.replace("\n3,", "\n3,0,"), "its columns are not|cannot be read as a table"),
        (lambda t: "", "cannot be read as a table of numbers"),
    ],
)
@pytest.mark.parametrize("place", ["task", "deam"])
def test_faults_in_the_labels(broken_deam, place, change, message):
    path = broken_deam / "annotations" / DYNAMIC / "arousal.csv"
    if place == "task":
        path = broken_deam.parent / "MediaEval2015" / "dev_arousal.csv"
    edit(path, change)
    if place == "task" and message.endswith("60"):
        edit(path, lambda text: re.sub(r",+(?=\n)", "", text))
    with pytest.raises(InputError, match=r"arousal\.csv.*: .*(" + message + ")"):
        Deam(broken_deam.parent).require(allow_missing=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("0.36", "soon"), "line 2, song 3: start 'soon' is not minutes.seconds"),
        (lambda t: t.replace("0.36", "0.75"), r"line 2, song 3: start '0\.75' is not"),
        (lambda t: t.replace("0.36", ""), "line 2, song 3: start '' is not"),
        (lambda t: t.replace('"\t0.36', 'more,"\t0.36'), "line 2, song 3: has 8 fields instead of 7"),
        (lambda t: t.replace("start of", "begin of"), r"has no column 'start of the segment \(min\.sec\)'"),
        (lambda t: re.sub(r"\n3,[^\n]*", "", t), "has no line for song 3 with its start"),
        (lambda t: "", "is empty"),
    ],
)
def test_faults_in_the_starts(broken_deam, change, message):
    edit(broken_deam / "metadata" / "metadata_2013.csv", change)
    with pytest.raises(InputError, match=r"metadata_2013\.csv: " + message):
        Deam(broken_deam.parent).features()


def test_a_wrong_start_leaves_no_window(broken_deam):
    edit(broken_deam / "metadata" / "metadata_2013.csv", lambda text: text.replace("0.36", "9.36"))
    with pytest.raises(InputError, match=r"features/3\.csv: has no window within the excerpt"):
        Deam(broken_deam.parent).features()
    shutil.rmtree(broken_deam / "metadata")
    with pytest.raises(InputError, match=r"metadata_2013\.csv: has no line for song 3 with its start"):
        Deam(broken_deam.parent).features()


@pytest.fixture
def cuts(broken_deam):
    """Ten seconds of each song, and the excerpt of song 3 alone; returns the folder of the cuts."""
    folder = broken_deam / "audio_30s-40s"
    folder.mkdir()
    for path in (broken_deam / "MEMD_audio").iterdir():
        samples, rate = audio.load(path)
        soundfile.write(folder / f"{path.stem}.flac", samples[30 * rate : 40 * rate], rate)
        if path.stem != "3":
            path.unlink()
    (folder / "offsets.csv").write_text("song_id,start_s,duration_s\n" + "".join(f"{s},30.0,10.0\n" for s in SONGS))
    return folder


def test_cuts_stand_in_for_whole_audio(cuts):
    data = Deam(cuts.parents[1])
    assert data.audio_kind == "10 s of each song, transcoded (flac)"
    assert data.recordings(SONGS)["3"] == Recording(cuts / "3.flac", 30.0)
    assert data.recordings(["3"])["3"].start_s == 0
    assert [track.path.suffix for track in data.tracks] == [".flac"] * 7
    assert any("10 s of each song, not all of it" in p.text for p in data.require(allow_missing=True))


def test_faults_in_the_cuts(cuts):
    offsets, root = cuts / "offsets.csv", cuts.parents[1]
    samples, rate = soundfile.read(cuts / "24.flac")
    soundfile.write(cuts / "24.flac", samples[: 9 * rate], rate)
    (cuts / "39.flac").unlink()
    problems = Deam(root).validate()
    assert [p.text for p in problems if "1 of 7 entries have no file (39)" in p.text and p.missing]
    faults = [p.text for p in problems if not p.missing]
    assert len(faults) == 1 and re.search(r"24\.flac: lasts 9\.0 s", faults[0])
    text = offsets.read_text()
    for changed, message in (
        (text.replace("1005,30.0,10.0\n", ""), r"1005\.flac: has no entry in .*offsets\.csv"),
        (text.replace("1005,30.0", "1005,half"), r"offsets\.csv: line 5: does not give"),
        (text.replace("start_s", "start"), r"offsets\.csv: line 2: does not give"),
        (text.replace("1005,30.0", "1005,nan"), r"offsets\.csv: line 5: does not give .*nan s"),
        (text.replace("1005,30.0", "1005,-1"), r"offsets\.csv: line 5: does not give .*-1 s"),
        (text + "1005,20.0,10.0\n", r"offsets\.csv: line 9: does not give .*second line"),
    ):
        offsets.write_text(changed)
        with pytest.raises(InputError, match=message):
            Deam(root).recordings(SONGS)
    shutil.copytree(cuts, cuts.parent / "more cuts")
    with pytest.raises(InputError, match="several folders have an offsets"):
        Deam(root).recordings(SONGS)


@pytest.mark.slow
def test_on_the_command_line(small_deam):
    command = [sys.executable, "-m", "data_prep", "deam", "--data-root", str(small_deam)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and "deam is not complete" in done.stderr, done.stderr
    assert "deam: audio of 7 of 489 tracks, transcoded (wav)" in done.stdout
    assert "features of 5 of 431 development songs and 2 of 58 evaluation songs" in done.stdout


def test_zip_member_that_is_damaged(broken_deam):
    shutil.make_archive(broken_deam / "features", "zip", broken_deam, "features")
    shutil.rmtree(broken_deam / "features")
    path = broken_deam / "features.zip"
    content = bytearray(path.read_bytes())
    place = zipfile.ZipFile(path).getinfo("features/1005.csv").header_offset + 200
    content[place : place + 50] = bytes(50)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"features\.zip/features/1005\.csv: cannot be read"):
        Deam(broken_deam.parent).features()
