"""`curate diff`: two known mixtures, document by document, with the reason of each difference."""

import csv
import json
import shutil
from collections import Counter

import pytest

from curate.diff.diff import compare
from curate.diff.sides import Side
from curate.engine import Local
from curate.errors import MissingInput, StaleInput
from curate.takedown import naming, takedown
from curate.text import content_id
from tests.command import command
from tests.conftest import Offline

NEW = "A new text of this source, which is long enough to stay."
MAILED = "Write to ana.silva@example.org about the harbour number 0."


def lines(name, n):
    return [f"A text of {name} about the thing number {number}." for number in range(n)]


@pytest.fixture
def mixed(offline):
    """A mixture of three sources of known shares."""
    offline.lines("alpha.jsonl", [*lines("alpha", 40), MAILED])
    offline.lines("beta.jsonl", lines("beta", 40))
    offline.lines("gamma.jsonl", lines("gamma", 20))
    offline.pool("alpha.jsonl", "beta.jsonl", "gamma.jsonl", holdout=0.1)
    offline.run("clean")
    offline.run("mix", **mix())
    return offline


def mix(alpha=0.5, beta=0.3, budget="60%"):
    shares = {"alpha": alpha, "beta": beta, "gamma": round(1 - alpha - beta, 9)}
    return {"between": {"shares": {"source": shares}}, "budget": budget}


def copied(offline, folder):
    shutil.copytree(offline.root, folder)
    return Offline(folder)


def compared(a, b, workers=1):
    """The result of a comparison, and its documents by id."""
    with compare(a, b, Local(workers)) as found:
        rows = list(found.documents())
        assert len({(row["id"], row["phase"]) for row in rows}) == len(rows)
        return found.result, {row["id"]: row for row in rows}


def drawn(offline):
    """Group, copies, and size of each candidate, by id."""
    return {row["id"]: row for row in offline.rows("mix")}


def brute(one, other):
    """Copies on both sides of the documents whose copies differ."""
    a, b = drawn(one), drawn(other)
    pairs = {id: tuple(own[id]["copies"] if id in own else 0 for own in (a, b)) for id in {*a, *b}}
    return {id: pair for id, pair in pairs.items() if pair[0] != pair[1]}


def change(before, after):
    if not before or not after:
        return "only_b" if not before else "only_a"
    return "more" if after > before else "fewer"


def test_a_mixture_is_as_itself(mixed):
    mixed.run("export")
    for other in (mixed.root, mixed.root / "export"):
        result, rows = compared(mixed.root, other)
        assert rows == {}
        assert (result.documents, result.tokens_added, result.tokens_removed) == (0, 0, 0)
        assert result.first == "every stage that is known made the same"
        assert all(one.tokens_a == one.tokens_b for one in result.groups)


@pytest.mark.parametrize("workers", [1, 2])
def test_shares_that_moved_are_the_reason(mixed, tmp_path, workers):
    other = copied(mixed, tmp_path / "other")
    other.run("mix", **mix(alpha=0.3, beta=0.5))
    result, rows = compared(mixed.root, other.root, workers)
    expected = brute(mixed, other)
    assert {id: (row["copies_a"], row["copies_b"]) for id, row in rows.items()} == expected
    assert len(expected) > 10
    groups = {id: row["group"] for id, row in drawn(mixed).items()}
    for id, row in rows.items():
        assert row["change"] == change(*expected[id])
        assert row["why"] == "share"
        assert row["change"] == ("only_a" if groups[id] == "alpha" else "only_b")
        assert row["group_a"] == row["group_b"] == groups[id]
    sizes = {id: row["size"] for id, row in drawn(mixed).items()}
    moved = Counter()
    for id, (before, after) in expected.items():
        moved[after > before] += abs(after - before) * sizes[id]
    assert (result.tokens_added, result.tokens_removed) == (moved[True], moved[False])
    for group in result.groups:
        for own, side in ((mixed, "a"), (other, "b")):
            row = next(row for row in own.rows("groups") if row["group"] == group.group)
            for name in ("promised", "realised", "tokens", "documents"):
                assert getattr(group, f"{name}_{side}") == row[name]
    assert result.first.startswith("mix is the first stage that differs: other settings")
    assert "mix.between.shares.source.alpha" in result.first


