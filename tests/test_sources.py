"""Reading: every format, nested fields, conversations, encodings, and what cannot be read."""

import gzip
import json
import os
import re
import sqlite3
from functools import partial
from pathlib import Path
from secrets import token_hex

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import CurateError, DataError
from curate.sources.paths import look, without
from curate.sources.readers import languages, markdown, opening
from curate.sources.readers.decoding import Decoder
from curate.sources.readers.guessing import Guess, find_encoding
from curate.sources.readers.registry import FORMATS, SUFFIXES, reader
from curate.sources.reading import Bad, Row, SourceSpec, find, parts, read
from curate.sources.rows import content
from curate.sources.stores import glob_regex
from curate.text import content_id
from tests.media_made import picture

SOUP, BREAD, TEA = "The soup was good.", "The bread was fresh.", "The tea was cold."
ROWS = [{"text": SOUP, "n": 0}, {"text": BREAD, "n": 1}]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


gzipped = partial(gzip.compress, mtime=0)
"""Without the time of day, which would stand in the ids of tests."""


def put(root, name, data):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def zst(data):
    return pa.Codec("zstd").compress(data, asbytes=True)


def everything(root, *, strict=True, size=32 << 20, **source):
    """Return the rows and the bad rows of one source."""
    spec = SourceSpec.model_validate({"paths": ["data/*"], **source})
    found = [
        row for part in parts([spec], root, size=size) for row in read(spec, part, strict=strict)
    ]
    return [r for r in found if isinstance(r, Row)], [r for r in found if isinstance(r, Bad)]


def rows(root, **source):
    found, bad = everything(root, **source)
    assert [each for each in bad if not each.skipped] == []
    return found


def texts(found):
    return [content(row).text for row in found]


def meta(row):
    return json.loads(row.meta or "{}")


# ── formats


def arrow_file(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=1)
    return sink.getvalue().to_pybytes()


def arrow_stream(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def parquet(table, **given):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **given)
    return sink.getvalue().to_pybytes()


TABLE = pa.Table.from_pylist(ROWS)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", JSONL),
        ("a.jsonl.gz", gzipped(JSONL)),
        ("a.jsonl.gz", gzipped(JSONL[:30]) + gzipped(JSONL[30:])),
        ("a.jsonl.zst", zst(JSONL)),
        ("a.JSONL.ZST", zst(JSONL[:30]) + zst(JSONL[30:])),
        ("a.ndjson", JSONL.replace(b"\n", b"\r\n\r\n")),
        ("a.csv.zst", zst(f"text,n\n{SOUP},0\n{BREAD},1\n".encode())),
        ("a.parquet", parquet(TABLE)),
        ("a.arrow", arrow_file(TABLE)),
        ("a.arrow", arrow_stream(TABLE)),
        ("a.feather", arrow_file(TABLE)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # a packed file holds the time
)
def test_tables_of_rows(tmp_path, name, data):
    put(tmp_path, f"data/{name}", data)
    found = rows(tmp_path)
    assert texts(found) == [SOUP, BREAD]
    assert [str(meta(row)["n"]) for row in found] == ["0", "1"]
    assert {row.source for row in found} == {"a"}
    assert all(row.encoding is None and not row.replaced for row in found)


def test_every_format_has_a_reader_and_a_suffix_of_its_own():
    for name, suffixes in FORMATS.items():
        assert callable(reader(name))
        assert all(SUFFIXES[suffix] == name for suffix in suffixes)


def test_an_unknown_suffix_names_those_that_are_known(tmp_path):
    put(tmp_path, "data/a.xyz", SOUP)
    with pytest.raises(DataError, match="its suffix names no format") as caught:
        rows(tmp_path)
    assert all(suffix in caught.value.hint for suffix in SUFFIXES)
    assert texts(rows(tmp_path, format="text")) == [SOUP]


def test_markdown_keeps_its_code_and_tells_its_front_matter(tmp_path):
    body = "# Soup\n\n```python\nprint('---')\n```\n"
    put(tmp_path, "data/a.md", f"---\ntitle: Soup\nlicense: MIT\ndate: 2026-01-02\n---\n\n{body}")
    put(tmp_path, "data/b.md", f"+++\ntitle = 'Toml'\n+++\n{body}")
    put(tmp_path, "data/c.md", f"---\nno: [yaml\n---\n{body}")
    put(tmp_path, "data/d.md", f"---\n\nA line above and below.\n\n---\n{body}")
    found = rows(tmp_path, license={"field": "license"})
    assert texts(found)[:2] == [body, body]
    assert texts(found)[2].startswith("---\nno: [yaml")
    assert texts(found)[3].startswith("---\n\nA line")
    assert found[0].license == "MIT"
    assert meta(found[0]) == {"title": "Soup", "date": "2026-01-02", "path": "a.md"}
    assert meta(found[1])["title"] == "Toml"


def test_front_matter_that_is_no_mapping_stays():
    assert markdown.split("---\njust words\n---\nmore") == ({}, "---\njust words\n---\nmore")
    assert markdown.split("---\r\na: 1\r\n---\r\nmore") == ({"a": 1}, "more")
    assert markdown.split("--- not a fence\nmore") == ({}, "--- not a fence\nmore")


STORY = "The soup of the day was cooked by hand for many hours, and everyone liked it a lot. " * 6
PAGE = f"""<html><head><title>The soup</title><link rel="canonical" href="https://soup.example/day">
</head><body><nav><a href="/">Home</a> <a href="/x">About us</a></nav>
<article><h1>The soup</h1><p>{STORY}</p><p>{STORY[::-1]}</p></article>
<footer>Copyright and imprint</footer></body></html>"""


def test_html_keeps_the_main_text_title_and_address(tmp_path):
    put(tmp_path, "data/a.html", PAGE)
    (row,) = rows(tmp_path)
    assert STORY.strip() in texts([row])[0]
    assert "About us" not in texts([row])[0]
    assert meta(row)["title"] == "The soup"
    assert meta(row)["url"] == "https://soup.example/day"


