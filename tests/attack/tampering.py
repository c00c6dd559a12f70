"""Exports edited after they were made: `verify` tells each of them, and ends."""

from __future__ import annotations

import json
import os
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
        *(("groups", 0, key) for key in manifest["groups"][0]),
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
    yield "a new file", partial(_append, Path("new.jsonl"), b"{}\n")
    yield "a new pipe", partial(_pipe, Path("new.jsonl"))


def _of_lines(export: Path) -> Iterator[Edit]:
    shard = next(path.relative_to(export) for path in sorted(export.glob("*.jsonl*")))
    for line in (b"7\n", b"[]\n", b"{}\n", b"null\n", b"[" * 50_000 + b"\n", b"\xff\n"):
        yield f"{shard} with the line {line[:9]!r}", partial(_append, shard, line)
        yield f"SHA256SUMS with the line {line[:9]!r}", partial(_append, Path("SHA256SUMS"), line)


def _unlink(name: Path, folder: Path) -> None:
    (folder / name).unlink()


def _pipe(name: Path, folder: Path) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)


def _link(name: Path, target: Path, folder: Path) -> None:
    (folder / name).unlink()
    (folder / name).symlink_to(target)


def _append(name: Path, data: bytes, folder: Path) -> None:
    with (folder / name).open("ab") as file:
        file.write(data)
