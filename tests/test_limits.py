"""Limits over cells, overlapping: the projection beside a convex solver, prices, conflicts."""

import warnings
from dataclasses import replace
from itertools import combinations
from math import inf

import numpy as np
import pytest

from curate.mixture.bounds import bounds_of
from curate.mixture.conflicts import conflict
from curate.mixture.limits import Infeasible, Limit
from curate.mixture.projection import LEAST, Problem, divergence, project


def names_of(prior):
    return [f"c{cell}" for cell in range(len(prior))]


def projected(prior, top, limits, **options):
    return project(np.array(prior), np.array(top), limits, names=names_of(prior), **options)


def instance(seed):
    """Overlapping limits around some shares, or around none: tight, equal, empty, nested."""
    rng = np.random.default_rng(seed)
    cells = int(rng.integers(3, 13))
    prior = rng.dirichlet(np.full(cells, rng.choice([0.2, 1, 5]))) + 1e-6
    prior /= prior.sum()
    top = np.exp(rng.normal(rng.choice([-1, 0, 2]), 1, cells))
    inside = rng.dirichlet(np.ones(cells)) if rng.random() < 0.8 else None
    limits = []
    for number in range(int(rng.integers(1, 8))):
        covered = np.flatnonzero(rng.random(cells) < rng.choice([0.2, 0.5, 0.8]))
        low, high = np.sort(rng.random(2))
        if inside is not None:
            own = inside[covered].sum()
            low = max(0, own - rng.choice([0, 0.02, 0.3]))
            high = min(1, own + rng.choice([0, 0.02, 0.3]))
        low = 0 if rng.random() < 0.3 else low
        high = 1 if rng.random() < 0.3 else high
        low = high if rng.random() < 0.15 else low
        limits.append(Limit(f"l{number}", covered, float(low), float(high)))
    if inside is not None:
        top = np.maximum(top, inside) if rng.random() < 0.9 else top
        if rng.random() < 0.2:
            top = np.where(rng.random(cells) < rng.choice([0.5, 1.1]), inside, top)
    return prior, top, limits


def reference(prior, top, limits):
    """The shares by a convex solver; None where there are none."""
    import cvxpy

    shares = cvxpy.Variable(len(prior))
    conditions = [shares >= 0, shares <= top, cvxpy.sum(shares) == 1]
    for limit in limits:
        if len(limit.cells):
            total = cvxpy.sum(shares[limit.cells])
            conditions += [total >= limit.low, total <= limit.high]
        elif limit.low > 0:
            return None
    nearest = cvxpy.Minimize(cvxpy.sum(cvxpy.kl_div(shares, prior)))
    problem = cvxpy.Problem(nearest, conditions)
    close = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where it comes near and no nearer
        problem.solve(solver=cvxpy.CLARABEL, **close)
    return np.clip(shares.value, 1e-300, None) if "optimal" in problem.status else None


def assert_nearest(seed):
    prior, top, limits = instance(seed)
    nearest = reference(prior, top, limits)
    if nearest is None:
        with pytest.raises(Infeasible):
            projected(prior, top, limits)
        return
    shares = projected(prior, top, limits).shares
    assert shares.sum() == pytest.approx(1, abs=1e-9)
    assert ((shares >= 0) & (shares <= top + 1e-12)).all()
    for limit in limits:
        assert limit.low - 1e-9 <= shares[limit.cells].sum() <= limit.high + 1e-9
    assert divergence(shares, prior) <= divergence(nearest, prior) + 1e-8


@pytest.mark.parametrize("seed", range(20))
def test_shares_are_the_nearest_under_overlapping_limits(seed):
    assert_nearest(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20, 220))
def test_shares_are_the_nearest_in_many_cases(seed):
    assert_nearest(seed)


def test_two_columns_by_hand():
    """Web is held at .4; language en, three quarters of all else, keeps its part of each source."""
    prior = np.array([0.6, 0.2, 0.15, 0.05])  # web en, web zh, wiki en, wiki zh
    made = projected(prior, np.ones(4), [Limit("source=web", np.array([0, 1]), high=0.4)])
    assert made.shares == pytest.approx([0.3, 0.1, 0.45, 0.15])
    # log(.4 / .8) - log(.6 / .2): what web would gain beside what wiki would lose.
    assert made.multipliers == pytest.approx([np.log(1 / 6)])


