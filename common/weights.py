"""Trained networks as files that Keras loads alone, checked when they are read, and what they come from.

A folder holds `network_0.keras`, ...; `weights.json`: paper, variant, data, how well the variant did there, and the
SHA-256 of every network's file; and `NOTICE.txt`: what the networks may be used for, and what to cite. Inputs are
scaled inside the model. Nothing is unpickled: Keras loads in its safe mode, and the layers of older frameworks are
registered by `common.layers`.
"""

import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np

from common.errors import InputError
from common.files import json_text, write_atomically

NOTICE = """The networks in this folder were trained on the data set(s) below, whose labels and recordings are for
non-commercial research. Use the networks for nothing else, and cite

{cite}
"""
SCALING = "scaling"  # the name of the layer


def with_scaling(network, mean: np.ndarray, std: np.ndarray):
    """A model that scales its input and then calls a network: (x - mean) / std along the last axis.

    Parameters
    ----------
    network : keras.Model
    mean, std : float (features,), or numbers for all features

    Returns
    -------
    keras.Model
    """
    import keras

    x = keras.Input(network.input_shape[1:])
    scaling = keras.layers.Normalization(name=SCALING)
    y = network(scaling(x))
    features = network.input_shape[-1]
    mean, std = (np.broadcast_to(np.asarray(values, "float32"), (features,)) for values in (mean, std))
    scaling.set_weights([mean, np.square(std), np.array(1)])
    scaling.finalize_state()
    return keras.Model(x, y, name=f"scaled_{network.name}")


def copy(model, to) -> None:
    """Give one scaled model the weights of another with as many.

    Parameters
    ----------
    model, to : keras.Model
    """
    to.set_weights(model.get_weights())
    to.get_layer(SCALING).finalize_state()


def packed(model) -> bytes:
    """A model as the content of a .keras file.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    bytes
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def read(path: Path):
    """The model in a file that `load` has checked. Imports the backend.

    Parameters
    ----------
    path : Path

    Returns
    -------
    keras.Model
    """
    from common.layers import keras

    return keras.saving.load_model(path, compile=False, safe_mode=True)


def save(folder: Path, networks: list[bytes], facts: dict, cite: str) -> None:
    """Write all networks, then what they come from.

    Parameters
    ----------
    folder : Path
    networks : list of bytes
        As of `packed`.
    facts : dict
        Written to weights.json, with the SHA-256 of each network's file.
    cite : str
        How to cite the data, for NOTICE.txt.

    Raises
    ------
    InputError
        If the folder cannot be written, or `facts` hold a number that is not finite.
    """
    folder, files = Path(folder), {f"network_{i}.keras": content for i, content in enumerate(networks)}
    facts = facts | {"sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}}
    files["NOTICE.txt"] = NOTICE.format(cite=cite).encode()
    files["weights.json"] = f"{json_text(facts, folder / 'weights.json', indent=1)}\n".encode()
    for name, content in files.items():
        write_atomically(folder / name, content)


def load(folder: Path, paper: str) -> tuple[list[Path], dict]:
    """The files of a paper's networks, and what they come from.

    Parameters
    ----------
    folder : Path
    paper : str

    Returns
    -------
    files : list of Path
    facts : dict

    Raises
    ------
    InputError
        If a file is missing, not the one that weights.json names, or another paper's.
    """
    path = Path(folder) / "weights.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        of_paper, files = facts["paper"], dict(facts["sha256"])
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); --weights names a folder of weights") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: does not describe weights ({error}); make them with train --weights") from error
    if of_paper != paper:
        raise InputError(f"{path}: holds weights of {of_paper}; python -m reproductions.{of_paper}.predict reads them")
    return [_checked(path.with_name(name), digest) for name, digest in files.items()], facts


def _checked(path: Path, digest: str) -> Path:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); get the weights again") from error
    if path.suffix != ".keras" or hashlib.sha256(content).hexdigest() != digest:
        raise InputError(f"{path}: is not the file that weights.json names (SHA-256); get the weights again")
    return path