@pytest.mark.parametrize(
    ("charset", "words"),
    [
        ("gb2312", "今天的汤很好喝。"),
        ("windows-1251", "Сегодня суп был вкусный. "),
        ("iso-8859-1", "Le café d’été. "),
        ("shift_jis", "今日のスープはおいしかった。"),
    ],
)
def test_html_says_its_own_encoding(tmp_path, charset, words):
    body = words * 30
    page = f"<html><head><meta charset='{charset}'></head><body><p>{body}</p></body></html>"
    codec = {"gb2312": "gb18030", "iso-8859-1": "cp1252"}.get(charset, charset)
    put(tmp_path, "data/a.html", page.encode(codec))
    (row,) = rows(tmp_path)
    assert words.strip() in texts([row])[0]
    assert row.encoding in ("gb18030", "cp1251", "cp1252", "cp932")


def test_a_page_without_text_is_a_bad_row(tmp_path):
    put(tmp_path, "data/a.html", "<html><body><script>x()</script></body></html>")
    put(tmp_path, "data/b.html", b"")
    found, bad = everything(tmp_path, strict=False)
    assert not found
    assert [each.reason for each in bad] == ["no main text in the page"] * 2


def test_html_within_a_column(tmp_path):
    line = {"html": PAGE, "id": 7, "url": "https://soup.example/other"}
    put(tmp_path, "data/a.jsonl", json.dumps(line))
    (row,) = rows(tmp_path, text="html", extract="html")
    assert STORY.strip() in texts([row])[0]
    assert meta(row)["id"] == 7
    assert meta(row)["title"] == "The soup"
    assert meta(row)["url"] == "https://soup.example/other"


def warc(*records):
    made = []
    for kind, about, body in records:
        head = {
            "WARC-Type": kind,
            "WARC-Record-ID": f"<urn:uuid:{len(made):032}>",
            "WARC-Date": "2026-01-02T03:04:05Z",
            "Content-Length": len(body),
            **about,
        }
        lines = "".join(f"{key}: {value}\r\n" for key, value in head.items())
        made.append(f"WARC/1.0\r\n{lines}\r\n".encode() + body + b"\r\n\r\n")
    return made


def answer(url, body, kind="text/html", status="200 OK"):
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n".encode()
    about = {"WARC-Target-URI": url, "Content-Type": "application/http; msgtype=response"}
    return "response", about, head + body


RECORDS = warc(
    ("warcinfo", {"Content-Type": "application/warc-fields"}, b"software: test\r\n"),
    ("request", {"WARC-Target-URI": "https://soup.example/1"}, b"GET / HTTP/1.1\r\n\r\n"),
    answer("https://soup.example/1", PAGE.encode()),
    answer("https://soup.example/2", b"\x89PNG", "image/png"),
    answer("https://soup.example/3", b"gone", status="404 Not Found"),
    answer(
        "https://soup.example/4",
        "Le café d’été.".encode("cp1252"),
        "text/plain; charset=windows-1252",
    ),
    answer("https://soup.example/5", b"<html></html>"),
)


@pytest.mark.parametrize("packed", [False, True])
def test_warc_holds_pages_and_what_is_none_is_counted(tmp_path, packed):
    data = b"".join(map(gzip.compress, RECORDS)) if packed else b"".join(RECORDS)
    put(tmp_path, f"data/a.warc{'.gz' if packed else ''}", data)
    found, bad = everything(tmp_path, strict=False)
    assert STORY.strip() in texts(found)[0]
    assert texts(found)[1] == "Le café d’été."
    assert [meta(row)["url"] for row in found] == [f"https://soup.example/{n}" for n in (1, 4)]
    assert meta(found[0])["date"] == "2026-01-02T03:04:05Z"
    assert meta(found[0])["title"] == "The soup"
    assert [row.origin for row in found] == [
        f"data/{n}" for n in ("a.warc:3", "a.warc:6")
    ] or packed
    assert [(each.row, each.reason, each.skipped) for each in bad] == [
        (4, "no page but image/png", True),
        (5, "the server answered 404", True),
        (7, "no main text in the page", False),
    ]


def test_wet_holds_texts(tmp_path):
    about = {"WARC-Target-URI": "https://soup.example/1", "Content-Type": "text/plain"}
    put(
        tmp_path,
        "data/a.warc.wet.gz",
        b"".join(map(gzip.compress, warc(("conversion", about, SOUP.encode())))),
    )
    (row,) = rows(tmp_path)
    assert texts([row]) == [SOUP]
    assert meta(row)["url"] == "https://soup.example/1"


@pytest.mark.parametrize("cut", [20, 200, 400])
def test_a_warc_that_was_cut_keeps_what_came_before(tmp_path, cut):
    whole = b"".join(map(gzip.compress, RECORDS[:3] + RECORDS[5:6]))
    put(tmp_path, "data/a.warc.gz", whole[:-cut])
    with pytest.raises(DataError, match=r"data/a\.warc\.gz"):
        everything(tmp_path)
    found, bad = everything(tmp_path, strict=False)
    assert len(found) <= 1
    assert len(bad) == 1
    assert not bad[0].skipped


def test_what_is_no_warc(tmp_path):
    put(tmp_path, "data/a.warc", b"no archive at all\n" * 50)
    with pytest.raises(DataError, match="after record 0"):
        everything(tmp_path)
    put(tmp_path, "data/a.warc", b"")
    with pytest.raises(DataError, match="no WARC record"):
        everything(tmp_path)


# ── source trees


def tree(root):
    put(root, "src/app/main.py", "print('soup')\n")
    put(root, "src/app/main.js", "let soup = 1;\n")
    put(root, "src/Makefile", "all:\n\ttrue\n")
    put(root, "src/app/lib.min.js", "x")
    put(root, "src/app/long.js", "var a=1;" * 1000)
    put(root, "src/app/data.py", b"a\0b")
    put(root, "src/app/empty.py", "")
    put(root, "src/app/photo.xyz", "?")
    put(root, "src/.git/config.py", "x")
    put(root, "src/.hidden.py", "x")
    put(root, "src/node_modules/other/index.js", "x")


