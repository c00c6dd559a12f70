"""An export in every format: it opens with its own library and equals what was drawn, masks too."""

import gzip
import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate import tokens
from curate.clean.duplicates import older
from curate.engine import Local
from curate.errors import CurateError, DataError, RecipeError
from curate.export import originals, writing
from curate.export.formats import read_shard
from curate.export.holding import shards_with
from curate.export.verify import verify
from curate.pool import stage as pool
from tests.conftest import Offline

EMAIL = re.compile(r"ann\d+@example\.org")
TALK = [
    {"role": "system", "content": "Be {brief}.", "id": 7},
    {"role": "user", "content": [{"type": "text", "text": part} for part in ("Hi.", "Soup?")]},
    {"role": "assistant", "content": None, "tool_calls": [{"name": "cook"}]},
]


def plain(n):
    """A row of a source with one text, and columns that nobody named."""
    more = {"url": f"https://a.org/{n}", "score": n / 2} if n % 3 else {"tags": ["x", None]}
    return {"n": n, "body": f"Write to ann{n}@example.org now, or stay: it is {n}.", **more}


def pair(n):
    """A row with two fields, in a column of columns."""
    return {"x": {"q": f"Ask ann{n}@example.org what\r\n{n} is?", "by": [n]}, "a": f"It is {n}. 茶"}


def talk(n):
    """A row with a conversation, whose masks stand in messages of both kinds."""
    said = {"role": "user", "content": f"I am ann{n}@example.org\r\nsays I {n}"}
    parts = ("Dear", f"ann{n}@example.org,", "soup.")
    reply = {"role": "assistant", "content": [{"type": "text", "text": part} for part in parts]}
    return {"messages": [*TALK, said, reply], "url": f"https://b.org/{n}", "author": f"Ann {n}"}


