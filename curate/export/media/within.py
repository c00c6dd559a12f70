"""Media within shards of `datasets` and MDS: their bytes stand in columns, some lines at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.errors import DataError
from curate.export.media.bringing import Bringing, Stored, is_at_hand, kind_of
from curate.export.media.columns import media_of, nowhere, suffix_of, with_media
from curate.export.media.fields import MediaFields, bytes_type
from curate.export.media.spoken import with_places

if TYPE_CHECKING:
    import pyarrow as pa

LINES, BYTES = 1_000, 32 << 20
"""So many lines are brought at once, and about as many bytes; a larger medium comes alone."""

MOST = (1 << 31) - 1
"""Bytes that a column of one batch can hold."""


@dataclass(frozen=True)
class MediaWithin:
    """Brings media into columns of lines."""

    bring: Bringing
    fields: MediaFields

    def __call__(self, lines: pa.Table) -> Iterator[pa.Table]:
        """Yield the lines with columns of media, in parts. DataError for media that cannot come."""
        start = 0
        for stop in _cuts(lines):
            yield self._brought(lines.slice(start, stop - start))
            start = stop

    def _brought(self, lines: pa.Table) -> pa.Table:
        import pyarrow as pa

        media, values = [], {name: [None] * lines.num_rows for name, _ in self.fields.columns}
        for row, own in enumerate(media_of(lines)):
            media.append([self._medium(medium, row, values) for medium in own] or None)
        lines = with_places(with_media(lines, media), media)
        for name, column in values.items():
            lines = lines.append_column(name, pa.array(column, bytes_type()))
        return lines

    def _medium(self, medium: Stored, row: int, values: Mapping[str, list[Any]]) -> dict[str, Any]:
        """A medium with its place; its bytes are put there."""
        name = self._free_column(medium, row, values)
        if not is_at_hand(medium) or name is None:
            return nowhere(medium)
        if medium["bytes"] > MOST:
            raise DataError(
                f"{medium['address']}: {medium['bytes']:,} bytes are too many for a column",
                hint="`format: webdataset` or `jsonl` takes files of any size",
            )
        data = self.bring.whole(medium)
        digest = self.bring.exported_sha256(medium)
        values[name][row] = {"bytes": data, "path": f"{digest}{suffix_of(medium)}"}
        return {**medium, "path": name, "exported_sha256": digest}

    def _free_column(self, medium: Stored, row: int, values: Mapping[str, list[Any]]) -> str | None:
        """The column of a medium; None for a second one of a field, which has no place there."""
        own = (medium["field"], kind_of(medium))
        names = (name for name, field in self.fields.columns if field == own)
        return next((name for name in names if values[name][row] is None), None)


def _cuts(lines: pa.Table) -> Iterator[int]:
    """Yield where the parts of some lines end."""
    held, start = 0, 0
    for row, own in enumerate(media_of(lines)):
        size = sum(int(medium["bytes"] or 0) for medium in own)
        if row > start and (held + size > BYTES or row - start >= LINES):
            yield row
            held, start = 0, row
        held += size
    yield lines.num_rows
