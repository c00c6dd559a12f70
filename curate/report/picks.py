"""The documents that stand for a group: the best, those in the middle, and the worst.

They are the same whatever the shards: of equal qualities the smallest id comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from curate.engine import Engine, in_order
from curate.report.folding import read

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

EACH = 3


class Pick(NamedTuple):
    """A document of a group; `distance` is how far it is from what it stands for."""

    distance: float
    id: str
    quality: float
    copies: int


@dataclass(frozen=True)
class Picks:
    """The documents nearest to the best, the median and the worst quality of a group."""

    best: tuple[Pick, ...] = ()
    middle: tuple[Pick, ...] = ()
    worst: tuple[Pick, ...] = ()

    def joined(self, other: Picks) -> Picks:
        """The nearest of both."""
        return Picks(
            *(
                tuple(nsmallest(EACH, [*one, *another]))
                for one, another in zip(self.sides, other.sides, strict=True)
            )
        )

    @property
    def sides(self) -> tuple[tuple[Pick, ...], ...]:
        """Best, middle, worst."""
        return self.best, self.middle, self.worst


@dataclass(frozen=True)
class Place:
    """A scratch file of `qualities`, the shard of `mix` it was made of, and its groups' numbers."""

    path: Path
    mix: Path
    groups: tuple[int, ...]


def picks(
    engine: Engine, places: Sequence[Place], medians: Mapping[int, float]
) -> dict[int, Picks]:
    """The picks of each group that has a median, by its number."""
    found = dict.fromkeys(medians, Picks())
    for own in in_order(engine.each(_Pick(dict(medians)), places)):
        found |= {group: found[group].joined(other) for group, other in own.items()}
    return found


@dataclass(frozen=True)
class _Pick:
    medians: Mapping[int, float]

    def __call__(self, place: Place) -> dict[int, Picks]:
        """The picks of the groups of one shard."""
        import numpy as np
        import pyarrow as pa

        with pa.memory_map(str(place.path)) as file:
            table = pa.ipc.open_file(file).read_all()
            group, quality, row = (table[name].to_numpy() for name in ("group", "quality", "row"))
        mix = read(place.mix, "id", "copies")
        found = {}
        for number, name in enumerate(place.groups):
            if name in self.medians:
                own = np.flatnonzero(group == number)
                targets = (1.0, self.medians[name], 0.0)
                found[name] = Picks(*(_nearest(mix, row, quality, own, at) for at in targets))
        return found


def _nearest(
    mix: pa.Table,
    row: NDArray[np.int32],
    quality: NDArray[np.float64],
    own: NDArray[np.int64],
    target: float,
) -> tuple[Pick, ...]:
    """The documents of some rows whose quality is nearest to a target."""
    import numpy as np

    distance = np.abs(quality[own] - target)
    if len(own) > EACH:
        limit = np.partition(distance, EACH - 1)[EACH - 1]
        own, distance = own[distance <= limit], distance[distance <= limit]
    documents = mix.take(row[own])
    columns = (distance.tolist(), documents["id"].to_pylist(), quality[own].tolist())
    rows = zip(*columns, documents["copies"].to_pylist(), strict=True)
    return tuple(nsmallest(EACH, (Pick(*values) for values in rows)))
