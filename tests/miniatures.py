"""A miniature of emoMusic for several tests."""

import numpy as np
import soundfile

from data_prep.deam.features import COLUMNS
from data_prep.emomusic import ENDS_EARLY, LABELS

TIMES = 15 + 0.5 * np.arange(LABELS)
RATE = 8000


def trajectory(song: int) -> np.ndarray:
    """Valence and arousal of a clip of the miniature, (61, 2)."""
    return np.stack([np.sin(TIMES / 9 + song), np.cos(TIMES / 7 + song)], axis=1) * [0.4, 0.6]


def write_copy(root, described):
    """Clips in emoMusic's layout, DEAM's features of them, and cuts of ten seconds; `described`: by song its
    start in seconds, artist, title and split.

    The first feature is where the window starts on the clock of the labels.
    """
    annotations, features, metadata, cuts = (
        root / folder for folder in ("emoMusic/annotations", "DEAM/features", "DEAM/metadata", "DEAM/audio_30s-40s")
    )
    for folder in (annotations, features, metadata, cuts):
        folder.mkdir(parents=True)
    for k, name in enumerate(["valence", "arousal"]):
        lines = [",".join(["song_id", *(f"sample_{1000 * time:.0f}ms" for time in TIMES)])]
        lines += [",".join([str(song), *(f"{value:.6f}" for value in trajectory(song)[:, k])]) for song in described]
        (annotations / f"{name}_cont_average.csv").write_text("\n".join(lines) + "\n")
    lines = [f"{song},{6 + n % 4},1.5,{3 + n % 4},1.2" for n, song in enumerate(described)]
    (annotations / "static_annotations.csv").write_text(
        "\n".join(["song_id,mean_arousal,std_arousal,mean_valence,std_valence", *lines]) + "\n"
    )
    columns = ["file_name", "Artist", "Song title", "start of the segment (min.sec)", "end of the segment (min.sec)"]
    header = ["song_id", *columns, "Genre", "Mediaeval 2013 set"]
    info = [",".join(f'"{column}"' for column in header)]
    for song, (start, artist, title, split) in described.items():
        begins = f"{start // 60}.{start % 60:02d}"
        info.append(f'{song},"\t{song}.mp3","{artist}\t","\t{title}\t","\t{begins}\t","\t9\t","\tBlues\t","{split}"')
    (annotations / "songs_info.csv").write_text("\n".join(info) + "\n")
    (metadata / "metadata_2013.csv").write_text("\n".join(line.rpartition(",")[0] for line in info) + "\n")
    rng = np.random.default_rng(0)
    for song, (start, *_) in described.items():
        window_start = np.arange(14, 44 if str(song) in ENDS_EARLY else 44.5, 0.5)
        table = np.column_stack([window_start + start, window_start, rng.standard_normal((len(window_start), 259))])
        np.savetxt(features / f"{song}.csv", table, "%.5g", ";", header=";".join(COLUMNS), comments="")
        soundfile.write(cuts / f"{song}.flac", 0.1 * rng.standard_normal(10 * RATE), RATE)
    offsets = "".join(f"{song},30.0,10.0\n" for song in described)
    (cuts / "offsets.csv").write_text("song_id,start_s,duration_s\n" + offsets)
    return root
