"""What the bytes of an audio file say about its length, without decoding.

A container is a sequence of chunks, boxes or pages that state their sizes. It guarantees the length if it states the
size of one single stream of sound; a stream without a header, a streamed file and joined files do not. The content
decides which container a file is, not its name.
"""

import mmap
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

CHUNKED = {  # by magic: where the first chunk begins, bytes of a chunk's name and of its size, byte order, alignment
    b"RIFF": (12, 4, 4, "little", 2), b"RIFX": (12, 4, 4, "big", 2), b"RF64": (12, 4, 4, "little", 2),
    b"BW64": (12, 4, 4, "little", 2), b"FORM": (12, 4, 4, "big", 2), b"riff": (40, 16, 8, "little", 8),
    b"caff": (8, 4, 8, "big", 1),
}  # fmt: skip
CHUNK_NAME = re.compile(rb"[ -~]{4}")
UNKNOWN = {4: 0x7FFF0000, 8: 1 << 62}  # by bytes of a size: from here on it is what programs write that do not know it
ASF = bytes.fromhex("3026b275")
ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
EBML, EBML_SEGMENT = bytes.fromhex("1a45dfa3"), bytes.fromhex("18538067")
MP4_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"}
MPEG_CODES = (0x50, 0x55)  # of mp2 and mp3 inside wav
MP3_KBITS = (  # by the number in a frame: of MPEG 2 and 2.5, of MPEG 1
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
)
UNANNOUNCED = 4096  # bytes behind the sound that are doubtful
JOINED = "is joined from several files; a fraction of a second can be missing where they meet"
Parts = tuple[tuple[int, int], ...]
NOT_ENDED = "has no mark of its end: it was streamed, or is cut off"


@dataclass(frozen=True)
class Container:
    """The length that a container states.

    Attributes
    ----------
    exact : it states the length of all sound in the file
    missing : what it announces that the file does not have, or None
    doubt : what is doubtful about its end, or None
    parts : of joined files that each state their length, where each begins and ends; empty if there is only one
    """

    exact: bool = True
    missing: str | None = None
    doubt: str | None = None
    parts: Parts = ()


@dataclass
class _Link:
    """Of an Ogg file that begins at byte `start`: how many streams, whether it ends, and whether a page is missing."""

    start: int
    n_streams: int = 0
    ended: bool = False
    unbroken: bool = True
    last: int | None = None  # the number of the page before

    def add(self, number: int, is_first: bool, is_last: bool) -> None:
        """One more page."""
        self.unbroken &= self.last is None or number == self.last + 1
        self.n_streams, self.ended, self.last = self.n_streams + is_first, is_last, number


