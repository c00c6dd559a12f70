"""Documents by shard and by id: the index, edits, and tables that have to be of the same run."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import CurateError, DataError
from curate.pool import stage as pool
from curate.workspace import index
from curate.workspace.index import find_rows, keys_of

HEX = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(st.lists(HEX, min_size=1, max_size=40))
def test_keys_of_content_ids_are_their_first_digits(ids):
    assert keys_of(pa.array(ids)).tolist() == [int(id[:16], 16) for id in ids]
    sliced = pa.chunked_array([pa.array(["x", *ids])]).slice(1)
    assert keys_of(sliced).tolist() == [int(id[:16], 16) for id in ids]


@given(st.lists(st.text("abxyz-09", max_size=12), min_size=2, max_size=30))
def test_keys_of_other_ids_keep_their_order(ids):
    keys = keys_of(pa.array(ids))
    for one, other, a, b in zip(ids, ids[1:], keys, keys[1:], strict=False):
        if one[:8] < other[:8]:
            assert a < b
    assert len(keys_of(pa.array([], pa.string()))) == 0


@given(st.lists(st.sampled_from([f"id-number-{n}" for n in range(30)]), max_size=30, unique=True))
def test_an_index_finds_every_row_also_where_keys_are_shared(tmp_path_factory, ids):
    shard = tmp_path_factory.mktemp("clean") / "00000.parquet"
    pq.write_table(pa.table({"id": pa.array(ids, pa.string())}), shard)
    wanted = keys_of(pa.array(["id-number-3", "id-number-7"]))
    for is_written in (False, True):
        if is_written:
            index.write(index.path_of(shard), pa.chunked_array([pa.array(ids, pa.string())]))
        rows = find_rows(shard, np.unique(wanted))
        hits = {ids[row] for row in rows}
        assert {"id-number-3", "id-number-7"} & set(ids) <= hits
        assert rows.tolist() == sorted(set(rows.tolist()))


TEXTS = [f"The soup number {n} was good and warm in town." for n in range(25)]


@pytest.fixture
def cleaned(offline, monkeypatch):
    monkeypatch.setattr(pool, "ROWS_PER_SHARD", 7)
    offline.lines("a.jsonl", TEXTS)
    offline.pool(holdout=0.2)
    offline.run("clean", limits={"length:chars": {"min": 45}})
    return offline


def test_a_lookup_is_a_filter(cleaned):
    documents = cleaned.workspace.documents
    assert len(documents.shards()) == 4
    kept = {row["id"]: row for row in documents.table(["id", "text", "tokens"]).to_pylist()}
    dropped = {row["id"] for row in cleaned.rows("clean") if not row["kept"]}
    assert dropped
    wanted = [*sorted(kept)[::3], *sorted(dropped)[:2], "0" * 32]
    found = [
        row
        for table in documents.lookup(wanted, ["id", "text", "tokens"])
        for row in table.to_pylist()
    ]
    assert {row["id"]: row for row in found} == {id: kept[id] for id in sorted(kept)[::3]}
    assert list(documents.lookup([], ["id"])) == []
    views = documents.find_views(wanted)
    assert {id: view.fields["text"] for id, view in views.items()} == {
        id: kept[id]["text"] for id in sorted(kept)[::3]
    }
    assert len(documents.find_views(wanted, edited=False)) == len(views) + 2


def test_an_index_that_is_gone_or_old_is_made_again_in_memory(cleaned):
    documents = cleaned.workspace.documents
    ids = documents.table(["id"])["id"].to_pylist()
    first = documents.find_views(ids[:5])
    for path in (cleaned.root / "clean" / "_index").iterdir():
        path.unlink()
    assert documents.find_views(ids[:5]) == first
    shard = cleaned.workspace.tables.shards("clean")[0]
    index.write(index.path_of(shard), pa.chunked_array([pa.array(["f" * 32])]))
    assert documents.find_views(ids[:5]) == first


def test_columns_come_from_where_they_are(cleaned):
    (shard, *_) = cleaned.workspace.documents.shards()
    whole = shard.read(["id", "kept", "tokens", "holdout", "source"], dropped=True)
    assert whole.column_names == ["id", "kept", "tokens", "holdout", "source"]
    assert whole.num_rows == 7
    some = shard.read(["source", "id"], rows=[1, 3])
    assert set(some["id"].to_pylist()) <= set(whole["id"].take([1, 3]).to_pylist())


def test_clean_of_another_pool_is_refused(cleaned):
    path = cleaned.workspace.tables.shards("clean")[1]
    table = pq.read_table(path)
    pq.write_table(table.take(list(range(table.num_rows))[::-1]), path)
    made = cleaned.workspace.tables.made("clean")
    assert made.inputs["pool"] == cleaned.workspace.tables.fingerprint("pool")
    cleaned.lines("b.jsonl", ["Another text that is long enough to be kept here."])
    cleaned.pool(holdout=0.2)
    with pytest.raises(CurateError, match="clean does not belong to pool"):
        list(cleaned.workspace.documents.batches())


def test_a_mixture_of_other_documents_is_refused(cleaned):
    cleaned.run("mix", budget="50%")
    documents = cleaned.workspace.documents
    copies = [
        row
        for shard in documents.shards(mix=True)
        for row in shard.read(["id", "copies"]).to_pylist()
    ]
    held = {row["id"] for row in cleaned.rows("pool") if row["holdout"]}
    assert {row["id"] for row in copies if row["copies"] is None} == {
        row["id"] for row in copies if row["id"] in held
    }
    cleaned.run("clean", rules=[])
    shards = documents.shards(mix=True)
    with pytest.raises(DataError, match="mixture is not of what"):
        [shard.read(["copies"]) for shard in shards]
