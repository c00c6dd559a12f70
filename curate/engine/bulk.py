"""The work that is the same in every engine: map, shuffle and reduce over files, on `each`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from curate.engine import shuffling
from curate.errors import CurateError
from curate.progress import Advance
from curate.storage import read_parquet, write_parquet

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
R = TypeVar("R")

Transform = Callable[["pa.Table"], "pa.Table"]
Load = Callable[[Any], "pa.Table"]

BUCKET_BYTES = 10 << 20
"""The usual size of a bucket; a worker that sorts one needs a few times as much memory."""

SPILLS = 512
"""The most files that a shuffle spills to, and so the most that one bucket has to open."""


def buckets_for(rows: int, width: int = 40) -> int:
    """The number of buckets for a shuffle of so many rows, each about `width` bytes long."""
    return max(1, -(-rows * width // BUCKET_BYTES))


def read_shard(path: Path) -> pa.Table:
    """The table of one shard."""
    return read_parquet(path)


def _quiet(n: int) -> None:
    return None


@dataclass(frozen=True)
class Marking:
    """`function`, except that a row on which it fails goes to `mark(row, reason)`.

    One bad row is then marked, and its shard goes on. Errors for people (CurateError) and
    MemoryError are not a row's fault: they are raised.
    """

    function: Transform
    mark: Callable[[pa.Table, str], pa.Table]

    def __call__(self, table: pa.Table) -> pa.Table:
        """Apply `function` to the table; on an error halve it, down to the rows that fail."""
        import pyarrow as pa

        try:
            return self.function(table)
        except (CurateError, MemoryError):
            raise
        except Exception as error:
            if table.num_rows <= 1:
                return self.mark(table, f"{type(error).__name__}: {error}")
            half = table.num_rows // 2
            return pa.concat_tables([self(table.slice(0, half)), self(table.slice(half))])


class Bulk:
    """The part of an engine that does not depend on where its workers are."""

    workers: int

    def each(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yield (place, result) in the order of completion; see `Engine`."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the workers."""

    def map(
        self,
        function: Transform,
        source: Sequence[Path],
        target: Path,
        advance: Advance = _quiet,
        *,
        load: Load = read_shard,
    ) -> None:
        """Write `function(shard)` for every missing shard; see `Engine`."""
        todo = [path for path in source if not (target / path.name).exists()]
        for _, rows in self.each(partial(_map_shard, function, load, target), todo):
            advance(rows)

    def shuffle(
        self,
        function: Transform,
        source: Sequence[Any],
        target: Path,
        *,
        key: str,
        buckets: int,
        load: Load = read_shard,
        advance: Advance = _quiet,
    ) -> list[Path]:
        """Partition into buckets on disk, then process bucket by bucket; see `Engine`."""
        shards = [target / f"{bucket:05}.parquet" for bucket in range(buckets)]
        todo = [bucket for bucket, path in enumerate(shards) if not path.exists()]
        if todo and source:
            spill = target / "_spill"
            spill.mkdir(parents=True, exist_ok=True)
            size = -(-len(source) // SPILLS)
            chunks = [source[start : start + size] for start in range(0, len(source), size)]
            files = [spill / f"{number:05}.arrow" for number in range(len(chunks))]
            work = partial(shuffling.spill, load=load, key=key, buckets=buckets)
            for _, rows in self.each(work, list(zip(chunks, files, strict=True))):
                advance(rows)
            settle = partial(shuffling.settle, function, files, target, buckets)
            for _ in self.each(settle, todo):
                pass
            shutil.rmtree(spill)
        return shards if source else []

    def reduce(
        self, function: Callable[[Any], R], source: Sequence[Path], add: Callable[[R, R], R]
    ) -> R | None:
        """Add up the results of `function` in the order of the shards; see `Engine`."""
        total: R | None = None
        for result in in_order(self.each(partial(_of_shard, function), source)):
            total = result if total is None else add(total, result)
        return total


def in_order(results: Iterable[tuple[int, R]]) -> Iterator[R]:
    """Yield results by their place, each as soon as all before it are there.

    Only results that wait for an earlier one are held.
    """
    waiting: dict[int, R] = {}
    following = 0
    for place, result in results:
        waiting[place] = result
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def _map_shard(function: Transform, load: Load, target: Path, path: Path) -> int:
    table = load(path)
    write_parquet(target / path.name, function(table))
    return int(table.num_rows)


def _of_shard(function: Callable[[Any], R], path: Path) -> R:
    return function(read_shard(path))
