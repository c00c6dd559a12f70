"""Whose turn it is: the order of documents of several groups, each by its share of tokens.

A group that has had `n` tokens and has the share `s` is at the time `n / s`, and the group that is
at the earliest time comes next. So each group is always within one document of its share (fair
queueing; the largest deficit comes first). The order follows from the lengths of documents alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]


class Lengths(Protocol):
    """Gives the lengths of a group's documents, in the order in which an epoch reads them."""

    def ends(self, epoch: int) -> Numbers:
        """The tokens up to the end of each document, in the order of an epoch; at least one."""


@dataclass(frozen=True)
class Turn:
    """Where a group is: its epoch, the documents it has had in that, and the time of the next.

    Times count the tokens of all groups. A group without a share waits: its `time` is then the
    number of its tokens that are ahead of its share.
    """

    epoch: int = 0
    documents: int = 0
    time: float = 0.0


@dataclass(frozen=True)
class Chunk:
    """The next documents in order, and the turns of all groups after them.

    Of each document: its group, the epoch of that, its number in the epoch's order, its time and
    its tokens.
    """

    group: Numbers
    epoch: Numbers
    number: Numbers
    time: NDArray[np.float64]
    tokens: Numbers
    turns: tuple[Turn, ...]

    def __len__(self) -> int:
        """The number of documents."""
        return len(self.group)

    def turns_after(self, done: int) -> tuple[Turn, ...]:
        """The turns of all groups after so many of the documents."""
        turns = list(self.turns)
        for place in range(len(self) - 1, done - 1, -1):
            turns[self.group[place]] = Turn(
                int(self.epoch[place]), int(self.number[place]), float(self.time[place])
            )
        return tuple(turns)


def next_chunk(
    groups: Sequence[Lengths], weights: Sequence[float], turns: Sequence[Turn], tokens: float
) -> Chunk:
    """The documents of about the next so many tokens: at least one.

    `weights` are the shares of the groups, which sum to 1.
    """
    import numpy as np

    waiting = [turn.time for turn, weight in zip(turns, weights, strict=True) if weight]
    end = min(waiting) + tokens
    parts, after = [], list(turns)
    for place, (group, weight, turn) in enumerate(zip(groups, weights, turns, strict=True)):
        if weight:
            own, after[place] = _until(group, weight, turn, end)
            parts += [(np.full(len(number), place), *rest) for number, *rest in own]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[0], columns[3]))
    group, epoch, number, time, size = (column[order] for column in columns)
    return Chunk(group, epoch, number, time, size, tuple(after))


def _until(
    group: Lengths, weight: float, turn: Turn, end: float
) -> tuple[list[tuple[NDArray[Any], ...]], Turn]:
    """The documents of a group that begin before a time, epoch by epoch, and its turn then.

    Of the documents: the numbers (for their count), epoch, number, time and tokens.
    """
    import numpy as np

    parts: list[tuple[NDArray[Any], ...]] = []
    while turn.time < end:
        ends = group.ends(turn.epoch)
        first = turn.documents
        before = int(ends[first - 1]) if first else 0
        limit = before + (end - turn.time) * weight
        last = min(len(ends), first + int(np.searchsorted(ends[first:], limit)) + 1)
        starts = np.concatenate([[before], ends[first:last]])
        times = turn.time + (starts - before) / weight
        number = np.arange(first, last)
        epoch = np.full(last - first, turn.epoch)
        parts.append((number, epoch, number, times[:-1], np.diff(starts)))
        is_over = last == len(ends)
        turn = Turn(turn.epoch + is_over, 0 if is_over else last, float(times[-1]))
    return parts, turn


def reweighted(
    turns: Sequence[Turn], now: float, before: Sequence[float], after: Sequence[float]
) -> tuple[Turn, ...]:
    """The turns with other shares from a time on: what a group is ahead of its share remains."""
    changed = []
    for turn, old, new in zip(turns, before, after, strict=True):
        ahead = (turn.time - now) * old if old else turn.time
        changed.append(replace(turn, time=now + ahead / new if new else ahead))
    return tuple(changed)
