"""A shuffle brings the rows of one key together: hash-partitioned files, read bucket by bucket.

Every source of an Arrow file adds one record batch for each bucket. A bucket is then read by seeks,
and only one source is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.storage import replacing, write_parquet

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def bucket_of(keys: pa.ChunkedArray, buckets: int) -> NDArray[np.int64]:
    """The bucket of every key: the same in every run and on every engine."""
    import numpy as np

    return (_mixed(_numbers(keys)) % np.uint64(buckets)).astype(np.int64)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit of a number over all others (splitmix64, Steele et al. 2014)."""
    import numpy as np

    mixed = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def _numbers(keys: pa.ChunkedArray) -> NDArray[np.uint64]:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    array = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    if pa.types.is_integer(array.type):
        return np.asarray(array.to_numpy(zero_copy_only=False)).astype(np.uint64)
    if pa.types.is_fixed_size_binary(array.type) and array.type.byte_width >= 8:
        width = array.type.byte_width
        data = np.frombuffer(array.buffers()[1], np.uint8)
        data = data[array.offset * width :][: len(array) * width].reshape(len(array), width)
        return np.ascontiguousarray(data[:, :8]).view(np.uint64).ravel()
    values = array.to_numpy(zero_copy_only=False).astype(object)
    return np.asarray(pd.util.hash_array(values), np.uint64)


def spill(
    item: tuple[Sequence[Any], Path],
    *,
    load: Callable[[Any], pa.Table],
    key: str,
    buckets: int,
) -> int:
    """Write the rows of some sources by bucket; return their number, 0 if the file exists."""
    import pyarrow as pa

    sources, path = item
    if path.exists():
        return 0
    rows = 0
    with replacing(path) as temporary, ExitStack() as stack:
        writer = None
        for source in sources:
            table = load(source).replace_schema_metadata(None)
            if writer is None:
                writer = stack.enter_context(pa.ipc.new_file(str(temporary), table.schema))
            for part in _parted(table, bucket_of(table[key], buckets), buckets):
                writer.write_batch(_batch(part))
            rows += table.num_rows
    return rows


def _parted(table: pa.Table, places: NDArray[np.int64], buckets: int) -> Iterator[pa.Table]:
    import numpy as np

    table = table.take(np.argsort(places, kind="stable"))
    counts = np.bincount(places, minlength=buckets)
    for start, rows in zip((np.cumsum(counts) - counts).tolist(), counts.tolist(), strict=True):
        yield table.slice(start, rows)


def _batch(table: pa.Table) -> pa.RecordBatch:
    import pyarrow as pa

    columns = [
        column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        for column in table.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=table.schema)


def settle(
    function: Callable[[pa.Table], pa.Table],
    files: Sequence[Path],
    target: Path,
    buckets: int,
    bucket: int,
) -> int:
    """Write `function` of one bucket; return the number of rows in the bucket."""
    import pyarrow as pa

    parts = []
    for path in files:
        with pa.OSFile(str(path)) as file:
            reader = pa.ipc.open_file(file)
            batches = range(bucket, reader.num_record_batches, buckets)
            parts += [reader.get_batch(number) for number in batches]
    table = pa.Table.from_batches(parts).combine_chunks()
    write_parquet(target / f"{bucket:05}.parquet", function(table))
    return int(table.num_rows)