@pytest.fixture(scope="module")
def _mixed(tmp_path_factory):
    """A mixture of texts, fields and conversations, each with masks, in many shards."""
    offline = Offline(tmp_path_factory.mktemp("mixed") / "run")
    offline.lines("web.jsonl", [plain(n) for n in range(40)])
    offline.lines("pairs.jsonl", [pair(n) for n in range(40, 70)])
    offline.lines("chat.jsonl", [talk(n) for n in range(70, 100)])
    offline.lines("told.jsonl", [talk(n) for n in range(100, 120)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "ROWS_PER_SHARD", 17)
        made(offline)
    return offline.root


@pytest.fixture
def mixed(_mixed, tmp_path):
    """A copy of that mixture."""
    shutil.copytree(_mixed, tmp_path / "run")
    return Offline(tmp_path / "run")


def made(offline, **more):
    """Make pool, clean and mix; some documents stand twice in the mixture."""
    template = "Q: {q}\nA: {a}"
    sources = [
        {"paths": ["data/web.jsonl"], "text": "body"},
        {"paths": ["data/pairs.jsonl"], "fields": {"q": "x.q", "a": "a"}, "template": template},
        {"paths": ["data/chat.jsonl"], "chat": {}},
        {"paths": ["data/told.jsonl"], "chat": {"shown": "text", "turn": "<{role}>{content}"}},
    ]
    settings = {"tokenizer": "bytes", "holdout": 0.1, **more}
    offline.run("pool", sources=sources, **settings)
    offline.run("clean", rules=[], privacy="mask", languages={}, near_duplicates=None)
    offline.run("mix", groups=["source"], budget="150%", max_epochs=2)


def manifest(offline):
    return json.loads((offline.root / "export" / "manifest.json").read_text(encoding="utf-8"))


def exported(offline, **settings):
    """Export as JSON lines; return the lines to train on, and those of the holdout."""
    offline.run("export", shard_documents=30, **settings)
    assert verify(offline.root / "export").problems == ()
    about = manifest(offline)
    return [
        [line for file in files for line in lines_of(offline.root / "export" / file["path"])]
        for files in (about["files"], about["validation"]["files"])
    ]


def lines_of(path):
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if path.suffix == ".zst":
        data = pa.input_stream(pa.py_buffer(data), compression="zstd").read()
    return [json.loads(line) for line in data.decode().split("\n")[:-1]]


# ── every format equals the others


def without_null(row):
    """The row of a table, in which a message has every key that any has."""
    messages = row["messages"] and [
        {key: value for key, value in message.items() if key == "content" or value is not None}
        for message in row["messages"]
    ]
    return {**row, "messages": messages}


@pytest.mark.parametrize("format", ["jsonl.gz", "jsonl.zst", "parquet", "datasets"])
def test_every_format_holds_the_same_lines(mixed, format):
    import datasets

    settings = {"messages": True, "meta": ["url", "author"]}
    lines, holdout = exported(mixed, **settings)
    assert (len(lines) > 120, len(holdout) > 3) == (True, True)
    content = manifest(mixed)["content_sha256"]
    mixed.run("export", shard_documents=30, format=format, **settings)
    folder, about = mixed.root / "export", manifest(mixed)
    assert about["format"] == format
    assert about["content_sha256"] == content
    assert verify(folder).problems == ()
    if format == "datasets":
        splits = datasets.load_from_disk(str(folder))
        train, validation = (
            [without_null(row) for row in splits[name].to_list()]
            for name in ("train", "validation")
        )
        assert (train, validation) == (lines, holdout)
        return
    read = read_shard if format == "parquet" else lines_of
    own = [
        [row for file in part["files"] for row in read(folder / file["path"])]
        for part in (about, about["validation"])
    ]
    if format == "parquet":
        frame = pd.concat(pd.read_parquet(folder / file["path"]) for file in about["files"])
        assert frame["text"].tolist() == [line["text"] for line in lines]
    assert own == [lines, holdout]


def test_two_splits_of_datasets_may_be_groups(mixed):
    import datasets

    mixed.run("export", format="datasets", layout="by_group")
    splits = datasets.load_from_disk(str(mixed.root / "export"))
    drawn = {row["id"]: row["group"] for row in mixed.rows("mix") if row["copies"]}
    groups = {group["folder"].rstrip("/"): group["group"] for group in manifest(mixed)["groups"]}
    assert set(splits) == {*groups, "validation"}
    for folder, group in groups.items():
        assert set(splits[folder]["id"]) == {id for id, own in drawn.items() if own == group}


# ── messages, meta and the source's row


def edited(text):
    """What is left of a canonical text after the masks."""
    return EMAIL.sub("[email]", text.replace("\r\n", "\n"))


def said(message):
    content = message["content"]
    if isinstance(content, list):
        return {**message, "content": [{**p, "text": edited(p["text"])} for p in content]}
    return {**message, "content": None if content is None else edited(content)}


def test_conversations_come_as_messages_with_their_masks(mixed):
    lines, holdout = exported(mixed, messages=True)
    count = 0
    for line in [*lines, *holdout]:
        if line["source"] not in ("chat", "told"):
            assert line["messages"] is None
            continue
        n = int(re.search(r"says I (\d+)", line["text"])[1])
        assert line["messages"] == [said(message) for message in talk(n)["messages"]]
        assert line["edited"]
        count += 1
    assert count > 40
    assert not EMAIL.search(json.dumps(lines + holdout))


def test_meta_has_what_was_asked_for_as_strings(mixed):
    lines, _ = exported(mixed, meta=["url", "score", "tags"])
    for line in lines:
        if line["source"] == "web":
            row = plain(int(re.search(r"it is (\d+)", line["text"])[1]))
            asked = (row.get(name) for name in ("url", "score", "tags"))
            url, score, tags = (None if value is None else value for value in asked)
            assert line["meta"] == {
                "url": url,
                "score": None if score is None else json.dumps(score),
                "tags": None if tags is None else json.dumps(tags),
            }
        elif line["source"] == "pairs":
            assert set(line["meta"].values()) == {None}


def test_a_name_that_no_document_has_is_told(mixed):
    with pytest.raises(RecipeError, match=r"export\.meta: no document has ulr") as caught:
        mixed.run("export", meta=["url", "ulr"])
    assert "did you mean url?" in caught.value.hint
    assert not (mixed.root / "export").exists()


def test_messages_without_a_conversation_are_refused(offline):
    offline.lines("web.jsonl", [plain(n) for n in range(9)])
    offline.run("pool", sources=[{"paths": ["data/web.jsonl"], "text": "body"}])
    offline.run("clean")
    offline.run("mix")
    with pytest.raises(RecipeError, match="no source of the pool is a conversation"):
        offline.run("export", messages=True)


def expected_row(line):
    """The row of a line's source as it came, with the masks in it; with nothing of `curate`."""
    text = line["text"]
    makes = {"web": (plain, r"it is (\d+)"), "pairs": (pair, r"It is (\d+)")}
    make, pattern = makes.get(line["source"], (talk, r"says I (\d+)"))
    row = make(int(re.search(pattern, text)[1]))
    if make is pair:
        return {**row, "x": {**row["x"], "q": edited(row["x"]["q"])}}
    if make is plain:
        return {**row, "body": edited(row["body"])}
    *head, asked, reply = row["messages"]
    parts = [{**part, "text": edited(part["text"])} for part in reply["content"]]
    changed = [{**asked, "content": edited(asked["content"])}, {**reply, "content": parts}]
    return {**row, "messages": [*head, *changed]}


@pytest.mark.parametrize("format", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_the_sources_row_comes_as_it_was_with_masks_in_its_texts(mixed, format, monkeypatch):
    monkeypatch.setattr(originals, "BLOCK_BITS", 3)
    monkeypatch.setattr(originals, "FLUSH_CHARS", 1000)
    plain_lines, plain_holdout = exported(mixed, meta=["url"])
    lines, holdout = exported(mixed, meta=["url"], original=True, format=format)
    assert [line["_curate"] for line in lines] == plain_lines
    assert [line["_curate"] for line in holdout] == plain_holdout
    for line in [*lines, *holdout]:
        row = {name: value for name, value in line.items() if name != "_curate"}
        assert row == expected_row(line["_curate"])
        assert list(line)[-1] == "_curate"
    assert not EMAIL.search(json.dumps(lines + holdout))
    assert {line["_curate"]["source"] for line in lines} == {"web", "pairs", "chat", "told"}


def test_the_card_says_nothing_of_columns_that_it_does_not_know(tmp_path):
    """A loader would refuse columns beside those that the card names."""
    import datasets

    offline = Offline(tmp_path / "one")
    offline.lines("chat.jsonl", [talk(n) | {"score": 0.5} for n in range(30)])
    offline.run("pool", sources=[{"paths": ["data/chat.jsonl"], "chat": {}}], tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix")
    offline.run("export", original=True, meta=["url"])
    folder = offline.root / "export"
    assert "dataset_info" not in (folder / "README.md").read_text(encoding="utf-8")
    described = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    (records,) = described["recordSet"]
    assert [field["@id"] for field in records["field"]] == ["train/_curate"]
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))["train"]
    assert set(loaded["score"]) == {0.5}
    assert {len(row["meta"]["url"]) > 4 for row in loaded["_curate"]} == {True}


@pytest.mark.parametrize("kind", ["jsonl.gz", "parquet", "csv"])
def test_rows_of_other_files_are_read_again_too(offline, kind):
    rows = [{"text": f"Text {n} of many.", "n": n, "x": n / 4} for n in range(50)]
    path = offline.root / "data" / f"a.{kind}"
    path.parent.mkdir(exist_ok=True)
    frame = pd.DataFrame(rows)
    if kind == "parquet":
        frame.to_parquet(path, row_group_size=7)
    elif kind == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_json(path, orient="records", lines=True)
    offline.run("pool", sources=[{"paths": [f"data/a.{kind}"]}], tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix")
    offline.run("export", original=True)
    lines = lines_of(offline.root / "export" / "data-00000.jsonl")
    assert len(lines) == 50
    for line in lines:
        n = int(line["n"])
        assert line["_curate"]["text"] == line["text"] == f"Text {n} of many."
        assert float(line["x"]) == n / 4


def test_rows_of_a_database_and_whole_files_are_read_again_too(offline):
    database = offline.root / "data" / "a.db"
    database.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("create table notes (text text, n integer)")
        rows = [(f"Note {n} of many, to be read.", n) for n in range(20)]
        connection.executemany("insert into notes values (?, ?)", rows)
    for n in range(20):
        (offline.root / "data" / f"{n}.txt").write_text(f"File {n}.\r\nOf many.\n")
    address = {"address": f"sqlite:///{database}", "query": "select * from notes"}
    sources = [{"database": address}, {"paths": ["data/*.txt"], "name": "files"}]
    offline.run("pool", sources=sources, tokenizer="bytes")
    offline.run("clean", rules=[], near_duplicates=None)
    offline.run("mix")
    offline.run("export", original=True)
    lines = lines_of(offline.root / "export" / "data-00000.jsonl")
    notes = [line for line in lines if line["_curate"]["source"] != "files"]
    assert sorted((line["text"], line["n"]) for line in notes) == sorted(rows)
    texts = {line["text"] for line in lines if line["_curate"]["source"] == "files"}
    assert texts == {f"File {n}.\r\nOf many.\n" for n in range(20)}


def test_values_that_json_has_no_word_for(offline):
    path = offline.root / "data" / "a.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text('{"text": "One text.", "x": NaN, "y": [1e999], "z": "\\ud800", "": 1}\n')
    offline.run("pool", sources=[{"paths": ["data/a.jsonl"]}], tokenizer="bytes")
    offline.run("clean", rules=[])
    offline.run("mix")
    offline.run("export", original=True)
    (line,) = lines_of(offline.root / "export" / "data-00000.jsonl")
    own = {name: value for name, value in line.items() if name != "_curate"}
    assert own == {"text": "One text.", "x": None, "y": [None], "z": "\ufffd", "": 1}


def test_a_source_that_changed_is_told_by_its_line(mixed):
    exported(mixed)
    before = (mixed.root / "export" / "manifest.json").read_bytes()
    path = mixed.root / "data" / "web.jsonl"
    lines = path.read_text().splitlines()
    for changed in (
        [lines[0].replace("stay", "go"), *lines[1:]],
        lines[1:],
        lines[:1],
    ):
        path.write_text("\n".join(changed) + "\n")
        with pytest.raises(DataError, match=r"web\.jsonl:\d+: the document \w+ is no longer") as e:
            mixed.run("export", original=True)
        assert "reads the sources again" in e.value.hint
        assert (mixed.root / "export" / "manifest.json").read_bytes() == before
    path.unlink()
    with pytest.raises(CurateError):
        mixed.run("export", original=True)


def refusing(offline, rows, source, **clean):
    """Make a mixture of one source."""
    offline.lines("a.jsonl", rows)
    offline.run("pool", sources=[{"paths": ["data/a.jsonl"], **source}], tokenizer="bytes")
    offline.run(
        "clean",
        **{"rules": [], "privacy": "mask", "languages": {}, "near_duplicates": None, **clean},
    )
    offline.run("mix")
    (row, *_) = [row for row in offline.rows("clean") if row["edits"]]
    return row["id"]


def test_a_mask_without_a_place_refuses_the_document_by_name(offline):
    """A role that is an address: masked in the text, and nowhere in a message."""
    rows = [{"messages": [{"role": "ann1@example.org", "content": f"Soup, {n}?"}]} for n in (1, 2)]
    id = refusing(offline, rows[:1], {"chat": {}})
    with pytest.raises(DataError, match=f"^{id}: an edit of `clean` cannot be placed") as caught:
        offline.run("export", messages=True)
    assert "leave `messages` out" in caught.value.hint
    with pytest.raises(DataError, match=rf"^{id}: .* the row data/a\.jsonl:1"):
        offline.run("export", original=True)
    assert not (offline.root / "export").exists()
    offline.run("export")
    text = (offline.root / "export" / "data-00000.jsonl").read_text()
    assert "[email]: Soup" in text


def test_masked_words_in_a_role_refuse_the_document(offline):
    """The turn does not name the role, so nothing in the text but the content is masked."""
    said = [{"role": "ann1@example.org", "content": "I am ann1@example.org."}]
    id = refusing(offline, [{"messages": said}], {"chat": {"turn": "{content}"}})
    with pytest.raises(DataError, match=f"^{id}: an edit of `clean` cannot be placed"):
        offline.run("export", messages=True)
    offline.run("export", original=True)
    (line,) = lines_of(offline.root / "export" / "data-00000.jsonl")
    assert line["messages"] == [{"role": "[email]", "content": "I am [email]."}]


def test_extracted_text_with_a_mask_has_no_place_in_its_page(offline):
    page = "<html><body><article><p>{}</p></article></body></html>"
    body = "This is a long enough paragraph about soup, which nobody would call a menu. " * 4
    rows = [{"text": page.format(body + f"Write to ann{n}@example.org.")} for n in range(1)]
    id = refusing(offline, rows, {"extract": "html"})
    with pytest.raises(DataError, match=f"^{id}: "):
        offline.run("export", original=True)


def test_what_is_masked_in_the_text_is_masked_in_other_columns_too(offline):
    rows = [{"text": f"Hello ann{n}@example.org!", "by": [f"ann{n}@example.org"]} for n in (1, 2)]
    refusing(offline, rows, {})
    for settings in ({"original": True}, {"meta": ["by"]}):
        offline.run("export", **settings)
        text = (offline.root / "export" / "data-00000.jsonl").read_text()
        assert not EMAIL.search(text)
        assert text.count("[email]") == 4 + 2 * ("original" in settings)


def test_a_row_with_our_key_is_refused(offline):
    offline.lines("a.jsonl", [{"text": "One text.", "_curate": 1}])
    offline.run("pool", sources=[{"paths": ["data/a.jsonl"]}], tokenizer="bytes")
    offline.run("clean", rules=[])
    offline.run("mix")
    with pytest.raises(DataError, match=r"data/a\.jsonl:1: the row has a column _curate already"):
        offline.run("export", original=True)


def test_a_removed_line_leaves_every_text(offline):
    """A line over two messages, in the text, the messages and the row."""
    talk = [
        {"role": "user", "content": "A first line of words here.\nPlease enable javascript now"},
        {"role": "assistant", "content": "to read on.\nA last line of words, with more of them."},
    ]
    rows = [{"messages": talk, "n": n} for n in range(1)]
    chat = {"chat": {"turn": "{content}", "between": " "}}
    limits = {"c4:sentences": {"min": 0}}
    refusing(offline, rows, chat, rules=["c4"], privacy="flag", limits=limits)
    offline.run("export", messages=True, original=True)
    (line,) = lines_of(offline.root / "export" / "data-00000.jsonl")
    left = ["A first line of words here.\n", "A last line of words, with more of them."]
    assert [message["content"] for message in line["messages"]] == left
    assert [message["content"] for message in line["_curate"]["messages"]] == left
    assert line["_curate"]["text"] == "".join(left)


# ── token shards

READER = re.compile(r"```python\n(import json\n.*?def token_documents.*?)```", re.DOTALL)


def reader():
    """The reader of token shards that stands in the docs."""
    text = (Path(__file__).parent.parent / "docs/stages/export.md").read_text(encoding="utf-8")
    (code,) = READER.findall(text)
    assert len(code.strip().splitlines()) <= 20
    scope = {}
    exec(code, scope)
    return scope["token_documents"]


def test_the_reader_of_the_docs_gives_what_was_drawn(mixed):
    lines, _ = exported(mixed)
    mixed.run("export", format="tokens", end_of_text=256, shard_documents=30)
    folder = mixed.root / "export"
    documents = list(reader()(folder))
    assert [bytes(ids[:-1].tolist()).decode() for ids in documents] == [
        line["text"] for line in lines
    ]
    assert {int(ids[-1]) for ids in documents} == {256}
    about = manifest(mixed)["token_ids"]
    assert about == {"dtype": "<u2", "vocabulary": 256, "end_of_text": 256}
    draw = pq.read_table(folder / "draw.parquet").to_pylist()
    assert [(row["id"], row["group"], row["copy"]) for row in draw] == [
        (line["id"], line["group"], line["copy"]) for line in lines
    ]
    files = [file["path"] for file in manifest(mixed)["files"]]
    assert list(dict.fromkeys(row["shard"] for row in draw)) == files
    assert files[0] == "data-00000.bin"
    assert verify(folder).problems == ()
    assert manifest(mixed)["labels"] == []


def test_ids_are_of_the_tokenizer_that_counts_the_budget(mixed):
    mixed.run("mix", groups=["source"], budget="150%", max_epochs=2, tokenizer="cl100k_base")
    lines, _ = exported(mixed)
    settings = {"format": "tokens", "end_of_text": "<|endoftext|>"}
    mixed.run("export", shard_documents=30, **settings)
    count = tokens.counter("cl100k_base")
    documents = list(reader()(mixed.root / "export"))
    assert [len(ids) - 1 for ids in documents] == [count(line["text"]) for line in lines]
    assert {int(ids[-1]) for ids in documents} == {100_257}
    assert documents[0].dtype == np.dtype("<u4")
    assert verify(mixed.root / "export").problems == ()


def test_token_shards_by_group_stand_for_all_copies(mixed):
    phases = [{"name": "early", "budget": "60%"}, {"name": "late", "budget": "40%"}]
    for more in ({"budget": "150%"}, {"phases": phases}):
        mixed.run("mix", groups=["source"], max_epochs=2, **more)
        mixed.run("export", format="tokens", layout="by_group")
        assert verify(mixed.root / "export").problems == ()


def word_level(path):
    """Save a tokenizer that gives few texts back."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    model = Tokenizer(models.WordLevel({"[UNK]": 0, "it": 1, "is": 2}, unk_token="[UNK]"))
    model.pre_tokenizer = pre_tokenizers.Whitespace()
    model.save(str(path))


def test_a_tokenizer_that_gives_no_text_back_is_checked_by_counts(mixed):
    word_level(mixed.root / "own.json")
    made(mixed, tokenizer="own.json")
    mixed.run("export", format="tokens", shard_documents=30)
    folder = mixed.root / "export"
    assert verify(folder).problems == ()
    damage(folder, lambda ids: [*ids[:-1], 3])
    assert any("beyond the vocabulary" in problem for problem in verify(folder).problems)


def damage(folder, change):
    """Change the ids of the first shard, with the sums that somebody would mend too."""
    from curate.storage import sha256_of

    about = json.loads((folder / "manifest.json").read_text())
    path = folder / about["files"][0]["path"]
    np.array(change(np.fromfile(path, "<u2").tolist()), "<u2").tofile(path)
    before, about["files"][0]["sha256"] = about["files"][0]["sha256"], sha256_of(path)
    (folder / "manifest.json").write_text(json.dumps(about))
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text().replace(before, sha256_of(path)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ids: [ids[0] ^ 1, *ids[1:]], "content_sha256"),
        (lambda ids: ids[:-1], "its index leaves the shard"),
        (lambda ids: [*ids, 65], "its index ends before the shard does"),
        (lambda ids: [*ids[:-1], 65], "does not end with 256"),
        (lambda ids: [255, *ids[1:]], "cannot be read"),
    ],
)
def test_changed_ids_are_found(mixed, change, words):
    mixed.run("export", format="tokens", end_of_text=256, shard_documents=30)
    folder = mixed.root / "export"
    damage(folder, change)
    assert any(words in problem for problem in verify(folder).problems)


def test_a_token_that_the_tokenizer_lacks_is_told_before_anything_is_read(mixed):
    with pytest.raises(RecipeError, match=r"no special token <\|endoftext\|>"):
        mixed.run("export", format="tokens", end_of_text="<|endoftext|>")
    assert not list((mixed.root / ".building").glob("export*"))


# ── what others ask of shards

FORMATS = [
    {"format": "jsonl.gz"},
    {"format": "parquet"},
    {"format": "datasets"},
    {"format": "tokens"},
    {"format": "jsonl.zst", "original": True},
]


@pytest.mark.parametrize("settings", FORMATS, ids=lambda settings: settings["format"])
def test_the_shards_of_a_document_are_known_in_every_format(mixed, settings):
    """As `curate remove` asks, also of the holdout."""
    lines, holdout = exported(mixed)
    mixed.run("export", shard_documents=20, **settings)
    about = manifest(mixed)
    held = {file["path"] for file in about["validation"]["files"]}
    trained, kept = lines[0]["id"], holdout[0]["id"]
    asked = [trained, kept, "0" * 32]
    found = shards_with(mixed.root / "export", about, asked)
    assert {id for shard in found.keys() & held for id in found[shard]} == {kept}
    assert {id for shard in found.keys() - held for id in found[shard]} == {trained}
    copies = sum(line["id"] == trained for line in lines)
    assert 1 <= len(found.keys() - held) <= copies


@pytest.mark.parametrize("settings", FORMATS, ids=lambda settings: settings["format"])
def test_a_later_run_is_compared_with_an_export_in_every_format(mixed, settings, tmp_path):
    """As `clean.against` reads it; token ids are no texts."""
    lines, holdout = exported(mixed)
    mixed.run("export", shard_documents=20, **settings)
    if settings["format"] == "tokens":
        with pytest.raises(DataError, match="holds no texts"):
            older.pieces(mixed.root, ["export"])
        return
    found = [row for piece in older.pieces(mixed.root, ["export"]) for row in older._rows(piece)]
    assert sorted(found) == sorted((line["id"], line["text"]) for line in [*lines, *holdout])


@pytest.mark.parametrize("settings", FORMATS, ids=lambda settings: settings["format"])
def test_an_export_that_failed_goes_on_and_gives_the_same_bytes(mixed, settings, monkeypatch):
    def everything():
        files = (path for path in (mixed.root / "export").rglob("*") if path.is_file())
        return {path.relative_to(mixed.root).as_posix(): path.read_bytes() for path in files}

    mixed.run("export", shard_documents=20, **settings)
    whole = everything()
    place = originals.Search if "original" in settings else writing.WriteUnit
    name = "_written" if "original" in settings else "_write"
    work, calls = getattr(place, name), []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return work(*arguments)

    monkeypatch.setattr(originals, "PART_BYTES", 2000)
    monkeypatch.setattr(place, name, failing)
    with pytest.raises(KeyboardInterrupt):
        mixed.run("export", shard_documents=20, **settings)
    assert everything() == whole
    mixed.run("export", shard_documents=20, **settings)
    assert everything() == whole
    assert len({repr(own[1:]) for own in calls}) == len(calls) - 1, "only what failed is done again"


@pytest.mark.parametrize("settings", FORMATS, ids=lambda settings: settings["format"])
def test_two_workers_write_the_same_bytes(mixed, settings):
    def everything():
        mixed.run("export", shard_documents=20, **settings)
        files = (path for path in (mixed.root / "export").rglob("*") if path.is_file())
        return {path.relative_to(mixed.root).as_posix(): path.read_bytes() for path in files}

    alone = everything()
    mixed.workspace.engine = Local(2)
    try:
        assert everything() == alone
    finally:
        mixed.workspace.engine.close()