def test_a_source_tree(tmp_path):
    tree(tmp_path)
    found, bad = everything(tmp_path, paths=["src"], format="code", license="MIT")
    assert {row.source for row in found} == {"src"}
    assert {meta(r)["path"]: meta(r)["programming_language"] for r in found} == {
        "src/Makefile": "Makefile",
        "src/app/main.js": "JavaScript",
        "src/app/main.py": "Python",
    }
    assert texts(found)[-1] == "print('soup')\n"
    assert {each.file.removeprefix("src/"): each.reason for each in bad} == {
        ".git": "a hidden folder",
        "node_modules": "a folder of what others wrote or a tool made",
        ".hidden.py": "hidden",
        "app/data.py": "binary",
        "app/empty.py": "empty",
        "app/lib.min.js": "minified",
        "app/long.js": "minified",
        "app/photo.xyz": "no programming language goes by that name",
    }
    assert all(each.skipped for each in bad)


def test_a_folder_of_any_format(tmp_path):
    put(tmp_path, "notes/a.txt", SOUP)
    put(tmp_path, "notes/deep/b.jsonl", JSONL)
    put(tmp_path, "notes/deep/c.xyz", "?")
    found, bad = everything(tmp_path, paths=["notes"])
    assert texts(found) == [SOUP, SOUP, BREAD]
    assert {row.source for row in found} == {"notes"}
    assert [each.reason for each in bad] == ["its suffix names no format"]


def test_a_folder_of_nothing(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no file in the folder empty \(source web\)"):
        everything(tmp_path, paths=["empty"], name="web")
    put(tmp_path, "empty/.hidden", "x")
    with pytest.raises(DataError, match=r"no file in the folder empty; 1 skipped: hidden"):
        everything(tmp_path, paths=["empty"])
    with pytest.raises(DataError, match=r"no file empty/\*"):
        everything(tmp_path, paths=["empty/*.jsonl"])


def test_languages_go_by_name():
    known = {"a.py": "Python", "a.rs": "Rust", "Dockerfile": "Docker", "a.unknown": None}
    assert {name: languages.language_of(name) for name in known} == known


# ── saved data sets, hubs, databases


def test_a_saved_data_set(tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "saved")
    found = rows(tmp_path, paths=["saved"])
    assert texts(found) == [SOUP, BREAD]
    assert {row.source for row in found} == {"saved"}
    both = {"train": datasets.Dataset.from_list(ROWS), "test": datasets.Dataset.from_list(ROWS[:1])}
    datasets.DatasetDict(both).save_to_disk(tmp_path / "splits")
    found = rows(tmp_path, paths=["splits"])
    assert texts(found) == [SOUP, BREAD, SOUP]
    assert found[-1].origin.startswith("splits/test/")


def test_a_data_set_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    put(tmp_path, "hub/train.jsonl", JSONL)
    found = rows(tmp_path, paths=(), dataset={"name": str(tmp_path / "hub")})
    assert texts(found) == [SOUP, BREAD]
    assert found[0].source == "hub"
    with pytest.raises(DataError, match="nobody/nothing/train") as caught:
        everything(tmp_path, paths=(), dataset={"name": "nobody/nothing"}, strict=False)
    assert "hub must be reachable" in caught.value.hint


def database(root):
    path = root / "data" / "reviews.db"
    path.parent.mkdir()
    with sqlite3.connect(path) as base:
        base.execute("create table review (text, stars, lic)")
        base.executemany("insert into review values (?, ?, 'MIT')", [(SOUP, 4), (BREAD, 5)])
    return {"address": "sqlite:///data/reviews.db", "query": "select * from review order by stars"}


def test_a_query(tmp_path):
    about = database(tmp_path)
    found = rows(tmp_path, paths=(), database=about, license={"field": "lic"})
    assert texts(found) == [SOUP, BREAD]
    assert [meta(row) for row in found] == [{"stars": 4}, {"stars": 5}]
    assert [row.origin for row in found] == ["data/reviews.db:1", "data/reviews.db:2"]
    assert {(row.source, row.license) for row in found} == {("reviews", "MIT")}


def test_a_query_that_cannot_be_asked(tmp_path):
    about = database(tmp_path)
    with pytest.raises(DataError, match="no such table: missing"):
        everything(tmp_path, paths=(), database=about | {"query": "select * from missing"})
    with pytest.raises(DataError, match=r"no file .*none\.db"):
        everything(tmp_path, paths=(), database=about | {"address": "sqlite:///none.db"})
    address = "postgresql+nodriver://h/db"
    with pytest.raises(CurateError, match="no driver of that name"):
        everything(tmp_path, paths=(), database=about | {"address": address})


KEY = "s3cret-key"


@pytest.mark.parametrize(
    "source",
    [
        {"database": {"address": f"postgresql://anna:{KEY}@host/db", "query": "select 1"}},
        {"database": {"address": f"mssql://host/db?password={KEY}", "query": "select 1"}},
        {"paths": [f"s3://AKIA:{KEY}@bucket/x.jsonl"]},
        {"paths": [f"s3://bucket/x.jsonl?secret_key={KEY}"]},
    ],
)
def test_a_key_in_a_recipe_is_refused_without_being_shown(source):
    from curate.pool.spec import PoolSpec
    from curate.spec import validated

    with pytest.raises(CurateError, match="an address holds a key") as caught:
        validated(PoolSpec, {"sources": [source]}, where="recipe.yaml")
    assert KEY not in str(caught.value) + caught.value.hint


def test_a_key_of_the_environment_is_never_told(tmp_path, monkeypatch):
    query = {"address": "sqlite:///${PLACE}/x.db?token=${TOKEN}", "query": "select 1"}
    spec = SourceSpec.model_validate(
        {"database": {**query, "address": "mysql+none://a:${KEY_OF_DB}@h/db"}}
    )
    (part,) = parts([spec], tmp_path)
    with pytest.raises(CurateError, match="KEY_OF_DB is not set"):
        list(read(spec, part, strict=True))
    monkeypatch.setenv("KEY_OF_DB", KEY)
    with pytest.raises(CurateError) as caught:
        list(read(spec, part, strict=True))
    assert KEY not in f"{caught.value} {caught.value.hint} {part} {spec.settings()}"
    assert part.label == "mysql+none://h/db"
    assert caught.value.__context__ is None or caught.value.__suppress_context__


# ── object stores


def test_addresses_of_a_file_system(tmp_path):
    put(tmp_path, "data/a.jsonl", JSONL)
    put(tmp_path, "data/deep/b c.jsonl.gz", gzip.compress(JSONL))
    put(tmp_path, "data/deep/other.csv", "text\nx\n")
    base = f"file://{tmp_path}/data"
    for paths, count in (
        ("a.jsonl", 2),
        ("*.jsonl", 2),
        ("**/*.jsonl*", 4),
        ("deep/b c.jsonl.gz", 2),
    ):
        found = rows(tmp_path, paths=[f"{base}/{paths}"])
        assert len(found) == count, paths
        assert found[0].origin.startswith("file://")
    assert {row.source for row in rows(tmp_path, paths=[base])} == {"data"}
    with pytest.raises(DataError, match="no file file://"):
        everything(tmp_path, paths=[f"{base}/none*.jsonl"])
    with pytest.raises(DataError, match="no file file://"):
        everything(tmp_path, paths=[f"{base}/none.jsonl"])


def test_an_object_store(tmp_path, monkeypatch):
    """A bucket that is a folder: what a real store answers, through the same calls."""
    import pyarrow.fs as pafs

    put(tmp_path, "bucket/web/a.parquet", parquet(TABLE, row_group_size=1))
    put(tmp_path, "bucket/web/b.jsonl.zst", zst(JSONL))
    store = pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem())

    def fake(root):
        assert root == "s3://bucket?region=eu"
        return store, "bucket"

    monkeypatch.setattr(opening, "_store", fake)
    found = rows(tmp_path, paths=["s3://bucket/web/*?region=eu"], size=1)
    assert texts(found) == [SOUP, BREAD] * 2
    assert found[0].origin == "s3://bucket/web/a.parquet:1"
    assert {row.source for row in found} == {"a", "b"}


