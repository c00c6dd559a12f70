"""Damaged, removed and copied files of a workspace: one line that says what to do."""

import json
import os
import shutil

import pytest

from curate import cli
from curate.errors import DataError
from curate.fetching import projects
from curate.people import people
from curate.push.first import project_name
from curate.rounds.standing import standing
from curate.saying import speak_of
from curate.takedown.listed import removed
from curate.workspace.damage import find_damage
from tests.attack import finished as attack
from tests.conftest import Offline

BYTES = {
    "cut": lambda whole: whole[: len(whole) // 2],
    "empty": lambda whole: b"",
    "list": lambda whole: b"[]",
    "object": lambda whole: b"{}",
    "null": lambda whole: b"null",
    "number": lambda whole: b"7",
    "bytes": lambda whole: bytes(place * 37 % 256 for place in range(900)),
    "brackets": lambda whole: b"[" * 100_000,
}


@pytest.mark.parametrize("damage", BYTES)
@pytest.mark.parametrize(
    "name",
    [
        *("pool/_manifest.json", "labels.parquet", "workspace.json", "rounds/01/spec.json"),
        *("rounds/01/project.json", "rounds/01/annotations/0001.parquet"),
        *("rounds/01/texts.parquet", "rounds/01/sample.parquet"),
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(answered, name, damage):
    path = answered.root / name
    path.write_bytes(BYTES[damage](path.read_bytes()))
    with pytest.raises(DataError, match="is damaged: ") as caught:
        _read_everything(answered.workspace)
    assert str(path) in caught.value.message
    wanted = "copy" if name.startswith(("rounds", "workspace")) else "`curate run`"
    assert wanted in caught.value.hint


def _read_everything(workspace):
    workspace.about()
    for name in ("pool", "clean", "labels"):
        workspace.tables.read(name)
    for current in workspace.rounds.all():
        assert (current.history(), current.views(), current.cursors()) is not None


@pytest.fixture(scope="module")
def _answered(tmp_path_factory):
    made = Offline(tmp_path_factory.mktemp("answered") / "run")
    made.prepare(8)
    made.answer("ann", "bob")
    made.run("pull")
    made.run("agree", bootstrap=10)
    return made.root


@pytest.fixture
def answered(_answered, tmp_path):
    """A small workspace whose one round has ended; a copy, to be damaged at will."""
    return Offline(shutil.copytree(_answered, tmp_path / "run"))


def test_a_whole_workspace_has_no_damage(answered):
    assert find_damage(answered.root) is None


def test_a_fault_that_a_damaged_file_explains_is_told_as_such(answered):
    shard = next((answered.root / "pool").glob("*.parquet"))
    whole = bytearray(shard.read_bytes())
    whole[40] ^= 255
    shard.write_bytes(whole)
    speak_of(answered.root)
    try:
        error = cli.damage(ValueError("something deep inside"))
    finally:
        speak_of(answered.root.parent)
    assert error is not None
    assert str(shard) in error.message


@pytest.mark.parametrize("table", ["pool", "clean"])
def test_a_shard_that_is_gone_is_noticed(answered, table):
    next((answered.root / table).glob("*.parquet")).unlink()
    with pytest.raises(DataError, match="is damaged: it is gone") as caught:
        answered.workspace.tables.fingerprint(table)
    assert f"delete {answered.root / table} and run" in caught.value.hint


def test_a_project_that_is_gone_is_told_where_answers_of_it_are(answered):
    (answered.root / "rounds/01/project.json").unlink()
    with pytest.raises(DataError, match=r"project\.json is damaged: it is gone"):
        answered.workspace.rounds.all()


def test_a_push_that_ended_before_its_last_file_has_sent_nothing(answered):
    """The table of tasks is written first, and the round counts as pushed with the last file."""
    (answered.root / "rounds/01/project.json").unlink()
    shutil.rmtree(answered.root / "rounds/01/annotations")
    (current,) = answered.workspace.rounds.all()
    assert (current.push, current.tasks()) == (None, [])
    assert standing(current, {}).complete == 0


def test_answers_that_are_gone_are_noticed(answered):
    [path] = answered.answer_files()
    path.unlink()
    with pytest.raises(DataError, match="it holds 0 answers, and held 16 when the round ended"):
        answered.workspace.rounds.fingerprint("annotations")


def test_a_file_of_answers_that_is_gone_between_others_is_noticed(answered):
    [path] = answered.answer_files()
    path.rename(path.with_name("0002.parquet"))
    with pytest.raises(DataError, match=r"0001\.parquet is damaged: it is gone"):
        answered.workspace.rounds.current().history()


def test_a_clock_set_back_hides_no_answer_and_repeats_none(offline, monkeypatch):
    offline.prepare(6)
    offline.answer("ann")
    offline.run("pull")
    (offline.workspace.rounds.current().folder / "answers.jsonl").unlink()
    offline.answer("ann", opinion=lambda text: "neutral")
    monkeypatch.setattr(projects, "now", lambda: "2001-01-01T00:00:00+00:00")
    offline.run("pull")
    answers = offline.workspace.rounds.current().answers()
    assert {json.loads(row["value"]) for row in answers} == {"neutral"}
    files = offline.answer_files()
    offline.run("pull")
    assert offline.answer_files() == files


def test_an_answer_of_a_server_whose_clock_was_set_back_replaces_the_one_before_it(offline):
    """Its own time is days before that of the answer it changes; the next pull brings no copy."""
    offline.prepare(3)
    file = offline.workspace.rounds.current().folder / "answers.jsonl"
    (task, *_) = [task["id"] for task in offline.tasks]
    for value, day in (("positive", "11-24"), ("neutral", "11-20"), ("negative", "11-21")):
        row = {"id": task, "question": "sentiment", "annotator": "ann", "value": value}
        file.write_text(json.dumps({**row, "at": f"2026-{day}T12:00:00Z"}) + "\n")
        assert offline.run("pull").new == 1
        (answer,) = offline.workspace.rounds.current().answers()
        assert json.loads(answer["value"]) == value
        assert answer["at"].isoformat() == "2026-11-24T12:00:00+00:00"
        assert offline.run("pull").new == 0


def test_a_server_put_back_to_an_earlier_day_takes_no_later_answer_away(offline):
    offline.prepare(3)
    file = offline.workspace.rounds.current().folder / "answers.jsonl"
    row = {"id": offline.tasks[0]["id"], "question": "sentiment", "annotator": "ann"}
    before = json.dumps({**row, "value": "positive", "at": "2026-11-24T12:00:00Z"}) + "\n"
    file.write_text(before)
    offline.run("pull")
    file.write_text(before.replace("positive", "neutral").replace("T12", "T13"))
    offline.run("pull")
    file.write_text(before)
    assert offline.run("pull").new == 0
    (answer,) = offline.workspace.rounds.current().answers()
    assert json.loads(answer["value"]) == "neutral"


def test_a_copy_of_a_workspace_has_projects_of_its_own(offline, tmp_path):
    copy = Offline(shutil.copytree(offline.root, tmp_path / "copy"))
    own, other = project_name(offline.workspace, 1), project_name(copy.workspace, 1)
    assert own != other
    assert project_name(copy.workspace, 1) == other
    assert copy.workspace.about()["id"] == offline.workspace.about()["id"]
    moved = copy.root.rename(tmp_path / "moved")
    assert project_name(Offline(moved).workspace, 1) == other


@pytest.mark.parametrize("line", ["[]", "7", '{"stage": "mix"}', "[" * 100_000, "\\x00"])
def test_a_damaged_line_of_the_ledger_is_that_of_no_run(answered, line):
    before = answered.workspace.ledger.lines()
    with (answered.root / "ledger.jsonl").open("a") as file:
        file.write(f"{line}\n")
    assert answered.workspace.ledger.lines() == before


@pytest.mark.parametrize(
    "name",
    ["ledger.jsonl", "workspace.json", "recipe.yaml", "pool/_manifest.json"],
)
def test_a_pipe_in_the_place_of_a_file_is_told_and_not_read(answered, name):
    path = answered.root / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    codes = []
    for command in ("status", "pull"):
        code, said = attack.command(command, "-w", answered.root, seconds=20)
        codes.append(code)
        assert "hung" not in said
        if code:
            assert f"error: {path} is a pipe, a socket or a device" in said
    assert 1 in codes


@pytest.mark.parametrize(
    "name",
    [
        *("people.yaml", "removed.jsonl", "rounds/01/spec.json", "rounds/01/form.xml"),
        *("rounds/01/texts.parquet", "rounds/01/project.json"),
    ],
)
def test_a_pipe_is_no_file_of_people_or_of_a_round(answered, name):
    path = answered.root / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with pytest.raises(DataError, match="is a pipe, a socket or a device") as caught:
        _read_all(answered)
    assert str(path) in caught.value.message


@pytest.mark.parametrize("name", ["guidelines.md", "sample.parquet", "tasks.parquet"])
def test_a_status_does_not_wait_for_a_pipe_of_a_round(answered, name):
    recipe = "pool: {sources: [{paths: [data/*.jsonl]}]}\nsample: {n: 8}\npush: {form: sentiment}\n"
    (answered.root / "recipe.yaml").write_text(recipe)
    path = answered.root / "rounds" / "01" / name
    path.unlink()
    os.mkfifo(path)
    code, said = attack.command("status", "-w", answered.root, seconds=20)
    assert code == 1
    assert f"error: {path} is a pipe, a socket or a device" in said


def _read_all(offline):
    people.load(offline.root)
    removed(offline.root)
    _read_everything(offline.workspace)
