"""DEAM: valence and arousal every half second, and the MediaEval 2015 task "Emotion in Music" on its songs.

Layout: `DEAM/` with the parts `annotations`, `features` and `metadata`, each a folder or the distribution's zip, and
the audio in `MEMD_audio/<id>.mp3`. Songs 2 to 2000 are excerpts of 45 s, songs 2001 to 2058 are whole. In place of
whole audio a folder of cuts will do: any format, with `offsets.csv` (song_id, start_s, duration_s) beside the files.
The development labels that the task handed out differ from DEAM's and lie in `MediaEval2015/` beside `DEAM/`.

Labels: valence and arousal, in this order, each in [-1, 1], from 15.0 s on, every 0.5 s. Their clock is the song's:
seconds from the start of the excerpt, or of the whole song in 2001 to 2058.
Features: 260 of openSMILE (ComParE 2013 low-level descriptors and deltas; standard deviation and mean over windows
of 1 s, a window every 0.5 s), with the time where each window starts. Their files count it from the start of the
full song for songs up to 1000, whose excerpts start where `metadata_2013.csv` tells; else the clock is the labels'.
Source: Aljanaki, Yang, Soleymani, "Developing a benchmark for emotional analysis of music", PLoS ONE 12(3), 2017.
"""

import csv
import hashlib
import io
import json
import math
import re
import sys
import zipfile
import zlib
from collections import defaultdict
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from common.errors import InputError
from common.features import logmel, opensmile
from common.files import cache, cache_folder, pack, unpack
from common.parallel import progress
from data_prep.base import Problem, Track, audio_files, check_duration
from data_prep.dynamic import Annotation, DynamicDataset, Recording, align_to_labels, annotation_table

FIRST_LABEL, STEP, EXCERPT_LABELS = 15.0, 0.5, 60  # seconds, seconds, labels of an excerpt of 45 s
LAST_OF_2013, LAST_EXCERPT, EXCERPT_S = 1000, 2000, 45.0
EVALUATION = [str(number) for number in range(2001, 2059)]
DEVELOPMENT = """
3 4 24 39 40 50 51 54 67 69 71 76 82 86 88 96 101 107 109 110 113 124 131 146 156 158 159 167 168 170 173 175 177 179
182 186 187 188 191 192 193 196 197 204 219 220 225 227 232 234 236 244 250 273 274 276 289 300 301 302 307 311 312 313
314 319 321 326 336 343 345 346 358 365 369 371 383 386 387 397 399 400 403 404 406 407 420 431 448 451 452 453 456 459
460 463 464 466 479 480 484 485 488 490 494 503 507 512 519 523 527 530 536 561 568 577 581 585 605 608 613 614 616 617
621 629 637 648 649 650 653 662 664 667 671 672 674 676 684 686 688 704 706 711 714 719 732 734 737 738 739 747 759 779
780 781 784 790 796 801 807 808 814 818 819 820 823 824 833 836 846 848 863 866 873 874 882 887 898 899 926 934 938 939
944 949 959 960 961 962 964 970 973 988 994 1005 1006 1008 1010 1012 1018 1030 1031 1034 1036 1044 1050 1052 1055 1061
1065 1066 1070 1071 1074 1086 1087 1091 1094 1097 1098 1100 1101 1106 1109 1111 1116 1121 1125 1126 1131 1132 1136 1137
1145 1149 1152 1153 1157 1161 1162 1163 1168 1170 1173 1175 1177 1182 1185 1186 1189 1195 1196 1199 1207 1208 1209 1215
1220 1228 1232 1250 1254 1257 1258 1262 1268 1273 1274 1278 1282 1284 1286 1289 1292 1293 1302 1303 1314 1315 1320 1322
1324 1326 1331 1334 1339 1340 1343 1346 1353 1355 1360 1365 1367 1369 1376 1381 1384 1388 1389 1391 1393 1396 1398 1399
1401 1408 1415 1416 1420 1423 1428 1441 1468 1471 1474 1478 1484 1493 1497 1509 1514 1518 1537 1540 1547 1559 1560 1564
1565 1566 1569 1570 1581 1585 1588 1600 1602 1609 1610 1615 1617 1618 1626 1628 1633 1635 1637 1660 1662 1663 1669 1676
1677 1678 1682 1683 1685 1690 1692 1694 1697 1712 1713 1716 1720 1728 1731 1741 1743 1746 1749 1761 1764 1778 1785 1790
1791 1798 1799 1801 1802 1814 1817 1820 1821 1822 1823 1827 1836 1837 1842 1846 1857 1860 1864 1866 1871 1881 1887 1888
1893 1894 1897 1899 1902 1905 1927 1942 1943 1944 1945 1947 1949 1951 1952 1954 1957 1963 1968 1969 1974 1978 1982 1985
1987 1989 1990 1993 1994
""".split()  # of the task in 2015; where the task's labels are, they tell  # noqa: SIM905