def test_a_store_in_memory(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe("/shop/a.jsonl", JSONL)
    assert texts(rows(tmp_path, paths=["fsspec+memory://shop/*.jsonl"])) == [SOUP, BREAD]


def test_a_store_that_nobody_knows(tmp_path):
    with pytest.raises(DataError, match="nowhere://x/y"):
        everything(tmp_path, paths=["nowhere://x/y"])


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*.jsonl", "a.jsonl", True),
        ("*.jsonl", "x/a.jsonl", False),
        ("**/*.jsonl", "a.jsonl", True),
        ("**/*.jsonl", "x/y/a.jsonl", True),
        ("a?[0-9].txt", "ab7.txt", True),
        ("a[!0-9].txt", "a7.txt", False),
        ("a.b", "axb", False),
    ],
)
def test_globs(pattern, name, fits):
    assert bool(glob_regex(pattern).fullmatch(name)) is fits


# ── images


def test_images_are_references(tmp_path):
    from hashlib import sha256

    data = picture(size=(12, 8))
    put(tmp_path, "data/a.png", data)
    put(tmp_path, "data/sub/b.png", data)
    found = rows(tmp_path, name="photos", paths=["data"])
    mark = sha256(data).hexdigest()
    (image,) = found[0].media
    assert image == {
        **dict.fromkeys(("seconds", "rate", "fps")),
        **{"field": "image", "kind": "image", "address": "data/a.png", "sha256": mark},
        **{"bytes": len(data), "format": "png", "width": 12, "height": 8, "frames": 1},
    }
    assert [meta(row)["folder"] for row in found] == ["data", "sub"]
    assert found[0].fields == (("image", "data/a.png"),)
    assert texts(found) == ["", ""]
    assert {content(row).id for row in found} == {content_id({"image": mark})}


def test_images_beside_texts(tmp_path):
    put(tmp_path, "data/img/a.png", picture())
    lines = [
        {"caption": SOUP, "image": "img/a.png"},
        {"caption": BREAD, "image": "https://soup.example/b.png"},
        {"caption": TEA, "image": "img/none.png"},
    ]
    put(tmp_path, "data/a.jsonl", "\n".join(map(json.dumps, lines)))
    source = {"paths": ["data/a.jsonl"], "fields": ["caption"], "media": ["image"]}
    found, bad = everything(tmp_path, strict=False, **source)
    assert texts(found) == [SOUP, BREAD]
    first, second = (row.media[0] for row in found)
    assert (first["address"], first["width"]) == ("data/img/a.png", 12)
    assert {name: value for name, value in second.items() if value is not None} == {
        "field": "image",
        "kind": "image",
        "address": "https://soup.example/b.png",
    }
    assert [each.reason for each in bad] == ["the file img/none.png is not there"]
    with pytest.raises(ValueError, match="both a text and a medium"):
        SourceSpec(paths=("x",), media={"text": "image"})


def test_images_as_bytes(tmp_path):
    table = pa.table({"picture": [{"bytes": picture(), "path": "a.png"}]})
    put(tmp_path, "data/a.parquet", parquet(table))
    (row,) = rows(tmp_path, media={"image": "picture"})
    assert row.media[0]["address"] == "data/a.parquet!/picture/0"
    assert row.meta is None


# ── fields by path, conversations


NESTED = {
    "choices": [{"message": {"content": SOUP, "role": "assistant"}}, {"n": 2}],
    "meta": {"url": "https://soup.example", "spdx": "MIT"},
    "a.b": BREAD,
}


def test_fields_by_path(tmp_path):
    put(tmp_path, "data/a.jsonl", json.dumps(NESTED))
    (row,) = rows(tmp_path, text="choices.0.message.content", license={"field": "meta.spdx"})
    assert texts([row]) == [SOUP]
    assert row.license == "MIT"
    assert meta(row) == {
        "choices": [{"message": {"role": "assistant"}}, {"n": 2}],
        "meta": {"url": "https://soup.example"},
        "a.b": BREAD,
    }
    (row,) = rows(tmp_path, fields={"one": "a.b", "two": "choices.0.message.content"})
    assert list(row.fields) == [("one", BREAD), ("two", SOUP)]
    with pytest.raises(
        DataError, match=r"no column choices\.7\.x \(there are: choices, meta, a\.b"
    ):
        rows(tmp_path, text="choices.7.x")


