"""Marks of several people that are one span, by cases, by brute force, and from a round's files."""

import json
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.agree.truth import marks, spans
from curate.agree.truth.marks import are_same, overlap, united
from curate.errors import DataError
from curate.sample.gold import read_gold
from curate.text import canonical, canonical_offset


def settled(*people, label="P"):
    """The label of one text of which each person marked some ranges."""
    votes = [
        ("t", f"p{n}", [{"start": start, "end": end, "label": label} for start, end in ranges])
        for n, ranges in enumerate(people)
    ]
    (own,) = spans.majority_spans(votes, "text").labels
    return own


def ranges(label):
    return None if label.value is None else [(span["start"], span["end"]) for span in label.value]


@pytest.mark.parametrize(
    ("people", "value"),
    [
        # two people whose edges differ by a letter: one span, the shorter one
        ([[(4, 9)], [(4, 10)]], [(4, 9)]),
        # the most frequent edges, though they are longer
        ([[(4, 12)], [(4, 12)], [(4, 9)]], [(4, 12)]),
        # all edges differ: the shortest, then the first
        ([[(4, 12)], [(5, 13)], [(4, 11)]], [(4, 11)]),
        ([[(4, 12)], [(5, 13)], [(3, 12)]], [(4, 12)]),
        # exactly half of the union is enough, less is not
        ([[(0, 4)], [(0, 8)], [(0, 8)]], [(0, 8)]),
        ([[(0, 4)], [(0, 9)], [(30, 32)]], []),
        # one person's two marks of one span count once
        ([[(0, 6), (2, 8)], [(20, 22)], [(20, 22)]], [(20, 22)]),
        # and vote once on its edges
        ([[(0, 8), (0, 8), (0, 8)], [(0, 6)], [(0, 6)]], [(0, 6)]),
        ([[(0, 9), (0, 9)], [(0, 7)]], [(0, 7)]),
        # five people, edges that tie: the shorter, then the earlier
        ([[(4, 9)], [(4, 9)], [(4, 10)], [(4, 10)], [(3, 9)]], [(4, 9)]),
        ([[(4, 9)], [(4, 9)], [(5, 10)], [(5, 10)], [(4, 10)]], [(4, 9)]),
        # one span within another: each by itself
        ([[(0, 20), (5, 8)], [(0, 20)], [(5, 8), (0, 19)]], [(0, 20), (5, 8)]),
        # a chain: the one in the middle takes both its neighbours, not theirs
        ([[(0, 4)], [(0, 6)], [(0, 9)], [(0, 14)]], [(0, 4)]),
        # two spans that touch are two
        ([[(0, 4), (4, 8)], [(0, 4), (4, 8)], [(0, 4), (4, 8)]], [(0, 4), (4, 8)]),
        # nobody marked anything
        ([[], [], []], []),
    ],
)
def test_one_span_of_several_marks(people, value):
    for order in permutations(people):
        assert ranges(settled(*order)) == value


@pytest.mark.parametrize(
    "people",
    [
        [[(4, 9)], []],
        [[(4, 9)], [(4, 10)], [], []],
        [[(0, 3), (10, 12)], [(0, 3)]],
        [[(0, 4)], [(20, 24)]],
    ],
)
def test_what_half_marked_leaves_the_text_undecided(people):
    label = settled(*people)
    assert label.undecided
    assert label.value is None
    assert 0.5 in label.posterior.values()


@pytest.mark.parametrize("people", [[[(0, 3)], [], []], [[(0, 3)], [(9, 12)], [(20, 25)]]])
def test_what_few_marked_is_no_certain_nothing(people):
    label = settled(*people)
    assert label.value == []
    assert label.confidence == pytest.approx((2 / 3) ** sum(map(len, people)))


def test_labels_and_fields_are_spans_of_their_own():
    one = {"start": 0, "end": 4, "label": "P"}
    votes = [("t", "a", [one]), ("t", "b", [{**one, "label": "Q"}]), ("t", "c", [one])]
    (label,) = spans.majority_spans(votes, "text").labels
    assert label.value == [one]
    assert label.posterior == {"0:4:P": pytest.approx(2 / 3), "0:4:Q": pytest.approx(1 / 3)}
    two = [("t", "a", [{**one, "field": "x"}]), ("t", "b", [{**one, "field": "y"}])]
    assert spans.majority_spans(two, "x").labels[0].undecided


def test_agreement_and_skill_are_of_spans_not_of_letters():
    votes = [
        ("t", who, [{"start": 0, "end": end, "label": "P"} for end in ends])
        for who, ends in (("ann", [8]), ("bob", [9]), ("cy", []))
    ]
    truth = spans.majority_spans(votes, "text")
    assert truth.labels[0].agreement == pytest.approx(1 / 3)
    assert {who: skill.value for who, skill in truth.skill.items()} == {
        "ann": 0.5,
        "bob": 0.5,
        "cy": 0,
    }


