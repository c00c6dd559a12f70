"""What is taken down is gone from everywhere, for ever; the answers about it stay."""

import json
import sys
from datetime import datetime
from random import Random

import pytest

from curate import tables
from curate.cli import main
from curate.embed import embed
from curate.errors import CurateError, DataError, RecipeError, ServerError
from curate.export.verify import verify
from curate.fetching.progress import progress
from curate.rounds.standing import overview
from curate.takedown import listed, naming, takedown
from curate.text import content_id
from tests.conftest import BAD, FILMS, GOOD, MEALS, reviews
from tests.test_masks import everything

TAKEN = "The harbour at dawn was miserable, truly grim, and Ana Silva called it dreadful as well."
TWIN = TAKEN.removesuffix(".") + "!"
ID, TWIN_ID = (content_id({"text": text}) for text in (TAKEN, TWIN))


@pytest.fixture
def whole(offline):
    """Return the tiny run, taken from the pool to an export that holds the text and its copy."""
    offline.lines("films.jsonl", [*reviews(FILMS, GOOD), *reviews(FILMS, BAD)])
    offline.lines("meals.jsonl", [*reviews(MEALS, GOOD), *reviews(MEALS, BAD)])
    offline.lines("web.jsonl", [{"text": TAKEN, "url": "https://www.example.org/a/1"}, TAKEN])
    offline.lines("zoo.jsonl", [{"text": TWIN, "url": "http://other.example.net/b"}])
    offline.pool()
    finish(offline)
    return offline


def finish(offline, rounds=True):
    offline.run("clean", rules=["length"], near_duplicates=0.9)
    if rounds:
        offline.run("sample", n=100, strategy="random", seed=1)
        offline.run("push", backend="folder", form="sentiment", overlap=1)
        offline.answer("ann")
        offline.run("pull")
        offline.run("agree")
    offline.run("mix", groups=["source"], budget="100%", max_epochs=1)
    return offline.run("export")


def take(offline, *, only=False, **named):
    ids = naming.find(offline.workspace, **named)
    found = naming.cluster(offline.workspace, ids)
    found = [each for each in found if not only or each.why != "near_duplicate"]
    return takedown.run(offline.workspace, found, ids, "asked by its author")


def ids_file(offline, *ids):
    path = offline.root / "ids.txt"
    path.write_text("".join(f"{id}\n" for id in ids))
    return path


def test_no_text_is_left_but_in_the_sources(whole):
    assert any("Ana Silva" in text for _, text in everything(whole.root, ("data/",)))
    embed(whole.workspace, "chargram")
    answers = whole.workspace.rounds.current().answers()
    made = take(whole, domain="example.org")
    assert (made.asked, made.copies, made.near_duplicates, made.removed) == (1, 1, 1, 2)
    assert (made.texts, made.vectors, made.tasks) == (2, 1, 1)
    assert [name for name, text in everything(whole.root, ("data/",)) if "Ana Silva" in text] == []
    assert whole.workspace.rounds.current().answers() == answers
    assert made.answers_kept == 1
    lines = [json.loads(line) for line in (whole.root / "removed.jsonl").read_text().splitlines()]
    assert {line["hash"] for line in lines} == {ID, TWIN_ID}
    assert all(set(line) == {"hash", "reason", "at"} for line in lines)
    assert all(datetime.fromisoformat(line["at"]) for line in lines)


def test_what_a_killed_writer_left_goes_too(whole):
    left = whole.root / "rounds" / "01" / ".texts.parquet.4711.tmp"
    left.write_text(TAKEN)
    own = whole.root / "data" / ".mine.tmp"
    own.write_text("of the curator's own")
    take(whole, domain="example.org")
    assert not left.exists()
    assert own.exists()


@pytest.mark.parametrize("name", [".building", ".kept"])
def test_what_stages_were_building_or_keep_goes_too(whole, name):
    left = whole.root / name / "pool" / "part-00000.jsonl"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_text(TAKEN)
    take(whole, domain="example.org")
    assert not (whole.root / name).exists()


def test_the_record_names_exports_and_shards_and_the_new_one_holds_none(whole):
    content = whole.run("export").content_sha256
    made = take(whole, domain="example.org")
    (held,) = made.exports
    assert held["content_sha256"] == content
    assert held["shards"] == {"data-00000.jsonl": [ID]}
    assert not (whole.root / "export").exists()
    (told,) = takedown.check(whole.workspace)
    assert told["after"] is None
    whole.pool()
    finish(whole, rounds=False)
    (told,) = takedown.check(whole.workspace)
    assert told["exports"] == [held]
    assert told["after"]["holds"] == 0
    assert told["after"]["content_sha256"] != content
    assert verify(whole.root / "export").problems == ()


