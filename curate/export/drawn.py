"""What was drawn, shard by shard: the entries of every shard on disk, and their sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import chance
from curate.engine import in_order
from curate.export.parts import Entries, Layout
from curate.export.spreading import Kind, Sum
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

BIN_ENTRIES = 200_000
"""About so many entries are put into their order at once; one takes some 100 bytes."""

Bin = tuple[int, Kind]
"""The number of a bin, and a kind of documents."""


@dataclass(frozen=True)
class Drawn:
    """What was drawn, copies counted; tokens are as the pool counts them.

    `lines` and `tokens` are by the number of their part. `licenses` and `languages` are lines,
    `license_tokens` tokens, without those of the holdout. `bins` are the sums of entries by bin and
    kind. `largest` is the longest candidate of each group, drawn or not, as the budget counts.
    """

    lines: Counter[int] = field(default_factory=Counter)
    tokens: Counter[int] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    license_tokens: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    bins: dict[Bin, Sum] = field(default_factory=dict)
    largest: dict[int, int] = field(default_factory=dict)

    def joined(self, other: Drawn) -> Drawn:
        """The sums of both."""
        bins = dict(self.bins)
        for key, own in other.bins.items():
            bins[key] = bins.get(key, Sum()).joined(own)
        largest = dict(self.largest)
        for group, size in other.largest.items():
            largest[group] = max(size, largest.get(group, 0))
        return Drawn(
            self.lines + other.lines,
            self.tokens + other.tokens,
            self.licenses + other.licenses,
            self.license_tokens + other.license_tokens,
            self.languages + other.languages,
            bins,
            largest,
        )

    def training(self, layout: Layout) -> dict[int, int]:
        """The lines of each part but that of the holdout."""
        parts = layout.parts
        return {part: n for part, n in self.lines.items() if not parts[part].is_validation}

    def kinds(self) -> dict[Kind, Sum]:
        """The sums of every kind of documents."""
        sums: dict[Kind, Sum] = {}
        for (_, kind), own in self.bins.items():
            sums[kind] = sums.get(kind, Sum()).joined(own)
        return sums


def bins_for(entries: int) -> int:
    """The number of bins for about so many entries."""
    return max(1, -(-entries // BIN_ENTRIES))


def has_scores(workspace: Workspace) -> bool:
    """Whether the mixture was made with scores: others say nothing about how it was chosen."""
    mix = workspace.tables.stored("mix")
    return mix is not None and mix.made.inputs.get("scores") is not None


def shards_of(workspace: Workspace) -> list[DocumentShard]:
    """The shards of the documents with the mixture, and the scores that it was made with.

    Raises MissingInput, and DataError where the shards are not those of today's documents.
    """
    return workspace.documents.shards(scores=has_scores(workspace), mix=True)


def read_drawn(workspace: Workspace, shards: Sequence[DocumentShard], count: Count) -> Drawn:
    """Count what was drawn, and write the entries of each shard into a folder.

    Raises DataError where mix or scores are not of the documents that `clean` keeps.
    """
    total = Drawn()
    with workspace.watch("ordering", workspace.tables.rows("pool")) as advance:
        for documents, drawn in in_order(workspace.engine.each(count, shards)):
            total = total.joined(drawn)
            advance(documents)
    return total


ENTRY = [("sequence", "i4"), ("copies", "i4"), ("tokens", "i8"), ("entry", "i8")]
"""An entry on disk; those of a shard are in the order of their noise. `entry` is its number."""


def entries_path(folder: Path, number: int) -> Path:
    """Where the entries of a shard lie."""
    return folder / f"entries-{number:05}.npy"


def noise_path(folder: Path, number: int) -> Path:
    """Where their noise lies: ascending numbers between 0 and 1."""
    return folder / f"noise-{number:05}.npy"


def bin_edges(bins: int) -> NDArray[np.float64]:
    """The edges of the bins of noise, from 0 to 1; a bin begins with its lower edge."""
    import numpy as np

    return np.arange(bins + 1) / bins


@dataclass(frozen=True)
class Count:
    """Counts what was drawn of a shard, and writes its entries into a folder.

    Entries have noise from 0 to 1 by id and seed, and so many `bins` cut it into equal parts.
    """

    folder: Path
    seed: int
    layout: Layout
    bins: int

    def __call__(self, shard: DocumentShard) -> tuple[int, Drawn]:
        """The number of the shard's documents, and what was drawn of them."""
        import numpy as np

        about = ["id", "tokens", "size", "license", "language", *self.layout.columns]
        table = shard.read(list(dict.fromkeys(about)), dropped=True)
        entries = self.layout.entries(table)
        tokens = table["tokens"].to_numpy()[entries.row]
        noise, stored = self._entries(table, entries, tokens)
        np.save(noise_path(self.folder, shard.number), noise)
        np.save(entries_path(self.folder, shard.number), stored)
        lines = self.layout.lines(entries)
        is_trained = entries.sequence != self.layout.holdout
        times = np.where(is_trained, entries.copies, 0)
        return table.num_rows, Drawn(
            _sums(lines.part),
            _sums(lines.part, tokens[lines.entry]),
            _by_word(table["license"], entries.row, times, "unknown"),
            _by_word(table["license"], entries.row, times * tokens, "unknown"),
            _by_word(table["language"], entries.row, times, ""),
            self._by_bin(noise, stored),
            self._largest(table),
        )

    def _entries(
        self, table: pa.Table, entries: Entries, tokens: Numbers
    ) -> tuple[NDArray[np.float64], NDArray[Any]]:
        import numpy as np
        import pyarrow as pa

        ids = table["id"].take(pa.array(entries.row)).to_pylist()
        stored = np.empty(len(ids), ENTRY)
        noise = chance.uniform(ids, self.seed, "shuffle")
        stored["sequence"], stored["copies"] = entries.sequence, entries.copies
        stored["tokens"] = np.maximum(tokens, 1)  # media may count none, and are spread too
        stored["entry"] = np.arange(len(ids))
        order = np.argsort(noise, kind="stable")
        return noise[order], stored[order]

    def _by_bin(self, noise: NDArray[np.float64], stored: NDArray[Any]) -> dict[Bin, Sum]:
        import numpy as np

        number = np.searchsorted(bin_edges(self.bins), noise, "right") - 1
        kinds = np.stack([number, stored["sequence"], stored["copies"]], axis=1)
        keys, own = np.unique(kinds, axis=0, return_inverse=True)
        sums = np.bincount(own.ravel(), stored["tokens"], len(keys)).astype(int)
        longest = np.zeros(len(keys), np.int64)
        np.maximum.at(longest, own.ravel(), stored["tokens"])
        return {
            (bin, (sequence, copies)): Sum(*both)
            for (bin, sequence, copies), both in zip(
                keys.tolist(), zip(sums.tolist(), longest.tolist(), strict=True), strict=True
            )
        }

    def _largest(self, table: pa.Table) -> dict[int, int]:
        """The most tokens of a candidate, by the number of its sequence."""
        import numpy as np

        candidates = table.filter(table["copies"].is_valid())
        sizes = candidates["size"].to_numpy()
        largest = np.zeros(self.layout.holdout + 1, np.int64)
        for own in self.layout.sequences(candidates).T[:-1]:
            np.maximum.at(largest, own, sizes)
        return {number: size for number, size in enumerate(largest.tolist()) if size}


def _sums(part: Numbers, values: Numbers | None = None) -> Counter[int]:
    """The number of lines of each part, or the sum of their values."""
    import numpy as np

    return Counter(dict(enumerate(np.bincount(part, values).astype(int).tolist())))


def _by_word(words: pa.ChunkedArray, rows: Numbers, values: Numbers, unknown: str) -> Counter[str]:
    """The sum of the values of rows that have each word, in the order of the first of each."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    is_counted = values > 0
    rows, values = rows[is_counted], values[is_counted]
    if not len(rows):
        return Counter()
    own = words.take(pa.array(rows))
    known = pc.fill_null(pc.if_else(pc.equal(own, ""), unknown, own), unknown)
    encoded = known.combine_chunks().dictionary_encode()
    sums = np.bincount(encoded.indices.to_numpy(), values).astype(int)
    return Counter(dict(zip(encoded.dictionary.to_pylist(), sums.tolist(), strict=True)))
