"""MusiCNN against the package musicnn, as stored by tests/oracle/musicnn.py; its songs and folds against the boards."""

from types import SimpleNamespace

import numpy as np
import pytest

from common.errors import InputError
from common.experiment import Classes, Dynamic
from common.verdict.recorded import Records
from reproductions.leaderboard.boards import open_board
from reproductions.musicnn2019 import embedding, train
from tests.conftest import ROOT
from tests.oracle.musicnn import FEATURES, RATE, STORED, signal

ORACLE = np.load(STORED)


def test_the_embedding_is_the_packages():
    """Within 1e-4, of the largest of its values (100) a millionth."""
    expected = np.concatenate([ORACLE[name] for name in FEATURES], axis=1)
    patches = embedding.Embedding()(signal(), RATE)
    assert patches.shape == (3, 753 + 753 + 200) and patches.dtype == np.float32
    np.testing.assert_allclose(patches, expected, atol=1e-4, rtol=1e-5)


def test_tags_and_parameters_are_the_packages():
    network = embedding.network()
    patches = np.resize(embedding.log_mel(signal()), (3, embedding.PATCH, embedding.BANDS))
    *_, tags = network.predict_on_batch(patches)
    np.testing.assert_allclose(tags, ORACLE["tags"], atol=1e-5)
    assert sum(np.prod(weight.shape) for weight in network.trainable_weights) == 787_159


def test_log_mel_does_not_overflow_in_loud_music():
    """In half precision, as in the package on NumPy 2, it would be infinite where the power of a band is above 6.55."""
    tone = np.sin(2 * np.pi * 110 * np.arange(RATE) / RATE).astype("float32")
    loud, quiet = embedding.log_mel(tone), embedding.log_mel(tone / 1000)
    assert np.isfinite(loud).all() and loud.max() > np.log10(10000 * 6.55)
    assert np.isfinite(quiet).all() and quiet.max() < loud.max()


def test_a_short_recording_is_repeated(monkeypatch):
    seen = []
    fake = SimpleNamespace(predict_on_batch=lambda x: seen.append(x) or [np.zeros((1, n)) for n in (753, 753, 200, 50)])
    monkeypatch.setattr(embedding, "network", lambda: fake)
    assert embedding.Embedding()(signal()[:RATE], RATE).shape == (1, 1706)
    (patch,) = seen
    frames = 1 + RATE // embedding.HOP
    assert patch.shape == (1, 187, 96) and (patch[0, frames : 2 * frames] == patch[0, :frames]).all()


def test_only_recorded_folds():
    """A network of a paper was not run with another seed, so there is nothing to compare with."""
    board = open_board("emotify")
    tracks = [SimpleNamespace(id=song, path=None, group=song) for song in board.songs]
    of_board = train.Reference(SimpleNamespace(name="emotify", synthetic=False, tracks=tracks), board, 1)
    for seed, fold in board.folds.items():
        splits = of_board.splits(train.variants("emotify")[0], seed)
        assert all(split.tests["10-fold"].tolist() == np.flatnonzero(fold == split.fold).tolist() for split in splits)
        assert all(len(split.train) == 360 and not set(split.train) & set(split.tests["10-fold"]) for split in splits)
    with pytest.raises(InputError, match="ridge: recorded are 10 repetitions, none of seed 10"):
        of_board.splits(train.variants("emotify")[0], 10)


def test_the_moods_of_velankar2022_are_split_as_its_networks_were():
    record, board = Records(ROOT / "results", "velankar2022").get("4q", "crnn"), open_board("4q")
    tracks = [SimpleNamespace(id=song, path=None, group=song) for song in board.songs]
    of_board = train.Reference(SimpleNamespace(name="4q", synthetic=False, tracks=tracks), board, 1)
    (split,) = of_board.splits(train.variants("4q")[2], 3)
    parts = np.array(list(record["runs"][3]["part"]))
    assert split.tests["test"].tolist() == np.flatnonzero(parts == "t").tolist()
    assert split.train.tolist() == np.flatnonzero(parts != "t").tolist() and set(parts) == {"l", "v", "t"}
    assert of_board.task(train.variants("4q")[2]).targets == ("romantic", "sad", "devotional")


def test_classes_and_labels_over_time_are_regressed_and_predicted():
    of_classes = train.Songs(["a", "b", "c"], np.array([2, 0, 1]), Classes(("x", "y", "z")), "test", {}, 1, {})
    assert of_classes.values.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert of_classes.predictions(np.arange(3), of_classes.values).tolist() == [2, 0, 1]
    over_time = train.Songs(
        ["a", "b"], [np.array([[0.0, 1], [1, 1]]), np.zeros((3, 2))], Dynamic(("v", "a")), "test", {}, 1, {}
    )
    assert over_time.values.tolist() == [[0.5, 1], [0, 0]]
    assert over_time.predictions(np.array([1]), np.ones((1, 2)))[0].tolist() == [[1, 1]] * 3


def test_it_predicts_songs_from_what_tells_them(train_here, monkeypatch):
    """On synthetic music, with patches that hold the labels of a song, and noise, in the place of the network's."""
    monkeypatch.delenv("MER_DATA_ROOT", raising=False)
    board, rng = open_board("synthetic"), np.random.default_rng(0)
    means = np.stack([y.mean(0) for y in board.labels]) @ rng.standard_normal((2, 50))
    holding = dict(zip(board.songs, means, strict=True))

    def features(self, extractor, tracks):
        return [holding[track.id] + 0.01 * rng.standard_normal((4, 50)) for track in tracks]

    monkeypatch.setattr(train.Reference, "features", features)
    done = train_here("musicnn2019", "--repeats", 1)
    assert done.returncode == 0, done.stderr
    lines = (line.split() for line in done.stdout.splitlines() if line.startswith(("ridge ", "training_mean ")))
    averages = {line[0]: float(line[-1]) for line in lines}
    assert averages["ridge"] > 0.3 > 0 > averages["training_mean"] and "nothing is recorded" in done.stdout


def test_a_data_set_without_a_board_is_refused(train_here):
    done = train_here("musicnn2019", "--dataset", "mer500")
    assert done.returncode == 2
    assert "mer500: has no recorded songs and folds; choose mediaeval2015, emomusic" in done.stderr
