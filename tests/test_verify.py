"""An export that was damaged or forged: every way is told, none ends in a traceback."""

import json
import shutil
import tempfile
from collections import defaultdict
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import DataError
from curate.export import copies
from curate.export.copies import Copies, read_draw
from curate.export.verify import verify
from curate.storage import sha256_of


@pytest.fixture
def export(offline):
    """An export that needed no people, in one shard of JSON lines."""
    offline.reviews()
    offline.pool()
    offline.run("clean")
    offline.run("mix", budget="60%")
    offline.run("export")
    folder = offline.root / "export"
    assert verify(folder).problems == ()
    return folder


def test_a_changed_byte(export):
    path = export / "data-00000.jsonl"
    path.write_bytes(path.read_bytes().replace(b"wonderful", b"wonderfui", 1))
    found = verify(export).problems
    assert "data-00000.jsonl is not the file that SHA256SUMS names" in found
    assert "data-00000.jsonl is not the file that the manifest names" in found
    assert "content_sha256 is not that of the documents" in found


@pytest.mark.parametrize("damage", [b"[", b"\xff", b"[]\n{", b'{"id": 5}\n{', b"null\n{"])
def test_a_line_that_cannot_be_read(export, damage):
    path = export / "data-00000.jsonl"
    path.write_bytes(damage + path.read_bytes()[1:])
    assert any("data-00000.jsonl cannot be read" in each for each in verify(export).problems)


def test_damaged_parquet(offline, export):
    offline.run("export", format="parquet")
    for name in ("data-00000.parquet", "draw.parquet"):
        path = export / name
        path.write_bytes(path.read_bytes()[:-30])
        assert any(f"{name} cannot be read" in each for each in verify(export).problems)


@pytest.mark.parametrize(
    "name",
    ["data-00000.jsonl", "draw.parquet", "README.md", "inputs.json", "recipe.yaml", "SHA256SUMS"],
)
def test_a_removed_file(export, name):
    (export / name).unlink()
    assert f"{name} is missing" in verify(export).problems


@pytest.mark.parametrize("name", ["data-00001.jsonl", "notes.txt", ".hidden"])
def test_an_extra_file(export, name):
    (export / name).write_text("{}")
    assert verify(export).problems == (f"{name} is not in SHA256SUMS",)


def test_no_manifest_is_no_export(export):
    (export / "manifest.json").write_text("{")
    with pytest.raises(DataError, match=r"manifest\.json cannot be read"):
        verify(export)
    (export / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"has no manifest\.json"):
        verify(export)


@pytest.mark.parametrize("manifest", ["[1]", "{}", "5", '"x"'])
def test_json_that_is_no_manifest(export, manifest):
    (export / "manifest.json").write_text(manifest)
    with pytest.raises(DataError, match="is no manifest of this version"):
        verify(export)


@pytest.mark.parametrize("name", ["files", "groups", "labels", "tokenizer", "content_sha256"])
def test_a_manifest_of_an_earlier_version(export, name):
    """It lacks what was not told then (`labels`), or tells it in another type."""
    path = export / "manifest.json"
    manifest = json.loads(path.read_text())
    for other in ({**manifest, name: None}, {k: v for k, v in manifest.items() if k != name}):
        path.write_text(json.dumps(other))
        with pytest.raises(DataError, match=f"of this version: {name}: ") as caught:
            verify(export)
        assert "`curate export`" in caught.value.hint


@pytest.mark.parametrize("name", ["tokenizer.json", "no_such_encoding"])
def test_a_tokenizer_that_is_not_there(export, name):
    path = export / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "tokenizer": name}))
    with pytest.raises(DataError, match=f"the tokenizer {name} cannot be used"):
        verify(export)


@pytest.mark.parametrize(
    "change",
    [
        {"text": None},
        {"text": 5},
        {"labels": "x"},
        {"labels": [1]},
        {"labels": {"x": "y"}},
        {"fields": [{"name": "text", "text": None}]},
        {"fields": "x"},
        {"group": ["films"]},
        {"copy": True},
        {"copy": "1"},
    ],
    ids=str,
)
def test_a_row_edited_by_hand(export, change):
    path = export / "data-00000.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = json.dumps({**json.loads(lines[3]), **change})
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert any("data-00000.jsonl cannot be read" in told for told in verify(export).problems)


@pytest.mark.parametrize("by", [None, 5, ["people"]])
def test_a_label_of_nobody(export, by):
    path = export / "data-00000.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    label = {"value": "x", "by": by, "undecided": False}
    lines[3] = json.dumps({**json.loads(lines[3]), "labels": {"mood": label}})
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert f"mood has 1 labels ({by}), not 0" in verify(export).problems


def test_a_line_of_brackets(export):
    (export / "data-00000.jsonl").write_text("[" * 100_000)
    assert any("cannot be read: RecursionError" in told for told in verify(export).problems)


