"""The order of an export's lines, in memory that does not depend on their number.

A line is a copy of a document. Lines stand in the order of their phases, then of
hash(id, copy, seed), ties in the order of the pool. Equal numbers of lines make the shards of an
export, none of which holds lines of two phases. Large shards are cut into pieces that fit into
memory. The lines at which pieces begin are exact order statistics of the
keys, so the piece of every line is known before a text is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.mixture.selection import (
    Bins,
    Boundary,
    Rows,
    Target,
    ascending,
    boundaries,
    histogram,
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


def line_keys(noise: NDArray[np.float64], part: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The keys of lines from numbers in the open interval (0, 1): its part comes first."""
    import numpy as np

    return ascending(np.minimum(part + noise, np.nextafter(part + 1.0, 0.0)))


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
    """What a worker writes at a time: the numbers of its pieces, and of its first shard.

    It is one shard of some pieces, or one piece of some whole shards. `phase` is that of its lines.
    """

    first: int
    pieces: range
    phase: str | None = None

    def moved(self, shards: int, pieces: int, phase: str | None) -> Unit:
        """The same unit of a phase, behind so many shards and pieces."""
        after = range(self.pieces.start + pieces, self.pieces.stop + pieces)
        return Unit(self.first + shards, after, phase)


@dataclass(frozen=True)
class Plan:
    """How the lines are cut: the ranks at which pieces begin, from 0, and the units of work."""

    starts: tuple[int, ...]
    units: tuple[Unit, ...]

    @staticmethod
    def of(lines: int, tokens: int, shard_lines: int) -> Plan:
        """The plan for so many lines, with so many tokens, in shards of so many lines."""
        mean = BYTES_OF_A_LINE + BYTES_OF_A_TOKEN * tokens / max(1, lines)
        most = max(1, int(PIECE_BYTES / mean))
        shards = max(1, most // shard_lines)
        step = shards * shard_lines
        size = -(-step // -(-step // most))
        starts: list[int] = []
        units = []
        for number, start in enumerate(range(0, max(1, lines), step)):
            begins = range(start, max(1, min(start + step, lines)), size)
            units.append(Unit(number * shards, range(len(starts), len(starts) + len(begins))))
            starts += begins
        return Plan(tuple(starts), tuple(units))

    @staticmethod
    def of_parts(parts: Iterable[tuple[str | None, int, int]], shard_lines: int) -> Plan:
        """The plan for parts one after the other: the name, the lines and the tokens of each.

        No shard has lines of two parts; a part without lines has none.
        """
        starts: list[int] = []
        units: list[Unit] = []
        before = shards = 0
        for name, lines, tokens in parts:
            if lines:
                own = Plan.of(lines, tokens, shard_lines)
                units += [unit.moved(shards, len(starts), name) for unit in own.units]
                starts += [before + start for start in own.starts]
                before, shards = before + lines, shards + -(-lines // shard_lines)
        return Plan(tuple(starts), tuple(units))


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

    def gather(bins: Bins) -> tuple[Rows, NDArray[np.int64]]:
        parts = [members(_rows(folder, number), bins) for number in numbers]
        columns = zip(*(_columns(part) for part, _ in parts), strict=True)
        rows = Rows(*map(np.concatenate, columns))
        return rows, np.concatenate([own for _, own in parts])

    edges: list[Boundary | None] = []
    for start in range(0, len(ranks), AT_ONCE):
        targets = [Target(0, rank) for rank in ranks[start : start + AT_ONCE]]
        edges += boundaries(targets, 1, count, gather)
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


def _columns(rows: Rows) -> tuple[NDArray[Any], ...]:
    return rows.group, rows.key, rows.tie, rows.weight
