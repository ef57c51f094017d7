"""Ensembles from the moments of their members, against predictions that are known."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from common import metrics
from common.verdict.resampling import leaving_out
from reproductions.chaki2020 import parts, tables

CLIPS, STEPS, RUNS = 12, 20, 3
ONCE, FRAMES = np.ones((1, CLIPS)), [STEPS] * CLIPS


def predictions(runs=RUNS, members=2, seed=0):
    """Labels (clips, steps, 2) and predictions (runs, members, clips, steps, 2), which share a part of their noise."""
    rng = np.random.default_rng(seed)
    labels = rng.normal(0, 0.3, (CLIPS, 1, 2)) + np.cumsum(rng.normal(0, 0.03, (CLIPS, STEPS, 2)), axis=1)
    shape = (runs, members, CLIPS)
    noise = rng.normal(0, 0.2, (*shape, 1, 2)) + rng.normal(0, 0.1, (*shape, STEPS, 2))
    return labels, 0.7 * labels + noise + rng.normal(0, 0.05, (CLIPS, STEPS, 2))


def recorded(labels, of_runs):
    """A record of one network, from its predictions (runs, clips, steps, 2)."""
    facts = {"targets": ["valence", "arousal"], "artists": [str(k // 2) for k in range(CLIPS)]}
    runs = [{"songs": {tables.SPLIT: metrics.of_songs(labels, predicted)}} for predicted in of_runs]
    return {"facts": facts, "runs": runs}


def pooled(labels, predicted):
    return r2_score(labels.reshape(-1, 2), predicted.reshape(-1, 2), multioutput="raw_values")


@pytest.mark.parametrize("members", [1, 4])
def test_r2_of_the_mean_prediction(members):
    labels, predicted = predictions(1, members)
    ensemble = predicted[0].mean(0)
    (of_clips,) = tables.moments([recorded(labels, predicted[:, k]) for k in range(members)])
    clips, least, most = (
        tables.r2(of(of_clips), FRAMES, ONCE)[0] for of in (tables.averaged, tables.moving_alike, tables.cancelling)
    )
    assert clips == pytest.approx(pooled(labels, np.repeat(ensemble.mean(1, keepdims=True), STEPS, axis=1)), abs=1e-5)
    assert np.all((least <= pooled(labels, ensemble) + 1e-5) & (pooled(labels, ensemble) <= most + 1e-5))
    if members == 1:
        assert least == pytest.approx(pooled(labels, ensemble), abs=1e-5)


def test_members_that_move_alike_are_at_the_lower_bound():
    labels, predicted = predictions(1, 1)
    shifted = [predicted[:, 0], 0.5 * predicted[:, 0] + 0.1]
    (of_clips,) = tables.moments([recorded(labels, of_runs) for of_runs in shifted])
    exact = pooled(labels, np.mean(shifted, axis=0)[0])
    assert tables.r2(tables.moving_alike(of_clips), FRAMES, ONCE)[0] == pytest.approx(exact, abs=1e-5)


def test_differences_from_ridge_regression():
    """Of one run's ensembles the mean over runs; of all runs that of the ensemble of all, with an interval."""
    labels, predicted = predictions()
    ridge = recorded(labels, 0.4 * predictions(seed=1)[1][:, 0])
    networks = [recorded(labels, predicted[:, k]) for k in range(2)]
    own, other = tables.moments(networks), tables.moments([ridge])
    weights = leaving_out(ridge["facts"]["artists"])
    single, together = (tables.difference(own, other, FRAMES, weights, all_runs) for all_runs in (False, True))
    exact = [
        tables.r2(tables.averaged(own[k]), FRAMES, ONCE)[0] - tables.r2(tables.averaged(other[k]), FRAMES, ONCE)[0]
        for k in range(RUNS)
    ]
    assert single.mean == pytest.approx(np.mean(exact, axis=0)) and np.all(together.mean > single.mean)
    assert np.all((together.half_width(0.95) > 0) & (together.half_width(0.95) < 1))
    cells = tables.line(networks, ridge, True)
    assert cells[0] == 6 and cells[5].startswith(f"{together.mean[1]:.3f}".replace("0.", ".", 1)) and "…" in cells[5]
    assert tables.line([ridge], ridge, False)[5:] == ["–", "–"]
    one = tables.difference(own[:1], other[:1], FRAMES, weights, False)
    assert one.mean == pytest.approx(exact[0]) and np.isnan(one.df).all()


def test_runs_are_paired_by_seed():
    first, second, third = ({"runs": [{"seed": seed} for seed in seeds]} for seeds in ([2, 0, 1], [1, 2], [5]))
    alike = parts.of_common_runs([first, second])
    assert [[run["seed"] for run in record["runs"]] for record in alike] == [[1, 2], [1, 2]]
    assert parts.of_common_runs([first, third]) == parts.of_common_runs([first, None]) == [None, None]


