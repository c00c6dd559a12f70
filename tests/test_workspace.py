"""Freshness, the ledger, the lock, and documents as they read after edits."""

import json
import multiprocessing
import os
import time
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate import storage, tables
from curate.errors import CurateError, DataError, MissingInput, StaleInput, WorkspaceBusy
from curate.rounds.views import View
from curate.run import recipe, stages
from curate.workspace import Workspace
from curate.workspace.predictions import predicted_questions

TEXTS = ("The soup was good.", "The soup was bad.", "The bread was fresh today.")


def test_init_keeps_the_id_of_a_workspace(tmp_path):
    workspace = Workspace(tmp_path / "new")
    with pytest.raises(MissingInput, match="is not a workspace"):
        _ = workspace.about()
    workspace.init("first")
    about = workspace.about()
    workspace.init("second")
    assert workspace.about() == about
    assert about["name"] == "first"
    assert len(about["id"]) == 8


def test_what_was_learned_is_read_from_the_record_of_scores(tmp_path):
    own = Workspace(tmp_path).tables
    assert predicted_questions(own) == {}
    mood = {"kind": "choice", "values": ["bad", "good"], "encoder": None, "features": "characters"}
    best = {"kind": "preference", "values": ["a", "b"], "encoder": "minilm", "features": "both"}
    facts = {"questions": {"mood": mood, "quality": best}}
    with own.building("scores", storage.Provenance("score", {}, {}, "", facts)) as folder:
        table = tables.rows("scores", [{"id": "one", "out_of_fold": False}])
        storage.write_parquet(folder / "00000.parquet", table)
    choice, comparison = predicted_questions(own).values()
    assert choice.outputs == choice.columns == ("mood:bad", "mood:good")
    assert (choice.makes_groups, choice.encoder, choice.features) == (True, None, "characters")
    # `quality` is a column of its own in every table of scores
    assert (comparison.columns, comparison.outputs) == ((), ("quality:",))
    assert (comparison.makes_groups, comparison.encoder) == (False, "minilm")


def test_a_missing_input_names_the_command(offline):
    for name, stage in (("pool", "pool"), ("labels", "agree"), ("groups", "mix")):
        with pytest.raises(MissingInput) as caught:
            offline.workspace.tables.read(name)
        assert caught.value.hint == f"run `curate {stage}` first"
    with pytest.raises(MissingInput, match="there is no round yet"):
        _ = offline.workspace.rounds.current()


# ── freshness


def fresh(offline, stage, **given):
    return stages.is_fresh(offline.workspace, stage, offline.spec(stage, **given))


def sources(path="data/*.jsonl"):
    return {"sources": [{"paths": [path]}], "tokenizer": "bytes"}


def test_the_same_settings_on_the_same_files_are_fresh(offline):
    offline.lines("notes.jsonl", TEXTS)
    assert not fresh(offline, "pool", **sources())
    offline.pool()
    assert fresh(offline, "pool", **sources())
    assert not fresh(offline, "pool", **sources(), holdout=0.5)
    assert not fresh(offline, "pool", **sources("data/notes.jsonl"))


def test_a_changed_file_makes_the_pool_stale(offline):
    path = offline.lines("notes.jsonl", TEXTS)
    offline.pool()
    os.utime(path, (1, 1))
    assert not fresh(offline, "pool", **sources())
    offline.pool()
    assert fresh(offline, "pool", **sources())
    offline.lines("more.jsonl", ["Another text that says something."])
    assert not fresh(offline, "pool", **sources())


def test_unchanged_content_keeps_what_follows_fresh(offline):
    path = offline.lines("notes.jsonl", TEXTS)
    offline.pool()
    offline.run("clean")
    os.utime(path, (1, 1))
    offline.pool()
    assert fresh(offline, "clean")
    assert not fresh(offline, "clean", rules=["gopher_repetition"])
    offline.lines("notes.jsonl", (*TEXTS, "And one more sentence here."))
    offline.pool()
    assert not fresh(offline, "clean")


def test_files_are_fresh_while_they_are_those_that_were_written(whole):
    settings = {"seeds": 2, "train_bytes": 20_000, "holdout_bytes": 2_000}
    assert fresh(whole, "evaluate", **settings)
    assert fresh(whole, "export", shard_documents=20)
    assert fresh(whole, "report")
    (whole.root / "report.html").write_text("changed by hand")
    assert not fresh(whole, "report")
    (whole.root / "export" / "manifest.json").unlink()
    assert not fresh(whole, "export", shard_documents=20)
    assert not fresh(whole, "evaluate", **{**settings, "seeds": 3})


