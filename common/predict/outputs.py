"""What a prediction is written as: a table, CSV, JSON, and lines on where the model comes from."""

from pathlib import Path

import numpy as np

from common import report
from common.files import json_text
from common.predict.calibration import Calibration
from common.prediction import SONG, Prediction, names
from common.verdict.cells import lower_is_better


def clock(seconds: float) -> str:
    """Minutes and seconds: 3:07.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str
    """
    return f"{int(seconds + 0.5) // 60}:{int(seconds + 0.5) % 60:02}"


def table(predictions: dict[Path, Prediction], columns: list[str]) -> str:
    """A line a recording: its length, and each value with its interval; over time the mean, lowest and highest.

    Parameters
    ----------
    predictions : dict
        Of each recording's path its Prediction.
    columns : list of str
        Names of the values.

    Returns
    -------
    str
    """
    lines, shown = [], names(list(predictions))
    for path, one in predictions.items():
        of_song = one.averaged(SONG)
        cells = [report.number(value, 2) for value in of_song.values]
        if of_song.half_width is not None:
            cells = [f"{cell} ± {report.number(half, 2)}" for cell, half in zip(cells, of_song.half_width, strict=True)]
        if one.times is not None:
            ends = zip(cells, one.values.min(0), one.values.max(0), strict=True)
            cells = [f"{mean} ({report.number(low, 2)} … {report.number(high, 2)})" for mean, low, high in ends]
        lines.append([shown[path], clock(one.length), *cells])
    header = [column.replace("_", " ") for column in columns]
    if next(iter(predictions.values())).times is not None:
        header = [f"{column}, mean (lowest … highest)" for column in header]
    return report.text_table(["recording", "length", *header], lines)


def training_songs(facts: dict) -> str:
    """How many songs the weights were trained on, and how many more chose when to stop.

    Parameters
    ----------
    facts : dict
        Of the weights.

    Returns
    -------
    str
    """
    validated = f", validated on {facts['n_validation']} more" if facts.get("n_validation") else ""
    return f"{facts['n_train']} songs of {facts['dataset']}{validated}"


def provenance(facts: dict) -> str:
    """What the weights were trained on, and how accurate the model and the baselines were there.

    Parameters
    ----------
    facts : dict
        Of the weights.

    Returns
    -------
    str, several lines
    """
    quality = facts["quality"]
    targets = list(quality["model"])
    sign = -1 if lower_is_better(quality["metric"]) else 1
    baselines = sorted(quality["baselines"].items(), key=lambda row: -sign * row[1][targets[-1]])
    rows = {"the model": quality["model"]} | dict(baselines)
    lines = [[title, *(report.number(values[t], 2) for t in targets)] for title, values in rows.items()]
    lower = " (lower is better)" if sign < 0 else ""
    metric = f"{quality['metric'].replace('_', ' ')}{lower}, {quality['split']}, {quality['n_test']} songs"
    trained = f"{facts['title']}: trained on {training_songs(facts)}. Its accuracy there:"
    text = trained + "\n\n" + report.text_table([metric, *(target.replace("_", " ") for target in targets)], lines)
    better = ", ".join(better_without_network(facts)).replace("_", " ")
    return text + (f"\nBetter without a network: {better}." if better else "")


def better_without_network(facts: dict) -> list[str]:
    """The targets that a baseline predicts more accurately than the model does.

    Parameters
    ----------
    facts : dict
        Of the weights.

    Returns
    -------
    list of str
    """
    of_model, baselines = facts["quality"]["model"], facts["quality"]["baselines"].values()
    sign = -1 if lower_is_better(facts["quality"]["metric"]) else 1
    return [target for target, value in of_model.items() if any(sign * (one[target] - value) > 0 for one in baselines)]


def of_model(facts: dict, scale: str, known: Calibration | None) -> dict:
    """What `as_json` says of a model.

    Parameters
    ----------
    facts : dict
        Of its weights.
    scale : str
        What its numbers mean.
    known : Calibration or None
        How it errs.

    Returns
    -------
    dict, as JSON
    """
    return facts | {"scale": scale} | ({"errors": known.facts["errors"]} if known else {})


def as_csv(predictions: dict[Path, Prediction], columns: list[str]) -> str:
    """A line a recording, or a recording and time; numbers with four digits.

    Parameters
    ----------
    predictions : dict
        Of each recording's path its Prediction; at least one.
    columns : list of str
        Names of the values.

    Returns
    -------
    str
    """
    first = next(iter(predictions.values()))
    header = ["recording", *(["time_s"] if first.times is not None else []), *columns]
    header += [f"{name}_{end}" for name in columns for end in ("low", "high")] if first.error_model else []
    lines = [[*header, "warning"]]
    for path, one in predictions.items():
        values = np.atleast_2d(one.values)
        parts = [] if one.times is None else [one.times[:, None]]
        parts.append(values)
        if one.half_width is not None:
            half = np.atleast_2d(one.half_width)
            parts.append(np.stack([values - half, values + half], axis=-1).reshape(len(values), -1))
        numbers = ([f"{float(cell):.4f}".rstrip("0").rstrip(".") for cell in row] for row in np.hstack(parts))
        lines += [[path, *row, "; ".join(one.warnings)] for row in numbers]
    return report.csv_text(lines)


def as_json(
    predictions: dict[Path, Prediction],
    failed: dict[Path, str],
    left_out: dict[str, list[Path]],
    facts: dict,
    path: Path,
) -> str:
    """Recordings with their means and curves, those that failed, what was left out, and the model.

    Parameters
    ----------
    predictions : dict
        Of each recording's path its Prediction.
    failed : dict
        Of each path what is wrong with it.
    left_out : dict
        As of `Recordings`.
    facts : dict
        As of `of_model`.
    path : Path
        Of the file, for messages.

    Returns
    -------
    str
    """
    songs = [{"recording": str(recording)} | _song(one, facts["columns"]) for recording, one in predictions.items()]
    model = {key: value for key, value in facts.items() if key != "sha256"}
    unused = {reason: [str(one) for one in paths] for reason, paths in left_out.items() if paths}
    errors = [{"recording": str(recording), "error": text} for recording, text in failed.items()]
    content = {"model": model, "recordings": songs, "failed": errors, "left_out": unused}
    return json_text(content, path, indent=1) + "\n"


def _song(one: Prediction, columns: list[str]) -> dict:
    """A recording's part of the JSON, but its name."""
    song = {"length_s": round(one.length, 3), "used_s": round(one.used, 3), "warnings": list(one.warnings)}
    song |= {f"mean{end}": values for end, values in _curves(one.averaged(SONG), columns).items()}
    if one.times is not None:
        song |= {"time_s": _rounded(one.times)}
        song |= {f"{name}{end}": values for end, of in _curves(one, columns).items() for name, values in of.items()}
    return song


def _curves(one: Prediction, columns: list[str]) -> dict[str, dict]:
    """By "", "_low" and "_high" (with an error model) and target: a number, or one for each time."""
    ends = {"": one.values}
    if one.half_width is not None:
        ends |= {"_low": one.values - one.half_width, "_high": one.values + one.half_width}
    return {end: dict(zip(columns, _rounded(np.transpose(values)), strict=True)) for end, values in ends.items()}


def _rounded(values) -> list:
    return np.asarray(values, "float64").round(4).tolist()
