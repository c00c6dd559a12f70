"""A section of the page: heading, words, chart, table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from curate.workspace import Workspace

Section = dict[str, Any]


def section(
    heading: str,
    words: str,
    *,
    chart: str = "",
    rows: Sequence[dict[str, Any]] = (),
    points: Sequence[str] = (),
    pictures: Sequence[dict[str, Any]] = (),
    warning: str = "",
) -> Section:
    """A section as the page takes it; `rows` are the lines of its table, by column name.

    `points` are sentences, listed below the words. `pictures` are rows of media: the `heading` of
    each, and what is `shown`, as `thumbnails.Thumbnail` has it.

    `numbers` are the columns that hold nothing else: the page sets them to the right.
    """
    return {
        "heading": heading,
        "words": words,
        "points": list(points),
        "pictures": list(pictures),
        "chart": chart,
        "rows": [{name: cell(value) for name, value in row.items()} for row in rows],
        "warning": warning,
        "numbers": _numbers(rows),
    }


def _numbers(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The columns of numbers alone, with dashes where there is none."""
    return [
        name
        for name in (rows[0] if rows else ())
        if any(row.get(name) is not None for row in rows)
        and all(_is_number(row.get(name)) for row in rows)
    ]


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def cell(value: Any) -> str:
    """A value as a table shows it: a dash for None, three decimals for a float."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)


def result_of(workspace: Workspace, table: str) -> dict[str, Any]:
    """The result of the run that made the present table or file; empty if it is not known."""
    line = workspace.lineage.line(table)
    return dict(line["result"]) if line else {}
