"""Edits of the canonical text: merge them, map them back through earlier edits, collect them.

All ranges are half-open, in code points. Lists of edits are in order and do not overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from curate.clean.detecting import Likely, detect
from curate.clean.media.seen import NOTHING, Seen
from curate.text import Edit, apply_edits

if TYPE_CHECKING:
    import pyarrow as pa


def merged(*lists: Iterable[Edit]) -> list[Edit]:
    """All edits of one text as one list.

    Edits that overlap become one over both ranges: a removal if one of them is a removal, else the
    mask that starts first. Removals that touch become one.
    """
    result: list[Edit] = []
    for start, end, new in sorted({edit for edits in lists for edit in edits}, key=_sort_key):
        last_start, last_end, last_new = result[-1] if result else (0, -1, "")
        touch = start == last_end and not new and not last_new
        if start < last_end or touch:
            result[-1] = (last_start, max(last_end, end), last_new if last_new and new else "")
        else:
            result.append((start, end, new))
    return result


def _sort_key(edit: Edit) -> tuple[int, int, str]:
    return edit[0], -edit[1], edit[2]


def home(edits: Iterable[Edit], earlier: Sequence[Edit]) -> list[Edit]:
    """Edits of the text after the `earlier` edits, as edits of the text before them.

    An edit that reaches into the replacement of an earlier one covers that one's whole range.
    """
    if not earlier:
        return list(edits)
    return [(_first(start, earlier), _last(end, earlier), new) for start, end, new in edits]


def _first(place: int, earlier: Sequence[Edit]) -> int:
    """The place, before the earlier edits, of the character at `place`."""
    shift = 0
    for start, end, new in earlier:
        edited_start = start + shift
        if place < edited_start:
            break
        if place < edited_start + len(new):
            return start
        shift += len(new) - (end - start)
    return place - shift


def _last(place: int, earlier: Sequence[Edit]) -> int:
    """The end, before the earlier edits, of the character that ends at `place`."""
    shift = 0
    for start, end, new in earlier:
        edited_start = start + shift
        if place <= edited_start:
            break
        if place <= edited_start + len(new):
            return end
        shift += len(new) - (end - start)
    return place - shift


class Batch:
    """The documents of a shard, what was seen of their media, and the edits of texts so far.

    `detected` has the likeliest language of canonical texts, by place, where it is known already.
    """

    def __init__(self, pool: pa.Table, seen: Sequence[Seen] | None = None) -> None:
        self.pool = pool
        self.seen = seen or [NOTHING] * pool.num_rows
        self.texts: list[str] = pool["text"].to_pylist()
        self.edits: list[list[Edit]] = [[] for _ in self.texts]
        self.detected: dict[int, Likely] = {}

    def edit(self, place: int, edits: Iterable[Edit]) -> None:
        """Add edits of the canonical text of the document at `place`."""
        self.edits[place] = merged(self.edits[place], edits)
        self.__dict__.pop("edited", None)

    def languages(self) -> list[Likely]:
        """The likeliest language of each text after the edits so far."""
        places = [
            place for place, edits in enumerate(self.edits) if edits or place not in self.detected
        ]
        detected = detect(self.edited[place] for place in places)
        now = self.detected | dict(zip(places, detected, strict=True))
        return [now[place] for place in range(len(self.texts))]

    @cached_property
    def edited(self) -> list[str]:
        """The texts after the edits so far."""
        pairs = zip(self.texts, self.edits, strict=True)
        return [apply_edits(text, edits) if edits else text for text, edits in pairs]