# ── by brute force

MARKS = st.lists(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(1, 6), st.sampled_from("PQ")), max_size=3
    ).map(lambda own: [(start, start + size, label, "text") for start, size, label in own]),
    min_size=1,
    max_size=4,
)


def by_hand(people):
    """The same rule over all marks at once, as its sentence says it."""
    left = [(who, span) for who, own in enumerate(people) for span in dict.fromkeys(own)]
    found = []
    while left:

        def near(span, left=left):
            own = [mark for mark in left if mark[1][2:] == span[2:]]
            return [mark for mark in own if 2 * shared(mark[1], span) >= union(mark[1], span)]

        def times(span, marks):
            return sum(mark[1] == span for mark in marks)

        def rank(span, left=left, near=near):
            people = len({who for who, _ in near(span)})
            size = span[1] - span[0]
            return -people, -times(span, left), size, span[0], span[2]

        middle = min({span for _, span in left}, key=rank)
        own = near(middle)
        edges = min(
            {span for _, span in own},
            key=lambda span, own=own: (-times(span, own), span[1] - span[0], span[0]),
        )
        found.append((edges, frozenset(str(who) for who, _ in own)))
        left = [mark for mark in left if mark not in own]
    return sorted(found, key=lambda one: one[0])


def shared(one, other):
    return len(set(range(*one[:2])) & set(range(*other[:2])))


def union(one, other):
    return len(set(range(*one[:2])) | set(range(*other[:2])))


@given(MARKS)
def test_spans_are_united_by_the_rule(people):
    found = united({str(who): own for who, own in enumerate(people)})
    assert [(own.span, own.people) for own in found] == by_hand(people)


@given(MARKS)
def test_the_order_of_people_does_not_matter(people):
    one = united({str(who): own for who, own in enumerate(people)})
    other = united({str(who): own[::-1] for who, own in reversed([*enumerate(people)])})
    assert one == other


@given(MARKS)
def test_every_edge_is_somebodys_and_nobody_is_lost(people):
    found = united({str(who): own for who, own in enumerate(people)})
    given_spans = {span for own in people for span in own}
    assert {own.span for own in found} <= given_spans
    assert {who for own in found for who in own.people} == {
        str(who) for who, own in enumerate(people) if own
    }


def test_the_overlap_is_a_part_of_the_union():
    assert overlap((0, 4, "P", "t"), (2, 6, "P", "t")) == pytest.approx(2 / 6)
    assert overlap((0, 4, "P", "t"), (4, 6, "P", "t")) == 0
    assert are_same([(0, 4, "P", "t")], [(0, 5, "P", "t")])
    assert not are_same([(0, 4, "P", "t")], [(0, 5, "Q", "t")])
    assert are_same([], [])
    assert marks.f1(frozenset(), frozenset()) == 1.0


# ── white space at the edges, in a round


def asked(offline, *texts, form="entities", **clean):
    offline.lines("texts.jsonl", texts)
    offline.pool()
    offline.run("clean", **{"rules": [], "near_duplicates": None, **clean})
    offline.run("sample", n=len(texts))
    offline.run("push", backend="folder", form=form, overlap=3)
    return {task["text"]: task["id"] for task in offline.tasks}


def mark(offline, id, *people):
    """Each person's ranges, as people of one label."""
    for who, own in enumerate(people):
        value = [{"start": start, "end": end, "label": "PERSON"} for start, end in own]
        offline.say({"id": id, "question": "entities", "annotator": f"u{who}", "value": value})


def labels(offline):
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    return {row["id"]: row for row in offline.rows("labels") if row["question"] == "entities"}


@pytest.mark.parametrize(
    ("text", "people", "words"),
    [
        ("Today Mia came.", [[(6, 9)], [(5, 9)], [(6, 10)]], "Mia"),
        ("今天　小明　来了。", [[(3, 5)], [(2, 5)], [(3, 6)]], "小明"),
        ("Then\nLi\u00a0Na\n\nleft", [[(4, 10)], [(5, 12)], [(5, 11)]], "Li\u00a0Na"),
        ("See\tOtto  now", [[(3, 10)], [(4, 8)], [(4, 9)]], "Otto"),
    ],
)
def test_white_space_at_the_edges_of_a_span_does_not_count(offline, text, people, words):
    ids = asked(offline, text, "Nothing to see here.")
    mark(offline, ids[text], *people)
    row = labels(offline)[ids[text]]
    (span,) = json.loads(row["value"])
    assert text[span["start"] : span["end"]] == words
    assert (row["confidence"], row["agreement"]) == (1, 1)
    stored = [json.loads(own["value"]) for own in offline.workspace.rounds.current().answers()]
    assert sorted((own[0]["start"], own[0]["end"]) for own in stored) == sorted(
        own for (own,) in people
    )  # as they were given


