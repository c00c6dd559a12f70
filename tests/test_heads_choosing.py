"""How heads are chosen: folds, strengths within noise, features, and the decision's weights."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from curate.heads import Options, learn
from curate.heads.choosing import choose, likely_place
from curate.heads.deciding import choose_weights, log_weights
from curate.heads.folds import resamples, stratified
from curate.heads.foretelling import INVERSE_STRENGTHS, Foretold, Material, foretell, knows
from curate.heads.learners import Taught, learners_of
from curate.heads.scores import macro_f1, rank_correlation, score
from tests.test_heads import QUICK, clusters, lesson_of


def test_folds_hold_every_class_alike_in_any_order() -> None:
    truth = np.eye(3)[np.repeat([0, 1, 2], [40, 13, 4])]
    ids = tuple(f"document {row}" for row in range(57))
    folds = stratified(ids, truth, 5, 0)
    counts = np.array(
        [[(truth[folds == fold, value]).sum() for value in range(3)] for fold in range(5)]
    )
    assert (np.ptp(counts, axis=0) <= 1).all()
    assert np.ptp(counts.sum(axis=1)) <= 1
    order = np.random.default_rng(0).permutation(57)
    np.testing.assert_array_equal(
        stratified(tuple(ids[row] for row in order), truth[order], 5, 0), folds[order]
    )
    assert (stratified(ids, truth, 5, 1) != folds).any()


def test_resamples_are_as_large_as_the_labels() -> None:
    counts = resamples(50, 200, 0)
    assert (counts.sum(axis=1) == 50).all()
    assert (counts == 0).mean() == pytest.approx(np.exp(-1), abs=0.02)


def test_a_row_whose_value_no_head_learned_does_not_count() -> None:
    truth = np.array([[1, 0], [1, 0], [0, 1], [1, 0], [0.4, 0.6]])
    np.testing.assert_array_equal(
        knows(truth, np.array([0, 0, 0, 1, 1])), [True, True, True, True, True]
    )
    np.testing.assert_array_equal(
        knows(truth[:4], np.array([0, 0, 1, 1])), [True, True, False, True]
    )


def test_a_strength_is_the_mean_of_those_that_may_be_the_best() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(5, 400))
    clear = np.array([0.9, 0.5, 0.1, 0.5, 0.9])[:, None] + 0.1 * noise
    assert likely_place(clear) == 2
    level = np.array([3.0, 0.2, 0.2, 0.2, 3.0])[:, None] + 1e-6 * noise
    assert likely_place(level + 1e-3 * noise) in (1, 2, 3)
    same = np.repeat(level, 1, axis=0)
    same[1:4] = same[1]
    assert likely_place(same) == 2
    # by hand: one is behind by z = 1, so its weight is exp(-1/2)
    behind = np.where(np.arange(400) % 2, 1.0, -1.0) + 1 / 20
    least, far = 0 * behind, 9 + 0 * behind
    assert likely_place(np.stack([least, behind, far])) == 0  # .38
    assert likely_place(np.stack([behind, least, behind, behind])) == 1  # 1.43
    assert likely_place(np.stack([behind, behind, behind, least])) == 2  # 1.71
    far_behind = np.where(np.arange(400) % 2, 1.0, -1.0) + 2 / 20  # by z = 2
    assert likely_place(np.stack([least, *6 * [far_behind]])) == 2  # 1.57


def chosen(means: dict[str, float], spread: float) -> str:
    """The features that are chosen among candidates of these mean losses."""
    rng = np.random.default_rng(0)
    materials, foretold = [], []
    for features, mean in means.items():
        losses = mean + spread * rng.normal(size=400)
        materials.append(
            SimpleNamespace(
                space=SimpleNamespace(features=features, encoder=None),
                learner=SimpleNamespace(name="logistic", losses=lambda logits, _: logits[:, 0]),
            )
        )
        logits = np.repeat(np.stack([losses, 0 * losses], axis=1)[None], len(INVERSE_STRENGTHS), 0)
        foretold.append(Foretold(logits, logits))
    truth, everything = np.eye(2)[np.arange(400) % 2], np.ones(400, bool)
    made: Any = materials
    one = choose("choice", made, foretold, truth, everything, everything)
    return one.figures[one.candidate].features


@pytest.mark.parametrize("name", ["logistic", "ordinal"])
def test_rows_are_foretold_by_heads_at_their_minimum(name: str) -> None:
    """Rough fits leave the free intercept short of it: their logits are wrong by .3 and more."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 60)) + rng.normal(size=60)
    features = vectors / np.sqrt((vectors**2).sum(axis=1).mean())
    levels = np.eye(3)[rng.choice(3, 60, p=[0.7, 0.1, 0.2])]
    truth = levels if name == "ordinal" else np.eye(2)[(np.arange(60) % 7 == 0).astype(int)]
    kind: Any = "rating" if name == "ordinal" else "choice"
    values = tuple("123")[: truth.shape[1]]
    learner = next(one for one in learners_of(kind, values) if one.name == name)
    nothing: Any = None  # a candidate is fitted without its space
    material = Material(nothing, learner, Taught.of(features, truth), False)
    folds = np.arange(60) % 5
    foretold = foretell(material, np.arange(60), folds)
    for logits, strength in zip(foretold.logits, INVERSE_STRENGTHS, strict=True):
        for fold in range(5):
            inside, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            exact = material.fit(others, strength, tolerance=1e-9)
            expected = learner.logits(exact.outputs(features[inside]))
            np.testing.assert_allclose(logits[inside], expected, atol=0.03)


