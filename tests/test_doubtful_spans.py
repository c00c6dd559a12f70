"""Doubtful spans: words and classes by hand, and whether planted errors come first."""

import json

import numpy as np
import pytest

from curate.annotated.spans import Marked, spans_of, tag
from curate.heads.tokens import (
    UNKNOWN,
    Tagged,
    doubt_tokens,
    features_of,
    foretell_tokens,
    out_of_fold,
    shape,
)
from curate.report.sections.doubtful import doubtful, most_doubtful
from curate.report.texts import read_texts
from curate.rounds.views import View, contested
from curate.score.doubting.spans import foreseen
from curate.text import word_places, words

NAMES = ("LOC", "PER")


def span(start, end, label):
    return {"start": start, "end": end, "label": label}


def marked(text, *spans, window=None, id="a"):
    return Marked(id, "text", text, spans, window)


@pytest.mark.parametrize("text", ["Ann's U.S. plan: 3x2!", "我在Bonn 见 Ann。", "", " … "])
def test_places_are_those_of_the_words(text):
    assert [text[start:end] for start, end in word_places(text)] == words(text)


def test_a_word_is_in_the_longest_span_that_it_shares_a_letter_with():
    text = "Ann Lee saw New York."
    whole = marked(text, span(0, 7, "PER"), span(4, 7, "LOC"), span(12, 21, "LOC"))
    assert tag(whole, NAMES).classes.tolist() == [2, 2, 0, 1, 1]
    seen = marked(text, span(12, 20, "LOC"), window=(8, 20))
    assert tag(seen, NAMES).classes.tolist() == [UNKNOWN, UNKNOWN, 0, 1, 1]


def test_each_chinese_character_is_a_word():
    own = tag(marked("我在北京。", span(2, 4, "LOC")), NAMES)
    assert own.places == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert own.classes.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("predicted", "kept", "new"),
    [
        ([2, 2, 0, 1, 1], [0, 1, 2], []),  # as marked; two spans side by side stay two
        ([2, 0, 0, 1, 1], [0, 2], []),
        ([2, 2, 2, 1, 1], [0, 2], [(4, 11, "PER")]),  # what is contested is joined
        ([2, 2, 0, 0, 1], [0, 1], [(16, 20, "LOC")]),
        ([1, 2, 0, 1, 1], [1, 2], [(0, 3, "LOC")]),
    ],
)
def test_spans_are_made_of_runs_of_words(predicted, kept, new):
    spans = [span(0, 3, "PER"), span(4, 7, "PER"), span(12, 20, "LOC")]
    own = marked("Ann Lee saw New York.", *spans)
    stay, others = foreseen(own, tag(own, NAMES), np.array(predicted), NAMES)
    assert stay == [spans[place] for place in kept]
    assert others == [span(*one) for one in new]


def test_a_mark_without_a_word_stays():
    own = marked("Hm … yes", span(3, 4, "PER"))
    assert foreseen(own, tag(own, NAMES), np.array([0, 1]), NAMES) == (
        [span(3, 4, "PER")],
        [span(5, 8, "LOC")],
    )


def test_features_know_the_word_its_shape_and_its_neighbours():
    assert (shape("Ann"), shape("B52"), shape("ab")) == ("Xx", "X0", "x")
    first, second = features_of("Ann, hi", word_places("Ann, hi"))
    assert {"0=ann", "1=hi", "-1=", "shape 0=Xx", "after=,", "^an"} <= {*first}
    assert {"0=hi", "-1=ann", "before=,", "after=", "-1,0=ann hi"} <= {*second}


PEOPLE = ("Ann", "Bo", "Cy", "Dee", "Eve", "Flo", "Gus", "Hal", "Ida", "Jo")
TOWNS = ("Rome", "Bonn", "Oslo", "Nice", "York", "Lyon", "Kiel", "Bath", "Graz", "Faro")


