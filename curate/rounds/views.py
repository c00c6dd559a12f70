"""What people see of documents, and how their answers lead back to them.

A task shows a document, a window of a long one, or two documents side by side. On the page offsets
count from what is shown; at home they count code points of the canonical text. A comparison's page
speaks of its fields `a` and `b`; at home an answer names the documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from curate.records import Kind
from curate.text import Edit, apply_edits

SIDES = ("a", "b")
"""The fields of a comparison, in the order shown."""


@dataclass(frozen=True)
class View:
    """What one task shows.

    `fields` are the texts as shown. `members` are the documents behind a window or a comparison
    (none: the task is the document). `start` is where a window begins in the canonical text, and
    `edits` are those applied to what is shown, in code points of the canonical text. Where several
    fields are shown, `by_field` holds the edits of each, in code points of the field.
    """

    fields: Mapping[str, str]
    members: tuple[str, ...] = ()
    start: int = 0
    edits: tuple[Edit, ...] = field(default=())
    by_field: Mapping[str, tuple[Edit, ...]] = field(default_factory=dict)

    @property
    def compares(self) -> bool:
        """Whether two documents stand side by side."""
        return len(self.members) == len(SIDES)

    def home(self, value: Any, kind: Kind) -> tuple[Any, str | None]:
        """Return an answer as it is kept, and why it cannot be (then it is left as it was)."""
        if kind == "entities" and value is not None:
            spans = [self._span(span, self._to_home(span), self._named) for span in value]
            cut = any(span is None for span in spans)
            return (value, "a span cuts a mask") if cut else (spans, None)
        return (self._named.get(value, value) if kind == "preference" else value), None

    def shown(self, value: Any, kind: Kind) -> Any:
        """Return a kept answer as the page has it."""
        if kind == "entities" and value is not None:
            return [self.shown_span(span) or span for span in value]
        return self._sides.get(value, value) if kind == "preference" else value

    def shown_span(self, span: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return a kept span as the page has it; None where an edit took a part of it."""
        return self._span(span, self._to_page(span), self._sides)

    @property
    def _named(self) -> dict[str, str]:
        return dict(zip(SIDES, self.members, strict=True)) if self.compares else {}

    @property
    def _sides(self) -> dict[str, str]:
        return {document: side for side, document in self._named.items()}

    def _span(
        self, span: Mapping[str, Any], places: _Places, names: Mapping[str, str]
    ) -> dict[str, Any] | None:
        start, end = places(span["start"], last=False), places(span["end"], last=True)
        if start is None or end is None:
            return None
        moved = {**span, "start": start, "end": end}
        return {**moved, "field": names[span["field"]]} if span.get("field") in names else moved

    def _to_home(self, span: Mapping[str, Any]) -> _Places:
        return _Places(tuple(self._pieces(span.get("field"))))

    def _to_page(self, span: Mapping[str, Any]) -> _Places:
        pieces = self._pieces(self._sides.get(str(span.get("field")), span.get("field")))
        turned = (_Piece(*piece.at_home, *piece.on_page, piece.kept) for piece in pieces)
        return _Places(tuple(turned))

    def _pieces(self, shown: str | None) -> Iterator[_Piece]:
        page, home = 0, self.start
        for start, end, replacement in self.by_field.get(shown or "", self.edits):
            yield _Piece(page, page + start - home, home, start, True)
            page += start - home
            yield _Piece(page, page + len(replacement), start, end, False)
            page, home = page + len(replacement), end
        yield _Piece(page, 1 << 60, home, home + (1 << 60) - page, True)


@dataclass(frozen=True)
class _Piece:
    """A stretch of the page and the stretch it stands for: kept as it is, or replaced."""

    page_start: int
    page_end: int
    home_start: int
    home_end: int
    kept: bool

    @property
    def on_page(self) -> tuple[int, int]:
        return self.page_start, self.page_end

    @property
    def at_home(self) -> tuple[int, int]:
        return self.home_start, self.home_end


@dataclass(frozen=True)
class _Places:
    """Where an edge of a span lies on the other side; None inside of what was replaced."""

    pieces: tuple[_Piece, ...]

    def __call__(self, at: int, *, last: bool) -> int | None:
        for piece in self.pieces:
            begin, end = piece.on_page
            if not (begin < at <= end if last else begin <= at < end):
                continue
            if piece.kept:
                return piece.home_start + at - begin
            edge, other = (end, piece.home_end) if last else (begin, piece.home_start)
            return other if at == edge else None
        return None


def window(length: int, size: int, chance: float, edits: Iterable[Edit]) -> tuple[int, int]:
    """Return the half-open window of about `size` code points that `chance`, 0 to 1, points at.

    It is moved outwards where it would cut an edit.
    """
    if length <= size:
        return 0, length
    start = int(chance * (length - size + 1))
    return widened(start, start + size, edits)


def widened(start: int, end: int, edits: Iterable[Edit]) -> tuple[int, int]:
    """Return a window moved outwards where it would cut an edit."""
    for low, high, _ in edits:
        start = low if low < start < high else start
        end = high if low < end < high else end
    return start, end


def cut(text: str, start: int, end: int, edits: Iterable[Edit]) -> tuple[str, tuple[Edit, ...]]:
    """Return a window as it reads after its edits, and those edits."""
    inside = tuple(edit for edit in edits if start <= edit[0] and edit[1] <= end)
    moved = [(low - start, high - start, new) for low, high, new in inside]
    return apply_edits(text[start:end], moved), inside


def task_id(members: Sequence[str], start: int | None = None, end: int | None = None) -> str:
    """Return the id of a window of a document, or of a comparison, whatever the order shown."""
    about = [*sorted(members), *([f"{start}:{end}"] if start is not None else ())]
    return blake2b(" ".join(about).encode(), digest_size=16).hexdigest()
