"""A section of the page: keys and figures, no sentences. `lexicon` says them in a language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from curate.report.thumbnails import Thumbnail
from curate.workspace import Workspace


class Key(str):
    """A word of the page by its key, such as a step of the funnel; other strings are data."""

    __slots__ = ()


class Picture(str):
    """A small picture in a cell of a table: a data address of ours."""

    __slots__ = ()


@dataclass(frozen=True)
class Say:
    """A sentence or a name by its key in `words`, and the figures that stand in it.

    A figure may be a Key, a Say, or a list of figures.
    """

    key: str
    figures: tuple[tuple[str, Any], ...] = ()


def say(key: str, /, **figures: Any) -> Say:
    """A sentence with its figures."""
    return Say(key, tuple(figures.items()))


def as_written(text: str) -> Say:
    """Words that stand as they are: names of sources, and what a stage said in its own words."""
    return say("as_written", text=text)


Column = str | Say
"""The heading of a column: a key among the columns, or a Say with a name in it."""

Row = Mapping[Any, Any]
"""A row of a table, by column."""


@dataclass(frozen=True)
class Table:
    """Rows, all with the same columns. `is_matrix` says that the first column names the rows."""

    rows: tuple[Row, ...]
    caption: Say | None = None
    is_matrix: bool = False

    @property
    def columns(self) -> list[Column]:
        """The columns in their order."""
        return list(self.rows[0]) if self.rows else []

    @cached_property
    def numbers(self) -> frozenset[Column]:
        """The columns that hold numbers alone: the page sets them to the right."""
        return frozenset(
            name
            for name in self.columns
            if any(row.get(name) is not None for row in self.rows)
            and all(_is_number(row.get(name)) for row in self.rows)
        )


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


@dataclass(frozen=True)
class Chart:
    """A chart: the function of `charts` that draws it, its rows, and further arguments of it."""

    kind: str
    rows: tuple[Mapping[str, Any], ...]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """A document that stands for others: the page shows its beginning, escaped.

    `facts` are figures about it, by column. `picture` is what is shown beside the text.
    """

    id: str
    text: str
    facts: Row = field(default_factory=dict)
    picture: str = ""


@dataclass(frozen=True)
class Shelf:
    """Examples under one name; `folded` shelves open on a click."""

    name: Say
    sides: tuple[tuple[Say, tuple[Example, ...]], ...]
    folded: bool = True

    def __bool__(self) -> bool:
        """Whether there is an example."""
        return any(examples for _, examples in self.sides)


@dataclass(frozen=True)
class Gallery:
    """Media under one name, small."""

    name: str
    shown: tuple[Thumbnail, ...]


@dataclass(frozen=True)
class Live:
    """What the page computes by itself: the name of its script, and the numbers for it."""

    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Section:
    """One section. `key` names it in the address of the page, and is the key of its heading.

    `drawing` is SVG of ours.
    """

    key: str
    words: tuple[Say, ...] = ()
    heading: Say | None = None
    points: tuple[Say, ...] = ()
    warning: tuple[Say, ...] = ()
    chart: Chart | None = None
    tables: tuple[Table, ...] = ()
    shelves: tuple[Shelf, ...] = ()
    live: Live | None = None
    galleries: tuple[Gallery, ...] = ()
    drawing: str = ""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of the first table."""
        return self.tables[0].rows if self.tables else ()

    @property
    def title(self) -> Say:
        """The heading."""
        return self.heading or say(f"{self.key}.heading")


def section(
    key: str,
    *words: Say,
    heading: Say | None = None,
    points: Sequence[Say] = (),
    warning: Sequence[Say] = (),
    chart: Chart | None = None,
    rows: Sequence[Row] = (),
    tables: Sequence[Table] = (),
    shelves: Sequence[Shelf] = (),
    live: Live | None = None,
    galleries: Sequence[Gallery] = (),
    drawing: str = "",
) -> Section:
    """A section; `rows` are its only table, or its first."""
    own = (Table(tuple(rows)),) if rows else ()
    shown = tuple(shelf for shelf in shelves if shelf)
    return Section(
        *(key, words, heading, tuple(points), tuple(warning), chart, (*own, *tables), shown),
        *(live, tuple(galleries), drawing),
    )


def chart(kind: str, rows: Sequence[Mapping[str, Any]], *columns: str) -> Chart:
    """A chart of these rows."""
    return Chart(kind, tuple(rows), columns)


@dataclass(frozen=True)
class Chapter:
    """Sections of one subject."""

    key: str
    sections: tuple[Section, ...]


def every(chapters: Sequence[Chapter]) -> Iterator[Section]:
    """Yield all sections in their order."""
    for chapter in chapters:
        yield from chapter.sections


def result_of(workspace: Workspace, table: str) -> dict[str, Any]:
    """The result of the run that made the present table or file; empty if it is not known."""
    line = workspace.lineage.line(table)
    return dict(line["result"]) if line else {}
