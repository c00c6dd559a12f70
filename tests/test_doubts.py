"""Every warning: when it is given, when it is not, and its figures."""

import ast
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import curate
from curate import STAGES
from curate.agree import doubts as of_agree
from curate.clean import doubts as of_clean
from curate.evaluate.verdict import Comparison, warnings_of
from curate.metrics import classification
from curate.mix import doubts as of_mix
from curate.mixture.groups import Facts
from curate.pool import doubts as of_pool
from curate.score import doubts as of_score
from curate.warning import warn

OF_CLEAN = ("duplicates", "passages", "dropped")
"""Keys that stand in a table of the code, not in a call."""

GARDEN = [f"A garden of {n} beds where {n + 3} beans grow by the wall." for n in range(40)]


def figures(warnings):
    return {warning.key: dict(warning.figures) for warning in warnings}


def test_words_hold_the_figures_and_the_first_names():
    told = warn("mix.short", "{tokens:,} of {names}", tokens=12345, names=list("abcdefg"))
    assert told.words == "12,345 of a, b, c, d, e and 2 more"
    assert told.figures == {"tokens": 12345, "names": list("abcdefg")}


# ── pool


ROWS = of_pool.Rows(("a", "b"), Counter(a=90, b=9), Counter(), 0, 0, 5, 0.05)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {}),
        ({"documents": Counter(a=9)}, {"pool.empty_source": {"sources": ["b"]}}),
        (
            {"documents": Counter(a=9), "copies": Counter(b=3)},
            {"pool.copies": {"sources": ["b"]}},
        ),
        ({"copies": Counter(b=81)}, {}),
        ({"copies": Counter(b=82)}, {"pool.copies": {"sources": ["b"]}}),
        ({"bad": 11}, {"pool.bad_rows": {"rows": 11, "share": 0.1}}),
        ({"replaced": 3}, {"pool.replaced": {"characters": 3}}),
        ({"holdout": 0}, {"pool.no_holdout": {"share": 0.05}}),
        ({"holdout": 0, "wanted_holdout": 0}, {}),
    ],
)
def test_a_pool(change, expected):
    assert figures(of_pool.doubts(replace(ROWS, **change))) == expected


def test_a_pool_that_was_read(offline):
    offline.lines("garden.jsonl", GARDEN)
    offline.lines("same.jsonl", GARDEN)
    (offline.root / "data" / "broken.jsonl").write_text("{\n{\n")
    told = figures(offline.pool("garden.jsonl", "same.jsonl", "broken.jsonl").warnings)
    assert told == {
        "pool.empty_source": {"sources": ["broken"]},
        "pool.copies": {"sources": ["same"]},
        "pool.bad_rows": {"rows": 2, "share": 2 / 82},
    }


# ── clean


@pytest.mark.parametrize(
    ("verdicts", "differing", "expected"),
    [
        ({("a", ""): 10, ("a", "near_duplicate"): 90}, 0, {}),
        (
            {("a", ""): 9, ("a", "near_duplicate"): 91, ("b", ""): 1},
            0,
            {"clean.duplicates": ["a (91 of 100, mostly near_duplicate)"]},
        ),
        (
            {("a", "length:words"): 5, ("b", ""): 1},
            0,
            {"clean.dropped": ["a (5 of 5, mostly length:words)"]},
        ),
        ({("a", ""): 100}, 10, {}),
        (
            {("a", "passages"): 91, ("a", ""): 9},
            0,
            {"clean.passages": ["a (91 of 100, mostly passages)"]},
        ),
    ],
)
def test_a_clean(verdicts, differing, expected):
    told = figures(of_clean.doubts(verdicts, differing))
    assert {key: own["sources"] for key, own in told.items()} == expected


@pytest.mark.parametrize(("lost", "told"), [(90, []), (91, ["a (91 of 100 tokens)"])])
def test_a_source_that_passages_empty(lost, told):
    warnings = [*of_clean.doubts({("a", ""): 5}, 0, {"a": (lost, 100 - lost), "b": (0, 0)})]
    assert [source for one in warnings for source in one.figures["sources"]] == told
    assert {one.key for one in warnings} <= {"clean.passages"}


def test_languages_that_differ():
    told = figures(of_clean.doubts({("a", ""): 100}, 11))
    assert told == {"clean.languages": {"documents": 11, "share": 0.11}}


