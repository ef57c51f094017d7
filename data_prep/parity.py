"""Agreement of the project's openSMILE features with those that DEAM distributes.

Pearson's r of each of the 260 columns, pooled over all windows of all songs that have official features: on complete
excerpts, and on segments. The audio of an excerpt may be some hundredths of a second later than the official features
(an mp3 cut from an mp3 is delayed): for the first excerpts the delay with the highest r is reported, and r with it.
"""

import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import cli
from common.errors import InputError
from common.features.opensmile import NAMES, STEP_S, OpenSmile
from common.features.store import FeatureStore
from common.files import json_text, write_atomically
from common.outputs import require_output
from common.parallel import available_cores
from common.report import text_table
from data_prep.base import required_data_root
from data_prep.deam import Deam
from data_prep.dynamic import Recording, align_to_labels

DELAYS_S, N_DELAYED = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06), 10  # delays that are tried, songs for which they are
MEMORY_S = 1.0  # how long the filter of the RASTA bands depends on the audio before the start of a segment
RASTA = np.array(["Rfilt" in name or "Rasta" in name for name in NAMES])


@dataclass(frozen=True)
class Delayed:
    """Features of all but the first `delay_s` seconds of a recording."""

    extractor: OpenSmile
    delay_s: float
    name: str = "opensmile-delayed"
    libraries = OpenSmile.libraries
    files = OpenSmile.files

    def __call__(self, samples: np.ndarray, rate: int) -> np.ndarray:
        return self.extractor(samples[round(self.delay_s * rate) :], rate)


