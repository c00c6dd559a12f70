"""Exports edited after they were made: `verify` tells each of them, and ends."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.attack.finished import command, copied, finished

VALUES: tuple[Any, ...] = (None, True, -1, 1e308, "x", [], {}, [[[]]], 10**400)


def tries(folder: Path) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """Yield a try for every key of the manifest, every file, and lines of every shape."""
    yield from tries_of(finished(folder) / "export", folder)


def tries_of(export: Path, folder: Path) -> Iterator[tuple[str, Callable[[], str | None]]]:
    """Yield the tries of an export that is there."""
    place = folder / "tampered"
    for label, edit in (*_of_manifest(export), *_of_files(export), *_of_lines(export)):
        yield label, partial(_hold, export, place, edit)


def _hold(export: Path, place: Path, edit: Callable[[Path], None]) -> str | None:
    edit(copied(export, place))
    code, said = command("verify", place)
    if code == 0:
        return "nothing was told"
    return said if code == 99 else None


Edit = tuple[str, Callable[[Path], None]]


def _of_manifest(export: Path) -> Iterator[Edit]:
    manifest = json.loads((export / "manifest.json").read_bytes())
    for whole in ([], {}, 7, "x", None):
        yield f"manifest {whole!r}", partial(_write, whole)
    for keys in (
        *((key,) for key in manifest),
        *(
            (name, 0, key)
            for name in ("groups", "files", "labels")
            for key in (manifest[name] or [{}])[0]
        ),
        *((name, key) for name in ("validation", "made_of") for key in manifest.get(name) or {}),
    ):
        for value in VALUES:
            changed = json.loads(json.dumps(manifest))
            place = changed
            for key in keys[:-1]:
                place = place[key]
            if place[keys[-1]] != value:
                place[keys[-1]] = value
                label = ".".join(map(str, keys))
                yield f"manifest {label} = {str(value)[:9]}", partial(_write, changed)


def _write(value: Any, folder: Path) -> None:
    (folder / "manifest.json").write_text(json.dumps(value), encoding="utf-8")


def _of_files(export: Path) -> Iterator[Edit]:
    names = [path.relative_to(export) for path in sorted(export.rglob("*")) if path.is_file()]
    for name in names:
        yield f"{name} gone", partial(_unlink, name)
        yield f"{name} a pipe", partial(_pipe, name)
        yield f"{name} a link", partial(_link, name, export / name)
        yield f"{name} a device", partial(_link, name, Path("/dev/zero"))
        yield f"{name} one byte more", partial(_append, name, b" ")
        yield f"{name} empty", partial(_rewrite, name, lambda data: b"")
        yield f"{name} cut", partial(_rewrite, name, lambda data: data[:-1])
        yield f"{name} twice", partial(_rewrite, name, lambda data: data * 2)
        yield f"{name} a folder", partial(_folder, name)
        yield f"{name} under another name", partial(_rename, name)
        yield (
            f"{name} with Windows line ends",
            partial(_rewrite, name, lambda data: data.replace(b"\n", b"\r\n") or b"\r\n"),
        )
    yield "a new file in a new folder", partial(_append, Path("more/new.jsonl"), b"{}\n")
    yield "a hidden file", partial(_append, Path(".new"), b"{}\n")
    yield "a file with line ends in its name", partial(_append, Path("a\nb"), b"x")
    yield "a file whose name is no UTF-8", partial(_append, Path("caf\udce9"), b"x")
    yield "a new file", partial(_append, Path("new.jsonl"), b"{}\n")
    yield "a new pipe", partial(_pipe, Path("new.jsonl"))
    yield "a socket", partial(_socket, Path("new.jsonl"))
    for name in names:
        yield f"{name} in capitals", partial(_recase, name)
        yield f"{name} under two names", partial(_double, name)
        yield f"{name} a terabyte of nothing", partial(_grow, name)


def _of_lines(export: Path) -> Iterator[Edit]:
    shard = next(path.relative_to(export) for path in sorted(export.glob("*.jsonl*")))
    for label, edit in LINES.items():
        yield f"{shard} {label}", partial(_rewrite, shard, edit)
    for label, edit in SUMS.items():
        yield f"SHA256SUMS {label}", partial(_rewrite, Path("SHA256SUMS"), edit)
    for line in (b"7\n", b"[]\n", b"{}\n", b"null\n", b"[" * 50_000 + b"\n", b"\xff\n"):
        yield f"{shard} with the line {line[:9]!r}", partial(_append, shard, line)
        yield f"SHA256SUMS with the line {line[:9]!r}", partial(_append, Path("SHA256SUMS"), line)


LINES: dict[str, Callable[[bytes], bytes]] = {
    "with two lines exchanged": lambda data: b"".join(
        [*data.splitlines(True)[1::-1], *data.splitlines(True)[2:]]
    ),
    "with a line twice": lambda data: data + data.splitlines(True)[0],
    "without a line": lambda data: b"".join(data.splitlines(True)[1:]),
    "with a key twice": lambda data: data.replace(b'{"id"', b'{"id": "x", "id"', 1),
    "with another text": lambda data: data.replace(b"the", b"teh", 1),
    "with NaN": lambda data: data.replace(b'"copy": 1', b'"copy": NaN', 1),
    "with a mark of UTF-8": lambda data: b"\xef\xbb\xbf" + data,
    "in UTF-16": lambda data: data.decode().encode("utf-16"),
}
"""Edits of the lines of a shard, each of which changes it."""

SUMS: dict[str, Callable[[bytes], bytes]] = {
    "in capitals": lambda data: data.upper(),
    "with one space": lambda data: data.replace(b"  ", b" "),
    "with a path upwards": lambda data: data + b"0" * 64 + b"  ../recipe.yaml\n",
    "with a whole path": lambda data: data + b"0" * 64 + b"  /etc/hostname\n",
    "with a NUL in a name": lambda data: data + b"0" * 64 + b"  a\0b\n",
    "with a long name": lambda data: data + b"0" * 64 + b"  " + b"x" * 5000 + b"\n",
    "with a line twice": lambda data: data + data.splitlines(True)[0],
    "naming itself": lambda data: data + b"0" * 64 + b"  SHA256SUMS\n",
    "in UTF-16": lambda data: data.decode().encode("utf-16"),
}


def _rewrite(name: Path, edit: Callable[[bytes], bytes], folder: Path) -> None:
    before = (folder / name).read_bytes()
    after = edit(before)
    if after == before:  # nothing of that kind is in the file
        after += b"\n"
    (folder / name).write_bytes(after)


def _folder(name: Path, folder: Path) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()


def _rename(name: Path, folder: Path) -> None:
    (folder / name).rename(folder / f"{name}.old")


def _unlink(name: Path, folder: Path) -> None:
    (folder / name).unlink()


def _pipe(name: Path, folder: Path) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)


def _socket(name: Path, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(folder / name))


def _recase(name: Path, folder: Path) -> None:
    (folder / name).rename(folder / name.with_name(name.name.swapcase()))


def _double(name: Path, folder: Path) -> None:
    os.link(folder / name, folder / name.with_name(name.name.swapcase()))


def _grow(name: Path, folder: Path) -> None:
    os.truncate(folder / name, 1 << 40)


def _link(name: Path, target: Path, folder: Path) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to(target)


def _append(name: Path, data: bytes, folder: Path) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    with (folder / name).open("ab") as file:
        file.write(data)
