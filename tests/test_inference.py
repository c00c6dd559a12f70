"""Estimates hold by value: golden numbers, formulas written out, and coverage by simulation."""

from functools import partial
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t
from sklearn.linear_model import LogisticRegression

from curate.inference.design import hajek, horvitz_thompson, naive, post_stratified, share
from curate.inference.estimate import weighted_mean, with_interval
from curate.inference.groups import Labelled, Unlabelled, group_mean, share_of_draw
from curate.inference.joint import product, rating_variances, read_together
from curate.inference.powered import best_trust, powered, tuned
from tests import light

# ── golden numbers, made once with samplics 0.6.1 and ppi-python 0.2.3 (numpy 2.4.6)

VALUES = np.array([2.21, 3.24, 1.1, 4.4, 3.64, 2.71, 2.69, 3.3, 2.73, 2.77, 3.72, 3.51])
PREDICTED = np.array([2.29, 2.9, 1.74, 3.33, 2.98, 2.9, 2.55, 2.29, 2.4, 2.99, 3.12, 3.03])
TWO_WEIGHTS = np.array([4.0] * 6 + [10.0] * 6)
WEIGHTS = np.arange(1.0, 13)
STRATA = ["a"] * 6 + ["b"] * 6
ALL_MEAN, ALL_VARIANCE, ALL = 2.846075, 0.545505344375, 400
N = len(VALUES)
FAR = 1e9
"""A factor on weights that makes the population endless: no finite population correction."""


@pytest.mark.parametrize(
    ("weights", "mean", "error"),
    [
        (TWO_WEIGHTS, 3.052380952380952, 0.18125965142001074),
        (WEIGHTS, 3.1357692307692306, 0.17779763149588934),
    ],
)
def test_hajek_is_the_mean_of_samplics(weights, mean, error):
    ours = hajek(VALUES, weights * FAR)
    assert ours.value == pytest.approx(mean)
    # samplics corrects by n / (n - 1), we by Kish's number in the place of n
    theirs = error * sqrt(ours.effective / (ours.effective - 1) * (N - 1) / N)
    assert ours.error == pytest.approx(theirs)
    assert ours.effective == pytest.approx(weights.sum() ** 2 / (weights**2).sum())


def test_the_finite_population_correction_is_that_of_samplics():
    ours = hajek(VALUES, np.full(N, 5.0))  # a fifth of all is known
    assert (ours.value, ours.error) == pytest.approx((3.001666666666666, 0.21792084560568076))


@pytest.mark.parametrize(
    ("weights", "total", "error"),
    [
        (TWO_WEIGHTS, 256.4, 38.62198714345354),
        (WEIGHTS, 244.58999999999997, 44.91010445120543),
    ],
)
def test_horvitz_thompson_is_the_total_of_samplics(weights, total, error):
    ours = horvitz_thompson(VALUES, weights * FAR, int(FAR))
    assert (ours.value, ours.error) == pytest.approx((total, error))


def test_strata_are_those_of_samplics():
    ours = post_stratified(VALUES, TWO_WEIGHTS, STRATA, {"a": 24, "b": 60})
    assert (ours.value, ours.error) == pytest.approx((3.052380952380952, 0.17019636518177594))


@pytest.mark.parametrize(
    ("weights", "trust", "value"),
    [
        (np.ones(N), 1, 3.13774167),
        (np.ones(N), 0.5, 3.06970417),
        (WEIGHTS, 1, 3.19620321),
        (WEIGHTS, 0.5, 3.16598622),
    ],
)
def test_prediction_powered_means_are_those_of_ppi(weights, trust, value):
    ours = powered(VALUES, PREDICTED, weights * FAR, ALL_MEAN, trust=trust)
    assert ours.value == pytest.approx(value)


@pytest.mark.parametrize(
    ("trust", "low", "high"), [(1, 2.89596945, 3.37951388), (0.5, 2.76780792, 3.37160041)]
)
def test_errors_are_those_of_ppi(trust, low, high):
    ours = powered(VALUES, PREDICTED, np.full(N, FAR), ALL_MEAN, trust=trust)
    # ppi takes a normal quantile and 1 / n, and its mean of all is an estimate itself
    theirs = ((high - low) / 2 / 1.6448536269514722) ** 2
    wanted = theirs - trust**2 * ALL_VARIANCE / ALL
    assert ours.error**2 * (N - 1) / N == pytest.approx(wanted, rel=1e-6)


