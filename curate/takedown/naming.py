"""Find the documents that a request names, with their copies and near-duplicates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from curate.errors import DataError, RecipeError
from curate.storage import read_parquet
from curate.takedown import listed
from curate.takedown.addresses import forms, plain
from curate.workspace import Workspace


@dataclass(frozen=True)
class NamedDocument:
    """A document that a request takes down, without its text.

    `why` is `asked`, `copy` or `near_duplicate`.
    """

    id: str
    source: str
    origin: str
    why: str


def read_ids(path: Path) -> list[str]:
    """Read the ids in a file; a line is an id, or a JSON object with `id`.

    Raises DataError for a missing file or an invalid line.
    """
    if not path.is_file():
        raise DataError(f"no file {path}", hint="give a file with one id a line")
    ids = []
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        word = line.strip()
        if word.startswith("{"):
            try:
                word = str(json.loads(word)["id"])
            except (ValueError, RecursionError, KeyError):
                raise DataError(f"{path.name}, line {number}: no id") from None
        if word and not _is_id(word):
            raise DataError(
                f"{path.name}, line {number}: not an id", hint="an id is 32 hexadecimal digits"
            )
        ids += [word] if word else []
    return ids


def _is_id(word: str) -> bool:
    return len(word) == 32 and not set(word) - set("0123456789abcdef")


def find(
    workspace: Workspace,
    *,
    ids: Path | None = None,
    domain: str | None = None,
    url: str | None = None,
) -> list[str]:
    """The ids that a request names, in the order of the pool.

    It names them by a file of ids, by the domain of an address, or by the start of an address.
    Addresses are `origin` and those of `listed.all_addresses`, of documents and of their copies,
    with the addresses that they are a copy of.
    Raises RecipeError unless exactly one way is used.
    """
    if sum(map(bool, (ids, domain, url))) != 1:  # an empty prefix would match everything
        raise RecipeError("remove: give one of --ids, --domain and --url")
    if ids is not None:
        return list(dict.fromkeys(read_ids(ids)))
    test = _at_domain(domain) if domain is not None else _below(str(url))
    matches = (
        row["id"]
        for row, addresses in _with_addresses(workspace)
        if any(test(form) for address in addresses for form in forms(address))
    )
    return list(dict.fromkeys(matches))


def _with_addresses(workspace: Workspace) -> Iterator[tuple[Mapping[str, Any], Iterable[str]]]:
    """Yield every document and every copy, with the addresses that it came from."""
    for row in _pool(workspace):
        yield row, (row["origin"], *listed.all_addresses(row))
    for row in _copies(workspace):
        yield row, (row["origin"], *row["addresses"])


def _at_domain(domain: str) -> Callable[[str], bool]:
    name = _host(plain(domain))

    def test(address: str) -> bool:
        host = _host(address)
        return host == name or host.endswith(f".{name}")

    return test if name else lambda address: False


def _host(address: str) -> str:
    """The host of an address in its IDNA form; empty if it has none."""
    try:
        name = urlsplit(address if "//" in address else f"//{address}").hostname or ""
        return name.strip(".").encode("idna").decode()
    except ValueError:  # not an address, or not a valid host
        return ""


def _below(prefix: str) -> Callable[[str], bool]:
    prefix_host, slash, prefix_path = _split(plain(prefix))

    def test(address: str) -> bool:
        host, _, path = _split(address)
        if slash:
            return host == prefix_host and path.startswith(prefix_path)
        return host.startswith(prefix_host)

    return test


def _split(address: str) -> tuple[str, str, str]:
    """The host in lower case, the slash and the path of an address, without its scheme."""
    host, slash, path = address.split("://", 1)[-1].partition("/")
    return host.lower(), slash, path


def cluster(workspace: Workspace, ids: Iterable[str]) -> list[NamedDocument]:
    """The documents that go with a request: those asked, then their copies, then near-duplicates.

    A copy has the id of its document. Near-duplicates are connected by `duplicate_of`.
    """
    asked_ids = set(ids)
    connected_ids = _connected(workspace, asked_ids)
    rows = {row["id"]: row for row in _pool(workspace) if row["id"] in connected_ids}
    asked = [
        NamedDocument(id, row["source"], row["origin"], "asked")
        for id, row in rows.items()
        if id in asked_ids
    ]
    near = [
        NamedDocument(id, row["source"], row["origin"], "near_duplicate")
        for id, row in rows.items()
        if id not in asked_ids
    ]
    copies = [
        NamedDocument(row["id"], row["source"], row["origin"], "copy")
        for row in _copies(workspace)
        if row["id"] in connected_ids
    ]
    return [*asked, *copies, *near]


def knows_near(workspace: Workspace) -> bool:
    """Whether `clean` has looked for near-duplicates."""
    if workspace.tables.stored("clean") is None:
        return False
    settings = workspace.tables.made("clean").spec
    return any(settings.get(name) is not None for name in ("near_duplicates", "semantic"))


def _connected(workspace: Workspace, ids: set[str]) -> set[str]:
    """The documents and all that are connected with them by `duplicate_of`."""
    if workspace.tables.stored("clean") is None:
        return set(ids)
    connected, newest = set(ids), set(ids)
    while newest:
        newest = _neighbours(workspace, newest) - connected
        connected |= newest
    return connected


def _neighbours(workspace: Workspace, ids: set[str]) -> set[str]:
    """The documents that some documents are near-duplicates of, and their own near-duplicates."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted(ids), pa.string())
    neighbours: set[str] = set()
    for path in workspace.tables.shards("clean"):
        pairs = read_parquet(path, columns=["id", "duplicate_of"])
        pairs = pairs.filter(pc.is_valid(pairs["duplicate_of"]))
        for one, other in (("id", "duplicate_of"), ("duplicate_of", "id")):
            neighbours.update(pairs[other].filter(pc.is_in(pairs[one], wanted)).to_pylist())
    return neighbours


def _copies(workspace: Workspace) -> Iterator[dict[str, Any]]:
    """Yield the exact copies, a part of them in memory at a time."""
    import pyarrow.parquet as pq

    workspace.tables.require("duplicates")
    with pq.ParquetFile(workspace.tables.folder("duplicates")) as file:
        for batch in file.iter_batches():
            yield from batch.to_pylist()


def _pool(workspace: Workspace) -> Iterator[dict[str, Any]]:

    for path in workspace.tables.shards("pool"):
        columns = ["id", "source", "origin", "meta", "media"]
        yield from read_parquet(path, columns=columns).to_pylist()
