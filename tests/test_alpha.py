"""Krippendorff's alpha: golden numbers, and of whom its intervals speak."""

import numpy as np
import pytest

from curate.agree.agreement import alpha as measure
from curate.agree.agreement.alpha import Table, jackknife, krippendorff_alpha

# Krippendorff's own example: 4 coders, 12 units.
CODERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
EXAMPLE = [
    (f"unit {unit}", f"coder {coder}", value)
    for coder, values in enumerate(CODERS)
    for unit, value in enumerate(values)
    if value is not None
]


@pytest.mark.parametrize(
    ("level", "golden"), [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107)]
)
def test_alpha_is_krippendorffs(level, golden):
    alpha = krippendorff_alpha(EXAMPLE, level, resamples=200, seed=1)
    assert alpha.value == pytest.approx(golden, abs=1e-6)
    assert alpha.these.low < alpha.value < alpha.these.high <= 1
    assert alpha.others.low < alpha.value < alpha.others.high <= 1


def test_alpha_of_two_coders_and_two_values():
    # The 2x2 table 20/5/10/15 as votes: alpha is Scott's pi, corrected for a small sample.
    votes = []
    for n, (one, other) in ((20, "yy"), (5, "yn"), (10, "ny"), (15, "nn")):
        for i in range(n):
            votes += [(f"{one}{other}{i}", "a", one), (f"{one}{other}{i}", "b", other)]
    alpha = krippendorff_alpha(votes, "nominal", resamples=0, seed=0)
    expected_disagreement = 2 * 55 * 45 / (100 * 99)
    assert alpha.value == pytest.approx(1 - 0.3 / expected_disagreement)
    assert alpha.these is None
    assert alpha.others is None  # without one of two people nothing can be compared


@pytest.mark.parametrize(
    "votes",
    [
        [("a", "x", "yes"), ("b", "x", "no")],
        [("a", "x", "yes"), ("a", "y", "yes")],
    ],
)
def test_nothing_to_compare_has_no_alpha(votes):
    assert krippendorff_alpha(votes, "nominal", resamples=10, seed=0) is None


def test_a_table_counts_votes_and_leaves_people_out():
    table = Table.of([("a", "x", 2), ("a", "y", 1), ("b", "x", 2)])
    assert table.values == [1, 2]
    assert table.counts.tolist() == [[1, 1], [0, 1]]
    assert [counts.tolist() for counts in table.without_each()] == [
        [[1, 0], [0, 0]],
        [[0, 1], [0, 1]],
    ]


def test_the_jackknife_by_hand():
    # Without each of four people alpha is .5, .6, .6 or .7: mean .6, sum of squares .02.
    error = np.sqrt(3 / 4 * 0.02)
    interval = jackknife(0.6, [0.5, 0.6, 0.6, 0.7])
    assert interval.high - 0.6 == pytest.approx(3.182446 * error)  # t(.975) at 3 degrees
    assert 0.6 - interval.low == pytest.approx(3.182446 * error)
    assert jackknife(0.6, [0.5, 0.7]) is None


@pytest.mark.parametrize(
    ("level", "values"), [("nominal", "abc"), ("nominal", "ab"), ("interval", (1, 2, 5, 9))]
)
@pytest.mark.parametrize("cells", [7, 4_000_000])
def test_the_bootstrap_is_of_the_packages_alpha(monkeypatch, level, values, cells):
    """Samples are weighed at once, some at a time: each has the alpha that the package gives."""
    monkeypatch.setattr(measure, "MOST_CELLS", cells)
    rng = np.random.default_rng(4)
    votes = [
        (f"t{n}", who, values[int(rng.integers(len(values)))])
        for n in range(9)
        for who in "xyz"[: rng.integers(1, 4)]
    ]
    table = Table.of(votes)
    counts = table.counts[table.counts.sum(axis=1) > 1]
    again = np.random.default_rng(8)
    samples = [counts[again.integers(0, len(counts), len(counts))] for _ in range(60)]
    alphas = [measure._alpha(sample, table.values, level) for sample in samples]
    low, high = np.quantile([own for own in alphas if own is not None], (0.025, 0.975))
    made = krippendorff_alpha(votes, level, resamples=60, seed=8)
    assert (made.these.low, made.these.high) == pytest.approx((low, high), abs=1e-9)


def test_ordinal_is_between_nominal_and_interval_on_ratings():
    votes = [(f"{n}", who, 1 + (n + (who == "b")) % 5) for n in range(20) for who in "ab"]
    alpha = {
        level: krippendorff_alpha(votes, level, resamples=0, seed=0).value
        for level in ("nominal", "ordinal", "interval")
    }
    assert alpha["nominal"] < 0 < alpha["ordinal"]
    assert alpha["nominal"] < alpha["interval"]


# ── coverage

VALUES = 3


def skills(n, rng):
    """The skills of people of one population: most are good, some hardly better than chance."""
    return np.where(rng.random(n) < 0.2, 0.4, rng.uniform(0.6, 0.95, n))


def alpha_of(pairs):
    """Alpha on endless texts of equally frequent values, from the skills of pairs of people."""
    same = np.mean([one * two + (1 - one) * (1 - two) / (VALUES - 1) for one, two in pairs])
    return 1 - (1 - same) / (1 - 1 / VALUES)


def answers(people, items, rng):
    """Votes of people with these skills on random texts."""
    truth = rng.integers(VALUES, size=items)
    votes = []
    for person, skill in enumerate(people):
        wrong = (truth + rng.integers(1, VALUES, items)) % VALUES
        given = np.where(rng.random(items) < skill, truth, wrong)
        votes += [(f"text {item}", f"person {person}", int(v)) for item, v in enumerate(given)]
    return votes


def coverage(people, crowds, items=60, resamples=200):
    """How often each interval holds: for these people, for others like them, and what if mistaken.

    The last is how often the interval for these people holds for others.
    """
    rng = np.random.default_rng(people)
    many = skills(100_000, rng)
    everybody = alpha_of([(many, rng.permutation(many))])
    held = []
    for seed in range(crowds):
        own = skills(people, rng)
        votes = answers(own, items, rng)
        alpha = krippendorff_alpha(votes, "nominal", resamples=resamples, seed=seed)
        theirs = alpha_of([(own[i], own[j]) for i in range(people) for j in range(i)])
        held.append(
            (
                alpha.these.low <= theirs <= alpha.these.high,
                alpha.others.low <= everybody <= alpha.others.high,
                alpha.these.low <= everybody <= alpha.these.high,
            )
        )
    return np.mean(held, axis=0)


def test_alpha_speaks_of_these_people_or_of_others_like_them():
    these, others, mistaken = coverage(people=6, crowds=40, resamples=80)
    assert these >= 0.85
    assert others >= 0.85
    assert mistaken <= 0.8


@pytest.mark.slow
@pytest.mark.parametrize("people", [3, 6, 12])
def test_the_intervals_of_alpha_cover(people):
    these, others, mistaken = coverage(people, crowds=400)
    assert 0.9 <= these <= 0.98
    assert 0.88 <= others <= 0.99
    assert mistaken <= 0.8
