"""Templates of fields, and what is left of one where a document lacks a field."""

from __future__ import annotations

from functools import lru_cache
from string import Formatter


@lru_cache(maxsize=1024)
def without_fields(template: str, absent: frozenset[str]) -> str:
    """A template without some of its fields, and without what stands around these.

    That is the text before a field from the end of the line of the field before it, and the rest of
    its own line: `### Input:` goes with the input.
    """
    pieces = _pieces(template)
    for name in absent:
        pieces = _without(pieces, name)
    return "".join(_escaped(text) + (f"{{{name}}}" if name else "") for text, name in pieces)


Pieces = list[tuple[str, str | None]]
"""Texts, each with the name of the field that follows it."""


def _pieces(template: str) -> Pieces:
    pieces: Pieces = []
    waiting = ""
    for text, name, _, _ in Formatter().parse(template):  # it parts a text at escaped braces
        waiting += text
        if name is not None:
            pieces.append((waiting, name))
            waiting = ""
    return [*pieces, (waiting, None)]


def _without(pieces: Pieces, absent: str) -> Pieces:
    names = [name for _, name in pieces]
    if absent not in names:
        return pieces
    place = names.index(absent)
    before, (after, following) = pieces[place][0], pieces[place + 1]
    is_first = place == 0
    kept = before.rpartition("\n\n")[0] if is_first else _line_of(before)
    rest = after[len(_line_of(after)) :] if "\n" in after else "" if following is None else after
    joined = kept + (rest if kept or not is_first else rest.lstrip("\n"))
    return [*pieces[:place], (joined, following), *pieces[place + 2 :]]


def _line_of(text: str) -> str:
    """The rest of the line, up to the first newline; nothing if there is none."""
    line, newline, _ = text.partition("\n")
    return line if newline else ""


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
