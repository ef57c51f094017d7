"""Data sets, recordings and labels: one module per data set, with one interface.

    >>> from data_prep import open_dataset
    >>> data = open_dataset("synthetic_quadrants")  # or emotify, deam, emomusic, 4q, a folder of your own
    >>> data.name, data.n_tracks, data.classes
    ('synthetic_quadrants', 360, ('happy', 'angry', 'sad', 'relaxed'))
    >>> data.labels["class"].head(3).tolist()
    ['angry', 'angry', 'happy']

What all have (`data_prep.base.Dataset`): `tracks` (id, path, genre and artist where they are known), `labels` (a data
frame by track id, or by track id and time), `splits` (track ids by name, of the distribution; none is invented),
`validate()`, `require()` and `cite()`. `DynamicDataset` (`data_prep.dynamic`) adds valence and arousal over time
(`annotations`, `recordings`, `features`), `ClassDataset` (`data_prep.base`) classes.
"""

import importlib
import math
import sys
from pathlib import Path

# `python -m` puts the working folder first, and a file common.py there would be taken for the package
sys.path.insert(0, str(Path(__file__).parents[1]))

from common.errors import InputError
from data_prep.base import data_root, required_data_root

DATASETS = {  # name on the command line: module and class
    "emotify": ("data_prep.emotify", "Emotify"),
    "deam": ("data_prep.deam", "Deam"),
    "mediaeval2015": ("data_prep.deam", "Deam"),  # a task on songs of DEAM; records have its name
    "emomusic": ("data_prep.emomusic", "Emomusic"),
    "4q": ("data_prep.fourq", "FourQ"),
    "mer500": ("data_prep.mer500", "Mer500"),
    "synthetic": ("data_prep.synthetic", "Synthetic"),
    "synthetic_quadrants": ("data_prep.synthetic", "SyntheticQuadrants"),
    "synthetic_dynamic": ("data_prep.synthetic", "SyntheticDynamic"),
}

__all__ = ["DATASETS", "dataset_class", "open_classes", "open_dataset", "open_dynamic"]


def dataset_class(name: str) -> type:
    """The class of a data set, which has its name, citation, source and number of tracks.

    Parameters
    ----------
    name : str
        One of `DATASETS`.

    Returns
    -------
    type
    """
    module, attribute = DATASETS[name]
    return getattr(importlib.import_module(module), attribute)


def open_dataset(
    name: str, given: str | Path | None = None, synthetic: str | None = None, scale: list[float] | None = None
):
    """Open a data set by its name.

    A name that is not in `DATASETS` is a collection of the user's own, a folder of the data root: with `labels.csv`
    (`data_prep.labelled_audio`), or with a folder of recordings per class (`data_prep.class_folders`). Modules are
    imported when they are needed, so that listing the names is fast.

    Parameters
    ----------
    name : in `DATASETS`, or of a folder
    given : the data root, the folder in which each data set has a folder; None: the variable MER_DATA_ROOT
    synthetic : name of the synthetic data set that is opened if there is no data root; None: a data root is required
    scale : the two ends of the scale of `labels.csv`; None: as `data_prep.labelled_audio` has it

    Returns
    -------
    a `data_prep.base.Dataset`; files are read when they are needed, and `validate` reports what is missing

    Raises
    ------
    InputError : if there is no such data set, or no data root; if a scale is given and there is no `labels.csv`
    """
    if scale and (name in DATASETS or not -math.inf < scale[0] < scale[1] < math.inf):
        fault = f"{name} has a scale of its own" if name in DATASETS else "the lower end comes first"
        raise InputError(f"--scale {scale[0]:g} {scale[1]:g}: {fault}")
    if name in DATASETS and synthetic and data_root(given) is None:
        name = synthetic
    if name in DATASETS:
        dataset = dataset_class(name)
        return dataset() if dataset.synthetic else dataset(required_data_root(given))
    if name.lower() in DATASETS:  # a folder of this name would share the records of the data set
        raise InputError(f"{name}: no such data set; did you mean {name.lower()}?")
    return _own_collection(name, required_data_root(given), scale)


def _own_collection(name: str, root: Path, scale: list[float] | None):
    """A folder of the data root: recordings with labels.csv, or in a folder per class."""
    if not name or Path(name).name != name or name.startswith(".") or not (root / name).is_dir():
        known = ", ".join(DATASETS)
        raise InputError(
            f"{name}: neither a data set ({known}) nor the name of a folder in the data root ({root}); "
            f"put recordings of your own into {root / (name or 'NAME')}/CLASS/, or next to a labels.csv"
        )
    if (root / name / "labels.csv").is_file():
        from data_prep.labelled_audio import LabelledAudio

        return LabelledAudio(root, name, tuple(scale) if scale else None)
    if scale:
        raise InputError(f"--scale: {root / name} has no labels.csv")
    from data_prep.class_folders import ClassFolders

    return ClassFolders(root, name)


def open_dynamic(name: str, given: str | None, synthetic: str | None = None, scale: list[float] | None = None):
    """A data set with valence and arousal over time.

    Parameters
    ----------
    name, given, synthetic, scale
        As of `open_dataset`.

    Returns
    -------
    DynamicDataset

    Raises
    ------
    InputError
        As `open_dataset`, and if the data set has no valence and arousal over time.
    """
    from data_prep.dynamic import DynamicDataset

    data = open_dataset(name, given, synthetic, scale)
    if not isinstance(data, DynamicDataset):
        hint = "choose deam, emomusic, or a folder with labels.csv"
        raise InputError(f"{name} has no valence and arousal over time; {hint}")
    return data


def open_classes(name: str, given: str | None, synthetic: str | None = None):
    """A data set with classes.

    Parameters
    ----------
    name, given, synthetic
        As of `open_dataset`.

    Returns
    -------
    ClassDataset

    Raises
    ------
    InputError
        As `open_dataset`, and if the data set has no classes.
    """
    from data_prep.base import ClassDataset

    data = open_dataset(name, given, synthetic)
    if not isinstance(data, ClassDataset):
        raise InputError(f"{name} has no classes; choose 4q, mer500, or a folder with a folder of recordings per class")
    return data
