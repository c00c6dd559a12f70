"""Heads: they learn, they are honest about labels they saw, and quality is what the recipe says."""

import json

import numpy as np
import pytest

from curate import tables
from curate.errors import DataError, RecipeError
from curate.export.formats import read_shard
from curate.export.verify import verify
from curate.metrics import cross_entropy
from curate.records import Question
from curate.score import calibration, heads, learning
from curate.score.quality import quality_function
from curate.score.spec import ScoreSpec

MOOD = Question("mood", "choice", ("text",), ("bad", "fine", "good"), ("bad", "fine", "good"))


def clouds(n=300, classes=3, spread=0.7, dimensions=12, seed=0):
    """Return points around one centre for each class, and their classes."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(classes, dimensions))
    own = rng.integers(classes, size=n)
    return (centres[own] + spread * rng.normal(size=(n, dimensions))).astype(np.float32), own


def fitted(vectors, rows, truth, learn=None, seed=0):
    folds = np.arange(len(rows)) % 5
    learn = learn or heads.choice_head([str(i) for i in range(truth.shape[1])])
    return learning.fit(learn, vectors, rows, truth, folds, np.random.default_rng(seed))


def test_classes_are_recovered():
    vectors, own = clouds()
    rows = np.arange(60)
    found = fitted(vectors, rows, np.eye(3)[own[:60]]).probabilities
    assert (found[60:].argmax(axis=1) == own[60:]).mean() > 0.85
    assert found.sum(axis=1) == pytest.approx(np.ones(300))


def test_a_labelled_row_is_predicted_by_heads_that_never_saw_its_label():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(100, 300)).astype(np.float32)
    truth = np.eye(2)[rng.integers(2, size=100)]  # nothing to learn, all to memorise
    found = fitted(vectors, np.arange(100), truth)
    right = (found.probabilities.argmax(axis=1) == truth.argmax(axis=1)).mean()
    assert 0.3 < right < 0.7
    for resampled in found.resampled(3):
        assert np.isnan(resampled).any(axis=1).mean() == pytest.approx(0.63, abs=0.15)


def test_constant_dimensions_do_not_matter():
    vectors, own = clouds()
    noisy = np.column_stack([vectors, np.full(300, 0.5) + 1e-7 * np.arange(300) % 3])
    truth = np.eye(3)[own[:60]]
    plain = fitted(vectors, np.arange(60), truth).probabilities
    same = fitted(noisy.astype(np.float32), np.arange(60), truth).probabilities
    assert np.abs(plain - same).max() < 1e-6


def test_the_temperature_mends_overconfidence():
    rng = np.random.default_rng(2)
    truth = np.eye(2)[(rng.random(500) < 0.7).astype(int)]
    loud = np.tile([0.0, 6.0], (500, 1))
    temperature = calibration.fit_temperature(loud, truth)
    assert temperature > 3
    calm = calibration.softmax(loud / temperature)
    assert cross_entropy(truth, calm) < cross_entropy(truth, calibration.softmax(loud))
    assert calm[0, 1] == pytest.approx(truth[:, 1].mean(), abs=0.01)


def test_soft_labels_pull_by_their_share():
    vectors = np.repeat(np.eye(2, dtype=np.float32), 100, axis=0)
    vectors += 0.01 * np.random.default_rng(0).normal(size=vectors.shape).astype(np.float32)
    truth = np.repeat([[0.8, 0.2], [0.3, 0.7]], 100, axis=0)
    found = fitted(vectors, np.arange(200), truth).probabilities
    assert found[:100, 0].mean() == pytest.approx(0.8, abs=0.03)
    assert found[100:, 0].mean() == pytest.approx(0.3, abs=0.03)


def test_a_rating_rises_with_what_it_depends_on():
    rng = np.random.default_rng(3)
    worth = rng.uniform(1, 5, 400)
    vectors = np.column_stack([worth, rng.normal(size=(400, 5))]).astype(np.float32)
    truth = np.eye(5)[np.clip(np.rint(worth), 1, 5).astype(int)[:150] - 1]
    learn = heads.rating_head(("1", "2", "3", "4", "5"))
    found = fitted(vectors, np.arange(150), truth, learn)
    expected = found.probabilities @ np.arange(1, 6)
    assert np.corrcoef(expected[150:], worth[150:])[0, 1] > 0.95


def test_quality_is_what_the_recipe_says():
    p = np.array([[0.2, 0.5, 0.3]])
    clarity = quality_function(ScoreSpec(quality={"clarity": ["bad", "good"]}), MOOD)
    assert clarity(p)[0] == pytest.approx(0.3)
    values = {"bad": 0, "fine": 0.5, "good": 1}
    worth = quality_function(ScoreSpec(quality={"values": values}), MOOD)
    assert worth(p)[0] == pytest.approx(0.55)
    assert quality_function(ScoreSpec(), MOOD) is None
    stars = Question("stars", "rating", ("text",), ("1", "2", "3"), ("1", "2", "3"))
    assert quality_function(ScoreSpec(), stars)(p)[0] == pytest.approx(0.55)


@pytest.mark.parametrize(
    "quality", [{"clarity": ["great"]}, {"values": {"bad": 0}}, {"values": {"bad": 0, "odd": 1}}]
)
def test_quality_of_what_is_not_asked_is_an_error(quality):
    with pytest.raises(RecipeError):
        quality_function(ScoreSpec(quality=quality), MOOD)


# ── the stage


@pytest.fixture
def labelled(offline):
    offline.prepare()
    offline.answer("ann", "bob")
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    return offline


def test_every_kept_document_is_scored(labelled):
    quality = {"clarity": ["negative", "positive"]}
    made = labelled.run("score", encoder="chargram", quality=quality, resamples=5)
    rows = labelled.rows("scores")
    kept = [row for row in labelled.rows("clean") if row["kept"]]
    assert [row["id"] for row in rows] == [row["id"] for row in kept]
    assert made.documents == len(rows)
    assert sum(row["out_of_fold"] for row in rows) == made.labelled == 40
    for row in rows:
        parts = [row[f"sentiment:{value}"] for value in ("negative", "neutral", "positive")]
        assert sum(parts) == pytest.approx(1)
        assert row["quality"] == pytest.approx(max(parts[0], parts[2]))
        assert row["low"] <= row["quality"] <= row["high"]


def test_vectors_are_kept_and_only_what_is_missing_is_made(labelled):
    first = labelled.run("score", encoder="chargram", resamples=2)
    assert first.encoded == first.documents
    assert labelled.run("score", encoder="chargram", resamples=2).encoded == 0


def test_too_few_labels_and_labels_that_are_all_the_same(offline):
    offline.prepare(n=5)
    offline.answer("ann")
    offline.run("pull")
    offline.run("agree")
    with pytest.raises(DataError, match="too few"):
        offline.run("score", encoder="chargram")


def test_one_class_is_nothing_to_learn(offline):
    offline.prepare(n=20)
    offline.answer("ann", opinion=lambda text: "neutral")
    offline.run("pull")
    offline.run("agree")
    with pytest.raises(DataError, match="nothing to learn"):
        offline.run("score", encoder="chargram")


def test_a_question_that_is_not_there(labelled):
    with pytest.raises(RecipeError, match="no question mood"):
        labelled.run("score", encoder="chargram", question="mood")


def test_holdout_is_scored_too(labelled):
    labelled.run("score", encoder="chargram", resamples=2)
    held = {row["id"] for row in labelled.rows("pool") if row["holdout"]}
    assert held
    assert held & {row["id"] for row in labelled.rows("scores")}
    assert json.loads(labelled.rows("labels")[0]["value"])


def test_a_class_with_one_label_is_learned_from(offline):
    """The fold that holds it teaches one class only, and so do many resamples."""
    offline.prepare(n=12)
    rare = offline.tasks[0]["text"]
    offline.answer("ann", opinion=lambda text: "positive" if text == rare else "negative")
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    quality = {"clarity": ["negative", "positive"]}
    made = offline.run("score", encoder="chargram", quality=quality, resamples=5)
    assert made.labelled == 12
    for row in offline.rows("scores"):
        assert 0 <= row["low"] <= row["quality"] <= row["high"] <= 1


def test_two_resamples_are_enough_for_every_row(labelled):
    """A labelled row that both resamples hold has no interval but its own prediction."""
    quality = {"clarity": ["negative", "positive"]}
    labelled.run("score", encoder="chargram", quality=quality, resamples=2)
    rows = labelled.rows("scores")
    assert all(row["low"] <= row["quality"] <= row["high"] for row in rows)
    assert any(row["low"] == row["quality"] == row["high"] for row in rows if row["out_of_fold"])


def rated(offline, question):
    """Rate the reviews with 5 and 1 under a question of that name."""
    offline.reviews()
    offline.pool(holdout=0.1)
    offline.run("clean")
    offline.run("sample", n=40, seed=1)
    (offline.root / "stars.xml").write_text(
        '<View><Text name="t" value="$text"/>'
        f'<Rating name="{question}" toName="t" maxRating="5"/></View>'
    )
    offline.run("push", backend="folder", form="stars.xml", overlap=1)
    good = ("wonderful", "lovely", "brilliant", "delightful", "excellent")
    offline.answer(
        "ann", question=question, opinion=lambda t: 5 if any(w in t for w in good) else 1
    )
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    offline.run("score", encoder="chargram", resamples=2)


@pytest.mark.parametrize("question", ["stars", "quality", "language", "id"])
def test_a_question_may_have_the_name_of_a_column(offline, question):
    """The form `quality` that comes with curate asks a question of that name."""
    rated(offline, question)
    rows = offline.rows("scores")
    column = tables.predicted(question)
    ids = [row["id"] for row in offline.rows("clean") if row["kept"]]
    assert [row["id"] for row in rows] == ids
    assert all(0 <= row["quality"] <= 1 for row in rows)
    assert {row[column] for row in rows} <= {"1", "2", "3", "4", "5"}
    offline.run("mix", groups=["source"], within={"strategy": "softmax"}, budget="50%")
    offline.run("export")
    folder = offline.root / "export"
    assert verify(folder).problems == ()
    labels = [each["labels"][question] for each in read_shard(folder / "data-00000.jsonl")]
    assert {label["by"] for label in labels} == {"people", "model"}
    assert all(isinstance(label["value"], float) for label in labels)
    if question != "language":  # that is a column of documents first
        offline.run("mix", groups=[question], budget="50%")
        assert {row["group"] for row in offline.rows("groups")} == {row[column] for row in rows}
