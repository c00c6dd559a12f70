"""JSON files that are no lines: a list of rows, a list of rows under a key, or a row.

A list is read row by row, so memory does not depend on its length. A key that names a split becomes
the column `split`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any

from curate.errors import DataError
from curate.sources.partitions import SPLIT, split_named
from curate.sources.readers.opening import BLOCK, Numbered, Reading, text_blocks
from curate.sources.readers.unpacking import Lost

ROWS = frozenset(
    {
        *("data", "rows", "examples", "items", "records", "instances", "documents", "entries"),
        *("samples", "results", "conversations", "dialogs", "dialogues", "chats", "articles"),
    }
)
"""The keys whose list, in a file that is one object, holds the rows."""

FIRST_BYTES = 4096
"""So many bytes are looked at to find out whether a file is a list."""

SPACE = " \t\n\r\ufeff"
_SPACE = re.compile(f"[{SPACE}]*")

_SPEAKERS = ("role", "from", "speaker")
"""The keys of a message: a list of messages is one conversation, and no list of rows."""


def read(reading: Reading) -> Numbered:
    """Yield the row of every object of a file that is not JSON lines."""
    text = _Text(reading)
    number = 0
    try:
        for row in _rows(text):
            number += 1
            yield number, row if isinstance(row, dict) else "not a JSON object"
    except RecursionError:
        raise DataError(f"{reading.label}, after row {number}: nested too deeply") from None
    except ValueError as error:
        raise DataError(f"{reading.label}, after row {number}: {error}") from None


def holds_lines(reading: Reading) -> bool:
    """Whether a file holds an object a line, and more than one line."""
    first, newline, rest = _head(reading, BLOCK).partition(b"\n")
    if not first.startswith(b"{") or not newline or not rest.strip():
        return False
    try:
        return isinstance(json.loads(first.decode("utf-8", "replace")), dict)
    except (ValueError, RecursionError):
        return False


def spans_lines(reading: Reading) -> bool:
    """Whether a file begins with a list, or with an object that goes on in the next line."""
    first, _, rest = _head(reading, FIRST_BYTES).partition(b"\n")
    goes_on = rest.lstrip().startswith((b'"', b"}"))
    return first.startswith(b"[") or (first.rstrip() == b"{" and goes_on)


def trouble(error: ValueError) -> str:
    """What is wrong with a text of JSON."""
    return error.msg if isinstance(error, json.JSONDecodeError) else "a number of too many digits"


def _head(reading: Reading, size: int) -> bytes:
    """The first bytes of a file, without white space before them; wide encodings become UTF-8.

    Nothing of a file that cannot be read: its reader says why.
    """
    head = b""
    try:
        for block in text_blocks(replace(reading, decoder=copy(reading.decoder))):
            if isinstance(block, Lost):
                break
            head = (head + block).lstrip()
            if len(head) >= size:
                break
    except (DataError, OSError):
        return b""
    return head[:size]


def _rows(text: _Text) -> Iterator[Any]:
    """Yield the items of every list, and what is no list."""
    while mark := text.peek():
        if mark == "[":
            yield from _items(text)
        elif mark == "{":
            yield from _object(text)
        else:
            yield text.value()


def _items(text: _Text) -> Iterator[Any]:
    """Yield the items of a list that begins here."""
    text.take("[")
    if text.peek() == "]":
        text.skip()
        return
    while True:
        yield text.value()
        mark = text.peek()
        if mark == "]":
            text.skip()
            return
        text.take(",", mark)


def _object(text: _Text) -> Iterator[Any]:
    """Yield the rows of an object that begins here: of its lists, or the object itself."""
    text.take("{")
    values: dict[str, Any] = {}
    held_lists = False
    while text.peek() != "}":
        key = text.value()
        text.take(":")
        split = split_named(str(key))
        if text.peek() == "[" and (key in ROWS or split):
            items = _items(text)
            first = next(items, None)
            if isinstance(first, Mapping) and not any(name in first for name in _SPEAKERS):
                held_lists = True
                for row in _chain(first, items):
                    yield {SPLIT: split, **row} if split and isinstance(row, dict) else row
            else:
                values[key] = [] if first is None else list(_chain(first, items))
        else:
            values[key] = text.value()
        if text.peek() != "}":
            text.take(",")
    text.take("}")
    if not held_lists:
        yield values


def _chain(first: Any, others: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from others


class _Text:
    """The text of a file, from which JSON values are taken one by one.

    ValueError where it is not JSON, or a value is longer than `max_bytes`.
    """

    def __init__(self, reading: Reading) -> None:
        self._pieces = _texts(reading)
        self._limit = reading.max_bytes
        self._decode = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0

    def _more(self, length: int) -> bool:
        """Read on until so many characters wait; False if there are no more."""
        pieces = [self._text[self._at :]]
        waiting = len(pieces[0])
        for piece in self._pieces:
            pieces.append(piece)
            waiting += len(piece)
            if waiting >= length:
                break
        is_more = len(pieces) > 1
        self._text, self._at = "".join(pieces), 0
        return is_more

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            mark = self._text[self._at : self._at + 1]
            if mark and mark not in SPACE:
                return mark
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at == len(self._text) and not self._more(1):
                return ""

    def take(self, mark: str, seen: str | None = None) -> None:
        """Take one character, which `peek` has `seen`. ValueError if it is another."""
        seen = self.peek() if seen is None else seen
        if seen != mark:
            raise ValueError(f"not JSON (no {mark})" if seen else "it ends too early")
        self.skip()

    def skip(self) -> None:
        """Take the character that `peek` has seen."""
        self._at += 1

    def value(self) -> Any:
        """Take the next value."""
        if not self.peek():
            raise ValueError("it ends too early")
        while True:
            waiting = len(self._text) - self._at
            try:
                value, end = self._decode(self._text, self._at)
            except ValueError as error:
                if waiting > self._limit:
                    raise ValueError(f"longer than max_bytes ({self._limit})") from None
                if not self._more(2 * waiting):
                    raise ValueError(f"not JSON ({trouble(error)})") from None
                continue
            is_last = end == len(self._text)
            if is_last and isinstance(value, int | float) and self._more(2 * waiting):
                continue  # the number may go on
            self._at = len(self._text) if is_last else end
            return value


def _texts(reading: Reading) -> Iterator[str]:
    """Yield the text of a file in pieces. ValueError if it is not in its encoding, or damaged.

    No character of any encoding holds one of the bytes at which it is cut.
    """
    rest = b""
    for block in text_blocks(reading):
        if isinstance(block, Lost):
            if not block.harmless:
                raise ValueError(block.reason)
            reading.lost.append(block)
            continue
        data = rest + block
        cut = max(map(data.rfind, (b"\n", b'"', b","))) + 1
        if cut:
            yield reading.decoder.decode(data[:cut])
        rest = data[cut:]
        if len(rest) > reading.max_bytes:
            raise ValueError(f"longer than max_bytes ({reading.max_bytes})")
    if rest:
        yield reading.decoder.decode(rest)
