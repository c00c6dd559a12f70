"""The delimiter of a CSV, found by its first lines, and the names of its columns."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from curate.errors import DataError
from curate.sources.readers.csv_records import Line
from curate.sources.readers.decoding import AUTO

DELIMITERS = (",", ";", "\t", "|")
"""What may stand between cells, the likeliest first."""

NONE = "\x1f"
"""Stands between no cells: the delimiter of a file of one column."""

FIRST_LINES = 50
"""So many lines are looked at."""

FIRST_CHARS = 1 << 16
"""A line is looked at up to here."""


def delimiter_of(lines: Iterable[Line], declared: str, usual: str) -> tuple[str, Iterator[Line]]:
    """The delimiter, and the lines from the header on.

    A line `sep=;`, as Excel writes it, declares it too. Without a sign of another, it is `usual`.
    """
    waiting = iter(lines)
    head: list[Line] = []
    trouble = None
    try:
        head.extend(islice(waiting, FIRST_LINES))
    except DataError as error:
        trouble = error  # told where it comes
    first = head[0][0].strip("\ufeff\r\n") if head else ""
    if first[:4].lower() == "sep=" and len(first) == 5:
        declared = first[4] if declared == AUTO else declared
        head[0] = ("\n", "")  # lines keep their numbers
    if declared == AUTO:
        declared = _likeliest([line for line, _ in head if line.strip()], usual)
    return declared, chain(head, _raised(trouble), waiting)


def _raised(trouble: DataError | None) -> Iterator[Line]:
    """Yield nothing, and raise the error that reading ended with."""
    yield from ()
    if trouble is not None:
        raise trouble


def _likeliest(head: Sequence[str], usual: str) -> str:
    """The delimiter that cuts most lines into as many cells as the header has, two or more."""
    likely = (usual, *(mark for mark in DELIMITERS if mark != usual))
    shares = [_share(head, mark) for mark in likely]
    best = max(shares)
    if best > (0, 0):
        return likely[shares.index(best)]
    return NONE if _is_one_column(head, usual) else usual


def _is_one_column(head: Sequence[str], usual: str) -> bool:
    """Whether the header has one cell, and some records have: marks in others are of the text."""
    try:
        sizes = [len(cells) for cells in csv.reader(head, delimiter=usual) if cells]
    except csv.Error:
        return False
    return len(sizes) > 2 and sizes[0] == 1 and 1 in sizes[1:] and max(sizes) > 1


def _share(head: Sequence[str], mark: str) -> tuple[float, int]:
    """The share of records with as many cells as the header has, and how many these are."""
    lines = (line[:FIRST_CHARS] for line in head)
    try:
        sizes = [len(cells) for cells in csv.reader(lines, delimiter=mark) if cells]
    except csv.Error:
        return 0, 0
    if not sizes or sizes[0] < 2:
        return 0, 0
    others = sizes[1:-1] if len(head) == FIRST_LINES else sizes[1:]  # the last may be cut
    if not others:
        return 1, sizes[0]
    return round(sum(size == sizes[0] for size in others) / len(others), 1), sizes[0]


def names_of_columns(header: Sequence[str]) -> list[str]:
    """The names of columns; several that have none get one. ValueError for a name twice."""
    names = [name.strip("\ufeff") for name in header]
    if names.count("") > 1:
        names = [name or f"column {place}" for place, name in enumerate(names, 1)]
    check_names(names)
    return names


def check_names(names: Iterable[str]) -> None:
    """Raise ValueError for two columns of one name: one of them would be lost."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"two columns are called {twice[0]}")
