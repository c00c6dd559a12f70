"""Reading sources: formats, fields, copies, holdout, and rows that cannot be read."""

import gzip
import json
import shutil
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest

from curate import storage
from curate.errors import DataError, RecipeError
from curate.pool import spec
from curate.pool import stage as pool
from curate.takedown.listed import addresses
from curate.text import content_id
from tests.media_made import picture

SOUP, BREAD, TEA = "The soup was good.", "The bread was fresh.", "The tea was cold."


def put(root: Path, name: str, content: str | bytes) -> str:
    path = root / "data" / name
    path.parent.mkdir(exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return f"data/{name}"


def read(offline, *sources, **given):
    """Run pool over sources; return its result and the rows."""
    settings = {"sources": list(sources), "tokenizer": "bytes", "strict": True, **given}
    made = offline.run("pool", **settings)
    return made, offline.rows("pool")


JSONL = "".join(json.dumps({"text": t, "n": n}) + "\n" for n, t in enumerate((SOUP, BREAD)))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", JSONL),
        ("a.ndjson", JSONL.replace("\n", "\r\n\r\n")),
        ("a.jsonl.gz", JSONL),
        ("a.JSONL", "\ufeff" + JSONL),
        ("a.csv", f"text,n\n{SOUP},0\n{BREAD},1\n"),
        ("a.csv.gz", f'\ufefftext,n\r\n"{SOUP}",0\r\n"{BREAD}",1\r\n'),
        ("a.tsv", f"text\tn\n{SOUP}\t0\n{BREAD}\t1\n"),
    ],
)
def test_formats(offline, name, content):
    made, rows = read(offline, {"paths": [put(offline.root, name, content)]})
    assert [row["text"] for row in rows] == [SOUP, BREAD]
    assert [str(json.loads(row["meta"])["n"]) for row in rows] == ["0", "1"]
    assert {row["source"] for row in rows} == {"a"}
    assert [row["id"] for row in rows] == [content_id({"text": t}) for t in (SOUP, BREAD)]
    assert [row["tokens"] for row in rows] == [len(SOUP), len(BREAD)]
    assert (made.rows, made.documents, made.copies, made.bad_rows) == (2, 2, 0, 0)
    assert rows[0]["license"] == "unknown"
    assert rows[0]["language"] is rows[0]["fields"] is rows[0]["media"] is None
    assert rows[0]["also"] == []


def test_parquet(offline):
    path = offline.root / "data" / "a.parquet"
    path.parent.mkdir()
    pd.DataFrame({"text": [SOUP, BREAD], "when": pd.Timestamp("2026-01-01")}).to_parquet(path)
    _, rows = read(offline, {"paths": ["data/*.parquet"]})
    assert [row["text"] for row in rows] == [SOUP, BREAD]
    assert "2026-01-01" in rows[0]["meta"]
    assert rows[1]["origin"] == "data/a.parquet:2"


def test_a_text_file_is_one_document(offline):
    put(offline.root, "one.txt", "First line.\r\n\r\nSecond line.\n")
    put(offline.root, "two.md", "# Title")
    _, rows = read(offline, {"paths": ["data/*"], "name": "notes"})
    assert [row["text"] for row in rows] == ["First line.\n\nSecond line.\n", "# Title"]
    assert {row["source"] for row in rows} == {"notes"}


def test_a_format_can_be_named(offline):
    put(offline.root, "words.log", SOUP)
    _, rows = read(offline, {"paths": ["data/words.log"], "format": "text"})
    assert rows[0]["text"] == SOUP
    with pytest.raises(DataError, match="its suffix names no format"):
        read(offline, {"paths": ["data/words.log"]})


def test_long_cells_and_quoted_lines_of_csv(offline):
    long = "word " * 40_000
    put(offline.root, "a.csv", f'text\n"{long}"\n"two\nlines, and ""quotes"""\n')
    _, rows = read(offline, {"paths": ["data/a.csv"]})
    assert [row["text"] for row in rows] == [long, 'two\nlines, and "quotes"']
    assert rows[1]["origin"] == "data/a.csv:4"


