"""The documents that have labels: where they stand, what they read, of which groups they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from curate import chance
from curate.engine import in_order
from curate.media import Medium
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard
from curate.workspace.index import find_rows, keys_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UNKNOWN = "unknown"
"""The group of a document without a value."""

BACKGROUND = 3_000
"""Texts of the corpus that say how rare n-grams are."""

GROUPS = ("source", "language", "license")
"""The columns that documents can be grouped by."""


@dataclass(frozen=True)
class Labelled:
    """The kept documents with labels that are not held out, in pool order.

    Each stands in a shard (by its place) at a row among the kept ones. `groups` holds its value of
    each column in GROUPS. `held_out` are the ids of labelled documents in the holdout, `background`
    texts of the corpus drawn by hash. `media` are those of each document.
    """

    ids: tuple[str, ...]
    shards: NDArray[np.int64]
    rows: NDArray[np.int64]
    texts: tuple[str, ...]
    groups: Mapping[str, NDArray[np.str_]]
    held_out: frozenset[str] = field(default_factory=frozenset)
    background: tuple[str, ...] = ()
    media: tuple[tuple[Medium, ...], ...] = ()

    def row_of(self) -> dict[str, int]:
        """The place of each document among these, by its id."""
        return {id: row for row, id in enumerate(self.ids)}

    def in_shard(self, place: int) -> NDArray[np.int64]:
        """Which of these stand in a shard."""
        import numpy as np

        return np.flatnonzero(self.shards == place)


def find_labelled(workspace: Workspace, ids: Iterable[str]) -> Labelled:
    """Look up documents by id, and texts of the corpus; `clean` has dropped none of them."""
    return replace(look_up(workspace, ids), background=read_background(workspace))


def look_up(workspace: Workspace, ids: Iterable[str]) -> Labelled:
    """Look up documents by id; those that `clean` has dropped are left out."""
    import numpy as np
    import pyarrow as pa

    wanted = set(ids)
    keys = keys_of(pa.array(sorted(wanted), pa.string()))
    documents = [
        (place, row, document)
        for place, shard in enumerate(workspace.documents.shards())
        for row, document in _find(shard, keys)
        if document["id"] in wanted
    ]
    kept = [(place, row, own) for place, row, own in documents if not own["holdout"]]
    return Labelled(
        ids=tuple(own["id"] for *_, own in kept),
        shards=np.array([place for place, *_ in kept], np.int64),
        rows=np.array([row for _, row, _ in kept], np.int64),
        texts=tuple(own["text"] for *_, own in kept),
        groups={
            name: np.array([own[name] or UNKNOWN for *_, own in kept], np.str_) for name in GROUPS
        },
        held_out=frozenset(own["id"] for *_, own in documents if own["holdout"]),
        media=tuple(tuple(map(Medium.of, own["media"] or ())) for *_, own in kept),
    )


def read_background(workspace: Workspace) -> tuple[str, ...]:
    """Texts of the corpus with the smallest hashes of their ids, in that order."""
    texts: list[tuple[float, str]] = []
    shards = workspace.documents.shards()
    with workspace.watch("reading texts of the corpus", len(shards)) as advance:
        for part in in_order(workspace.engine.each(_first_texts, shards)):
            texts = nsmallest(BACKGROUND, [*texts, *part])
            advance(1)
    return tuple(text for _, text in texts)


def _first_texts(shard: DocumentShard) -> list[tuple[float, str]]:
    """The texts of a shard with the smallest hashes, each with its hash."""
    import numpy as np

    ids = shard.read(["id"])["id"].to_pylist()
    noise = chance.uniform(ids, 0, "background")
    rows = np.sort(np.argsort(noise, kind="stable")[:BACKGROUND])
    texts = shard.read(["text"])["text"].take(rows).to_pylist()
    return list(zip(noise[rows].tolist(), texts, strict=True))


def _find(shard: DocumentShard, keys: NDArray[np.uint64]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield kept documents that may have one of the keys, with their row among the kept."""
    import numpy as np

    rows = find_rows(shard.clean, keys)
    if not len(rows):
        return
    kept = shard.read(["kept"], dropped=True)["kept"].to_numpy()
    rows = rows[kept[rows]]
    table = shard.read(["id", "text", "media", "holdout", *GROUPS], dropped=True, rows=rows)
    places = np.cumsum(kept)[rows] - 1
    yield from zip(places.tolist(), table.to_pylist(), strict=True)