def test_the_trust_of_ppi_plus_plus():
    doubled = 2 * PREDICTED  # else the best trust would be above 1
    theirs = (3.07562221 - VALUES.mean()) / (2 * ALL_MEAN - doubled.mean())
    others = [2 * (ALL_MEAN + sign * sqrt(ALL_VARIANCE)) for sign in (-1, 1)] * (ALL // 2)
    pooled = np.array([*doubled, *others]).var(ddof=1)
    ours = best_trust(VALUES, doubled, np.full(N, FAR))
    # ppi takes the variance of all predictions, and their mean is an estimate to it
    assert ours * doubled.var() / pooled / (1 + N / ALL) == pytest.approx(theirs, rel=1e-5)


# ── formulas, written out


def some_labels(seed, n=25):
    rng = np.random.default_rng(seed)
    truth, predicted = rng.random(n), rng.random(n)
    weights = np.where(rng.random(n) < 0.2, 1.0, rng.uniform(1, 30, n))
    return Labelled(truth, predicted, weights, rng.uniform(0, 0.2, n))


@given(st.integers(0, 1000))
def test_the_mean_of_a_group_is_as_written(seed):
    own = some_labels(seed)
    chance = 1 / own.weights
    u = (1 / chance) / sum(1 / chance)
    ne = 1 / sum(u**2)
    r = own.truth - own.predicted
    b = sum(u * r)
    variance = sum(u**2 * (1 - chance) * (r - b) ** 2) * ne / (ne - 1)
    error = sqrt(variance + sum(u**2 * own.variances))
    ours = group_mean(own, 0.4)
    assert (ours.value, ours.error, ours.effective) == pytest.approx((0.4 + b, error, ne))
    reach = t.ppf(0.95, ne - 1) * error
    assert (ours.low, ours.high) == pytest.approx((0.4 + b - reach, 0.4 + b + reach))


@given(st.integers(0, 1000))
def test_the_share_of_a_draw_is_as_written(seed):
    own, rng = some_labels(seed), np.random.default_rng([seed, 1])
    drawn, honest = rng.uniform(0.5, 3, (2, 25))
    others, unseen = rng.uniform(0.5, 3, 200), rng.random(200)
    total = drawn.sum() + others.sum()
    s = others.sum() / total
    u = honest * (own.weights - 1)
    u = u / u.sum()
    ne, r = 1 / sum(u**2), own.truth - own.predicted
    b = sum(u * r)
    value = (sum(drawn * own.truth) + sum(others * unseen) + others.sum() * b) / total
    variance = s**2 * sum(u**2 * (r - b) ** 2) * ne / (ne - 1)
    variance += sum((others / total) ** 2 * unseen * (1 - unseen))
    variance += sum((s * u + drawn / total) ** 2 * own.variances)
    parts = [Unlabelled.of(others[rows], unseen[rows]) for rows in (slice(120), slice(120, 200))]
    ours = share_of_draw(own, drawn, honest, parts[0].joined(parts[1]))
    assert (ours.value, ours.error, ours.effective) == pytest.approx((value, sqrt(variance), ne))


def test_what_is_known_of_all_has_no_interval_but_that_of_its_labels():
    own = Labelled(np.array([1.0, 0, 1]), np.array([0.7, 0.2, 0.6]), np.ones(3), np.zeros(3))
    ours = group_mean(own, float(own.predicted.mean()))
    assert (ours.value, ours.low, ours.high) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    drawn = share_of_draw(own, np.ones(3), np.ones(3), Unlabelled(0.0, 0.0, 0.0))
    assert drawn.value == pytest.approx(2 / 3)


@pytest.mark.parametrize("n", [0, 1])
def test_there_is_no_interval_below_two_labels(n):
    ours = hajek(np.ones(n), np.full(n, 10.0))
    assert (ours.low, ours.high, ours.labels) == (None, None, n)
    assert ours.width == np.inf


def test_rows_without_weight_do_not_count():
    both = weighted_mean(np.array([1.0, 0, 5, 7]), np.array([2.0, 2, 0, 0]))
    assert (both.value, both.labels, both.effective) == (0.5, 2, 2)


def test_an_interval_is_cut_to_what_is_possible():
    ours = with_interval(0.01, 0.1, 5, 5.0).within(0, 1)
    assert (ours.low, ours.value, ours.high) == (0, 0.01, pytest.approx(0.684, abs=1e-3))


@given(st.integers(0, 1000))
def test_no_trust_is_better_than_the_best(seed):
    own = some_labels(seed)
    given = (own.truth, own.predicted, own.weights, 0.5)
    best = best_trust(*given[:3])
    errors = [powered(*given, trust=trust).error for trust in np.linspace(0, 1, 11)]
    assert powered(*given, trust=best).error <= min(errors) + 1e-12


def test_predictions_that_say_nothing_are_not_trusted():
    own = some_labels(3)
    flat = tuned(own.truth, np.full(25, 0.3), own.weights, 0.3)
    labels = hajek(own.truth, own.weights)
    assert (flat.value, flat.low) == pytest.approx((labels.value, labels.low))


def test_the_naive_mean_forgets_the_draw():
    values, weights = np.array([1.0, 1, 1, 0]), np.array([1.0, 1, 1, 7])
    assert naive(values).value == 0.75
    assert hajek(values, weights).value == pytest.approx(0.3)


def test_labels_that_all_agree_leave_a_doubt():
    weights = np.full(30, 10.0)
    none, every = share(np.zeros(30), weights), share(np.ones(30), weights)
    bound = 1 - 0.05 ** (1 / 30)
    assert (none.value, none.low, none.high) == pytest.approx((0, 0, bound))
    assert (every.value, every.low, every.high) == pytest.approx((1, 1 - bound, 1))
    assert share(np.ones(30), np.ones(30)).width == 0  # all documents are known
    some = share(np.array([0.0] * 29 + [1]), weights)
    assert some.high == pytest.approx(hajek(np.array([0.0] * 29 + [1]), weights).high)


def test_small_strata_are_taken_as_one():
    values, weights = np.array([1.0, 0, 1, 0, 1]), np.full(5, 2.0)
    ours = post_stratified(values, weights, ["a", "a", "a", "b", "c"], {"a": 6, "b": 1, "c": 3})
    assert ours.value == pytest.approx(0.6 * 2 / 3 + 0.4 / 2)
    lonely = post_stratified(values[:4], weights[:4], ["a", "a", "a", "b"], {"a": 6, "b": 4})
    assert lonely.value == pytest.approx(0.5)  # the one label of b joins those of a


# ── votes and head


def test_the_product_divides_the_prevalence_out():
    votes = np.array([[0.8, 0.2], [0.6, 0.4], [0.1, 0.9]])
    predicted = np.array([[0.5, 0.5], [0.9, 0.1], [0.5, 0.5]])
    both = product(votes, predicted)
    odds = (0.8 / 0.5 * 0.5) / (0.2 / 0.5 * 0.5)
    assert both[0, 0] / both[0, 1] == pytest.approx(odds)
    assert both[1, 0] / both[1, 1] == pytest.approx(0.6 * 0.9 / (0.4 * 0.1))
    assert both.sum(axis=1) == pytest.approx([1, 1, 1])
    prevalent = np.array([[0.9, 0.1], [0.7, 0.3]])  # prevalence .8: of equal odds nothing is left
    assert product(prevalent, np.full((2, 2), 0.5))[0] == pytest.approx(
        np.array([0.9 / 0.8, 0.1 / 0.2]) / (0.9 / 0.8 + 0.1 / 0.2)
    )


def test_a_class_without_votes_stays_without():
    votes = np.array([[1.0, 0, 0], [0.5, 0.5, 0]])
    assert product(votes, np.array([[0.0, 0.2, 0.8], [0.2, 0.2, 0.6]])).tolist() == [
        [1.0, 0, 0],  # the head leaves nothing of the row: it keeps its votes
        pytest.approx([0.25, 0.75, 0]),
    ]


def test_the_head_learns_from_each_product_but_the_last():
    votes = np.array([[0.8, 0.2], [0.3, 0.7]])
    learned_from = []

    def out_of_fold(truth):
        learned_from.append(truth)
        return np.tile([0.5 + 0.1 * len(learned_from), 0.5 - 0.1 * len(learned_from)], (2, 1))

    joint = read_together(votes, out_of_fold)
    assert len(learned_from) == 3
    assert (learned_from[0] == votes).all()
    assert learned_from[1] == pytest.approx(product(votes, np.array([[0.6, 0.4]] * 2)))
    assert joint.predicted[0] == pytest.approx([0.8, 0.2])
    assert joint.truth == pytest.approx(product(votes, joint.predicted))  # never a product of one


def test_the_variance_of_a_mean_rating_is_pooled_within_texts():
    ratings = [[1.0, 2, 3], [4.0, 4], [5.0]]
    means = np.array([np.mean(own) for own in ratings])
    squares = np.array([np.mean(np.square(own)) for own in ratings])
    ours = rating_variances(means, squares, np.array([3, 2, 1]))
    assert ours == pytest.approx(2 / 3 / np.array([3, 2, 1]))
    assert rating_variances(means[2:], squares[2:], np.array([1])).tolist() == [0]


# ── coverage: nine in ten intervals hold the truth, and half of the width holds far fewer


def draws(runs, estimate):
    """Coverage of intervals, and of their halves, where predictions are biased and noisy."""
    hits, halves = [], []
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        signal = rng.normal(size=600)
        truth = signal + rng.normal(size=600)
        predicted = 0.5 + 0.6 * signal
        chance = np.where(signal > 1, 0.4, 0.05)
        rows = np.flatnonzero(rng.random(600) < chance)
        own = estimate(truth[rows], predicted[rows], 1 / chance[rows], predicted.mean())
        middle, reach = (own.low + own.high) / 2, own.width / 2
        hits.append(abs(truth.mean() - middle) <= reach)
        halves.append(abs(truth.mean() - middle) <= reach / 2)
    return np.mean(hits), np.mean(halves)


@pytest.mark.parametrize(
    "estimate",
    [
        lambda truth, predicted, weights, mean: hajek(truth, weights),
        powered,
        tuned,
    ],
)
def test_nine_in_ten_intervals_hold(estimate):
    whole, half = draws(600, estimate)
    assert 0.86 <= whole <= 0.94
    assert half < 0.7


def test_the_naive_interval_does_not_hold():
    whole, _ = draws(200, lambda truth, predicted, weights, mean: naive(truth))
    assert whole < 0.3


def test_the_head_of_the_light_simulation_is_logistic_regression():
    world = light.World.make(np.random.default_rng(6))
    truth = np.random.default_rng(7).dirichlet(np.full(light.CLASSES, 0.2), 60)
    truth[::3] = np.eye(light.CLASSES)[world.truth[:60:3]]
    rows, classes = np.nonzero(truth)
    model = LogisticRegression(C=1, tol=1e-10, max_iter=10_000)
    model.fit(world.vectors[rows], classes, sample_weight=truth[rows, classes])
    ours = light.learn(world.vectors[:60], truth)(world.vectors)
    assert ours == pytest.approx(model.predict_proba(world.vectors), abs=1e-5)
    few = truth @ np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1]])
    assert (light.learn(world.vectors[:60], few)(world.vectors)[:, 1] == 0).all()


