"""A probe made larger: its documents many times over, with other ids and other words.

The stages behind `clean` take microseconds a document. A thousand would not tell how they grow.
A thousand documents hardly hold a copy of another, but a million do, and a report then compares all
texts. So the larger probe has some copies.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from curate import storage, tables
from curate.pool.work import ROWS_PER_SHARD
from curate.workspace import Workspace, index

if TYPE_CHECKING:
    import pyarrow as pa

COPIED = 100
"""One of so many documents has an exact copy, in another source if there is one."""

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
    pool = _with(pool.take(rows), text=_texts(pool["text"].to_pylist(), documents), id=ids)
    copies = _copies(pool)
    _write(workspace, "pool", _with(pool, also=_also(pool["source"].to_pylist(), copies)))
    made = workspace.tables.made("duplicates")
    duplicates = tables.rows("duplicates", list(copies.values()))
    storage.write_file_table(workspace.tables.folder("duplicates"), duplicates, made)
    _write(workspace, "clean", _with(clean.take(rows), id=ids))
    for shard in workspace.tables.shards("clean"):
        index.write(index.path_of(shard), _ids(shard))


def _copies(pool: pa.Table) -> dict[int, dict[str, str]]:
    """By row, the copy of one document in so many, in another source if there is one."""
    rows = range(0, pool.num_rows, COPIED)
    names = pool["source"].unique().to_pylist()
    after = dict(zip(names, [*names[1:], names[0]], strict=True))
    originals = pool.select(["id", "source", "origin"]).take(list(rows)).to_pylist()
    copies = [{**copy, "source": after[copy["source"]]} for copy in originals]
    return dict(zip(rows, copies, strict=True))


def _also(sources: list[str], copies: dict[int, dict[str, str]]) -> list[list[str]]:
    """The other sources that hold a copy of each document."""
    others: list[list[str]] = [[] for _ in sources]
    for row, copy in copies.items():
        others[row] = [copy["source"]] if copy["source"] != sources[row] else []
    return others


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


def _with(table: pa.Table, **columns: list[Any]) -> pa.Table:
    import pyarrow as pa

    for name, values in columns.items():
        column = table.schema.field(name)
        place = table.column_names.index(name)
        table = table.set_column(place, column, [pa.array(values, column.type)])
    return table


def _ids(shard: Path) -> pa.ChunkedArray:

    return storage.read_parquet(shard, columns=["id"])["id"]


def _write(workspace: Workspace, name: str, table: pa.Table) -> None:
    """Write the shards of `pool` or `clean` again, with the record of the ones before."""
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
