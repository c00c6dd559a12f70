"""Find the document that a person names: by its id, or by a beginning that only one id has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.errors import MissingInput, RecipeError
from curate.storage import read_parquet
from curate.takedown.listed import beginning
from curate.workspace import Workspace, index

if TYPE_CHECKING:
    from numpy.typing import NDArray

LISTED = 5
"""The most ids that a hint names."""


@dataclass(frozen=True)
class Named:
    """A document by its id: the number of its shard and its row there.

    Both are None for a document that was taken down; `removed` is then its entry in the list.
    """

    id: str
    shard: int | None = None
    row: int | None = None
    removed: dict[str, Any] | None = None


def name(workspace: Workspace, word: str) -> Named:
    """The document whose id is `word`, or the only one whose id begins with it.

    A document that was taken down is found too. Raises MissingInput for an unknown id, with the
    nearest ones, and RecipeError for a beginning that several ids have.
    """
    workspace.tables.require("pool")
    if not word.strip():
        raise RecipeError("trace: give an id, or its beginning")
    removed = [Named(str(row["hash"]), removed=row) for row in beginning(workspace.root, word)]
    matches = {own.id: own for own in (*removed, *_beginning(workspace, word))}
    if word in matches:
        return matches[word]
    if len(matches) > 1:
        raise RecipeError(f"several ids begin with {word}", hint=_several(sorted(matches)))
    if not matches:
        raise MissingInput(f"no document {word} in the pool", hint=_nearest(workspace, word))
    return next(iter(matches.values()))


def _beginning(workspace: Workspace, word: str) -> Iterator[Named]:
    """Yield the documents of the pool whose ids begin with `word`, as many as a hint needs."""
    most = 0
    for number, shard in enumerate(workspace.tables.shards("pool")):
        clean = _clean(workspace, shard)
        rows = None if clean is None else index.find_beginning(clean, word)
        for row, id in _ids(shard, rows):
            if id.startswith(word):
                yield Named(id, number, row)
                most += 1
        if most > LISTED:
            return


def _clean(workspace: Workspace, shard: Path) -> Path | None:
    """The shard of `clean` whose index tells the rows of a shard of the pool; None without one."""
    if workspace.tables.stored("clean") is None or workspace.freshness.outdated("clean"):
        return None
    return workspace.tables.folder("clean") / shard.name


def _ids(shard: Path, rows: NDArray[Any] | None) -> Iterator[tuple[int, str]]:
    """Yield rows of a shard of the pool, all without `rows`, with their ids."""
    if rows is not None and not len(rows):
        return
    ids = read_parquet(shard, ["id"])["id"]
    own = range(len(ids)) if rows is None else rows.tolist()
    yield from ((row, ids[row].as_py()) for row in own)


def _several(ids: list[str]) -> str:
    more = " and more" if len(ids) > LISTED else ""
    return f"give more of it: {', '.join(ids[:LISTED])}{more}"


def _nearest(workspace: Workspace, word: str) -> str:
    """A hint with the ids that have the longest beginning in common with `word`."""
    near = sorted(
        set(_neighbours(workspace, word)),
        key=lambda id: (-_in_common(id, word), id),
    )
    return f"the nearest ids: {', '.join(near[:LISTED])}" if near else "the pool is empty"


def _in_common(one: str, other: str) -> int:
    """The number of characters that two ids begin with alike."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _neighbours(workspace: Workspace, word: str) -> Iterator[str]:
    for shard in workspace.tables.shards("pool"):
        clean = _clean(workspace, shard)
        if clean is not None:
            yield from (id for _, id in _ids(shard, index.find_nearest(clean, word)))
            continue
        ids = read_parquet(shard, ["id"])["id"].to_pylist()
        yield max(ids, key=lambda id: _in_common(id, word))
