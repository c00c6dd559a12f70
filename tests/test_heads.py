"""Heads: what is learned from labels, chosen out of fold, and stored."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curate.errors import DataError
from curate.heads import Lesson, Options, Pieces, learn, load, pieces_at, save
from curate.heads.folds import stratified

QUICK = Options(features="embeddings", resamples=4)


def lesson_of(truth: Any, vectors: Any, kind: Any = "choice", **changed: Any) -> Lesson:
    rows = len(truth)
    made = Lesson(
        kind=kind,
        values=tuple(str(place) for place in range(truth.shape[1])),
        ids=tuple(f"document {row}" for row in range(rows)),
        truth=truth,
        settled=np.ones(rows, bool),
        vectors={"minilm": np.asarray(vectors, np.float32)},
        texts=(),
        groups=np.full(rows, "one"),
    )
    return replace(made, **changed)


def clusters(rows: int = 120, dimension: int = 8, seed: int = 0) -> tuple[Any, Any]:
    """Classes of three that vectors tell well: posteriors and vectors."""
    rng = np.random.default_rng(seed)
    classes = np.arange(rows) % 3
    vectors = rng.normal(size=(rows, dimension)) + 2.0 * np.eye(3, dimension)[classes]
    return np.eye(3)[classes], vectors


def test_a_choice_is_learned() -> None:
    truth, vectors = clusters()
    learned = learn(lesson_of(truth, vectors), QUICK)
    assert (learned.out_of_fold.decided == truth.argmax(axis=1)).mean() > 0.8
    np.testing.assert_allclose(learned.out_of_fold.probabilities.sum(axis=1), 1)
    _, unseen = clusters(seed=1)
    predicted = learned.predict({"minilm": unseen.astype(np.float32)}, None, None)
    assert (predicted.decided == truth.argmax(axis=1)).mean() > 0.8
    assert predicted.samples.shape == (4, 120, 3)


def test_training_is_centred_in_other_groups_than_calibration_goes_by() -> None:
    truth, vectors = clusters(200)
    centres = np.where(np.arange(200) % 4 < 2, "left", "right")
    groups = np.where(np.arange(200) < 100, "early", "late")
    centred = replace(QUICK, centred=True, calibration="temperature")
    both = learn(lesson_of(truth, vectors, groups=groups, centres=centres), centred)
    alone = learn(lesson_of(truth, vectors, groups=centres), centred)
    np.testing.assert_array_equal(both.weights.vectors, alone.weights.vectors)
    other = learn(lesson_of(truth, vectors, groups=groups), centred)
    assert np.abs(both.weights.vectors - other.weights.vectors).max() > 1e-3
    # Groups that are told apart by their labels alone: each needs a map of its own.
    early = (groups == "early")[:, None]
    noisy = np.where(early, truth, np.roll(truth, np.arange(200) % 2, axis=1))
    noisy = np.where(early, truth, noisy[np.random.default_rng(0).permutation(200)])
    lesson = lesson_of(noisy, vectors, groups=groups, centres=centres)
    own = learn(lesson, replace(centred, calibrate_by_group=True)).calibrator.own
    assert set(own) <= {"early", "late"}
    assert own


def test_a_rating_is_learned() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(150, 8))
    level = np.clip(np.round(vectors[:, 0] + 2 + 0.3 * rng.normal(size=150)), 0, 4).astype(int)
    learned = learn(lesson_of(np.eye(5)[level], vectors, "rating"), QUICK)
    means = learned.out_of_fold.probabilities @ np.arange(5)
    assert np.corrcoef(means, level)[0, 1] > 0.85


def test_the_order_of_rows_changes_nothing() -> None:
    truth, vectors = clusters()
    lesson, order = lesson_of(truth, vectors), np.random.default_rng(0).permutation(120)
    whole, mixed = learn(lesson, QUICK), learn(lesson.take(order), QUICK)
    for field in ("probabilities", "decided"):
        own = getattr(whole.out_of_fold, field)
        np.testing.assert_array_equal(own[order], getattr(mixed.out_of_fold, field))
    np.testing.assert_array_equal(whole.out_of_fold.samples[:, order], mixed.out_of_fold.samples)


def test_no_prediction_out_of_fold_depends_on_its_own_label() -> None:
    truth, vectors = clusters(60)
    lesson = lesson_of(truth, vectors)
    whole = learn(lesson, QUICK)
    turned = truth.copy()
    turned[7] = (turned[7] + 0.2) / 1.6  # of the same class, so that folds stay as they are
    other = learn(replace(lesson, truth=turned), QUICK)
    np.testing.assert_array_equal(
        whole.out_of_fold.probabilities[7], other.out_of_fold.probabilities[7]
    )
    assert not np.array_equal(
        whole.out_of_fold.probabilities[8], other.out_of_fold.probabilities[8]
    )
    seen = np.isnan(whole.out_of_fold.samples).any(axis=2)
    assert 0.5 < seen.mean() < 0.75  # 1 - 1/e of the rows


def test_pieces_are_predicted_by_the_heads_that_never_saw_their_text() -> None:
    """A piece that is another text of the same fold is predicted as that text is."""
    rng = np.random.default_rng(0)
    truth, vectors = clusters(60)
    vectors = vectors + 2 * rng.normal(size=vectors.shape)  # so that no head is sure
    texts = [" ".join(rng.choice(["one", "two", "six", "ten"], 5)) for _ in range(60)]
    lesson = lesson_of(truth, vectors, texts=texts)
    options = Options(features="both", resamples=3)
    whole = learn(lesson, options)
    folds = stratified(lesson.ids, truth, 5, 0)
    others = [
        rng.choice(np.flatnonzero(folds == fold), 1 + row % 3) for row, fold in enumerate(folds)
    ]
    places = np.concatenate(others)
    pieces = Pieces(
        {"minilm": lesson.vectors["minilm"][places]},
        [texts[place] for place in places],
        np.cumsum([0, *map(len, others)]),
    )
    learned = learn(replace(lesson, pieces=pieces), options)
    own = learned.in_pieces
    assert own is not None
    np.testing.assert_array_equal(learned.weights.vectors, whole.weights.vectors)
    expected = whole.out_of_fold.probabilities[places]
    assert expected.std() > 0.05
    np.testing.assert_allclose(own.predicted.probabilities, expected, atol=1e-5)
    np.testing.assert_array_equal(own.predicted.decided, whole.out_of_fold.decided[places])
    means = [whole.out_of_fold.probabilities[rows].mean(axis=0) for rows in others]
    np.testing.assert_allclose(learned.out_of_fold.probabilities, means, atol=1e-5)
    np.testing.assert_array_equal(learned.out_of_fold.decided, np.argmax(means, axis=1))
    # A resampled head predicts the pieces of the texts that it does not hold, and no others.
    unseen = ~np.isnan(whole.out_of_fold.samples[..., 0])
    owners = np.repeat(np.arange(60), list(map(len, others)))
    np.testing.assert_array_equal(~np.isnan(own.predicted.samples[..., 0]), unseen[:, owners])
    both = unseen[:, owners] & unseen[:, places]
    np.testing.assert_allclose(
        own.predicted.samples[both], whole.out_of_fold.samples[:, places][both], atol=1e-5
    )


def test_pieces_of_some_texts_are_theirs_in_any_order() -> None:
    starts = np.array([0, 2, 3, 6])
    places, edges = pieces_at(starts, np.array([2, 0]))
    assert places.tolist() == [3, 4, 5, 0, 1]
    assert edges.tolist() == [0, 3, 5]
    places, edges = pieces_at(starts, np.zeros(0, np.int64))
    assert (places.tolist(), edges.tolist()) == ([], [0])


def test_a_head_survives_storing_exactly(tmp_path: Path) -> None:
    truth, vectors = clusters(60)
    texts = [f"text {row} of class {'abc'[row % 3] * 3}" for row in range(60)]
    lesson = lesson_of(truth, vectors, texts=texts)
    learned = learn(lesson, Options(features="both", resamples=2))
    save(learned, tmp_path / "head")
    np.save(tmp_path / "vectors.npy", lesson.vectors["minilm"])
    script = (
        "import sys, numpy as np; from pathlib import Path; from curate.heads import load\n"
        "folder = Path(sys.argv[1]); vectors = np.load(folder / 'vectors.npy')\n"
        "texts = [f\"text {row} of class {'abc'[row % 3] * 3}\" for row in range(60)]\n"
        "predicted = load(folder / 'head').predict({'minilm': vectors}, texts, None)\n"
        "np.savez(folder / 'predicted.npz', **vars(predicted))\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    predicted = learned.predict(lesson.vectors, texts, None)
    with np.load(tmp_path / "predicted.npz") as stored:
        for field, array in vars(predicted).items():
            np.testing.assert_array_equal(stored[field], array)
    again = load(tmp_path / "head")
    assert again.choice == learned.choice
    np.testing.assert_array_equal(again.out_of_fold.samples, learned.out_of_fold.samples)


@pytest.mark.parametrize("damage", ["missing", "arrays", "json", "format", "foreign"])
def test_a_damaged_head_is_one_clear_line(tmp_path: Path, damage: str) -> None:
    truth, vectors = clusters(30)
    save(learn(lesson_of(truth, vectors), QUICK), tmp_path)
    about, arrays = tmp_path / "head.json", tmp_path / "head.npz"
    if damage == "missing":
        about.unlink()
    elif damage == "arrays":
        arrays.write_bytes(arrays.read_bytes()[:-40])
    elif damage == "json":
        about.write_text("{", encoding="utf-8")
    elif damage == "format":
        about.write_text(about.read_text().replace('"format": 1', '"format": 99'))
    else:
        about.write_text("[1, 2]", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert str(tmp_path) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


# ── odd input


def test_labels_of_one_value_foresee_that_value() -> None:
    _, vectors = clusters(30)
    learned = learn(lesson_of(np.eye(3)[np.zeros(30, int)], vectors), QUICK)
    assert (learned.out_of_fold.decided == 0).all()
    assert (learned.out_of_fold.probabilities[:, 0] > 0.95).all()
    assert (learned.out_of_fold.probabilities > 1e-3).all()


@pytest.mark.parametrize("kind", ["choice", "rating"])
def test_nine_labels_are_enough_to_answer(kind: str) -> None:
    truth, vectors = clusters(9)
    learned = learn(lesson_of(truth, vectors, kind), QUICK)
    assert np.isfinite(learned.out_of_fold.probabilities).all()
    predicted = learned.predict({"minilm": vectors.astype(np.float32)}, None, None)
    np.testing.assert_allclose(predicted.probabilities.sum(axis=1), 1)


def test_vectors_and_texts_that_say_nothing_foresee_the_shares() -> None:
    truth = np.eye(2)[np.repeat([0, 1], [30, 10])]
    lesson = lesson_of(truth, np.ones((40, 4)), texts=["", "[EMAIL] [PHONE]"] * 20)
    learned = learn(lesson, Options(resamples=2))
    np.testing.assert_allclose(learned.out_of_fold.probabilities[:, 1], 0.25, atol=0.05)
    vectors = {"minilm": np.ones((2, 4), np.float32)}
    predicted = learned.predict(vectors, ["", "never seen"], None)
    np.testing.assert_allclose(predicted.probabilities[:, 1], 0.25, atol=0.05)


def test_a_vector_that_is_not_finite_is_one_clear_line() -> None:
    truth, vectors = clusters(30)
    vectors[3, 2] = np.nan
    with pytest.raises(DataError, match="1 labelled documents have vectors of minilm"):
        learn(lesson_of(truth, vectors), QUICK)
    with pytest.raises(DataError, match="nothing to read"):
        learn(replace(lesson_of(truth, vectors), vectors={}), QUICK)
