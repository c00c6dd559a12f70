"""The fields of documents that are media, and the columns that `datasets` has for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.export.media.columns import NAME

if TYPE_CHECKING:
    import pyarrow as pa

FEATURES = {"image": "Image", "audio": "Audio", "video": "Video"}
"""The type of `datasets` for each kind."""

BATCH = 10_000
"""Rows that are looked through at once."""

Field = tuple[str, str]
"""A field of documents, and a kind of media that it holds."""


@dataclass(frozen=True)
class MediaFields:
    """Columns of media: each one's name, with the field and the kind of the media in it."""

    columns: tuple[tuple[str, Field], ...] = ()

    @staticmethod
    def of(shards: Iterable[Path], taken: Iterable[str]) -> MediaFields:
        """Those of the media in shards of the pool; no name is one that is `taken`.

        A column is called as its field; with its kind, where a field has media of several.
        """
        pairs = sorted({pair for path in shards for pair in _fields_in(path)})
        fields = [field for field, _ in pairs]
        used = {*taken}
        columns = []
        for field, kind in pairs:
            name = f"{field}_{kind}" if fields.count(field) > 1 else field
            while name in used:
                name = f"{name}_{kind}"
            used.add(name)
            columns.append((name, (field, kind)))
        return MediaFields(tuple(columns))

    def features(self) -> dict[str, Any]:
        """The types of the columns as `datasets` knows them."""
        import datasets

        return {name: getattr(datasets, FEATURES[kind])() for name, (_, kind) in self.columns}

    def added_to(self, schema: pa.Schema) -> pa.Schema:
        """A schema with these columns behind its own; their metadata tell the `kind`."""
        import pyarrow as pa

        own = (
            pa.field(name, bytes_type(), metadata={"kind": kind})
            for name, (_, kind) in self.columns
        )
        return pa.schema([*schema, *own])


def kinds_of(shards: Iterable[Path]) -> tuple[str, ...]:
    """The kinds of the media in shards of the pool."""
    return tuple(sorted({kind for path in shards for _, kind in _fields_in(path)}))


def bytes_type() -> pa.DataType:
    """The type of a column of media: the bytes, and a name."""
    import pyarrow as pa

    return pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def bytes_columns(schema: pa.Schema) -> list[str]:
    """The names of the columns of media."""
    return [field.name for field in schema if field.type == bytes_type()]


def _fields_in(path: Path) -> Iterator[Field]:
    """Yield the fields of media in a shard; most shards of texts have none."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH, columns=[NAME]):
            media = batch.column(0).drop_null().flatten()
            if not len(media):
                continue
            known = {field.name for field in media.type}
            fields = pc.struct_field(media, "field").to_pylist()
            kinds = pc.struct_field(media, "kind").to_pylist() if "kind" in known else ()
            yield from {
                (field, kind or "image")
                for field, kind in zip(fields, kinds or [None] * len(fields), strict=True)
            }