def test_looking_and_leaving_out():
    assert look(NESTED, "choices.1.n") == 2
    assert look(NESTED, "a.b") == BREAD
    assert without({"a": [1, 2, 3], "b": 1}, ["a.1"]) == {"a": [1, None, 3], "b": 1}
    assert without({"a": {"b": 1}}, ["a.b", "none.x"]) == {"a": {}}
    assert NESTED["meta"]["spdx"] == "MIT"  # never changed itself


def test_pairs_are_fields(tmp_path):
    line = {"prompt": "2+2?", "chosen": "4", "rejected": "5", "by": "ann"}
    put(tmp_path, "data/a.jsonl", json.dumps(line))
    fields = {"prompt": "prompt", "response_a": "chosen", "response_b": "rejected"}
    template = "{prompt}\n\nA: {response_a}\nB: {response_b}"
    (row,) = rows(tmp_path, fields=fields, template=template)
    assert texts([row]) == ["2+2?\n\nA: 4\nB: 5"]
    assert meta(row) == {"by": "ann"}


TALK = [
    {"role": "system", "content": "Be {brief}."},
    {"role": "user", "content": "Soup?"},
    {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]},
    {"role": "user", "content": "Hot?"},
]


def test_conversations(tmp_path):
    put(tmp_path, "data/a.jsonl", json.dumps({"messages": TALK, "id": 1}))
    (row,) = rows(tmp_path, chat={})
    told = "system: Be {brief}.\n\nuser: Soup?\n\nassistant: Yes.\n\nuser: Hot?"
    assert texts([row]) == [told]
    assert [name for name, _ in list(row.fields)] == [
        "system_1",
        "user_1",
        "assistant_1",
        "user_2",
    ]
    assert meta(row) == {"id": 1}
    (row,) = rows(tmp_path, chat={"shown": "text", "turn": "<{role}>{content}</>", "between": ""})
    assert texts([row])[0].startswith("<system>Be {brief}.</><user>Soup?</>")
    assert content(row).fields is None
    (row,) = rows(tmp_path, chat={"turn": "{{{role}}} {content}", "between": "\n{}\n"})
    assert texts([row])[0].startswith("{system} Be {brief}.\n{}\n{user} Soup?")


@pytest.mark.parametrize(
    "chat",
    [
        {},
        {"turn": "{{{role}}} {content} <{role}>", "between": "\n{}\n"},
        {"turn": "{content}", "between": ""},
        {"shown": "text"},
        {"shown": "text", "turn": "<{role}>\r{content}\r", "between": "\n"},
        {"shown": "text", "turn": "{content} ({role})\n", "between": "\r\n"},
    ],
)
def test_turns_are_where_the_messages_lie(tmp_path, chat):
    """What a turn names is the canonical content, whatever stands around it."""
    talk = [
        {"role": "system {x}", "content": "Be\r\nbrief.\r"},
        {"role": "user", "content": "\x00\nSoup?\t"},
        {"role": "assistant", "content": [{"type": "text", "text": part} for part in ("A", "B")]},
        {"role": "tool", "content": None},
        {"role": "user", "content": "😀{}\r"},
    ]
    put(tmp_path, "data/a.jsonl", json.dumps({"messages": talk}))
    (row,) = rows(tmp_path, chat=chat)
    text = content(row).text
    own = [(turn["role"], text[turn["start"] : turn["end"]]) for turn in row.turns]
    assert own == [
        ("system {x}", "Be\nbrief.\n"),
        ("user", "\nSoup?\t"),
        ("assistant", "A\n\nB"),
        ("tool", ""),
        ("user", "😀{}\n"),
    ]


def test_conversations_of_another_shape(tmp_path):
    talk = {"x": {"conversations": [{"from": "human {}", "value": "Soup?"}]}}
    put(tmp_path, "data/a.jsonl", json.dumps(talk))
    (row,) = rows(tmp_path, chat={"field": "x.conversations", "role": "from", "content": "value"})
    assert texts([row]) == ["human {}: Soup?"]
    assert list(row.fields) == [("human__1", "Soup?")]


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        ([], "holds no message"),
        ("hello", "holds no list of messages"),
        ([{"role": "user"}], "message 1 has no content"),
        ([{"content": "x"}], "message 1 has no role"),
        ([{"role": "user", "content": 5}], "message 1 has no content"),
        ([{"role": "user", "content": "x", "photo": "data:image/png;base64,iVBO"}], "holds bytes"),
    ],
)
def test_what_is_no_conversation(tmp_path, talk, words):
    put(tmp_path, "data/a.jsonl", json.dumps({"messages": talk}))
    with pytest.raises(DataError, match=words):
        rows(tmp_path, chat={})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"template": "{a}", "fields": ["a", "b"]}, "the template leaves out b"),
        ({"template": "{a}{a}", "fields": ["a"]}, "the template repeats a"),
        ({"chat": {"turn": "{role}"}}, "a turn names"),
        ({"chat": {}, "fields": ["a"]}, "chat stands instead"),
        ({"database": {"address": "sqlite:///x", "query": "y"}}, "either paths"),
        ({"encoding": "nothing"}, "no encoding is named nothing"),
        ({"encoding": "rot13"}, "no encoding is named rot13"),
    ],
)
def test_a_source_that_cannot_be_meant(source, words):
    with pytest.raises(ValueError, match=words):
        SourceSpec.model_validate({"paths": ["x"], **source})


# ── encodings


SAYINGS = {
    "gb18030": "今天的汤很好喝，面包也很新鲜，我们下次还会再来。",
    "shift_jis": "今日のスープはとてもおいしかったです。また来ます。",
    "cp1252": "Le café était très bon, l’été à la plage.",
    "cp1251": "Сегодня суп был очень вкусный, хлеб свежий",
    "koi8_r": "Сегодня суп был очень вкусный, хлеб свежий",
    "big5": "今天的湯很好喝，麵包也很新鮮",
    "euc_kr": "오늘 수프는 아주 맛있었다 빵도 신선했다",
    "utf-16": "The soup, 汤",
    "utf-16-le": "The soup was good, and so on.",
    "utf-16-be": "The soup was good, and so on.",
    "utf-32": "The soup, 汤",
    "utf-8-sig": "The soup, 汤",
    "utf-8": "The soup, 汤",
}


