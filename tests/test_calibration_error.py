"""The calibration error: golden numbers, its interval and its p-value by simulation."""

import numpy as np
import pytest
from scipy.stats import binom

from curate.calibration_error import calibration_error, ece, if_calibrated, of_the_predicted
from curate.heads.abstaining import abstaining, halves, trusted, upper_half
from curate.metrics import classification


def drawn(rows, rng, gap=lambda confidence: 0.0):
    """Predictions of two values, and labels that are right less often than they say, by a gap."""
    confidence = 0.6 + 0.39 * rng.random(rows)
    right = rng.random(rows) < confidence - gap(confidence)
    return np.stack([1 - right, right], 1).astype(float), np.stack([1 - confidence, confidence], 1)


def test_the_error_is_the_one_of_the_bins():
    # Two bins' worth of texts: 10 bins of one text each, |confidence - accuracy| averaged.
    confidence = np.linspace(0.55, 1, 10)
    accuracy = np.array([1, 0, 1, 1, 0, 1, 1, 1, 0, 1.0])
    assert ece(confidence, accuracy) == pytest.approx(np.abs(confidence - accuracy).mean())
    # Of 20 texts each bin holds two, whose gaps add up.
    gaps = (accuracy - confidence).reshape(5, 2).sum(axis=1)
    twice = np.repeat(confidence, 2), np.repeat(accuracy, 2)
    assert ece(*twice) == pytest.approx(np.abs(confidence - accuracy).mean())
    fifty = np.repeat(confidence, 5), np.repeat(accuracy, 5)
    assert ece(*fifty) == pytest.approx(np.abs(confidence - accuracy).mean())
    assert np.abs(gaps).sum() < np.abs(confidence - accuracy).sum()


@pytest.mark.parametrize("rows", [7, 10, 57, 200])
def test_it_is_the_metric_of_the_report(rows):
    truth, predicted = drawn(rows, np.random.default_rng(rows))
    whole = classification(truth, predicted, ("no", "yes"))
    error = calibration_error(truth, predicted, draws=9).error
    assert error == pytest.approx(whole.calibration_error)


def test_the_order_of_rows_changes_nothing():
    rng = np.random.default_rng(0)
    truth, predicted = drawn(120, rng)
    order = rng.permutation(120)
    assert calibration_error(truth, predicted) == calibration_error(truth[order], predicted[order])


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_a_sound_head_of_few_confidences_is_not_accused(levels):
    """Of 200 sound groups about 1 in 20 has p ≤ .05: more than 20 come once in 1,000 tries."""
    rng = np.random.default_rng(levels)
    accused = 0
    for _ in range(200):
        sure = rng.choice(np.linspace(0.55, 0.95, levels), 200)
        truth = np.eye(2)[(rng.random(200) < sure).astype(int)]
        predicted = np.column_stack([1 - sure, sure])
        accused += calibration_error(truth, predicted, draws=99).p_value <= 0.05
    assert accused <= 20


def test_rows_of_one_confidence_are_one_bin_after_another_of_the_same_accuracy():
    right = np.arange(1000) < 700
    truth, predicted = np.eye(2)[right.astype(int)], np.tile([0.3, 0.7], (1000, 1))
    whole = classification(truth, predicted, ("no", "yes"))
    assert whole.calibration_error < 0.08  # with the right rows first it would be .42
    assert [part.documents for part in whole.bins] == [100] * 10


def test_the_null_has_the_mean_of_folded_normals():
    confidence = np.full(1000, 0.7)
    errors = if_calibrated(confidence, np.random.default_rng(0), 4000)
    deviation = np.sqrt(0.7 * 0.3 / 100)  # of a bin's accuracy
    assert errors.mean() == pytest.approx(deviation * np.sqrt(2 / np.pi), rel=0.02)
    assert errors.std() == pytest.approx(deviation * np.sqrt((1 - 2 / np.pi) / 10), rel=0.05)


@pytest.mark.parametrize("right", [4, 5, 6, 7])
def test_draws_of_the_same_error_count(right):
    # A text a bin: the error tells how many are right, and sums of the same gaps are rounded.
    truth = np.eye(2)[[1] * right + [0] * (10 - right)]
    found = calibration_error(truth, np.tile([0.4, 0.6], (10, 1)), draws=9999)
    assert found.p_value == pytest.approx(binom.cdf(right, 10, 0.6), abs=0.02)


GAPS = {
    "none": lambda confidence: 0 * confidence,
    "small": lambda confidence: 0.05 + 0 * confidence,
    "large": lambda confidence: 0.15 + 0 * confidence,
    "both ways": lambda confidence: 0.8 * (confidence - 0.8),
}


def coverage(runs, rows, gap):
    """How often the interval holds the error of endless labels, and its mean width."""
    endless = np.sort(0.6 + 0.39 * np.random.default_rng(1).random(100_000))
    true = np.abs(gap(endless).reshape(10, -1).mean(axis=1)).mean()
    hits, widths = 0, 0.0
    for seed in range(runs):
        found = calibration_error(*drawn(rows, np.random.default_rng(seed), gap), draws=300)
        hits += found.low <= true <= found.high
        widths += (found.high - found.low) / runs
    return hits / runs, widths


