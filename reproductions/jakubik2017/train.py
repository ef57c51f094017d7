"""Section V: log-mel sequences -> GRU -> support vectors, in 10-fold cross-validation.

On Emotify nine GEMS emotions and Pearson's r; with --dataset 4q (or lastfm, or any folder of class folders) classes
and accuracy. Each has variants of its own.
"""

import sys
from pathlib import Path

from common import cli
from data_prep import open_classes, open_dataset
from reproductions.jakubik2017 import emotify, quadrants
from reproductions.jakubik2017.cross_validation import FOLDS, CrossValidation

EMOTIFY = "emotify"
SYNTHETIC_FOLDS = 2


def build(options) -> CrossValidation:
    """The data set that the options name, or without a data root a rendered one in its place; and its features."""
    if options.dataset == EMOTIFY:
        experiment, data = emotify.Emotions, open_dataset(EMOTIFY, options.data_root, rendered="synthetic")
    else:
        experiment = quadrants.Quadrants
        data = open_classes(options.dataset, options.data_root, rendered="synthetic_quadrants")
    missing = data.require(allow_missing=options.allow_missing)
    folds = options.folds or (SYNTHETIC_FOLDS if data.rendered else FOLDS)
    return experiment(data, folds, bool(missing), options.jobs)


def _variants(options):
    return (emotify if options.dataset == EMOTIFY else quadrants).variants(options.epochs)


def _baselines(variant):
    return quadrants.baselines(variant) if "test" in variant.settings else emotify.BASELINES


TRAINING = cli.Training(
    __doc__, _variants, build, _baselines, Path(__file__).with_name("expected.json"),
    default=("semantic_embedding_gru_svr", "semantic_embedding_gru_svm", "standard_gru"), dataset=EMOTIFY,
    network={"epsilon": 1e-6},
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return cli.train(TRAINING, "python -m reproductions.jakubik2017.train", arguments)


if __name__ == "__main__":
    from reproductions.jakubik2017.train import main  # so that workers find functions by their module's name

    sys.exit(main())
