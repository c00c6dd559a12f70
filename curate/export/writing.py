"""Write the shards of an export from the spilled lines, and digest their content in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from curate.engine import in_order
from curate.export.formats import BATCH, FORMATS
from curate.export.manifest import entry
from curate.export.order import Unit
from curate.export.quoting import joined, quoted_column
from curate.export.spilling import read_piece, spill_schema
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

AHEAD = 8
"""So many units for each worker are written before all of their content is digested."""

BLOCK = 1 << 20
"""Bytes that are digested at once."""


@dataclass(frozen=True)
class WriteUnit:
    """Writes one unit of work: shards into `folder`, the content of their lines into `contents`.

    `spills` are the files of spilled lines, which hold `pieces` pieces each. `schema` is that of
    the lines in a shard.
    """

    spills: tuple[Path, ...]
    schema: pa.Schema
    pieces: int
    folder: Path
    contents: Path
    format: str
    shard_lines: int

    def __call__(self, unit: Unit) -> list[dict[str, Any]]:
        """What the manifest says of each shard."""
        with content_path(self.contents, unit).open("wb") as contents:
            return [
                self._shard(self._path(number, unit.phase), lines, contents)
                for number, lines in self._shards(unit)
            ]

    def _path(self, number: int, phase: str | None) -> Path:
        """Where a shard lies: numbers say the order, names the phase."""
        name = f"{number:05}" if phase is None else f"{number:05}-{phase}"
        return self.folder / f"data-{name}.{self.format}"

    def _shards(self, unit: Unit) -> Iterator[tuple[int, Iterator[pa.Table]]]:
        """Yield the number of each shard, and its lines in parts."""
        if len(unit.pieces) > 1:
            yield unit.first, (self._piece(piece) for piece in unit.pieces)
            return
        lines = self._piece(unit.pieces[0])
        for place, start in enumerate(range(0, max(1, lines.num_rows), self.shard_lines)):
            yield unit.first + place, iter([lines.slice(start, self.shard_lines)])

    def _piece(self, piece: int) -> pa.Table:
        return read_piece(self.spills, spill_schema(self.schema), self.pieces, piece)

    def _shard(self, path: Path, parts: Iterator[pa.Table], contents: BinaryIO) -> dict[str, Any]:
        import pyarrow.compute as pc

        documents = tokens = 0
        with FORMATS[self.format].writing(path, self.schema) as write:
            for lines in parts:
                write(lines)
                contents.writelines(_contents(lines))
                documents += lines.num_rows
                tokens += pc.sum(lines["tokens"]).as_py() or 0
        return entry(path, documents, tokens)


def _contents(lines: pa.Table) -> Iterator[memoryview]:
    """Yield `content_line` of all documents, some at a time."""
    for rows in lines.to_batches(max_chunksize=BATCH):
        id, text = (quoted_column(rows.column(name)) for name in ("id", "text"))
        yield joined("[", id, ", ", rows.column("copy").cast("string"), ", ", text, "]\n")


def content_path(folder: Path, unit: Unit) -> Path:
    """Where the content of a unit waits until it is digested."""
    return folder / f"{unit.first:05}"


def write_shards(
    workspace: Workspace, write: WriteUnit, units: Sequence[Unit], lines: int
) -> tuple[dict[str | None, list[dict[str, Any]]], str]:
    """Write all shards; what the manifest says of each by phase, and the digest of all content."""
    content = sha256()
    files: dict[str | None, list[dict[str, Any]]] = {}
    size = AHEAD * workspace.engine.workers
    with workspace.watch("exporting", lines) as advance:
        for start in range(0, len(units), size):
            some = units[start : start + size]
            written = in_order(workspace.engine.each(write, some))
            for unit, entries in zip(some, written, strict=True):
                _digest(content_path(write.contents, unit), content)
                files.setdefault(unit.phase, []).extend(entries)
                advance(sum(file["documents"] for file in entries))
    return files, content.hexdigest()


def _digest(path: Path, content: Any) -> None:
    """Add a file to the digest, and delete it."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            content.update(block)
    path.unlink()
