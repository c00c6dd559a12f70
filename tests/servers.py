"""Embedded servers for tests: built once in the shared folder, each test session its own home."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from curate.servers import Home
from curate.servers.argilla import server as argilla
from curate.servers.label_studio import server as label_studio

PEOPLE = (("ann@example.org", "Ann"), ("bob@example.org", "Bob"), ("cy@example.org", "Cy"))

NAMES = (("ann", "Ann"), ("bob", "Bob"), ("cy", "Cy"))


def environments() -> Path:
    """Return where built environments are shared: CURATE_ENVIRONMENTS, or the user's own."""
    default = Path.home() / ".local" / "share" / "curate" / "environments"
    return Path(os.environ.get("CURATE_ENVIRONMENTS") or default)


@contextmanager
def running_label_studio(folder: Path) -> Iterator[Home]:
    """Yield the home of a server that runs and knows three people."""
    home = Home(folder, environments())
    try:
        label_studio.add_accounts(home, PEOPLE)
        label_studio.start(home)
        yield home
    finally:
        label_studio.stop(home)


@contextmanager
def running_argilla(folder: Path) -> Iterator[Home]:
    """Yield the home of an Argilla that runs and knows three people."""
    home = Home(folder, environments())
    try:
        argilla.add_accounts(home, NAMES)
        argilla.start(home)
        yield home
    finally:
        argilla.stop(home)


def trust(home: Home, login: str) -> None:
    """Let an account of the embedded Label Studio do everything, as on a server of others."""
    (database,) = (label_studio.SERVER.root(home) / "data").glob("*.sqlite3")
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        connection.execute("UPDATE htx_user SET is_superuser = 1 WHERE email = ?", (login,))


RUNNING = {"label_studio": running_label_studio, "argilla": running_argilla}
