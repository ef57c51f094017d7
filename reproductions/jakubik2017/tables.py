"""The README's table of the Standard GRU's loss: how errors combine, and what is left of the embedding's lead."""

from pathlib import Path

from common.report import interval, markdown_table, mean_of_runs, number
from common.verdict.board import load_expected
from common.verdict.claims import judge_claims
from common.verdict.recorded import Records

PLACE = {"dataset": "emotify", "split": "10-fold", "metric": "pearson_r_mean_over_folds", "targets": ["average"]}
EMBEDDING = "semantic_embedding_gru_svr"
LOSSES = {  # the Standard GRU and the embedding, by how squared errors of emotions and songs combine, and the input
    "mean over emotions, mean over songs (primary)": ("standard_gru", EMBEDDING),
    "summed over emotions, mean over songs": ("standard_gru_summed_over_emotions", EMBEDDING),
    "mean over emotions, summed over songs": ("standard_gru_summed_over_songs", EMBEDDING),
    "summed over both": ("standard_gru_summed_error", EMBEDDING),
    "summed over both, raw input": ("standard_gru_summed_error_raw_input", f"{EMBEDDING}_raw_input"),
    "summed over both, one mean and deviation of the input": (
        "standard_gru_summed_error_global_scale",
        f"{EMBEDDING}_global_scale",
    ),
}
HEADER = ["squared error", "Standard GRU (runs)", "embedding (runs)", "embedding minus it", "95 % interval"]


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
    recorded = {
        title: pair for title, pair in LOSSES.items() if all(records.get(PLACE["dataset"], one) for one in pair)
    }
    claims = [
        PLACE | {"id": title, "statement": title, "kind": "difference", "a": embedding, "b": standard, "direction": 1}
        for title, (standard, embedding) in recorded.items()
    ]
    lines = [
        [claim["claim"], *(_mean(records, one) for one in recorded[claim["claim"]]), number(claim["difference"]),
         interval(claim)]
        for claim in judge_claims(expected | {"claims": claims}, records)
    ]  # fmt: skip
    return {"losses": markdown_table(HEADER, lines)}


def _mean(records: Records, variant: str) -> str:
    """Mean r over the emotions, and the number of runs."""
    values = records.values(PLACE["dataset"], variant, PLACE["split"], PLACE["metric"], *PLACE["targets"])
    return f"{mean_of_runs(values)} ({len(values)})"
