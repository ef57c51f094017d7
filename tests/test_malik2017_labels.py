"""The analysis of the exchanged song means: planted exchanges are found, errors under exchanged labels are right."""

import subprocess
import sys

import numpy as np
import pytest

from common import metrics
from common.errors import InputError
from common.verdict.recorded import Records
from data_prep.deam import Deam
from data_prep.dynamic import Annotation, Recording
from reproductions.malik2017 import labels

BOTH = ["2 … 1000", "above 1000"]


class Planted:
    """30 songs up to 1000 and 30 above; the task's means of the latter are exchanged, its courses are not.

    The features have windows for the labels from 3 on, as loud as DEAM's arousal, and louder ones after the labels.
    """

    def __init__(self):
        rng, self.task, self.deam = np.random.default_rng(0), {}, {}
        self.splits = {
            "development": [str(n) for n in (*range(2, 31), *range(1000, 1031))],
            "evaluation": ["2001", "2002", "2003", "2004"],
        }
        self.of_evaluation = {
            song: Annotation(np.arange(20.0), rng.uniform(-1, 1, (20, 2))) for song in self.splits["evaluation"]
        }
        for song in self.splits["development"]:
            mean, course = rng.uniform(-0.5, 0.5, 2), rng.uniform(-0.1, 0.1, (20, 2))
            course -= course.mean(0)
            told = mean[::-1] if int(song) > 1000 else mean
            self.deam[song], self.task[song] = (Annotation(np.arange(20.0), m + course) for m in (mean, told))

    def annotations(self, split, source="task"):
        by_split = {"evaluation": self.of_evaluation, "development": {"task": self.task, "deam": self.deam}[source]}
        return by_split[split]

    def features(self, songs):
        loudness = np.column_stack([np.full(27, 99.0)] * len(labels.NAMES))
        found = {}
        for song in [song for song in songs if song not in ("5", "2004")]:
            loudness[:17, labels.LOUDNESS] = (self.of_evaluation | self.deam)[song].values[3:, 1]
            found[song] = np.arange(27.0) + 2, loudness.copy()
        return found

    def recordings(self, songs):
        return {}


def lines_against(lines, against):
    """The four correlations of the task's labels by group of songs, without their intervals."""
    return {line[2]: [float(cell.split()[0]) for cell in line[4:]] for line in lines if line[:2] == ["task", against]}


def test_a_planted_exchange_is_found(monkeypatch):
    data = Planted()
    monkeypatch.setattr(labels, "ratings", lambda given: {} if given is data else None)
    lines = labels.agreement(data)
    means, courses = (
        lines_against(lines, "DEAM, song means"),
        lines_against(lines, "DEAM, trajectory within a song (mean r)"),
    )
    assert [line[3] for line in lines] == [30] * 4 and list(means) == list(courses) == BOTH
    assert means[BOTH[0]][::3] == [1, 1] and max(np.abs(means[BOTH[0]][1:3])) < 0.5
    assert means[BOTH[1]][1:3] == [1, 1] and max(np.abs(means[BOTH[1]][::3])) < 0.5
    assert [cell for line in lines for cell in line[4:] if line[1].endswith("(mean r)")][::4] == ["1.00"] * 2
    for courses_of_half in courses.values():
        assert courses_of_half[::3] == [1, 1] and max(np.abs(courses_of_half[1:3])) < 0.2


@pytest.mark.parametrize(("n", "compared"), [(3, []), (4, [4])])
def test_an_interval_needs_four_songs(monkeypatch, n, compared):
    data = Planted()
    data.task = {song: data.task[song] for song in data.splits["development"][:n]}
    monkeypatch.setattr(labels, "ratings", lambda data: {})
    assert [line[3] for line in labels.agreement(data) if line[1] == "DEAM, song means"] == compared


def test_songs_are_compared_by_year():
    data = Planted()
    found = labels.groups(data)
    assert list(found) == [*BOTH, "evaluation"] and list(map(len, found.values())) == [30, 30, 4]
    assert (found[BOTH[0]][-1], found[BOTH[1]][0]) == ("1000", "1001")
    assert labels.label_sets(data) == {"task": data.task, "DEAM": data.deam | data.of_evaluation}