def test_a_stage_whose_ledger_line_was_lost_counts_as_not_run(whole):
    """A kill between the table and its line: nobody could tell what came of it."""
    path = whole.root / "ledger.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if '"stage": "clean"' not in line))
    assert not fresh(whole, "clean")
    whole.run("clean")
    assert fresh(whole, "clean")


# ── ledger


def record(workspace, stage="pool", result=None, **given):
    made = workspace.freshness.provenance(stage, recipe.Recipe().section(stage), {}, **given)
    workspace.ledger.append(made, {}, result or {"n": 1}, 0.5)


@pytest.mark.parametrize("torn", ['{"stage": "clean", "spec"', '{"stage": "cle', '{"stage": "餐'])
def test_a_torn_last_line_counts_as_not_run(offline, torn):
    workspace = offline.workspace
    record(workspace)
    with (offline.root / "ledger.jsonl").open("ab") as file:
        file.write(torn.encode()[:-1])  # cut in the middle of a character
    assert [line["stage"] for line in workspace.ledger.lines()] == ["pool"]
    assert workspace.ledger.last("clean") is None
    record(workspace, "clean")
    assert [line["stage"] for line in workspace.ledger.lines()] == ["pool", "clean"]


def test_the_ledger_survives_every_character(offline):
    odd = {"sources": {"a\u2028b\u0085c\x1cd\n": 1}}
    record(offline.workspace, result=odd)
    assert offline.workspace.ledger.last("pool")["result"] == odd


def test_last_run_is_the_newest(offline):
    assert offline.workspace.ledger.lines() == []
    for n in (1, 2):
        record(offline.workspace, result={"n": n})
    assert offline.workspace.ledger.last("pool")["result"] == {"n": 2}


# ── one writer at a time


def hold(root, seconds, held):
    with Workspace(root).lock.hold("pool"):
        held.set()
        time.sleep(seconds)


@pytest.fixture
def another(tmp_path):
    """Start another process that holds the workspace for some seconds."""
    context = multiprocessing.get_context("spawn")
    started = []

    def start(seconds):
        held = context.Event()
        process = context.Process(target=hold, args=(tmp_path, seconds, held))
        process.start()
        started.append(process)
        assert held.wait(60)
        return process

    yield start
    for process in started:
        process.terminate()
        process.join()


def test_a_held_workspace_names_who_holds_it(tmp_path, another):
    process = another(60)
    with (
        pytest.raises(
            WorkspaceBusy, match=rf"`curate pool` \(process {process.pid}, since "
        ) as busy,
        Workspace(tmp_path).lock.hold("clean"),
    ):
        pytest.fail("two writers at once")
    assert "--wait" in busy.value.hint


def test_wait_waits(tmp_path, another):
    another(1)
    with Workspace(tmp_path).lock.hold("clean", wait=60):
        assert "`curate clean`" in (tmp_path / ".lock").read_text()
    assert (tmp_path / ".lock").read_text() == ""


def test_a_killed_holder_lets_go(tmp_path, another):
    process = another(60)
    process.kill()
    process.join()
    with Workspace(tmp_path).lock.hold("clean", wait=5):
        pass


# ── tables


def test_writing_in_shards_and_reading_columns(offline):
    made = offline.workspace.freshness.provenance("mix", offline.spec("mix"), {})
    rows = [{"id": f"{n}", "group": "g", "weight": 1.0, "copies": n} for n in range(5)]
    offline.workspace.tables.write("mix", tables.rows("mix", rows), made, rows_per_shard=2)
    assert len(offline.workspace.tables.shards("mix")) == 3
    assert offline.workspace.tables.rows("mix") == 5
    assert offline.workspace.tables.read("mix", ["copies"])["copies"].to_pylist() == [0, 1, 2, 3, 4]
    assert offline.workspace.tables.made("mix") == made


def test_an_empty_table_keeps_its_schema(offline):
    made = offline.workspace.freshness.provenance("mix", offline.spec("mix"), {})
    offline.workspace.tables.write("mix", tables.rows("mix", []), made)
    offline.workspace.tables.write("groups", tables.rows("groups", []), made)
    assert offline.workspace.tables.read("mix").schema == tables.schema("mix")
    assert offline.workspace.tables.read("groups").schema == tables.schema("groups")