def test_odd_characters(offline):
    rows = [
        r'{"text": "one\r\ntwo\rthree"}',
        r'{"text": "no \u0000 nul"}',
        r'{"text": "half \ud83d pair", "more": "and \ud83d here"}',
        '{"text": "line \u2028 and \u0085 stay"}',
        r'{"text": "\ud83d\ude42"}',
    ]
    put(offline.root, "a.jsonl", "\n".join(rows))
    _, found = read(offline, {"paths": ["data/a.jsonl"]})
    assert [row["text"] for row in found] == [
        "one\ntwo\nthree",
        "no  nul",
        "half \ufffd pair",
        "line \u2028 and \u0085 stay",
        "🙂",
    ]
    assert json.loads(found[2]["meta"]) == {"more": "and \ufffd here"}


# ── columns


def test_columns_are_named(offline):
    rows = [
        {"body": SOUP, "lic": "MIT", "lang": "en", "title": "x"},
        {"body": BREAD, "lic": None, "title": "y"},
    ]
    offline.lines("a.jsonl", rows)
    source = {"paths": ["data/a.jsonl"], "text": "body"}
    columns = {"license": {"field": "lic"}, "language": {"field": "lang"}}
    _, found = read(offline, source | columns)
    assert [row["license"] for row in found] == ["MIT", "unknown"]
    assert [row["language"] for row in found] == ["en", None]
    assert [json.loads(row["meta"]) for row in found] == [{"title": "x"}, {"title": "y"}]
    _, found = read(offline, source | {"license": "Apache-2.0", "language": "zh-Hant"})
    assert {(row["license"], row["language"]) for row in found} == {("Apache-2.0", "zh-Hant")}
    assert json.loads(found[0]["meta"])["lic"] == "MIT"


def test_several_fields(offline):
    offline.lines("a.jsonl", [{"q": "2+2?", "a": "4 {q}", "by": "ann"}])
    source = {"paths": ["data/a.jsonl"], "fields": {"prompt": "q", "reply": "a"}}
    _, (row,) = read(offline, source)
    assert row["text"] == "2+2?\n\n4 {q}"
    assert row["fields"] == [
        {"name": "prompt", "text": "2+2?"},
        {"name": "reply", "text": "4 {q}"},
    ]
    assert row["id"] == content_id({"prompt": "2+2?", "reply": "4 {q}"})
    assert json.loads(row["meta"]) == {"by": "ann"}
    _, (shown,) = read(offline, source | {"template": "Q: {prompt}\nA: {reply}"})
    assert shown["text"] == "Q: 2+2?\nA: 4 {q}"
    assert shown["id"] == row["id"]  # the rendering is not the content
    assert shown["tokens"] == len(shown["text"])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"paths": ["x"], "template": "{title}"}, "the template names title, which is not a field"),
        ({"paths": ["x"], "fields": ["a"], "template": "{text}"}, "template names text"),
        ({"paths": ["x"], "fields": ["a"], "template": "{a"}, "template"),
        ({"paths": ["x"], "fields": ["a"], "template": "{a!r}"}, "template only names fields"),
        ({"paths": ["x"], "fields": ["a"], "template": "{a:>9}"}, "template only names fields"),
        ({"paths": ["x"], "fields": ["a"], "template": "{}"}, "template names"),
        ({"paths": []}, "paths"),
        ({"paths": ["x"], "license": {"fild": "a"}}, "license"),
    ],
)
def test_a_source_that_cannot_be_meant(source, words):
    with pytest.raises(ValueError, match=words):
        spec.PoolSpec.model_validate({"sources": [source]})


def test_a_template_for_the_text_alone(offline):
    offline.lines("a.jsonl", [SOUP])
    _, (row,) = read(offline, {"paths": ["data/a.jsonl"], "template": "> {text} {{so}}"})
    assert row["text"] == f"> {SOUP} {{so}}"
    assert row["fields"] == [{"name": "text", "text": SOUP}]
    assert row["id"] == content_id({"text": SOUP})