def inspect(path: Path) -> Container:
    """The container of a file.

    Parameters
    ----------
    path : Path
        Of a file that is not empty.

    Returns
    -------
    Container
        Of an unknown format one that is exact.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = _after_tags(data)
        magic = data[start : start + 4]
        if magic == b"RIFF" and data[start + 8 : start + 12] == b"AVI ":
            return _avi(data, start)
        if magic in CHUNKED:
            return _chunked(data, start, magic)
        if data[start + 4 : start + 8] in MP4_BOXES:
            return _mp4(data, start)
        if len(magic) == 4 and magic[0] == 0xFF and magic[1] >= 0xE0 and magic[1] & 0x06:
            return _mpeg(data, start)
        inspectors = {b".snd": _au, b"dns.": _au, b"fLaC": _flac, b"OggS": _ogg, b"wvpk": _wavpack,
                      b"TTA1": _tta, b".SoX": _sox, b"XoS.": _sox, b"Crea": _voc, b"FLV\1": _flv}  # fmt: skip
        inspectors |= {EBML: _matroska, ASF: _asf}
        return inspectors[magic](data, start) if magic in inspectors else Container()


def _until(end: int, data, exact: bool = True) -> Container:
    """A container that states where its sound ends; if it begins again there, files were joined."""
    more, start, following = len(data) - end, _after_tags(data), _behind_tags(data, end)
    if more < 0:
        return Container(exact, missing=f"{-more} bytes are missing")
    text = f"has {more} bytes behind the sound that its header does not announce; they are not read"
    joined = following < len(data) and data[following : following + 4] == data[start : start + 4]
    return Container(exact, doubt=text if joined or more > UNANNOUNCED else None)


def _number(data, at: int, n: int, order: str) -> int:
    return int.from_bytes(data[at : at + n], order)


def _after_tags(data) -> int:
    """Where the sound begins: behind ID3v2 tags, which may precede any format, and the zeros that pad them."""
    start = 0
    while data[start : start + 3] == b"ID3" and len(data) >= start + 10:
        size = 0
        for byte in data[start + 6 : start + 10]:
            size = size << 7 | byte & 127
        start += 10 + size + 10 * bool(data[start + 5] & 0x10)
    return re.compile(rb"\0*").match(data, start).end() if start else 0


def _behind_tags(data, at: int) -> int:
    """Where the tags end that may follow the sound (APEv2, ID3v1)."""
    if data[at : at + 8] == b"APETAGEX":
        at += 32 + _number(data, at + 12, 4, "little")
    return at + 128 if data[at : at + 3] == b"TAG" else at


def _chunked(data, start: int, magic: bytes) -> Container:
    """Wav, its forms for large files, AIFF and CAF."""
    first, n_name, n_size, order, align = CHUNKED[magic]
    at, found, large, exact = start + first, False, None, True
    while (body := at + n_name + n_size) <= len(data):
        name, size = data[at : at + 4], _number(data, at + n_name, n_size, order)
        if name in CHUNKED or not CHUNK_NAME.match(name):
            break
        if name == b"ds64":
            large = _number(data, body + 8, 8, order)
        size = max(0, size - n_name - n_size) if magic == b"riff" else size
        if name == b"fmt ":
            exact = _number(data, body, 2, order) not in MPEG_CODES
        if name in (b"data", b"SSND") and not found:
            size = large if large and size == 0xFFFFFFFF else size
            unfinished = (
                not size and body < len(data) and first == 12 and _number(data, start + 4, 4, order) <= body - start - 8
            )
            if unfinished or (size >= UNKNOWN[n_size] and size != large):
                return Container(exact=False)
            if body + size > len(data):
                return _until(body + size, data, exact)
            found = True
        at = body + size + -size % align
    return _until(at if found and data[at : at + 4].strip(b"\0") else len(data), data, exact)


def _avi(data, start: int) -> Container:
    """RIFF chunks one after the other, each at most 2 GiB long; of a stream without sizes nothing is known."""
    at = start
    while data[at : at + 4] == b"RIFF":
        size = _number(data, at + 4, 4, "little")
        if not 0 < size < UNKNOWN[4]:
            return Container()
        at += 8 + size + size % 2
    return _until(at, data)


def _sox(data, start: int) -> Container:
    """SoX's own format: the header states its own size and the number of samples, of four bytes each."""
    order = "little" if data[start : start + 1] == b"." else "big"
    size, n_samples = _number(data, start + 4, 4, order), _number(data, start + 8, 8, order)
    return _until(start + 4 + size + 4 * n_samples, data) if n_samples else Container()


def _voc(data, start: int) -> Container:
    """Creative Voice: blocks of a type and a size, up to one of type 0."""
    at = start + _number(data, start + 20, 2, "little")
    while at < len(data) and data[at]:
        at += 4 + _number(data, at + 1, 3, "little")
    return _until(at + 1 if at < len(data) else at, data)


def _flv(data, start: int) -> Container:
    """Tags of sound, pictures or data, each with its size and, behind it, that of the tag again."""
    at = start + _number(data, start + 5, 4, "big") + 4
    while at + 4 <= len(data) and data[at] & 0x1F in (8, 9, 18):
        at += 11 + _number(data, at + 1, 3, "big") + 4
    return _until(at, data)


def _au(data, start: int) -> Container:
    order = "big" if data[start : start + 1] == b"." else "little"
    begin, size = (_number(data, start + at, 4, order) for at in (4, 8))
    return Container(exact=False) if size >= UNKNOWN[4] else _until(start + begin + size, data)


def _flac(data, start: int) -> Container:
    """The number of samples is 0 in a streamed file; a second header shows that files were joined."""
    n_samples = _number(data, start + 18, 8, "big") % (1 << 36)
    joined = data.find(b"fLaC\0\0\0\x22", start + 4) > 0
    return Container(exact=n_samples > 0 and not joined, doubt=JOINED if joined else None)