def with_edits(offline, edits):
    """Run pool and clean, and lay edits over the kept texts as a privacy rule would."""
    offline.lines("notes.jsonl", TEXTS)
    offline.pool()
    offline.run("clean")
    edit(offline, edits)


def edit(offline, edits):
    """Lay edits over what `clean` has judged, a list or None for each document."""
    (path,) = offline.workspace.tables.shards("clean")
    table = pq.read_table(path)
    column = pa.array(edits, table.schema.field("edits").type)
    storage.write_parquet(path, table.set_column(5, table.schema.field("edits"), column))


def test_documents_read_as_edited(offline):
    edit = [{"start": 4, "end": 8, "replacement": "XXXX"}]
    with_edits(offline, [edit, None, None])
    texts = [text for t in offline.workspace.documents.batches() for text in t["text"].to_pylist()]
    assert texts == ["The XXXX was good.", *TEXTS[1:]]
    assert [row["text"] for row in offline.rows("pool")] == list(TEXTS)  # never changed itself
    ids = [row["id"] for row in offline.rows("pool")]
    edited = offline.workspace.documents.find_views({ids[0]})
    assert edited == {ids[0]: View({"text": "The XXXX was good."}, edits=((4, 8, "XXXX"),))}
    assert offline.workspace.documents.find_views({ids[0]}, edited=False) == {
        ids[0]: View({"text": TEXTS[0]})
    }


def test_documents_leave_out_what_clean_dropped(offline):
    offline.lines("notes.jsonl", [*TEXTS, "no"])
    offline.pool()
    offline.run("clean")
    kept = [text for t in offline.workspace.documents.batches() for text in t["text"].to_pylist()]
    assert kept == list(TEXTS)
    every = [t.num_rows for t in offline.workspace.documents.batches(("id", "kept"), dropped=True)]
    assert sum(every) == 4
    table = offline.workspace.documents.table(("id", "source", "length:words"))
    assert table["length:words"].to_pylist() == [4, 4, 5]


def test_a_verdict_on_other_documents_is_refused(offline):
    offline.lines("notes.jsonl", TEXTS)
    offline.pool()
    offline.run("clean")
    offline.lines("notes.jsonl", reversed(TEXTS))
    offline.pool()
    with pytest.raises(CurateError, match="clean does not belong to pool"):
        list(offline.workspace.documents.batches())


def older(folder, column, convert):
    """Store a column as text, as versions before this one did."""
    stored = storage.stored_folder(folder)
    for path in storage.shards(folder):
        table = pq.read_table(path)
        texts = [None if value is None else convert(value) for value in table[column].to_pylist()]
        at = table.column_names.index(column)
        storage.write_parquet(path, table.set_column(at, column, pa.array(texts, pa.string())))
    storage.seal(folder, stored.made)


def test_a_pool_of_an_older_version_is_made_again(offline):
    offline.lines("chat.jsonl", [{"prompt": f"What is {n}?", "reply": "A number."} for n in "12"])
    source = {"paths": ["data/*.jsonl"], "fields": ["prompt", "reply"]}
    given = {"sources": [source], "tokenizer": "bytes"}
    offline.run("pool", **given)
    offline.lines("more.jsonl", [{"prompt": "What is 3?", "reply": "A number."}])
    offline.run("pool", **given)
    rows = offline.rows("pool")
    assert [(row["batch"], row["fields"][0]["text"][8]) for row in rows] == [
        (1, "1"),
        (1, "2"),
        (2, "3"),
    ]
    older(
        offline.root / "pool",
        "fields",
        lambda fields: json.dumps([[field["name"], field["text"]] for field in fields]),
    )
    assert not fresh(offline, "pool", **given)
    with pytest.raises(DataError, match="pool has the columns of an older version") as caught:
        offline.run("clean")
    assert caught.value.hint == "run `curate pool` again"
    assert offline.run("pool", **given).read == 3  # nothing of the older pool is used but batches
    assert sorted(offline.rows("pool"), key=by_id) == sorted(rows, key=by_id)
    assert fresh(offline, "pool", **given)
    assert offline.run("clean").kept == 3


def by_id(row):
    return row["id"]


