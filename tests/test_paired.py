"""Two arms are told apart where they differ, and seldom where they do not."""

import numpy as np
import pytest
from scipy.stats import t

from curate.evaluate.paired import Holdout, difference
from tests import alarms

ONE = np.zeros(4, np.int64)


def holdout(source, sizes=None):
    return Holdout(np.array(source), np.array(sizes or [10] * len(source)))


def test_by_the_draws_alone_it_is_the_t_interval_of_the_mean():
    means = np.array([0.1, 0.4, 0.2, 0.5, 0.3])
    losses = np.repeat(means[:, None], 4, axis=1)
    found = difference(losses, np.zeros((5, 4)), holdout(ONE))
    assert found.mean == pytest.approx(0.3)
    assert found.half == pytest.approx(2.776445 * np.std(means, ddof=1) / 5**0.5, rel=1e-6)
    assert found.is_told
    assert not difference(losses[:2], np.zeros((2, 4)), holdout(ONE)).is_told


def test_by_the_documents_alone_it_is_the_t_interval_of_their_mean():
    rows = np.array([0.1, 0.4, 0.2, 0.5])
    found = difference(np.tile(rows, (3, 1)), np.zeros((3, 4)), holdout(ONE))
    assert found.mean == pytest.approx(0.3)
    assert found.half == pytest.approx(3.182446 * np.std(rows, ddof=1) / 4**0.5, rel=1e-6)


def test_draws_and_documents_add_up():
    draws, rows = np.array([0.0, 0.2, 0.4]), np.array([0.1, 0.4, 0.2, 0.5])
    losses = draws[:, None] + rows
    found = difference(losses, np.zeros((3, 4)), holdout(ONE))
    of_draws = t.ppf(0.975, 2) * np.std(draws, ddof=1) / 3**0.5
    of_documents = t.ppf(0.975, 3) * np.std(rows, ddof=1) / 4**0.5
    assert found.half == pytest.approx(np.hypot(of_draws, of_documents))


def test_sources_weigh_the_same_and_documents_by_their_bytes():
    rows = np.tile([0.6, 0.2, 0.1, 0.3, 0.2], (2, 1))
    own = holdout([0, 0, 1, 1, 1], [10, 30, 5, 5, 5])
    assert own.weights().tolist() == pytest.approx([0.125, 0.375, 1 / 6, 1 / 6, 1 / 6])
    found = difference(rows, np.zeros((2, 5)), own)
    assert found.mean == pytest.approx((0.3 + 0.2) / 2)
    number = 1 / (0.25**2 + 0.75**2)  # Kish's effective number of the first source
    spread = (0.25 * 0.3) ** 2 + (0.75 * 0.1) ** 2
    first, second = spread * number / (number - 1), np.var([0.1, 0.3, 0.2], ddof=1) / 3
    freedom = (first + second) ** 2 / (first**2 / (number - 1) + second**2 / 2)
    expected = t.ppf(0.975, freedom) * ((first + second) / 4) ** 0.5
    assert found.half == pytest.approx(expected)


def test_a_document_alone_varies_as_those_of_other_sources():
    rows = np.array([0.1, 0.4, 0.2, 0.5, 0.9])
    found = difference(np.tile(rows, (2, 1)), np.zeros((2, 5)), holdout([0, 0, 0, 0, 1]))
    unit = np.var(rows[:4], ddof=1)
    assert found.mean == pytest.approx((0.3 + 0.9) / 2)
    assert found.half == pytest.approx(t.ppf(0.975, 3) * ((unit / 4 + unit) / 4) ** 0.5)


@pytest.mark.parametrize(("source", "sizes"), [([0], [99]), ([0, 1], [9, 9]), ([0, 0], [1, 99])])
def test_one_document_tells_nothing(source, sizes):
    losses = np.full((5, len(source)), 1.0) + 0.001 * np.arange(5)[:, None]
    found = difference(losses, np.full_like(losses, 3.0), holdout(source, sizes))
    assert found.half == np.inf
    assert not found.is_told


def test_arms_that_are_the_same_differ_by_nothing():
    losses = np.random.default_rng(0).normal(size=(5, 4))
    found = difference(losses, losses.copy(), holdout(ONE))
    assert (found.mean, found.half, found.is_told) == (0.0, 0.0, False)
    assert difference(losses[:, :1], losses[:, :1], holdout([0])).half == 0.0


@pytest.mark.parametrize("vary", alarms.VARY)
@pytest.mark.parametrize("seeds", [2, 5, 30])
def test_false_alarms_are_few_and_the_interval_no_wider_than_it_must_be(vary, seeds):
    """The twin of the simulation below. Of five seeds half the width would tell a quarter apart."""
    found = alarms.alarms(500, seeds, **alarms.VARY[vary])
    assert 0.005 <= found <= 0.1


def test_power_grows_with_the_seeds():
    rng, told = np.random.default_rng(1), []
    for seeds in (2, 3, 5, 10, 30):
        pairs = [alarms.made_up(rng, seeds, **alarms.VARY["draws"]) for _ in range(200)]
        hits = [difference(one - 0.1, two, own).is_told for one, two, own in pairs]
        told.append(np.mean(hits))
    assert told == sorted(told)
    assert told[0] < 0.2
    assert told[2] > 0.3
    assert told[3] > 0.7
    assert told[4] > 0.99


@pytest.mark.slow
def test_equal_arms_are_told_apart_in_a_tenth_of_the_comparisons_at_most():
    told = alarms.compared(200, 20)
    for seeds in alarms.SEEDS:
        assert told["equal"][seeds] <= 0.1
    power = list(told["gap"].values())
    assert power == sorted(power)
    assert power[0] < power[2] < power[4]
    assert told["gap"][10] > 0.7
    assert told["gap"][30] > 0.99
    for seeds in alarms.SEEDS[2:]:  # shared noise sees more
        assert told["shared"][seeds] > told["independent"][seeds]
