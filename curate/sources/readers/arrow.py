"""Arrow: IPC files (Feather) and streams, read batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from curate.errors import DataError
from curate.sources.readers.headers import check_names
from curate.sources.readers.opening import Numbered, Reading, broken, opened
from curate.sources.readers.unpacking import Lost

if TYPE_CHECKING:
    import pyarrow as pa

AT_ONCE = 1024
"""Rows that are held at once as values of Python."""

HELD = 32 << 20
"""Their bytes, where rows are long: images lie in their cells."""

MAGIC = b"ARROW1"
FEATHER_1 = b"FEA1"


def read(reading: Reading) -> Numbered:
    """Yield the rows of every batch; a damaged batch of an IPC file costs its own rows."""
    import pyarrow as pa

    number = reading.first - 1
    with opened(reading, seekable=True) as source:
        try:
            for batch in _batches(source):
                if isinstance(batch, str):
                    reason = f"after row {number}: a damaged batch ({batch})"
                    reading.lost.append(Lost(reason, row=number))
                    continue
                check_names(batch.schema.names)
                rows = at_once(batch.nbytes, batch.num_rows)
                for start in range(0, batch.num_rows, rows):
                    for row in rows_of(batch.slice(start, rows)):
                        number += 1
                        yield number, row
        except (pa.ArrowException, OSError) as error:
            if number < reading.first:
                raise broken(reading, source, f"not an Arrow file ({error})") from None
            after = f"{reading.label}, after row {number}"
            raise DataError(f"{after}: not an Arrow file ({error})") from None
        except ValueError as error:
            raise DataError(f"{reading.label}: {error}") from None


def at_once(size: int, rows: int) -> int:
    """So many rows are held at once, of a batch or row group with so many bytes and rows."""
    return max(1, min(AT_ONCE, HELD // max(1, size // max(1, rows))))


def rows_of(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | str]:
    """Yield the rows of a batch; one that holds no text or no date is the reason in its place."""
    batch = _in_microseconds(batch)
    try:
        yield from batch.to_pylist(maps_as_pydicts="strict")
    except (ValueError, OverflowError, KeyError):
        for place in range(batch.num_rows):
            yield _row(batch.slice(place, 1))


def _in_microseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch whose times are in microseconds, as Python has them, where they are finer."""
    for place, own in enumerate(batch.schema):
        coarse = _coarse(own.type)
        if coarse != own.type:
            column = batch.column(place).cast(coarse, safe=False)
            batch = batch.set_column(place, own.with_type(coarse), column)
    return batch


def _coarse(type: pa.DataType) -> pa.DataType:
    """A type with microseconds for nanoseconds, also within structs and lists."""
    import pyarrow as pa

    if pa.types.is_struct(type):
        inner = [own.with_type(_coarse(own.type)) for own in type]
        return pa.struct(inner) if pa.struct(inner) != type else type
    if pa.types.is_list(type):
        value = _coarse(type.value_type)
        return type if value == type.value_type else pa.list_(type.value_field.with_type(value))
    if getattr(type, "unit", None) != "ns":
        return type
    if pa.types.is_duration(type):
        return pa.duration("us")
    return pa.time64("us") if pa.types.is_time(type) else pa.timestamp("us", type.tz)


def _row(row: pa.RecordBatch) -> dict[str, Any] | str:
    values = {}
    for name, column in zip(row.schema.names, row.columns, strict=True):
        try:
            values[name] = column[0].as_py(maps_as_pydicts="strict")
        except UnicodeDecodeError:
            return f"column {name} is not UTF-8"
        except KeyError as error:
            return f"column {name} holds the key {error} twice"
        except (ValueError, OverflowError) as error:
            return f"column {name}: {error}"
    return values


def _batches(source: Any) -> Iterator[pa.RecordBatch | str]:
    """Yield the batches of a file, and what is wrong with those that cannot be read."""
    import pyarrow as pa

    magic = source.read(len(MAGIC))
    source.seek(0)
    if magic.startswith(FEATHER_1):
        from pyarrow import feather

        yield from feather.read_table(source).to_batches()
    elif magic == MAGIC:
        file = pa.ipc.open_file(source)
        for place in range(file.num_record_batches):
            try:
                yield file.get_batch(place)
            except (pa.ArrowException, OSError) as error:
                yield str(error)
    else:
        yield from pa.ipc.open_stream(source)
