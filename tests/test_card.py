"""`curate card`: the card, and what laws ask for, filled from the tables; gaps are told as gaps."""

import json
import sqlite3
from collections import Counter

import pytest

from curate import storage
from curate.cards.californian import californian, rough
from curate.cards.european import european, hours_size, image_size, text_size
from curate.cards.facts import Facts, Origin, Removed
from curate.cards.quoting import visible
from curate.cards.sources import Place, places
from curate.cards.summary import GAP, Point, Rows, Summary, markdown
from curate.errors import StaleInput
from curate.export.formats import read_shard
from curate.summaries.gathering import gather
from curate.takedown import takedown
from tests.command import command
from tests.test_cards import HOSTILE, PARSER, texts_of
from tests.test_sources import answer, warc

curate = pytest.fixture(command)

PAGE = "<html><body><article><p>{}</p></article></body></html>"


def captured(n, day):
    """A page as a web archive holds it, captured on a day."""
    words = f"The {n}. page tells of a long walk by the sea in the rain, and of tea. " * 3
    url = f"https://www.sea.example/{n}"
    kind, about, body = answer(url, PAGE.format(words).encode())
    return kind, about | {"WARC-Date": f"{day}T12:00:00Z"}, body


@pytest.fixture
def mixed(offline):
    """Texts from the web with licences and languages, a query, and a web archive; all is drawn."""
    rows = [
        {
            "text": f"Note {n} is about a house with {n} rooms and {n + 1} doors.",
            "url": f"https://{('www.a.example', 'b.example', 'c.example')[n % 3]}/{n}",
            "spdx": ("CC-BY-4.0", "MIT", "")[n % 3],
            "lang": ("en", "en-GB", "und")[n % 3],
        }
        for n in range(30)
    ]
    offline.lines("web.jsonl", [*rows, rows[0], {**rows[1], "text": "short"}])
    with sqlite3.connect(offline.root / "data" / "shop.db") as base:
        base.execute("create table review (text text)")
        base.executemany(
            "insert into review values (?)",
            [(f"Review {n}: mail me at ann{n}@example.org, please.",) for n in range(10)],
        )
    pages = [captured(n, f"2026-0{1 + n % 3}-1{n}") for n in range(5)]
    (offline.root / "data" / "sea.warc").write_bytes(b"".join(warc(*pages)))
    language, licence = {"field": "lang"}, {"field": "spdx"}
    sources = [
        {"name": "web", "paths": ["data/web.jsonl"], "language": language, "license": licence},
        {"database": {"address": "sqlite:///data/shop.db", "query": "select text from review"}},
        {"name": "sea", "paths": ["data/sea.warc"], "license": "CC0-1.0"},
    ]
    offline.run("pool", sources=sources, tokenizer="cl100k_base")
    offline.run("clean", rules=["length"], privacy={"email": "mask"})
    offline.run("mix", groups=["source"], budget="150%", max_epochs=3)
    offline.run("export", shard_documents=10)
    return offline


def lines_of(run):
    folder = run.root / "export"
    manifest = storage.read_json(folder / "manifest.json")
    return [row for file in manifest["files"] for row in read_shard(folder / file["path"])]


