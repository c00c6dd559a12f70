"""The protocol of an engine, and the choice of an engine by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from curate.engine.bulk import Load, Transform
from curate.engine.local import Local
from curate.names import unknown
from curate.progress import Advance

T = TypeVar("T")
R = TypeVar("R")


class Engine(Protocol):
    """Runs pure functions over many shards. Functions and items are pickled."""

    workers: int

    def each(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yield (place of the item, result of `function`), in the order of completion.

        Results travel between processes and should be small. A CurateError of a worker is raised
        here unchanged. An item whose worker died is tried again.
        """
        ...

    def map(
        self,
        function: Transform,
        source: Sequence[Path],
        target: Path,
        advance: Advance = ...,
        *,
        load: Load = ...,
    ) -> None:
        """Write `function(shard)` under the shard's name into `target`.

        Existing shards are left alone, so an interrupted map goes on. `advance` gets the number of
        rows of every shard that is done.
        """
        ...

    def shuffle(
        self,
        function: Transform,
        source: Sequence[Any],
        target: Path,
        *,
        key: str,
        buckets: int,
        load: Load = ...,
        advance: Advance = ...,
    ) -> list[Path]:
        """Bring all rows of one `key` together; return the shards that `function` made of them.

        The rows are `load(item)` of every source. `function` gets one bucket of keys at a time,
        with its rows in the order of the sources; a worker holds one bucket in memory. Keys are
        integers, binary hashes or strings. Rows should hold ids and hashes, never text: they are
        spilled to disk and read once.
        """
        ...

    def reduce(
        self, function: Callable[[Any], R], source: Sequence[Path], add: Callable[[R, R], R]
    ) -> R | None:
        """Add up `function(shard)` with `add`, in the order of the shards; None without shards.

        It is for small sums: counts and histograms.
        """
        ...

    def close(self) -> None:
        """Let go of the workers; the next work starts them again."""
        ...


ENGINES = ("local", "ray")


def choose(name: str | None = None, workers: int | None = None) -> Engine:
    """The engine of that name, local by default. Raises RecipeError for an unknown name."""
    if name in (None, "local"):
        return Local(workers)
    if name == "ray":
        from curate.engine.on_ray import OnRay

        return OnRay(workers)
    raise unknown(f"no engine named {name}", name, ENGINES)
