"""The model card of the published weights: what they are, and how well ridge regression on the embedding predicts."""

from pathlib import Path

from common.report import markdown_table, number
from common.verdict.recorded import Records, coverage_of
from reproductions.cards import measured, result

SHOWN = 3  # targets at most; of more, as nine emotions, their average
CARD = """---
{metadata}
---

# musicnn2019: MusiCNN, an embedding of music

The network MSD_musicnn with the weights that its authors published; nothing in it was trained here. This suite rebuilds
it from Keras's layers and predicts emotions from three of them by ridge regression.
[Its page](../../../reproductions/musicnn2019/README.md) has all results.

```python
from common import audio
from reproductions.musicnn2019.embedding import Embedding

patches = Embedding()(*audio.load("song.mp3"))  # (number of patches, 1706)
```

| | |
| --- | --- |
| input | log-mel spectrogram, 16 kHz, 96 bands, in patches of 187 frames (3 s) |
| output | of each patch mean and maximum over time (753 each), penultimate layer (200), 50 tags |
| file | `MSD_musicnn.keras`, weights of 787,159 parameters |
| to load it | `reproductions.musicnn2019.embedding.network()` |
| trained on | the Million Song Dataset, by its authors, to predict tags |

## How good it is

{quality}

Ridge regression on the mean embedding of each song, means over runs. No song is predicted by a regression that was
fitted on it. Lower is better for rmse.

## Use and limits

{notice}

The labels are the ratings of the listeners of one study: a prediction says how such listeners would rate the music, not
what a person feels.
"""


def card(expected: dict, records: Records, folder: Path) -> str:
    """The text of the card.

    Parameters
    ----------
    expected : dict
        `expected.json`; its tables of variants name the regression and then its baseline.
    records : Records
    folder : Path
        Of the weights.

    Returns
    -------
    str
    """
    rows, results = [], []
    for dataset, split, (metric, *_), (regression, baseline) in expected["variant_tables"]:
        record = records.get(dataset, regression)
        if record is None or records.get(dataset, baseline) is None:
            continue
        values, without = (measured(records, (dataset, name), split, metric) for name in (regression, baseline))
        shown = list(values) if len(values) <= SHOWN else list(values)[-1:]
        songs = coverage_of(record["facts"], split)["n_test"]
        rows += [[dataset, f"{split}, {songs} songs", metric.replace("_", " "), target.replace("_", " "),
                  number(values[target]), number(without[target])] for target in shown]  # fmt: skip
        what = f"Ridge regression on the embedding, {songs} songs"
        results += result(what, dataset, split, metric, {target: values[target] for target in shown})
    header = ["data set", "split", "metric", "target", "ridge regression", "mean of the training songs"]
    head = [
        "license: isc", "library_name: keras", "tags:", "- music", "- music-emotion-recognition", "- musicnn2019",
        "model-index:", '- name: "musicnn2019 MSD_musicnn"', "  results:",
    ]  # fmt: skip
    notice = (folder / "NOTICE.txt").read_text(encoding="utf-8").strip()
    return CARD.format(metadata="\n".join(head + results), quality=markdown_table(header, rows), notice=notice)
