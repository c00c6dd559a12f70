"""The sampling frame: how many documents can be sent, and those of each shard that come first.

Documents are chosen by noise from hash(id, seed, round): the smallest come first. So a shard needs
to keep no more than the wanted number of its documents, and neither shards nor the order of rows
change the choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curate import chance
from curate.engine import in_order
from curate.mixture.groups import grouped, name_of
from curate.sample.spec import SampleSpec
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, order=True)
class Candidate:
    """A document that can be sent, its stratum, and its noise in (0, 1)."""

    noise: float
    id: str
    stratum: str


@dataclass(frozen=True)
class Frame:
    """The number of documents in each stratum, and the candidates that come first, best first."""

    sizes: Counter[str] = field(default_factory=Counter)
    first: tuple[Candidate, ...] = ()

    @property
    def documents(self) -> int:
        """The number of documents in the frame."""
        return self.sizes.total()

    def joined(self, other: Frame, n: int, by_stratum: bool) -> Frame:
        """Both frames together, with the first n candidates (of each stratum on request)."""
        candidates = sorted((*self.first, *other.first))
        return Frame(self.sizes + other.sizes, tuple(_first(candidates, n, by_stratum)))


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

    A stratum is the values of the columns `by`, joined by `/`; a null is `unknown`.
    """

    by: tuple[str, ...]
    sent: frozenset[str]
    seed: int
    purpose: str
    n: int
    by_stratum: bool

    def __call__(self, shard: DocumentShard) -> Frame:
        """The frame of a shard, with its first candidates."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        table = shard.read(["id", "holdout", *self.by])
        sent = pc.is_in(table["id"], pa.array(sorted(self.sent), pa.string()))
        table = table.filter(pc.invert(pc.or_(table["holdout"], sent)))
        groups, numbers = grouped(table, self.by)
        strata = [name_of(values) for values in groups]
        noise = chance.uniform(table["id"].to_pylist(), self.seed, self.purpose)
        sizes = np.bincount(numbers, minlength=len(strata))
        cells = numbers if self.by_stratum else np.zeros_like(numbers)
        order = np.lexsort((noise, cells))
        ranks = np.arange(len(order)) - np.searchsorted(cells[order], cells[order])
        rows = order[ranks < self.n]
        ids = table["id"].take(rows).to_pylist()
        candidates = (
            Candidate(float(noise[row]), id, strata[numbers[row]])
            for row, id in zip(rows, ids, strict=True)
        )
        counted = Counter(dict(zip(strata, sizes.tolist(), strict=True)))
        return Frame(counted, tuple(sorted(candidates)))


def read_frame(
    workspace: Workspace, spec: SampleSpec, number: int, n: int, by_stratum: bool
) -> Frame:
    """The frame of round `number`, with its first n candidates (of each stratum on request).

    Documents of a round that was closed before it was sent count again.
    """
    unsent = {
        round_.number for round_ in workspace.rounds.all() if round_.closed and round_.push is None
    }
    rounds = (round_ for round_ in workspace.rounds.all() if round_.number not in unsent)
    sent = {id for round_ in rounds for ids in round_.documents().values() for id in ids}
    scan = Scan(spec.by, frozenset(sent), spec.seed, f"sample {number}", n, by_stratum)
    shards = workspace.documents.shards()
    whole = Frame()
    with workspace.watch("reading the frame", len(shards)) as advance:
        for part in in_order(workspace.engine.each(scan, shards)):
            whole = whole.joined(part, n, by_stratum)
            advance(1)
    return whole
