"""Which song means of the task's labels look exchanged, how sure that is, and what an exchange does to the errors.

Compares the development labels that the task handed out with DEAM's averages, with song-level ratings and with the
loudness of the music; then asks the same of the evaluation labels, and what errors would be if they were exchanged.
Prints tables; --write also draws two figures into the folder of the records and generates the part `labels` of the
README.
"""

import sys
from pathlib import Path

import numpy as np

from common import cli, metrics, report
from common.errors import InputError
from common.features.opensmile import NAMES, OpenSmile
from common.features.store import FeatureStore
from common.parallel import available_cores
from common.places import RESULTS
from common.verdict.board import load_expected
from common.verdict.crossed import estimate
from common.verdict.recorded import Records
from common.verdict.resampling import leaving_out
from data_prep.base import required_data_root
from data_prep.deam import EVALUATION, Deam
from data_prep.deam.annotations import LAST_OF_2013
from data_prep.dynamic import align_to_labels
from data_prep.emomusic import Emomusic
from reproductions.malik2017.tables import LENGTHS, TARGETS

README, EXPECTED = (Path(__file__).with_name(name) for name in ("README.md", "expected.json"))
DATASET, SHOWN, SPREAD = "mediaeval2015", "crnn_l20", ("crnn_l60", "crnn_l30", "crnn_l10")
SYSTEMS = ("zero", "ridge", "crnn_l20", "crnn_l60", "crnn_l20_repaired", "crnn_l20_deam")
LOUDNESS = NAMES.index("audspec_lengthL1norm_sma_amean")  # the feature nearest to perceived loudness
ROOM = 3  # Fisher's z needs more songs than this


def groups(data: Deam) -> dict[str, list[str]]:
    """Song ids: development up to 1000, above, and evaluation.

    Parameters
    ----------
    data : Deam

    Returns
    -------
    dict of str to list of str
        By the title of the group, in this order.
    """
    late = {song: int(song) > LAST_OF_2013 for song in data.splits["development"]}
    development = {f"2 … {LAST_OF_2013}": False, f"above {LAST_OF_2013}": True}
    songs = {title: [song for song in late if late[song] == which] for title, which in development.items()}
    return songs | {"evaluation": data.splits["evaluation"]}


def label_sets(data: Deam) -> dict[str, dict]:
    """Annotations by source and song id: the task's development labels, and DEAM's of both splits.

    Parameters
    ----------
    data : Deam

    Returns
    -------
    dict of str to dict
        `task` and `DEAM`: `Annotation` by song id.

    Raises
    ------
    InputError
        If labels are missing or a file is malformed.
    """
    deam = data.annotations("development", "deam") | data.annotations("evaluation")
    return {"task": data.annotations("development"), "DEAM": deam}


