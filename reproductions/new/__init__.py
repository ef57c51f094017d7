"""A folder for a new paper that trains, is on the board and passes its tests: `python -m reproductions new NAME`.

It holds a small network for valence and arousal over time. Replace it, section by section, by the paper's: first the
published cells in expected.json, then model.py, then train.py, then the README.
"""

import re
import sys
from pathlib import Path

from common.cli.options import Parser, run
from common.errors import InputError
from common.files import write_atomically
from common.places import RESULTS, ROOT

TEMPLATE = Path(__file__).with_name("paper")


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.
    """
    parser = Parser(prog="python -m reproductions new", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="as smith2024: author and year, lower-case letters and digits")
    options = parser.parse_args(arguments)
    return run(lambda: _new(options.name))


def _new(name: str) -> int:
    paths = create(name, ROOT)
    from reproductions import board

    for path, text in board.generated(RESULTS).items():
        write_atomically(path, text.encode())
    for path in paths:
        print(path.relative_to(ROOT))
    print(f"\npython -m reproductions.{name}.train --quick    trains on synthetic music")
    print(f"python -m pytest tests/test_{name}.py          tests it")
    print("CONTRIBUTING.md, Add a paper, says what comes next.")
    return 0


def create(name: str, root: Path) -> list[Path]:
    """Write the files of a new paper; returns their paths.

    Parameters
    ----------
    name : str
        As smith2024: lower-case letters, digits and _, a letter first.
    root : Path
        A checkout of this project.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        If the name is not one, the paper exists, or `root` is no checkout.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise InputError(f"{name}: a paper's name has lower-case letters, digits and _, as smith2024")
    folder, tests = root / "reproductions" / name, root / "tests"
    if not (tests / "conftest.py").is_file() or not (root / "setup.cfg").is_file():
        raise InputError(f"{root}: is no checkout of this project (it has no setup.cfg and tests/); run it from one")
    if folder.exists():
        raise InputError(f"{folder}: is there already; choose another name")
    paths = []
    for source in sorted(TEMPLATE.glob("*.*")):
        place = tests if source.name.startswith("test_") else folder
        paths.append(place / source.name.replace("paper_name", name))
        write_atomically(paths[-1], source.read_text(encoding="utf-8").replace("paper_name", name).encode())
    return paths


if __name__ == "__main__":
    sys.exit(main())
