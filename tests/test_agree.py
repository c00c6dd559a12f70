"""The stage `agree`: labels, annotators and agreement of a workspace."""

import json
from collections import Counter

import numpy as np
import pytest

from curate.agree.agreement.alpha import krippendorff_alpha
from curate.agree.kinds import settled
from curate.agree.labels import label_rows
from curate.agree.votes import Answer, Shown
from curate.errors import MissingInput, NothingToDo
from curate.export.verify import verify
from curate.records import Question
from tests.conftest import feeling


def test_labels_hold_what_people_agreed_on(offline):
    offline.prepare()
    offline.answer("ann", "bob")
    offline.run("pull")
    made = offline.run("agree", bootstrap=20)
    assert made.labels == 40
    (question,) = made.questions
    assert (question.alpha, question.method) == (1.0, "mean_of_four")
    for row in offline.rows("labels"):
        assert json.loads(row["value"]) in ("negative", "positive")
        assert dict(row["posterior"])[json.loads(row["value"])] == row["confidence"] > 0.95
        assert not row["undecided"]
    assert [row["answers"] for row in offline.rows("annotators")] == [40, 40]


def test_the_method_is_the_settings(offline):
    offline.prepare()
    offline.answer("ann", "bob", "cy")
    offline.run("pull")
    for method, name in (("auto", "mean_of_four"), ("majority", "majority")):
        made = offline.run("agree", bootstrap=0, method=method)
        assert made.questions[0].method == name
        assert {row["method"] for row in offline.rows("labels")} == {name}


def test_pilot_answers_are_no_labels(offline):
    offline.prepare(purpose="pilot")
    offline.answer("ann")
    offline.run("pull")
    made = offline.run("agree", bootstrap=10)
    assert made.labels == 0
    assert offline.rows("labels") == []
    assert [(each.answers, each.items) for each in made.pilots] == [(40, 40)]


def test_nobody_has_answered(offline):
    offline.prepare()
    with pytest.raises(MissingInput, match="annotations"):
        offline.run("agree")


def test_an_answer_that_the_form_no_longer_offers_was_still_said(offline):
    offline.prepare(n=20)
    offline.answer("ann", opinion=lambda text: "neutral")
    offline.run("pull")
    own = offline.root / "label_configs" / "sentiment.xml"
    own.parent.mkdir()
    form = offline.workspace.rounds.current().form.xml
    own.write_text(form.replace('<Choice value="neutral" hotkey="2"/>', ""))
    offline.run("sample", n=30)
    offline.run("push", backend="folder", form="sentiment")
    offline.answer("ann")
    offline.run("pull")
    assert offline.run("agree", bootstrap=0).labels == 50
    values = Counter(json.loads(row["value"]) for row in offline.rows("labels"))
    assert values["neutral"] == 20
    made = offline.run("score", encoder="chargram", resamples=2)
    assert made.labelled == 30  # of what is not asked any more nothing is learned
    assert offline.run("evaluate").models["sentiment"].documents == 30


def test_a_label_that_is_offered_no_more_is_not_one_of_those_that_are_left(offline):
    """Three of seven said neutral, two positive, two negative: that is neither of the two."""
    offline.prepare(n=40)
    ids = [task["id"] for task in offline.tasks]
    offline.answer("p0", "p1", ids=ids[8:])
    for place, mood in enumerate(["neutral"] * 3 + ["positive", "negative"] * 2):
        offline.answer(f"p{place}", ids=ids[:8], opinion=lambda text, mood=mood: mood)
    offline.run("pull")
    own = offline.root / "label_configs" / "sentiment.xml"
    own.parent.mkdir()
    form = offline.workspace.rounds.current().form.xml
    own.write_text(form.replace('<Choice value="neutral" hotkey="2"/>', ""))
    offline.run("sample", n=10)
    offline.run("push", backend="folder", form="sentiment")
    offline.answer("p0")
    offline.run("pull")
    assert offline.run("agree", bootstrap=0, method="majority").undecided == 0
    labels = {row["id"]: row for row in offline.rows("labels")}
    assert {id for id, row in labels.items() if row["value"] == '"neutral"'} == {*ids[:8]}
    made = offline.run("score", encoder="chargram", resamples=2)
    (own,) = made.questions
    assert (made.labelled, own.undecided, own.metrics.documents) == (50, 8, 42)
    scores = {row["id"]: row for row in offline.rows("scores")}
    assert {id for id, row in scores.items() if row["sentiment"] is None} == {*ids[:8]}
    assert offline.run("evaluate", seeds=2).models["sentiment"].documents == 42


