"""A map of the pool: embeddings on a plane, coloured by group, quality, label and source."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from curate.embed.vectors import Vectors, found
from curate.errors import CurateError
from curate.report.plane import Points, Shard, points
from curate.report.section import Live, Say, Section, as_written, say, section
from curate.tables import predicted
from curate.workspace import Workspace
from curate.workspace.predictions import predicted_questions

NAMED = 10
"""So many values have a colour of their own."""

UNKNOWN, MOST = 255, 254
"""The code of what is not known, and that of the highest quality."""


def map_of(workspace: Workspace) -> Section | None:
    """A map of the documents whose embeddings are there; None where there are none."""
    vectors = _vectors(workspace)
    if vectors is None or not vectors.documents or not vectors.dimension:
        return None
    questions = [name for name, own in predicted_questions(workspace.tables).items()
                 if own.makes_groups]  # fmt: skip
    columns = ["source"]
    is_scored, is_mixed = _fits(workspace, "scores"), _fits(workspace, "mix")
    columns += ["quality", *map(predicted, questions[:1])] if is_scored else []
    columns += ["group"] if is_mixed else []
    documents = workspace.documents.shards(scores=is_scored, mix=is_mixed)
    shards = [Shard(*pair) for pair in zip(vectors.shards(workspace), documents, strict=True)]
    own = points(workspace, shards, columns)
    words = say(
        "map.words",
        shown=len(own.texts),
        documents=vectors.documents,
        encoder=vectors.encoder,
        kept=own.kept,
        method="PCA",
    )
    colours = [*_colours(own, questions[0] if questions else "")]
    return section("map", words, live=Live("map", _data(own, colours)))


def _vectors(workspace: Workspace) -> Vectors | None:
    """The embeddings that heads read, or any others that are there."""
    folder = workspace.root / "vectors"
    asked = [own.encoder for own in predicted_questions(workspace.tables).values() if own.encoder]
    there = (
        sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    )
    for name in dict.fromkeys((*asked, *there)):
        vectors = found(workspace, name) if name in there else None
        if vectors is not None:
            return vectors
    return None


def _fits(workspace: Workspace, table: str) -> bool:
    """Whether a table is of the documents as they are now."""
    if not workspace.tables.stored(table):
        return False
    try:
        workspace.documents.shards(scores=table == "scores", mix=table == "mix")
    except CurateError:
        return False
    return bool(workspace.freshness.fits(table))


def _colours(own: Points, question: str) -> Iterator[dict[str, Any]]:
    """Yield what points may be coloured by, in the order of the choice."""
    names: list[tuple[str, Say]] = [
        ("group", say("map.group")),
        ("quality", say("map.quality")),
        (predicted(question), say("map.label", question=question)),
        ("source", say("map.source")),
    ]
    for column, name in names:
        values = own.columns.get(column)
        if values is None or all(value is None for value in values):
            continue
        yield _numbered(name, values) if column == "quality" else _named(name, values)


def _numbered(name: Say, values: Sequence[float | None]) -> dict[str, Any]:
    """Numbers from 0 to 1 as codes."""
    codes = bytes(
        UNKNOWN if value is None or value != value else round(MOST * min(1.0, max(0.0, value)))
        for value in values
    )
    return {"name": name, "kind": "number", "names": [], "codes": _base64(codes)}


def _named(name: Say, values: Sequence[str | None]) -> dict[str, Any]:
    """Words as codes: the most frequent by name, the others together."""
    counts = Counter(value for value in values if value is not None)
    most = sorted(counts, key=lambda value: (-counts[value], value))
    codes = {value: min(place, NAMED) for place, value in enumerate(most)}
    names: list[Say] = [as_written(value) for value in most[:NAMED]]
    if len(most) > NAMED:
        names.append(say("map.others", count=len(most) - NAMED))
    numbers = bytes(UNKNOWN if value is None else codes[value] for value in values)
    return {"name": name, "kind": "name", "names": names, "codes": _base64(numbers)}


def _data(own: Points, colours: list[dict[str, Any]]) -> dict[str, Any]:
    import numpy as np

    across, down = (np.round(65535 * own.place[:, axis]).astype("<u2") for axis in (0, 1))
    return {
        "x": _base64(across.tobytes()),
        "y": _base64(down.tobytes()),
        "texts": own.texts,
        "colours": colours,
        "words": {
            "colour": say("map.colour"),
            "hint": say("map.hint"),
            "label": say("map.caption", shown=len(own.texts)),
        },
    }


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