def test_pool_refuses_it_for_ever(whole):
    take(whole, ids=ids_file(whole, ID), only=True)
    ids = {row["id"] for row in whole.rows("pool")}
    assert ID not in ids
    assert TWIN_ID in ids
    whole.lines("again.jsonl", [TAKEN, "Something else altogether that nobody has seen before."])
    made = whole.pool()
    assert made.left_out >= 1
    assert ID not in {row["id"] for row in whole.rows("pool")}
    whole.run("clean", rules=["length"], near_duplicates=0.9)
    kept = {row["id"]: row["kept"] for row in whole.rows("clean")}
    assert kept[TWIN_ID]  # what it yielded to is gone


def test_verify_fails_on_an_export_that_holds_it(whole):
    listed.add(whole.root, [ID], "asked", "2026-01-01T00:00:00+00:00")
    problems = verify(whole.root / "export").problems
    assert problems == (f"data-00000.jsonl holds {ID}, which was taken down",)


def test_the_rounds_go_on_without_it(offline):
    offline.lines("a.jsonl", [TAKEN, *reviews(FILMS, GOOD)])
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=29)
    pushed = {"backend": "folder", "form": "sentiment", "overlap": 2}
    offline.run("push", **pushed)
    offline.answer("ann", "bob", ids=[ID])
    offline.run("pull")
    take(offline, ids=ids_file(offline, ID))
    assert ID not in {task["id"] for task in offline.tasks}
    made = offline.run("pull")
    assert "withdrawn" not in made.statuses
    assert made.rejected == {}
    assert (made.tasks, made.complete) == (28, 0)
    assert offline.run("push", **pushed).sent == 0
    assert ID not in {task["id"] for task in offline.tasks}
    assert offline.workspace.rounds.current().erased == {ID}
    offline.answer("ann", "bob")
    assert offline.run("pull").done
    current = offline.workspace.rounds.current()
    (over,) = overview([current])
    people = {(own.submitted, own.tasks) for own in progress(current, offline.root, None)}
    assert (over.answers, people) == (56, {(28, 28)})


def test_answers_not_yet_pulled_come_home_first(offline):
    offline.lines("a.jsonl", [TAKEN, *reviews(FILMS, GOOD)])
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=29)
    offline.run("push", backend="folder", form="sentiment", overlap=2)
    offline.answer("ann", ids=[ID])
    made = take(offline, ids=ids_file(offline, ID))
    assert (made.tasks, made.answers_kept) == (1, 1)


def test_a_comparison_that_shows_it_goes_as_a_whole(offline):
    offline.lines("a.jsonl", [TAKEN, reviews(FILMS, GOOD)[0]])
    offline.pool()
    offline.run("clean")
    offline.run("sample", n=1, compare=True)
    offline.run("push", backend="folder", form="comparison", overlap=1)
    assert take(offline, ids=ids_file(offline, ID)).tasks == 1
    assert offline.tasks == []


