"""Tables of a distribution: one file of each name, wherever it is, from folders or zip files."""

import zipfile

import pytest

from common.errors import InputError
from data_prep.archive import Archive

FILES = {"inner/valence.csv": "v", "inner/arousal.csv": "a", "raters/arousal/1.csv": "one", "raters/valence/1.csv": "1"}
HIDDEN = ("._arousal.csv", "inner/._valence.csv", "__MACOSX/inner/._arousal.csv")


@pytest.fixture(params=["folder", "zip"])
def opened(request, tmp_path):
    """A function that makes an archive of some files and opens it."""

    def of(files):
        if request.param == "zip":
            with zipfile.ZipFile(tmp_path / "tables.zip", "w") as archive:
                for name, text in files.items():
                    archive.writestr(name, text)
        for name, text in files.items() if request.param == "folder" else ():
            (tmp_path / "tables" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "tables" / name).write_text(text)
        return Archive(tmp_path, ("tables", "tables.zip"), "somewhere")

    return of


def test_files_are_read_by_name(opened):
    archive = opened(FILES | dict.fromkeys(HIDDEN, "hidden"))
    assert archive.read("arousal.csv") == b"a" and archive.where("valence.csv").endswith("inner/valence.csv")
    assert sorted(archive.members) == ["1.csv", "arousal.csv", "valence.csv"]
    with pytest.raises(InputError, match="no such file; get it from somewhere"):
        archive.read("2.csv")


def test_a_second_file_of_the_name_is_an_error(opened):
    """Neither is taken in silence, wherever the second one is."""
    for name, place in (("arousal.csv", "inner/old/arousal.csv"), ("1.csv", "raters/arousal/2.csv")):
        archive = opened(FILES | {place: "other"})
        with pytest.raises(InputError, match=f"several files {name} .*{name}, .*{name}.*; keep"):
            archive.read(name)


def test_linked_folders_are_read(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "arousal.csv").write_text("a")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "averages").symlink_to(tmp_path / "far")
    (tmp_path / "tables" / "loop").symlink_to(tmp_path / "tables")
    assert Archive(tmp_path, ("tables",), "somewhere").read("arousal.csv") == b"a"
