"""Local work: the same rows from any number of workers, and none done twice."""

import os
import signal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.engine import Local
from curate.errors import CurateError


def double(table):
    return pa.table({"n": [2 * n for n in table["n"].to_pylist()]})


def deadly(table):
    if table["n"][0].as_py() == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return double(table)


def picky(table):
    raise CurateError(f"cannot do {table['n'][0].as_py()}", hint="leave it")


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


@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_workers_makes_the_same(shards, workers):
    source, target = shards
    told = []
    Local(workers).map(double, source, target, told.append)
    assert rows(target) == [[2 * n, 2 * n] for n in range(6)]
    assert sum(told) == 12


def test_what_is_there_is_left_alone(shards):
    source, target = shards
    pq.write_table(pa.table({"n": [99]}), target / source[0].name)
    Local(1).map(double, source, target, lambda n: None)
    assert rows(target)[0] == [99]
    assert len(rows(target)) == 6


def test_a_worker_that_dies_loses_nothing_that_was_done(shards):
    source, target = shards
    with pytest.raises(CurateError, match="a worker process died"):
        Local(2).map(deadly, source, target, lambda n: None)
    assert all(row != [8, 8] for row in rows(target))
    Local(2).map(double, source, target, lambda n: None)
    assert rows(target) == [[2 * n, 2 * n] for n in range(6)]


def test_an_error_comes_back_as_it_was(shards):
    source, target = shards
    with pytest.raises(CurateError, match="cannot do"):
        Local(2).map(picky, source, target, lambda n: None)
