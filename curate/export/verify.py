"""Check an export against its manifest; nothing is trusted but the files themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from curate import storage, tokens
from curate.errors import DataError
from curate.export.documents import content_line
from curate.export.formats import read_shard
from curate.takedown.listed import removed
from curate.text import TEXT, content_id

UNREADABLE = (OSError, ValueError, KeyError, TypeError)
"""The errors that a damaged file may raise; Arrow's are subclasses of these."""


@dataclass(frozen=True)
class VerifyResult:
    """What was checked, and everything that is wrong."""

    folder: str
    files: int
    documents: int
    tokens: int
    problems: tuple[str, ...]


@dataclass
class _Tally:
    """What the shards read so far hold, by group and by id; `removed` are ids taken down."""

    documents: Counter[str]
    tokens: Counter[str]
    copies: dict[str, list[int]]
    content: Any
    removed: frozenset[str]


def verify(folder: Path) -> VerifyResult:
    """Read every shard again: sums, counts, ids, groups, copies, and what was taken down.

    Raises DataError where there is no manifest.
    """
    hint = "it is no export, or not a whole one"
    try:
        manifest = storage.read_json(folder / "manifest.json")
    except ValueError as error:
        raise DataError(f"{folder}/manifest.json cannot be read: {error}", hint=hint) from None
    if manifest is None:
        raise DataError(f"{folder} has no manifest.json", hint=hint)
    problems = list(_sums(folder))
    name = manifest["tokenizer"]
    count = tokens.counter(str(folder / name) if name.endswith(".json") else name)
    tally = _Tally(
        Counter(), Counter(), defaultdict(list), sha256(), removed(folder.absolute().parent)
    )
    for entry in manifest["files"]:
        try:
            problems += _file(folder / entry["path"], entry, count, tally)
        except UNREADABLE as error:
            problems.append(f"{entry['path']} cannot be read: {error!r}")
    if tally.content.hexdigest() != manifest["content_sha256"]:
        problems.append("content_sha256 is not that of the documents")
    draw: list[dict[str, Any]] = []
    try:
        columns = ("id", "group", "tokens", "copies")
        draw += [
            {name: row[name] for name in columns} for row in read_table(folder / "draw.parquet")
        ]
    except UNREADABLE as error:
        problems.append(f"draw.parquet cannot be read: {error!r}")
    problems += _groups(manifest, tally, draw)
    problems += _copies(manifest, tally, draw)
    return VerifyResult(
        folder=str(folder),
        files=len(manifest["files"]),
        documents=tally.documents.total(),
        tokens=tally.tokens.total(),
        problems=tuple(problems),
    )


def _sums(folder: Path) -> Iterator[str]:
    listed = {}
    sums = folder / "SHA256SUMS"
    if not sums.is_file():
        yield "SHA256SUMS is missing"
        return
    for line in sums.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    present = {path.name for path in folder.iterdir()} - {"SHA256SUMS", "manifest.json"}
    yield from (f"{name} is missing" for name in sorted(listed.keys() - present))
    yield from (f"{name} is not in SHA256SUMS" for name in sorted(present - listed.keys()))
    for name in sorted(present & listed.keys()):
        if storage.sha256_of(folder / name) != listed[name]:
            yield f"{name} is not the file that SHA256SUMS names"


def _file(path: Path, entry: dict[str, Any], count: tokens.Counter, tally: _Tally) -> list[str]:
    if not path.is_file():
        return [f"{entry['path']} is missing"]
    problems = []
    documents = total = 0
    if storage.sha256_of(path) != entry["sha256"]:
        problems.append(f"{entry['path']} is not the file that the manifest names")
    for document in read_shard(path):
        size = count(document["text"])
        documents, total = documents + 1, total + size
        tally.documents[document["group"]] += 1
        tally.tokens[document["group"]] += size
        tally.copies[document["id"]].append(document["copy"])
        tally.content.update(content_line(document))
        if document["id"] in tally.removed:
            problems.append(f"{path.name} holds {document['id']}, which was taken down")
        if not document.get("edited"):
            fields = document.get("fields") or {TEXT: document["text"]}
            if content_id(fields) != document["id"]:
                problems.append(f"{document['id']}: the text is not that of its id")
    for name, actual in (("documents", documents), ("tokens", total)):
        if actual != entry[name]:
            problems.append(f"{entry['path']} holds {actual} {name}, not {entry[name]}")
    return problems


def read_table(path: Path) -> list[dict[str, Any]]:
    """The rows of one Parquet file."""
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def _groups(manifest: dict[str, Any], tally: _Tally, draw: list[dict[str, Any]]) -> Iterator[str]:
    # Of all candidates, drawn or not: the document that no longer fitted may be the largest.
    largest: dict[str, int] = defaultdict(int)
    for row in draw:
        largest[row["group"]] = max(largest[row["group"]], row["tokens"])
    total = tally.tokens.total()
    names = {group["group"] for group in manifest["groups"]}
    yield from (f"{name} is no group of the manifest" for name in tally.tokens.keys() - names)
    for group in manifest["groups"]:
        name = group["group"]
        for unit, counts in (("tokens", tally.tokens), ("documents", tally.documents)):
            if counts[name] != group[unit]:
                yield f"{name} has {counts[name]} {unit}, not {group[unit]}"
        if abs(tally.tokens[name] / max(1, total) - group["realised"]) > 1e-9:
            yield f"{name}: realised is not its share of the tokens"
        missed = abs(tally.tokens[name] - group["promised"] * manifest["budget"])
        if missed > largest[name] + 1:
            yield f"{name} is {missed:.0f} tokens from what was promised: more than one document"


def _copies(manifest: dict[str, Any], tally: _Tally, draw: list[dict[str, Any]]) -> Iterator[str]:
    for id, numbers in tally.copies.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            yield f"{id} has the copies {sorted(numbers)}"
        if len(numbers) > manifest["max_epochs"]:
            yield f"{id} stands {len(numbers)} times, more than {manifest['max_epochs']} epochs"
    drawn = {row["id"]: row["copies"] for row in draw if row["copies"]}
    if drawn != {id: len(numbers) for id, numbers in tally.copies.items()}:
        yield "the documents are not those of draw.parquet"
