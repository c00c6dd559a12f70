"""What people saw and said: frozen, append-only, the newest answer of each person."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from curate import tables
from curate.errors import DataError
from curate.pull.stage import close_round
from curate.rounds import Round, freeze, newest
from curate.rounds.views import View

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def answer(value, status="submitted", *, day=1, id="a", person="ann"):
    at = None if day is None else DAY + timedelta(days=day)
    key = {"id": id, "question": "q", "annotator": person}
    return {**key, "value": value, "status": status, "at": at}


@pytest.mark.parametrize(
    ("rows", "value", "status"),
    [
        ([answer("x"), answer("y", day=2)], "y", "submitted"),
        ([answer("y", day=2), answer("x", day=1)], "y", "submitted"),  # the clock, not the line
        ([answer("x"), answer("y")], "y", "submitted"),  # a tie goes to the later line
        ([answer("x"), answer("y", "draft", day=2)], "x", "submitted"),
        ([answer("x", "draft", day=2), answer("y", day=1)], "x", "draft"),
        ([answer("x", "draft"), answer("y", "draft", day=2)], "y", "draft"),
        ([answer("x", "skipped"), answer("y", "draft", day=2)], "y", "draft"),
        ([answer("x"), answer(None, "skipped", day=2)], None, "skipped"),
        ([answer("x"), answer(None, day=2)], None, "submitted"),  # cleared
        ([answer("x", day=3), answer(None, "withdrawn", day=1)], None, "withdrawn"),
        ([answer(None, "withdrawn", day=2), answer("x", day=3)], "x", "submitted"),
        ([answer("x"), answer(None, "withdrawn", day=2), answer("x", day=1)], "x", "submitted"),
        ([answer("x", day=None), answer("y", day=None)], "y", "submitted"),
        ([answer("x", day=5), answer("y", day=None)], "y", "submitted"),
    ],
)
def test_the_newest_answer_counts(rows, value, status):
    (kept,) = newest(rows)
    assert (kept["value"], kept["status"]) == (value, status)


def test_every_person_and_task_keeps_an_answer():
    rows = [answer(n, id=id, person=p) for n in (1, 2) for id in "ab" for p in ("ann", "bob")]
    assert [(row["id"], row["annotator"], row["value"]) for row in newest(rows)] == [
        *(("a", "ann", 2), ("a", "bob", 2), ("b", "ann", 2), ("b", "bob", 2))
    ]
    assert newest([]) == []


# ── on disk


def sample(*ids):
    return [{"id": id, "round": 1, "rank": n, "kind": "design"} for n, id in enumerate(ids)]


def test_a_round_is_there_whole_or_not_at_all(tmp_path):
    def failing():
        with freeze(tmp_path, 1, {"purpose": "label"}, sample("a"), {"a": View({"text": "x"})}):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert not (tmp_path / "rounds").exists()
    with freeze(
        tmp_path, 1, {"purpose": "label"}, sample("a", "b"), {"a": View({"text": "x"})}
    ) as folder:
        (folder / "more.txt").write_text("belongs to it")
    assert (tmp_path / "rounds" / "01" / "more.txt").exists()


def test_a_frozen_round_reads_back(tmp_path):
    shown = {
        "a": View({"prompt": "为什么?", "reply": "<b>&amp;"}),
        "w": View({"text": "call [phone]"}, ("doc",), 7, ((12, 20, "[phone]"),)),
    }
    rows = [*sample("a"), {**sample("w")[0], "members": ["doc"], "start": 7, "end": 20}]
    with freeze(tmp_path, 3, {"purpose": "pilot"}, rows, shown):
        pass
    found = Round.load(3, tmp_path / "rounds" / "03")
    assert found.purpose == "pilot"
    assert found.views() == shown
    assert found.texts() == {id: view.fields for id, view in shown.items()}
    assert found.documents() == {"a": ("a",), "w": ("doc",)}
    assert found.sample().schema == tables.schema("sample")
    assert found.push is found.project is found.closed is None
    assert found.batches == ()
    assert found.cursors() == found.gold() == {}
    assert found.fingerprint("sample")
    assert found.fingerprint("project") is found.fingerprint("annotations") is None


def test_answers_are_appended_and_nothing_is_touched(tmp_path):
    found = Round(1, tmp_path)
    found.append([answer('"x"')], {"1 born": "cursor one"})
    (first,) = (tmp_path / "annotations").iterdir()
    before, mark = first.read_bytes(), found.fingerprint("annotations")
    found.append([answer('"y"', day=2)], {})
    assert first.read_bytes() == before
    assert [path.name for path in sorted((tmp_path / "annotations").iterdir())] == [
        *("0001.parquet", "0002.parquet")
    ]
    assert [row["value"] for row in found.history()] == ['"x"', '"y"']
    assert [row["value"] for row in found.answers()] == ['"y"']
    assert found.fingerprint("annotations") != mark
    assert found.cursors() == {}
    found.append([answer('"z"', day=3)], {"1 born": "cursor three"})
    assert found.cursors() == {"1 born": "cursor three"}


def test_closing_is_part_of_what_the_answers_say(tmp_path):
    found = Round(1, tmp_path)
    found.append([answer('"x"')], {})
    mark = found.fingerprint("annotations")
    found = found.close({"why": "by hand"})
    assert found.closed == {"why": "by hand"}
    assert found.fingerprint("annotations") != mark


# ── rounds follow one another


def test_a_deleted_round_does_not_let_another_be_overwritten(offline):
    """Rounds cannot be recomputed."""
    import shutil

    offline.reviews()
    offline.pool()
    offline.run("clean")
    for _ in range(2):
        offline.run("sample", n=3)
        close_round(offline.workspace)
    kept = offline.workspace.rounds.current().sample()
    shutil.rmtree(offline.root / "rounds" / "01")
    assert offline.run("sample", n=3).round == 3
    assert [each.number for each in offline.workspace.rounds.all()] == [2, 3]
    assert offline.workspace.rounds.all()[0].sample().equals(kept)


def test_rounds_are_in_the_order_of_their_numbers(offline):
    for number in (2, 99, 100, 1):
        with freeze(offline.root, number, {"purpose": "label"}, [], {}):
            pass
    assert [each.number for each in offline.workspace.rounds.all()] == [1, 2, 99, 100]
    assert offline.workspace.rounds.current().number == 100


def test_a_round_of_imports_is_not_the_one_that_asks_people(offline):
    for number, purpose in ((1, "label"), (2, "import")):
        with freeze(offline.root, number, {"purpose": purpose}, [], {}):
            pass
    assert offline.workspace.rounds.current().number == 1


def test_tasks_read_as_arrow(offline):
    with freeze(offline.root, 1, {"purpose": "label"}, sample("a"), {"a": View({"text": "x"})}):
        pass
    assert isinstance(offline.workspace.rounds.current().sample(), pa.Table)


def test_all_texts_can_be_sent_once_and_then_there_is_none_left(offline):
    offline.lines("few.jsonl", ["One short sentence here.", "Another short sentence here."])
    offline.pool()
    offline.run("clean")
    assert offline.run("sample", n=5).documents == 2
    offline.run("push", backend="folder", form="topic")
    close_round(offline.workspace)
    with pytest.raises(DataError, match="no document is left to send"):
        offline.run("sample", n=5)
