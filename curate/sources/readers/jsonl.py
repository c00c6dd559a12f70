"""JSON lines: one object on each line; a file that is one list or object is read as such."""

from __future__ import annotations

import json

from curate.sources.readers import objects
from curate.sources.readers.opening import Numbered, Reading, raw_lines


def read(reading: Reading) -> Numbered:
    """Yield the object of every line that is not blank, or of every item of a list."""
    if reading.format == "json":
        is_whole = not objects.holds_lines(reading)
    else:
        is_whole = not reading.start and objects.spans_lines(reading)
    yield from objects.read(reading) if is_whole else _lines(reading)


def _lines(reading: Reading) -> Numbered:
    loads, decode = json.JSONDecoder().decode, reading.decoder.decode
    for number, line in raw_lines(reading):
        if not line:
            continue
        if isinstance(line, str):
            yield number, line
            continue
        try:
            text = decode(line)
        except ValueError as error:
            yield number, str(error)
            continue
        try:
            row = loads(text)
        except ValueError as error:
            if text.strip():
                yield number, f"not JSON ({objects.trouble(error)})"
        except RecursionError:
            yield number, "nested too deeply"
        else:
            yield number, row if isinstance(row, dict) else "not a JSON object"
