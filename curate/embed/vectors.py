"""The vectors of the kept documents, saved in fixed blocks and cached by content.

A block is the kept rows among 1,024 consecutive rows of the pool. It depends on the pool alone and
not on the blocks that are missing, because the composition of a batch moves the vectors of some
encoders by 2e-7. An interrupted run therefore goes on to the same vectors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage
from curate.embed.encoders import Encoder, choose, load
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


BLOCK = 1024


@dataclass(frozen=True)
class Vectors:
    """The table of the vectors of the kept documents, and the encoder that made them.

    `encoded` is the number of documents that this run encoded; `note` says why `auto` chose it.
    """

    table: str
    encoder: str
    dimension: int
    documents: int
    encoded: int
    note: str

    def vectors(self, workspace: Workspace) -> tuple[list[str], NDArray[np.float32]]:
        """The ids and the vectors, row by row: documents x dimension, float32."""
        import numpy as np

        table = workspace.tables.read(self.table)
        flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return table["id"].to_pylist(), flat.reshape(-1, self.dimension).astype(np.float32)


def embed(workspace: Workspace, name: str) -> Vectors:
    """Make the vectors of every kept document with the encoder of that name (`auto` chooses).

    Existing blocks are kept. Raises CurateError if there is no such encoder.
    """
    chosen, note = choose(name, _texts(workspace)) if name == "auto" else (name, "")
    encoder = load(chosen, workspace.root, lambda: _texts(workspace))
    table = f"vectors/{encoder.id}"
    folder = workspace.tables.folder(table)
    blocks = dict(_blocks(workspace))
    for path in storage.shards(folder):
        if path.stem not in blocks:
            path.unlink()
    todo = [block for block in blocks if not (folder / f"{block}.parquet").exists()]
    documents = sum(blocks.values())
    encoded = sum(blocks[block] for block in todo)
    if todo:
        _encode(workspace, encoder, folder, set(todo), encoded)
    inputs = workspace.tables.fingerprints(("pool", "clean"))
    provenance = storage.Provenance("embed", encoder.about, inputs, "", {})
    stored = workspace.tables.stored(table)
    if todo or stored is None or not stored.made.same_as(provenance):
        storage.seal(folder, provenance)
    return Vectors(table, encoder.id, encoder.dimension, documents, encoded, note)


def _texts(workspace: Workspace) -> Iterator[str]:
    for table in workspace.documents.batches(("id", "text")):
        yield from table["text"].to_pylist()


def _documents(workspace: Workspace) -> Iterator[tuple[str, pa.Table]]:
    """Yield (name, kept rows) of every block; the name ends with a hash of them."""
    for number, table in enumerate(
        workspace.documents.batches(("id", "text", "kept"), dropped=True)
    ):
        for start in range(0, table.num_rows, BLOCK):
            rows = table.slice(start, BLOCK)
            rows = rows.filter(rows["kept"])
            content = [rows["id"].to_pylist(), rows["text"].to_pylist()]
            content_hash = storage.digest(json.dumps(content, ensure_ascii=False))[:12]
            yield f"{number:05}-{start // BLOCK:04}-{content_hash}", rows


def _blocks(workspace: Workspace) -> Iterator[tuple[str, int]]:
    for name, rows in _documents(workspace):
        yield name, rows.num_rows


def _encode(
    workspace: Workspace, encoder: Encoder, folder: Path, todo: set[str], total: int
) -> None:
    import numpy as np
    import pyarrow as pa

    with workspace.watch(f"embedding with {encoder.id}", total) as advance:
        for name, rows in _documents(workspace):
            if name not in todo:
                continue
            vectors = encoder.encode(rows["text"].to_pylist()).astype(np.float32)
            block = pa.table(
                {
                    "id": rows["id"],
                    "part": pa.array(np.zeros(rows.num_rows, np.int32)),
                    "vector": pa.array(list(vectors), pa.list_(pa.float32())),
                }
            )
            storage.write_parquet(folder / f"{name}.parquet", block)
            advance(rows.num_rows)