# ── undecided


def split(person):
    """The opinion of people who differ on every text with an even number of letters."""
    return lambda text: "positive" if person == "ann" or len(text) % 2 else "negative"


def test_an_undecided_label_has_no_value(offline):
    offline.prepare()
    for person in ("ann", "bob"):
        offline.answer(person, opinion=split(person))
    offline.run("pull")
    made = offline.run("agree", bootstrap=0, method="majority")
    text_of = {task["id"]: task["text"] for task in offline.tasks}
    for row in offline.rows("labels"):
        differs = len(text_of[row["id"]]) % 2 == 0
        assert row["undecided"] == differs
        assert row["value"] == (None if differs else '"positive"')
        assert dict(row["posterior"])["positive"] == (0.5 if differs else 1.0)
    number = sum(len(text) % 2 == 0 for text in text_of.values())
    assert made.undecided == made.questions[0].undecided == number > 0
    assert f"sentiment: {number} of 40 texts are undecided" in made.notes


@pytest.fixture
def torn(offline):
    """A run up to `export`, in which ann and bob differ on every fourth text that they see."""
    offline.prepare(n=60)
    ids = [task["id"] for task in offline.tasks]
    offline.answer("ann")
    offline.answer("bob", ids=[id for place, id in enumerate(ids) if place % 4])
    offline.answer("bob", ids=ids[::4], opinion=lambda text: OTHER[feeling(text)])
    offline.run("pull")
    offline.run("agree", bootstrap=0, method="majority")
    quality = {"values": {"negative": 0.0, "neutral": 0.5, "positive": 1.0}}
    offline.scored = offline.run("score", encoder="chargram", resamples=2, quality=quality)
    offline.mixed = offline.run("mix", groups=["sentiment"], budget="100%")
    offline.run("export")
    return offline, set(ids[::4])


OTHER = {"positive": "negative", "negative": "positive"}


def test_no_head_takes_an_undecided_label_for_settled(torn):
    offline, tied = torn
    (own,) = offline.scored.questions
    assert (offline.scored.labelled, own.undecided) == (60, 15)
    assert own.metrics.documents == 45
    assert sum(row.support for row in own.metrics.classes) == 45
    rows = {row["id"]: row for row in offline.rows("scores")}
    assert {id for id, row in rows.items() if row["sentiment"] is None} == tied
    assert all(rows[id]["out_of_fold"] and rows[id]["sentiment:positive"] > 0 for id in tied)
    assert any("15 labels of sentiment are undecided" in note for note in offline.scored.notes)
    assert offline.run("evaluate", seeds=2).models["sentiment"].documents == 45


def test_a_mixture_keeps_undecided_documents_apart(torn):
    offline, tied = torn
    rows = {row["id"]: row for row in offline.rows("mix")}
    assert {id for id, row in rows.items() if row["group"] == "undecided"} == tied
    assert "15 candidates are undecided: they are a group of their own" in offline.mixed.notes
    groups = {row["group"]: row for row in offline.rows("groups")}
    assert groups["undecided"]["expected"] == 0
    limited = offline.run("mix", groups=["sentiment"], limits={"undecided": {"max": 0.1}})
    assert {row.group: row.promised for row in limited.groups}["undecided"] == pytest.approx(0.1)
    supply = {name: row["supply"] for name, row in groups.items()}
    share = supply["undecided"] / sum(supply.values())
    made = offline.run("mix", groups=["sentiment"], between={"strategy": "uniform"}, budget="20%")
    wanted = {row.group: row.wanted for row in made.groups}
    assert wanted["undecided"] == pytest.approx(share)  # no strategy raises what is no class
    assert wanted["positive"] == wanted["negative"] == pytest.approx((1 - share) / 2)
    shares = {"sentiment": {"positive": 0.5, "negative": 0.5}}
    made = offline.run("mix", groups=["sentiment"], between={"shares": shares}, budget="20%")
    assert {row.group: row.documents for row in made.groups}["undecided"] == 0


