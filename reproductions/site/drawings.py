"""The figures of a paper as SVG, drawn again when what they are drawn from has changed."""

import hashlib
import importlib.util
import json
from pathlib import Path

import common
from common import backend
from common.experiment.identity import digest
from common.files import json_text, write_atomically
from common.verdict.recorded import Records

STATE = "drawn.json"  # next to the figures: their names, and the digest of what they were drawn from
LIBRARIES = ("matplotlib", "numpy", "scipy")


def draw(expected: dict, records: Records, package: str, folder: Path) -> list[Path]:
    """The figures that the records of a paper allow, but for those that its page has as tables.

    Figures of an earlier call stay if records, `expected.json`, code and libraries are as they were then.

    Parameters
    ----------
    expected : the paper's `expected.json`
    records : of the paper
    package : of the paper, which may have figures of its own (`common.report.figures.draw_all`)
    folder : where the figures lie

    Returns
    -------
    their paths
    """
    state, inputs = folder / STATE, _inputs(expected, records, package)
    if state.is_file():
        earlier = json.loads(state.read_text(encoding="utf-8"))
        paths = [folder / name for name in earlier["figures"]]
        if earlier["inputs"] == inputs and all(path.is_file() for path in paths):
            return paths
    from common.report import figures, plots  # matplotlib takes long to import

    with plots.svg_in(folder) as paths:
        figures.draw_all(expected, records, package, against_published=False)
    content = {"inputs": inputs, "figures": [path.name for path in paths]}
    write_atomically(state, json_text(content, state).encode())
    return paths


def _inputs(expected: dict, records: Records, package: str) -> str:
    """The digest of all that the figures of a paper are drawn from; of code, all that they could reach."""
    folders = [*common.__path__, *importlib.util.find_spec(package).submodule_search_locations]
    files = [path for folder in folders for path in sorted(Path(folder).rglob("*.py"))]
    files += sorted((records.results / records.paper).rglob("*.json"))
    contents = [[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in files]
    return digest([expected, contents, backend.versions(LIBRARIES)])
