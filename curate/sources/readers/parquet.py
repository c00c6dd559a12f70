"""Parquet, read row group by row group."""

from __future__ import annotations

from curate.errors import DataError
from curate.sources.readers.arrow import rows_of
from curate.sources.readers.headers import check_names
from curate.sources.readers.opening import Numbered, Reading, opened
from curate.sources.readers.unpacking import Lost


def read(reading: Reading) -> Numbered:
    """Yield the rows of a part, which is some row groups; a damaged one costs its own rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = reading.first - 1
    with opened(reading, seekable=True) as source:
        try:
            file = pq.ParquetFile(source)
            check_names(file.schema_arrow.names)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{reading.label}: not a Parquet file ({error})") from None
        except ValueError as error:
            raise DataError(f"{reading.label}: {error}") from None
        end = file.num_row_groups if reading.end is None else reading.end
        for group in range(reading.start, end):
            last = number + file.metadata.row_group(group).num_rows
            try:
                for batch in file.iter_batches(batch_size=1024, row_groups=[group]):
                    for row in rows_of(batch):
                        number += 1
                        yield number, row
            except (pa.ArrowException, OSError) as error:
                reason = f"after row {number}: {last - number:,} rows of a damaged group ({error})"
                reading.lost.append(Lost(reason, row=number, rows=last - number))
            number = last


def edges(reading: Reading, size: int) -> list[tuple[int, int]]:
    """(row group, row number) of the start of every part of about `size` bytes, and of the end."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with opened(reading, seekable=True) as source:
        try:
            metadata = pq.read_metadata(source)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{reading.label}: not a Parquet file ({error})") from None
    starts, row, weight = [(0, 1)], 1, 0
    for place in range(metadata.num_row_groups):
        group = metadata.row_group(place)
        if weight and weight + group.total_byte_size > size:
            starts.append((place, row))
            weight = 0
        weight += group.total_byte_size
        row += group.num_rows
    return [*starts, (metadata.num_row_groups, row)]
