"""Sending a round: twice is once, and what was frozen stays."""

import json
import shutil

import pytest

from curate.engine import Local
from curate.errors import DataError, FormError, MissingInput, ProjectMismatch
from curate.push import first, tasks
from curate.rounds import text_digest
from tests.shards import recut

FOLDER = {"backend": "folder", "form": "sentiment", "overlap": 2}


@pytest.fixture
def sampled(offline):
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=12, seed=2)
    return offline


def test_people_find_the_texts_as_they_were_sampled(sampled):
    made = sampled.run("push", **FOLDER)
    texts = sampled.workspace.rounds.current().texts()
    assert (made.round, made.tasks, made.sent, made.notes) == (1, 12, 12, ())
    assert {task["id"]: {"text": task["text"]} for task in sampled.tasks} == texts
    assert sampled.workspace.rounds.current().project.overlap == 2
    about = sampled.workspace.about()
    assert made.project == f"tiny-{about['id']}-r01"


def test_tasks_are_shown_in_the_order_of_chance_and_not_of_rank(sampled):
    sampled.run("push", **FOLDER)
    ranked = sampled.workspace.rounds.current().sample()["id"].to_pylist()
    shown = [task["id"] for task in sampled.tasks]
    assert sorted(shown) == sorted(ranked)
    assert shown != ranked
    order = [task.id for task in tasks.tasks_of(sampled.workspace.rounds.current())]
    assert shown == order


def test_twice_is_once(sampled):
    sampled.run("push", **FOLDER)
    folder = sampled.workspace.rounds.current().folder
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    again = sampled.run("push", **FOLDER)
    assert (again.sent, again.tasks, again.notes) == (0, 12, ())
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_push_that_was_cut_short_sends_the_rest(sampled):
    sampled.run("push", **FOLDER)
    path = sampled.workspace.rounds.current().folder / "tasks.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:5]), encoding="utf-8")
    assert sampled.run("push", **FOLDER).sent == 7
    assert path.read_text(encoding="utf-8").splitlines(keepends=True) == lines


def test_the_first_push_freezes_form_guidelines_and_overlap(sampled):
    (sampled.root / "guide.md").write_text("Be kind.")
    sampled.run("push", **FOLDER, guidelines="guide.md")
    current = sampled.workspace.rounds.current()
    (batch,) = current.batches
    assert (batch.guidelines, batch.people) == ("Be kind.", None)
    assert batch.guideline == text_digest("Be kind.")
    assert current.project.overlap == 2
    assert current.form.question("sentiment").labels == ("negative", "neutral", "positive")


def test_changed_settings_act_on_the_next_round(sampled):
    (sampled.root / "guide.md").write_text("Be kind.")
    sampled.run("push", **FOLDER, guidelines="guide.md")
    frozen = sampled.workspace.rounds.current().push
    (sampled.root / "guide.md").write_text("Be strict.")
    made = sampled.run("push", **{**FOLDER, "overlap": "all"}, guidelines="guide.md")
    assert made.notes == (
        "push.overlap changed: it acts on the next round",
        "push.guidelines changed: it acts on the next round",
    )
    assert sampled.workspace.rounds.current().push == frozen
    assert sampled.workspace.rounds.current().batches[0].guidelines == "Be kind."
    sampled.workspace.rounds.current().close({"why": "test"})
    sampled.run("sample", n=3)
    sampled.run("push", **{**FOLDER, "overlap": "all"}, guidelines="guide.md")
    assert sampled.workspace.rounds.current().batches[0].guidelines == "Be strict."
    assert sampled.workspace.rounds.current().project.overlap is None


def test_a_changed_form_is_refused(sampled):
    sampled.run("push", **FOLDER)
    own = sampled.root / "label_configs" / "sentiment.xml"
    own.parent.mkdir()
    own.write_text(sampled.workspace.rounds.current().form.xml.replace("neutral", "mixed"))
    with pytest.raises(ProjectMismatch, match="form sentiment has changed") as caught:
        sampled.run("push", **FOLDER)
    assert "--next-round" in caught.value.hint
    own.write_text(sampled.workspace.rounds.current().form.xml.replace("\n", "\n\n"))
    assert sampled.run("push", **FOLDER).sent == 0  # white space changes nothing