def texts(number, seed=0):
    """Texts with a person and a town each, and the spans of both."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        who, where = PEOPLE[rng.integers(10)], TOWNS[rng.integers(10)]
        text = f"today {who} went to {where} by train"
        start = text.index(where)
        yield text, [span(6, 6 + len(who), "PER"), span(start, start + len(where), "LOC")]


def lesson(number=120, wrong=12):
    """Texts of which the first so many have a wrong span."""
    rows = []
    for place, (text, spans) in enumerate(texts(number)):
        spans = [spans[0] | {"label": "LOC"}, spans[1]] if place < wrong else spans
        rows.append(tag(marked(text, *spans, id=f"{place:03}"), NAMES))
    return rows


def test_planted_spans_come_first_and_are_foreseen_as_they_were():
    rows = lesson()
    doubts = doubt_tokens(rows, 3)
    order = sorted(range(len(rows)), key=lambda row: -doubts[row].doubt)
    assert {*order[:12]} == {*range(12)}
    # Confident learning asks for a class to be surer than it is on the mean of its own words.
    assert sum(own.wrong.any() for own in doubts[:12]) >= 3
    assert not any(own.wrong.any() for own in doubts[12:])
    for row, own in enumerate(doubts):
        assert own.wrong.any() == (own.doubt > 0.5)
        said = rows[row].classes.tolist()
        assert own.predicted.tolist() == ([0, 2, 0, 0, 1, 0, 0] if own.wrong.any() else said)


def test_a_text_is_predicted_by_the_others():
    rows = lesson(40, wrong=0)
    odd = tag(marked("today Zed went to Rome by train", id="odd"), NAMES)
    codes = [row.classes for row in (*rows, odd)]
    predicted = out_of_fold([*rows, odd], codes, 3, 5, 0)
    assert predicted[-1].argmax(axis=1).tolist() == [0, 2, 0, 0, 1, 0, 0]
    for own in predicted:
        np.testing.assert_allclose(own.sum(axis=1), 1)
    turned = out_of_fold([odd, *rows], [codes[-1], *codes[:-1]], 3, 5, 0)
    np.testing.assert_allclose(turned[0], predicted[-1], atol=2e-2)


def test_without_two_classes_nothing_is_doubtful():
    bare = [Tagged(row.id, row.text, row.places, 0 * row.classes) for row in lesson(30)]
    assert doubt_tokens(bare, 3) == [None] * 30
    few = [*bare[:-4], *lesson(30)[-4:]]  # four texts alone have spans
    assert doubt_tokens(few, 3) == [None] * 30
    full = [Tagged(row.id, row.text, row.places, 0 * row.classes + 1) for row in bare]
    assert doubt_tokens(full, 3) == [None] * 30


def test_words_that_nobody_saw_and_empty_texts_are_left_out():
    rows = lesson(40, wrong=0)
    unseen = Tagged("u", rows[0].text, rows[0].places, np.full(7, UNKNOWN))
    part = Tagged("p", rows[1].text, rows[1].places, np.array([UNKNOWN] * 5 + [0, 0]))
    *_, empty, second, last = doubt_tokens(
        [*rows, Tagged("e", "", [], np.zeros(0, int)), unseen, part], 3
    )
    assert empty is second is None
    assert last.predicted.tolist() == [UNKNOWN] * 5 + [0, 0]


def test_contested_spans_are_spoken_with_their_words():
    view = View({"text": "Mr [NAME] met Ann"}, edits=((3, 8, "[NAME]"),))
    said, other = [span(3, 8, "PER"), span(13, 16, "PER")], [span(13, 16, "LOC")]
    assert view.spoken(contested(said, other)) == ["PER: [NAME]", "PER: Ann"]
    assert view.spoken([span(4, 8, "PER")]) == []
    assert contested(said, said) == []


@pytest.fixture
def tagged_run(offline):
    offline.lines("news.jsonl", [text for text, _ in texts_by_text(80).values()])
    offline.pool()
    offline.run("clean", rules=[])
    offline.run("sample", n=60, seed=1)
    offline.run("push", backend="folder", form="entities", overlap=1)
    return offline


def texts_by_text(number):
    seen = {text: (text, spans) for text, spans in texts(4 * number)}
    return dict(list(seen.items())[:number])


AS_ASKED = {"PER": "PERSON", "LOC": "LOC"}


def answer_spans(run, wrong=()):
    spans = dict(texts_by_text(80).values())
    for task in run.tasks:
        own = [one | {"label": AS_ASKED[one["label"]]} for one in spans[task["text"]]]
        if task["id"] in wrong:
            own = own[1:]  # the person was missed
        run.say({"id": task["id"], "question": "entities", "annotator": "ann", "value": own})
    run.run("pull")
    run.run("agree", bootstrap=0)


def test_a_missed_span_is_the_most_doubtful_label(tagged_run):
    wrong = {task["id"] for task in tagged_run.tasks[:4]}
    answer_spans(tagged_run, wrong)
    result = tagged_run.run("score", encoder="chargram", question=["entities"], resamples=2)
    rows = sorted(tagged_run.rows("doubtful"), key=lambda row: row["rank"])
    assert {row["question"] for row in rows} == {"entities"}
    assert len(rows) == 60
    assert {row["id"] for row in rows[:4]} == wrong
    assert result.doubtful >= 4
    said, foreseen_spans = json.loads(rows[0]["value"]), json.loads(rows[0]["predicted"])
    assert [one["label"] for one in foreseen_spans] == ["PERSON", "LOC"]
    assert contested(said, foreseen_spans) == []
    first = result.most_doubtful[0]
    text = next(task["text"] for task in tagged_run.tasks if task["id"] == first.id)
    assert (first.value, first.predicted) == ("[]", json.dumps([f"PERSON: {text.split()[1]}"]))
    workspace = tagged_run.workspace
    doubts = most_doubtful(workspace)
    texts = read_texts(workspace, [row["id"] for row in doubts])
    shown = doubtful(workspace, doubts, texts).rows[0]
    assert (shown["text"], shown["foreseen"]) == (text, f"PERSON: {text.split()[1]}")
    tagged_run.run("sample", relabel="doubtful", n=4)
    assert {
        row["id"] for row in tagged_run.workspace.rounds.current().sample().to_pylist()
    } == wrong


def test_spans_are_measured_as_a_head_of_other_texts_foretells_them(tagged_run):
    """The head finds both names everywhere: what four people missed is spurious."""
    wrong = {task["id"] for task in tagged_run.tasks[:4]}
    answer_spans(tagged_run, wrong)
    tagged_run.run("score", encoder="chargram", question=["entities"], resamples=2)
    people = tagged_run.run("evaluate").people
    assert (people["entities"].of, people["entities"].items) == ("spans", 60)
    own = {one.measure: one for one in people["entities"].measures}
    assert own["strict F1"].value == pytest.approx(2 * 116 / (116 + 120))
    assert own["strict precision"].value == pytest.approx(116 / 120)
    assert own["strict recall"].value == 1
    assert own["strict F1 of LOC"].value == 1
    assert own["strict F1 of PERSON"].value == pytest.approx(2 * 56 / (56 + 60))
    assert 0.95 < own["strict F1"].low < own["strict F1"].value < own["strict F1"].high <= 1
    assert own["strict F1"].trivial == 0
    assert own["strict F1"].better == own["strict F1"].value
    assert people["entities (present)"].of == "labels"
    stored = json.loads((tagged_run.root / "evaluate.json").read_text())["people"]["entities"]
    assert stored["measures"][0]["measure"] == "strict F1"


def test_spans_of_words_are_runs_of_one_label():
    own = tag(marked("Ann Lee saw New York."), NAMES)
    classes = np.array([2, 2, UNKNOWN, 1, 2])
    assert spans_of(own, classes, NAMES) == [span(0, 7, "PER"), span(12, 15, "LOC"),
                                             span(16, 20, "PER")]  # fmt: skip


def test_a_label_that_hardly_any_text_has_is_never_foretold():
    rows = lesson(40, wrong=0)
    rare = Tagged("r", rows[0].text, rows[0].places, np.array([3, *rows[0].classes[1:]]))
    foretold = foretell_tokens([*rows, rare], 4)
    assert 3 not in np.concatenate(foretold)
    assert foretold[-1][1] == 2
    unseen = Tagged("u", rows[0].text, rows[0].places, np.full(7, UNKNOWN))
    assert foretell_tokens([*rows, unseen], 3)[-1].tolist() == [UNKNOWN] * 7
    bare = [Tagged(row.id, row.text, row.places, 0 * row.classes) for row in rows]
    assert foretell_tokens(bare, 3) is None
