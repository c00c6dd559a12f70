"""One writer at a time."""

from __future__ import annotations

import fcntl
from typing import Any


def locked(file: Any) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
