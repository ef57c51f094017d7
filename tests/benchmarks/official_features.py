"""How far predictions from a recording lie from those on DEAM's official features of it, over its whole excerpts.

    python -m tests.benchmarks.official_features --data-root DATA [--out results]

The same windows of both first, which leaves the features alone to differ; then what `predict` says, which hears the
recording from its beginning, where the official features begin at 15 s.
"""

import importlib
import sys

import numpy as np

from common import cli, weights
from common.features import opensmile
from common.places import RESULTS
from common.report import text_table
from data_prep import open_dataset
from data_prep.dynamic import align_to_labels
from tests import benchmarks

TARGETS = ("valence", "arousal")


def differences(of_songs: list[np.ndarray]) -> dict:
    """Of predictions of n songs, differences (frames, 2) each: absolute ones of frames and of song means, by target."""
    frames, means = np.abs(np.concatenate(of_songs)), np.abs([song.mean(0) for song in of_songs])
    found = {}
    for i, target in enumerate(TARGETS):
        found[target] = {
            "songs": len(of_songs), "frames": len(frames), "largest": frames[:, i].max(),
            "largest_of_a_songs_mean": means[:, i].max(), "median": np.median(frames[:, i]),
            "song_means": means[:, i].tolist(),
        }  # fmt: skip
    return {target: {key: _rounded(value) for key, value in values.items()} for target, values in found.items()}


def _rounded(value):
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return value if isinstance(value, int) else round(float(value), 4)


def main() -> None:
    parser = benchmarks.parser(__doc__)
    parser.add_argument("--data-root", metavar="DIR")
    options = parser.parse_args()
    data = open_dataset("deam", options.data_root)
    official, lines, record = data.features(), [], {}
    whole = {song: found[song] for song in official if (found := data.recordings([song])).get(song)}
    whole = {song: recording for song, recording in whole.items() if recording.start_s == 0}
    for paper in ("malik2017", "chaki2020"):
        model = importlib.import_module(f"reproductions.{paper}.predict").Model
        model = model(*weights.load(RESULTS / paper / "weights", paper))
        same, whole_file = [], []
        for song, recording in whole.items():
            ends, rows, _ = opensmile.extract_windows(recording.path)
            there, given = align_to_labels(ends - opensmile.WINDOW_S, *official[song], "starts_at_label")
            told = model.of_features(given)
            same.append(model.of_features(rows[there]) - told)
            whole_file.append(model.of_features(rows)[there] - told)
        pairs = (("the same windows, from 15 s on", same), ("the whole recording", whole_file))
        record[paper] = {title: differences(found) for title, found in pairs}
        for title, of_targets in record[paper].items():
            for target, found in of_targets.items():
                cells = [f"{found[key]:.3f}" for key in ("largest", "largest_of_a_songs_mean", "median")]
                lines.append([paper, title, target, *cells])
    header = ["paper", "heard", "target", "largest difference", "of a song's mean", "median difference"]
    print(f"{len(whole)} excerpts\n" + text_table(header, lines))
    if options.out:
        title = f"predictions from audio ({opensmile.engine()}) against those on the official features, absolute"
        benchmarks.record(options.out, "official_features", title, record)


if __name__ == "__main__":
    sys.exit(cli.run(main))
