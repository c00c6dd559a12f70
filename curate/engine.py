"""How bulk work runs: worker processes on this machine. Nothing else knows.

Stages hand over pure functions `pa.Table -> pa.Table` and folders of Parquet shards, so that a
distributed engine can take the same functions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from curate.errors import CurateError
from curate.storage import write_parquet

if TYPE_CHECKING:
    import pyarrow as pa

Transform = Callable[["pa.Table"], "pa.Table"]
Advance = Callable[[int], None]


class Engine(Protocol):
    """Runs a pure function over every shard of a table."""

    def map(
        self, function: Transform, source: Sequence[Path], target: Path, advance: Advance
    ) -> None:
        """Write `function(shard)` under the shard's name into `target`.

        Shards that are there already are left alone, so that an interrupted map goes on.
        `advance` is told the rows of each shard done. `function` is pickled.
        """
        ...


class Local:
    """Worker processes here, with a bounded number of shards in flight."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1

    def map(
        self, function: Transform, source: Sequence[Path], target: Path, advance: Advance
    ) -> None:
        todo = [path for path in source if not (target / path.name).exists()]
        work = partial(_map_shard, function, target)
        if min(len(todo), self.workers) < 2:
            for path in todo:
                advance(work(path))
            return
        try:
            self._in_processes(work, todo, advance)
        except BrokenProcessPool:
            raise CurateError(
                "a worker process died, perhaps for want of memory",
                hint="run the same command again: finished shards are kept (fewer workers help)",
            ) from None

    def _in_processes(
        self, work: Callable[[Path], int], todo: Sequence[Path], advance: Advance
    ) -> None:
        from multiprocessing import get_context

        # spawn: forking a process that already runs Arrow's or torch's threads can deadlock.
        workers = min(self.workers, len(todo))
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            running: set[Future[int]] = set()
            for path in todo:
                if len(running) >= 2 * workers:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        advance(future.result())
                running.add(pool.submit(work, path))
            for future in running:
                advance(future.result())


def _map_shard(function: Transform, target: Path, path: Path) -> int:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    write_parquet(target / path.name, function(table))
    return int(table.num_rows)
