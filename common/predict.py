"""The command line that every paper's `predict` shares: recordings in, a table, CSV, JSON and a picture out."""

import argparse
import contextlib
import importlib
import sys
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from common import audio, backend, report, weights
from common.cli.options import Parser, add_processes, run, use_device
from common.errors import InputError, collect_warnings
from common.features import opensmile
from common.files import NAME, json_text, text_bytes, write_atomically
from common.outputs import require_distinct, require_output
from common.parallel import progress
from common.places import RESULTS
from common.prediction import Prediction, names
from common.protocol import Sequences
from common.recordings import Recordings, left_out_line, recordings
from common.verdict.cells import lower_is_better

PICTURED = 24  # recordings in one picture
PICTURES = (".png", ".svg", ".pdf")
WORKER_S = 300  # seconds of audio that one process predicts while another one starts
CSV_MARK, JSON_MARK, PICTURE_MARK = b"recording,", b'{\n "model": {', NAME.encode()  # what outputs hold


class Predictor(ABC):
    """A paper's model with weights. `scale` tells what the numbers mean, `heard` what it hears of a recording."""

    scale: str
    heard: str = "whole recordings"

    @abstractmethod
    def __init__(self, networks: list[Path], facts: dict): ...

    @abstractmethod
    def __call__(self, path: Path) -> Prediction:
        """Raises InputError if the recording cannot be read, or is too short."""


class OverTime(Predictor):
    """Valence and arousal every half second, by networks on openSMILE features (`common.features.opensmile`).

    As in training they hear all 260, or only those that do not tell how long a file has gone on, and sequences are as
    long (`length`); a shorter recording is one sequence.
    """

    scale = "Valence from -1 (negative) to 1 (positive), arousal from -1 (calm) to 1 (excited), every 0.5 s."
    length: int

    def __init__(self, networks, facts):
        self.settings = facts["settings"]["network"]
        self.columns = opensmile.TIME_INVARIANT if facts["settings"]["input"] == "timeless" else slice(None)
        # Keras takes as long to load as the features of a song: both at once.
        self._models = ThreadPoolExecutor(1).submit(self._load, networks)
        self._of_length = lru_cache(4)(self._rebuilt)

    def _load(self, paths: list[Path]) -> list:

        backend.start(0)
        self.register_layers()
        return [weights.read(path) for path in paths]

    def register_layers(self) -> None:
        """Import the paper's own layers, if it has some, so that Keras can load files that have them."""

    @property
    def models(self) -> list:
        """The networks, their input scaling inside."""
        return self._models.result()

    def _rebuilt(self, length: int) -> list:
        """The networks for sequences of another length than they were trained on."""
        found = []
        for model in self.models:
            found.append(weights.with_scaling(self.network(model.input_shape[-1], length), 0, 1))
            weights.copy(model, found[-1])
        return found

    @abstractmethod
    def network(self, features: int, length: int):
        """The network for sequences of a length, its weights aside."""

    @abstractmethod
    def joined(self, found: list[np.ndarray]) -> np.ndarray:
        """Valence and arousal (n, 2) from what each network says."""

    def __call__(self, path: Path) -> Prediction:
        try:
            times, features, seconds = opensmile.extract_windows(path)
        finally:
            wait([self._models])  # it mutes standard error, where an error would be printed
        return Prediction(self.of_features(features), seconds, seconds, times)

    def of_features(self, features: np.ndarray) -> np.ndarray:
        """Features (n, 260) -> valence and arousal (n, 2)."""
        length, song = min(self.length, len(features)), Sequences.of([features[:, self.columns].astype("float32")])
        models = self.models if length == self.length else self._of_length(length)
        windows, starts = song.split_into(length)
        return self.joined([song.overlap_merge(np.asarray(model(windows)), starts) for model in models])


@lru_cache
def _predictor(module: str, folder: Path) -> Predictor:
    found = importlib.import_module(module)
    return found.Model(*weights.load(folder, found.PAPER))


def _predict(module: str, folder: Path, path: Path) -> Prediction | str:
    """Of one file; what is wrong with it, if it cannot be heard."""
    try:
        audio.duration(path)  # what is not there or no recording is told before any network is built
        with collect_warnings() as warnings:
            found = replace(_predictor(module, folder)(path), warnings=tuple(warnings))
        finite = np.isfinite(found.values).all()
        return found if finite else f"{path}: the model's answer is not a finite number; try other --weights"
    except Exception as error:  # whatever befalls one recording, the others are predicted
        told = str(error) if isinstance(error, InputError) else f"{path}: {type(error).__name__}: {error}"
        return " ".join(told.split())