def test_an_undecided_label_leaves_as_undecided(torn):
    offline, tied = torn
    (shard,) = (offline.root / "export").glob("data-*.jsonl")
    label_of = {
        row["id"]: row["labels"]["sentiment"]
        for row in map(json.loads, shard.read_text().splitlines())
    }
    for id in tied:
        label = label_of[id]
        assert (label["value"], label["by"], label["undecided"]) == (None, "people", True)
        assert label["posterior"]["positive"] == 0.5
    assert all(label["value"] for id, label in label_of.items() if id not in tied)


def test_a_preference_between_two_fields_leaves_with_its_document(offline):
    """Two people agree on every other prompt and differ on the rest."""
    fields = ("prompt", "response_a", "response_b")
    rows = [{name: f"{name} number {n}" for name in fields} for n in range(12)]
    offline.lines("pairs.jsonl", rows)
    offline.run(
        "pool",
        sources=[{"paths": ["data/pairs.jsonl"], "fields": [*fields]}],
        tokenizer="bytes",
    )
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("sample", n=12)
    offline.run("push", backend="folder", form="preference", overlap=2)
    ids = [task["id"] for task in offline.tasks]
    for who, other in (("ann", "response_a"), ("bob", "tie")):
        offline.say(
            *(
                {"id": id, "question": "preference", "annotator": who}
                | {"value": other if n % 2 else "response_b"}
                for n, id in enumerate(ids)
            )
        )
    offline.run("pull")
    assert offline.run("agree", bootstrap=0, method="majority").undecided == 6
    offline.run("mix", groups=["source"], budget="100%")
    offline.run("export")
    (shard,) = (offline.root / "export").glob("data-*.jsonl")
    lines = [json.loads(line) for line in shard.read_text().splitlines()]
    label_of = {line["id"]: line["labels"]["preference"] for line in lines}
    for n, id in enumerate(ids):
        label = label_of[id]
        assert (label["value"], label["undecided"]) == (None if n % 2 else "response_b", n % 2)
        even = {"response_a": 0.5, "response_b": 0, "tie": 0.5}
        assert label["posterior"] == (
            even if n % 2 else {"response_a": 0, "response_b": 1, "tie": 0}
        )
    assert verify(offline.root / "export").problems == ()


TWO_FIELDS = """<View>
  <Text name="prompt" value="$prompt"/><Text name="answer" value="$answer"/>
  <Labels name="names" toName="prompt,answer"><Label value="P"/></Labels>
</View>"""


