"""Edits over the canonical text: united, and brought home from a text that was edited before.

All ranges are half-open code points; lists of edits are in order and do not overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from curate.text import Edit


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
