"""What passages do to the table `clean`: edits, tokens, signals and verdicts.

A table that is decided again needs the measurements as they were before. So `_unpassaged` beside
the table keeps the edits and the tokens of each document that lost a passage, and `_passages` says
where the passages are. Neither holds text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage, tables
from curate.clean.duplicates.settling import Gone
from curate.clean.duplicates.shards import Shard, of_shard
from curate.clean.duplicates.spec import PassagesSpec
from curate.clean.edits import merged
from curate.clean.passages.anchoring import searched
from curate.clean.passages.hashing import count_words
from curate.text import Edit, apply_edits
from curate.tokens import counter
from curate.workspace.documents import stored_edits

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER, BEFORE = "_passages", "_unpassaged"
"""Where the passages of documents lie, and what these were measured to be before."""

REASON = "passages"
WORDS, SHARE = "passages:words", "passages:share"
"""The signals: words of a document that stand in passages, and the share of its characters."""


@dataclass(frozen=True)
class Found:
    """The passages of all shards, by shard, and what is done with them; picklable."""

    spec: PassagesSpec
    tokenizer: str
    buckets: Sequence[Path]
    gone: Gone

    def apply(self, table: pa.Table, shard: Shard, folder: Path) -> pa.Table:
        """The table of a shard with its passages; writes what stands beside it into `folder`.

        `table` is a shard of clean with its verdicts.
        """
        rows = of_shard(self.buckets, shard.number).to_pylist() if self.buckets else []
        changes = [*self._changes(shard, table, rows)] if rows else []
        looked_at = set(searched(shard, self.gone, self.spec.sources))
        table = _with_signals(table, looked_at, {change.row: change for change in changes})
        if rows:
            ids, sources = shard.names([*range(len(table))])
            passages = _passages(ids, sources, rows)
            storage.write_parquet(folder / FOLDER / shard.texts.name, passages)
        if changes and self.spec.action == "remove":
            storage.write_parquet(folder / BEFORE / shard.texts.name, _before(table, changes))
            table = _changed(table, changes, self.spec.least)
        return table

    def _changes(
        self, shard: Shard, table: pa.Table, rows: Sequence[Mapping[str, Any]]
    ) -> Iterator[Change]:
        import pyarrow.parquet as pq

        count = counter(self.tokenizer)
        known = pq.read_schema(shard.texts).names
        names = [name for name in ("text", "media_tokens") if name in known]
        pool = storage.read_parquet(shard.texts, columns=names)
        texts, of_media = pool["text"], tables.media_tokens(pool)
        for row, passages in groupby(rows, itemgetter("row")):
            own = [*passages]
            text = texts[row].as_py()
            earlier = stored_edits(table["edits"][row].as_py())
            change = _change(row, text, earlier, own, count)
            yield replace(change, tokens=change.tokens + of_media[row])


@dataclass(frozen=True)
class Change:
    """What passages mean to a document: its edits without them, and how much they are.

    `left` are the words and `tokens` the tokens that stay.
    """

    row: int
    edits: list[Edit]
    words: int
    share: float
    left: int
    tokens: int


def _change(
    row: int,
    text: str,
    earlier: Sequence[Edit],
    passages: Sequence[Mapping[str, Any]],
    count: Callable[[str], int],
) -> Change:
    ranges = [(passage["start"], passage["end"]) for passage in passages]
    edits = merged(earlier, [(*whole(text, start, end), "") for start, end in ranges])
    rest = apply_edits(text, edits)
    words = _union((passage["word"], passage["word"] + passage["words"]) for passage in passages)
    share = _union(iter(ranges)) / max(1, len(text))
    return Change(row, edits, words, share, count_words(rest), count(rest))


def _union(ranges: Iterator[tuple[int, int]]) -> int:
    """How much the ranges cover together; they are in the order of their starts."""
    total = reached = 0
    for start, end in ranges:
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def whole(text: str, start: int, end: int) -> tuple[int, int]:
    """A removed range with the white space that would be left of it: a blank line, a second space.

    At the end of the text it takes all white space before it. Elsewhere it takes a line that it
    empties, and the blank line behind it if there is one before. At the end of a line it takes the
    blanks before it, and otherwise those behind it if there is one before.
    """
    first, last = _back(text, start, " \t"), _on(text, end, " \t")
    if _on(text, last, WHITE) == len(text):
        return _back(text, first, WHITE), len(text)
    begins_line = first == 0 or text[first - 1] == "\n"
    ends_line = text[last] == "\n"
    if begins_line and ends_line:
        is_paragraph = text[max(0, first - 2) : first] in ("", "\n\n")
        return first, last + (2 if is_paragraph and text[last + 1] == "\n" else 1)
    if ends_line:
        return first, last
    return (start, last) if begins_line or first < start else (start, end)


WHITE = " \t\n"


def _back(text: str, at: int, chars: str) -> int:
    """Where a run of some characters begins that ends at a place."""
    while at > 0 and text[at - 1] in chars:
        at -= 1
    return at


def _on(text: str, at: int, chars: str) -> int:
    """Where a run of some characters ends that begins at a place."""
    while at < len(text) and text[at] in chars:
        at += 1
    return at


def _with_signals(table: pa.Table, looked_at: set[int], changes: Mapping[int, Change]) -> pa.Table:
    import pyarrow as pa

    words: list[float | None] = [0.0 if row in looked_at else None for row in range(len(table))]
    share = [*words]
    for row, change in changes.items():
        words[row], share[row] = float(change.words), change.share
    table = table.append_column(WORDS, pa.array(words, pa.float32()))
    return table.append_column(SHARE, pa.array(share, pa.float32()))


def _changed(table: pa.Table, changes: Sequence[Change], least: int) -> pa.Table:
    """The table with the edits, tokens and verdicts that follow from passages."""
    import pyarrow as pa

    columns = {name: table[name].to_pylist() for name in ("edits", "tokens", "kept", "reason")}
    for change in changes:
        row = change.row
        columns["edits"][row] = _stored(change.edits)
        columns["tokens"][row] = change.tokens
        if change.left < least:
            columns["kept"][row], columns["reason"][row] = False, REASON
    for name, values in columns.items():
        at = table.schema.get_field_index(name)
        kind = table.schema.field(name)
        table = table.set_column(at, kind, pa.array(values, kind.type))
    return table


def _stored(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    return [dict(zip(("start", "end", "replacement"), edit, strict=True)) for edit in edits]


def _passages(
    ids: Sequence[str], sources: Sequence[str | None], rows: Sequence[Mapping[str, Any]]
) -> pa.Table:
    import pyarrow as pa

    given = [name for name in passage_schema().names if name not in ("id", "source")]
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in given}
    columns["id"] = [ids[row["row"]] for row in rows]
    columns["source"] = [sources[row["row"]] for row in rows]
    return pa.table(columns, schema=passage_schema())


def passage_schema() -> pa.Schema:
    """The schema of `_passages`: a passage of the document `id` that `kept` holds too, and keeps.

    Ranges are of the canonical texts; `documents` says how many documents hold most of it.
    """
    import pyarrow as pa

    return pa.schema(
        [
            ("id", pa.string()),
            ("source", pa.string()),
            ("start", pa.int32()),
            ("end", pa.int32()),
            ("words", pa.int64()),
            ("documents", pa.int64()),
            ("kept", pa.string()),
            ("kept_source", pa.string()),
            ("kept_start", pa.int32()),
            ("kept_end", pa.int32()),
        ]
    )


def _before(table: pa.Table, changes: Sequence[Change]) -> pa.Table:
    return table.select(["id", "edits", "tokens"]).take([change.row for change in changes])


def restored(table: pa.Table, before: Path) -> pa.Table:
    """The measurements in a shard of clean, as they were before passages were removed."""
    import pyarrow as pa

    names = [name for name in table.column_names if name not in (WORDS, SHARE)]
    table = table.select(names)
    if not before.exists():
        return table
    earlier = {row["id"]: row for row in storage.read_parquet(before).to_pylist()}
    ids = table["id"].to_pylist()
    for name in ("edits", "tokens"):
        own = table[name].to_pylist()
        values = [
            earlier[id][name] if id in earlier else value
            for id, value in zip(ids, own, strict=True)
        ]
        kind = tables.schema("clean", name).field(name)
        at = table.schema.get_field_index(name)
        table = table.set_column(at, kind, pa.array(values, kind.type))
    return table
