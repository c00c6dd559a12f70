"""Intervals of a mixture's shares: Student's t, pushed through what makes shares."""

from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import t

from curate.inference.estimate import Estimate, with_interval
from curate.mixture.intervals import (
    GroupQualities,
    draws_of,
    ends,
    not_told_apart,
    promised_intervals,
    qualities_of,
)


def estimate(value, error, labels):
    return with_interval(value, error**2, labels, float(labels))


def known(means, errors, freedom=1e6):
    size = len(means)
    names = tuple("abcdefghij"[:size])
    return GroupQualities(
        names,
        np.array(means, float),
        np.array(errors, float),
        np.full(size, float(freedom)),
        np.full(size, 50),
        np.full(size, 50.0),
    )


def test_draws_are_of_students_t():
    drawn = draws_of(known([0.5, 0.4], [0.02, 0.05], freedom=4), draws=1000)
    assert drawn.shape == (1000, 2)
    for column, mean, error in zip(drawn.T, (0.5, 0.4), (0.02, 0.05), strict=True):
        for level in (0.05, 0.25, 0.5, 0.9):
            assert np.quantile(column, level) == pytest.approx(
                mean + error * t.ppf(level, 4), abs=error / 100
            )
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.05
    assert (draws_of(known([0.5], [0.1], 4)) == draws_of(known([0.5], [0.1], 4))).all()
    assert (draws_of(known([0.5, 0.5], [0.1, 0]))[:, 1] == 0.5).all()


def test_a_quality_is_from_0_to_1():
    drawn = draws_of(known([0.98], [0.1], freedom=2))
    assert (drawn.min() >= 0, drawn.max()) == (True, 1.0)


def test_a_group_without_labels_is_one_more_of_those_that_have_some():
    foreseen = {"a": 0.3, "b": 0.5, "c": 0.6, "new": 0.4, "few": 0.2}
    estimates = {
        "a": estimate(0.36, 0.01, 40),
        "b": estimate(0.5, 0.02, 12),
        "c": estimate(0.63, 0.03, 5),
        "few": estimate(0.9, 0.01, 4),
    }
    ours = qualities_of(foreseen, estimates)
    assert ours.names == tuple(foreseen)
    assert ours.means == pytest.approx([0.36, 0.5, 0.63, 0.43, 0.23])
    error = 0.03 * np.sqrt(4 / 3)  # the corrections are .06, 0 and .03
    assert ours.errors == pytest.approx([0.01, 0.02, 0.03, error, error])
    assert ours.freedom.tolist() == [39, 11, 4, 2, 2]
    assert ours.labels.tolist() == [40, 12, 5, 0, 4]
    assert ours.few() == ["b", "c", "new", "few"]


def test_where_too_few_groups_have_labels_any_quality_may_be():
    ours = qualities_of({"a": 0.3, "b": 0.5}, {"a": estimate(0.36, 0.01, 40)})
    assert ours.means.tolist() == [0.36, 0.5]
    interval = ends(draws_of(ours))
    assert (interval.low[1], interval.high[1]) == pytest.approx((0.05, 0.95), abs=0.001)
    assert interval.high[0] == pytest.approx(0.36 + 0.01 * t.ppf(0.95, 39), abs=0.0002)


def test_an_estimate_without_an_interval_tells_nothing():
    lonely = Estimate(0.9, float("nan"), None, None, 6, 0.9)
    ours = qualities_of({"a": 0.3, "b": 0.5}, {"a": lonely})
    assert (ours.means[0], ours.freedom[0]) == (0.3, 0)


SUPPLY = np.array([0.5, 0.3, 0.2])


def shares(quality):
    weights = SUPPLY**0.5 * np.exp(2 * quality)
    return weights / weights.sum()


def test_intervals_of_shares_are_those_of_the_delta_method():
    own = known([0.4, 0.5, 0.6], [0.004, 0.006, 0.002])
    share = shares(own.means)
    # formulas.md, 7: ∂w_k/∂Q_j = β w_k (1[k = j] - w_j)
    slopes = 2 * share[:, None] * (np.eye(3) - share)
    reach = np.sqrt(slopes**2 @ own.errors**2) * NormalDist().inv_cdf(0.95)
    interval = promised_intervals(draws_of(own, draws=4000), shares)
    assert interval.low == pytest.approx(share - reach, abs=0.05 * reach.max())
    assert interval.high == pytest.approx(share + reach, abs=0.05 * reach.max())


def test_nine_in_ten_promised_intervals_hold_and_half_the_width_does_not():
    truth = np.array([0.3, 0.5, 0.6])
    errors, holds, halves = np.array([0.05, 0.03, 0.08]), [], []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        seen = truth + errors * rng.normal(size=(8, 3))
        own = known(seen.mean(axis=0), seen.std(axis=0, ddof=1) / np.sqrt(8), freedom=7)
        interval = promised_intervals(draws_of(own, draws=100, seed=seed), shares)
        middle, reach = (interval.low + interval.high) / 2, (interval.high - interval.low) / 2
        off = np.abs(shares(truth) - middle)
        holds.append(off <= reach)
        halves.append(off <= reach / 2)
    assert 0.85 <= np.mean(holds) <= 0.95
    assert np.mean(halves) < 0.7


def told(means, errors):
    own = known(means, errors)
    return not_told_apart(own.names, draws_of(own))


def test_groups_are_told_apart_where_their_difference_is_large():
    apart = 1.645 * np.hypot(0.03, 0.04)
    assert told([0.5, 0.5 + 1.1 * apart], [0.03, 0.04]) == []
    assert told([0.5, 0.5 + 0.9 * apart], [0.03, 0.04]) == [("b", "a")]


def test_groups_that_cannot_be_told_apart_are_sets_of_neighbours():
    means, errors = [0.2, 0.81, 0.5, 0.8, 0.51, 0.52], [0.01] * 6
    assert told(means, errors) == [("b", "d"), ("f", "e", "c")]
    # neighbours overlap: a ~ b and b ~ c, but not a ~ c
    assert told([0.5, 0.52, 0.54], [0.01] * 3) == [("c", "b"), ("b", "a")]


def test_a_vague_group_stands_beside_each_that_it_may_be():
    assert told([0.4, 0.5, 0.6], [0.01, 0.2, 0.01]) == [("c", "b"), ("b", "a")]
    # the vague one is not between those that it cannot be told from
    assert told([0.4, 0.35, 0.5], [0.01, 0.2, 0.01]) == [("c", "b"), ("a", "b")]


def test_equal_qualities_without_error_are_not_told_apart():
    assert told([0.5, 0.5, 0.6], [0.0, 0.0, 0.0]) == [("a", "b")]