def test_a_field_may_have_any_name(offline):
    offline.lines("a.jsonl", [{"my-field": SOUP, "other field": BREAD}])
    fields = {"paths": ["data/a.jsonl"], "fields": ["my-field", "other field"]}
    _, (row,) = read(offline, fields | {"template": "{my-field} / {other field}"})
    assert row["text"] == f"{SOUP} / {BREAD}"


# ── rows that cannot be read

BAD = (
    '{"text": "The soup was good."}\n'
    "{not json\n"
    "[1, 2]\n"
    '{"title": "no text"}\n'
    '{"text": 5}\n'
    '{"text": null}\n'
)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (2, r"data/a\.jsonl, line 2: not JSON"),
        (3, r"line 2: not a JSON object"),
        (4, r"line 2: no column text \(there are: title\)"),
        (5, r"line 2: column text holds int, not text"),
        (6, r"line 2: column text holds NoneType, not text"),
    ],
)
def test_the_first_bad_row_stops_the_reading(offline, lines, words):
    kept = BAD.splitlines(keepends=True)
    put(offline.root, "a.jsonl", kept[0] + kept[lines - 1])
    with pytest.raises(DataError, match=words) as caught:
        read(offline, {"paths": ["data/a.jsonl"]})
    assert "kept aside" in caught.value.hint


def test_bad_rows_are_kept_aside_and_counted(offline):
    put(offline.root, "a.jsonl", BAD)
    made, rows = read(offline, {"paths": ["data/a.jsonl"]}, strict=False)
    assert [row["text"] for row in rows] == [SOUP]
    assert (made.rows, made.bad_rows, made.documents) == (6, 5, 1)
    aside = storage.read_json(offline.root / "pool" / "_rejected.json")
    assert [each["row"] for each in aside] == [2, 3, 4, 5, 6]
    assert all(each["reason"] and each["file"] == "data/a.jsonl" for each in aside)


def test_bytes_that_are_no_utf8(offline):
    good = json.dumps({"text": SOUP}).encode()
    put(offline.root, "a.jsonl", good + b'\n{"text": "caf\xe9"}\n')
    with pytest.raises(DataError, match=r"a\.jsonl, line 2: "):
        read(offline, {"paths": ["data/a.jsonl"], "encoding": "utf-8"})
    source = {"paths": ["data/a.jsonl"], "encoding": "utf-8"}
    made, rows = read(offline, source, strict=False)
    assert (made.bad_rows, [row["text"] for row in rows]) == (1, [SOUP])
    made, rows = read(offline, source | {"undecodable": "replace"})
    assert (made.replaced, [row["text"] for row in rows]) == (1, [SOUP, "caf\ufffd"])
    made, rows = read(offline, source | {"encoding": "auto"})
    assert (made.encodings, rows[1]["text"]) == ({"cp1252": 2}, "café")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "text,n\nok,1,2\n", "line 2: not as many cells as columns"),
        ("a.csv", "text,n\nok\n", "line 2: not as many cells as columns"),
        ("a.parquet", "no parquet", "not a Parquet file"),
        ("a.jsonl", "", "the sources hold no document"),
    ],
)
def test_files_that_cannot_be_read(offline, name, content, words):
    put(offline.root, name, content)
    with pytest.raises(DataError, match=words):
        read(offline, {"paths": [f"data/{name}"]})


def test_a_gzip_file_that_was_cut_short(offline):
    put(offline.root, "a.jsonl.gz", JSONL * 50)
    path = offline.root / "data" / "a.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"a\.jsonl\.gz, after line"):
        read(offline, {"paths": ["data/a.jsonl.gz"]})


def test_a_gzip_file_that_was_damaged(offline):
    put(offline.root, "a.jsonl.gz", "".join(json.dumps({"text": f"{n}"}) for n in range(999)))
    path = offline.root / "data" / "a.jsonl.gz"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2 :] = b"\xff" * (len(damaged) // 2)
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=r"a\.jsonl\.gz, after line"):
        read(offline, {"paths": ["data/a.jsonl.gz"]})


