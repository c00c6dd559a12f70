"""Parquet, read row group by row group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from curate.errors import DataError
from curate.sources.readers.arrow import AT_ONCE, at_once, rows_of
from curate.sources.readers.headers import check_names
from curate.sources.readers.opening import BLOCK, Numbered, Reading, broken, opened
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
            raise broken(reading, source, f"not a Parquet file ({error})") from None
        except ValueError as error:
            raise DataError(f"{reading.label}: {error}") from None
        end = file.num_row_groups if reading.end is None else reading.end
        for group in range(reading.start, end):
            last = number + file.metadata.row_group(group).num_rows
            try:
                for batch in _batches(file, source, group):
                    for row in rows_of(batch):
                        number += 1
                        yield number, row
            except (pa.ArrowException, OSError) as error:
                reason = f"after row {number}: {last - number:,} rows of a damaged group ({error})"
                reading.lost.append(Lost(reason, row=number, rows=last - number))
            number = last


def _batches(file: Any, source: Any, group: int) -> Iterator[Any]:
    """Yield a row group in batches; long rows are read from disk bit by bit, and few at once."""
    import pyarrow.parquet as pq

    own = file.metadata.row_group(group)
    rows = at_once(own.total_byte_size, own.num_rows)
    if rows < AT_ONCE:
        file = pq.ParquetFile(source, metadata=file.metadata, buffer_size=BLOCK)
    yield from file.iter_batches(batch_size=rows, row_groups=[group])


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