def test_labels_of_an_older_version_are_made_again(whole):
    path = whole.root / "labels.parquet"
    table, stored = pq.read_table(path), storage.stored_file(path)
    posteriors = [json.dumps(dict(pairs)) for pairs in table["posterior"].to_pylist()]
    at = table.column_names.index("posterior")
    table = table.set_column(at, "posterior", pa.array(posteriors, pa.string()))
    storage.write_file_table(path, table, stored.made)
    with pytest.raises(DataError, match="labels has the columns of an older") as caught:
        whole.run("score")
    assert caught.value.hint == "run `curate agree` again"
    for stage in ("evaluate", "export"):
        with pytest.raises(StaleInput, match="`scores` was not made from the present `labels`"):
            whole.run(stage)
    whole.run("agree", bootstrap=50)
    assert whole.workspace.tables.has_types("labels")


def test_a_document_of_several_fields_is_found_whole(offline):
    offline.lines("chat.jsonl", [{"prompt": "What is soup?", "reply": "A warm liquid meal."}])
    offline.run(
        "pool",
        sources=[{"paths": ["data/chat.jsonl"], "fields": ["prompt", "reply"]}],
        tokenizer="bytes",
    )
    (row,) = offline.rows("pool")
    found = offline.workspace.documents.find_views({row["id"], "unknown"}, edited=False)
    shown = {"prompt": "What is soup?", "reply": "A warm liquid meal."}
    assert found == {row["id"]: View(shown)}


def test_edits_reach_the_fields_that_people_see(offline):
    said = {"prompt": "My mail is me@x.org", "reply": "me@x.org? Noted.", "by": "ann"}
    offline.lines("chat.jsonl", [said])
    source = {
        "paths": ["data/chat.jsonl"],
        "fields": {"reply": "reply", "prompt": "prompt"},
        "template": "Q: {prompt}\nA: {reply}",
    }
    offline.run("pool", sources=[source], tokenizer="bytes")
    (row,) = offline.rows("pool")
    assert row["text"] == "Q: My mail is me@x.org\nA: me@x.org? Noted."
    assert row["template"] == source["template"]
    offline.run("clean")
    starts = [place for place in range(len(row["text"])) if row["text"].startswith("me@", place)]
    edits = [{"start": at, "end": at + 8, "replacement": "[email]"} for at in starts]
    edit(offline, [edits])
    (view,) = offline.workspace.documents.find_views({row["id"]}).values()
    assert view.fields == {"reply": "[email]? Noted.", "prompt": "My mail is [email]"}
    assert view.by_field == {"reply": ((0, 8, "[email]"),), "prompt": ((11, 19, "[email]"),)}


def test_edits_of_a_text_with_a_template(offline):
    offline.lines("a.jsonl", ["Mail me@x.org now."])
    source = {"paths": ["data/a.jsonl"], "template": "> {text}"}
    offline.run("pool", sources=[source], tokenizer="bytes")
    offline.run("clean")
    edit(offline, [[{"start": 7, "end": 15, "replacement": "[email]"}]])
    (view,) = offline.workspace.documents.find_views({offline.rows("pool")[0]["id"]}).values()
    assert view == View({"text": "Mail [email] now."}, edits=((5, 13, "[email]"),))


def test_paths_of_a_recipe_are_relative_to_the_workspace(tmp_path):
    workspace = Workspace(tmp_path)
    assert workspace.path("data/x.md") == tmp_path / "data" / "x.md"
    assert workspace.path("/elsewhere/x.md") == Path("/elsewhere/x.md")


def test_results_become_plain_json(whole):
    line = whole.workspace.ledger.last("agree")["result"]
    assert json.loads(json.dumps(line)) == line
    assert line["questions"][0]["question"] == "sentiment"


def test_what_the_ledger_keeps_has_the_declared_types(whole):
    """A number of numpy's would be written as text."""
    questions = whole.workspace.ledger.last("agree")["result"]["questions"]
    assert type(questions[0]["undecided"]) is int
    for line in whole.workspace.ledger.lines():
        declared = import_module(f"curate.{line['stage']}.stage").__dict__
        fields = get_type_hints(declared[f"{line['stage'].capitalize()}Result"])
        for name, value in line["result"].items():
            if fields[name] in (int, float, str, bool):
                assert isinstance(value, fields[name] if fields[name] is not float else int | float)
