"""Examples on both sides of a limit, and what other limits would keep."""

import json

import pytest

from curate.clean import planning
from curate.clean.explaining import excerpt, explain, what_if
from curate.errors import MissingInput, RecipeError
from tests.command import command

TEXTS = ["One.", "Two words.", "Now three words.", "Here are four words.", "And this text has six."]


@pytest.fixture
def run(monkeypatch, capsys):
    return command(monkeypatch, capsys)


@pytest.fixture
def made(offline):
    offline.lines("a.jsonl", TEXTS[:3])
    offline.lines("b.jsonl", TEXTS[3:])
    sources = [{"paths": ["data/a.jsonl"]}, {"paths": ["data/b.jsonl"]}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=["length"])
    return offline


def test_examples_stand_on_both_sides(made):
    found = [each for each in explain(made.workspace, "length:words") if each.limit == "min 3"]
    sides = {side: [each for each in found if each.side == side] for side in ("passes", "fails")}
    assert [each.value for each in sides["fails"]] == [2, 1]
    assert [each.value for each in sides["passes"]] == [3, 4, 5]
    nearest = sides["fails"][0]
    assert (nearest.source, nearest.text) == ("a", "Two words.")
    assert len(explain(made.workspace, "length", each_side=1)) == 4
    limits = dict.fromkeys((each.signal, each.limit) for each in explain(made.workspace, "length"))
    words = "length:words"
    assert [*limits] == [("length:chars", "min 1"), (words, "min 3"), (words, "max 100000")]


def test_a_rule_that_was_not_measured(made):
    with pytest.raises(RecipeError, match="nothing was measured under the name c4") as caught:
        explain(made.workspace, "c4")
    assert "length:words" in caught.value.hint


def test_there_must_be_a_verdict(offline):
    with pytest.raises(MissingInput):
        explain(offline.workspace, "length")


def test_excerpts_are_of_the_edited_text(offline):
    offline.lines("a.jsonl", ["Menu\nIt rained all day long. We stayed at home and read."])
    offline.pool()
    offline.run("clean", rules=["c4"])
    (example,) = explain(offline.workspace, "c4:sentences")
    assert (example.side, example.text[:9]) == ("fails", "It rained")
    assert excerpt("a\n  b") == "a b"
    assert len(excerpt("x " * 900)) == 161


def test_other_limits(made):
    rows = what_if(made.workspace, ["length:words.min=2,5"])
    found = {(row.limits, row.source): (row.documents, row.kept, row.change) for row in rows}
    assert found == {
        ("as it is", "all"): (5, 3, 0),
        ("as it is", "a"): (3, 1, 0),
        ("as it is", "b"): (2, 2, 0),
        ("length:words.min=2", "all"): (5, 4, 1),
        ("length:words.min=2", "a"): (3, 2, 1),
        ("length:words.min=2", "b"): (2, 2, 0),
        ("length:words.min=5", "all"): (5, 1, -2),
        ("length:words.min=5", "a"): (3, 0, -1),
        ("length:words.min=5", "b"): (2, 1, -1),
    }
    tokens = {(row.limits, row.source): row.tokens for row in rows}
    assert tokens["length:words.min=2", "all"] == sum(map(len, TEXTS[1:]))


def test_several_limits_are_looked_at_alone_and_together(made):
    rows = what_if(made.workspace, ["length:words.min=2", "length:chars.max=18"])
    kept = {row.limits: row.kept for row in rows if row.source == "all"}
    assert kept == {
        "as it is": 3,
        "length:words.min=2": 4,
        "length:chars.max=18": 1,
        "all together": 2,
    }


def test_what_it_says_is_what_happens(made):
    (_, then, *_) = [
        r for r in what_if(made.workspace, ["length:words.min=4"]) if r.source == "all"
    ]
    result = made.run("clean", rules=["length"], limits={"length:words": {"min": 4}})
    assert (result.kept, result.tokens, result.measured) == (then.kept, then.tokens, 0)
    limits = {each.limit for each in explain(made.workspace, "length:words")}
    assert limits == {"min 4", "max 100000"}  # the other side stays as it was


def test_a_table_of_limits_where_none_is_named(made):
    rows = [row for row in what_if(made.workspace, ["length:words.min"]) if row.source == "all"]
    assert len(rows) > 3
    kept = [row.kept for row in rows[1:]]
    assert kept == sorted(kept, reverse=True)


def test_nothing_is_measured_or_written(made, monkeypatch):
    before = {p: p.stat().st_mtime_ns for p in made.root.rglob("*") if p.is_file()}
    monkeypatch.setattr(planning, "measure", None)
    explain(made.workspace, "length")
    what_if(made.workspace, ["length:words.min=4"])
    assert {p: p.stat().st_mtime_ns for p in made.root.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ("words", "not a limit"),
        ("length:words.low=3", "not a limit"),
        ("c4:sentences.min=3", "nothing was measured"),
        ("length:words.min=many", "not a number"),
    ],
)
def test_a_wish_that_says_nothing(made, wish, message):
    with pytest.raises(RecipeError, match=message):
        what_if(made.workspace, [wish])


def test_the_command(made, run):
    arguments = ["--explain", "length:words", "--what-if", "length:words.min=2", "-w", made.root]
    code, out, _ = run("clean", *arguments, "--json")
    shown = json.loads(out)
    assert code == 0
    assert {each["side"] for each in shown["examples"]} == {"passes", "fails"}
    assert shown["outcomes"][0]["limits"] == "as it is"
    code, out, _ = run("clean", *arguments)
    assert code == 0
    assert "length:words: min 3" in out
    assert out.index("One.") < out.index("Two words.") < out.index("Now three words.")
    made.run("clean", rules=["length"], limits={"length:chars": {"min": None}})
    code, out, err = run("clean", "--explain", "length:chars", "-w", made.root)
    assert (code, out) == (0, "")
    assert "--what-if tries one" in err
    code, _, err = run("clean", "--explain", "c4", "-w", made.root)
    assert code == 2
    assert "nothing was measured" in err
