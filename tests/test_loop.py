"""The whole loop offline: own texts in, answers from a file, a verified mixture out."""

import json
import shutil

import pytest

from tests.command import command

pytestmark = pytest.mark.usefixtures("undrawn")

GOOD = ("wonderful", "lovely", "brilliant", "delightful", "excellent")
BAD = ("dreadful", "awful", "horrible", "terrible", "miserable")
THINGS = (
    *("film", "book", "meal", "hotel", "song", "garden", "phone", "concert", "journey", "coat"),
    *("museum", "recipe", "bicycle", "lecture", "holiday", "kitchen", "painting", "camera"),
)
PLACES = ("in town", "by the sea", "up north", "near home", "on the hill", "over there")


def texts(words):
    """Return texts that leave no doubt what their writer feels."""
    return [
        f"The {thing} {place} was {words[(i + j) % 5]}, truly {words[(i + 2 * j + 1) % 5]}, and "
        f"everyone who saw that {thing} said it was {words[(i * j + 3) % 5]} as well."
        for i, thing in enumerate(THINGS)
        for j, place in enumerate(PLACES)
    ]


RECIPE = """
encoder: chargram
pool: {sources: [{paths: ["data/*.jsonl"]}], holdout: 0.1, tokenizer: bytes}
clean: {rules: [length], near_duplicates: 0.95}
sample: {n: 60, strategy: stratified, seed: 3}
push: {backend: folder, form: sentiment, overlap: 2}
agree: {bootstrap: 50}
score: {question: sentiment, quality: {clarity: [negative, positive]}, folds: 3, resamples: 5}
evaluate: {seeds: 2}
mix:
  groups: [sentiment, source]
  between: {shares: {sentiment: {negative: 0.3, positive: 0.7}}}
  within: {strategy: softmax}
  budget: 30%
"""


