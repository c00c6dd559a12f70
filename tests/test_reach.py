"""Shares of classes within limits: against a convex solver, on random limits that overlap."""

import cvxpy
import numpy as np
import pytest

from curate.mixture.limits import Limit
from curate.mixture.projection import Problem
from curate.mixture.reach import SLACK, Reach, led_to
from curate.mixture.true_shares import solved

CLASSES = 3


def case(seed):
    """Return cells in classes, tops and limits that some shares keep, and a matrix."""
    rng = np.random.default_rng(seed)
    cells = int(rng.integers(6, 25))
    class_of = np.append(np.arange(CLASSES), rng.integers(0, CLASSES, cells - CLASSES))
    kept = rng.dirichlet(np.full(cells, 0.5))
    top = kept + rng.exponential(0.2, cells)
    limits = []
    for number in range(int(rng.integers(1, 6))):
        own = np.flatnonzero(rng.random(cells) < 0.4)
        if len(own):
            total = kept[own].sum()
            low, high = max(total - rng.exponential(0.1), 0), min(total + rng.exponential(0.1), 1)
            limits.append(Limit(f"limit {number}", own, low, high))
    matrix = rng.dirichlet(np.ones(CLASSES), CLASSES).T
    matrix = 0.6 * np.eye(CLASSES) + 0.4 * matrix
    return (
        class_of,
        top,
        limits,
        matrix,
        rng.dirichlet(np.ones(CLASSES)),
        rng.dirichlet(np.ones(cells)),
    )


def program(class_of, top, limits):
    """Return shares of cells, those of classes, and what they must keep."""
    shares = cvxpy.Variable(len(top), nonneg=True)
    kept = [cvxpy.sum(shares) == 1, shares <= top]
    for limit in limits:
        kept += [cvxpy.sum(shares[limit.cells]) >= limit.low]
        kept += [cvxpy.sum(shares[limit.cells]) <= limit.high]
    return shares, np.eye(CLASSES)[class_of].T @ shares, kept


@pytest.mark.parametrize("seed", range(40))
def test_the_nearest_true_shares_are_those_of_a_convex_solver(seed):
    class_of, top, limits, matrix, wanted, _ = case(seed)
    reach = Reach.of(limits, top, class_of, CLASSES)
    ours = reach.nearest(matrix, wanted)
    _, classes, kept = program(class_of, top, limits)
    best = cvxpy.Problem(cvxpy.Minimize(cvxpy.norm_inf(matrix @ classes - wanted)), kept)
    best.solve(solver=cvxpy.CLARABEL)
    assert ours.sum() == pytest.approx(1)
    assert np.abs(matrix @ ours - wanted).max() <= best.value + 1e-2 * CLASSES * best.value + 1e-7
    off = cvxpy.Problem(cvxpy.Minimize(cvxpy.norm_inf(classes - ours)), kept)
    off.solve(solver=cvxpy.CLARABEL)
    assert off.value == pytest.approx(0, abs=1e-6)  # they are within reach
    free = solved(matrix, wanted)
    off = cvxpy.Problem(cvxpy.Minimize(cvxpy.norm_inf(classes - free)), kept)
    off.solve(solver=cvxpy.CLARABEL)
    if off.value < 1e-8:
        assert reach.solved(matrix, wanted).tolist() == free.tolist()
    elif off.value > 1e-5:
        assert reach.solved(matrix, wanted).tolist() == ours.tolist()


@pytest.mark.parametrize("seed", range(40))
def test_a_prior_leads_to_the_nearest_mixture_with_shares_of_classes(seed):
    class_of, top, limits, matrix, wanted, prior = case(seed)
    aim = Reach.of(limits, top, class_of, CLASSES).nearest(matrix, wanted)
    problem = Problem.of(prior, top, limits, names=[""] * len(top))
    ours = problem.project(led_to(problem, prior, class_of, aim)).shares
    own = np.bincount(class_of, ours, CLASSES)
    assert own == pytest.approx(aim, abs=SLACK + 1e-8)
    shares, classes, kept = program(class_of, top, limits)
    kept += [classes >= aim - SLACK, classes <= aim + SLACK]
    best = cvxpy.Problem(cvxpy.Minimize(cvxpy.sum(cvxpy.kl_div(shares, prior))), kept)
    best.solve(solver=cvxpy.CLARABEL)
    has = ours > 0
    divergence = (ours[has] * np.log(ours[has] / prior[has])).sum()
    assert divergence == pytest.approx(best.value, abs=1e-5)


def test_shares_that_limits_leave_alone_have_their_own_prior():
    prior, class_of = np.array([0.2, 0.3, 0.5]), np.arange(3)
    problem = Problem.of(
        prior, np.ones(3), [Limit("a", np.array([0]), 0, 0.3)], names=["a", "b", "c"]
    )
    assert led_to(problem, prior, class_of, prior) is prior


def test_limits_in_conflict_leave_nothing_to_choose():
    limits = [Limit("a", np.array([0]), 0.8, 1), Limit("b", np.array([1]), 0.7, 1)]
    reach = Reach.of(limits, np.ones(3), np.arange(3), 3)
    assert reach.nearest(np.eye(3), np.array([1.0, 0, 0])).tolist() == [1 / 3] * 3
