"""Read stored passages: those of a document, how they read, and what sources lost to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from curate import storage
from curate.clean.duplicates.units import units
from curate.clean.passages.applying import BEFORE, FOLDER
from curate.workspace import Workspace
from curate.workspace.documents import stored_edits
from curate.workspace.index import find_rows, keys_of
from curate.yamls import HUGE

if TYPE_CHECKING:
    import pyarrow as pa

WHOLE = (0, HUGE)
"""The range of a whole text, however long it is."""

SHOWN = 5
"""The other holders of a passage that are named; the rest is counted."""


@dataclass(frozen=True)
class Held:
    """A passage of a document, at `start` to `end` of its canonical text, and who else holds it.

    `kept` is the document that keeps it, and `others` are the first others that hold most of it.
    `documents` are all that do.
    """

    start: int
    end: int
    words: int
    documents: int
    kept: str
    others: tuple[str, ...]


def held(workspace: Workspace, id: str) -> list[Held]:
    """The passages that a document lost, and those that others lost to it, in its order."""
    import pyarrow.compute as pc

    rows: list[dict[str, Any]] = []
    for table in _tables(workspace):
        is_own = pc.or_(pc.equal(table["id"], id), pc.equal(table["kept"], id))
        rows += table.filter(is_own).to_pylist()
    lost = [row for row in rows if row["id"] == id]
    given = [row for row in rows if row["kept"] == id]
    spots = [Spot(row["kept"], row["kept_start"], row["kept_end"]) for row in lost]
    kept_here = sorted((row["kept_start"], row["kept_end"]) for row in given)
    own_spots = [Spot(id, start, end) for start, end in _apart(kept_here)]
    holders = _holders(workspace, [*spots, *own_spots])
    passages = [
        _held(id, row["start"], row["end"], row["words"], spot, holders[spot])
        for row, spot in zip(lost, spots, strict=True)
    ]
    passages += [
        _held(id, spot.start, spot.end, _words(given, spot), spot, holders[spot])
        for spot in own_spots
    ]
    return sorted(passages, key=lambda passage: (passage.start, passage.end))


class Spot(NamedTuple):
    """Where a passage is kept: the document, and the range of its canonical text."""

    id: str
    start: int
    end: int


def _held(id: str, start: int, end: int, words: int, spot: Spot, holders: Sequence[str]) -> Held:
    others = [other for other in holders if other not in (id, spot.id)]
    return Held(start, end, words, 1 + len(holders), spot.id, tuple(others[:SHOWN]))


def _apart(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges, those that overlap as one."""
    joined: list[tuple[int, int]] = []
    for start, end in ranges:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _words(rows: Sequence[Mapping[str, Any]], spot: Spot) -> int:
    """The words of the longest passage of some rows that lies in a range."""
    own = (
        int(row["words"])
        for row in rows
        if row["kept_start"] < spot.end and spot.start < row["kept_end"]
    )
    return max(own)


def _holders(workspace: Workspace, spots: Sequence[Spot]) -> dict[Spot, list[str]]:
    """The documents that lost what is kept at each spot, or half of it at least.

    So do those that lost a part of it and hardly more.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    holders: dict[Spot, dict[str, None]] = {spot: {} for spot in spots}
    by_document: dict[str, list[Spot]] = {}
    for spot in holders:
        by_document.setdefault(spot.id, []).append(spot)
    wanted = pa.array(sorted(by_document), pa.string())
    for table in _tables(workspace):
        rows = table.filter(pc.is_in(table["kept"], wanted))
        for row in rows.select(["id", "kept", "kept_start", "kept_end"]).to_pylist():
            for spot in by_document[row["kept"]]:
                common = min(spot.end, row["kept_end"]) - max(spot.start, row["kept_start"])
                shorter = min(spot.end - spot.start, row["kept_end"] - row["kept_start"])
                if common > 0 and 2 * common >= shorter:
                    holders[spot][row["id"]] = None
    return {spot: [*ids] for spot, ids in holders.items()}


def in_common(workspace: Workspace, ids: Collection[str]) -> set[str]:
    """The other documents that have a passage in common with some documents."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted, others = pa.array(sorted(ids), pa.string()), set[str]()
    for table in _tables(workspace):
        for one, other in (("id", "kept"), ("kept", "id")):
            others.update(table.filter(pc.is_in(table[one], wanted))[other].to_pylist())
    return others - set(ids)


def _tables(workspace: Workspace) -> Iterator[pa.Table]:
    folder = workspace.tables.folder("clean") / FOLDER
    for path in storage.shards(folder):
        yield storage.read_parquet(path)


def texts_of(
    workspace: Workspace, id: str, ranges: Sequence[tuple[int, int]] = (WHOLE,)
) -> list[str]:
    """Ranges of a document's canonical text as they read before passages were removed from it.

    They are empty if the pool does not hold the document.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = keys_of(pa.array([id]))
    for shard in workspace.documents.shards():
        for row in find_rows(shard.clean, keys).tolist():
            pool = storage.read_parquet(shard.pool, ["id", "text"])
            if pool["id"][row].as_py() != id:
                continue
            text = pool["text"][row].as_py()
            edits = storage.read_parquet(shard.clean, ["edits"])["edits"][row].as_py()
            before = shard.clean.parent / BEFORE / shard.clean.name
            if before.exists():
                table = storage.read_parquet(before, ["id", "edits"])
                table = table.filter(pc.equal(table["id"], id))
                edits = table["edits"][0].as_py() if len(table) else edits
            places = [(start, min(end, len(text))) for start, end in ranges]
            return [part.text for part in units(text, stored_edits(edits), places)]
    return ["" for _ in ranges]


def largest(workspace: Workspace, source: str) -> tuple[Spot, int] | None:
    """Where the passage is kept that took most of a source, and how many hold it; or None."""
    import pyarrow.compute as pc

    words: Counter[Spot] = Counter()
    for table in _tables(workspace):
        rows = table.filter(pc.equal(table["source"], source))
        for row in rows.select(["kept", "kept_start", "kept_end", "words"]).to_pylist():
            words[Spot(row["kept"], row["kept_start"], row["kept_end"])] += row["words"]
        words = pruned(words)
    if not words:
        return None
    ((spot, _),) = words.most_common(1)
    return spot, 1 + len(_holders(workspace, [spot])[spot])


MOST_COUNTED = 10_000
"""Counts of so many templates are held at a time; rarer ones begin again."""


def pruned(counts: Counter[Any]) -> Counter[Any]:
    """The largest counts, so that memory does not grow with a corpus."""
    return (
        counts if len(counts) <= MOST_COUNTED else Counter(dict(counts.most_common(MOST_COUNTED)))
    )
