"""What a document has in common with others, in words: near-duplicates and passages.

It reads the tables pool and clean and writes nothing. No text is stored for it, so nothing is left
of a document that is taken down. Texts are as they read after masks and removed lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from curate import storage
from curate.clean.explaining import excerpt
from curate.clean.passages import reading
from curate.clean.passages.reading import SHOWN, pruned
from curate.errors import DataError
from curate.workspace import Workspace
from curate.workspace.index import find_beginning

Side = Literal["kept in", "kept here", "kept instead", "went for it"]


@dataclass(frozen=True)
class Common:
    """A text that a document has in common with others.

    `kind` is `passage` or `near_duplicate`, and `side` says who keeps it. `document` is the other
    one, the first of `others`; `documents` are all that hold it, this one too.
    """

    kind: Literal["passage", "near_duplicate"]
    side: Side
    document: str
    others: tuple[str, ...]
    documents: int
    words: int | None
    similarity: float | None
    text: str


@dataclass(frozen=True)
class Explained:
    """A document: its verdict, and what it has in common with others."""

    id: str
    source: str
    kept: bool
    reason: str | None
    common: tuple[Common, ...]


def explain_document(workspace: Workspace, prefix: str) -> Explained:
    """Explain the document with that id, or whose id begins so.

    Raises DataError if there is none, or more than one.
    """
    workspace.tables.require("clean")
    matches = [*_matching(workspace, prefix)]
    if len(matches) != 1:
        what = "no document" if not matches else f"{len(matches)} documents"
        raise DataError(f"{what} of the pool begin with {prefix}", hint="give the whole id")
    (row,) = matches
    common = (*_near(workspace, row), *_passages(workspace, row["id"]))
    return Explained(row["id"], row["source"], row["kept"], row["reason"], common)


def _matching(workspace: Workspace, prefix: str) -> Iterator[dict[str, Any]]:
    for shard in workspace.documents.shards():
        rows = find_beginning(shard.clean, prefix).tolist()
        if not rows:
            continue
        names = ["id", "kept", "reason", "duplicate_of", "similarity"]
        verdicts = storage.read_parquet(shard.clean, names).take(rows).to_pylist()
        sources = storage.read_parquet(shard.pool, ["source"])["source"].take(rows).to_pylist()
        for verdict, source in zip(verdicts, sources, strict=True):
            if verdict["id"].startswith(prefix):
                yield {**verdict, "source": source}


def _near(workspace: Workspace, row: dict[str, Any]) -> Iterator[Common]:
    import pyarrow.compute as pc

    kept = row["duplicate_of"]
    if kept is not None:
        text = excerpt(*reading.texts_of(workspace, kept))
        similarity = row["similarity"]
        yield Common("near_duplicate", "kept instead", kept, (kept,), 2, None, similarity, text)
    twins: list[tuple[str, float]] = []
    for shard in workspace.documents.shards():
        table = storage.read_parquet(shard.clean, ["id", "duplicate_of", "similarity"])
        table = table.filter(pc.fill_null(pc.equal(table["duplicate_of"], row["id"]), False))
        twins += zip(table["id"].to_pylist(), table["similarity"].to_pylist(), strict=True)
    if twins:
        ids = tuple(id for id, _ in twins[:SHOWN])
        text = excerpt(*reading.texts_of(workspace, ids[0]))
        yield Common(
            *("near_duplicate", "went for it", ids[0], ids, 1 + len(twins), None),
            max(similarity for _, similarity in twins),
            text,
        )


def _passages(workspace: Workspace, id: str) -> Iterator[Common]:
    passages = reading.held(workspace, id)
    places = [(passage.start, passage.end) for passage in passages]
    texts = reading.texts_of(workspace, id, places) if passages else []
    for passage, text in zip(passages, texts, strict=True):
        is_own = passage.kept == id
        others = passage.others if is_own else (passage.kept, *passage.others)
        yield Common(
            *("passage", "kept here" if is_own else "kept in", others[0], others),
            *(passage.documents, passage.words, None, excerpt(text)),
        )


# ── the template of a source that all but vanishes


@dataclass(frozen=True)
class Template:
    """The text that took most from a source: a document that holds it, and how many do."""

    source: str
    id: str
    documents: int
    text: str


def template(workspace: Workspace, source: str, kind: str) -> Template | None:
    """The text for which most of a source went, as near-duplicates or as a passage."""
    if kind == "passages":
        largest = reading.largest(workspace, source)
        if largest is None:
            return None
        spot, documents = largest
        (text,) = reading.texts_of(workspace, spot.id, [(spot.start, spot.end)])
        return Template(source, spot.id, documents, excerpt(text))
    counts = _kept_instead(workspace, source)
    if not counts:
        return None
    ((id, documents),) = counts.most_common(1)
    text = excerpt(*reading.texts_of(workspace, id))
    return Template(source, id, documents + 1, text) if text else None  # media have none


def _kept_instead(workspace: Workspace, source: str) -> Counter[str]:
    """How many near-duplicates of a source went for each document; rare ones may be left out."""
    import pyarrow.compute as pc

    counts: Counter[str] = Counter()
    paths: Sequence[Any] = storage.shards(workspace.tables.folder("clean") / "_clusters")
    for path in paths:
        table = storage.read_parquet(path, ["kept", "source"])
        counts.update(table.filter(pc.equal(table["source"], source))["kept"].to_pylist())
        counts = pruned(counts)
    return counts