def test_a_form_must_show_fields_that_there_are(sampled):
    own = sampled.root / "title.xml"
    own.write_text('<View><Text name="t" value="$title"/><Rating name="stars" toName="t"/></View>')
    with pytest.raises(
        DataError, match=r"shows \$title, which document \w+ does not have"
    ) as caught:
        sampled.run("push", **{**FOLDER, "form": "title.xml"})
    assert caught.value.hint == "it has: text"
    assert sampled.workspace.rounds.current().push is None


@pytest.mark.parametrize(
    ("given", "error"),
    [({"form": "absent"}, FormError), ({"guidelines": "absent.md"}, DataError)],
)
def test_nothing_is_frozen_where_something_is_missing(sampled, given, error):
    with pytest.raises(error, match="absent"):
        sampled.run("push", **{**FOLDER, **given})
    assert sampled.workspace.rounds.current().push is None


def test_nothing_to_push(offline):
    with pytest.raises(MissingInput, match="no round yet"):
        offline.run("push", **FOLDER)


def test_a_closed_round_is_not_sent_again(sampled):
    sampled.run("push", **FOLDER)
    sampled.workspace.rounds.current().close({"why": "test"})
    with pytest.raises(DataError, match="round 1 is closed"):
        sampled.run("push", **FOLDER)


def test_files_of_another_project_are_refused(sampled):
    sampled.run("push", **FOLDER)
    path = sampled.workspace.rounds.current().folder / "tasks.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps({**found, "name": "another-r01"}))
    with pytest.raises(ProjectMismatch, match="the files of tiny-"):
        sampled.run("push", **FOLDER)


def test_a_kill_before_the_project_was_noted_is_mended(sampled):
    sampled.run("push", **FOLDER)
    folder = sampled.workspace.rounds.current().folder
    (folder / "project.json").unlink()
    (folder / "tasks.jsonl").unlink()
    assert sampled.run("push", **FOLDER).sent == 12


def test_a_second_workspace_has_projects_of_its_own(sampled, tmp_path):
    made = sampled.run("push", **FOLDER)
    shutil.rmtree(sampled.root)
    sampled.workspace.init("tiny")
    sampled.reviews()
    sampled.pool()
    sampled.run("clean")
    sampled.run("sample", n=12, seed=2)
    assert sampled.run("push", **FOLDER).project != made.project


# ── what a push reads of the documents


@pytest.mark.parametrize("column", ["source", "license", "language", "batch", "meta.topic"])
def test_values_are_those_of_all_documents_in_memory_also_of_dropped_ones(offline, column):
    texts = [{"text": f"A text on {n} things.", "topic": f"t{n % 3}"} for n in range(30)]
    offline.lines("a.jsonl", texts[:20])
    offline.lines("b.jsonl", texts[20:])
    offline.pool()
    offline.run("clean", limits={"length:chars": {"min": 20}})
    ids = [row["id"] for row in offline.rows("clean")]
    assert not all(row["kept"] for row in offline.rows("clean"))
    name = column.partition(".")[0]
    shards = offline.workspace.documents.batches(["id", name], dropped=True)
    stored = {row["id"]: row[name] for shard in shards for row in shard.to_pylist()}
    if name == "meta":
        stored = {id: json.loads(meta)["topic"] for id, meta in stored.items()}
    expected = {id: None if stored[id] is None else str(stored[id]) for id in ids[::4]}
    for rows in (100, 3):
        recut(offline.workspace, rows)
        values = first._values(offline.workspace, column, {*ids[::4], "0" * 32})
        assert values == expected


@pytest.mark.parametrize("workers", [1, 2])
def test_suggestions_come_from_scores_that_are_older_than_the_pool(whole, workers):
    predicted = {row["id"]: row for row in whole.rows("scores")}
    recut(whole.workspace, 9)
    whole.workspace.engine = Local(workers)
    whole.workspace.rounds.current().close({"why": "test"})
    whole.lines("new.jsonl", [f"A new film that {n} people saw, and loved." for n in range(60)])
    whole.pool(holdout=0.1)
    whole.run("clean")
    whole.run("sample", n=12, seed=2)
    by = {"question": "sentiment", "by": "scores"}
    made = whole.run("push", **FOLDER, suggest=[by])
    whole.workspace.engine.close()
    suggestions = {task["id"]: task.get("suggestions") for task in whole.tasks}
    assert 0 < made.suggestions == sum(id in predicted for id in suggestions) < 12
    for id, own in suggestions.items():
        row = predicted.get(id)
        assert (own is None) == (row is None)
        if own:
            value = row["sentiment"]
            assert [(s["value"], s["score"]) for s in own] == [(value, row[f"sentiment:{value}"])]
