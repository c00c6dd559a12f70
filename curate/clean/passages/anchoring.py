"""Anchors: the few runs of words of a text that any passage in it holds, and those that are shared.

A place of a document is its shard and row. A place of a word is the part of the document and the
number of the word in this part, so that words of two parts are never neighbours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.clean.duplicates.settling import Gone
from curate.clean.duplicates.shards import Shard
from curate.clean.duplicates.units import Unit
from curate.clean.passages.hashing import Scan, scans
from curate.storage import read_parquet

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def searched(shard: Shard, gone: Gone, sources: Collection[str]) -> list[int]:
    """The rows of a shard in which passages are looked for: those left, of some sources or all."""
    rows = gone.left(shard)
    if not sources:
        return rows
    return [row for row, own in zip(rows, shard.names(rows)[1], strict=True) if own in sources]


@dataclass(frozen=True)
class Parts:
    """The parts of some documents of a shard: the text, the row and the number of each."""

    units: list[Unit]
    rows: NDArray[np.int64]
    numbers: NDArray[np.int64]

    @staticmethod
    def of(shard: Shard, rows: Sequence[int]) -> Parts:
        """The parts that are compared of some rows, in order."""
        import numpy as np

        units: list[Unit] = []
        owners: list[int] = []
        numbers: list[int] = []
        for row, parts in zip(rows, shard.units(rows), strict=True):
            units += parts
            owners += [row] * len(parts)
            numbers += range(len(parts))
        return Parts(units, np.array(owners, np.int64), np.array(numbers, np.int64))

    def scans(self, n: int) -> Iterator[Scan]:
        """Yield the words of all parts; the owner of a text is its place in `units`."""
        return scans([unit.text for unit in self.units], n)

    def places(self, number: int, at: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The places of the documents of some parts, in the shard of that number."""
        import numpy as np

        return np.uint64(number << 32) | self.rows[at].astype(np.uint64)

    def words(self, scan: Scan, at: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any]]:
        """The part, and the place of the word in its document, for words `at` of a scan."""
        import numpy as np

        text = np.searchsorted(scan.first, at, "right") - 1
        part = scan.owner[text]
        word = (at - scan.first[text] + scan.words).astype(np.uint64)
        return part, self.numbers[part].astype(np.uint64) << np.uint64(32) | word


@dataclass(frozen=True)
class Anchors:
    """Loads the anchors of a shard's documents that are left, of some sources or of all."""

    tokens: int
    sources: Collection[str]
    gone: Gone

    def __call__(self, shard: Shard) -> pa.Table:
        """Rows of (key, place, word)."""
        import numpy as np
        import pyarrow as pa

        parts = Parts.of(shard, searched(shard, self.gone, self.sources))
        groups = shard.groups() if shard.how.within else None
        empty = np.zeros(0, np.uint64)
        keys: list[NDArray[Any]] = [empty]
        places: list[NDArray[Any]] = [empty]
        words: list[NDArray[Any]] = [empty]
        for scan in parts.scans(self.tokens):
            at, key = scan.anchors(self.tokens)
            part, word = parts.words(scan, at)
            keys.append(key if groups is None else key ^ groups[parts.rows[part]])
            places.append(parts.places(shard.number, part))
            words.append(word)
        columns = {"key": keys, "place": places, "word": words}
        return pa.table({name: np.concatenate(arrays) for name, arrays in columns.items()})


def shared(anchors: pa.Table) -> pa.Table:
    """The (place, word) of the anchors that stand in several documents; pure.

    `anchors` holds all rows of some keys.
    """
    import numpy as np

    key, place = anchors["key"].to_numpy(), anchors["place"].to_numpy()
    sort = np.lexsort((place, key))
    key, place = key[sort], place[sort]
    starts = np.flatnonzero(changes(key))
    ends = np.append(starts[1:], len(key)) - 1
    several = place[starts] != place[ends] if len(key) else np.zeros(0, bool)
    rows = sort[np.repeat(several, ends - starts + 1)]
    return anchors.select(["place", "word"]).take(rows)


def changes(*columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each row differs from the one before it in any of the columns."""
    import numpy as np

    new = np.ones(len(columns[0]), bool)
    new[1:] = False
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return new


def with_shard(path: Path) -> pa.Table:
    """The rows of a file, with the shard of their `place`."""
    import numpy as np
    import pyarrow as pa

    table = read_parquet(path)
    shards = (table["place"].to_numpy() >> np.uint64(32)).astype(np.int64)
    return table.append_column("shard", pa.array(shards))


def once_each(members: pa.Table) -> pa.Table:
    """The anchors of some shards, each once, in the order of documents and words; pure."""
    import numpy as np

    place, word = members["place"].to_numpy(), members["word"].to_numpy()
    sort = np.lexsort((word, place))
    return members.take(sort[changes(place[sort], word[sort])])
