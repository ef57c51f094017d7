"""The command line that every paper's `predict` shares: recordings in; a table, CSV, JSON, JAMS and a picture out."""

import argparse
import contextlib
import importlib
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path

import numpy as np

from common import audio, weights
from common.cli.options import Parser, add_processes, run, use_device
from common.errors import InputError, collect_warnings
from common.files import NAME, text_bytes, write_atomically
from common.outputs import require_distinct, require_no_input, require_output
from common.parallel import on_worker, progress
from common.places import RESULTS
from common.predict import calibration, jams
from common.predict.base import Predictor, load
from common.predict.outputs import as_csv, as_json, of_model, provenance, table, training_songs
from common.prediction import SONG, STEP_S, Prediction
from common.recordings import Recordings, left_out_line, recordings

PICTURED = 24  # recordings in one picture
PICTURES = (".png", ".svg", ".pdf")
WORKER_S = 100  # seconds of audio that one process reads while another one starts
READ_AHEAD = 64  # recordings whose features may wait for the networks
AT_ONCE = 16  # recordings that a model predicts together
KEPT = 8  # features of recordings that `predict_file` keeps for other models
CSV, JSON = rb"recording,[^\n]*,warning\r?\n", rb'\{\n "model": \{'  # patterns of outputs
PICTURE, JAMS = (rb"(\x89PNG|%PDF|<\?xml).*" + NAME.encode(), rb'\{.*"program": "' + NAME.encode())
EPILOG = """Folders are searched, those inside them too. Unreadable recordings are reported and skipped, and
the exit code is 1. The interval of a value (±; NAME_low and NAME_high in files) holds the labels of 95 % of the songs
that were held out in training; it is wider where the networks that are averaged differ. A recording that is unlike the
training songs in its features, level or bandwidth, or shorter, has a warning; in calibration few of them had one."""


def interval(text: str) -> float:
    """An argument type: a multiple of STEP_S in seconds, or SONG for the word.

    Parameters
    ----------
    text : str

    Returns
    -------
    float
    """
    if text == "song":
        return SONG
    with contextlib.suppress(ValueError):
        if float(text) > 0 and (float(text) / STEP_S).is_integer():
            return float(text)
    raise argparse.ArgumentTypeError(f"'{text}' is neither a multiple of {STEP_S:g} seconds nor the word song")


def parser(program: str, description: str) -> Parser:
    """The options of a command that predicts.

    Parameters
    ----------
    program, description : str
        For --help.

    Returns
    -------
    Parser
    """
    example = f"Example: {program} song.mp3 --plot song.png --csv song.csv"
    made = Parser(prog=program, description=description, epilog=f"{example}\n\n{EPILOG}")
    add = made.add_argument
    add("audio", nargs="+", metavar="AUDIO", help="recordings (wav, flac, mp3, ogg, opus, m4a, ...), or folders")
    often = f"means over so many seconds, a multiple of {STEP_S:g}, or the word song (default: {STEP_S:g})"
    add("--interval", type=interval, metavar="SECONDS", help=often)
    add("--csv", type=Path, metavar="FILE", help="write a line a recording, or a line a recording and time")
    add("--json", type=Path, metavar="FILE", help="write all that is predicted, and what could not be read")
    add("--jams", type=Path, metavar="PATH", help="write JAMS: a file NAME.jams, or a folder with one a recording")
    add("--plot", type=Path, metavar="FILE", help=f"draw them (.png, .svg, .pdf); at most {PICTURED} recordings")
    add("--weights", type=Path, metavar="DIR", help="other weights, as train --weights keeps them")
    add_processes(add)
    return made


def main(module: str, description: str, paper: str, arguments: list[str] | None = None) -> int:
    """Run the command line of a paper's module.

    Parameters
    ----------
    module : str
        Its name; it holds `PAPER`, and `Model`, a Predictor.
    description, paper : str
    arguments : list of str, optional
        By default those of the process.

    Returns
    -------
    int
        The exit code.
    """
    options = parser(f"python -m reproductions.{paper}.predict", description).parse_args(arguments)
    return run(lambda: predict(module, paper, options))