@pytest.mark.parametrize("name", ["data-00000.jsonl", "README.md", "draw.parquet"])
def test_a_folder_in_the_place_of_a_file(export, name):
    (export / name).unlink()
    (export / name).mkdir()
    assert f"{name} is not the file that SHA256SUMS names" in verify(export).problems


def test_sums_that_are_no_text(export):
    (export / "SHA256SUMS").write_bytes(b"\xff\xfe\x00")
    assert "data-00000.jsonl is not in SHA256SUMS" in verify(export).problems


def test_without_the_draw_nothing_is_said_of_what_was_promised(export):
    (export / "draw.parquet").unlink()
    missing, unread, copies = verify(export).problems
    assert missing == "draw.parquet is missing"
    assert unread.startswith("draw.parquet cannot be read")
    assert copies == "the documents are not those of draw.parquet"


@pytest.mark.parametrize("field", ["realised", "promised", "tokens", "documents"])
def test_a_manifest_that_says_otherwise(export, field):
    manifest = json.loads((export / "manifest.json").read_text())
    group = manifest["groups"][0]
    group[field] += 3000 if field in ("tokens", "documents") else 0.3
    (export / "manifest.json").write_text(json.dumps(manifest))
    assert any(each.startswith(group["group"]) for each in verify(export).problems)


def test_a_group_whose_next_document_did_not_fit_is_no_problem(offline):
    """Realised is within one document of promised: the next may be longer than all those drawn."""
    offline.lines("small.jsonl", [f"Some short sentence {n}." for n in range(99)])
    offline.lines("large.jsonl", ["One very long document. " * 40])
    offline.pool()
    offline.run("clean")
    offline.run("mix", budget="30%")
    assert {row["group"]: row["documents"] for row in offline.rows("groups")}["large"] == 0
    offline.run("export")
    assert verify(offline.root / "export").problems == ()


def test_verify_needs_nothing_but_the_folder(export, tmp_path):
    shutil.copytree(export, tmp_path / "elsewhere")
    shutil.rmtree(export.parent)
    assert verify(tmp_path / "elsewhere").problems == ()


# ── ids and copies, in buckets on disk

IDS = st.sampled_from(["a", "b", "0" * 32, f"{'0' * 31}1", "f" * 32, "", "é"])


def problems_in_memory(lines, drawn, max_epochs):
    """Yield the problems with the copies of documents, from a table of all of them."""
    numbers = defaultdict(list)
    for id, copy in lines:
        numbers[id].append(copy)
    for id, own in numbers.items():
        if sorted(own) != list(range(1, len(own) + 1)):
            yield f"{id} has the copies {sorted(own)}"
        if len(own) > max_epochs:
            yield f"{id} stands {len(own)} times, more than {max_epochs} epochs"
    if {id: n for id, n in drawn if n} != {id: len(own) for id, own in numbers.items()}:
        yield "the documents are not those of draw.parquet"


