"""Runs inside the Argilla server's own Python, never in curate's.

    inside.py migrate                       make the database
    inside.py users SECRETS                 see that everyone in the file of secrets can log in
    inside.py serve SECRETS STATE PORT      go into the background and serve

The settings come as environment variables. `argilla_server start` is not used: it listens on every
interface by default, and its command line breaks with the version of click that it asks for.
"""
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from socket import socket
from types import ModuleType
from typing import Any

VERSION = "2.8.0"
HERE = Path(__file__).parent


def find_our_modules() -> None:
    """Make this folder's modules importable by their names, without what lies beside curate."""
    for name, folder in (
        ("curate", HERE.parent.parent),
        ("curate.servers", HERE.parent),
        ("curate.servers.argilla", HERE),
    ):
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package


def check_version() -> None:
    """End here with any other version: the patches are made for this one's inner parts."""
    found = version("argilla-server")
    if found != VERSION:
        sys.exit(f"this is argilla-server {found}; curate can only run {VERSION}")


@contextmanager
def temporary_folder() -> Iterator[None]:
    """Have an empty one, whatever a kill left there: Argilla copies its interface into it."""
    folder = Path(os.environ["TMPDIR"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield
    shutil.rmtree(folder, ignore_errors=True)


def migrate() -> None:
    """Bring the database to this version's schema, and add what search needs."""
    from alembic import command
    from alembic.config import Config
    from argilla_server.database import ALEMBIC_CONFIG_FILE

    from curate.servers.argilla.index import Index

    command.upgrade(Config(ALEMBIC_CONFIG_FILE), "head")
    Index(database()).prepare()


def database() -> Path:
    """Return where Argilla keeps everything, if not told otherwise."""
    return Path(os.environ["ARGILLA_HOME_PATH"]) / "argilla.db"


def serve(secrets: dict[str, Any], state: Path, port: int) -> None:
    """Serve until killed; the state file says which process this is and on which port."""
    from curate.servers import daemon

    file = daemon.hold(state)
    daemon.go_into_background()
    listener = daemon.listen(port)
    daemon.announce(file, listener.getsockname()[1])
    os.environ["ARGILLA_AUTH_SECRET_KEY"] = secrets["secret_key"]
    with temporary_folder():
        from curate.servers.argilla import patches, users

        patches.keep_redis_in_the_process()
        migrate()
        users.ensure(database(), secrets)
        run(application(), listener)


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


def application() -> Any:
    """Return Argilla, patched, with our search engine in it and the guard before it."""
    from curate.servers.argilla import engine, guard, patches
    from curate.servers.argilla.index import Index
    from curate.servers.argilla.statuses import settle

    index = Index(database())
    engine.register(index)
    from argilla_server._app import app

    patches.build_validators_once()
    patches.build_no_events()
    patches.settle_at_once(index)
    settle(index)
    (static,) = (route for route in app.routes if route.name == "static")
    pages = Path(static.app.directory)  # a copy that Argilla makes at every start
    guard.forget_others(pages)
    return guard.Guard(app, guard.policy(pages))


def main(command: str, *arguments: str) -> None:
    """Run one of the commands above."""
    check_version()
    find_our_modules()
    if command == "migrate":
        with temporary_folder():
            migrate()
        return
    secrets = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    if command == "serve":
        serve(secrets, Path(arguments[1]), int(arguments[2]))
        return
    from curate.servers.argilla import users

    users.ensure(database(), secrets)


if __name__ == "__main__":
    main(*sys.argv[1:])
