"""What the command that trains prints and keeps: the plan, the list of variants, tables, weights, histories."""

from pathlib import Path

from common import provenance, report
from common.experiment import Experiment, Variant
from common.experiment.records import histories
from common.experiment.runner import call_of, train_model
from common.files import muted_stderr
from common.parallel import on_worker, progress
from common.verdict import board
from common.verdict.recorded import Records, coverage_of, headline


def plan(chosen: list[Variant], experiment: Experiment, options) -> str:
    """What is asked for, and about how long all of it takes; what is recorded or cached already takes no time.

    Parameters
    ----------
    chosen : list of Variant
    experiment : Experiment
    options : argparse.Namespace
        With `seed`, `repeats` and `jobs`.

    Returns
    -------
    str, two lines
    """
    n_runs = len(options.seed or range(options.repeats))
    seconds = sum(v.core_seconds * experiment.data_fraction(v) for v in chosen) * n_runs
    minutes = seconds / options.jobs / 60
    names = ", ".join(v.name for v in chosen)
    about = f"About {minutes:.0f} min" if minutes >= 1 else "Less than a minute"
    return f"{len(chosen)} variants, {n_runs} runs each: {names}\n{about} once all features are there."


def listing(variants, n_jobs: int) -> str:
    """A line a variant: its name, whether it is primary, the time of a repetition, its title.

    Parameters
    ----------
    variants : iterable of Variant
    n_jobs : int
        Processes for which the time is given.

    Returns
    -------
    str
    """
    lines = []
    for v in variants:
        minutes = v.core_seconds / n_jobs / 60
        about = "seconds" if minutes < 0.2 else f"{60 * minutes:.0f} s" if minutes < 2 else f"{minutes:.0f} min"
        lines.append([v.name, "primary" if v.primary else "", about, v.title])
    table = report.text_table(["variant", "", f"a repetition, {n_jobs} cores", "what it is"], lines)
    return table + "\n\nVariants that differ only after the network share its training."


def write_tensorboard(records: dict[str, dict], folder: Path) -> None:
    """Write training histories as TensorBoard's event files: a folder a variant, run, network.

    Parameters
    ----------
    records : dict
        By name of the variant.
    folder : Path
    """
    with muted_stderr():  # it imports TensorFlow if that is there, which logs the processor
        from tensorboard.summary import Writer

        for name, record in records.items():
            for one in record["runs"]:
                for network, curves in enumerate(histories(one)):
                    writer = Writer(str(folder / name / f"run {one['seed']}" / str(network)))
                    for value, curve in curves.items():
                        for epoch, number in curve.items():
                            writer.add_scalar(value, number, epoch)
                    writer.close()
    print(f"tensorboard --logdir {folder}")


def keep_weights(training, experiment: Experiment, variant: Variant, records: dict, options) -> None:
    """Train a variant on all songs, and keep its weights with how good it and its baselines were in the runs.

    Parameters
    ----------
    training : Training
    experiment : Experiment
    variant : Variant
    records : dict
        Of the variant and its baselines, by name.
    options : argparse.Namespace
        With `weights`, the folder, and `jobs`.

    Raises
    ------
    InputError
        If the variant's weights could not be read by `predict`, or the folder cannot be written.
    """
    from common import weights
    from common.predict import calibrate

    networks, record = experiment.trained_on_all(variant), records[variant.name]
    n_train, n_validation = (len(part) for part in (networks[0].split.train, networks[0].split.validation))
    tasks = ((on_worker, train_model, *call_of(network)) for network in networks)
    bar = {"total": len(networks), "label": "training on all songs", "unit": "network"}
    models = list(progress(tasks, n_jobs=options.jobs, isolated=True, **bar))
    split, metric, targets = headline(record)
    facts = coverage_of(record["facts"], split)
    titles = {name: records[name]["title"] for name in training.baselines(variant)}
    baselines = {  # without oracles
        title.removeprefix("baseline: "): _rounded(_means(records[name], split, metric, targets))
        for name, title in titles.items()
        if title.startswith("baseline: ")
    }
    content = {key: record[key] for key in ("paper", "dataset", "variant", "title", "settings")}
    content |= {"columns": facts["targets"], "n_train": n_train, "n_validation": n_validation}
    content |= {"input": facts["input"], "audio": facts["audio"]}
    content["quality"] = {
        "metric": metric, "split": split, "runs": len(record["runs"]), "n_test": facts["n_test"],
        "model": _rounded(_means(record, split, metric, targets)), "baselines": baselines,
    }  # fmt: skip
    content["provenance"] = provenance.now(provenance.commit())
    weights.save(options.weights, models, content, experiment.data.cite())
    calibrate.save(options.weights, weights.load(options.weights, record["paper"])[1], experiment, variant, record)
    print(f"weights: {options.weights}")