@settings(max_examples=30)
@given(
    lines=st.lists(st.tuples(IDS, st.integers(-1, 3)), max_size=14),
    drawn=st.lists(st.tuples(IDS, st.integers(0, 3)), max_size=9),
    is_honest=st.booleans(),
    rows=st.integers(1, 15),
)
def test_copies_are_compared_as_in_memory(tmp_path_factory, lines, drawn, is_honest, rows):
    if is_honest:
        drawn = [(id, sum(own == id for own, _ in lines)) for id in sorted({id for id, _ in lines})]
    folder = tmp_path_factory.mktemp("copies")
    draw = {"id": pa.array([id for id, _ in drawn], pa.string())}
    draw |= {name: pa.array([n for _, n in drawn], pa.int64()) for name in ("copies", "size")}
    nothing = pa.array([0] * len(drawn), pa.int64())
    more = {"group": draw["id"], "weight": nothing, "earlier": nothing}
    pq.write_table(pa.table({**draw, **more}), folder / "draw.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copies, "ROWS", rows)
        seen = Copies(folder)
        for id, copy in lines:
            seen.add(id, copy)
        found = list(seen.check(read_draw(folder / "draw.parquet", folder), 2))
    assert found == list(problems_in_memory(lines, drawn, 2))


def forged(export, change):
    """Change the lines of the only shard, and mend every sum of files."""
    path = export / "data-00000.jsonl"
    rows = change([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    manifest = json.loads((export / "manifest.json").read_text())
    manifest["files"][0]["sha256"] = sha256_of(path)
    (export / "manifest.json").write_text(json.dumps(manifest))
    sums = (export / "SHA256SUMS").read_text().splitlines()
    lines = [line for line in sums if path.name not in line] + [f"{sha256_of(path)}  {path.name}"]
    (export / "SHA256SUMS").write_text("".join(f"{line}\n" for line in lines))
    return rows


def test_copies_of_two_documents_are_told_in_the_order_of_their_lines(export, monkeypatch):
    monkeypatch.setattr(copies, "ROWS", 5)
    rows = forged(export, lambda rows: [{**row, "copy": 2} for row in rows[:2]] + rows[2:])
    problems = verify(export).problems
    assert problems == (
        "content_sha256 is not that of the documents",
        f"{rows[0]['id']} has the copies [2]",
        f"{rows[1]['id']} has the copies [2]",
    )


@pytest.mark.parametrize("copy", ["1", None, 1.5, [], 10**30])
def test_a_copy_that_is_no_number(export, copy):
    forged(export, lambda rows: [{**rows[0], "copy": copy}, *rows[1:]])
    assert any("data-00000.jsonl cannot be read" in told for told in verify(export).problems)


def test_an_id_that_is_no_string(export):
    forged(export, lambda rows: [{**rows[0], "id": 7}, *rows[1:]])
    problems = verify(export).problems
    assert "7: the text is not that of its id" in problems
    assert "the documents are not those of draw.parquet" in problems


@pytest.mark.parametrize("change", [{"copies": 1}, {"id": "0" * 32}, {"copies": None}])
def test_a_draw_that_says_otherwise(export, change):
    path = export / "draw.parquet"
    rows = pq.read_table(path).to_pylist()
    place = next(n for n, row in enumerate(rows) if not row["copies"] or "id" in change)
    if change["copies" if "copies" in change else "id"] is None:
        place = next(n for n, row in enumerate(rows) if row["copies"])
    rows[place] |= change
    drawn = {row["id"] for row in rows if row["copies"]}
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), path)
    assert drawn
    assert "the documents are not those of draw.parquet" in verify(export).problems


def test_a_draw_without_a_column(export):
    path = export / "draw.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["group"]), path)
    assert any("draw.parquet cannot be read: KeyError" in told for told in verify(export).problems)


def test_it_tells_how_far_it_is_and_leaves_nothing_behind(export, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    told = []

    @contextmanager
    def watch(label, total):
        told.append((label, total))
        yield told.append

    result = verify(export, watch=watch)
    assert told == [("verifying", result.documents), result.documents]
    assert not any((tmp_path / "scratch").iterdir())
    assert verify(export) == result


# ── whatever the documents are

CHATS = [
    {"messages": [{"role": role, "content": f"{n}: {word}"} for role, word in turns]}
    for n in range(6)
    for turns in [(("user", "Is it so?"), ("assistant", "It is {so}.")) * (1 + n % 2)]
]
KINDS = {
    "text": (["Some words of mine, {n} of them."], {}),
    "one field": ([{"body": "A body {n} without a head."}], {"fields": ["body"]}),
    "a field named text": (
        [{"text": "A framed text, {n}."}],
        {"fields": ["text"], "template": "<<{text}>>"},
    ),
    "fields": ([{"q": "What is {n}?", "a": "It is {n}."}], {"fields": ["q", "a"]}),
    "an empty field": ([{"q": "What is {n}?", "a": ""}], {"fields": ["q", "a"]}),
    "chats": (CHATS, {"chat": {"field": "messages"}}),
    "chats as text": (CHATS, {"chat": {"field": "messages", "shown": "text"}}),
    "image records": (
        [{"text": "A boat {n}.", "i": {"address": "{n}.png", "sha256": "ab{n}", "bytes": 3}}],
        {"media": {"image": "i"}},
    ),
    "two images": (
        [
            {
                "text": "Boats {n}.",
                "i": "https://example.org/{n}.png",
                "j": "https://example.org/{n}.jpg",
            }
        ],
        {"media": {"left": "i", "right": "j"}},
    ),
    "images and fields": (
        [{"q": "What is on {n}?", "a": "A boat.", "i": "https://example.org/{n}.png"}],
        {"fields": ["q", "a"], "template": "{q} {a}", "media": {"image": "i"}},
    ),
    "masks": (["Write to ann{n}@example.org about it, please."], {}),
    "masks in fields": (
        [{"q": "Who is {n}?", "a": "ann{n}@example.org, I think."}],
        {"fields": ["q", "a"]},
    ),
}


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_honest_export_of_any_kind_has_no_problems(offline, kind, format):
    rows, settings = KINDS[kind]
    if rows is not CHATS:
        texts = (json.dumps(row).replace("{n}", str(n)) for row in rows for n in range(9))
        rows = [json.loads(text) for text in texts]
    offline.lines("some.jsonl", rows)
    offline.run("pool", sources=[{"paths": ["data/some.jsonl"], **settings}], tokenizer="bytes")
    offline.run("clean", rules=[], privacy="mask", near_duplicates=None)
    offline.run("mix", budget="150%", max_epochs=2)
    made = offline.run("export", format=format, shard_documents=5)
    assert made.documents > len(rows)
    assert verify(offline.root / "export").problems == ()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"labels": {"mood": {"by": "people", "undecided": False}}}, "mood has 1 labels (people)"),
        ({"labels": {"mood": {"by": "model", "undecided": True}}}, "mood has 1 labels (undecided)"),
    ],
)
def test_labels_that_the_manifest_does_not_tell(export, change, problem):
    forged(export, lambda rows: [{**rows[0], **change}, *rows[1:]])
    assert verify(export).problems == (f"{problem}, not 0",)
