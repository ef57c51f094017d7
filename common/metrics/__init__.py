"""Metrics of music emotion recognition by task, each with its aggregation in its name, in the manner of mir_eval.

* `common.metrics.static`: one value a song and target.
* `common.metrics.dynamic`: a sequence of values a song and target.
* `common.metrics.classes`: one class a song.

Each module states its conventions, and checks its input by its own `validate`. Their functions are called as
`metrics.pearson_r_pooled(...)`; so `metrics.dynamic` is the function, and the module is imported by its full name.
"""

from common.metrics.classes import classification, confusion, of_confusion
from common.metrics.dynamic import dynamic, kendall_tau, of_songs, r2, rmse_within, song_moments, squared_errors
from common.metrics.static import (
    by_fold,
    correlations,
    pearson_r_mean_over_folds,
    pearson_r_pooled,
    split_half_reliability,
    standardised,
)

__all__ = [
    "by_fold", "classification", "confusion", "correlations", "dynamic", "kendall_tau", "of_confusion", "of_songs",
    "pearson_r_mean_over_folds", "pearson_r_pooled", "r2", "rmse_within", "song_moments", "split_half_reliability",
    "squared_errors", "standardised",
]  # fmt: skip
