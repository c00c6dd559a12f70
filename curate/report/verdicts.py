"""Counts over `clean`: documents kept, their languages, and overlaps with evaluation sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from curate.report.folding import encoded, of_shards, read
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

UNDETERMINED = "und"
"""The language of a document whose language is not sure."""


@dataclass
class Languages:
    """Documents, kept documents, and the tokens of these, by language."""

    documents: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)

    def add(self, other: Languages) -> None:
        """Add the counts of other documents."""
        self.documents.update(other.documents)
        self.kept.update(other.kept)
        self.tokens.update(other.tokens)


class Limit(NamedTuple):
    """What of an item a document may not hold: a share of its runs, or words in a row."""

    share: float
    passage: int | None

    def is_passed(self, overlap: Mapping[str, Any]) -> bool:
        """Whether an overlap (see `tables`) is too much."""
        by_passage = self.passage is not None and (overlap.get("words") or 0) >= self.passage
        return by_passage or bool(overlap["share"] >= self.share)


@dataclass
class Overlaps:
    """Documents that share text with each evaluation set, and those of them over the limit.

    `items` are the items of each set in documents over the limit.
    """

    touched: Counter[str] = field(default_factory=Counter)
    over: Counter[str] = field(default_factory=Counter)
    items: dict[str, set[str]] = field(default_factory=dict)

    def see(self, overlaps: Sequence[Mapping[str, Any]], limit: Limit) -> None:
        """Count one more document, by its overlaps (see `tables`)."""
        over = [overlap for overlap in overlaps if limit.is_passed(overlap)]
        self.touched.update({overlap["set"] for overlap in overlaps})
        self.over.update({overlap["set"] for overlap in over})
        for overlap in over:
            self.items.setdefault(overlap["set"], set()).add(overlap["item"])

    def add(self, other: Overlaps) -> None:
        """Add the counts of other documents."""
        self.touched.update(other.touched)
        self.over.update(other.over)
        for name, items in other.items.items():
            self.items.setdefault(name, set()).update(items)


@dataclass(frozen=True)
class Verdicts:
    """Documents kept (None without `clean`); the rest is None where it was not measured."""

    kept: int | None = None
    languages: Languages | None = None
    overlaps: Overlaps | None = None


def count_verdicts(workspace: Workspace) -> Verdicts:
    """Count what `clean` says of the documents."""
    if workspace.tables.stored("clean") is None:
        return Verdicts()
    has_languages = _is_measured(workspace, "language:confidence")
    limit = None
    if _is_measured(workspace, "contamination:share"):
        settings = workspace.tables.made("clean").spec["contamination"]
        limit = Limit(float(settings["share"]), settings.get("passage"))
    parts = of_shards(workspace, "counting verdicts", "clean", CountShard(has_languages, limit))
    languages, overlaps = Languages(), Overlaps()
    for part in parts:
        languages.add(part.languages or Languages())
        overlaps.add(part.overlaps or Overlaps())
    return Verdicts(
        sum(part.kept or 0 for part in parts),
        languages if has_languages else None,
        overlaps if limit is not None else None,
    )


def _is_measured(workspace: Workspace, signal: str) -> bool:
    import pyarrow.parquet as pq

    shards = workspace.tables.shards("clean")
    return bool(shards) and signal in pq.read_schema(shards[0]).names


@dataclass(frozen=True)
class CountShard:
    """Counts a shard: `languages` if they were measured, overlaps if there is a limit of them."""

    languages: bool
    limit: Limit | None

    def __call__(self, path: Path) -> tuple[int, Verdicts]:
        """The rows of a shard, and its counts."""
        table = read(path, "kept", "tokens")
        kept = table["kept"].to_numpy()
        languages: Languages | None = None
        overlaps: Overlaps | None = None
        if self.languages:
            column = read(path, "language")["language"]
            languages = _languages(column, kept, table["tokens"].to_numpy())
        if self.limit is not None:
            overlaps = _overlaps(read(path, "contamination")["contamination"], self.limit)
        return table.num_rows, Verdicts(int(kept.sum()), languages, overlaps)


def _languages(
    column: pa.ChunkedArray, kept: NDArray[np.bool_], tokens: NDArray[np.int64]
) -> Languages:
    import numpy as np

    names, numbers = encoded(column)
    languages = Languages()
    for counter, weights in (
        (languages.documents, None),
        (languages.kept, kept),
        (languages.tokens, np.where(kept, tokens, 0)),
    ):
        for name, total in zip(names, np.bincount(numbers, weights).tolist(), strict=True):
            counter[name or UNDETERMINED] += int(total)
    return languages


def _overlaps(column: pa.ChunkedArray, limit: Limit) -> Overlaps:
    overlaps = Overlaps()
    for of_document in column.drop_null().to_pylist():
        overlaps.see(of_document, limit)
    return overlaps