def predict(module: str, paper: str, options: argparse.Namespace, heading: str = "") -> int:
    """Predict what the parsed options name.

    Parameters
    ----------
    module : str
        The name of a paper's, which holds `PAPER`, and `Model`, a Predictor.
    paper : str
    options : argparse.Namespace
        As of `parser`.
    heading : str
        Printed above the table.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    InputError
        Before any work, if the weights cannot be read, an option does not fit, an output would replace something else,
        or there is no recording.
    """
    use_device(options)
    options.weights = options.weights or RESULTS / paper / "weights"
    _, facts = weights.load(options.weights, paper)
    known = calibration.read(options.weights, facts)
    model = importlib.import_module(module).Model
    if options.interval and model.limits[0] >= 0:
        raise InputError(f"--interval: is for valence and arousal over time; {paper} predicts one value a recording")
    given = recordings(options.audio)
    files = jams.paths(options.jams, given.paths) if options.jams else {}
    _require_outputs(options, list(files.values()), given.paths)
    predictions, failed = _predict_all(module, paper, given, options)
    about = of_model(facts, model.scale, known)
    texts = {options.csv: as_csv(predictions, facts["columns"])} if options.csv and predictions else {}
    if options.json:
        texts[options.json] = as_json(predictions, failed, given.left_out, about, options.json)
    texts |= {files[path]: jams.as_jams(path, one, facts, model.scale) for path, one in predictions.items() if files}
    written, refused = _write_all(texts)
    if options.plot and predictions:
        written.append(_draw(predictions, facts, model, options.plot))
    if predictions:
        print(heading + table(predictions, facts["columns"]))
        print(f"\n{model.scale} The model uses {model.uses}.")
        print("\n".join(filter(None, [known and known.statement(), provenance(facts)])))
    for line in filter(None, [left_out_line(given.left_out), *written]):
        print(line)
    return _report(predictions, failed, refused)


def _draw(predictions: dict[Path, Prediction], facts: dict, model: type[Predictor], path: Path) -> str:
    """Draw the first PICTURED recordings; returns a line that says so."""
    from common.report import plots

    shown, n = dict(list(predictions.items())[:PICTURED]), len(predictions)
    title = f"{facts['paper']}, trained on {training_songs(facts)}"
    plots.predictions(shown, facts["columns"], path, title, limits=model.limits)
    return f"picture: {path}" + (f" ({PICTURED} of {n})" if n > PICTURED else "")


def _report(predictions: dict[Path, Prediction], failed: dict[Path, str], refused: list[str]) -> int:
    """Print warnings and errors on standard error; returns the exit code."""
    sys.stdout.flush()  # the table first, and nothing more where nobody reads on
    for text in (text for one in predictions.values() for text in one.warnings):
        print(f"warning: {text}", file=sys.stderr)
    for text in [*failed.values(), *refused]:
        print(f"error: {text}", file=sys.stderr)
    n = len(predictions) + len(failed)
    if failed and n > 1:
        print(f"{len(failed)} of {n} recordings could not be predicted", file=sys.stderr)
    return 2 if refused else 1 if failed else 0


def _require_outputs(options: argparse.Namespace, jams_files: list[Path], inputs: list[Path]) -> None:
    """Raise InputError, before any work, if an output cannot be written or would replace something else."""
    if options.plot and options.plot.suffix.lower() not in PICTURES:
        raise InputError(f"--plot {options.plot}: ends in none of {', '.join(PICTURES)}")
    named = [(options.csv, CSV), (options.json, JSON), (options.plot, PICTURE)]
    outputs = [(path, pattern) for path, pattern in named if path] + [(path, JAMS) for path in jams_files]
    require_distinct([path for path, _ in outputs] + [options.jams] * (options.jams not in [None, *jams_files]))
    require_no_input([path for path, _ in outputs], inputs)
    for path, pattern in outputs:
        require_output(path, pattern)


def _explained(path: Path, function, *arguments):
    """What a function of a recording returns, and its warnings; if it fails, why."""
    try:
        with collect_warnings() as warnings:
            return function(*arguments), tuple(warnings)
    except Exception as error:  # whatever befalls one recording, the others are predicted
        message = str(error) if isinstance(error, InputError) else f"{path}: {type(error).__name__}: {error}"
        return " ".join(message.split())


def _read(module: str, path: Path):
    return _explained(path, on_worker, importlib.import_module(module).Model.read, path)