def test_shares_of_spans_stand_in_their_fields(offline):
    """Both mark a name in the answer; one marks the prompt at the same place."""
    rows = [{"prompt": f"Ada {n} ?", "answer": f"Bob {n} !"} for n in range(4)]
    offline.lines("pairs.jsonl", rows)
    sources = [{"paths": ["data/pairs.jsonl"], "fields": ["prompt", "answer"]}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    (offline.root / "label_configs").mkdir()
    (offline.root / "label_configs" / "two.xml").write_text(TWO_FIELDS)
    offline.run("sample", n=4)
    offline.run("push", backend="folder", form="two", overlap=2)
    span = {"start": 0, "end": 3, "label": "P"}
    for task in offline.tasks:
        for who, fields in (("ann", ("prompt", "answer")), ("bob", ("answer",))):
            spans = [{**span, "field": field} for field in fields]
            offline.say({"id": task["id"], "question": "names", "annotator": who, "value": spans})
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    offline.run("mix", groups=["source"], budget="100%")
    offline.run("export")
    (shard,) = (offline.root / "export").glob("data-*.jsonl")
    for line in map(json.loads, shard.read_text().splitlines()):
        label = line["labels"]["names"]
        assert label["undecided"]
        shares = {span["field"]: span["share"] for span in label["posterior"]}
        assert shares == {"prompt": 0.5, "answer": 1}


def test_who_answers_gold_alone_is_judged_by_it(offline):
    gold = [{"text": f"Known text {n}", "answers": {"sentiment": "positive"}} for n in range(4)]
    path = offline.root / "gold.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in gold))
    offline.prepare(n=12, gold="gold.jsonl")
    offline.answer("ann")
    known = [task["id"] for task in offline.tasks if task["text"].startswith("Known")]
    offline.answer("eve", ids=known[:3], opinion=lambda text: "positive")
    offline.answer("eve", ids=known[3:], opinion=lambda text: "negative")
    offline.run("pull")
    assert offline.run("agree", bootstrap=0).annotators == 1
    rows = {row["annotator"]: row for row in offline.rows("annotators")}
    assert (rows["eve"]["answers"], rows["eve"]["skill"]) == (0, None)
    assert rows["eve"]["gold_right"] == 0.75


def test_nothing_is_learned_of_ties_alone(offline):
    offline.prepare(n=20)
    offline.answer("ann", opinion=lambda text: "positive")
    offline.answer("bob", opinion=lambda text: "negative")
    offline.run("pull")
    assert offline.run("agree", bootstrap=0).undecided == 20
    with pytest.raises(NothingToDo, match=r"^0 labelled documents are too few .*20 undecided\)$"):
        offline.run("score", encoder="chargram", resamples=2)


def test_undecided_texts_hold_no_value_to_send_again(torn):
    offline, tied = torn
    made = offline.run("sample", relabel="label=positive", n=100)
    chosen = {row["id"] for row in offline.workspace.rounds.current().sample().to_pylist()}
    assert made.tasks == len(chosen) > 0
    assert not chosen & tied


# ── several labels, comparisons, windows, gold


PLAIN = {"rules": [], "near_duplicates": None}


def rounds_of(offline, form, texts, clean=PLAIN, **settings):
    """Pool the texts, and ask about all of them with a form."""
    offline.lines("texts.jsonl", texts)
    offline.pool()
    offline.run("clean", **clean)
    offline.run("sample", **{"n": len(texts), **settings})
    offline.run("push", backend="folder", form=form, overlap=3)


def labels_of(offline, question):
    return {row["id"]: row for row in offline.rows("labels") if row["question"] == question}


def test_a_set_holds_the_labels_that_most_chose(offline):
    rounds_of(offline, "flags", [f"text number {n}" for n in range(12)])
    ids = [task["id"] for task in offline.tasks]
    said = [[["spam"], ["spam", "toxic"], ["spam"], ["toxic", "spam", "private"]]]
    said += [[["toxic"], ["toxic", "private"], ["private", "toxic"], ["private"]]]
    said += [[["spam"], ["toxic"], ["private"], ["broken"]], [["spam"], ["spam"], [], []]]
    said += [[[]] * 4, [["spam"]] * 4, [["toxic"]] * 4, [["private"]] * 4] * 2
    for id, sets in zip(ids, said, strict=True):
        offline.say(
            *(
                {"id": id, "question": "flags", "annotator": f"p{n}", "value": own}
                for n, own in enumerate(sets)
            )
        )
    offline.run("pull")
    offline.run("agree", bootstrap=0, method="majority")
    sets = labels_of(offline, "flags")
    spam = labels_of(offline, "flags:spam")
    first, second, third, fourth = (sets[id] for id in ids[:4])
    assert first["undecided"]  # two of four chose toxic
    assert first["value"] is None
    assert dict(first["posterior"])["toxic"] == 0.5
    assert second["value"] == '["toxic", "private"]'
    assert second["agreement"] == 0.5  # two of four chose this very set
    assert third["value"] == "[]"
    assert fourth["undecided"]
    assert spam[ids[0]]["value"] == '"present"'
    for row in sets.values():
        parts = {
            name: labels_of(offline, f"flags:{name}")[row["id"]] for name in dict(row["posterior"])
        }
        assert row["undecided"] == any(part["undecided"] for part in parts.values())
        if not row["undecided"]:
            present = [name for name, part in parts.items() if part["value"] == '"present"']
            assert json.loads(row["value"]) == present
    for row in offline.rows("annotators"):
        assert row["question"] == "flags"
        assert 0 < row["skill_low"] < row["skill"] < row["skill_high"] < 1


def test_a_comparison_is_over_the_sides_of_a_pair(offline):
    rounds_of(offline, "comparison", [f"text number {n:03}" for n in range(80)], compare=True)
    sample = offline.workspace.rounds.current().sample().to_pylist()
    members = {row["id"]: row["members"] for row in sample}
    # ann and bob prefer the same text, whichever it is; cy always the one on the left.
    better = {id: sorted(pair)[int(id, 16) % 2] for id, pair in members.items()}
    for task in offline.tasks:
        best = "ab"[members[task["id"]].index(better[task["id"]])]
        for who, value in (("ann", best), ("bob", best), ("cy", "a")):
            offline.say({"id": task["id"], "question": "better", "annotator": who, "value": value})
    offline.run("pull")
    made = offline.run("agree", bootstrap=0)
    for id, row in labels_of(offline, "better").items():
        assert json.loads(row["value"]) == better[id]
        assert set(dict(row["posterior"])) == set(members[id])
        assert row["confidence"] > 0.85
    skill = {row["annotator"]: row["skill"] for row in offline.rows("annotators")}
    assert skill["ann"] > 0.9
    assert skill["cy"] < 0.7
    votes = [
        (id, who, sorted(pair).index(value))
        for id, pair in members.items()
        for who, value in (("ann", better[id]), ("bob", better[id]), ("cy", pair[0]))
    ]
    alpha = krippendorff_alpha(votes, "nominal", resamples=0, seed=0)
    assert made.questions[0].alpha == pytest.approx(alpha.value)


def compared(offline, pairs, people, choose):
    """Ask about pairs of texts; `choose` gives a person's side of a pair, by its sorted members."""
    drafts = [f"draft number {n:03}" for n in range(2 * pairs)]
    rounds_of(offline, "comparison", drafts, compare=True, n=pairs)
    sample = offline.workspace.rounds.current().sample().to_pylist()
    members = {row["id"]: row["members"] for row in sample}
    for place, task in enumerate(offline.tasks):
        for who in range(people):
            side = sorted(members[task["id"]])[choose(place, who)]
            value = "ab"[members[task["id"]].index(side)]
            own = {"id": task["id"], "question": "better", "annotator": f"p{who}", "value": value}
            offline.say(own)
    offline.run("pull")
    return offline.run("agree", bootstrap=0).questions[0]


@pytest.mark.parametrize(
    ("right", "alpha", "skill"),
    [(0.5, (-0.15, 0.15), (0.3, 0.95)), (0.8, (0.2, 0.55), (0.7, 0.95)), (1, (1, 1), (0.99, 1))],
)
def test_alpha_of_comparisons_is_over_the_two_sides(offline, right, alpha, skill):
    """People who toss coins agree as by chance, and perfect ones fully, with a skill of 1."""
    rng = np.random.default_rng(12)
    sides = np.where(rng.random((70, 3)) < right, 0, 1) ^ rng.integers(0, 2, (70, 1))
    made = compared(offline, 70, 3, lambda place, who: int(sides[place, who]))
    assert alpha[0] <= round(made.alpha, 9) <= alpha[1]
    skills = [row["skill"] for row in offline.rows("annotators")]
    assert skill[0] < min(skills) <= max(skills) <= skill[1]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        (["S", "S", "ST", "STQ", "TSB"], "ST"),
        (["T", "TQ", "TQB", "QT", "B"], "TQ"),
        (["", "S", "", "Q", ""], ""),
        (["SQ", "QB", "BS", "SB", "QS"], "SQB"),
    ],
)
@pytest.mark.parametrize("method", ["auto", "majority"])
def test_a_set_is_the_majority_of_each_label(said, value, method):
    """Five people, whose sets all differ: no set wins, and each label by itself does."""
    names = {"S": "spam", "T": "toxic", "Q": "private", "B": "broken"}
    question = Question("flags", "choices", ("text",), tuple(names.values()))
    answers = [
        Answer("t", "flags", f"p{who}", [names[letter] for letter in own], None, Shown("t"))
        for who, own in enumerate(said)
    ]
    whole, *parts = settled(question, answers, method)
    (label,) = whole.truth.labels
    present = {
        part.question.name.split(":")[1]
        for part in parts
        if part.truth.labels[0].value == "present"
    }
    assert {*label.value} == present == {names[letter] for letter in value}