def _means(record: dict, split: str, metric: str, targets: list[str]) -> dict[str, float]:
    """Means over the runs, by target."""
    runs = [run["metrics"][split][metric] for run in record["runs"]]
    return {target: sum(run[target] for run in runs) / len(runs) for target in targets}


def _rounded(means: dict[str, float]) -> dict[str, float]:
    return {target: round(mean, 4) for target, mean in means.items()}


def summary(training, experiment: Experiment, chosen: list[Variant], records: dict, out: Path, *, recorded) -> str:
    """Published and measured numbers for the cells that the chosen variants answer; measured ones for the others.

    Parameters
    ----------
    training : Training
    experiment : Experiment
    chosen : list of Variant
    records : dict
        By name of the variant.
    out : Path
        The folder of records.
    recorded : bool
        Whether the runs are recorded there.

    Returns
    -------
    str
    """
    blocks, shown = _published(training, experiment, records, out) if recorded else ([], set())
    tables = {}
    for variant in chosen:
        record = records[variant.name]
        for split, measured in record["runs"][0]["metrics"].items():
            if (variant.name, split) in shown or coverage_of(record["facts"], split)["n_test"] == 1:
                continue  # numbers of a single song are in the record
            metric, targets = next((metric, list(values)) for metric, values in measured.items())
            means = _means(record, split, metric, targets).values()
            lines = tables.setdefault((f"{metric}, {split}", *targets), [])
            lines.append([variant.name, *map(report.number, means)])
    blocks += [report.text_table(list(header), lines) for header, lines in tables.items()]
    if recorded:
        variants = "" if shown else " --variants"
        end = f"Recorded in {(out / experiment.paper / experiment.dataset).resolve()}/.\n"
        end += f"The board with these records: python -m reproductions --results {out}{variants}"
    else:
        real = "--data-root DIR runs on the real recordings"
        real = "without --quick it runs completely" if experiment.for_record else real
        end = f"Not the paper's numbers, and not recorded; {real}."
    return "\n\n".join(["", *blocks, f"{_coverage(experiment, chosen[-1])}\n{end}"])


def _coverage(experiment: Experiment, variant: Variant) -> str:
    """How many songs a variant ran on, a line a split."""
    facts = experiment.facts(variant)
    splits = [name for name in facts.get("splits", {}) if coverage_of(facts, name)["n_test"] > 1] or [""]
    of_splits = {", ".join(filter(None, [experiment.dataset, name])): coverage_of(facts, name) for name in splits}
    return "\n".join(f"{name}: {report.coverage(of_split)}" for name, of_split in of_splits.items())


def _published(training, experiment: Experiment, records: dict, out: Path) -> tuple[list[str], set]:
    """Tables of the published cells, and which variants and splits they show."""
    expected, joined = board.load_expected(training.expected), Records(out, experiment.paper)
    dataset = experiment.dataset
    for cell in expected["cells"]:  # of several data sets that stand in, the one that was just trained on
        cell.get("stand_ins", []).sort(key=lambda place: place[0] != dataset)
    blocks, shown = [], set()
    for alternatives in (False, True):
        rows = board.join(expected, joined, alternatives=alternatives)
        rows = [row for row in rows if row.fields["variant"] in records and row.fields["record"]]
        rows = [row for row in rows if row.fields["dataset"] == dataset]
        if rows:
            blocks.append(report.board(rows, first="variant" if alternatives else "system"))
            shown |= {(row.fields["variant"], row.fields["split"]) for row in rows}
    return blocks, shown
