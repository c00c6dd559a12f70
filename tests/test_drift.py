"""The drift gate: exact statistics, false alarms under unequal designs, power; what is missing."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, rankdata

from curate.inference.drift import (
    Drift,
    _aucs,
    _discrepancies,
    _kernel,
    _p_value,
    _rank_sums,
    drift,
    kept_by_weight,
)
from curate.inference.missing import clusters, missing

DRAWN = (10, 20, 60, 110)
"""Labels of each of four strata: unequal propensities."""


def test_the_discrepancy_is_the_mean_of_all_pairs():
    rng = np.random.default_rng(0)
    pooled = rng.normal(size=(9, 3)).astype(np.float32)
    distances = ((pooled[:, None] - pooled) ** 2).sum(axis=2)
    median = np.median(distances[np.triu_indices(9, 1)])
    kernel = np.exp(-distances / (2 * median))
    np.testing.assert_allclose(_kernel(pooled), kernel - np.eye(9), atol=1e-6)
    members = np.zeros((9, 2), np.float32)
    members[:4, 0] = members[[1, 5, 7, 8], 1] = 1
    for column, found in zip(members.T.astype(bool), _discrepancies(pooled, members), strict=True):
        one, other = np.flatnonzero(column), np.flatnonzero(~column)
        inside = [
            np.mean([kernel[i, j] for i in part for j in part if i != j]) for part in (one, other)
        ]
        assert found == pytest.approx(sum(inside) - 2 * kernel[np.ix_(one, other)].mean(), abs=1e-5)


def test_the_auc_is_of_ridge_regressions_that_did_not_see_the_text():
    rng = np.random.default_rng(1)
    pooled = rng.normal(size=(40, 4)).astype(np.float32)
    pooled[:15, 0] += 1
    members = np.zeros((40, 1), np.float32)
    members[:15] = 1
    found = _aucs(pooled, members, np.random.default_rng(2))[0]
    folds = np.random.default_rng(2).permutation(40) % 5
    scores = np.empty(40)
    for fold in range(5):
        known = folds != fold
        wanted = members[known, 0] - members[known, 0].mean()
        gram = pooled[known].T @ pooled[known] + known.sum() * pooled.var() * np.eye(4)
        scores[~known] = pooled[~known] @ np.linalg.solve(gram, pooled[known].T @ wanted)
    assert found == pytest.approx(mannwhitneyu(scores[:15], scores[15:]).statistic / (15 * 25))


def test_rank_sums_are_those_of_scipy_with_ties_and_signs():
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(50, 6)).astype(np.float32)
    scores[:, 1] = scores[:, 1].round(1)  # many ties, and zeros of both signs
    scores[:, 2] = 0
    scores[::2, 3] = -np.abs(scores[::2, 3])
    scores[::3, 4] *= np.float32(1e-30)
    members = (rng.random((50, 6)) < 0.4).astype(np.float32)
    wanted = (rankdata(scores, axis=0) * members).sum(axis=0)
    assert np.signbit(scores[scores[:, 1] == 0, 1]).any()
    assert _rank_sums(scores, members).tolist() == wanted.tolist()


def test_the_p_value_counts_the_sample_itself():
    assert _p_value(np.array([0.5, 0.4, 0.5, 0.3])) == 0.5
    assert _p_value(np.array([0.6, *np.zeros(99)])) == 0.01
    both = Drift(100, 300, auc=0.6, auc_p_value=0.004, mmd=0.1, mmd_p_value=0.2)
    assert both.p_value == 0.008
    assert both.is_told
    assert not Drift(100, 300, 0.6, 0.005, 0.1, 0.2).is_told


def test_texts_are_kept_by_their_weight():
    ids = [f"{place}" for place in range(4000)]
    weights = np.where(np.arange(4000) % 2, 1.0, 4.0)
    kept = kept_by_weight(ids, weights, 0)
    assert len(kept) == 1000  # of about 2,500
    assert (kept % 2 == 0).mean() == pytest.approx(0.8, abs=0.04)
    few = kept_by_weight(ids[:200], weights[:200], 0)
    assert (few % 2 == 0).sum() == 100
    assert 10 <= (few % 2 == 1).sum() <= 40


# ── by simulation


def corpus(rng, documents=2000, dimensions=8):
    """Vectors of four strata that differ, and the stratum of each."""
    strata = rng.integers(0, 4, documents)
    vectors = rng.normal(size=(documents, dimensions)).astype(np.float32)
    vectors[:, 0] += strata / 2
    return vectors, strata


def at_random(strata, rng):
    return rng.choice(len(strata), 100, replace=False), np.full(100, len(strata) / 100)


def stratified(strata, rng):
    """Of each stratum another share."""
    rows, weights = [], []
    for stratum, number in enumerate(DRAWN):
        own = np.flatnonzero(strata == stratum)
        rows += rng.choice(own, number, replace=False).tolist()
        weights += [len(own) / number] * number
    return np.array(rows), np.array(weights)


def compared(seed, draw, change=lambda vectors: None, weighted=True):
    """The test of one sample of one corpus; `change` makes its texts others."""
    rng = np.random.default_rng(seed)
    vectors, strata = corpus(rng)
    rows, weights = draw(strata, rng)
    labelled = vectors[rows].copy()
    change(labelled)
    others = rng.choice(len(vectors), 200, replace=False)
    return drift(
        [f"{seed} {row}" for row in rows],
        labelled,
        weights if weighted else np.ones(len(rows)),
        [f"{seed} {row}" for row in others],
        vectors[others],
        seed=seed,
        permutations=199,
    )


def shift(vectors):
    vectors[:, 1] += 0.8


def spread(vectors):
    vectors += 0.7 * (vectors - vectors.mean(axis=0))


@pytest.mark.parametrize("draw", [at_random, stratified])
def test_a_fair_sample_raises_no_alarm(draw):
    found = [compared(seed, draw) for seed in range(60)]
    assert sum(one.p_value < 0.05 for one in found) <= 7
    assert sum(one.is_told for one in found) <= 2


def test_a_shifted_sample_is_told():
    assert sum(compared(seed, at_random, shift).p_value <= 0.01 for seed in range(20)) >= 18


def test_another_spread_is_seen_by_the_discrepancy_alone():
    found = [compared(seed, at_random, spread) for seed in range(20)]
    assert sum(one.mmd_p_value < 0.01 for one in found) >= 18
    assert sum(one.auc_p_value < 0.01 for one in found) <= 4


def test_without_its_weights_a_stratified_sample_would_be_told():
    assert (
        sum(compared(seed, stratified, weighted=False).p_value <= 0.01 for seed in range(20)) >= 15
    )


@pytest.mark.slow
@pytest.mark.parametrize("draw", [at_random, stratified])
def test_one_fair_sample_in_a_hundred_raises_an_alarm(draw):
    alarms = [compared(seed, draw).p_value <= 0.01 for seed in range(1000)]
    assert np.mean(alarms) <= 0.015


def test_the_order_of_rows_changes_nothing():
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(400, 4)).astype(np.float32)
    ids = np.array([f"{place}" for place in range(400)])
    weights = rng.uniform(1, 2, 100)
    order, other = rng.permutation(100), rng.permutation(400)
    one = drift(ids[:100].tolist(), vectors[:100], weights, ids.tolist(), vectors)
    two = drift(
        ids[order].tolist(), vectors[order], weights[order], ids[other].tolist(), vectors[other]
    )
    assert one.auc == pytest.approx(two.auc)
    assert one.mmd == pytest.approx(two.mmd, abs=1e-6)
    assert one.labelled + one.corpus == 400


def test_few_texts_are_not_compared():
    vectors = np.zeros((30, 2), np.float32)
    ids = [f"{place}" for place in range(30)]
    assert drift(ids[:19], vectors[:19], np.ones(19), ids, vectors) is None
    assert drift([], vectors[:0], np.ones(0), ids, vectors) is None
    same = drift([f"l{id}" for id in ids], vectors, np.ones(30), ids, vectors)
    assert same.p_value == 1


# ── what to sample next


def test_what_is_missing_is_told_with_its_number():
    cells = ["en"] * 90 + ["zh"] * 10
    found = missing(cells, np.ones(100), ["en"] * 500 + ["zh"] * 400 + ["fr"] * 100)
    assert [(one.cell, one.texts) for one in found] == [("zh", 30), ("fr", 10)]
    assert found[0].corpus == 0.4
    assert found[0].labelled == pytest.approx(0.1)
    error = np.sqrt(0.4 * 0.6 * (1 / 100 + 1 / 1000))
    assert found[0].deviations == pytest.approx(0.3 / error)
    assert missing(cells, np.ones(100), ["en"] * 900 + ["zh"] * 100) == ()
    # Ten Chinese texts that stand for six each are enough.
    weights = np.where(np.arange(100) < 90, 1.0, 6.0)
    assert missing(cells, weights, ["en"] * 600 + ["zh"] * 400) == ()


def test_clusters_are_named_by_their_size():
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0], [9, 0], [0, 9]])
    true = np.repeat([0, 1, 2], [60, 30, 10])
    vectors = (centres[true] + rng.normal(size=(100, 2))).astype(np.float32)
    own, every = clusters(centres.astype(np.float32), vectors, number=3)
    assert own == ["cluster 1", "cluster 2", "cluster 3"]
    assert every == [f"cluster {place + 1}" for place in true]
    assert clusters(vectors[:0], vectors[:1], number=3) == ([], ["cluster 1"])