def test_facts_are_those_of_the_lines(mixed):
    """Against the shards themselves, and the rows of pool and clean."""
    facts = gather(mixed.workspace)
    lines = lines_of(mixed)
    clean = {row["id"]: row for row in mixed.rows("clean")}
    pool = {row["id"]: row for row in mixed.rows("pool")}
    tokens, licenses, languages, hosts = Counter(), Counter(), Counter(), Counter()
    for line in lines:
        size = clean[line["id"]]["tokens"]
        tokens[line["source"]] += size
        licenses[line["license"] or "unknown"] += size
        languages[pool[line["id"]]["language"] or ""] += size
        url = json.loads(pool[line["id"]]["meta"] or "{}").get("url")
        if url:
            hosts[url.split("/")[2].removeprefix("www.")] += size
    assert {origin.name: origin.tokens for origin in facts.origins} == tokens
    assert (
        facts.tokens
        == tokens.total()
        == sum(
            file["tokens"]
            for file in storage.read_json(mixed.root / "export/manifest.json")["files"]
        )
    )
    assert facts.lines == len(lines) > facts.documents == len({line["id"] for line in lines}) == 45
    assert (facts.licenses, facts.languages, facts.hosts) == (licenses, languages, hosts)
    assert set(hosts) == {"a.example", "b.example", "c.example", "sea.example"}
    web, shop, sea = facts.origins
    assert [origin.place.kind for origin in facts.origins] == ["files", "database", "files"]
    assert (web.archived, shop.archived, sea.archived) == (0, 0, 5)
    assert (sea.first, sea.last, web.first) == ("2026-01-10", "2026-03-12", None)
    assert (web.addressed, shop.addressed, sea.addressed) == (tokens["web"], 0, tokens["sea"])
    assert facts.cleaned["privacy"] == {"email": 10}
    assert facts.removed == Removed()
    today = mixed.workspace.ledger.lines()[-1]["at"][:10]
    assert facts.exported == today
    assert facts.read == (today, today)


def test_without_copies_a_document_counts_once(mixed):
    ids = {line["id"] for line in lines_of(mixed)}
    mixed.run("export", layout="by_group")
    sizes = {row["id"]: row["tokens"] for row in mixed.rows("clean")}
    facts = gather(mixed.workspace)
    assert facts.lines == facts.documents == 45 == len(lines_of(mixed))
    assert facts.tokens == sum(sizes[id] for id in ids)
    assert facts.layout == "by_group"


@pytest.mark.parametrize("layout", ["mixed", "by_group"])
def test_phases_count_together(mixed, layout):
    phases = [{"name": name, "budget": budget} for name, budget in (("a", "900"), ("b", "700"))]
    mixed.run("mix", groups=["source"], max_epochs=3, phases=phases)
    mixed.run("export", layout=layout)
    facts = gather(mixed.workspace)
    files = storage.read_json(mixed.root / "export" / "manifest.json")["files"]
    assert facts.lines == sum(file["documents"] for file in files) > facts.documents
    assert facts.tokens == sum(file["tokens"] for file in files)


def test_an_export_that_the_ledger_does_not_know_has_no_summary(mixed):
    path = mixed.root / "export" / "manifest.json"
    storage.write_json(path, storage.read_json(path) | {"seed": 99})
    with pytest.raises(StaleInput, match="the ledger does not say"):
        gather(mixed.workspace)


