"""How bulk work runs: worker processes on this machine, or Ray. Nothing else knows.

Stages hand over pure functions and lists of shards. Every engine runs `each` (one function over
picklable items, a bounded number in flight); `map`, `shuffle` and `reduce` are built on it in
`bulk`, over files, so that all engines write the same bytes and all go on where they stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from curate.engine.bulk import Load, Transform
from curate.engine.local import Local
from curate.errors import RecipeError
from curate.progress import Advance

T = TypeVar("T")
R = TypeVar("R")


class Engine(Protocol):
    """Runs pure functions over many shards. Functions and items are pickled."""

    workers: int

    def each(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[tuple[int, R]]:
        """Yield (place of the item, what `function` made of it), in the order of completion.

        What `function` returns should be small: it travels. A CurateError of a worker comes back
        as it was; an item whose worker died is tried again.
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

        Shards that are there already are left alone, so that an interrupted map goes on.
        `advance` is told the rows of each shard done.
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

        Rows are `load(item)` of every source; `function` gets one bucket of keys at a time, its
        rows in the order of the sources, and memory holds no more than that. Keys are integers,
        binaries that are hashes already, or strings. Let rows carry ids and hashes, never text:
        they are spilled to disk and read once.
        """
        ...

    def reduce(
        self, function: Callable[[Any], R], source: Sequence[Path], add: Callable[[R, R], R]
    ) -> R | None:
        """Return the sum by `add`, in the order of the shards, of `function(shard)`; None of none.

        For small sums: counts and histograms.
        """
        ...

    def close(self) -> None:
        """Let go of the workers; the next work starts them again."""
        ...


ENGINES = ("local", "ray")


def choose(name: str | None = None, workers: int | None = None) -> Engine:
    """Return the engine of that name. Raises RecipeError."""
    if name in (None, "local"):
        return Local(workers)
    if name == "ray":
        from curate.engine.on_ray import OnRay

        return OnRay(workers)
    raise RecipeError(f"no engine named {name}", hint=f"there are: {', '.join(ENGINES)}")
