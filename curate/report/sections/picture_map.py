"""The map of pictures: documents with media where their embeddings lie, as small pictures.

The two directions of largest variance make the map. Each picture then takes a free cell of a grid,
so that all cells together are as near to their pictures as can be; none covers another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from curate import chance
from curate.embed.vectors import found
from curate.media import Medium
from curate.report.section import Section, say, section
from curate.report.thumbnails import thumbnail
from curate.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COLUMNS, ROWS = 14, 9
MOST = COLUMNS * ROWS - 6
"""So many pictures are shown; some cells stay free."""

SIDE, GAP = 60, 6
"""Pixels of a picture in the map, and between two cells."""

SEED = 0

Chosen = tuple[float, str, dict[str, Any], int, int]
"""The noise of a document, its id, its first medium, its shard, and its row among kept ones."""


def picture_map(workspace: Workspace) -> Section | None:
    """A map of pictures by the encoder of the scores; None without media or vectors."""
    scores = workspace.tables.stored("scores")
    if scores is None or workspace.freshness.outdated("scores"):
        return None
    chosen = _chosen(workspace)
    encoder = str(scores.made.facts.get("encoder") or "")
    vectors = found(workspace, encoder) if len(chosen) > 2 else None
    if vectors is None:
        return None
    import numpy as np

    shards = vectors.shards(workspace)
    own = np.concatenate([shards[shard].means(np.array([row])) for *_, shard, row in chosen])
    pictures = _pictures(workspace, chosen)
    words = say("picture_map.words", shown=len(pictures), encoder=encoder)
    return section("picture_map", words, drawing=drawn(cells_of(own), pictures))


def _chosen(workspace: Workspace) -> list[Chosen]:
    """Kept documents with pictures, at random: so many in all, a shard in memory at a time."""
    chosen: list[Chosen] = []
    for number, shard in enumerate(workspace.documents.shards()):
        table = shard.read(["id", "media"])
        noise = chance.uniform(table["id"].to_pylist(), SEED, "map")
        has_media = table["media"].is_valid().to_numpy()
        rows = [row for row in noise.argsort().tolist() if has_media[row]][:MOST]
        for row in rows:
            medium = (table["media"][row].as_py() or [{}])[0]
            if medium.get("sha256") and medium.get("kind") != "audio":
                id = table["id"][row].as_py()
                chosen.append((float(noise[row]), id, medium, number, row))
        chosen = sorted(chosen, key=lambda own: own[0])[:MOST]
    return chosen


@dataclass(frozen=True)
class MapPicture:
    """A picture of the map: a data address, and what is said where a pointer rests on it."""

    source: str
    words: str = ""


def _pictures(workspace: Workspace, chosen: Sequence[Chosen]) -> list[MapPicture]:
    pictures = []
    for _, id, medium, *_ in chosen:
        shown = thumbnail(id, Medium.of(medium), workspace.path("."), side=SIDE)
        pictures.append(MapPicture(shown.source, shown.words))
    return pictures


def cells_of(vectors: NDArray[np.float32]) -> list[tuple[int, int]]:
    """The cell of each vector, column and row: the nearest free ones, all together.

    At most as many vectors as there are cells.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    centred = vectors - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
    places = centred @ directions[:2].T
    # Ranks, not distances: a few pictures that lie far out would push all others together.
    ranks = places.argsort(axis=0).argsort(axis=0) / max(1, len(vectors) - 1)
    wanted = ranks * (COLUMNS - 1, ROWS - 1)
    cells = np.array([(column, row) for row in range(ROWS) for column in range(COLUMNS)])
    cost = ((wanted[:, None, :] - cells[None, :, :]) ** 2).sum(axis=2)
    _, taken = linear_sum_assignment(cost)
    return [(int(column), int(row)) for column, row in cells[taken]]


def drawn(cells: Sequence[tuple[int, int]], pictures: Sequence[MapPicture]) -> str:
    """The map as SVG; every picture is a data address of ours, every word is escaped."""
    step = SIDE + GAP
    parts = [
        f'<image x="{column * step}" y="{row * step}" width="{SIDE}" height="{SIDE}" '
        f"href={quoteattr(picture.source)}><title>{escape(picture.words)}</title></image>"
        for (column, row), picture in zip(cells, pictures, strict=True)
        if picture.source
    ]
    size = f'viewBox="0 0 {COLUMNS * step} {ROWS * step}" width="{COLUMNS * step}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{"".join(parts)}</svg>'
