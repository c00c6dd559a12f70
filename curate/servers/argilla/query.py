"""The text of the search box, as an expression of SQLite's full-text search.

The language is Elasticsearch's simple query string, for which Argilla's page is made. All words
must occur; `|` is or, `-` is not; there are `"a phrase"`, `begin*` and `( )`; a backslash makes the
next character literal. Parts without meaning are left out; only a query that is too large is an
error. Words written together (`foo-bar`, 中文) must stand together. `~N` (nearly) is ignored.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import Literal

from curate.servers.argilla.words import words

EVERY = "\ue000"
"""The index adds this to every text, and no text has it as a word: `NOT` subtracts from it."""

MAX_WORDS = 1000
MAX_TURNS = 25
"""The most brackets and changes between `|` and "and": SQLite's parser is not deep."""

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
    """Words that stand together; in a prefix, the last word may be incomplete."""

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
    """The query of a text; None if it has no words. Raises ValueError if it is too large."""
    if len(words(text)) > MAX_WORDS:
        raise ValueError(f"this search has more than {MAX_WORDS} words")
    return _Parser(text).whole()


def expression(query: Query) -> str:
    """The full-text expression of a query."""
    if isinstance(query, Phrase):
        return f'"{" ".join(query.words)}"' + ("*" if query.is_prefix else "")
    if isinstance(query, Not):
        return f"({EVERY} NOT {expression(query.of)})"
    return "(" + f" {query.how} ".join(map(expression, query.parts)) + ")"


class _Parser:
    """Reads from left to right: `a | b c` is `(a | b) c`, as in Elasticsearch."""

    def __init__(self, text: str) -> None:
        self._turns = 0
        self._lexemes = deque(
            (str(match.lastgroup), match[str(match.lastgroup)])
            for match in LEXEMES.finditer(text)
            if match.lastgroup not in ("space", "stray")
        )

    def whole(self) -> Query | None:
        """Read to the end."""
        query = None
        while self._lexemes:
            query = self._joined("AND", query, self._sequence())
            if self._lexemes:
                self._lexemes.popleft()  # a bracket that nobody opened
        return query

    def _sequence(self) -> Query | None:
        query: Query | None = None
        how: How = "AND"
        while self._lexemes and self._lexemes[0] != CLOSE:
            if self._lexemes[0] in SIGNS:
                how = SIGNS[self._lexemes.popleft()]
            elif part := self._one():
                query, how = self._joined(how, query, part), "AND"
        return query

    def _one(self) -> Query | None:
        negated = False
        while self._lexemes and self._lexemes[0][0] == "minus":
            self._lexemes.popleft()
            negated = not negated
        if not self._lexemes or self._lexemes[0] == CLOSE:
            return None
        kind, text = self._lexemes.popleft()
        query = self._bracket() if (kind, text) == OPEN else _phrase(text, kind == "word")
        return Not(query) if query and negated else query

    def _bracket(self) -> Query | None:
        self._turn()
        query = self._sequence()
        if self._lexemes:
            self._lexemes.popleft()
        return query

    def _joined(self, how: How, query: Query | None, part: Query | None) -> Query | None:
        if not query or not part:
            return query or part
        if isinstance(query, Group) and query.how == how:
            return Group(how, (*query.parts, part))
        self._turn()
        return Group(how, (query, part))

    def _turn(self) -> None:
        self._turns += 1
        if self._turns > MAX_TURNS:
            raise ValueError(f"this search has more than {MAX_TURNS} brackets and changes of `|`")


def _phrase(text: str, is_word: bool) -> Phrase | None:
    is_prefix = is_word and bool(PREFIX.search(text))
    literal = re.sub(r"\\(.)", r"\1", NEARLY.sub("", text) if is_word else text, flags=re.DOTALL)
    phrase = tuple(words(literal))
    return Phrase(phrase, is_prefix) if phrase else None
