"""Heads: they learn, they are honest about labels they saw, and quality is what the recipe says."""

import json
import os
import pickle
import subprocess
import sys
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import curate.pool.stage as pool
from curate import storage, tables
from curate.embed import embed
from curate.engine import Local
from curate.errors import DataError, RecipeError
from curate.export.formats import read_shard
from curate.export.verify import verify
from curate.metrics import cross_entropy
from curate.records import Question
from curate.report.qualities import quality_by_group
from curate.score import calibration, heads, learning
from curate.score import stage as score
from curate.score.predicting import Stacked
from curate.score.quality import quality_function, spread
from curate.score.scaling import Moments
from curate.score.spec import ScoreSpec
from curate.spec import validated
from tests import whole_score
from tests.conftest import BAD, FILMS, GOOD, MEALS, reviews

MOOD = Question("mood", "choice", ("text",), ("bad", "fine", "good"), ("bad", "fine", "good"))


def clouds(n=300, classes=3, spread=0.7, dimensions=12, seed=0):
    """Return points around one centre for each class, and their classes."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(classes, dimensions))
    own = rng.integers(classes, size=n)
    return (centres[own] + spread * rng.normal(size=(n, dimensions))).astype(np.float32), own


def fitted(vectors, rows, truth, learn=None, seed=0):
    """Return the predictions of all rows; out of fold where they have a label."""
    learn = learn or heads.choice_head([str(i) for i in range(truth.shape[1])])
    scale = Moments.of(vectors).scale()
    lesson = learning.Lesson(scale.scaled(vectors[rows]), truth, np.arange(len(rows)) % 5)
    rng = np.random.default_rng(seed)
    learned, labelled = learning.learn_heads(learn, lesson, None, 0, rng)
    values = tuple(str(i) for i in range(truth.shape[1]))
    predictions = Stacked.of(learning.Learned("q", values, scale, learned)).predict(vectors)
    predictions.put(rows, labelled)
    return predictions


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
    lesson = learning.Lesson(vectors.astype(float), truth, np.arange(100) % 5)
    learn, draws = heads.choice_head("ab"), np.random.default_rng(0)
    for _ in range(3):
        head, seen = learning.resample(learn, lesson, 1.0, draws)
        assert 1 - len(set(seen)) / 100 == pytest.approx(0.37, abs=0.15)
        guesses = heads.predict(head, lesson.vectors).argmax(axis=1) == truth.argmax(axis=1)
        assert guesses[seen].mean() > 0.95 > 0.7 > np.delete(guesses, seen).mean() > 0.3


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


def test_no_probability_depends_on_the_labels_of_its_own_fold():
    rng = np.random.default_rng(4)
    logits, folds = 3 * rng.normal(size=(60, 3)), np.arange(60) % 3
    truth = np.eye(3)[rng.integers(3, size=60)]
    before = learning._calibrated(logits, learning.Lesson(logits, truth, folds))
    for fold in range(3):
        own = folds == fold
        other = np.where(own[:, None], np.eye(3)[logits.argmax(axis=1)], truth)
        after = learning._calibrated(logits, learning.Lesson(logits, other, folds))
        assert np.array_equal(after[own], before[own])
        assert not np.isclose(after[~own], before[~own]).all()
        temperature = calibration.fit_temperature(logits[~own], truth[~own])
        assert before[own] == pytest.approx(calibration.softmax(logits[own] / temperature))


def test_resampled_heads_are_as_calm_as_the_head():
    """Heads that all say the same, too loudly, have no spread around the calibrated quality."""

    def learn(vectors, truth, inverse_strength):
        loud = np.array([0.0, 8.0])
        return heads.ChoiceHead(np.zeros((1, 2)), loud, np.arange(2), 2)

    truth = np.eye(2)[(np.arange(100) % 10 < 7).astype(int)]  # seven in ten, in every fold too
    lesson = learning.Lesson(np.zeros((100, 1)), truth, np.arange(100) // 10 % 5)
    rng = np.random.default_rng(0)
    _, predictions = learning.learn_heads(learn, lesson, lambda p: p[:, 1], 30, rng)
    assert predictions.quality == pytest.approx(np.full((3, 100), 0.7), abs=1e-3)


@pytest.mark.parametrize("inverse_strength", [0.01, 0.3, 5.0])
def test_the_head_of_a_rating_is_the_ridge_of_that_strength(inverse_strength):
    rng = np.random.default_rng(6)
    vectors, truth = rng.normal(size=(40, 4)), rng.dirichlet(np.ones(5), 40)
    head = heads.rating_head("12345")(vectors, truth, inverse_strength)
    ratings = truth @ np.arange(1, 6)
    centred = vectors - vectors.mean(axis=0)
    penalty = np.eye(4) / inverse_strength
    weights = np.linalg.solve(centred.T @ centred + penalty, centred.T @ ratings)
    assert head.weights[:, 0] == pytest.approx(weights)
    assert head.bias[0] == pytest.approx(ratings.mean() - vectors.mean(axis=0) @ weights)


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


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_logits_by_hand_are_those_of_scikit_learn(classes):
    """A head is arrays alone, so what it predicts is computed here; sklearn says what it is."""
    vectors, own = clouds(classes=classes)
    truth = np.eye(classes + 1)[own]  # the last value has no label
    rows = np.arange(60)
    soft = 0.8 * truth[rows] + 0.2 * np.roll(truth[rows], 1, axis=0)
    learn = heads.choice_head([str(i) for i in range(classes + 1)])
    head = learn(vectors[rows].astype(float), soft, 0.1)
    expected = whole_score.choice_head(range(classes + 1))(vectors[rows].astype(float), soft, 0.1)
    inputs = vectors.astype(float)
    assert heads.predict(head, inputs) == pytest.approx(expected(inputs), abs=1e-12)
    assert (heads.predict(head, inputs)[:, -1] == -30).all()
    ratings = [str(i) for i in range(1, classes + 2)]
    head = heads.rating_head(ratings)(vectors[rows].astype(float), soft, 0.1)
    expected = whole_score.rating_head(ratings)(vectors[rows].astype(float), soft, 0.1)
    assert heads.predict(head, inputs) == pytest.approx(expected(inputs), abs=1e-12)


def test_a_head_of_one_class_always_predicts_it():
    head = heads.choice_head("abc")(np.eye(4), np.eye(3)[[1, 1, 1, 1]], 1.0)
    assert heads.predict(head, np.ones((2, 4))).tolist() == [[-30, 0, -30]] * 2


def test_what_travels_to_workers_is_small_values():
    vectors, own = clouds()
    truth = np.eye(3)[own[:60]]
    lesson = learning.Lesson(vectors[:60].astype(float), truth, np.arange(60) % 5)
    quality = quality_function(ScoreSpec(quality={"clarity": ["bad"]}), MOOD)
    made, _ = learning.learn_heads(
        heads.choice_head(MOOD.labels), lesson, quality, 20, np.random.default_rng(0)
    )
    scale = Moments.of(vectors).scale()
    learned = learning.Learned("mood", MOOD.labels, scale, made, quality)
    data = pickle.dumps(learned)
    assert len(data) < 21 * 1000
    assert b"sklearn" not in data
    again = Stacked.of(pickle.loads(data)).predict(vectors)
    assert np.array_equal(again.quality, Stacked.of(learned).predict(vectors).quality)


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=6),
    st.floats(-1e3, 1e3),
    st.floats(1e-3, 1e3),
    st.integers(0, 99),
)
def test_the_scale_is_that_of_all_vectors_whatever_the_shards(sizes, centre, spread, seed):
    rng = np.random.default_rng(seed)
    vectors = (centre + spread * rng.normal(size=(sum(sizes), 5))).astype(np.float32)
    parts = np.split(vectors, np.cumsum(sizes)[:-1])
    nothing = Moments(0, np.zeros(5), 0.0)
    scale = sum((Moments.of(part) for part in parts if len(part)), nothing).scale()
    if not len(vectors):
        assert (scale.mean.tolist(), scale.spread) == ([0] * 5, 1)
        return
    assert scale.mean == pytest.approx(vectors.mean(axis=0, dtype=float), rel=1e-12, abs=1e-12)
    whole = whole_score.scaled(vectors)
    assert scale.scaled(vectors) == pytest.approx(whole, rel=1e-9, abs=1e-9)
    weights, bias = rng.normal(size=(5, 2)), rng.normal(size=2)
    direct = vectors @ scale.unscaled(weights, bias)[0] + scale.unscaled(weights, bias)[1]
    size = 1e-12 * (1 + abs(centre) / scale.spread)
    assert direct == pytest.approx(whole @ weights + bias, rel=1e-9, abs=10 * size)


def test_a_spread_is_of_the_heads_that_never_saw_the_label():
    middle = np.array([0.5, 0.5, 0.9, 0.2])
    samples = np.linspace(0, 1, 21)[:, None] * np.ones(4)
    samples[11:, 1] = np.nan  # the others reach from 0 to 0.5
    samples[:, 3] = np.nan  # all saw it
    quality, low, high = spread(middle, samples)
    assert quality.tolist() == middle.tolist()
    assert low == pytest.approx([0.05, 0.025, 0.05, 0.2])
    assert high == pytest.approx([0.95, 0.5, 0.95, 0.2])
    known = spread(middle[:1], samples[:, :1])
    assert known[:, 0].tolist() == [quality[0], low[0], high[0]]


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


@pytest.mark.parametrize(
    "quality",
    [
        {"values": {"bad": -0.1, "fine": 0.5, "good": 1}},
        {"values": {"bad": 0, "fine": 0.5, "good": 1.01}},
        {"values": {"bad": 0, "fine": float("nan"), "good": 1}},
        {"values": {"bad": 0, "fine": 0.5, "good": float("inf")}},
        {"clarity": []},
    ],
)
def test_a_quality_that_is_no_share_is_refused_with_the_recipe(quality):
    with pytest.raises(RecipeError, match=r"quality\.(values\.\w+|clarity): ") as caught:
        validated(ScoreSpec, {"quality": quality}, where="score")
    assert "\n" not in caught.value.message


def test_no_rounding_takes_a_quality_beyond_one():
    worth = quality_function(ScoreSpec(quality={"values": dict.fromkeys(MOOD.labels, 1.0)}), MOOD)
    rng = np.random.default_rng(0)
    p = calibration.softmax(rng.normal(size=(5000, 3)))
    assert (p.sum(axis=1) > 1).any()
    assert worth(p).max() == 1.0


def test_a_fold_is_calibrated_by_the_labels_of_the_others():
    """Its own labels are just what it is measured on: not even one number may come from them."""
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(60, 3)) * 3
    folds = np.arange(60) % 3
    truth = np.eye(3)[rng.integers(3, size=60)]
    truth[folds == 0] = np.eye(3)[logits[folds == 0].argmax(axis=1)]  # this fold is always right
    lesson = learning.Lesson(np.zeros((60, 1)), truth, folds)
    found = learning._calibrated(logits, lesson)
    for fold in range(3):
        own = folds == fold
        temperature = calibration.fit_temperature(logits[~own], truth[~own])
        assert found[own] == pytest.approx(calibration.softmax(logits[own] / temperature))
    wrong = truth.copy()
    wrong[folds == 0] = np.roll(truth[folds == 0], 1, axis=1)
    again = learning._calibrated(logits, learning.Lesson(lesson.vectors, wrong, folds))
    assert np.array_equal(again[folds == 0], found[folds == 0])
    assert not np.allclose(again[folds == 1], found[folds == 1])


def test_low_and_high_hold_four_of_five_further_heads():
    """Of 20 heads the 5 and 95 % quantiles hold 19 * .9 / 21 = 81 % of others like them."""
    inside, inside_labelled = [], []
    for seed in range(6):
        vectors, own = clouds(n=200, spread=1.5, seed=seed)
        truth, rows = np.eye(3)[own[:60]], np.arange(60)
        scale = Moments.of(vectors).scale()
        lesson = learning.Lesson(scale.scaled(vectors[rows]), truth, rows % 5)
        worth = quality_function(
            ScoreSpec(quality={"values": {"bad": 0, "fine": 0.5, "good": 1}}), MOOD
        )
        learn, rng = heads.choice_head(MOOD.labels), np.random.default_rng(seed)
        made, labelled = learning.learn_heads(learn, lesson, worth, 20, rng)
        learned = learning.Learned("mood", MOOD.labels, scale, made, worth)
        _, low, high = Stacked.of(learned).predict(vectors).quality
        _, labelled_low, labelled_high = labelled.quality
        for _ in range(40):
            head, seen = learning.resample(learn, lesson, made.inverse_strength, rng)
            logits = heads.predict(head, scale.scaled(vectors)) / made.temperature
            other = worth(calibration.softmax(logits))
            inside.append(((low <= other) & (other <= high))[60:].mean())
            unseen = np.setdiff1d(rows, seen)
            held = (labelled_low <= other[:60]) & (other[:60] <= labelled_high)
            inside_labelled.append(held[unseen].mean())
    assert 0.76 <= np.mean(inside) <= 0.86
    assert 0.6 <= np.mean(inside_labelled) <= 0.78


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


def prepared(offline, monkeypatch, rows_per_shard=10_000, workers=1):
    """Take the reviews to labels, in shards of a few documents."""
    monkeypatch.setattr(pool, "ROWS_PER_SHARD", rows_per_shard)
    offline.workspace.engine = Local(workers)
    offline.prepare()
    offline.answer("ann", "bob")
    offline.run("pull")
    offline.run("agree", bootstrap=0)


STAGES = {"quality": {"values": {"negative": 0.0, "neutral": 0.4, "positive": 1.0}}}


@pytest.mark.parametrize(
    ("settings", "rows_per_shard"),
    [({}, 10_000), (STAGES, 10_000), (STAGES, 9), ({"quality": {"clarity": ["positive"]}}, 30)],
)
def test_scores_are_those_of_all_vectors_in_memory(offline, monkeypatch, settings, rows_per_shard):
    monkeypatch.setattr("curate.embed.vectors.BLOCK", 7)
    prepared(offline, monkeypatch, rows_per_shard)
    offline.run("score", encoder="chargram", resamples=6, seed=3, **settings)
    spec = ScoreSpec(resamples=6, seed=3, **settings)
    ids, vectors = embed(offline.workspace, "chargram").vectors(offline.workspace)
    question = offline.workspace.rounds.questions()[0]
    rows, truth = whole_score.labelled_rows(offline.workspace, ids, question.name, question.labels)
    probabilities, quality = whole_score.whole_scores(
        vectors,
        rows,
        truth,
        whole_score.folds_of([ids[row] for row in rows], spec),
        whole_score.choice_head(question.labels),
        quality_function(spec, question),
        6,
        3,
    )
    scores = offline.workspace.tables.read("scores")
    assert scores["id"].to_pylist() == ids
    assert np.flatnonzero(scores["out_of_fold"]).tolist() == sorted(rows.tolist())
    for place, value in enumerate(question.labels):
        column = scores[f"sentiment:{value}"].to_numpy()
        assert column == pytest.approx(probabilities[:, place], abs=1e-9)
    best = [question.labels[place] for place in probabilities.argmax(axis=1)]
    assert scores["sentiment"].to_pylist() == best
    for place, name in enumerate(("quality", "low", "high")):
        if quality is None:
            assert scores[name].null_count == len(scores)
        else:
            assert scores[name].to_numpy() == pytest.approx(quality[place], abs=1e-9)


def test_scores_have_the_shards_of_clean_whatever_their_size_and_the_workers(
    offline, tmp_path, monkeypatch
):
    tables_of = []
    for name, rows, workers in (("one", 10_000, 1), ("many", 11, 1), ("both", 11, 2)):
        run = type(offline)(tmp_path / name)
        prepared(run, monkeypatch, rows, workers)
        run.run("clean", limits={"length:chars": {"min": 95}})
        run.run("score", encoder="chargram", resamples=4, **STAGES)
        run.workspace.engine.close()
        shards = run.workspace.tables.shards("clean")
        assert [path.name for path in run.workspace.tables.shards("scores")] == [
            path.name for path in shards
        ]
        tables_of.append(run.workspace.tables.read("scores"))
        for shard in run.workspace.documents.shards(scores=True):
            assert shard.read(["quality"])["quality"].null_count == 0
    one, many, both = tables_of
    assert many.equals(both)
    assert 0 < one.num_rows == many.num_rows
    for name in one.column_names:
        if one[name].type == pa.float64():
            assert one[name].to_numpy() == pytest.approx(many[name].to_numpy(), abs=1e-9)
        else:
            assert one[name].equals(many[name])


def test_an_interrupted_score_goes_on(offline, monkeypatch):
    prepared(offline, monkeypatch, rows_per_shard=20)
    offline.run("score", encoder="chargram", resamples=2, **STAGES)
    before = {path.name: path.read_bytes() for path in (offline.root / "scores").iterdir()}
    (offline.root / "scores" / "_manifest.json").unlink()
    whole, written = storage.write_parquet, []

    def stopping(path, table, **more):
        if path.parent.name.startswith("scores-"):
            if len(written) == 2:
                raise KeyboardInterrupt
            written.append(path.name)
        whole(path, table, **more)

    monkeypatch.setattr(storage, "write_parquet", stopping)
    with pytest.raises(KeyboardInterrupt):
        offline.run("score", encoder="chargram", resamples=2, **STAGES)
    monkeypatch.setattr(storage, "write_parquet", whole)
    (unfinished,) = (offline.root / ".building").glob("scores-*")
    mark = {name: (unfinished / name).stat().st_mtime_ns for name in written}
    offline.run("score", encoder="chargram", resamples=2, **STAGES)
    after = {path.name: path.read_bytes() for path in (offline.root / "scores").iterdir()}
    assert after == before
    for name, time in mark.items():
        assert (offline.root / "scores" / name).stat().st_mtime_ns == time


def begin(offline, made):
    """Begin to write scores, as if a shard were done, and stop."""
    with score._building(offline.workspace, made, "vectors/chargram") as folder:
        found = [path.name for path in storage.shards(folder)]
        for path in offline.workspace.tables.shards("scores")[:1]:
            storage.share(path, folder / path.name)
        raise KeyboardInterrupt(*found)


def test_an_interrupted_score_of_other_vectors_starts_anew(offline, monkeypatch):
    prepared(offline, monkeypatch, rows_per_shard=20)
    offline.run("score", encoder="chargram", resamples=2)
    made = offline.workspace.tables.made("scores")
    (first, *_) = offline.workspace.tables.shards("scores")
    for content, found in (("one", ()), ("one", (first.name,)), ("other", ())):
        with monkeypatch.context() as patch:
            patch.setattr(
                type(offline.workspace.tables),
                "fingerprint",
                lambda self, name, content=content: content,
            )
            with pytest.raises(KeyboardInterrupt) as stopped:
                begin(offline, made)
            assert stopped.value.args == found


def test_labels_are_of_kept_documents_outside_the_holdout(labelled):
    """A label of the holdout is to measure on; one that `clean` dropped is told of."""
    pool_rows = {row["id"]: row for row in labelled.rows("pool")}
    ids = sorted({row["id"] for row in labelled.rows("labels")})
    assert not any(pool_rows[id]["holdout"] for id in ids)
    table = labelled.workspace.tables.read("pool")
    held = pa.array(
        [
            row in ids[:3] or old
            for row, old in zip(table["id"].to_pylist(), table["holdout"].to_pylist(), strict=True)
        ]
    )
    (path,) = labelled.workspace.tables.shards("pool")
    place = table.column_names.index("holdout")
    pq.write_table(table.set_column(place, "holdout", held), path)
    storage.seal(path.parent, labelled.workspace.tables.made("pool"))
    shortest = sorted(ids[3:], key=lambda id: len(pool_rows[id]["text"]))[:4]
    limit = len(pool_rows[shortest[-1]]["text"]) + 1
    dropped = [id for id in ids[3:] if len(pool_rows[id]["text"]) < limit]
    labelled.run("clean", limits={"length:chars": {"min": limit}})
    made = labelled.run("score", encoder="chargram", resamples=2)
    assert made.labelled == len(ids) - 3 - len(dropped)
    (lost,) = [warning for warning in made.warnings if warning.key == "score.lost"]
    assert lost.figures == {"labels": len(dropped)}
    own = {row["id"] for row in labelled.rows("scores") if row["out_of_fold"]}
    assert own == set(ids[3:]) - set(dropped)


def test_neither_scores_nor_their_spread_depend_on_the_order_of_the_pool(offline, tmp_path):
    def made(run, order):
        lines = reviews(FILMS, GOOD) + reviews(MEALS, BAD)
        run.lines("all.jsonl", [lines[place] for place in order])
        run.pool(holdout=0.1)
        run.run("clean")
        run.run("sample", n=40, strategy="random", seed=1)
        run.run("push", backend="folder", form="sentiment", overlap=1)
        run.answer("ann", opinion=lambda text: ("negative", "positive")[crc32(text.encode()) % 2])
        run.run("pull")
        run.run("agree", bootstrap=0)
        run.run("score", encoder="chargram", resamples=7, **STAGES)
        return {row["id"]: row for row in run.rows("scores")}

    size = len(reviews(FILMS, GOOD) + reviews(MEALS, BAD))
    one = made(offline, range(size))
    other = made(type(offline)(tmp_path / "other"), np.random.default_rng(0).permutation(size))
    assert list(one) != list(other)
    assert {id for id, row in one.items() if row["out_of_fold"]} == {
        id for id, row in other.items() if row["out_of_fold"]
    }
    assert max(row["high"] - row["low"] for row in one.values()) > 0.01
    for id, row in one.items():
        for name in ("quality", "low", "high"):
            assert row[name] == pytest.approx(other[id][name], abs=1e-6)


@pytest.mark.parametrize("value", [1.0000001, -0.2, 1.5, float("inf"), -float("inf")])
def test_scores_with_a_quality_that_is_none_are_refused_by_every_reader(whole, value):
    (path,) = whole.workspace.tables.shards("scores")
    table = pq.read_table(path)
    row = next(row for row in whole.rows("mix") if row["copies"])
    place = table["id"].to_pylist().index(row["id"])
    quality = table["quality"].to_pylist()
    quality[place] = value
    column = table.column_names.index("quality")
    pq.write_table(table.set_column(column, "quality", pa.array(quality, pa.float64())), path)
    storage.seal(path.parent, whole.workspace.tables.made("scores"))
    words = f"the quality of {row['id']} is {value}, not 0 to 1"
    with pytest.raises(DataError, match=words):
        whole.run("mix", groups=["source"], within={"strategy": "softmax"}, budget="50%")
    with pytest.raises(DataError, match=words):
        quality_by_group(whole.workspace, whole.root / "scratch")


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


def test_heads_are_learned_by_one_thread():
    """A limit reaches only libraries that are loaded; with more threads L-BFGS only waits."""
    code = (
        "from curate.score.threads import one_thread\n"
        "from threadpoolctl import threadpool_info\n"
        "with one_thread():\n"
        "    import sklearn.linear_model\n"
        "    print(*(library['num_threads'] for library in threadpool_info()))\n"
    )
    environment = {key: value for key, value in os.environ.items() if "_NUM_THREADS" not in key}
    run = subprocess.run(
        (sys.executable, "-c", code), env=environment, capture_output=True, text=True, check=True
    )
    threads = run.stdout.split()
    assert len(threads) >= 2  # numpy's library, and scipy's
    assert set(threads) == {"1"}
