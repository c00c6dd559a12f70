"""What people type into the search box, as an expression of SQLite's full-text search.

The language is Elasticsearch's simple query string, for which Argilla's page is made: words that
must all occur, `|` for or, `-` for not, `"a phrase"`, `begin*`, `( )`, a backslash before what is
meant literally. Only too much is an error: what makes no sense is left out. What is written
together (`foo-bar`, 中文) must stand together. Not supported, read without it: `~N` (nearly).
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import Literal

from curate.servers.argilla.words import words

EVERY = "\ue000"
"""Stands in every indexed text, and is a word of none: what `NOT` is subtracted from."""

MAX_WORDS = 1000
MAX_TURNS = 25
"""How often a query may open a bracket or turn from `|` to "and": SQLite's parser is not deep."""

LEXEMES = re.compile(
    r"""(?P<space>\s+)
      | (?P<sign>[()|+])
      | (?P<minus>-)(?=\S)
      | "(?P<phrase>(?:\\.|[^"\\])*)"(?:~\d+)?
      | (?P<word>(?:\\.|[^\s()|+"\\])+)
      | (?P<stray>.)""",
    re.VERBOSE | re.DOTALL,
)

How = Literal["AND", "OR"]

PREFIX = re.compile(r"(?<!\\)\*$")
NEARLY = re.compile(r"~\d*$")
OPEN, CLOSE = ("sign", "("), ("sign", ")")
SIGNS: dict[tuple[str, str], How] = {("sign", "|"): "OR", ("sign", "+"): "AND"}


@dataclass(frozen=True)
class Phrase:
    """Words that stand together; of a prefix, the last is only begun."""

    words: tuple[str, ...]
    is_prefix: bool = False


@dataclass(frozen=True)
class Not:
    """Everything but this."""

    of: Query


@dataclass(frozen=True)
class Group:
    """All or any of several."""

    how: How
    parts: tuple[Query, ...]


Query = Phrase | Not | Group


def parse(text: str) -> Query | None:
    """Return what a text asks for; None if it asks for nothing. ValueError if for too much."""
    if len(words(text)) > MAX_WORDS:
        raise ValueError(f"this search has more than {MAX_WORDS} words")
    return _Parser(text).whole()


def expression(query: Query) -> str:
    """Return the full-text expression of a query."""
    if isinstance(query, Phrase):
        return f'"{" ".join(query.words)}"' + ("*" if query.is_prefix else "")
    if isinstance(query, Not):
        return f"({EVERY} NOT {expression(query.of)})"
    return "(" + f" {query.how} ".join(map(expression, query.parts)) + ")"


class _Parser:
    """Reads from left to right: `a | b c` is `(a | b) c`, as in the original."""

    def __init__(self, text: str) -> None:
        self._turns = 0
        self._lexemes = deque(
            (str(found.lastgroup), found[str(found.lastgroup)])
            for found in LEXEMES.finditer(text)
            if found.lastgroup not in ("space", "stray")
        )

    def whole(self) -> Query | None:
        found = None
        while self._lexemes:
            found = self._joined("AND", found, self._sequence())
            if self._lexemes:
                self._lexemes.popleft()  # a bracket that nobody opened
        return found

    def _sequence(self) -> Query | None:
        found: Query | None = None
        how: How = "AND"
        while self._lexemes and self._lexemes[0] != CLOSE:
            if self._lexemes[0] in SIGNS:
                how = SIGNS[self._lexemes.popleft()]
            elif part := self._one():
                found, how = self._joined(how, found, part), "AND"
        return found

    def _one(self) -> Query | None:
        negated = False
        while self._lexemes and self._lexemes[0][0] == "minus":
            self._lexemes.popleft()
            negated = not negated
        if not self._lexemes or self._lexemes[0] == CLOSE:
            return None
        kind, text = self._lexemes.popleft()
        found = self._bracket() if (kind, text) == OPEN else _phrase(text, kind == "word")
        return Not(found) if found and negated else found

    def _bracket(self) -> Query | None:
        self._turn()
        found = self._sequence()
        if self._lexemes:
            self._lexemes.popleft()
        return found

    def _joined(self, how: How, found: Query | None, part: Query | None) -> Query | None:
        if not found or not part:
            return found or part
        if isinstance(found, Group) and found.how == how:
            return Group(how, (*found.parts, part))
        self._turn()
        return Group(how, (found, part))

    def _turn(self) -> None:
        self._turns += 1
        if self._turns > MAX_TURNS:
            raise ValueError(f"this search has more than {MAX_TURNS} brackets and changes of `|`")


def _phrase(text: str, is_word: bool) -> Phrase | None:
    is_prefix = is_word and bool(PREFIX.search(text))
    literal = re.sub(r"\\(.)", r"\1", NEARLY.sub("", text) if is_word else text, flags=re.DOTALL)
    found = tuple(words(literal))
    return Phrase(found, is_prefix) if found else None
