"""The models that the page shows: what each predicts of a file, in the words and files of the command `predict`."""

import importlib
import io
import tempfile
import threading
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from common import audio, weights
from common.features.mel import MelSpectrogram
from common.places import RESULTS
from common.predict import calibration, command, jams, outputs
from common.prediction import STEP_S, Prediction
from reproductions.predict import choose, with_weights

HEADINGS = {"jakubik2017": "Nine emotions", "velankar2022": "Four quadrants"}
OVER_TIME = "Valence and arousal over time"
TYPES = {"csv": "text/csv", "json": "application/json", "jams": "application/json", "png": "image/png"}
WARM_UP_S, WARM_UP_RATE = 32, 44100  # longer than the windows of all models
COLUMNS, RANGE_DB = 1200, 80.0  # of the picture of a mel spectrogram
drawing = threading.Lock()  # Matplotlib draws one figure at a time


@dataclass(frozen=True)
class Shown:
    """A paper's model with the suite's weights; `facts` are those of weights.json."""

    paper: str
    facts: dict

    @property
    def folder(self) -> Path:
        return RESULTS / self.paper / "weights"

    @property
    def module(self) -> str:
        return f"reproductions.{self.paper}.predict"

    @cached_property
    def model(self) -> type:
        return importlib.import_module(self.module).Model

    @cached_property
    def known(self) -> calibration.Calibration | None:
        return calibration.read(self.folder, self.facts)

    @property
    def heading(self) -> str:
        return HEADINGS.get(self.paper, OVER_TIME)

    @property
    def over_time(self) -> bool:
        return self.model.limits[0] < 0

    @property
    def trained_on(self) -> str:
        return outputs.training_songs(self.facts)

    @property
    def better_without(self) -> list[str]:
        return outputs.better_without_network(self.facts)

    def warm_up(self) -> None:
        """Load the networks and all that is compiled or built at the first prediction."""
        import soundfile

        noise = 0.1 * np.random.default_rng(0).standard_normal(WARM_UP_S * WARM_UP_RATE)
        with tempfile.TemporaryDirectory() as folder:
            soundfile.write(f"{folder}/noise.wav", noise, WARM_UP_RATE)
            self.predict(Path(folder) / "noise.wav", "noise")

    def predict(self, path: Path, name: str) -> Prediction | str:
        """As the command predicts.

        Parameters
        ----------
        path : Path
        name : str
            Of the song, which stands for the file in messages.

        Returns
        -------
        Prediction, with its warnings; if the model cannot predict, str: why, in one line
        """
        outcome = command.predict_file(self.module, self.folder, STEP_S, path)
        if isinstance(outcome, str):
            return outcome.replace(str(path), name)
        return replace(outcome, warnings=tuple(text.replace(str(path), name) for text in outcome.warnings))

    def written(self, one: Prediction, name: str, kind: str) -> bytes:
        """A prediction as the command writes it.

        Parameters
        ----------
        one : Prediction
        name : str
            Of the song.
        kind : str
            csv, json, jams or png.

        Returns
        -------
        bytes
        """
        path, columns = Path(name), self.facts["columns"]
        if kind == "csv":
            return outputs.as_csv({path: one}, columns).encode()
        if kind == "json":
            about = outputs.of_model(self.facts, self.model.scale, self.known)
            return outputs.as_json({path: one}, {}, {}, about, path).encode()
        if kind == "jams":
            return jams.as_jams(path, one, self.facts, self.model.scale).encode()
        from common.report import plots

        with drawing, tempfile.TemporaryDirectory() as folder:
            picture, title = Path(folder) / "picture.png", f"{self.paper}: {self.facts['title']}"
            plots.predictions({path: one}, columns, picture, title, limits=self.model.limits)
            return picture.read_bytes()


def shown() -> tuple[list[Shown], str]:
    """The models with weights, that of the rule of `predict` first, then those over time; and the rule's scores."""
    best, scores = choose()
    models = [Shown(paper, weights.load(RESULTS / paper / "weights", paper)[1]) for paper in with_weights()]
    return sorted(models, key=lambda model: (model.paper != best, not model.over_time)), scores


def mel_picture(path: Path) -> bytes:
    """The mel spectrogram of a recording as PNG, without axes: time to the right, low bands below, at most 80 dB deep.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        If the recording cannot be read.
    """
    from matplotlib import image

    extractor = MelSpectrogram()
    step = max(1, round(audio.duration(path) / extractor.hop_s / COLUMNS))  # frames in a column
    blocks = (extractor(*block) for block in audio.blocks(path, 600 * step * extractor.hop_s))
    columns = [frames[: len(frames) // step * step].reshape(-1, step, extractor.bands).mean(1) for frames in blocks]
    decibels, content = np.concatenate(columns), io.BytesIO()
    highest = float(decibels.max())
    image.imsave(content, decibels.T, vmin=highest - RANGE_DB, vmax=highest, cmap="magma", origin="lower", format="png")
    return content.getvalue()
