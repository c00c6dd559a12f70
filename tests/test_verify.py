"""An export that was damaged or forged: every way is told, none ends in a traceback."""

import json
import os
import shutil
import tempfile
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import DataError
from curate.export import copies
from curate.export.copies import Copies
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
    with pytest.raises(DataError, match="is not a manifest of this version"):
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


@pytest.mark.parametrize(
    ("name", "value"),
    [("seed", 99), ("layout", "by_group"), ("epochs", 9.0), ("wanted", 0.9), ("expected", 0.1)],
)
def test_an_edited_manifest_is_noticed(export, name, value):
    path = export / "manifest.json"
    manifest = json.loads(path.read_text())
    (manifest if name in manifest else manifest["groups"][0])[name] = value
    path.write_text(json.dumps(manifest))
    assert "manifest.json is not the file that SHA256SUMS names" in verify(export).problems


def test_an_added_group_is_noticed(export):
    path = export / "manifest.json"
    manifest = json.loads(path.read_text())
    empty = {"promised": 0.0, "realised": 0.0, "tokens": 0, "pool_tokens": 0, "documents": 0}
    manifest["groups"].append({**manifest["groups"][0], **empty, "group": "added"})
    path.write_text(json.dumps(manifest))
    assert "manifest.json is not the file that SHA256SUMS names" in verify(export).problems


@pytest.mark.parametrize(
    "name",
    ["data-00000.jsonl", "SHA256SUMS", "manifest.json", "draw.parquet", "new", "sub"],
)
@pytest.mark.parametrize("kind", ["link", "pipe", "device"])
def test_only_regular_files_count(export, tmp_path, name, kind):
    path = export / name
    if path.exists():
        path.rename(tmp_path / "moved")
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else tmp_path / "moved")
    assert verify(export).problems == (f"{name} is not a regular file: a link, a pipe or a device",)


def test_a_sum_kept_elsewhere_shows_what_new_sums_hide(export):
    kept = sha256_of(export / "SHA256SUMS")
    assert verify(export, against=kept.upper()).problems == ()
    path = export / "README.md"
    before = sha256_of(path)
    path.write_text("# Another card\n")
    sums = export / "SHA256SUMS"
    sums.write_text(sums.read_text().replace(before, sha256_of(path)))
    assert verify(export).problems == ()
    [problem] = verify(export, against=kept).problems
    assert problem.startswith("SHA256SUMS does not have the sum that --against gives")


def test_export_prints_the_sum_of_its_sums(offline, export):
    printed = offline.run("export").sums_sha256
    assert verify(export, against=printed).problems == ()


def test_a_clone_of_a_hub_is_told_apart_from_edited_data(export):
    (export / ".git").mkdir()
    (export / ".git" / "HEAD").write_text("ref")
    (export / ".gitattributes").write_text("*.parquet filter=lfs")
    with (export / "README.md").open("a") as file:
        file.write("More words.")
    result = verify(export)
    assert result.problems == ()
    assert ".git, .gitattributes" in result.notes[0]
    assert "README.md was edited" in result.notes[1]
    shard = export / "data-00000.jsonl"
    shard.write_bytes(shard.read_bytes()[:-1])
    assert "data-00000.jsonl is not the file that SHA256SUMS names" in verify(export).problems


@pytest.mark.parametrize("line", ["x", "[]", "0" * 64, "", "7  README.md"])
def test_a_line_that_is_no_sum(export, line):
    path = export / "SHA256SUMS"
    number = len(path.read_text().splitlines()) + 1
    path.write_text(path.read_text() + line + "\n")
    assert f"SHA256SUMS, line {number}: it names no file and its sum" in verify(export).problems


@pytest.mark.parametrize("path", ["/dev/zero", "../data/films.jsonl"])
def test_a_shard_beside_the_export_is_not_opened(export, path):
    manifest = json.loads((export / "manifest.json").read_text())
    manifest["files"][0]["path"] = path
    (export / "manifest.json").write_text(json.dumps(manifest))
    told = verify(export).problems
    assert any(problem.startswith(path) for problem in told)


@pytest.mark.parametrize("value", [10**400, -(10**400), 1e308])
@pytest.mark.parametrize("name", ["budget", "tokens", "promised"])
def test_a_number_too_large_to_compute_with(export, name, value):
    manifest = json.loads((export / "manifest.json").read_text())
    place = manifest if name == "budget" else manifest["groups"][0]
    place[name] = value if name == "promised" else int(value)
    (export / "manifest.json").write_text(json.dumps(manifest))
    try:
        told = verify(export).problems
    except DataError as error:
        told = (error.message,)
    assert told


