"""Draw shares that meet true shares: against brute force, and by a draw that moves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from curate.mixture.true_shares import chosen, shortfall, solved

CONFUSED = np.array([[0.8, 0.1, 0.2], [0.1, 0.7, 0.2], [0.1, 0.2, 0.6]])


def test_shares_that_can_be_met_are_met():
    ours = solved(CONFUSED, np.array([0.5, 0.3, 0.2]))
    assert CONFUSED @ ours == pytest.approx([0.5, 0.3, 0.2])
    assert ours == pytest.approx(np.linalg.solve(CONFUSED, [0.5, 0.3, 0.2]))
    assert ours.sum() == pytest.approx(1)


def some_case(seed):
    rng = np.random.default_rng(seed)
    classes, groups = rng.integers(2, 6), rng.integers(1, 7)
    return rng.dirichlet(np.ones(classes) / 2, groups).T, rng.dirichlet(np.ones(classes) / 2)


@settings(max_examples=40)
@given(st.integers(0, 100_000))
def test_no_shares_are_nearer(seed):
    matrix, wanted = some_case(seed)
    ours = solved(matrix, wanted)
    assert (ours >= 0).all()
    assert ours.sum() == pytest.approx(1)

    def distance(shares):
        return float(((matrix @ shares - wanted) ** 2).sum())

    rng = np.random.default_rng(seed)
    others = np.vstack([rng.dirichlet(np.ones(len(ours)) / 3, 500), np.eye(len(ours))])
    near = ours + 0.02 * (others - ours)  # on the way to each of them
    assert distance(ours) <= min(map(distance, [*others, *near])) + 1e-12
    best = minimize(
        distance,
        np.full(len(ours), 1 / len(ours)),
        bounds=[(0, 1)] * len(ours),
        constraints={"type": "eq", "fun": lambda shares: shares.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert distance(ours) <= best.fun + 1e-8


def test_the_best_of_two_is_where_the_confusion_ends():
    matrix = np.array([[0.7, 0.4], [0.3, 0.6]])
    assert solved(matrix, np.array([0.9, 0.1])).tolist() == [1, 0]
    assert solved(matrix, np.array([0.55, 0.45])) == pytest.approx([0.5, 0.5])


def depends(shares):
    """The more is drawn of a group, the less sure its documents are."""
    sure = 0.95 - 0.3 * shares
    return np.diag(sure) + (1 - sure) / 2 * (1 - np.eye(3))


def test_draws_are_repeated_until_the_true_shares_are_met():
    wanted = np.array([0.5, 0.3, 0.2])
    ours = chosen(wanted, wanted, depends)
    assert ours.is_still
    assert ours.is_near
    assert depends(ours.shares) @ ours.shares == pytest.approx(wanted, abs=0.001)
    assert ours.reached == pytest.approx(depends(ours.shares) @ ours.shares)
    assert np.abs(depends(wanted) @ wanted - wanted).max() > 0.05  # what is drawn today
    assert ours.rounds < 10


def test_shares_that_swing_settle():
    asked = []

    def swings(shares):  # the step to what is solved overshoots by half: 1.5 times too far
        asked.append(shares)
        share = 0.5 - 1.5 * (shares[0] - 0.5)
        return np.array([[0.5 / max(share, 0.5), 0], [1 - 0.5 / max(share, 0.5), 1]])

    ours = chosen(np.array([0.4, 0.6]), np.array([0.2, 0.8]), swings, rounds=40)
    assert ours.is_still
    assert ours.is_near
    assert len(asked) == ours.rounds


def test_it_says_how_near_it_comes():
    wanted = np.array([0.9, 0.05, 0.05])
    ours = chosen(wanted, wanted, lambda shares: CONFUSED)
    assert ours.shares == pytest.approx([1, 0, 0])
    assert not ours.is_near
    assert ours.distance == pytest.approx(0.1)
    words = shortfall(("sport", "politics", "arts"), wanted, ours)
    assert words.startswith("sport 80.0% where 90.0% is wanted, ")
    assert "politics 10.0% where 5.0% is wanted" in words


def test_rounds_end():
    drawn = []

    def restless(shares):
        drawn.append(shares)
        return CONFUSED if len(drawn) % 2 else CONFUSED[:, ::-1]

    ours = chosen(np.array([0.5, 0.3, 0.2]), np.ones(3) / 3, restless, rounds=3)
    assert (len(drawn), ours.rounds, ours.is_still) == (3, 3, False)
    assert ours.reached == pytest.approx(CONFUSED @ ours.shares)
