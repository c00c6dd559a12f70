"""How progress is reported: one type, from the engines up to the terminal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Advance = Callable[[int], None]
"""Called with the number of items that have just been done."""

Watch = Callable[[str, int | None], AbstractContextManager[Advance]]
"""Shows progress: called with a label and a total (None if unknown), it yields how to advance."""


def unwatched(label: str, total: int | None) -> AbstractContextManager[Advance]:
    """Show no progress."""
    return nullcontext(lambda n: None)
