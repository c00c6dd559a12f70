"""Texts of others in Markdown: quoted, so that none breaks out of its cell, heading or list.

In front matter and JSON, the writers of these formats quote by themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

NOTHING = "(empty)"
"""What stands for a text without a visible character."""

LONGEST = 200
"""The most characters of a text in a cell."""

_MARKUP = re.compile(r"[\\`*\[\]<>|#~$&]|(?<![^\W_])_|_(?![^\W_])|:(?=//)")
"""What can be markup of CommonMark, of tables, formulas or HTML, wherever it stands.

An underscore between two letters is none, and stays as people wrote it.
"""

_FIRST = re.compile(r"^([-+]|\d+(?=[.)]( |$)))")
"""What makes a list, a rule or a heading at the beginning of a line."""

_HIDDEN = {"Cc": " ", "Zl": " ", "Zp": " ", "Cs": "\ufffd"}
"""Categories of characters that are not shown, and what stands for them."""

_JOINERS = "\u200c\u200d"
"""Characters of format that words of some scripts need. All others may turn a line around."""


def visible(text: str) -> str:
    """A text in one line, as a reader sees it: no control character, no change of direction."""
    return " ".join("".join(map(_shown, text)).split()) or NOTHING


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return character if character in _JOINERS else ""
    return _HIDDEN.get(category, character)


def inline(text: str) -> str:
    """A text of others as a part of a line, a heading, a list or a cell: it reads as itself."""
    line = visible(text)
    escaped = _MARKUP.sub(lambda match: "\\" + match[0], line)
    return _FIRST.sub(_escaped_first, escaped)


def _escaped_first(match: re.Match[str]) -> str:
    """A list mark that is none: of a number, what follows it is escaped."""
    return f"\\{match[0]}" if match[0] in "-+" else f"{match[0]}\\"


def cell(text: str) -> str:
    """A text of others as a cell; a long one is cut."""
    line = visible(text)
    return inline(line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """A table in Markdown, of cells that are quoted already; empty without a row.

    The first columns hold `words`, all others numbers.
    """
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    rule = "|---" * words + "|--:" * (len(head) - words) + "|"
    return "\n".join([f"| {' | '.join(head)} |", rule, *lines]) + "\n"


def bullets(lines: Iterable[str]) -> str:
    """A list in Markdown, of lines that are quoted already."""
    return "".join(f"- {line}\n" for line in lines)