def _ogg(data, start: int) -> Container:
    """Pages of one stream, numbered without a gap, state its length; joined files begin with a page of their own each.

    Several streams that begin together are a video.
    """
    at, links, among_first, missing = start, [], False, None
    while data[at : at + 4] == b"OggS":
        n_parts = _number(data, at + 26, 1, "little")
        end = at + 27 + n_parts + sum(data[at + 27 : at + 27 + n_parts])
        if end > len(data) or at + 27 + n_parts > len(data):
            missing = "the last page is not complete"
            break
        is_first, is_last = (bool(data[at + 5] & flag) for flag in (2, 4))
        if (is_first and not among_first) or not links:
            links.append(_Link(at))
        among_first = is_first
        links[-1].add(_number(data, at + 18, 4, "little"), is_first, is_last)
        at = max(end, data.find(b"OggS", end))  # damaged bytes are skipped
    exact = bool(links) and all(link.n_streams == 1 and link.unbroken for link in links)
    doubt = None if missing or links[-1].ended else NOT_ENDED
    if len(links) < 2 or not exact:
        return Container(exact, missing, doubt if len(links) < 2 else JOINED)
    return Container(exact, missing, doubt, tuple(pairwise([*(link.start for link in links), at])))


def _mp4(data, start: int) -> Container:
    at, n_recordings = start, 0
    while at + 8 <= len(data) and CHUNK_NAME.match(data, at + 4):
        n_recordings += data[at + 4 : at + 8] == b"moov"
        size = _number(data, at, 4, "big")
        size = _number(data, at + 8, 8, "big") if size == 1 else size or len(data) - at
        if size < 8:
            break
        at += size
    return Container(doubt="holds more than one recording; the first is read") if n_recordings > 1 else _until(at, data)


def _matroska(data, start: int) -> Container:
    """The segment, which holds everything, states its size unless it was streamed."""
    at = data.find(EBML_SEGMENT, start, start + 4096) + 4
    if at < 4 or at >= len(data) or not data[at]:
        return Container()
    n = 9 - data[at].bit_length()  # bytes of the size: the leading zeros tell
    size = _number(data, at, n, "big") - (1 << 7 * n)
    return Container() if size == (1 << 7 * n) - 1 else _until(at + n + size, data)


def _wavpack(data, start: int) -> Container:
    at = start
    while data[at : at + 4] == b"wvpk":
        at += 8 + _number(data, at + 4, 4, "little")
    return _until(at, data)


def _tta(data, start: int) -> Container:
    """A table behind the header states the size of each frame, of 256/245 s."""
    rate, n_samples = (_number(data, start + at, 4, "little") for at in (10, 14))
    n_frames = -(-n_samples // max(1, 256 * rate // 245))
    begin = start + 22 + 4 * n_frames + 4
    if begin > len(data):
        return _until(begin, data)
    return _until(begin + sum(_number(data, start + 22 + 4 * k, 4, "little") for k in range(n_frames)), data)


def _asf(data, start: int) -> Container:
    """Wma and wmv: the properties state the size of the file, unless they say that it was broadcast."""
    at = data.find(ASF_PROPERTIES, start, start + 65536)
    if at < 0 or _number(data, at + 88, 1, "little") & 1:
        return Container()
    return _until(start + _number(data, at + 40, 8, "little"), data)


def _mpeg(data, start: int) -> Container:
    """The first frame (Xing, Info) may state the number of frames and bytes, which is right if so many follow."""
    tag = re.compile(rb"Xing|Info").search(data, start, start + 64)
    flags = _number(data, tag.end(), 4, "big") if tag else 0
    if flags & 3 != 3:
        return Container(exact=False)
    n_frames, n_bytes = (_number(data, tag.end() + at, 4, "big") for at in (4, 8))
    if start + n_bytes > len(data):
        return _until(start + n_bytes, data)
    at, n = start, -1  # the first frame holds no sound
    while size := _frame_size(data[at : at + 4]):
        at, n = at + size, n + 1
    at = _behind_tags(data, at)
    return Container(exact=abs(n - n_frames) <= 1 and re.compile(rb"\0*").match(data, at).end() == len(data))


def _frame_size(header: bytes) -> int:
    """Bytes of a frame of MPEG layer III; 0 if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2 or header[1] & 0x18 == 0x08:
        return 0
    version, rate = header[1] >> 3 & 3, header[2] >> 2 & 3  # version 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
    kbits = MP3_KBITS[version == 3][header[2] >> 4]
    if rate == 3 or not kbits:
        return 0
    hz = (44100, 48000, 32000)[rate] >> {3: 0, 2: 1, 0: 2}[version]
    return (144 if version == 3 else 72) * 1000 * kbits // hz + (header[2] >> 1 & 1)
