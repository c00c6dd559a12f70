"""Parquet, row group by row group."""

from __future__ import annotations

from curate.errors import DataError
from curate.pool.readers.opening import Numbered, Reading, opened


def read(given: Reading) -> Numbered:
    """Yield the rows of the row groups of a part."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = given.first - 1
    with opened(given, seekable=True) as source:
        try:
            file = pq.ParquetFile(source)
            end = file.num_row_groups if given.end is None else given.end
            for batch in file.iter_batches(batch_size=1024, row_groups=range(given.start, end)):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
        except (pa.ArrowException, OSError) as error:
            after = f", after row {number}" if number >= given.first else ""
            raise DataError(f"{given.label}{after}: not a Parquet file ({error})") from None


def edges(given: Reading, size: int) -> list[tuple[int, int]]:
    """Return (row group, row number) of the first of every part of about `size`, and of the end."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with opened(given, seekable=True) as source:
        try:
            about = pq.read_metadata(source)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{given.label}: not a Parquet file ({error})") from None
    found, row, weight = [(0, 1)], 1, 0
    for place in range(about.num_row_groups):
        group = about.row_group(place)
        if weight and weight + group.total_byte_size > size:
            found.append((place, row))
            weight = 0
        weight += group.total_byte_size
        row += group.num_rows
    return [*found, (about.num_row_groups, row)]
