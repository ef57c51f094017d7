"""JSON texts and arrays in files."""

import json
import math
from pathlib import Path

import platformdirs
import pytest

from common import weights
from common.errors import InputError
from common.files import cache_folder, finite, json_text


def test_json_text_is_read_back():
    value = {"a": [1, 2.5, None, {"b": "é"}], "c": True}
    assert json.loads(json_text(value, "x.json")) == value


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": {"b": math.nan}}, "a.b"),
        ({"a": [1.0, [0.5, math.inf]]}, r"a\[1\]\[1\]"),
        ({"a": (-math.inf,)}, r"a\[0\]"),
    ],
)
def test_numbers_that_are_not_finite_are_refused(value, where):
    with pytest.raises(InputError, match=rf"x\.json: '{where}' is not a finite number"):
        json_text(value, "x.json")


def test_the_cache_folder_is_the_named_one_else_the_earlier_one_else_the_systems(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_CACHE", "named")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, appauthor: tmp_path / "system" / name)
    assert cache_folder() == Path("named")
    monkeypatch.delenv("MER_CACHE")
    assert cache_folder() == tmp_path / "system" / "mer-reproductions"
    (tmp_path / "xdg" / "mer-reproductions").mkdir(parents=True)
    assert cache_folder() == tmp_path / "xdg" / "mer-reproductions"


def test_finite():
    assert finite([1.0, [math.nan, 2.0], [[math.inf, -math.inf]]]) == [1.0, [None, 2.0], [[None, None]]]


def test_weights_with_a_quality_that_is_not_finite_are_not_written(tmp_path):
    with pytest.raises(InputError, match=r"weights\.json: 'quality.r' is not a finite number"):
        weights.save(tmp_path / "w", [], {"paper": "p", "quality": {"r": math.nan}}, "cite")
    assert not (tmp_path / "w").exists()
