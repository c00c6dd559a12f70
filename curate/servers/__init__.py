"""Embedded annotation servers: a private environment, one process, and the accounts of people.

    environments/label_studio-<hash>/   venv and template, built once, shared between homes
    home/servers/label_studio/          data, secrets, accounts, log: one server of one's own

Nothing here reads the environment for settings, and nothing is reachable from another machine.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

Advance = Callable[[int], None]
Watch = Callable[[str, int | None], AbstractContextManager[Advance]]
"""Shows progress: called with a label and a total (None if unknown), it yields how to advance."""


@dataclass(frozen=True)
class Home:
    """Where servers live: their state in `home`, their built programs in `environments`."""

    home: Path
    environments: Path


@dataclass(frozen=True)
class Account:
    """A person's way into a server; password and token are not part of its repr."""

    email: str
    name: str
    password: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True)
class Running:
    """A server that runs: where it answers, its process, and since when (UTC, ISO 8601)."""

    url: str
    port: int
    pid: int
    started: str


def unwatched(label: str, total: int | None) -> AbstractContextManager[Advance]:
    """Show no progress."""
    return nullcontext(lambda n: None)