LABEL_SOURCES = {
    "task": "the development labels that the task handed out in 2015",
    "deam": "the averages of the DEAM release",
    "repaired": "the task's labels, with the song means of valence and arousal exchanged for the songs above 1000",
}
PARTS = {  # where a part may lie in DEAM/, the first one there is read
    "annotations": ("annotations", "DEAM_Annotations", "DEAM_Annotations.zip", "annotations.zip"),
    "features": ("features", "features.zip"),
    "metadata": ("metadata", "metadata.zip"),
}
DYNAMIC = "annotations averaged per song/dynamic (per second annotations)"  # in the annotations
START = "start of the segment (min.sec)"
VERSION = 1  # of how features are read; raised when the cached arrays must change


FEATURES = opensmile.NAMES
COLUMNS = ["frameTime", *FEATURES]
FRAME = np.dtype([("song", "i4"), ("start_s", "f8"), ("values", "f4", (len(FEATURES),))])


class Deam(DynamicDataset):
    """A copy of DEAM under `<data root>/DEAM`: the 431 development and 58 evaluation songs of the task in 2015."""

    name = "deam"
    folder = "DEAM"
    citation = (
        "Aljanaki, A., Yang, Y.-H., & Soleymani, M. (2017). Developing a benchmark for emotional analysis of music. "
        "PLoS ONE, 12(3), e0173392."
    )
    source = "https://cvml.unige.ch/databases/DEAM/"
    n_tracks = len(DEVELOPMENT) + len(EVALUATION)
    original_format = "mp3"
    needs_audio = False
    given_features = True

    def __init__(self, root: Path):
        super().__init__(root)
        self._task_files = {name: Path(root) / "MediaEval2015" / f"dev_{name}.csv" for name in ("valence", "arousal")}
        self._parts = {part: Part(self.root, part, self.source) for part in PARTS}

    @property
    def has_task_labels(self) -> bool:
        """Whether the labels that the task handed out are there."""
        return all(path.is_file() for path in self._task_files.values())

    @cached_property
    def splits(self) -> dict[str, list[str]]:
        """The task's: development (431 songs) and evaluation (58), those with labels; song ids, ascending."""
        averaged = [song for song in DEVELOPMENT if song in self._averages]
        return {
            "development": list(self._task) if self.has_task_labels else averaged,
            "evaluation": [song for song in EVALUATION if song in self._averages],
        }

    def annotations(self, split: str, source: str = "task") -> dict[str, Annotation]:
        """Labels of a split, by song id. `source` is one of `LABEL_SOURCES`; evaluation labels are always DEAM's."""
        if split == "evaluation" or source == "deam":
            absent = [song for song in self.splits[split] if song not in self._averages]
            if absent:
                where = self._parts["annotations"].where("arousal.csv")
                raise InputError(f"{where}: has no song {absent[0]}; get it from {self.source}")
            return {song: self._averages[song] for song in self.splits[split]}
        exchange = source == "repaired"
        return {song: _exchanged(a) if exchange and int(song) > LAST_OF_2013 else a for song, a in self._task.items()}

    @cached_property
    def _task(self) -> dict[str, Annotation]:
        for path in self._task_files.values():
            if not path.is_file():
                raise InputError(
                    f"{path}: no such file; get the task's labels, or run --variant crnn_l20_deam, which has DEAM's"
                )
        return read_annotations(*((str(path), path.read_bytes()) for path in self._task_files.values()))

    @cached_property
    def _averages(self) -> dict[str, Annotation]:
        part = self._parts["annotations"]
        return read_annotations(*((part.where(name), part.read(name)) for name in ("valence.csv", "arousal.csv")))

    @cached_property
    def labels(self) -> pd.DataFrame:
        """Valence and arousal, each in [-1, 1], by song id and time; the task's where they are, else DEAM's."""
        development = self.annotations("development", "task" if self.has_task_labels else "deam")
        return annotation_table(development | self.annotations("evaluation"))

    def ratings(self) -> dict[str, np.ndarray]:
        """Song-level ratings from 1 to 9 by song id, (2,): valence and arousal as the files' headers name them.

        The header is wrong for songs up to 1000 (`python -m reproductions.malik2017.labels` shows it).
        """
        part, found = self._parts["annotations"], {}
        for songs in ("1_2000", "2000_2058"):
            name = f"static_annotations_averaged_songs_{songs}.csv"
            if name in part.members:
                table = pd.read_csv(io.BytesIO(part.read(name)), skipinitialspace=True)
                columns = ["song_id", "valence_mean", "arousal_mean"]
                if not set(columns) <= set(table):
                    raise InputError(
                        f"{part.where(name)}: has no columns {', '.join(columns)}; get it from {self.source}"
                    )
                table = table[columns].set_index("song_id")
                values = table.to_numpy("float64")
                found |= dict(zip(table.index.astype(str), values, strict=True))
        return found

    def features(self, ids: list[str] | None = None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """The official features of the songs that have a file; of all of them if `ids` is None.

        Returns by song id: where each window starts, float64 (n,), in seconds on the labels' clock, ascending; and
        float32 (n, 260) in the order of `FEATURES`. Of songs up to 1000 only the windows that start within the
        excerpt. Raises InputError for a file that is not as distributed.
        """
        wanted = self._features if ids is None else ids
        return {song: self._features[song] for song in wanted if song in self._features}

    @cached_property
    def _features(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        part = self._parts["features"]
        songs = sorted(int(name[:-4]) for name in part.members if re.fullmatch(r"\d+\.csv", name))
        if not songs:
            return {}
        entry, frames = cache_folder() / "features" / "deam" / f"{self._features_key}.npy.sha256", None
        if entry.is_file():
            frames = unpack(entry.read_bytes())
            if frames is None:
                print(f"{entry}: damaged cache entry of {part.place}, computed again", file=sys.stderr)
        if frames is None:
            calls = ((self._frames, song) for song in songs)
            frames = np.concatenate(
                list(progress(calls, total=len(songs), n_jobs=1, label="DEAM features", unit="song"))
            )
            cache(entry, pack(frames))
        songs, first = np.unique(frames["song"], return_index=True)
        parts = zip(songs, np.split(frames, first[1:]), strict=True)
        return {str(song): (p["start_s"].copy(), np.ascontiguousarray(p["values"])) for song, p in parts}

    @cached_property
    def _features_key(self) -> str:
        read = [VERSION, self._parts["features"].digest(), self._starts]
        return hashlib.sha256(json.dumps(read).encode()).hexdigest()

    def _frames(self, song: int) -> np.ndarray:
        """The windows of one song, as FRAME; those of the excerpt if the file covers the full song."""
        part = self._parts["features"]
        where = part.where(f"{song}.csv")
        table = _read_features(where, part.read(f"{song}.csv"))
        if song <= LAST_OF_2013:
            if song not in self._starts:
                metadata = self._parts["metadata"].where("metadata_2013.csv")
                raise InputError(f"{metadata}: does not tell where song {song} starts; get it from {self.source}")
            table[:, 0] -= self._starts[song]
            table = table[(table[:, 0] >= 0) & (table[:, 0] <= EXCERPT_S)]
            if not len(table):
                raise InputError(f"{where}: has no window within the excerpt; get it and the metadata again")
        frames = np.empty(len(table), FRAME)
        frames["song"], frames["start_s"], frames["values"] = song, table[:, 0].round(3), table[:, 1:]
        return frames

    @cached_property
    def _starts(self) -> dict[int, float]:
        """Where the excerpt starts in each full song up to 1000, in seconds."""
        part, name = self._parts["metadata"], "metadata_2013.csv"
        if name not in part.members:
            return {}
        header, *rows = part.rows(name)
        if START not in header:
            raise InputError(f"{part.where(name)}: has no column '{START}'; get it from {self.source}")
        found = {}
        for line, row in enumerate(rows, 2):
            where = f"{part.where(name)}: line {line}, song {row[0]}"
            if len(row) != len(header):
                raise InputError(f"{where}: has {len(row)} fields instead of {len(header)}; get the file again")
            told = row[header.index(START)].strip()
            written = re.fullmatch(r"(\d+)(?:\.([0-5]\d?))?", told)
            if not written or not row[0].isdigit():
                raise InputError(f"{where}: start {told!r} is not minutes.seconds of a song; get the file again")
            # a last zero is not written: 2.3 is 2 min 30 s
            found[int(row[0])] = 60.0 * int(written[1]) + int((written[2] or "").ljust(2, "0"))
        return found

    @cached_property
    def _artists(self) -> dict[str, str]:
        """Artists by song id, as far as the metadata tell them clearly."""
        part, found = self._parts["metadata"], {}
        for name in ("metadata_2013.csv", "metadata_2014.csv", "metadata_2015.csv"):
            header, *rows = part.rows(name) if name in part.members else [[]]
            place = next((i for i, column in enumerate(header) if column.lower() == "artist"), None)
            for row in rows if place else []:
                # texts with commas are not quoted in two of the files, and tags follow: rows are longer than the
                # header, and a field that starts with a blank is the second half of a text
                if len(row) > place + 1 and not any(field.startswith(" ") for field in row[: place + 2]):
                    found[row[0]] = row[place]
        return found

    def recordings(self, ids: list[str]) -> dict[str, Recording]:
        """Audio of the songs that have a file: the whole excerpts (or songs) if all have one, else the cuts."""
        if not self.are_cuts(ids):
            return {song: Recording(self._whole[song], 0.0) for song in ids if song in self._whole}
        return {song: Recording(self._cuts[song], self._spans[song][0]) for song in ids if song in self._cuts}

    def are_cuts(self, ids: list[str]) -> bool:
        """Whether `recordings` gives parts of these songs."""
        return any(song in self._cuts for song in ids) and not all(song in self._whole for song in ids)

    @cached_property
    def _whole(self) -> dict[str, Path]:
        return audio_files(self.root / "MEMD_audio") or audio_files(self.root / "DEAM_audio" / "MEMD_audio")

    @cached_property
    def _offsets(self) -> Path | None:
        found = sorted(self.root.glob("*/offsets.csv"))
        if len(found) > 1:
            names = ", ".join(path.parent.name for path in found)
            raise InputError(f"{self.root}: several folders have an offsets.csv ({names}); keep one")
        return found[0] if found else None

    @cached_property
    def _spans(self) -> dict[str, tuple[float, float]]:
        """Start and length in seconds of each cut that offsets.csv lists, by song id."""
        if self._offsets is None:
            return {}
        text = self._offsets.read_text(errors="replace")
        found, rows = {}, csv.DictReader(io.StringIO(text))
        for row in rows:
            try:
                song, start, length = row["song_id"], float(row["start_s"]), float(row["duration_s"])
                if song in found or not (0 <= start < math.inf and 0 < length < math.inf):
                    raise ValueError(f"song {song}: {start:g} s, {length:g} s, or a second line")
            except (KeyError, TypeError, ValueError) as error:
                told = f"line {rows.line_num}: does not give song_id, start_s and duration_s"
                raise InputError(f"{self._offsets}: {told} ({error}); mend it") from error
            found[song] = start, length
        return found

    @cached_property
    def _cuts(self) -> dict[str, Path]:
        files = audio_files(self._offsets.parent) if self._offsets else {}
        for song, path in files.items():
            if song not in self._spans:
                raise InputError(f"{path}: has no entry in {self._offsets}; add one (song_id, start_s, duration_s)")
        return files

    @cached_property
    def tracks(self) -> list[Track]:
        """The recordings of the songs of both splits that are there."""
        found = self.recordings([song for split in self.splits.values() for song in split])
        return [Track(song, recording.path, artist=self._artists.get(song)) for song, recording in found.items()]

    @cached_property
    def cuts(self) -> dict[str, float]:
        """Seconds of each track that is a cut, by song id."""
        return self.cuts_among(self.tracks)

    def cuts_among(self, tracks: list[Track]) -> dict[str, float]:
        """Seconds that offsets.csv tells of each of these tracks that is a cut, by song id."""
        folder = self._offsets.parent if self._offsets else None
        return {track.id: self._spans[track.id][1] for track in tracks if track.path.parent == folder}

    def extractors(self) -> tuple:
        """Beside the official features, which come with the data: the suite's own, and log-mel energies."""
        return opensmile.OpenSmile(), logmel.LogMel()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over labels and audio as of every data set, DEAM's averages and the official features."""
        averages = annotation_table(self._averages).to_numpy().tobytes()
        parts = [super().fingerprint, hashlib.sha256(averages).hexdigest(), self._features_key]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def validate(self) -> list[Problem]:
        """Absent labels, features and recordings; songs with too few windows; files that are cut off."""
        problems, sizes = [], {"development": len(DEVELOPMENT), "evaluation": len(EVALUATION)}
        absent = [path.name for path in self._task_files.values() if not path.is_file()]
        if absent:
            folder = self._task_files["arousal"].parent
            text = f"{folder}: has no {' and no '.join(absent)}, the task's labels (--variant crnn_l20_deam has DEAM's)"
            problems.append(Problem(text, missing=True))
        for what, there, file in (
            ("labels", self.labels.index.unique(0), "DEAM_Annotations.zip"),
            ("features", self.features(), "features.zip"),
            ("audio", [track.id for track in self.tracks], "DEAM_audio.zip"),
        ):
            counts = {split: sum(song in there for song in self.splits[split]) for split in sizes}
            if counts != sizes:
                told = " and ".join(f"{counts[split]} of {sizes[split]} {split} songs" for split in sizes)
                problems.append(Problem(f"{self.root}: {what} of {told}; get {file} from {self.source}", missing=True))
        if self.cuts:
            kind = self.audio_kind.split(",")[0]
            text = f"{self._offsets.parent}: {kind}, not all of it; get and unpack DEAM_audio.zip from {self.source}"
            problems.append(Problem(text, missing=True))
            unheard = [song for song in self._spans if song not in self._cuts]
            if unheard:
                told = f"{len(unheard)} of {len(self._spans)} entries have no file ({', '.join(unheard[:5])})"
                problems.append(Problem(f"{self._offsets}: {told}; get them, or take the entries away", missing=True))
        return problems + self._too_few_windows() + self._cut_off()

    def _too_few_windows(self) -> list[Problem]:
        problems, have = [], self.features()
        for song, table in self.labels.groupby(level=0, sort=False):
            n = len(align_to_labels(table.index.unique(1), *have[song])[0]) if song in have else len(table)
            if n < len(table):
                told = f"has windows that end at {n} of the {len(table)} labels of song {song}"
                problems.append(Problem(f"{self._parts['features'].where(f'{song}.csv')}: {told}; get it again"))
        return problems

    def _cut_off(self) -> list[Problem]:
        lasts = self.labels.index.to_frame().groupby(level=0)["time"].max()
        checks = (check_duration(track.path, self.cuts.get(track.id, lasts[track.id]) - 0.1) for track in self.tracks)
        return [problem for problem in checks if problem]


class Part:
    """The tables of one part of the distribution, by file name, in a folder or a zip."""

    def __init__(self, root: Path, part: str, source: str):
        self.expected, self.source = root / part, source
        self.place = next((root / place for place in PARTS[part] if (root / place).exists()), None)

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.place)
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(f"{self.place}: cannot be read as a zip ({error}); get it again") from error

    @cached_property
    def members(self) -> dict[str, str | Path]:
        """Paths by file name."""
        if self.place is None:
            return {}
        paths = self.place.rglob("*.csv") if self.place.is_dir() else self._zip.namelist()
        return {PurePosixPath(path).name: path for path in paths}

    def where(self, name: str) -> str:
        """How a message calls a member."""
        if isinstance(self.members.get(name), str):
            return f"{self.place}/{self.members[name]}"
        return str(self.members.get(name, (self.place or self.expected) / name))

    def read(self, name: str) -> bytes:
        """A member's bytes. Raises InputError if it is not there or damaged."""
        if name not in self.members:
            raise InputError(f"{self.where(name)}: no such file; get it from {self.source}")
        path = self.members[name]
        try:
            return self._zip.read(path) if isinstance(path, str) else path.read_bytes()
        except (zipfile.BadZipFile, zlib.error, OSError) as error:
            raise InputError(f"{self.where(name)}: cannot be read ({error}); get it again") from error

    def rows(self, name: str) -> list[list[str]]:
        """The rows of a table with commas, header first; tabs around a field are strayed in and are taken off."""
        text = self.read(name).decode("utf-8", errors="replace")
        found = [[field.strip("\t") for field in row] for row in csv.reader(io.StringIO(text)) if row]
        if not found:
            raise InputError(f"{self.where(name)}: is empty; get it from {self.source}")
        return found

    def digest(self) -> str:
        """SHA-256 over the zip's bytes, or over the name and bytes of each table of the folder."""
        if self.place is None or self.place.is_file():
            return hashlib.sha256(self.place.read_bytes() if self.place else b"").hexdigest()
        digests = [(name, hashlib.sha256(self.read(name)).hexdigest()) for name in sorted(self.members)]
        return hashlib.sha256(json.dumps(digests).encode()).hexdigest()


def _read_features(where: str, content: bytes) -> np.ndarray:
    """One feature file, (windows, 261), in the order of COLUMNS. Raises InputError if it is not as distributed."""
    header, *lines = content.decode(errors="replace").splitlines() or [""]
    columns = header.strip().split(";")
    if columns != COLUMNS:
        absent = [column for column in COLUMNS if column not in columns]
        told = f"has no column '{absent[0]}'" if absent else "has other columns, or in another order, than DEAM's files"
        raise InputError(f"{where}: {told}; get it from {Deam.source}")
    try:
        table = np.loadtxt(lines, delimiter=";", ndmin=2) if lines else np.empty((0, 0))
    except ValueError as error:
        raise InputError(f"{where}: cannot be read as a table of numbers ({error}); get it again") from error
    if table.shape[1] != len(COLUMNS):
        raise InputError(f"{where}: has no rows of {len(COLUMNS)} numbers; get it again")
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        row, column = bad[0]
        told = f"line {row + 2}, column '{COLUMNS[column]}': {table[row, column]:g} is not a finite number"
        raise InputError(f"{where}: {told}; get it again")
    disordered = np.flatnonzero(np.diff(table[:, 0]) <= 0)
    if len(disordered):
        raise InputError(
            f"{where}: line {disordered[0] + 3}: frameTime does not ascend (rows out of order); get it again"
        )
    return table


def _table(where: str, content: bytes) -> pd.DataFrame:
    """One file of labels, in [-1, 1], NaN where a song's labels have ended: songs (by number) x times."""
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=defaultdict(lambda: "float64", song_id="int64"))
    except ValueError as error:
        raise InputError(f"{where}: cannot be read as a table of numbers ({error}); get it again") from error
    times = FIRST_LABEL + STEP * np.arange(table.shape[1] - 1)
    if list(table.columns) != ["song_id", *(f"sample_{time * 1000:.0f}ms" for time in times)]:
        raise InputError(f"{where}: its columns are not song_id and a sample every 0.5 s from 15.0 s; get it again")
    if table.empty:
        raise InputError(f"{where}: holds no songs; get it again")
    table = table.set_index("song_id").set_axis(times, axis=1).sort_index()
    if table.index.has_duplicates:
        raise InputError(f"{where}: song {table.index[table.index.duplicated()][0]} has two rows; get it again")
    values = table.to_numpy()
    ended = np.isnan(values).cumsum(axis=1) > 0
    for bad, why in ((np.abs(values) > 1, "is outside [-1, 1]"), (ended & ~np.isnan(values), "follows a gap")):
        if bad.any():
            row, column = np.argwhere(bad)[0]
            told = f"song {table.index[row]} at {times[column]} s: {values[row, column]:g} {why}"
            raise InputError(f"{where}: {told}; get it again")
    return table


