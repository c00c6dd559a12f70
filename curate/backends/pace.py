"""How many tasks go to a server at once: as many as it stores in half a second, within a limit.

Nobody else can write while a batch is stored: people who label meanwhile wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from curate.errors import BackendError, PartialPush

SECONDS = 0.5
"""How long a batch should take at most."""

CHARACTERS = 8_000_000
"""The most characters in a batch, unless it is a single row."""

Row = dict[str, Any]


class TooLarge(BackendError):
    """A request was too large for the server or a proxy before it; nothing was stored."""


class Pace:
    """The size of the next batch in rows, learned from how long the last one took.

    `weigh` counts the characters of a row. `first` is the first size, `most` the server's limit.
    A slow server shrinks it to a quarter of `first` at least: each batch has a fixed cost.
    """

    def __init__(self, weigh: Callable[[Row], int], *, first: int, most: int) -> None:
        self.weigh = weigh
        self.most = most
        self.size = min(first, most)
        self.least = max(1, self.size // 4)

    def next(self, rows: Sequence[Row], start: int) -> Sequence[Row]:
        """The next batch from `start` on: at least one row, and at most CHARACTERS in several."""
        characters = 0
        for end in range(start, min(start + self.size, len(rows))):
            characters += self.weigh(rows[end])
            if characters > CHARACTERS and end > start:
                return rows[start:end]
        return rows[start : start + self.size]

    def took(self, number: int, seconds: float) -> None:
        """Learn from how long `number` rows took; grow twofold at most."""
        fitting = int(number * SECONDS / max(seconds, 0.001))
        self.size = min(max(self.least, min(fitting, 2 * self.size)), self.most)

    def halve(self, number: int) -> bool:
        """Halve the limit after `number` rows were too large; return False if that was one row."""
        self.most = self.size = max(1, number // 2)
        return number > 1


def in_batches(
    rows: Sequence[Row], pace: Pace, store: Callable[[Sequence[Row]], None]
) -> Iterator[Sequence[Row]]:
    """Store the rows batch by batch; yield each batch once it is stored.

    `store` keeps a batch whole or not at all. Raises PartialPush if a batch fails after others
    were stored, else the original error.
    """
    sent = 0
    while sent < len(rows):
        batch = pace.next(rows, sent)
        started = time.monotonic()
        try:
            store(batch)
        except BackendError as fault:
            if isinstance(fault, TooLarge) and pace.halve(len(batch)):
                continue
            if not sent:
                raise
            left = len(rows) - sent
            message = f"{sent} tasks were sent, {left} were not: {fault.message}"
            raise PartialPush(message, sent=sent, failed=left) from None
        pace.took(len(batch), time.monotonic() - started)
        sent += len(batch)
        yield batch
