"""A run tells what is doubtful, and it ends with what can be made."""

import json
import re

import pytest

from tests.command import command

pytestmark = pytest.mark.usefixtures("undrawn")

FRUIT = ("apple", "pear", "plum", "cherry", "quince", "medlar", "fig", "grape", "melon", "date")
RECIPE = """
encoder: chargram
pool: {sources: [{paths: ["data/*.jsonl"]}], holdout: 0.1, tokenizer: bytes}
clean: {near_duplicates: null}
sample: {n: 16, seed: 3}
push: {backend: folder, form: sentiment, overlap: 1}
mix: {groups: [source], budget: 50%}
evaluate: {seeds: 2, train_bytes: 20000, holdout_bytes: 2000}
"""


@pytest.fixture
def run(monkeypatch, capsys):
    return command(monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("garden", "market"):
        rows = (
            json.dumps({"text": f"In the {name} of {n} trees a ripe {fruit} fell on stone {n}."})
            for n in range(6)
            for fruit in FRUIT
        )
        (tmp_path / "data" / f"{name}.jsonl").write_text("\n".join(rows))
    write_recipe(tmp_path)
    return tmp_path


def write_recipe(folder, *changes):
    text = RECIPE
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (folder / "recipe.yaml").write_text(text)


def answer(folder, value, question="sentiment", upto=None):
    """Answer the first round's tasks: `value` is a function of a task's number."""
    place = folder / "rounds" / "01"
    tasks = (place / "tasks.jsonl").read_text().splitlines()[:upto]
    answers = (
        {"id": json.loads(task)["id"], "question": question, "annotator": "ann", "value": value(n)}
        for n, task in enumerate(tasks)
    )
    (place / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))


def steps(out):
    return {step["stage"]: step for step in json.loads(out)["steps"]}


def keys(step):
    return [warning["key"] for warning in step["warnings"]]


def on_the_page(folder):
    html = (folder / "report.html").read_text(encoding="utf-8")
    return re.findall(r'<li data-key="([^"]+)">', html.partition("<nav")[0])


def finish(run, folder):
    """Close the round and run to the end; the steps and what stood on the terminal."""
    run("round", "close", "-w", folder)
    code, out, err = run("run", "-w", folder, "--json")
    assert code == 0, err
    return steps(out), err


# ── what cannot be learned is skipped


def test_too_few_labels_skip_the_model_and_not_the_mixture(run, folder):
    run("run", "-w", folder)
    answer(folder, lambda n: ("positive", "negative")[n % 2], upto=7)
    found, err = finish(run, folder)
    assert found["score"]["state"] == "skipped"
    assert keys(found["score"]) == ["score.skipped"]
    assert "warning: score was skipped: 7 labelled documents are too few" in err
    assert [found[name]["state"] for name in ("mix", "export", "evaluate", "report")] == [
        "done"
    ] * 4
    assert "score.skipped" in on_the_page(folder)
    states = json.loads(run("status", "-w", folder, "--json")[1])["stages"]
    assert {row["stage"]: row["state"] for row in states if row["state"] != "fresh"} == {
        "score": "skipped"
    }
    again = steps(run("run", "-w", folder, "--json")[1])
    assert keys(again["score"]) == ["score.skipped"]
    assert {again[name]["state"] for name in ("mix", "export", "evaluate", "report")} == {"fresh"}


def test_withdrawn_answers_leave_no_labels_and_a_mixture(run, folder):
    """All answers go after the end of a run: nothing speaks of them any more."""
    run("run", "-w", folder)
    answer(folder, lambda n: ("positive", "negative")[n % 2])
    found, _ = finish(run, folder)
    assert found["score"]["state"] == "done"
    (folder / "rounds" / "01" / "answers.jsonl").write_text("")
    assert run("pull", "-w", folder, "--accept-withdrawals")[0] == 0
    code, out, err = run("run", "-w", folder, "--json")
    assert code == 0, err
    found = steps(out)
    assert keys(found["agree"]) == ["agree.none_left"]
    assert found["score"]["state"] == "skipped"
    assert [found[name]["state"] for name in ("mix", "export", "evaluate", "report")] == [
        "done"
    ] * 4
    text = "".join(path.read_text() for path in (folder / "export").glob("data-*.jsonl"))
    assert '"by"' not in text
    assert "annotator" not in (folder / "export" / "README.md").read_text()
    assert on_the_page(folder).count("agree.none_left") == 1
    assert run("verify", folder / "export")[0] == 0
    again = steps(run("run", "-w", folder, "--json")[1])
    assert keys(again["agree"]) == ["agree.none_left"]
    assert {again[name]["state"] for name in ("agree", "mix", "export", "report")} == {"fresh"}


