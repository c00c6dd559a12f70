"""A probe made larger: its documents many times over, with other ids and other words.

The stages behind `clean` take microseconds a document. A thousand would not tell how they grow.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from curate import storage
from curate.pool.work import ROWS_PER_SHARD
from curate.workspace import Workspace, index

if TYPE_CHECKING:
    import pyarrow as pa

CHARACTERS = 7
"""A text is cut into pieces of so many characters, and these are shuffled."""


def copy(workspace: Workspace, folder: Path) -> Workspace:
    """Copy the workspace of a probe; its links still lead to the same places."""
    shutil.copytree(workspace.root, folder, symlinks=True)
    return Workspace(folder, engine=workspace.engine)


def enlarge(workspace: Workspace, documents: int) -> None:
    """Bring pool and clean of a probe's workspace to so many documents, in shards of usual size.

    The first documents stay as they are. The others repeat them: as long, but with other words.
    """
    pool, clean = workspace.tables.read("pool"), workspace.tables.read("clean")
    rows = [number % pool.num_rows for number in range(documents)]
    own = pool["id"].to_pylist()
    ids = own + [_id_of(number) for number in range(len(own), documents)]
    pool = _with(pool.take(rows), text=_texts(pool["text"].to_pylist(), documents))
    _write(workspace, "pool", _with(pool, id=ids))
    _write(workspace, "clean", _with(clean.take(rows), id=ids))
    for shard in workspace.tables.shards("clean"):
        index.write(index.path_of(shard), _ids(shard))


def _id_of(number: int) -> str:
    return blake2b(f"{number}".encode(), digest_size=16).hexdigest()


def _texts(texts: list[str], documents: int) -> list[str]:
    rng = Random(0)
    more = range(len(texts), documents)
    return texts + [_shuffled(texts[number % len(texts)], rng) for number in more]


def _shuffled(text: str, rng: Random) -> str:
    pieces = [text[start : start + CHARACTERS] for start in range(0, len(text), CHARACTERS)]
    rng.shuffle(pieces)
    return "".join(pieces)


def _with(table: pa.Table, **columns: list[str]) -> pa.Table:
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, [values])
    return table


def _ids(shard: Path) -> pa.ChunkedArray:
    import pyarrow.parquet as pq

    return pq.read_table(shard, columns=["id"])["id"]


def _write(workspace: Workspace, name: str, table: pa.Table) -> None:
    """Write the shards of `pool` or `clean` anew, with the record of the ones before."""
    made = workspace.tables.made(name)
    inputs = {**made.inputs, **workspace.tables.fingerprints([*{"pool"} & set(made.inputs)])}
    folder = workspace.tables.folder(name)
    for shard in storage.shards(folder):
        shard.unlink()
        index.path_of(shard).unlink(missing_ok=True)
    for start in range(0, table.num_rows, ROWS_PER_SHARD):
        path = folder / f"0001-{start // ROWS_PER_SHARD:07}-0000.parquet"
        storage.write_parquet(path, table.slice(start, ROWS_PER_SHARD))
    storage.seal(folder, replace(made, inputs=inputs))