def test_r2_of_random_tenths():
    """A tenth of ten songs is one song, and over 200 draws each occurs."""
    labels, predicted = predictions(1, 1)
    songs = metrics.of_songs(labels[:10], predicted[0, 0, :10])
    drawn, alone = parts.tenths(songs, 200), [pooled(labels[k], predicted[0, 0, k]) for k in range(10)]
    for values in drawn:
        assert min(np.abs(values - one).max() for one in alone) < 1e-3
    assert len(np.unique(drawn[:, 0].round(6))) == 10


def test_r2_of_test_parts():
    """Of two parts with two networks each: the mean of single networks, and their average, with the ranges."""
    runs = [
        {"metrics": {name: {"r2_pooled": {"valence": r2}} for name, r2 in of_part.items()}}
        for of_part in (
            {"fold 1": 0.1, "fold 2": 0.3, "average": 0.4},
            {"fold 1": 0.5, "fold 2": 0.7, "average": 0.8},
        )
    ]
    assert parts.described(parts.of_parts({"runs": runs}, "valence")) == [
        2,
        ".400 (.200 to .600)",
        "–",
        ".600 (.400 to .800)",
        "–",
    ]
    more = [*runs, {"metrics": runs[0]["metrics"]}]  # averages .4, .8, .4: t(2) = 4.303, s = .231
    assert parts.described(parts.of_parts({"runs": more}, "valence"))[-1] == "-.614 … 1.681"


def test_a_difference_on_parts_of_their_own_varies_with_both():
    """On the same part the second is always .1 better; on parts of their own t(4) = 2.776, s² = .01 each."""
    first = np.array([0.2, 0.3, 0.4])
    assert parts.prediction_interval((first + 0.1) - first) == ".100 … .100"
    assert parts.prediction_interval(first + 0.1, -first) == "-.353 … .553"  # half: 2.776 * sqrt(2 * .01 * 4 / 3)
    assert parts.prediction_interval(first[:2], -first) == "–"


def test_the_deviation_of_labels_that_gaussian_errors_imply():
    rng = np.random.default_rng(0)
    labels = rng.normal(0, 0.3, 200_000)
    errors = rng.normal(0, 0.2, len(labels))
    r2 = 1 - errors.var() / labels.var()
    assert parts.implied_deviation(r2, np.abs(errors).mean()) == pytest.approx(0.3, abs=2e-3)


def test_deviations_of_the_labels_of_some_clips():
    labels, predicted = predictions(1, 1)
    songs = metrics.of_songs(labels, predicted[0, 0])
    first = np.where(np.arange(CLIPS) < 3, 1.0, 0.0)[None]
    assert parts.label_deviations(songs, ONCE)[0] == pytest.approx(labels.reshape(-1, 2).std(0), abs=1e-4)
    assert parts.label_deviations(songs, first)[0] == pytest.approx(labels[:3].reshape(-1, 2).std(0), abs=1e-4)


def test_the_tables_of_test_parts():
    """The step on the parts that both networks have, arousal first, and the published R² and MAE of each row."""

    def of_parts(seeds, **of_targets):
        """Single networks .1 below their average, which changes from part to part."""
        averages = [{target: r2 + change for target, r2 in of_targets.items()} for change in (-0.1, 0.0, 0.1, 0.9)]
        runs = []
        for seed in seeds:
            single = {target: r2 - 0.1 for target, r2 in averages[seed].items()}
            metrics_of = {"fold 1": single, "fold 2": single, parts.AVERAGED: averages[seed]}
            runs.append({"seed": seed, "metrics": {name: {"r2_pooled": r2} for name, r2 in metrics_of.items()}})
        return {"runs": runs}

    class Recorded(dict):
        def get(self, dataset, variant):
            return super().get(variant)

    records = Recorded({"nat_128_part_260": of_parts([0, 1, 2, 3], arousal=0.5, valence=0.3)})
    records["at_128_part_260"] = of_parts([0, 1, 2], arousal=0.6, valence=0.5)
    _, step, implied = ([line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
                        for table in parts.generated(records).split("**\n\n")[1:])  # fmt: skip
    assert step[2:] == [
        ["the same part", "arousal", ".130", *[".100 (.100 … .100)"] * 2],
        ["separate parts", "arousal", ".130", *[".100 (-.353 … .553)"] * 2],
        ["the same part", "valence", ".280", *[".200 (.200 … .200)"] * 2],
        ["separate parts", "valence", ".280", *[".200 (-.253 … .653)"] * 2],
    ]
    (of_at_400,) = (line for line in implied if line[0] == "LSTM_AT_400")
    assert of_at_400[1:3] == [".326 (.310 … .342)", "–"]  # R² .75 and MAE .13
    del records["at_128_part_260"]
    assert "the same part" not in parts.generated(records)
