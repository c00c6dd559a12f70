"""The reading order of pieces of text on a page: columns from left to right, lines downwards.

A page is cut at the gutter that the fewest pieces cross; what crosses it, such as a title, parts
the columns above from those below. A simple form of the recursive XY cut: Nagy and Seth, ICPR 1984,
347-349.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SHORTEST = 12
"""The mean number of characters of the lines of a column; cells of a table are often shorter."""

CROSSING = 1 / 3
"""The largest share of pieces that may cross a gutter."""

PARAGRAPH = 0.8
"""Two lines that are so many line heights apart have a blank line between them."""

DEEPEST = 10
"""A column is cut again at most so often."""


@dataclass(frozen=True)
class Piece:
    """A piece of text on one line: its box, in points, with the origin at the lower left.

    `height` is that of a line, also where the box holds two.
    """

    text: str
    left: float
    bottom: float
    right: float
    top: float
    height: float


def text_of(pieces: Sequence[Piece]) -> str:
    """The text of a page, in reading order."""
    return "\n\n".join(filter(None, map(_block, _blocks(list(pieces), 0))))


def _blocks(pieces: list[Piece], depth: int) -> Iterator[list[Piece]]:
    """Yield what is read together: the pieces of a column, or what stands across columns."""
    gutter = _gutter(pieces) if depth < DEEPEST else None
    if gutter is None:
        yield pieces
        return
    across = sorted(
        (piece for piece in pieces if piece.left < gutter < piece.right), key=lambda own: -own.top
    )
    middles = [-(piece.top + piece.bottom) / 2 for piece in across]
    bands: list[tuple[list[Piece], list[Piece]]] = [([], []) for _ in range(len(across) + 1)]
    for piece in pieces:
        if piece.right <= gutter or piece.left >= gutter:
            band = bands[bisect_right(middles, -(piece.top + piece.bottom) / 2)]
            band[piece.left >= gutter].append(piece)
    waiting: list[Piece] = []
    for place, columns in enumerate(bands):
        if any(columns) and waiting:
            yield waiting
            waiting = []
        for column in filter(None, columns):
            yield from _blocks(column, depth + 1)
        waiting += across[place : place + 1]
    if waiting:
        yield waiting


def _gutter(pieces: Sequence[Piece]) -> float | None:
    """Where a page is cut into a left and a right part; None where it is one column."""
    lefts, rights = sorted(own.left for own in pieces), sorted(own.right for own in pieces)
    best, place = 0.0, None
    for edge in dict.fromkeys(lefts):
        before, after = bisect_right(rights, edge), len(lefts) - bisect_left(lefts, edge)
        crossing = len(lefts) - before - after
        if min(before, after) < 2 or crossing > CROSSING * len(lefts):
            continue
        score = min(before, after) - crossing
        if score > best:
            best, place = score, edge
    if place is None:
        return None
    start = max(own.right for own in pieces if own.right <= place)
    gutter = (start + place) / 2
    left = [own for own in pieces if own.right <= gutter]
    right = [own for own in pieces if own.left >= gutter]
    return gutter if _are_columns(left, right) else None


def _are_columns(left: Sequence[Piece], right: Sequence[Piece]) -> bool:
    """Whether two parts of a page stand beside each other, and are text instead of cells."""
    if min(sum(len(own.text) for own in side) / len(side) for side in (left, right)) < SHORTEST:
        return False
    low, high = min(own.bottom for own in right), max(own.top for own in right)
    beside = sum(own.bottom < high and own.top > low for own in left)
    return beside >= max(2, len(left) / 4)


def _block(pieces: Sequence[Piece]) -> str:
    """The lines of pieces that are no columns, from the top; a blank line between paragraphs."""
    text = ""
    above: Piece | None = None
    for line in _lines(pieces):
        first = max(line, key=lambda own: own.height)
        if above is not None:
            gap = (above.bottom - first.top) / max(above.height, first.height, 0.1)
            text += "\n\n" if gap > PARAGRAPH else "\n"
        text += " ".join(own.text for own in line)
        above = first
    return text


def _lines(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Yield the pieces of each line, in the direction of their script."""
    line: list[Piece] = []
    middles = 0.0
    for piece in sorted(pieces, key=lambda own: -(own.top + own.bottom)):
        middle = (piece.top + piece.bottom) / 2
        if line and middles / len(line) - middle > piece.height / 2:
            yield _directed(line)
            line, middles = [], 0.0
        line.append(piece)
        middles += middle
    if line:
        yield _directed(line)


def _directed(line: list[Piece]) -> list[Piece]:
    letters = [letter for own in line for letter in own.text if letter.isalpha()]
    leftwards = sum("\u0590" <= letter <= "\u08ff" for letter in letters)
    return sorted(line, key=lambda own: own.left, reverse=leftwards > len(letters) / 2)
