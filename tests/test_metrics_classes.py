import numpy as np
import pytest
from sklearn.metrics import accuracy_score, classification_report

from common import metrics
from common.errors import InputError

rng = np.random.default_rng(3)
STATE = rng.bit_generator.state


@pytest.fixture(autouse=True)
def _own_numbers():
    """Random numbers of a test do not depend on which tests run before it."""
    rng.bit_generator.state = STATE


def test_metrics_of_classes_against_scikit_learn():
    """One class is never predicted, another has no song."""
    classes = ["a", "b", "c", "d"]
    reference, predicted = rng.integers(0, 3, 200), rng.choice([0, 2, 3], 200)
    measured = metrics.classification(reference, predicted, classes)
    report = classification_report(
        reference, predicted, labels=range(4), target_names=classes, output_dict=True, zero_division=0
    )
    assert measured["accuracy"] == {"all": pytest.approx(accuracy_score(reference, predicted), abs=1e-5)}
    for metric, name in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
        assert list(measured[metric]) == [*classes, "macro avg", "weighted avg"]
        for target, value in measured[metric].items():
            assert value == pytest.approx(report[target][name], abs=1e-5), (metric, target)


def test_confusion_counts_songs():
    assert metrics.confusion([0, 0, 2, 2, 2], [0, 1, 2, 2, 0], 3).tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 2]]


def test_metrics_of_several_confusions_are_those_of_each():
    each = rng.integers(0, 9, (5, 3, 3))
    together = metrics.of_confusion(each)
    for k, alone in enumerate(map(metrics.of_confusion, each)):
        for metric, values in alone.items():
            np.testing.assert_array_equal(together[metric][k], values)


def test_metrics_of_classes_have_five_digits():
    measured = metrics.classification([0, 0, 0, 1], [0, 0, 1, 1], ["a", "b"])
    assert measured["recall"]["a"] == 0.66667


def test_of_no_songs_nothing_is_right():
    measured = metrics.of_confusion(np.zeros((2, 3, 3)))
    assert all((values == 0).all() for values in measured.values())


@pytest.mark.parametrize(
    ("reference", "predicted", "what"),
    [([0, 1], [0], "shape"), ([[0]], [[0]], "shape"), ([0, 1], [0, -1], "predicted holds -1"),
     ([0, 2], [0, 1], "reference holds 2"), ([0, 1], [0, 0.5], "predicted holds 0.5")],
)  # fmt: skip
def test_class_numbers_that_are_malformed(reference, predicted, what):
    with pytest.raises(InputError, match=what):
        metrics.classification(reference, predicted, ["a", "b"])


def test_matrices_that_are_no_confusion():
    for counts, what in (([[1.0, np.nan], [0, 1]], "finite"), (np.ones((3, 2)), "shape"), (np.ones(4), "shape")):
        with pytest.raises(InputError, match=what):
            metrics.of_confusion(counts)