@dataclass(frozen=True)
class Windows:
    """Windows of recordings for which both features exist."""

    ours: np.ndarray  # (n, 260)
    official: np.ndarray  # (n, 260)
    since_start_s: np.ndarray  # (n,), seconds from the start of the recording to that of the window

    @classmethod
    def of(cls, recording: Recording, rows: np.ndarray, official: tuple[np.ndarray, np.ndarray]) -> "Windows":
        """The windows of one recording.

        Parameters
        ----------
        recording : Recording
        rows : float32 (n, 260)
            Features computed here.
        official : tuple
            Those of the song from `Deam.features`.

        Returns
        -------
        Windows
        """
        starts = recording.start_s + STEP_S * np.arange(len(rows))
        kept, official_rows = align_to_labels(starts, *official, "starts_at_label")
        return cls(rows[kept], official_rows, starts[kept] - recording.start_s)

    @classmethod
    def concatenate(cls, songs: list["Windows"]) -> "Windows":
        """The windows of several recordings.

        Parameters
        ----------
        songs : list of Windows

        Returns
        -------
        Windows
        """
        names = ("ours", "official", "since_start_s")
        return cls(*(np.concatenate([getattr(song, name) for song in songs]) for name in names))

    def subset(self, kept: np.ndarray) -> "Windows":
        """Some of the windows.

        Parameters
        ----------
        kept : bool (n,)

        Returns
        -------
        Windows
        """
        return Windows(self.ours[kept], self.official[kept], self.since_start_s[kept])

    def r(self) -> np.ndarray:
        """Pearson's r of each column, (260,), NaN where a column does not vary."""
        a, b = (side - side.mean(axis=0, dtype="float64") for side in (self.ours, self.official))
        with np.errstate(invalid="ignore"):
            return (a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))

    def difference(self) -> np.ndarray:
        """Median absolute difference of each column, (260,), in standard deviations of the official values."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.median(np.abs(self.ours - self.official), axis=0) / self.official.std(axis=0, dtype="float64")


def compare(songs: dict[str, Windows]) -> dict:
    """The agreement over a set of recordings; r of the RASTA bands excludes the first second of each.

    Parameters
    ----------
    songs : dict of str to Windows
        By song id.

    Returns
    -------
    dict, as JSON
    """
    windows = Windows.concatenate(list(songs.values()))
    r, settled = windows.r(), windows.since_start_s >= MEMORY_S
    r[RASTA] = windows.subset(settled).r()[RASTA]
    agreement = {"songs": len(songs), "windows": len(windows.ours), "median_r": round(float(np.nanmedian(r)), 3)}
    if not settled.all():
        first_second = windows.subset(~settled).r()[RASTA]
        agreement["median_r_rasta_first_second"] = round(float(np.nanmedian(first_second)), 3)
    for key, values in (("r", r), ("difference", windows.difference())):
        rounded = [round(float(value), 3) if np.isfinite(value) else None for value in values]
        agreement[key] = dict(zip(NAMES, rounded, strict=True))
    return agreement


def fit_delays(store: FeatureStore, recordings, official, undelayed, jobs: int) -> tuple[dict, dict]:
    """For each song the delay with the highest mean r.

    Parameters
    ----------
    store : FeatureStore
    recordings : dict of str to Recording
    official : dict
        As of `Deam.features`.
    undelayed : dict of str to Windows
        Those without a delay.
    jobs : int
        Processes.

    Returns
    -------
    delays : dict of str to float
        In seconds.
    windows : dict of str to Windows
    """
    best = {song: (np.nanmean(windows.r()), 0.0, windows) for song, windows in undelayed.items()}
    for delay in DELAYS_S:
        rows = store.get_all([r.path for r in recordings.values()], Delayed(OpenSmile(), delay), n_jobs=jobs)
        for (song, recording), features in zip(recordings.items(), rows, strict=True):
            windows = Windows.of(recording, features, official[song])
            best[song] = max(best[song], (np.nanmean(windows.r()), delay, windows), key=lambda fit: fit[0])
    return {song: fit[1] for song, fit in best.items()}, {song: fit[2] for song, fit in best.items()}


def measure(data: Deam, jobs: int) -> dict[str, dict]:
    """Compare the features of all songs that have official ones.

    Parameters
    ----------
    data : the copy of DEAM
    jobs : processes for the extraction

    Returns
    -------
    results of `compare` by set of recordings: "whole" (complete excerpts), "whole, delay fitted" and "cuts" (segments)

    Raises
    ------
    InputError : if no song has both audio and official features
    """
    official, store, results = data.features(), FeatureStore(), {}
    single = {song: recording for song in official for recording in data.recordings([song]).values()}
    complete = {song: recording for song, recording in single.items() if recording.start_s == 0}
    segments = {s: recording for s, recording in data.recordings(list(official)).items() if recording.start_s > 0}
    for name, recordings in (("whole", complete), ("cuts", segments)):
        if not recordings:
            continue
        rows = store.get_all([recording.path for recording in recordings.values()], OpenSmile(), n_jobs=jobs)
        songs = {s: Windows.of(r, f, official[s]) for (s, r), f in zip(recordings.items(), rows, strict=True)}
        results[name] = compare(songs)
        if name == "whole":
            first = dict(list(recordings.items())[:N_DELAYED])
            delays, songs = fit_delays(store, first, official, {song: songs[song] for song in first}, jobs)
            results["whole, delay fitted"] = compare(songs) | {"delay_s": delays}
    if not results:
        raise InputError(f"{data.root}: has no song with both audio and features; get both from {data.source}")
    return results


def grouped(columns: list[str]) -> list[str]:
    """Columns of features in few lines.

    Parameters
    ----------
    columns : list of str
        Names of features.

    Returns
    -------
    list of str
        One line each for sma_stddev, sma_amean, sma_de_stddev and sma_de_amean, with their descriptors.
    """
    groups: dict[str, list[str]] = {}
    for column in columns:
        name, kind = re.fullmatch(r"(\S+?)_(sma\S*)", re.sub(r"\[\d+\]", "", column)).groups()
        groups.setdefault(kind, []).append(name)
    lines = []
    for kind, names in groups.items():
        counted = [f"{name} ({n} bands)" if n > 1 else name for name, n in Counter(names).items()]
        lines.append(f"{kind}: {'all' if len(names) == len(NAMES) // 4 else ', '.join(counted)}")
    return lines


def summary(results: dict[str, dict]) -> str:
    """The results as a table, with a list of the columns that agree least, and the delays.

    Parameters
    ----------
    results : dict
        As of `measure`.

    Returns
    -------
    str
    """
    lines, notes = [], []
    for name, agreement in results.items():
        r = {column: value for column, value in agreement["r"].items() if value is not None}
        low = [column for column, value in r.items() if value < 0.9]
        high = sum(value >= 0.99 for value in r.values())
        difference = np.median([value for value in agreement["difference"].values() if value is not None])
        lines.append(
            [name, agreement["songs"], agreement["windows"], agreement["median_r"], high, len(low), f"{difference:.3f}"]
        )
        notes.append(f"\n{name}: r < .9" + "".join(f"\n  {line}" for line in grouped(low) or ["in no column"]))
        if "median_r_rasta_first_second" in agreement:
            notes.append(
                f"  (RASTA bands in the first second, excluded: median r {agreement['median_r_rasta_first_second']})"
            )
        if "delay_s" in agreement:
            notes.append(
                "  delays: " + ", ".join(f"song {s} {1000 * d:.0f} ms" for s, d in agreement["delay_s"].items())
            )
    header = ["", "songs", "windows", "median r", "r >= .99", "r < .9", "median difference / std"]
    return "\n".join([text_table(header, lines), *notes])


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.

    Returns
    -------
    int
        The exit code.
    """
    parser = cli.Parser(prog="python -m data_prep.parity", description=__doc__)
    add = parser.add_argument
    add("--data-root", metavar="DIR", help="folder of the data sets (default: the variable MER_DATA_ROOT)")
    add("--out", type=Path, metavar="FILE", help="write r and difference of every column there, as JSON")
    add("--jobs", type=cli.at_least(1), default=available_cores(), help="processes (default: the cores, %(default)s)")
    options = parser.parse_args(arguments)
    return cli.run(lambda: _report(options))


def _report(options) -> int:
    root = required_data_root(options.data_root)
    if options.out:
        require_output(options.out, rb'\{"engine": ')
    results = measure(Deam(root), options.jobs)
    print(summary(results))
    if options.out:
        record = {"engine": OpenSmile().engine, **results}
        write_atomically(options.out, f"{json_text(record, options.out)}\n".encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
