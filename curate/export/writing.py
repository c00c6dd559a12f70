"""Write the shards of an export from the spilled lines, and digest their content in order.

What is finished is marked in a folder, so that an export which was killed goes on after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from curate import storage
from curate.engine import in_order
from curate.export.draws import draw_rows
from curate.export.formats import BATCH, Format
from curate.export.manifest import Shards, entry
from curate.export.media.beside import CopyMedia
from curate.export.messages import Conversations
from curate.export.order import Unit
from curate.export.parts import Part
from curate.export.quoting import joined, quoted_column
from curate.export.spilling import read_piece
from curate.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

AHEAD = 8
"""So many units for each worker are written before all of their content is digested."""

BLOCK = 1 << 20
"""Bytes that are digested at once."""


@dataclass(frozen=True)
class WriteUnit:
    """Writes one unit of work: shards into `folder`, and into `scratch` the rest.

    That is the content of its lines, their rows of the draw, and a mark that it is done. `spills`
    are the files of spilled lines, which hold `pieces` pieces each of the schema `spilled`.
    `lines` and `draw` are the schemas of lines in a shard and of the draw. `media` copies what
    lies beside the shards.
    """

    spills: tuple[Path, ...]
    spilled: pa.Schema
    lines: pa.Schema
    draw: pa.Schema
    pieces: int
    parts: tuple[Part, ...]
    folder: Path
    scratch: Path
    format: Format
    media: CopyMedia | None = None

    def __call__(self, unit: Unit) -> list[dict[str, Any]]:
        """What the manifest says of each shard; shards that are done are not written again."""
        mark = done_path(self.scratch, unit)
        done = storage.read_json(mark)
        with content_path(self.scratch, unit).open("wb") as contents:
            if done is not None:
                for piece in unit.pieces:
                    contents.writelines(_contents(self._piece(piece)))
                return list(done)
            entries = self._write(unit, contents)
        storage.write_json(mark, entries)
        return entries

    def _write(self, unit: Unit, contents: BinaryIO) -> list[dict[str, Any]]:
        import pyarrow as pa

        stem = self.parts[unit.part].stem
        with pa.ipc.new_file(str(draw_path(self.scratch, unit)), self.draw) as draw:
            return [
                self._shard(self.format.path(stem(number)), lines, contents, draw)
                for number, lines in self._shards(unit)
            ]

    def _shards(self, unit: Unit) -> Iterator[tuple[int, Iterator[pa.Table]]]:
        """Yield the number of each shard, and its lines in parts."""
        if len(unit.pieces) > 1:
            yield unit.first, (self._piece(piece) for piece in unit.pieces)
            return
        lines = self._piece(unit.pieces[0])
        start = 0
        for place, size in enumerate(unit.lines):
            yield unit.first + place, iter([lines.slice(start, size)])
            start += size

    def _piece(self, piece: int) -> pa.Table:
        return read_piece(self.spills, self.spilled, self.pieces, piece)

    def _shard(
        self, name: str, parts: Iterator[pa.Table], contents: BinaryIO, draw: pa.RecordBatchWriter
    ) -> dict[str, Any]:
        import pyarrow.compute as pc

        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        documents = tokens = size = 0
        chats = Conversations() if "messages" in self.lines.names else None
        with self.format.writing(path, self.lines) as write:
            for lines in parts:
                write(lines if self.media is None else self.media(lines))
                contents.writelines(_contents(lines))
                draw.write_table(draw_rows(lines, self.draw, name, documents))
                documents += lines.num_rows
                tokens += pc.sum(lines["tokens"]).as_py() or 0
                size += pc.sum(lines["size"]).as_py() or 0
                if chats is not None:
                    chats.add(lines)
        told = {} if chats is None else chats.told()
        return entry(path, name, documents, tokens) | told | {"size": size}


def _contents(lines: pa.Table) -> Iterator[memoryview]:
    """Yield `content_line` of all documents, some at a time."""
    for rows in lines.to_batches(max_chunksize=BATCH):
        id, text = (quoted_column(rows.column(name)) for name in ("id", "text"))
        yield joined("[", id, ", ", rows.column("copy").cast("string"), ", ", text, "]\n")


def content_path(scratch: Path, unit: Unit) -> Path:
    """Where the content of a unit waits until it is digested."""
    return scratch / f"content-{unit.pieces.start:07}"


def draw_path(scratch: Path, unit: Unit) -> Path:
    """Where the rows of the draw of a unit wait."""
    return scratch / f"draw-{unit.pieces.start:07}.arrow"


def done_path(scratch: Path, unit: Unit) -> Path:
    """The mark that a unit is done: what the manifest says of its shards."""
    return scratch / f"done-{unit.pieces.start:07}.json"


def write_shards(
    workspace: Workspace, write: WriteUnit, units: Sequence[Unit], lines: int
) -> Shards:
    """Write all shards."""
    contents = {is_validation: sha256() for is_validation in (False, True)}
    files: dict[int, list[dict[str, Any]]] = {}
    size = AHEAD * workspace.engine.workers
    with workspace.watch("exporting", lines) as advance:
        for start in range(0, len(units), size):
            some = units[start : start + size]
            written = in_order(workspace.engine.each(write, some))
            for unit, entries in zip(some, written, strict=True):
                content = contents[write.parts[unit.part].is_validation]
                _digest(content_path(write.scratch, unit), content)
                files.setdefault(unit.part, []).extend(entries)
                advance(sum(file["documents"] for file in entries))
    return Shards(files, *(content.hexdigest() for content in contents.values()))


def _digest(path: Path, content: Any) -> None:
    """Add a file to the digest, and delete it."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            content.update(block)
    path.unlink()
