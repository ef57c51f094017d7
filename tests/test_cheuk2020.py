"""The network of cheuk2020, and its protocol on synthetic music."""

import subprocess
import sys

from tests.conftest import ROOT


def test_parameters():
    from common.layers import keras  # noqa: F401
    from reproductions.cheuk2020 import model

    assert model.gru(260).count_params() == 3 * 16 * (260 + 16 + 2) + 2 * (16 + 1)


def test_it_trains_on_synthetic_music():
    command = [sys.executable, "-m", "reproductions.cheuk2020.train", "--quick", "--jobs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith(("gru", "training_mean"))]
    means = {line[0]: float(line[-1]) for line in lines}
    assert set(means) == {"gru", "training_mean"} and all(0 < value < 2 for value in means.values())
