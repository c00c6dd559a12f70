"""Parquet, row group by row group."""

from __future__ import annotations

from curate.errors import DataError
from curate.pool.readers.opening import Numbered, Reading


def read(given: Reading) -> Numbered:
    """Yield the rows of the row groups of a part."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = given.first - 1
    try:
        file = pq.ParquetFile(given.address)
        end = file.num_row_groups if given.end is None else given.end
        for batch in file.iter_batches(batch_size=4096, row_groups=range(given.start, end)):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except pa.ArrowException as error:
        raise DataError(f"{given.label}: not a Parquet file ({error})") from None
