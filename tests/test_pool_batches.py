"""Pools that grow, samples of pools, other token counts; the same rows from any workers."""

import json
import os
import shutil
import signal
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import storage, tokens
from curate.engine import choose
from curate.errors import DataError
from curate.pool import stage as pool
from curate.pool.copies import BATCH_ONLY, changes
from curate.pool.staging import ids_schema, number_of, shard_name, shard_number
from tests import deadly

SOUP, BREAD, TEA, CAKE = (f"The {thing} was good." for thing in ("soup", "bread", "tea", "cake"))


def collect(offline, *names, **given):
    sources = [{"paths": [f"data/{name}.jsonl"]} for name in names]
    return offline.run("pool", **{"sources": sources, "tokenizer": "bytes", **given})


def by_text(offline):
    return {row["text"]: row for row in offline.rows("pool")}


def never(*_):
    raise AssertionError("a file was read that was known")


# ── new files only


def test_new_files_become_a_batch(offline, monkeypatch):
    offline.lines("a.jsonl", [SOUP, BREAD, SOUP])
    first = collect(offline, "a")
    assert (first.batch, first.read, first.added, first.documents) == (1, 3, 2, 2)
    untouched = storage.shards(offline.root / "pool")[0].read_bytes()
    offline.lines("b.jsonl", [TEA, CAKE])
    stage, parts = pool.stage, []
    monkeypatch.setattr(pool, "stage", lambda plan, item: parts.append(item) or stage(plan, item))
    made = collect(offline, "a", "b")
    assert [item[1].label for item in parts] == ["data/b.jsonl"]
    assert (made.batch, made.read, made.added) == (2, 2, 2)
    assert (made.rows, made.documents, made.copies) == (5, 4, 1)
    assert made.sources == {"a": 2, "b": 2}
    assert {text: row["batch"] for text, row in by_text(offline).items()} == {
        SOUP: 1,
        BREAD: 1,
        TEA: 2,
        CAKE: 2,
    }
    assert [row["text"] for row in offline.rows("pool")] == [SOUP, BREAD, TEA, CAKE]
    assert storage.shards(offline.root / "pool")[0].read_bytes() == untouched
    assert len(offline.rows("duplicates")) == 1
    files = offline.workspace.tables.made("pool").facts["files"]
    assert [each["path"] for each in files] == ["data/a.jsonl", "data/b.jsonl"]


def test_what_is_there_already_is_a_copy_and_its_owner_stays(offline):
    offline.lines("b.jsonl", [SOUP, BREAD])
    collect(offline, "b")
    offline.lines("a.jsonl", [BREAD, TEA, BREAD])
    made = collect(offline, "a", "b")  # first in the recipe, but later
    rows = by_text(offline)
    assert (rows[BREAD]["source"], rows[BREAD]["also"], rows[BREAD]["batch"]) == ("b", ["a"], 1)
    assert (rows[TEA]["source"], rows[TEA]["batch"]) == ("a", 2)
    assert rows[SOUP]["also"] == []
    assert (made.documents, made.copies, made.shared, made.added) == (3, 2, 1, 1)
    origins = [row["origin"] for row in offline.rows("duplicates")]
    assert origins == ["data/a.jsonl:1", "data/a.jsonl:3"]
    offline.lines("c.jsonl", [BREAD, SOUP])
    again = collect(offline, "a", "b", "c")
    rows = by_text(offline)
    assert rows[BREAD]["also"] == ["a", "c"]
    assert rows[SOUP]["also"] == ["c"]
    assert (again.documents, again.copies, again.batch, again.added) == (3, 4, 2, 0)
    assert len(offline.rows("duplicates")) == 4


def test_nothing_new_is_read_and_nothing_changes(offline, monkeypatch):
    offline.lines("a.jsonl", [SOUP, BREAD, SOUP])
    collect(offline, "a")
    before = {path.name: path.read_bytes() for path in storage.shards(offline.root / "pool")}
    content = (
        offline.workspace.tables.fingerprint("pool"),
        offline.workspace.tables.fingerprint("duplicates"),
    )
    monkeypatch.setattr(pool, "stage", never)
    os.utime(offline.root / "data" / "a.jsonl")  # another time, the same bytes
    again = collect(offline, "a")
    assert (again.read, again.added, again.batch) == (0, 0, 1)
    after = {path.name: path.read_bytes() for path in storage.shards(offline.root / "pool")}
    assert after == before
    pool_content, _ = content
    assert offline.workspace.tables.fingerprint("pool") == pool_content


@pytest.mark.parametrize("how", ["changed", "gone", "settings"])
def test_what_changed_is_read_again_but_keeps_its_batch(offline, how):
    offline.lines("a.jsonl", [SOUP, BREAD])
    offline.lines("b.jsonl", [TEA])
    collect(offline, "a", "b")
    given = {}
    if how == "changed":
        offline.lines("a.jsonl", [SOUP, CAKE])
    if how == "settings":
        given = {"holdout": 0.5}
    made = collect(offline, *(("a",) if how == "gone" else ("a", "b")), **given)
    rows = by_text(offline)
    assert rows[SOUP]["batch"] == 1
    if how == "changed":
        assert {text: row["batch"] for text, row in rows.items()} == {SOUP: 1, CAKE: 2, TEA: 1}
        assert (made.batch, made.added, made.read) == (2, 1, 3)
    else:
        assert (made.batch, made.added) == (1, 0)