@pytest.mark.parametrize("name", SAYINGS)
@pytest.mark.parametrize("kind", ["a.txt", "a.jsonl", "a.csv", "a.jsonl.gz"])
def test_encodings_are_found(tmp_path, name, kind):
    saying = SAYINGS[name]
    line = json.dumps({"text": saying}, ensure_ascii=False) + "\n"
    plain = {"a.txt": saying, "a.csv": f'text\n"{saying}"\n'}.get(kind, line * 2)
    data = plain.encode(name)
    put(tmp_path, f"data/{kind}", gzip.compress(data) if kind.endswith(".gz") else data)
    found = rows(tmp_path)
    assert texts(found)[0] == saying
    if name.startswith("utf-8"):
        assert found[0].encoding is None
    else:
        assert found[0].encoding
    assert not found[0].replaced
    declared = {"utf-8-sig": "utf-8"}.get(name, name)
    assert texts(rows(tmp_path, encoding=declared))[0] == saying


def test_ascii_first_and_others_later(tmp_path):
    lines = [json.dumps({"text": SOUP})] * 3 + [json.dumps({"text": "café"}, ensure_ascii=False)]
    put(tmp_path, "data/a.jsonl", "\n".join(lines).encode("cp1252"))
    assert texts(rows(tmp_path))[-1] == "café"


def test_damaged_utf8_stays_utf8(tmp_path):
    good = json.dumps({"text": "café 汤 " * 9}, ensure_ascii=False).encode()
    put(tmp_path, "data/a.jsonl", good + b'\n{"text": "caf\xe9"}\n' + good)
    found, bad = everything(tmp_path, strict=False)
    assert len(found) == 2
    assert [(each.row, each.reason[:9]) for each in bad] == [(2, "not UTF-8")]
    with pytest.raises(DataError, match="line 2: not UTF-8"):
        everything(tmp_path)
    found = rows(tmp_path, undecodable="replace")
    assert texts(found)[1] == "caf\ufffd"
    assert [row.replaced for row in found] == [0, 1, 0]


def test_a_replacement_that_was_written_is_not_counted():
    decoder = Decoder("utf-8", replace=True)
    assert decoder.decode("\ufffd".encode() + b"\xff") == "\ufffd\ufffd"
    assert decoder.taken() == 1
    assert decoder.taken() == 0


def test_a_declared_encoding_that_is_wrong(tmp_path):
    put(tmp_path, "data/a.txt", b"caf\xe9")
    with pytest.raises(DataError, match="line 1: not UTF-8"):
        rows(tmp_path, encoding="utf-8")
    put(tmp_path, "data/a.csv", b"text\ncaf\xe9\n")
    with pytest.raises(DataError, match="line 2: not UTF-8"):
        rows(tmp_path, paths=["data/a.csv"], encoding="utf-8")
    (row,) = rows(tmp_path, paths=["data/a.txt"])
    assert (row.encoding, texts([row])) == ("cp1252", ["café"])


def test_the_last_resort():
    assert find_encoding(b"caf\xe9") == Guess("cp1252", 1)
    assert find_encoding(b"a \x81 b \x8d c") == Guess("iso8859-1", 2)
    assert find_encoding(b"") == Guess("utf-8")


# ── parts


def test_parts_cut_at_line_ends(tmp_path):
    lines = [json.dumps({"text": f"Line {n} é"}, ensure_ascii=False) for n in range(2000)]
    put(tmp_path, "data/a.jsonl", "\n".join(lines))
    spec = SourceSpec(paths=("data/a.jsonl",))
    whole = [row for part in parts([spec], tmp_path) for row in read(spec, part, strict=True)]
    cut = parts([spec], tmp_path, size=5000)
    assert len(cut) > 5
    assert [row for part in cut for row in read(spec, part, strict=True)] == whole
    assert whole[-1].origin == "data/a.jsonl:2000"


def test_parts_cut_at_row_groups(tmp_path):
    table = pa.table({"text": [f"Line {n}" for n in range(1000)]})
    put(tmp_path, "data/a.parquet", parquet(table, row_group_size=100))
    spec = SourceSpec(paths=("data/a.parquet",))
    cut = parts([spec], tmp_path, size=2000)
    assert len(cut) > 3
    found = [row for part in cut for row in read(spec, part, strict=True)]
    assert texts(found) == table["text"].to_pylist()
    assert found[-1].origin == "data/a.parquet:1000"


def test_wide_encodings_are_not_cut(tmp_path):
    data = "".join(json.dumps({"text": f"{n}"}) + "\n" for n in range(999)).encode("utf-16")
    put(tmp_path, "data/a.jsonl", data)
    spec = SourceSpec(paths=("data/a.jsonl",))
    (part,) = parts([spec], tmp_path, size=1000)
    assert len(list(read(spec, part, strict=True))) == 999


def test_small_files_come_together(tmp_path):
    for n in range(50):
        put(tmp_path, f"data/{n:02}.txt", f"Text {n}")
    spec = SourceSpec(paths=("data/*.txt",), name="notes")
    (part,) = parts([spec], tmp_path)
    found = list(read(spec, part, strict=True))
    assert texts(found) == [f"Text {n}" for n in range(50)]
    assert found[7].origin == "data/07.txt:1"
    assert len(parts([spec], tmp_path, size=10 * 4106)) == 5
    chosen = find([spec], tmp_path)[:3]
    assert sum(1 + len(p.more) for p in parts([spec], tmp_path, files=chosen)) == 3


# ── what cannot be read


