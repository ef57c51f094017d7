"""Model cards of the weights in results/: what a network predicts, how well, from what, with metadata for model hubs.

The first part is YAML as Hugging Face reads it (`model-index`: task, data set, metrics). All numbers are those of the
records. Where a folder also holds weights that the suite did not train, the module `card` of the paper says so: ORIGIN,
a sentence, and `section`, the end of the card.
"""

import importlib
import importlib.util
import json
from pathlib import Path

import numpy as np

from common.places import RESULTS
from common.predict import calibration
from common.report import markdown_table, number
from common.verdict.cells import lower_is_better
from common.verdict.recorded import Records
from data_prep import dataset_class

TYPES = {"rmse": "rmse", "mae": "mae", "r2": "r_squared", "pearson_r": "pearsonr", "accuracy": "accuracy"}
ORIGIN = "The networks are from *{title}*, trained again by this suite"
FLAGS = ("level outside", "nothing above", "shorter than", "distance of features above")
LABELS = """

Labels: where valence and arousal look exchanged in the task's song means, they were exchanged back. The scores cannot
be compared with scores on the original labels."""
CARD = """---
{metadata}
---

# {paper}: {title}

{what}. {origin}; [its page]({page}) has all results.

    python -m reproductions.{paper}.predict song.mp3

| | |
| --- | --- |
| input | {input} |
| output | {columns} |
| files | {files} |
| to load them | `import reproductions.{paper}.model`, then `keras.saving.load_model` |
| trained on | {n_train} songs of {dataset}{validation}; {audio} |
| warns of | {limits} |
| made | {finished}, commit {commit}, Keras {keras} on {device} |

## How good it is

{quality}

{metric}, {better} is better; {split} on {n_test} songs, means over {runs} runs. These are not the networks in this
folder, which were trained on all songs (or all but those that stopped the training), but networks of the same kind that
were not trained on the tested songs. On other music predictions are usually worse
([findings](../../../docs/findings.md)).{labels}

## Use and limits

{notice}

The labels are the ratings of the listeners of one study: a prediction says how such listeners would rate the music, not
what a person feels.

Paper: {citation}
"""


def generated(results: Path, papers: list[dict]) -> dict[Path, str]:
    """{README.md of a folder of weights: its text}, for the papers whose weights' variant is recorded.

    Parameters
    ----------
    results : folder of the records
    papers : the `expected.json` of each
    """
    cards = {}
    for expected in papers:
        paper, records = expected["paper"], Records(results, expected["paper"])
        folder, name = RESULTS / paper / "weights", f"reproductions.{paper}.card"
        if (folder / "weights.json").is_file():
            facts = json.loads((folder / "weights.json").read_text(encoding="utf-8"))
            if records.get(facts["dataset"], facts["variant"]):
                module = importlib.import_module(name) if importlib.util.find_spec(name) else None
                text = card(expected, facts, records, folder, module.ORIGIN if module else ORIGIN)
                cards[folder / "README.md"] = text + (module.section(expected, records, folder) if module else "")
    return cards


def card(expected: dict, facts: dict, records: Records, folder: Path, origin: str = ORIGIN) -> str:
    """The text of a model card.

    Parameters
    ----------
    expected : `expected.json` of the paper
    facts : `weights.json`
    records : of the paper
    folder : of the weights
    origin : where the networks are from, with {title} for the paper's title

    Returns
    -------
    str
    """
    quality, made = facts["quality"], facts["provenance"]
    values = measured(records, (facts["dataset"], facts["variant"]), quality["split"], quality["metric"])
    n = facts["n_validation"]
    rows = {"this model": values} | quality["baselines"]
    targets = list(values)
    lines = [[name, *(number(of[target]) for target in targets)] for name, of in rows.items()]
    paper = expected["paper"]
    return CARD.format(
        metadata=metadata(expected, facts, values),
        paper=paper,
        title=facts["title"],
        what=_what(facts),
        origin=origin.format(title=expected["title"]),
        page=f"../../../reproductions/{paper}/README.md",
        input=facts["input"],
        columns=", ".join(facts["columns"]),
        files=_files(list(facts["sha256"]), facts["columns"]),
        n_train=facts["n_train"],
        dataset=facts["dataset"],
        audio="features that come with the data" if facts["audio"] == "none" else f"audio {facts['audio']}",
        validation=f", {n} more to stop the training" if n else "",
        limits=_limits(calibration.read(folder, facts)),
        finished=made["finished"][:10],
        commit=made["commit"],
        keras=made["versions"]["keras"],
        device=made["device"],
        quality=markdown_table(["system", *targets], lines),
        metric=quality["metric"].replace("_", " "),
        split=quality["split"],
        n_test=quality["n_test"],
        better="lower" if lower_is_better(quality["metric"]) else "higher",
        runs=quality["runs"],
        labels=LABELS if facts.get("settings", {}).get("labels") == "repaired" else "",
        notice=(folder / "NOTICE.txt").read_text(encoding="utf-8").strip(),
        citation=expected["citation"],
    )


