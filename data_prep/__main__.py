"""Check a copy of a data set, and extract its features; or export the splits and predictions behind the tables.

Reads the layout of the official distribution, with its own audio or any other format (docs/audio.md); reports what is
missing or broken, and where to get it. `python -m data_prep export` needs no data set.
"""

import sys
from pathlib import Path

from common import cli
from common.errors import InputError
from common.files import require_cache
from data_prep import DATASETS, open_dataset
from data_prep.base import ClassDataset, check_duration
from data_prep.own import OwnCollection


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.

    Returns
    -------
    int
        The exit code: 0 if the copy is complete, 2 if something is missing or broken.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["export"]:
        return _export(arguments[1:])
    parser = cli.Parser(prog="python -m data_prep", description=__doc__)
    add = parser.add_argument
    names = ", ".join(DATASETS)
    add(
        "dataset",
        help=f"the data set: {names}; or any folder of the data root, "
        "with a folder of recordings per class, or with recordings and labels.csv",
    )
    add("--data-root", metavar="DIR", help="folder of the data sets (default: the variable MER_DATA_ROOT)")
    cli.add_scale(parser)
    cli.add_jobs(add)
    options = parser.parse_args(arguments)
    return cli.run(lambda: _prepare(options))


def _export(arguments: list[str]) -> int:
    from data_prep import export

    parser = cli.Parser(prog="python -m data_prep export", description=export.__doc__)
    add = parser.add_argument
    cli.add_results(add)
    add(
        "--out",
        type=Path,
        default=Path("export"),
        metavar="DIR",
        help="folder to write (default: %(default)s/)",
    )
    options = parser.parse_args(arguments)

    def write() -> int:
        print(f"{len(export.export(options.results, options.out))} files in {options.out}/")
        return 0

    return cli.run(write)


def _prepare(options) -> int:
    require_cache()
    cli.use_cluster(options)
    data = open_dataset(options.dataset, options.data_root, scale=options.scale)
    problems = data.validate()
    texts = [problem.text for problem in problems]
    if isinstance(data, ClassDataset):
        counts = data.labels["class"].value_counts()
        print("classes: " + ", ".join(f"{name} {counts.get(name, 0)}" for name in data.classes))
    print(f"{data.name}: audio of {len(data.tracks)} of {data.n_tracks} tracks, {data.audio_kind}")
    for text in texts:
        print(f"  {text}")
    if isinstance(data, OwnCollection) and (line := data.left_out()):
        print(f"  {line}")
    print(f"cite: {data.cite()}", flush=True)
    unreadable = [text for text in _extract(data, options.jobs) if text not in texts]
    for text in unreadable:
        print(f"  {text}")
    if problems or unreadable:
        only_missing = not unreadable and all(problem.missing for problem in problems)
        hint = "; the features of the others are in the cache, train with --allow-missing" if only_missing else ""
        n = len(problems) + len(unreadable)
        print(f"error: {data.name} is not complete (problems listed above: {n}){hint}", file=sys.stderr)
        return 2
    print(f"{data.name} is complete; labels: {', '.join(data.labels.columns)}; features are in the cache")
    return 0


def _extract(data, jobs: int) -> list[str]:
    """Extract the features of all tracks; returns a message for each file that cannot be read."""
    from common.features.store import FeatureStore
    from common.parallel import progress

    store, messages = FeatureStore(), []
    for extractor in data.extractors():
        readable = [track for track in data.tracks if check_duration(track.path, 0) is None]
        calls = ((_try, store, track.path, extractor) for track in readable)
        messages += progress(calls, total=len(readable), n_jobs=jobs, label=extractor.name, unit="file")
    return [text for text in dict.fromkeys(messages) if text]


def _try(store, path, extractor) -> str | None:
    try:
        store.get(path, extractor)
    except InputError as error:
        return str(error)
    return None


if __name__ == "__main__":
    from data_prep.__main__ import main

    sys.exit(main())
