"""The tokens of every source: of candidates, of what was drawn of them, and held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curate.evaluate.choosing import chunks
from curate.tables import by_phase
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Supply:
    """Tokens by source, as the pool counts them.

    `candidates` are there, `drawn` are those of the mixture's copies, with earlier exports; of
    phases the first. `held_out` are those that `clean` keeps of the holdout.
    """

    candidates: Counter[str] = field(default_factory=Counter)
    drawn: Counter[str] = field(default_factory=Counter)
    held_out: Counter[str] = field(default_factory=Counter)
    documents: int = 0

    def joined(self, other: Supply) -> Supply:
        """Those of both."""
        return Supply(
            _sum(self.candidates, other.candidates),
            _sum(self.drawn, other.drawn),
            _sum(self.held_out, other.held_out),
            self.documents + other.documents,
        )

    @property
    def epochs(self) -> Mapping[str, float]:
        """How often a source is read by a model that is trained on the mixture, by source."""
        return {
            source: self.drawn[source] / tokens
            for source, tokens in sorted(self.candidates.items())
            if tokens
        }

    @property
    def shares(self) -> Mapping[str, float]:
        """The share of the mixture that each source has."""
        total = max(1, self.drawn.total())
        return {source: tokens / total for source, tokens in sorted(self.drawn.items())}


def _sum(one: Counter[str], other: Counter[str]) -> Counter[str]:
    both = Counter(one)
    both.update(other)
    return both


@dataclass(frozen=True)
class _Count:
    """Counts the tokens of some shards; `copies` is the column of the copies drawn."""

    copies: str

    def __call__(self, shards: Sequence[DocumentShard]) -> Supply:
        supply = Supply()
        for shard in shards:
            supply = supply.joined(self._of(shard))
        return supply

    def _of(self, shard: DocumentShard) -> Supply:
        import numpy as np
        import pyarrow.compute as pc

        columns = ["kept", "holdout", "source", "tokens", "group", "earlier", self.copies]
        table = shard.read(columns, dropped=True)
        is_candidate = pc.and_(table["kept"], pc.is_valid(table["group"]))
        own = table.filter(is_candidate)
        tokens = own["tokens"].to_numpy().astype(np.int64)
        copies = own[self.copies].to_numpy() + own["earlier"].to_numpy()
        held_out = table.filter(pc.and_(table["kept"], table["holdout"]))
        return Supply(
            _by_source(own["source"], tokens),
            _by_source(own["source"], tokens * copies.astype(np.int64)),
            _by_source(held_out["source"], held_out["tokens"].to_numpy()),
            table.num_rows,
        )


def _by_source(sources: pa.ChunkedArray, amounts: NDArray[np.int64]) -> Counter[str]:
    import pyarrow as pa

    table = pa.table({"source": sources, "amount": pa.array(amounts, pa.int64())})
    sums = table.group_by("source").aggregate([("amount", "sum")])
    pairs = zip(sums["source"].to_pylist(), sums["amount_sum"].to_pylist(), strict=True)
    return Counter(dict(pairs))


def count_supply(workspace: Workspace, shards: Sequence[DocumentShard]) -> Supply:
    """Count the tokens of every source, in one pass over columns without texts."""
    phases = workspace.tables.made("mix").facts.get("phases") or []
    (copies, *_) = by_phase("copies", [str(phase["name"]) for phase in phases])
    parts = list(chunks(shards, 8 * workspace.engine.workers))
    supply = Supply()
    with workspace.watch("counting tokens", workspace.tables.rows("clean")) as advance:
        for _, part in workspace.engine.each(_Count(copies), parts):
            supply = supply.joined(part)
            advance(part.documents)
    return supply
