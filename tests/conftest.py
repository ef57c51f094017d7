"""Fixtures: the real data, a cache for the test session, and miniatures of the data sets."""

import importlib
import inspect
import os
import random
import shutil
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from hypothesis import settings

from common import parallel
from tests import made_up

settings.register_profile("default", max_examples=40, derandomize=True, deadline=None)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile("default")
GIVEN_ROOT = os.environ.get("MER_DATA_ROOT")
ROOT = Path(__file__).parents[1]
PER_GENRE = 6
EMOMUSIC_TIMES, EMOMUSIC_RATE = np.arange(15, 45.5, 0.5), 8000  # s, Hz
WITH_WEIGHTS = ("malik2017", "chaki2020", "jakubik2017", "velankar2022", "musicnn2019")
OTHERS = ("cheuk2020", "mediaeval2015_baseline")
ABSENT = [paper for paper in (*WITH_WEIGHTS, *OTHERS) if not (ROOT / "reproductions" / paper).is_dir()]
PAPERS = [paper for paper in WITH_WEIGHTS if paper not in ABSENT]
AS_ROOT = "root may read everything"  # the one reason for which a test is skipped where CI=true


collect_ignore_glob = [f"test_{paper}*.py" for paper in ABSENT]


def pytest_runtest_setup(item):
    """Whoever deletes a paper's folder has green tests: those that name the paper are skipped."""
    text = item.nodeid + inspect.getsource(item.function) if ABSENT else ""
    if absent := [paper for paper in ABSENT if paper in text]:
        pytest.skip(f"reproductions/{absent[0]} is absent")


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup():
    """Each fixture draws the same random numbers, whichever ran before. Keras takes its seeds from `random`."""
    random.seed(0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call():
    """Each test draws the same random numbers, so that none fails once in a thousand runs."""
    random.seed(0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where CI=true nothing may be missing: a skipped test fails there, but for what root cannot test."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        if not reason.endswith(AS_ROOT):
            report.outcome, report.longrepr = "failed", f"{path}:{line}: {reason} (CI=true: nothing may be skipped)"
    return report


@pytest.fixture(scope="session", autouse=True)
def new_cache(tmp_path_factory):
    """Makes a cache without trained networks, with the features that tests have extracted so far, in any process."""
    from data_prep.synthetic import Synthetic, SyntheticDynamic

    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"

    def make() -> Path:
        folder = tmp_path_factory.mktemp("cache")
        for name in ("features", *(data.folder for data in (Synthetic, SyntheticDynamic))):
            (shared / name).mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(shared / name)
        return folder

    return make


@pytest.fixture(scope="session", autouse=True)
def cache(new_cache):
    """No test reads or writes the user's cache; and tests name their data root, or run without one."""
    os.environ.pop("MER_DATA_ROOT", None)
    folder = new_cache()
    os.environ["MER_CACHE"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def real_root() -> Path:
    """The folder of the real data sets; skips where there is none."""
    if not GIVEN_ROOT or not (Path(GIVEN_ROOT) / "Emotify").is_dir():
        pytest.skip("needs the real data: set MER_DATA_ROOT")
    return Path(GIVEN_ROOT)


@pytest.fixture(scope="session")
def small_emotify(tmp_path_factory) -> Path:
    """A data root with six synthetic excerpts a genre in Emotify's layout."""
    from data_prep.emotify import EMOTIONS, GENRES

    root, rng = tmp_path_factory.mktemp("small"), np.random.default_rng(0)
    lines = ["track id, genre, " + ", ".join(EMOTIONS)]
    for g, genre in enumerate(GENRES):
        folder = root / "Emotify" / "emotifymusic" / genre
        folder.mkdir(parents=True)
        for n in range(1, PER_GENRE + 1):
            sound = np.cumsum(rng.standard_normal(8000 * 59)) / 500 + 0.1 * rng.standard_normal(8000 * 59)
            soundfile.write(folder / f"{n}.wav", np.sin(sound) * rng.uniform(0.05, 0.9), 8000)
            chance = rng.random(len(EMOTIONS))
            for _ in range(10):
                ticked = ",".join(str(int(t)) for t in rng.random(len(EMOTIONS)) < chance)
                lines.append(f"{100 * g + n},{genre},{ticked}")
    (root / "Emotify" / "data.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def broken_emotify(small_emotify, tmp_path) -> Path:
    """A copy of the miniature that a test may break; returns the folder Emotify."""
    shutil.copytree(small_emotify, tmp_path / "data", dirs_exist_ok=True)
    return tmp_path / "data" / "Emotify"


def deam_labels(song: int, times: np.ndarray) -> np.ndarray:
    """Valence and arousal of a song of the miniature, (times, 2)."""
    rng = np.random.default_rng(song)
    middle, swing, phase = rng.uniform(-0.4, 0.4, 2), rng.uniform(0.1, 0.3, 2), rng.uniform(0, 6, 2)
    return middle + swing * np.sin(times[:, None] / 5 + phase)


def _write_labels(path: Path, courses: dict[int, np.ndarray]):
    n = max(map(len, courses.values()))
    lines = [",".join(["song_id", *(f"sample_{15000 + 500 * k}ms" for k in range(n))])]
    for song, course in courses.items():
        lines.append(",".join([str(song), *(f"{value:.6f}" for value in course), *[""] * (n - len(course))]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="session")
def small_deam(tmp_path_factory) -> Path:
    """A data root with five development and two evaluation songs in DEAM's layout, and the task's labels.

    The first feature is where the window starts on the clock of the labels; the others tell the labels at its end.
    The audio is noise that is the louder the higher the arousal.
    """
    from data_prep.deam.annotations import DYNAMIC
    from data_prep.deam.features import COLUMNS

    root = tmp_path_factory.mktemp("small_deam")
    starts = {3: ("0.36", 36), 24: ("1", 60), 39: ("1.2", 80)}  # as written in metadata_2013, in seconds
    windows = {3: 199, 24: 240, 39: 250, 1005: 88, 1006: 89, 2001: 99, 2002: 95}
    labels = dict.fromkeys([3, 24, 39, 1005, 1006], 60) | {2001: 71, 2002: 66}
    (root / "DEAM" / "features").mkdir(parents=True)
    (root / "DEAM" / "MEMD_audio").mkdir()
    weights, courses, rng = np.random.default_rng(0).standard_normal((2, 259)), {}, np.random.default_rng(1)
    for song, n in windows.items():
        frame_time = 0.5 * np.arange(n)
        start = frame_time - starts.get(song, ("", 0))[1]
        told = deam_labels(song, start + 1) @ weights + 0.1 * rng.standard_normal((n, 259))
        table = np.column_stack([frame_time, start, told])
        np.savetxt(
            root / "DEAM" / "features" / f"{song}.csv", table, "%.5g", ";", header=";".join(COLUMNS), comments=""
        )
        courses[song] = deam_labels(song, 15 + 0.5 * np.arange(labels[song]))
        seconds = 45 if song < 2001 else 51
        arousal = deam_labels(song, np.arange(8000 * seconds) / 8000)[:, 1]
        sound = 0.05 * 10**arousal * rng.standard_normal(len(arousal))
        soundfile.write(root / "DEAM" / "MEMD_audio" / f"{song}.wav", sound.clip(-1, 1), 8000)
    task = {song: course for song, course in courses.items() if song < 2001}
    for song in (1005, 1006):  # as in the task's labels: the means are exchanged
        task[song] = courses[song] - courses[song].mean(0) + courses[song].mean(0)[::-1]
    for k, name in enumerate(["valence", "arousal"]):
        one = {song: course[:, k] for song, course in courses.items()}
        if name == "valence":
            one[2001] = one[2001][:-1]
        _write_labels(root / "DEAM" / "annotations" / DYNAMIC / f"{name}.csv", one)
        _write_labels(root / "MediaEval2015" / f"dev_{name}.csv", {song: c[:, k] for song, c in task.items()})
    metadata = root / "DEAM" / "metadata"
    metadata.mkdir()
    lines = ["song_id,file_name,Artist,Song title,start of the segment (min.sec),end of the segment (min.sec),Genre"]
    lines += [
        f'{s},"\t{s}.mp3","An Artist\t","\tA Title\t","\t{w}\t","\t9\t","\tBlues\t"' for s, (w, _) in starts.items()
    ]
    (metadata / "metadata_2013.csv").write_text("\n".join(lines) + "\n")
    (metadata / "metadata_2014.csv").write_text(
        "Id,Artist,Album,Track,Genre,segment start,segment end,last.fm labels\n"
        "1005,Some Band,An Album,A Track,Rock,12.03,57.03,rock,indie,pop,,\n"
        "1006,Duo, The,Album,Track,Rock,1,2,rock,,,,\n"
    )
    (metadata / "metadata_2015.csv").write_text(
        "id,Filename,title,artist,album,genre,\n"
        "2001,a_b,A Title,A Singer,n/a,Rock,\n"
        "2002,80504,Go,No, Really,n/a,folk,\n"
    )
    return root


@pytest.fixture
def broken_deam(small_deam, tmp_path) -> Path:
    """A copy of the miniature that a test may break; returns the folder DEAM."""
    shutil.copytree(small_deam, tmp_path / "data", dirs_exist_ok=True)
    return tmp_path / "data" / "DEAM"


def emomusic_labels(song: int) -> np.ndarray:
    """Valence and arousal of a clip of the miniature, (61, 2)."""
    return np.stack([np.sin(EMOMUSIC_TIMES / 9 + song), np.cos(EMOMUSIC_TIMES / 7 + song)], axis=1) * [0.4, 0.6]


def write_emomusic(root, described):
    """Write clips in emoMusic's layout, DEAM's features of them, and segments of ten seconds; returns the data root.

    `described` has by song id the start of the clip in its song (s), artist, title and split. The first feature is
    where the window starts on the clock of the labels.
    """
    from data_prep.deam.features import COLUMNS
    from data_prep.emomusic import ENDS_EARLY

    annotations, features, metadata, cuts = (
        root / folder for folder in ("emoMusic/annotations", "DEAM/features", "DEAM/metadata", "DEAM/audio_30s-40s")
    )
    for folder in (annotations, features, metadata, cuts):
        folder.mkdir(parents=True)
    for k, name in enumerate(["valence", "arousal"]):
        lines = [",".join(["song_id", *(f"sample_{1000 * time:.0f}ms" for time in EMOMUSIC_TIMES)])]
        lines += [
            ",".join([str(song), *(f"{value:.6f}" for value in emomusic_labels(song)[:, k])]) for song in described
        ]
        (annotations / f"{name}_cont_average.csv").write_text("\n".join(lines) + "\n")
    lines = [f"{song},{6 + n % 4},1.5,{3 + n % 4},1.2" for n, song in enumerate(described)]
    (annotations / "static_annotations.csv").write_text(
        "\n".join(["song_id,mean_arousal,std_arousal,mean_valence,std_valence", *lines]) + "\n"
    )
    columns = ["file_name", "Artist", "Song title", "start of the segment (min.sec)", "end of the segment (min.sec)"]
    header = ["song_id", *columns, "Genre", "Mediaeval 2013 set"]
    info = [",".join(f'"{column}"' for column in header)]
    for song, (start, artist, title, split) in described.items():
        begins = f"{start // 60}.{start % 60:02d}"
        info.append(f'{song},"\t{song}.mp3","{artist}\t","\t{title}\t","\t{begins}\t","\t9\t","\tBlues\t","{split}"')
    (annotations / "songs_info.csv").write_text("\n".join(info) + "\n")
    (metadata / "metadata_2013.csv").write_text("\n".join(line.rpartition(",")[0] for line in info) + "\n")
    rng = np.random.default_rng(0)
    for song, (start, *_) in described.items():
        window_start = np.arange(14, 44 if str(song) in ENDS_EARLY else 44.5, 0.5)
        table = np.column_stack([window_start + start, window_start, rng.standard_normal((len(window_start), 259))])
        np.savetxt(features / f"{song}.csv", table, "%.5g", ";", header=";".join(COLUMNS), comments="")
        soundfile.write(cuts / f"{song}.flac", 0.1 * rng.standard_normal(10 * EMOMUSIC_RATE), EMOMUSIC_RATE)
    offsets = "".join(f"{song},30.0,10.0\n" for song in described)
    (cuts / "offsets.csv").write_text("song_id,start_s,duration_s\n" + offsets)
    return root


@pytest.fixture
def train_here(tmp_path, monkeypatch, capsys):
    """Runs a paper's training command in this process, which has to import Keras once; the working folder is empty."""
    here = tmp_path / "working_folder"
    here.mkdir()

    def in_this_process(calls, isolated, **options):
        return parallel.progress(calls, **options)

    def train(paper: str, *arguments) -> SimpleNamespace:
        main = importlib.import_module(f"reproductions.{paper}.train").main
        code = main([*map(str, arguments), "--jobs", "1"])
        printed = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=printed.out, stderr=printed.err, working_folder=here)

    monkeypatch.setattr("common.experiment.runner.progress", in_this_process)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(here)
    return train


@pytest.fixture
def paper(tmp_path):
    """`made_up.paper` in a folder of the test's own."""
    return partial(made_up.paper, tmp_path)
