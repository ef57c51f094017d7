"""What the recordings and labels are: one module per data set, all in one shape (`data_prep.base`)."""

import importlib
from pathlib import Path

from common.errors import InputError
from data_prep.base import data_root, required_data_root

DATASETS = {  # name on the command line: module and class
    "emotify": ("data_prep.emotify", "Emotify"),
    "deam": ("data_prep.deam", "Deam"),
    "emomusic": ("data_prep.emomusic", "Emomusic"),
    "4q": ("data_prep.fourq", "FourQ"),
    "synthetic": ("data_prep.synthetic", "Synthetic"),
    "synthetic_quadrants": ("data_prep.synthetic", "SyntheticQuadrants"),
    "synthetic_dynamic": ("data_prep.synthetic", "SyntheticDynamic"),
}


def open_dataset(name: str, given: str | None, rendered: str | None = None):
    """The data set of a name; one that is not in `DATASETS` is a collection of the user's own under the data root:

    a folder with `labels.csv` (`data_prep.labelled_audio`), else one of class folders (`data_prep.class_folders`).

    given: the data root, see `data_prep.base.data_root`; rendered: the name of what is opened where there is none.
    Imported when asked for, so that listing the names costs nothing. Raises InputError if there is no such data set.
    """
    if name in DATASETS and rendered and data_root(given) is None:
        name = rendered
    if name in DATASETS:
        module, attribute = DATASETS[name]
        kind = getattr(importlib.import_module(module), attribute)
        return kind() if kind.rendered else kind(required_data_root(given))
    if name.lower() in DATASETS:  # its folder; and records are kept by name, capitals or not
        raise InputError(f"{name}: no such data set; did you mean {name.lower()}?")
    root = required_data_root(given)
    if not name or Path(name).name != name or name.startswith(".") or not (root / name).is_dir():
        known = ", ".join(DATASETS)
        raise InputError(
            f"{name}: neither a data set ({known}) nor the name of a folder in the data root ({root}); "
            f"recordings of your own lie in {root / (name or 'NAME')}/CLASS/, or beside a labels.csv"
        )
    if (root / name / "labels.csv").is_file():
        from data_prep.labelled_audio import LabelledAudio

        return LabelledAudio(root, name)
    from data_prep.class_folders import ClassFolders

    return ClassFolders(root, name)


def open_dynamic(name: str, given: str | None, rendered: str | None = None):
    """As `open_dataset`, of a data set that has valence and arousal over time; InputError if it has not."""
    from data_prep.dynamic import DynamicDataset

    data = open_dataset(name, given, rendered)
    if not isinstance(data, DynamicDataset):
        others = "deam and emomusic have, and any folder with labels.csv"
        raise InputError(f"{name} has no valence and arousal over time; {others}")
    return data


def open_classes(name: str, given: str | None, rendered: str | None = None):
    """As `open_dataset`, of a data set that is in classes; InputError if it is not."""
    from data_prep.base import ClassDataset

    data = open_dataset(name, given, rendered)
    if not isinstance(data, ClassDataset):
        raise InputError(f"{name} is not in classes; 4q is, and any folder with a folder of recordings a class")
    return data