def test_an_interrupted_request_is_finished_by_the_next(whole, monkeypatch):
    def killed(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(takedown, "erase_rows", killed)
        with pytest.raises(KeyboardInterrupt):
            take(whole, domain="example.org")
    assert ID in listed.removed(whole.root)
    take(whole, ids=ids_file(whole, "0" * 32))
    assert [name for name, text in everything(whole.root, ("data/",)) if "Ana Silva" in text] == []


# ── what a request names


def test_addresses_below_a_prefix_or_at_a_domain(whole):
    def found(**named):
        return naming.find(whole.workspace, **named)

    assert found(domain="example.org") == found(domain="WWW.example.org") == [ID]
    assert found(domain="ample.org") == found(domain="org.example") == []
    assert found(url="https://www.example.org/a/") == found(url="www.example.org/a") == [ID]
    assert found(url="https://www.example.org/b") == []
    assert found(domain="example.net") == [TWIN_ID]
    assert found(url="HTTPS://WWW.Example.org/a/1") == [ID]
    assert found(url="https://www.example.org/A/1") == []


def test_addresses_of_copies_and_deep_in_meta(offline):
    """Whoever asks for their page means the text, whichever of its copies the pool keeps."""
    meta = {"url": "http://[no address", "more": {"page": [{"Link": "http://例え.jp/1"}]}}
    offline.lines("a.jsonl", [{"text": TAKEN, "url": "https://first.example.org/"}])
    copy = {"text": TAKEN, "url": "https://second.example.org/", "mail": "a@second.example.com"}
    offline.lines("b.jsonl", [copy, {"text": TWIN, "meta": meta}])
    offline.pool()

    def found(**named):
        return naming.find(offline.workspace, **named)

    assert found(domain="second.example.org") == found(domain="first.example.org") == [ID]
    assert found(domain="xn--r8jz45g.jp") == found(domain="例え.jp") == [TWIN_ID]
    assert found(domain="second.example.com") == found(domain="..") == []
    (row,) = offline.rows("duplicates")
    assert row["addresses"] == ["https://second.example.org/"]
    assert "a@second" not in str(row)


def test_one_way_to_name_what_goes(whole, tmp_path):
    with pytest.raises(RecipeError, match="one of --ids, --domain and --url"):
        naming.find(whole.workspace)
    with pytest.raises(RecipeError, match="one of"):
        naming.find(whole.workspace, domain="a", url="b")
    with pytest.raises(RecipeError, match="one of"):
        naming.find(whole.workspace, url="")
    path = tmp_path / "ids"
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(DataError, match="line 1: not an id"):
        naming.find(whole.workspace, ids=path)
    path.write_text(f'{{"id": "{ID}"}}\n\nnot an id\n')
    with pytest.raises(DataError, match="line 3: not an id"):
        naming.find(whole.workspace, ids=path)
    path.write_text(f'{{"id": "{ID}"}}\n{ID}\n')
    assert naming.find(whole.workspace, ids=path) == [ID]


def test_a_reason_is_asked_for(whole):
    with pytest.raises(RecipeError, match="give a reason"):
        takedown.run(whole.workspace, [], [ID], " ")


# ── the command


def test_the_command_asks(whole, monkeypatch, capsys):
    monkeypatch.setattr(
        "sys.argv",
        ["curate", "remove", "--domain", "example.org", "--reason", "x", "-w", str(whole.root)],
    )
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    said = capsys.readouterr().err
    assert "nobody to ask" in said
    assert "2 documents go" in said
    assert "Ana Silva" not in said
    assert not (whole.root / "removed.jsonl").exists()
    monkeypatch.setattr("sys.argv", [*sys.argv, "--yes", "--json"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code in (0, None)
    told = json.loads(capsys.readouterr().out)
    assert (told["removed"], told["texts"]) == (2, 2)


def test_the_command_lists_each_kind_and_tells_shards(whole, capsys):
    from curate.commands import removing

    named = {"domain": "example.org"}
    removing.taken_down(whole.workspace, "x", named, yes=True)
    said = capsys.readouterr()
    assert f"{TWIN_ID}  zoo  data/zoo.jsonl:1  near duplicate" in said.err
    assert "held 1 in data-00000.jsonl" in " ".join(said.err.split())
    removing.checked(whole.workspace, False)
    assert "no export has been made since" in " ".join(capsys.readouterr().err.split())
    whole.pool()
    finish(whole, rounds=False)
    removing.checked(whole.workspace, False)
    assert "holds 0" in " ".join(capsys.readouterr().err.split())


def test_near_duplicates_that_nobody_looked_for_are_said(offline, capsys):
    from curate.commands.removing import taken_down

    offline.lines("a.jsonl", [{"text": TAKEN, "url": "https://example.org/"}, TWIN])
    offline.pool()
    offline.run("clean")
    taken_down(offline.workspace, "x", {"domain": "example.org"}, yes=True)
    assert "has not looked for near-duplicates" in " ".join(capsys.readouterr().err.split())


def test_a_server_that_does_not_start_does_not_keep_the_texts(whole, monkeypatch):
    def down(name):
        raise ServerError("label_studio did not start")

    monkeypatch.setattr(whole.workspace, "connect", down)
    made = take(whole, domain="example.org")
    assert made.texts == 2
    assert "may still hold" in made.notes[0]


def test_what_names_nothing_does_nothing(whole):
    from curate.commands.removing import taken_down

    with pytest.raises(CurateError, match="no document here matches"):
        taken_down(whole.workspace, "x", {"domain": "nowhere.example"}, yes=True, as_json=True)


@pytest.mark.parametrize("seed", range(5))
def test_near_duplicates_are_followed_in_both_directions_through_all_shards(offline, seed):
    offline.lines("films.jsonl", reviews(FILMS, GOOD))
    offline.pool()
    offline.run("clean")
    rng = Random(seed)
    ids = [f"{number:032}" for number in range(40)]
    other = {id: rng.choice(ids) if rng.random() < 0.6 else None for id in ids}
    table = tables.rows("clean", [{"id": id, "duplicate_of": other[id]} for id in ids])
    made = offline.workspace.tables.made("clean")
    offline.workspace.tables.write("clean", table, made, rows_per_shard=rng.choice([1, 7, 100]))
    asked = set(rng.sample(ids, 3))
    expected, before = set(asked), set()
    while expected != before:
        before = set(expected)
        expected |= {other[id] for id in before if other[id]}
        expected |= {id for id in ids if other[id] in before}
    assert naming._connected(offline.workspace, asked) == expected