def test_bad_rows_add_up(offline):
    path = offline.lines("a.jsonl", [SOUP])
    path.write_text(path.read_text() + "{not json\n")
    collect(offline, "a", strict=False)
    path = offline.lines("b.jsonl", [BREAD])
    path.write_text(path.read_text() + "[1]\n")
    made = collect(offline, "a", "b", strict=False)
    aside = json.loads((offline.root / "pool" / "_rejected.json").read_text())
    assert [(each["file"], each["row"]) for each in aside] == [
        ("data/a.jsonl", 2),
        ("data/b.jsonl", 2),
    ]
    assert (made.rows, made.bad_rows, made.read) == (4, 2, 2)


def test_strict_stops_at_a_bad_row_of_a_file_that_is_not_read_again(offline):
    path = offline.lines("a.jsonl", [SOUP])
    path.write_text(path.read_text() + "{not json\n")
    collect(offline, "a", strict=False)
    with pytest.raises(DataError, match=r"data/a\.jsonl, line 2: not JSON"):
        collect(offline, "a", strict=True)
    assert [row["text"] for row in offline.rows("pool")] == [SOUP]


def test_what_follows_sees_the_batches(offline):
    offline.lines("a.jsonl", [f"{SOUP} And a long sentence number {n} about it." for n in "12"])
    collect(offline, "a")
    offline.lines("b.jsonl", [f"{SOUP} And a long sentence number {n} about it." for n in "3456"])
    collect(offline, "b", "a")
    offline.run("clean", near_duplicates=0.7)
    kept = [row["id"] for row in offline.rows("clean") if row["kept"]]
    assert kept == [min(row["id"] for row in offline.rows("pool") if row["batch"] == 1)]


# ── a share, and tokens


def test_a_share_is_a_sample_by_id(offline):
    texts = [f"Sentence number {n} says nothing." for n in range(400)]
    offline.lines("a.jsonl", texts)
    made = collect(offline, "a", share=0.25)
    chosen = set(by_text(offline))
    assert 60 < len(chosen) < 140
    assert (made.rows, made.documents, made.left_out) == (400, len(chosen), 400 - len(chosen))
    shutil.rmtree(offline.root / "pool")
    offline.lines("a.jsonl", texts[::-1])
    collect(offline, "a", share=0.25)
    assert set(by_text(offline)) == chosen
    collect(offline, "a", share=0.5)
    assert set(by_text(offline)) > chosen


def test_another_tokenizer_counts_what_is_stored(offline, monkeypatch):
    offline.lines("a.jsonl", [SOUP, BREAD])
    collect(offline, "a")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "stage", never)
        made = collect(offline, "a", tokenizer="o200k_base")
    rows = by_text(offline)
    assert {text: row["tokens:bytes"] for text, row in rows.items()} == {
        text: len(text) for text in (SOUP, BREAD)
    }
    assert 0 < rows[SOUP]["tokens"] < len(SOUP)
    assert made.tokens == sum(row["tokens"] for row in rows.values())
    assert made.read == 0
    offline.lines("b.jsonl", [TEA])
    collect(offline, "a", "b", tokenizer="o200k_base")
    assert by_text(offline)[TEA]["tokens:bytes"] == len(TEA)  # new files are counted by both
    monkeypatch.setattr(tokens, "counter", lambda name: len)
    back = collect(offline, "a", "b")
    assert back.tokens == sum(len(text) for text in (SOUP, BREAD, TEA))
    assert by_text(offline)[SOUP]["tokens:o200k_base"] == rows[SOUP]["tokens"]


# ── the same from any workers


def several(offline):
    """Write sources with copies within and across, enough for several parts and shards."""
    rng = np.random.default_rng(0)
    for name in "abcd":
        numbers = rng.integers(0, 300, 120)
        offline.lines(f"{name}.jsonl", [f"Sentence number {n} says nothing." for n in numbers])
    return "abcd"


def content(offline):
    found = {path.name: path.read_bytes() for path in storage.shards(offline.root / "pool")}
    return found, offline.rows("duplicates")


@pytest.mark.parametrize("name", ["local", "ray"])
def test_any_engine_and_number_of_workers_collects_the_same(offline, monkeypatch, name):
    if name == "ray" and find_spec("ray") is None:
        pytest.skip("ray is not installed: pip install 'curate[ray]'")
    monkeypatch.setattr(pool, "ROWS_PER_SHARD", 50)
    names = several(offline)
    made = collect(offline, *names, holdout=0.1)
    expected = content(offline)
    assert len(expected[0]) > 8
    shutil.rmtree(offline.root / "pool")
    engine = choose(name, 2)
    offline.workspace.engine = engine
    assert collect(offline, *names, holdout=0.1) == made
    engine.close()
    assert content(offline) == expected


