"""The records of CSV, of which a broken one costs itself alone.

Python's `csv` reads each record strictly. Where that fails, the record is read once more by itself:
a quote within a cell, or a carriage return that ends no line, belongs to the cell. A quote that is
never closed costs its line, and the lines after it are read again.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator

Line = tuple[str, str]
"""A line with its newline, and what is wrong with it, or nothing."""

NOT_CLOSED = "a quote opens and is not closed"
CELLS = "not as many cells as columns"

_RETURN = "\ufdd0"
"""Stands for a carriage return within a cell; Unicode has no such character."""


def records(
    lines: Iterable[Line], delimiter: str, limit: int
) -> Iterator[tuple[int, list[str] | str]]:
    """Yield each record with the number of its last line: its cells, or what is wrong with it.

    The first record has the names of the columns. `limit` is the longest cell, in characters.
    """
    csv.field_size_limit(limit)
    source = iter(lines)
    waiting: deque[Line] = deque()
    taken: list[Line] = []

    def pulled() -> Iterator[str]:
        while pair := waiting.popleft() if waiting else next(source, None):
            taken.append(pair)
            yield pair[0]

    reader = csv.reader(pulled(), delimiter=delimiter, strict=True)
    number = columns = 0
    while True:
        taken.clear()
        result: list[str] | str | None
        try:
            result = next(reader)
        except StopIteration:
            return
        except csv.Error:
            result = _mended(taken, delimiter, columns)
            if result is None:
                waiting.extendleft(reversed(taken[1:]))
                del taken[1:]
                result = NOT_CLOSED
            reader = csv.reader(pulled(), delimiter=delimiter, strict=True)
        number += len(taken)
        if not result:
            continue  # an empty line
        if wrong := [wrong for _, wrong in taken if wrong]:
            yield number, wrong[0]
        elif columns and not isinstance(result, str) and len(result) != columns:
            yield number, CELLS
        else:
            columns = columns or len(result)
            yield number, result


def _mended(taken: list[Line], delimiter: str, columns: int) -> list[str] | None:
    """The cells of lines that are no strict CSV; None if a quote in the first is not closed.

    Several lines are one record only if that has as many cells as there are columns, and if they
    are no records by themselves.
    """
    lines = [line for line, _ in taken]
    if len(lines) == 1 and not _is_open(lines[0], delimiter):
        return _cells(lines, delimiter)
    rows = [_cells([line], delimiter) for line in lines[1:]]
    as_rows = sum(len(cells) == columns for cells in rows)
    if not columns or len(lines) == 1 or 2 * as_rows >= len(rows):
        return None
    cells = _cells(lines, delimiter)
    return cells if len(cells) == columns else None


def _is_open(line: str, delimiter: str) -> bool:
    """Whether a quoted cell goes on past the end of a line."""
    last = _cells([line], delimiter)[-1:]
    return bool(last) and last[0].endswith("\n")


def _cells(lines: list[str], delimiter: str) -> list[str]:
    """The cells of lines, read without strictness; those of the first record, if they are more."""
    whole = [line.rstrip("\r\n").replace("\r", _RETURN) + "\n" for line in lines]
    try:
        cells = next(csv.reader(whole, delimiter=delimiter), [])
    except csv.Error:  # a cell over the limit
        return []
    return [cell.replace(_RETURN, "\r") for cell in cells]
