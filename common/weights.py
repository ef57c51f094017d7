"""Trained networks as files: arrays without code, checked when they are read, and what they come from.

A folder holds `network_0.npz`, ... and `weights.json`: paper, variant, data, how well the variant did there, and the
SHA-256 of every file. What the arrays mean is said by the paper's `predict` module, which builds the networks anew.
"""

import hashlib
import io
import json
from pathlib import Path

import numpy as np

from common.errors import InputError
from common.files import json_text, write_atomically

NOTICE = """The networks in this folder were trained on the data set(s) below, whose labels and recordings are for
non-commercial research. Use the networks for nothing else, and cite

{cite}
"""


def of(network) -> dict[str, np.ndarray]:
    """The weights of a Keras network in their order."""
    return {f"weight_{i:02}": array for i, array in enumerate(network.get_weights())}


def put(network, arrays: dict[str, np.ndarray]) -> None:
    """Back into a network of the same shape."""
    network.set_weights([arrays[name] for name in sorted(arrays) if name.startswith("weight_")])


def save(folder: Path, networks: list[dict[str, np.ndarray]], facts: dict, cite: str) -> None:
    """Write all networks, then what they come from. Raises InputError if the folder cannot be written."""
    folder, files = Path(folder), {}
    for i, arrays in enumerate(networks):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        files[f"network_{i}.npz"] = buffer.getvalue()
    facts = facts | {"sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}}
    files["NOTICE.txt"] = NOTICE.format(cite=cite).encode()
    files["weights.json"] = f"{json_text(facts, folder / 'weights.json', indent=1)}\n".encode()
    for name, content in files.items():
        write_atomically(folder / name, content)


def load(folder: Path, paper: str) -> tuple[list[dict[str, np.ndarray]], dict]:
    """The networks of a paper, and what they come from. Raises InputError if a file is missing, altered, of another."""
    path = Path(folder) / "weights.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        of_paper, files = facts["paper"], dict(facts["sha256"])
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); --weights names a folder of weights") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: does not tell of weights ({error}); make them again with train --weights") from error
    if of_paper != paper:
        raise InputError(f"{path}: holds weights of {of_paper}; python -m reproductions.{of_paper}.predict reads them")
    return [_arrays(path.with_name(name), digest) for name, digest in files.items()], facts


def _arrays(path: Path, digest: str) -> dict[str, np.ndarray]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); get the weights again") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise InputError(f"{path}: is not the file that weights.json tells of (SHA-256); get the weights again")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
