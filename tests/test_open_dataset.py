"""The interface of all data sets, as docs/data.md and the package show it."""

import doctest
import re

import numpy as np
import pandas as pd
import pytest

import data_prep
from data_prep import DATASETS, dataset_class, open_dataset
from data_prep.base import Dataset
from tests.conftest import ROOT


def test_the_example_of_the_page_runs(capsys):
    """As it is there, on synthetic music."""
    text = (ROOT / "docs" / "data.md").read_text().split("## From Python")[1]
    names = {}
    exec(re.search(r"```python\n(.*?)```", text, flags=re.S)[1], names)
    assert capsys.readouterr().out == "none: synthesised by data_prep/synthetic.py\n"  # cited, and complete
    assert names["samples"].dtype == np.float32 and len(names["samples"]) == 31 * names["rate"]
    assert list(names["labels"].columns) == ["valence", "arousal"] and len(names["labels"]) == 60
    assert (len(names["train"]), len(names["test"])) == (30, 10)


def test_the_example_of_the_package_runs():
    assert doctest.testmod(data_prep, raise_on_error=True).attempted >= 4


@pytest.mark.parametrize("name", DATASETS)
def test_every_class_says_what_it_is(name):
    kind = dataset_class(name)
    assert issubclass(kind, Dataset) and kind.name == {"mediaeval2015": "deam"}.get(name, name)
    assert kind.cite() == kind.citation and kind.citation and kind.source


@pytest.mark.parametrize("name", ["emotify", "deam", "emomusic", "4q"])
def test_all_data_sets_have_one_interface(name, real_root):
    """Tracks have labels; splits are of labelled tracks; the data root may be a path."""
    data = open_dataset(name, real_root)
    ids = data.labels.index.unique(0)
    assert isinstance(data.labels, pd.DataFrame) and {track.id for track in data.tracks} <= set(ids)
    assert all(track.path.is_file() for track in data.tracks) and 0 < len(data.tracks) <= data.n_tracks
    assert all(set(songs) <= set(ids) for songs in data.splits.values())
    assert bool(data.splits) == (name in ("deam", "emomusic"))
