"""A server's process: identified by the lock it holds, never by its process id alone.

A server locks its state file for as long as it lives, and writes its process id, ports and start
time there. An unlocked file is therefore stale. Only the process that holds the lock is ever
signalled: a process id may belong to another program by now.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from curate.errors import ServerError
from curate.servers.daemon import HOST
from curate.servers.running import Running


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock file; wait while another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def running(state: Path) -> Running | None:
    """The server that holds the state file; None if none does."""
    try:
        with state.open(encoding="utf-8") as file:
            return _read(state) if _is_held(file.fileno()) else None
    except FileNotFoundError:
        return None


def _is_held(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _read(state: Path, patience: float = 5) -> Running:
    """Read who holds the file; it is empty for a moment, between the lock and the writing."""
    deadline = time.monotonic() + patience
    while not (text := state.read_text(encoding="utf-8")).endswith("\n"):
        if time.monotonic() > deadline:
            raise ServerError(f"{state} is locked, but does not say by which process")
        time.sleep(0.05)
    record = json.loads(text)
    port, bulk = record["port"], record.get("bulk", record["port"])
    places = (record.get("public", ""), _address(bulk))
    return Running(_address(port), port, record["pid"], record["started"], *places)


def _address(port: int) -> str:
    return f"http://{HOST}:{port}"


def answers(url: str, path: str, *, timeout: float = 5) -> bool:
    """Whether a server answers that path with 200."""
    return status_of(url, path, timeout=timeout) == OK


OK, FOLLOWED = 200, 204


def status_of(
    url: str,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] = MappingProxyType({}),
    timeout: float = 5,
) -> int | None:
    """The status with which a server answers that path; None if it does not answer."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


PROGRESS = 0.005
"""A server that has used this part of its time since the last look is still starting."""

MOST = 5
"""So many times its patience a server is waited for at most, whatever it uses of the processor."""


def processor_seconds(pid: int) -> float:
    """The processor seconds that a process has used; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


def until_up(state: Path, path: str, log: Path, *, patience: float) -> Running | None:
    """The running server, once it answers; None if none runs, or it ends meanwhile.

    Raises ServerError with the end of its log if it does not answer within `patience` seconds. On a
    busy machine they are processor seconds, as long as the server gets some, `MOST` times as long
    at most. A server that has answered, but not well, uses the processor to answer us: it gets no
    more time.
    """
    began = time.monotonic()
    deadline, seen, told = began + patience, 0.0, None
    while time.monotonic() < min(deadline, began + MOST * patience):
        server = running(state)
        if server is None:
            return None
        status = status_of(server.url, path)
        if status == OK:
            return server if answers(server.bulk, path) else replace(server, bulk=server.url)
        used = processor_seconds(server.pid)
        told = told if status is None else status
        if told is None and seen + patience * PROGRESS < used < patience:
            deadline, seen = max(deadline, time.monotonic() + patience / 3), used
        time.sleep(0.2)
    waited = time.monotonic() - began
    words = "does not answer" if told is None else f"answers with the status {told}, and is not up"
    raise ServerError(
        f"the server {words} after {waited:.0f} s:\n{tail(log)}",
        hint="end it with `curate server stop`, then start it again",
    )


def end(state: Path, *, patience: float = 10) -> bool:
    """End the server that holds the state file, first by SIGTERM; return whether one ran.

    SIGKILL follows after `patience` seconds. Raises ServerError if that does not end it either.
    """
    server = running(state)
    if server is None:
        return False
    for stop_signal in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):  # it ends by itself
            os.kill(server.pid, stop_signal)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if running(state) is None:
                return True
            time.sleep(0.05)
    raise ServerError(f"process {server.pid} cannot be ended", hint=f"end it by hand: {server.url}")


def remove(root: Path, state: Path) -> None:
    """End the server that holds the state file, and remove its folder: all of it or nothing."""
    if not root.exists():
        return
    with held(root / ".starting"):
        end(state)
        removed = root.with_name(f".{root.name}.removed")
        shutil.rmtree(removed, ignore_errors=True)
        root.rename(removed)
    shutil.rmtree(removed)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log; "" if there is no log."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])
