"""What the recordings and labels are: one module per data set, all in one shape (`data_prep.dataset`)."""

import importlib

DATASETS = {  # name on the command line: module and class
    "emotify": ("data_prep.emotify", "Emotify"),
    "deam": ("data_prep.deam", "Deam"),
    "emomusic": ("data_prep.emomusic", "Emomusic"),
    "synthetic": ("data_prep.synthetic", "Synthetic"),
    "synthetic_dynamic": ("data_prep.synthetic", "SyntheticDynamic"),
}


def dataset_class(name: str):
    """The class of a data set; imported when asked for, so that listing the names costs nothing."""
    module, attribute = DATASETS[name]
    return getattr(importlib.import_module(module), attribute)