def test_a_source_that_near_duplicates_wipe_out(offline):
    offline.lines("a.jsonl", GARDEN)
    long = "The quick brown fox jumps over the lazy dog by the river bank at noon today"
    offline.lines("b.jsonl", [f"{long}, take {n}." for n in range(30)])
    offline.pool()
    told = figures(offline.run("clean", near_duplicates=0.7, rules=[]).warnings)
    assert list(told) == ["clean.duplicates"]
    assert told["clean.duplicates"]["sources"] == ["b (29 of 30, mostly near_duplicate)"]
    (template,) = told["clean.duplicates"]["templates"]
    assert (template["source"], template["documents"]) == ("b", 30)
    assert template["text"].startswith(f"{long}, take ")
    kept = [row["id"] for row in offline.rows("clean") if row["kept"]]
    assert template["id"] in kept


# ── agree


def settled(**changes):
    own = {"question": "q", "items": 10, "annotators": 2, "undecided": 2, "alpha": 0.667}
    return SimpleNamespace(**{**own, **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        ({"alpha": 0.66}, {"agree.low_alpha": ["q (0.66)"]}),
        ({"alpha": None}, {}),
        ({"annotators": 1, "alpha": None}, {"agree.one_annotator": ["q"]}),
        ({"undecided": 3}, {"agree.undecided": ["q (3 of 10)"]}),
    ],
)
def test_labels(changes, expected):
    told = figures(of_agree.doubts([settled(**changes)]))
    assert {key: own["questions"] for key, own in told.items()} == expected


# ── score


def of_model(truth, predicted, values=("no", "yes"), lost=0):
    truth, predicted = np.array(truth), np.array(predicted)
    metrics = classification(truth, predicted, values)
    labels = SimpleNamespace(
        question=SimpleNamespace(name="q"),
        truth=truth,
        settled=np.ones(len(truth), bool),
        values=tuple(values),
        lost=lost,
    )
    return figures((*of_score.doubts(metrics, labels), *of_score.lost_labels([labels, labels])))


YES, NO = [0.0, 1.0], [1.0, 0.0]


def test_a_model_that_knows_nothing():
    shares = [[0.5, 0.5]] * 60
    told = of_model([YES, NO] * 30, shares)
    assert list(told) == ["score.no_better"]
    assert told["score.no_better"]["trivial"] == 0.5
    assert of_model([YES, NO] * 30, [[0.2, 0.8], [0.8, 0.2]] * 30) == {}


def test_a_model_that_is_right_and_far_too_sure():
    """Two in three are right, as sure as can be: worse than the shares by cross-entropy."""
    told = of_model([YES, NO, YES] * 20, [[0.001, 0.999], [0.999, 0.001], [0.999, 0.001]] * 20)
    assert told["score.no_better"]["entropy"] > told["score.no_better"]["trivial_entropy"]


def test_few_labels_and_values_without_any():
    certain = [[0.1, 0.9, 0.0], [0.9, 0.1, 0.0]]
    told = of_model(
        [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]] * 24, certain * 24, ("no", "yes", "perhaps"), lost=2
    )
    assert told == {
        "score.few_labels": {"question": "q", "labels": 48},
        "score.absent": {"question": "q", "values": ["perhaps"]},
        "score.lost": {"labels": 2},
    }


def test_a_value_that_ties_is_not_absent():
    """Ratings of 1 and 5 by two people: either may be the class of the text."""
    told = of_model([[0.5, 0.0, 0.5]] * 30 + [[1.0, 0, 0]] * 30, [[0.7, 0.1, 0.2]] * 60, "135")
    assert told["score.absent"] == {"question": "q", "values": ["3"]}


# ── mix


def mixed(rows, offered=None, facts=(), *, budget=100, **more):
    values = tuple(tuple(row["group"].split("/")) for row in rows)
    names = tuple(row["group"] for row in rows)
    groups = SimpleNamespace(names=names, values=values, facts=facts or [Facts()] * len(rows))
    more = {"follows_quality": True, **more}
    told = of_mix.doubts(groups, rows, budget, offered or {}, **more)
    return figures(told)


def row(group, tokens=50, bound=None):
    return {"group": group, "tokens": tokens, "bound": bound}