def test_loudness_is_that_of_the_windows_of_labels(monkeypatch):
    """Features from audio have a window every half second, from where the recording starts on the labels' clock."""
    data, trend = (
        Planted(),
        0.1 * np.random.default_rng(1).uniform(-1, 1, 60)[:, None, None] * (np.arange(20) - 9.5)[:, None],
    )
    for of_song, song in zip(trend, data.splits["development"], strict=True):
        data.deam[song].values[:] += of_song
        if data.task[song].values is not data.deam[song].values:
            data.task[song].values[:] += of_song
    official = [["task", "official features", BOTH[0], 29], ["task", "official features", BOTH[1], 30],
                ["DEAM", "official features", BOTH[0], 29], ["DEAM", "official features", BOTH[1], 30]]  # fmt: skip
    lines = labels.loudness(data)
    assert [line[:4] for line in lines] == official and {len(line) for line in lines} == {
        6
    }  # of three evaluation songs there is no interval
    r = {tuple(line[:3]): [float(cell.split()[0]) for cell in line[4:]] for line in lines}
    assert r["DEAM", "official features", BOTH[1]][1] == r["task", "official features", BOTH[1]][0] == 1
    assert r["DEAM", "official features", BOTH[0]][1] == r["task", "official features", BOTH[0]][1] == 1
    assert (
        max(abs(r[source, "official features", half][0]) for source, half in (("DEAM", BOTH[1]), ("task", BOTH[0])))
        < 0.5
    )

    class Store:
        def get_all(self, paths, extractor, n_jobs):
            assert isinstance(extractor, labels.OpenSmile) and n_jobs >= 1
            return [np.repeat(data.features([path])[path][1], 2, axis=0) for path in paths]

    songs = data.splits["development"][:10]
    data.recordings = lambda ids: {song: Recording(song, 2.0) for song in songs if song != "5" and song in ids}
    monkeypatch.setattr(labels, "FeatureStore", Store)
    *same, task, deam = labels.loudness(data)
    assert same == lines and (task[:4], deam[:4]) == (
        ["task", "audio", BOTH[0], 9],
        ["DEAM", "audio", BOTH[0], 9],
    )
    assert deam[5].split()[0] == "1.00"


def test_trajectories_of_a_record():
    """Predictions lie one song after the other; labels that differ from the record's are refused."""
    data = Planted()
    data.of_evaluation["2002"] = Annotation(np.arange(5.0), np.ones((5, 2)))
    predicted = np.arange(90.0).reshape(45, 2)
    evaluation = {"frames": [5, 20, 20]}
    record = {
        "variant": "crnn",
        "facts": {"splits": {"evaluation": {"tracks": ["2002", "2001", "2003"]}}},
        "runs": [{"songs": {"evaluation": evaluation}, "predictions": {"evaluation": predicted.tolist()}}],
    }
    data.root = "here"
    found = labels.trajectories(record, data)
    assert list(found) == ["2002", "2001", "2003"]
    for song, expected in (("2002", predicted[:5]), ("2001", predicted[5:25]), ("2003", predicted[25:])):
        annotation = data.of_evaluation[song]
        for values, right in zip(found[song], (annotation.times, annotation.values, expected), strict=True):
            np.testing.assert_array_equal(values, right)
    for tracks, frames in ((["2001", "2002"], [5, 20]), (["2002", "9"], [5, 1])):
        record["facts"]["splits"]["evaluation"]["tracks"], evaluation["frames"] = tracks, frames
        with pytest.raises(InputError):
            labels.trajectories(record, data)


def test_fisher():
    """r = .5 over 28 songs: z = .5493 ± .392, so .156 to .736; r = 1 has an interval, too."""
    with np.errstate(all="raise"):
        assert labels.with_interval(np.array([1.0, -1.0]), 28) == ["1.00 (1.00 … 1.00)", "-1.00 (-1.00 … -1.00)"]
    assert labels.with_interval(np.array([0.5, -0.5]), 28) == [".50 (.16 … .74)", "-.50 (-.74 … -.16)"]


