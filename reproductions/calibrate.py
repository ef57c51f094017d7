"""Measures again how predictions of the suite's weights err, and which recordings are unlike their training songs.

Writes calibration.json and distance.npz into the folder of the weights, from the records of their variant and the data
set that they were trained on. `train --weights DIR` does the same for weights of your own.
"""

import sys

from common import cli, weights
from common.errors import InputError
from common.places import RESULTS
from common.predict import calibrate
from common.verdict.recorded import Records
from reproductions.predict import with_weights
from reproductions.verify import open_experiment


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.
    """
    parser = cli.Parser(prog="python -m reproductions calibrate", description=__doc__)
    add = parser.add_argument
    add("papers", nargs="*", metavar="PAPER", help="papers with weights (default: all)")
    add("--data-root", metavar="DIR", help="folder of the data sets (default: the variable MER_DATA_ROOT)")
    options = parser.parse_args(arguments)
    return cli.run(lambda: _calibrate(options))


def _calibrate(options) -> int:
    known = with_weights()
    if unknown := set(options.papers) - set(known):
        raise InputError(f"{min(unknown)}: has no weights; papers with weights are {', '.join(known)}")
    for paper in options.papers or known:
        folder = RESULTS / paper / "weights"
        _, facts = weights.load(folder, paper)
        record = Records(RESULTS, paper).get(facts["dataset"], facts["variant"])
        if record is None:
            raise InputError(
                f"{RESULTS / paper}: has no record of {facts['variant']}, from which errors would be known"
            )
        experiment, variants = open_experiment(record, options.data_root)
        variant = variants.get(facts["variant"])
        if variant is None or experiment.dataset != facts["dataset"] or not experiment.for_record:
            raise InputError(
                f"{paper}: needs {facts['dataset']} under the data root for {facts['variant']}; give --data-root"
            )
        content = calibrate.save(folder, facts, experiment, variant, record)
        flags = content["flags"]
        flagged = f"{flags['flagged']} of {flags['songs']} training songs have a flag, limits {flags['limits']}"
        coverage = content["errors"]["coverage"] if content["errors"] else "no intervals"
        print(f"{folder / calibrate.FILE}: {flagged}; within intervals: {coverage}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