def test_every_reason_is_told(mixed, tmp_path):
    """Copies of the other run: one document new, one gone, one dropped, one edited otherwise."""
    other = Offline(tmp_path / "other")
    other.lines("alpha.jsonl", [*lines("alpha", 40)[1:], MAILED, NEW])
    other.lines("beta.jsonl", lines("beta", 40))
    other.lines("gamma.jsonl", lines("gamma", 20))
    other.pool("alpha.jsonl", "beta.jsonl", "gamma.jsonl", holdout=0.1)
    other.run("clean", privacy="mask", limits={"length:chars": {"min": 41}})
    for own in (mixed, other):
        own.run("mix", budget="100%", max_epochs=1)
    short = [text for name in ("alpha", "beta") for text in lines(name, 40) if len(text) < 41]
    result, rows = compared(mixed.root, other.root)
    held_out = {row["id"] for own in (mixed, other) for row in own.rows("pool") if row["holdout"]}
    reasons = {
        content_id({"text": lines("alpha", 40)[0]}): ("only_a", "not_in_pool"),
        content_id({"text": NEW}): ("only_b", "not_in_pool"),
        content_id({"text": MAILED}): ("text", "text"),
    }
    other_text = {row["id"]: row for row in other.rows("clean")}
    dropped = {id for id, row in other_text.items() if row["reason"] == "length:chars"}
    assert len(dropped) == len([text for text in short if text != lines("alpha", 40)[0]])
    reasons |= dict.fromkeys(dropped, ("only_a", "dropped"))
    told = {id: (row["change"], row["why"]) for id, row in rows.items()}
    assert told == {id: reason for id, reason in reasons.items() if id not in held_out}
    assert rows[content_id({"text": MAILED})]["other_text"]
    assert all("length:chars" in rows[id]["says"] for id in dropped - held_out)
    assert result.other_text == 1
    assert result.first.startswith("pool is the first stage that differs: the same settings")


def test_what_was_taken_down_or_held_out_is_told(mixed, tmp_path):
    other = copied(mixed, tmp_path / "other")
    for own in (mixed, other):
        own.run("mix", budget="100%", max_epochs=1)
    gone = drawn(mixed).keys() & {content_id({"text": text}) for text in lines("beta", 40)[:3]}
    (other.root / "ids.txt").write_text("\n".join(sorted(gone)))
    ids = naming.find(other.workspace, ids=other.root / "ids.txt")
    takedown.run(other.workspace, naming.cluster(other.workspace, ids), ids, "asked")
    other.run("clean")
    other.run("mix", budget="100%", max_epochs=1)
    _, rows = compared(mixed.root, other.root)
    assert {id: (row["change"], row["why"]) for id, row in rows.items()} == dict.fromkeys(
        gone, ("only_a", "removed")
    )
    more = Offline(tmp_path / "more")
    shutil.copytree(mixed.root / "data", more.root / "data", dirs_exist_ok=True)
    more.pool("alpha.jsonl", "beta.jsonl", "gamma.jsonl", holdout=0.3)
    more.run("clean")
    more.run("mix", budget="100%", max_epochs=1)
    held_out = {row["id"] for row in more.rows("pool") if row["holdout"]}
    _, rows = compared(mixed.root, more.root)
    assert {id for id, row in rows.items() if row["why"] == "holdout"} == (
        held_out & drawn(mixed).keys()
    )
    assert {row["why"] for row in rows.values()} == {"holdout"}


def test_copies_budgets_and_cuts_are_told(mixed, tmp_path):
    other = copied(mixed, tmp_path / "other")
    mixed.run("mix", **mix(budget="150%"))
    other.run("mix", **mix(budget="120%"))
    _, rows = compared(mixed.root, other.root)
    expected = brute(mixed, other)
    assert {id: (row["copies_a"], row["copies_b"]) for id, row in rows.items()} == expected
    assert {row["change"] for row in rows.values()} <= {"fewer", "only_a"}
    assert {row["why"] for row in rows.values()} == {"budget"}
    sizes = {id: row["size"] for id, row in drawn(mixed).items()}
    for id, row in rows.items():
        assert row["tokens_a"] == row["copies_a"] * sizes[id]
        assert row["tokens_b"] == row["copies_b"] * sizes[id]
    _, rows = compared(other.root, mixed.root)
    assert {row["change"] for row in rows.values()} <= {"more", "only_b"}
    assert {row["why"] for row in rows.values()} == {"budget"}
    mixed.run("mix", **mix(), seed=1)
    other.run("mix", **mix(), seed=2)
    _, rows = compared(mixed.root, other.root)
    assert {id: (row["copies_a"], row["copies_b"]) for id, row in rows.items()} == brute(
        mixed, other
    )
    groups = {
        own.root: {row["group"]: row["tokens"] for row in own.rows("groups")}
        for own in (mixed, other)
    }
    for row in rows.values():
        less, more = (mixed, other) if row["change"] == "only_b" else (other, mixed)
        is_smaller = groups[less.root][row["group_a"]] < groups[more.root][row["group_a"]]
        assert row["why"] == ("budget" if is_smaller else "cut")