def test_errors_against_exchanged_labels():
    """From moments as from the courses themselves."""
    rng, lengths = np.random.default_rng(1), [5, 12]
    y, p = ([rng.uniform(-1, 1, (n, 2)) for n in lengths] for _ in range(2))
    moments = np.array([metrics.song_moments(*pair) for pair in zip(y, p, strict=True)])
    crosswise = np.array([metrics.song_moments(a[:, ::-1], b)[:, 4] for a, b in zip(y, p, strict=True)])
    means = [song - song.mean(0) + song.mean(0)[::-1] for song in y]
    all_exchanged = [song[:, ::-1] for song in y]
    for changed, reference in (
        (moments, y),
        (labels.against_exchanged(moments), means),
        (labels.against_exchanged(moments, crosswise), all_exchanged),
    ):
        expected = np.sqrt(np.square(np.concatenate(reference) - np.concatenate(p)).mean(0))
        np.testing.assert_allclose(labels.rmse(lengths, changed, np.ones((1, 2)))[0], expected, atol=1e-12)
        alone = np.sqrt(np.square(reference[1] - p[1]).mean(0))
        np.testing.assert_allclose(labels.rmse(lengths, changed, np.array([[0, 3]]))[0], alone, atol=1e-12)


def test_command(small_deam, tmp_path, monkeypatch, capsys):
    """On the miniature, without records: tables, the README's part, the scatter."""
    monkeypatch.setattr(labels, "README", tmp_path / "README.md")
    monkeypatch.setattr(labels, "RESULTS", tmp_path / "results")
    assert labels.main(["--data-root", str(small_deam)]) == 0
    printed = capsys.readouterr().out
    assert "published, length 20" in printed and "mean r" in printed and not list(tmp_path.iterdir())
    (tmp_path / "README.md").write_text("before\n<!-- begin labels -->\nold\n<!-- end labels -->\nafter\n")
    assert labels.main(["--data-root", str(small_deam), "--write"]) == 0
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "| zero |" in text and "old" not in text
    assert [path.name for path in tmp_path.rglob("*.png")] == ["label_exchange.png"]
    (tmp_path / "README.md").write_text("no marks")
    assert labels.main(["--data-root", str(small_deam), "--write"]) == 2
    assert labels.main([]) == 2


def test_help_needs_no_tensorflow():
    code = "import sys; from reproductions.malik2017 import labels; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_real_labels(real_root):
    if not (real_root / "MediaEval2015").is_dir():
        pytest.skip("needs DEAM and the labels of MediaEval 2015 under MER_DATA_ROOT")
    lines = labels.agreement(Deam(real_root))
    assert lines_against(lines, "DEAM, song means") == {
        BOTH[0]: [0.96, 0.63, 0.66, 0.96],
        BOTH[1]: [0.58, 0.94, 0.93, 0.56],
    }
    courses = lines_against(lines, "DEAM, trajectory within a song (mean r)")
    assert {where: r[::3] for where, r in courses.items()} == {BOTH[0]: [0.97, 0.97], BOTH[1]: [0.94, 0.95]}
    evaluation = next(line for line in lines if line[2] == "evaluation")
    assert evaluation[3] == 58 and [cell.split()[0] for cell in evaluation[4:]] == [".98", "-.10", ".05", ".93"]


def test_the_readmes_tables_follow_from_records_and_labels(real_root):
    """They are made by a command that needs the data, not by the one that makes all other tables anew."""
    if not (real_root / "MediaEval2015").is_dir():
        pytest.skip("needs DEAM and the labels of MediaEval 2015 under MER_DATA_ROOT")
    data, readme = Deam(real_root), labels.README.read_text(encoding="utf-8")
    of_records = labels.what_if(data, Records(labels.RESULTS, "malik2017"))
    for line in (*labels.agreement(data), *of_records, *labels.without_audio(data)):
        assert "| " + " | ".join(map(str, line)) + " |" in readme


def test_predictions_without_audio():
    """Four songs of 20 frames: one sequence a song at lengths 60, 30 and 20, two at length 10."""
    data = Planted()
    values = np.array([a.values for a in data.of_evaluation.values()])
    lines = {tuple(line[:2]): [float(cell) for cell in line[2:]] for line in labels.without_audio(data)}
    for title, errors in (("zero", values), ("oracle: each song's own mean", values - values.mean(1, keepdims=True))):
        pooled = np.sqrt((errors**2).mean((0, 1)))
        of_songs, of_tens = (np.sqrt((errors.reshape(-1, n, 2) ** 2).mean(1)).mean(0) for n in (20, 10))
        by_target = np.stack([pooled, of_songs, of_songs, of_songs, of_tens])
        for target, expected in zip(("valence", "arousal"), by_target.T, strict=True):
            assert lines[title, target] == pytest.approx(expected, abs=1e-3)
        assert lines[title, "average"] == pytest.approx(by_target.mean(1), abs=1e-3)