def test_no_sources_and_no_files(offline):
    with pytest.raises(RecipeError, match="there are none"):
        read(offline)
    with pytest.raises(DataError, match=r"no file data/none\.jsonl \(source web\)"):
        read(offline, {"paths": ["data/none.jsonl"], "name": "web"})
    offline.lines("a.jsonl", [SOUP])
    with pytest.raises(RecipeError, match="no encoding named nope"):
        read(offline, {"paths": ["data/a.jsonl"]}, tokenizer="nope")


# ── copies


def test_the_first_source_owns_a_copy(offline):
    offline.lines("late.jsonl", [TEA, SOUP])
    offline.lines("early.jsonl", [SOUP, BREAD, SOUP])
    made, rows = read(
        offline,
        {"paths": ["data/early.jsonl"]},
        {"paths": ["data/late.jsonl", "data/early.jsonl"], "name": "both"},
    )
    found = {row["text"]: (row["source"], row["origin"], row["also"]) for row in rows}
    assert found == {
        SOUP: ("early", "data/early.jsonl:1", ["both"]),
        BREAD: ("early", "data/early.jsonl:2", ["both"]),
        TEA: ("both", "data/late.jsonl:1", []),
    }
    copies = [(row["source"], row["origin"]) for row in offline.rows("duplicates")]
    assert sorted(copies) == [
        ("both", "data/early.jsonl:1"),
        ("both", "data/early.jsonl:2"),
        ("both", "data/early.jsonl:3"),
        ("both", "data/late.jsonl:2"),
        ("early", "data/early.jsonl:3"),
    ]
    assert {row["id"] for row in offline.rows("duplicates")} == {
        content_id({"text": t}) for t in (SOUP, BREAD)
    }
    assert (made.rows, made.documents, made.copies, made.shared) == (8, 3, 5, 2)
    assert made.sources == {"early": 2, "both": 1}


def test_the_order_is_the_recipes_and_not_that_of_first_sight(offline):
    """A name that comes back later in the recipe still stands where it stood first."""
    offline.lines("a.jsonl", [SOUP])
    offline.lines("b.jsonl", [BREAD])
    offline.lines("c.jsonl", [BREAD])
    sources = [("one", "a"), ("two", "b"), ("one", "c")]
    _, rows = read(offline, *({"name": n, "paths": [f"data/{f}.jsonl"]} for n, f in sources))
    assert {row["text"]: row["source"] for row in rows} == {SOUP: "one", BREAD: "one"}


def test_no_copies_is_an_empty_table(offline):
    offline.lines("a.jsonl", [SOUP])
    read(offline, {"paths": ["data/a.jsonl"]})
    assert offline.rows("duplicates") == []


# ── holdout


def test_the_holdout_belongs_to_the_text_and_not_to_its_place(offline):
    texts = [f"Sentence number {n} says nothing." for n in range(300)]
    held = []
    for order in (texts, texts[::-1], texts[:150]):
        offline.lines("a.jsonl", order)
        made, rows = read(offline, {"paths": ["data/a.jsonl"]}, holdout=0.2)
        held.append({row["text"] for row in rows if row["holdout"]})
        assert made.holdout == len(held[-1])
    assert held[0] == held[1]
    assert held[2] == held[0] & {*texts[:150]}
    assert 30 < len(held[0]) < 90
    read(offline, {"paths": ["data/a.jsonl"]}, holdout=0.2, seed=1)
    assert {row["text"] for row in offline.rows("pool") if row["holdout"]} != held[2]


# ── shards and interruptions


def many(offline, n=25):
    texts = [f"Sentence number {k % (n - 3)} says nothing." for k in range(n)]
    offline.lines("a.jsonl", texts)
    return {"paths": ["data/a.jsonl"]}


def folder_bytes(folder):
    return {path.name: path.read_bytes() for path in storage.shards(folder)}


