"""The lock of a workspace: one writer at a time."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from curate.errors import WorkspaceBusy
from curate.records import now
from curate.storage import regular

POLL = 0.2
"""Seconds between two attempts to get the lock."""


@dataclass(frozen=True)
class Lock:
    """The lock of a workspace: the file .lock, which names the command that holds it."""

    root: Path

    @contextmanager
    def hold(self, command: str, *, wait: float = 0) -> Iterator[None]:
        """Hold the workspace for writing. Raises WorkspaceBusy if it is in use after `wait` s."""
        self.root.mkdir(parents=True, exist_ok=True)
        with regular(self.root / ".lock").open("a+") as file:
            deadline = time.monotonic() + wait
            while not _is_locked(file):
                if time.monotonic() >= deadline:
                    file.seek(0)
                    raise WorkspaceBusy(
                        f"{self.root} is in use by {file.read().strip() or 'another command'}",
                        hint="wait for it to end, or give --wait SECONDS",
                    )
                time.sleep(POLL)
            file.truncate(0)
            file.write(f"`curate {command}` (process {os.getpid()}, since {now()})\n")
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)


def _is_locked(file: TextIO) -> bool:
    """Try to lock the file, without waiting; whether it worked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