def crossed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson's r of each column of `a` with each of `b`.

    Parameters
    ----------
    a : ndarray, (n, p)
    b : ndarray, (n, q)

    Returns
    -------
    float64, (p * q,)
        In [-1, 1]; those of a's first column first.

    Raises
    ------
    InputError
        On fewer than 2 rows, or values that are not finite numbers.
    """
    return np.concatenate([metrics.pearson_r_pooled(np.repeat(one[:, None], b.shape[1], 1), b) for one in a.T])


def with_interval(r: np.ndarray, n: int) -> list[str]:
    """Each r with its 95 % interval by Fisher's z, as text.

    Parameters
    ----------
    r : ndarray, (k,)
        In [-1, 1].
    n : int
        The number of songs, more than `ROOM`.

    Returns
    -------
    list of str
        As ".50 (.16 … .74)".
    """
    z = np.arctanh(np.clip(r, -0.999999, 0.999999))
    low, high = np.tanh(z - 1.96 / np.sqrt(n - 3)), np.tanh(z + 1.96 / np.sqrt(n - 3))
    return ["{} ({} … {})".format(*(report.number(v, 2) for v in cell)) for cell in zip(r, low, high, strict=True)]


def ratings(data: Deam) -> dict[str, dict[str, np.ndarray]]:
    """Song-level ratings, valence and arousal as each file's header names them, by source and song id.

    Parameters
    ----------
    data : Deam
        Those of emoMusic are read if its folder is next to DEAM's.

    Returns
    -------
    dict of str to dict
        By source: float64 (2,) by song id, from 1 to 9.

    Raises
    ------
    InputError
        If a file of either is missing or malformed.
    """
    sources = {"DEAM, song-level ratings": data.ratings()}
    if (data.root.parent / Emomusic.folder).is_dir():
        sources["emoMusic, song-level ratings"] = Emomusic(data.root.parent).ratings()
    return sources


def agreement(data: Deam) -> list[list]:
    """How the labels correlate with other labels, by group of songs: the lines of a table.

    Parameters
    ----------
    data : Deam

    Returns
    -------
    list of list
        Labels, against, group, number of songs, r of V × V, V × A, A × V, A × A (the first letter: of the labels).
        r of song means has its 95 % interval, and groups of `ROOM` songs or fewer are left out. r within songs is a
        mean.

    Raises
    ------
    InputError
        If labels are missing or a file is malformed.
    """
    labels, lines = label_sets(data), []
    means = {source: {s: a.values.mean(0, "float64") for s, a in songs.items()} for source, songs in labels.items()}
    others = {"DEAM, song means": means["DEAM"], **ratings(data)}
    for source, against in [(source, against) for source in means for against in others]:
        for where, ids in groups(data).items():
            songs = [song for song in ids if song in means[source] and song in others[against]]
            if len(songs) > ROOM and others[against] is not means[source]:
                r = crossed(*(np.array([of[song] for song in songs]) for of in (means[source], others[against])))
                lines.append([source, against, where, len(songs), *with_interval(r, len(songs))])
    for where, ids in groups(data).items():
        both = [(labels["task"][song].values, labels["DEAM"][song].values) for song in ids if song in labels["task"]]
        if both:
            r = np.mean([crossed(*pair) for pair in both], axis=0)
            against = "DEAM, trajectory within a song (mean r)"
            lines.append(["task", against, where, len(both), *(report.number(v, 2) for v in r)])
    return lines


def loudness(data: Deam) -> list[list]:
    """How the labels correlate with the loudness of the music at them, by group of songs: the lines of a table.

    Parameters
    ----------
    data : Deam

    Returns
    -------
    list of list
        Labels, input ("official features" or "audio"), group, number of songs, r of valence and of arousal, each with
        its 95 % interval. Groups of `ROOM` songs or fewer are left out.

    Raises
    ------
    InputError
        If labels are missing, a file is malformed, or a recording cannot be read.
    """
    songs = [song for ids in groups(data).values() for song in ids]
    recordings, lines = data.recordings(songs), []
    extracted = (
        FeatureStore().get_all([r.path for r in recordings.values()], OpenSmile(), n_jobs=available_cores())
        if recordings
        else []
    )
    audio = {
        song: (recording.start_s + 0.5 * np.arange(len(values)), values)
        for (song, recording), values in zip(recordings.items(), extracted, strict=True)
    }
    for name, features in (("official features", data.features(songs)), ("audio", audio)):
        for (source, labels), (where, ids) in [(a, b) for a in label_sets(data).items() for b in groups(data).items()]:
            means = []
            for song in [song for song in ids if song in features and song in labels]:
                there, rows = align_to_labels(labels[song].times, *features[song])
                means.append([rows[:, LOUDNESS].mean(), *labels[song].values[there].mean(0)])
            if len(means) > ROOM:
                r = crossed(np.array(means)[:, :1], np.array(means)[:, 1:])
                lines.append([source, name, where, len(means), *with_interval(r, len(means))])
    return lines


def against_exchanged(moments: np.ndarray, covariance: np.ndarray | None = None) -> np.ndarray:
    """Moments of songs, valence's labels in the place of arousal's and the other way round.

    Parameters
    ----------
    moments : ndarray, (n_songs, 2, 5)
        As `common.metrics.song_moments`.
    covariance : ndarray, (n_songs, 2), optional
        Of estimates and the exchanged trajectories of labels. Without it only the song means are exchanged.

    Returns
    -------
    ndarray, (n_songs, 2, 5)
    """
    exchanged = moments.copy()
    exchanged[..., 0] = moments[..., ::-1, 0]
    if covariance is not None:
        exchanged[..., 2], exchanged[..., 4] = moments[..., ::-1, 2], covariance
    return exchanged


def rmse(frames: np.ndarray, moments: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """RMSE, pooled over the frames of the songs, each counted as often as the weights say.

    Parameters
    ----------
    frames : int, (n_songs,)
    moments : ndarray, (n_songs, 2, 5)
        As `common.metrics.song_moments`.
    weights : ndarray, (n, n_songs)
        Each row says how often each song counts.

    Returns
    -------
    float64, (n, 2)

    Raises
    ------
    InputError
        On other shapes of frames or moments, values in them that are not finite numbers, or no songs.
    """
    n, errors = metrics.squared_errors({"frames": frames, "moments": moments})
    return np.sqrt(weights @ (n[:, None] * errors) / (weights @ n)[:, None])


def trajectories(record: dict, data: Deam) -> dict[str, tuple[np.ndarray, ...]]:
    """Times, labels and predictions of a record's first run, by evaluation song.

    Parameters
    ----------
    record : dict
        Of a network; the first run has the predictions of the evaluation songs.
    data : Deam

    Returns
    -------
    dict of str to tuple
        By song id: times (n,) in seconds, labels (n, 2) and predictions (n, 2), valence and arousal.

    Raises
    ------
    InputError
        If the songs have other numbers of evaluation labels here than in the record.
    """
    ids, labels = record["facts"]["splits"]["evaluation"]["tracks"], data.annotations("evaluation")
    frames = record["runs"][0]["songs"]["evaluation"]["frames"]
    if [len(labels[song].times) if song in labels else 0 for song in ids] != frames:
        raise InputError(f"{data.root}: other evaluation labels than of the record {record['variant']}; train it anew")
    predicted = np.split(np.array(record["runs"][0]["predictions"]["evaluation"]), np.cumsum(frames)[:-1])
    return {song: (labels[song].times, labels[song].values, p) for song, p in zip(ids, predicted, strict=True)}


def outcomes(data: Deam, records: Records):
    """One by one the moments of each recorded system on a set of songs, under each version of the evaluation labels.

    Parameters
    ----------
    data : Deam
    records : Records

    Yields
    ------
    songs, system : str
    frames : int, (n_songs,)
    moments : list of list
        The runs' moments (n_songs, 2, 5) under the labels as they are, with song means exchanged, and all exchanged.
        With all exchanged a network has one run, the first; on segments none, as no trajectories are recorded there.

    Raises
    ------
    InputError
        As `trajectories`.
    """
    labels = data.annotations("evaluation").values()
    zero = np.array([metrics.song_moments(a.values, 0 * a.values) for a in labels])
    exchanged = [against_exchanged(zero)], [against_exchanged(zero, zero[..., 4])]
    yield (
        f"all {len(labels)}, complete",
        "zero",
        np.array([len(a.times) for a in labels]),
        [[zero] * 2, *exchanged],  # twice, as an interval needs two runs
    )
    recorded = {name: records.get(DATASET, name) for name in SYSTEMS}
    for split in ("evaluation", "evaluation_cuts"):
        for name, record in recorded.items():
            if not record or split not in record["facts"]["splits"]:
                continue
            runs, all_exchanged = [np.array(run["songs"][split]["moments"]) for run in record["runs"]], []
            if name in ("zero", "ridge"):  # their trajectories are flat
                all_exchanged = [against_exchanged(m, 0 * m[..., 4]) for m in runs]
            elif split == "evaluation":
                crosswise = [
                    metrics.song_moments(y[:, ::-1], p)[:, 4] for _, y, p in trajectories(record, data).values()
                ]
                all_exchanged = [against_exchanged(runs[0], np.array(crosswise))]
            frames = np.array(record["runs"][0]["songs"][split]["frames"])
            known = np.isin(*(record["facts"]["splits"][which]["tracks"] for which in (split, "evaluation")))
            parts = {f"{len(known)}, complete": known}
            if split == "evaluation_cuts":
                parts = {f"all {len(known)}, segments": known | True, f"those {known.sum()}, segments": known}
                parts |= {f"the other {(~known).sum()}, segments": ~known} if not known.all() else {}
            every = [runs, [against_exchanged(m) for m in runs], all_exchanged]
            for title, part in parts.items():
                yield title, name, frames[part], [[m[part] for m in reading] for reading in every]


def what_if(data: Deam, records: Records) -> list[list]:
    """The errors of each system if the evaluation labels were exchanged: the lines of a table.

    Parameters
    ----------
    data : Deam
    records : Records

    Returns
    -------
    list of list
        Songs, system, RMSE of V and A under each version of the labels as in `outcomes`, and the 95 % interval of A - V
        under the first.

    Raises
    ------
    InputError
        As `trajectories`.
    """
    cells = {cell["id"]: cell["value"] for cell in load_expected(EXPECTED)["cells"]}
    published = [report.number(cells[f"1a/crnn/l20/evaluation/{name}/rmse_pooled"]) for name in ("valence", "arousal")]
    tables = {"": [[f"all {len(EVALUATION)}, complete", "published, length 20", *published, *5 * "–"]]}
    for title, system, frames, by_reading in outcomes(data, records):
        n, cells = len(frames), []
        for runs in by_reading:
            values = np.mean([rmse(frames, m, np.ones((1, n)))[0] for m in runs], 0) if runs else (None, None)
            cells += [report.number(value) for value in values]
        weights = leaving_out(list(map(str, range(n))))
        differences = np.array([np.diff(rmse(frames, m, weights))[:, 0] for m in by_reading[0]])
        difference = estimate(differences[:, 0], differences[:, 1:])
        half = difference.half_width(0.95)
        bounds = " … ".join(report.number(float(value)) for value in (difference.mean - half, difference.mean + half))
        tables.setdefault(title, []).append([title, system, *cells, bounds])
    return [line for lines in tables.values() for line in lines]


def without_audio(data: Deam) -> list[list]:
    """The errors of zero and of each song's own mean on all evaluation labels: the lines of a table.

    Parameters
    ----------
    data : Deam

    Returns
    -------
    list of list
        Prediction, target, its RMSE pooled over all frames, and that within sequences of 60, 30, 20 and 10 frames,
        averaged over sequences.

    Raises
    ------
    InputError
        If labels are missing or a file is malformed.
    """
    labels = [annotation.values for annotation in data.annotations("evaluation").values()]
    predictions = {
        "zero": [np.zeros_like(values) for values in labels],
        "oracle: each song's own mean": [np.broadcast_to(values.mean(0), values.shape) for values in labels],
    }
    names, lines = ["rmse_pooled", *(f"rmse_within_{length}" for length in LENGTHS)], []
    for title, predicted in predictions.items():
        songs = metrics.of_songs(labels, predicted, tau=False, lengths=LENGTHS)
        errors = metrics.dynamic(songs, list(TARGETS[:2]))
        lines += [[title, target, *(report.number(errors[name][target]) for name in names)] for target in TARGETS]
    return lines


def tables(data: Deam, records: Records, render) -> str:
    """All tables, each under its title.

    Parameters
    ----------
    data : Deam
    records : Records
    render : callable
        `common.report.text_table` or `markdown_table`.

    Returns
    -------
    str

    Raises
    ------
    InputError
        As `agreement`, `loudness`, `what_if` and `without_audio`.
    """
    pairs = ["V × V", "V × A", "A × V", "A × A"]
    blocks = {
        "Labels against other labels: r over songs (95 %), V × A is the labels' valence with the other's arousal":
            render(["labels", "against", "songs", "number", *pairs], agreement(data)),
        "Labels against the loudness of the music (r over songs, 95 %)":
            render(["labels", "loudness from", "songs", "number", "valence", "arousal"], loudness(data)),
        "RMSE, pooled, if valence and arousal of the evaluation labels were exchanged":
            render(["evaluation songs", "system", "V as distributed", "A as distributed", "V, means exchanged",
                    "A, means exchanged", "V, all exchanged", "A, all exchanged", "A − V as distributed, 95 %"],
                   what_if(data, records)),
        f"RMSE of predictions without audio, all {len(EVALUATION)} evaluation songs, complete":
            render(["prediction", "target", "all frames", *(f"within {length} frames" for length in LENGTHS)],
                   without_audio(data)),
    }  # fmt: skip
    title = "**{}**" if render is report.markdown_table else "{}"
    notes = [
        f"Song-level ratings are named as in their files' headers. For songs up to {LAST_OF_2013} DEAM's header names "
        "valence what emoMusic's names arousal, and the other way round.",
        "RMSE: mean over the recorded runs; of networks, with all exchanged, that of the first run, whose "
        "trajectories are recorded. Segments: ten seconds of each song, features from audio. Intervals: over runs and "
        "songs.",
    ]
    return "\n\n".join([*(f"{title.format(name)}\n\n{table}" for name, table in blocks.items()), *notes])


def draw(data: Deam, records: Records) -> list[Path]:
    """Draw both figures, in the folder of the records.

    Parameters
    ----------
    data : Deam
    records : Records

    Returns
    -------
    list of Path
        One figure if there is no record of SHOWN.

    Raises
    ------
    InputError
        As `label_sets` and `trajectories`.
    """
    from common.report.plots import STYLE, plt
    from reproductions.malik2017 import figures

    folder, labels = records.path(DATASET, "").parent / "figures", label_sets(data)
    drawn = [folder / "label_exchange.png"]
    halves = dict(list(groups(data).items())[:2])
    means = {
        where: [np.array([labels[of][song].values.mean(0) for song in ids]) for of in ("task", "DEAM")]
        for where, ids in halves.items()
    }
    with plt.rc_context(STYLE):
        figures.label_exchange(means, drawn[0])
        if records.get(DATASET, SHOWN):
            drawn.append(folder / "trajectories.png")
            recorded = {name: records.get(DATASET, name) for name in (SHOWN, *SPREAD)}
            of_all = [trajectories(record, data) for record in recorded.values() if record]
            figures.trajectories(recorded[SHOWN], of_all, drawn[1])
    return drawn


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.
    """
    parser = cli.Parser(prog="python -m reproductions.malik2017.labels", description=__doc__)
    add = parser.add_argument
    add("--data-root", metavar="DIR", help="folder of the data sets (default: the variable MER_DATA_ROOT)")
    add("--write", action="store_true", help="make the README's tables and the two figures anew")
    options = parser.parse_args(arguments)
    return cli.run(lambda: _main(options))


def _main(options) -> int:
    root = required_data_root(options.data_root)
    data, records = Deam(root), Records(RESULTS, "malik2017")
    if not options.write:
        print(tables(data, records, report.text_table))
        return 0
    parts = {"labels": tables(data, records, report.markdown_table)}
    README.write_text(report.replace_generated(README, parts), encoding="utf-8")
    for path in (README, *draw(data, records)):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