def test_a_problem_solved_again_from_its_multipliers_is_the_same():
    prior, top, limits = instance(3)
    problem = Problem.of(prior, top, limits, names=names_of(prior))
    cold = problem.project(prior)
    other = prior * np.linspace(0.8, 1.2, len(prior))
    warm = problem.project(other / other.sum(), cold.start).shares
    assert warm == pytest.approx(problem.project(other / other.sum()).shares, abs=1e-9)
    fewer = replace(problem, is_wanted=np.arange(len(prior)) > 0)
    with pytest.raises(ValueError, match="above 0 where that of the problem is not"):
        fewer.project(prior)


# ── cells that nobody wants


def test_a_min_lets_in_no_more_than_it_needs_in_proportion_to_supply():
    prior, supply = np.array([0.7, 0.3, 0.0, 0.0]), np.array([9, 9, 3.0, 1.0])
    limits = [
        Limit("language=zh", np.array([1, 2, 3]), low=0.5),
        Limit("source=web", np.array([0, 1]), high=0.8),
    ]
    made = projected(prior, supply, limits)
    # zh can have all it needs of the cell that is wanted, but web stops at .8: .2 must enter.
    assert made.entered == pytest.approx(0.2)
    assert made.shares == pytest.approx([0.5, 0.3, 0.15, 0.05])
    assert made.multipliers[1] == -inf


def test_what_no_min_needs_stays_out():
    made = projected([0.7, 0.3, 0.0], np.ones(3), [Limit("zh", np.array([1, 2]), low=0.5)])
    assert made.shares == pytest.approx([0.5, 0.5, 0.0])
    assert made.entered == 0


# ── prices


def test_a_price_is_the_slope_of_the_objective_and_the_gain_without_the_limit():
    seen = 0
    for seed in range(12):
        prior, top, limits = instance(seed)
        problem = Problem.of(prior, top, limits, names=names_of(prior))
        try:
            made = problem.project(prior)
        except Infeasible:
            continue
        now = divergence(made.shares, prior)
        for price in problem.prices(prior, made):
            number = next(at for at, limit in enumerate(limits) if limit.name == price.name)
            limit = limits[number]
            others = [*limits[:number], *limits[number + 1 :]]
            freed = projected(prior, top, others).shares
            assert price.gain == pytest.approx(now - divergence(freed, prior), abs=1e-8)
            is_low = price.multiplier > 0
            assert price.side == ("min" if is_low else "max")
            step = 1e-5
            loosened = (
                replace(limit, low=limit.low - step)
                if is_low
                else replace(limit, high=limit.high + step)
            )
            if price.gain < 1e-6 or not limit.low < limit.high:
                continue
            changed = [*limits[:number], loosened, *limits[number + 1 :]]
            gained = now - divergence(projected(prior, top, changed).shares, prior)
            if gained > 1e-9:
                seen += 1
                assert gained / step == pytest.approx(abs(price.multiplier), rel=0.02)
    assert seen >= 5


def test_limits_that_a_star_stands_for_have_no_price():
    own = Limit("host=a", np.array([0]), high=0.2, is_written=False)
    problem = Problem.of(np.array([0.6, 0.4]), np.ones(2), [own], names=["a", "b"])
    prior = np.array([0.6, 0.4])
    assert problem.prices(prior, problem.project(prior)) == []
    written = replace(problem, limits=(replace(own, is_written=True),))
    (price,) = written.prices(prior, written.project(prior))
    assert price.multiplier == pytest.approx(np.log((0.2 / 0.6) / (0.8 / 0.4)))
    assert price.gain == pytest.approx(0.2 * np.log(0.2 / 0.6) + 0.8 * np.log(0.8 / 0.4))


# ── conflicts