def main(module: str, description: str, paper: str, arguments: list[str] | None = None) -> int:
    """The command line of a paper's module, which holds PAPER and Model, a Predictor; returns the exit code."""
    program = f"python -m reproductions.{paper}.predict"
    parser = Parser(
        prog=program,
        description=description,
        epilog=f"Example: {program} song.mp3 --plot song.png --csv song.csv\n\n"
        "Folders are searched for recordings, those inside them too. A recording that cannot be read is told,\n"
        "the others are predicted, and the exit code is 1.",
    )
    add = parser.add_argument
    add("audio", nargs="+", metavar="AUDIO", help="recordings (wav, flac, mp3, ogg, opus, m4a, ...), or folders")
    add("--csv", type=Path, metavar="FILE", help="write a line a recording, or every half second of it")
    add("--json", type=Path, metavar="FILE", help="write all that is told, and what could not be read")
    add("--plot", type=Path, metavar="FILE", help=f"draw them (.png, .svg, .pdf); at most {PICTURED} recordings")
    folder = RESULTS / paper / "weights"
    add("--weights", type=Path, default=folder, metavar="DIR", help="other weights, as train --weights keeps them")
    add_processes(add)
    options = parser.parse_args(arguments)
    return run(lambda: _main(module, paper, options))


def _main(module: str, paper: str, options: argparse.Namespace) -> int:
    use_device(options)
    _require_outputs(options)
    _, facts = weights.load(options.weights, paper)
    given = recordings(options.audio)
    good, bad = _predict_all(module, paper, given, options)
    kind = importlib.import_module(module).Model
    refused, written = [], []  # a disk that is full does not lose what can be shown
    if options.csv and good:
        _write(options.csv, as_csv(good, facts["columns"]), written, refused)
    if options.json:
        text = as_json(good, bad, given.left_out, facts | {"scale": kind.scale}, options.json)
        _write(options.json, text, written, refused)
    if good:
        print(table(good, facts["columns"]))
        print(f"\n{kind.scale} The model hears {kind.heard}.")
        print(provenance(facts))
    for line in filter(None, [left_out_line(given.left_out), *written]):
        print(line)
    if options.plot and good:
        from common.report import plots

        shown = dict(list(good.items())[:PICTURED])
        plots.predictions(shown, facts["columns"], options.plot, f"{paper}: {facts['title']}")
        print(f"picture: {options.plot}" + (f" ({PICTURED} of {len(good)})" if len(good) > PICTURED else ""))
    for text in (text for one in good.values() for text in one.warnings):
        print(f"warning: {text}", file=sys.stderr)
    for text in [*bad.values(), *refused]:
        print(f"error: {text}", file=sys.stderr)
    if bad and len(good) + len(bad) > 1:
        print(f"{len(bad)} of {len(good) + len(bad)} recordings could not be predicted", file=sys.stderr)
    return 2 if refused else 1 if bad else 0


def _require_outputs(options: argparse.Namespace) -> None:
    """Raise InputError, before any work, if an output cannot be written or would replace something else."""
    if options.plot and options.plot.suffix.lower() not in PICTURES:
        raise InputError(f"--plot {options.plot}: ends in none of {', '.join(PICTURES)}")
    marks = {options.csv: CSV_MARK, options.json: JSON_MARK, options.plot: PICTURE_MARK}
    outputs = [path for path in (options.csv, options.json, options.plot) if path]
    require_distinct(outputs)
    for path in outputs:
        require_output(path, marks[path])


def _predict_all(module: str, paper: str, given: Recordings, options) -> tuple[dict, dict]:
    """Predictions by recording, and what is wrong with those that have none."""
    calls = ((_predict, module, options.weights, path) for path in given.paths)
    n, n_jobs = len(given.paths), _processes(given.paths, options.jobs)
    outcomes = progress(calls, total=n, n_jobs=n_jobs, label=paper, unit="file", quiet=n == 1)
    outcomes = dict(zip(given.paths, outcomes, strict=True))
    good = {path: one for path, one in outcomes.items() if isinstance(one, Prediction)}
    return good, given.failed | {path: one for path, one in outcomes.items() if isinstance(one, str)}


def _processes(paths: list[Path], at_most: int) -> int:
    """How many processes predict recordings sooner than fewer would: each takes as long to start as WORKER_S takes."""
    n, seconds = 1, 0.0
    for path in paths:
        if n >= at_most:
            break
        with contextlib.suppress(InputError):  # reported when the recording is predicted
            seconds += audio.duration(path)
        n = 1 + int(seconds / WORKER_S)
    return min(n, at_most)


