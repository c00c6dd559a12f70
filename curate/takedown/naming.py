"""Which documents a request names, with their copies and near-duplicates."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from curate.errors import DataError, RecipeError
from curate.takedown import listed
from curate.workspace import Workspace


@dataclass(frozen=True)
class Found:
    """A document that a request names, or that is the same but for little; no text."""

    id: str
    source: str
    origin: str
    why: str


def read_ids(path: Path) -> list[str]:
    """Return the ids of a file: one a line, or a JSON object with `id` a line."""
    if not path.is_file():
        raise DataError(f"no file {path}", hint="give a file with one id a line")
    found = []
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        word = line.strip()
        if word.startswith("{"):
            try:
                word = str(json.loads(word)["id"])
            except (ValueError, KeyError):
                raise DataError(f"{path.name}, line {number}: no id") from None
        if word and not _is_id(word):
            raise DataError(
                f"{path.name}, line {number}: not an id", hint="an id is 32 hexadecimal digits"
            )
        found += [word] if word else []
    return found


def _is_id(word: str) -> bool:
    return len(word) == 32 and not set(word) - set("0123456789abcdef")


def find(
    workspace: Workspace,
    *,
    ids: Path | None = None,
    domain: str | None = None,
    url: str | None = None,
) -> list[str]:
    """Return the ids that a request names, in the order of the pool; one way at a time.

    Addresses are `origin` and those of `removals.addresses`, of documents and of their copies.
    """
    if sum(map(bool, (ids, domain, url))) != 1:  # an empty prefix would name everything
        raise RecipeError("remove: give one of --ids, --domain and --url")
    if ids is not None:
        return list(dict.fromkeys(read_ids(ids)))
    test = _at_domain(domain) if domain is not None else _below(str(url))
    named = (row["id"] for row, known in _addressed(workspace) if any(map(test, known)))
    return list(dict.fromkeys(named))


def _addressed(workspace: Workspace) -> Iterator[tuple[Mapping[str, Any], Iterable[str]]]:
    """Yield every document and every copy, with the addresses that it came from."""
    for row in _pool(workspace):
        yield row, (row["origin"], *listed.addresses(row))
    for row in workspace.tables.read("duplicates").to_pylist():
        yield row, (row["origin"], *row["addresses"])


def _at_domain(domain: str) -> Callable[[str], bool]:
    name = _host(domain)

    def test(address: str) -> bool:
        host = _host(address)
        return host == name or host.endswith(f".{name}")

    return test if name else lambda address: False


def _host(address: str) -> str:
    """Return the host of an address, as the name system knows it; empty if it has none."""
    try:
        name = urlsplit(address if "//" in address else f"//{address}").hostname or ""
        return name.strip(".").encode("idna").decode()
    except ValueError:  # no address, or one that nobody could ask for
        return ""


def _below(prefix: str) -> Callable[[str], bool]:
    host, slash, path = _plain(prefix)

    def test(address: str) -> bool:
        there, _, rest = _plain(address)
        return there == host and rest.startswith(path) if slash else there.startswith(host)

    return test


def _plain(address: str) -> tuple[str, str, str]:
    """Return host, slash and path of an address, whatever its scheme and the case of its host."""
    host, slash, path = address.split("://", 1)[-1].partition("/")
    return host.lower(), slash, path


def cluster(workspace: Workspace, ids: Iterable[str]) -> list[Found]:
    """Return what a request takes with it: the documents, then those nearly the same.

    Exact copies are the same document; near ones are all that hang together by `duplicate_of`.
    """
    asked = set(ids)
    linked = _linked(workspace, asked)
    rows = {row["id"]: row for row in _pool(workspace) if row["id"] in linked}
    found = [
        Found(id, row["source"], row["origin"], "asked") for id, row in rows.items() if id in asked
    ]
    near = [
        Found(id, r["source"], r["origin"], "near_duplicate")
        for id, r in rows.items()
        if id not in asked
    ]
    copies = [
        Found(row["id"], row["source"], row["origin"], "copy")
        for row in workspace.tables.read("duplicates").to_pylist()
        if row["id"] in linked
    ]
    return [*found, *copies, *near]


def knows_near(workspace: Workspace) -> bool:
    """Whether `clean` has looked for near-duplicates, so that they can be told."""
    if workspace.tables.stored("clean") is None:
        return False
    settings = workspace.tables.made("clean").spec
    return any(settings.get(name) is not None for name in ("near_duplicates", "semantic"))


def _linked(workspace: Workspace, asked: set[str]) -> set[str]:
    """Return everything that hangs together with what was asked, by `duplicate_of`."""
    if workspace.tables.stored("clean") is None:
        return set(asked)
    edges: dict[str, set[str]] = defaultdict(set)
    for row in workspace.tables.read("clean", ["id", "duplicate_of"]).to_pylist():
        if row["duplicate_of"]:
            edges[row["id"]].add(row["duplicate_of"])
            edges[row["duplicate_of"]].add(row["id"])
    linked, todo = set(asked), list(asked)
    while todo:
        news = edges[todo.pop()] - linked
        linked |= news
        todo += news
    return linked


def _pool(workspace: Workspace) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    for path in workspace.tables.shards("pool"):
        columns = ["id", "source", "origin", "meta", "media"]
        yield from pq.read_table(path, columns=columns).to_pylist()
