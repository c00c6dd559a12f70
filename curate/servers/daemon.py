"""A server's process from its first moment on; stdlib only, for any Python we start.

    daemon.py NAME migrate                     make the database
    daemon.py NAME users SECRETS               see that everyone in the file of secrets can log in
    daemon.py NAME serve SECRETS STATE PORTS PUBLIC
                                               go into the background and serve

`<NAME>/inside.py` says how: with `set_up(secret_key)` before its `migrate()`, its
`ensure_users(secrets)` or its `serve(secrets, listener, public)`. It runs in the server's own
Python, never in curate's; the settings come as environment variables.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TextIO

HOST = "127.0.0.1"

TAKEN = 3
"""The exit code that says: others have all of the ports."""


def hold(state: Path, patience: float = 2) -> TextIO:
    """Lock the state file for this process's life; a reader's look at it takes a moment."""
    file = state.open("a+", encoding="utf-8")
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() > until:
                sys.exit("another server of this home is running")
            time.sleep(0.02)


def listen(ports: Iterable[int]) -> socket.socket:
    """Return a socket of this machine alone on the first of the ports that is free; 0 is any."""
    for port in ports:
        with suppress(OSError):
            return socket.create_server((HOST, port))
    sys.exit(TAKEN)


def go_into_background() -> None:
    """Leave the parent's session: who started the server may end, or be killed."""
    if os.fork():
        os._exit(0)
    os.setsid()


def announce(state: TextIO, port: int, public: str) -> None:
    """Write into the held state file which process serves where."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    record = {"pid": os.getpid(), "port": port, "started": started, "public": public}
    state.truncate(0)
    state.write(json.dumps(record) + "\n")
    state.flush()


def find_our_modules(name: str) -> None:
    """Make a server's modules importable by their names, without what lies beside curate."""
    here = Path(__file__).parent
    for package, folder in (
        ("curate", here.parent),
        ("curate.servers", here),
        (f"curate.servers.{name}", here / name),
    ):
        module = ModuleType(package)
        module.__path__ = [str(folder)]
        sys.modules[package] = module


def main(name: str, command: str, *arguments: str) -> None:
    """Run one of the commands above."""
    find_our_modules(name)
    inside = import_module(f"curate.servers.{name}.inside")
    if command == "migrate":
        inside.set_up("only for the template")
        inside.migrate()
        return
    secrets = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    if command == "users":
        inside.set_up(secrets["secret_key"])
        inside.ensure_users(secrets)
        return
    _, state, ports, public = arguments
    file = hold(Path(state))
    listener = listen(map(int, ports.split(",")))
    go_into_background()
    announce(file, listener.getsockname()[1], public)
    inside.set_up(secrets["secret_key"])
    inside.serve(secrets, listener, public)


if __name__ == "__main__":
    main(*sys.argv[1:])
