"""The parts of a document that are compared, as they read after its edits."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.names import unknown
from curate.text import TEXT, Edit, apply_edits, spans

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

COLUMNS = ("fields", "template", "turns")
"""The columns of the pool that say which part of a text is which field or turn."""


@dataclass(frozen=True)
class Unit:
    """A part of a canonical text: where it starts there, its edits, and how it reads after them.

    The edits are ranges of the part.
    """

    start: int
    edits: Sequence[Edit]
    text: str

    def home(
        self, starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Ranges of `text` as ranges of the canonical text; as `edits.home`, for many at once."""
        import numpy as np

        if not self.edits:
            return starts + self.start, ends + self.start
        first, last = (np.array([edit[at] for edit in self.edits], np.int64) for at in (0, 1))
        width = np.array([len(edit[2]) for edit in self.edits], np.int64)
        shift = np.cumsum(width - (last - first))
        begin = first + np.concatenate([[0], shift[:-1]])  # where each replacement stands
        at = np.searchsorted(begin, starts, "right") - 1
        inside = (at >= 0) & (starts < (begin + width)[at])
        moved = starts - np.where(at >= 0, shift[at], 0)
        begun = np.where(inside, first[at], moved)
        at = np.searchsorted(begin, ends, "left") - 1
        inside = (at >= 0) & (ends <= (begin + width)[at])
        moved = ends - np.where(at >= 0, shift[at], 0)
        return begun + self.start, np.where(inside, last[at], moved) + self.start


def units(text: str, edits: Sequence[Edit], ranges: Sequence[tuple[int, int]] | None) -> list[Unit]:
    """The parts of a text at `ranges`, which are in order; the whole text for None."""
    if ranges is None:
        return [Unit(0, edits, apply_edits(text, edits) if edits else text)]
    parts = []
    for start, end in ranges:
        own = _inside(edits, start, end)
        parts.append(Unit(start, own, apply_edits(text[start:end], own)))
    return parts


def _inside(edits: Sequence[Edit], start: int, end: int) -> list[Edit]:
    """The edits' parts within a range, as ranges of it."""
    first = bisect_right(edits, start, key=itemgetter(1))
    last = bisect_left(edits, end, key=itemgetter(0))
    return [(max(a, start) - start, min(b, end) - start, new) for a, b, new in edits[first:last]]


def ranges_of(row: Mapping[str, Any], names: Collection[str]) -> list[tuple[int, int]]:
    """Where the fields, or the turns of the roles, of those names stand in the canonical text."""
    if row["turns"]:
        turns = row["turns"]
        return sorted((turn["start"], turn["end"]) for turn in turns if turn["role"] in names)
    if not row["fields"]:
        return [(0, len(row["text"]))] if TEXT in names else []
    fields = {field["name"]: field["text"] for field in row["fields"]}
    places = spans(fields, row["template"])
    return sorted(place for name, place in places.items() if name in names)


def part_names(pool: Path) -> set[str]:
    """The names of all fields, and of the roles of all turns, in a shard of the pool."""
    import pyarrow.compute as pc

    table = storage.read_parquet(pool, ["fields", "turns"])
    names = {TEXT} if table["fields"].null_count else set()
    for column, key in (("fields", "name"), ("turns", "role")):
        parts = pc.list_flatten(table[column].combine_chunks())
        names.update(pc.unique(pc.struct_field(parts, key)).to_pylist())
    return names


def check_fields(pools: Sequence[Path], wanted: Collection[str], where: str) -> None:
    """Raise RecipeError if no document has a part of some name; `where` names the setting."""
    missing, seen = set(wanted), set[str]()
    for pool in pools:
        if not missing:
            return
        names = part_names(pool)
        seen |= names
        missing -= names
    for name in sorted(missing):
        raise unknown(f"{where}: no document has a field or a role {name}", name, sorted(seen))


def compared(
    pool: pa.Table, edits: Sequence[Sequence[Edit]], names: Collection[str]
) -> Iterator[list[Unit]]:
    """Yield the parts of each document, by `text` and `COLUMNS` of the pool."""
    if not names:
        for text, own in zip(pool["text"].to_pylist(), edits, strict=True):
            yield units(text, own, None)
        return
    for row, own in zip(pool.select(["text", *COLUMNS]).to_pylist(), edits, strict=True):
        yield units(row["text"], own, ranges_of(row, names))


def joined(parts: Sequence[Unit]) -> str:
    """The parts of a document as one text."""
    return "\n\n".join(part.text for part in parts)
