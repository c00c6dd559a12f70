"""Which comments repeat a text that is taken down, and how they are erased on request."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.takedown import naming, takedown
from curate.takedown.beside import BLOCK, files_naming
from curate.takedown.quoting import ERASED, LETTERS, _plain, _quoting
from tests.conftest import FILMS, GOOD, reviews
from tests.test_masks import everything

TEXT = "The bread was stale, and the soup had gone cold."


@pytest.mark.parametrize(
    ("typed", "quotes"),
    [
        (f"He writes: {TEXT.upper()}", True),
        ("so 'the  bread was\nstale, and' is a complaint", True),
        (TEXT[:LETTERS], True),
        (TEXT[: LETTERS - 1], False),
        ("a complaint about bread", False),
        ("", False),
    ],
)
def test_what_was_typed_quotes_a_text_by_a_run_of_characters(typed, quotes):
    words = _plain(typed)
    assert _quoting([words, "rude"], ["another", _plain(TEXT)]) == ({words} if quotes else set())


@pytest.fixture
def commented(offline):
    """A round with four comments on one text: two quote it, of which one was changed later."""
    offline.lines("a.jsonl", [TEXT, *reviews(FILMS, GOOD)[:3]])
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=4)
    offline.run("push", backend="folder", form="comment", overlap=2)
    (task,) = [task["id"] for task in offline.tasks if task["text"] == TEXT]
    offline.say(_comment(task, "ann", f"She says: {TEXT}"), _comment(task, "bob", "rude"))
    offline.run("pull")
    offline.say(_comment(task, "ann", "She complains"))
    offline.run("pull")
    offline.say(_comment(task, "cy", "why 'the soup had gone cold', I ask"))
    offline.run("pull")
    return offline


def _comment(task, person, words):
    return {"id": task, "question": "comment", "annotator": person, "value": words}


def _take(run, *, comments):
    (id,) = [row["id"] for row in run.rows("pool") if row["text"] == TEXT]
    ids = run.root / "ids.txt"
    ids.write_text(id)
    documents = naming.cluster(run.workspace, [id])
    return takedown.run(run.workspace, documents, [id], "asked", comments=comments)


def _typed(run):
    rows = run.workspace.rounds.current().history()
    return [json.loads(row["value"]) for row in rows if row["question"] == "comment"]


def _reads(run):
    current = run.workspace.rounds.current()
    return current.history, current.cursors


def test_comments_that_quote_are_named_and_stay_until_somebody_asks(commented):
    made = _take(commented, comments=False)
    assert made.comments == 0
    assert "round 1: ann (comment); round 1: cy (comment); --comments erases them" in made.notes[0]
    assert f"She says: {TEXT}" in _typed(commented)
    before, cursors = (read() for read in _reads(commented))
    assert takedown.erase_named(commented.workspace) == 2
    assert _typed(commented) == [ERASED, "rude", "She complains", ERASED]
    after, cursors_after = (read() for read in _reads(commented))
    assert cursors_after == cursors
    changed = [
        {key for key in old if old[key] != new[key]} for old, new in zip(before, after, strict=True)
    ]
    assert changed == [{"value"}, set(), set(), {"value"}]
    assert takedown.erase_named(commented.workspace) == 0


def test_comments_are_erased_in_the_same_request(commented):
    assert _take(commented, comments=True).comments == 2
    assert _typed(commented) == [ERASED, "rude", "She complains", ERASED]
    left = [name for name, text in everything(commented.root, ("data/",)) if "gone cold" in text]
    assert left == []
    assert commented.run("pull").new == 0


# ── whatever else people type

OTHER = "An other text, of which nobody has asked for anything."


@pytest.fixture
def asked(offline):
    """A round of two texts, of which one is to go; what people type about both comes home."""
    offline.lines("a.jsonl", [TEXT, OTHER])
    offline.pool()
    offline.run("clean", near_duplicates=None, rules=[])
    offline.run("sample", n=2)
    offline.run("push", backend="folder", form="comment", overlap=2)
    return offline


def _task(run, text):
    return next(task["id"] for task in run.tasks if task["text"] == text)


def _left(run, words="the soup had gone"):
    return [name for name, text in everything(run.root, ("data/",)) if words in text]


def test_a_comment_on_another_text_quotes_too(asked):
    asked.say(_comment(_task(asked, OTHER), "ann", f"the same as: {TEXT}"))
    asked.run("pull")
    made = _take(asked, comments=True)
    assert made.comments == 1
    assert _typed(asked) == [ERASED]
    # the task stays, and with it the comment in the folder of the server
    assert set(_left(asked)) == {"rounds/01/answers.jsonl"}
    assert asked.run("pull").new == 0
    assert _typed(asked) == [ERASED]


def test_an_answer_that_comes_home_in_the_request_itself_is_looked_at(asked):
    asked.say(_comment(_task(asked, TEXT), "ann", f"She says: {TEXT}"))
    assert _take(asked, comments=True).comments == 1
    assert _left(asked) == []


@pytest.mark.parametrize("status", ["submitted", "draft"])
@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("comment", [TEXT]),
        ("comment", {"text": {"deep": [TEXT]}}),
        ("comment", {TEXT: 1}),
        ("note", TEXT),
        (TEXT, "a note"),
    ],
)
def test_an_answer_that_fits_no_question_quotes_too(asked, question, value, status):
    row = {**_comment(_task(asked, TEXT), "ann", value), "question": question, "status": status}
    asked.say(row)
    asked.run("pull")
    made = _take(asked, comments=False)
    assert "round 1: ann" in made.notes[0]
    assert "gone cold" not in "".join(made.notes)
    assert takedown.erase_named(asked.workspace) == 1
    assert _left(asked) == []


def test_a_short_text_must_stand_whole_in_an_answer_to_its_own_task(offline):
    offline.lines("a.jsonl", ["Never again.", OTHER])
    offline.pool()
    offline.run("clean", near_duplicates=None, rules=[])
    offline.run("sample", n=2)
    offline.run("push", backend="folder", form="comment", overlap=3)
    own, other = _task(offline, "Never again."), _task(offline, OTHER)
    offline.say(_comment(own, "ann", "he says Never  again. twice"), _comment(own, "bob", "never"))
    offline.say(_comment(other, "cy", "Never again."))
    offline.run("pull")
    (id,) = [row["id"] for row in offline.rows("pool") if row["text"] == "Never again."]
    documents = naming.cluster(offline.workspace, [id])
    made = takedown.run(offline.workspace, documents, [id], "asked", comments=True)
    assert made.comments == 1
    assert sorted(_typed(offline)) == sorted([ERASED, "never", "Never again."])


def test_files_that_a_person_wrote_into_the_folder_are_named(asked):
    (id,) = [row["id"] for row in asked.rows("pool") if row["text"] == TEXT]
    (other,) = [row["id"] for row in asked.rows("pool") if row["text"] == OTHER]
    asked.root.joinpath("labels.csv").write_text(f"id,text\n{other},b\n{id},a\n")
    asked.root.joinpath("edge.jsonl").write_bytes(b"x" * (BLOCK - 9) + id.encode() + b"\n")
    pq.write_table(pa.table({"id": [other, id], "text": ["b", "a"]}), asked.root / "mine.parquet")
    pq.write_table(pa.table({"key": [id]}), asked.root / "other.parquet")
    asked.root.joinpath("broken.parquet").write_text("no table")
    asked.root.joinpath("other.csv").write_text(f"id,text\n{other},b\n{id}0,a\n")
    asked.root.joinpath("data", "ours.csv").write_text(id)  # a source
    assert files_naming(asked.workspace, [id]) == ["edge.jsonl", "labels.csv", "mine.parquet"]
    told = " ".join(_take(asked, comments=False).notes)
    assert "edge.jsonl, labels.csv, mine.parquet of this folder name" in told
