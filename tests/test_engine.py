"""One contract for every engine: the same rows from each, none lost, none done twice."""

import os
import platform
import signal
import subprocess
import sys
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.engine import ENGINES, Local, Marking, buckets_for, bulk, choose, in_order
from curate.engine.shuffling import bucket_of
from curate.errors import CurateError, RecipeError


def double(table):
    return pa.table({"n": [2 * n for n in table["n"].to_pylist()]})


def deadly(table):
    if table["n"][0].as_py() == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return double(table)


def deadly_once(scar, table):
    """Die on the third shard, but only the first time."""
    if table["n"][0].as_py() == 2 and not Path(scar).exists():
        Path(scar).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return double(table)


def picky(table):
    raise CurateError(f"cannot do {table['n'][0].as_py()}", hint="leave it")


def stumbling(table):
    if 7 in table["n"].to_pylist():
        raise ZeroDivisionError("seven")
    return pa.table({"n": table["n"], "problem": pa.nulls(table.num_rows, pa.string())})


def marked(row, reason):
    return pa.table({"n": row["n"], "problem": [reason]})


def counted(table):
    """Return how often each key stands in a bucket, and its values in the order they came."""
    frame = table.to_pandas()
    groups = frame.groupby("key", sort=True)["n"]
    return pa.table(
        {
            "key": pa.array(list(groups.groups), table["key"].type),
            "n": [each.tolist() for _, each in groups],
        }
    )


def total(table):
    return sum(table["n"].to_pylist())


def add(one, other):
    return one + other


def square(n):
    time.sleep(0.01 * (n % 3))
    return n * n


@pytest.fixture(scope="session", params=ENGINES)
def engine(request):
    if request.param == "ray" and find_spec("ray") is None:
        pytest.skip("ray is not installed: pip install 'curate[ray]'")
    chosen = choose(request.param, 2)
    yield chosen
    chosen.close()


