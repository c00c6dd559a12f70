"""Texts as cells of a CSV file: a spreadsheet must not compute what somebody wrote."""

from __future__ import annotations

import re

_FORMULA = re.compile("'*[=+\\-@\t\r]")
_GUARDED = re.compile("'+[=+\\-@\t\r]")


def guarded(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would read as a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """The text of such a cell: the inverse of `guarded`."""
    return cell[1:] if _GUARDED.match(cell) else cell
