"""Which comments repeat a text that is taken down, and how they are erased on request."""

import json

import pytest

from curate.takedown import naming, takedown
from curate.takedown.quoting import ERASED, LETTERS, _quotes
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
def test_a_comment_quotes_a_text_by_a_run_of_characters(typed, quotes):
    assert _quotes(typed, TEXT) is quotes


def test_a_short_text_must_stand_whole():
    assert _quotes("he says Never again. twice", "Never again.")
    assert not _quotes("he says never", "Never again.")
    assert not _quotes("anything", "")


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