def test_what_a_window_lacks_may_stand_elsewhere_in_the_text(offline):
    mail = "Write to ada@example.org or to bo@example.net about it. "
    long = ["Ada came. " + mail * 20 + f"Bo left {n}." for n in range(6)]
    clean = {"rules": [], "near_duplicates": None, "privacy": "mask"}
    rounds_of(offline, "entities", [*long, "Ada saw Bo.", "Nobody here."], clean, window=80)
    rows = {row["id"]: row for row in offline.workspace.rounds.current().sample().to_pylist()}
    for task in offline.tasks:
        at = task["text"].find("Ada")
        spans = [{"start": at, "end": at + 3, "label": "PERSON"}] if at >= 0 else []
        for who in ("ann", "bob"):
            offline.say(
                {"id": task["id"], "question": "entities", "annotator": who, "value": spans}
            )
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    whole, person = labels_of(offline, "entities"), labels_of(offline, "entities:PERSON")
    windows = {row["members"][0]: row for row in rows.values() if row["start"] is not None}
    assert len(whole) == 8
    assert len(windows) == 6
    for id, row in whole.items():
        seen = windows.get(id, {"start": None, "end": None})
        assert (row["start"], row["end"]) == (seen["start"], seen["end"])
    for id, row in person.items():
        assert id not in windows or row["value"] == '"present"'
    assert sorted(row["value"] for id, row in person.items() if id not in windows) == [
        '"absent"',
        '"present"',
    ]
    offline.run("mix", groups=["source"], budget="100%")
    offline.run("export")
    shown = {task["id"]: task["text"] for task in offline.tasks}
    task_of = {row["members"][0]: row["id"] for row in windows.values()}
    (shard,) = (offline.root / "export").glob("data-*.jsonl")
    for document in map(json.loads, shard.read_text().splitlines()):
        labels, id = document["labels"], document["id"]
        window = labels["entities"]["window"]
        if id in windows:
            assert document["text"][window["start"] : window["end"]] == shown[task_of[id]]
            assert "@" not in document["text"]
            person_label = labels["entities:PERSON"]
            assert person_label is None or person_label["value"] == "present"
        else:
            assert window is None


