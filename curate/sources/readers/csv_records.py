"""The records of CSV, of which a broken one costs itself alone.

Python's `csv` reads each record strictly. Where that fails, the record is read once more by itself:
a quote within a cell, or a carriage return that ends no line, belongs to the cell. A quote that is
never closed costs its line, and the lines after it are read again. Backslashes escape quotes where
the record is whole so.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator

Line = tuple[str, str]
"""A line with its newline, and what is wrong with it, or nothing."""

NOT_CLOSED = "a quote opens and is not closed"
CELLS = "not as many cells as columns"

ESCAPED = '\\"'
"""A quote within a cell, as databases and tools of big data write it."""

_RETURN = "\ufdd0"
"""Stands for a carriage return within a cell; Unicode has no such character."""


def records(
    lines: Iterable[Line], delimiter: str, limit: int
) -> Iterator[tuple[int, list[str] | str]]:
    """Yield each record with the number of its last line: its cells, or what is wrong with it.

    The first record has the names of the columns. `limit` is the longest cell, in characters.
    """
    reader = _Reader(lines, delimiter, limit)
    number = columns = 0
    while (cells := reader.next(columns)) is not None:
        number += len(reader.taken)
        if wrong := [wrong for _, wrong in reader.taken if wrong]:
            yield number, wrong[0]  # a line that is too long comes as an empty one
        elif not cells:
            continue
        elif columns and not isinstance(cells, str) and len(cells) != columns:
            yield number, CELLS
        else:
            columns = columns or len(cells)
            yield number, cells


class _Reader:
    """Reads one record after another; `taken` are the lines of the last one.

    Python has one limit of cells for the whole process: it is as it was behind each record.
    """

    def __init__(self, lines: Iterable[Line], delimiter: str, limit: int) -> None:
        self._source = iter(lines)
        self._waiting: deque[Line] = deque()
        self._delimiter = delimiter
        self._limit = limit
        self.taken: list[Line] = []
        self._strict = self._anew()

    def _anew(self) -> Iterator[list[str]]:
        return csv.reader(self._pulled(), delimiter=self._delimiter, strict=True)

    def _pulled(self) -> Iterator[str]:
        while line := self._waiting.popleft() if self._waiting else next(self._source, None):
            self.taken.append(line)
            yield line[0]

    def _put_back(self, first: int) -> None:
        """Let the lines that were taken wait again, from one of them on."""
        self._waiting.extendleft(reversed(self.taken[first:]))
        del self.taken[first:]

    def next(self, columns: int) -> list[str] | str | None:
        """The cells of the next record, or what is wrong with it; None at the end."""
        before = csv.field_size_limit(self._limit)
        try:
            return self._next(columns)
        finally:
            csv.field_size_limit(before)

    def _next(self, columns: int) -> list[str] | str | None:
        self.taken = []
        try:
            return next(self._strict, None)
        except csv.Error:
            self._strict = self._anew()
        if (escaped := self._escaped(columns)) is not None:
            return escaped
        if len(self.taken) == 1 and not self._is_open(self.taken[0][0]):
            return self._cells(1)
        cells, size = self._cells(len(self.taken)), len(self.taken)
        self._put_back(1)
        if size == 1 or len(cells) != columns or self._is_whole_next(columns):
            return NOT_CLOSED
        self.taken += [self._waiting.popleft() for _ in range(size - 1)]
        return cells

    def _escaped(self, columns: int) -> list[str] | None:
        """The cells of the lines that were taken, if backslashes stand before quotes in them."""
        if ESCAPED not in self.taken[0][0] and ESCAPED not in self.taken[-1][0]:
            return None
        taken, self.taken = self.taken, []
        self._waiting.extendleft(reversed(taken))
        lines = self._pulled()
        try:
            reader = csv.reader(lines, delimiter=self._delimiter, strict=True, escapechar="\\")
            cells = next(reader, [])
        except csv.Error:
            cells = []
        if cells and columns in (0, len(cells)):
            return cells
        self._put_back(0)
        self.taken = [self._waiting.popleft() for _ in taken]
        return None

    def _is_whole_next(self, columns: int) -> bool:
        """Whether a record without fault begins at the next line."""
        taken, self.taken = self.taken, []
        try:
            is_whole = len(next(self._anew(), [])) == columns
        except csv.Error:
            is_whole = False
        self._put_back(0)
        self.taken = taken
        return is_whole

    def _is_open(self, line: str) -> bool:
        """Whether a quoted cell goes on past the end of a line."""
        last = _loose([line], self._delimiter)[-1:]
        return bool(last) and last[0].endswith("\n")

    def _cells(self, size: int) -> list[str]:
        """The cells of the lines that were taken, read without strictness."""
        return _loose([line for line, _ in self.taken[:size]], self._delimiter)


def _loose(lines: list[str], delimiter: str) -> list[str]:
    whole = [line.rstrip("\r\n").replace("\r", _RETURN) + "\n" for line in lines]
    try:
        cells = next(csv.reader(whole, delimiter=delimiter), [])
    except csv.Error:  # a cell over the limit
        return []
    return [cell.replace(_RETURN, "\r") for cell in cells]