@pytest.mark.parametrize("pack", [gzip.compress, zst])
def test_a_packed_file_that_was_cut(tmp_path, pack):
    data = "".join(json.dumps({"text": f"Line {n}"}) + "\n" for n in range(90_000)).encode()
    name = f"data/a.jsonl.{'gz' if pack is gzip.compress else 'zst'}"
    put(tmp_path, name, pack(data)[:-2000])
    with pytest.raises(DataError, match=rf"{re.escape(name)}, after line \d+"):
        everything(tmp_path)
    found, (bad,) = everything(tmp_path, strict=False)
    assert len(found) > 1000
    assert (bad.file, bad.row) == (name, len(found))
    assert "after line" in bad.reason


@pytest.mark.parametrize("pack", [gzip.compress, zst])
def test_a_small_packed_file_that_was_cut_keeps_what_it_held(tmp_path, pack):
    lines = [json.dumps({"text": token_hex(20)}) + "\n" for _ in range(400)]
    name = f"data/a.jsonl.{'gz' if pack is gzip.compress else 'zst'}"
    put(tmp_path, name, (packed := pack("".join(lines).encode()))[: -len(packed) // 4])
    found, (bad,) = everything(tmp_path, strict=False)
    assert bad.row == len(found)
    assert len(found) > (100 if pack is gzip.compress else -1)  # zstd gives whole blocks


def test_a_line_without_end_is_never_held(tmp_path):
    """200 MB in one line, of which no more than a few blocks are in memory."""
    import tracemalloc

    path = put(tmp_path, "data/a.jsonl", JSONL)
    with path.open("ab") as file:
        file.write(b'{"text": "')
        for _ in range(200):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n' + JSONL)
    tracemalloc.start()
    try:
        found, (bad,) = everything(tmp_path, strict=False, max_bytes=1 << 20, size=1 << 30)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert texts(found) == [SOUP, BREAD] * 2
    assert (bad.row, bad.reason) == (3, "longer than max_bytes (1048576)")
    assert peak < 20 << 20
    with pytest.raises(DataError, match="line 3: longer than max_bytes"):
        everything(tmp_path, max_bytes=1 << 20)


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.md", "a.parquet"])
def test_a_file_or_row_that_is_too_long(tmp_path, name):
    data = parquet(pa.table({"text": ["x" * 5000]})) if name == "a.parquet" else "x" * 5000
    put(tmp_path, f"data/{name}", data)
    with pytest.raises(DataError, match=r"line 1: longer than max_bytes \(1000\)"):
        everything(tmp_path, max_bytes=1000)


def test_nul_and_crlf(tmp_path):
    put(tmp_path, "data/a.jsonl", b'{"text": "a\0b"}\r\n{"text": "one\\r\\ntwo"}\r\n\0\r\n')
    found, bad = everything(tmp_path, strict=False)
    assert texts(found) == ["one\ntwo"]
    assert [(each.row, each.reason) for each in bad] == [
        (1, "not JSON (Invalid control character at)"),
        (3, "not JSON (Expecting value)"),
    ]
    put(tmp_path, "data/b.txt", b"a\0b\r\nc\rd")
    assert texts(rows(tmp_path, paths=["data/b.txt"])) == ["ab\nc\nd"]
    put(tmp_path, "data/c.csv", b'text\r\n"a\0b\r\nc"\r\n')
    assert texts(rows(tmp_path, paths=["data/c.csv"])) == ["ab\nc"]


def test_a_column_of_numbers(tmp_path):
    put(tmp_path, "data/a.parquet", parquet(pa.table({"text": [1, 2]})))
    with pytest.raises(DataError, match="line 1: column text holds int, not text"):
        everything(tmp_path)
    assert len(everything(tmp_path, strict=False)[1]) == 2


def test_a_parquet_of_another_schema(tmp_path):
    put(tmp_path, "data/a.parquet", parquet(TABLE))
    put(tmp_path, "data/b.parquet", parquet(pa.table({"body": [TEA], "n": [3]})))
    found, (bad,) = everything(tmp_path, strict=False)
    assert texts(found) == [SOUP, BREAD]
    assert bad.file == "data/b.parquet"
    assert bad.reason == "no column text (there are: body, n)"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.parquet", parquet(TABLE)[:-40], "not a Parquet file"),
        ("a.parquet", b"", "not a Parquet file"),
        ("a.arrow", arrow_file(TABLE)[:-40], "not an Arrow file"),
        ("a.arrow", b"", "not an Arrow file"),
        ("a.feather", b"nothing like it", "not an Arrow file"),
        ("a.jsonl.gz", b"no gzip at all\0", "after line 0"),
        ("a.jsonl.zst", b"no zstd at all\xff", "after line 0"),
        ("a.csv", b'text,n\n"never closed', "a quote opens and is not closed"),
        ("a.jsonl", b"[" * 100_000, "nested too deeply"),
    ],
)
def test_files_that_are_not_what_they_say(tmp_path, name, data, words):
    put(tmp_path, f"data/{name}", data)
    given = {"max_bytes": 100} if name == "a.csv" else {}
    with pytest.raises(DataError, match=words) as caught:
        everything(tmp_path, **given)
    assert name in caught.value.message
    found, (bad,) = everything(tmp_path, strict=False, **given)
    assert not found
    assert words in bad.reason


