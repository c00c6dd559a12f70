"""Values that documents can be grouped by, read from a shard: columns, hosts, what `meta` holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from curate.workspace.addresses import hosts, values
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("source", "language", "license")
"""Keys that are columns of documents."""

HOST, META = "host", "meta."

UNKNOWN = "unknown"


class Reader(Protocol):
    """Reads the values of a key: strings, none of them null. It travels to workers."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a shard that it needs."""

    def __call__(self, shard: DocumentShard, table: pa.Table) -> pa.Array | pa.ChunkedArray:
        """The value of every row of a table of the shard's candidates."""


@dataclass(frozen=True)
class ColumnReader:
    """Reads a column; a null is called `null`."""

    column: str
    null: str = UNKNOWN

    @property
    def columns(self) -> tuple[str, ...]:
        """The column itself."""
        return (self.column,)

    def __call__(self, shard: DocumentShard, table: pa.Table) -> pa.ChunkedArray:
        """The value of every row."""
        import pyarrow as pa
        import pyarrow.compute as pc

        return pc.fill_null(table[self.column].cast(pa.string()), self.null)


@dataclass(frozen=True)
class HostReader:
    """Reads the host of a document's first address on the web."""

    columns: tuple[str, ...] = ("meta", "media")

    def __call__(self, shard: DocumentShard, table: pa.Table) -> pa.Array:
        """The host of every row."""
        return hosts(table["meta"], table["media"], UNKNOWN)


@dataclass(frozen=True)
class MetaReader:
    """Reads a value of `meta`: a string as it is, anything else as JSON."""

    key: str
    columns: tuple[str, ...] = ("meta",)

    def __call__(self, shard: DocumentShard, table: pa.Table) -> pa.Array:
        """The value of every row."""
        return values(table["meta"], self.key, UNKNOWN)
