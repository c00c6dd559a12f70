"""The projection beside brute force: the nearest shares within every limit, or why none are."""

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curate.mixture import newton
from curate.mixture.boxes import project_groups
from curate.mixture.dual import Point
from curate.mixture.limits import Infeasible
from curate.mixture.projection import LEAST


def projected(wanted, low=0.0, high=1.0, supply=10.0):
    def each(value):
        if isinstance(value, dict):
            return {name: value.get(name, 0.0) for name in wanted}
        return dict.fromkeys(wanted, value)

    return project_groups(wanted, low=each(low), high=each(high), supply=each(supply))


def shares_of(wanted, low, high, supply):
    """The shares as an array, from arrays."""
    names = [str(place) for place in range(len(wanted))]
    columns = (dict(zip(names, map(float, own), strict=True)) for own in (low, high, supply))
    own_low, own_high, own_supply = columns
    made = project_groups(
        dict(zip(names, map(float, wanted), strict=True)),
        low=own_low,
        high=own_high,
        supply=own_supply,
    )
    return np.array([made.shares[name] for name in names])


def divergence(shares, wanted):
    """KL(shares || wanted); infinite where a share is of what is not wanted."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(shares > 0, shares * np.log(shares / wanted), 0.0)
    return terms.sum(axis=-1)


def grid(groups, low, top, steps):
    """All shares within the limits on a grid, the last group taking what is left."""
    axes = [np.linspace(low[place], top[place], steps) for place in range(groups - 1)]
    heads = np.array(list(product(*axes)))
    whole = np.column_stack([heads, 1 - heads.sum(axis=1)])
    inside = (whole[:, -1] >= low[-1] - 1e-12) & (whole[:, -1] <= top[-1] + 1e-12)
    return np.clip(whole[inside], 0, None)


def instance(rng):
    """Limits and wishes with every degeneracy: zeros, min == max, full minima, scarce supply."""
    groups = int(rng.integers(1, 5))
    wanted = rng.dirichlet(np.full(groups, rng.choice([0.1, 1.0, 10.0])))
    wanted[rng.random(groups) < 0.25] = 0.0
    if not wanted.any():
        wanted[rng.integers(groups)] = 1.0
    wanted /= wanted.sum()
    low = rng.dirichlet(np.ones(groups)) * rng.choice([0.0, 0.0, 0.4, 0.9, 1.0])
    low[rng.random(groups) < 0.4] = 0.0
    high = np.maximum(low, rng.choice([0.2, 0.5, 1.0], groups))
    fixed = rng.random(groups) < 0.15
    high[fixed] = low[fixed]
    supply = np.exp(rng.normal(0, rng.choice([0.3, 3.0]), groups))
    return wanted, low, high, supply


@pytest.mark.parametrize("seed", range(300))
def test_no_shares_on_a_grid_are_nearer(seed):
    wanted, low, high, supply = instance(np.random.default_rng(seed))
    is_in = (wanted > 0) | (low > 0)
    top = np.where(is_in, np.minimum(high, supply), 0.0)
    feasible = (low <= top).all() and low.sum() <= 1 + 1e-9 and top.sum() >= 1 - 1e-9
    if not feasible:
        with pytest.raises(Infeasible):
            shares_of(wanted, low, high, supply)
        return
    found = shares_of(wanted, low, high, supply)
    assert found.sum() == pytest.approx(1, abs=1e-9)
    assert (found >= low - 1e-9).all()
    assert (found <= top + 1e-9).all()
    assert (found[~is_in] == 0).all()
    # A little is wanted of what has a `min` alone, by supply: the limit as it goes to nothing.
    near = np.where((wanted == 0) & is_in, 1e-12 * supply, wanted)
    others = grid(len(wanted), low, top, 41 if len(wanted) < 4 else 21)
    if len(others):
        own = divergence(found[is_in], near[is_in])
        assert own <= divergence(others[:, is_in], near[is_in]).min() + 1e-7


def test_the_grid_would_see_shares_that_are_a_little_off():
    wanted, low, top = np.array([0.7, 0.2, 0.1]), np.zeros(3), np.array([0.4, 1.0, 1.0])
    found = shares_of(wanted, low, top, np.ones(3))
    assert found == pytest.approx([0.4, 0.4, 0.2])
    best = divergence(grid(3, low, top, 81), wanted).min()
    for step in (-0.03, 0.03):
        assert divergence(found + np.array([0, step, -step]), wanted) > best


def test_half_the_shares_wanted_is_full_and_a_group_with_a_min_takes_the_rest():
    low = {"books": 0.0, "chat": 0.05, "logs": 0.0}
    high = {"books": 0.6, "chat": 1.0, "logs": 1.0}
    made = projected({"books": 1.0, "chat": 0.0, "logs": 0.0}, low, high)
    assert made.shares == pytest.approx({"books": 0.6, "chat": 0.4, "logs": 0.0})
    assert made.bound == {"books": "max", "chat": "min", "logs": None}
    assert made.high == {"books": 0.6, "chat": 1.0, "logs": 0.0}


def test_what_is_left_goes_by_supply_up_to_the_limits():
    wanted = {"books": 1.0, "chat": 0.0, "code": 0.0, "news": 0.0}
    low = {"chat": 0.01, "code": 0.01, "news": 0.01}
    high = {"books": 0.4, "chat": 1, "code": 1, "news": 0.1}
    supply = {"books": 9, "chat": 1.5, "code": 0.5, "news": 4}
    made = projected(wanted, low, high, supply)
    assert made.shares == pytest.approx({"books": 0.4, "chat": 0.375, "code": 0.125, "news": 0.1})
    assert made.bound == {"books": "max", "chat": "min", "code": "min", "news": "max"}


def test_a_min_of_what_is_not_wanted_is_all_it_gets_while_others_have_room():
    made = projected({"books": 0.6, "code": 0.4, "chat": 0.0}, low={"chat": 0.1})
    assert made.shares == pytest.approx({"books": 0.54, "code": 0.36, "chat": 0.1})


@pytest.mark.parametrize(
    ("limits", "words", "hint"),
    [
        (
            {"low": {"chat": 0.1}, "high": {"books": 0.5, "chat": 0.2}},
            r"can fill 70\.00% of it: books 50\.00% \(max\), chat 20\.00% \(max\)",
            "raise `max` in `mix.limits`",
        ),
        (
            {"high": {"books": 0.5, "chat": 1}},
            r"can fill 50\.00% of it: books 50\.00% \(max\)",
            "raise `max` in `mix.limits`, or give chat a `min`",
        ),
        (
            {"supply": {"books": 0.25, "chat": 0.0}},
            r"can fill 25\.00% of it: books 25\.00% \(max_epochs\)",
            "lower `mix.budget`, or raise `mix.max_epochs`",
        ),
        (
            {"low": {"books": 0.8, "chat": 0.7}},
            r"smallest shares sum to 150\.00% \(min\): books 80\.00%, chat 70\.00%",
            "lower `min` in `mix.limits`",
        ),
        (
            {"low": {"chat": 0.3}, "high": {"books": 1, "chat": 0.2}},
            r"chat must have 30\.00% \(min\) and can have 20\.00% \(max\)",
            "lower the `min` of chat, or raise `max` in `mix.limits`",
        ),
        (
            {"low": {"books": 0.3}, "supply": {"books": 0.2, "chat": 1}},
            r"books must have 30\.00% \(min\) and can have 20\.00% \(max_epochs\)",
            "lower the `min` of books, or lower `mix.budget`, or raise `mix.max_epochs`",
        ),
    ],
)
def test_limits_that_leave_nothing_are_named(limits, words, hint):
    with pytest.raises(Infeasible, match=words) as caught:
        projected({"books": 1.0, "chat": 0.0}, **limits)
    assert caught.value.hint == hint


def test_of_many_groups_a_few_are_named():
    wanted = {f"g{number}": 1 / 8 for number in range(8)}
    with pytest.raises(Infeasible, match=r"g4 10\.00% \(max\) and 3 more"):
        projected(wanted, high=0.1)


share = st.one_of(st.just(0.0), st.floats(1e-18, 1.0), st.just(1e-300))


@settings(max_examples=300)
@given(
    st.lists(st.tuples(share, share, share, st.floats(-30, 30)), min_size=1, max_size=8),
    st.booleans(),
)
@example([(1.0, 1.0, 1.0, 0.0)], False)
@example([(1.0, 0.0, 0.5, 5.0), (1e-300, 0.0, 1.0, 5.0)], False)
@example([(0.5, 0.1, 0.1, 0.0), (0.5, 0.9, 0.9, 0.0)], False)
def test_any_limits_give_shares_within_them_or_say_why_not(rows, is_scarce):
    wanted, low, high, powers = (np.array(own) for own in zip(*rows, strict=True))
    supply = np.exp(powers) if is_scarce else np.full(len(rows), 1e18)
    try:
        found = shares_of(wanted, low, high, supply)
    except Infeasible:
        top = np.where((wanted >= LEAST) | (low > 0), np.minimum(high, supply), 0.0)
        assert (low > top + 1e-9).any() or low.sum() > 1 or top.sum() < 1
        return
    assert found.sum() == pytest.approx(1, abs=1e-9)
    assert (found >= low - 1e-9).all()
    assert (found <= np.minimum(high, supply) + 1e-9).all()


def test_tenths_that_sum_to_one_but_for_rounding():
    wanted = {str(number): 1 / 10 for number in range(10)}
    made = projected(wanted, low=0.1, high=0.1)
    assert list(made.shares.values()) == pytest.approx([0.1] * 10)
    thirds = projected({"a": 0.2, "b": 0.3, "c": 0.5}, supply=1 / 3)
    assert list(thirds.shares.values()) == pytest.approx([1 / 3] * 3)


def test_limits_that_let_no_group_in_are_named():
    with pytest.raises(
        Infeasible, match=r"0\.00% of it: a 0\.00% \(max\), b 0\.00% \(max\)"
    ) as caught:
        projected({"a": 0.9, "b": 0.1}, high={"a": 0.0, "b": 0.0})
    assert caught.value.hint == "raise `max` in `mix.limits`"


def test_shares_off_their_optimum_do_not_return(monkeypatch):
    def nowhere(prior, multipliers):
        return Point.at(prior, np.zeros(len(multipliers)))

    monkeypatch.setattr(newton, "descend", nowhere)
    with pytest.raises(ArithmeticError, match=r"off their optimum by 0\.5"):
        projected({"a": 0.9, "b": 0.1}, high={"a": 0.4, "b": 1.0})


@pytest.mark.parametrize("wanted", [{"a": float("nan"), "b": 0.5}, {"a": float("inf"), "b": 0.5}])
def test_what_is_no_share_does_not_return(wanted):
    with pytest.raises(ArithmeticError, match="not a finite number"):
        projected(wanted)