def test_a_stream_that_was_cut_keeps_what_came_before(tmp_path):
    table = pa.table({"text": [f"Line {n}" for n in range(5000)]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=1000)
    put(tmp_path, "data/a.arrow", sink.getvalue().to_pybytes()[:-9000])
    found, (bad,) = everything(tmp_path, strict=False)
    assert len(found) in (3000, 4000)
    assert bad.row == len(found)


def test_a_file_that_went_away(tmp_path):
    path = put(tmp_path, "data/a.jsonl", JSONL)
    spec = SourceSpec(paths=("data/a.jsonl",))
    (part,) = parts([spec], tmp_path)
    path.unlink()
    with pytest.raises(DataError, match=r"data/a\.jsonl"):
        list(read(spec, part, strict=True))


@pytest.mark.slow
def test_tens_of_thousands_of_tiny_files(tmp_path):
    """Found, put together and read; a part holds thousands of them."""
    (tmp_path / "data").mkdir()
    for n in range(30_000):
        (tmp_path / "data" / f"{n:06}.txt").write_bytes(b"Text %d" % n)
    spec = SourceSpec(paths=("data/*.txt",), name="notes")
    made = parts([spec], tmp_path)
    count = sum(isinstance(row, Row) for part in made for row in read(spec, part, strict=True))
    assert count == 30_000
    assert 2 <= len(made) < 60


def test_parts_travel(tmp_path):
    import pickle

    put(tmp_path, "data/a.txt", SOUP)
    spec = SourceSpec(paths=("data/*",))
    (part,) = parts([spec], tmp_path)
    spec, part = pickle.loads(pickle.dumps((spec, part)))
    assert texts(read(spec, part, strict=True)) == [SOUP]
    assert Path(part.address).is_absolute()


def test_a_full_disk_is_one_line_and_the_pool_before_stays(offline, monkeypatch):
    import errno

    from curate import storage

    offline.lines("a.jsonl", [SOUP])
    offline.pool()
    before = (offline.root / "pool" / "_manifest.json").read_bytes()
    offline.lines("b.jsonl", [BREAD])
    whole = storage.write_parquet

    def full(path, table):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(storage, "write_parquet", full)
    with pytest.raises(OSError, match="No space left"):
        offline.pool()
    assert (offline.root / "pool" / "_manifest.json").read_bytes() == before
    assert [row["text"] for row in offline.rows("pool")] == [SOUP]
    monkeypatch.setattr(storage, "write_parquet", whole)
    assert offline.pool().documents == 2


def test_what_was_not_used_is_told(offline):
    put(offline.root, "data/a.jsonl", JSONL + b"{oops\n" + '{"text": "café"}\n'.encode("cp1252"))
    tree(offline.root)
    sources = [{"paths": ["data/a.jsonl"]}, {"paths": ["src"], "format": "code"}]
    made = offline.run("pool", sources=sources, tokenizer="bytes")
    assert (made.documents, made.bad_rows, made.skipped) == (6, 1, 8)
    assert made.reasons["minified"] == 2
    assert made.encodings == {"cp1252": 3}
    assert made.notes[0].startswith("not used: not JSON")
    assert made.notes[1].startswith("skipped: minified (2)")
    assert made.notes[2] == "rows in another encoding than UTF-8: cp1252 (3)"
    put(offline.root, "data/a.jsonl", b"{oops\n")
    with pytest.raises(DataError, match=r"no document: data/a\.jsonl, line 1: not JSON"):
        offline.run("pool", sources=sources[:1], tokenizer="bytes")


def test_the_schema_tells_what_a_source_may_be():
    import jsonschema

    schema = SourceSpec.model_json_schema()
    for fields in (["a", "b"], {"a": "x.y"}):
        jsonschema.validate({"paths": ["x"], "fields": fields}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"paths": ["x"], "fields": 5}, schema)


def test_the_sources_of_the_docs_are_sources():
    import yaml

    from curate.pool.spec import PoolSpec

    text = (Path(__file__).parent.parent / "docs/stages/pool.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    pools = [block["pool"] for block in blocks if "pool" in block]
    specs = [PoolSpec.model_validate(each) for each in pools]
    assert sum(len(spec.sources) for spec in specs) > 10
    for name, suffixes in FORMATS.items():
        assert f"`{name}`" in text
        assert all(f"`{suffix}`" in text for suffix in suffixes[:4])


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        ([["a/x.jsonl"], ["b/x.jsonl"]], ["a-x", "b-x"]),
        ([["a/x.jsonl", "b/x.jsonl"]], ["a-x", "b-x"]),
        ([["a/x.jsonl", "a/x.csv"]], ["a-x.jsonl", "a-x.csv"]),
        ([["p/a/x.jsonl"], ["q/a/x.jsonl"], ["a/y.jsonl"]], ["p-a-x", "q-a-x", "y"]),
        ([["p/a"], ["q/a"]], ["p-a", "q-a"]),
        ([["a"], ["p/a"], ["b/a.jsonl"]], ["run-a", "p-a", "b-a"]),
        ([["a/x.jsonl"], {"name": "x", "paths": ["b/x.jsonl"]}], ["a-x", "x"]),
        ([["a/x.jsonl"], ["a/x.jsonl"]], ["x", "x"]),
        ([{"name": "x", "paths": ["a/x.jsonl"]}, {"name": "x", "paths": ["b/x.jsonl"]}], ["x"] * 2),
    ],
)
def test_what_has_no_name_is_a_source_of_its_own(tmp_path, sources, names):
    for path in ("a/x.jsonl", "a/x.csv", "b/x.jsonl", "b/a.jsonl", "a/y.jsonl", "p/a/x.jsonl"):
        for file in (tmp_path / "run" / path, tmp_path / "run" / "q" / "a" / "x.jsonl"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text('{"text": "A text."}\n', encoding="utf-8")
    specs = [
        SourceSpec.model_validate({"paths": source} if isinstance(source, list) else source)
        for source in sources
    ]
    files = find(specs, tmp_path / "run")
    found = dict.fromkeys((file.source, file.name, file.address) for file in files)
    by_unit = {}
    for place, name, address in found:
        by_unit.setdefault((place, name), address)
    assert [name for _, name in by_unit] == names


def test_two_databases_without_a_name_are_two_sources(tmp_path):
    database = {"address": "postgresql://host/shop", "query": "select 1"}
    specs = [SourceSpec.model_validate({"database": database}) for _ in range(2)]
    assert [file.name for file in find(specs, tmp_path)] == ["database", "database-2"]


def test_a_file_whose_name_is_not_utf_8_is_told_and_skipped(offline):
    data = offline.lines("films.jsonl", [SOUP]).parent
    (data / "films.jsonl").rename(data / os.fsdecode(b"caf\xe9.jsonl"))
    with pytest.raises(DataError, match="1 skipped: its name is not UTF-8"):
        offline.pool()
    offline.lines("meals.jsonl", [BREAD])
    result = offline.pool()
    assert (result.documents, result.skipped) == (1, 1)
    assert result.reasons == {"its name is not UTF-8": 1}