def test_what_one_window_lacks_hides_nothing_that_another_has():
    """The window that most people saw holds no label; another one does."""
    question = Question("entities:P", "choice", ("text",), ("absent", "present"))
    windows = {"one": (0, 10), "two": (20, 30)}
    answers = [
        Answer(task, "entities:P", who, value, None, Shown("text", ("text",), windows[task]))
        for task, who, value in (
            ("one", "ann", "absent"),
            ("one", "bob", "absent"),
            ("two", "ann", "present"),
        )
    ]
    (whole,) = settled(question, answers, "majority")
    (row,) = label_rows(whole)
    assert (row["value"], row["start"], row["votes"]) == ('"present"', 20, 1)


def test_a_form_may_offer_absent_as_a_choice_of_its_own():
    """Of a window too: people said it themselves of the part that they saw."""
    question = Question("irony", "choice", ("text",), ("absent", "present"))
    answers = [Answer("w", "irony", "ann", "absent", None, Shown("text", ("text",), (3, 9)))]
    (whole,) = settled(question, answers, "majority")
    (row,) = label_rows(whole)
    assert (row["value"], row["start"], row["end"]) == ('"absent"', 3, 9)


def test_the_whole_text_counts_before_a_window_that_more_people_saw():
    question = Question("mood", "choice", ("text",), ("bad", "good"))
    seen = [("w", "ann", (5, 9)), ("w", "bob", (5, 9)), ("v", "ann", (0, 4)), ("text", "cy", None)]
    answers = [
        Answer(
            task, "mood", who, "good" if window is None else "bad", None, Shown("text", (), window)
        )
        for task, who, window in seen
    ]
    (whole,) = settled(question, answers, "majority")
    (row,) = label_rows(whole)
    assert (row["value"], row["start"], row["votes"]) == ('"good"', None, 1)
    (windows,) = settled(question, answers[:3], "majority")
    (row,) = label_rows(windows)
    assert (row["start"], row["votes"]) == (5, 2)