def test_another_group_is_told(mixed, tmp_path):
    """The same texts under sources of other names: nothing but the groups differs."""
    other = Offline(tmp_path / "other")
    other.lines("alpha.jsonl", [*lines("alpha", 40), MAILED])
    other.lines("delta.jsonl", lines("beta", 40))
    other.lines("gamma.jsonl", lines("gamma", 20))
    other.pool("alpha.jsonl", "delta.jsonl", "gamma.jsonl", holdout=0.1)
    other.run("clean")
    for own in (mixed, other):
        own.run("mix", budget="100%", max_epochs=1)
    result, rows = compared(mixed.root, other.root)
    of_beta = {id for id, row in drawn(mixed).items() if row["group"] == "beta"}
    assert {id: (row["change"], row["group_b"]) for id, row in rows.items()} == dict.fromkeys(
        of_beta, ("group", "delta")
    )
    assert all(row["other_group"] and not row["other_text"] for row in rows.values())
    by_name = {group.group: group for group in result.groups}
    assert by_name["beta"].tokens_b is None
    assert by_name["delta"].tokens_a is None


def test_phases_are_compared_one_by_one_where_they_are_the_same(mixed, tmp_path):
    other = copied(mixed, tmp_path / "other")
    for own, budget in ((mixed, 900), (other, 1500)):
        phases = [{"name": "first", "budget": 1200}, {"name": "last", "budget": budget}]
        own.run("mix", phases=phases)
    result, _ = compared(mixed.root, other.root)
    a, b = drawn(mixed), drawn(other)
    expected = {
        (id, phase): (a[id][f"copies:{phase}"], b[id][f"copies:{phase}"])
        for id in a
        for phase in ("first", "last")
        if a[id][f"copies:{phase}"] != b[id][f"copies:{phase}"]
    }
    with compare(mixed.root, other.root, Local(1)) as found:
        told = {
            (row["id"], row["phase"]): (row["copies_a"], row["copies_b"])
            for row in found.documents()
        }
    assert told == expected
    assert {phase for _, phase in told} == {"last"}
    other.run("mix", budget="60%")
    with compare(mixed.root, other.root, Local(1)) as found:
        told = {row["id"]: (row["copies_a"], row["copies_b"]) for row in found.documents()}
    assert told == brute(mixed, other)
    assert "the phases are not the same" in found.result.notes[0]
    assert result.documents == len(expected)


@pytest.mark.parametrize("layout", ["mixed", "by_group"])
def test_exports_are_compared_document_by_document(mixed, tmp_path, layout):
    other = copied(mixed, tmp_path / "other")
    other.run("mix", **mix(alpha=0.3, beta=0.5, budget="130%"))
    for own in (mixed, other):
        own.run("export", layout=layout)
        shutil.copytree(own.root / "export", tmp_path / f"{own.root.name}-alone")
    expected = brute(mixed, other)
    alone = tmp_path / "run-alone", tmp_path / "other-alone"
    result, rows = compared(*alone)
    assert {id: (row["copies_a"], row["copies_b"]) for id, row in rows.items()} == expected
    assert result.first.startswith("mix is the first stage that differs: other settings")
    assert any("does not say why" in note for note in result.notes)
    whole, of_whole = compared(mixed.root / "export", other.root / "export")
    assert {id: (row["copies_a"], row["copies_b"]) for id, row in of_whole.items()} == expected
    assert "not_in_export" not in whole.reasons
    across, _ = compared(mixed.root, alone[1])
    assert across.documents == len(expected)


def test_an_export_knows_its_workspace_only_while_nothing_has_changed(mixed):
    mixed.run("export")
    assert Side.of(mixed.root / "export").workspace is not None
    assert Side.of(mixed.root / "export" / "manifest.json").workspace is not None
    mixed.run("mix", **mix(alpha=0.3))
    side = Side.of(mixed.root / "export")
    assert side.workspace is None
    result, rows = compared(mixed.root / "export", mixed.root)
    assert result.documents == len(rows) > 0


