"""Which of two documents has precedence, and which documents are compared at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from curate.clean.duplicates.spec import ComparingSpec
from curate.storage import read_parquet
from curate.workspace.addresses import values
from curate.workspace.documents import DocumentShard
from curate.workspace.readers import (
    COLUMNS,
    HOST,
    META,
    ColumnReader,
    HostReader,
    MetaReader,
    Reader,
)

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_MOST = (1 << 38) - 1
"""The first 26 bits of an order are batch and source; the other 38 bits are the rest."""


def orders(
    how: ComparingSpec, texts: Path, measured: Path | None, ranks: Mapping[str, int]
) -> NDArray[np.uint64]:
    """The precedence of each document of a shard, the smallest first.

    `first`: batch, source, 38 bits of the id. `source`: the source before the batch. The others:
    38 bits of the length or of the time, then batch and source. Where all of this ties, the place
    in the pool decides.
    """
    import numpy as np

    table = read_parquet(texts, columns=["id", "source", "batch"])
    batch = np.minimum(table["batch"].to_numpy(), 1023).astype(np.uint64)
    own_ranks = [min(ranks[source], 65535) for source in table["source"].to_pylist()]
    rank = np.array(own_ranks, np.uint64)
    if how.keep in ("first", "source"):
        low = np.array([prefix(id) for id in table["id"].to_pylist()], np.uint64)
        high = (
            batch << np.uint64(16) | rank if how.keep == "first" else rank << np.uint64(10) | batch
        )
        return np.asarray(high << np.uint64(38) | low)
    if how.keep == "longest":
        wanted = read_parquet(measured or texts, columns=["tokens"])["tokens"].to_numpy()
    elif how.date is not None:
        wanted = times(read_parquet(texts, columns=["meta"])["meta"], how.date)
    else:
        wanted = batch.astype(np.int64)
    most = np.uint64(_MOST) - np.clip(wanted, 0, _MOST).astype(np.uint64)
    return np.asarray(most << np.uint64(26) | batch << np.uint64(16) | rank)


def prefix(id: str) -> int:
    """The first 38 bits of an id; 0 for an id from elsewhere that is no number."""
    try:
        return int(id[:10], 16) >> 2
    except ValueError:
        return 0


def times(meta: pa.ChunkedArray, key: str) -> NDArray[np.int64]:
    """The time that `meta` tells for each document, in seconds from the year 1; 0 for none."""
    import numpy as np

    return np.array([seconds(told) for told in values(meta, key, "").to_pylist()], np.int64)


def seconds(value: str) -> int:
    """A date or time in ISO 8601, or a Unix time, in seconds from the year 1; 0 for anything else.

    A time without a zone is of UTC. A number above 10**11 is of milliseconds, one below 10,000 a
    year.
    """
    epoch = 62135596800
    try:
        number = float(value)
    except ValueError:
        pass
    else:
        if 1 <= number < 10_000 and number == int(number):
            return int(datetime(int(number), 1, 1, tzinfo=UTC).timestamp()) + epoch
        number = number / 1000 if abs(number) > 1e11 else number
        return max(0, int(number) + epoch) if abs(number) < _MOST else 0
    try:
        time = datetime.fromisoformat(value.strip())
    except ValueError:
        return 0
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return max(0, int(time.timestamp()) + epoch)


def groups(how: ComparingSpec, number: int, texts: Path, measured: Path) -> NDArray[np.uint64]:
    """A hash of what documents must have in common to be compared; 0 for all if nothing."""
    import numpy as np
    import pyarrow.parquet as pq

    rows = pq.read_metadata(texts).num_rows
    hashes = np.zeros(rows, np.uint64)
    for key in how.within:
        reader = _reader(key)
        table = read_parquet(texts, columns=list(reader.columns))
        if key == "language" and "language" in pq.read_schema(measured).names:
            table = read_parquet(measured, columns=["language"])
        own = reader(DocumentShard(number, texts, measured), table)
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + _hashed(own.to_pylist())
    return hashes


def _reader(key: str) -> Reader:
    if key in COLUMNS:
        return ColumnReader(key)
    return HostReader() if key == HOST else MetaReader(key.removeprefix(META))


def _hashed(names: Sequence[str]) -> NDArray[np.uint64]:
    import numpy as np

    numbers = {
        name: int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
        for name in set(names)
    }
    return np.array([numbers[name] for name in names], np.uint64)
