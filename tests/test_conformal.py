"""Split-conformal intervals: by hand, and their coverage where the truth is not the head's model.

The simulation is the light one: 2,000 documents, 16 dimensions, four sources, labels from a softmax
of a linear part and a sine; a logistic head of fixed strength, five folds.
"""

import numpy as np
import pytest

from curate.heads.conformal import half_width, interval
from tests.light import learn, with_intercept

DOCUMENTS, DIMENSIONS = 2000, 16
WEIGHTS = 0.6 * np.random.default_rng(0).normal(size=(DIMENSIONS, 3))


def test_the_half_width_is_the_tenth_residual_of_ten():
    residuals = np.arange(1, 11) / 10 * (-1.0) ** np.arange(10)
    assert half_width(residuals, np.ones(10)) == 1.0  # ceil(.9 * 11) = 10
    assert half_width(residuals, np.ones(10), level=0.8) == 0.9
    assert half_width(np.arange(1, 20) / 20, np.ones(19)) == 0.9  # ceil(.9 * 20) = 18
    assert half_width(np.arange(1, 21) / 20, np.ones(20)) == 0.95  # ceil(.9 * 21) = 19


def test_nine_labels_are_the_fewest():
    residuals = np.arange(1, 10) / 10
    assert half_width(residuals, np.ones(9)) == 0.9
    assert half_width(residuals[:8], np.ones(8)) is None
    assert half_width(residuals[:0], np.ones(0)) is None
    # Unequal weights: 12 labels stand for as much as 6.75 equal ones.
    assert half_width(np.arange(12) / 12, 1 / np.array([1.0] * 9 + [5.0] * 3)) is None


def test_a_label_of_weight_three_counts_three_times():
    residuals = np.arange(1, 41) / 40
    weights = np.where(residuals > 0.9, 3.0, 1.0)
    # Kish: 48² / 72 = 32 labels; the share wanted is .9 * 33 / 32 of 48, that is 44.55.
    assert half_width(residuals, 1 / weights) == residuals[38]
    assert half_width(residuals, 0.1 / weights) == residuals[38]


def test_intervals_are_clipped_and_unknown_ones_are_missing():
    low, high = interval(np.array([0.1, 0.5, 0.95]), 0.2)
    np.testing.assert_allclose(low, [0, 0.3, 0.75])
    np.testing.assert_allclose(high, [0.3, 0.7, 1])
    assert np.isnan(interval(np.array([0.5]), None)).all()


# ── coverage


def corpus(rng):
    """Vectors, and answers of three values."""
    vectors = rng.normal(size=(DOCUMENTS, DIMENSIONS))
    vectors[:, 0] += rng.integers(0, 4, DOCUMENTS) / 2
    logits = vectors @ WEIGHTS
    logits += 0.5 * np.sin(2 * vectors[:, :3])
    noise = -np.log(-np.log(rng.random((DOCUMENTS, 3))))
    return vectors, (logits + noise).argmax(axis=1), logits


def head(vectors, labels):
    """The probabilities of the three values, as a function of vectors."""
    return learn(vectors, np.eye(3)[labels])


def at_random(vectors, labels, n, rng):
    """The rows of n labels, and what each stands for."""
    return rng.choice(DOCUMENTS, n, replace=False), np.full(n, DOCUMENTS / n)


def actively(vectors, labels, n, rng):
    """50 labels at random; of the others half by entropy, for certain, half from the rest."""
    first = rng.choice(DOCUMENTS, 50, replace=False)
    left = np.setdiff1d(np.arange(DOCUMENTS), first)
    probabilities = head(vectors[first], labels[first])(vectors[left])
    entropy = -(probabilities * np.log(probabilities)).sum(axis=1)
    certain = left[np.argsort(-entropy)[: (n - 50) // 2]]
    rest = np.setdiff1d(left, certain)
    drawn = rng.choice(rest, n - 50 - len(certain), replace=False)
    stands_for = [np.ones(len(certain)), np.full(len(drawn), len(rest) / len(drawn))]
    return np.concatenate([certain, drawn]), np.concatenate(stands_for)


def covered(n, draw, seed, graded):
    """The share of unlabelled documents whose answer lies between low and high, and the width.

    The answer is whether the first value is right; or, graded, how near a noisy score is to 1.
    """
    rng = np.random.default_rng(seed)
    vectors, labels, logits = corpus(rng)
    rows, stands_for = draw(vectors, labels, n, rng)
    answers = (labels == 0).astype(float)
    if graded:
        answers = np.clip(0.5 + logits[:, 0] / 6 + 0.15 * rng.normal(size=DOCUMENTS), 0, 1)
    folds, residuals = np.arange(len(rows)) % 5, np.empty(len(rows))
    for fold in range(5):
        out = rows[folds == fold]
        own = foreseen(vectors, answers if graded else labels, rows[folds != fold], graded)
        residuals[folds == fold] = answers[out] - own(vectors[out])
    unseen = np.setdiff1d(np.arange(DOCUMENTS), rows)
    quality = foreseen(vectors, answers if graded else labels, rows, graded)(vectors[unseen])
    low, high = interval(quality, half_width(residuals, 1 / stands_for))
    inside = (low <= answers[unseen]) & (answers[unseen] <= high)
    return inside.mean(), (high - low).mean()


def foreseen(vectors, labels, rows, graded):
    """What a head that learned from some rows foresees of the answer, as a function of vectors."""
    if not graded:
        own = head(vectors[rows], labels[rows])
        return lambda others: own(others)[:, 0]
    design = with_intercept(vectors[rows])
    held = design.T @ design + np.eye(DIMENSIONS + 1)
    coefficients = np.linalg.solve(held, design.T @ labels[rows])
    return lambda others: np.clip(with_intercept(others) @ coefficients, 0, 1)


@pytest.mark.parametrize("draw", [at_random, actively])
def test_intervals_hold_the_answer(draw):
    runs = [covered(300, draw, seed, graded=True) for seed in range(25)]
    assert 0.87 <= np.mean(runs, axis=0)[0] <= 0.93
    assert np.mean(runs, axis=0)[1] < 0.7


@pytest.mark.slow
@pytest.mark.parametrize("draw", [at_random, actively])
@pytest.mark.parametrize("n", [100, 300, 1000])
def test_intervals_cover_as_they_say(n, draw):
    runs = [covered(n, draw, seed, graded=True)[0] for seed in range(300)]
    assert 0.88 <= np.mean(runs) <= 0.94


@pytest.mark.slow
@pytest.mark.parametrize("draw", [at_random, actively])
@pytest.mark.parametrize("n", [100, 300, 1000])
def test_intervals_of_discrete_answers_cover_as_they_say(n, draw):
    runs = [covered(n, draw, seed, graded=False) for seed in range(200)]
    assert 0.86 <= np.mean(runs, axis=0)[0] <= 0.94
