"""CSV and TSV, quoted as in RFC 4180; the first line names the columns."""

from __future__ import annotations

import csv

from curate.errors import DataError
from curate.sources.readers.opening import Numbered, Reading, text_lines


def read(reading: Reading) -> Numbered:
    """Yield every record; its number is the line on which it ends."""
    csv.field_size_limit(reading.max_bytes)  # the default refuses texts past 128 kB
    lines = (line for _, line in text_lines(reading))
    reader = csv.DictReader(lines, delimiter="\t" if reading.format == "tsv" else ",")
    try:
        for row in reader:
            extra = row.pop(None, None)
            short = None in row.values()
            yield reader.line_num, "not as many cells as columns" if extra or short else row
    except csv.Error as error:
        raise DataError(f"{reading.label}, line {reader.line_num}: {error}") from None