def test_a_shard_ends_by_size_too(offline, monkeypatch):
    monkeypatch.setattr(pool, "CHARS_PER_SHARD", 1000)
    offline.lines("a.jsonl", [f"{n} " + "long " * 100 for n in range(10)])
    collect(offline, "a")
    assert len(storage.shards(offline.root / "pool")) == 5


def children(pid):
    return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def workers_of(pid):
    """Return the worker processes of a process: forks of one that it has started."""
    seeds = [child for child in children(pid) if b"forkserver" in cmdline(child)]
    return [worker for seed in seeds for worker in children(seed)]


def cmdline(pid):
    path = Path(f"/proc/{pid}/cmdline")
    return path.read_bytes() if path.exists() else b""


@pytest.mark.slow
def test_a_worker_killed_in_mid_run_neither_loses_nor_doubles_a_row(offline, tmp_path):
    """kill -9 of a worker: the run goes on; of the run itself: the next one ends it."""
    rng = np.random.default_rng(0)
    for name in range(8):
        numbers = rng.integers(0, 9000, 3000)
        offline.lines(f"{name}.jsonl", [f"{n} is what it says, " * 30 for n in numbers])
    sources = [{"paths": [f"data/{n}.jsonl"]} for n in range(8)]
    recipe = json.dumps({"name": "tiny", "pool": {"sources": sources}})
    (offline.root / "recipe.yaml").write_text(recipe)
    told = tmp_path / "told"

    def begin():
        command = ["pool", "-w", offline.root, "--workers", "2"]
        return deadly.start(command, told, constants={(pool.__name__, "ROWS_PER_SHARD"): 500})

    def staged():
        return len([*offline.root.glob(".building/pool-*/_staged/*.json")])

    undisturbed = begin()
    undisturbed.join()
    assert undisturbed.exitcode == 0, told.read_text()
    expected = content(offline)
    for victims in ("worker", "all"):
        shutil.rmtree(offline.root / "pool")
        running = begin()
        until = time.monotonic() + 60
        while staged() < 2 and running.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        workers = workers_of(running.pid)
        assert workers, "it ended before it could be killed"
        if victims == "all":
            os.kill(running.pid, signal.SIGKILL)
        os.kill(workers[0], signal.SIGKILL)
        running.join()
        if victims == "all":
            assert running.exitcode == -signal.SIGKILL
            until = time.monotonic() + 20
            while any(map(cmdline, workers)) and time.monotonic() < until:
                time.sleep(0.05)
            assert not any(map(cmdline, workers)), "workers outlive the run"
            assert not (offline.root / "pool").exists()
            again = begin()
            again.join()
            assert again.exitcode == 0, told.read_text()
        else:
            assert running.exitcode == 0, told.read_text()
        assert content(offline) == expected


# ── which of the copies stays


def test_shards_are_ordered_as_their_numbers():
    places = [(1, 0, 0), (1, 0, 5), (1, 7, 1), (2, 0, 0), (12, 3, 4)]
    numbers = [shard_number(*place) for place in places]
    names = [shard_name(number) for number in numbers]
    assert numbers == sorted(numbers)
    assert names == sorted(names)
    assert [number_of(name) for name in names] == numbers


ROWS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.integers(1, 2),
        st.integers(0, 2),
        st.booleans(),
        st.lists(st.integers(0, 3), max_size=2),
    ),
    max_size=25,
)


@given(ROWS)
def test_what_copies_change(found):
    """Against a plain loop: the first by batch, source and place stays, and names the others."""
    rows = []
    for place, (id, batch, rank, known, also) in enumerate(found):
        shard, row = (BATCH_ONLY, BATCH_ONLY) if known else (place // 4, place % 4)
        rank = BATCH_ONLY if known else rank
        also = [] if known else sorted({*also} - {rank})
        rows.append((bytes([id]) * 16, batch, rank, shard, row, also))
    for at, row in enumerate(rows):  # only a row of an older pool, the owner, knows of others
        same = [other for other in rows if other[0] == row[0] and other[3] != BATCH_ONLY]
        if same and row != min(same, key=lambda each: each[1:5]):
            rows[at] = (*row[:5], [])
    table = pa.Table.from_pylist(
        [dict(zip(ids_schema().names, row, strict=True)) for row in rows], schema=ids_schema()
    )
    expected = {}
    for id in {row[0] for row in rows}:
        group = [row for row in rows if row[0] == id]
        real = sorted((row for row in group if row[3] != BATCH_ONLY), key=lambda row: row[1:5])
        if not real:
            continue
        owner, *others = real
        batch = min(row[1] for row in group)
        names = sorted({row[2] for row in others if row[2] != owner[2]} | {*owner[5]})
        if names != owner[5] or batch != owner[1]:
            expected[owner[3], owner[4]] = (True, batch, names)
        for row in others:
            expected[row[3], row[4]] = (False, batch, None)
    told = changes(table).to_pylist()
    assert {
        (row["shard"], row["row"]): (row["kept"], row["batch"], row["also"]) for row in told
    } == expected
    assert len(told) == len(expected)
