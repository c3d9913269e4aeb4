"""Curves and calibration: by hand, and equal to scikit-learn's where it has them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve

from core.scoring.curves import BINS, calibration, curve

judged = st.lists(
    st.tuples(st.integers(0, 20).map(lambda i: i / 20), st.booleans()), min_size=1, max_size=60
)


def test_by_hand_with_gold_that_was_never_found() -> None:
    found = curve([(0.9, True), (0.8, False), (0.8, True), (0.3, True)], gold=5)
    assert found.thresholds == (0.9, 0.8, 0.3)
    assert found.precision == pytest.approx((1.0, 2 / 3, 3 / 4))
    assert found.recall == pytest.approx((0.2, 0.4, 0.6))
    assert (found.best, found.best_f1) == (0.3, pytest.approx(6 / 9))


def test_nothing_predicted_and_nothing_to_find() -> None:
    assert curve([], gold=3).best is None
    assert curve([(0.5, False)], gold=0).best_f1 == 0


@given(judged)
def test_it_is_scikit_learns_where_all_gold_was_found(pairs) -> None:
    right = [r for _, r in pairs]
    if not any(right):
        return
    precision, recall, thresholds = precision_recall_curve(
        right, [s for s, _ in pairs], drop_intermediate=False
    )
    found = curve(pairs, gold=sum(right))
    assert found.thresholds == pytest.approx(tuple(thresholds[::-1]))
    assert found.precision == pytest.approx(tuple(precision[:-1][::-1]))
    assert found.recall == pytest.approx(tuple(recall[:-1][::-1]))


def test_calibration_by_hand() -> None:
    # Bin 0.9 to 1: mean 0.95, half right. Bin 0.2 to 0.3: 0.25, none right.
    found = calibration([(0.92, True), (0.98, False), (0.25, False), (1.0, True)])
    assert found.counts == (0, 0, 1, 0, 0, 0, 0, 0, 0, 3)
    assert found.error == pytest.approx((3 * abs((0.92 + 0.98 + 1) / 3 - 2 / 3) + 0.25) / 4)
    assert calibration([]).error == 0


@given(judged)
def test_the_bins_are_scikit_learns(pairs) -> None:
    pairs = [(s + 0.01 if s < 1 else 0.995, r) for s, r in pairs]  # off the edges, where the two differ
    share, mean = calibration_curve([r for _, r in pairs], [s for s, _ in pairs], n_bins=BINS)
    found = calibration(pairs)
    filled = np.array(found.counts) > 0
    assert np.array(found.scores)[filled] == pytest.approx(mean)
    assert np.array(found.right)[filled] == pytest.approx(share)
