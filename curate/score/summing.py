"""Sums of qualities by source: how they differ, and where they hardly do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from curate.mixture.groups import Facts, grouped, name_of
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Summed:
    """Facts of the qualities by source, and how many documents abstained."""

    by_source: Mapping[str, Facts] = field(default_factory=dict)
    abstained: int = 0

    @staticmethod
    def of(shard: DocumentShard, scores: pa.Table) -> Summed:
        """Those of a shard, from the columns quality and abstained of its scores."""
        import numpy as np

        names, numbers = grouped(shard.read(["source"]), ("source",))
        quality = np.asarray(scores["quality"].to_numpy(zero_copy_only=False), np.float64)
        ones = np.ones(len(quality), np.int64)
        by_source = {
            name_of(values): Facts.of(ones[numbers == number], quality[numbers == number])
            for number, values in enumerate(names)
        }
        return Summed(by_source, int(scores["abstained"].to_numpy(zero_copy_only=False).sum()))

    def __add__(self, other: Summed) -> Summed:
        """The sums of both."""
        names = [*self.by_source, *(name for name in other.by_source if name not in self.by_source)]
        nothing = Facts()
        joined = {
            name: self.by_source.get(name, nothing).joined(other.by_source.get(name, nothing))
            for name in names
        }
        return Summed(joined, self.abstained + other.abstained)

    @property
    def documents(self) -> int:
        """The number of documents."""
        return sum(facts.documents for facts in self.by_source.values())

    def mean(self) -> float | None:
        """The mean quality of all documents; None without any."""
        known = sum(facts.known for facts in self.by_source.values())
        total = sum(facts.known * facts.mean for facts in self.by_source.values())
        return total / known if known else None