def test_the_command_prints_what_was_asked_for(mixed, curate, tmp_path):
    run = ("-w", mixed.root)
    code, out, _ = curate("card", *run)
    assert (code, out) == (0, (mixed.root / "export" / "README.md").read_text(encoding="utf-8"))
    code, text, _ = curate("card", "--eu", *run)
    assert code == 0
    headings = texts_of(text, "heading_open")
    assert headings[0] == "Public summary of training content"
    numbers = [heading.split(" ")[0] for heading in headings[1:]]
    assert numbers == [
        *("1", "1.1", "1.2", "1.3", "2", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6"),
        *("3", "3.1", "3.2", "3.3"),
    ]
    assert "less than 1 billion tokens" in text
    assert "captured from 2026-01-10 to 2026-03-12" in text
    assert "of 4 domain names" in text
    assert "email masked (10)" in text
    code, printed, _ = curate("card", "--eu", "--json", *run)
    told = json.loads(printed)
    assert told["gaps"] == text.count(f"**{GAP}:**") == sum(len(p["gaps"]) for p in told["points"])
    (crawled,) = [point for point in told["points"] if point["number"] == "2.3"]
    (largest, *others) = crawled["rows"]["rows"]
    assert not others  # the largest tenth of four
    facts = gather(mixed.workspace)
    ((host, tokens),) = Counter(facts.hosts).most_common(1)
    assert largest == [host, f"{tokens / facts.tokens:.2%}", f"{tokens:,}"]
    path = tmp_path / "new" / "ab2013.md"
    code, out, err = curate("card", "--ab2013", "-o", path, *run)
    assert (code, out) == (0, "")
    written = path.read_text(encoding="utf-8")
    assert f"with {written.count(f'**{GAP}:**')} gaps" in err
    numbers = [heading.split(" ")[0] for heading in texts_of(written, "heading_open")[1:]]
    assert numbers == [str(n) for n in range(1, 13)]
    assert "10 to 100 distinct documents (45)" in written
    code, _, err = curate("card", "--eu", "--ab2013", *run)
    assert code == 2
    assert "--ab2013 has no effect beside --eu" in err


def test_takedowns_are_told_in_the_next_export(mixed, curate):
    gone = lines_of(mixed)[0]["id"]
    takedown.run(mixed.workspace, [], [gone], "asked by its owner")
    code, out, err = curate("card", "--eu", "-w", mixed.root)
    assert (code, out) == (1, "")
    assert "there is no export" in err
    for stage in ("pool", "clean", "mix", "export"):
        made = mixed.workspace.ledger.last(stage)
        mixed.run(stage, **made["spec"])
    text = markdown(european(gather(mixed.workspace)))
    today = mixed.workspace.ledger.lines()[-1]["at"][:10]
    assert f"1 documents were taken down in 1 requests, the last on {today}" in text
    assert "asked by its owner" not in text
    card = (mixed.root / "export" / "README.md").read_text(encoding="utf-8")
    assert "1 documents were taken down on request" in card


def test_a_summary_is_of_what_was_exported(mixed, curate):
    """Where the mixture has been made again, the tables tell of another one."""
    mixed.run("mix", groups=["source"], budget="50%")
    with pytest.raises(StaleInput, match="not made from the present `mix`"):
        gather(mixed.workspace)
    code, out, err = curate("card", "--ab2013", "-w", mixed.root)
    assert (code, out) == (1, "")
    assert "`export` was not made from the present `mix`" in err
    code, out, err = curate("card", "-w", mixed.root / "none")
    assert (code, out) == (1, "")


# ── words


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (10**9 - 1, "less than 1 billion tokens"),
        (10**9, "1 billion to 10 trillion tokens"),
        (10**13, "1 billion to 10 trillion tokens"),
        (10**13 + 1, "more than 10 trillion tokens"),
    ],
)
def test_sizes_of_texts_are_the_templates_ranges(tokens, words):
    assert text_size(tokens) == words


def test_other_ranges():
    assert [image_size(n) for n in (10**6 - 1, 10**6, 10**9, 10**9 + 1)] == [
        "less than 1 million images",
        *["1 million to 1 billion images"] * 2,
        "more than 1 billion images",
    ]
    assert [hours_size(3600 * n) for n in (9_999, 10_000, 10**6, 10**6 + 1)] == [
        "less than 10,000 hours",
        *["10,000 to 1 million hours"] * 2,
        "more than 1 million hours",
    ]
    assert [rough(n) for n in (0, 9, 10, 99, 100, 12_345)] == [
        *["fewer than 10"] * 2,
        *["10 to 100"] * 2,
        "100 to 1,000",
        "10,000 to 100,000",
    ]


def test_places_of_sources_without_a_name():
    specs = [
        {"name": "a", "dataset": {"name": "own/set"}},
        {"name": None, "dataset": {"name": "other/set/"}},
        {"database": {"address": "sqlite:///x/shop.db"}},
        {"database": {"address": "postgresql://host/db"}},
        {"paths": ["*.jsonl"]},
    ]
    found = places(specs, ["a", "set-2", "shop", "database-4", "film"])
    assert found == {
        "a": Place("hub", "own/set"),
        "set-2": Place("hub", "other/set/"),
        "shop": Place("database"),
        "database-4": Place("database"),
        "film": Place("files"),
    }
    assert found["a"].words == "data set of a hub: own/set"