def test_a_mixture():
    rows = [row("good/a"), row("bad/a")]
    assert mixed(rows) == {}
    assert mixed(rows, {0: ("good", "bad")}) == {}
    told = mixed(rows, {0: ("good", "bad", "so-so")})
    assert told == {"mix.empty_class": {"values": ["so-so"]}}
    assert mixed([row("a"), row("b", 49)]) == {}
    assert mixed([row("a"), row("b", 48)]) == {"mix.short": {"tokens": 98, "budget": 100}}
    assert mixed([row("a"), row("b", 51)]) == {}
    assert mixed([row("a"), row("b", 52)]) == {"mix.over": {"tokens": 102, "budget": 100}}
    assert mixed([row("a", bound="max"), row("b", bound="max_epochs")]) == {
        "mix.short_group": {"groups": ["b"]}
    }


def test_amounts_of_a_mixture_are_told_in_the_unit_of_its_budget():
    short = mixed([row("a", 3)], budget=9, unit="items")
    assert short == {"mix.short_amount": {"drawn": 3, "budget": 9, "unit": "items"}}
    over = mixed([row("a", 70_500)], budget=60_000, unit="seconds")
    assert over == {"mix.over_amount": {"drawn": 70.5, "budget": 60.0, "unit": "seconds"}}


@pytest.mark.parametrize(("spread", "is_flat"), [(0.009, True), (0.011, False)])
def test_quality_that_does_not_differ(spread, is_flat):
    quality = np.array([0.5 - spread, 0.5 + spread])
    facts = [Facts.of(np.array([1, 1]), quality), Facts.of(np.array([1]), np.array([np.nan]))]
    told = mixed([row("a"), row("b")], facts=facts)
    assert told == ({"mix.flat_quality": {"groups": ["a"]}} if is_flat else {})
    assert mixed([row("a"), row("b")], facts=facts, follows_quality=False) == {}


def test_a_mixture_worse_than_a_plain_one():
    better = Comparison("uniform", -0.1, -0.2, -0.05, "better than")
    worse = Comparison("proportional", 0.1, 0.05, 0.2, "worse than")
    assert warnings_of([better]) == ()
    assert figures(warnings_of([better, worse])) == {"evaluate.worse": {"arms": ["proportional"]}}


# ── people


def test_a_round_that_asks_for_more_than_there_is_and_ends_early(offline):
    offline.lines("garden.jsonl", GARDEN)
    offline.pool(holdout=0)
    offline.run("clean", rules=[], near_duplicates=None)
    sampled = offline.run("sample", n=50)
    assert figures(sampled.warnings) == {"sample.fewer": {"tasks": 40, "n": 50}}
    offline.run("push", backend="folder", form="sentiment", overlap=1)
    ids = [task["id"] for task in offline.tasks]
    offline.answer("ann", ids=ids[:30], opinion=lambda text: "positive")
    offline.answer("ann", ids=ids[30:32], opinion=lambda text: "purple")
    told = figures(offline.run("pull", enough=0.7).warnings)
    assert told["pull.incomplete"] == {"missing": 10, "tasks": 40}
    assert told["pull.rejected"]["answers"] == 2


# ── on the terminal, in JSON, on the page, and again while fresh


def test_one_warning_everywhere(offline, capsys):
    from curate import console

    offline.lines("garden.jsonl", GARDEN)
    (offline.root / "data" / "broken.jsonl").write_text("{\n")
    made = offline.pool(holdout=0.1)
    (first, _) = made.warnings
    console.show(made, as_json=False)
    shown = capsys.readouterr()
    assert f"warning: {first.words}" in shown.err
    assert "warning" not in shown.out
    console.show(made, as_json=True)
    stored = json.loads(capsys.readouterr().out)["warnings"][0]
    assert stored == {"key": first.key, "words": first.words, "figures": {"sources": ["broken"]}}
    assert offline.workspace.lineage.warnings("pool") == made.warnings
    offline.run("report")
    page = (offline.root / "report.html").read_text(encoding="utf-8")
    said = f"{first.words[0].upper()}{first.words[1:]}."
    assert f'<li data-key="{first.key}">{said}</li>' in page.partition("<nav")[0]


def test_the_docs_list_every_key():
    root = Path(curate.__file__).parent
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in root.rglob("*.py"))
    calls = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    keys = {ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func) == "warn"}
    kinds = {key.strip("f'").split(".")[1] for key in keys if "." in key}
    assert len(kinds) > 20
    text = (root.parent / "docs" / "warnings.md").read_text(encoding="utf-8")
    table = text.partition("| stage | warns of |")[2].partition("\n\n")[0]
    listed = {word.split(".")[-1] for word in re.findall(r"`([a-z_.]+)`", table)}
    assert kinds - listed == set()
    assert listed - kinds - set(STAGES) == {"skipped", "failed", *OF_CLEAN}