@pytest.fixture
def run(monkeypatch, capsys):
    return command(monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    for name, offset in (("letters", 0), ("notes", 1)):
        rows = [text for words in (GOOD, BAD) for text in texts(words)][offset::2]
        lines = (json.dumps({"text": text}) + "\n" for text in rows)
        (tmp_path / "data" / f"{name}.jsonl").write_text("".join(lines))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def truth(text):
    return "positive" if any(word in text for word in GOOD) else "negative"


def answer(folder, people=("ann", "bob"), number="01", upto=None):
    """Answer a round's tasks truthfully."""
    lines = (folder / "rounds" / number / "tasks.jsonl").read_text().splitlines()
    answers = [
        {"id": task["id"], "question": "sentiment", "annotator": who, "value": truth(task["text"])}
        for task in map(json.loads, lines[:upto])
        for who in people
    ]
    content = "".join(json.dumps(each) + "\n" for each in answers)
    (folder / "rounds" / number / "answers.jsonl").write_text(content)


def test_a_part_of_the_answers_waits_and_all_of_them_go_on(run, folder):
    run("run", "-w", folder)
    answer(folder, people=("ann",), upto=20)
    code, _, err = run("run", "-w", folder)
    assert code == 3
    assert "0 of 60" in err
    answer(folder)
    code, _, err = run("run", "-w", folder)
    assert code == 0, err
    assert (folder / "report.html").exists()
    code, out, _ = run("verify", folder / "export", "--json")
    assert code == 0
    assert json.loads(out)["problems"] == []
    manifest = json.loads((folder / "export" / "manifest.json").read_text())
    lines = (folder / "export" / manifest["files"][0]["path"]).read_text().splitlines()
    documents = [json.loads(line) for line in lines]
    right = [each["group"].split("/")[0] == truth(each["text"]) for each in documents]
    assert sum(right) > 0.7 * len(documents)
    assert {each["labels"]["sentiment"]["by"] for each in documents} == {"people", "model"}
    evaluated = json.loads((folder / "evaluate.json").read_text())
    assert evaluated["models"]["sentiment"]["accuracy"] > 0.7
    assert evaluated["models"]["sentiment"]["trivial_accuracy"] < 0.6


def test_running_again_changes_nothing(run, folder):
    run("run", "-w", folder)
    answer(folder)
    run("run", "-w", folder)
    before = contents(folder)
    code, _, err = run("run", "-w", folder)
    assert code == 0
    assert err.count("fresh") == 11
    assert contents(folder) == before
    run("pull", "-w", folder)
    files = list((folder / "rounds" / "01" / "annotations").iterdir())
    assert len(files) == 1


def test_the_caches_can_be_deleted_and_come_back_the_same(run, folder):
    run("run", "-w", folder)
    answer(folder)
    run("run", "-w", folder)
    before = {path: data for path, data in contents(folder).items() if durable(path)}
    for name in ("pool", "clean", "vectors", "scores", "mix", "export"):
        shutil.rmtree(folder / name)
    for name in ("labels.parquet", "annotators.parquet", "groups.parquet", "duplicates.parquet"):
        (folder / name).unlink()
    assert run("run", "-w", folder)[0] == 0
    after = {path: data for path, data in contents(folder).items() if durable(path)}
    assert after == before


def test_another_round_asks_about_other_texts(run, folder):
    run("run", "-w", folder)
    assert "still open" in run("run", "-w", folder, "--next-round")[2]
    answer(folder)
    run("run", "-w", folder)
    code, _, err = run("run", "-w", folder, "--next-round", "--set", "sample.n=10")
    assert code == 3, err
    first, second = (
        {json.loads(line)["id"] for line in tasks.read_text().splitlines()}
        for tasks in sorted((folder / "rounds").glob("*/tasks.jsonl"))
    )
    assert len(second) == 10
    assert not first & second
    code, out, _ = run("round", "close", "-w", folder, "--json")
    assert code == 0
    assert json.loads(out)["done"] is True
    code, out, _ = run("round", "list", "-w", folder, "--json")
    assert [each["closed"] for each in json.loads(out)["rounds"]] == ["complete", "closed by hand"]
    assert run("run", "-w", folder)[0] == 0


def test_what_an_open_round_is_frozen_with_cannot_be_set(run, folder):
    """It was accepted, and acted on nothing."""
    assert run("run", "-w", folder, "--set", "sample.n=7")[0] == 3
    assert run("run", "-w", folder, "--set", "sample.n=7")[0] == 3, "the same command goes on"
    for override in ("sample.n=8", "push.form=topic", "push={backend: folder, form: topic}"):
        code, _, err = run("run", "-w", folder, "--set", override)
        assert code == 2, err
        assert "has no effect on round 1, which is frozen" in err
        assert "--next-round" in err
    assert run("run", "-w", folder, "--set", "pull.enough=.5")[0] == 3
    run("round", "close", "-w", folder)
    assert run("run", "-w", folder, "--next-round", "--set", "sample.n=8")[0] == 3


def test_answers_made_elsewhere_need_a_pool_and_nothing_more(run, folder):
    run("pool", "-w", folder)
    import pyarrow.parquet as pq

    rows = pq.read_table(folder / "pool", columns=["id", "text"]).to_pylist()[:30]
    lines = [
        {"id": r["id"], "question": "sentiment", "annotator": "old", "value": truth(r["text"])}
        for r in rows
    ]
    lines.append({"id": rows[0]["id"], "question": "sentiment", "annotator": "x", "value": "mad"})
    lines.append({"id": "0" * 32, "question": "sentiment", "annotator": "x", "value": "neutral"})
    path = folder / "old.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    code, out, err = run("pull", "--answers", path, "-w", folder, "--json")
    assert code == 0, err
    result = json.loads(out)
    assert result["new"] == 32
    assert sum(result["rejected"].values()) == 2
    assert json.loads(run("pull", "--answers", path, "-w", folder, "--json")[1])["new"] == 0
    code, out, _ = run("agree", "-w", folder, "--json")
    assert code == 0
    assert json.loads(out)["labels"] == 30


def durable(path):
    return (path.endswith(".parquet") and not path.startswith("rounds")) or "data-" in path


def contents(folder):
    """Return the bytes of everything but logs and locks."""
    skip = ("ledger.jsonl", ".lock", "report.html")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in skip
    }
