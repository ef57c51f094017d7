"""The analysis of the exchanged song means: planted exchanges are found, errors under exchanged labels are right."""

import subprocess
import sys

import numpy as np
import pytest

from common import metrics
from data_prep.deam import Deam
from data_prep.dynamic import Annotation
from reproductions.malik2017 import labels

BOTH = ["2 … 1000", "above 1000"]


class Planted:
    """30 songs up to 1000 and 30 above; the task's means of the latter are exchanged, its courses are not."""

    def __init__(self):
        rng, self.task, self.deam = np.random.default_rng(0), {}, {}
        self.splits = {"development": [str(n) for n in (*range(2, 32), *range(1001, 1031))], "evaluation": ["2001"]}
        self.of_evaluation = {"2001": Annotation(np.arange(20.0), rng.uniform(-1, 1, (20, 2)))}
        for song in self.splits["development"]:
            mean, course = rng.uniform(-0.5, 0.5, 2), rng.uniform(-0.1, 0.1, (20, 2))
            course -= course.mean(0)
            told = mean[::-1] if int(song) > 1000 else mean
            self.deam[song], self.task[song] = (Annotation(np.arange(20.0), m + course) for m in (mean, told))

    def annotations(self, split, source="task"):
        return self.of_evaluation if split == "evaluation" else {"task": self.task, "deam": self.deam}[source]


def found(lines, against):
    """The four correlations of the task's labels by group of songs, without their intervals."""
    return {line[2]: [float(cell.split()[0]) for cell in line[4:]] for line in lines if line[:2] == ["task", against]}


def test_a_planted_exchange_is_found(monkeypatch):
    monkeypatch.setattr(labels, "ratings", lambda data: {})
    lines = labels.agreement(Planted())
    means, courses = found(lines, "DEAM, song means"), found(lines, "DEAM, course within a song (mean r)")
    assert [line[3] for line in lines] == [30] * 4 and list(means) == list(courses) == BOTH
    assert means[BOTH[0]][::3] == [1, 1] and max(np.abs(means[BOTH[0]][1:3])) < 0.5
    assert means[BOTH[1]][1:3] == [1, 1] and max(np.abs(means[BOTH[1]][::3])) < 0.5
    for courses_of_half in courses.values():
        assert courses_of_half[::3] == [1, 1] and max(np.abs(courses_of_half[1:3])) < 0.2


def test_fisher():
    """r = .5 over 28 songs: z = .5493 ± .392, so .156 to .736."""
    assert labels.with_interval(np.array([0.5, -0.5]), 28) == [".50 (.16 … .74)", "-.50 (-.74 … -.16)"]


def test_errors_against_exchanged_labels():
    """From moments as from the courses themselves."""
    rng, lengths = np.random.default_rng(1), [5, 12]
    y, p = ([rng.uniform(-1, 1, (n, 2)) for n in lengths] for _ in range(2))
    moments = np.array([metrics.song_moments(*pair) for pair in zip(y, p, strict=True)])
    crosswise = np.array([metrics.song_moments(a[:, ::-1], b)[:, 4] for a, b in zip(y, p, strict=True)])
    means = [song - song.mean(0) + song.mean(0)[::-1] for song in y]
    wholly = [song[:, ::-1] for song in y]
    for changed, reference in (
        (moments, y),
        (labels.against_exchanged(moments), means),
        (labels.against_exchanged(moments, crosswise), wholly),
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
    assert found(lines, "DEAM, song means") == {BOTH[0]: [0.96, 0.63, 0.66, 0.96], BOTH[1]: [0.58, 0.94, 0.93, 0.56]}
    courses = found(lines, "DEAM, course within a song (mean r)")
    assert {where: r[::3] for where, r in courses.items()} == {BOTH[0]: [0.97, 0.97], BOTH[1]: [0.94, 0.95]}
    evaluation = next(line for line in lines if line[2] == "evaluation")
    assert evaluation[3] == 58 and [cell.split()[0] for cell in evaluation[4:]] == [".98", "-.10", ".05", ".93"]
