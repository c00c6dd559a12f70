"""`curate labels`: the settled labels with their texts, and those that people dispute most."""

import csv
import json

import pyarrow.parquet as pq
import pytest

from curate.agree.disagreement import disagreement
from curate.agree.kinds import settled
from curate.agree.votes import Answer, Shown
from curate.annotated.disputes import disputed
from curate.cells import guarded, unguarded
from curate.pull.stage import close_round
from curate.records import Question
from tests.command import command

PLAIN = {"rules": [], "near_duplicates": None}


@pytest.fixture
def curate(monkeypatch, capsys):
    return command(monkeypatch, capsys)


def asked(offline, form, texts, **settings):
    """Pool the texts, and ask about all of them with a form."""
    offline.lines("texts.jsonl", texts)
    offline.pool()
    offline.run("clean", **{**PLAIN, **settings.pop("clean", {})})
    offline.run("sample", **{"n": len(texts), **settings})
    offline.run("push", backend="folder", form=form, overlap=3)
    return {task.get("text", task["id"]): task["id"] for task in offline.tasks}


def said(offline, id, question, **values):
    """One answer of each person."""
    for who, value in values.items():
        offline.say({"id": id, "question": question, "annotator": who, "value": value})


@pytest.fixture
def moods(offline):
    """Five texts of which three are disputed, one of them a formula, one Chinese."""
    texts = ["Fine by me.", "=SUM(A1) is mine", "还不错，下次再来。", "So so, I would say.", "No!"]
    ids = asked(offline, "sentiment", texts)
    good, bad, even = "positive", "negative", "neutral"
    said(offline, ids[texts[0]], "sentiment", ann=good, bob=good, cy=good)
    said(offline, ids[texts[1]], "sentiment", ann=good, bob=good, cy=bad)
    said(offline, ids[texts[2]], "sentiment", ann=good, bob=bad, cy=even)
    said(offline, ids[texts[3]], "sentiment", ann=even, bob=bad)
    said(offline, ids[texts[4]], "sentiment", ann=bad, bob=bad, cy=bad)
    offline.run("pull")
    offline.run("agree", bootstrap=0, method="majority")
    return offline, ids


def test_the_labels_as_a_table_of_each_format(moods, curate, tmp_path):
    offline, ids = moods
    for suffix in ("csv", "jsonl", "parquet"):
        code, _, _ = curate("labels", "-w", offline.root, "-o", tmp_path / f"labels.{suffix}")
        assert code == 0
    lines = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    by_text = {line["text"]: line for line in lines}
    assert {line["id"] for line in lines} == {*ids.values()}
    own = by_text["=SUM(A1) is mine"]
    assert (own["value"], own["votes"], own["undecided"]) == ("positive", 3, False)
    assert own["answers"] == [
        {"annotator": "ann", "value": "positive"},
        {"annotator": "bob", "value": "positive"},
        {"annotator": "cy", "value": "negative"},
    ]
    assert by_text["还不错，下次再来。"]["value"] is None
    assert "还不错" in (tmp_path / "labels.jsonl").read_text()
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
        cells = [*csv.DictReader(file)]
    assert [unguarded(row["text"]) for row in cells] == [line["text"] for line in lines]
    assert "'=SUM(A1) is mine" in {row["text"] for row in cells}
    assert [json.loads(row["answers"]) for row in cells] == [line["answers"] for line in lines]
    stored = pq.read_table(tmp_path / "labels.parquet").to_pylist()
    assert [row["value"] and json.loads(row["value"]) for row in stored] == [
        line["value"] for line in lines
    ]
    assert [row["confidence"] for row in stored] == [line["confidence"] for line in lines]


def test_the_most_disputed_come_first(moods, curate):
    offline, ids = moods
    code, out, _ = curate("labels", "-w", offline.root, "--disputed", 2, "--json")
    rows = json.loads(out)["rows"]
    assert code == 0
    # all three differ; both of two differ (fewer answers); then one of three
    assert [row["text"] for row in rows] == ["还不错，下次再来。", "So so, I would say."]
    assert [row["disagreement"] for row in rows] == [1, 1]
    third = disputed(offline.workspace)[2]
    assert (third["id"], third["disagreement"]) == (ids["=SUM(A1) is mine"], pytest.approx(2 / 3))
    _, out, _ = curate("labels", "-w", offline.root, "--disputed", 1)
    assert "还不错" in out
    assert "Fine by me" not in out


def test_the_report_shows_the_disputed_and_who_was_left_out(moods):
    offline, _ = moods
    offline.run("agree", bootstrap=0, exclude=["bob"])
    offline.run("report")
    page = (offline.root / "report.html").read_text(encoding="utf-8")
    assert "Disputed labels" in page
    assert "还不错" in page
    assert "bob (5 answers)" in page


def test_disputed_texts_are_sent_again_in_their_order(moods):
    offline, ids = moods
    close_round(offline.workspace)
    made = offline.run("sample", relabel="disputed", n=2)
    sample = offline.workspace.rounds.current().sample()
    assert made.tasks == 2
    assert sample["id"].to_pylist() == [ids["还不错，下次再来。"], ids["So so, I would say."]]


def test_who_is_left_out_has_said_nothing(moods, curate):
    offline, _ = moods
    offline.run("agree", bootstrap=0, exclude=["cy"])
    _, out, _ = curate("labels", "-w", offline.root, "--json")
    people = {said["annotator"] for row in json.loads(out)["rows"] for said in row["answers"]}
    assert people == {"ann", "bob"}


