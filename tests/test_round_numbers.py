"""Rounds in order: none is forgotten, any can be closed, and no number is given twice."""

import shutil

import pytest

from curate.errors import DataError, MissingInput
from curate.pull.stage import close_round
from tests.command import command


@pytest.fixture
def ready(offline):
    offline.lines("notes.jsonl", [f"A note about the number {n} and no more." for n in range(30)])
    offline.pool()
    offline.run("clean")
    return offline


def test_a_round_that_was_not_sent_is_not_forgotten(ready):
    ready.run("sample", n=4)
    with pytest.raises(DataError, match="round 1 is still open") as caught:
        ready.run("sample", n=4)
    assert "`curate run` sends it" in caught.value.hint
    assert "`curate round close 1`" in caught.value.hint
    first = ready.workspace.rounds.current().documents()
    close_round(ready.workspace)
    ready.run("sample", n=30)
    assert set(first) <= set(ready.workspace.rounds.current().documents()), "they can be sent again"


def test_any_open_round_can_be_closed(ready, monkeypatch, capsys):
    ready.run("sample", n=3)
    shutil.move(ready.root / "rounds" / "01", ready.root / "kept")
    ready.run("sample", n=3)
    ready.run("push", backend="folder", form="topic")
    shutil.move(ready.root / "kept", ready.root / "rounds" / "01")  # as earlier versions left it
    run = command(monkeypatch, capsys)
    assert "round 1 is still open" in run("sample", "-w", ready.root)[2]
    assert run("round", "close", "1", "-w", ready.root)[0] == 0
    assert run("round", "close", "1", "-w", ready.root)[:1] == (1,)
    one, two = ready.workspace.rounds.all()
    assert (bool(one.closed), bool(two.closed)) == (True, False)
    assert run("round", "close", "-w", ready.root)[0] == 0
    assert ready.workspace.rounds.open() == []
    with pytest.raises(MissingInput, match="no round 7") as caught:
        close_round(ready.workspace, 7)
    assert caught.value.hint == "there are: 1, 2"


def test_without_a_number_the_newest_open_round_is_closed(ready):
    for _ in range(2):
        ready.run("sample", n=3)
        close_round(ready.workspace)
    (ready.root / "rounds" / "01" / "closed.json").unlink()
    close_round(ready.workspace)
    assert all(round_.closed for round_ in ready.workspace.rounds.all())


def test_the_number_of_a_deleted_round_is_not_given_again(ready):
    for _ in range(2):
        ready.run("sample", n=3)
        close_round(ready.workspace)
    shutil.rmtree(ready.root / "rounds" / "02")
    ready.run("sample", n=3)
    assert [round_.number for round_ in ready.workspace.rounds.all()] == [1, 3]
    close_round(ready.workspace)
    shutil.rmtree(ready.root / "rounds")
    assert ready.workspace.next_round() == 4
    answers = ready.root / "answers.jsonl"
    id = ready.rows("pool")[0]["id"]
    answers.write_text(f'{{"id": "{id}", "question": "topic", "annotator": "a", "value": "news"}}')
    from curate.forms import load_form
    from curate.pull.importing import bring

    assert bring(ready.workspace, answers, load_form("topic")).round == 4


def test_what_the_command_line_set_is_told_when_it_is_undone(ready, monkeypatch, capsys):
    run = command(monkeypatch, capsys)
    sources = "pool: {sources: [{paths: [data/notes.jsonl]}], tokenizer: bytes}\n"
    text = sources + "mix: {budget: 50%, within: {strategy: equal}}\n"
    (ready.root / "recipe.yaml").write_text(text)
    code, _, err = run("run", "-w", ready.root, "--set", "mix.budget=20%", "--set", "mix.seed=0")
    assert (code, "by the command line" in err) == (0, False)
    told = "mix.budget was 20% in the last run, by the command line; now it is 50%"
    assert told not in run("run", "-w", ready.root, "--set", "mix.budget=20%")[2]
    _, _, err = run("run", "-w", ready.root)
    assert [line for line in err.splitlines() if "by the command line" in line] == [told]
    assert "by the command line" not in run("run", "-w", ready.root)[2]
    run("mix", "-w", ready.root, "--max-epochs", "1")
    told = "mix.max_epochs was 1 in the last run, by the command line; now it is 4"
    assert told in run("mix", "-w", ready.root)[2]
