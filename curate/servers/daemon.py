"""What a server's process does before it loads anything; stdlib only, for any Python we start."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

HOST = "127.0.0.1"


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


def go_into_background() -> None:
    """Leave the parent's session: who started the server may end, or be killed."""
    if os.fork():
        os._exit(0)
    os.setsid()


def listen(port: int) -> socket.socket:
    """Return a socket of this machine alone on that port, or on any free one if it is taken."""
    try:
        return socket.create_server((HOST, port))
    except OSError:
        return socket.create_server((HOST, 0))


def announce(state: TextIO, port: int) -> None:
    """Write into the held state file which process serves on which port."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    state.truncate(0)
    state.write(json.dumps({"pid": os.getpid(), "port": port, "started": started}) + "\n")
    state.flush()