def _write(path: Path, text: str, written: list[str], refused: list[str]) -> None:
    """Write an output; the line that says so, or that it cannot be written, goes to one of the lists."""
    try:
        write_atomically(path, text_bytes(text))
        written.append(f"written: {path}")
    except InputError as error:
        refused.append(str(error))


def clock(seconds: float) -> str:
    """Minutes and seconds: 3:07."""
    return f"{int(seconds + 0.5) // 60}:{int(seconds + 0.5) % 60:02}"


def table(found: dict[Path, Prediction], columns: list[str]) -> str:
    """A line a recording: its length, and each value; of a continuous model the mean, lowest and highest."""
    lines, called = [], names(list(found))
    for path, one in found.items():
        cells = [report.number(value, 2) for value in one.mean]
        if one.times is not None:
            ends = zip(cells, one.values.min(0), one.values.max(0), strict=True)
            cells = [f"{mean} ({report.number(low, 2)} … {report.number(high, 2)})" for mean, low, high in ends]
        lines.append([called[path], clock(one.length), *cells])
    header = [column.replace("_", " ") for column in columns]
    if next(iter(found.values())).times is not None:
        header = [f"{column}, mean (lowest … highest)" for column in header]
    return report.text_table(["recording", "length", *header], lines)


def training_songs(facts: dict) -> str:
    """How many songs of what the weights come from: those that trained, and those that chose when to stop."""
    validated = f", validated on {facts['n_validation']} more" if facts.get("n_validation") else ""
    return f"{facts['n_train']} songs of {facts['dataset']}{validated}"


def provenance(facts: dict) -> str:
    """What the weights were trained on, and how well the model and what ran beside it did there."""
    quality = facts["quality"]
    targets = list(quality["model"])
    sign = -1 if lower_is_better(quality["metric"]) else 1
    beside = sorted(quality["baselines"].items(), key=lambda row: -sign * row[1][targets[-1]])
    rows = {"the model": quality["model"]} | dict(beside)
    better = [t for t in targets if any(sign * (one[t] - quality["model"][t]) > 0 for _, one in beside)]
    lines = [[title, *(report.number(values[t], 2) for t in targets)] for title, values in rows.items()]
    lower = " (lower is better)" if sign < 0 else ""
    metric = f"{quality['metric'].replace('_', ' ')}{lower}, {quality['split']}, {quality['n_test']} songs"
    trained = f"{facts['title']}: trained on {training_songs(facts)}. How well it does there:"
    text = trained + "\n\n" + report.text_table([metric, *(target.replace("_", " ") for target in targets)], lines)
    return text + (f"\nBetter without a network: {', '.join(better).replace('_', ' ')}." if better else "")


def as_csv(good: dict[Path, Prediction], columns: list[str]) -> str:
    """A line a recording, or a recording and time; numbers with four digits."""
    continuous = next(iter(good.values())).times is not None
    lines = [["recording", *(["time_s"] if continuous else []), *columns, "warning"]]
    for path, one in good.items():
        rows = np.column_stack([one.times, one.values]) if continuous else [one.values]
        numbers = ([f"{float(cell):.4f}".rstrip("0").rstrip(".") for cell in row] for row in rows)
        lines += [[path, *row, "; ".join(one.warnings)] for row in numbers]
    return report.csv_text(lines)


def as_json(
    good: dict[Path, Prediction], bad: dict[Path, str], left_out: dict[str, list[Path]], facts: dict, path: Path
) -> str:
    """For a file: recordings with their means and courses, those that failed, what was left out, the model's facts."""

    def rounded(values):
        return np.asarray(values, "float64").round(4).tolist()

    songs = []
    for recording, one in good.items():
        song = {"recording": str(recording), "length_s": round(one.length, 3), "heard_s": round(one.heard, 3)}
        song["warnings"] = list(one.warnings)
        song["mean"] = dict(zip(facts["columns"], rounded(one.mean), strict=True))
        if one.times is not None:
            song |= {"time_s": rounded(one.times)}
            song |= {name: rounded(one.values[:, i]) for i, name in enumerate(facts["columns"])}
        songs.append(song)
    failed = [{"recording": str(recording), "error": text} for recording, text in bad.items()]
    model = {key: value for key, value in facts.items() if key != "sha256"}
    unused = {reason: [str(one) for one in paths] for reason, paths in left_out.items() if paths}
    content = {"model": model, "recordings": songs, "failed": failed, "left_out": unused}
    return json_text(content, path, indent=1) + "\n"