def test_what_cannot_be_compared_is_one_line(mixed, tmp_path):
    with pytest.raises(MissingInput, match="no folder"):
        Side.of(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingInput, match="neither a workspace nor an export"):
        Side.of(tmp_path / "empty")
    mixed.run("clean", limits={"length:chars": {"min": 41}})
    with pytest.raises(StaleInput, match="mix"):
        Side.of(mixed.root)


# ── the first stage that differs


def test_a_full_run_that_differs_names_the_first_stage_that_did(mixed, tmp_path):
    mixed.run("export")
    again = copied(mixed, tmp_path / "again")
    shutil.copytree(mixed.root / "export", tmp_path / "before")

    def first(**stages):
        for stage, settings in stages.items():
            again.run(stage, **settings)
        again.run("export")
        return compared(tmp_path / "before", again.root / "export")[0].first

    whole = {"clean": {}, "mix": mix()}
    assert first(**whole) == "every stage that is known made the same"
    assert first(mix={**mix(), "seed": 3}).startswith("mix is the first stage that differs")
    limits = {"limits": {"length:words": {"min": 4}}}
    told = first(clean=limits, mix=mix())
    assert told == "every stage that is known made the same"  # all texts have so many words
    told = first(clean={"limits": {"length:chars": {"min": 41}}}, mix=mix())
    assert told.startswith("clean is the first stage that differs: other settings (clean.limits")
    again.lines("beta.jsonl", lines("beta", 39))
    again.pool("alpha.jsonl", "beta.jsonl", "gamma.jsonl", holdout=0.1)
    told = first(**whole)
    assert told == (
        "pool is the first stage that differs: the same settings, other files, or another version"
    )


# ── the command


def test_json_csv_and_terminal_tell_the_same(mixed, tmp_path, monkeypatch, capsys):
    run = command(monkeypatch, capsys)
    other = copied(mixed, tmp_path / "other")
    other.run("mix", **mix(alpha=0.3, beta=0.5))
    output = tmp_path / "changed.csv"
    code, out, err = run("diff", mixed.root, other.root)
    assert code == 0
    assert "mix is the first stage that differs" in err
    assert "share" in out
    code, out, _ = run("diff", mixed.root, other.root, "--json", "--output", output)
    assert code == 0
    told = json.loads(out)
    assert told["documents"] == len(told["found"]) == len(brute(mixed, other))
    with output.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [row["id"] for row in told["found"]]
    code, _, err = run("diff", mixed.root, tmp_path / "nothing")
    assert code == 1
    assert "no folder" in err


# ── media


def test_media_of_two_mixtures_are_told_apart_by_their_bytes(offline):
    from tests.media_small import jpeg, png, put, wav

    put(offline.root / "data", {f"p/{number}.png": png(number) for number in range(6)})
    put(offline.root / "data", {"p/same.jpg": jpeg(20), "s/0.wav": wav(0), "s/1.wav": wav(1)})
    sources = [{"name": name, "paths": [f"data/{name}"]} for name in "ps"]
    counted = {"tokenizer": "bytes", "media_tokens": {"image": 10, "audio": "40/s"}}

    def mixed_again(where):
        where.run("pool", sources=sources, **counted)
        where.run("clean", rules=[], near_duplicates=None)
        where.run("mix", groups=["source"], budget="100%")

    mixed_again(offline)
    other = copied(offline, offline.root.parent / "other")
    (other.root / "data" / "p" / "3.png").write_bytes(png(99))
    (other.root / "data" / "s" / "1.wav").unlink()
    (other.root / "data" / "p" / "same.jpg").rename(other.root / "data" / "p" / "moved.jpg")
    mixed_again(other)
    result, rows = compared(offline.root, other.root)
    before = {row["id"]: row["origin"] for row in offline.rows("pool")}
    after = {row["id"]: row["origin"] for row in other.rows("pool")}
    only = {before.get(id) or after[id] for id in rows}
    assert only == {"data/p/3.png:1", "data/s/1.wav:1"}
    assert sorted(row["change"] for row in rows.values()) == ["only_a", "only_a", "only_b"]
    told = {own.group: (own.tokens_a, own.tokens_b) for own in result.groups}
    assert told == {"p": (70, 70), "s": (40, 20)}
    third = copied(offline, offline.root.parent / "third")
    assert compared(offline.root, third.root)[1] == {}
