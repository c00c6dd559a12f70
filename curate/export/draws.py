"""`draw.parquet`: a row for each line that was written, in the order of the lines.

It has no row for a candidate that was not drawn, and none for a line of the holdout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import tables
from curate.export.formats import read_batches
from curate.export.parts import Layout

if TYPE_CHECKING:
    import pyarrow as pa

DRAW = "draw.parquet"

ROWS = 1 << 16
"""Rows of a row group."""

_OWN = (
    "id",
    "source",
    "group",
    "bucket",
    "tokens",
    "quality",
    "weight",
    "copies",
    "earlier",
    "size",
    "max_epochs",
)

_OTHER_THAN_IN_LINES = ("quality", "copies")
"""A line has its quality rounded, and the copies of one phase alone."""


def of_draw(name: str) -> str:
    """What a column of the draw is called beside those of lines."""
    return f"{name}:draw" if name in _OTHER_THAN_IN_LINES else name


def of_pool_and_mix(layout: Layout) -> list[str]:
    """The columns of documents that the draw has as they are stored."""
    return [*(name for name in _OWN if name != "quality"), *layout.of_phases]


def read_schema(layout: Layout) -> pa.Schema:
    """The columns of the draw as they lie beside those of lines, before a shard is written."""
    import pyarrow as pa

    own = [(of_draw(field.name), field.type) for field in draw_schema(layout)]
    return pa.schema([pair for pair in own if pair[0] not in ("shard", "position")])


def draw_schema(layout: Layout) -> pa.Schema:
    """The columns of `draw.parquet`; `phase` and those of phases only where there are some."""
    import pyarrow as pa

    types = {
        field.name: field.type
        for name in ("scores", "pool", "mix")
        for field in tables.schema(name)
    }
    own = [(name, types[name]) for name in _OWN]
    of_phases = [(name, types[name.partition(":")[0]]) for name in layout.of_phases]
    phase = [("phase", pa.string())] if layout.phases else []
    line = [("copy", pa.int64()), *phase, ("shard", pa.string()), ("position", pa.int64())]
    return pa.schema([*own, *of_phases, *line])


def draw_rows(lines: pa.Table, schema: pa.Schema, shard: str, first: int) -> pa.Table:
    """The rows of lines that are written to a shard from a position on."""
    import numpy as np
    import pyarrow as pa

    positions = pa.array(np.arange(first, first + lines.num_rows))
    own = {"shard": pa.repeat(shard, lines.num_rows), "position": positions}
    arrays = [own[name] if name in own else lines[of_draw(name)] for name in schema.names]
    return pa.table(arrays, schema=schema)


def write_draw(parts: Iterable[Path], schema: pa.Schema, path: Path) -> None:
    """Write the draw from files with the rows of some lines each, in their order.

    Row groups are of one size, so the bytes do not depend on how the lines were cut.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    waiting = schema.empty_table()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for part in parts:
            with pa.OSFile(str(part)) as file:
                waiting = pa.concat_tables([waiting, pa.ipc.open_file(file).read_all()])
            while waiting.num_rows >= ROWS:
                writer.write_table(waiting.slice(0, ROWS))
                waiting = waiting.slice(ROWS)
        writer.write_table(waiting)


@dataclass
class DrawReader:
    """Reads the draw beside the lines, row by row; `fault` is what went wrong with that.

    `differs` tells that a row was not that of its line.
    """

    rows: Iterator[Mapping[str, Any]]
    fault: str | None = None
    differs: bool = False

    @staticmethod
    def of(path: Path) -> DrawReader:
        """A reader of the draw of an export."""
        return DrawReader(_rows(path))

    def copies(self, line: tuple[Any, ...]) -> tuple[int, int | None]:
        """The copies that earlier parts drew of the document of the next line, and its most copies.

        The line is told by its `LINE`; 0 and None where the draw does not tell of it.
        """
        row = self._next()
        if row is None or tuple(row[name] for name in LINE) != line:
            self.differs = True
            return 0, None
        return int(row["earlier"] or 0), row["max_epochs"]

    def _next(self) -> Mapping[str, Any] | None:
        try:
            return next(self.rows, None)
        except (OSError, ValueError, LookupError, TypeError) as error:
            self.fault = f"draw.parquet cannot be read: {error!r}"
            self.rows = iter(())
            return None

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the draw, after the last line."""
        if self._next() is not None:
            self.differs = True
        if self.fault:
            yield self.fault
        if self.differs:
            yield "the documents are not those of draw.parquet"


LINE = ("id", "copy", "group", "shard", "position")
"""What a row of the draw and its line have in common."""


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    names = [*LINE, "earlier", "max_epochs"]
    for batch in read_batches(path, 1_000, names):
        yield from batch.select(names).to_pylist()
