"""The rows of the sources as they came, read again for the documents of an export.

    documents ──by block of lines──▶ wanted ──read sources again──▶ found, by shard of the pool

`origin` in the pool names file and line. A row counts only if it gives its document's id again.
Nothing is held but one block of wanted lines and the rows of one part, so memory is flat.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage
from curate.engine import buckets_for
from curate.engine.shuffling import bucket_of
from curate.errors import DataError
from curate.export.parts import Layout
from curate.export.rows import row_json
from curate.sources.reading import Part, SourceSpec, find, parts, read_as_it_came
from curate.sources.rows import content
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard, stored_edits

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK_BITS = 16
"""The lines of a file are wanted by blocks of 2 to the power of so many."""

PART_BYTES = 32 << 20
"""About the size of a part of the sources, which one worker reads."""

FLUSH_CHARS = 8 << 20
"""About so many characters of rows that were found are held before they are written."""


@dataclass(frozen=True)
class Originals:
    """Where the rows of each shard of the pool lie: files, and the batches within them."""

    batches: Mapping[int, tuple[tuple[str, int], ...]] = field(default_factory=dict)

    def read(self, shard: DocumentShard, documents: pa.Table, rows: Any) -> pa.Array:
        """The source's row of each of the documents, whose rows in the shard are ascending.

        DataError for a document whose row is not there as it was.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        found = [_read_batch(*place) for place in self.batches.get(shard.number, ())]
        table = pa.concat_tables(found) if found else _schema().empty_table()
        places = pc.index_in(pa.array(rows, pa.int64()), value_set=table["row"].combine_chunks())
        if places.null_count:
            lost = documents.filter(places.is_null()).slice(0, 1)
            id, origin = lost["id"][0].as_py(), lost["origin"][0].as_py()
            raise DataError(
                f"{origin}: the document {id} is no longer there as `pool` read it",
                hint="`original` reads the sources again: bring the file back, or leave it out",
            )
        return table["original"].take(places).combine_chunks()


def _schema() -> pa.Schema:
    """The columns of rows that were found: the document's row in its shard, and the source's."""
    import pyarrow as pa

    return pa.schema([("row", pa.int64()), ("original", pa.string())])


def _read_batch(path: str, number: int) -> pa.Table:
    import pyarrow as pa

    with pa.OSFile(path) as file:
        return pa.Table.from_batches([pa.ipc.open_file(file).get_batch(number)])


def find_originals(
    workspace: Workspace, shards: Sequence[DocumentShard], layout: Layout, folder: Path
) -> Originals:
    """Read the sources again, and write the wanted rows into a folder.

    DataError where a source's files are gone, or an edit has no place in a row.
    """
    pool = workspace.tables.made("pool")
    sources = tuple(SourceSpec.model_validate(source) for source in pool.spec["sources"])
    known = {str(file["path"]) for file in pool.facts["files"]}
    files = [file for file in find(sources, workspace.root) if file.label in known]
    buckets = workspace.engine.shuffle(
        by_block,
        shards,
        folder / "wanted",
        key="block",
        buckets=buckets_for(workspace.tables.rows("mix")),
        load=Wanted(layout),
    )
    work = list(enumerate(parts(sources, workspace.root, size=PART_BYTES, files=files)))
    search = Search(sources, tuple(buckets), folder)
    batches: dict[int, list[tuple[str, int]]] = {}
    with workspace.watch("reading sources again, parts", len(work)) as advance:
        for _, places in workspace.engine.each(search, work):
            for path, number, shard in places:
                batches.setdefault(shard, []).append((path, number))
            advance(1)
    return Originals({shard: tuple(sorted(own)) for shard, own in batches.items()})


def block_of(label: str, line: int) -> str:
    """The block of lines that holds a line of a file."""
    return f"{line >> BLOCK_BITS} {label}"


@dataclass(frozen=True)
class Wanted:
    """Loads the origins of a shard's documents that have lines, with their edits."""

    layout: Layout

    def __call__(self, shard: DocumentShard) -> pa.Table:
        """Columns block, line, id, shard, row and edits: a row for each document."""
        import numpy as np
        import pyarrow as pa

        names = list(dict.fromkeys(["id", "origin", "edits", *self.layout.columns]))
        table = shard.read(names, dropped=True)
        rows = np.unique(self.layout.entries(table).row)
        table = table.take(pa.array(rows))
        origins = [origin.rpartition(":") for origin in table["origin"].to_pylist()]
        lines = [int(line) for _, _, line in origins]
        blocks = [block_of(label, line) for (label, _, _), line in zip(origins, lines, strict=True)]
        return pa.table(
            {
                "block": pa.array(blocks, pa.string()),
                "line": pa.array(lines, pa.int64()),
                "id": table["id"],
                "shard": pa.array(np.full(len(rows), shard.number)),
                "row": pa.array(rows),
                "edits": table["edits"],
            }
        )


