"""How much a strategy wants each document: what workers compute, and what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import chance
from curate.errors import DataError
from curate.sample.context import Context
from curate.sample.frame import Item, read_vectors
from curate.sample.strategies.disagreement import Contested
from curate.sample.strategies.strategy import Chosen, Part, Value
from curate.workspace.index import find_rows, keys_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class AtRandom:
    """Candidates drawn at random, by other noise than the documents of the random share."""

    seed: int
    purpose: str

    def __call__(self, part: Part) -> NDArray[np.float64]:
        """The noise of each document."""
        return chance.uniform(part.ids, self.seed, self.purpose)


@dataclass(frozen=True)
class Uncertain:
    """How uncertain the answer is that is predicted for a document; NaN without a prediction."""

    measure: Callable[[NDArray[np.float64]], NDArray[np.float64]]

    def __call__(self, part: Part) -> NDArray[np.float64]:
        """The uncertainty of each document."""
        return self.measure(part.probabilities)


def value_of(context: Context, strategy: Chosen, number: int, items: Sequence[Item]) -> Value:
    """What makes a document a candidate of a strategy in round `number`.

    Raises DataError if the strategy goes by people's disagreement and no labelled text is kept.
    """
    if strategy.measure is not None:
        return Uncertain(strategy.measure)
    if strategy.value == "random":
        return AtRandom(context.spec.seed, f"among {number}")
    import numpy as np

    disagreement = context.disagreement
    ids, shards, rows = places_of(items, disagreement)
    if not ids:
        raise DataError(
            "sample.strategy disagreement: no labelled text is kept", hint="run `curate agree`"
        )
    vectors = read_vectors(context.workspace, items, shards, rows)
    return Contested(vectors, np.array([disagreement[id] for id in ids]))


def places_of(
    items: Sequence[Item], ids: Iterable[str]
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Those of the documents that are kept, by id, with shard and row among the kept ones."""
    import numpy as np
    import pyarrow as pa

    wanted = set(ids)
    keys = keys_of(pa.array(sorted(wanted), pa.string()))
    found = sorted(
        (id, place, row)
        for place, shard, _ in items
        for id, row in _kept_rows(shard.read, find_rows(shard.clean, keys))
        if id in wanted
    )
    places = np.array([place for _, place, _ in found], np.int64)
    return [id for id, *_ in found], places, np.array([row for *_, row in found], np.int64)


def _kept_rows(read: Callable[..., pa.Table], rows: NDArray[np.int64]) -> Iterable[tuple[str, int]]:
    """The ids at rows of a shard, and their rows among the kept documents."""
    import numpy as np

    if not len(rows):
        return ()
    table = read(["id", "kept"], dropped=True)
    kept = table["kept"].to_numpy()
    among = (np.cumsum(kept) - 1)[rows]
    ids = table["id"].take(rows).to_pylist()
    own = zip(ids, among.tolist(), kept[rows].tolist(), strict=True)
    return [(id, row) for id, row, is_kept in own if is_kept]
