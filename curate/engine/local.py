"""Worker processes on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from curate.engine.bulk import Bulk
from curate.engine.lean import keep_pandas_away
from curate.engine.threads import one_each
from curate.errors import CurateError

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

T = TypeVar("T")
R = TypeVar("R")

OURS = __name__.partition(".")[0]
"""The package whose modules that process may load."""

SEED = "curate.engine.seed"
"""The module that the process imports first of which workers are forks."""

DEATHS = 3
"""The number of worker deaths at which one piece of work gives up."""


class Local(Bulk):
    """Worker processes here, with a bounded number of items in flight."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def each(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yield (place, result) in the order of completion.

        One item, or one worker, runs in this process.
        """
        _give_back()
        if min(len(items), self.workers) < 2:
            for place, item in enumerate(items):
                yield place, _run(function, item)
            return
        open_places = dict(enumerate(items))
        deaths = 0
        while open_places:
            try:
                for place, result in self._in_processes(function, dict(open_places)):
                    del open_places[place]
                    yield place, result
            except BrokenProcessPool:
                self.close()
                deaths += 1
                if deaths >= DEATHS:
                    raise CurateError(
                        f"a worker process died, {deaths} times, perhaps because memory ran out",
                        hint="run the same command again: finished shards are kept "
                        "(fewer --workers help)",
                    ) from None

    def _in_processes(
        self, function: Callable[[T], R], items: dict[int, T]
    ) -> Iterator[tuple[int, R]]:
        pool = self._workers(function)
        running: dict[Future[R], int] = {}
        waiting = list(items)[::-1]
        try:
            while waiting or running:
                while waiting and len(running) < 2 * self.workers:
                    place = waiting.pop()
                    running[pool.submit(_run, function, items[place])] = place
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            if running:  # after an error, or if the caller stops early
                for future in running:
                    future.cancel()
                wait(running)

    def _workers(self, function: Callable[..., Any]) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.workers,
                mp_context=_context(_modules(function)),
                initializer=_begin,
                initargs=(dict(os.environ),),
            )
        return self._pool

    def close(self) -> None:
        """End the worker processes; the next work starts them again."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the processes: they cannot be pickled."""
        return {"workers": self.workers, "_pool": None}


def _context(modules: Iterable[str]) -> BaseContext:
    """How workers start: as forks of a process that has loaded these modules, and computes nothing.

    A fork of this process can deadlock: Arrow and torch have threads. To load all anew in every
    worker takes a third of a second and 30 MB each; so it is done only where forks are impossible,
    as with a folder for temporary files whose name is too long for a socket.
    """
    from multiprocessing import forkserver, get_context

    forks = get_context("forkserver")
    forks.set_forkserver_preload([SEED, *modules])
    try:
        forkserver.ensure_running()
    except OSError:
        return get_context("spawn")
    return forks


def _modules(function: Callable[..., Any]) -> list[str]:
    """Our modules of a function, and of functions that it is given.

    The code of others may fail where it is loaded: in a worker that is told, here it is not.
    """
    if not isinstance(function, partial):
        name = function.__module__
        return [name] if name.partition(".")[0] == OURS else []
    parts = (function.func, *function.args, *function.keywords.values())
    return [name for part in parts if callable(part) for name in _modules(part)]


def _begin(environment: Mapping[str, str]) -> None:
    """Give a worker the variables of its parent, and one thread for each library."""
    os.environ.clear()
    os.environ.update(environment)
    one_each()
    import pyarrow as pa

    Thread(target=_end_with_parent, daemon=True).start()
    keep_pandas_away()
    _give_back()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


def _run(function: Callable[[T], R], item: T) -> R:
    try:
        return function(item)
    finally:
        _give_back()


def _give_back() -> None:
    """Return free memory to the system: else a process stays as large as it ever was.

    Arrow's own allocator keeps it. The system's allocator keeps all but the end of its heap,
    unless it is asked.
    """
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    pa.default_memory_pool().release_unused()


def _end_with_parent() -> None:
    """End this worker when its parent process ends, also after a kill."""
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
