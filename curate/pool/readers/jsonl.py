"""JSON lines: one object a line."""

from __future__ import annotations

import json

from curate.pool.readers.opening import Numbered, Reading, not_utf8, raw_lines


def read(given: Reading) -> Numbered:
    """Yield the object of every line that is not blank."""
    for number, line in raw_lines(given):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode())
        except UnicodeDecodeError as error:
            yield number, not_utf8(error)
        except ValueError as error:
            yield number, f"not JSON ({getattr(error, 'msg', error)})"
        else:
            yield number, row if isinstance(row, dict) else "not a JSON object"
