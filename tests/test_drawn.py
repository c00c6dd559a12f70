"""Expected copies of a document over the noise; intervals of mixtures in the simulation."""

from collections import defaultdict
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.mixture.chances import expected_copies
from curate.mixture.drawing import Cuts, copies_of
from curate.mixture.selection import Rows, descending, values_of
from tests import light_mixtures

FINITE = st.floats(allow_nan=False)


@given(st.lists(FINITE, min_size=1))
def test_a_key_gives_its_value_back(values):
    values = np.array(values)
    assert (values_of(descending(values)) == values).all()


def key_of(value):
    return int(descending(np.array([value]))[0])


CUTS = Cuts(
    passes=np.array([0, 2, 3, 1]),
    tokens=np.zeros(4, np.int64),
    key=np.array([key_of(1.5), key_of(-0.5), 0, 0], np.uint64),
    tie=np.array([7, 7, 0, 0], np.uint64),
    is_taken=np.array([True, False, False, False]),
    takes_all=np.array([False, False, False, True]),
)


def test_expected_copies_are_the_mean_over_the_noise():
    rng = np.random.default_rng(0)
    logs, group = np.array([-1.0, 0, 2.5, -1, 0, 2, 0, 0]), np.array([0, 0, 0, 1, 1, 1, 2, 3])
    size, times = len(logs), 20_000
    keys = descending((logs + rng.gumbel(size=(times, size))).ravel())
    ties, ones = np.zeros(times * size, np.uint64), np.ones(times * size, np.int64)
    copies = copies_of(Rows(np.tile(group, times), keys, ties, ones), CUTS)
    ours = expected_copies(logs, group, CUTS)
    assert ours == pytest.approx(copies.reshape(times, size).mean(axis=0), abs=0.015)
    assert ours[0] == pytest.approx(1 - np.exp(-np.exp(-2.5)))
    assert ours[-2:].tolist() == [3, 2]


def test_expected_copies_are_added_to_those_of_before():
    rng = np.random.default_rng(0)
    logs, group, before = np.zeros(6), np.array([1, 1, 1, 1, 2, 3]), np.array([0, 2, 3, 5, 1, 1])
    size, times = len(logs), 5_000
    keys = descending((logs + rng.gumbel(size=(times, size))).ravel())
    ties, ones = np.zeros(times * size, np.uint64), np.ones(times * size, np.int64)
    rows = Rows(np.tile(group, times), keys, ties, ones)
    copies = copies_of(rows, CUTS, np.tile(before, times)).reshape(times, size)
    once_more = 1 - np.exp(-np.exp(0.5))
    ours = expected_copies(logs, group, CUTS, before)
    assert ours == pytest.approx([2 + once_more, once_more, 0, 0, 2, 1])
    assert ours == pytest.approx(copies.mean(axis=0), abs=0.02)


def test_a_row_without_weight_is_never_drawn():
    logs = np.full(4, -np.inf)
    assert expected_copies(logs, np.arange(4), CUTS).tolist() == [0, 0, 0, 0]
    assert expected_copies(np.array([700.0]), np.array([0]), CUTS).tolist() == [1]


# ── the light simulation


def test_a_run_knows_every_interval_and_error():
    intervals, errors = light_mixtures.run(3, 300)
    assert {one.about for one in intervals} == {
        "promised share of a source",
        *(
            f"true share of a class, {within}{how}"
            for within in light_mixtures.WITHIN
            for how in ("", ", drawn ones alone")
        ),
    }
    assert all(0.02 < one.width < 0.3 for one in intervals)
    assert errors["shares_of: truth, equal"] < 0.7 * errors["shares_of: prediction, equal"]


@pytest.mark.slow
def test_nine_in_ten_intervals_hold_and_half_the_width_does_not():
    runs = [light_mixtures.run(seed, n=300) for seed in range(60)]
    own = light_mixtures.measured(len(runs), runs.__getitem__)
    halves = defaultdict(list)
    for one in chain.from_iterable(intervals for intervals, _ in runs):
        halves[one.about].append(one.half)
    for about, figures in own["intervals"].items():
        assert 0.82 <= figures["coverage"] <= 0.96, about
        assert np.mean(halves[about]) < 0.72, about
    errors = own["mean errors"]
    assert errors["shares_of: truth, equal"] < 0.5 * errors["shares_of: prediction, equal"]