@pytest.mark.parametrize("design", light.DESIGNS)
def test_a_run_of_the_light_simulation_knows_every_interval(design):
    own = {one.about: one for one in light.run_true(1, 100, design)}
    assert {about.split(",")[0] for about in own} >= {
        *("document", "group mean", "corpus share", "share of a draw")
    }
    assert own["document"].holds > 0.8
    assert 0.05 < own["corpus share, PPI++"].width < 0.3


def test_votes_read_with_the_head_are_nearer_to_the_truth():
    rng = np.random.default_rng(4)
    world = light.World.make(rng)
    labels = light.at_random(world, 300, rng)
    posterior = light.votes(world.truth[labels.rows], rng)
    truth = np.eye(light.CLASSES)[world.truth[labels.rows]]
    error = {
        name: ((make(world, labels, posterior, rng).truth - truth) ** 2).sum(axis=1).mean()
        for name, make in (("votes", light.by_votes), ("head", light.by_product))
    }
    assert error["head"] < 0.95 * error["votes"]


@pytest.mark.slow
@pytest.mark.parametrize("design", light.DESIGNS)
@pytest.mark.parametrize("n", [100, 300])
def test_true_labels_cover(design, n):
    own = light.coverage(200, partial(light.run_true, n=n, design=design))
    for about in (
        *("document", "group mean", "corpus share, Hájek"),
        *("corpus share, prediction-powered", "corpus share, PPI++"),
    ):
        assert 0.86 <= own[about]["coverage"] <= 0.94, about


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 300])
def test_noisy_people_cover(n):
    own = light.coverage(100, partial(light.run_noisy, n=n, by=("votes", "votes and head")))
    for about in ("group mean, votes", "group mean, votes and head", "corpus share, PPI++, votes"):
        assert own[about]["coverage"] >= 0.87, about
