"""Where a document stands: an index from ids to the rows of a shard, which `clean` writes.

    clean/_index/00000.npy        keys of the ids, sorted, each with its row

A key is the first half of an id. Two ids may share one, so the rows that are found are read and
their ids compared.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate import storage

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

FOLDER = "_index"

_DIGITS = 16
"""Hexadecimal digits of a key."""


def keys_of(ids: pa.Array | pa.ChunkedArray) -> NDArray[np.uint64]:
    """A number for each id, in the order of the ids: the first 16 of its hexadecimal digits.

    Ids that are no content hashes (in tests) are compared by their first 8 bytes.
    """
    import numpy as np
    import pyarrow as pa

    array = pa.concat_arrays(ids.chunks) if isinstance(ids, pa.ChunkedArray) and ids.chunks else ids
    if not len(array):
        return np.zeros(0, np.uint64)
    text = _fixed(array)
    if text is not None:
        digits = _hexadecimal()[text[:, :_DIGITS]]
        if (digits < 16).all():
            places = np.uint64(4) * np.arange(_DIGITS - 1, -1, -1, dtype=np.uint64)
            return np.asarray((digits.astype(np.uint64) << places).sum(axis=1, dtype=np.uint64))
    return np.array([_key(id) for id in array.to_pylist()], np.uint64)


def _key(id: str) -> int:
    head = id[:_DIGITS]
    if len(head) == _DIGITS and not set(head) - set("0123456789abcdef"):
        return int(head, 16)
    return int.from_bytes(id.encode()[:8].ljust(8, b"\0"), "big")


def _fixed(array: pa.Array) -> NDArray[np.uint8] | None:
    """The bytes of strings of one length, at least 16: strings x length; None for others."""
    import numpy as np
    import pyarrow as pa

    if array.null_count or not pa.types.is_string(array.type):
        return None
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset :][: len(array) + 1]
    width = int(offsets[1] - offsets[0])
    if width < _DIGITS or (np.diff(offsets) != width).any():
        return None
    data = np.frombuffer(array.buffers()[2], np.uint8)
    return data[offsets[0] : offsets[-1]].reshape(len(array), width)


def _hexadecimal() -> NDArray[np.uint8]:
    """The value of each byte as a hexadecimal digit; 255 for other bytes."""
    import numpy as np

    table = np.full(256, 255, np.uint8)
    table[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
    return table


def path_of(shard: Path) -> Path:
    """Where the index of a shard of `clean` lies."""
    return shard.parent / FOLDER / f"{shard.stem}.npy"


def write(path: Path, ids: pa.ChunkedArray) -> None:
    """Write the index of a shard with these ids, in the order of its rows."""
    import numpy as np

    path.parent.mkdir(exist_ok=True)
    with storage.replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, _sorted(ids))


def find_rows(shard: Path, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The rows of a shard of `clean` whose ids may have one of the keys, ascending."""
    return _rows_between(_entries(shard), keys, keys)


def find_beginning(shard: Path, prefix: str) -> NDArray[np.int64]:
    """The rows of a shard of `clean` whose ids may begin with `prefix`, ascending."""
    import numpy as np

    first, last = _range(prefix)
    return _rows_between(_entries(shard), np.array(first, np.uint64), np.array(last, np.uint64))


def find_nearest(shard: Path, prefix: str) -> NDArray[np.int64]:
    """The rows of a shard of `clean` whose ids stand next to `prefix` in the order of the keys."""
    import numpy as np

    entries = _entries(shard)
    place = int(
        np.searchsorted(np.ascontiguousarray(entries["key"]), np.uint64(_range(prefix)[0][0]))
    )
    return np.sort(entries["row"][max(0, place - 1) : place + 1].astype(np.int64))


def _range(prefix: str) -> tuple[list[int], list[int]]:
    """The smallest and the largest keys of ids that begin with `prefix`, in parallel.

    Ids in hexadecimal come first, then others.
    """
    head, raw = prefix[:_DIGITS], prefix.encode()[:8]
    others = (raw.ljust(8, b"\0"), raw.ljust(8, b"\xff"))
    first, last = (int.from_bytes(word, "big") for word in others)
    if set(head) - set("0123456789abcdef"):
        return [first], [last]
    low, high = (int(head.ljust(_DIGITS, digit), 16) for digit in "0f")
    return [low, first], [high, last]


def _entries(shard: Path) -> Any:
    """The index of a shard: keys in order, each with its row."""
    import numpy as np
    import pyarrow.parquet as pq

    path = path_of(shard)
    entries: Any = np.load(path, mmap_mode="r") if path.exists() else None
    if entries is None or len(entries) != pq.read_metadata(shard).num_rows:
        return _sorted(storage.read_parquet(shard, columns=["id"])["id"])  # rows were taken down
    return entries


def _rows_between(
    entries: Any, low: NDArray[np.uint64], high: NDArray[np.uint64]
) -> NDArray[np.int64]:
    """The rows whose keys lie in one of some ranges, whose ends are in them, ascending."""
    import numpy as np

    column = np.ascontiguousarray(entries["key"])
    first = np.searchsorted(column, low, side="left")
    last = np.searchsorted(column, high, side="right")
    hits = [np.arange(*ends) for ends in zip(first, last, strict=True) if ends[1] > ends[0]]
    places = np.unique(np.concatenate(hits)) if hits else np.zeros(0, np.int64)
    return np.sort(entries["row"][places].astype(np.int64))


def _sorted(ids: pa.ChunkedArray) -> NDArray[Any]:
    import numpy as np

    keys = keys_of(ids)
    entries = np.empty(len(keys), [("key", "<u8"), ("row", "<u4")])
    order = np.argsort(keys, kind="stable")
    entries["key"], entries["row"] = keys[order], order
    return entries
