"""What is doubtful in a pool: sources that gave nothing or copies alone, rows that were lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate.warning import StageWarning, warn

MOST = 0.9
"""A source of which more than this share is lost is told."""


@dataclass(frozen=True)
class Rows:
    """The rows of a pool: documents and copies by source, bad rows, and replaced characters.

    `sources` are those of the recipe. `holdout` is the number of documents held out, and
    `wanted_holdout` the share that was asked for. `example` is a bad row, `lost` the bytes of files
    that could not be read. `unread` are files and folders that were not read at all, with the
    reason. `guessed` counts files whose encoding was guessed from few bytes, with the weakest.
    """

    sources: Sequence[str]
    documents: Counter[str]
    copies: Counter[str]
    bad: int
    replaced: int
    holdout: int
    wanted_holdout: float
    example: str = ""
    lost: int = 0
    unread: Sequence[str] = ()
    guessed: Mapping[str, Any] = field(default_factory=dict)


def doubts(rows: Rows) -> Iterator[StageWarning]:
    """Yield a warning for each kind of loss."""
    without = [name for name in rows.sources if not rows.documents[name]]
    if empty := [name for name in without if not rows.copies[name]]:
        yield warn("pool.empty_source", "nothing could be read of {sources}", sources=empty)
    if copied := [name for name in rows.sources if _copied(rows, name) > MOST]:
        words = "almost nothing is left of {sources}: the documents are in other sources, or twice"
        yield warn("pool.copies", words, sources=copied)
    if rows.bad:
        every = rows.bad + rows.documents.total() + rows.copies.total()
        words = (
            "rows that could not be used: {rows:,} ({share:.1%}); pool/_rejected.json holds each"
            + _quoted(rows.example)
        )
        yield warn("pool.bad_rows", words, rows=rows.bad, share=rows.bad / every)
    if rows.lost:
        words = "bytes that could not be read: {bytes:,}; pool/_rejected.json says where"
        yield warn("pool.lost_bytes", words, bytes=rows.lost)
    if rows.unread:
        words = "files and folders that were not read: {count:,}, such as {example}"
        yield warn("pool.not_read", words, count=len(rows.unread), example=rows.unread[0])
    if rows.guessed:
        words = (
            "files whose encoding is a guess from few bytes: {files:,}, such as {file} "
            "({encoding}, from {bytes:,} bytes that are not ASCII); where it is wrong, name it "
            "under `encoding:`"
        )
        yield warn("pool.guessed_encoding", words, **rows.guessed)
    if rows.replaced:
        words = "characters that were not text in their encoding, replaced: {characters:,}"
        yield warn("pool.replaced", words, characters=rows.replaced)
    if rows.wanted_holdout and not rows.holdout:
        words = "no document is held out, although `holdout` is {share:g}: the pool is too small"
        yield warn("pool.no_holdout", words, share=rows.wanted_holdout)


def _quoted(example: str) -> str:
    """An example as the end of a template of words."""
    braced = example.replace("{", "{{").replace("}", "}}")
    return f", such as {braced}" if example else ""


def _copied(rows: Rows, name: str) -> float:
    """The share of a source's rows that are copies of documents of this or another source."""
    copies = rows.copies[name]
    return copies / (copies + rows.documents[name]) if copies else 0.0


def count_copies(path: Path) -> Counter[str]:
    """The exact copies in the table `duplicates`, by source, a part in memory at a time."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    counts = Counter[str]()
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=["source"]):
            for pair in pc.value_counts(batch["source"]).to_pylist():
                counts[pair["values"]] += pair["counts"]
    return counts
