"""What all data sets share: the feature row of each label."""

import numpy as np
import pytest

from data_prep.dynamic import align_to_labels


@pytest.mark.parametrize(
    ("align", "index", "rows"),
    [("ends_at_label", [2, 3, 4, 5], [15, 15.5, 16, 17]), ("starts_at_label", [1, 2, 4], [15.5, 16, 17])],
)
def test_each_label_has_the_row_of_its_window(align, index, rows):
    """Clocks may differ by less than a millisecond; labels before, between and behind all windows have none."""
    starts, labels = np.array([14.0, 15, 15.5, 16, 17, 30]), np.array([0.5, 15.4996, 16, 16.5, 17.0004, 18, 99])
    result, values = align_to_labels(labels, starts, starts[:, None], align)
    assert (result.tolist(), values[:, 0].tolist()) == (index, rows)
