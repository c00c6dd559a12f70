"""People on the command line: who they are, how far they are, what they did."""

import csv
import io
import json

import pytest

from tests.command import command
from tests.test_loop import BAD, GOOD, RECIPE, answer, texts


@pytest.fixture
def run(monkeypatch, capsys):
    return command(monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    for name, words in (("good", GOOD), ("bad", BAD)):
        lines = "".join(json.dumps({"text": text}) + "\n" for text in texts(words))
        (tmp_path / "data" / f"{name}.jsonl").write_text(lines)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def test_people_are_added_listed_and_asked(run, folder):
    add = ("people", "add", "ann", "--name", "Ann A.", "--language", "en", "-w", folder)
    assert run(*add)[0] == 0
    assert run("people", "add", "bob", "--account", "argilla=bob", "-w", folder)[0] == 0
    code, out, _ = run("people", "list", "-w", folder, "--json")
    assert code == 0
    found = {each["id"]: each for each in json.loads(out)["people"]}
    assert found["ann"]["languages"] == ["en"]
    assert found["bob"]["accounts"] == {"argilla": "bob"}
    assert "Ann A." in run("people", "list", "-w", folder)[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--account", "anna@example.org"), "name the backend"),
        (("--account", "paper=anna"), "name the backend"),
        (("--quota", "0"), "quota"),
        (("--from", "yesterday"), "from"),
    ],
)
def test_what_cannot_be_said_of_a_person(run, folder, arguments, words):
    code, _, err = run("people", "add", "ann", *arguments, "-w", folder)
    assert code == 2
    assert words in err
    assert "Traceback" not in err
    assert not (folder / "people.yaml").exists()


def test_an_overlap_above_the_people_is_refused_before_anything_is_sent(run, folder):
    run("people", "add", "ann", "-w", folder)
    code, _, err = run("run", "-w", folder)
    assert code == 1
    assert "2 people are to answer every text, but only 1 can be asked" in err
    assert not (folder / "rounds" / "01" / "tasks.jsonl").exists()
    run("people", "add", "bob", "-w", folder)
    assert run("run", "-w", folder)[0] == 3


def test_status_and_report_say_what_everyone_did(run, folder):
    for person in ("ann", "bob"):
        run("people", "add", person, "-w", folder)
    assert run("run", "-w", folder)[0] == 3
    answer(folder, ("ann",))
    assert run("run", "-w", folder)[0] == 3  # bob is still asked
    code, out, _ = run("status", "-w", folder, "--json")
    assert code == 0
    (ann,) = json.loads(out)["people"]
    assert (ann["annotator"], ann["live"], ann["skipped"]) == ("ann", True, 0)
    number = ann["submitted"]
    assert number > 10
    assert "ann" in run("status", "-w", folder)[1]
    code, out, _ = run("people", "report", "--by", "round", "-w", folder)
    assert code == 0
    (row,) = csv.DictReader(io.StringIO(out))
    assert row == {
        "annotator": "ann",
        "period": "01",
        "answers": str(number),
        "skips": "0",
        "revisions": "0",
        "minutes": "",
    }
    assert run("people", "report", "--by", "moon", "-w", folder)[0] == 2


def test_restore_without_a_push_says_so(run, folder):
    run("pool", "-w", folder)
    run("clean", "-w", folder)
    run("sample", "-w", folder)
    code, _, err = run("push", "--restore", "-w", folder)
    assert code == 1
    assert "has not been sent" in err
