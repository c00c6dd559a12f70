"""Metrics by hand."""

import numpy as np
import pytest

from curate.metrics import classification, cross_entropy, mean_squared_error, reliability

TRUTH = np.array([[1, 0], [1, 0], [1, 0], [0, 1.0]])
GUESS = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])


def test_by_hand():
    found = classification(TRUTH, GUESS, ("no", "yes"))
    assert found.accuracy == 0.75
    assert found.trivial_accuracy == 0.75
    no, yes = found.classes
    assert (no.precision, no.recall, no.support) == (1.0, pytest.approx(2 / 3), 3)
    assert (yes.precision, yes.recall, yes.f1) == (0.5, 1.0, pytest.approx(2 / 3))
    assert found.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert found.cross_entropy == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.7]).mean())
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert found.trivial_cross_entropy == pytest.approx(entropy)
    assert found.brier == pytest.approx(2 * np.mean([0.01, 0.04, 0.36, 0.09]))


def test_soft_labels_count_by_their_share():
    soft = np.array([[0.5, 0.5]])
    assert cross_entropy(soft, soft) == pytest.approx(np.log(2))


def test_a_class_without_support_does_not_drag_the_mean():
    truth = np.column_stack([TRUTH, np.zeros(4)])
    guess = np.column_stack([GUESS, np.zeros(4)])
    found = classification(truth, guess, ("no", "yes", "maybe"))
    assert found.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)


def test_reliability_of_an_honest_model():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 1, 20_000)
    came_true = rng.random(20_000) < p
    truth = np.column_stack([came_true, ~came_true]).astype(float)
    for each in reliability(truth, np.column_stack([p, 1 - p])):
        assert each.accuracy == pytest.approx(each.confidence, abs=0.03)
        assert each.documents == 2000


def test_the_order_of_the_classes_decides_no_tie():
    """Two of three texts tie between two of three classes: half of each is in either class."""
    truth = np.array([[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1.0]])
    guess = np.array([[0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])
    found = classification(truth, guess, ("low", "mid", "high"))
    assert found.accuracy == pytest.approx((0.5 + 0 + 1) / 3)
    assert [row.support for row in found.classes] == [0.5, 1.0, 1.5]
    low, mid, high = found.classes
    assert (low.precision, low.recall) == (0, 0)
    assert (mid.precision, mid.recall) == (0.5, 0.5)
    assert (high.precision, high.recall) == (1, pytest.approx(2 / 3))
    turned = classification(truth[:, ::-1], guess[:, ::-1], ("high", "mid", "low"))
    assert turned.accuracy == pytest.approx(found.accuracy)
    assert turned.trivial_accuracy == pytest.approx(found.trivial_accuracy) == pytest.approx(0.5)
    assert turned.classes[::-1] == found.classes


def test_ratings_are_judged_by_their_means():
    truth = np.array([[1.0, 0, 0], [0, 0.5, 0.5]])
    predicted = np.array([[0.5, 0.5, 0], [0, 0, 1.0]])
    # Means 1 and 4 against 2 and 5.
    assert mean_squared_error(truth, predicted, (1, 3, 5)) == pytest.approx(1.0)
    assert mean_squared_error(truth, truth, (1, 3, 5)) == 0
