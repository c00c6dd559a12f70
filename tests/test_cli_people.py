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
    code, out, err = run("people", "list", "-w", folder)
    assert (code, out) == (0, "")
    assert "nobody is listed in people.yaml: `curate people add -w" in " ".join(err.split())
    assert "there is no round yet: `curate sample" in run("round", "list", "-w", folder)[2]
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


def test_what_was_set_for_a_round_lasts_until_it_is_sent(run, folder):
    for person in ("ann", "bob"):
        run("people", "add", person, "-w", folder)
    wanted = ("--set", "push.overlap=3", "--set", "sample.n=5")
    code, _, err = run("run", "-w", folder, *wanted)
    assert (code, "only 2 can be asked" in err) == (1, True)
    assert f"`curate run -w {folder}` sends it" in run("run", "-w", folder, "--next-round")[2]
    code, _, err = run("run", "-w", folder)  # the recipe says 2
    assert (code, "round 1 was opened with --set push.overlap=3" in err) == (1, True)
    code, _, err = run("push", "-w", folder)
    assert (code, "only 2 can be asked" in err) == (1, True)
    run("people", "add", "cy", "-w", folder)
    assert run("run", "-w", folder)[0] == 3
    frozen = json.loads((folder / "rounds" / "01" / "project.json").read_text())
    assert frozen["spec"]["overlap"] == 3
    assert "was opened with" not in run("run", "-w", folder)[2]
    run("round", "close", "-w", folder)
    assert run("run", "-w", folder, "--next-round")[0] == 3
    again = json.loads((folder / "rounds" / "02" / "project.json").read_text())
    assert again["spec"]["overlap"] == 2  # the next one is the recipe's again


def test_a_later_word_beats_what_a_round_was_opened_with(run, folder):
    run("people", "add", "ann", "-w", folder)
    assert run("run", "-w", folder, "--set", "push.overlap=3")[0] == 1
    assert run("run", "-w", folder, "--set", "push.overlap=1")[0] == 3


def test_who_is_waited_for_is_told(run, folder):
    run("people", "add", "ann", "--language", "en", "-w", folder)
    run("people", "add", "李", "--language", "zh", "-w", folder)
    sets = ("--set", "push.assign=source", "--set", "push.overlap=1")
    code, _, err = run("run", "-w", folder, *sets, "--set", "push.people={good: [李]}")
    assert code == 3, err
    assert "(bad: ann, 李)" in err
    assert "(good: 李)" in err


def test_status_says_what_was_rewritten_and_needs_no_key(run, folder, monkeypatch):
    (folder / "guide.md").write_text("Be kind.")
    assert run("run", "-w", folder, "--set", "push.guidelines=guide.md")[0] == 3
    recipe = folder / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("overlap: 2", "overlap: 2, guidelines: guide.md"))

    def later():
        return json.loads(run("status", "-w", folder, "--json")[1])["for_next_round"]

    assert later() == []
    (folder / "guide.md").write_text("请公平。")
    (folder / "label_configs").mkdir()
    form = run("forms", "show", "sentiment")[1].replace("neutral", "mixed")
    (folder / "label_configs" / "sentiment.xml").write_text(form)
    assert later() == ["push.form", "push.guidelines"]
    (folder / "guide.md").unlink()
    assert later() == ["push.form", "push.guidelines"]
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://127.0.0.1:9")
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    record = folder / "rounds" / "01" / "project.json"
    record.write_text(
        record.read_text().replace('"backend": "folder"', '"backend": "label_studio"')
    )
    code, out, err = run("status", "-w", folder, "--json")
    assert code == 0, err
    assert "LABEL_STUDIO_API_KEY is not" in err
    assert json.loads(out)["rounds"][0]["backend"] == "label_studio"


def test_status_and_report_say_what_everyone_did(run, folder):
    for person in ("ann", "bob"):
        run("people", "add", person, "-w", folder)
    assert run("run", "-w", folder)[0] == 3
    answer(folder, ("ann",))
    assert run("run", "-w", folder)[0] == 3  # bob is still asked
    code, out, _ = run("status", "-w", folder, "--json")
    assert code == 0
    ann, bob = json.loads(out)["people"]
    assert (ann["annotator"], ann["live"], ann["skipped"]) == ("ann", True, 0)
    assert (bob["annotator"], bob["live"], bob["submitted"]) == ("bob", True, 0)
    number = ann["submitted"]
    assert ann["tasks"] == bob["tasks"] == number
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
        "withdrawn": "0",
        "minutes": "",
    }
    assert run("people", "report", "--by", "moon", "-w", folder)[0] == 2
    for zone in ("Mars/Base", "/etc/passwd", "", "Europe"):
        code, _, err = run("people", "report", "--zone", zone, "-w", folder)
        assert (code, "no such time zone" in err) == (2, True)
    with (folder / "rounds" / "01" / "answers.jsonl").open("a") as file:
        file.write("{torn\n")
    code, out, err = run("status", "-w", folder, "--json")
    assert (code, "not JSON" in err) == (0, True)
    ann, bob = json.loads(out)["people"]
    assert (ann["live"], ann["submitted"]) == (False, number)  # as it came home
    assert (bob["live"], bob["submitted"]) == (False, 0)


def test_restore_without_a_push_says_so(run, folder):
    run("pool", "-w", folder)
    run("clean", "-w", folder)
    run("sample", "-w", folder)
    code, _, err = run("push", "--restore", "-w", folder)
    assert code == 1
    assert "has not been sent" in err
