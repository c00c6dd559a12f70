"""Tables on disk: atomic, with the record of how they were made."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from curate import storage
from curate.storage import Provenance

MADE = Provenance("mix", {"seed": 1}, {"pool": "abc"}, "0.1", {"budget": 5})
TABLE = pa.table({"id": ["a", "b"], "n": [1, 2]})


def test_replacing_leaves_the_old_file_when_the_writer_fails(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    storage.write_text(path, "old")

    def failing():
        with storage.replacing(path) as temporary:
            temporary.write_text("half of the new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_private_files_are_their_owners_alone(tmp_path):
    storage.write_json(tmp_path / "key.json", {"key": "x"}, private=True)
    assert (tmp_path / "key.json").stat().st_mode & 0o777 == 0o600
    assert storage.read_json(tmp_path / "key.json") == {"key": "x"}
    assert storage.read_json(tmp_path / "absent.json") is None


def test_a_file_table_carries_its_record(tmp_path):
    path = tmp_path / "groups.parquet"
    assert storage.stored_file(path) is None
    written = storage.write_file_table(path, TABLE, MADE)
    found = storage.stored_file(path)
    assert found == written
    assert found.made == MADE
    assert found.rows == 2


def test_content_is_the_rows_and_not_how_they_lie(tmp_path):
    pieces = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1, 1)])
    contents = [
        storage.write_file_table(tmp_path / f"{n}.parquet", table, MADE).content
        for n, table in enumerate((TABLE, pieces, TABLE.slice(0, 1)))
    ]
    assert contents[0] == contents[1] != contents[2]


def test_same_as_ignores_version_and_facts():
    again = Provenance("mix", {"seed": 1}, {"pool": "abc"}, "0.2", {})
    assert MADE.same_as(again)
    assert not MADE.same_as(Provenance("mix", {"seed": 2}, {"pool": "abc"}, "0.1"))
    assert not MADE.same_as(Provenance("mix", {"seed": 1}, {"pool": "abd"}, "0.1"))


def build(folder: Path, made: Provenance, *numbers: int, fail: bool = False) -> list[str]:
    """Build shards that are not there yet; return those written."""
    written = []
    with storage.building(folder, made) as place:
        for number in numbers:
            path = place / f"{number:05}.parquet"
            if not path.exists():
                storage.write_parquet(path, pa.table({"n": [number]}))
                written.append(path.name)
        if fail:
            raise KeyboardInterrupt
    return written


def test_a_folder_table_is_whole_or_not_there(tmp_path):
    folder = tmp_path / "pool"
    with pytest.raises(KeyboardInterrupt):
        build(folder, MADE, 0, 1, fail=True)
    assert not folder.exists()
    assert storage.stored_folder(folder) is None
    assert build(folder, MADE, 0, 1, 2) == ["00002.parquet"]  # what was done is kept
    stored = storage.stored_folder(folder)
    assert (stored.rows, stored.made) == (3, MADE)
    assert [path.name for path in storage.shards(folder)] == [f"{n:05}.parquet" for n in range(3)]


def test_remains_of_other_settings_are_not_used(tmp_path):
    folder = tmp_path / "pool"
    with pytest.raises(KeyboardInterrupt):
        build(folder, MADE, 0, fail=True)
    other = Provenance("mix", {"seed": 2}, {}, "0.1")
    assert build(folder, other, 0, 1) == ["00000.parquet", "00001.parquet"]
    assert not any((tmp_path / ".building").iterdir())


def test_a_failed_rebuild_leaves_the_table_that_was_there(tmp_path):
    folder = tmp_path / "pool"
    build(folder, MADE, 0)
    before = storage.stored_folder(folder)
    with pytest.raises(KeyboardInterrupt):
        build(folder, Provenance("mix", {}, {}, ""), 5, fail=True)
    assert storage.stored_folder(folder) == before
    assert [path.name for path in storage.shards(folder)] == ["00000.parquet"]


def test_the_manifest_names_every_shard(tmp_path):
    folder = tmp_path / "pool"
    build(folder, MADE, 0, 1)
    (folder / "_extra.parquet").write_bytes(b"not a shard")
    manifest = json.loads((folder / "_manifest.json").read_text())
    assert [file["path"] for file in manifest["files"]] == ["00000.parquet", "00001.parquet"]
    assert [path.name for path in storage.shards(folder)] == ["00000.parquet", "00001.parquet"]


def test_once_makes_a_thing_once(tmp_path):
    made = []

    def make(path: Path) -> None:
        made.append(path)
        path.write_text("x")

    for _ in range(2):
        assert storage.once(tmp_path / "thing", make).read_text() == "x"
    assert len(made) == 1


def test_digest_does_not_depend_on_the_order_of_keys():
    assert storage.digest({"a": 1, "b": 2}) == storage.digest({"b": 2, "a": 1})
    assert storage.digest(["a", "b"]) != storage.digest(["b", "a"])