def by_block(wanted: pa.Table) -> pa.Table:
    """Sort a bucket of wanted lines. Pure."""
    return wanted.sort_by([("block", "ascending"), ("line", "ascending")])


Lines = dict[int, list[dict[str, Any]]]
"""The documents that are wanted of each line; several, if a file stands in two sources."""


@dataclass(frozen=True)
class Search:
    """Finds the wanted rows in the parts of the sources; `buckets` hold what is wanted."""

    sources: tuple[SourceSpec, ...]
    buckets: tuple[Path, ...]
    folder: Path

    def __call__(self, item: tuple[int, Part]) -> list[tuple[str, int, int]]:
        """The batches that were written: file, number, and shard of the pool.

        A mark beside the file tells them once it is whole: then the part is not read again.
        """
        number, part = item
        path = self.folder / f"found-{number:07}.arrow"
        mark = path.with_suffix(".json")
        done = storage.read_json(mark)
        if done is None:
            done = self._written(part, path)
            storage.write_json(mark, done)
        return [(str(path), place, shard) for place, shard in enumerate(done)]

    def _written(self, part: Part, path: Path) -> list[int]:
        """Write the rows of a part; the shard of each batch."""
        import pyarrow as pa

        shards: list[int] = []
        with pa.ipc.new_file(str(path), _schema()) as writer:
            for found in self._flushes(part):
                for shard, rows in found.items():
                    columns = [
                        pa.array(list(column), field.type)
                        for column, field in zip(zip(*rows, strict=True), _schema(), strict=True)
                    ]
                    writer.write_batch(pa.record_batch(columns, schema=_schema()))
                    shards.append(shard)
        return shards

    def _flushes(self, part: Part) -> Iterator[dict[int, list[tuple[int, str]]]]:
        """Yield the rows that were found by shard, some at a time."""
        found: dict[int, list[tuple[int, str]]] = {}
        held = 0
        for shard, row, text in self._rows(part):
            found.setdefault(shard, []).append((row, text))
            held += len(text)
            if held >= FLUSH_CHARS:
                yield found
                found, held = {}, 0
        yield found

    def _rows(self, part: Part) -> Iterator[tuple[int, int, str]]:
        """Yield shard, row and JSON of every wanted row of a part."""
        files = (part, *part.more)
        ahead = self._wanted(block_of(file.label, file.first) for file in files)
        for file in files:
            if not file.skip:
                yield from self._of_file(file, ahead)

    def _of_file(self, file: Part, ahead: Mapping[str, Lines]) -> Iterator[tuple[int, int, str]]:
        block, lines = "", {}
        try:
            for came in read_as_it_came(self.sources[file.source], file):
                here = block_of(file.label, came.number)
                if here != block:
                    block = here
                    lines = ahead[here] if here in ahead else self._wanted([here])[here]
                if came.number in lines:
                    yield from _matching(came, lines[came.number])
        except DataError as error:
            if error.hint:  # a document was refused; a file that ends early is told later
                raise

    def _wanted(self, blocks: Any) -> dict[str, Lines]:
        """What is wanted of some blocks; each bucket is read once."""
        import pyarrow as pa

        names = list(dict.fromkeys(blocks))
        wanted: dict[str, Lines] = {name: {} for name in names}
        places = bucket_of(pa.chunked_array([pa.array(names, pa.string())]), len(self.buckets))
        by_bucket: dict[int, list[str]] = {}
        for name, place in zip(names, places.tolist(), strict=True):
            by_bucket.setdefault(place, []).append(name)
        for place, own in by_bucket.items():
            for row in _of_blocks(self.buckets[place], own):
                wanted[row["block"]].setdefault(row["line"], []).append(row)
        return wanted


def _of_blocks(path: Path, blocks: Sequence[str]) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    table = storage.read_parquet(path)
    rows: list[dict[str, Any]] = table.filter(
        pc.is_in(table["block"], pa.array(list(blocks), pa.string()))
    ).to_pylist()
    return rows


def _matching(came: Any, wanted: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int, str]]:
    """Yield shard, row and JSON for each document that a row still gives."""
    row = came.row()
    if row is None:
        return
    id = content(row).id
    for document in wanted:
        if document["id"] == id:
            text = row_json(came, row, stored_edits(document["edits"]))
            yield document["shard"], document["row"], text
