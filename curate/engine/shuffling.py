"""How rows of one key meet: hash-partitioned files, read back bucket by bucket.

A source's rows are written as one Arrow file with one record batch a bucket, so that a bucket is
read by one seek in each file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.storage import replacing, write_parquet

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def bucket_of(keys: pa.ChunkedArray, buckets: int) -> NDArray[np.int64]:
    """Return the bucket of each key: the same in every run and on every engine."""
    import numpy as np

    return (_mixed(_numbers(keys)) % np.uint64(buckets)).astype(np.int64)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return every number with each bit spread over all others (splitmix64, Steele et al. 2014)."""
    import numpy as np

    mixed = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def _numbers(keys: pa.ChunkedArray) -> NDArray[np.uint64]:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    whole = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    if pa.types.is_integer(whole.type):
        return np.asarray(whole.to_numpy(zero_copy_only=False)).astype(np.uint64)
    if pa.types.is_fixed_size_binary(whole.type) and whole.type.byte_width >= 8:
        width = whole.type.byte_width
        data = np.frombuffer(whole.buffers()[1], np.uint8)
        data = data[whole.offset * width :][: len(whole) * width].reshape(len(whole), width)
        return np.ascontiguousarray(data[:, :8]).view(np.uint64).ravel()
    values = whole.to_numpy(zero_copy_only=False).astype(object)
    return np.asarray(pd.util.hash_array(values), np.uint64)


def spill(
    item: tuple[Sequence[Any], Path],
    *,
    load: Callable[[Any], pa.Table],
    key: str,
    buckets: int,
) -> int:
    """Write the rows of some sources by bucket; return how many there are."""
    import numpy as np
    import pyarrow as pa

    sources, path = item
    if path.exists():
        return 0
    table = pa.concat_tables([load(source) for source in sources]).replace_schema_metadata(None)
    places = bucket_of(table[key], buckets)
    table = table.take(np.argsort(places, kind="stable"))
    counts = np.bincount(places, minlength=buckets)
    with replacing(path) as temporary, pa.ipc.new_file(str(temporary), table.schema) as writer:
        for start, rows in zip((np.cumsum(counts) - counts).tolist(), counts.tolist(), strict=True):
            writer.write_batch(_batch(table.slice(start, rows)))
    return int(table.num_rows)


def _batch(table: pa.Table) -> pa.RecordBatch:
    import pyarrow as pa

    columns = [
        column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        for column in table.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=table.schema)


def settle(
    function: Callable[[pa.Table], pa.Table], files: Sequence[Path], target: Path, bucket: int
) -> int:
    """Write what `function` makes of one bucket; return its number of rows."""
    import pyarrow as pa

    parts = []
    for path in files:
        with pa.OSFile(str(path)) as file:
            parts.append(pa.ipc.open_file(file).get_batch(bucket))
    table = pa.Table.from_batches(parts).combine_chunks()
    write_parquet(target / f"{bucket:05}.parquet", function(table))
    return int(table.num_rows)
