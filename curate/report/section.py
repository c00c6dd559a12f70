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
    warning: str = "",
) -> Section:
    """A section as the page takes it; `rows` are the lines of its table, by column name."""
    return {
        "heading": heading,
        "words": words,
        "chart": chart,
        "rows": [{name: cell(value) for name, value in row.items()} for row in rows],
        "warning": warning,
    }


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
