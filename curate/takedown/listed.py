"""The list of documents that were taken down. It only grows, and nothing brings them back.

`removed.jsonl` holds one line a document: its id (a hash of the content), the reason and the date;
never a text. `removals/` holds a record of each request.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from curate.storage import regular
from curate.takedown.addresses import ADDRESS, addresses_in, is_named

__all__ = ["ADDRESS", "add", "addresses", "all_addresses", "beginning", "removed"]

NAME = "removed.jsonl"


def removed(root: Path) -> frozenset[str]:
    """The ids of all documents that were taken down in a workspace."""
    return frozenset(str(row["hash"]) for row in _lines(root / NAME))


def beginning(root: Path, prefix: str) -> list[dict[str, Any]]:
    """What the list says of each document that was taken down and whose id begins with `prefix`.

    An entry has `hash` (the id), `reason` and `at`.
    """
    return [row for row in _lines(root / NAME) if str(row["hash"]).startswith(prefix)]


def add(root: Path, ids: Iterable[str], reason: str, at: str) -> int:
    """Append the ids that are not listed yet, synced to disk; return how many were new."""
    listed_ids = removed(root)
    rows = [{"hash": id, "reason": reason, "at": at} for id in sorted(set(ids) - listed_ids)]
    path = regular(root / NAME)
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # a kill cut the last line short
                file.write(b"\n")
        file.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
        file.flush()
        os.fsync(file.fileno())
    return len(rows)


def addresses(row: Mapping[str, Any]) -> list[str]:
    """The web addresses of a row of the pool: where it comes from.

    They are the values in `meta`, at any depth, whose key contains url, uri, link, address or
    href, and the addresses of its images.
    """
    meta = json.loads(row["meta"] or "null")
    images = (image["address"] for image in row["media"] or ())
    return [*_addresses(meta, named=False), *images]


def all_addresses(row: Mapping[str, Any]) -> list[str]:
    """All addresses of a row of the pool, by which a request may name it.

    They are its `addresses`, the values that are addresses under any other key, and those in JSON
    within a text.
    """
    return list(dict.fromkeys([*addresses(row), *addresses_in(json.loads(row["meta"] or "null"))]))


def _addresses(value: Any, *, named: bool) -> Iterator[str]:
    if isinstance(value, str):
        yield from [value] if named else []
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _addresses(item, named=is_named(key))
    elif isinstance(value, list):
        for item in value:
            yield from _addresses(item, named=named)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    for line in regular(path).read_bytes().split(b"\n"):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue  # empty, or cut short by a kill: that request must be run again
        if isinstance(row, dict) and "hash" in row:
            yield row
