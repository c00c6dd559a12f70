"""Embedded annotation servers: a private environment, one process, and the accounts of people.

    environments/label_studio-<hash>/   venv and template, built once, shared between homes
    home/servers/label_studio/          data, secrets, accounts, log: one server of one's own

Nothing here reads the environment for settings, and nothing is reachable from another machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from curate.errors import ServerError

EMAIL = re.compile(
    r"(?!.*\.\.)(?!\.)[-!#$%&'*+/=?^_`{}|~0-9a-z.]+(?<!\.)"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z][a-z-]{0,61}[a-z]|xn--[a-z0-9]{1,59})"
)
"""What Django takes too, in ASCII: with another e-mail one has an account and cannot log in."""


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
    """A server that runs: where it answers, its process, and since when (UTC, ISO 8601).

    `bulk` answers as `url` does, in a process of its own, so that nobody who labels has to wait.
    `public` is its address for people, where a proxy stands before it.
    """

    url: str
    port: int
    pid: int
    started: str
    public: str = ""
    bulk: str = ""

    @property
    def page(self) -> str:
        """Where people open it."""
        return self.public or self.url


def checked_email(text: str) -> str:
    """Return an e-mail in its one spelling. Raises ServerError for what no log-in page takes."""
    email = text.strip().lower()
    if not EMAIL.fullmatch(email):
        raise ServerError(f"{text!r} cannot be an account", hint="give an e-mail: ada@example.org")
    return email