def test_labels_of_one_class_skip_the_model(run, folder):
    run("run", "-w", folder)
    answer(folder, lambda n: "neutral")
    found, err = finish(run, folder)
    assert found["score"]["state"] == "skipped"
    assert "all labels of sentiment are the same" in err
    assert found["export"]["state"] == "done"


@pytest.mark.parametrize(
    ("form", "sample", "question", "value"),
    [
        ("comment", "", "comment", lambda n: f"Make sentence {n} shorter."),
    ],
)
def test_a_form_that_teaches_nothing_skips_the_model(run, folder, form, sample, question, value):
    write_recipe(folder, ("form: sentiment", f"form: {form}"), ("seed: 3", f"seed: 3{sample}"))
    run("run", "-w", folder)
    answer(folder, value, question)
    found, _ = finish(run, folder)
    assert found["score"]["state"] == "skipped"
    assert found["export"]["result"]["documents"] > 0
    assert "score.skipped" in on_the_page(folder)
    assert found["agree"]["state"] == "skipped"


def test_nobody_answered_and_the_mixture_is_made(run, folder):
    run("run", "-w", folder)
    answer(folder, lambda n: None)
    found, _ = finish(run, folder)
    assert found["export"]["state"] == "done"
    assert on_the_page(folder)


def test_a_mixture_that_needs_the_model_is_an_error_and_a_report(run, folder):
    write_recipe(folder, ("groups: [source]", "groups: [sentiment]"))
    run("run", "-w", folder)
    answer(folder, lambda n: "neutral")
    run("round", "close", "-w", folder)
    code, out, err = run("run", "-w", folder, "--json")
    assert code == 1
    assert "error: all labels of sentiment are the same" in err
    found = steps(out)
    assert found["score"]["state"] == "failed"
    assert "mix" not in found
    assert found["report"]["state"] == "done"
    assert "score.failed" in on_the_page(folder)
    assert not (folder / "export").exists()


# ── a report is always written


def test_a_stage_that_fails_leaves_a_report_that_says_so(run, folder):
    (folder / "data" / "garden.jsonl").write_text("")
    (folder / "data" / "market.jsonl").write_text("not json\n")
    code, _, err = run("run", "-w", folder)
    assert code == 1
    assert "the sources hold no document" in err
    assert on_the_page(folder) == ["pool.failed"]
    assert "Inputs: none yet." in (folder / "report.html").read_text()


@pytest.mark.parametrize("upto", ["init", "pool", "clean", "sample", "push"])
def test_a_report_can_be_written_of_any_part_of_a_run(run, folder, upto):
    if upto == "init":
        run("init", folder / "new")
        code, _, err = run("report", "-w", folder / "new")
        assert code == 0, err
        return
    for stage in ("pool", "clean", "sample", "push"):
        assert run(stage, "-w", folder)[0] == 0
        if stage == upto:
            break
    code, _, err = run("report", "-w", folder)
    assert code == 0, err
    assert "From rows to documents" in (folder / "report.html").read_text()


def test_a_report_needs_a_workspace(run, tmp_path):
    code, _, err = run("report", "-w", tmp_path / "nowhere")
    assert code == 1
    assert "is not a workspace" in err
    assert not (tmp_path / "nowhere").exists()


def test_a_failure_is_over_once_the_stage_is_fresh(run, folder):
    assert run("pool", "-w", folder)[0] == 0
    assert run("clean", "-w", folder)[0] == 0
    failing = ("--near-duplicates", "0.9", "--against", "nowhere")
    assert run("clean", "-w", folder, *failing)[0] == 1
    states = json.loads(run("status", "-w", folder, "--json")[1])["stages"]
    assert [row["state"] for row in states[:3]] == ["fresh", "fresh", "missing"]
    run("report", "-w", folder)
    assert on_the_page(folder) == ["clean.failed"]
    run("run", "-w", folder)
    run("report", "-w", folder)
    assert "clean.failed" not in on_the_page(folder)
