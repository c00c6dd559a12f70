"""What people see of documents, and how their answers lead back to them.

A task shows a document, a window of a long one, or two documents side by side. An answer on the
page counts code points of the text shown, and names the fields `a` and `b` of a comparison. An
answer at home (on disk) counts code points of the canonical text, and names the documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from curate.areas import EDGES, in_floats
from curate.records import Kind
from curate.text import Edit, apply_edits

SIDES = ("a", "b")
"""The fields of a comparison, in the order shown."""


@dataclass(frozen=True)
class View:
    """What one task shows.

    `fields` are the texts as shown. `members` are the documents behind a window or a comparison
    (none: the task is the document). `start` is where a window begins in the canonical text.
    `edits` are those applied to the text shown, in code points of the canonical text. If several
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
        """The answer at home, and None; or the answer as it was, and why it cannot come home."""
        if kind == "entities" and value is not None:
            spans = [self._home_span(span) for span in value]
            return (value, "a span cuts a mask") if None in spans else (spans, None)
        if kind in EDGES and value is not None:
            return [_renamed(in_floats(kind, area), self._documents) for area in value], None
        return (self._documents.get(value, value) if kind == "preference" else value), None

    def shown(self, value: Any, kind: Kind) -> Any:
        """An answer at home as the page has it."""
        if kind == "entities" and value is not None:
            return [self.shown_span(span) or span for span in value]
        if kind in EDGES and value is not None:
            return [_renamed(area, self._sides) for area in value]
        return self._sides.get(value, value) if kind == "preference" else value

    def shown_span(self, span: Mapping[str, Any]) -> dict[str, Any] | None:
        """A span at home as the page has it; None if an edit replaced a part of it."""
        name = self._sides.get(str(span.get("field")), span.get("field"))
        pieces = [piece.turned() for piece in self._pieces(name)]
        return _moved_span(span, pieces, self._sides)

    def trimmed(self, span: Mapping[str, Any], field: str) -> dict[str, Any]:
        """A span at home without the white space at its edges; one without a field is in `field`.

        A span of white space alone stays as it is, and so does one that an edit cuts.
        """
        page = self.shown_span({**span, "field": span.get("field") or field})
        text = self.fields.get(page["field"], "") if page else ""
        marked = text[page["start"] : page["end"]] if page else ""
        if page is None or not marked.strip():
            return dict(span)
        start = page["start"] + len(marked) - len(marked.lstrip())
        end = page["end"] - len(marked) + len(marked.rstrip())
        home = self._home_span({**page, "start": start, "end": end}) or span
        return {**span, "start": home["start"], "end": home["end"]}

    def spoken(self, spans: Iterable[Mapping[str, Any]]) -> list[str]:
        """Spans at home, each as its label and its words on the page: `PERSON: Ann`."""
        only = next(iter(self.fields.values()), "")
        moved = [page for span in spans if (page := self.shown_span(span))]
        texts = [self.fields.get(page.get("field") or "", only) for page in moved]
        return [
            f"{page['label']}: {text[page['start'] : page['end']]}"
            for page, text in zip(moved, texts, strict=True)
        ]

    def _home_span(self, span: Mapping[str, Any]) -> dict[str, Any] | None:
        return _moved_span(span, list(self._pieces(span.get("field"))), self._documents)

    @property
    def _documents(self) -> dict[str, str]:
        """The document on each side of a comparison."""
        return dict(zip(SIDES, self.members, strict=True)) if self.compares else {}

    @property
    def _sides(self) -> dict[str, str]:
        """The side of each document of a comparison."""
        return {document: side for side, document in self._documents.items()}

    def _pieces(self, name: str | None) -> Iterator[_Piece]:
        """Yield the pieces of the field of that name, from the page to home."""
        page, home = 0, self.start
        for start, end, replacement in self.by_field.get(name or "", self.edits):
            yield _Piece(page, page + start - home, home, start, is_edited=False)
            page += start - home
            yield _Piece(page, page + len(replacement), start, end, is_edited=True)
            page, home = page + len(replacement), end
        yield _Piece(page, 1 << 60, home, home + (1 << 60) - page, is_edited=False)


@dataclass(frozen=True)
class _Piece:
    """A stretch of a text, and the stretch that it stands for on the other side.

    Both have the same text, unless an edit replaced it (`is_edited`).
    """

    start: int
    end: int
    other_start: int
    other_end: int
    is_edited: bool

    def turned(self) -> _Piece:
        """The same piece, seen from the other side."""
        return _Piece(self.other_start, self.other_end, self.start, self.end, self.is_edited)


def contested(value: Any, other: Any) -> list[Any]:
    """What one list holds and the other does not, in its order."""
    return [entry for entry in value if entry not in other]


def _moved_span(
    span: Mapping[str, Any], pieces: Sequence[_Piece], names: Mapping[str, str]
) -> dict[str, Any] | None:
    """A span as the other side has it; None if one of its ends is inside an edit."""
    start = _moved(span["start"], pieces, is_end=False)
    end = _moved(span["end"], pieces, is_end=True)
    if start is None or end is None:
        return None
    return _renamed({**span, "start": start, "end": end}, names)


def _renamed(mark: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A mark whose field has the name that the other side has for it."""
    return {**mark, "field": names[mark["field"]]} if mark.get("field") in names else {**mark}


def _moved(offset: int, pieces: Sequence[_Piece], *, is_end: bool) -> int | None:
    """The offset of a span's start or end on the other side; None inside an edit."""
    for piece in pieces:
        start, end = piece.start, piece.end
        if not (start < offset <= end if is_end else start <= offset < end):
            continue
        if not piece.is_edited:
            return piece.other_start + offset - start
        edge, other = (end, piece.other_end) if is_end else (start, piece.other_start)
        return other if offset == edge else None
    return None


def window(length: int, size: int, chance: float, edits: Iterable[Edit]) -> tuple[int, int]:
    """A half-open window of about `size` code points, placed by `chance`, from 0 to 1.

    It is widened where it would cut an edit.
    """
    if length <= size:
        return 0, length
    start = int(chance * (length - size + 1))
    return widened(start, start + size, edits)


def widened(start: int, end: int, edits: Iterable[Edit]) -> tuple[int, int]:
    """A window, widened where it would cut an edit."""
    for low, high, _ in edits:
        start = low if low < start < high else start
        end = high if low < end < high else end
    return start, end


def cut(text: str, start: int, end: int, edits: Iterable[Edit]) -> tuple[str, tuple[Edit, ...]]:
    """The text of a window after its edits, and these edits."""
    inside = tuple(edit for edit in edits if start <= edit[0] and edit[1] <= end)
    in_window = [(low - start, high - start, new) for low, high, new in inside]
    return apply_edits(text[start:end], in_window), inside


def task_id(members: Sequence[str], start: int | None = None, end: int | None = None) -> str:
    """The id of a window of a document, or of a comparison, whatever the order of its members."""
    words = [*sorted(members), *([f"{start}:{end}"] if start is not None else ())]
    return blake2b(" ".join(words).encode(), digest_size=16).hexdigest()
