"""CSV and TSV, quoted as in RFC 4180; the first line names the columns.

`reading.query` is the delimiter, or `auto`.
"""

from __future__ import annotations

import csv

from curate.errors import DataError
from curate.sources.readers.decoding import AUTO
from curate.sources.readers.headers import delimiter_of, names_of_columns
from curate.sources.readers.opening import Numbered, Reading, text_lines


def read(reading: Reading) -> Numbered:
    """Yield every record; its number is the line on which it ends."""
    csv.field_size_limit(reading.max_bytes)  # the default refuses texts past 128 kB
    usual = "\t" if reading.format == "tsv" else ","
    text = (line for _, line in text_lines(reading))
    delimiter, lines = delimiter_of(text, reading.query or AUTO, usual)
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        names = names_of_columns(next(filter(None, reader), []))
        for cells in filter(None, reader):
            is_whole = len(cells) == len(names)
            yield (
                reader.line_num,
                dict(zip(names, cells, strict=True))
                if is_whole
                else "not as many cells as columns",
            )
    except (csv.Error, ValueError) as error:
        raise DataError(f"{reading.label}, line {reader.line_num}: {error}") from None