@pytest.mark.parametrize("name", GAPS)
def test_the_interval_holds_the_error(name):
    covered, width = coverage(60, 400, GAPS[name])
    assert 0.8 <= covered <= 1
    assert width < 0.09


@pytest.mark.slow
@pytest.mark.parametrize("name", GAPS)
@pytest.mark.parametrize("rows", [200, 800, 2000])
def test_the_interval_covers_as_it_says(rows, name):
    covered, width = coverage(300, rows, GAPS[name])
    assert 0.85 <= covered <= 0.985
    assert width < 1.9 / rows**0.5


def test_soft_labels_and_single_rows_do_not_break_it():
    one = calibration_error(np.array([[0.2, 0.8]]), np.array([[0.3, 0.7]]), draws=99)
    assert one.error == pytest.approx(0.1)
    assert 0 <= one.low <= one.high
    confidence, accuracy = of_the_predicted(np.array([[0.5, 0.5]]), np.array([[0.6, 0.4]]))
    assert (confidence[0], accuracy[0]) == (0.6, 0.5)


# ── abstaining


def sound(rng, rows=60, values=3):
    """Predictions of three values, and labels drawn from them."""
    predicted = rng.dirichlet(np.full(values, 0.4), rows)
    labels = (predicted.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1)
    return np.eye(values)[np.minimum(labels, values - 1)], predicted


def abstained(runs, rows, shuffled):
    """The share of groups that abstain, with labels as they are or shuffled."""
    rng = np.random.default_rng(rows)
    both = [sound(rng, rows) for _ in range(runs)]
    truth, predicted = np.concatenate([b[0] for b in both]), np.concatenate([b[1] for b in both])
    groups = np.repeat([f"{group:04}" for group in range(runs)], rows)
    if shuffled:
        truth = truth[np.concatenate([rows * g + rng.permutation(rows) for g in range(runs)])]
    return len(abstaining(truth, predicted, groups)) / runs


@pytest.mark.parametrize("rows", [50, 200])
def test_few_sound_groups_abstain_and_nearly_all_shuffled_ones(rows):
    assert abstained(100, rows, shuffled=False) <= 0.04
    assert abstained(30, rows, shuffled=True) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("rows", [50, 400])
def test_one_sound_group_in_a_hundred_abstains(rows):
    assert 0.003 <= abstained(1000, rows, shuffled=False) <= 0.018


def test_a_group_of_49_labels_never_abstains():
    truth, predicted = sound(np.random.default_rng(1), 50)
    wrong = np.roll(truth, 1, axis=1)
    assert abstaining(wrong, predicted, np.full(50, "a")) == {"a"}
    assert abstaining(wrong[:49], predicted[:49], np.full(49, "a")) == frozenset()
    (trust,) = trusted(wrong[:49], predicted[:49], np.full(49, "a"))
    assert trust.calibration.p_value == 0.001
    assert trust.p_value == 0.002  # two tests share the level


def test_the_same_group_abstains_whatever_others_there_are():
    truth, predicted = sound(np.random.default_rng(2), 200)
    groups = np.array(["a", "b"])[np.arange(200) % 2]
    alone = trusted(truth[::2], predicted[::2], groups[::2])
    assert trusted(truth, predicted, groups)[0] == alone[0]


def rated(rng, groups, rows=100, people=5):
    """Predictions of five levels around a mean, and the ratings of some people each."""
    means, levels = rng.uniform(0, 4, groups * rows), np.arange(5)
    predicted = np.exp(-((means[:, None] - levels) ** 2) / 2)
    predicted /= predicted.sum(axis=1, keepdims=True)
    ratings = (predicted.cumsum(axis=1)[:, None] < rng.random((len(means), people, 1))).sum(axis=2)
    truth = (np.minimum(ratings, 4)[..., None] == levels).mean(axis=1)
    return truth, predicted, np.repeat([f"{group:03}" for group in range(groups)], rows)


def test_ratings_are_tested_by_the_half_of_the_scale():
    assert upper_half(np.array([[0.2, 0.4, 0.4]])) == 2
    assert upper_half(np.array([[0.5, 0.4, 0.1]])) == 1
    np.testing.assert_allclose(halves(np.array([[0.2, 0.4, 0.4]]), 2), [[0.6, 0.4]])
    truth, predicted, groups = rated(np.random.default_rng(3), 40)
    assert len(abstaining(truth, predicted, groups, ordered=True)) <= 2
    shuffled = truth.reshape(40, 100, 5)[:, np.random.default_rng(4).permutation(100)].reshape(
        -1, 5
    )
    trusts = trusted(shuffled, predicted, groups, ordered=True)
    assert sum(trust.calibration.p_value <= 0.005 for trust in trusts) >= 38
    whole = trusted(shuffled, predicted, groups)
    assert sum(trust.calibration.p_value <= 0.005 for trust in whole) < 38  # by the likeliest level