def read_annotations(
    valence: tuple[str, bytes], arousal: tuple[str, bytes], *, excerpt_labels: int = EXCERPT_LABELS
) -> dict[str, Annotation]:
    """Annotations by song id, ascending, from two files as (where, bytes); each as long as both dimensions last.

    Raises InputError unless every excerpt has `excerpt_labels` labels and the files are as `_table` wants them.
    """
    tables = [_table(*valence), _table(*arousal)]
    alone = tables[0].index.symmetric_difference(tables[1].index)
    if len(alone):
        raise InputError(f"{arousal[0]}: song {alone[0]} is only in one of this and {valence[0]}; get both again")
    lengths = [table.notna().sum(axis=1) for table in tables]
    for (where, _), counts in zip((valence, arousal), lengths, strict=True):
        wrong = counts[(counts == 0) | (counts.index <= LAST_EXCERPT) & (counts != excerpt_labels)]
        for song, n in wrong.items():
            told = f"song {song} has {n} labels" + f" instead of {excerpt_labels}" * (song <= LAST_EXCERPT)
            raise InputError(f"{where}: {told}; get it again")
    found, both = {}, [table.to_numpy() for table in tables]
    for song, n, *courses in zip(tables[0].index, np.minimum(*lengths), *both, strict=True):
        values = np.stack([course[:n] for course in courses], axis=1).astype("float32")
        found[str(song)] = Annotation(FIRST_LABEL + STEP * np.arange(n), values)
    return found


def _exchanged(annotation: Annotation) -> Annotation:
    """The song means of valence and arousal exchanged, the course around each kept."""
    means = annotation.values.mean(axis=0)
    return Annotation(annotation.times, annotation.values - means + means[::-1])
