from dataclasses import dataclass

import numpy as np
import pytest
import soundfile
from joblib import Parallel, delayed

from common.audio import ffmpeg
from common.errors import InputError
from common.features.mel import MelSpectrogram
from common.features.store import FeatureStore
from common.files import pack, unpack
from tests import encoded


@pytest.fixture
def tone(tmp_path):
    path = tmp_path / "tone.wav"
    soundfile.write(path, np.sin(np.arange(16000) / 5) / 2, 16000)
    return path


@dataclass(frozen=True)
class Counting:
    """An extractor that counts its calls."""

    factor: int = 1
    name: str = "counting"
    version: int = 1
    libraries = ("numpy",)
    calls = []  # noqa: RUF012

    def __call__(self, samples, rate):
        self.calls.append(rate)
        return samples[:10, None] * self.factor


def test_computed_once_and_the_same(tone, tmp_path):
    store, extractor = FeatureStore(tmp_path / "cache"), Counting()
    Counting.calls.clear()
    first, second = store.get(tone, extractor), store.get(tone, extractor)
    np.testing.assert_array_equal(first, second)
    assert Counting.calls == [16000]


def test_key_is_content_and_every_parameter(tone, tmp_path):
    store = FeatureStore(tmp_path / "cache")
    entry = store.entry(tone, MelSpectrogram())
    others = [MelSpectrogram(hop_s=0.02), MelSpectrogram(bands=41), MelSpectrogram(version=9)]
    assert len({entry, *(store.entry(tone, other) for other in others)}) == 4
    moved = tone.rename(tmp_path / "other name.wav")
    assert store.entry(moved, MelSpectrogram()) == entry
    moved.write_bytes(moved.read_bytes() + b"\0")
    assert store.entry(moved, MelSpectrogram()) != entry


def test_key_names_the_decoder_of_the_file(tone, tmp_path, monkeypatch):
    store, path = FeatureStore(tmp_path / "cache"), tmp_path / "a.m4a"
    path.write_bytes(encoded.by_ffmpeg(np.sin(np.arange(16000) / 5) / 2, 16000, "mp4", "aac"))
    before = store.entry(tone, MelSpectrogram()), store.entry(path, MelSpectrogram())
    monkeypatch.setattr(ffmpeg, "version", lambda: "a later FFmpeg")
    assert store.entry(tone, MelSpectrogram()) == before[0] and store.entry(path, MelSpectrogram()) != before[1]


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:40] + b"x" + b[41:], lambda b: b"", lambda b: b * 2])
def test_damaged_entry_is_computed_again_and_said(tone, tmp_path, capsys, damage):
    store, extractor = FeatureStore(tmp_path / "cache"), MelSpectrogram()
    right, entry = store.get(tone, extractor), store.entry(tone, extractor)
    entry.write_bytes(damage(entry.read_bytes()))
    np.testing.assert_array_equal(store.get(tone, extractor), right)
    assert "damaged cache entry" in capsys.readouterr().err
    np.testing.assert_array_equal(unpack(entry.read_bytes()), right)


def test_pack_round_trip():
    array = np.random.default_rng(0).standard_normal((5, 3)).astype("float32")
    np.testing.assert_array_equal(unpack(pack(array)), array)


def test_parallel_writers_and_no_leftovers(tone, tmp_path):
    store = FeatureStore(tmp_path / "cache")
    loaded = Parallel(n_jobs=2)(delayed(store.get)(tone, MelSpectrogram()) for _ in range(8))
    assert all((array == loaded[0]).all() for array in loaded)
    assert [path.name for path in store.folder.rglob("*") if path.is_file()] == [
        store.entry(tone, MelSpectrogram()).name
    ]


def test_unwritable_folder_is_told(tone, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        FeatureStore(tmp_path / "file").get(tone, MelSpectrogram())


def test_get_all_keeps_the_order(tmp_path):
    paths = []
    for i in range(6):
        paths.append(tmp_path / f"{i}.wav")
        soundfile.write(paths[-1], np.sin(np.arange(8000 + 800 * i) / 7) / 2, 16000)
    loaded = FeatureStore(tmp_path / "cache").get_all(paths, MelSpectrogram(), n_jobs=2, quiet=True)
    assert [len(array) for array in loaded] == [20, 22, 24, 26, 28, 30]


def test_features_do_not_depend_on_the_number_of_threads(tone, tmp_path):
    """OpenBLAS cuts a product into as many parts as it has threads, and sums in another order."""
    from threadpoolctl import threadpool_limits

    from common.features.mel import MelSpectrogram

    loaded = []
    for threads in (1, 2, 4):
        with threadpool_limits(threads, user_api="blas"):
            loaded.append(FeatureStore(tmp_path / str(threads)).get(tone, MelSpectrogram()))
    assert all(np.array_equal(loaded[0], other) for other in loaded[1:])
