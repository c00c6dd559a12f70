"""A server's process from its start on; stdlib only, for any Python we start.

    daemon.py NAME migrate                     make the database
    daemon.py NAME users SECRETS               let everyone in the file of secrets log in
    daemon.py NAME serve SECRETS STATE PORTS PUBLIC
                                               go into the background and serve

`<NAME>/inside.py` does the work: `set_up(secret_key)`, then its `migrate()`,
`ensure_users(secrets)` or `serve(secrets, public, ready)`. It runs in the server's own Python,
never in curate's. Its settings come as environment variables.

    one process for people, one for bulk work

A server is one Python interpreter, which does one thing at a time. While curate reads 10,000
answers from the same process, people would wait 5 to 15 times as long for the next text.
"""

from __future__ import annotations

import fcntl
import gc
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
"""The exit code if other programs have all of the ports."""


def hold(state: Path, patience: float = 2) -> TextIO:
    """Lock the state file for this process's life; exit if another server holds it.

    A reader locks it too, for a moment: hence the `patience`, in seconds.
    """
    file = state.open("a+", encoding="utf-8")
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() > deadline:
                sys.exit("another server of this home is running")
            time.sleep(0.02)


def listen(ports: Iterable[int]) -> socket.socket:
    """Listen on the first free port, for this machine only; port 0 is any. Exit if none is free."""
    for port in ports:
        with suppress(OSError):
            return socket.create_server((HOST, port))
    sys.exit(TAKEN)


def go_into_background() -> None:
    """Leave the parent's session: the server outlives the process that started it."""
    if os.fork():
        os._exit(0)
    os.setsid()


def announce(state: TextIO, port: int, bulk: int, public: str) -> None:
    """Write this process and its addresses into the locked state file."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    places = {"port": port, "bulk": bulk, "public": public}
    record = {"pid": os.getpid(), "started": started, **places}
    state.truncate(0)
    state.write(json.dumps(record) + "\n")
    state.flush()


def fork_for_bulk(people: socket.socket, bulk: socket.socket) -> socket.socket:
    """Go on in two processes, the second for bulk work; return the socket of this one.

    The second ends with the first, however that ends. The state file is locked until both ended.
    Objects that are there now are never looked through for garbage, so the two share their memory.
    """
    gc.freeze()
    gc.enable()
    read_end, write_end = os.pipe()
    if os.fork():
        os.close(read_end)  # `write_end` stays open for as long as this process lives
        bulk.close()
        return people
    os.close(write_end)
    people.close()
    threading.Thread(target=_end_with_parent, args=(read_end,), daemon=True).start()
    return bulk


def _end_with_parent(read_end: int) -> None:
    os.read(read_end, 1)  # nobody writes: it returns when the other end is closed
    os._exit(0)


def find_our_modules(name: str) -> None:
    """Make a server's modules importable by name, without the packages installed beside curate."""
    servers = Path(__file__).parent
    for package, folder in (
        ("curate", servers.parent),
        ("curate.servers", servers),
        (f"curate.servers.{name}", servers / name),
    ):
        module = ModuleType(package)
        module.__path__ = [str(folder)]
        sys.modules[package] = module


def main(name: str, command: str, *arguments: str) -> None:
    """Run one of the commands above."""
    find_our_modules(name)
    gc.disable()  # a server loads a million objects that stay: to look through them takes a quarter
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
    inside.serve(secrets, public, partial(fork_for_bulk, people, bulk))


if __name__ == "__main__":
    main(*sys.argv[1:])
