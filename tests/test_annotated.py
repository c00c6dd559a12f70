"""Labelled documents beside predictions and weights; truth by votes, and by votes and head."""

import numpy as np
import pyarrow as pa
import pytest

from curate.annotated.answers import Answers
from curate.annotated.documents import labelled_documents
from curate.annotated.truth import by_votes, mean_rating, with_head
from curate.inference.groups import Labelled, group_mean, group_means
from curate.inference.joint import product
from curate.records import Question
from tests.conftest import feeling


def answers(kind, posterior, votes):
    values = ("1", "2", "3")
    ids = tuple(str(row) for row in range(len(posterior)))
    question = Question("q", kind, (), values, values)
    return Answers(question, values, ids, np.array(posterior), np.array(votes), {})


POSTERIOR = [[0.8, 0.2, 0.0], [0.1, 0.3, 0.6], [0.0, 0.5, 0.5]]
PREDICTED = np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1]])


def test_a_choice_is_read_with_the_head():
    own = answers("choice", POSTERIOR, [3, 3, 2])
    read = with_head(own, PREDICTED)
    assert read.values == pytest.approx(product(np.array(POSTERIOR), PREDICTED))
    assert read.variances == pytest.approx(read.values * (1 - read.values))
    votes = by_votes(own)
    assert votes.values.tolist() == POSTERIOR
    assert votes.variances[0] == pytest.approx([0.16, 0.16, 0])
    assert read.of(1).values == pytest.approx(read.values[:, 1])
    assert read.at(np.array([2])).variances == pytest.approx(read.variances[2:])


def test_a_rating_stands_as_people_gave_it():
    own = answers("rating", POSTERIOR, [4, 4, 2])
    read = with_head(own, PREDICTED)
    assert read.values.tolist() == POSTERIOR
    assert read.variances[0] == pytest.approx([0.04, 0.04, 0])
    assert read.variances[2] == pytest.approx([0, 0.125, 0.125])
    assert mean_rating(own).values == pytest.approx([1.2, 2.5, 2.5])


# ── in a workspace


def test_labelled_documents_stand_beside_predictions_out_of_fold(whole):
    workspace = whole.workspace
    scores = {row["id"]: row for row in whole.rows("scores")}
    labels = {row["id"]: dict(row["posterior"]) for row in whole.rows("labels")}
    candidates = workspace.documents.table(["id", "text", "holdout"]).to_pylist()
    text_of = {row["id"]: row["text"] for row in candidates if not row["holdout"]}
    own = labelled_documents(workspace).questions["sentiment"]
    assert set(own.ids) == set(text_of) & set(labels)
    assert all(scores[id]["out_of_fold"] for id in own.ids)
    for place, value in enumerate(own.values):
        assert own.predicted[:, place] == pytest.approx(
            [scores[id].get(f"sentiment:{value}", 0.0) for id in own.ids]
        )
    said = [own.values[place] for place in own.truth.values.argmax(axis=1)]
    assert said == [feeling(text_of[id]) for id in own.ids]
    assert own.truth.values.sum(axis=1) == pytest.approx(np.ones(len(own.ids)))
    assert own.weights.sum() == pytest.approx(len(text_of), rel=0.05)


def test_the_quality_of_labelled_documents_is_that_of_peoples_answers(whole):
    scores = {row["id"]: row["quality"] for row in whole.rows("scores")}
    both = labelled_documents(whole.workspace)
    own, question = both.quality, both.questions["sentiment"]
    assert own.ids == question.ids
    assert own.weights.tolist() == question.weights.tolist()
    assert own.predicted == pytest.approx([scores[id] for id in own.ids])
    said = question.truth.values[:, question.values.index("positive")]
    assert np.corrcoef(own.truth.values, said)[0, 1] > 0.95  # all of a positive text, no other
    assert (own.truth.variances >= 0).all()


def test_a_question_without_predictions_is_not_there(whole):
    tables = whole.workspace.tables
    made = tables.made("scores")
    facts = {**made.facts, "questions": {}}
    with tables.building("scores", type(made)("score", made.spec, made.inputs, "0", facts)) as to:
        for shard in whole.workspace.documents.shards():
            ids = shard.read(["id"])["id"]
            nothing = {"id": ids, "quality": pa.nulls(len(ids), pa.float64())}
            pa.parquet.write_table(pa.table(nothing), to / shard.name)
    both = labelled_documents(whole.workspace)
    assert (both.questions, both.quality) == ({}, None)


# ── means of groups


def test_each_group_has_the_mean_of_its_own_labels():
    rng = np.random.default_rng(0)
    truth, predicted, weights = rng.random(9), rng.random(9), rng.uniform(1, 5, 9)
    names = ["a", "b", "a", None, "b", "a", "a", "b", "a"]
    labelled = Labelled(truth, predicted, weights, np.full(9, 0.01))
    ours = group_means(labelled, names, {"a": 0.4, "b": 0.7, "c": 0.2})
    assert set(ours) == {"a", "b", "c"}
    assert (ours["c"].labels, ours["c"].low) == (0, None)
    rows = np.array([0, 2, 5, 6, 8])
    alone = Labelled(truth[rows], predicted[rows], weights[rows], np.full(5, 0.01))
    assert ours["a"] == group_mean(alone, 0.4)
