"""CSV and TSV, quoted as in RFC 4180; the first record names the columns.

`reading.query` is the delimiter, or `auto`.
"""

from __future__ import annotations

from curate.errors import DataError
from curate.sources.readers.csv_records import records
from curate.sources.readers.decoding import AUTO
from curate.sources.readers.headers import delimiter_of, names_of_columns
from curate.sources.readers.opening import Numbered, Reading, text_lines


def read(reading: Reading) -> Numbered:
    """Yield every record; its number is the line on which it ends."""
    usual = "\t" if reading.format == "tsv" else ","
    delimiter, lines = delimiter_of(text_lines(reading), reading.query or AUTO, usual)
    names: list[str] | None = None
    for number, cells in records(lines, delimiter, reading.max_bytes):
        if isinstance(cells, str):
            yield number, cells
        elif names is None:
            try:
                names = names_of_columns(cells)
            except ValueError as error:
                raise DataError(f"{reading.label}, line {number}: {error}") from None
        else:
            yield number, dict(zip(names, cells, strict=True))