def test_gold_spans_need_not_name_their_field(offline, tmp_path):
    offline.lines("texts.jsonl", [f"Ada wrote {n} letters" for n in range(4)])
    gold = [
        {
            "text": "Bo and Cy slept",
            "answers": {
                "entities": [
                    {"start": 7, "end": 9, "label": "PERSON"},
                    {"start": 0, "end": 2, "label": "PERSON"},
                ]
            },
        }
    ]
    path = offline.root / "gold.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in gold))
    offline.pool()
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("sample", n=4, gold="gold.jsonl")
    offline.run("push", backend="folder", form="entities", overlap=2)
    (task,) = (task for task in offline.tasks if task["text"].startswith("Bo"))
    bo, cy = ({"start": at, "end": at + 2, "label": "PERSON", "field": "text"} for at in (0, 7))
    for who, spans in (("ann", [bo, cy]), ("bob", [bo])):
        offline.say({"id": task["id"], "question": "entities", "annotator": who, "value": spans})
        for other in offline.tasks:
            if other["id"] != task["id"]:
                offline.say(
                    {"id": other["id"], "question": "entities", "annotator": who, "value": []}
                )
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    right = {row["annotator"]: row["gold_right"] for row in offline.rows("annotators")}
    assert right == {"ann": 1.0, "bob": 0.0}
    assert task["id"] not in labels_of(offline, "entities")


# ── of whom alpha speaks


@pytest.mark.parametrize(("people", "headline"), [(3, "people like these"), (11, "these people")])
def test_alpha_says_of_whom_it_speaks(offline, people, headline):
    offline.prepare(n=30)
    for number in range(people):
        wrong = {task["id"] for task in offline.tasks[number :: 5 + number % 4]}
        ids = {task["id"] for task in offline.tasks}
        offline.answer(f"p{number}", ids=ids - wrong)
        offline.answer(f"p{number}", ids=wrong, opinion=lambda text: OTHER[feeling(text)])
    offline.run("pull")
    made = offline.run("agree", bootstrap=200)
    (row,) = made.questions
    assert row.headline == headline
    assert row.alpha_low < row.alpha < row.alpha_high
    assert row.others_low < row.alpha < row.others_high
    (note,) = (line for line in made.notes if "alpha" in line)
    first, second = note.split("; ")[1:]
    assert first.split(" for ")[1].startswith(headline)
    assert "bootstrap over texts" in note
    assert "jackknife over people" in note
    assert f"{row.others_low:.2f} to {row.others_high:.2f}" in (first if people < 10 else second)
    offline.run("report")
    page = (offline.root / "report.html").read_text()
    assert f"{row.others_low:.3f}" in page
    assert "people like these" in page


def test_two_people_say_nothing_of_others(offline):
    offline.prepare()
    offline.answer("ann")
    offline.answer("bob", opinion=split("bob"))
    offline.run("pull")
    (row,) = offline.run("agree", bootstrap=50).questions
    assert row.headline == "these people"
    assert row.others_low is None
