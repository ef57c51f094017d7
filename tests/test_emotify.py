import re

import pytest

from common.errors import InputError
from data_prep.emotify import EMOTIONS, Emotify

MEANS = {  # of the fractions over the 400 tracks, to three decimals
    "amazement": 0.134, "solemnity": 0.196, "tenderness": 0.177, "nostalgia": 0.254, "calmness": 0.299, "power": 0.190,
    "joyful_activation": 0.262, "tension": 0.238, "sadness": 0.185,
}  # fmt: skip


def test_real_copy_is_as_distributed(real_root):
    data = Emotify(real_root)
    assert data.validate() == []
    assert len(data.tracks) == 400 and len(data.responses) == 8407
    genres = [track.genre for track in data.tracks]
    assert {genre: genres.count(genre) for genre in genres} == dict.fromkeys(
        ["classical", "rock", "electronic", "pop"], 100
    )
    assert list(data.labels.columns) == EMOTIONS and data.labels.shape == (400, 9)
    assert [track.id for track in data.tracks] == list(data.labels.index)
    assert data.labels.mean().round(3).to_dict() == pytest.approx(MEANS, abs=1e-9)
    counts = data.responses["track id"].value_counts()
    assert (counts.min(), counts.max()) == (11, 59)


def test_small_copy(small_emotify):
    data = Emotify(small_emotify)
    assert len(data.tracks) == 24 and len(data.labels) == 24
    missing = data.validate()
    assert len(missing) == 2 and all(problem.missing for problem in missing)
    assert "376 of 400 tracks are missing" in missing[0].text
    with pytest.raises(InputError, match="--allow-missing"):
        data.require()
    data.require(allow_missing=True)
    track = data.responses[data.responses["track id"] == "203"]
    assert data.labels.loc["203", "power"] == pytest.approx(track["power"].mean())


def test_fingerprint_follows_labels_and_audio(broken_emotify):
    root = broken_emotify.parent
    first = Emotify(root).fingerprint
    assert Emotify(root).fingerprint == first
    table = broken_emotify / "data.csv"
    lines = table.read_text().splitlines()
    flipped = lines[1][:-1] + str(1 - int(lines[1][-1]))
    table.write_text("\n".join([lines[0], flipped, *lines[2:]]))
    second = Emotify(root).fingerprint
    track = Emotify(root).tracks[0].path
    track.write_bytes(track.read_bytes() + b"\0")
    assert len({first, second, Emotify(root).fingerprint}) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("tension", "tensoin", 1), r"data\.csv: has no column 'tension'"),
        (lambda t: re.sub(r"\n1,classical,\d", "\n1,classical,2", t, count=1), r"line 2, column 'amazement': '2'"),
        (lambda t: re.sub(r"\n1,classical,\d", "\n1,classical,yes", t, count=1), r"line 2, column 'amazement': 'yes'"),
        (lambda t: re.sub(r"\n1,classical,\d", "\n1,classical,", t, count=1), r"line 2, column 'amazement': nan"),
        (lambda t: t.replace("\n1,classical", "\n401,classical", 1), r"line 2, column 'track id': '401'"),
        (lambda t: "", r"data\.csv: cannot be read as a table"),
    ],
)
def test_faults_in_the_table(broken_emotify, change, message):
    table = broken_emotify / "data.csv"
    table.write_text(change(table.read_text()))
    with pytest.raises(InputError, match=message):
        Emotify(broken_emotify.parent).require(allow_missing=True)


def test_faults_in_the_audio(broken_emotify):
    folder = broken_emotify / "emotifymusic" / "rock"
    paths = {path.stem: path for path in folder.iterdir()}
    paths["1"].write_bytes(paths["1"].read_bytes()[: paths["1"].stat().st_size // 2])
    paths["2"].write_text("no music")
    paths["3"].unlink()
    problems = [p.text for p in Emotify(broken_emotify.parent).validate() if not p.missing]
    assert len(problems) == 2
    assert re.search(r"rock/1\.\w+: is cut off", problems[0]) and re.search(r"rock/2\.\w+: cannot", problems[1])
    (folder / "4.flac").write_text("")
    with pytest.raises(InputError, match="several files for one track"):
        _ = Emotify(broken_emotify.parent).tracks


def test_no_official_split_is_invented(small_emotify):
    assert Emotify(small_emotify).splits == {} and "Aljanaki" in Emotify.cite()
