"""How the page reads tables of documents: shard by shard on the engine, with a folder for scratch.

A function of a shard returns the number of its rows and a small result: counts, sums, names.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from curate.engine import in_order
from curate.storage import read_parquet
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

R = TypeVar("R")


def of_shards(
    workspace: Workspace, label: str, table: str, function: Callable[[Path], tuple[int, R]]
) -> list[R]:
    """The result of every shard of a table, in the order of the shards."""
    paths = workspace.tables.shards(table)
    results: list[R] = []
    with workspace.watch(label, workspace.tables.rows(table)) as advance:
        for rows, result in in_order(workspace.engine.each(function, paths)):
            results.append(result)
            advance(rows)
    return results


def read(path: Path, *columns: str) -> pa.Table:
    """Read some columns of a shard."""
    return read_parquet(path, columns=list(columns))


def encoded(column: pa.Array | pa.ChunkedArray) -> tuple[list[str], NDArray[np.int32]]:
    """The distinct values, in the order of their first occurrences, and the number of each row's.

    Null becomes the empty string.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    filled = pc.fill_null(column, "")
    whole = filled.combine_chunks() if isinstance(filled, pa.ChunkedArray) else filled
    codes = whole.dictionary_encode()
    return codes.dictionary.to_pylist(), codes.indices.to_numpy()


@contextmanager
def scratch(workspace: Workspace) -> Iterator[Path]:
    """Yield an empty folder for scratch files; it is removed at the end."""
    folder = workspace.root / ".building" / "report"
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
