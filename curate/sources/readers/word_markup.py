"""The text of WordprocessingML (ISO/IEC 29500), as a page shows it: blocks, tables and notes.

Text lies in wrappers too: insertions, content controls, fields, text boxes, ruby, formulas. What
was deleted or moved away is no text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_LEFT_OUT = frozenset({"del", "moveFrom", "Fallback", "rt"})
"""What was deleted or moved away, a second form for old programs, and what stands above ruby."""

_SIGNS = {"tab": "\t", "ptab": "\t", "cr": "\n", "noBreakHyphen": "-"}
_NOTES = {"footnoteReference": "footnote", "endnoteReference": "endnote"}
_PAGES = ("page", "column")
"""The breaks that part no lines of a paragraph."""


@dataclass
class Notes:
    """The notes that a text refers to: the number of each, from 1, by its kind and identifier."""

    numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def number(self, kind: str, identifier: str) -> int:
        """The number of a note; they count in the order in which the text refers to them."""
        return self.numbers.setdefault((kind, identifier), len(self.numbers) + 1)


def blocks(holder: Any, notes: Notes) -> Iterator[str]:
    """Yield the text of each paragraph and table; a row is a line with a tab between cells."""
    for child in _children(holder):
        name = _name(child)
        if name == "p":
            yield from _paragraph(child, notes)
        elif name == "tbl":
            yield _table(child, notes)
        else:
            yield from blocks(child, notes)


def _name(element: Any) -> str:
    """The name of an element without its namespace; nothing for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _children(element: Any) -> Iterator[Any]:
    """Yield the elements within one that may hold text."""
    for child in element:
        name = _name(child)
        is_placeholder = name == "sdt" and child.find("{*}sdtPr/{*}showingPlcHdr") is not None
        if name and name not in _LEFT_OUT and not name.endswith("Pr") and not is_placeholder:
            yield child


def _paragraph(paragraph: Any, notes: Notes) -> Iterator[str]:
    """Yield the text of a paragraph, and then that of the text boxes in it."""
    words: list[str] = []
    boxes: list[Any] = []
    _add(paragraph, notes, words, boxes)
    yield "".join(words).strip()
    for box in boxes:
        yield from blocks(box, notes)


def _add(element: Any, notes: Notes, words: list[str], boxes: list[Any]) -> None:
    """Add the words of an element, and the text boxes in it."""
    for child in _children(element):
        name = _name(child)
        if name == "t":
            words.append(child.text or "")
        elif name == "txbxContent":
            boxes.append(child)
        elif name in _SIGNS:
            words.append(_SIGNS[name])
        elif name == "br":
            words.append("" if value_of(child, "type") in _PAGES else "\n")
        elif name in _NOTES:
            words.append(f"[{notes.number(_NOTES[name], value_of(child, 'id') or '')}]")
        else:
            _add(child, notes, words, boxes)


def value_of(element: Any, name: str) -> str | None:
    """The value of an attribute of that name, in whatever namespace."""
    own = (value for key, value in element.attrib.items() if key.rpartition("}")[2] == name)
    return next(own, None)


def _table(table: Any, notes: Notes) -> str:
    above: dict[int, str] = {}
    return "\n".join("\t".join(_cells(row, notes, above)) for row in _within(table, "tr"))


def _within(holder: Any, name: str) -> Iterator[Any]:
    """Yield the rows of a table or the cells of a row, whatever is wrapped around them."""
    for child in _children(holder):
        if _name(child) == name:
            yield child
        else:
            yield from _within(child, name)


def _cells(row: Any, notes: Notes, above: dict[int, str]) -> Iterator[str]:
    """Yield the text of every cell of a row; one that spans rows stands in each of them.

    `above` has the texts of the cells of the rows before, by their columns, and gets those of this.
    """
    column = _count(row.find("{*}trPr/{*}gridBefore"), 0)
    for cell in _within(row, "tc"):
        merged = cell.find("{*}tcPr/{*}vMerge")
        goes_on = merged is not None and value_of(merged, "val") in (None, "continue")
        if not (goes_on and column in above):
            above[column] = " ".join(" ".join(blocks(cell, notes)).split())
        yield above[column]
        column += _count(cell.find("{*}tcPr/{*}gridSpan"), 1)


def _count(element: Any, usual: int) -> int:
    value = None if element is None else value_of(element, "val")
    return int(value) if value and value.isascii() and value.isdigit() else usual
