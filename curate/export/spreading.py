"""Where in the sequence of its group each copy of a document stands: a time from 0 to 1.

All groups run through their own sequence in the same time. So lines sorted by time hold the shares
of all groups at any place: each group is within one document of its share of the time that has
passed. This is fair queueing by virtual time, the limit of taking the largest deficit first
(Parekh and Gallager 1993).

A sequence consists of passes. A pass holds each document of it once, all passes in one order; the
last holds only the documents with one copy more. In the passes before it these stand among at most
half a pass of the others, less the longest of them. So at least half a pass lies between two copies
of a document, in tokens of the group, unless a document is longer than that half.

Limits of other columns may give a group documents with other numbers of passes. Each number (and
the one after it) then has a sequence of its own, a *strand*, and all are spread over the group's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curate import chance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.int64]

Kind = tuple[int, int]
"""The number of a sequence, and the copies of a document in it."""


@dataclass(frozen=True)
class Sum:
    """The tokens of all documents of a kind, each once, and those of the longest."""

    tokens: int = 0
    longest: int = 0

    def joined(self, other: Sum) -> Sum:
        """That of both."""
        return Sum(self.tokens + other.tokens, max(self.longest, other.longest))


@dataclass(frozen=True)
class Place:
    """How the documents of one kind lie in their strand.

    `passes` are full passes, each of `others + extra` tokens; `extra` are the tokens of the
    documents with one copy more, the longest of which has `longest`. `phase` (0 to 1) is the point
    of a document that its time is of, where no document has one copy more.
    """

    passes: int
    others: int
    extra: int
    longest: int
    is_extra: bool
    phase: float

    @property
    def whole(self) -> int:
        """The tokens of the strand, copies counted."""
        return self.passes * (self.others + self.extra) + self.extra

    def times(self, before: Floats, tokens: Floats, passed: Numbers) -> Floats:
        """The times of copies, from 0 to 1.

        `before` are the tokens of documents of the same kind that come before each in a pass,
        `passed` the number of the copy, from 1.
        """
        import numpy as np

        a_pass = self.others + self.extra
        within = self._within(before, tokens)
        if self.is_extra:
            within = np.where(passed > self.passes, before, within)
        return ((passed - 1) * a_pass + within) / self.whole

    def _within(self, before: Floats, tokens: Floats) -> Floats:
        """The tokens of a full pass before each document, about."""
        import numpy as np

        if not self.extra:
            return before + self.phase * tokens
        half = (self.others + self.extra) / 2
        room = min(self.others, max(0.0, half - self.longest))  # others among the extra ones
        first = self.extra + room
        if self.is_extra:
            return before * first / self.extra
        end = before + tokens  # not the start: an extra one is never behind more than `room`
        within = np.where(end < room, end * first / max(room, 1.0), self.extra + end)
        latest = 2 * half - 0.25  # before the first of the next pass
        return np.asarray(np.minimum(within, latest))


def places_of(sums: Mapping[Kind, Sum], seed: int) -> dict[Kind, Place]:
    """The place of every kind of documents."""
    by_sequence: dict[int, list[int]] = {}
    for sequence, copies in sorted(sums):
        by_sequence.setdefault(sequence, []).append(copies)
    places = {}
    for sequence, numbers in by_sequence.items():
        for strand in strands_of(numbers):
            own = [sums[sequence, copies] for copies in strand]
            more = own[1] if len(own) > 1 else Sum()
            (phase,) = chance.uniform([f"{sequence} {strand[0]}"], seed, "strand").tolist()
            for number, copies in enumerate(strand):
                places[sequence, copies] = Place(
                    strand[0], own[0].tokens, more.tokens, more.longest, number > 0, phase
                )
    return places


def strands_of(copies: list[int]) -> list[list[int]]:
    """Ascending numbers of copies, in pairs of a number and the next one where both are there."""
    strands: list[list[int]] = []
    for number in copies:
        if strands and len(strands[-1]) == 1 and strands[-1][0] == number - 1:
            strands[-1].append(number)
        else:
            strands.append([number])
    return strands
