"""Valence and arousal of recordings over time, by the model that was best on songs of other data sets.

The rule, fixed before it was applied: of the models with weights that predict valence and arousal over time, the one
with the highest concordance correlation coefficient in results/cross_dataset, the mean of valence and arousal, of all
runs, and of all pairs of data sets. There all models were trained on the same songs and tested on the same other songs,
none by an artist of the former; musicnn2019's regression had audio at a quarter of the labels. The papers' own numbers
cannot be compared: they are of other songs.
"""

import json
import sys
from pathlib import Path

import numpy as np

from common import cli
from common.errors import InputError
from common.places import RESULTS
from common.predict import command
from reproductions.cross_dataset import MODELS, PAPER

METRIC, TARGET = "ccc_pooled", "average"
PAPERS = Path(__file__).parent


def with_weights(results: Path = RESULTS) -> list[str]:
    """The papers that have a module `predict` and weights.

    Parameters
    ----------
    results : Path
        Folder of records and weights.

    Returns
    -------
    list of str, sorted
    """
    return sorted(
        path.parent.name
        for path in PAPERS.glob("*/predict.py")
        if (results / path.parent.name / "weights" / "weights.json").is_file()
    )


def scores(results: Path = RESULTS) -> dict[str, float]:
    """The concordance correlation coefficient across data sets of each paper that the rule compares.

    Parameters
    ----------
    results : Path
        Folder of records and weights.

    Returns
    -------
    dict of str to float
        By paper, in [-1, 1]; papers without weights or without records across data sets are left out.

    Raises
    ------
    InputError
        If a record cannot be read.
    """
    compared = {}
    for name in MODELS:
        paper, of_pairs = name.split("_")[0], []
        for path in sorted((results / PAPER).glob(f"*/{name}.json")):
            try:
                runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
                of_pairs.append(np.mean([run["metrics"]["test"][METRIC][TARGET] for run in runs]))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise InputError(
                    f"{path}: is no record that can be read ({error!r}); name a model by --paper"
                ) from error
        if of_pairs and paper in with_weights(results):
            compared[paper] = float(np.mean(of_pairs))
    return compared


def choose(results: Path = RESULTS) -> tuple[str, str]:
    """The paper that the rule chooses, and its score and the others' in words.

    Parameters
    ----------
    results : Path
        Folder of records and weights.

    Returns
    -------
    paper : str
    better : str
        As "concordance correlation across data sets 0.40; chaki2020 0.30".

    Raises
    ------
    InputError
        If there are no records to choose by, or one cannot be read.
    """
    compared = scores(results)
    if not compared:
        raise InputError(f"{results / PAPER}: has no records to choose a model by; name one by --paper")
    paper = max(compared, key=compared.get)
    others = ", ".join(f"{name} {score:.2f}" for name, score in compared.items() if name != paper)
    better = f"concordance correlation across data sets {compared[paper]:.2f}" + (f"; {others}" if others else "")
    return paper, better


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.
    """
    parser = command.parser("python -m reproductions predict", __doc__)
    parser.add_argument("--paper", choices=with_weights(), help="another model (default: by the rule above)")
    options = parser.parse_args(arguments)
    return cli.run(lambda: _predict(options))


def _predict(options) -> int:
    paper, heading = options.paper, ""
    if paper is None:
        paper, better = choose()
        heading = f"model: {paper} ({better}); --paper takes another\n\n"
    return command.predict(f"reproductions.{paper}.predict", paper, options, heading)


if __name__ == "__main__":
    sys.exit(main())