def test_shards_do_not_change_what_is_collected(offline, monkeypatch):
    source = many(offline)
    _, whole = read(offline, source)
    monkeypatch.setattr(pool, "ROWS_PER_SHARD", 10)
    shutil.rmtree(offline.root / "pool")
    _, parts = read(offline, source)
    assert len(offline.workspace.tables.shards("pool")) == 3
    assert parts == whole


def test_a_resumed_build_gives_the_same_bytes(offline, monkeypatch):
    monkeypatch.setattr(pool, "ROWS_PER_SHARD", 10)
    many(offline)
    offline.lines("b.jsonl", [SOUP, BREAD])
    offline.lines("c.jsonl", [BREAD, TEA])
    source = [{"paths": [f"data/{name}.jsonl"]} for name in "abc"]  # each is a part
    read(offline, *source, holdout=0.3)
    undisturbed = folder_bytes(offline.root / "pool")
    manifest = (offline.root / "pool" / "_manifest.json").read_bytes()
    stage, calls = pool.stage, []

    def killed(plan, item):
        calls.append(item[0])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return stage(plan, item)

    shutil.rmtree(offline.root / "pool")
    monkeypatch.setattr(pool, "stage", killed)
    with pytest.raises(KeyboardInterrupt):
        read(offline, *source, holdout=0.3)
    assert not (offline.root / "pool").exists()
    read(offline, *source, holdout=0.3)
    assert calls == [0, 1, 0, 1, 2]
    assert folder_bytes(offline.root / "pool") == undisturbed
    assert (offline.root / "pool" / "_manifest.json").read_bytes() == manifest


def test_what_was_read_is_recorded(offline):
    from hashlib import sha256

    path = offline.lines("a.jsonl", [SOUP])
    read(offline, {"paths": ["data/a.jsonl"]})
    facts = offline.workspace.tables.made("pool").facts
    (file,) = facts["files"]
    assert file["path"] == "data/a.jsonl"
    assert file["sha256"] == sha256(path.read_bytes()).hexdigest()
    assert file["size"] == path.stat().st_size
    assert facts["sources"] == ["a"]


# ── images


def test_images_and_their_addresses_are_stored(offline):
    put(offline.root, "a.png", picture())
    lines = [
        {"caption": SOUP, "image": "a.png"},
        {"caption": BREAD, "image": "https://soup.example/b.png", "link": "https://soup.example"},
        {"caption": TEA, "image": {"address": "c.png", "sha256": "ab", "bytes": 3, "more": 1}},
    ]
    path = put(offline.root, "a.jsonl", "\n".join(map(json.dumps, lines)))
    _, rows = read(offline, {"paths": [path], "fields": ["caption"], "media": ["image"]})
    known = sha256(picture()).hexdigest()
    images = [
        {"address": "data/a.png", "sha256": known, "bytes": len(picture())},
        {"address": "https://soup.example/b.png", "sha256": None, "bytes": None},
        {"address": "c.png", "sha256": "ab", "bytes": 3},
    ]
    seen = [{name: row["media"][0][name] for name in images[0]} for row in rows]
    assert seen == images
    assert {(row["media"][0]["field"], row["media"][0]["kind"]) for row in rows} == {
        ("image", "image")
    }
    assert [row["fields"][1] for row in rows] == [
        {"name": "image", "text": image["address"]} for image in images
    ]
    assert [row["text"] for row in rows] == [SOUP, BREAD, TEA]
    assert rows[0]["id"] == content_id({"caption": SOUP, "image": known})
    assert addresses(rows[1]) == ["https://soup.example", "https://soup.example/b.png"]


@pytest.mark.parametrize(
    "image",
    [
        {"sha256": "ab"},
        {"address": "c.png", "sha256": 1},
        {"address": "c", "sha256": "", "bytes": "9"},
    ],
)
def test_a_record_that_is_no_image_is_a_bad_row(offline, image):
    path = put(offline.root, "a.jsonl", json.dumps({"caption": SOUP, "image": image}))
    with pytest.raises(DataError, match="column image holds an image"):
        read(offline, {"paths": [path], "fields": ["caption"], "media": ["image"]})