@pytest.fixture
def shards(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    for n in range(6):
        pq.write_table(pa.table({"n": [n, n]}), source / f"{n:05}.parquet")
    return sorted(source.iterdir()), target


def rows(folder):
    return [pq.read_table(path)["n"].to_pylist() for path in sorted(folder.glob("*.parquet"))]


DOUBLED = [[2 * n, 2 * n] for n in range(6)]


# ── the contract


def test_each_item_once_whatever_the_order(engine):
    found = list(engine.each(square, range(20)))
    assert sorted(found) == [(n, n * n) for n in range(20)]
    assert list(engine.each(square, [])) == []


def test_map_makes_the_same_everywhere(engine, shards):
    source, target = shards
    told = []
    engine.map(double, source, target, told.append)
    assert rows(target) == DOUBLED
    assert sum(told) == 12


def test_what_is_there_is_left_alone(engine, shards):
    source, target = shards
    pq.write_table(pa.table({"n": [99]}), target / source[0].name)
    engine.map(double, source, target, lambda n: None)
    assert rows(target) == [[99], *DOUBLED[1:]]


def test_an_error_comes_back_as_it_was(engine, shards):
    source, target = shards
    with pytest.raises(CurateError, match="cannot do") as caught:
        engine.map(picky, source, target, lambda n: None)
    assert caught.value.hint == "leave it"
    engine.map(double, source, target, lambda n: None)
    assert rows(target) == DOUBLED


def test_a_worker_killed_in_mid_run_neither_loses_nor_doubles_a_row(engine, shards, tmp_path):
    source, target = shards
    told = []
    engine.map(partial(deadly_once, str(tmp_path / "scar")), source, target, told.append)
    assert (tmp_path / "scar").exists()
    assert rows(target) == DOUBLED
    assert sum(told) == 12


def test_a_bad_row_is_marked_and_kills_no_shard(engine, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    for start in (0, 10):
        numbers = list(range(start, start + 10))
        pq.write_table(pa.table({"n": numbers}), source / f"{start:05}.parquet")
    engine.map(Marking(stumbling, marked), sorted(source.iterdir()), target, lambda n: None)
    first, second = (pq.read_table(path) for path in sorted(target.iterdir()))
    assert first["n"].to_pylist() == list(range(10))
    assert first["problem"].to_pylist() == [None] * 7 + ["ZeroDivisionError: seven"] + [None] * 2
    assert second["problem"].null_count == 10


KEYS = {
    "numbers": lambda n: pa.array(n % 17, pa.uint64()),
    "strings": lambda n: pa.array([f"key {k}" for k in n % 17]),
    "hashes": lambda n: pa.array([bytes([k]) * 16 for k in n % 17], pa.binary(16)),
}


@pytest.fixture(params=KEYS)
def keyed(request, tmp_path):
    """Shards of rows whose keys stand in all of them, and what belongs to each key."""
    source = tmp_path / "keyed"
    source.mkdir()
    expected = {}
    for part in range(5):
        numbers = np.arange(40) + 40 * part
        keys = KEYS[request.param](numbers)
        pq.write_table(pa.table({"key": keys, "n": numbers}), source / f"{part:05}.parquet")
        for key, n in zip(keys.to_pylist(), numbers.tolist(), strict=True):
            expected.setdefault(key, []).append(n)
    return sorted(source.iterdir()), expected


@pytest.mark.parametrize("buckets", [1, 4, 40])
def test_all_rows_of_a_key_meet_in_the_order_of_the_sources(engine, keyed, tmp_path, buckets):
    source, expected = keyed
    made = engine.shuffle(counted, source, tmp_path / "met", key="key", buckets=buckets)
    assert len(made) == buckets
    found = [row for path in made for row in pq.read_table(path).to_pylist()]
    assert {row["key"]: row["n"] for row in found} == expected
    assert len(found) == len(expected)
    assert not (tmp_path / "met" / "_spill").exists()


def test_sources_that_share_a_file_come_in_their_order(keyed, tmp_path, monkeypatch):
    source, expected = keyed
    monkeypatch.setattr(bulk, "SPILLS", 2)
    made = Local(1).shuffle(counted, source, tmp_path / "met", key="key", buckets=4)
    found = [row for path in made for row in pq.read_table(path).to_pylist()]
    assert {row["key"]: row["n"] for row in found} == expected


def test_a_shuffle_goes_on_where_it_stopped(engine, keyed, tmp_path):
    source, expected = keyed
    target = tmp_path / "met"
    with pytest.raises(CurateError):
        engine.shuffle(picky, source, target, key="key", buckets=4)
    spilled = {path: path.stat().st_mtime_ns for path in (target / "_spill").iterdir()}
    assert len(spilled) == 5
    one = pa.table({"key": pq.read_table(source[0])["key"][:0], "n": pa.array([], pa.int64())})
    pq.write_table(one, target / "00001.parquet")
    made = engine.shuffle(counted, source, target, key="key", buckets=4)
    found = [row for path in made for row in pq.read_table(path).to_pylist()]
    assert 0 < len(found) < len(expected)  # the bucket that was there was left alone
    assert all(expected[row["key"]] == row["n"] for row in found)


def test_sums(engine, shards):
    source, _ = shards
    assert engine.reduce(total, source, add) == 30
    assert engine.reduce(total, [], add) is None


def test_engines_write_the_same_bytes(engine, keyed, tmp_path):
    source, _ = keyed
    own = engine.shuffle(counted, source, tmp_path / "own", key="key", buckets=3)
    alone = Local(1).shuffle(counted, source, tmp_path / "alone", key="key", buckets=3)
    assert [p.read_bytes() for p in own] == [p.read_bytes() for p in alone]


# ── what belongs to one engine


def test_one_worker_is_this_process(shards):
    source, target = shards
    Local(1).map(double, source, target, lambda n: None)
    assert rows(target) == DOUBLED


def test_a_shard_that_always_kills_is_told_and_the_rest_is_kept(shards):
    source, target = shards
    local = Local(2)
    with pytest.raises(CurateError, match="a worker process died"):
        local.map(deadly, source, target, lambda n: None)
    assert all(row != [8, 8] for row in rows(target))
    local.map(double, source, target, lambda n: None)
    assert rows(target) == DOUBLED
    local.close()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc's heap")
def test_memory_of_what_is_done_is_given_back():
    """Each piece of work leaves something small behind at the end of the heap."""

    def hoard(n):
        blocks = [bytearray(b"x" * 100_000) for _ in range(2000)]
        left.append(bytearray(120_000))  # larger than any gap
        return len(blocks)

    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    left = []
    list(Local(1).each(square, [1]))  # with all that is imported for it
    before = resident()
    assert [n for _, n in Local(1).each(hoard, range(3))] == [2000] * 3
    assert resident() - before < 50e6


def test_an_engine_that_is_none():
    with pytest.raises(RecipeError, match="no engine named spark"):
        choose("spark")
    assert choose().workers >= 1


def test_ray_tells_that_it_is_missing(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(CurateError, match="needs the package ray") as caught:
        choose("ray")
    assert "curate[ray]" in caught.value.hint


@given(st.lists(st.integers(0, 2**64 - 1), max_size=50), st.integers(1, 9))
def test_equal_keys_share_a_bucket(keys, buckets):
    once = bucket_of(pa.array(keys, pa.uint64()), buckets)
    again = bucket_of(pa.array(keys[::-1], pa.uint64()), buckets)[::-1]
    assert once.tolist() == again.tolist()
    assert all(0 <= place < buckets for place in once)


def test_buckets_fill_evenly():
    for keys in (np.arange(10_000), np.arange(10_000) << 20, np.arange(10_000) << 50):
        sizes = np.bincount(bucket_of(pa.array(keys.astype(np.uint64)), 16), minlength=16)
        assert sizes.min() > 400
    assert buckets_for(0) == buckets_for(1) == 1
    assert buckets_for(5_000_000) == 20
    assert buckets_for(5_000_000, width=120) == 58


def of_pandas(number):
    """Whether arrays have loaded pandas, and then what a frame and a series become."""
    array = pa.array([number])
    pa.table({"a": np.arange(3), "b": pc.add(array, 1).take([0, 0, 0])})
    is_loaded = "pandas" in sys.modules
    frame = pa.table({"a": [0.5, None]}).to_pandas()
    return is_loaded, pa.array(frame["a"]).to_pylist(), pa.Table.from_pandas(frame).to_pylist()


def of_worker(_):
    """Return what tells a worker from others: its parent, what it has loaded, its variables."""
    loaded = {name for name in sys.modules if name in (__name__, "numpy")}
    return os.getppid(), loaded, os.environ.get("SAID"), os.environ["OPENBLAS_NUM_THREADS"]


def test_workers_are_forks_of_a_process_that_is_not_this_one(monkeypatch):
    """A fork of this one can deadlock. What the variables say now holds, not at the first start."""
    parents = set()
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    for said in ("this", "that"):
        monkeypatch.setenv("SAID", said)
        engine = Local(2)
        for _, (parent, *facts) in engine.each(of_worker, range(4)):
            assert facts == [{__name__, "numpy"}, said, "1"]
            parents.add(parent)
        engine.close()
    assert len(parents) == 1
    assert parents != {os.getpid()}


LONG = """
import sys, tempfile
from pathlib import Path
from curate.engine import Local
if __name__ == "__main__":
    tempfile.tempdir = sys.argv[1]
    print([value for _, value in sorted(Local(2).each(abs, [-1, -2, -3]))])
"""


def test_workers_start_also_where_no_socket_can_be_made(tmp_path):
    """The name of a socket has at most some hundred bytes."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    script = tmp_path / "script.py"
    script.write_text(LONG)
    ended = subprocess.run([sys.executable, script, folder], capture_output=True, text=True)
    assert (ended.stdout, ended.returncode) == ("[1, 2, 3]\n", 0), ended.stderr


ALONE = """
from curate.engine import Local
from tests.test_engine import of_pandas
print(*(made for _, made in Local(2).each(of_pandas, range(2))), sep="\\n")
"""


FAILING = """
import sys
if "multiprocessing" in " ".join(sys.orig_argv):
    raise ValueError("not in a worker")
def same(value):
    return value
"""

ASKED = """
import failing
from curate.engine import Local
from curate.errors import CurateError
try:
    list(Local(2).each(failing.same, [1, 2, 3]))
except CurateError as error:
    print(error)
"""


def test_code_that_no_worker_can_load_is_told(tmp_path):
    (tmp_path / "failing.py").write_text(FAILING)
    command = [sys.executable, "-c", ASKED]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert told.stdout.startswith("a worker process died")


def test_workers_load_pandas_where_a_frame_is_asked_for():
    """In a process of its own: workers have what the process of which they are forks loaded."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", ALONE]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    made = (False, [0.5, None], [{"a": 0.5}, {"a": None}])
    assert told.stdout.splitlines() == [str(made)] * 2


def test_results_come_in_order_and_wait_no_longer_than_they_must():
    came = []

    def results():
        for place in (1, 0, 2, 4, 3):
            came.append(place)
            yield place, f"r{place}"

    handed = [(result, list(came)) for result in in_order(results())]
    assert [result for result, _ in handed] == ["r0", "r1", "r2", "r3", "r4"]
    assert [len(before) for _, before in handed] == [2, 2, 3, 5, 5]