# ── ids and copies, in buckets on disk

IDS = st.sampled_from(["a", "b", "0" * 32, f"{'0' * 31}1", "f" * 32, "", "é"])


def problems_in_memory(lines, held_out, max_epochs):
    """Yield the problems with the copies of documents, from a table of all of them."""
    numbers, earlier = {}, {}
    for id, copy, before in lines:
        numbers.setdefault(id, []).append(copy)
        earlier.setdefault(id, before)
    for id in dict.fromkeys([*numbers, *held_out]):
        own, before, held = numbers.get(id, []), earlier.get(id, 0), held_out.count(id)
        if held > 1:
            yield f"{id} appears {held} times in the holdout"
        if held and own:
            yield f"{id} is in the mixture and in the holdout"
        if sorted(own) != list(range(1, len(own) + 1)):
            yield f"{id} has the copies {sorted(own)}"
        if before + len(own) > max_epochs:
            after = f" after {before} in earlier parts" if before else ""
            yield f"{id} stands {len(own)} times{after}, more than {max_epochs} epochs"


@settings(max_examples=30)
@given(
    lines=st.lists(st.tuples(IDS, st.integers(-1, 3), st.integers(0, 2)), max_size=14),
    held_out=st.lists(IDS, max_size=3),
    rows=st.integers(1, 15),
)
def test_copies_are_compared_as_in_memory(tmp_path_factory, lines, held_out, rows):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copies, "ROWS", rows)
        seen = Copies(tmp_path_factory.mktemp("copies"))
        for id, copy, earlier in lines:
            seen.add(id, copy, None, earlier)
        for id in held_out:
            seen.add_held_out(id)
        found = list(seen.check(2))
    assert found == list(problems_in_memory(lines, held_out, 2))


def forged(export, change):
    """Change the lines of the only shard, and mend every sum of files."""
    path = export / "data-00000.jsonl"
    rows = change([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    manifest = json.loads((export / "manifest.json").read_text())
    manifest["files"][0]["sha256"] = sha256_of(path)
    (export / "manifest.json").write_text(json.dumps(manifest))
    sums = (export / "SHA256SUMS").read_text().splitlines()
    edited = (path, export / "manifest.json")
    lines = [line for line in sums if not line.endswith(tuple(own.name for own in edited))]
    lines += [f"{sha256_of(own)}  {own.name}" for own in edited]
    in_order = sorted(lines, key=lambda line: line[66:])
    (export / "SHA256SUMS").write_text("".join(f"{line}\n" for line in in_order))
    return rows


def test_copies_of_two_documents_are_told_in_the_order_of_their_lines(export, monkeypatch):
    monkeypatch.setattr(copies, "ROWS", 5)
    rows = forged(export, lambda rows: [{**row, "copy": 2} for row in rows[:2]] + rows[2:])
    problems = verify(export).problems
    assert problems == (
        "content_sha256 is not that of the documents",
        "the documents are not those of draw.parquet",
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


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[3].update(copy=2),
        lambda rows: rows[3].update(id="0" * 32),
        lambda rows: rows[3].update(group=None),
        lambda rows: rows[3].update(position=7),
        lambda rows: rows[3].update(shard="data-00009.jsonl"),
        lambda rows: rows.pop(),
        lambda rows: rows.append(rows[0]),
        lambda rows: rows.reverse(),
    ],
)
def test_a_draw_that_says_otherwise(export, change):
    path = export / "draw.parquet"
    rows = pq.read_table(path).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), path)
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
    "chats with calls": (
        [
            {
                "messages": [
                    {"role": "user", "content": "Ask {n}."},
                    {"role": "assistant", "content": None, "tool_calls": [{"id": "c{n}"}]},
                ]
            }
        ],
        {"chat": {}},
    ),
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


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: data[:-1],
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: b"".join(reversed(data.splitlines(keepends=True))),
    ],
)
def test_sums_that_stand_there_in_another_way(export, edit):
    path = export / "SHA256SUMS"
    path.write_bytes(edit(path.read_bytes()))
    (problem,) = verify(export).problems
    assert problem.startswith("SHA256SUMS is not as it was written")
