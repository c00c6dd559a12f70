"""The order of an export's lines, in memory that does not depend on their number.

Lines stand in the order of their parts, then of their times (see `spreading`; those of a part by
group, and of the holdout, in the order of hash(id, seed)), ties in the order of the pool. Equal
numbers of lines make the shards of a part. Large shards are cut into pieces that fit into memory.
The lines at which pieces begin are exact order statistics of the keys, so the piece of every line
is known before a text is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from curate.mixture.selection import (
    Bins,
    Boundary,
    Rows,
    Target,
    ascending,
    boundaries,
    histogram,
    joined,
    members,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PIECE_BYTES = 16 << 20
"""About the size of a piece; a worker that writes one needs a few times as much memory."""

BYTES_OF_A_TOKEN, BYTES_OF_A_LINE = 4, 300
"""What the text of a line takes, and all the rest of it."""

PLACE_BITS = 40
"""A line's place in the pool is its number in its shard, and above these bits the shard's."""

AT_ONCE = 500
"""So many edges are sought together: a search holds 4 KB for each."""


def line_keys(times: NDArray[np.float64], part: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The keys of lines from times from 0 to 1: the part comes first."""
    import numpy as np

    return ascending(np.minimum(part + times, np.nextafter(part + 1.0, 0.0)))


def key_path(folder: Path, number: int) -> Path:
    """Where the keys of a shard's lines lie: one 64-bit number a line, in pool order."""
    return folder / f"{number:05}.npy"


def read_keys(folder: Path, number: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The keys of the lines of a shard, and their places in the pool."""
    import numpy as np

    keys = np.load(key_path(folder, number))
    return keys, np.arange(len(keys)).astype(np.uint64) + np.uint64(number << PLACE_BITS)


@dataclass(frozen=True)
class Unit:
    """What a worker writes at a time: one shard of some pieces, or one piece of some whole shards.

    `part` is the number of the part, `first` that of the first shard among those of its folder,
    `lines` are those of each shard, `pieces` the numbers of the pieces.
    """

    part: int
    first: int
    lines: tuple[int, ...]
    pieces: range


@dataclass(frozen=True)
class Plan:
    """How the lines are cut: the ranks at which pieces begin, from 0, and the units of work."""

    starts: tuple[int, ...]
    units: tuple[Unit, ...]

    @staticmethod
    def of(parts: Iterable[tuple[int, int, int, int, int]]) -> Plan:
        """The plan for parts one after the other.

        Each is a number, its lines, their tokens, and the number of its first shard, and of shards,
        which are even to one line. A part without lines has none.
        """
        starts: list[int] = []
        units: list[Unit] = []
        before = 0
        for part, lines, tokens, first, shards in parts:
            most = most_lines(lines, tokens)
            cuts = [lines * number // shards for number in range(shards + 1)]
            together = max(1, most // -(-lines // shards)) if lines else 1
            for number in range(0, shards, together):
                ends = cuts[number : number + together + 1]
                sizes = tuple(end - start for start, end in pairwise(ends))
                begins = range(ends[0], ends[-1], max(1, _piece(ends[-1] - ends[0], most)))
                pieces = range(len(starts), len(starts) + len(begins))
                units.append(Unit(part, first + number, sizes, pieces))
                starts += [before + begin for begin in begins]
            before += lines
        return Plan(tuple(starts), tuple(units))


def most_lines(lines: int, tokens: int) -> int:
    """The lines of a piece at most, among so many with so many tokens."""
    mean = BYTES_OF_A_LINE + BYTES_OF_A_TOKEN * tokens / max(1, lines)
    return max(1, int(PIECE_BYTES / mean))


def _piece(lines: int, most: int) -> int:
    """The lines of each of the fewest equal pieces that hold at most so many."""
    return -(-lines // -(-lines // most)) if lines else 1


@dataclass(frozen=True)
class Edges:
    """The keys and the places of the lines at which all pieces but the first begin."""

    keys: NDArray[np.uint64]
    places: NDArray[np.uint64]

    def ends(self, keys: NDArray[np.uint64], places: NDArray[np.uint64]) -> list[int]:
        """Where each piece ends among lines that are in order: one number a piece."""
        import numpy as np

        ends = np.searchsorted(keys, self.keys, "left")
        beyond = np.searchsorted(keys, self.keys, "right")
        for edge in np.flatnonzero(beyond > ends):
            equal = places[ends[edge] : beyond[edge]]
            ends[edge] += np.searchsorted(equal, self.places[edge], "left")
        return [*ends.tolist(), len(keys)]


def find_edges(folder: Path, numbers: Sequence[int], ranks: Sequence[int]) -> Edges:
    """The lines at these ranks, from the keys in a folder, one shard in memory at a time.

    `numbers` are those of the shards.
    """
    import numpy as np

    def count(bins: Bins) -> NDArray[np.int64]:
        total = np.zeros((bins.count, 256, 2), np.int64)
        for number in numbers:
            total += histogram(_rows(folder, number), bins)
        return total

    def gather(bins: Bins) -> Rows:
        return joined([members(_rows(folder, number), bins) for number in numbers])

    edges: list[Boundary | None] = []
    for start in range(0, len(ranks), AT_ONCE):
        targets = [Target(0, rank) for rank in ranks[start : start + AT_ONCE]]
        edges += boundaries(targets, count, gather)
    inner_edges = [edge for edge in edges if edge is not None]
    return Edges(
        np.array([edge.key for edge in inner_edges], np.uint64),
        np.array([edge.tie for edge in inner_edges], np.uint64),
    )


def _rows(folder: Path, number: int) -> Rows:
    """The lines of a shard as rows of one group, each with a weight of 1."""
    import numpy as np

    keys, places = read_keys(folder, number)
    return Rows(np.zeros(len(keys), np.int64), keys, places, np.ones(len(keys), np.int64))