def facts_of(name, **more):
    """Facts in which every name is the same one."""
    origin = Origin(
        name=name,
        place=Place("hub", name),
        **{"documents": 2, "lines": 3, "tokens": 40, "images": 5, "addressed": 40, "archived": 1},
        licenses={name: 40},
        languages={name: 40},
        first="2026-01-02",
        last="2026-03-04",
    )
    cleaned = {"documents": 4, "kept": 2, "reasons": {name: 2}, "privacy": {"email": 1}}
    row = {"question": name, "kind": "choice", "people": 1, "model": 1, "undecided": 0}
    answers = {"question": name, "answers": 2, "annotators": 1, "items": 2}
    given = {
        **{"name": name, "layout": "mixed", "tokenizer": name, "content_sha256": "0", "hosts": {}},
        **{"version": "1", "origins": [origin], "exported": "2026-11-30", "cleaned": cleaned},
        **{"read": ("2026-05-06", "2026-07-08"), "pooled": {"copies": 1, "rows": 9}},
        "clean": {"licenses": [name], "rules": {name: ["length"]}, "privacy": {"email": "mask"}},
        **{"removed": Removed(1, 1, "2026-09-10"), "labels": [row], "answers": [answers]},
    }
    return Facts(**given | {"hosts": {name: 40}} | more)


@pytest.mark.parametrize("write", [european, californian])
@pytest.mark.parametrize("name", [name for name in HOSTILE if name])
def test_hostile_names_stay_in_their_places_of_a_summary(write, name):
    plain = texts_of(markdown(write(facts_of("web"))), "heading_open")
    text = markdown(write(facts_of(name)))
    assert texts_of(text, "heading_open") == plain
    cells = texts_of(text, "td_open")
    assert len(cells) == len(texts_of(markdown(write(facts_of("web"))), "td_open"))
    shown = visible(name)
    assert any(cell == shown or cell == f"{shown[:199]}…" for cell in cells)
    kinds = {token.type for token in PARSER.parse(text)}
    assert kinds <= {
        *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline"),
        *("table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close"),
        *("tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close"),
    }


def test_what_is_not_known_is_a_gap():
    """Bytes are no tokens, and what nobody looked for is not absent."""
    clean = {"rules": []}
    bare = facts_of("web", tokenizer="bytes", read=None, clean=clean, cleaned=None, hosts={})
    points = {point.number: point for point in european(bare).points}
    assert "The range in tokens: the pool counts bytes." in points["1.3"].gaps
    assert any("latest day" in gap for gap in points["1.3"].gaps)
    assert any("no document has an address" in gap for gap in points["2.3"].gaps)
    assert points["2.3"].rows is None
    points = {point.number: point for point in californian(bare).points}
    assert points["7"].known == ()
    assert points["7"].gaps == ("Whether there is personal information: it was not looked for.",)
    for number in ("2", "6", "8", "10", "11", "12"):
        assert points[number].gaps
    looked = {point.number: point for point in californian(facts_of("web")).points}
    assert looked["7"].known == (
        "Private values that were looked for by their form, and found: email masked (1).",
    )


def test_the_largest_tenth_of_the_domain_names_is_listed():
    hosts = {f"h{n:04}.example": n for n in range(1, 26)}
    points = {point.number: point for point in european(facts_of("web", hosts=hosts)).points}
    assert [row[0] for row in points["2.3"].rows.rows] == [f"h00{n}.example" for n in (25, 24, 23)]
    many = {f"h{n:05}.example": n for n in range(1, 20_001)}
    points = {point.number: point for point in european(facts_of("web", hosts=many)).points}
    assert len(points["2.3"].rows.rows) == 1_000
    assert "the largest tenth of these, 2,000; the largest 1,000" in points["2.3"].known[-1]


def test_a_summary_in_markdown():
    rows = Rows(("a", "n"), (("x|y", "1"),))
    points = (Point("1", "One"), Point("1.1", "Two", ("It is *so*.",), rows, ("What?",)))
    assert markdown(Summary("T", ("About.",), points)) == (
        "# T\n\nAbout.\n\n**GAP** marks what no table knows: 1 gap is left to be filled in by "
        "hand.\n"
        "\n## 1 One\n\n### 1.1 Two\n\nIt is \\*so\\*.\n\n| a | n |\n|---|--:|\n| x\\|y | 1 |\n"
        "\n**GAP:** What?\n"
    )
