"""An export that was damaged or forged: every way is told, none ends in a traceback."""

import json
import shutil

import pytest

from curate.errors import DataError
from curate.export.verify import verify


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
