"""Tables that fit the terminal and cut no number and no address; results as CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.cells import guarded
from curate.console.screen import escaped, harmless, stdout
from curate.errors import RecipeError
from curate.storage import replacing
from curate.wording import number

if TYPE_CHECKING:
    from rich.table import Table

COLOURS = {
    "fresh": "green",
    "stale": "yellow",
    "open": "cyan",
    "waiting": "cyan",
    "missing": "dim",
    "unused": "dim",
    "skipped": "yellow",
    "failed": "red",
}
"""The colours of states; warnings are yellow too."""


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows of one kind to a CSV file, which is there once it is whole. A list is JSON.

    Raises RecipeError for a folder, or one that is not there.
    """
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise RecipeError(f"{path} cannot be written", hint="name a file in a folder that exists")
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for number, row in enumerate(rows):
            if not number:
                writer.writerow(map(guarded, row))
            writer.writerow(_cell(value) for value in row.values())


def _cell(value: Any) -> Any:
    """A value of a CSV file."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return guarded(value) if isinstance(value, str) else value


def table(rows: Sequence[Any], *, title: str = "") -> None:
    """Print dataclasses or mappings of one kind as a table on stdout.

    Columns that hold nothing, or no count but zero, are left out. Columns that do not fit beside
    each other follow in further tables, which begin with the first column again. No number and no
    address is cut. Cells of a column `state` have the colour of the state.
    """
    records = [dict(items(row)) for row in rows]
    names = [name for name in records[0] if any(is_cell(record[name]) for record in records)]
    names = [name for name in names if not all(is_empty(record[name]) for record in records)]
    console = stdout(wraps=True)
    columns = [_Column.of(name, [record[name] for record in records]) for name in names]
    for place, some in enumerate(_beside(columns, console.width)):
        console.print(_grid(some, console.width, "" if place else title))


@dataclass(frozen=True)
class _Column:
    """A column of a table.

    `least` is the width that cuts no number and no word of the header, `most` all it can fill.
    """

    header: str
    cells: tuple[str, ...]
    is_number: bool
    least: int
    most: int

    @staticmethod
    def of(name: str, values: Sequence[Any]) -> _Column:
        from rich.cells import cell_len

        cells = tuple(harmless(number(value)) for value in values)
        is_number = all(map(_is_number, values))
        words = cells if is_number else tuple(word for cell in cells for word in cell.split())
        widest = max(map(cell_len, words), default=1)
        header = max(map(len, name.split("_")))
        least = max(header, widest if is_number else min(widest, WORD))
        most = max(least, len(name), *map(cell_len, cells))
        return _Column(name.replace("_", " "), cells, is_number, least, most)


WORD = 20
"""The longest word of a text that a column is made wide enough for; longer ones are folded."""


def _beside(columns: Sequence[_Column], width: int) -> Iterator[list[_Column]]:
    """Yield columns that fit beside each other, the first of all columns with each."""
    some: list[_Column] = []
    for column in columns:
        if some and 1 + sum(own.least + 3 for own in (*some, column)) > width:
            yield some
            some = [columns[0]]
        some.append(column)
    yield some


def _widths(columns: Sequence[_Column], width: int) -> list[int]:
    """The width of each column: what is left of a line goes to those that need the least more."""
    widths = [column.least for column in columns]
    left = width - 1 - sum(own + 3 for own in widths)
    needs = sorted((column.most - column.least, place) for place, column in enumerate(columns))
    for rank, (need, place) in enumerate(needs):
        more = min(need, max(left, 0) // (len(needs) - rank))
        widths[place] += more
        left -= more
    return widths


def _grid(columns: Sequence[_Column], width: int, title: str) -> Table:
    from textwrap import fill

    from rich.markup import escape
    from rich.table import Table

    grid = Table(title=escaped(title) or None, title_justify="left")
    for column, own in zip(columns, _widths(columns, width), strict=True):
        grid.add_column(
            fill(column.header, own),
            justify="right" if column.is_number else "left",
            width=own,
            overflow="fold",
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        coloured = zip(columns, map(escape, cells), strict=True)
        grid.add_row(*(_coloured(column.header, cell) for column, cell in coloured))
    return grid


def _coloured(header: str, cell: str) -> str:
    """A cell of a table; that of a state in its colour."""
    colour = COLOURS.get(cell) if header == "state" else None
    return f"[{colour}]{cell}[/{colour}]" if colour else cell


def items(result: Any) -> list[tuple[str, Any]]:
    """The fields of a record, or the items of a mapping."""
    if isinstance(result, Mapping):
        return list(result.items())
    return [(field.name, getattr(result, field.name)) for field in fields(result)]


def is_cell(value: Any) -> bool:
    """Whether a value fits into one cell."""
    return value is None or isinstance(value, str | int | float | bool)


def _is_number(value: Any) -> bool:
    """Whether a cell is a number, a percentage, or nothing."""
    if isinstance(value, str):
        return value.endswith(" %") and value[:-2].replace(".", "", 1).isdecimal()
    return value is None or isinstance(value, int | float)


def is_empty(value: Any) -> bool:
    """Whether a cell says nothing: no value, or a count of none."""
    return value is None or value == "" or (type(value) is int and value == 0)