def measured(records: Records, place: tuple[str, str], split: str, metric: str) -> dict[str, float]:
    """The recorded means of a variant.

    Parameters
    ----------
    records : Records
        Of the paper.
    place : (str, str)
        Data set and variant.
    split, metric : str

    Returns
    -------
    dict of str to float
        Means over runs by target, in the unit of the metric, with five digits.
    """
    targets = records.get(*place)["runs"][0]["metrics"][split][metric]
    return {target: round(float(np.mean(records.values(*place, split, metric, target))), 5) for target in targets}


def _files(names: list[str], columns: list[str]) -> str:
    """The files of the networks, and what each predicts."""
    if len(names) == 1:
        return f"`{names[0]}`; it scales the input itself"
    if len(names) == len(columns):
        each = ", ".join(f"`{name}` ({column})" for name, column in zip(names, columns, strict=True))
        return f"{each}; they scale the input themselves"
    return f"`{names[0]}` to `{names[-1]}`, whose mean is the prediction; they scale the input themselves"


def _limits(known: calibration.Calibration | None) -> str:
    """What is unlike the training songs, and how many of these are."""
    if known is None:
        return "nothing: `python -m reproductions calibrate` has not been run"
    flags = known.facts["flags"]
    words, n = dict(zip(FLAGS, _shown(flags["limits"]), strict=True)), f"{flags['flagged']} of {flags['songs']}"
    text = "; ".join(f"{name} {limit}" for name, limit in words.items())
    return (
        f"recordings unlike the training songs: {text}. With limits from the other folds {n} training songs are flagged"
    )


def _shown(limits: dict) -> list[str]:
    """The limits in the order of `FLAGS`."""
    level = "–" if limits["level"] is None else "{:.0f} to {:.0f} dB".format(*limits["level"])
    bandwidth = "–" if limits["bandwidth"] is None else f"{limits['bandwidth'] / 1000:.1f} kHz"
    return [level, bandwidth, f"{limits['length']:.1f} s", f"{limits['distance']:.1f}"]


def flags_table() -> str:
    """The limits beyond which `predict` warns, by paper with weights, and how many training songs are beyond them.

    Returns
    -------
    str, Markdown
    """
    lines = []
    for path in sorted(RESULTS.glob(f"*/weights/{calibration.FILE}")):
        flags = json.loads(path.read_text(encoding="utf-8"))["flags"]
        share = f"{flags['flagged']} of {flags['songs']} ({100 * flags['flagged'] / flags['songs']:.1f} %)"
        lines.append([path.parts[-3], *_shown(flags["limits"]), share])
    return markdown_table(["model", *FLAGS, "training songs beyond them"], lines)


def _what(facts: dict) -> str:
    columns = facts["columns"]
    if facts["quality"]["metric"].startswith("accuracy"):
        return f"Predicts which of {len(columns)} classes a recording belongs to: {', '.join(columns)}"
    if len(columns) == 2:
        return "Predicts valence and arousal of music every 0.5 s, each in [-1, 1]"
    return f"Predicts {len(columns)} emotions of a recording: {', '.join(columns)}"


def metadata(expected: dict, facts: dict, values: dict[str, float]) -> str:
    """The YAML at the head of a card, without its marks.

    Parameters
    ----------
    expected : dict
        `expected.json` of the paper.
    facts : dict
        `weights.json`.
    values : dict of str to float
        The measured metric by target, as from `measured`.

    Returns
    -------
    str
    """
    lines = [
        "license: other", "license_name: non-commercial", "license_link: NOTICE.txt", "library_name: keras",
        "tags:", "- music", "- music-emotion-recognition", f"- {expected['paper']}", "model-index:",
        f"- name: {json.dumps(facts['paper'] + ' ' + facts['variant'])}", "  results:",
    ]  # fmt: skip
    quality = facts["quality"]
    return "\n".join(lines + result(_what(facts), facts["dataset"], quality["split"], quality["metric"], values))


def result(what: str, dataset: str, split: str, metric: str, values: dict[str, float]) -> list[str]:
    """An item of `results` in the YAML at the head of a card.

    Parameters
    ----------
    what : str
        What is predicted.
    dataset, split, metric : str
    values : dict of str to float
        The metric by target.

    Returns
    -------
    list of str
        Its lines.
    """
    kind, text = next(kind for stem, kind in TYPES.items() if metric.startswith(stem)), json.dumps  # YAML's texts
    lines = [
        "  - task:", f"      type: {'audio-classification' if kind == 'accuracy' else 'audio-regression'}",
        f"      name: {text(what)}", "    dataset:", f"      type: {text(dataset)}",
        f"      name: {text(dataset_class(dataset).folder)}", f"      split: {text(split)}", "    metrics:",
    ]  # fmt: skip
    for target, value in values.items():
        name = f"{metric.replace('_', ' ')}, {target.replace('_', ' ')}"
        lines += [f"    - type: {kind}", f"      name: {text(name)}", f"      value: {value}"]
    return lines
