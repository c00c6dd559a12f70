"""What was taken down: a list of hashes that only grows, and that nothing may bring back.

`removed.jsonl` holds one line a document: its id (a hash of the content), the reason and the date;
never a text. `removals/` holds what each request found and did.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

NAME = "removed.jsonl"
_ADDRESS = ("url", "uri", "link", "address", "href")


def removed(root: Path) -> frozenset[str]:
    """Return the ids of everything that was taken down in a workspace."""
    return frozenset(str(row["hash"]) for row in _lines(root / NAME))


def add(root: Path, ids: Iterable[str], reason: str, at: str) -> int:
    """Append what is not there yet, and see that it is on disk; return how many were new."""
    known = removed(root)
    rows = [{"hash": id, "reason": reason, "at": at} for id in sorted(set(ids) - known)]
    path = root / NAME
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # cut short by a kill
                file.write(b"\n")
        file.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
        file.flush()
        os.fsync(file.fileno())
    return len(rows)


def addresses(row: Mapping[str, Any]) -> list[str]:
    """Return where on the web a row of the pool came from: a request may name it by that.

    That is what `meta`, at any depth, calls url, uri, link, address or href, and where its images
    lie.
    """
    stored = (json.loads(row[name] or "null") for name in ("meta", "media"))
    return [address for value in stored for address in _addresses(value, named=False)]


def _addresses(value: Any, *, named: bool) -> Iterator[str]:
    if isinstance(value, str):
        yield from [value] if named else []
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _addresses(each, named=any(word in key.lower() for word in _ADDRESS))
    elif isinstance(value, list):
        for each in value:
            yield from _addresses(each, named=named)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    for line in path.read_bytes().split(b"\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue  # empty, or cut short by a kill: the request that wrote it is made again
        if isinstance(row, dict) and "hash" in row:
            yield row
