"""Text → vectors, behind a one-method protocol; saved in blocks and cached by content.

Vectors are made in fixed blocks: the kept rows of 1,024 consecutive rows of the pool. What a block
holds is a function of the pool and not of what is missing, since the composition of a batch moves
some encoders by 2e-7; so an interrupted run that goes on is the same run.
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
class Embedded:
    """Where the vectors of the kept documents lie, and what made them."""

    table: str
    encoder: str
    dimension: int
    documents: int
    encoded: int
    note: str

    def vectors(self, workspace: Workspace) -> tuple[list[str], NDArray[np.float32]]:
        """Return the ids and, row by row, the vectors: documents x dimension."""
        import numpy as np

        table = workspace.read(self.table)
        flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return table["id"].to_pylist(), flat.reshape(-1, self.dimension).astype(np.float32)


def embed(workspace: Workspace, name: str) -> Embedded:
    """Make the vectors of every kept document with the encoder of that name (`auto` chooses).

    Blocks that are there already are left alone.
    """
    chosen, note = choose(name, _texts(workspace)) if name == "auto" else (name, "")
    encoder = load(chosen, workspace.root, lambda: _texts(workspace))
    table = f"vectors/{encoder.id}"
    folder = workspace.folder(table)
    blocks = dict(_blocks(workspace))
    for path in storage.shards(folder):
        if path.stem not in blocks:
            path.unlink()
    todo = [name for name in blocks if not (folder / f"{name}.parquet").exists()]
    rows = sum(size for size in blocks.values())
    if todo:
        _encode(workspace, encoder, folder, set(todo), sum(blocks[name] for name in todo))
    inputs = workspace.inputs(("pool", "clean"))
    made = storage.Provenance("embed", encoder.about, inputs, "", {})
    stored = workspace.stored(table)
    if todo or stored is None or not stored.made.same_as(made):
        storage.seal(folder, made)
    encoded = sum(blocks[name] for name in todo)
    return Embedded(table, encoder.id, encoder.dimension, rows, encoded, note)


def _texts(workspace: Workspace) -> Iterator[str]:
    for table in workspace.documents(("id", "text")):
        yield from table["text"].to_pylist()


def _documents(workspace: Workspace) -> Iterator[tuple[str, pa.Table]]:
    """Yield (name, kept rows) of every block; the name says which texts are in it."""
    for number, table in enumerate(workspace.documents(("id", "text", "kept"), dropped=True)):
        for start in range(0, table.num_rows, BLOCK):
            part = table.slice(start, BLOCK)
            part = part.filter(part["kept"])
            content = [part["id"].to_pylist(), part["text"].to_pylist()]
            mark = storage.digest(json.dumps(content, ensure_ascii=False))[:12]
            yield f"{number:05}-{start // BLOCK:04}-{mark}", part


def _blocks(workspace: Workspace) -> Iterator[tuple[str, int]]:
    for name, part in _documents(workspace):
        yield name, part.num_rows


def _encode(
    workspace: Workspace, encoder: Encoder, folder: Path, todo: set[str], total: int
) -> None:
    import numpy as np
    import pyarrow as pa

    with workspace.watch(f"embedding with {encoder.id}", total) as advance:
        for name, part in _documents(workspace):
            if name not in todo:
                continue
            vectors = encoder.encode(part["text"].to_pylist()).astype(np.float32)
            rows = pa.table(
                {
                    "id": part["id"],
                    "part": pa.array(np.zeros(part.num_rows, np.int32)),
                    "vector": pa.array(list(vectors), pa.list_(pa.float32())),
                }
            )
            storage.write_parquet(folder / f"{name}.parquet", rows)
            advance(part.num_rows)
