"""How many tasks go to a server at once: as many as it stores in a moment, and no heavy load.

While a batch is stored nobody else can write, so that people who label meanwhile would wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from curate.errors import BackendError, PartialPush

SECONDS = 0.5
"""What a batch should take at most."""

CHARACTERS = 8_000_000

Row = dict[str, Any]


class TooLarge(BackendError):
    """Something before the server does not let so much through; nothing was stored."""


class Pace:
    """The size of the next batch, from how long the server took for the last.

    `weigh` gives the characters of a row; `most` is how many rows the server takes at once. It
    never goes below a quarter of the `first`: a slow server has its reasons, and a batch its price.
    """

    def __init__(self, weigh: Callable[[Row], int], *, first: int, most: int) -> None:
        self.weigh = weigh
        self.most = most
        self.size = min(first, most)
        self.least = max(1, self.size // 4)

    def next(self, rows: Sequence[Row], start: int) -> Sequence[Row]:
        """Return the next batch: at least one row, and no more characters than may be."""
        characters = 0
        for end in range(start, min(start + self.size, len(rows))):
            characters += self.weigh(rows[end])
            if characters > CHARACTERS and end > start:
                return rows[start:end]
        return rows[start : start + self.size]

    def took(self, number: int, seconds: float) -> None:
        """Learn from a batch; grow twofold at most."""
        fitting = int(number * SECONDS / max(seconds, 0.001))
        self.size = min(max(self.least, min(fitting, 2 * self.size)), self.most)

    def halve(self, number: int) -> bool:
        """Never send so many again, for they were too large; return whether fewer can be."""
        self.most = self.size = max(1, number // 2)
        return number > 1


def in_batches(
    rows: Sequence[Row], pace: Pace, store: Callable[[Sequence[Row]], None]
) -> Iterator[Sequence[Row]]:
    """Yield the rows, batch after batch, each when it is stored.

    `store` keeps a batch whole or not at all. Raises PartialPush if a batch fails after others
    were stored, else the fault itself.
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
