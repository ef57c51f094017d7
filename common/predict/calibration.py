"""What is known of weights from songs that were held out: calibration.json and distance.npz in their folder.

`common.predict.calibrate` makes both. They are plain numbers, checked by SHA-256 when they are read.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.audio.survey import LOW_RATE
from common.errors import InputError
from common.prediction import ErrorModel, Prediction

FILE, ARRAYS = "calibration.json", "distance.npz"
AGAIN = "make it again: python -m reproductions calibrate; of weights of your own: train with --weights"
FIXED = {"level": ": is very quiet (", "bandwidth": ": has no sound above "}  # words of warnings of `common.audio`


@dataclass(frozen=True)
class Distance:
    """How far a recording is from the training songs: the Mahalanobis distance of the medians of its features.

    Features have heavy tails, so each is scaled by its quartiles and compressed by asinh before.

    Attributes
    ----------
    centre, scale : (n_features,), median over the training songs, and a robust standard deviation
    mean, precision : (n_features,) and (n_features, n_features), of the compressed features
    limit : beyond which a recording has a flag (`common.predict.flags`)
    """

    centre: np.ndarray
    scale: np.ndarray
    mean: np.ndarray
    precision: np.ndarray
    limit: float

    def __call__(self, features: np.ndarray) -> float:
        """Of the medians (n_features,) of a recording's features."""
        difference = np.arcsinh((features - self.centre) / self.scale) - self.mean
        return float(np.sqrt(difference @ self.precision @ difference))


@dataclass(frozen=True)
class Calibration:
    """How predictions err, and what is unlike the training songs.

    Attributes
    ----------
    error_model : None: not known
    distance : from the training songs
    facts : the content of calibration.json
    """

    error_model: ErrorModel | None
    distance: Distance
    facts: dict

    def unlike(self, one: Prediction) -> list[str]:
        """In what a recording is unlike the training songs, a text each; what is not known of it is left out.

        Parameters
        ----------
        one : Prediction

        Returns
        -------
        list of str
        """
        limits = self.facts["flags"]["limits"]
        (quiet, loud), narrow, short = limits["level"] or (-np.inf, np.inf), limits["bandwidth"] or 0, limits["length"]
        far = 0 if one.features is None else self.distance(one.features)
        level, bandwidth, rate = one.sound or (np.nan, np.nan, np.inf)
        most = f"{np.floor(100 * (1 - self.facts['flags']['flagged'] / self.facts['flags']['songs'])):.0f} %"
        of_level = f"{level:.1f} dB of full scale; at least {most} of theirs have {quiet:.1f} to {loud:.1f}"
        of_band = f"nothing above {bandwidth / 1000:.1f} kHz; at least {most} of theirs reach {narrow / 1000:.1f} kHz"
        of_length = f"{one.length:.1f} s; it had {short:.1f} s or more of at least {most} of them"
        of_rate = f"{rate / 1000:g} kHz; they have {LOW_RATE / 1000:g} kHz or more"
        of_distance = f"distance {far:.1f} in features; at least {most} of theirs are within {self.distance.limit:.1f}"
        rules = [
            (far > self.distance.limit, "sounds unlike", of_distance, "the model can be wrong on it"),
            (level < quiet, "is quieter than", of_level, "raise its level, or expect larger errors"),
            (level > loud, "is louder than", of_level, "lower its level, or expect larger errors"),
            (bandwidth < narrow, "is duller than", of_band, "use a better copy, or expect larger errors"),
            (rate < LOW_RATE, "has a lower rate than", of_rate, "use a better copy, or expect larger errors"),
            (one.length < short, "is shorter than", of_length, "use a longer part, or expect larger errors"),
        ]
        theirs = "the songs that the model was trained on"
        return [f"{what} {theirs} ({of}); {then}" for so, what, of, then in rules if so]

    def replaces(self, text: str) -> bool:
        """Whether a warning of `common.audio` is by a fixed limit of what has a limit from the training songs here.

        Parameters
        ----------
        text : str

        Returns
        -------
        bool
        """
        return any(self.facts["flags"]["limits"][name] is not None and words in text for name, words in FIXED.items())

    def statement(self) -> str:
        """What the interval around a value is, measured where; empty without an error model."""
        if self.error_model is None:
            return ""
        of, coverage = self.facts["errors"], self.facts["errors"]["coverage"]

        def shares(of_targets):
            ends = sorted({f"{100 * min(of_targets.values()):.0f}", f"{100 * max(of_targets.values()):.0f}"})
            return f"{' to '.join(ends)} %"

        text = f"± holds the labels of {100 * of['level']:.0f} % of songs that were held out in training (measured: "
        text += f"{shares(coverage['songs'])}, by target; {of['songs']} songs, {of['runs']} runs"
        if "steps" in coverage:
            text += f"; of single labels every 0.5 s, estimated, {shares(coverage['steps'])}"
        return text + ")."


def read(folder: Path, facts: dict) -> Calibration | None:
    """The calibration of weights.

    Parameters
    ----------
    folder : Path
        Of the weights.
    facts : dict
        Of the weights.

    Returns
    -------
    Calibration; None if the folder has none

    Raises
    ------
    InputError
        If it is damaged, or of other weights.
    """
    path = Path(folder) / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        digests, errors, limits = dict(content["sha256"]), content["errors"], dict(content["flags"]["limits"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: cannot be read ({error!r}); {AGAIN}") from error
    arrays = digests.pop(ARRAYS, None)
    if digests != facts["sha256"]:
        raise InputError(f"{path}: is of other weights than weights.json; {AGAIN}")
    by_target = [[errors[name][target] for target in facts["columns"]] for name in ("error", "factor") if errors]
    error_model = ErrorModel(*map(np.array, by_target)) if errors else None
    return Calibration(error_model, _distance(path.with_name(ARRAYS), arrays, limits["distance"]), content)


def _distance(path: Path, digest: str | None, limit: float) -> Distance:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {AGAIN}") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise InputError(f"{path}: is not the file that {FILE} names (SHA-256); {AGAIN}")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return Distance(**{name: arrays[name].astype("float64") for name in arrays.files}, limit=limit)
