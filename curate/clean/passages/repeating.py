"""Windows that stand in several documents, and the passages that they make up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.clean.duplicates.shards import Shard, of_shard
from curate.clean.passages.anchoring import Parts, changes
from curate.clean.passages.hashing import Scan, anchor_words

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_ROW = (1 << 32) - 1


@dataclass(frozen=True)
class Windows:
    """Loads the windows of a shard's documents that hold an anchor in common with another document.

    `members` are files, by shard, of these anchors.
    """

    tokens: int
    members: Sequence[Path]

    def __call__(self, shard: Shard) -> pa.Table:
        """Rows of two hashes (key, check), the document (order, place), and where and what it is.

        Starts and ends are ranges of the canonical text; the wide one is with the marks that touch
        the window. `before` and `behind` say which these are, as `Scan.edges`.
        """
        import numpy as np
        import pyarrow as pa

        anchors = of_shard(self.members, shard.number)
        row = (anchors["place"].to_numpy() & np.uint64(_ROW)).astype(np.int64)
        word = anchors["word"].to_numpy()
        parts = Parts.of(shard, np.unique(row).tolist())
        # The part of each anchor: parts are in the order of rows, and then of their numbers.
        part = np.searchsorted(parts.rows, row) + (word >> np.uint64(32)).astype(np.int64)
        at = (word & np.uint64(_ROW)).astype(np.int64)
        orders = shard.orders()
        groups = shard.groups() if shard.how.within else np.zeros(len(orders), np.uint64)
        tables = []
        for scan in parts.scans(self.tokens):
            first = _around(scan, part, at, self.tokens)
            columns = _columns(scan, parts, first, self.tokens)
            own = parts.rows[columns.pop("part")]
            columns["key"] ^= groups[own]
            columns["order"] = orders[own]
            columns["place"] = np.uint64(shard.number << 32) | own.astype(np.uint64)
            tables.append(pa.table(columns))
        return pa.concat_tables(tables)


def _around(
    scan: Scan, part: NDArray[np.int64], word: NDArray[np.int64], n: int
) -> NDArray[np.int64]:
    """The first words, in a scan, of the windows that hold one of the anchors; these are sorted."""
    import numpy as np

    low, high = np.searchsorted(part, [scan.owner[0], scan.owner[-1] + 1])
    part, word = part[low:high], word[low:high]
    text = np.minimum(np.searchsorted(scan.owner, part), len(scan.owner) - 1)
    at = word - scan.words + scan.first[text]
    here = (scan.owner[text] == part) & (at >= scan.first[text]) & (at < scan.first[text + 1])
    at, begin = at[here], scan.first[text[here]]
    difference = np.zeros(len(scan.start) + 1, np.int64)
    np.add.at(difference, np.maximum(at - (n - anchor_words(n)), begin), 1)
    np.add.at(difference, at + 1, -1)
    windows = scan.runs(n)
    return windows[np.cumsum(difference)[windows] > 0]


def _columns(scan: Scan, parts: Parts, first: NDArray[np.int64], n: int) -> dict[str, Any]:
    """What is known of windows by their text alone; `part` is the part of each."""
    import numpy as np

    part, word = parts.words(scan, first)
    start = scan.start[first] - scan.shift[first]
    end = scan.end[first + (n - 1)] - scan.shift[first]
    before, behind = scan.edges(first, n)
    wide_start, wide_end = start - (before & np.uint32(255)), end + (behind & np.uint32(255))
    for begin, stop in _stretches(part):
        unit, own = parts.units[part[begin]], slice(begin, stop)
        start[own], end[own] = unit.home(start[own], end[own])
        wide_start[own], wide_end[own] = unit.home(wide_start[own], wide_end[own])
    return {
        "key": scan.hashes(first, n, 0),
        "check": scan.hashes(first, n, 1),
        "part": part,
        "word": word,
        "start": start.astype(np.int32),
        "end": end.astype(np.int32),
        "wide_start": wide_start.astype(np.int32),
        "wide_end": wide_end.astype(np.int32),
        "before": before,
        "behind": behind,
    }


def _stretches(values: NDArray[np.int64]) -> list[tuple[int, int]]:
    """The half-open ranges of equal values in a row."""
    import numpy as np

    starts = np.flatnonzero(changes(values)).tolist()
    return list(zip(starts, [*starts[1:], len(values)], strict=True))


def repeats(windows: pa.Table) -> pa.Table:
    """The windows that a document with precedence holds too; pure.

    `windows` holds all rows of some keys. Rows are (place, word, start, end), the same of the first
    document that holds the window (`kept`, …), and how many documents do. Marks around a window
    belong to it where both have the same.
    """
    import numpy as np
    import pyarrow as pa

    names = ("key", "check", "order", "place", "word")
    key, check, order, place, word = (windows[name].to_numpy() for name in names)
    sort = np.lexsort((word, place, order, check, key))
    key, check, place = key[sort], check[sort], place[sort]
    if not len(sort):
        return _repeats({name: [] for name in repeat_schema().names})
    new = changes(key, check)
    starts = np.flatnonzero(new)
    sizes = np.diff(np.append(starts, len(sort)))
    documents = np.add.reduceat(changes(key, check, place).astype(np.int64), starts)
    first = np.repeat(starts, sizes)
    later = np.flatnonzero(place != place[first])
    one, other = windows.take(sort[later]), windows.take(sort[first[later]])
    before, behind = (
        one[name].to_numpy() == other[name].to_numpy() for name in ("before", "behind")
    )
    return _repeats(
        {
            "place": one["place"],
            "word": one["word"],
            "start": _either(before, one, "start"),
            "end": _either(behind, one, "end"),
            "kept": other["place"],
            "kept_word": other["word"],
            "kept_start": _either(before, other, "start"),
            "kept_end": _either(behind, other, "end"),
            "documents": pa.array(np.repeat(documents, sizes)[later]),
        }
    )


def _either(wide: NDArray[np.bool_], windows: pa.Table, name: str) -> NDArray[np.int32]:
    """An edge of windows: the wide one, or the one without marks."""
    import numpy as np

    return np.where(wide, windows[f"wide_{name}"].to_numpy(), windows[name].to_numpy())


def repeat_schema() -> pa.Schema:
    """The schema of windows that stand in several documents."""
    import pyarrow as pa

    return pa.schema(
        [
            ("place", pa.uint64()),
            ("word", pa.uint64()),
            ("start", pa.int32()),
            ("end", pa.int32()),
            ("kept", pa.uint64()),
            ("kept_word", pa.uint64()),
            ("kept_start", pa.int32()),
            ("kept_end", pa.int32()),
            ("documents", pa.int64()),
        ]
    )


def _repeats(columns: dict[str, Any]) -> pa.Table:
    import pyarrow as pa

    return pa.table(columns, schema=repeat_schema())


def runs(n: int) -> Callable[[pa.Table], pa.Table]:
    """What makes passages of the windows of some shards: windows in a row with one holder."""
    return partial(_runs, n)


def _runs(n: int, windows: pa.Table) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    names = ("place", "word", "kept", "kept_word")
    place, word, kept, kept_word = (windows[name].to_numpy() for name in names)
    sort = np.lexsort((word, place))
    place, word, kept, kept_word = place[sort], word[sort], kept[sort], kept_word[sort]
    new = changes(place, kept)
    new[1:] |= word[1:] != word[:-1] + np.uint64(1)
    # A passage with a period of less than n words stands at several places of its holder.
    step = kept_word[1:].astype(np.int64) - kept_word[:-1].astype(np.int64)
    new[1:] |= (step > 1) | (step < -n)
    starts = np.flatnonzero(new)
    lasts = np.append(starts[1:], len(sort)) - 1 if len(sort) else starts
    columns = {name: windows[name].to_numpy()[sort] for name in ("start", "end", "documents")}
    kept_start, kept_end = (windows[f"kept_{name}"].to_numpy()[sort] for name in ("start", "end"))
    none = not len(sort)
    row = (place[starts] & np.uint64(_ROW)).astype(np.int64)
    return pa.table(
        {
            "shard": (place[starts] >> np.uint64(32)).astype(np.int64),
            "row": row,
            "word": word[starts],
            "words": lasts - starts + n,
            "start": columns["start"][starts],
            "end": columns["end"][lasts],
            "documents": columns["documents"] if none else _most(columns["documents"], starts),
            "kept_shard": (kept[starts] >> np.uint64(32)).astype(np.int64),
            "kept_row": (kept[starts] & np.uint64(_ROW)).astype(np.int64),
            "kept_start": kept_start if none else np.minimum.reduceat(kept_start, starts),
            "kept_end": kept_end if none else np.maximum.reduceat(kept_end, starts),
        }
    )


def _most(values: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    import numpy as np

    return np.maximum.reduceat(values, starts)


@dataclass(frozen=True)
class Named:
    """Adds the id and the source of the document that holds each passage first."""

    shards: Sequence[Shard]

    def __call__(self, passages: pa.Table) -> pa.Table:
        """The passages with `kept` and `kept_source`."""
        import numpy as np
        import pyarrow as pa

        number = passages["kept_shard"].to_numpy()
        row = passages["kept_row"].to_numpy()
        sort = np.argsort(number, kind="stable")
        ids: list[str] = []
        sources: list[str | None] = []
        for begin, stop in _stretches(number[sort]) if len(sort) else ():
            own = sort[begin:stop]
            names = self.shards[int(number[own[0]])].names(row[own].tolist())
            ids, sources = ids + names[0], sources + names[1]
        return (
            passages.take(sort)
            .append_column("kept", pa.array(ids, pa.string()))
            .append_column("kept_source", pa.array(sources, pa.string()))
        )


def by_document(passages: pa.Table) -> pa.Table:
    """The passages of some shards, in the order of documents and words; pure."""
    order = [(name, "ascending") for name in ("shard", "row", "word")]
    return passages.drop_columns(["kept_shard", "kept_row"]).sort_by(order)
