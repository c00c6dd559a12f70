"""Noise from hashes, and the one draw."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import kstest

from curate import chance
from curate.mixture import drawing

IDS = [f"document {n}" for n in range(2000)]


def test_noise_belongs_to_the_id_and_not_to_its_place():
    forward = chance.uniform(IDS, 7, "draw")
    assert np.array_equal(chance.uniform(reversed(IDS), 7, "draw"), forward[::-1])
    assert np.array_equal(chance.uniform(IDS[5:9], 7, "draw"), forward[5:9])


def test_noise_is_the_same_in_every_run_and_on_every_machine():
    assert chance.uniform(["a"], 0, "draw")[0] == pytest.approx(0.4280549353, abs=1e-10)


def test_seeds_and_purposes_are_independent():
    base = chance.uniform(IDS, 0, "draw")
    for other in (chance.uniform(IDS, 1, "draw"), chance.uniform(IDS, 0, "order")):
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.1
    assert not np.array_equal(chance.uniform(IDS, -1, "draw"), chance.uniform(IDS, 1, "draw"))


def test_uniform_and_gumbel_have_their_distributions():
    assert kstest(chance.uniform(IDS, 3, "test"), "uniform").pvalue > 0.01
    assert kstest(chance.gumbel(IDS, 3, "test"), "gumbel_r").pvalue > 0.01


@pytest.mark.parametrize("digest", [b"\x00" * 8, b"\xff" * 8])
def test_noise_keeps_off_its_ends(monkeypatch, digest):
    monkeypatch.setattr(chance, "blake2b", lambda *_, **__: SimpleNamespace(digest=lambda: digest))
    assert 0 < chance.uniform(["a"], 0, "test")[0] < 1
    assert np.isfinite(chance.gumbel(["a"], 0, "test")[0])


def test_no_ids_no_noise():
    assert len(chance.uniform([], 0, "draw")) == len(chance.gumbel([], 0, "draw")) == 0


# ── the draw


def drawn(weights, tokens, budget, *, copies=4, noise=None, carry=0.0):
    weights = np.asarray(weights, float)
    noise = np.zeros(len(weights)) if noise is None else np.asarray(noise, float)
    return drawing.draw(
        weights, np.asarray(tokens), budget, max_copies=copies, noise=noise, carry=carry
    )


def test_the_heaviest_come_first():
    assert drawn([1, 3, 2], [10, 10, 10], 20).tolist() == [0, 1, 1]
    assert drawn([1, 3, 2], [10, 10, 10], 10).tolist() == [0, 1, 0]


def test_whole_passes_come_before_the_rest():
    assert drawn([1, 3, 2], [10, 10, 10], 70).tolist() == [2, 3, 2]
    assert drawn([1, 3, 2], [10, 10, 10], 120).tolist() == [4, 4, 4]
    assert drawn([1, 3, 2], [10, 10, 10], 30, copies=1).tolist() == [1, 1, 1]


def test_the_last_document_is_taken_where_that_is_nearer():
    assert drawn([2, 1], [10, 10], 14).tolist() == [1, 0]
    assert drawn([2, 1], [10, 10], 16).tolist() == [1, 1]


def test_the_carry_of_other_groups_settles_the_last_document():
    assert drawn([2, 1], [10, 10], 16, carry=6).tolist() == [1, 0]
    assert drawn([2, 1], [10, 10], 14, carry=-6).tolist() == [1, 1]


def test_a_budget_that_is_met_exactly_is_met_whatever_other_groups_are_over():
    assert drawn([2, 1], [10, 10], 10).tolist() == [1, 0]
    assert drawn([2, 1], [10, 10], 10, carry=6).tolist() == [1, 0]
    assert drawn([2, 1], [10, 10], 10, carry=-6).tolist() == [1, 1]


def test_weight_zero_is_never_drawn():
    assert drawn([0, 1, 0], [10, 10, 10], 40).tolist() == [0, 4, 0]


def test_nothing_wanted_nothing_drawn():
    assert drawn([1, 1], [5, 5], 0).tolist() == [0, 0]
    assert drawn([], [], 0).tolist() == []
    assert drawn([0, 0], [5, 5], 0).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("weights", "budget", "words"),
    [([1, 1], 100, "in 4 copies at most"), ([0, 0], 10, "nothing to draw from")],
)
def test_more_than_there_is_cannot_be_drawn(weights, budget, words):
    with pytest.raises(ValueError, match=words):
        drawn(weights, [10, 10], budget)


def test_noise_makes_it_a_sample_in_proportion_to_the_weights():
    first = []
    for seed in range(1500):
        noise = chance.gumbel(["a", "b", "c"], seed, "test")
        first.append(int(drawn([1, 2, 5], [1, 1, 1], 1, noise=noise).argmax()))
    shares = np.bincount(first, minlength=3) / len(first)
    assert shares == pytest.approx([1 / 8, 2 / 8, 5 / 8], abs=0.04)


@st.composite
def groups(draw):
    """Return ids, weights (some 0), tokens, a share of what can be drawn, and copies allowed."""
    n = draw(st.integers(1, 30))
    weights = draw(st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 1e3)), min_size=n, max_size=n))
    tokens = draw(st.lists(st.integers(1, 500), min_size=n, max_size=n))
    assume(any(weights))
    copies = draw(st.integers(1, 4))
    share = draw(st.floats(0, 1))
    return [f"id {k}" for k in range(n)], np.array(weights), np.array(tokens), share, copies


def with_noise(ids, weights, tokens, budget, copies, seed=0):
    noise = chance.gumbel(ids, seed, "draw")
    return drawing.draw(weights, tokens, budget, max_copies=copies, noise=noise)


@given(groups(), st.integers(0, 5))
def test_a_draw_meets_its_budget_within_one_document(group, seed):
    ids, weights, tokens, share, most = group
    able = weights > 0
    budget = share * most * tokens[able].sum()
    copies = with_noise(ids, weights, tokens, budget, most, seed)
    assert abs((copies * tokens).sum() - budget) <= tokens[able].max()
    assert copies[able].max() - copies[able].min() <= 1
    assert copies.max() <= most
    assert not copies[~able].any()


@given(groups(), st.floats(0, 1))
def test_a_smaller_budget_draws_a_part_of_a_larger(group, other):
    ids, weights, tokens, share, most = group
    supply = most * tokens[weights > 0].sum()
    small, large = sorted((share * supply, other * supply))
    less, more = (with_noise(ids, weights, tokens, each, most) for each in (small, large))
    assert (less <= more).all()


@given(groups(), st.randoms(use_true_random=False))
def test_a_draw_does_not_depend_on_the_order_of_rows(group, random):
    ids, weights, tokens, share, most = group
    budget = share * most * tokens[weights > 0].sum()
    copies = with_noise(ids, weights, tokens, budget, most)
    order = random.sample(range(len(ids)), len(ids))
    again = with_noise([ids[k] for k in order], weights[order], tokens[order], budget, most)
    assert np.array_equal(again, copies[order])