@pytest.mark.parametrize("seed", range(30))
def test_conflicts_are_smallest_sets(seed):
    rng = np.random.default_rng(seed)
    limits = []
    for number in range(5):
        covered = np.flatnonzero(rng.random(6) < 0.5)
        low, high = np.sort(rng.random(2))
        limits.append(Limit(f"l{number}", covered, float(low), float(high)))
    prior, top = np.full(6, 1 / 6), rng.uniform(0.2, 0.5, 6)
    cover = Problem.of(prior, top, limits, names=names_of(prior))._open
    sides = [side for side in conflict(cover) if side[0] < len(limits)]

    def holds(chosen):
        from scipy.optimize import linprog

        rows, ends = [np.zeros(6)], [0.0]
        for row, is_low in chosen:
            own = np.isin(np.arange(6), limits[row].cells).astype(float)
            rows.append(-own if is_low else own)
            ends.append(-limits[row].low if is_low else limits[row].high)
        sums = {"A_eq": [np.ones(6)], "b_eq": [1.0]}
        bounds = [(0, most) for most in top]
        return linprog(np.zeros(6), A_ub=rows, b_ub=ends, bounds=bounds, **sums).status == 0

    everything = [(row, is_low) for row in range(5) for is_low in (True, False)]
    assert holds(everything) == (not sides)
    if sides:
        assert not holds(sides)
        assert all(holds(fewer) for fewer in combinations(sides, len(sides) - 1))


def test_limits_in_conflict_are_named_and_what_would_be_possible():
    """Of English 15 % at most is outside the web, which may have 40 %."""
    top = np.array([1.0, 1.0, 0.15, 1.0])  # web en, web zh, wiki en, wiki zh
    limits = [
        Limit("source=web", np.array([0, 1]), high=0.4, high_name="max_share"),
        Limit("language=en", np.array([0, 2]), low=0.7, low_name="min_share"),
        Limit("source=wiki", np.array([2, 3]), low=0.1, low_name="min_share"),
    ]
    with pytest.raises(Infeasible) as caught:
        projected(np.full(4, 0.25), top, limits)
    assert str(caught.value) == (
        "language=en min_share 70% and source=web max_share 40% contradict each other: "
        "at most 55% can be language=en"
    )
    assert caught.value.hint == (
        "lower `min_share` of language=en, or raise `max_share` of source=web"
    )


def test_a_shortfall_under_limits_of_columns_names_what_holds_each_group():
    limits = [Limit("language=en", np.array([0, 2]), high=0.3, high_name="max_share")]
    with pytest.raises(Infeasible, match=r"can fill 50\.00% of it: web 25") as caught:
        project(
            np.full(4, 0.25), np.array([1, 0.1, 1, 0.1]), limits, names=["web"] * 2 + ["wiki"] * 2
        )
    assert "(language=en max_share)" in str(caught.value)
    assert caught.value.hint.startswith("raise `max_share` in `mix.limits`")


# ── groups


def test_bounds_of_groups_are_the_least_and_greatest_sums_over_their_cells():
    prior = np.array([0.5, 0.2, 0.2, 0.1])  # a: en zh, b: en zh
    top = np.array([0.9, 0.3, 0.05, 0.9])
    group = np.array([0, 0, 1, 1])
    limits = [
        Limit("en", np.array([0, 2]), high=0.6, high_name="max_share"),
        Limit("zh in b", np.array([3]), low=0.3),
        Limit("a", np.array([0, 1]), high=0.6),
    ]
    made = projected(prior, top, limits)
    bounds = bounds_of(("a", "b"), group, limits, top, prior >= LEAST, made)
    assert bounds.low == pytest.approx([0.0, 0.3])
    assert bounds.high == pytest.approx([0.6, 0.95])  # .6 + .3 is beyond its own; .05 + .9
    assert made.shares == pytest.approx([0.6 * 5 / 7, 0.6 * 2 / 7, 0.05, 0.35])
    assert bounds.bound == ("max", "max_epochs")  # b's en is full, and its min is slack


def test_a_group_moved_by_the_limit_of_another_thing_names_it():
    prior, group = np.array([0.5, 0.2, 0.2, 0.1]), np.array([0, 0, 1, 1])
    limits = [Limit("zh", np.array([1, 3]), low=0.6, low_name="min_share")]
    made = projected(prior, np.ones(4), limits)
    bounds = bounds_of(("a", "b"), group, limits, np.ones(4), prior >= LEAST, made)
    assert made.shares == pytest.approx([0.4 * 5 / 7, 0.4, 0.4 * 2 / 7, 0.2])
    assert bounds.bound == ("zh min_share", "zh min_share")
    free = projected(prior, np.ones(4), [replace(limits[0], low=0.2)])
    bounds = bounds_of(("a", "b"), group, limits, np.ones(4), prior >= LEAST, free)
    assert bounds.bound == (None, None)
