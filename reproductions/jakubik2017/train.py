"""Section V: log-mel sequences -> GRU -> support vectors, in 10-fold cross-validation.

On Emotify nine emotions (of the Geneva Emotional Music Scales) and Pearson's r; with --dataset 4q (or lastfm, or any
folder of class folders) classes and accuracy. Each has variants of its own, in `emotify.py` and `quadrants.py`.

`cross_validation.py` is the protocol, `learning.py` trains a network, predicts and fits the support vectors.
"""

from common import cli
from data_prep import open_classes, open_dataset
from reproductions.jakubik2017 import emotify, quadrants
from reproductions.jakubik2017.cross_validation import FOLDS, CrossValidation
from reproductions.jakubik2017.learning import LOSSES

EMOTIFY = "emotify"
SYNTHETIC_FOLDS = 2


def build(options) -> CrossValidation:
    """The experiment on the data set that the options name, or without a data root on synthetic music in its place.

    Parameters
    ----------
    options : argparse.Namespace
        `dataset`, `data_root`, `allow_missing`, `folds` and `jobs` are read.

    Returns
    -------
    CrossValidation

    Raises
    ------
    InputError
        If the data set is not there or not as distributed; if another than Emotify has no classes; if Emotify has too
        few songs for the folds.
    """
    if options.dataset == EMOTIFY:
        experiment, data = emotify.Emotions, open_dataset(EMOTIFY, options.data_root, synthetic="synthetic")
    else:
        experiment = quadrants.Quadrants
        data = open_classes(options.dataset, options.data_root, synthetic="synthetic_quadrants")
    missing = data.require(allow_missing=options.allow_missing)
    folds = options.folds or (SYNTHETIC_FOLDS if data.synthetic else FOLDS)
    return experiment(data, folds, bool(missing), options.jobs)


def _variants(options):
    return (emotify if options.dataset == EMOTIFY else quadrants).variants(options.epochs)


def _baselines(variant):
    return quadrants.baselines(variant) if "test" in variant.settings else emotify.BASELINES


TRAINING = cli.Training(
    _variants,
    build,
    _baselines,
    default=("semantic_embedding_gru_svr", "semantic_embedding_gru_svm", "standard_gru"),
    dataset=EMOTIFY,
    network={"epsilon": 1e-6, "loss": LOSSES, "standardise": (True, False, "global")},
)
main = TRAINING.main

if __name__ == "__main__":
    cli.run_module(__spec__)
