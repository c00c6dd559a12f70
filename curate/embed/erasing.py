"""Erase the vectors of documents that were taken down, and what was learned from their texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from curate import storage
from curate.embed.chargram import FIT
from curate.embed.contents import FOLDER

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def erase(folder: Path, gone: pa.Array) -> int:
    """Erase documents from an encoder's folder; return the number of vectors erased.

    A fit goes if it was made on one of their texts: all documents are then encoded again.
    """
    import numpy as np

    stored = storage.stored_folder(folder)
    contents = {path: _contents(path, gone) for path in storage.shards(folder)}
    everything = np.concatenate([np.zeros(0, np.uint64), *contents.values()])
    fit = folder / FIT
    if fit.exists() and np.isin(np.load(fit)["sample"], everything).any():
        fit.unlink()
    for digests in folder.glob(f"{FOLDER}*"):
        storage.remove(digests)
    for path, own in contents.items():
        if len(own):
            _drop(path, gone)
    if stored is not None:
        storage.seal(folder, stored.made)
    return len(everything)


def _contents(path: Path, gone: pa.Array) -> NDArray[np.uint64]:
    """The contents of a block's documents that are to go; zeros where its layout is older."""
    import numpy as np
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    names = [name for name in ("id", "content") if name in pq.read_schema(path).names]
    table = storage.read_parquet(path, columns=names)
    table = table.filter(pc.is_in(table["id"], gone))
    if "content" not in names:
        return np.zeros(table.num_rows, np.uint64)
    return np.asarray(table["content"].to_numpy(), np.uint64)


def _drop(path: Path, gone: pa.Array) -> None:
    """Drop documents from a block, which is deleted if no other is left."""
    import pyarrow.compute as pc

    table = storage.read_parquet(path)
    remaining = table.filter(pc.invert(pc.is_in(table["id"], gone)))
    if remaining.num_rows:
        storage.write_parquet(path, remaining, dictionary=False)
    else:
        path.unlink()
