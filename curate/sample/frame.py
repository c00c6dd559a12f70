"""The sampling frame: the documents that can be sent, folded over the shards.

Documents are drawn by noise from hash(id, seed, round): the smallest come first. So a shard keeps
no more than the wanted number of its documents, and neither shards nor the order of rows change the
draw. What a strategy wants most is kept the same way, by its values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from curate import chance
from curate.embed import VectorShard
from curate.engine import in_order
from curate.mixture.groups import grouped, name_of
from curate.sample.candidates import Candidates
from curate.sample.strategies.strategy import Part, Value
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

Item = tuple[int, DocumentShard, VectorShard | None]
"""A shard to read: its place, its documents, and their vectors where they are needed."""


@dataclass(frozen=True, order=True)
class Candidate:
    """A document that can be drawn, its stratum, and its noise in (0, 1)."""

    noise: float
    id: str
    stratum: str


@dataclass(frozen=True)
class Seen:
    """A document that earlier rounds sent: its stratum, place, and predicted probabilities."""

    stratum: str
    shard: int
    row: int
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Frame:
    """The documents that can be sent, by stratum, and those that come first.

    `sizes` counts them by stratum. `first` come first by noise, `best` are those that a strategy
    wants most. `sums` holds, by stratum, the number, sum and sum of squares of tokens, of qualities
    and of each probability: columns x 3. `seen` are the documents of earlier rounds, by id.
    """

    sizes: Counter[str] = field(default_factory=Counter)
    first: tuple[Candidate, ...] = ()
    best: Candidates = field(default_factory=Candidates.none)
    sums: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)

    @property
    def documents(self) -> int:
        """The number of documents in the frame."""
        return self.sizes.total()

    def joined(self, other: Frame, n: int, by_stratum: bool, most: int = 0) -> Frame:
        """Both frames together, with the first n candidates (of each stratum on request)."""
        candidates = sorted((*self.first, *other.first))
        sums = dict(self.sums)
        for name, own in other.sums.items():
            sums[name] = sums[name] + own if name in sums else own
        return Frame(
            self.sizes + other.sizes,
            tuple(_first(candidates, n, by_stratum)),
            self.best.joined(other.best, most),
            sums,
            self.seen | other.seen,
        )


def _first(candidates: Iterable[Candidate], n: int, by_stratum: bool) -> Iterable[Candidate]:
    taken: Counter[str] = Counter()
    for candidate in candidates:
        cell = candidate.stratum if by_stratum else ""
        taken[cell] += 1
        if taken[cell] <= n:
            yield candidate


@dataclass(frozen=True)
class Scan:
    """Reads the frame of one shard: kept documents, not held out and in no earlier round.

    A stratum is the values of the columns `by`, joined by `/`; a null is `unknown`. `columns` hold
    the probabilities of a question, as `scores` has them. The `most` documents with the largest
    `value` are kept as a strategy's candidates.
    """

    by: tuple[str, ...]
    sent: frozenset[str]
    seed: int
    purpose: str
    n: int
    by_stratum: bool
    columns: tuple[str, ...] = ()
    has_quality: bool = False
    value: Value | None = None
    most: int = 0

    def __call__(self, item: Item) -> Frame:
        """The frame of a shard."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        place, shard, vectors = item
        quality = ["quality"] if self.has_quality else []
        names = ["id", "holdout", "tokens", *self.by, *self.columns, *quality]
        table = shard.read(list(dict.fromkeys(names)))
        sent = pc.is_in(table["id"], pa.array(sorted(self.sent), pa.string()))
        able = pc.invert(pc.or_(table["holdout"], sent))
        seen = self._seen(place, table, sent)
        rows = np.flatnonzero(able.to_numpy())
        table = table.filter(able)
        groups, numbers = grouped(table, self.by)
        strata = [name_of(values) for values in groups]
        ids, probabilities = table["id"].to_pylist(), _probabilities(table, self.columns)
        sizes = np.bincount(numbers, minlength=len(strata))
        part = Part(ids, rows, probabilities, vectors)
        measured = _matrix(table, ("tokens", *quality, *self.columns))
        return Frame(
            Counter(dict(zip(strata, sizes.tolist(), strict=True))),
            self._first(ids, numbers, strata),
            self._best(place, part),
            dict(zip(strata, _sums(measured, numbers, len(strata)), strict=True)),
            seen,
        )

    def _first(
        self, ids: Sequence[str], numbers: NDArray[np.int64], strata: Sequence[str]
    ) -> tuple[Candidate, ...]:
        """The first n by noise, of each stratum on request."""
        import numpy as np

        noise = chance.uniform(ids, self.seed, self.purpose)
        cells = numbers if self.by_stratum else np.zeros_like(numbers)
        order = np.lexsort((noise, cells))
        ranks = np.arange(len(order)) - np.searchsorted(cells[order], cells[order])
        rows = order[ranks < self.n].tolist()
        return tuple(
            sorted(Candidate(float(noise[row]), ids[row], strata[numbers[row]]) for row in rows)
        )

    def _best(self, place: int, part: Part) -> Candidates:
        """The documents that the strategy wants most."""
        import numpy as np

        if self.value is None or not part.ids:
            return Candidates.none()
        values = self.value(part)
        own = Candidates(
            np.array(part.ids), values, np.full(len(values), place, np.int64), part.rows
        )
        return own.take(~np.isnan(values)).best(self.most)

    def _seen(self, place: int, table: pa.Table, sent: pa.ChunkedArray) -> dict[str, Seen]:
        """The documents of the shard that earlier rounds sent."""
        import numpy as np

        rows = np.flatnonzero(sent.to_numpy())
        table = table.filter(sent)
        groups, numbers = grouped(table, self.by)
        probabilities = _probabilities(table, self.columns).tolist()
        places = zip(table["id"].to_pylist(), numbers, rows.tolist(), probabilities, strict=True)
        return {
            id: Seen(name_of(groups[number]), place, row, tuple(own))
            for id, number, row, own in places
        }