def test_agree_prints_who_is_how_good(moods, curate):
    offline, _ = moods
    made = offline.run("agree", bootstrap=0, exclude=["cy"])
    assert {own.annotator: own.answers for own in made.people} == {"ann": 5, "bob": 5}
    assert made.excluded == {"cy": 4}
    rows = {row["annotator"]: row for row in offline.rows("annotators")}
    for own in made.people:
        assert own.skill == rows[own.annotator]["skill"]
    _, out, _ = curate("agree", "-w", offline.root, "--bootstrap", 0)
    assert "people" in out
    assert "ann" in out


def test_comments_stand_beside_the_label(offline, curate):
    ids = asked(offline, "review", ["Too long a text."])
    (id,) = ids.values()
    form = offline.workspace.rounds.current().form
    comment = next(own.name for own in form.questions if own.kind == "comment")
    choice = next(own for own in form.questions if own.kind == "choice")
    said(offline, id, choice.name, ann=choice.labels[0], bob=choice.labels[0])
    said(offline, id, comment, ann="-- why?", bob="没问题")
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    _, out, _ = curate("labels", "-w", offline.root, "--json")
    rows = {row["question"]: row for row in json.loads(out)["rows"]}
    assert rows[choice.name]["comments"] == [
        {"annotator": "ann", "value": "-- why?", "question": comment},
        {"annotator": "bob", "value": "没问题", "question": comment},
    ]


def test_spans_and_windows_lie_in_the_text_that_is_shown(offline, curate):
    mail = "Write to ada@example.org soon. "
    long = "Zoe is here. " + mail * 20
    asked(
        offline,
        "entities",
        [long, "Mail bo@example.org to Zoe."],
        window=60,
        clean={"privacy": "mask"},
    )
    for task in offline.tasks:
        at = task["text"].find("Zoe")
        spans = [{"start": at, "end": at + 3, "label": "PERSON"}] if at >= 0 else []
        said(offline, task["id"], "entities", ann=spans, bob=spans)
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    _, out, _ = curate("labels", "-w", offline.root, "--json")
    rows = json.loads(out)["rows"]
    shown = {task["text"] for task in offline.tasks}
    assert {row["text"] for row in rows} == shown
    for row in rows:
        assert "@" not in row["text"]
        assert (row["start"] is None) == (len(row["text"]) < 50)
        for span in (*row["value"], *(one for who in row["answers"] for one in who["value"])):
            assert row["text"][span["start"] : span["end"]] == "Zoe"


def test_a_set_is_one_in_whatever_order_somebody_chose_it(offline, curate):
    asked(offline, "flags", ["One.", "Two."])
    for task in offline.tasks:
        said(offline, task["id"], "flags", ann=["toxic", "spam"], bob=["spam", "toxic"])
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    _, out, _ = curate("labels", "-w", offline.root)
    assert out.count("spam, toxic: ann, bob") == 2


def test_a_comparison_is_told_by_its_sides(offline, curate):
    drafts = [f"draft {n}" for n in range(4)]
    asked(offline, "comparison", drafts, compare=True, n=2)
    first, second = (task["id"] for task in offline.tasks)
    said(offline, first, "better", ann="a", bob="b", cy="a")
    said(offline, second, "better", ann="b", bob="b", cy="b")
    offline.run("pull")
    offline.run("agree", bootstrap=0)
    _, out, _ = curate("labels", "-w", offline.root, "--json")
    rows = {row["id"]: row for row in json.loads(out)["rows"]}
    assert [one["value"] for one in rows[first]["answers"]] == ["a", "b", "a"]
    assert rows[second]["value"] == "b"
    assert rows[first]["text"].startswith("a: draft")
    assert [row["id"] for row in disputed(offline.workspace)] == [first]
    assert offline.run("sample", relabel="disputed", n=5).tasks == 1


@pytest.mark.parametrize("name", ["labels.xlsx", "labels", "nowhere/labels.csv"])
def test_a_place_that_cannot_be_written_costs_a_line(moods, curate, name, tmp_path):
    offline, _ = moods
    code, out, err = curate("labels", "-w", offline.root, "-o", tmp_path / name)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert "hint: name a file" in err


def test_labels_need_answers(offline, curate):
    code, _, err = curate("labels", "-w", offline.root)
    assert code == 1
    assert "run `curate agree" in err


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("choice", ["a", "a", "b", "b"], 4 / 6),
        ("choice", ["a", "b", "c"], 1),
        ("choices", [["a"], ["a", "b"], ["a"]], (1 / 3 + 0 + 1 / 3) / 3),
        ("choices", [[], ["a"], []], 2 / 3),
        ("rating", [1, 5], 1),
        ("rating", [2, 4, 3], (0.5 + 0.25 + 0.25) / 3),
        ("preference", ["a", "tie"], 1),
    ],
)
def test_the_distance_of_answers_by_hand(kind, values, expected):
    labels = {"rating": tuple("12345"), "preference": ("a", "b", "tie")}.get(kind, tuple("abc"))
    question = Question("q", kind, ("text",), labels)
    answers = [
        Answer("t", "q", f"p{who}", value, None, Shown("t", ("a", "b") if kind[0] == "p" else ()))
        for who, value in enumerate(values)
    ]
    whole, *_ = settled(question, answers, "majority")
    assert disagreement(whole) == {"t": pytest.approx(expected)}


@pytest.mark.parametrize("text", ["=1+1", "+a", "-b", "@c", "'=d", "''-", "\tx", "'tis", "plain"])
def test_a_cell_is_guarded_and_comes_back(text):
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t"))
