"""The part of the model card on the embedding: what its published weights are, and how well it predicts emotions."""

from pathlib import Path

from common.report import markdown_table, number
from common.verdict.recorded import Records, coverage_of
from reproductions.cards import measured
from reproductions.musicnn2019.train import OVER_TIME

SHOWN = 3  # targets at most; of more, as nine emotions, their average
ORIGIN = (
    "A linear regression on the embedding of *{title}*, whose weights are its authors'. This suite fitted it to the "
    "task's labels, in which exchanged song means of valence and arousal were exchanged back"
)
SECTION = """
## The embedding

`MSD_musicnn.keras` is the network MSD_musicnn with the weights that its authors published; nothing in it was trained
here. This suite rebuilds it from Keras's layers.

```python
from common import audio
from reproductions.musicnn2019.over_time import OverlappingPatches

patches = OverlappingPatches()(*audio.load("song.mp3"))  # (number of patches, 1706)
```

| | |
| --- | --- |
| input | log-mel spectrogram, 16 kHz, 96 bands, in patches of 187 frames (3 s) |
| output | of each patch mean and maximum over time (753 each), penultimate layer (200), 50 tags |
| file | `MSD_musicnn.keras`, weights of 787,159 parameters |
| to load it | `reproductions.musicnn2019.embedding.network()` |
| trained on | the Million Song Dataset, by its authors, to predict tags |

How well ridge regression on the mean embedding of each song predicts other data sets, means over runs:

{quality}

No song is predicted by a regression that was fitted on it. Lower is better for rmse.

{notice}
"""


def section(expected: dict, records: Records, folder: Path) -> str:
    """The end of the card, on the embedding.

    Parameters
    ----------
    expected : dict
        `expected.json`; its tables of variants name the regression and, last, its baseline.
    records : Records
    folder : Path
        Of the weights.

    Returns
    -------
    str
    """
    rows = []
    for dataset, split, (metric, *_), (regression, *_, baseline) in expected["variant_tables"]:
        record = records.get(dataset, regression)
        if record is None or records.get(dataset, baseline) is None or dataset == OVER_TIME:
            continue
        values, without = (measured(records, (dataset, name), split, metric) for name in (regression, baseline))
        shown = list(values) if len(values) <= SHOWN else list(values)[-1:]
        songs = coverage_of(record["facts"], split)["n_test"]
        rows += [[dataset, f"{split}, {songs} songs", metric.replace("_", " "), target.replace("_", " "),
                  number(values[target]), number(without[target])] for target in shown]  # fmt: skip
    header = ["data set", "split", "metric", "target", "ridge regression", "mean of the training songs"]
    notice = (folder / "MSD_musicnn.txt").read_text(encoding="utf-8").strip()
    return SECTION.format(quality=markdown_table(header, rows), notice=notice)