def _probabilities(table: pa.Table, names: Sequence[str]) -> NDArray[np.float64]:
    """The probability of each value: documents x values. One column is that of the first of two."""
    import numpy as np

    columns = _matrix(table, names)
    return np.hstack([columns, 1 - columns]) if columns.shape[1] == 1 else columns


def _matrix(table: pa.Table, names: Sequence[str]) -> NDArray[np.float64]:
    """Columns side by side, null as NaN: documents x columns."""
    import numpy as np

    columns = [table[name].to_numpy().astype(np.float64) for name in names]
    return np.stack(columns, axis=1) if columns else np.zeros((table.num_rows, 0))


def _sums(
    values: NDArray[np.float64], numbers: NDArray[np.int64], strata: int
) -> NDArray[np.float64]:
    """Number, sum and sum of squares of the known values of each stratum: strata x columns x 3."""
    import numpy as np

    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    powers = (known.astype(np.float64), filled, filled**2)
    count = partial(np.bincount, numbers, minlength=strata)
    sums = [
        [count(weights=power[:, column]) for power in powers] for column in range(len(values.T))
    ]
    return np.array(sums).reshape(values.shape[1], 3, strata).transpose(2, 0, 1)


def read_frame(workspace: Workspace, scan: Scan, items: Sequence[Item]) -> Frame:
    """The frame that a scan finds in all shards."""
    whole = Frame()
    with workspace.watch("reading the frame", len(items)) as advance:
        for part in in_order(workspace.engine.each(scan, items)):
            whole = whole.joined(part, scan.n, scan.by_stratum, scan.most)
            advance(1)
    return whole


def sent_before(workspace: Workspace) -> frozenset[str]:
    """The documents of earlier rounds. Those of a round closed before it was sent count again."""
    rounds = [
        round_ for round_ in workspace.rounds.all() if not (round_.closed and round_.push is None)
    ]
    return frozenset(id for round_ in rounds for ids in round_.documents().values() for id in ids)


def read_vectors(
    workspace: Workspace, items: Sequence[Item], places: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The unit vectors of documents, each at a row of the shard at a place: documents x dimension.

    A vector that is not finite is one of zeros.
    """
    import numpy as np

    shards = np.unique(places)
    parts = [(items[place][2], rows[places == place]) for place in shards.tolist()]
    found: Any = None
    with workspace.watch("reading vectors of candidates", len(rows)) as advance:
        for place, vectors in workspace.engine.each(_vectors, parts):
            if found is None:
                found = np.zeros((len(rows), vectors.shape[1]), np.float32)
            found[places == shards[place]] = vectors
            advance(len(vectors))
    return np.zeros((0, 0), np.float32) if found is None else found


def _vectors(part: tuple[VectorShard, NDArray[np.int64]]) -> NDArray[np.float32]:
    from curate.sample.candidates import unit

    return unit(part[0].means(part[1]))
