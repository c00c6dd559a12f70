"""`curate mix --what-if`: other mixtures as a real run would make them, and nothing is written."""

import hashlib
import json
import shutil

import pytest

from curate import yamls
from curate.commands.supposing import _shares
from curate.errors import CurateError, DataError, MissingInput, RecipeError, StaleInput
from curate.mix.whatif import Change
from curate.run.whatif import Case, GroupShare, WhatIf, what_if
from tests.command import command
from tests.conftest import Offline, feeling


def tree(root):
    """Every file and link under a folder, with its content."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def mixed(offline):
    """A mixture of two sources, one about three times as large, by temperature."""
    offline.lines("big.jsonl", [f"The big text number {n} is here to be drawn." for n in range(60)])
    offline.lines("small.jsonl", [f"A small text {n}, also to be drawn." for n in range(20)])
    offline.pool(holdout=0.1)
    offline.run("clean")
    offline.run("mix", between={"strategy": "temperature", "alpha": 0.5}, budget="50%")
    return offline


def promised(case):
    return {one.group: one.promised for one in case.groups}


def drawn(offline):
    """Copies and tokens of each document, by id."""
    copies = {row["id"]: row["copies"] for row in offline.rows("mix")}
    tokens = {row["id"]: row["tokens"] for row in offline.rows("clean")}
    return {id: (n, tokens[id]) for id, n in copies.items()}


def brute(before, after):
    """The change from one draw to another, document by document."""
    pairs = [(*before[id], after[id][0]) for id in before]
    return Change(
        changed=sum(old != new for old, _, new in pairs),
        entered=sum(old == 0 < new for old, _, new in pairs),
        left=sum(new == 0 < old for old, _, new in pairs),
        tokens_added=sum(max(0, new - old) * tokens for old, tokens, new in pairs),
        tokens_removed=sum(max(0, old - new) * tokens for old, tokens, new in pairs),
    )


def really(offline, folder, *stages):
    """The workspace after stages really ran with other settings, in a copy."""
    shutil.copytree(offline.root, folder)
    copy = Offline(folder)
    for stage, settings in stages:
        copy.run(stage, **settings)
    return copy


def test_shares_and_documents_are_those_of_a_real_run(mixed, tmp_path):
    supply = {"big": 0, "small": 0}
    for row in mixed.workspace.documents.table(["source", "tokens", "holdout"]).to_pylist():
        supply[row["source"]] += row["tokens"] * (not row["holdout"])
    before = tree(mixed.root)
    today, uniform, half, whole = what_if(mixed.workspace, ["between.alpha=0,.5,1"]).cases
    assert tree(mixed.root) == before
    assert [today.name, uniform.name] == ["today", "between.alpha=0"]
    assert promised(uniform) == {"big": 0.5, "small": 0.5}
    assert promised(whole) == pytest.approx(
        {name: n / sum(supply.values()) for name, n in supply.items()}
    )
    assert promised(half) == promised(today)
    assert half.change == today.change == Change()
    settings = {"between": {"strategy": "temperature", "alpha": 0}, "budget": "50%"}
    copy = really(mixed, tmp_path / "copy", ("mix", settings))
    assert uniform.change == brute(drawn(mixed), drawn(copy))
    assert uniform.change.changed > 0
    assert uniform.tokens - today.tokens == (
        uniform.change.tokens_added - uniform.change.tokens_removed
    )
    assert uniform.documents == sum(n for n, _ in drawn(copy).values())


def test_copies_beyond_the_first_count(mixed, tmp_path):
    _, case = what_if(mixed.workspace, ["budget=250%"]).cases
    settings = {"between": {"strategy": "temperature", "alpha": 0.5}, "budget": "250%"}
    copy = really(mixed, tmp_path / "copy", ("mix", settings))
    assert max(n for n, _ in drawn(copy).values()) > 1
    assert case.change == brute(drawn(mixed), drawn(copy))
    assert case.change.tokens_added == case.tokens - sum(n * t for n, t in drawn(mixed).values())


def test_every_wish_is_tried_alone_and_semicolons_join(mixed):
    wishes = ["mix.budget=10%,20%", "between.strategy=uniform", "budget=10%; between.alpha=0,1"]
    names = [case.name for case in what_if(mixed.workspace, wishes).cases]
    assert names == [
        "today",
        "budget=10%",
        "budget=20%",
        "between.strategy=uniform",
        "budget=10%; between.alpha=0",
        "budget=10%; between.alpha=1",
    ]
    cases = {case.name: case for case in what_if(mixed.workspace, wishes).cases}
    assert promised(cases["between.strategy=uniform"]) == {"big": 0.5, "small": 0.5}
    assert cases["budget=10%; between.alpha=0"].tokens < cases["between.strategy=uniform"].tokens


def test_what_an_override_leaves_without_effect_is_dropped(mixed):
    shares = {"shares": {"source": {"big": 0.9, "small": 0.1}}}
    mixed.run("mix", between=shares, budget="20%")
    cases = what_if(
        mixed.workspace,
        ["between.strategy=uniform", "between.shares={source: {big: .7, small: .3}}"],
    ).cases
    assert [promised(case)["big"] for case in cases] == pytest.approx([0.9, 0.5, 0.7])


def test_groups_may_be_others(mixed):
    _, one, both = what_if(mixed.workspace, ["groups=[language],[source, language]"]).cases
    assert one.name == "groups=[language]"
    assert promised(one) == {"unknown": 1.0}
    assert set(promised(both)) == {"big/unknown", "small/unknown"}


def test_a_mixture_that_cannot_be_is_told_beside_the_others(mixed):
    today, failed, made = what_if(mixed.workspace, ["budget=5000%,10%"]).cases
    assert failed.problem.startswith("mix: a budget of")
    assert failed.groups == ()
    assert made.tokens < today.tokens
    with pytest.raises(DataError, match="cannot be met"):
        what_if(mixed.workspace, ["budget=5000%"])


@pytest.mark.parametrize(
    ("wish", "complaint", "hint"),
    [
        ("between.alpha", "--what-if between.alpha: write key=value", "between.alpha=.3"),
        ("between.alpha=", "write key=value", "between.alpha=.3"),
        ("=3", "write key=value", "between.alpha=.3"),
        ("between.alpa=.3", r"between.alpa: unknown key", "did you mean alpha"),
        ("between.alpha=2", "less than or equal to 1", "schema"),
        ("between.alpha=.3,x", "should be a number", "schema"),
        ("between.beta=.3", "between.beta has no effect without strategy quality", "leave it out"),
        ("budget.x=3", "budget is not a section", ""),
        ("pool.holdout=.2", "pool: unknown key", "schema"),
        ("between.alpha=[", "not YAML", "between.alpha=.3"),
        ("score.question=x", "scores has not been made", "curate score"),
        ("agree.exclude=x", "labels has not been made", "curate agree"),
    ],
)
def test_a_bad_wish_is_one_line_and_writes_nothing(mixed, wish, complaint, hint):
    before = tree(mixed.root)
    with pytest.raises(CurateError, match=complaint) as error:
        what_if(mixed.workspace, ["between.alpha=.1", wish])
    assert isinstance(error.value, RecipeError | MissingInput)
    assert "\n" not in error.value.message
    assert hint in error.value.hint
    assert tree(mixed.root) == before


def test_a_mixture_that_is_outdated_or_missing_is_refused(mixed, offline):
    mixed.run("clean", limits={"length:chars": {"min": 42}})
    with pytest.raises(StaleInput, match="`mix` was not made from the present `clean`"):
        what_if(mixed.workspace, ["between.alpha=.1"])
    shutil.rmtree(mixed.root / "mix")
    with pytest.raises(MissingInput, match="mix has not been made yet"):
        what_if(mixed.workspace, ["between.alpha=.1"])


def test_a_workspace_that_changes_meanwhile_is_noticed(mixed, monkeypatch):
    from curate.run import whatif

    def changes(*arguments):
        mixed.run("mix", budget="30%")
        return Change()

    monkeypatch.setattr(whatif, "change", changes)
    with pytest.raises(DataError, match="changed by another command"):
        what_if(mixed.workspace, ["between.alpha=.1"])


# ── people


@pytest.mark.slow
def test_without_a_person_labels_scores_and_mixture_are_made_again(offline, tmp_path):
    def wrong(text):
        return {"positive": "negative", "negative": "positive"}[feeling(text)]

    offline.prepare()
    offline.answer("ann", ids=[task["id"] for task in offline.tasks[:20]])
    offline.answer("liar", opinion=wrong)
    offline.run("pull")
    agree, score = {"bootstrap": 0}, {"encoder": "chargram", "resamples": 2}
    shares = {"shares": {"sentiment": {"negative": 0.2, "positive": 0.8}}}
    mix = {"groups": ["sentiment"], "between": shares, "budget": "40%"}
    for stage, settings in (("agree", agree), ("score", score), ("mix", mix)):
        offline.run(stage, **settings)
    before = tree(offline.root)
    _, alone, other = what_if(offline.workspace, ["agree.exclude=liar", "score.resamples=3"]).cases
    assert tree(offline.root) == before
    stages = (("agree", {**agree, "exclude": ["liar"]}), ("score", score), ("mix", mix))
    copy = really(offline, tmp_path / "copy", *stages)
    assert alone.change == brute(drawn(offline), drawn(copy))
    assert alone.change.changed > 0
    assert promised(alone) == pytest.approx(
        {row["group"]: row["promised"] for row in copy.rows("groups")}
    )
    assert other.problem is None
    with pytest.raises(RecipeError, match="nobody called lier has answered") as error:
        what_if(offline.workspace, ["agree.exclude=lier"])
    assert "did you mean liar" in error.value.hint
    assert tree(offline.root) == before


def test_answers_of_excluded_people_do_not_count(offline):
    offline.prepare(n=10)
    offline.answer("ann")
    offline.answer("liar", opinion=lambda text: "neutral")
    offline.run("pull")
    assert offline.run("agree", bootstrap=0).annotators == 2
    made = offline.run("agree", bootstrap=0, exclude="liar")
    assert (made.annotators, made.answers, made.labels) == (1, 10, 10)
    texts = {task["id"]: task["text"] for task in offline.tasks}
    for row in offline.rows("labels"):
        assert json.loads(row["value"]) == feeling(texts[row["id"]])
    assert {row["annotator"] for row in offline.rows("annotators")} == {"ann"}
    with pytest.raises(RecipeError, match="nobody called bob has answered"):
        offline.run("agree", exclude=["ann", "bob"])


# ── the command


def test_the_command_tables_shares_and_changes(mixed, monkeypatch, capsys):
    run = command(monkeypatch, capsys)
    before = tree(mixed.root)
    wish = ["mix", "--what-if", "between.alpha=0", "-w", mixed.root]
    code, out, _ = run(*wish)
    assert code == 0
    assert "promised shares" in out
    assert "between.alpha=0" in out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()]
    uniform = what_if(mixed.workspace, ["between.alpha=0"]).cases[1]
    assert ["changed", "0", str(uniform.change.changed)] in rows
    assert [row[place] for row in rows if row[:1] == ["big"] for place in (0, 2)] == ["big", "0.5"]
    code, out, _ = run(*wish, "--json", "--what-if", "budget=5000%")
    today, uniform, failed = json.loads(out)["cases"]
    assert [one["promised"] for one in uniform["groups"]] == [0.5, 0.5]
    assert uniform["change"]["changed"] > 0
    assert today["problem"] is None
    assert "cannot be met" in failed["problem"]
    code, out, err = run(*wish, "--what-if", "budget=5000%")
    assert code == 0
    assert "budget=5000%: mix: a budget of" in " ".join((out + err).split())
    code, _, err = run("mix", "--what-if", "between.alpa=0", "-w", mixed.root)
    assert code == 2
    assert len(err.strip().splitlines()) == 2
    assert run(*wish, "--budget", "3%")[0] == 2
    assert tree(mixed.root) == before


def test_of_many_groups_those_that_move_most_come_first():
    one = tuple(GroupShare(f"g{n:02}", 1 / 40, 1 / 40) for n in range(40))
    other = tuple(
        GroupShare(f"g{n:02}", 1 / 40 + (n == 33) / 80 - (n == 7) / 160, 1 / 40) for n in range(39)
    )
    rows = _shares(WhatIf((Case("today", one), Case("x", other), Case("y", problem="no"))))
    assert [row["group"] for row in rows[:3]] == ["g39", "g33", "g07"]
    assert rows[0] == {"group": "g39", "today": 1 / 40, "x": None}
    few = _shares(WhatIf((Case("today", one[:3][::-1]), Case("x", other[:4]))))
    assert [row["group"] for row in few] == ["g02", "g01", "g00", "g03"]


def test_yaml_on_one_line():
    for value in (0.3, "a3", "no", ["a", "b"], {"x": {"min": 0.1}}, None, True, "x: y", 3):
        text = yamls.inline(value)
        assert yamls.parse(text, "x") == value
        assert "\n" not in text
    assert [yamls.inline(value) for value in (0.5, ["a"], "10%")] == ["0.5", "[a]", "10%"]
