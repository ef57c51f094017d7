"""Agreement of the project's openSMILE features with official ones, on a miniature of DEAM."""

import numpy as np
import pytest

from common import audio
from common.errors import InputError
from common.features.opensmile import NAMES, STEP_S, OpenSmile
from data_prep import parity
from data_prep.deam import Deam


def test_delayed_audio_is_found(small_deam, monkeypatch):
    """Official features of the same audio less its first 40 ms: the fitted delay is that, and features agree."""
    data, official = Deam(small_deam), {}
    for song, recording in data.recordings(["1005", "1006"]).items():
        samples, rate = audio.load(recording.path)
        rows = OpenSmile()(samples[round(0.04 * rate) :], rate)
        official[song] = STEP_S * np.arange(len(rows)), rows
    monkeypatch.setattr(data, "features", lambda: official)
    monkeypatch.setattr(parity, "DELAYS_S", (0.02, 0.04))
    results = parity.measure(data, 1)
    assert list(results) == ["whole", "whole, delay fitted"]
    assert results["whole, delay fitted"]["delay_s"] == {"1005": 0.04, "1006": 0.04}
    assert results["whole"]["songs"] == 2 and results["whole"]["windows"] == sum(len(s) for s, _ in official.values())
    assert results["whole"]["median_r"] < results["whole, delay fitted"]["median_r"] == 1.0
    assert "delays: song 1005 40 ms, song 1006 40 ms" in parity.summary(results)


def test_without_official_features(small_deam, monkeypatch):
    data = Deam(small_deam)
    monkeypatch.setattr(data, "features", dict)
    with pytest.raises(InputError, match="has no song with both audio and features"):
        parity.measure(data, 1)


def test_r_and_difference_by_column():
    rng = np.random.default_rng(0)
    official = rng.standard_normal((50, len(NAMES)))
    ours = official + np.where(np.arange(len(NAMES)) == 3, 0.5, 0.0) * official.std(0)
    windows = parity.Windows(ours, official, np.arange(50) * STEP_S)
    np.testing.assert_allclose(windows.r(), 1)
    np.testing.assert_allclose(windows.difference()[:5], [0, 0, 0, 0.5, 0], atol=1e-12)
    assert windows.subset(windows.since_start_s >= 1).ours.shape == (48, 260)


def test_columns_are_grouped_by_descriptor():
    columns = [name for name in NAMES if name.startswith("audSpec_Rfilt") and name.endswith("_sma[0]_amean")]
    assert parity.grouped([*columns, "F0final_sma_amean", "audSpec_Rfilt_sma[1]_amean"]) == [
        "sma_amean: audSpec_Rfilt (2 bands), F0final"
    ]