def test_features_are_left_out_only_where_that_is_better_than_noise() -> None:
    assert chosen({"embeddings": 0.5, "characters": 0.9, "both": 0.7}, 0.1) == "embeddings"
    assert chosen({"embeddings": 0.7, "characters": 0.5, "both": 0.9}, 0.1) == "characters"
    assert chosen({"embeddings": 0.5, "characters": 0.9, "both": 0.5005}, 0.3) == "both"


def test_every_candidate_is_told_with_its_figures() -> None:
    truth, vectors = clusters(90)
    texts = [f"text {row % 7}" for row in range(90)]  # these tell nothing
    choice = learn(lesson_of(truth, vectors, texts=texts), Options(resamples=2)).choice
    by_features = {own.features: own for own in choice.candidates}
    assert set(by_features) == {"embeddings", "characters", "both"}
    assert choice.features != "characters"
    assert by_features["characters"].behind > 5 * by_features["characters"].error
    assert by_features["characters"].loss == pytest.approx(np.log(3), abs=0.1)
    assert by_features["embeddings"].score > 0.8 > by_features["characters"].score
    assert min(own.behind for own in choice.candidates) == 0


def test_class_weights_decide_and_leave_the_probabilities() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(300) < 0.1).astype(int)
    vectors = rng.normal(size=(300, 4)) + 1.2 * labels[:, None]
    lesson = lesson_of(np.eye(2)[labels], vectors)
    plain, weighted = (
        learn(lesson, Options(features="embeddings", class_weights=own, resamples=2))
        for own in ("none", "balanced")
    )
    np.testing.assert_array_equal(
        plain.out_of_fold.probabilities, weighted.out_of_fold.probabilities
    )
    foreseen = plain.out_of_fold.probabilities[:, 1].mean()
    assert foreseen == pytest.approx(labels.mean(), abs=0.02)
    assert weighted.out_of_fold.decided.sum() > 1.5 * plain.out_of_fold.decided.sum()
    auto = learn(lesson, QUICK)
    figures = [macro_f1(own.out_of_fold.decided, lesson.truth) for own in (plain, weighted, auto)]
    assert figures[2] >= min(figures[:2])
    assert auto.choice.class_weight in ("root", "balanced")


def test_the_weight_of_a_value_is_one_over_its_share() -> None:
    truth = np.eye(2)[np.repeat([0, 1], [90, 10])]
    own = np.exp(log_weights("balanced", truth))
    assert own[1] / own[0] == pytest.approx(90.25 / 10.25)
    root = np.exp(log_weights("root", truth))
    assert root[1] / root[0] == pytest.approx(np.sqrt(90.25 / 10.25))
    logits = np.where(truth == 1, 0.5, 0.0) + np.array([3.0, 0.0])
    assert choose_weights(logits, truth, np.ones(100, bool)) == "none"  # none of them decides for 1
    logits = 2 * truth + np.array([2.2, 0.0])
    assert choose_weights(logits, truth, np.ones(100, bool)) == "root"


def test_scores_by_hand() -> None:
    truth = np.eye(3)[[0, 0, 1, 1]]
    assert macro_f1(np.array([0, 1, 1, 2]), truth) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert rank_correlation(np.array([1.0, 2, 2, 5]), np.array([0.0, 1, 1, 9])) == pytest.approx(1)
    assert rank_correlation(np.ones(3), np.arange(3.0)) == 0
    assert score("preference", np.array([[1.0, 0], [0, 1]]), np.array([[1.0, 0], [1, 0]])) == 0.5