def _predict(loaded: Callable[[], Predictor], path: Path, interval: float, features: tuple, values=None) -> Prediction:
    model = loaded()
    values = values or model.values(*features)
    prediction = model.with_errors(path, values).averaged(interval)
    if not np.isfinite(prediction.values).all():
        raise InputError(f"{path}: the model's answer is not a finite number; try other --weights")
    return prediction


def _outcome(loaded: Callable[[], Predictor], path: Path, interval: float, read, values=None) -> Prediction | str:
    """What a model predicts of what `_read` returned, with all warnings; if it cannot, why. values: as `_together`."""
    made = read if isinstance(read, str) else _explained(path, _predict, loaded, path, interval, read[0], values)
    if isinstance(made, str):
        return made
    return replace(made[0], warnings=(*loaded().without_fixed(read[1]), *made[1]))


def _together(loaded: Callable[[], Predictor], reads: list) -> list[Prediction | None]:
    """The values of several recordings, from what `_read` returned; None: to be predicted alone, so that what fails
    is an error of one recording."""
    features, values = {k: read[0] for k, read in enumerate(reads) if not isinstance(read, str)}, {}
    if features:
        with contextlib.suppress(Exception):
            values = dict(zip(features, loaded().values_of(list(features.values())), strict=True))
    return [values.get(k) for k in range(len(reads))]


def _predict_all(module: str, paper: str, given: Recordings, options) -> tuple[dict, dict]:
    """Predictions by recording, and what is wrong with those that have none.

    Other processes, or the workers of a cluster, read recordings while this one loads the networks, once for all.
    """
    predictions, failed, interval = {}, dict(given.failed), options.interval or STEP_S
    n, n_jobs = len(given.paths), _processes(given.paths, options.jobs)
    with ThreadPoolExecutor(1) as thread:
        # what is no recording is reported before any network is built
        model = thread.submit(load, module, options.weights) if any(map(_is_recording, given.paths)) else None
        tasks = ((_read, module, path) for path in given.paths)
        features = progress(
            tasks, total=n, n_jobs=n_jobs, label=paper, unit="file", quiet=n == 1, most_waiting=READ_AHEAD
        )
        reads = zip(given.paths, features, strict=True)
        while some := list(islice(reads, AT_ONCE)):
            together = _together(model and model.result, [read for _, read in some])
            for (path, read), values in zip(some, together, strict=True):
                made = _outcome(model and model.result, path, interval, read, values)
                (failed if isinstance(made, str) else predictions)[path] = made
    return predictions, failed


_load = lru_cache(load)


@lru_cache(KEPT)
def _read_once(read: Callable, path: Path, changed: int):
    return _explained(path, read, path)


def predict_file(module: str, folder: Path, interval: float, path: Path) -> Prediction | str:
    """What the model of a paper's module predicts of one file.

    For programs that predict many files one after another: models stay loaded, and a file is read once for all models
    that use the same features.

    Parameters
    ----------
    module : str
        Its name, as of `main`.
    folder : Path
        Of weights.
    interval : float
        Of means, in seconds; STEP_S: all values; SONG: one mean.
    path : Path
        Of the recording.

    Returns
    -------
    Prediction, with its warnings; if the model cannot predict, str: why, in one line
    """
    changed = path.stat().st_mtime_ns if path.exists() else 0
    read = _read_once(importlib.import_module(module).Model.read, path, changed)
    return _outcome(partial(_load, module, folder), path, interval, read)


def _is_recording(path: Path) -> bool:
    with contextlib.suppress(InputError):
        return bool(audio.duration(path))
    return False


def _processes(paths: list[Path], at_most: int) -> int:
    """How many processes read recordings sooner than fewer would: each takes as long to start as WORKER_S takes."""
    n, seconds = 1, 0.0
    for path in paths:
        if n >= at_most:
            break
        with contextlib.suppress(InputError):  # reported when the recording is predicted
            seconds += audio.duration(path)
        n = 1 + int(seconds / WORKER_S)
    return min(n, at_most)


def _write_all(texts: dict[Path, str]) -> tuple[list[str], list[str]]:
    """Write outputs; returns a line for each that is written, and for each that cannot be: a full disk may lose one."""
    written, refused = [], []
    for path, text in texts.items():
        try:
            write_atomically(path, text_bytes(text))
            written.append(f"written: {path}")
        except InputError as error:
            refused.append(str(error))
    return written, refused
