"""Doubtful labels: by hand, and whether planted errors come first."""

import numpy as np
import pytest
from scipy.stats import norm

from curate.heads.doubting import (
    Doubts,
    doubt_choices,
    doubt_ratings,
    doubt_several,
    from_residuals,
    neighbours,
    number_wrong,
    unlikely,
)


def planted(seed, rows=400, values=3, noise=0.1):
    """Labels of which some are wrong, predictions that know the truth well, vectors, the wrong."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, values, rows)
    vectors = (2 * np.eye(values, 8)[true] + 0.8 * rng.normal(size=(rows, 8))).astype(np.float32)
    logits = 2 * np.eye(values)[true] + rng.normal(size=(rows, values))
    predicted = np.exp(logits)
    predicted /= predicted.sum(axis=1, keepdims=True)
    wrong = np.zeros(rows, bool)
    wrong[rng.choice(rows, int(noise * rows), replace=False)] = True
    labels = (true + wrong * rng.integers(1, values, rows)) % values
    return np.eye(values)[labels], predicted, vectors, wrong


def f1(doubts, wrong):
    """F1 of the labels that are probably wrong."""
    first = doubts.ranking([f"{row:04}" for row in range(len(wrong))])[: doubts.number]
    return 2 * wrong[first].sum() / (doubts.number + wrong.sum())


def test_the_doubt_is_what_is_left_to_other_values():
    predicted = np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [1.0, 1.0, 0.0]])
    np.testing.assert_allclose(unlikely(np.array([0, 2, 1]), predicted), [0.4, 0.9, 0.5])


def test_head_and_neighbours_are_joined_as_a_geometric_mean():
    truth, predicted, vectors, _ = planted(8, rows=60)
    nearby = neighbours(vectors, truth)
    joint = np.sqrt(predicted * nearby)
    joint /= joint.sum(axis=1, keepdims=True)
    doubts = doubt_choices(truth, predicted, vectors)
    np.testing.assert_allclose(doubts.doubt, 1 - (joint * truth).sum(axis=1), atol=1e-9)
    np.testing.assert_allclose(doubts.by_neighbours, 1 - (nearby * truth).sum(axis=1), atol=1e-9)


def test_confident_learning_counts_off_the_diagonal():
    # By hand: the mean probability of a value among its labels is the bar that others must reach.
    predicted = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.1, 0.9], [0.7, 0.3]])
    labels = np.array([0, 0, 0, 1, 1, 1])
    bars = predicted[:3, 0].mean(), predicted[3:, 1].mean()
    assert bars == pytest.approx((0.6, 2 / 3))
    assert number_wrong(labels, predicted) == 2  # the third, and the last


def test_neighbours_are_weighted_by_their_cosine():
    vectors = np.array([[1, 0], [1, 0.1], [0, 1], [-1, -0.2], [-1, -0.9]], np.float32)
    truth = np.eye(2)[[0, 1, 0, 1, 1]]
    centred = vectors - vectors.mean(axis=0)
    directions = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosines = directions @ directions.T - 9 * np.eye(5)
    nearest = np.argsort(-cosines, axis=1)[:, :2]
    weights = np.maximum(np.take_along_axis(cosines, nearest, 1), 0)
    votes = (weights[:, :, None] / weights.mean() * truth[nearest]).sum(axis=1)
    expected = (votes + 4 * truth.mean(axis=0)) / (votes.sum(axis=1, keepdims=True) + 4)
    np.testing.assert_allclose(neighbours(vectors, truth, 2), expected, rtol=1e-5)
    alone = neighbours(vectors[:2], truth[:2])
    np.testing.assert_allclose(alone.sum(axis=1), 1)


@pytest.mark.parametrize("seed", range(3))
def test_planted_errors_come_first(seed):
    truth, predicted, vectors, wrong = planted(seed)
    head, both = (f1(doubt_choices(truth, predicted, own), wrong) for own in (None, vectors))
    assert head > 0.6
    assert both > head + 0.05


def test_a_label_that_both_contradict_says_so():
    truth, predicted, vectors, wrong = planted(4)
    doubts = doubt_choices(truth, predicted, vectors)
    ids = [f"{row:04}" for row in range(len(truth))]
    first = doubts.ranking(ids)[0]
    assert wrong[first]
    assert doubts.why(first) == "head, neighbours"
    assert doubts.predicted[first] != truth[first].argmax()
    last = doubts.ranking(ids)[-1]
    assert doubts.why(last) == ""
    assert doubt_choices(truth, predicted).by_neighbours.max() == 0
    assert 0 <= doubts.doubt.min() < doubts.doubt.max() <= 1


def test_the_order_of_rows_changes_nothing():
    truth, predicted, vectors, _ = planted(5, rows=150)
    order = np.random.default_rng(0).permutation(150)
    one = doubt_choices(truth, predicted, vectors)
    other = doubt_choices(truth[order], predicted[order], vectors[order])
    np.testing.assert_allclose(one.doubt[order], other.doubt, atol=1e-5)
    assert one.number == other.number
    same = Doubts(np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3), 0)
    assert same.ranking(["c", "a", "b"]) == [1, 2, 0]


def test_small_and_odd_lessons_are_survived():
    truth, predicted, vectors, _ = planted(6, rows=10)
    assert len(doubt_choices(truth, predicted, vectors).doubt) == 10
    assert number_wrong(np.zeros(10, int), predicted) == 0
    absent = truth[:, [0, 1, 2, 2]] * [1, 1, 1, 0]  # the last value is in no label
    wider = np.column_stack([predicted, np.full(10, 0.01)])
    assert len(doubt_choices(absent, wider, 0 * vectors).doubt) == 10


def test_ratings_are_doubted_by_standard_deviations():
    rng = np.random.default_rng(7)
    levels = np.arange(1, 6)
    means = rng.uniform(1.5, 4.5, 300)
    vectors = np.column_stack([means, rng.normal(size=(300, 3))]).astype(np.float32)
    rated = np.clip(np.round(means + 0.4 * rng.normal(size=300)), 1, 5)
    wrong = np.zeros(300, bool)
    wrong[:15] = True
    rated[:15] = np.where(means[:15] > 3, 1, 5)
    truth = (rated[:, None] == levels).astype(float)
    predicted = np.exp(-2 * (means[:, None] - levels) ** 2)
    predicted /= predicted.sum(axis=1, keepdims=True)
    doubts = doubt_ratings(levels, truth, predicted, vectors)
    assert f1(doubts, wrong) > 0.85
    alone = doubt_ratings(levels, truth, predicted)
    np.testing.assert_allclose(alone.doubt, from_residuals(rated - predicted @ levels))
    np.testing.assert_allclose(alone.predicted, predicted @ levels)


def test_the_doubt_of_a_rating_is_that_of_two_normal_distributions():
    residuals = np.linspace(-4, 4, 41)
    spread = np.median(np.abs(residuals)) / 0.6745
    wrong = 0.05 * norm.pdf(residuals, scale=5 * spread)
    right = 0.95 * norm.pdf(residuals, scale=spread)
    np.testing.assert_allclose(from_residuals(residuals), wrong / (wrong + right))
    assert (from_residuals(np.zeros(3)) < 0.02).all()


def test_of_several_labels_the_worst_counts_most():
    one = Doubts(np.array([0.1, 0.8]), np.array([0.2, 0.9]), np.zeros(2), np.array([1.0, 0]), 1)
    other = Doubts(np.array([0.7, 0.3]), np.array([0.1, 0.1]), np.ones(2), np.array([1.0, 1]), 1)
    both = doubt_several([one, other], np.array([[True, False], [True, True]]))
    # A moving average from the best part to the worst: .2 of the one, .8 of the other.
    np.testing.assert_allclose(both.doubt, [0.8 * 0.7 + 0.2 * 0.1, 0.8 * 0.8 + 0.2 * 0.3])
    np.testing.assert_allclose(both.predicted, [[1, 1], [0, 1]])
    assert (both.why(0), both.why(1), both.number) == ("neighbours", "head", 2)


def test_one_label_of_several_is_doubted_as_a_choice():
    truth, predicted, vectors, _ = planted(9, rows=80, values=2)
    alone = doubt_choices(truth, predicted, vectors)
    joined = doubt_several([alone], truth[:, [1]] > 0.5)
    np.testing.assert_allclose(joined.doubt, alone.doubt, atol=1e-9)
    np.testing.assert_allclose(joined.predicted[:, 0], alone.predicted)
    assert joined.number == alone.number


def test_a_label_that_nobody_settled_is_beyond_doubt():
    few = Doubts(np.array([0.9, 0.4]), np.array([0.8, 0.3]), np.zeros(2), np.ones(2), 1)
    spread = few.spread(np.array([3, 1]), 5)
    np.testing.assert_allclose(spread.doubt, [0, 0.4, 0, 0.9, 0])
    np.testing.assert_allclose(spread.predicted, [0, 1, 0, 1, 0])
    assert (spread.number, spread.why(3), spread.why(0)) == (1, "head", "")


def test_a_planted_set_of_labels_comes_first():
    rng = np.random.default_rng(3)
    parts = [planted(seed, values=2, noise=0.03) for seed in range(4)]
    present = np.stack([truth[:, 1] > 0.5 for truth, *_ in parts], axis=1)
    wrong = np.stack([own for *_, own in parts], axis=1).any(axis=1)
    joined = doubt_several([doubt_choices(*own) for *own, _ in parts], present)
    chance = rng.permutation(len(wrong))[: joined.number]
    assert f1(joined, wrong) > 0.5 > 2 * wrong[chance].mean()
