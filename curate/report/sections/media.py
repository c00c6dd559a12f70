"""Pictures, sounds and films of the mixture, a few of each group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curate import chance
from curate.media import Medium
from curate.report.section import Gallery, Section, say, section
from curate.report.thumbnails import Thumbnail, thumbnail
from curate.workspace import Workspace
from curate.workspace.documents import DocumentShard

if TYPE_CHECKING:
    import pyarrow as pa

GROUPS, OF_GROUP = 12, 6
"""So many groups are shown, and so many media of each."""

SEED = 0

Found = tuple[float, str, dict[str, Any]]
"""The noise of a document, its id, and its first medium."""


def media(workspace: Workspace) -> Section | None:
    """A few media of each group as people see them; None where no document has any."""
    if workspace.tables.stored("clean") is None:
        return None
    is_mixed = _fits(workspace, "mix")
    seen = _Seen()
    for shard in workspace.documents.shards(mix=is_mixed):
        seen.add(_read(shard, is_mixed))
    if not seen.kinds:
        return None
    galleries = [
        Gallery(group, tuple(_shown(workspace, found) for found in seen.chosen[group]))
        for group in seen.largest()
    ]
    kinds = [say(f"media.{kind}", count=count) for kind, count in seen.kinds.most_common()]
    key = "media.drawn" if is_mixed else "media.kept"
    words = say(key, kinds=kinds), say("media.words", each=OF_GROUP)
    return section("media", *words, galleries=galleries)


def _fits(workspace: Workspace, table: str) -> bool:
    is_there = workspace.tables.stored(table) is not None
    return is_there and not workspace.freshness.outdated(table)


@dataclass
class _Seen:
    """The media of the shards read so far: how many of each kind, and the chosen of each group."""

    kinds: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    chosen: dict[str, list[Found]] = field(default_factory=dict)

    def add(self, documents: pa.Table) -> None:
        """Take in the documents with media of a shard: columns id, media and group."""
        noise = chance.uniform(documents["id"].to_pylist(), SEED, "pictures").tolist()
        for place, row in zip(noise, _rows(documents), strict=True):
            self.kinds.update(medium["kind"] or "image" for medium in row["media"])
            self.sizes[row["group"]] += 1
            own = self.chosen.setdefault(row["group"], [])
            own.append((place, row["id"], row["media"][0]))
            own.sort(key=lambda found: found[0])
            del own[OF_GROUP:]

    def largest(self) -> list[str]:
        """The groups with the most media, in the order of their names."""
        return sorted(name for name, _ in self.sizes.most_common(GROUPS))


def _read(shard: DocumentShard, is_mixed: bool) -> pa.Table:
    """The documents of a shard that have media: kept ones, or those that were drawn."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = ["id", "media", "source", *(["group", "copies"] if is_mixed else [])]
    table = shard.read(names)
    table = table.filter(pc.greater(pc.fill_null(pc.list_value_length(table["media"]), 0), 0))
    if is_mixed:
        table = table.filter(pc.greater(pc.fill_null(table["copies"], 0), 0))
    group = "group" if "group" in table.column_names else "source"
    columns = {"id": table["id"], "media": table["media"], "group": table[group]}
    return pa.table(columns)


def _rows(documents: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table, some of them in memory at a time."""
    for batch in documents.to_batches(max_chunksize=1_000):
        yield from batch.to_pylist()


def _shown(workspace: Workspace, found: Found) -> Thumbnail:
    _, id, medium = found
    return thumbnail(id, Medium.of(medium), workspace.path("."))
