"""Predictions as JAMS, the exchange format of music information retrieval: one file a recording.

Source: Humphrey et al., "JAMS: A JSON annotated music specification for reproducible MIR research", ISMIR 2014. The
package `jams` writes and validates the files. Valence and arousal over time are of its namespace `mood_thayer`, whose
values are (valence, arousal); emotions and classes are tags (`tag_open`) with what is predicted as confidence.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from common.errors import InputError
from common.files import NAME
from common.predict.outputs import training_songs
from common.prediction import Prediction

SUFFIX = ".jams"


def paths(given: Path, recordings: list[Path]) -> dict[Path, Path]:
    """The file of each recording.

    Parameters
    ----------
    given : Path
        The file if it ends in .jams, else a folder of files.
    recordings : list of Path

    Returns
    -------
    dict
        Of each recording its file.

    Raises
    ------
    InputError
        If the package `jams` is not installed, or one file is to hold several recordings.
    """
    if find_spec("jams") is None:
        raise InputError("--jams: needs the package jams; install the extra 'jams'")
    if given.suffix.lower() == SUFFIX:
        if len(recordings) > 1:
            raise InputError(
                f"--jams {given}: a file holds one recording, and there are {len(recordings)}; name a folder"
            )
        return {recordings[0]: given}
    used, files = set(), {}
    for recording in recordings:
        names = (recording.stem, *(f"{recording.stem}-{n}" for n in range(2, len(recordings) + 2)))
        name = next(name for name in names if name.casefold() not in used)
        used.add(name.casefold())
        files[recording] = given / f"{name}{SUFFIX}"
    return files


def as_jams(recording: Path, one: Prediction, facts: dict, scale: str) -> str:
    """The content of a recording's file.

    Parameters
    ----------
    recording : Path
        Its name is an identifier in the file.
    one : Prediction
    facts : dict
        Of the weights.
    scale : str
        What the numbers mean.

    Returns
    -------
    str
        JSON, which `jams` has validated.

    Raises
    ------
    ImportError
        If the package `jams` is not installed, which `paths` checks.
    """
    import jams

    content = jams.JAMS(sandbox={"program": NAME, "warnings": list(one.warnings)})
    content.file_metadata.duration = one.length
    content.file_metadata.identifiers.file = str(recording.name).encode("utf-8", "backslashreplace").decode()
    namespace = "mood_thayer" if facts["columns"] == ["valence", "arousal"] else "tag_open"
    annotation = jams.Annotation(namespace, time=0, duration=one.length)
    metadata = annotation.annotation_metadata
    metadata.data_source, metadata.annotation_tools, metadata.annotation_rules = "program", NAME, scale
    metadata.annotator.model = f"{facts['paper']}, {facts['title']}"
    metadata.annotator.trained_on = training_songs(facts)
    if namespace == "tag_open":
        for name, value in zip(facts["columns"], one.values, strict=True):
            annotation.append(time=0, duration=one.length, value=name, confidence=round(float(value), 4))
    else:
        ends = [one.length] if one.times is None else one.times.tolist()
        starts = [0.0, *ends[:-1]]
        for start, end, values in zip(starts, ends, np.atleast_2d(one.values), strict=True):
            value = [round(float(v), 4) for v in values]
            annotation.append(time=start, duration=end - start, value=value, confidence=None)
    if one.half_width is not None:
        half_width = np.atleast_2d(one.half_width).round(4).T
        annotation.sandbox.half_width = dict(zip(facts["columns"], half_width.tolist(), strict=True))
    content.annotations.append(annotation)
    content.validate(strict=True)
    return content.dumps(indent=1) + "\n"