def test_half_is_of_those_who_answered(offline):
    """A skip, a rejected answer and one left open are none; a field of null is the default."""
    texts = [f"Text {n}: Mia came." for n in range(6)]
    ids = asked(offline, *texts)
    said = [("yes", "no", "skip"), ("yes", "yes", "no", "skip"), ("yes", "no", "wrong")]
    said += [("yes", "open"), ("yes", "yes", "no", "no to skip"), ("yes", "null", "named", "no")]
    spans = {"yes": [(8, 11, {})], "wrong": [(8, 99, {})], "no": [], "no to skip": []}
    spans |= {"null": [(8, 11, {"field": None})], "named": [(8, 11, {"field": "text"})]}
    for text, answers in zip(texts, said, strict=True):
        for who, answer in enumerate(answers):
            line = {"id": ids[text], "question": "entities", "annotator": f"u{who}"}
            own = spans.get(answer)
            marks = own and [{"start": a, "end": b, "label": "PERSON", **f} for a, b, f in own]
            skip = {"status": "skipped"} if answer == "skip" else {}
            offline.say({**line, "value": marks, "at": "2026-05-01T00:00:00Z", **skip})
            if answer == "no to skip":
                offline.say({**line, "status": "skipped", "at": "2026-05-02T00:00:00Z"})
    rows = labels(offline)
    values = [rows[ids[text]]["value"] and json.loads(rows[ids[text]]["value"]) for text in texts]
    assert [own and own[0]["start"] for own in values] == [None, 8, None, 8, 8, 8]
    assert [rows[ids[text]]["votes"] for text in texts] == [2, 3, 2, 1, 3, 4]


def test_a_mask_beside_a_span_is_no_white_space(offline):
    text = "Mail ada@example.org , Bo ."
    (own,) = asked(offline, text, privacy="mask")
    ids = asked_again = {task["text"]: task["id"] for task in offline.tasks}
    at = own.index("Bo")
    mark(offline, asked_again[own], [(at, at + 2)], [(at - 1, at + 3)], [(at, at + 3)])
    row = labels(offline)[ids[own]]
    (span,) = json.loads(row["value"])
    assert text[span["start"] : span["end"]] == "Bo"


def test_gold_spans_are_the_same_with_a_space(offline):
    gold = {
        "text": "Ben met Lou.",
        "answers": {"entities": [{"start": 7, "end": 11, "label": "PERSON"}]},
    }
    (offline.root / "gold.jsonl").write_text(json.dumps(gold) + "\n")
    offline.lines("texts.jsonl", ["Just rain.", "Only sun."])
    offline.pool()
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("sample", n=2, gold="gold.jsonl")
    offline.run("push", backend="folder", form="entities", overlap=2)
    for task in offline.tasks:
        own = [(8, 11)] if task["text"].startswith("Ben") else []
        mark(offline, task["id"], own, own[:0])
    labels(offline)
    right = {row["annotator"]: row["gold_right"] for row in offline.rows("annotators")}
    assert right == {"u0": 1, "u1": 0}


# ── offsets of other line ends


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("First\r\nsecond Zoe\r\nthird", "Zoe"),
        ("\x00\x01One\rtwo Ann", "Ann"),
        ("雨\r\n\r\n天\x07 王芳 来", "王芳"),
    ],
)
def test_gold_offsets_follow_the_canonical_text(tmp_path, raw, words):
    start = raw.index(words)
    span = {"start": start, "end": start + len(words), "label": "PERSON"}
    path = tmp_path / "gold.jsonl"
    path.write_text(json.dumps({"text": raw, "answers": {"entities": [span]}}) + "\n")
    (item,) = read_gold(path).values()
    (moved,) = item.answers["entities"]
    assert item.fields["text"][moved["start"] : moved["end"]] == words


def test_a_gold_span_says_its_field_where_that_matters(tmp_path):
    span = {"start": 5, "end": 8, "label": "PERSON"}
    row = {"fields": {"a": "x\r\ny Max", "b": "Max"}, "answers": {"names": [span]}}
    path = tmp_path / "gold.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match="line 1: a span names none of the fields"):
        read_gold(path)
    row["answers"]["names"] = [{**span, "field": "a"}]
    path.write_text(json.dumps(row) + "\n")
    (item,) = read_gold(path).values()
    assert item.answers["names"][0]["start"] == 4


@given(st.text(alphabet="a\r\n\x00é", max_size=12), st.integers(0, 12))
def test_an_offset_stands_after_the_same_letters(text, offset):
    at = canonical_offset(text, min(offset, len(text)))
    assert canonical(text)[:at] == canonical(text[:offset])
    assert canonical_offset(text, 99) == 99
