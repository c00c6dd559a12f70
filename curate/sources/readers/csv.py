"""CSV and TSV, quoted as in RFC 4180; the first line names the columns."""

from __future__ import annotations

from curate.sources.readers.csv_records import records
from curate.sources.readers.opening import Numbered, Reading, text_lines


def read(reading: Reading) -> Numbered:
    """Yield every record; its number is the line on which it ends."""
    delimiter = "\t" if reading.format == "tsv" else ","
    names: list[str] | None = None
    for number, cells in records(text_lines(reading), delimiter, reading.max_bytes):
        if isinstance(cells, str):
            yield number, cells
        elif names is None:
            names = cells
        else:
            yield number, dict(zip(names, cells, strict=True))
