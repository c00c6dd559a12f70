"""The values of embedded servers: where they live, an account, and a server that runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from curate.errors import ServerError

EMAIL = re.compile(
    r"(?!.*\.\.)(?!\.)[-!#$%&'*+/=?^_`{}|~0-9a-z.]+(?<!\.)"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+([a-z][a-z-]{0,61}[a-z]|xn--[a-z0-9]{1,59})"
)
"""E-mails that Django accepts too, in ASCII: an account with any other could not log in."""


@dataclass(frozen=True)
class Home:
    """Where servers live: their state in `home`, their built programs in `environments`."""

    home: Path
    environments: Path


@dataclass(frozen=True)
class Account:
    """A person's login to a server; its repr leaves out password and token."""

    email: str
    name: str
    password: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True)
class Running:
    """A server that runs: where it answers, its process, and since when (UTC, ISO 8601).

    `bulk` answers like `url`, in a second process: bulk work then delays nobody who labels.
    `public` is the address for people, or "" without a proxy.
    """

    url: str
    port: int
    pid: int
    started: str
    public: str = ""
    bulk: str = ""

    @property
    def page(self) -> str:
        """The address that people open."""
        return self.public or self.url


def checked_email(text: str) -> str:
    """Normalise an e-mail. Raises ServerError for one that no log-in page accepts."""
    email = text.strip().lower()
    if not EMAIL.fullmatch(email):
        raise ServerError(f"{text!r} cannot be an account", hint="give an e-mail: ada@example.org")
    return email
