"""Argilla from within: runs in the server's own Python, called by `servers/daemon.py`.

`argilla_server start` is not used: it listens on every interface by default, and its command line
breaks with the version of click that it asks for.
"""
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from socket import socket
from typing import Any

from curate.servers.shelf import Shelf

VERSION = "2.8.0"


def set_up(secret_key: str) -> None:
    """Give Argilla the key that signs logins; exit unless it is the right version."""
    check_version()
    os.environ["ARGILLA_AUTH_SECRET_KEY"] = secret_key


def check_version() -> None:
    """Exit with any other version: the patches change internals of this one."""
    installed = version("argilla-server")
    if installed != VERSION:
        sys.exit(f"this is argilla-server {installed}; curate can only run {VERSION}")


@contextmanager
def temporary_folder() -> Iterator[None]:
    """Clear TMPDIR now and remove it at the end: Argilla copies its interface into it."""
    folder, owner = Path(os.environ["TMPDIR"]), os.getpid()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def migrate() -> None:
    """Bring the database to this version's schema, and add what search needs."""
    with temporary_folder():
        _migrate()


def _migrate() -> None:
    from alembic import command
    from alembic.config import Config
    from argilla_server.database import ALEMBIC_CONFIG_FILE

    from curate.servers.argilla.index import Index

    command.upgrade(Config(ALEMBIC_CONFIG_FILE), "head")
    Index(database()).prepare()


def ensure_users(secrets: dict[str, Any]) -> None:
    """Create missing users, and reset those whose key or name differs from the secrets."""
    from curate.servers.argilla import users

    users.ensure(database(), secrets)


def database() -> Path:
    """The file in which Argilla keeps everything by default."""
    return Path(os.environ["ARGILLA_HOME_PATH"]) / "argilla.db"


def serve(secrets: dict[str, Any], public: str, ready: Callable[[], socket]) -> None:
    """Serve until killed, on the socket that `ready` returns; it returns in two processes.

    There is no public address: `public` is not used.
    """
    with temporary_folder():
        from curate.servers.argilla import patches

        patches.keep_redis_in_the_process()
        _migrate()
        ensure_users(secrets)
        media = Shelf.of(Path(os.environ["CURATE_MEDIA"]), secrets["secret_key"])
        app = application(media)
        run(app, ready())


def run(app: Any, listener: socket) -> None:
    """Answer on that socket until a signal comes."""
    import uvicorn

    settings = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=3,
    )
    uvicorn.Server(settings).run(sockets=[listener])


def application(media: Shelf | None = None) -> Any:
    """Argilla, patched, with our search engine inside and the guard in front."""
    from curate.servers.argilla import engine, guard, patches
    from curate.servers.argilla.index import Index
    from curate.servers.argilla.statuses import settle

    index = Index(database())
    engine.register(index)
    from argilla_server._app import app

    patches.build_validators_once()
    patches.build_no_events()
    patches.show_no_others()
    patches.show_our_media()
    patches.overwrite_what_is_deleted()
    patches.settle_at_once(index)
    settle(index)
    index.close()  # two processes must not share a connection
    (static,) = (route for route in app.routes if route.name == "static")
    pages = Path(static.app.directory)  # a copy that Argilla makes at every start
    guard.forget_others(pages)
    return guard.Guard(app, guard.policy(pages), index.forget, media)
