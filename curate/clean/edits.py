"""Edits over the canonical text: united, brought home from a text edited before, laid over many.

All ranges are half-open code points; lists of edits are in order and do not overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from curate.text import Edit, apply_edits

if TYPE_CHECKING:
    import pyarrow as pa


def merged(*many: Iterable[Edit]) -> list[Edit]:
    """Return all edits of one text as one list.

    Edits that overlap become one over both ranges: a removal if one of them is a removal, else the
    mask that starts first. Removals that touch become one.
    """
    result: list[Edit] = []
    for start, end, new in sorted({edit for each in many for edit in each}, key=_place):
        before, until, old = result[-1] if result else (0, -1, "")
        touch = start == until and not new and not old
        if start < until or touch:
            result[-1] = (before, max(until, end), old if old and new else "")
        else:
            result.append((start, end, new))
    return result


def _place(edit: Edit) -> tuple[int, int, str]:
    return edit[0], -edit[1], edit[2]


def home(edits: Iterable[Edit], earlier: Sequence[Edit]) -> list[Edit]:
    """Return edits of the text after the `earlier` ones, as edits of the text before them.

    An edit that reaches into what an earlier one put there takes the whole of its range.
    """
    if not earlier:
        return list(edits)
    return [(_first(start, earlier), _last(end, earlier), new) for start, end, new in edits]


def _first(place: int, earlier: Sequence[Edit]) -> int:
    """Return where the character at `place` stood."""
    shift = 0
    for start, end, new in earlier:
        at = start + shift
        if place < at:
            break
        if place < at + len(new):
            return start
        shift += len(new) - (end - start)
    return place - shift


def _last(place: int, earlier: Sequence[Edit]) -> int:
    """Return one past where the character before `place` stood."""
    shift = 0
    for start, end, new in earlier:
        at = start + shift
        if place <= at:
            break
        if place <= at + len(new):
            return end
        shift += len(new) - (end - start)
    return place - shift


class Batch:
    """The documents of a shard, and the edits laid over their canonical texts so far."""

    def __init__(self, pool: pa.Table) -> None:
        self.pool = pool
        self.texts: list[str] = pool["text"].to_pylist()
        self.edits: list[list[Edit]] = [[] for _ in self.texts]

    def edit(self, place: int, edits: Iterable[Edit]) -> None:
        """Lay more edits over the canonical text of the document at `place`."""
        self.edits[place] = merged(self.edits[place], edits)
        self.__dict__.pop("edited", None)

    @cached_property
    def edited(self) -> list[str]:
        """The texts as they read after the edits so far."""
        pairs = zip(self.texts, self.edits, strict=True)
        return [apply_edits(text, edits) if edits else text for text, edits in pairs]
