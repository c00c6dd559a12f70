"""What people read: counts with their nouns, times of their own clock, what a stage did."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from curate import STAGES, console, saying
from curate.connections import Login
from curate.console import Page
from curate.run import files
from curate.run.standing import StageStatus, status
from curate.run.upcoming import upcoming
from curate.wording import count, did, local_time, share
from curate.wording.stages import STORIES
from curate.workspace.ledger import plain
from tests.command import command


@pytest.fixture(autouse=True)
def _here() -> Any:
    saying.speak_of(Path())  # tests before this one may have spoken of another
    yield
    saying.speak_of(Path())


@pytest.mark.parametrize(
    ("amount", "words"), [(0, "0 texts"), (1, "1 text"), (2, "2 texts"), (12345, "12,345 texts")]
)
def test_a_count_has_its_plural(amount: int, words: str) -> None:
    assert count(amount, "text") == words
    assert count(amount, "copy", "copies").endswith("copy" if amount == 1 else "copies")


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0 %"), (0.004, "0.4 %"), (0.709, "71 %"), (0.995, "99.5 %"), (1.0, "100 %")],
)
def test_a_share_is_a_percentage(value: float, words: str) -> None:
    assert share(value) == words


def test_a_time_is_that_of_the_readers_clock(monkeypatch: Any) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        assert local_time("2026-12-01T16:30:00+00:00") == "2026-12-02 00:30"
        assert local_time("soon") == "soon"
    finally:
        monkeypatch.undo()
        time.tzset()


SCORED = {
    "questions": [{"question": "mood", "accuracy": 0.712, "trivial_accuracy": 0.52}],
    "labelled": 300,
    "documents": 1,
    "abstained": 0,
    "doubtful": 1,
}


def test_a_scored_run_tells_the_accuracy_beside_the_baseline_and_no_zero() -> None:
    assert did("score", SCORED) == (
        "mood: 71 % right (the commonest answer alone: 52 %) · learned from 300 labels, "
        "1 document scored · 1 doubtful label"
    )


def test_every_stage_has_words_and_old_results_have_none() -> None:
    assert tuple(STORIES) == STAGES
    for stage in STAGES:
        assert did(stage, {}) == ""
        assert did(stage, None) == ""
    assert did("label", {"round": 1}) == ""


def test_every_stage_of_a_run_is_told(offline: Any) -> None:
    offline.reviews()
    words = {}
    for stage, settings in {
        "pool": {"sources": [{"paths": ["data/*.jsonl"]}], "tokenizer": "bytes", "holdout": 0.1},
        "clean": {"limits": {"length:words": {"min": 20}}},
        "sample": {"n": 10, "seed": 1},
        "push": {"backend": "folder", "form": "sentiment", "overlap": 1},
    }.items():
        words[stage] = did(stage, plain(offline.run(stage, **settings)))
    offline.answer("a1")
    for stage in ("pull", "agree"):
        words[stage] = did(stage, plain(offline.run(stage)))
    assert words["pool"].startswith("112 documents of 2 sources, ")
    assert "held out" in words["pool"]
    assert "bad" not in words["pool"]
    kept, of = words["clean"].split(" documents kept")[0].split(" of ")
    assert (int(kept) < 112, of) == (True, "112")
    assert "dropped: length:words " in words["clean"]
    assert words["sample"].startswith("round 1: 10 texts drawn out of ")
    assert words["push"] == "10 of 10 texts sent"
    assert words["pull"] == "10 of 10 texts complete · 10 new answers"
    assert words["agree"].startswith("10 labels out of 10 answers of 1 person")


# ── what is next


def test_a_status_ends_with_the_next_command(offline: Any, monkeypatch: Any, capsys: Any) -> None:
    run = command(monkeypatch, capsys)
    offline.reviews()
    recipe = (
        "pool: {sources: [{paths: [data/*.jsonl]}], tokenizer: bytes}\n"
        "sample: {n: 6}\npush: {backend: folder, form: sentiment, overlap: 1}\n"
    )
    (offline.root / files.NAME).write_text(recipe, encoding="utf-8")
    code, out, err = run("status", "-w", offline.root)
    assert code == 0
    assert "not up to date: pool, clean, sample, push, pull, report" in err
    assert f"`curate run -w {offline.root}`" in err
    assert run("run", "-w", offline.root, "--workers", "1")[0] == 3
    offline.answer("a1", ids=[offline.tasks[0]["id"]])
    code, out, err = run("status", "-w", offline.root)
    assert "round 1, at the last pull: 0 of 6 texts complete" in err
    assert "answers.jsonl, a line each:" in err
    assert '"question": "sentiment", "annotator": "me", "value": "negative"}' in err
    assert "1 of 6" in out
    offline.answer("a1")
    assert run("run", "-w", offline.root, "--workers", "1")[0] in (0, 1)
    code, out, err = run("status", "-w", offline.root)
    assert "fresh" in out
    assert "2026" in out or "20" in out
    assert "`curate run" in err


def test_a_stage_that_failed_comes_first(offline: Any) -> None:
    recipe = files.of_workspace(offline.workspace)
    stages = [StageStatus("pool", "fresh", None), StageStatus("mix", "failed", None)]
    assert upcoming(recipe, offline.workspace, stages).why.startswith("mix failed")
    states = status(recipe, offline.workspace)
    assert upcoming(recipe, offline.workspace, states).command == "curate run"


def test_a_page_is_told_with_its_login(capsys: Any) -> None:
    login = Login("http://127.0.0.1:8080/projects/1/data", "me@example.org", "secret")
    console.following("curate run", [Page("label_studio", "zh: li", login)])
    told = capsys.readouterr().err
    assert "label here   http://127.0.0.1:8080/projects/1/data  (zh: li)" in told
    assert "login        me@example.org  secret" in told
    console.following("curate run --next-round", [])
    assert capsys.readouterr().err.strip() == "next         `curate run --next-round`"


def test_columns_of_zeros_are_left_out(capsys: Any) -> None:
    console.table([{"who": "a", "done": 3, "drafts": 0}, {"who": "b", "done": 0, "drafts": 0}])
    shown = capsys.readouterr().out
    assert "done" in shown
    assert "drafts" not in shown


def test_a_state_has_its_colour(capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    console.table([{"stage": "pool", "state": "fresh"}, {"stage": "mix", "state": "stale"}])
    shown = capsys.readouterr().out
    assert "\x1b[32mfresh" in shown
    assert "\x1b[33mstale" in shown


# ── what a shell completes


def completed(line: str, root: Path, monkeypatch: Any, capsys: Any) -> list[str]:
    """What the shell offers for the last word of a line."""
    words = line.split(" ")
    monkeypatch.chdir(root)
    monkeypatch.setenv("_CURATE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    return command(monkeypatch, capsys)()[1].split()


def test_names_are_completed(offline: Any, monkeypatch: Any, capsys: Any) -> None:
    def offers(line: str) -> list[str]:
        return completed(line, offline.root, monkeypatch, capsys)

    own = offline.root / "label_configs"
    own.mkdir()
    (own / "mine.xml").write_text("<View/>")
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=4)
    assert offers("curate sco") == ["score"]
    assert offers("curate round c") == ["close"]
    assert offers("curate round close ") == ["1"]
    assert offers("curate init --template chin") == ["chinese", "chinese_quality"]
    assert offers("curate forms show mi") == ["mine"]
    assert offers("curate push --form sentiment_") == ["sentiment_zh"]
    assert offers("curate trace --source ") == ["films", "meals"]
    assert offers("curate mix --groups l") == ["language", "license"]
    assert offers("curate export --layout ") == ["mixed", "by_group"]


@pytest.mark.parametrize(
    ("unit", "drawn", "budget", "words"),
    [
        (
            "seconds",
            12_000,
            36_000,
            "12.0 of 100.0 s drawn, 3 documents in 1 group · asked for 36.0 s",
        ),
        ("items", 12, 36, "12 of 100,000 items drawn, 3 documents in 1 group · asked for 36 items"),
    ],
)
def test_what_was_asked_of_a_mixture_has_a_unit(unit, drawn, budget, words):
    amounts = {"tokens": drawn, "supply": 100_000, "budget": budget, "earlier": 0}
    result = {"groups": [{"group": "a"}], "documents": 3, "unit": unit, **amounts}
    assert did("mix", result) == words
