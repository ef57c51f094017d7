"""The README's table of the Standard GRU's loss: how errors combine, and what is left of the embedding's lead."""

from pathlib import Path

import numpy as np

from common.report import interval, markdown_table, number
from common.verdict.board import load_expected
from common.verdict.claims import judge_claims
from common.verdict.recorded import Records

PLACE = {"dataset": "emotify", "split": "10-fold", "metric": "pearson_r_mean_over_folds", "targets": ["average"]}
EMBEDDING = "semantic_embedding_gru_svr"
LOSSES = {  # variants, by how the squared errors of emotions and songs combine
    "mean over emotions, mean over songs (primary)": "standard_gru",
    "summed over emotions, mean over songs": "standard_gru_summed_over_emotions",
    "mean over emotions, summed over songs": "standard_gru_summed_over_songs",
    "summed over both": "standard_gru_summed_error",
}
HEADER = ["squared error", "runs", "mean r", "embedding minus it", "95 % interval"]


def generated(records: Records) -> dict[str, str]:
    """One table, under one mark: mean r over the emotions by loss. Exploratory, so there are no verdicts.

    Parameters
    ----------
    records : Records

    Returns
    -------
    dict of str to str
        Markdown by the mark in the README, `losses`.
    """
    expected = load_expected(Path(__file__).with_name("expected.json"))
    place, lines = [PLACE[key] for key in ("dataset", "split", "metric")], []
    recorded = {title: name for title, name in LOSSES.items() if records.get(PLACE["dataset"], name)}
    claims = [
        PLACE | {"id": name, "statement": title, "kind": "difference", "a": EMBEDDING, "b": name, "direction": 1}
        for title, name in recorded.items()
    ]
    for claim in judge_claims(expected | {"claims": claims}, records):
        values = records.values(place[0], claim["claim"], *place[1:], *PLACE["targets"])
        mean = number(np.mean(values)) + (f" ± {number(np.std(values, ddof=1))}" if len(values) > 1 else "")
        lines.append([claim["statement"], len(values), mean, number(claim["difference"]), interval(claim)])
    return {"losses": markdown_table(HEADER, lines)}
