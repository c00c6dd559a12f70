"""Media as values of a Parquet or Arrow file: bytes of one row, read in the order of rows."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.media.medium import MediumError

if TYPE_CHECKING:
    import pyarrow as pa

AT_ONCE = 16
"""Rows of a column that are held at once."""


_PLACE = re.compile(r"([^/]+)/([0-9]{1,18})(?:/([0-9]{1,9}))?")


def place(column: str, row: int, item: int | None = None) -> str:
    """What an address says of a value: its column, its row and, in a list, its item, from 0."""
    name = column.replace("%", "%25").replace("/", "%2F")
    return f"{name}/{row}" if item is None else f"{name}/{row}/{item}"


def cell(path: Path, within: str) -> bytes:
    """The bytes at a `place` of a file. MediumError if there are none.

    The value is bytes, or a struct with `bytes`. Rows in their order are read in one pass.
    """
    match = _PLACE.fullmatch(within)
    if not match:
        raise MediumError("its address names no column and row")
    column = match[1].replace("%2F", "/").replace("%25", "%")
    about = path.stat()
    value = _reader(str(path), column, about.st_mtime_ns, about.st_size).value(int(match[2]))
    if match[3] is not None:
        value = _item(value, int(match[3]))
    return bytes_of(value)


def _item(values: Any, place: int) -> Any:
    return values[place] if isinstance(values, list) and place < len(values) else None


def bytes_of(value: Any) -> bytes:
    """The bytes of a cell. MediumError if it holds none."""
    data = value.get("bytes") if isinstance(value, Mapping) else value
    if not isinstance(data, bytes):
        raise MediumError("the row holds no bytes")
    return data


@lru_cache(maxsize=8)
def _reader(path: str, column: str, modified: int, size: int) -> _Rows:
    """What reads a column of a file; `modified` and `size` tell its state."""
    return _Rows(path, column)


class _Rows:
    """The values of a column by row: forwards in one pass, backwards from a row group's start."""

    def __init__(self, path: str, column: str) -> None:
        self._path, self._column = path, column
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._batch: list[Any] = []
        self._first = 0
        self._starts = _starts(path)
        self._begin(0)

    def value(self, row: int) -> Any:
        """The value of a row, from 0. MediumError if there is no such row or column."""
        import pyarrow as pa

        try:
            if not self._first <= row < self._end_of_group():
                self._begin(row)
            while row >= self._first + len(self._batch):
                self._first += len(self._batch)
                batch = next(self._batches, None)
                if batch is None:
                    raise MediumError("the file no longer has its row")
                self._batch = batch.column(0).to_pylist()
        except (pa.ArrowException, OSError, LookupError) as error:
            raise MediumError(f"the file cannot be read: {error}") from None
        return self._batch[row - self._first]

    def _end_of_group(self) -> int:
        later = [start for start in self._starts if start > self._first]
        return min(later, default=sys.maxsize)

    def _begin(self, row: int) -> None:
        """Begin at the row group, or the batch, that a row lies in."""
        group = max((n for n, start in enumerate(self._starts) if start <= row), default=0)
        self._first, self._batch = self._starts[group] if self._starts else 0, []
        self._batches = _batches(self._path, self._column, group)


def _is_parquet(path: str) -> bool:
    with Path(path).open("rb") as file:
        return file.read(4) == b"PAR1"


def _starts(path: str) -> list[int]:
    """The first row of every row group of a Parquet file, or of every batch of an Arrow file."""
    from itertools import accumulate

    if _is_parquet(path):
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            counts = [
                file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)
            ]
    else:
        counts = [batch.num_rows for batch in _arrow_batches(path)]
    return list(accumulate(counts, initial=0))[:-1]


def _batches(path: str, column: str, group: int) -> Iterator[pa.RecordBatch]:
    """Yield a column from a row group on, some rows at a time."""
    if _is_parquet(path):
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(
                batch_size=AT_ONCE, row_groups=[group], columns=[column], use_threads=False
            )
        return
    for number, batch in enumerate(_arrow_batches(path)):
        if number == group:
            chosen = batch.select([column])
            for start in range(0, batch.num_rows, AT_ONCE):
                yield chosen.slice(start, AT_ONCE)


def _arrow_batches(path: str) -> Iterator[pa.RecordBatch]:
    """Yield the batches of an Arrow file or stream; their bytes stay on disk."""
    import pyarrow as pa

    with pa.memory_map(path) as mapped:
        is_file = mapped.read(6) == b"ARROW1"
        mapped.seek(0)
        if not is_file:
            yield from pa.ipc.open_stream(mapped)
            return
        file = pa.ipc.open_file(mapped)
        for number in range(file.num_record_batches):
            yield file.get_batch(number)
