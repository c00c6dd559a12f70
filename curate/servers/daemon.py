"""A server's process from its first moment on; stdlib only, for any Python we start.

    daemon.py NAME migrate                     make the database
    daemon.py NAME users SECRETS               see that everyone in the file of secrets can log in
    daemon.py NAME serve SECRETS STATE PORTS PUBLIC
                                               go into the background and serve

`<NAME>/inside.py` says how: with `set_up(secret_key)` before its `migrate()`, its
`ensure_users(secrets)` or its `serve(secrets, public, ready)`. It runs in the server's own Python,
never in curate's; the settings come as environment variables.

    one process for people, one for bulk work

Both servers are programs of one interpreter that does one thing at a time: while curate reads
10,000 answers, people would wait 5 to 15 times as long for the next text.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
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


def announce(state: TextIO, port: int, bulk: int, public: str) -> None:
    """Write into the held state file which process serves where."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    places = {"port": port, "bulk": bulk, "public": public}
    record = {"pid": os.getpid(), "started": started, **places}
    state.truncate(0)
    state.write(json.dumps(record) + "\n")
    state.flush()


def part(people: socket.socket, bulk: socket.socket) -> socket.socket:
    """Go on in two processes, the second for bulk work; return where this one answers.

    The second ends with the first, however that ends; the state file is held until both have.
    """
    alive, ours = os.pipe()
    if os.fork():
        os.close(alive)  # and `ours` stays open for as long as we live
        bulk.close()
        return people
    os.close(ours)
    people.close()
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
    return bulk


def _end_with(alive: int) -> None:
    os.read(alive, 1)  # nobody writes: it ends when the other end is closed
    os._exit(0)


def find_our_modules(name: str) -> None:
    """Make a server's modules importable by their names, without what lies beside curate."""
    here = Path(__file__).parent
    for package, folder in (
        ("curate", here.parent),
        ("curate.servers.running", here),
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
    people, bulk = listen(map(int, ports.split(","))), listen([0])
    go_into_background()
    announce(file, people.getsockname()[1], bulk.getsockname()[1], public)
    inside.set_up(secrets["secret_key"])
    inside.serve(secrets, public, partial(part, people, bulk))


if __name__ == "__main__":
    main(*sys.argv[1:])
