"""Two arms are told apart where they differ, and seldom where they do not."""

from dataclasses import astuple

import numpy as np
import pytest
from scipy.stats import t

from curate.evaluate.paired import Difference, Weighting, difference, told_apart
from tests import alarms

ONE = np.zeros(4, np.int64)


def holdout(source, sizes=None):
    return Weighting.of(np.array(sizes or [10] * len(source), float), np.array(source))


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
    assert own.weight.tolist() == pytest.approx([0.125, 0.375, 1 / 6, 1 / 6, 1 / 6])
    found = difference(rows, np.zeros((2, 5)), own)
    assert found.mean == pytest.approx((0.3 + 0.2) / 2)
    number = 1 / (0.25**2 + 0.75**2)  # Kish's effective number of the first source
    spread = (0.25 * 0.3) ** 2 + (0.75 * 0.1) ** 2
    first, second = spread * number / (number - 1), np.var([0.1, 0.3, 0.2], ddof=1) / 3
    freedom = (first + second) ** 2 / (first**2 / 1 + second**2 / 2)  # two and three documents
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


@pytest.mark.parametrize("judge", alarms.JUDGES)
@pytest.mark.parametrize("vary", alarms.VARY)
@pytest.mark.parametrize("seeds", [2, 5, 30])
def test_false_alarms_are_few_and_the_interval_no_wider_than_it_must_be(vary, seeds, judge):
    """The twin of the simulation below. Of five seeds half the width would tell a quarter apart."""
    found = alarms.alarms(500, seeds, judge=alarms.JUDGES[judge], **alarms.VARY[vary])
    assert (0.005 if seeds > 2 else 0.001) <= found <= 0.1


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


def test_a_few_heavy_documents_leave_few_degrees_of_freedom():
    """By hand: one of nine documents has half of the weight, and the others a sixteenth each."""
    rows = np.array([0.0, *np.tile([0.1, -0.1], 4)])
    own = holdout([0] * 9, [8, *[1] * 8])
    squares = own.weight**2
    assert squares.tolist() == pytest.approx([1 / 4, *[1 / 256] * 8])
    found = difference(np.tile(rows, (2, 1)), np.zeros((2, 9)), own)
    assert found.documents == pytest.approx(max(1, (9 / 32) ** 2 / (1 / 16 + 8 / 65536) - 1))
    even = difference(np.tile(rows, (2, 1)), np.zeros((2, 9)), holdout([0] * 9))
    assert even.documents == pytest.approx(8)


def test_strata_have_the_shares_that_are_promised():
    own = Weighting.of(
        np.array([10.0, 30, 5, 5, 9]), np.array([0, 0, 1, 1, 2]), np.array([0.6, 0.3, 0.1])
    )
    assert own.weight.tolist() == pytest.approx([0.15, 0.45, 0.15, 0.15, 0.1])
    empty = Weighting.of(np.array([10.0, 30, 5, 5]), np.array([0, 0, 2, 2]), np.full(3, 0.2))
    assert empty.weight.tolist() == pytest.approx([0.125, 0.375, 0.25, 0.25])
    part = own.within(np.array([False, True, True, False, False]))
    assert part.weight.tolist() == pytest.approx([0, 0.75, 0.25, 0, 0])
    assert own.within(np.zeros(5, bool)) is None


def test_documents_that_a_judge_leaves_out_change_nothing():
    rng = np.random.default_rng(0)
    losses, others = rng.normal(size=(2, 4, 8))
    whole = Weighting.of(np.arange(1.0, 7), np.array([0, 0, 0, 1, 1, 1]))
    more = Weighting(np.append(whole.weight, [0, 0]), np.array([0, 0, 0, 1, 1, 1, 1, 5]))
    with_others, alone = (
        difference(losses, others, more),
        difference(losses[:, :6], others[:, :6], whole),
    )
    assert astuple(with_others) == pytest.approx(astuple(alone))


def test_the_p_value_is_where_the_interval_ends_at_zero():
    rng = np.random.default_rng(0)
    for gap in (0.0, 0.3, 2.0):
        losses, others = rng.normal(size=(2, 5, 12))
        found = difference(losses + gap, others, holdout([0] * 12))
        assert found.reach(1 - found.p_value) == pytest.approx(abs(found.mean), rel=1e-6)
        assert found.is_told == (found.p_value < 0.05)
    assert Difference(0.1, 0.0, 4, 0.0, 1).p_value == 0
    assert Difference(0.1, 0.1, 4, np.inf, 1).p_value == 1
    assert Difference(0.0, 0.1, 4, 0.1, 1).p_value == 1


@pytest.mark.parametrize(
    ("p_values", "told"),
    [
        ([0.01, 0.04, 0.03], [True, False, False]),  # .01 < .05 / 3, but .03 > .05 / 2
        ([0.02, 0.01, 0.04], [True, True, True]),
        ([0.04], [True]),
        ([0.03, 0.03], [False, False]),
        ([], []),
    ],
)
def test_several_differences_are_told_with_holms_steps(p_values, told):
    assert told_apart(p_values) == told


def test_of_many_equal_arms_one_is_told_in_a_twentieth_of_the_families():
    rng = np.random.default_rng(2)
    alarms_of = []
    for _ in range(400):
        pairs = [alarms.made_up(rng, 5, **alarms.VARY["draws"]) for _ in range(5)]
        alarms_of.append(any(told_apart([difference(*pair).p_value for pair in pairs])))
    assert np.mean(alarms_of) <= 0.08
