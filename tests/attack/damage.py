"""Damaged files of a finished workspace: every command says so in one line, or does its work."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.attack.finished import command, copied, finished

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda whole: whole[: len(whole) // 2],
    "empty": lambda whole: b"",
    "list": lambda whole: b"[]",
    "object": lambda whole: b"{}",
    "number": lambda whole: b"7",
    "bytes": lambda whole: random.Random(len(whole)).randbytes(500),
    "null": lambda whole: b"null",
    "nested": lambda whole: b"[" * 100_000,
    "junk": lambda whole: b'{"a": [{"b": [[], {}, null, 1e999]}], "": {"": 7}}',
    "twice": lambda whole: whole * 2,
    "mark": lambda whole: b"\xef\xbb\xbf" + whole,
    "zeros": lambda whole: bytes(len(whole)),
}
OTHERS = ("gone", "folder", "link", "pipe", "socket")
"""What may stand in the place of a file, or nothing at all."""
COMMANDS = {
    "json": (("status",), ("round", "list"), ("pull",), ("card",)),
    "jsonl": (("status",), ("pull",)),
    "parquet": (("status",), ("labels",), ("pull",), ("mix",)),
    "npy": (("status",), ("trace",)),
    "xml": (("status",), ("pull",)),
    "md": (("status",), ("pull",)),
    "yaml": (("status",),),
}
"""The commands that read files of a kind."""


def tries(folder: Path) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """Yield a try for every file of a workspace and every damage, and one for its removal."""
    root = finished(folder)
    yield from tries_of(root, folder)


def tries_of(root: Path, folder: Path) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """Yield the tries of a workspace that is there."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if not path.is_file() or name.parts[0] in ("data", ".building", "export", ".lock"):
            continue
        is_json = path.suffix in (".json", ".jsonl")
        for damage in (*(DAMAGES if is_json else ("cut", "empty", "bytes", "zeros")), *OTHERS):
            yield f"{name} {damage}", partial(_hold, root, folder / "damaged", name, damage)


def _hold(root: Path, place: Path, name: Path, damage: str) -> str | None:
    """What went wrong; a command may fail, but in words."""
    path = copied(root, place) / name
    if damage in DAMAGES:
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    else:
        path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage == "link":
        path.symlink_to(path.with_name("nowhere"))
    elif damage == "pipe":
        os.mkfifo(path)
    elif damage == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.relpath(path))  # a path of few characters
    for arguments in COMMANDS.get(name.suffix[1:], (("status",),)):
        code, said = command(*arguments, "-w", place)
        if code == 99:
            return f"`{' '.join(arguments)}`: {said}"
        if code not in (0, 3) and "error: " not in said:
            return f"`{' '.join(arguments)}` failed without a word"
    return None
