"""The learners by value: against other solvers, against choix, and within groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from curate.heads import Options, fitting, learn
from curate.heads.calibration.temperature import Temperature, shares_of
from curate.heads.features import Space, spaces_of
from curate.heads.features.characters import Characters
from curate.heads.learners import Linear, Taught
from curate.heads.learners.choice import Choices
from curate.heads.learners.linear import PSEUDO
from curate.heads.learners.ordinal import Ordinal
from curate.heads.learners.preference import Preference
from curate.heads.learners.ridge import Ridge
from tests.test_heads import QUICK, clusters, lesson_of


def soft(rows: int, values: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).dirichlet(np.ones(values), rows)


def test_a_choice_is_what_scikit_learn_fits() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    features, truth = rng.normal(size=(60, 5)), soft(60, 3)
    taught = Taught.of(features, truth)
    head = fitting.fit(Choices(("a", "b", "c")), taught, 0.7)
    rows = np.vstack([features, features.mean(axis=0)])  # the last row spreads over all values
    shares = np.vstack([truth, np.full(3, PSEUDO / 3)])
    model = LogisticRegression(C=0.7, tol=1e-10, max_iter=5000).fit(
        np.repeat(rows, 3, axis=0), np.tile([0, 1, 2], 61), sample_weight=shares.ravel()
    )
    own = head.outputs(features)
    expected = model.decision_function(features)
    np.testing.assert_allclose(
        own - own.mean(axis=1, keepdims=True),
        expected - expected.mean(axis=1, keepdims=True),
        atol=2e-3,
    )


@pytest.mark.parametrize("size", [3, 60])
def test_ridge_is_the_closed_form_whatever_the_weights(size: int) -> None:
    rng = np.random.default_rng(0)
    features, truth = rng.normal(size=(40, size)), soft(40, 4)
    counts = rng.integers(1, 4, 40)
    head = fitting.fit(Ridge(("1", "2", "3", "4")), Taught.of(features, truth, counts), 0.5)
    rows = np.repeat(np.column_stack([features, np.ones(40)]), counts, axis=0)
    mean = np.repeat(truth @ np.linspace(0, 1, 4), counts)
    penalty = np.diag(np.append(np.full(size, 2.0), 0.0))
    expected = np.linalg.solve(rows.T @ rows + penalty, rows.T @ mean)
    np.testing.assert_allclose(head.linear.weights[:, 0], expected[:-1], atol=1e-10)
    np.testing.assert_allclose(head.bias, expected[-1:], atol=1e-10)


def test_an_ordinal_head_is_one_direction_for_all_steps() -> None:
    from scipy.optimize import minimize

    rng = np.random.default_rng(0)
    features, truth = rng.normal(size=(50, 2)), soft(50, 4)
    head = fitting.fit(Ordinal(("1", "2", "3", "4")), Taught.of(features, truth), 2.0)

    def loss(flat: Any) -> float:
        rows = np.vstack([features, features.mean(axis=0)])
        outputs = (rows @ flat[:2])[:, None] + flat[2:]
        shares = np.vstack([truth, np.full(4, 0.25)])
        above = np.column_stack([shares[:, step:].sum(axis=1) for step in (1, 2, 3)])
        losses = (np.logaddexp(0, outputs) - above * outputs).sum(axis=1)
        return float(np.append(np.ones(50), PSEUDO) @ losses + flat[:2] @ flat[:2] / 4)

    best = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-8}).x
    np.testing.assert_allclose(head.linear.weights[:, 0], best[:2], atol=1e-4)
    np.testing.assert_allclose(head.bias, best[2:], atol=1e-4)
    assert (np.diff(head.bias) < 0).all()  # a higher step is less likely to be reached
    shares = np.exp(Ordinal(("1", "2", "3", "4")).logits(head.outputs(features)))
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-9)


@pytest.mark.parametrize(
    "learner", [Choices(("1", "2", "3")), Ordinal(("1", "2", "3")), Ridge(("1", "2", "3"))]
)
def test_no_output_depends_on_where_features_have_their_origin(learner: Any) -> None:
    """Features are centred at all labelled texts, which the head of a fold must not know of."""
    rng = np.random.default_rng(0)
    features, truth, new = rng.normal(size=(40, 6)), soft(40, 3), rng.normal(size=(9, 6))
    truth[:, 0] += 4  # the origin only tells where values are unequal
    taught = Taught.of(features, truth / truth.sum(axis=1, keepdims=True))
    moved = replace(taught, features=features + 2)
    own = fitting.fit(learner, taught, 3.0, tolerance=1e-7).outputs(new)
    other = fitting.fit(learner, moved, 3.0, tolerance=1e-7).outputs(new + 2)
    np.testing.assert_allclose(learner.logits(own), learner.logits(other), atol=2e-3)


def pairs(items: int = 12, comparisons: int = 150) -> Any:
    """Comparisons (first, second) by strength, and differences of one-hot features."""
    rng = np.random.default_rng(0)
    strength = rng.normal(size=items)
    sides = np.array([rng.choice(items, 2, replace=False) for _ in range(comparisons)])
    wins = rng.random(comparisons) < 1 / (1 + np.exp(strength[sides[:, 1]] - strength[sides[:, 0]]))
    features = np.eye(items)[sides[:, 0]] - np.eye(items)[sides[:, 1]]
    return sides, wins, features


def test_preferences_on_one_hot_documents_are_the_strengths_of_choix() -> None:
    choix = pytest.importorskip("choix", reason="choix is an oracle of this test alone")
    sides, wins, features = pairs()
    taught = Taught.of(features, np.column_stack([wins, ~wins]).astype(float))
    head = fitting.fit(Preference(("first", "second")), taught, 1 / 0.6)
    ordered = [tuple(pair if won else pair[::-1]) for pair, won in zip(sides, wins, strict=True)]
    expected = choix.opt_pairwise(12, ordered, alpha=0.3, method="Newton-CG", tol=1e-10)
    own = head.linear.weights[:, 0]
    np.testing.assert_allclose(own - own.mean(), expected - expected.mean(), atol=1e-3)


def test_a_tie_is_half_a_win_for_either_side() -> None:
    _, _, features = pairs(6, 40)
    ties = np.tile([0.0, 0.0, 1.0], (40, 1))
    vectors = np.stack([features, -features], axis=1)
    lesson = lesson_of(ties, vectors, "preference", values=("first", "second", "tie"))
    np.testing.assert_allclose(lesson.targets(), 0.5)
    head = fitting.fit(Preference(("first", "second")), Taught.of(features, lesson.targets()), 1.0)
    np.testing.assert_allclose(head.linear.weights, 0, atol=1e-6)


def test_a_preference_tells_documents_from_an_average_one() -> None:
    rng = np.random.default_rng(0)
    documents = rng.normal(size=(200, 2, 6)).astype(np.float32)
    gap = 2 * (documents[:, 0, 0] - documents[:, 1, 0])
    wins = rng.random(200) < 1 / (1 + np.exp(-gap))
    truth = np.column_stack([wins, ~wins]).astype(float)
    learned = learn(lesson_of(truth, documents, "preference", values=("first", "second")), QUICK)
    assert learned.out_of_fold.probabilities.shape == (200, 1)
    assert ((learned.out_of_fold.probabilities[:, 0] > 0.5) == wins).mean() > 0.7
    average = documents.reshape(400, 6).mean(axis=0, keepdims=True)
    better = average + np.eye(1, 6, dtype=np.float32)
    shown = learned.predict(
        {"minilm": np.vstack([average, better, 2 * average - better])}, None, None
    )
    middle, high, low = shown.probabilities[:, 0]
    assert middle == pytest.approx(0.5, abs=1e-6)
    assert high == pytest.approx(1 - low, abs=1e-6)
    assert 0.75 < high < 0.95  # the logit of the truth is 2


def test_documents_of_a_pair_change_sides_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    documents = rng.normal(size=(80, 2, 4)).astype(np.float32)
    truth = soft(80, 2)
    lesson = lesson_of(truth, documents, "preference", values=("first", "second"))
    turned = replace(lesson, truth=truth[:, ::-1], vectors={"minilm": documents[:, ::-1]})
    own, other = learn(lesson, QUICK), learn(turned, QUICK)
    given = {"minilm": documents[:, 0]}
    np.testing.assert_allclose(
        own.predict(given, None, None).probabilities,
        other.predict(given, None, None).probabilities,
        atol=1e-3,
    )


def test_within_groups_is_another_direction() -> None:
    """The group alone explains the label; within groups the second dimension does."""
    rng = np.random.default_rng(0)
    groups = np.arange(400) % 4
    vectors = rng.normal(size=(400, 6))
    vectors[:, 0] += 3.0 * groups
    logit = 2.5 * (groups - 1.5) + 1.5 * vectors[:, 1]
    is_good = rng.random(400) < 1 / (1 + np.exp(-logit))
    truth = np.column_stack([~is_good, is_good]).astype(float)
    lesson = lesson_of(truth, vectors, groups=groups.astype(str))

    def slopes(centred: bool) -> Any:
        weights = learn(lesson, replace(QUICK, centred=centred)).weights.vectors
        assert weights is not None
        return weights[:, 1] - weights[:, 0]

    across, within = slopes(False), slopes(True)
    assert across[0] > 0.3
    assert abs(within[0]) < 0.15 * within[1]
    assert 0.9 < within[1] < 1.8  # 1.5 in truth


@pytest.mark.parametrize("learner", [Choices(("a", "b")), Ridge(("0", "1")), Ordinal(("0", "1"))])
def test_biases_of_groups_are_dropped_and_the_common_one_fits_all(learner: Any) -> None:
    rng = np.random.default_rng(1)
    groups = np.arange(300) % 3
    features = rng.normal(size=(300, 2)) + groups[:, None]
    is_second = rng.random(300) < np.array([0.1, 0.5, 0.9])[groups]
    truth = np.column_stack([~is_second, is_second]).astype(float)
    taught = replace(Taught.of(features, truth), groups=groups)
    head = fitting.fit(learner, taught, 1.0, centred=True)
    assert np.abs(head.linear.weights).max() < 0.25
    logits = learner.logits(head.outputs(features))
    if learner.name == "ridge":
        assert (logits[:, 1] - logits[:, 0] + 0.5).mean() == pytest.approx(
            is_second.mean(), abs=0.01
        )
    else:
        assert np.exp(logits - np.logaddexp.reduce(logits, axis=1)[:, None])[:, 1].mean() == (
            pytest.approx(is_second.mean(), abs=0.03)
        )
    within = learner.logits(head.outputs_within(features, groups))
    own = [(within[groups == group, 1] - within[groups == group, 0]).mean() for group in range(3)]
    assert own[0] < own[1] < own[2]
    unknown = head.outputs_within(features, groups + 7)
    np.testing.assert_allclose(unknown, head.outputs(features))


def test_biases_of_groups_fit_their_groups() -> None:
    rng = np.random.default_rng(2)
    groups = np.arange(600) % 3
    features = rng.normal(size=(600, 1)) + 2.0 * groups[:, None]
    logit = 1.5 * (features[:, 0] - 2 * groups) + np.array([-1.0, 2.0, 0.0])[groups]
    is_second = rng.random(600) < 1 / (1 + np.exp(-logit))
    taught = Taught.of(features, np.column_stack([~is_second, is_second]).astype(float))
    head = fitting.fit(Choices(("a", "b")), replace(taught, groups=groups), 100.0, centred=True)
    assert np.diff(head.linear.weights, axis=1).item() == pytest.approx(1.5, abs=0.3)
    foreseen = np.exp(Choices(("a", "b")).logits(head.outputs_within(features, groups)))[:, 1]
    for group in range(3):
        inside = groups == group
        assert foreseen[inside].mean() == pytest.approx(is_second[inside].mean(), abs=0.01)


# ── rotation, characters


def spaces(rows: int = 30) -> list[Space]:
    truth, vectors = clusters(rows)
    texts = [f"text {row} of class {'abc'[row % 3] * 3}" for row in range(rows)]
    return spaces_of(lesson_of(truth, 5 + 3 * vectors, texts=texts), Options())


@pytest.mark.parametrize("place", range(3))
def test_rotated_weights_are_those_of_the_features(place: int) -> None:
    space = spaces()[place]
    assert [own.features for own in spaces()] == ["embeddings", "characters", "both"]
    weights = np.random.default_rng(0).normal(size=(space.rotated.shape[1], 2))
    primal = space.primal(weights)
    outputs: Any = primal.bias
    matrices = iter(part.matrix for part in space.parts)
    for own in (primal.vectors, primal.characters):
        outputs = outputs if own is None else outputs + next(matrices) @ own
    np.testing.assert_allclose(outputs, space.rotated @ weights, atol=1e-8)
    assert (space.rotated**2).sum(axis=1).mean() == pytest.approx(1.0)


def test_many_rows_keep_the_largest_dimensions(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = spaces(60)[0].rotated
    monkeypatch.setattr("curate.heads.features.spaces.EXACT", 10)
    monkeypatch.setattr("curate.heads.features.spaces.RANK", 4)
    own = spaces(60)[0].rotated
    assert own.shape == (60, 4)
    np.testing.assert_allclose((own**2).sum(axis=0), (exact**2).sum(axis=0)[:4], rtol=1e-6)


def test_characters_are_tfidf_with_sublinear_counts() -> None:
    weighting, matrix = Characters.fit(["ab", "aab", "c"])
    assert matrix.shape == (3, len(weighting.columns))
    np.testing.assert_allclose(matrix.multiply(matrix).sum(axis=1), 1)
    alone = weighting(["c", "zzz", "", "一二"])
    assert alone[0].nnz == 1
    assert alone[0].sum() == pytest.approx(1)
    assert alone[1].nnz == alone[2].nnz == alone[3].nnz == 0
    idf_a, idf_c = np.log(4 / 3) + 1, np.log(4 / 2) + 1
    mixed = weighting(["aac"])
    assert mixed.max() < 1
    rows = {round(float(x), 12) for x in mixed.data / mixed.data.min()}
    assert round(float((1 + np.log(2)) * idf_a / idf_c), 12) in rows


# ── rare classes


def test_a_head_that_knows_nothing_foresees_the_shares() -> None:
    truth = np.eye(3)[np.repeat([0, 1, 2], [57, 2, 1])]
    logits = np.random.default_rng(0).normal(size=(60, 3)) * 3 + np.log(shares_of(truth))
    probabilities = Temperature.fit(logits, truth, shares_of(truth))(logits)
    np.testing.assert_allclose(probabilities.mean(axis=0), truth.mean(axis=0), atol=0.02)


def test_one_label_in_sixty_is_foreseen_about_once() -> None:
    foreseen = []
    for seed in range(4):
        truth, vectors = clusters(60, seed=seed)
        truth = np.column_stack([truth, np.zeros(60)])
        truth[0] = (0, 0, 0, 1)
        probabilities = learn(lesson_of(truth, vectors), QUICK).out_of_fold.probabilities
        foreseen.append(probabilities[:, 3].sum())
        assert probabilities[0, 3] > 1e-3  # by a head without that value
    assert 1 / 1.5 < np.mean(foreseen) < 1.5


def bags(rng: Any, labels: Any, words: int = 4000) -> Any:
    """Texts of 30 words, of norm 1: 6 in 100 words are of the 60 that tell the label."""
    rows = np.zeros((len(labels), words))
    for row, label in zip(rows, labels, strict=True):
        common, telling = rng.integers(120, words, 30), 60 * label + rng.integers(0, 60, 30)
        row[np.where(rng.random(30) < 0.06, telling, common)] = 1
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.slow
def test_new_texts_are_foretold_the_share_of_the_labels_and_no_more() -> None:
    """Features by the thousand that tell little: the mean prediction follows the labels' share.

    Its slope was 1.4 when a bare temperature multiplied what heads made of the share.
    """
    shares, means, own_means = [], [], []
    for seed in range(8):
        for positive in (18, 42):
            rng = np.random.default_rng(seed)
            labels = np.repeat([0, 1], [60 - positive, positive])
            lesson = lesson_of(np.eye(2)[labels], bags(rng, labels))
            learned = learn(lesson, Options(features="embeddings", resamples=1))
            new = bags(rng, np.repeat([0, 1], 150)).astype(np.float32)
            predicted = learned.predict({"minilm": new}, None, None).probabilities
            shares.append(positive / 60)
            means.append(predicted[:, 1].mean())
            own_means.append(learned.out_of_fold.probabilities[:, 1].mean())
    assert np.polyfit(shares, means, 1)[0] == pytest.approx(1.0, abs=0.2)
    assert np.polyfit(shares, own_means, 1)[0] == pytest.approx(1.0, abs=0.15)


def test_the_idf_is_that_of_the_background() -> None:
    labelled, background = ["ab", "bc"], ["ab", "a", "zz"]
    own, weighted = Characters.fit(labelled, background)
    alone, _ = Characters.fit(labelled)
    place = {letter: int(_column(letter)) for letter in "abc"}
    idf = dict(zip(own.columns.tolist(), own.idf.tolist(), strict=True))
    assert idf[place["a"]] == pytest.approx(np.log(4 / 3) + 1)
    assert idf[place["b"]] == pytest.approx(np.log(4 / 2) + 1)
    assert idf[place["c"]] == pytest.approx(np.log(4) + 1) == pytest.approx(float(own.unseen))
    assert np.asarray(weighted.todense()) == pytest.approx(np.asarray(own(labelled).todense()))
    assert alone.idf.tolist() != own.idf.tolist()


def _column(letter: str) -> int:
    """The column of a single letter, which stands alone in a text."""
    (column,) = Characters.fit([letter])[0].columns.tolist()
    return int(column)


def test_the_mean_of_heads_foretells_the_mean() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(5, 3))
    heads = [
        fitting.Head(
            Linear(rng.normal(size=(3, 2)), np.zeros((1, 2))), rng.normal(size=2), np.zeros(1, int)
        )
        for _ in range(4)
    ]
    expected = np.mean([head.outputs(features) for head in heads], axis=0)
    assert fitting.mean(heads).outputs(features) == pytest.approx(expected)
